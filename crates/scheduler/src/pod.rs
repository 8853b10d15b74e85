//! What the scheduler keeps of a pod: everything its plugins ask about, read once.
//! Models pkg/scheduler/framework/types.go (`PodInfo`).

use api::{Map, Str, Value};
use client::Key;
use sim::Instant;

use crate::{Requests, plugins};

/// A pod as plugins see it.
#[derive(Clone, Debug, Default)]
pub struct PodInfo {
    /// Namespace and name.
    pub key: Key,
    /// `metadata.uid`.
    pub uid: Str,
    /// `metadata.resourceVersion` when it was read.
    pub resource_version: Str,
    /// `metadata.generation`.
    pub generation: i64,
    /// When it was made.
    pub created: Instant,
    /// `metadata.labels`.
    pub labels: Map,
    /// The reference that says `controller: true`; null if there is none.
    pub controller: Value,
    /// Deletion has begun.
    pub terminating: bool,
    /// The node it is bound to, or assumed to be; empty if none.
    pub node: Str,
    /// `spec.schedulerName`.
    pub scheduler: Str,
    /// `spec.priority`.
    pub priority: i64,
    /// `spec.preemptionPolicy` is not `Never`.
    pub may_preempt: bool,
    /// What it asks for.
    pub requests: Requests,
    /// `spec.tolerations`.
    pub tolerations: Vec<Toleration>,
    /// Ports it takes on the node itself.
    pub host_ports: Vec<HostPort>,
    /// `spec.nodeSelector`.
    pub node_selector: Map,
    /// `spec.affinity`; null if there is none.
    pub affinity: Value,
    /// `spec.topologySpreadConstraints`.
    pub spread: Value,
    /// Names of `spec.schedulingGates`.
    pub gates: Vec<Str>,
    /// Images of all containers.
    pub images: Vec<Str>,
    /// How many containers and init containers there are.
    pub containers: usize,
    /// Claims that its volumes stand for, and whether they are made for this pod alone.
    pub claims: Vec<(Str, bool)>,
}

/// One entry of `spec.tolerations`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Toleration {
    /// Empty for every key.
    pub key: Str,
    /// `Exists` rather than `Equal`.
    pub exists: bool,
    /// What the taint's value must be, for `Equal`.
    pub value: Str,
    /// Empty for every effect.
    pub effect: Str,
}

/// A taint of a node.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct Taint {
    pub key: Str,
    pub value: Str,
    pub effect: Str,
}

/// A port of the node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPort {
    /// `0.0.0.0` for every address.
    pub ip: Str,
    /// `TCP`, `UDP` or `SCTP`.
    pub protocol: Str,
    /// The number.
    pub port: i64,
}

impl PodInfo {
    /// Reads a pod.
    #[must_use]
    pub fn of(pod: &Value) -> PodInfo {
        let (metadata, spec) = (pod.metadata(), pod.get("spec"));
        let containers = || {
            spec.get("initContainers")
                .list()
                .iter()
                .chain(spec.get("containers").list())
        };
        PodInfo {
            key: Key::of(pod),
            uid: shared(metadata, "uid"),
            resource_version: shared(metadata, "resourceVersion"),
            generation: pod.generation(),
            created: Instant::parse_rfc3339(pod.creation_timestamp()).unwrap_or_default(),
            labels: pod.labels().clone(),
            controller: pod.controller().cloned().unwrap_or_default(),
            terminating: pod.is_terminating(),
            node: shared(spec, "nodeName"),
            scheduler: shared(spec, "schedulerName"),
            priority: spec.get("priority").as_i64().unwrap_or(0),
            may_preempt: spec.str("preemptionPolicy") != "Never",
            requests: Requests::of(spec),
            tolerations: spec
                .get("tolerations")
                .list()
                .iter()
                .map(Toleration::of)
                .collect(),
            host_ports: spec
                .get("containers")
                .list()
                .iter()
                .flat_map(HostPort::of)
                .collect(),
            node_selector: spec.get("nodeSelector").entries().clone(),
            affinity: spec.get("affinity").clone(),
            spread: spec.get("topologySpreadConstraints").clone(),
            gates: spec
                .get("schedulingGates")
                .list()
                .iter()
                .map(|g| shared(g, "name"))
                .collect(),
            images: containers().map(|c| shared(c, "image")).collect(),
            containers: containers().count(),
            claims: plugins::claims_named(pod),
        }
    }

    /// Whether the pod tolerates a taint.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        self.tolerations
            .iter()
            .any(|toleration| toleration.tolerates(taint))
    }
}

impl Toleration {
    fn of(toleration: &Value) -> Toleration {
        Toleration {
            key: shared(toleration, "key"),
            exists: toleration.str("operator") == "Exists",
            value: shared(toleration, "value"),
            effect: shared(toleration, "effect"),
        }
    }

    /// Whether it tolerates a taint.
    #[must_use]
    pub fn tolerates(&self, taint: &Taint) -> bool {
        (self.effect.is_empty() || self.effect == taint.effect)
            && (self.key.is_empty() || self.key == taint.key)
            && (self.exists || self.value == taint.value)
    }
}

impl Taint {
    /// Reads an entry of a node's `spec.taints`.
    #[must_use]
    pub fn of(taint: &Value) -> Taint {
        Taint {
            key: shared(taint, "key"),
            value: shared(taint, "value"),
            effect: shared(taint, "effect"),
        }
    }
}

impl HostPort {
    fn of(container: &Value) -> impl Iterator<Item = HostPort> {
        let ports = container.get("ports").list().iter();
        ports
            .filter(|port| port.get("hostPort").as_i64().unwrap_or(0) > 0)
            .map(|port| HostPort {
                ip: or(shared(port, "hostIP"), "0.0.0.0"),
                protocol: or(shared(port, "protocol"), "TCP"),
                port: port.get("hostPort").as_i64().unwrap_or(0),
            })
    }

    /// Whether both cannot be had on one node.
    #[must_use]
    pub fn conflicts(&self, other: &HostPort) -> bool {
        let any = |ip: &Str| &**ip == "0.0.0.0";
        self.port == other.port
            && self.protocol == other.protocol
            && (self.ip == other.ip || any(&self.ip) || any(&other.ip))
    }
}

fn shared(value: &Value, field: &str) -> Str {
    value
        .get(field)
        .as_shared_str()
        .cloned()
        .unwrap_or_default()
}

fn or(text: Str, default: &str) -> Str {
    if text.is_empty() {
        default.into()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn tolerations() {
        #[track_caller]
        fn check(toleration: Value, taint: &str, expect: bool) {
            let (left, effect) = taint.split_once(':').unwrap();
            let (key, value) = left.split_once('=').unwrap_or((left, ""));
            let taint = Taint {
                key: key.into(),
                value: value.into(),
                effect: effect.into(),
            };
            assert_eq!(
                Toleration::of(&toleration).tolerates(&taint),
                expect,
                "{toleration}"
            );
        }
        check(object! { "operator": "Exists" }, "a=b:NoSchedule", true);
        check(
            object! { "key": "a", "operator": "Exists" },
            "a=b:NoExecute",
            true,
        );
        check(object! { "key": "a", "value": "b" }, "a=b:NoExecute", true);
        check(object! { "key": "a", "value": "c" }, "a=b:NoExecute", false);
        check(
            object! { "key": "a", "effect": "NoSchedule" },
            "a:NoSchedule",
            true,
        );
        check(
            object! { "key": "a", "effect": "NoSchedule" },
            "a:NoExecute",
            false,
        );
    }

    #[test]
    fn host_ports() {
        let port = |ip: &str, port: i64| HostPort {
            ip: ip.into(),
            protocol: "TCP".into(),
            port,
        };
        assert!(port("0.0.0.0", 80).conflicts(&port("10.0.0.1", 80)));
        assert!(!port("10.0.0.2", 80).conflicts(&port("10.0.0.1", 80)));
        assert!(!port("0.0.0.0", 80).conflicts(&port("0.0.0.0", 81)));
        let pod = object! { "spec": { "containers": [
            { "image": "a", "ports": [{ "containerPort": 80, "hostPort": 8080 }, { "containerPort": 1 }] },
        ] } };
        assert_eq!(PodInfo::of(&pod).host_ports, [port("0.0.0.0", 8080)]);
    }
}
