use client::{DEPLOYMENTS, PODS, REPLICA_SETS};

use super::*;
use crate::ReplicaSetController;
use crate::testing::{Bench, check};

fn bench() -> Bench {
    Bench::new(vec![
        Box::new(DeploymentController::default()),
        Box::new(ReplicaSetController::default()),
    ])
}

fn deployment(replicas: i64) -> Value {
    object! {
        "metadata": { "name": "web", "namespace": "default", "labels": { "app": "web" } },
        "spec": {
            "replicas": replicas,
            "progressDeadlineSeconds": 600,
            "revisionHistoryLimit": 2,
            "selector": { "matchLabels": { "app": "web" } },
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxSurge": "25%", "maxUnavailable": "25%" },
            },
            "template": {
                "metadata": { "labels": { "app": "web" } },
                "spec": { "containers": [{ "name": "nginx", "image": "nginx:1.25" }] },
            },
        },
    }
}

fn change(bench: &mut Bench, path: &str, value: impl Into<Value>) {
    bench.change(&DEPLOYMENTS, ("default", "web"), |d| d.set(path, value));
}

fn set_image(bench: &mut Bench, image: &str) {
    change(bench, "spec.template.spec.containers.0.image", image);
}

fn get(bench: &Bench) -> Value {
    bench.get(&DEPLOYMENTS, "default", "web")
}

/// `Progressing True NewReplicaSetAvailable message`
fn condition(bench: &Bench, kind: &str) -> String {
    let deployment = get(bench);
    let condition = pods::condition(&deployment, kind)
        .cloned()
        .unwrap_or_default();
    let part = |field: &str| condition.str(field).to_owned();
    format!("{} {} {}", part("status"), part("reason"), part("message"))
}

/// The events of Deployments, with ReplicaSets called by their revision: `up r2 from 0 to 1`.
fn scalings(bench: &mut Bench) -> Vec<String> {
    let sets = bench.list(&REPLICA_SETS);
    let events = bench
        .events()
        .into_iter()
        .filter(|e| e.contains("ScalingReplicaSet"));
    let told = events.map(|event| {
        let text = event
            .replace("Normal ScalingReplicaSet Scaled ", "")
            .replace("replica set ", "");
        sets.iter().fold(text, |text, rs| {
            text.replace(
                rs.name(),
                &format!("r{}", rs.annotation(replica_set::REVISION)),
            )
        })
    });
    told.collect()
}

/// `revision: replicas` of every ReplicaSet, by revision.
fn sets(bench: &Bench) -> Vec<String> {
    let mut sets: Vec<(i64, i64)> = bench
        .list(&REPLICA_SETS)
        .iter()
        .map(|rs| {
            let revision = rs.annotation(replica_set::REVISION).parse().unwrap();
            (revision, rs.i64_at("spec.replicas").unwrap())
        })
        .collect();
    sets.sort_unstable();
    sets.iter()
        .map(|(revision, replicas)| format!("{revision}: {replicas}"))
        .collect()
}

#[test]
fn a_first_rollout() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(3));
    let rs = bench.list(&REPLICA_SETS).remove(0);
    let hash = rs.label("pod-template-hash").to_owned();
    assert_eq!(rs.name(), format!("web-{hash}"));
    assert_eq!(
        rs.str_at("spec.selector.matchLabels.pod-template-hash"),
        hash
    );
    assert_eq!(
        rs.get("metadata").get("annotations"),
        &object! {
            "deployment.kubernetes.io/desired-replicas": "3",
            "deployment.kubernetes.io/max-replicas": "4",
            "deployment.kubernetes.io/revision": "1",
        }
    );
    assert_eq!(bench.list(&PODS).len(), 3);
    assert_eq!(
        get(&bench).annotation("deployment.kubernetes.io/revision"),
        "1"
    );
    check(&scalings(&mut bench), "up r1 from 0 to 3");
    let none = "False MinimumReplicasUnavailable Deployment does not have minimum availability.";
    assert_eq!(condition(&bench, "Available"), none);
    let progress = condition(&bench, "Progressing");
    assert_eq!(
        progress,
        format!("True ReplicaSetUpdated ReplicaSet \"web-{hash}\" is progressing.")
    );

    bench.run_pods();
    assert_eq!(
        condition(&bench, "Available"),
        "True MinimumReplicasAvailable Deployment has minimum availability."
    );
    assert_eq!(
        condition(&bench, "Progressing"),
        format!(
            "True NewReplicaSetAvailable ReplicaSet \"web-{hash}\" has successfully progressed."
        )
    );
    let mut status = get(&bench).get("status").clone();
    status.remove("conditions");
    assert_eq!(
        status,
        object! {
            "observedGeneration": 1, "replicas": 3, "updatedReplicas": 3, "readyReplicas": 3,
            "availableReplicas": 3, "terminatingReplicas": 0,
        }
    );
}

#[test]
fn a_rolling_update_goes_step_by_step() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(3));
    bench.run_pods();
    bench.events();
    set_image(&mut bench, "nginx:1.26");
    bench.run_pods();
    check(
        &scalings(&mut bench),
        "up r2 from 0 to 1
         down r1 from 3 to 2
         up r2 from 1 to 2
         down r1 from 2 to 1
         up r2 from 2 to 3
         down r1 from 1 to 0",
    );
    assert_eq!(sets(&bench), ["1: 0", "2: 3"]);
    assert_eq!(
        get(&bench).annotation("deployment.kubernetes.io/revision"),
        "2"
    );
}

#[test]
fn going_back_gives_the_old_set_a_new_revision() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(1));
    set_image(&mut bench, "nginx:1.26");
    bench.run_pods();
    set_image(&mut bench, "nginx:1.25");
    bench.run_pods();
    assert_eq!(sets(&bench), ["2: 0", "3: 1"]);
    let sets = bench.list(&REPLICA_SETS);
    let back = sets
        .iter()
        .find(|rs| rs.annotation(replica_set::REVISION) == "3")
        .unwrap();
    assert_eq!(
        back.annotation("deployment.kubernetes.io/revision-history"),
        "1"
    );
}

#[test]
fn a_stuck_rollout_keeps_the_old_pods_and_times_out() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(3));
    bench.run_pods();
    change(&mut bench, "spec.progressDeadlineSeconds", 10);
    set_image(&mut bench, "nginx:does-not-exist");
    bench.pass_secs(9);
    assert!(condition(&bench, "Progressing").starts_with("True ReplicaSetUpdated"));
    bench.pass_secs(5);
    let progress = condition(&bench, "Progressing");
    assert!(
        progress.starts_with("False ProgressDeadlineExceeded ReplicaSet \"web-"),
        "{progress}"
    );
    assert!(
        progress.ends_with("\" has timed out progressing."),
        "{progress}"
    );
    assert_eq!(sets(&bench), ["1: 3", "2: 1"]);
    assert!(condition(&bench, "Available").starts_with("True"));
    assert_eq!(get(&bench).i64_at("status.unavailableReplicas"), Some(1));

    set_image(&mut bench, "nginx:1.25");
    bench.pass_secs(1);
    bench.run_pods();
    assert!(condition(&bench, "Progressing").starts_with("True NewReplicaSetAvailable"));
    assert_eq!(sets(&bench), ["2: 0", "3: 3"]);
}

#[test]
fn history_is_cut() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(1));
    for image in ["b", "c", "d", "e"] {
        set_image(&mut bench, image);
        bench.run_pods();
    }
    assert_eq!(sets(&bench), ["3: 0", "4: 0", "5: 1"]);
}

#[test]
fn recreate_takes_all_down_first() {
    let mut bench = bench();
    let mut d = deployment(2);
    d.set("spec.strategy", object! { "type": "Recreate" });
    bench.put(&DEPLOYMENTS, d);
    bench.run_pods();
    bench.events();
    set_image(&mut bench, "nginx:1.28");
    assert_eq!(sets(&bench), ["1: 0"], "it waits for the pods to go");
    assert!(bench.list(&PODS).iter().all(Value::is_terminating));
    bench.run_pods();
    assert_eq!(sets(&bench), ["1: 0", "2: 2"]);
    check(
        &scalings(&mut bench),
        "down r1 from 2 to 0\nup r2 from 0 to 2",
    );
}

#[test]
fn a_pause_holds_the_template_but_not_the_scale() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(2));
    bench.run_pods();
    change(&mut bench, "spec.paused", true);
    assert_eq!(
        condition(&bench, "Progressing"),
        "Unknown DeploymentPaused Deployment is paused"
    );
    set_image(&mut bench, "nginx:1.27");
    change(&mut bench, "spec.replicas", 3);
    assert_eq!(sets(&bench), ["1: 3"]);
    assert_eq!(get(&bench).i64_at("status.updatedReplicas"), None);
    change(&mut bench, "spec.paused", false);
    bench.run_pods();
    assert_eq!(sets(&bench), ["1: 0", "2: 3"]);
}

#[test]
fn scaling_in_a_rollout_is_shared_out() {
    let mut bench = bench();
    let mut d = deployment(10);
    d.set(
        "spec.strategy.rollingUpdate",
        object! { "maxSurge": 3, "maxUnavailable": 2 },
    );
    bench.put(&DEPLOYMENTS, d);
    bench.run_pods();
    set_image(&mut bench, "nginx:1.26");
    assert_eq!(sets(&bench), ["1: 8", "2: 5"]);
    change(&mut bench, "spec.replicas", 15);
    assert_eq!(sets(&bench), ["1: 11", "2: 7"]);
}

#[test]
fn scaling_tells_of_itself() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(2));
    bench.run_pods();
    bench.events();
    change(&mut bench, "spec.replicas", 5);
    change(&mut bench, "spec.replicas", 0);
    check(
        &scalings(&mut bench),
        "up r1 from 2 to 5\ndown r1 from 5 to 0",
    );
    bench.run_pods();
    assert!(bench.list(&PODS).is_empty());
    assert!(condition(&bench, "Available").starts_with("True"));
}

#[test]
fn a_set_that_cannot_be_created_is_told() {
    let mut bench = bench();
    bench.refuse = Some(("replicasets", "no"));
    bench.put(&DEPLOYMENTS, deployment(1));
    bench.pass_secs(1);
    let progress = condition(&bench, "Progressing");
    assert!(progress.starts_with("False ReplicaSetCreateError Failed to create new replica set"));
    assert!(bench.events()[0].starts_with("Warning ReplicaSetCreateError Failed to create new"));
    bench.refuse = None;
    bench.pass_secs(20);
    assert_eq!(sets(&bench), ["1: 1"]);
}

/// A thousand replicas: how often a controller writes depends on what changes, not on how many
/// pods there are at each change.
#[test]
fn a_thousand_replicas_cost_what_they_change() {
    let mut bench = bench();
    bench.put(&DEPLOYMENTS, deployment(1000));
    assert_eq!(bench.list(&PODS).len(), 1000);
    let writes = bench.writes();
    let others = writes
        .iter()
        .filter(|w| !w.starts_with("POST pods "))
        .count();
    assert!(others < 60, "{others} writes beside the pods");
}
