//! Which pod and container a command for one container means: `POD`, `TYPE/NAME`, `-c`.
//!
//! Models kubectl/pkg/polymorphichelpers (attachable pod), cmd/util/podutils and cmd/util/podcmd.

use api::Value;
use api::selector::LabelSelector;
use net::http::percent_encode;

use super::act;
use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::session::{Call, Session};
use super::target::{manifests, namespace_of, resource_of, targets};

const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// How long a command waits for a pod of what was named, unless told otherwise.
pub(super) const GET_POD_TIMEOUT: u64 = 60;
/// Between looks for the first pod.
const LOOK_AGAIN: sim::Duration = sim::Duration::from_millis(250);

/// An object and the pods it stands for.
pub(super) struct Pods {
    /// The object named; `None` if it is a pod itself.
    pub(super) object: Option<Value>,
    /// The best first.
    pub(super) pods: Vec<Value>,
}

/// What pods are wanted for: decides which of several is the best.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// To join: those that restart seldom.
    Joining,
    /// Their logs: those that restart often.
    Logs,
}

/// `--pod-running-timeout`, or so many seconds.
pub(super) fn timeout(line: &Line, otherwise: u64) -> Outcome<sim::Duration> {
    let given = line.duration("pod-running-timeout")?;
    let limit = given.unwrap_or(sim::Duration::from_secs(otherwise));
    if limit.is_zero() {
        return Err(Failure::message(
            "--pod-running-timeout must be higher than zero",
        ));
    }
    Ok(limit)
}

/// What names the pod: an argument, or the object of `-f`.
pub(super) async fn word_of(session: &Session, line: &Line, words: &[String]) -> Outcome<String> {
    if let Some(word) = words.first() {
        return Ok(word.clone());
    }
    let discovery = session.discovery().await?;
    let all = manifests(&session.io, line).await?;
    let Some(manifest) = all.first() else {
        return Err(Failure::message("no objects passed to exec"));
    };
    let resource = resource_of(&discovery, manifest)?;
    namespace_of(session, resource, &manifest.value)?;
    Ok(format!(
        "{}/{}",
        resource.qualified(),
        manifest.value.name()
    ))
}

/// The pod a word means; of a workload or Service, the best of its pods, waiting for the first.
pub(super) async fn pod(session: &Session, word: &str, limit: sim::Duration) -> Outcome<Value> {
    let mut found = pods(session, word, For::Joining, limit).await?;
    Ok(found.pods.remove(0))
}

/// The object a word means, if it is no pod, and its pods: at least one, waiting for the first.
pub(super) async fn pods(
    session: &Session,
    word: &str,
    wanted: For,
    limit: sim::Duration,
) -> Outcome<Pods> {
    let discovery = session.discovery().await?;
    let args = [if word.contains('/') {
        word.to_owned()
    } else {
        format!("pods/{word}")
    }];
    let target = targets(&discovery, &args)?.remove(0);
    let name = target.name.unwrap_or_default();
    let object = act::read(session, &target.resource, &session.namespace, &name).await?;
    if target.resource.kind == "Pod" {
        return Ok(Pods {
            object: None,
            pods: vec![object],
        });
    }
    let selector = selector_of(&object, wanted)?;
    let end = session.io.deadline(limit).await;
    loop {
        let mut pods = select(session, &selector).await?;
        sort(&mut pods, wanted);
        if !pods.is_empty() {
            let object = Some(object);
            return Ok(Pods { object, pods });
        }
        if session.io.now().await >= end {
            return Err(Failure::message("timed out waiting for the condition"));
        }
        session.io.sleep(LOOK_AGAIN).await;
    }
}

/// The selector of a workload or Service.
fn selector_of(object: &Value, wanted: For) -> Outcome<String> {
    let kind = object.kind();
    let version = object.api_version().rsplit('/').next().unwrap_or_default();
    let cannot = match wanted {
        For::Joining => format!("cannot attach to *{version}.{kind}"),
        For::Logs => format!("cannot get the logs from *{version}.{kind}"),
    };
    let selector = match kind {
        "Service" | "ReplicationController" => {
            let labels = object.at("spec.selector");
            if labels.entries().is_empty() {
                let name = object.name();
                return Err(Failure::message(format!(
                    "{cannot}: invalid service '{name}': Service is defined without a selector"
                )));
            }
            LabelSelector::from_map(labels.entries())
        }
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => {
            LabelSelector::from_object(object.at("spec.selector"))
                .map_err(|why| Failure::message(format!("invalid label selector: {why}")))?
        }
        _ => {
            return Err(Failure::message(format!(
                "{cannot}: selector for *{version}.{kind} not implemented"
            )));
        }
    };
    Ok(selector.to_string())
}

/// Puts the pods first that are best joined, or whose logs tell most.
pub(super) fn sort(pods: &mut [Value], wanted: For) {
    pods.sort_by_cached_key(|pod| {
        let phase = match pod.str_at("status.phase") {
            "Running" => 0,
            "Unknown" => 1,
            "Pending" => 2,
            _ => 0,
        };
        let ready = pod
            .list_at("status.conditions")
            .iter()
            .find(|c| c.str_at("type") == "Ready" && c.str_at("status") == "True");
        let restarts = pod
            .list_at("status.containerStatuses")
            .iter()
            .filter_map(|status| status.get("restartCount").as_i64())
            .max()
            .unwrap_or(0);
        (
            pod.str_at("spec.nodeName").is_empty(),
            phase,
            ready.is_none(),
            ready.map(|c| c.str_at("lastTransitionTime").to_owned()),
            if wanted == For::Logs {
                -restarts
            } else {
                restarts
            },
            pod.str_at("metadata.creationTimestamp").to_owned(),
        )
    });
}

/// Pods that a selector matches.
pub(super) async fn select(session: &Session, selector: &str) -> Outcome<Vec<Value>> {
    let discovery = session.discovery().await?;
    let path = discovery
        .resolve("pods")?
        .collection(Some(&session.namespace));
    let path = format!("{path}?labelSelector={}", percent_encode(selector));
    let list = session.call(Call::get(path)).await?;
    Ok(list.list_at("items").to_vec())
}

/// Names of all containers of a pod as error sentences list them: `a, b, setup (init)`.
pub(super) fn all_containers(pod: &Value) -> String {
    let names = |field: &str, mark: &str| -> Vec<String> {
        let containers = pod.get("spec").list_at(field);
        containers
            .iter()
            .map(|c| format!("{}{mark}", c.str_at("name")))
            .collect()
    };
    let mut all = names("containers", "");
    all.extend(names("initContainers", " (init)"));
    all.extend(names("ephemeralContainers", " (ephem)"));
    all.join(", ")
}

/// Containers of a pod, in the order in which they are looked for.
const LISTS: [&str; 3] = ["containers", "initContainers", "ephemeralContainers"];

/// Whether a pod has a container of this name.
pub(super) fn has_container(pod: &Value, name: &str) -> bool {
    LISTS
        .iter()
        .flat_map(|list| pod.get("spec").list_at(list))
        .any(|container| container.str("name") == name)
}

/// The container meant by `-c`, or chosen.
pub(super) async fn container(session: &Session, line: &Line, pod: &Value) -> Outcome<String> {
    container_of(session, pod, line.get("container"), line.on("quiet")).await
}

/// The container meant: the one named, the one of the annotation, or the first; says so if it had
/// to choose.
pub(super) async fn container_of(
    session: &Session,
    pod: &Value,
    named: Option<&str>,
    quiet: bool,
) -> Outcome<String> {
    if let Some(name) = named.filter(|name| !name.is_empty()) {
        if has_container(pod, name) {
            return Ok(name.to_owned());
        }
        return Err(Failure::message(format!(
            "container {name} is not valid for pod {} out of: {}",
            pod.name(),
            all_containers(pod)
        )));
    }
    let chosen = pod.annotation(DEFAULT_CONTAINER);
    if has_container(pod, chosen) {
        return Ok(chosen.to_owned());
    }
    let io = &session.io;
    if !chosen.is_empty() {
        let name = pod.name();
        let note = format!("Default container name {chosen:?} not found in pod {name}\n");
        io.eprint(&note).await;
    }
    let first = pod.list_at("spec.containers").first();
    let first = first.map_or("", |c| c.str("name")).to_owned();
    if let Some(note) = defaulted(pod, &first).filter(|_| !quiet) {
        io.eprint(&note).await;
    }
    Ok(first)
}

/// What is said of a container that was chosen among others.
pub(super) fn defaulted(pod: &Value, first: &str) -> Option<String> {
    if has_container(pod, pod.annotation(DEFAULT_CONTAINER)) {
        return None;
    }
    let lists = LISTS.iter();
    let count: usize = lists.map(|list| pod.get("spec").list_at(list).len()).sum();
    let all = all_containers(pod);
    (count > 1).then(|| format!("Defaulted container {first:?} out of: {all}\n"))
}
