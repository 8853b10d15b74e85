//! What the scheduler keeps of a node and of the pods on it, changed pod by pod.
//! Models pkg/scheduler/framework/types.go (`NodeInfo`).

use std::rc::Rc;

use api::{Map, Quantity, Str, Value};
use imbl::OrdMap;

use crate::{HostPort, PodInfo, Requests, Resources, Taint};

/// A node as plugins see it.
#[derive(Clone, Debug, Default)]
pub struct NodeInfo {
    /// `metadata.name`.
    pub name: Str,
    /// False while pods name the node, but no Node object does.
    pub known: bool,
    /// `metadata.labels`.
    pub labels: Map,
    /// `spec.taints`.
    pub taints: Vec<Taint>,
    /// `spec.unschedulable`.
    pub unschedulable: bool,
    /// `status.allocatable`.
    pub allocatable: Resources,
    /// `status.allocatable.pods`.
    pub allocatable_pods: i64,
    /// Images the node has, with sizes in bytes.
    pub images: Rc<[(Str, i64)]>,
    /// What its pods ask for.
    pub requested: Requests,
    /// Ports of the node its pods hold.
    pub ports: Vec<HostPort>,
    /// The pods, by uid.
    pub pods: OrdMap<Str, Rc<PodInfo>>,
    /// How many pods that are not terminating have these labels, by namespace and labels: pods made
    /// from one template count as one line here, however many they are.
    pub groups: Vec<LabelGroup>,
    /// How many of its pods have affinity or anti-affinity to other pods.
    pub with_affinity: u32,
    /// How many of its pods have anti-affinity that must be met.
    pub with_anti_affinity: u32,
}

/// Pods of a node that selectors cannot tell apart.
#[derive(Clone, Debug)]
pub struct LabelGroup {
    /// Their namespace.
    pub namespace: Str,
    /// Their labels.
    pub labels: Map,
    /// How many they are.
    pub count: i64,
}

impl NodeInfo {
    /// A node that pods name, before its object is seen.
    #[must_use]
    pub fn unknown(name: &Str) -> NodeInfo {
        NodeInfo {
            name: name.clone(),
            ..NodeInfo::default()
        }
    }

    /// Takes over what a Node object says.
    pub fn set_object(&mut self, node: &Value) {
        let (spec, status) = (node.get("spec"), node.get("status"));
        let allocatable = status.get("allocatable");
        self.known = true;
        self.name = node
            .metadata()
            .get("name")
            .as_shared_str()
            .cloned()
            .unwrap_or_default();
        self.labels = node.labels().clone();
        self.taints = spec.get("taints").list().iter().map(Taint::of).collect();
        self.unschedulable = spec.get("unschedulable").as_bool() == Some(true);
        self.allocatable = Resources::of(allocatable.entries());
        self.allocatable_pods = Quantity::of(allocatable.get("pods")).map_or(0, |q| q.value());
        self.images = status
            .get("images")
            .list()
            .iter()
            .flat_map(|image| {
                let size = image.get("sizeBytes").as_i64().unwrap_or(0);
                let names = image.get("names").list().iter();
                names.filter_map(move |name| Some((name.as_shared_str()?.clone(), size)))
            })
            .collect();
    }

    /// Counts a pod in.
    pub fn add_pod(&mut self, pod: &Rc<PodInfo>) {
        self.requested.asked.add(&pod.requests.asked);
        self.requested.assumed.add(&pod.requests.assumed);
        self.ports.extend(pod.host_ports.iter().cloned());
        if !pod.terminating {
            self.count_group(pod, 1);
        }
        self.with_affinity += u32::from(has_affinity(pod));
        self.with_anti_affinity += u32::from(has_anti_affinity(pod));
        self.pods.insert(pod.uid.clone(), pod.clone());
    }

    /// Counts a pod out; does nothing if it is not here.
    pub fn remove_pod(&mut self, uid: &str) {
        let Some(pod) = self.pods.remove(uid) else {
            return;
        };
        self.requested.asked.subtract(&pod.requests.asked);
        self.requested.assumed.subtract(&pod.requests.assumed);
        for port in &pod.host_ports {
            if let Some(at) = self.ports.iter().position(|held| held == port) {
                self.ports.remove(at);
            }
        }
        if !pod.terminating {
            self.count_group(&pod, -1);
        }
        self.with_affinity -= u32::from(has_affinity(&pod));
        self.with_anti_affinity -= u32::from(has_anti_affinity(&pod));
    }

    fn count_group(&mut self, pod: &PodInfo, change: i64) {
        let same = |g: &LabelGroup| g.namespace == pod.key.namespace && g.labels == pod.labels;
        match self.groups.iter().position(same) {
            Some(at) => {
                self.groups[at].count += change;
                if self.groups[at].count == 0 {
                    self.groups.remove(at);
                }
            }
            None => self.groups.push(LabelGroup {
                namespace: pod.key.namespace.clone(),
                labels: pod.labels.clone(),
                count: change,
            }),
        }
    }
}

fn has_affinity(pod: &PodInfo) -> bool {
    let affinity = &pod.affinity;
    !(affinity.get("podAffinity").is_null() && affinity.get("podAntiAffinity").is_null())
}

fn has_anti_affinity(pod: &PodInfo) -> bool {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    !pod.affinity
        .get("podAntiAffinity")
        .get(required)
        .list()
        .is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn pods_are_counted_in_and_out() {
        let mut node = NodeInfo::unknown(&"node01".into());
        node.set_object(&object! {
            "metadata": { "name": "node01" },
            "status": { "allocatable": { "cpu": "4", "memory": "8Gi", "pods": "110" } },
        });
        assert_eq!(
            (node.allocatable.milli_cpu, node.allocatable_pods),
            (4000, 110)
        );
        let pod = |uid: &str| {
            Rc::new(PodInfo::of(&object! {
                "metadata": { "uid": uid, "name": uid, "labels": { "app": "web" } },
                "spec": { "containers": [{
                    "resources": { "requests": { "cpu": "500m" } },
                    "ports": [{ "hostPort": 80 }],
                }] },
            }))
        };
        node.add_pod(&pod("a"));
        node.add_pod(&pod("b"));
        assert_eq!(node.requested.asked.milli_cpu, 1000);
        assert_eq!((node.groups.len(), node.groups[0].count), (1, 2));
        node.remove_pod("a");
        node.remove_pod("a");
        assert_eq!((node.requested.asked.milli_cpu, node.ports.len()), (500, 1));
        node.remove_pod("b");
        assert_eq!(node.requested.asked, Resources::default());
        assert!(node.groups.is_empty() && node.ports.is_empty() && node.pods.is_empty());
    }
}
