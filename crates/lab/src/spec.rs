//! What a world consists of: a cluster's version, its machines, a seed. Knows no file format.

use std::net::Ipv4Addr;
use std::rc::Rc;

use sim::Instant;

/// A machine's part in the cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Runs the control plane's static pods.
    ControlPlane,
    /// Runs workloads.
    Worker,
    /// Belongs to no cluster.
    Plain,
}

/// A machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeSpec {
    /// Its name.
    pub name: Rc<str>,
    /// Its part.
    pub role: Role,
    /// Processors.
    pub cpus: u32,
    /// Memory in MiB.
    pub memory_mib: u64,
}

/// A world to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorldSpec {
    /// Kubernetes' version: `v1.36.2`.
    pub version: Rc<str>,
    /// Machines; the control plane first.
    pub nodes: Vec<NodeSpec>,
    /// The seed everything random depends on.
    pub seed: u64,
    /// The date it begins with; [`Instant::ZERO`] is the date of every world that names none.
    pub begins: Instant,
}

/// Versions of Kubernetes a world can be of, the newest first.
pub const VERSIONS: [&str; commands::releases::COUNT] = commands::releases::VERSIONS;
/// Machines a world may have at most: each has its own /24 of 10.244.0.0/16.
pub const MAX_NODES: usize = 250;

/// Names of the worlds that need no description.
pub const PRESETS: [&str; 3] = ["default", "single", "large"];

impl NodeSpec {
    /// A machine with 4 processors and 8 GiB.
    pub fn new(name: impl Into<Rc<str>>, role: Role) -> NodeSpec {
        NodeSpec {
            name: name.into(),
            role,
            cpus: 4,
            memory_mib: 8192,
        }
    }
}

impl WorldSpec {
    /// One control plane and `workers` workers.
    #[must_use]
    pub fn with_workers(workers: usize, seed: u64) -> WorldSpec {
        let mut nodes = vec![NodeSpec::new("controlplane", Role::ControlPlane)];
        nodes.extend((1..=workers).map(|n| NodeSpec::new(format!("node{n:02}"), Role::Worker)));
        WorldSpec {
            version: VERSIONS[0].into(),
            nodes,
            seed,
            begins: Instant::ZERO,
        }
    }

    /// The world called `name` (one of [`PRESETS`]): `default` has two workers, `single` none,
    /// `large` twelve. A version is the name of `default` in that version.
    #[must_use]
    pub fn preset(name: &str, seed: u64) -> Option<WorldSpec> {
        let workers = match name {
            "default" => 2,
            "single" => 0,
            "large" => 12,
            version if VERSIONS.contains(&version) => 2,
            _ => return None,
        };
        let mut spec = WorldSpec::with_workers(workers, seed);
        if VERSIONS.contains(&name) {
            spec.version = name.into();
        }
        Some(spec)
    }

    /// What is wrong with it, if anything.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let WorldSpec {
            version,
            nodes,
            seed: _,
            begins: _,
        } = self;
        if !VERSIONS.contains(&&**version) {
            let known = VERSIONS.join(", ");
            return Some(format!("version {version:?} is not one of {known}"));
        }
        if nodes.is_empty() || nodes.len() > MAX_NODES {
            return Some(format!(
                "a world has 1 to {MAX_NODES} nodes, not {}",
                nodes.len()
            ));
        }
        let control_planes = nodes
            .iter()
            .filter(|n| n.role == Role::ControlPlane)
            .count();
        if control_planes > 1 {
            let what = sim::unmodelled!("more than one control-plane node");
            return Some(what.to_string());
        }
        if nodes[0].role != Role::ControlPlane && nodes.iter().any(|n| n.role != Role::Plain) {
            return Some("the first node must be the control plane".to_owned());
        }
        for (index, node) in nodes.iter().enumerate() {
            if !api::names::dns1123_label(&node.name).is_empty() {
                return Some(format!(
                    "node name {:?} is not a lower-case DNS label",
                    node.name
                ));
            }
            if nodes[..index].iter().any(|other| other.name == node.name) {
                return Some(format!("two nodes are called {:?}", node.name));
            }
            if !(1..=128).contains(&node.cpus) || !(512..=1 << 20).contains(&node.memory_mib) {
                return Some(format!(
                    "node {:?}: 1 to 128 cpus and 512 to 1048576 MiB of memory are possible",
                    node.name
                ));
            }
        }
        None
    }
}

/// The address of the machine at `index`.
#[must_use]
pub fn node_ip(index: usize) -> Ipv4Addr {
    let third = u8::try_from(index + 1).expect("few machines");
    Ipv4Addr::new(172, 30, third, 2)
}

/// The first three bytes of the pod addresses of the machine at `index`, as the controller manager
/// assigns them in the order in which nodes register.
#[must_use]
pub fn pod_network(index: usize) -> Ipv4Addr {
    Ipv4Addr::new(10, 244, u8::try_from(index).expect("few machines"), 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_are_sound_and_mistakes_are_told() {
        for name in PRESETS {
            assert_eq!(
                WorldSpec::preset(name, 1).unwrap().problem(),
                None,
                "{name}"
            );
        }
        let mut spec = WorldSpec::with_workers(2, 1);
        spec.nodes[2].name = "node01".into();
        assert_eq!(
            spec.problem().as_deref(),
            Some("two nodes are called \"node01\"")
        );
        spec.nodes[2].name = "Node_2".into();
        assert!(spec.problem().unwrap().contains("DNS label"));
        spec.version = "v1.12".into();
        assert!(spec.problem().unwrap().contains("v1.36.2"));
    }
}
