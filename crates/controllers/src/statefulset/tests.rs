use api::object;

use super::*;
use crate::testing::{Bench, check};

fn bench(replicas: i64) -> Bench {
    let mut bench = Bench::new(vec![Box::new(StatefulSetController::default())]);
    bench.put(
        &STATEFUL_SETS,
        object! {
            "metadata": { "name": "db", "namespace": "default" },
            "spec": {
                "replicas": replicas,
                "selector": { "matchLabels": { "app": "db" } },
                "podManagementPolicy": "OrderedReady",
                "updateStrategy": { "type": "RollingUpdate", "rollingUpdate": { "partition": 0 } },
                "template": {
                    "metadata": { "labels": { "app": "db" } },
                    "spec": { "containers": [{ "name": "c", "image": "db:1" }] },
                },
            },
        },
    );
    bench
}

fn names(bench: &Bench) -> Vec<String> {
    let pods = bench.list(&PODS);
    let shown = pods.iter().map(|pod| {
        let image = pod.at("spec.containers").item(0).str("image").to_owned();
        format!("{} {image}", pod.name())
    });
    shown.collect()
}

#[test]
fn pods_come_one_after_the_other_and_go_from_the_end() {
    let mut bench = bench(2);
    check(&names(&bench), "db-0 db:1");
    bench.make_ready("db-0");
    check(&names(&bench), "db-0 db:1\ndb-1 db:1");
    bench.make_ready("db-1");
    bench.change(&STATEFUL_SETS, ("default", "db"), |set| {
        set.set("spec.replicas", 0)
    });
    let gone = |bench: &Bench, name: &str| {
        bench
            .find(&PODS, "default", name)
            .is_none_or(|pod| pod.is_terminating())
    };
    assert!(gone(&bench, "db-1") && !gone(&bench, "db-0"));
    bench.vanish(&PODS, "default", "db-1");
    assert!(gone(&bench, "db-0"));
}

#[test]
fn an_update_begins_with_the_last() {
    let mut bench = bench(2);
    bench.make_ready("db-0");
    bench.make_ready("db-1");
    bench.change(&STATEFUL_SETS, ("default", "db"), |set| {
        set.list_mut("spec.template.spec.containers")[0].set("image", "db:2");
    });
    bench.vanish(&PODS, "default", "db-1");
    check(&names(&bench), "db-0 db:1\ndb-1 db:2");
    bench.make_ready("db-1");
    bench.vanish(&PODS, "default", "db-0");
    bench.make_ready("db-0");
    check(&names(&bench), "db-0 db:2\ndb-1 db:2");
    let set = bench.get(&STATEFUL_SETS, "default", "db");
    assert_eq!(
        set.str_at("status.currentRevision"),
        set.str_at("status.updateRevision")
    );
    assert_eq!(bench.list(&CONTROLLER_REVISIONS).len(), 2);
}

#[test]
fn several_pods_may_be_missing_in_an_update() {
    let mut bench = bench(4);
    bench.run_pods();
    bench.change(&STATEFUL_SETS, ("default", "db"), |set| {
        let rolling = "spec.updateStrategy.rollingUpdate";
        set.set(&format!("{rolling}.maxUnavailable"), 2);
        set.set(&format!("{rolling}.partition"), 1);
        set.list_mut("spec.template.spec.containers")[0].set("image", "db:2");
    });
    let going = bench.list(&PODS).into_iter().filter(Value::is_terminating);
    let going: Vec<String> = going.map(|pod| pod.name().to_owned()).collect();
    assert_eq!(going, ["db-2", "db-3"]);
    bench.run_pods();
    check(&names(&bench), "db-0 db:1\ndb-1 db:2\ndb-2 db:2\ndb-3 db:2");
}

#[test]
fn a_pod_that_failed_is_made_anew() {
    let mut bench = bench(1);
    bench.events();
    bench.change(&PODS, ("default", "db-0"), |pod| {
        pod.set("status.phase", "Failed")
    });
    check(
        &bench.events(),
        "Warning RecreatingFailedPod StatefulSet default/db is recreating failed Pod db-0
         Normal SuccessfulDelete Delete Pod db-0 in StatefulSet db successful
         Normal SuccessfulCreate Create Pod db-0 in StatefulSet db successful",
    );
}

/// The owners of a claim: `StatefulSet/db`.
fn owners(bench: &Bench, claim: &str) -> Vec<String> {
    let claim = bench.get(&PERSISTENT_VOLUME_CLAIMS, "default", claim);
    let owners = claim.list_at("metadata.ownerReferences").iter();
    let shown = owners.map(|owner| format!("{}/{}", owner.str("kind"), owner.str("name")));
    shown.collect()
}

#[test]
fn claims_belong_to_whom_they_go_with() {
    let mut bench = bench(2);
    bench.run_pods();
    bench.change(&STATEFUL_SETS, ("default", "db"), |set| {
        let claim = object! { "metadata": { "name": "data" } };
        set.set("spec.volumeClaimTemplates", vec![claim]);
        let retention = object! { "whenDeleted": "Delete", "whenScaled": "Delete" };
        set.set("spec.persistentVolumeClaimRetentionPolicy", retention);
    });
    for name in ["db-0", "db-1"] {
        bench.delete(&PODS, "default", name);
    }
    bench.run_pods();
    assert_eq!(owners(&bench, "data-db-1"), ["StatefulSet/db"]);
    bench.change(&STATEFUL_SETS, ("default", "db"), |set| {
        set.set("spec.replicas", 1);
    });
    assert_eq!(owners(&bench, "data-db-1"), ["Pod/db-1"]);
    assert_eq!(owners(&bench, "data-db-0"), ["StatefulSet/db"]);
    bench.change(&STATEFUL_SETS, ("default", "db"), |set| {
        let retention = object! { "whenDeleted": "Retain", "whenScaled": "Retain" };
        set.set("spec.persistentVolumeClaimRetentionPolicy", retention);
    });
    assert_eq!(owners(&bench, "data-db-0"), Vec::<String>::new());
}
