//! A pod's status as its worker knows it: phase, conditions, container statuses. Computes; sends
//! nothing.
//! Models pkg/kubelet/kubelet_pods.go (`generateAPIPodStatus`, `getPhase`) and status/generate.go.

use std::rc::Rc;

use api::kinds::support::resources::{self, Amounts};
use api::{Map, Value, object};
use sim::Instant;

use crate::cri::{ContainerState, ContainerStatus};
use crate::kubelet::pod::{Container, RestartPolicy, Role, Source};
use crate::kubelet::worker::{Stage, Unit, Worker};

/// The addresses of the machine, as pods tell them.
pub(super) type HostIps<'a> = &'a [Rc<str>];

/// Conditions the kubelet writes, in the order it writes them.
const CONDITIONS: [&str; 5] = [
    "PodReadyToStartContainers",
    "Initialized",
    "Ready",
    "ContainersReady",
    "PodScheduled",
];

/// The status of a pod now.
pub(super) fn status(worker: &Worker, now: Instant, host_ips: HostIps<'_>) -> Value {
    let pod = &worker.pod;
    let old = &worker.status;
    if let Some((reason, message)) = worker.verdict.as_ref().filter(|_| worker.sandbox.is_none()) {
        return rejected(worker, reason, message);
    }
    let phase = phase(worker);
    let mut status = object! { "phase": phase, "startTime": worker.started.rfc3339() };
    let generation = if pod.source == Source::Api {
        pod.object.generation()
    } else {
        0
    };
    status.set_or_remove("observedGeneration", generation);
    status.set_or_remove("qosClass", pod.spec.qos.as_str());
    if let Some((reason, message)) = &worker.verdict {
        status.set("reason", reason);
        status.set("message", message);
    }
    let list = |ips: &mut dyn Iterator<Item = &str>| -> Value {
        ips.map(|ip| object! { "ip": ip })
            .collect::<Vec<_>>()
            .into()
    };
    if let Some(first) = host_ips.first() {
        status.set("hostIP", first);
        status.set("hostIPs", list(&mut host_ips.iter().map(|ip| &**ip)));
    }
    let ip = match (worker.ip(), pod.spec.host_network, host_ips.first()) {
        ("", true, Some(host)) => host,
        ("", ..) => old.str("podIP"),
        (ip, ..) => ip,
    };
    if !ip.is_empty() {
        status.set("podIP", ip);
        status.set("podIPs", list(&mut [ip].into_iter()));
    }
    let lists = [
        ("initContainerStatuses", Role::Init),
        ("containerStatuses", Role::Main),
        ("ephemeralContainerStatuses", Role::Ephemeral),
    ];
    for (field, role) in lists {
        let statuses: Vec<Value> = worker
            .units
            .iter()
            .filter(|unit| list_role(unit.container.role) == role)
            .map(|unit| container_status(worker, unit, old.get(field)))
            .collect();
        status.set_or_remove(field, statuses);
    }
    add_resources(&mut status, worker);
    status.set("conditions", conditions(worker, phase, now));
    status
}

fn list_role(role: Role) -> Role {
    if role == Role::Sidecar {
        Role::Init
    } else {
        role
    }
}

/// The status of a pod that was refused before anything of it ran.
fn rejected(worker: &Worker, reason: &str, message: &str) -> Value {
    let mut status = object! {
        "phase": "Failed",
        "reason": reason,
        "message": message,
        "startTime": worker.started.rfc3339(),
        "qosClass": worker.pod.spec.qos.as_str(),
    };
    status.set_or_remove("observedGeneration", worker.pod.object.generation());
    let kept = worker.status.get("conditions");
    if !kept.is_null() {
        status.set("conditions", kept);
    }
    status
}

/// `status.phase`. Models `getPhase`.
pub(super) fn phase(worker: &Worker) -> &'static str {
    let (mut waiting, mut running, mut stopped, mut succeeded) = (0, 0, 0, 0);
    let mut init_failed = false;
    let mut sidecar_runs = false;
    for unit in &worker.units {
        let ended_well = unit.ended().map(|life| life.exit_code == 0);
        match unit.container.role {
            Role::Init => init_failed |= ended_well == Some(false),
            Role::Sidecar => sidecar_runs |= unit.is_running(),
            Role::Ephemeral => {}
            Role::Main => match ended_well {
                Some(well) => {
                    stopped += 1;
                    succeeded += i32::from(well);
                }
                None if unit.is_running() => running += 1,
                None => waiting += 1,
            },
        }
    }
    let is_over = worker.stage == Stage::Ended;
    let never = worker.pod.spec.restart == RestartPolicy::Never;
    if (init_failed && never) || (is_over && (worker.verdict.is_some() || waiting > 0)) {
        return "Failed";
    }
    match () {
        () if waiting > 0 => "Pending",
        () if running > 0 => "Running",
        () if stopped > 0 && is_over => {
            if stopped == succeeded {
                "Succeeded"
            } else {
                "Failed"
            }
        }
        () if stopped > 0 && (sidecar_runs || worker.pod.spec.restart == RestartPolicy::Always) => {
            "Running"
        }
        () if stopped > 0 && stopped == succeeded => "Succeeded",
        () if stopped > 0 && never => "Failed",
        () if stopped > 0 => "Running",
        () => "Pending",
    }
}

/// One entry of `containerStatuses`. Models `convertToAPIContainerStatuses`.
fn container_status(worker: &Worker, unit: &Unit, old: &Value) -> Value {
    let container = &unit.container;
    let known = old
        .list()
        .iter()
        .find(|status| status.str("name") == &*container.name);
    let Some(current) = &unit.current else {
        return never_run(worker, unit, known.unwrap_or(api::NULL));
    };
    let mut status = object! {
        "name": &container.name,
        "image": &current.image,
        "imageID": &current.image_ref,
        "containerID": container_id(current),
        "restartCount": i64::from(current.config.attempt),
        "started": is_started(unit),
        "ready": is_ready(unit),
    };
    let waits = worker.stage == Stage::Active
        && unit
            .ended()
            .is_some_and(|life| unit.container.restarts_after(life.exit_code));
    let (state, last) = match (current.state, &unit.told) {
        (ContainerState::Running, _) => {
            let at = current.started_at.unwrap_or_default().rfc3339();
            (
                object! { "running": { "startedAt": at } },
                unit.last.as_ref(),
            )
        }
        (ContainerState::Exited, Some((reason, message))) if waits => {
            (waiting(reason, message), Some(current))
        }
        (ContainerState::Exited, _) => (terminated(current), unit.last.as_ref()),
        (ContainerState::Created, _) => (waiting("ContainerCreating", ""), unit.last.as_ref()),
    };
    status.set("state", state);
    status.set("lastState", last.map_or_else(Value::empty_map, terminated));
    if container.role != Role::Ephemeral {
        let resources = container.object.get("resources");
        status.set("resources", or_empty(resources));
        status.set_or_remove("allocatedResources", requests(resources));
    }
    add_mounts(&mut status, container);
    status
}

/// The status of a container that does not exist yet.
fn never_run(worker: &Worker, unit: &Unit, known: &Value) -> Value {
    let container = &unit.container;
    let has_init = worker
        .units
        .iter()
        .any(|unit| unit.container.role == Role::Init);
    let state = match &unit.told {
        Some((reason, message)) => waiting(reason, message),
        None if has_init => waiting("PodInitializing", ""),
        None if worker.stage == Stage::Ended => waiting("ContainerStatusUnknown", ""),
        None => waiting("ContainerCreating", ""),
    };
    let mut status = object! {
        "name": &container.name,
        "image": &container.image,
        "imageID": "",
        "restartCount": known.get("restartCount").as_i64().unwrap_or(0),
        "started": false,
        "ready": false,
        "state": state,
        "lastState": {},
    };
    add_mounts(&mut status, container);
    status
}

fn is_started(unit: &Unit) -> bool {
    unit.is_running() && unit.started
}

fn is_ready(unit: &Unit) -> bool {
    match unit.container.role {
        Role::Init => unit.ended().is_some_and(|life| life.exit_code == 0),
        Role::Ephemeral => false,
        Role::Main | Role::Sidecar => unit.is_running() && unit.ready,
    }
}

fn container_id(life: &ContainerStatus) -> String {
    format!("containerd://{}", life.id)
}

fn waiting(reason: &str, message: &str) -> Value {
    let mut state = object! { "reason": reason };
    state.set_or_remove("message", message);
    object! { "waiting": state }
}

fn terminated(life: &ContainerStatus) -> Value {
    // A container that never ran has the zero time of Unix.
    let started = life
        .started_at
        .map_or_else(|| "1970-01-01T00:00:00Z".to_owned(), Instant::rfc3339);
    let mut state = object! {
        "containerID": container_id(life),
        "exitCode": i64::from(life.exit_code),
        "reason": &life.reason,
        "startedAt": started,
        "finishedAt": life.finished_at.unwrap_or_default().rfc3339(),
    };
    state.set_or_remove("message", &life.message);
    object! { "terminated": state }
}

fn add_mounts(status: &mut Value, container: &Container) {
    let mounts: Vec<Value> = container
        .object
        .get("volumeMounts")
        .list()
        .iter()
        .map(|mount| {
            let mut told =
                object! { "mountPath": mount.get("mountPath"), "name": mount.get("name") };
            if mount.get("readOnly").as_bool() == Some(true) {
                told.set("readOnly", true);
                told.set("recursiveReadOnly", "Disabled");
            }
            told
        })
        .collect();
    status.set_or_remove("volumeMounts", mounts);
}

fn or_empty(value: &Value) -> Value {
    if value.is_map() {
        value.clone()
    } else {
        Value::empty_map()
    }
}

fn requests(resources: &Value) -> Value {
    or_empty(resources.get("requests"))
}

/// `status.resources` and `status.allocatedResources`: of all containers together.
fn add_resources(status: &mut Value, worker: &Worker) {
    let pod = &worker.pod.object;
    let told = |amounts: Amounts| -> Value {
        amounts
            .into_iter()
            .map(|(name, sum)| (name, sum.to_string()))
            .collect::<Map>()
            .into()
    };
    let mut resources = Value::empty_map();
    resources.set_or_remove("requests", told(resources::requests(pod)));
    resources.set_or_remove("limits", told(resources::limits(pod)));
    status.set_or_remove("allocatedResources", resources.get("requests"));
    status.set("resources", resources);
}

struct Condition {
    holds: bool,
    reason: &'static str,
    message: String,
}

impl Condition {
    fn yes() -> Condition {
        Condition {
            holds: true,
            reason: "",
            message: String::new(),
        }
    }

    fn no(reason: &'static str, message: String) -> Condition {
        Condition {
            holds: false,
            reason,
            message,
        }
    }
}

fn conditions(worker: &Worker, phase: &str, now: Instant) -> Value {
    let ready = containers_ready(worker, phase);
    let gates = readiness_gates(worker, &ready);
    let states = [
        Condition {
            holds: worker.has_ready_sandbox(),
            reason: "",
            message: String::new(),
        },
        initialized(worker, phase),
        gates,
        ready,
        Condition::yes(),
    ];
    let old = worker.status.get("conditions").list();
    let generation = (worker.pod.source == Source::Api).then(|| worker.pod.object.generation());
    let mut list: Vec<Value> = CONDITIONS
        .iter()
        .zip(states)
        .map(|(kind, state)| {
            let wanted = if state.holds { "True" } else { "False" };
            let old = old.iter().find(|condition| condition.str("type") == *kind);
            let since = old
                .filter(|old| old.str("status") == wanted)
                .map(|old| old.get("lastTransitionTime").clone())
                .unwrap_or_else(|| now.rfc3339().into());
            let mut condition = object! {
                "type": *kind,
                "status": wanted,
                "lastProbeTime": null,
                "lastTransitionTime": since,
            };
            condition.set_or_remove("reason", state.reason);
            condition.set_or_remove("message", state.message);
            condition.set_or_remove("observedGeneration", generation.unwrap_or(0));
            condition
        })
        .collect();
    let others = worker.pod.object.list_at("status.conditions").iter();
    list.extend(
        others
            .filter(|c| !CONDITIONS.contains(&c.str("type")))
            .cloned(),
    );
    list.into()
}

/// Models `GeneratePodInitializedCondition`.
fn initialized(worker: &Worker, phase: &str) -> Condition {
    if phase == "Succeeded" {
        return Condition {
            reason: "PodCompleted",
            ..Condition::yes()
        };
    }
    if worker.is_initialized()
        || worker
            .units
            .iter()
            .all(|u| list_role(u.container.role) != Role::Init)
    {
        return Condition::yes();
    }
    let main_runs = worker
        .units
        .iter()
        .any(|unit| unit.container.role == Role::Main && unit.current.is_some());
    if main_runs {
        return Condition::yes();
    }
    let incomplete: Vec<&str> = worker
        .units
        .iter()
        .filter(|unit| match unit.container.role {
            Role::Init => !is_ready(unit),
            Role::Sidecar => !is_started(unit),
            Role::Main | Role::Ephemeral => false,
        })
        .map(|unit| &*unit.container.name)
        .collect();
    let message = format!(
        "containers with incomplete status: [{}]",
        incomplete.join(" ")
    );
    Condition::no("ContainersNotInitialized", message)
}

/// Models `GenerateContainersReadyCondition`.
fn containers_ready(worker: &Worker, phase: &str) -> Condition {
    match phase {
        "Succeeded" => return Condition::no("PodCompleted", String::new()),
        "Failed" => return Condition::no("PodFailed", String::new()),
        _ => {}
    }
    let counts = |unit: &&Unit| matches!(unit.container.role, Role::Main | Role::Sidecar);
    let unready: Vec<&str> = worker
        .units
        .iter()
        .filter(counts)
        .filter(|unit| !is_ready(unit))
        .map(|unit| &*unit.container.name)
        .collect();
    if unready.is_empty() {
        return Condition::yes();
    }
    let message = format!("containers with unready status: [{}]", unready.join(" "));
    Condition::no("ContainersNotReady", message)
}

/// Models `GeneratePodReadyCondition`.
fn readiness_gates(worker: &Worker, ready: &Condition) -> Condition {
    if !ready.holds {
        return Condition::no(ready.reason, ready.message.clone());
    }
    let told = worker.pod.object.list_at("status.conditions");
    let mut unmet = Vec::new();
    for gate in worker.pod.object.list_at("spec.readinessGates") {
        let name = gate.str("conditionType");
        match told.iter().find(|condition| condition.str("type") == name) {
            None => unmet.push(format!(
                "corresponding condition of pod readiness gate \"{name}\" does not exist."
            )),
            Some(condition) if condition.str("status") != "True" => {
                let status = condition.str("status");
                unmet.push(format!(
                    "the status of pod readiness gate \"{name}\" is not \"True\", but {status}"
                ));
            }
            Some(_) => {}
        }
    }
    if unmet.is_empty() {
        Condition::yes()
    } else {
        Condition::no("ReadinessGatesNotReady", unmet.join(", "))
    }
}

/// What changes `old` into `new`, as a strategic merge patch of the status subresource; none if
/// nothing does. Models pkg/util/pod, `PatchPodStatus`.
pub(super) fn patch(uid: &str, old: &Value, new: &Value) -> Option<Value> {
    let mut changes = Value::empty_map();
    for (key, value) in new.entries() {
        let before = old.get(key);
        if before.same(value) {
            continue;
        }
        if &**key == "conditions" {
            let changed: Vec<Value> = value
                .list()
                .iter()
                .filter(|c| !before.list().iter().any(|b| b.same(c)))
                .map(|c| {
                    let known = before
                        .list()
                        .iter()
                        .find(|b| b.get("type") == c.get("type"));
                    condition_patch(known.unwrap_or(api::NULL), c)
                })
                .collect();
            let order: Vec<Value> = value
                .list()
                .iter()
                .map(|c| object! { "type": c.get("type") })
                .collect();
            changes.set("conditions", changed);
            changes.set_path(&["$setElementOrder/conditions"], order);
        } else if matches!(&**key, "podIPs" | "hostIPs") {
            addresses_patch(&mut changes, key, before, value);
        } else if value.is_map() && before.is_map() {
            changes.set(key, map_patch(before, value));
        } else {
            changes.set(key, value);
        }
    }
    for (key, _) in old.entries() {
        if new.get(key).is_null() && !is_kept(key) {
            changes.set(key, Value::Null);
        }
    }
    if changes.entries().is_empty() {
        return None;
    }
    Some(object! { "metadata": { "uid": uid }, "status": changes })
}

/// Lists of addresses are merged by `ip`: what is gone has to be taken out by name, or it stays.
fn addresses_patch(changes: &mut Value, key: &str, before: &Value, after: &Value) {
    let is_new = |ip: &&Value| !before.list().iter().any(|b| b.same(ip));
    let is_gone = |ip: &&Value| !after.list().iter().any(|a| a.get("ip") == ip.get("ip"));
    let new = after.list().iter().filter(is_new).cloned();
    let gone = before.list().iter().filter(is_gone);
    let gone = gone.map(|ip| object! { "$patch": "delete", "ip": ip.get("ip") });
    changes.set(key, new.chain(gone).collect::<Vec<Value>>());
    let order = after.list().to_vec();
    changes.set_path(&[&*format!("$setElementOrder/{key}")], order);
}

/// Fields others write.
fn is_kept(key: &str) -> bool {
    matches!(
        key,
        "nominatedNodeName" | "resize" | "resourceClaimStatuses" | "extendedResourceClaimStatus"
    )
}

fn condition_patch(before: &Value, after: &Value) -> Value {
    let mut patch = after.clone();
    for (key, _) in before.entries() {
        if after.get(key).is_null() && &**key != "lastProbeTime" {
            patch.set(key, Value::Null);
        }
    }
    patch
}

fn map_patch(before: &Value, after: &Value) -> Value {
    let mut patch = after.clone();
    for (key, _) in before.entries() {
        if after.get(key).is_null() {
            patch.set_path(&[key], Value::Null);
        }
    }
    patch
}

#[cfg(test)]
mod tests {
    use api::patch::apply_strategic_patch;
    use api::schema::Schemas;

    use super::*;

    /// The addresses after the patch from `old` to `new` was merged as the API server does it.
    #[track_caller]
    fn check(old: &[&str], new: &[&str]) {
        let list =
            |ips: &[&str]| -> Vec<Value> { ips.iter().map(|ip| object! { "ip": *ip }).collect() };
        let [old, new] = [old, new].map(|ips| object! { "podIPs": list(ips) });
        let pod = object! { "apiVersion": "v1", "kind": "Pod", "status": old.clone() };
        let merged = match patch("u", &old, &new) {
            None => pod,
            Some(patch) => {
                let schemas = Schemas::load();
                let id = schemas.by_kind("v1", "Pod").expect("a known kind");
                apply_strategic_patch(&schemas, id, &pod, &patch).expect("a patch")
            }
        };
        assert!(merged.get("status").same(&new), "{merged:?}");
    }

    #[test]
    fn an_address_that_is_gone_does_not_stay() {
        check(&["10.244.2.5"], &["10.244.2.8"]);
        check(&[], &["10.244.2.8"]);
        check(&["10.244.2.8"], &["10.244.2.8"]);
        check(&["10.244.2.8", "fd00::8"], &["fd00::8"]);
    }
}
