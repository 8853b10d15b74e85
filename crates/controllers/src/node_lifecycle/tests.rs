use super::*;
use crate::testing::{Bench, check};

const GRACE: u64 = 50;

fn bench() -> Bench {
    let grace = Duration::from_secs(GRACE);
    let mut bench = Bench::new(vec![Box::new(NodeLifecycleController::new(grace))]);
    for name in ["node01", "node02", "node03"] {
        let ready = object! { "type": "Ready", "status": "True", "lastHeartbeatTime": "t0" };
        bench.put(
            &NODES,
            object! {
                "metadata": { "name": name }, "status": { "conditions": [ready] },
            },
        );
    }
    bench.put(
        &PODS,
        object! {
            "metadata": { "name": "p", "namespace": "default" }, "spec": { "nodeName": "node02" },
        },
    );
    bench.make_ready("p");
    bench
}

/// Lets time pass, during which these nodes renew their leases each ten seconds.
fn pass(bench: &mut Bench, secs: u64, alive: &[&str]) {
    for _ in 0..secs / 10 {
        for name in alive {
            let renewal = bench.now.rfc3339_micro();
            bench.put(
                &LEASES,
                object! {
                    "metadata": { "name": *name, "namespace": "kube-node-lease" },
                    "spec": { "renewTime": renewal },
                },
            );
        }
        bench.pass_secs(10);
    }
}

fn ready(bench: &Bench, name: &str) -> String {
    nodes::ready_status(&bench.get(&NODES, "", name)).to_owned()
}

/// `key:effect` of a node's taints.
fn taints(bench: &Bench, name: &str) -> Vec<String> {
    let node = bench.get(&NODES, "", name);
    let taints = node.list_at("spec.taints").iter();
    let told = taints.map(|taint| {
        let key = taint.str("key").trim_start_matches("node.kubernetes.io/");
        format!("{key}:{}", taint.str("effect"))
    });
    told.collect()
}

#[test]
fn a_silent_node_is_unknown_after_the_grace_period() {
    let mut bench = bench();
    check(
        &bench.events()[..1],
        "Normal RegisteredNode Node node01 event: Registered Node node01 in Controller",
    );
    let others = ["node01", "node03"];
    pass(&mut bench, 50, &others);
    assert_eq!(ready(&bench, "node02"), "True");
    pass(&mut bench, 10, &others);
    assert_eq!(
        [ready(&bench, "node01"), ready(&bench, "node02")],
        ["True", "Unknown"]
    );
    let node = bench.get(&NODES, "", "node02");
    let condition = pods::condition(&node, "Ready").unwrap();
    assert_eq!(condition.str("reason"), "NodeStatusUnknown");
    assert_eq!(
        condition.str("message"),
        "Kubelet stopped posting node status."
    );
    let never = pods::condition(&node, "PIDPressure").unwrap();
    assert_eq!(never.str("reason"), "NodeStatusNeverUpdated");
    assert_eq!(
        taints(&bench, "node02"),
        ["unreachable:NoSchedule", "unreachable:NoExecute"]
    );
    assert!(!pods::is_ready(&bench.get(&PODS, "default", "p")));
    check(
        &bench.events(),
        "Normal NodeNotReady Node node02 status is now: NodeNotReady
         Warning NodeNotReady Node is not ready",
    );

    bench.change(&NODES, ("", "node02"), |node| {
        let ready = object! { "type": "Ready", "status": "True", "lastHeartbeatTime": "t1" };
        node.set("status.conditions", vec![ready]);
    });
    assert!(taints(&bench, "node02").is_empty(), "it is back");
}

#[test]
fn a_cordoned_node_is_tainted() {
    let mut bench = bench();
    bench.change(&NODES, ("", "node01"), |node| {
        node.set("spec.unschedulable", true)
    });
    assert_eq!(taints(&bench, "node01"), ["unschedulable:NoSchedule"]);
    bench.change(&NODES, ("", "node01"), |node| {
        drop(node.remove("spec.unschedulable"))
    });
    assert!(taints(&bench, "node01").is_empty());
}

#[test]
fn nothing_is_evicted_when_everything_is_silent() {
    let mut bench = bench();
    pass(&mut bench, 80, &[]);
    for name in ["node01", "node02", "node03"] {
        assert_eq!(ready(&bench, name), "Unknown");
        assert_eq!(taints(&bench, name), ["unreachable:NoSchedule"]);
    }
}

#[test]
fn nodes_are_emptied_one_after_another() {
    let mut bench = bench();
    let emptied = |bench: &Bench| {
        ["node02", "node03"]
            .iter()
            .filter(|n| taints(bench, n).len() == 2)
            .count()
    };
    pass(&mut bench, 50, &["node01"]);
    bench.pass_secs(5);
    assert_eq!(emptied(&bench), 1);
    bench.pass_secs(10);
    assert_eq!(emptied(&bench), 2);
}

#[test]
fn a_node_that_is_gone_is_told() {
    let mut bench = bench();
    bench.events();
    bench.delete(&NODES, "", "node03");
    check(
        &bench.events(),
        "Normal RemovingNode Node node03 event: Removing Node node03 from Controller",
    );
}
