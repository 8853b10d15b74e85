//! What every API object has: names, metadata, owners. Models apimachinery's `metav1.Object`.

use crate::{Map, Value, object};

impl Value {
    /// `kind`.
    pub fn kind(&self) -> &str {
        self.str("kind")
    }

    /// `apiVersion`.
    pub fn api_version(&self) -> &str {
        self.str("apiVersion")
    }

    /// The group of `apiVersion`; empty for the core group.
    pub fn api_group(&self) -> &str {
        self.api_version()
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// `metadata`.
    pub fn metadata(&self) -> &Value {
        self.get("metadata")
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.metadata().str("name")
    }

    /// `metadata.generateName`.
    pub fn generate_name(&self) -> &str {
        self.metadata().str("generateName")
    }

    /// `metadata.namespace`; empty for cluster-scoped objects.
    pub fn namespace(&self) -> &str {
        self.metadata().str("namespace")
    }

    /// `namespace/name`, or `name` alone for cluster-scoped objects: the key of caches and queues.
    pub fn key(&self) -> String {
        match self.namespace() {
            "" => self.name().to_owned(),
            namespace => format!("{namespace}/{}", self.name()),
        }
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        self.metadata().str("uid")
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.metadata().str("resourceVersion")
    }

    /// `metadata.generation`, 0 if absent.
    pub fn generation(&self) -> i64 {
        self.metadata().get("generation").as_i64().unwrap_or(0)
    }

    /// `metadata.creationTimestamp`; empty if absent.
    pub fn creation_timestamp(&self) -> &str {
        self.metadata().str("creationTimestamp")
    }

    /// `metadata.deletionTimestamp`.
    pub fn deletion_timestamp(&self) -> Option<&str> {
        Some(self.metadata().str("deletionTimestamp")).filter(|text| !text.is_empty())
    }

    /// Whether deletion of the object has begun.
    pub fn is_terminating(&self) -> bool {
        self.deletion_timestamp().is_some()
    }

    /// `metadata.labels`.
    pub fn labels(&self) -> &Map {
        self.metadata().get("labels").entries()
    }

    /// The value of a label; empty if absent.
    pub fn label(&self, key: &str) -> &str {
        self.labels().str(key)
    }

    /// Sets a label.
    pub fn set_label(&mut self, key: &str, value: &str) {
        self.set_path(&["metadata", "labels", key], value);
    }

    /// `metadata.annotations`.
    pub fn annotations(&self) -> &Map {
        self.metadata().get("annotations").entries()
    }

    /// The value of an annotation; empty if absent.
    pub fn annotation(&self, key: &str) -> &str {
        self.annotations().str(key)
    }

    /// Sets an annotation.
    pub fn set_annotation(&mut self, key: &str, value: &str) {
        self.set_path(&["metadata", "annotations", key], value);
    }

    /// `metadata.finalizers`.
    pub fn finalizers(&self) -> &[Value] {
        self.metadata().get("finalizers").list()
    }

    /// Whether a finalizer is present.
    pub fn has_finalizer(&self, name: &str) -> bool {
        self.finalizers().iter().any(|f| f.as_str() == name)
    }

    /// `metadata.ownerReferences`.
    pub fn owner_references(&self) -> &[Value] {
        self.metadata().get("ownerReferences").list()
    }

    /// The owner reference that says `controller: true`.
    pub fn controller(&self) -> Option<&Value> {
        self.owner_references()
            .iter()
            .find(|owner| owner.get("controller").as_bool() == Some(true))
    }

    /// Whether the controlling owner is the object of this uid.
    pub fn is_controlled_by(&self, uid: &str) -> bool {
        self.controller()
            .is_some_and(|owner| owner.str("uid") == uid)
    }

    /// A reference to this object as the controlling owner, as `metav1.NewControllerRef` makes it.
    pub fn controller_ref(&self) -> Value {
        object! {
            "apiVersion": self.get("apiVersion"),
            "kind": self.get("kind"),
            "name": self.metadata().get("name"),
            "uid": self.metadata().get("uid"),
            "controller": true,
            "blockOwnerDeletion": true,
        }
    }

    /// Makes `owner` the only owner, controlling.
    pub fn set_owner(&mut self, owner: &Value) {
        self.set("metadata.ownerReferences", vec![owner.controller_ref()]);
    }
}

#[cfg(test)]
mod tests {
    use crate::object;

    #[test]
    fn metadata() {
        let owner = object! {
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": { "name": "rs", "namespace": "ns", "uid": "u1", "generation": 2 },
        };
        let mut pod = object! { "metadata": { "name": "p", "labels": { "app": "web" } } };
        pod.set_owner(&owner);
        pod.set_annotation("a/b", "c");
        assert_eq!(owner.key(), "ns/rs");
        assert_eq!(owner.api_group(), "apps");
        assert_eq!(owner.generation(), 2);
        assert_eq!(pod.key(), "p");
        assert_eq!(pod.label("app"), "web");
        assert_eq!(pod.annotation("a/b"), "c");
        assert!(pod.is_controlled_by("u1"));
        assert_eq!(pod.controller().map(|c| c.str("kind")), Some("ReplicaSet"));
        assert!(!pod.is_terminating());
    }
}
