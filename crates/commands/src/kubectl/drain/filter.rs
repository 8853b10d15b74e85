//! Which pods of a node a drain takes away, which it leaves, and which stop it.
//!
//! Models kubectl/pkg/drain/filters.go.

use api::Value;
use net::http::percent_encode;
use sim::{Duration, Instant};

use crate::kubectl::failure::Outcome;
use crate::kubectl::flags::Line;
use crate::kubectl::session::{Call, Session};

const MIRROR: &str = "kubernetes.io/config.mirror";
const DAEMON_SET_FATAL: &str = "DaemonSet-managed Pods (use --ignore-daemonsets to ignore)";
const DAEMON_SET_WARNING: &str = "ignoring DaemonSet-managed Pods";
const LOCAL_FATAL: &str = "Pods with local storage (use --delete-emptydir-data to override)";
const UNMANAGED_FATAL: &str = "Pods that declare no controller (use --force to override)";
const UNMANAGED_WARNING: &str = "deleting Pods that declare no controller";

/// What a drain does with a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Fate {
    Goes,
    /// It goes, and that is told.
    GoesWith(String),
    Stays,
    /// It stays, and that is told.
    StaysWith(String),
    /// It must not be lost: nothing is drained.
    Stops(String),
}

/// The pods of a node, each with its fate.
#[derive(Debug)]
pub(super) struct Pods {
    items: Vec<(Value, Fate)>,
}

/// What the flags of the command line allow.
struct Leave {
    force: bool,
    ignore_daemon_sets: bool,
    delete_local: bool,
    /// Pods that terminate for longer are not waited for.
    skip_after: Option<Duration>,
    now: Instant,
}

/// The pods of a node that the line's selector matches.
pub(super) async fn pods(session: &Session, line: &Line, node: &str) -> Outcome<Pods> {
    let mut target = format!(
        "/api/v1/pods?fieldSelector={}",
        percent_encode(&format!("spec.nodeName={node}"))
    );
    if let Some(text) = line.get("pod-selector").filter(|text| !text.is_empty()) {
        target.push_str(&format!("&labelSelector={}", percent_encode(text)));
    }
    let list = session.call(Call::get(target)).await?;
    let leave = Leave {
        force: line.on("force"),
        ignore_daemon_sets: line.on("ignore-daemonsets"),
        delete_local: line.on("delete-emptydir-data"),
        skip_after: super::evict::skip_after(line)?,
        now: session.io.now().await,
    };
    let mut items = Vec::new();
    for pod in list.list_at("items") {
        let fate = match daemon_set(session, pod, &leave).await? {
            Some(fate) => fate,
            None => leave.fate(pod),
        };
        items.push((pod.clone(), fate));
    }
    Ok(Pods { items })
}

/// The fate of a pod that a DaemonSet manages.
async fn daemon_set(session: &Session, pod: &Value, leave: &Leave) -> Outcome<Option<Fate>> {
    let owner = pod.controller().filter(|o| o.str("kind") == "DaemonSet");
    let Some(owner) = owner.filter(|_| !leave.skips(pod) && !is_finished(pod)) else {
        return Ok(None);
    };
    let path = format!(
        "/apis/apps/v1/namespaces/{}/daemonsets/{}",
        pod.namespace(),
        owner.str("name")
    );
    Ok(match session.call(Call::get(path)).await {
        Ok(_) if leave.ignore_daemon_sets => Some(Fate::StaysWith(DAEMON_SET_WARNING.to_owned())),
        Ok(_) => Some(Fate::Stops(DAEMON_SET_FATAL.to_owned())),
        Err(failure) => {
            let why = failure.sentence();
            match failure.is_not_found() && leave.force {
                true => None,
                false => Some(Fate::Stops(why)),
            }
        }
    })
}

fn is_finished(pod: &Value) -> bool {
    matches!(pod.str_at("status.phase"), "Succeeded" | "Failed")
}

impl Leave {
    fn skips(&self, pod: &Value) -> bool {
        skips(pod, self.skip_after, self.now)
    }

    fn fate(&self, pod: &Value) -> Fate {
        let has_local = |pod: &Value| {
            let volumes = pod.list_at("spec.volumes");
            volumes.iter().any(|volume| volume.has("emptyDir"))
        };
        if self.skips(pod) || pod.annotations().contains_key(MIRROR) {
            Fate::Stays
        } else if is_finished(pod) {
            Fate::Goes
        } else if has_local(pod) && !self.delete_local {
            Fate::Stops(LOCAL_FATAL.to_owned())
        } else if pod.controller().is_some() {
            Fate::Goes
        } else if self.force {
            Fate::GoesWith(UNMANAGED_WARNING.to_owned())
        } else {
            Fate::Stops(UNMANAGED_FATAL.to_owned())
        }
    }
}

/// Whether a pod terminates for so long that nobody waits for it.
pub(super) fn skips(pod: &Value, after: Option<Duration>, now: Instant) -> bool {
    let since = pod.deletion_timestamp().and_then(Instant::parse_rfc3339);
    match (after, since) {
        (Some(after), Some(since)) => since + after < now,
        _ => false,
    }
}

impl Pods {
    /// The pods that go.
    pub(super) fn doomed(&self) -> Vec<Value> {
        let goes = |fate: &Fate| matches!(fate, Fate::Goes | Fate::GoesWith(_));
        let items = self.items.iter().filter(|(_, fate)| goes(fate));
        items.map(|(pod, _)| pod.clone()).collect()
    }

    /// Why nothing may go: a sentence for each reason.
    pub(super) fn errors(&self) -> Vec<String> {
        let why = |fate: &Fate| match fate {
            Fate::Stops(why) => Some(why.clone()),
            _ => None,
        };
        let all = self.grouped(why);
        all.into_iter()
            .map(|text| format!("cannot delete {text}"))
            .collect()
    }

    /// What is told before anything goes.
    pub(super) fn warnings(&self) -> String {
        let why = |fate: &Fate| match fate {
            Fate::GoesWith(why) | Fate::StaysWith(why) => Some(why.clone()),
            _ => None,
        };
        self.grouped(why).join("; ")
    }

    /// `reason: namespace/pod, namespace/pod`, in the order in which reasons are met.
    fn grouped(&self, why: impl Fn(&Fate) -> Option<String>) -> Vec<String> {
        let mut groups: Vec<(String, Vec<String>)> = Vec::new();
        for (pod, fate) in &self.items {
            let Some(why) = why(fate) else {
                continue;
            };
            let name = format!("{}/{}", pod.namespace(), pod.name());
            match groups.iter_mut().find(|(known, _)| *known == why) {
                Some((_, names)) => names.push(name),
                None => groups.push((why, vec![name])),
            }
        }
        let text = |(why, names): (String, Vec<String>)| format!("{why}: {}", names.join(", "));
        groups.into_iter().map(text).collect()
    }
}
