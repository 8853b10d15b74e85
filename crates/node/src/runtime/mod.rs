//! The container runtime: containerd as the kubelet meets it.
//!
//! The daemon answers the runtime interface on its socket, keeps sandboxes, containers and images,
//! and has one shim process per sandbox do the running. Knows nothing of pods beyond what the
//! interface tells it, and nothing of any particular image.

mod command;
mod container;
mod daemon;
mod forwards;
pub mod log;
mod process;
mod pull;
mod sandbox;
mod shim;
mod store;
mod streams;

pub use daemon::{containerd, main_process};
pub use store::{DATABASE, Store};

use std::rc::Rc;

use machine::fs::{Content, Node};

use crate::image::Registry;
use crate::reference::Reference;

/// The runtime's version, as a node's status shows it.
pub const VERSION: &str = "2.2.1";
/// The image of the process that holds a sandbox's namespaces.
pub const PAUSE_IMAGE: &str = "registry.k8s.io/pause:3.10.1";
/// The name of the shim in process listings.
pub const SHIM: &str = "/usr/bin/containerd-shim-runc-v2";

/// The runtime's database with these images in it, to be put at [`DATABASE`] on a machine's disk
/// before its first boot: a machine that was prepared with its images. Names the registry does
/// not know are left out.
pub fn database(images: &[&str], registry: Registry) -> Node {
    let mut store = Store::default();
    for name in images {
        let Ok(reference) = Reference::parse(name) else {
            continue;
        };
        if let Ok(image) = registry(&reference) {
            store.add_image(&reference, Rc::new(image));
        }
    }
    let mut node = Node::file("", 0o600);
    node.content = Content::Object(Rc::new(store));
    node
}
