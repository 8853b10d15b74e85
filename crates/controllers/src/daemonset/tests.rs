use api::object;
use client::{DAEMON_SETS, NODES, PODS};

use super::*;
use crate::testing::{Bench, check};

fn bench(nodes: &[&str]) -> Bench {
    let mut bench = Bench::new(vec![Box::new(DaemonSetController::default())]);
    for name in nodes {
        bench.put(&NODES, object! { "metadata": { "name": *name } });
    }
    bench
}

fn daemon_set() -> Value {
    object! {
        "metadata": { "name": "agent", "namespace": "default" },
        "spec": {
            "selector": { "matchLabels": { "app": "agent" } },
            "updateStrategy": {
                "type": "RollingUpdate",
                "rollingUpdate": { "maxUnavailable": 1, "maxSurge": 0 },
            },
            "template": {
                "metadata": { "labels": { "app": "agent" } },
                "spec": { "containers": [{ "name": "c", "image": "agent:1" }] },
            },
        },
    }
}

/// The pods as `node image ready`, in the order of nodes.
fn pods(bench: &Bench) -> Vec<String> {
    let mut told: Vec<String> = bench
        .list(&PODS)
        .iter()
        .map(|pod| {
            let image = pod.at("spec.containers").item(0).str("image").to_owned();
            let state = match (pod.is_terminating(), crate::pods::is_ready(pod)) {
                (true, _) => "terminating",
                (_, true) => "ready",
                _ => "new",
            };
            format!("{} {image} {state}", pod::target_node(pod))
        })
        .collect();
    told.sort();
    told
}

/// What kubelet and scheduler do, once: what is terminating goes, the others become ready.
fn run(bench: &mut Bench) {
    for pod in bench.list(&PODS) {
        if pod.is_terminating() {
            bench.vanish(&PODS, "default", pod.name());
        }
    }
    for pod in bench.list(&PODS) {
        if !crate::pods::is_ready(&pod) {
            let node = pod::target_node(&pod).to_owned();
            bench.change(&PODS, ("default", pod.name()), |pod| {
                pod.set("spec.nodeName", node);
            });
            bench.make_ready(pod.name());
        }
    }
}

#[test]
fn every_node_gets_a_pod() {
    let mut bench = bench(&["node01", "node02"]);
    bench.put(&DAEMON_SETS, daemon_set());
    check(
        &bench.events(),
        "Normal SuccessfulCreate Created pod: agent-00001
         Normal SuccessfulCreate Created pod: agent-00002",
    );
    check(&pods(&bench), "node01 agent:1 new\nnode02 agent:1 new");
    run(&mut bench);
    bench.put(&NODES, object! { "metadata": { "name": "node03" } });
    check(
        &pods(&bench),
        "node01 agent:1 ready\nnode02 agent:1 ready\nnode03 agent:1 new",
    );
    let set = bench.get(&DAEMON_SETS, "default", "agent");
    assert_eq!(
        *set.get("status"),
        object! {
            "desiredNumberScheduled": 3, "currentNumberScheduled": 3, "updatedNumberScheduled": 3,
            "numberReady": 2, "numberAvailable": 2, "numberUnavailable": 1,
            "numberMisscheduled": 0, "observedGeneration": 1,
        }
    );
}

#[test]
fn pods_name_their_node_and_bear_its_troubles() {
    let mut set = daemon_set();
    set.set("spec.template.spec.hostNetwork", true);
    let everything = object! { "operator": "Exists" };
    set.set("spec.template.spec.tolerations", vec![everything]);
    let pod = pod::on_node(&set, "abc", "node02");
    let told: Vec<String> = pod
        .list_at("spec.tolerations")
        .iter()
        .map(|t| {
            format!("{} {}", t.str("key"), t.str("effect"))
                .trim()
                .to_owned()
        })
        .collect();
    check(
        &told[1..],
        "node.kubernetes.io/not-ready NoExecute
         node.kubernetes.io/unreachable NoExecute
         node.kubernetes.io/disk-pressure NoSchedule
         node.kubernetes.io/memory-pressure NoSchedule
         node.kubernetes.io/pid-pressure NoSchedule
         node.kubernetes.io/unschedulable NoSchedule
         node.kubernetes.io/network-unavailable NoSchedule",
    );
    assert_eq!(pod::target_node(&pod), "node02");
    assert_eq!(pod.label("controller-revision-hash"), "abc");
}

#[test]
fn nodes_that_do_not_fit_are_left_alone() {
    let mut bench = bench(&["node01"]);
    let tainted = |effect: &str| {
        object! {
            "metadata": { "name": "node02" },
            "spec": { "taints": [{ "key": "gpu", "effect": effect }] },
        }
    };
    bench.put(&NODES, tainted("NoSchedule"));
    bench.put(&DAEMON_SETS, daemon_set());
    check(&pods(&bench), "node01 agent:1 new");
    bench.change(&NODES, ("", "node02"), |node| {
        node.remove("spec.taints");
    });
    run(&mut bench);
    check(&pods(&bench), "node01 agent:1 ready\nnode02 agent:1 ready");
    // A taint that keeps pods away lets those stay that are there; one that evicts does not.
    bench.put(&NODES, tainted("NoSchedule"));
    check(&pods(&bench), "node01 agent:1 ready\nnode02 agent:1 ready");
    let set = bench.get(&DAEMON_SETS, "default", "agent");
    assert_eq!(set.i64_at("status.numberMisscheduled"), Some(1));
    bench.put(&NODES, tainted("NoExecute"));
    check(
        &pods(&bench),
        "node01 agent:1 ready\nnode02 agent:1 terminating",
    );
}

#[test]
fn an_update_goes_node_by_node() {
    let mut bench = bench(&["node01", "node02", "node03"]);
    bench.put(&DAEMON_SETS, daemon_set());
    run(&mut bench);
    bench.events();
    let image = "agent:2";
    bench.change(&DAEMON_SETS, ("default", "agent"), |set| {
        let containers = set.list_mut("spec.template.spec.containers");
        containers[0].set("image", image);
    });
    check(
        &pods(&bench),
        "node01 agent:1 terminating\nnode02 agent:1 ready\nnode03 agent:1 ready",
    );
    let mut steps = Vec::new();
    for _ in 0..4 {
        run(&mut bench);
        let all = pods(&bench);
        let new = all.iter().filter(|pod| pod.contains("agent:2")).count();
        let ready = all.iter().filter(|pod| pod.ends_with("ready")).count();
        steps.push((new, ready));
    }
    assert_eq!(steps, [(1, 2), (2, 2), (3, 3), (3, 3)]);
}

#[test]
fn an_update_with_surge_brings_the_new_pod_first() {
    let mut bench = bench(&["node01", "node02"]);
    let mut set = daemon_set();
    let rolling = object! { "maxUnavailable": 0, "maxSurge": 1 };
    set.set("spec.updateStrategy.rollingUpdate", rolling);
    bench.put(&DAEMON_SETS, set);
    run(&mut bench);
    bench.change(&DAEMON_SETS, ("default", "agent"), |set| {
        let containers = set.list_mut("spec.template.spec.containers");
        containers[0].set("image", "agent:2");
    });
    check(
        &pods(&bench),
        "node01 agent:1 ready\nnode01 agent:2 new\nnode02 agent:1 ready",
    );
    run(&mut bench);
    check(
        &pods(&bench),
        "node01 agent:1 terminating
         node01 agent:2 ready
         node02 agent:1 ready
         node02 agent:2 new",
    );
}

#[test]
fn failed_pods_are_replaced_with_growing_pauses() {
    let mut bench = bench(&["node01"]);
    bench.put(&DAEMON_SETS, daemon_set());
    let fail = |bench: &mut Bench| {
        let pods = bench.list(&PODS);
        let pod = pods.iter().find(|pod| !pod.is_terminating());
        let name = pod.expect("one is there").name().to_owned();
        bench.change(&PODS, ("default", &name), |pod| {
            pod.set("spec.nodeName", "node01");
            pod.set("status.phase", "Failed");
        });
    };
    let gone = |bench: &mut Bench| {
        let events = bench.events();
        events.iter().any(|event| event.contains("FailedDaemonPod"))
    };
    fail(&mut bench);
    assert!(gone(&mut bench), "the first at once");
    run(&mut bench);
    fail(&mut bench);
    assert!(!gone(&mut bench), "the second not yet");
    bench.pass_secs(1);
    assert!(gone(&mut bench));
}

#[test]
fn going_back_replaces_only_what_had_changed() {
    let mut bench = bench(&["n1", "n2"]);
    bench.put(&DAEMON_SETS, daemon_set());
    run(&mut bench);
    let image = |bench: &mut Bench, image: &str| {
        bench.change(&DAEMON_SETS, ("default", "agent"), |set| {
            set.list_mut("spec.template.spec.containers")[0].set("image", image);
        });
    };
    let old = bench.list(&CONTROLLER_REVISIONS);
    assert_eq!(old.len(), 1);
    image(&mut bench, "agent:2");
    // The first is on its way out, the second still what it was.
    let kept: Vec<Value> = bench.list(&PODS);
    let kept = kept.iter().find(|pod| !pod.is_terminating());
    let kept = kept.map(|pod| pod.uid().to_owned()).expect("a pod");
    image(&mut bench, "agent:1");
    for _ in 0..4 {
        run(&mut bench);
    }
    let images = pods(&bench);
    assert_eq!(images, ["n1 agent:1 ready", "n2 agent:1 ready"]);
    assert!(bench.list(&PODS).iter().any(|pod| pod.uid() == kept));
    let revisions = bench.list(&CONTROLLER_REVISIONS);
    let mut numbers: Vec<Option<i64>> = revisions.iter().map(|r| r.i64_at("revision")).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, [Some(2), Some(3)]);
    let first = bench.get(&CONTROLLER_REVISIONS, "default", old[0].name());
    assert_eq!(first.i64_at("revision"), Some(3));
}
