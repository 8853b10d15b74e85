use api::{Value, object};
use client::{PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES};

use super::*;
use crate::testing::{Bench, check};

fn bench() -> Bench {
    Bench::new(vec![Box::new(PersistentVolumeController)])
}

fn volume(name: &str, size: &str, path: &str, policy: &str) -> Value {
    object! {
        "apiVersion": "v1", "kind": "PersistentVolume",
        "metadata": { "name": name },
        "spec": {
            "capacity": { "storage": size }, "accessModes": ["ReadWriteOnce"],
            "hostPath": { "path": path }, "storageClassName": "manual",
            "persistentVolumeReclaimPolicy": policy,
        },
        "status": { "phase": "Pending" },
    }
}

fn claim(name: &str, class: &str, size: &str) -> Value {
    object! {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": { "name": name, "namespace": "default" },
        "spec": {
            "accessModes": ["ReadWriteOnce"], "storageClassName": class,
            "resources": { "requests": { "storage": size } },
        },
        "status": { "phase": "Pending" },
    }
}

#[track_caller]
fn phases(bench: &Bench, volume: &str, claim: &str) {
    let phase = |object: Option<Value>| {
        object.map_or(String::new(), |object| {
            object.str_at("status.phase").to_owned()
        })
    };
    assert_eq!(phase(bench.find(&PERSISTENT_VOLUMES, "", "pv1")), volume);
    let found = bench.find(&PERSISTENT_VOLUME_CLAIMS, "default", "data");
    assert_eq!(phase(found), claim);
}

#[test]
fn a_claim_gets_the_volume_that_fits() {
    let mut bench = bench();
    bench.put(
        &PERSISTENT_VOLUMES,
        volume("pv1", "2Gi", "/mnt/1", "Retain"),
    );
    phases(&bench, "Available", "");
    bench.put(&PERSISTENT_VOLUME_CLAIMS, claim("data", "manual", "1Gi"));
    phases(&bench, "Bound", "Bound");
    let claim = bench.get(&PERSISTENT_VOLUME_CLAIMS, "default", "data");
    assert_eq!(claim.str_at("spec.volumeName"), "pv1");
    assert_eq!(claim.str_at("status.capacity.storage"), "2Gi");
    assert_eq!(claim.annotation(BIND_COMPLETED), "yes");
    bench.vanish(&PERSISTENT_VOLUME_CLAIMS, "default", "data");
    phases(&bench, "Released", "");
    bench.change(&PERSISTENT_VOLUMES, ("", "pv1"), |volume| {
        volume.remove("spec.claimRef");
    });
    phases(&bench, "Available", "");
    check(&bench.events(), "");
}

#[test]
fn what_cannot_be_bound_is_told_again_and_again() {
    let mut bench = bench();
    bench.put(&PERSISTENT_VOLUME_CLAIMS, claim("data", "ghost", "1Gi"));
    let text = r#"Warning ProvisioningFailed storageclass.storage.k8s.io "ghost" not found"#;
    check(&bench.events(), text);
    bench.pass_secs(15);
    check(&bench.events(), text);
    bench.change(&PERSISTENT_VOLUME_CLAIMS, ("default", "data"), |claim| {
        claim.set("spec.storageClassName", "");
    });
    let text = "Normal FailedBinding no persistent volumes available for this claim and no \
                storage class is set";
    check(&bench.events(), text);
}

#[test]
fn a_released_volume_is_deleted_where_that_can_be_done() {
    for (path, phase) in [("/tmp/x", ""), ("/mnt/x", "Failed")] {
        let mut bench = bench();
        bench.put(&PERSISTENT_VOLUMES, volume("pv1", "2Gi", path, "Delete"));
        bench.put(&PERSISTENT_VOLUME_CLAIMS, claim("data", "manual", "1Gi"));
        bench.vanish(&PERSISTENT_VOLUME_CLAIMS, "default", "data");
        phases(&bench, phase, "");
    }
}
