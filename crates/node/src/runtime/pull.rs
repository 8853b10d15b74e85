//! Pulling images: which layers are missing, when they arrive, who waits for them. Knows registries
//! only as a function, and nothing of containers.
//! Models containerd's core/remotes and transfer service: a layer comes once, whoever asked first.

use std::collections::BTreeMap;
use std::rc::Rc;

use sim::{Duration, Instant};

use crate::cri::{Code, Error};
use crate::image::{Image, Refusal};
use crate::reference::Reference;

/// Bytes per second a machine gets from a registry.
const BANDWIDTH: u64 = 40_000_000;
/// Bytes per second at which layers are unpacked.
const UNPACK: u64 = 400_000_000;
/// Resolving a tag: name lookup, TLS, token, manifest. The random part comes on top.
const RESOLVE_MILLIS: u64 = 250;
/// Upper bound of the random part of resolving.
const RESOLVE_JITTER_MILLIS: u64 = 250;

/// Pulls under way and layers at hand; `W` names who waits.
#[derive(Clone, Debug)]
pub(super) struct Puller<W> {
    link_free: Instant,
    layers: BTreeMap<Rc<str>, Instant>,
    pulls: BTreeMap<Rc<str>, Pull<W>>,
}

#[derive(Clone, Debug)]
struct Pull<W> {
    reference: Reference,
    done_at: Instant,
    outcome: Result<Rc<Image>, Refusal>,
    waiters: Vec<W>,
}

/// A pull that came to its end.
#[derive(Clone, Debug)]
pub(super) struct Pulled<W> {
    /// What was asked for.
    pub reference: Reference,
    /// The image, or containerd's error.
    pub outcome: Result<Rc<Image>, Error>,
    /// Who asked, in order.
    pub waiters: Vec<W>,
}

impl<W> Default for Puller<W> {
    fn default() -> Self {
        Puller {
            link_free: Instant::ZERO,
            layers: BTreeMap::new(),
            pulls: BTreeMap::new(),
        }
    }
}

impl<W> Puller<W> {
    /// Tells of layers that are on disk already.
    pub(super) fn have(&mut self, image: &Image) {
        for layer in image.layers.iter() {
            self.layers
                .entry(layer.digest.clone())
                .or_insert(Instant::ZERO);
        }
    }

    /// Begins a pull, or joins the one under way. `dice` is any random number; `find` asks the
    /// registry.
    pub(super) fn begin(
        &mut self,
        now: Instant,
        dice: u64,
        reference: &Reference,
        find: impl FnOnce(&Reference) -> Result<Rc<Image>, Refusal>,
        waiter: W,
    ) {
        let name: Rc<str> = reference.to_string().into();
        if let Some(pull) = self.pulls.get_mut(&name) {
            pull.waiters.push(waiter);
            return;
        }
        let resolve = RESOLVE_MILLIS + dice % (RESOLVE_JITTER_MILLIS + 1);
        let resolved = now + Duration::from_millis(resolve);
        let outcome = find(reference);
        let done_at = match &outcome {
            Ok(image) => self.fetch(resolved, image),
            Err(_) => resolved,
        };
        let reference = reference.clone();
        self.pulls.insert(
            name,
            Pull {
                reference,
                done_at,
                outcome,
                waiters: vec![waiter],
            },
        );
    }

    /// Queues the missing layers on the link; returns when the image is complete.
    fn fetch(&mut self, from: Instant, image: &Image) -> Instant {
        let mut complete = from;
        let mut fetched = 0;
        for layer in image.layers.iter() {
            let arrives = match self.layers.get(&layer.digest) {
                Some(at) => *at,
                None => {
                    fetched += layer.size;
                    self.link_free = self.link_free.max(from) + transfer(layer.size, BANDWIDTH);
                    self.layers.insert(layer.digest.clone(), self.link_free);
                    self.link_free
                }
            };
            complete = complete.max(arrives);
        }
        complete + transfer(fetched, UNPACK)
    }

    /// When the next pull ends.
    pub(super) fn next(&self) -> Option<Instant> {
        self.pulls.values().map(|pull| pull.done_at).min()
    }

    /// The pulls that have ended by now.
    pub(super) fn take_done(&mut self, now: Instant) -> Vec<Pulled<W>> {
        let due: Vec<Rc<str>> = self
            .pulls
            .iter()
            .filter(|(_, pull)| pull.done_at <= now)
            .map(|(name, _)| name.clone())
            .collect();
        due.into_iter()
            .filter_map(|name| self.pulls.remove(&name))
            .map(|pull| Pulled {
                outcome: pull
                    .outcome
                    .map_err(|refusal| refused(&pull.reference, refusal)),
                reference: pull.reference,
                waiters: pull.waiters,
            })
            .collect()
    }
}

fn transfer(bytes: u64, per_sec: u64) -> Duration {
    Duration::from_nanos(bytes.saturating_mul(1_000_000_000 / 1000) / (per_sec / 1000))
}

/// containerd's words for a reference that leads nowhere.
fn refused(reference: &Reference, refusal: Refusal) -> Error {
    let (domain, path) = (&reference.domain, &reference.path);
    let version = reference.digest.as_ref().or(reference.tag.as_ref());
    let version = version.map_or("latest", |version| version);
    let host = domain.split_once(':').map_or(&**domain, |(host, _)| host);
    let head =
        format!("failed to do request: Head \"https://{domain}/v2/{path}/manifests/{version}\"");
    let (code, why) = match refusal {
        Refusal::NotFound => (Code::NotFound, format!("{reference}: not found")),
        Refusal::Denied => (
            Code::Unknown,
            "pull access denied, repository does not exist or may require authorization: server \
             message: insufficient_scope: authorization failed"
                .to_owned(),
        ),
        Refusal::NoSuchHost => (
            Code::Unknown,
            format!("{head}: dial tcp: lookup {host}: no such host"),
        ),
        Refusal::Refused => {
            let port = domain.split_once(':').map_or("443", |(_, port)| port);
            (
                Code::Unknown,
                format!("{head}: dial tcp 127.0.0.1:{port}: connect: connection refused"),
            )
        }
    };
    let desc = format!(
        "failed to pull and unpack image \"{reference}\": failed to resolve reference \
         \"{reference}\": {why}"
    );
    Error::new(code, desc)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageConfig, Layer, digest};
    use machine::fs::Tree;

    fn registry(reference: &Reference) -> Result<Image, Refusal> {
        let sizes: &[(&str, u64)] = match &*reference.path {
            "library/base" => &[("base", 40_000_000)],
            "library/app" => &[("base", 40_000_000), ("app", 20_000_000)],
            "team/x" => return Err(Refusal::Denied),
            _ if &*reference.domain == "registry.invalid" => return Err(Refusal::NoSuchHost),
            _ => return Err(Refusal::NotFound),
        };
        let layers = sizes.iter().map(|(name, size)| Layer {
            digest: (*name).into(),
            size: *size,
        });
        Ok(Image {
            digest: digest("d"),
            id: digest("i"),
            layers: layers.collect(),
            config: ImageConfig::default(),
            root: Tree::new(),
        })
    }

    fn pull(puller: &mut Puller<u32>, at: u64, image: &str, waiter: u32) {
        let reference = Reference::parse(image).unwrap();
        let now = Instant::from_nanos(at * 1_000_000);
        puller.begin(now, 0, &reference, |r| registry(r).map(Rc::new), waiter);
    }

    /// Pulls in order as (milliseconds, image, waiter), then what ends when and for whom.
    #[track_caller]
    fn check(pulls: &[(u64, &str, u32)], expect: &[(u64, &[u32])]) {
        let mut puller = Puller::default();
        for (at, image, waiter) in pulls {
            pull(&mut puller, *at, image, *waiter);
        }
        let mut got = Vec::new();
        while let Some(at) = puller.next() {
            for done in puller.take_done(at) {
                got.push((at.as_nanos() / 1_000_000, done.waiters));
            }
        }
        let expect: Vec<_> = expect.iter().map(|(at, who)| (*at, who.to_vec())).collect();
        assert_eq!(got, expect);
    }

    #[test]
    fn bytes_take_time_and_come_once() {
        // Resolve 250 ms, 40 MB in 1 s, unpack 100 ms.
        check(&[(0, "base", 1)], &[(1350, &[1])]);
        // The second asker joins.
        check(&[(0, "base", 1), (700, "base", 2)], &[(1350, &[1, 2])]);
        // A shared layer is waited for, only the other is fetched: 20 MB after it on one link.
        check(
            &[(0, "base", 1), (0, "app", 2)],
            &[(1350, &[1]), (1800, &[2])],
        );
        // What failed fails when it is resolved.
        check(
            &[(0, "base", 1), (0, "nope", 2)],
            &[(250, &[2]), (1350, &[1])],
        );
    }

    #[test]
    fn an_image_at_hand_is_only_resolved() {
        let mut puller = Puller::default();
        let reference = Reference::parse("base").unwrap();
        puller.have(&registry(&reference).unwrap());
        pull(&mut puller, 0, "base", 1);
        assert_eq!(puller.next(), Some(Instant::from_nanos(250_000_000)));
    }

    #[test]
    fn errors_are_worded_as_containerd_words_them() {
        #[track_caller]
        fn check(image: &str, expect: &str) {
            let mut puller = Puller::default();
            pull(&mut puller, 0, image, 1);
            let done = puller.take_done(Instant::FAR).remove(0);
            assert_eq!(done.outcome.unwrap_err().to_string(), expect);
        }
        check(
            "nginx:nope",
            "rpc error: code = NotFound desc = failed to pull and unpack image \
             \"docker.io/library/nginx:nope\": failed to resolve reference \
             \"docker.io/library/nginx:nope\": docker.io/library/nginx:nope: not found",
        );
        check(
            "team/x:1",
            "rpc error: code = Unknown desc = failed to pull and unpack image \
             \"docker.io/team/x:1\": failed to resolve reference \"docker.io/team/x:1\": pull \
             access denied, repository does not exist or may require authorization: server \
             message: insufficient_scope: authorization failed",
        );
        check(
            "registry.invalid/x:1",
            "rpc error: code = Unknown desc = failed to pull and unpack image \
             \"registry.invalid/x:1\": failed to resolve reference \"registry.invalid/x:1\": \
             failed to do request: Head \"https://registry.invalid/v2/x/manifests/1\": dial tcp: \
             lookup registry.invalid: no such host",
        );
    }
}
