//! What stands where in the picture: pods to machines, namespaces and owners. Knows no browser.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::protocol::{Machine, Owner, Picture, Pod, PodState};

/// More pods of one's own on a machine than this are drawn small.
const ROOMY: usize = 16;

/// The parts of a control plane's machine.
const CONTROL_PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// The picture, arranged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scene {
    /// Pods no machine was chosen for.
    pub tray: Vec<Tile>,
    /// Machines: control plane first, then by name.
    pub machines: Vec<Tank>,
}

/// A machine and what it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tank {
    /// The machine.
    pub machine: Rc<Machine>,
    /// Groups of pods that people made.
    pub groups: Vec<Group>,
    /// The cluster's own pods.
    pub system: Vec<Tile>,
    /// Parts of the control plane that have no pod and do not run.
    pub missing: Vec<String>,
    /// Pods that a drain takes away: how many leave, and how many are still to be asked to.
    pub drain: (usize, usize),
    /// Pods are drawn small.
    pub dense: bool,
    /// How many pods it holds in all.
    pub count: usize,
}

/// Pods of one owner, or pods of one namespace that have none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// The namespace.
    pub namespace: String,
    /// The owner.
    pub owner: Option<Owner>,
    /// The pods, oldest name first.
    pub tiles: Vec<Tile>,
}

/// A pod and the short name on its tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tile {
    /// The pod.
    pub pod: Rc<Pod>,
    /// What the group's heading does not say of its name.
    pub label: String,
    /// The part of the cluster it is.
    pub part: Option<Part>,
    /// The API server believes that it runs, and its process is not there.
    pub down: bool,
}

/// A part of the cluster that has a sign of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// etcd.
    Etcd,
    /// kube-apiserver.
    ApiServer,
    /// kube-scheduler.
    Scheduler,
    /// kube-controller-manager.
    Controllers,
    /// CoreDNS.
    Dns,
    /// kube-proxy.
    Proxy,
}

impl Group {
    /// `3 Running, 1 Pending`, in order of how many.
    pub fn sum(&self) -> String {
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for tile in &self.tiles {
            *counts.entry(tile.pod.status.as_str()).or_default() += 1;
        }
        let mut counts: Vec<(&str, usize)> = counts.into_iter().collect();
        counts.sort_by_key(|(status, count)| (usize::MAX - count, *status));
        let words = counts
            .iter()
            .map(|(status, count)| format!("{count} {status}"));
        words.collect::<Vec<_>>().join(", ")
    }
}

/// Whether a namespace is the cluster's own.
pub fn is_system(namespace: &str) -> bool {
    namespace.starts_with("kube-")
}

/// Arranges a picture.
pub fn arrange(picture: &Picture) -> Scene {
    let mut on: BTreeMap<&str, Vec<&Rc<Pod>>> = BTreeMap::new();
    let mut tray = Vec::new();
    for pod in picture.pods.values() {
        match pod
            .node
            .as_deref()
            .filter(|node| picture.machines.contains_key(*node))
        {
            Some(node) => on.entry(node).or_default().push(pod),
            None => tray.push(Tile {
                pod: pod.clone(),
                label: pod.name.clone(),
                part: None,
                down: false,
            }),
        }
    }
    tray.sort_by(|a, b| order(&a.pod).cmp(&order(&b.pod)));
    let mut machines: Vec<Tank> = picture
        .machines
        .values()
        .map(|machine| {
            tank(
                machine,
                on.remove(machine.name.as_str()).unwrap_or_default(),
            )
        })
        .collect();
    machines.sort_by_key(|tank| tank.machine.role != "control-plane");
    Scene { tray, machines }
}

fn order(pod: &Pod) -> (&str, &str) {
    (&pod.namespace, &pod.name)
}

fn tank(machine: &Rc<Machine>, mut pods: Vec<&Rc<Pod>>) -> Tank {
    pods.sort_by(|a, b| order(a).cmp(&order(b)));
    let count = pods.len();
    let drain = drained(&pods);
    let (system, own): (Vec<_>, Vec<_>) = pods.into_iter().partition(|p| is_system(&p.namespace));
    let dense = own.len() > ROOMY;
    let is_down = |name: &str| {
        let mut parts = machine.components.iter();
        parts.any(|part| part.name == name && part.started.is_none())
    };
    let tile = |pod| {
        let tile = system_tile(pod);
        let down = tile.pod.state == PodState::Running && is_down(&tile.label);
        Tile { down, ..tile }
    };
    let mut system: Vec<Tile> = system.into_iter().map(tile).collect();
    let has_tile = |name: &str| system.iter().any(|tile| tile.label == name);
    let missing = CONTROL_PLANE.into_iter().filter(|name| is_down(name));
    let missing = missing.filter(|name| !has_tile(name)).map(str::to_owned);
    let missing = missing.collect();
    system.sort_by(|a, b| {
        (a.part.is_none(), a.part, &a.label).cmp(&(b.part.is_none(), b.part, &b.label))
    });
    Tank {
        machine: machine.clone(),
        groups: groups(own),
        system,
        missing,
        drain,
        dense,
        count,
    }
}

/// Of the pods that `kubectl drain` takes away, how many leave and how many do not yet.
fn drained(pods: &[&Rc<Pod>]) -> (usize, usize) {
    let stays = |pod: &Pod| {
        let daemon = pod
            .owner
            .as_ref()
            .is_some_and(|owner| owner.kind == "DaemonSet");
        pod.is_static || daemon
    };
    let goes = || pods.iter().filter(|pod| !stays(pod));
    let leave = goes().filter(|pod| pod.state == PodState::Terminating);
    let leave = leave.count();
    (leave, goes().count() - leave)
}

fn groups(pods: Vec<&Rc<Pod>>) -> Vec<Group> {
    let mut groups: BTreeMap<(&str, Option<&Owner>), Vec<Tile>> = BTreeMap::new();
    for pod in pods {
        let owner = pod.owner.as_ref();
        let label = owner.and_then(|owner| rest_of_name(&pod.name, &owner.name));
        let label = label.unwrap_or(&pod.name).to_owned();
        let tile = Tile {
            pod: pod.clone(),
            label,
            part: None,
            down: false,
        };
        groups
            .entry((&pod.namespace, owner))
            .or_default()
            .push(tile);
    }
    let group = |((namespace, owner), tiles): ((&str, Option<&Owner>), Vec<Tile>)| Group {
        namespace: namespace.to_owned(),
        owner: owner.cloned(),
        tiles,
    };
    groups.into_iter().map(group).collect()
}

/// `x7k2p` of `web-5d8-x7k2p` owned by `web-5d8`.
fn rest_of_name<'a>(name: &'a str, owner: &str) -> Option<&'a str> {
    name.strip_prefix(owner)?
        .strip_prefix('-')
        .filter(|rest| !rest.is_empty())
}

fn system_tile(pod: &Rc<Pod>) -> Tile {
    let owner = pod.owner.as_ref().map(|owner| owner.name.as_str());
    let node = pod.node.as_deref().unwrap_or_default();
    let static_name = pod
        .name
        .strip_suffix(node)
        .and_then(|name| name.strip_suffix('-'));
    let label = match (pod.is_static, owner) {
        (true, _) => static_name.unwrap_or(&pod.name),
        (false, Some(owner)) if pod.owner.as_ref().is_some_and(|o| o.kind == "ReplicaSet") => owner
            .rsplit_once('-')
            .map_or(owner, |(deployment, _)| deployment),
        (false, Some(owner)) => owner,
        (false, None) => &pod.name,
    };
    let part = match label {
        "etcd" => Some(Part::Etcd),
        "kube-apiserver" => Some(Part::ApiServer),
        "kube-scheduler" => Some(Part::Scheduler),
        "kube-controller-manager" => Some(Part::Controllers),
        "coredns" => Some(Part::Dns),
        "kube-proxy" => Some(Part::Proxy),
        _ => None,
    };
    Tile {
        pod: pod.clone(),
        label: label.to_owned(),
        part,
        down: false,
    }
}

/// The tile of the scheduler that decides, if it runs.
pub fn scheduler(scene: &Scene) -> Option<&Tile> {
    let all = scene.machines.iter().flat_map(|tank| &tank.system);
    let is_it = |tile: &&Tile| tile.part == Some(Part::Scheduler);
    all.filter(is_it)
        .find(|tile| tile.pod.state == PodState::Running)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::protocol::Component;

    pub(in super::super) fn pod(namespace: &str, name: &str, node: Option<&str>) -> Pod {
        Pod {
            uid: format!("{namespace}/{name}"),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
            node: node.map(str::to_owned),
            status: "Running".to_owned(),
            state: PodState::Running,
            ready: 1,
            containers: 1,
            restarts: 0,
            ip: String::new(),
            owner: None,
            images: Vec::new(),
            is_static: false,
            why: String::new(),
        }
    }

    pub(in super::super) fn owned(mut pod: Pod, kind: &str, owner: &str) -> Pod {
        pod.owner = Some(Owner {
            kind: kind.to_owned(),
            name: owner.to_owned(),
        });
        pod
    }

    pub(in super::super) fn machine(name: &str, role: &str) -> Machine {
        Machine {
            name: name.to_owned(),
            role: role.to_owned(),
            ip: String::new(),
            ready: true,
            schedulable: true,
            version: String::new(),
            cpu_requested: 0,
            cpu_total: 4000,
            memory_requested: 0,
            memory_total: 8 << 30,
            pods_total: 110,
            taints: Vec::new(),
            components: Vec::new(),
        }
    }

    pub(in super::super) fn picture(pods: Vec<Pod>) -> Picture {
        let machines = [
            machine("a-node", "worker"),
            machine("controlplane", "control-plane"),
        ];
        Picture {
            machines: machines
                .into_iter()
                .map(|m| (m.name.clone(), Rc::new(m)))
                .collect(),
            pods: pods
                .into_iter()
                .map(|pod| (pod.uid.clone(), Rc::new(pod)))
                .collect(),
            ..Picture::default()
        }
    }

    fn labels(tiles: &[Tile]) -> Vec<&str> {
        tiles.iter().map(|tile| tile.label.as_str()).collect()
    }

    #[test]
    fn pods_stand_with_their_owner_on_their_machine() {
        let scene = arrange(&picture(vec![
            owned(
                pod("default", "web-5d8-bbbbb", Some("a-node")),
                "ReplicaSet",
                "web-5d8",
            ),
            owned(
                pod("default", "web-5d8-aaaaa", Some("a-node")),
                "ReplicaSet",
                "web-5d8",
            ),
            pod("default", "alone", Some("a-node")),
            pod("team", "waits", None),
            pod("team", "lost", Some("no-such-node")),
        ]));
        assert_eq!(labels(&scene.tray), ["lost", "waits"]);
        let names: Vec<&str> = scene
            .machines
            .iter()
            .map(|t| t.machine.name.as_str())
            .collect();
        assert_eq!(names, ["controlplane", "a-node"]);
        let groups = &scene.machines[1].groups;
        assert_eq!(groups.len(), 2);
        assert_eq!(labels(&groups[0].tiles), ["alone"]);
        assert_eq!(labels(&groups[1].tiles), ["aaaaa", "bbbbb"]);
        assert_eq!(groups[1].sum(), "2 Running");
    }

    #[test]
    fn the_clusters_own_pods_have_their_part_names() {
        let mut etcd = pod("kube-system", "etcd-controlplane", Some("controlplane"));
        etcd.is_static = true;
        let dns = pod("kube-system", "coredns-7d8-xyz12", Some("controlplane"));
        let proxy = pod("kube-system", "kube-proxy-abcde", Some("controlplane"));
        let scene = arrange(&picture(vec![
            owned(dns, "ReplicaSet", "coredns-7d8"),
            owned(proxy, "DaemonSet", "kube-proxy"),
            etcd,
            pod("kube-system", "mine", Some("controlplane")),
        ]));
        assert_eq!(
            labels(&scene.machines[0].system),
            ["etcd", "coredns", "kube-proxy", "mine"]
        );
        assert!(scene.machines[0].groups.is_empty());
        assert!(scheduler(&scene).is_none());
    }

    #[test]
    fn a_part_without_a_process_is_down_or_missing() {
        let mut etcd = pod("kube-system", "etcd-controlplane", Some("controlplane"));
        etcd.is_static = true;
        let mut picture = picture(vec![etcd]);
        let part = |name: &str, started| Component {
            name: name.to_owned(),
            started,
        };
        let mut plane = machine("controlplane", "control-plane");
        plane.components = vec![
            part("etcd", None),
            part("kube-apiserver", Some(1)),
            part("kube-scheduler", None),
        ];
        picture.machines.insert(plane.name.clone(), Rc::new(plane));
        let scene = arrange(&picture);
        let tank = &scene.machines[0];
        assert!(tank.system[0].down);
        assert_eq!(tank.missing, ["kube-scheduler"]);
    }

    #[test]
    fn a_drain_counts_what_leaves() {
        let mut leaves = pod("default", "leaves", Some("a-node"));
        leaves.state = PodState::Terminating;
        let daemon = pod("kube-system", "kube-proxy-abcde", Some("a-node"));
        let scene = arrange(&picture(vec![
            leaves,
            pod("default", "stays", Some("a-node")),
            owned(daemon, "DaemonSet", "kube-proxy"),
        ]));
        assert_eq!(scene.machines[1].drain, (1, 1));
    }

    #[test]
    fn many_pods_are_drawn_small() {
        let pods = (0..=ROOMY)
            .map(|n| pod("default", &format!("p{n}"), Some("a-node")))
            .collect();
        let scene = arrange(&picture(pods));
        assert!(scene.machines[1].dense);
        assert!(!scene.machines[0].dense);
    }
}
