use client::{DEPLOYMENTS, PODS, REPLICA_SETS};

use super::*;
use crate::testing::{Bench, check};

fn bench() -> Bench {
    let resources = vec![DEPLOYMENTS, REPLICA_SETS, PODS];
    Bench::new(vec![Box::new(GarbageCollector::new(resources))])
}

/// An object with owners, each `resource name`; a leading `!` means that it blocks them.
fn owned(bench: &Bench, name: &str, owners: &[(&Resource, &str)]) -> Value {
    let reference = |(resource, owner): &(&Resource, &str)| {
        let uid = match bench.find(resource, "default", owner) {
            Some(owner) => owner.uid().to_owned(),
            None => format!("gone-{owner}"),
        };
        object! {
            "apiVersion": &*resource.api_version, "kind": &*resource.kind, "name": *owner,
            "uid": uid, "blockOwnerDeletion": true,
        }
    };
    let owners: Vec<Value> = owners.iter().map(reference).collect();
    let mut object = object! { "metadata": { "name": name, "namespace": "default" } };
    object.set_or_remove("metadata.ownerReferences", owners);
    object
}

/// A Deployment, its ReplicaSet, and a pod of that.
fn family() -> Bench {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, owned(&bench, "d", &[]));
    bench.put(&REPLICA_SETS, owned(&bench, "rs", &[(&DEPLOYMENTS, "d")]));
    bench.put(&PODS, owned(&bench, "p", &[(&REPLICA_SETS, "rs")]));
    assert!(bench.writes().is_empty());
    bench
}

fn delete_with(bench: &mut Bench, finalizer: &str) {
    let now = bench.now.rfc3339();
    bench.change(&DEPLOYMENTS, ("default", "d"), |d| {
        d.set("metadata.finalizers", vec![finalizer]);
        d.set("metadata.deletionTimestamp", now);
    });
}

#[test]
fn background_deletion_goes_from_owner_to_dependents() {
    let mut bench = family();
    bench.delete(&DEPLOYMENTS, "default", "d");
    assert!(bench.find(&REPLICA_SETS, "default", "rs").is_none());
    assert!(bench.find(&PODS, "default", "p").is_none());
}

#[test]
fn foreground_deletion_goes_from_dependents_to_owner() {
    let mut bench = family();
    bench.change(&PODS, ("default", "p"), |pod| {
        pod.set("spec.nodeName", "node01")
    });
    bench.writes();
    delete_with(&mut bench, FOREGROUND);
    assert!(
        bench
            .get(&REPLICA_SETS, "default", "rs")
            .has_finalizer(FOREGROUND)
    );
    assert!(bench.get(&PODS, "default", "p").is_terminating());
    bench.writes();
    bench.vanish(&PODS, "default", "p");
    assert!(bench.find(&REPLICA_SETS, "default", "rs").is_none());
    assert!(bench.find(&DEPLOYMENTS, "default", "d").is_none());
    check(&bench.writes(), "PATCH replicasets rs\nPATCH deployments d");
}

#[test]
fn orphans_lose_their_owner_and_stay() {
    let mut bench = family();
    delete_with(&mut bench, ORPHAN);
    assert!(bench.find(&DEPLOYMENTS, "default", "d").is_none());
    assert!(
        bench
            .get(&REPLICA_SETS, "default", "rs")
            .owner_references()
            .is_empty()
    );
    assert!(bench.find(&PODS, "default", "p").is_some());
}

#[test]
fn an_owner_that_never_was_is_asked_for() {
    let mut bench = bench();
    bench.put(&PODS, owned(&bench, "p", &[(&REPLICA_SETS, "ghost")]));
    assert!(bench.find(&PODS, "default", "p").is_none());
}

#[test]
fn an_owner_of_an_unknown_kind_is_left_alone() {
    let mut bench = bench();
    let strange = Resource::fixed("example.com/v1", "things", "Thing", true);
    bench.put(&PODS, owned(&bench, "p", &[(&strange, "x")]));
    assert!(bench.find(&PODS, "default", "p").is_some());
}

#[test]
fn one_owner_of_two_is_enough() {
    let mut bench = bench();
    bench.put(&REPLICA_SETS, owned(&bench, "a", &[]));
    bench.put(&REPLICA_SETS, owned(&bench, "b", &[]));
    bench.put(
        &PODS,
        owned(&bench, "p", &[(&REPLICA_SETS, "a"), (&REPLICA_SETS, "b")]),
    );
    bench.delete(&REPLICA_SETS, "default", "a");
    let pod = bench.get(&PODS, "default", "p");
    let owners: Vec<&str> = pod
        .owner_references()
        .iter()
        .map(|o| o.str("name"))
        .collect();
    assert_eq!(owners, ["b"]);
    bench.delete(&REPLICA_SETS, "default", "b");
    assert!(bench.find(&PODS, "default", "p").is_none());
}
