//! Objects that pods refer to: fetched when a pod needs them, once for all who wait for the same.
//! Also tokens of service accounts.
//! Models pkg/kubelet/util/manager and pkg/kubelet/token.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::{Str, Value, object};
use client::{
    CONFIG_MAPS, Error, Incoming, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, SECRETS,
    SERVICE_ACCOUNTS, answer, request,
};
use machine::Sys;
use sim::{Duration, Instant};

use crate::cri::ImageStatus;
use crate::kubelet::State;
use crate::kubelet::env::{Object, Objects};
use crate::kubelet::pod::Source;
use crate::kubelet::volumes::{self, TokenRequest, Tokens};
use crate::kubelet::watching::Tag;

/// The certificate authority of the cluster is in every pod and does not change: it is not asked
/// for again for so long.
const ROOT_CA: &str = "kube-root-ca.crt";
const ROOT_CA_KEPT: Duration = Duration::from_secs(3600);

/// What a pod waits with until objects are there.
#[derive(Clone, Debug)]
pub(crate) enum Then {
    /// Making its volumes.
    Mount,
    /// Making its volumes anew, if they have changed.
    Refresh,
    /// Working out how to run a unit: step, unit, attempt; and its image.
    Configure((u64, usize, u32), Option<ImageStatus>),
}

#[derive(Clone, Debug)]
struct Wait {
    uid: Str,
    then: Then,
    needs: Vec<Object>,
    missing: BTreeSet<Object>,
    missing_tokens: BTreeSet<TokenRequest>,
}

/// Why an object could not be had: it does not exist, or in these words.
type Fetched = Result<Option<Value>, String>;

/// Objects fetched, and who waits for which.
#[derive(Clone, Debug, Default)]
pub(crate) struct ObjectCache {
    known: BTreeMap<Object, (Instant, Fetched)>,
    under_way: BTreeSet<Object>,
    waits: Vec<Wait>,
    tokens: BTreeMap<Str, Tokens>,
    token_errors: BTreeMap<Str, String>,
}

/// What is known of the objects a pod needs, or why one could not be fetched.
pub(crate) type Gathered = Result<Objects, String>;

impl State {
    /// Has these objects fetched, and then goes on with the pod; at once if there is nothing to
    /// wait for.
    pub(crate) fn gather(&mut self, sys: &mut Sys<'_>, uid: &Str, needs: Vec<Object>, then: Then) {
        let now = sys.now();
        let mut missing = BTreeSet::new();
        for need in &needs {
            if !self.is_kept(now, need) {
                missing.insert(need.clone());
            }
        }
        let missing_tokens = match then {
            Then::Configure(..) => BTreeSet::new(),
            Then::Mount | Then::Refresh => self.missing_tokens(uid),
        };
        for object in &missing {
            if self.objects.under_way.insert(object.clone()) {
                self.fetch(sys, object);
            }
        }
        for token in &missing_tokens {
            self.fetch_token(sys, uid, token);
        }
        let wait = Wait {
            uid: uid.clone(),
            then,
            needs,
            missing,
            missing_tokens,
        };
        if wait.missing.is_empty() && wait.missing_tokens.is_empty() {
            self.gathered(sys, wait);
        } else {
            self.objects.waits.push(wait);
        }
    }

    fn is_kept(&self, now: Instant, object: &Object) -> bool {
        let keeps = matches!(object, Object::ConfigMap(_, name) if &**name == ROOT_CA);
        keeps
            && self.objects.known.get(object).is_some_and(|(at, fetched)| {
                matches!(fetched, Ok(Some(_))) && now.since(*at) < ROOT_CA_KEPT
            })
    }

    fn missing_tokens(&self, uid: &Str) -> BTreeSet<TokenRequest> {
        let Some(entry) = self.pods.get(uid) else {
            return BTreeSet::new();
        };
        if entry.worker.pod.source == Source::File {
            return BTreeSet::new();
        }
        volumes::tokens(&entry.worker.pod).into_iter().collect()
    }

    fn fetch(&mut self, sys: &Sys<'_>, object: &Object) {
        let request = match object {
            Object::ConfigMap(namespace, name) => request::get(&CONFIG_MAPS, namespace, name),
            Object::Secret(namespace, name) => request::get(&SECRETS, namespace, name),
            Object::Claim(namespace, name) => {
                request::get(&PERSISTENT_VOLUME_CLAIMS, namespace, name)
            }
        };
        self.api
            .client
            .send(sys.cause(), Tag::Object(object.clone()), request);
    }

    fn fetch_token(&mut self, sys: &Sys<'_>, uid: &Str, token: &TokenRequest) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let pod = &entry.worker.pod;
        let mut body = object! {
            "apiVersion": "authentication.k8s.io/v1",
            "kind": "TokenRequest",
            "spec": {
                "expirationSeconds": token.expiration,
                "boundObjectRef": {
                    "apiVersion": "v1", "kind": "Pod", "name": &pod.name, "uid": &pod.uid,
                },
            },
        };
        if !token.audience.is_empty() {
            body.set("spec.audiences", vec![token.audience.clone()]);
        }
        let account = match pod.object.str_at("spec.serviceAccountName") {
            "" => "default",
            account => account,
        };
        let request =
            request::create_sub(&SERVICE_ACCOUNTS, &pod.namespace, account, "token", body);
        self.api
            .client
            .send(sys.cause(), Tag::Token(uid.clone(), token.clone()), request);
    }

    /// An object was fetched, or could not be.
    pub(crate) fn object_fetched(
        &mut self,
        sys: &mut Sys<'_>,
        object: &Object,
        incoming: &Incoming,
    ) {
        let fetched = match answer(incoming) {
            // A claim is of use for the volume it is bound to.
            Ok(claim) if is_bound(&claim) => {
                let request =
                    request::get(&PERSISTENT_VOLUMES, "", claim.str_at("spec.volumeName"));
                let tag = Tag::Object(object.clone());
                self.api.client.send(sys.cause(), tag, request);
                return;
            }
            Ok(value) => Ok(Some(value)),
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(failure(object, &error)),
        };
        self.objects.under_way.remove(object);
        self.objects
            .known
            .insert(object.clone(), (sys.now(), fetched));
        for wait in &mut self.objects.waits {
            wait.missing.remove(object);
        }
        self.go_on(sys);
    }

    /// A token was made, or could not be.
    pub(crate) fn token_made(
        &mut self,
        sys: &mut Sys<'_>,
        uid: &Str,
        token: &TokenRequest,
        incoming: &Incoming,
    ) {
        match answer(incoming) {
            Ok(reply) => {
                let text: Rc<str> = reply.str_at("status.token").into();
                self.objects
                    .tokens
                    .entry(uid.clone())
                    .or_default()
                    .insert(token.clone(), text);
                self.objects.token_errors.remove(uid);
            }
            Err(error) => {
                let why = format!("failed to fetch token: {error}");
                self.objects.token_errors.insert(uid.clone(), why);
            }
        }
        for wait in self
            .objects
            .waits
            .iter_mut()
            .filter(|wait| wait.uid == *uid)
        {
            wait.missing_tokens.remove(token);
        }
        self.go_on(sys);
    }

    fn go_on(&mut self, sys: &mut Sys<'_>) {
        let waits = std::mem::take(&mut self.objects.waits);
        let is_done = |wait: &Wait| wait.missing.is_empty() && wait.missing_tokens.is_empty();
        let (done, waiting): (Vec<Wait>, Vec<Wait>) = waits.into_iter().partition(is_done);
        self.objects.waits = waiting;
        for wait in done {
            self.gathered(sys, wait);
        }
    }

    fn gathered(&mut self, sys: &mut Sys<'_>, wait: Wait) {
        let Wait {
            uid, then, needs, ..
        } = wait;
        let mut objects = Objects::new();
        let mut failed = None;
        for need in needs {
            match self.objects.known.get(&need) {
                Some((_, Ok(value))) => {
                    objects.insert(need, value.clone());
                }
                Some((_, Err(why))) => failed = Some(why.clone()),
                None => {}
            }
        }
        let gathered = failed.map_or(Ok(objects), Err);
        let tokens = match self.objects.token_errors.remove(&uid) {
            Some(why) if !matches!(then, Then::Configure(..)) => Err(why),
            _ => Ok(self.objects.tokens.get(&uid).cloned().unwrap_or_default()),
        };
        match then {
            Then::Configure(step, image) => {
                return self.configure(sys, &uid, step, image, gathered);
            }
            Then::Mount => self.mount(sys, &uid, gathered, tokens),
            Then::Refresh => self.remount(sys, &uid, gathered, tokens),
        }
        // They are in the files now.
        self.objects.tokens.remove(&uid);
    }
}

fn is_bound(object: &Value) -> bool {
    object.kind() == "PersistentVolumeClaim"
        && object.str_at("status.phase") == "Bound"
        && !object.is_terminating()
}

fn failure(object: &Object, error: &Error) -> String {
    if error.errno.is_some() {
        return format!(
            "failed to sync {} cache: timed out waiting for the condition",
            object.kind()
        );
    }
    error.to_string()
}
