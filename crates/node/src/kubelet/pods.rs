//! The pods of the machine: taken on, refused, changed, cleared away; and what their workers ask
//! for, handed to those who do it.
//! Models kubelet.go (`HandlePodAdditions` and its kin) and lifecycle/predicate.go.

use api::kinds::support::resources;
use api::kinds::support::taints::tolerates;
use api::selector::LabelSelector;
use api::{Map, Quantity, Str, Value};
use client::{EventType, Involved, Occurrence, PODS};
use machine::Sys;
use sim::{Duration, Instant};

use crate::cri::Request;
use crate::kubelet::due::Due;
use crate::kubelet::pod::{Container, Pod, Source};
use crate::kubelet::runtime::Purpose;
use crate::kubelet::status_sync::Told;
use crate::kubelet::worker::{Act, Input, Stage, Worker};
use crate::kubelet::{SYNCED, State, volumes};
use crate::runtime::log;
use sim::Arg;

/// Between looks at the objects behind volumes (`syncFrequency`).
const REFRESH: Duration = Duration::from_secs(60);

/// A pod and what the kubelet keeps beside its worker.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) worker: Worker,
    pub(crate) told: Told,
    /// Gone from its source: to be forgotten once nothing of it runs.
    pub(crate) gone: bool,
    /// Requests of its containers together, in milli-units, by resource.
    requests: Vec<(Str, i64)>,
}

impl State {
    /// A pod of the API server was added or has changed.
    pub(crate) fn pod_seen(&mut self, sys: &mut Sys<'_>, object: Value) {
        let uid: Str = object.uid().into();
        match self.pods.get_mut(&uid) {
            Some(entry) => {
                entry.told.seen(&object, &self.watching.pods);
                if entry.worker.stage == Stage::Ended {
                    entry.worker.pod = entry.worker.pod.updated(object);
                    self.send_status(sys, &uid);
                } else if has_changed(&entry.worker.pod.object, &object) {
                    self.inputs.push_back((uid, Input::Updated(object)));
                } else {
                    entry.worker.pod.object = object;
                    if !entry
                        .worker
                        .pod
                        .object
                        .list_at("spec.readinessGates")
                        .is_empty()
                    {
                        self.update_status(sys, &uid);
                    }
                }
            }
            None => self.add_pod(sys, Pod::new(object, Source::Api)),
        }
    }

    /// A pod is gone from the API server.
    pub(crate) fn pod_gone(&mut self, sys: &mut Sys<'_>, object: &Value) {
        let uid: Str = object.uid().into();
        if let Some(entry) = self.pods.get_mut(&uid) {
            entry.worker.pod = entry.worker.pod.updated(object.clone());
        }
        self.remove_pod(sys, &uid);
    }

    /// Takes a pod on.
    pub(crate) fn add_pod(&mut self, sys: &mut Sys<'_>, pod: Pod) {
        let uid = pod.uid.clone();
        sys.note(
            &SYNCED,
            &[
                Arg::from(pod.namespace.as_rc()),
                Arg::from(pod.name.as_rc()),
            ],
        );
        let refusal = self.refusal(&pod);
        let requests = requests_of(&pod.object);
        let told = Told::new(&pod);
        let mut worker = Worker::new(pod, sys.now());
        if let Some((sandbox, containers)) = self.found.take(&uid) {
            for sandbox in sandbox.iter() {
                self.sandboxes.insert(sandbox.id.clone(), uid.clone());
            }
            worker.adopt(sandbox, containers);
        } else if let Some((reason, message)) = refusal.filter(|_| worker.stage == Stage::Active) {
            worker.reject(reason, &format!("Pod was rejected: {message}"));
            let pod = worker.pod.clone();
            self.record(sys, &pod, None, true, reason, message);
        }
        let stage = worker.stage;
        let running: Vec<usize> = (0..worker.units.len())
            .filter(|unit| worker.units[*unit].is_running())
            .collect();
        self.pods.insert(
            uid.clone(),
            Entry {
                worker,
                told,
                gone: false,
                requests,
            },
        );
        for unit in running {
            self.probe_unit(sys, &uid, unit, true);
        }
        if stage == Stage::Ended {
            self.update_status(sys, &uid);
        } else {
            let deleted = self
                .pods
                .get(&uid)
                .is_some_and(|e| e.worker.pod.object.is_terminating());
            if deleted {
                let object = self.pods[&uid].worker.pod.object.clone();
                self.inputs.push_back((uid, Input::Updated(object)));
            } else {
                self.inputs.push_back((uid, Input::Start));
            }
        }
    }

    /// A pod is gone from its source: what runs of it is ended, then it is forgotten.
    pub(crate) fn remove_pod(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        let Some(entry) = self.pods.get_mut(uid) else {
            return;
        };
        entry.gone = true;
        if entry.worker.stage == Stage::Ended {
            self.forget_pod(sys, uid);
        } else {
            self.inputs.push_back((uid.clone(), Input::Gone));
        }
    }

    /// Nothing of a pod runs any more.
    fn pod_ended(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        self.timetable.set(Due::Pass(uid.clone()), None);
        self.timetable.set(Due::Volumes(uid.clone()), None);
        if self.pods.get(uid).is_some_and(|entry| entry.gone) {
            self.forget_pod(sys, uid);
        } else {
            self.send_status(sys, uid);
        }
    }

    fn forget_pod(&mut self, sys: &mut Sys<'_>, uid: &Str) {
        let Some(entry) = self.pods.remove(uid) else {
            return;
        };
        let pod = &entry.worker.pod;
        for due in [
            Due::Pass(uid.clone()),
            Due::Volumes(uid.clone()),
            Due::Status(uid.clone()),
        ] {
            self.timetable.set(due, None);
        }
        let own: Vec<_> = self
            .sandboxes
            .iter()
            .filter(|(_, of)| *of == uid)
            .map(|(id, _)| id.clone())
            .collect();
        for id in own {
            self.sandboxes.remove(&id);
            let request = Request::RemovePodSandbox(id);
            self.runtime
                .call(sys, request, Purpose::Nothing, &mut self.heard);
        }
        // A pod that was refused has no directories.
        let _ = sys.remove_all(&pod.directory());
        let _ = sys.remove_all(&log::directory(&pod.namespace, &pod.name, uid));
        let was_static = pod.source == Source::File;
        if was_static {
            self.static_pod_forgotten(sys);
        }
    }

    /// Why a pod cannot be run here: reason and message.
    fn refusal(&self, pod: &Pod) -> Option<(&'static str, String)> {
        if pod.source == Source::File {
            return None;
        }
        let node = self.watching.node();
        if let Some(node) = node
            && !selects(&pod.object, node)
        {
            let why = "Predicate NodeAffinity failed: node(s) didn't match Pod's node \
                       affinity/selector";
            return Some(("NodeAffinity", why.to_owned()));
        }
        let active: Vec<&Entry> = self
            .pods
            .values()
            .filter(|entry| entry.worker.stage != Stage::Ended)
            .collect();
        let capacity = self.facts.allocatable();
        let lacks = |name: &str, asked: i64, used: i64, capacity: i64| {
            format!(
                "Node didn't have enough resource: {name}, requested: {asked}, used: {used}, \
                 capacity: {capacity}"
            )
        };
        let (used, most) = (active.len() as i64, self.settings.max_pods);
        if used >= most {
            return Some(("OutOfpods", lacks("pods", 1, used, most)));
        }
        for (name, asked) in requests_of(&pod.object) {
            // What somebody else gave to the node is the scheduler's to count.
            if name.contains('/') && capacity.get(&name).is_null() {
                continue;
            }
            let has = amount(&name, capacity.get(&name));
            let used: i64 = active
                .iter()
                .flat_map(|entry| &entry.requests)
                .filter(|(known, _)| *known == name)
                .map(|(_, amount)| amount)
                .sum();
            if asked > 0 && asked + used > has {
                let reason = match &*name {
                    "cpu" => "OutOfcpu",
                    "memory" => "OutOfmemory",
                    "ephemeral-storage" => "OutOfephemeral-storage",
                    _ => "UnexpectedAdmissionError",
                };
                return Some((reason, lacks(&name, asked, used, has)));
            }
        }
        unfit(&pod.object, &active, node.unwrap_or(api::NULL))
    }

    /// Does what a pod's worker asks for.
    pub(crate) fn act(&mut self, sys: &mut Sys<'_>, uid: &Str, act: Act) {
        match act {
            Act::Call(step, request) => {
                let purpose = Purpose::Pod(uid.clone(), step);
                self.runtime.call(sys, request, purpose, &mut self.heard);
            }
            Act::Tell(request) => {
                self.runtime
                    .call(sys, request, Purpose::Nothing, &mut self.heard);
            }
            Act::RunSandbox { step, attempt } => self.run_sandbox(sys, uid, step, attempt),
            Act::Pull { step, unit } => self.pull(sys, uid, step, unit),
            Act::Configure {
                step,
                unit,
                image,
                attempt,
            } => {
                self.begin_configure(sys, uid, (step, unit, attempt), image);
            }
            Act::Mount => self.begin_mount(sys, uid),
            Act::Unmount => self.unmount(sys, uid),
            Act::Hook { unit, hook, limit } => self.run_hook(sys, uid, unit, hook, limit),
            Act::Event {
                unit,
                warning,
                reason,
                message,
            } => {
                if let Some(entry) = self.pods.get(uid) {
                    let pod = entry.worker.pod.clone();
                    let unit = unit.map(|unit| entry.worker.units[unit].container.clone());
                    self.record(sys, &pod, unit.as_deref(), warning, reason, message);
                }
            }
            Act::Probe { unit, on } => self.probe_unit(sys, uid, unit, on),
            Act::Status => self.update_status(sys, uid),
            Act::Ended => self.pod_ended(sys, uid),
        }
    }

    /// Writes an event about a pod, or about a container of it.
    pub(crate) fn record(
        &mut self,
        sys: &mut Sys<'_>,
        pod: &Pod,
        container: Option<&Container>,
        warning: bool,
        reason: &str,
        message: String,
    ) {
        let mut involved = Involved::of(&PODS, &pod.object);
        if let Some(container) = container {
            involved = involved.with_field_path(container.field_path());
        }
        let event_type = if warning {
            EventType::Warning
        } else {
            EventType::Normal
        };
        let (reason, action) = (reason.into(), Str::default());
        let occurrence = Occurrence {
            involved,
            event_type,
            reason,
            action,
            message,
        };
        self.with_env(sys, |state, env| state.recorder.record(env, &occurrence));
    }

    /// Sets when the objects behind a pod's volumes are looked at again.
    pub(crate) fn schedule_refresh(&mut self, now: Instant, uid: &Str) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let pod = &entry.worker.pod;
        let at = if volumes::can_change(pod) {
            let spread = Duration::from_millis(self.random.below(30_000));
            Some(now + REFRESH + spread)
        } else {
            // Tokens are renewed when four fifths of their time are over.
            let expires = volumes::tokens(pod)
                .iter()
                .map(|token| token.expiration)
                .min();
            let secs = expires.and_then(|secs| u64::try_from(secs).ok());
            secs.map(|secs| now + Duration::from_secs(secs * 4 / 5))
        };
        self.timetable.set(Due::Volumes(uid.clone()), at);
    }
}

/// Whether an object changed in what a worker looks at; its status is written by ourselves.
fn has_changed(old: &Value, new: &Value) -> bool {
    let differs = |field: &str| !old.metadata().get(field).same(new.metadata().get(field));
    !old.get("spec").same(new.get("spec"))
        || differs("deletionTimestamp")
        || differs("deletionGracePeriodSeconds")
}

/// Why a pod cannot be run beside those that are active, or on the node as it is tainted.
fn unfit(pod: &Value, active: &[&Entry], node: &Value) -> Option<(&'static str, String)> {
    let ports = host_ports(pod);
    let has = |entry: &&Entry| {
        let others = host_ports(&entry.worker.pod.object);
        ports
            .iter()
            .any(|port| others.iter().any(|other| clash(*port, *other)))
    };
    if active.iter().any(has) {
        let why = "Predicate NodePorts failed: node(s) didn't have free ports for the requested \
                   pod ports";
        return Some(("NodePorts", why.to_owned()));
    }
    let tolerations = pod.list_at("spec.tolerations");
    let evicts = |taint: &Value| {
        taint.str("effect") == "NoExecute" && !tolerations.iter().any(|one| tolerates(one, taint))
    };
    if node.list_at("spec.taints").iter().any(evicts) {
        let why = "Predicate TaintToleration failed: node(s) had taints that the pod didn't \
                   tolerate";
        return Some(("TaintToleration", why.to_owned()));
    }
    None
}

/// A port of the machine: protocol, address and number.
type HostPort<'a> = (&'a str, &'a str, i64);

/// The machine's ports that a pod's containers want.
fn host_ports(pod: &Value) -> Vec<HostPort<'_>> {
    let containers = pod.list_at("spec.containers").iter();
    let ports = containers.flat_map(|container| container.list_at("ports"));
    let ports = ports.filter_map(|port| {
        let number = port.get("hostPort").as_i64().filter(|number| *number > 0)?;
        Some((port.str("protocol"), port.str("hostIP"), number))
    });
    ports.collect()
}

/// Whether two ports of the machine cannot be had by two pods.
fn clash(one: HostPort<'_>, other: HostPort<'_>) -> bool {
    let is_any = |ip: &str| matches!(ip, "" | "0.0.0.0");
    let same_ip = one.1 == other.1 || is_any(one.1) || is_any(other.1);
    one.2 == other.2 && one.0 == other.0 && same_ip
}

/// What a pod requests, in milli-units, by resource.
fn requests_of(pod: &Value) -> Vec<(Str, i64)> {
    let all = resources::requests(pod).into_iter();
    all.map(|(name, quantity)| {
        let amount = in_units(&name, quantity);
        (name, amount)
    })
    .collect()
}

fn amount(name: &str, value: &Value) -> i64 {
    in_units(name, Quantity::of(value).unwrap_or_default())
}

/// CPU in thousandths, everything else whole: as the messages tell them.
fn in_units(name: &str, quantity: Quantity) -> i64 {
    if name == "cpu" {
        quantity.milli()
    } else {
        quantity.value()
    }
}

/// Whether the node is one the pod may run on. Models component-helpers' nodeaffinity.
fn selects(pod: &Value, node: &Value) -> bool {
    let labels = node.labels();
    let wanted = pod.map_at("spec.nodeSelector");
    if !wanted
        .iter()
        .all(|(key, value)| labels.get(key).is_some_and(|known| known == value))
    {
        return false;
    }
    let required =
        pod.at("spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution");
    if required.is_null() {
        return true;
    }
    let name: Map = [("metadata.name", node.name())].into_iter().collect();
    required.get("nodeSelectorTerms").list().iter().any(|term| {
        let fits = |field: &str, on: &Map| {
            let expressions = term.get(field).list();
            LabelSelector::from_node_expressions(expressions).is_ok_and(|s| s.matches(on))
        };
        let is_empty = term.get("matchExpressions").list().is_empty()
            && term.get("matchFields").list().is_empty();
        !is_empty && fits("matchExpressions", labels) && fits("matchFields", &name)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn pods_choose_nodes() {
        let node = object! {
            "metadata": { "name": "node01", "labels": { "disk": "ssd", "zone": "a" } },
        };
        #[track_caller]
        fn check(node: &Value, spec: Value, expect: bool) {
            assert_eq!(selects(&object! { "spec": (spec) }, node), expect);
        }
        check(&node, object! {}, true);
        check(&node, object! { "nodeSelector": { "disk": "ssd" } }, true);
        check(&node, object! { "nodeSelector": { "disk": "hdd" } }, false);
        let terms = |terms: Value| {
            object! { "affinity": { "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": { "nodeSelectorTerms": [(terms)] },
            } } }
        };
        let zone = object! { "key": "zone", "operator": "In", "values": ["b", "a"] };
        check(&node, terms(object! { "matchExpressions": [(zone)] }), true);
        let other = object! { "key": "metadata.name", "operator": "In", "values": ["node02"] };
        check(&node, terms(object! { "matchFields": [(other)] }), false);
        check(&node, terms(object! {}), false);
    }
}
