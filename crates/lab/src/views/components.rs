//! The parts of the cluster that run on a machine, read from its processes: what is true of them
//! even while nobody can ask the API server.

use sim::Instant;

use crate::lab::Lab;
use crate::spec::{NodeSpec, Role};

/// What every machine of a cluster runs.
const EVERYWHERE: [&str; 3] = ["kubelet", "containerd", "kube-proxy"];
/// What a machine of the control plane runs besides.
const CONTROL_PLANE: [&str; 4] = [
    "etcd",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
];

/// A part of the cluster on a machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ComponentView {
    /// Its name, which is its program's.
    pub name: &'static str,
    /// When its process began, none while there is none.
    pub started: Option<Instant>,
}

/// What a machine should run, and whether it does.
pub(super) fn components(lab: &Lab, node: &NodeSpec) -> Vec<ComponentView> {
    let own: &[&str] = match node.role {
        Role::ControlPlane => &CONTROL_PLANE,
        _ => &[],
    };
    let host = lab.world.find(&node.name).map(|id| lab.world.host(id));
    let started = |name: &str| {
        let mut processes = host.into_iter().flat_map(|host| host.processes());
        processes
            .find(|process| process.name() == name)
            .map(|process| process.started)
    };
    own.iter()
        .chain(&EVERYWHERE)
        .map(|name| ComponentView {
            name,
            started: started(name),
        })
        .collect()
}
