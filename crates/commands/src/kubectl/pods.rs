//! Which pod and container a command for one container means: `POD`, `TYPE/NAME`, `-c`.
//!
//! Models kubectl/pkg/polymorphichelpers (attachable pod) and cmd/util/podcmd.

use api::Value;
use net::http::percent_encode;

use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::session::{Call, Session};
use super::target::targets;

const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// The pod a word means; of a workload or Service, its first pod that is ready.
pub(super) async fn pod(session: &Session, word: &str) -> Outcome<Value> {
    let mut found = pods(session, word).await?;
    let (object, pods) = (found.0, &mut found.1);
    match (object, pods.is_empty()) {
        (None, false) => Ok(pods.remove(0)),
        (Some(_), false) => {
            pods.sort_by_key(|pod| !is_ready(pod));
            Ok(pods.remove(0))
        }
        (object, true) => {
            let name = object
                .map(|object| object.name().to_owned())
                .unwrap_or_default();
            Err(Failure::message(format!(
                "timed out waiting for pods of {name} to be running"
            )))
        }
    }
}

/// The object a word means, if it is no pod, and its pods.
pub(super) async fn pods(session: &Session, word: &str) -> Outcome<(Option<Value>, Vec<Value>)> {
    let discovery = session.discovery().await?;
    let args = [if word.contains('/') {
        word.to_owned()
    } else {
        format!("pods/{word}")
    }];
    let target = targets(&discovery, &args)?.remove(0);
    let name = target.name.unwrap_or_default();
    let object = session
        .call(Call::get(target.resource.path(&session.namespace, &name)))
        .await?;
    if target.resource.kind == "Pod" {
        return Ok((None, vec![object]));
    }
    let selector = match target.resource.kind.as_str() {
        "Service" | "ReplicationController" => object.at("spec.selector").clone(),
        "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet" | "Job" => {
            object.at("spec.selector.matchLabels").clone()
        }
        kind => {
            return Err(Failure::message(format!(
                "cannot attach to *{kind}: selector for {kind} not implemented"
            )));
        }
    };
    let found = matching(session, &selector).await?;
    Ok((Some(object), found))
}

/// Pods whose labels match a map of labels.
pub(super) async fn matching(session: &Session, labels: &Value) -> Outcome<Vec<Value>> {
    let selector = super::print::labels_text(labels.entries());
    select(session, &selector).await
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
fn all_containers(pod: &Value) -> String {
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

/// The container meant: named by `-c`, by annotation, or the first; says so if it had to choose.
pub(super) async fn container(session: &Session, line: &Line, pod: &Value) -> Outcome<String> {
    let fields = ["containers", "initContainers", "ephemeralContainers"];
    if let Some(name) = line.get("container") {
        let known = fields
            .iter()
            .flat_map(|field| pod.get("spec").list_at(field))
            .any(|container| container.str_at("name") == name);
        return match known {
            true => Ok(name.to_owned()),
            false => Err(Failure::message(format!(
                "container {name} is not valid for pod {} out of: {}",
                pod.name(),
                all_containers(pod)
            ))),
        };
    }
    let named = pod.annotation(DEFAULT_CONTAINER);
    if !named.is_empty() {
        return Ok(named.to_owned());
    }
    let first = pod
        .list_at("spec.containers")
        .first()
        .map_or("", |c| c.str_at("name"))
        .to_owned();
    let count: usize = fields
        .iter()
        .map(|field| pod.get("spec").list_at(field).len())
        .sum();
    if count > 1 && !line.on("quiet") {
        let all = all_containers(pod);
        session
            .io
            .eprint(&format!("Defaulted container {first:?} out of: {all}\n"))
            .await;
    }
    Ok(first)
}

fn is_ready(pod: &Value) -> bool {
    pod.list_at("status.conditions")
        .iter()
        .any(|c| c.str_at("type") == "Ready" && c.str_at("status") == "True")
}
