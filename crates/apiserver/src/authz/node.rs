//! Which objects are a node's business: those that the pods on it refer to, and itself.
//!
//! Models plugin/pkg/auth/authorizer/node. The graph is kept as the pods of each node and the claims
//! of volumes, and walked when a kubelet asks. What lists a kubelet may have is not looked at by their
//! selectors, but for objects with a name.

use std::collections::BTreeMap;

use api::kinds::Kind;
use api::{Str, Value};

use super::Attributes;
use crate::cache::Change;
use crate::resources::Resources;

/// The annotation of pods that a kubelet only shows: they give it nothing.
const MIRROR: &str = "kubernetes.io/config.mirror";

/// What belongs to which node.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    /// The pods of nodes, by node and `namespace/name`.
    pods: BTreeMap<Str, BTreeMap<Str, Value>>,
    /// The node of a pod, by `namespace/name`.
    placed: BTreeMap<Str, Str>,
    /// The claims of volumes, `namespace/name`.
    claims: BTreeMap<Str, String>,
}

impl Graph {
    /// From all objects there are.
    pub(super) fn of(resources: &Resources) -> Graph {
        let mut graph = Graph::default();
        for plural in ["pods", "persistentvolumes"] {
            let Some(resource) = resources.named("", plural) else {
                continue;
            };
            for (key, entry) in resource.cache.objects().iter() {
                graph.put(plural, key, &entry.value);
            }
        }
        graph
    }

    /// An object changed.
    pub(super) fn observe(&mut self, kind: &Kind, change: &Change) {
        if !kind.group.is_empty() || !matches!(kind.plural, "pods" | "persistentvolumes") {
            return;
        }
        let key = &change.entry.key;
        if !change.deleted {
            return self.put(kind.plural, key, &change.entry.value);
        }
        self.claims.remove(key);
        if kind.plural == "pods"
            && let Some(node) = self.placed.remove(key)
            && let Some(pods) = self.pods.get_mut(&node)
        {
            pods.remove(key);
        }
    }

    fn put(&mut self, plural: &str, key: &Str, object: &Value) {
        if plural == "persistentvolumes" {
            let claim = object.at("spec.claimRef");
            if claim.is_map() {
                let claim = format!("{}/{}", claim.str("namespace"), claim.str("name"));
                self.claims.insert(key.clone(), claim);
            }
            return;
        }
        let node = object.str_at("spec.nodeName");
        if node.is_empty() {
            return;
        }
        let known = self
            .placed
            .get(key)
            .filter(|placed| placed.as_str() == node);
        let node = match known {
            Some(node) => node.clone(),
            None => {
                let node = Str::from(node);
                // A pod of the same name may have been elsewhere.
                let before = self.placed.insert(key.clone(), node.clone());
                if let Some(pods) = before.and_then(|before| self.pods.get_mut(&before)) {
                    pods.remove(key);
                }
                node
            }
        };
        let pods = self.pods.entry(node).or_default();
        pods.insert(key.clone(), object.clone());
    }

    /// Why a node may not do what its rules allow; nothing where it may.
    pub(super) fn refusal(&self, node: &str, asked: &Attributes<'_>) -> Option<String> {
        let reads = matches!(asked.verb, "get" | "list" | "watch");
        let key = format!("{}/{}", asked.namespace, asked.name);
        let related = |uses: &dyn Fn(&Value) -> bool| {
            let mut own = self.pods.get(node).into_iter().flatten();
            let found = !asked.name.is_empty() && own.any(|(_, pod)| refers(pod) && uses(pod));
            let why = match asked.name {
                "" => "No Object name found".to_owned(),
                _ => unrelated(node),
            };
            (!found).then_some(why)
        };
        let here = |pod: &Value| pod.namespace() == asked.namespace;
        match (asked.group, asked.resource, asked.subresource) {
            ("", "secrets" | "configmaps", _) if !reads => {
                Some("can only read resources of this type".to_owned())
            }
            ("", "secrets" | "configmaps", "") if asked.namespace.is_empty() => {
                Some("can only read namespaced object of this type".to_owned())
            }
            ("", "secrets" | "configmaps", "") => related(&|pod| {
                here(pod) && names(pod, asked.resource).any(|name| name == asked.name)
            }),
            ("", "persistentvolumeclaims", _) => {
                related(&|pod| here(pod) && claims(pod).any(|name| name == asked.name))
            }
            ("", "persistentvolumes", _) => {
                let claim = self.claims.get(asked.name);
                related(&|pod| {
                    let mut own = claims(pod).map(|name| format!("{}/{name}", pod.namespace()));
                    claim.is_some_and(|claim| own.any(|one| one == *claim))
                })
            }
            ("", "serviceaccounts", _) => {
                related(&|pod| here(pod) && pod.str_at("spec.serviceAccountName") == asked.name)
            }
            ("", "nodes", "") if reads && asked.name.is_empty() => Some(format!(
                "node '{node}' cannot read all nodes, only its own Node object"
            )),
            ("", "nodes", "") if reads && asked.name != node => Some(format!(
                "node '{node}' cannot read '{}', only its own Node object",
                asked.name
            )),
            ("", "pods", "") if asked.verb == "get" => {
                let pods = self.pods.get(node);
                let own = pods.is_some_and(|pods| pods.contains_key(key.as_str()));
                (!own).then(|| unrelated(node))
            }
            _ => None,
        }
    }
}

fn unrelated(node: &str) -> String {
    format!("no relationship found between node '{node}' and this object")
}

/// Whether what a pod refers to is its node's business.
fn refers(pod: &Value) -> bool {
    !pod.annotations().contains_key(MIRROR)
}

/// The names of secrets or ConfigMaps that a pod refers to.
fn names<'p>(pod: &'p Value, resource: &str) -> impl Iterator<Item = &'p str> {
    let mut found = Vec::new();
    let [reference, source, volume, field] = match resource {
        "secrets" => ["secretRef", "secretKeyRef", "secret", "secretName"],
        _ => ["configMapRef", "configMapKeyRef", "configMap", "name"],
    };
    let lists = ["initContainers", "containers", "ephemeralContainers"];
    let containers = lists.iter().flat_map(|list| pod.get("spec").list_at(list));
    for container in containers {
        for one in container.list_at("envFrom") {
            found.push(one.get(reference).str("name"));
        }
        for one in container.list_at("env") {
            found.push(one.get("valueFrom").get(source).str("name"));
        }
    }
    for one in pod.list_at("spec.volumes") {
        found.push(one.get(volume).str(field));
        for part in one.list_at("projected.sources") {
            found.push(part.get(volume).str("name"));
        }
        if resource == "secrets" {
            for (driver, of) in one.entries() {
                let reference = match driver.as_str() {
                    "csi" => "nodePublishSecretRef",
                    _ => "secretRef",
                };
                found.push(of.get(reference).str("name"));
                if driver.as_str() == "azureFile" {
                    found.push(of.str("secretName"));
                }
            }
        }
    }
    if resource == "secrets" {
        let pulls = pod.list_at("spec.imagePullSecrets").iter();
        found.extend(pulls.map(|one| one.str("name")));
    }
    found.into_iter().filter(|name| !name.is_empty())
}

/// The names of a pod's claims, those of its ephemeral volumes included.
fn claims(pod: &Value) -> impl Iterator<Item = String> + '_ {
    pod.list_at("spec.volumes").iter().filter_map(|volume| {
        if volume.get("ephemeral").is_map() {
            return Some(format!("{}-{}", pod.name(), volume.str("name")));
        }
        let name = volume.str_at("persistentVolumeClaim.claimName");
        (!name.is_empty()).then(|| name.to_owned())
    })
}
