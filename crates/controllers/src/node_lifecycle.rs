//! Notices nodes that fall silent: says so in their conditions, keeps new pods off them, and has
//! the pods there evicted, slowly, and not at all if everything is silent.
//! Models pkg/controller/nodelifecycle/node_lifecycle_controller.go.

use api::{Str, Value, object};
use client::{Delta, Index, Involved, Key, LEASES, NODES, PODS, Patch, Resource};
use imbl::OrdMap;
use sim::{Duration, Instant};

use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::nodes::{
    self, NO_EXECUTE, NO_SCHEDULE, NOT_READY, TaintKey, UNREACHABLE, UNSCHEDULABLE,
};
use crate::pods;

/// Nodes are looked at this often (`--node-monitor-period`).
const PERIOD: Duration = Duration::from_secs(5);
/// A node that never said anything is given this long (`--node-startup-grace-period`).
const STARTUP_GRACE: Duration = Duration::from_secs(60);
/// Pods of one silent node are evicted each ten seconds (`--node-eviction-rate`), of one each
/// hundred seconds where most of a large cluster is silent (`--secondary-node-eviction-rate`).
const EVICTION_PAUSE: Duration = Duration::from_secs(10);
const SECONDARY_PAUSE: Duration = Duration::from_secs(100);
/// `--large-cluster-size-threshold`
const LARGE: usize = 50;

/// Conditions a silent node's kubelet does not answer for.
const CONDITIONS: [&str; 4] = ["Ready", "MemoryPressure", "DiskPressure", "PIDPressure"];

/// Taints that follow from conditions: the condition, its status, the taint.
const BY_CONDITION: [(&str, &str, TaintKey); 6] = [
    ("Ready", "False", (NOT_READY, NO_SCHEDULE)),
    ("Ready", "Unknown", (UNREACHABLE, NO_SCHEDULE)),
    (
        "MemoryPressure",
        "True",
        ("node.kubernetes.io/memory-pressure", NO_SCHEDULE),
    ),
    (
        "DiskPressure",
        "True",
        ("node.kubernetes.io/disk-pressure", NO_SCHEDULE),
    ),
    (
        "PIDPressure",
        "True",
        ("node.kubernetes.io/pid-pressure", NO_SCHEDULE),
    ),
    (
        "NetworkUnavailable",
        "True",
        ("node.kubernetes.io/network-unavailable", NO_SCHEDULE),
    ),
];

/// The controller. Keys are nodes.
#[derive(Clone, Debug)]
pub struct NodeLifecycleController {
    /// How long a node may be silent (`--node-monitor-grace-period`, 50 s).
    grace: Duration,
    health: OrdMap<Str, Health>,
    /// When the next node's pods may be evicted.
    next_eviction: Instant,
}

/// What was heard of a node.
#[derive(Clone, Debug)]
struct Health {
    /// When its status or lease last changed.
    heard: Instant,
    heartbeat: Value,
    renewal: Value,
    /// It was greeted with an event.
    registered: bool,
    uid: Str,
}

impl Default for NodeLifecycleController {
    fn default() -> Self {
        NodeLifecycleController::new(Duration::from_secs(50))
    }
}

/// How much of the cluster is silent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disruption {
    None,
    Partial,
    Full,
}

impl NodeLifecycleController {
    /// A controller that gives nodes so much time.
    #[must_use]
    pub fn new(grace: Duration) -> NodeLifecycleController {
        NodeLifecycleController {
            grace,
            health: OrdMap::new(),
            next_eviction: Instant::ZERO,
        }
    }
}

impl Controller for NodeLifecycleController {
    fn name(&self) -> &'static str {
        "node-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NODES, &[]), (PODS, &[Index::Node]), (LEASES, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        match &*resource.plural {
            "nodes" => self.on_node(agenda, delta),
            "leases" if &*delta.key.namespace == "kube-node-lease" => self.on_lease(agenda, delta),
            "pods" if placed(delta.old.as_ref()) != placed(delta.new.as_ref()) => {
                let node = delta.object().str_at("spec.nodeName");
                if agenda
                    .cache(&NODES)
                    .named("", node)
                    .is_some_and(|n| !is_ready(n))
                {
                    agenda.add(nodes::key(node));
                }
            }
            _ => {}
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(node) = cx.cache(&NODES).get(key).cloned() else {
            self.forget(cx, key);
            return;
        };
        self.greet(cx, &node);
        if self.watch_over(cx, &node) {
            return;
        }
        if !is_ready(&node) {
            mark_pods(cx, &node);
        }
        self.taint(cx, &node);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl NodeLifecycleController {
    fn on_node(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        let Some(node) = &delta.new else {
            agenda.add(delta.key.clone());
            return;
        };
        let beat = pods::condition(node, "Ready").map(|ready| ready.get("lastHeartbeatTime"));
        let beat = beat.cloned().unwrap_or_default();
        let now = agenda.now;
        let health = self.health_mut(&delta.key.name, now);
        health.uid = Key::new("", node.uid()).name;
        if !health.heartbeat.same(&beat) {
            health.heartbeat = beat;
            health.heard = now;
        }
        if ["spec", "status.conditions", "metadata.uid"]
            .into_iter()
            .any(|p| delta.changed(p))
        {
            agenda.add(delta.key.clone());
        }
    }

    fn on_lease(&mut self, agenda: &mut Agenda<'_>, delta: &Delta) {
        let Some(lease) = &delta.new else { return };
        let (name, now) = (&delta.key.name, agenda.now);
        let renewal = lease.at("spec.renewTime").clone();
        let silent = agenda
            .cache(&NODES)
            .named("", name)
            .is_some_and(|n| !is_ready(n));
        let health = self.health_mut(name, now);
        if !health.renewal.same(&renewal) {
            health.renewal = renewal;
            health.heard = now;
            if silent {
                agenda.add(nodes::key(name));
            }
        }
    }

    fn health_mut(&mut self, name: &Str, now: Instant) -> &mut Health {
        self.health.entry(name.clone()).or_insert_with(|| Health {
            heard: now,
            heartbeat: Value::Null,
            renewal: Value::Null,
            registered: false,
            uid: Str::default(),
        })
    }

    fn greet(&mut self, cx: &mut Cx<'_>, node: &Value) {
        let health = self.health_mut(&Key::of(node).name, cx.now);
        if !std::mem::replace(&mut health.registered, true) {
            let name = node.name();
            let message = format!("Node {name} event: Registered Node {name} in Controller");
            cx.event(Saying::normal(&about(node), "RegisteredNode", message));
        }
    }

    fn forget(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(health) = self.health.remove(&key.name) else {
            return;
        };
        let name = &key.name;
        let node = object! { "metadata": { "name": name, "uid": &health.uid } };
        let message = format!("Node {name} event: Removing Node {name} from Controller");
        cx.event(Saying::normal(&about(&node), "RemovingNode", message));
    }

    /// Says of a node that fell silent that nothing is known of it any more. True if it did.
    fn watch_over(&mut self, cx: &mut Cx<'_>, node: &Value) -> bool {
        let health = self.health_mut(&Key::of(node).name, cx.now).clone();
        let never = pods::condition(node, "Ready").is_none();
        let (grace, since) = if never {
            (STARTUP_GRACE, health.heard)
        } else {
            (self.grace, health.heard)
        };
        let end = since + grace;
        if cx.now <= end {
            cx.requeue_after(next_tick(end).since(cx.now));
            return false;
        }
        let mut silent = node.clone();
        for kind in CONDITIONS {
            silence(&mut silent, kind, cx.now);
        }
        if silent.same(node) {
            return false;
        }
        if nodes::ready_status(node) == "True" {
            let message = format!("Node {} status is now: NodeNotReady", node.name());
            cx.event(Saying::normal(&about(node), "NodeNotReady", message));
        }
        cx.update_status(&NODES, silent);
        true
    }

    /// Writes the taints that follow from the conditions.
    fn taint(&mut self, cx: &mut Cx<'_>, node: &Value) {
        let (mut add, mut remove) = (Vec::new(), Vec::new());
        for (kind, status, taint) in BY_CONDITION {
            let holds = pods::condition(node, kind).is_some_and(|c| c.str("status") == status);
            if holds {
                add.push(taint)
            } else {
                remove.push(taint)
            }
        }
        let cordoned = node.bool_at("spec.unschedulable");
        let cordon = (UNSCHEDULABLE, NO_SCHEDULE);
        if cordoned {
            add.push(cordon)
        } else {
            remove.push(cordon)
        }

        let (not_ready, unreachable) = ((NOT_READY, NO_EXECUTE), (UNREACHABLE, NO_EXECUTE));
        let evicting = match nodes::ready_status(node) {
            "False" => Some((not_ready, unreachable)),
            "Unknown" => Some((unreachable, not_ready)),
            _ => None,
        };
        let disruption = disruption(cx);
        match evicting {
            Some((taint, other)) if disruption != Disruption::Full => {
                if nodes::has_taint(node, taint) || nodes::has_taint(node, other) {
                    add.push(taint);
                    remove.push(other);
                } else if self.may_evict(cx, disruption) {
                    add.push(taint);
                }
            }
            _ => remove.extend([not_ready, unreachable]),
        }
        nodes::swap_taints(cx, node, &add, &remove);
    }

    /// Takes the right to evict the pods of one more node, or waits for it.
    fn may_evict(&mut self, cx: &mut Cx<'_>, disruption: Disruption) -> bool {
        let large = cx.cache(&NODES).len() > LARGE;
        let pause = match disruption {
            Disruption::None => EVICTION_PAUSE,
            Disruption::Partial if large => SECONDARY_PAUSE,
            Disruption::Partial | Disruption::Full => {
                cx.requeue_after(PERIOD);
                return false;
            }
        };
        if cx.now < self.next_eviction {
            cx.requeue_after(self.next_eviction.since(cx.now));
            return false;
        }
        self.next_eviction = cx.now + pause;
        true
    }
}

/// Turns a condition to `Unknown`.
fn silence(node: &mut Value, kind: &str, now: Instant) {
    let created = node.metadata().get("creationTimestamp").clone();
    let conditions = node.list_mut("status.conditions");
    match conditions
        .iter_mut()
        .find(|condition| condition.str("type") == kind)
    {
        None => conditions.push(object! {
            "type": kind,
            "status": "Unknown",
            "reason": "NodeStatusNeverUpdated",
            "message": "Kubelet never posted node status.",
            "lastHeartbeatTime": created,
            "lastTransitionTime": (now.rfc3339()),
        }),
        Some(condition) if condition.str("status") != "Unknown" => {
            condition.set("status", "Unknown");
            condition.set("reason", "NodeStatusUnknown");
            condition.set("message", "Kubelet stopped posting node status.");
            condition.set("lastTransitionTime", now.rfc3339());
        }
        Some(_) => {}
    }
}

/// Pods of a node that is not ready are not ready either.
fn mark_pods(cx: &mut Cx<'_>, node: &Value) {
    for pod in cx.cache(&PODS).by(Index::Node, node.name()) {
        if !pods::is_ready(pod) {
            continue;
        }
        let condition = object! {
            "type": "Ready",
            "status": "False",
            "lastTransitionTime": (cx.now.rfc3339()),
        };
        let document = object! {
            "metadata": { "uid": (pod.uid()) }, "status": { "conditions": [condition] },
        };
        let involved = Involved::of(&PODS, pod);
        cx.event(Saying::warning(
            &involved,
            "NodeNotReady",
            "Node is not ready",
        ));
        cx.patch(&PODS, &Key::of(pod), "status", Patch::Strategic, document);
    }
}

/// Whether and where a pod is, as far as it matters here.
fn placed(pod: Option<&Value>) -> Option<(&str, bool)> {
    pod.map(|pod| (pod.str_at("spec.nodeName"), pods::is_ready(pod)))
}

fn is_ready(node: &Value) -> bool {
    nodes::ready_status(node) == "True"
}

fn disruption(cx: &Cx<'_>) -> Disruption {
    let all = cx.cache(&NODES).len();
    let silent = cx
        .cache(&NODES)
        .iter()
        .filter(|(_, node)| !is_ready(node))
        .count();
    match silent {
        _ if silent == all => Disruption::Full,
        3.. if silent * 100 >= all * 55 => Disruption::Partial,
        _ => Disruption::None,
    }
}

/// The first look at the nodes after a time.
fn next_tick(after: Instant) -> Instant {
    let period = u64::try_from(PERIOD.as_nanos()).unwrap_or(u64::MAX);
    Instant::from_nanos((after.as_nanos() / period + 1) * period)
}

/// Events of nodes name them twice: upstream uses the name for the uid where it has no other.
fn about(node: &Value) -> Involved {
    let mut involved = Involved::of(&NODES, node);
    involved.resource_version = Str::default();
    involved
}

#[cfg(test)]
mod tests;
