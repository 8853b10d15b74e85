//! What runs on every machine of a cluster: the container runtime, the network plug-in and the
//! kubelet. These are the components that make system calls.
//!
//! Deliberately absent: images themselves (a [`image::Registry`] is handed in), the API server's
//! rules, and anything another machine would have to tell by other means than the network.

pub mod cni;
pub mod cri;
pub mod image;
pub mod kubelet;
pub mod proxy;
pub mod reference;
pub mod runtime;

use machine::Constructor;

/// The program of an executable of this crate. The runtime is not among them: it is made with
/// [`runtime::containerd`], by whoever knows the registries.
#[must_use]
pub fn program(name: &str) -> Option<Constructor> {
    match name {
        "kubelet" => Some(kubelet::kubelet),
        _ => None,
    }
}
