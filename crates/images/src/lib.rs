//! Container images: one file each, with its layers, its files and the programs in it.
//!
//! To add an image, write its file with a [`Definition`] and add a line to `CATALOGUE`; pulls,
//! `crictl images` and the table of programs follow. Programs of the control plane are thin
//! adaptors between [`machine::Program`] and the crates that have the logic.
//!
//! **Invariant:** no image has logic that another crate should have.

mod agnhost;
mod busybox;
mod control_plane;
mod coredns;
mod databases;
mod definition;
mod distributions;
mod greeters;
mod hello_world;
mod nginx;
mod pause;
mod perl;
mod redis;
mod registries;
mod servers;
mod site;
mod stand_in;
mod stress;
mod userland;
mod whoami;

pub use definition::{Definition, Tags, Versions};
pub use registries::registry;
pub use userland::Userland;

use machine::Constructor;

/// Every image of the catalogue, in the order of their repositories.
const CATALOGUE: &[&Definition] = &[
    &whoami::BEFORE,
    &distributions::CURL,
    &greeters::HTTP_ECHO,
    &distributions::ALPINE,
    &busybox::IMAGE,
    &distributions::DEBIAN,
    &hello_world::IMAGE,
    &servers::HTTPD,
    &databases::MARIADB,
    &databases::MYSQL,
    &nginx::IMAGE,
    &perl::IMAGE,
    &databases::POSTGRES,
    &redis::IMAGE,
    &distributions::UBUNTU,
    &distributions::NETSHOOT,
    &stress::IMAGE,
    &whoami::IMAGE,
    &greeters::HELLO_APP,
    &greeters::BOOTCAMP,
    &coredns::IMAGE,
    &agnhost::IMAGE,
    &distributions::DNSUTILS,
    &control_plane::ETCD,
    &control_plane::KUBE_APISERVER,
    &control_plane::KUBE_CONTROLLER_MANAGER,
    &control_plane::KUBE_PROXY,
    &control_plane::KUBE_SCHEDULER,
    &pause::IMAGE,
];

/// Every image of the catalogue.
#[must_use]
pub fn all() -> &'static [&'static Definition] {
    CATALOGUE
}

/// The program behind the name in an executable: one of an image's, or the runtime, which needs to
/// know the images.
#[must_use]
pub fn program(name: &str) -> Option<Constructor> {
    match name {
        "containerd" => Some(|| node::runtime::containerd(registry)),
        "ash" => Some(shell::ash),
        stand_in::PROGRAM => Some(stand_in::program),
        _ => {
            let mut all = CATALOGUE.iter().flat_map(|image| image.programs);
            all.find(|(known, _)| *known == name)
                .map(|(_, program)| *program)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use machine::fs::{Content, Node};

    #[test]
    fn images_are_listed_once_and_in_order() {
        let names: Vec<&str> = all().iter().map(|image| image.repository).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(names, sorted);
    }

    #[test]
    fn every_executable_of_an_image_has_a_program() {
        fn walk(node: &Node, path: &str, found: &mut Vec<String>) {
            if let Content::Binary(name, _) = node.content {
                let known = program(name).is_some()
                    || commands::program(name).is_some()
                    || matches!(name, "bash" | "dash");
                if !known {
                    found.push(format!("{path}: {name}"));
                }
            }
            for (name, below) in node.entries().into_iter().flatten() {
                walk(below, &format!("{path}/{name}"), found);
            }
        }
        for image in all() {
            let tag = image.tags.words.first().copied().unwrap_or("1");
            let tree = image.image(tag).root;
            let mut found = Vec::new();
            walk(tree.get("/").expect("a root"), image.repository, &mut found);
            assert_eq!(found, Vec::<String>::new());
        }
    }
}
