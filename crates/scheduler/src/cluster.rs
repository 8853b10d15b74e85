//! The scheduler's own picture of the cluster: nodes with their pods, including pods it has placed
//! but not yet seen placed, and the selectors by which replicas are spread.
//! Models pkg/scheduler/backend/cache.

use std::rc::Rc;

use api::selector::LabelSelector;
use api::{Map, Str, Value};
use client::Key;
use imbl::OrdMap;

use crate::{NodeInfo, PodInfo};

/// Nodes, pods on nodes, and what selects pods.
#[derive(Clone, Debug, Default)]
pub struct Cluster {
    nodes: OrdMap<Str, Rc<NodeInfo>>,
    placed: OrdMap<Str, Placed>,
    services: OrdMap<Key, Rc<LabelSelector>>,
    replica_sets: OrdMap<Key, Rc<LabelSelector>>,
    namespaces: OrdMap<Str, Map>,
    claims: OrdMap<Key, Value>,
    volumes: OrdMap<Str, Value>,
    storage_classes: OrdMap<Str, Value>,
    /// Volumes that were decided to be bound to a claim, which the API has not shown yet.
    assumed_volumes: OrdMap<Str, Key>,
    /// Pods that others had to go for, on the node that was promised to them.
    nominated: OrdMap<Str, Rc<PodInfo>>,
}

#[derive(Clone, Debug)]
struct Placed {
    pod: Rc<PodInfo>,
    /// The scheduler decided it, the API has not shown it yet.
    assumed: bool,
}

impl Cluster {
    /// The nodes that have a Node object, in the order of names.
    pub fn nodes(&self) -> impl Iterator<Item = &NodeInfo> {
        self.nodes
            .values()
            .map(|node| &**node)
            .filter(|node| node.known)
    }

    /// How many nodes have a Node object.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes().count()
    }

    /// A node by name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&NodeInfo> {
        self.nodes
            .get(name)
            .map(|node| &**node)
            .filter(|node| node.known)
    }

    /// A pod on a node, by uid.
    #[must_use]
    pub fn pod(&self, uid: &str) -> Option<&Rc<PodInfo>> {
        self.placed.get(uid).map(|placed| &placed.pod)
    }

    /// Whether a pod was placed by a decision that the API has not shown yet.
    #[must_use]
    pub fn is_assumed(&self, uid: &str) -> bool {
        self.placed.get(uid).is_some_and(|placed| placed.assumed)
    }

    /// Takes over a Node object.
    pub fn set_node(&mut self, node: &Value) {
        let name = Key::of(node).name;
        self.node_mut(&name).set_object(node);
    }

    /// A Node object is gone. Its pods stay until they are gone too.
    pub fn remove_node(&mut self, name: &Str) {
        let node = self.node_mut(name);
        node.known = false;
        if node.pods.is_empty() {
            self.nodes.remove(name);
        }
    }

    /// A pod is on `pod.node`, as the API shows, or as was decided if `assumed`.
    pub fn place(&mut self, pod: Rc<PodInfo>, assumed: bool) {
        self.displace(&pod.uid);
        let name = pod.node.clone();
        self.node_mut(&name).add_pod(&pod);
        self.placed.insert(pod.uid.clone(), Placed { pod, assumed });
    }

    /// A pod is on no node any more. Returns it as it was.
    pub fn displace(&mut self, uid: &str) -> Option<Rc<PodInfo>> {
        let pod = self.placed.remove(uid)?.pod;
        let node = self.node_mut(&pod.node);
        node.remove_pod(uid);
        if !node.known && node.pods.is_empty() {
            self.nodes.remove(&pod.node);
        }
        Some(pod)
    }

    /// Takes over a Service, or its absence.
    pub fn set_service(&mut self, key: &Key, service: Option<&Value>) {
        let labels = service.map(|s| s.get("spec").get("selector").entries());
        match labels.filter(|labels| !labels.is_empty()) {
            Some(labels) => {
                let selector = Rc::new(LabelSelector::from_map(labels));
                self.services.insert(key.clone(), selector);
            }
            None => drop(self.services.remove(key)),
        }
    }

    /// Takes over a ReplicaSet, or its absence.
    pub fn set_replica_set(&mut self, key: &Key, replica_set: Option<&Value>) {
        let selector = replica_set.map(|rs| rs.get("spec").get("selector"));
        match selector.and_then(|selector| LabelSelector::from_object(selector).ok()) {
            Some(selector) => drop(self.replica_sets.insert(key.clone(), Rc::new(selector))),
            None => drop(self.replica_sets.remove(key)),
        }
    }

    /// Takes over a Namespace's labels, or its absence.
    pub fn set_namespace(&mut self, name: &Str, namespace: Option<&Value>) {
        match namespace {
            Some(namespace) => drop(
                self.namespaces
                    .insert(name.clone(), namespace.labels().clone()),
            ),
            None => drop(self.namespaces.remove(name)),
        }
    }

    /// The namespaces whose labels a selector picks.
    pub fn namespaces_matching(&self, selector: &LabelSelector) -> impl Iterator<Item = Str> {
        let picked = self
            .namespaces
            .iter()
            .filter(|(_, labels)| selector.matches(labels));
        picked.map(|(name, _)| name.clone())
    }

    /// The selectors that pick a pod together with its replicas: those of Services over it and of
    /// the ReplicaSet that made it. Models plugins/helper/spread.go (`DefaultSelector`).
    #[must_use]
    pub fn replica_selectors(&self, pod: &PodInfo) -> Vec<Rc<LabelSelector>> {
        let namespace = &pod.key.namespace;
        let services = self
            .services
            .range(Key::new(namespace, "")..)
            .take_while(|(key, _)| key.namespace == *namespace)
            .filter(|(_, selector)| selector.matches(&pod.labels))
            .map(|(_, selector)| selector.clone());
        let mut selectors: Vec<_> = services.collect();
        if pod.controller.str("kind") == "ReplicaSet" {
            let owner = Key::new(namespace, pod.controller.str("name"));
            selectors.extend(self.replica_sets.get(&owner).cloned());
        }
        selectors
    }

    /// A claim for a volume.
    #[must_use]
    pub fn claim(&self, key: &Key) -> Option<&Value> {
        self.claims.get(key)
    }

    /// A volume.
    #[must_use]
    pub fn volume(&self, name: &str) -> Option<&Value> {
        self.volumes.get(name)
    }

    /// Every volume, in the order of names.
    pub fn volumes(&self) -> impl Iterator<Item = &Value> {
        self.volumes.values()
    }

    /// A class of volumes.
    #[must_use]
    pub fn storage_class(&self, name: &str) -> Option<&Value> {
        self.storage_classes.get(name)
    }

    /// The claim that a volume is about to be bound to.
    #[must_use]
    pub fn assumed_claim(&self, volume: &str) -> Option<&Key> {
        self.assumed_volumes.get(volume)
    }

    /// A volume is about to be bound to a claim.
    pub fn assume_volume(&mut self, volume: &Value, claim: &Value) {
        let name = Key::of(volume).name;
        self.assumed_volumes.insert(name, Key::of(claim));
    }

    /// Takes over a claim, or its absence.
    pub fn set_claim(&mut self, key: &Key, claim: Option<&Value>) {
        match claim {
            Some(claim) => drop(self.claims.insert(key.clone(), claim.clone())),
            None => drop(self.claims.remove(key)),
        }
    }

    /// Takes over a volume, or its absence.
    pub fn set_volume(&mut self, name: &Str, volume: Option<&Value>) {
        self.assumed_volumes.remove(name);
        match volume {
            Some(volume) => drop(self.volumes.insert(name.clone(), volume.clone())),
            None => drop(self.volumes.remove(name)),
        }
    }

    /// Takes over a class of volumes, or its absence.
    pub fn set_storage_class(&mut self, name: &Str, class: Option<&Value>) {
        match class {
            Some(class) => drop(self.storage_classes.insert(name.clone(), class.clone())),
            None => drop(self.storage_classes.remove(name)),
        }
    }

    /// A pod is promised a place on a node.
    pub fn nominate(&mut self, pod: &PodInfo, node: &Str) {
        let mut promised = pod.clone();
        promised.node.clone_from(node);
        self.nominated.insert(pod.uid.clone(), Rc::new(promised));
    }

    /// A pod waits for no promised place any more.
    pub fn forget_nomination(&mut self, uid: &str) {
        self.nominated.remove(uid);
    }

    /// A pod with the node it was promised.
    #[must_use]
    pub fn nomination(&self, uid: &str) -> Option<&Rc<PodInfo>> {
        self.nominated.get(uid)
    }

    /// The node as it will be when those have come that it was promised to and that are at least as
    /// important as `pod`; none if there are none.
    #[must_use]
    pub fn with_nominated(&self, node: &NodeInfo, pod: &PodInfo) -> Option<NodeInfo> {
        let mut coming = self.nominated.values().filter(|other| {
            other.node == node.name && other.uid != pod.uid && other.priority >= pod.priority
        });
        let mut crowded = None;
        for other in coming.by_ref() {
            let node = crowded.get_or_insert_with(|| node.clone());
            node.add_pod(other);
        }
        crowded
    }

    fn node_mut(&mut self, name: &Str) -> &mut NodeInfo {
        let node = self.nodes.entry(name.clone());
        Rc::make_mut(node.or_insert_with(|| Rc::new(NodeInfo::unknown(name))))
    }
}

impl NodeInfo {
    /// How many of the node's pods in a namespace meet every one of these conditions. Terminating
    /// pods do not count.
    pub fn count_matching(&self, namespace: &str, matches: impl Fn(&Map) -> bool) -> i64 {
        let groups = self.groups.iter();
        groups
            .filter(|g| &*g.namespace == namespace && matches(&g.labels))
            .map(|g| g.count)
            .sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    fn pod(uid: &str, node: &str) -> Rc<PodInfo> {
        Rc::new(PodInfo::of(&object! {
            "metadata": { "uid": uid, "name": uid, "namespace": "ns", "labels": { "app": "web" } },
            "spec": { "nodeName": node },
        }))
    }

    #[test]
    fn a_pod_is_on_one_node_and_nodes_outlive_their_objects() {
        let mut cluster = Cluster::default();
        cluster.place(pod("a", "n1"), false);
        assert_eq!(cluster.node_count(), 0, "no object was seen");
        cluster.set_node(&object! { "metadata": { "name": "n1" } });
        assert_eq!(cluster.node("n1").map(|n| n.pods.len()), Some(1));

        cluster.set_node(&object! { "metadata": { "name": "n2" } });
        cluster.place(pod("b", "n1"), true);
        assert!(cluster.is_assumed("b"));
        cluster.place(pod("b", "n2"), false);
        assert!(!cluster.is_assumed("b"));
        assert_eq!(cluster.node("n1").map(|n| n.pods.len()), Some(1));
        assert_eq!(
            cluster.node("n2").map(|n| n.count_matching("ns", |_| true)),
            Some(1)
        );

        cluster.remove_node(&"n1".into());
        assert_eq!(cluster.node_count(), 1);
        assert_eq!(
            cluster.displace("a").map(|pod| pod.node.to_string()),
            Some("n1".into())
        );
        assert_eq!(cluster.displace("a").map(|pod| pod.uid.clone()), None);
    }

    #[test]
    fn replicas_are_found_by_service_and_owner() {
        let mut cluster = Cluster::default();
        let selecting = |labels: Value| object! { "spec": { "selector": labels } };
        let key = |name: &str| Key::new("ns", name);
        cluster.set_service(&key("web"), Some(&selecting(object! { "app": "web" })));
        cluster.set_service(&key("none"), Some(&selecting(object! {})));
        cluster.set_service(
            &Key::new("other", "web"),
            Some(&selecting(object! { "app": "web" })),
        );
        let rs = selecting(object! { "matchLabels": { "app": "web" } });
        cluster.set_replica_set(&key("rs"), Some(&rs));

        let mut replica = (*pod("a", "")).clone();
        assert_eq!(cluster.replica_selectors(&replica).len(), 1);
        replica.controller = object! { "kind": "ReplicaSet", "name": "rs" };
        assert_eq!(cluster.replica_selectors(&replica).len(), 2);
        cluster.set_service(&key("web"), None);
        assert_eq!(cluster.replica_selectors(&replica).len(), 1);
    }
}
