//! Who owns an object, beyond its controller.
//!
//! Models k8s.io/apimachinery/pkg/apis/meta/v1/controller_ref.go.

use crate::{Value, object};

/// A reference to `owner` that says nothing of control: its dependents go when it goes.
pub fn plain_ref(owner: &Value) -> Value {
    object! {
        "apiVersion": owner.get("apiVersion"),
        "kind": owner.get("kind"),
        "name": owner.metadata().get("name"),
        "uid": owner.metadata().get("uid"),
    }
}

/// Whether any owner has this uid.
pub fn is_owned_by(object: &Value, uid: &str) -> bool {
    object
        .owner_references()
        .iter()
        .any(|owner| owner.str("uid") == uid)
}

/// Adds an owner, or replaces the reference to it that is there.
pub fn add(object: &mut Value, reference: Value) {
    let owners = object.list_mut("metadata.ownerReferences");
    match owners
        .iter_mut()
        .find(|o| o.str("uid") == reference.str("uid"))
    {
        Some(place) => *place = reference,
        None => owners.push(reference),
    }
}

/// Takes out the owner of this uid. Returns whether it was there.
pub fn remove(object: &mut Value, uid: &str) -> bool {
    if !is_owned_by(object, uid) {
        return false;
    }
    let owners = object.list_mut("metadata.ownerReferences");
    owners.retain(|owner| owner.str("uid") != uid);
    if owners.is_empty() {
        object.remove("metadata.ownerReferences");
    }
    true
}

/// Whether the controller is of this kind, `DaemonSet` of `apps`.
pub fn controller_is(object: &Value, group: &str, kind: &str) -> bool {
    object
        .controller()
        .is_some_and(|owner| owner.kind() == kind && owner.api_group() == group)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_come_and_go() {
        let owner = object! {
            "apiVersion": "apps/v1", "kind": "ReplicaSet",
            "metadata": { "name": "rs", "uid": "u1" },
        };
        let mut pod = object! { "metadata": { "name": "p" } };
        add(&mut pod, plain_ref(&owner));
        add(&mut pod, owner.controller_ref());
        assert_eq!(pod.owner_references().len(), 1);
        assert!(controller_is(&pod, "apps", "ReplicaSet") && is_owned_by(&pod, "u1"));
        assert!(remove(&mut pod, "u1") && !remove(&mut pod, "u1"));
        assert_eq!(pod, object! { "metadata": { "name": "p" } });
    }
}
