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
