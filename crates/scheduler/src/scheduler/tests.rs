use api::object;
use client::Key;

use super::*;
use sim::Duration;

/// Objects in, decisions out.
struct Bench {
    scheduler: Scheduler,
    random: Stream,
    now: Instant,
}

impl Bench {
    /// The usual cluster: a control plane with its taint, and two workers.
    fn new() -> Bench {
        let mut bench = Bench::empty();
        for name in ["controlplane", "node01", "node02"] {
            bench.node(node(name));
        }
        bench
    }

    fn empty() -> Bench {
        let scheduler = Scheduler::default();
        Bench {
            scheduler,
            random: Stream::new(7, "scheduler"),
            now: Instant::ZERO,
        }
    }

    fn node(&mut self, node: Value) {
        let old = None;
        self.scheduler.on_node(
            self.now,
            &Delta {
                key: Key::of(&node),
                old,
                new: Some(node),
            },
        );
    }

    fn pod(&mut self, pod: Value) {
        let delta = Delta {
            key: Key::of(&pod),
            old: None,
            new: Some(pod),
        };
        self.scheduler.on_pod(self.now, &delta);
    }

    fn delete(&mut self, pod: Value) {
        let delta = Delta {
            key: Key::of(&pod),
            old: Some(pod),
            new: None,
        };
        self.scheduler.on_pod(self.now, &delta);
    }

    /// Decides about everything that waits: `pod -> node`, or `pod: why not`.
    fn decide(&mut self) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(decision) = self.scheduler.schedule_one(self.now, &mut self.random) {
            let name = &decision.pod.name;
            told.push(match decision.node() {
                Some(node) => format!("{name} -> {node}"),
                None => format!("{name}: {}", decision.message()),
            });
        }
        told
    }

    fn placed(&mut self) -> Vec<String> {
        let told = self.decide();
        told.iter()
            .map(|line| line.split_once("-> ").map_or("none", |(_, n)| n).to_owned())
            .collect()
    }
}

fn node(name: &str) -> Value {
    let mut node = object! {
        "metadata": { "name": name, "labels": { "kubernetes.io/hostname": name } },
        "status": { "allocatable": { "cpu": "4", "memory": "8Gi", "pods": "110" } },
    };
    if name == "controlplane" {
        let key = "node-role.kubernetes.io/control-plane";
        node.set(
            "spec.taints",
            api::value!([{ "key": key, "effect": "NoSchedule" }]),
        );
    }
    node
}

fn pod(name: &str, spec: Value) -> Value {
    let mut pod = object! {
        "metadata": { "name": name, "namespace": "default", "uid": name, "generation": 1 },
        "spec": spec,
    };
    pod.set("spec.schedulerName", "default-scheduler");
    if pod.at("spec.containers").is_null() {
        pod.set(
            "spec.containers",
            api::value!([{ "name": "c", "image": "nginx" }]),
        );
    }
    pod
}

fn asking(name: &str, resource: &str, amount: &str) -> Value {
    let requests = object! { (resource): amount };
    pod(
        name,
        object! { "containers": [{ "image": "nginx", "resources": { "requests": requests } }] },
    )
}

const NOT_HELPFUL: &str = "no new claims to deallocate, preemption: 0/3 nodes are available: \
                           3 Preemption is not helpful for scheduling.";

/// A pod that fits nowhere in the usual cluster says so in upstream's sentence.
#[track_caller]
fn check_rejected(pod: Value, reasons: &str, preemption: &str) {
    let mut bench = Bench::new();
    let name = pod.name().to_owned();
    bench.pod(pod);
    let expect = format!("{name}: 0/3 nodes are available: {reasons}. {preemption}");
    assert_eq!(bench.decide(), [expect]);
}

#[test]
fn sentences_of_the_reference() {
    let taint = "1 node(s) had untolerated taint(s)";
    let check =
        |pod, reasons: &str| check_rejected(pod, &format!("{taint}, {reasons}"), NOT_HELPFUL);
    check(asking("bigcpu", "cpu", "10"), "2 Insufficient cpu");
    check(asking("bigmem", "memory", "100Gi"), "2 Insufficient memory");
    check(
        asking("gpu", "nvidia.com/gpu", "1"),
        "2 Insufficient nvidia.com/gpu",
    );
    check(
        pod("sel", object! { "nodeSelector": { "disk": "ssd" } }),
        "2 node(s) didn't match Pod's node affinity/selector",
    );
    let term = object! { "topologyKey": "kubernetes.io/hostname", "labelSelector": {
        "matchLabels": { "app": "ghost" },
    } };
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let near = object! { "affinity": { "podAffinity": { (required): [term] } } };
    check(
        pod("podaff", near),
        "2 node(s) didn't match pod affinity rules",
    );
}

#[test]
fn two_things_lacking_are_both_told() {
    let requests = object! { "cpu": "10", "memory": "100Gi" };
    let spec = object! { "containers": [{ "resources": { "requests": requests } }] };
    check_rejected(
        pod("bigboth", spec),
        "1 node(s) had untolerated taint(s), 2 Insufficient cpu, 2 Insufficient memory",
        NOT_HELPFUL,
    );
}

#[test]
fn cordoned_nodes_and_freed_ones() {
    let mut bench = Bench::new();
    for name in ["node01", "node02"] {
        let mut cordoned = node(name);
        cordoned.set("spec.unschedulable", true);
        bench.node(cordoned);
    }
    bench.pod(pod("corded", object! {}));
    let told = bench.decide();
    assert_eq!(
        told,
        [format!(
            "corded: 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) were \
             unschedulable. {NOT_HELPFUL}"
        )]
    );
    assert_eq!(
        bench.scheduler.next_deadline(),
        Some(bench.now + Duration::from_secs(300))
    );
    bench.node(node("node02"));
    assert_eq!(bench.decide(), ["corded -> node02"]);
}

#[test]
fn ports_of_the_node_are_held_once() {
    let mut bench = Bench::new();
    let ports = || {
        let ports = api::value!([{ "containerPort": 80, "hostPort": 8080 }]);
        object! {
            "containers": [{ "ports": ports }], "nodeSelector": { "kubernetes.io/hostname": "node01" },
        }
    };
    bench.pod(pod("one", ports()));
    assert_eq!(bench.decide(), ["one -> node01"]);
    bench.pod(pod("two", ports()));
    assert_eq!(
        bench.decide(),
        [
            "two: 0/3 nodes are available: 1 node(s) didn't have free ports for the requested pod \
          ports, 1 node(s) didn't match Pod's node affinity/selector, 1 node(s) had untolerated \
          taint(s). no new claims to deallocate, preemption: 0/3 nodes are available: 1 No \
          preemption victims found for incoming pod, 2 Preemption is not helpful for scheduling."
        ]
    );
    bench.delete(pod("one", ports()));
    assert_eq!(bench.decide(), ["two -> node01"]);
}

#[test]
fn anti_affinity_and_spread_constraints_bind() {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let labels = || object! { "matchLabels": { "app": "web" } };
    let anti = object! { "affinity": { "podAntiAffinity": { (required): [
        { "topologyKey": "kubernetes.io/hostname", "labelSelector": (labels()) },
    ] } } };
    let spread = object! { "topologySpreadConstraints": [{
        "maxSkew": 1, "topologyKey": "kubernetes.io/hostname",
        "whenUnsatisfiable": "DoNotSchedule", "labelSelector": (labels()),
    }] };
    #[track_caller]
    fn check(spec: &Value, fit: usize, reason: &str) {
        let mut bench = Bench::new();
        for name in ["a", "b", "c", "d"] {
            let mut pod = pod(name, spec.clone());
            pod.set("metadata.labels.app", "web");
            bench.pod(pod);
        }
        let told = bench.decide();
        let placed: Vec<_> = told.iter().filter(|line| line.contains(" -> ")).collect();
        assert_eq!(placed.len(), fit, "{told:?}");
        let expect = format!(
            ": 0/3 nodes are available: 1 node(s) had untolerated taint(s), 2 node(s) didn't match \
             {reason}. no new claims to deallocate, preemption: 0/3 nodes are available: 1 \
             Preemption is not helpful for scheduling, 2 No preemption victims found for incoming \
             pod."
        );
        assert!(told.last().unwrap().ends_with(&expect), "{told:?}");
    }
    check(&anti, 2, "pod anti-affinity rules");
    // The tainted node counts as an empty domain, so one pod a worker is all the skew allows.
    check(&spread, 2, "pod topology spread constraints");
}

#[test]
fn replicas_spread_evenly() {
    let mut bench = Bench::new();
    let selector = object! { "spec": { "selector": { "matchLabels": { "app": "web" } } } };
    let cluster = bench.scheduler.cluster_mut();
    cluster.set_replica_set(&Key::new("default", "web"), Some(&selector));
    for i in 0..8 {
        let mut pod = pod(&format!("web-{i}"), object! {});
        pod.set("metadata.labels.app", "web");
        pod.set(
            "metadata.ownerReferences",
            api::value!([{ "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true }]),
        );
        bench.pod(pod);
    }
    let placed = bench.placed();
    for pair in placed.chunks(2) {
        assert_ne!(pair[0], pair[1], "{placed:?}");
    }
}

#[test]
fn a_toleration_lets_in_and_a_selector_leads() {
    let mut bench = Bench::new();
    let key = "node-role.kubernetes.io/control-plane";
    bench.pod(pod(
        "tol",
        object! {
            "tolerations": [{ "key": key, "effect": "NoSchedule" }],
            "nodeSelector": { "kubernetes.io/hostname": "controlplane" },
        },
    ));
    assert_eq!(bench.decide(), ["tol -> controlplane"]);
}

#[test]
fn soft_taints_repel_but_do_not_forbid() {
    let mut bench = Bench::empty();
    let mut soft = node("node01");
    let taint = api::value!([{ "key": "k", "value": "v", "effect": "PreferNoSchedule" }]);
    soft.set("spec.taints", taint);
    bench.node(soft);
    bench.node(node("node02"));
    bench.pod(pod("a", object! {}));
    assert_eq!(bench.decide(), ["a -> node02"]);
}

#[test]
fn an_assumed_pod_counts_until_its_binding_fails() {
    let mut bench = Bench::empty();
    bench.node(node("node01"));
    bench.pod(asking("a", "cpu", "3"));
    bench.pod(asking("b", "cpu", "3"));
    let told = bench.decide();
    assert_eq!(told[0], "a -> node01");
    assert!(
        told[1].starts_with("b: 0/1 nodes are available: 1 Insufficient cpu."),
        "{told:?}"
    );

    bench.scheduler.bind_failed(bench.now, "a");
    assert_eq!(
        bench.decide(),
        ["b -> node01"],
        "room was made; a waits out its back-off"
    );
    bench.scheduler.bound("b");
    bench.now = bench.now + Duration::from_secs(1);
    assert!(bench.decide()[0].starts_with("a: 0/1 nodes are available: 1 Insufficient cpu."));
}

#[test]
fn a_pod_of_higher_priority_takes_the_place_of_others() {
    let mut bench = Bench::empty();
    bench.node(node("node01"));
    for name in ["low", "lower"] {
        bench.pod(asking(name, "cpu", "2"));
    }
    bench.decide();
    let mut vip = asking("vip", "cpu", "2");
    vip.set("spec.priority", 1000);
    bench.pod(vip);
    let told = "vip: 0/1 nodes are available: 1 Insufficient cpu.";
    assert_eq!(bench.decide(), [told]);
    let decision = bench.scheduler.decision("vip").cloned();
    let Some(Outcome::Unschedulable {
        preemption: Some(preemption),
        ..
    }) = decision.map(|decision| decision.outcome.clone())
    else {
        panic!("room could be made");
    };
    assert_eq!(preemption.victims.len(), 1);
    // Nobody of lower priority gets what was left for it.
    bench.pod(asking("late", "cpu", "2"));
    let mut gone = asking(&preemption.victims[0].1, "cpu", "2");
    gone.set("spec.nodeName", "node01");
    bench.delete(gone);
    assert!(bench.decide().contains(&"vip -> node01".to_owned()));
    assert_eq!(
        bench
            .scheduler
            .cluster()
            .node("node01")
            .map(|node| node.pods.len()),
        Some(2)
    );
}

#[test]
fn without_nodes_there_is_nothing_to_say_of_them() {
    let mut bench = Bench::empty();
    bench.pod(pod("a", object! {}));
    assert_eq!(bench.decide(), ["a: no nodes available to schedule pods"]);
    bench.node(node("node01"));
    assert_eq!(bench.decide(), ["a -> node01"]);
}

#[test]
fn other_schedulers_pods_and_finished_ones_are_left_alone() {
    let mut bench = Bench::new();
    let mut other = pod("other", object! {});
    other.set("spec.schedulerName", "my-sched");
    bench.pod(other);
    let mut done = pod("done", object! { "nodeName": "node01" });
    done.set("status.phase", "Succeeded");
    bench.pod(done);
    assert_eq!(bench.decide(), [""; 0]);
    assert_eq!(
        bench
            .scheduler
            .cluster()
            .node("node01")
            .map(|n| n.pods.len()),
        Some(0)
    );
}

#[test]
fn a_decision_tells_what_every_node_met() {
    let mut bench = Bench::new();
    bench.pod(asking("a", "cpu", "1"));
    bench.decide();
    let decision = bench.scheduler.decision("a").unwrap();
    let verdicts: Vec<_> = decision
        .verdicts
        .iter()
        .map(|v| {
            (
                &*v.node,
                v.rejected.as_ref().map(|(plugin, _)| *plugin),
                v.total > 0,
            )
        })
        .collect();
    assert_eq!(
        verdicts,
        [
            ("controlplane", Some("TaintToleration"), false),
            ("node01", None, true),
            ("node02", None, true),
        ]
    );
    assert!(matches!(decision.outcome, Outcome::Placed { ties: 2, .. }));
    let names: Vec<_> = decision.verdicts[1]
        .scores
        .iter()
        .map(|score| score.plugin)
        .collect();
    assert_eq!(
        names,
        [
            "TaintToleration",
            "NodeResourcesFit",
            "NodeResourcesBalancedAllocation"
        ]
    );
}

/// 1,000 replicas over 12 nodes: the cost of a decision does not grow with the pods there are.
#[test]
fn a_thousand_pods() {
    let mut bench = Bench::empty();
    for i in 0..12 {
        bench.node(node(&format!("node{i:02}")));
    }
    let selector = object! { "spec": { "selector": { "matchLabels": { "app": "web" } } } };
    let cluster = bench.scheduler.cluster_mut();
    cluster.set_replica_set(&Key::new("default", "web"), Some(&selector));
    for i in 0..1000 {
        let mut pod = pod(&format!("web-{i}"), object! {});
        pod.set("metadata.labels.app", "web");
        pod.set(
            "metadata.ownerReferences",
            api::value!([{ "kind": "ReplicaSet", "name": "web", "uid": "u", "controller": true }]),
        );
        bench.pod(pod);
    }
    let placed = bench.placed();
    assert!(placed.iter().all(|node| node != "none"));
    for i in 0..12 {
        let name = format!("node{i:02}");
        let here = placed.iter().filter(|node| **node == name).count();
        assert!((82..=85).contains(&here), "{name} has {here}");
    }
}
