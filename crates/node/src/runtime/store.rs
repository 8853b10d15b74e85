//! What the runtime knows: sandboxes, containers, images. Kept in its database file, so that a
//! restarted runtime goes on where it was. Plain data; makes no system calls.
//! Models containerd's metadata store and internal/cri/store.

use std::any::Any;
use std::rc::Rc;

use imbl::OrdMap;
use machine::{ExitStatus, FsId, MountNsId, NetnsId, Signal};
use net::Shared;
use sim::Instant;

use crate::cri::{ContainerState, ContainerStatus, ImageStatus, SandboxStatus};
use crate::image::Image;
use crate::reference::Reference;
use crate::runtime::process::ProcessSpec;
use crate::runtime::shim::End;

/// containerd's database.
pub const DATABASE: &str = "/var/lib/containerd/io.containerd.metadata.v1.bolt/meta.db";

/// Everything the runtime keeps. A clone shares all of it.
#[derive(Clone, Debug, Default)]
pub struct Store {
    pub(crate) sandboxes: OrdMap<Rc<str>, Sandbox>,
    pub(crate) containers: OrdMap<Rc<str>, Container>,
    images: OrdMap<Rc<str>, StoredImage>,
}

/// A sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Sandbox {
    pub(crate) status: Rc<SandboxStatus>,
    pub(crate) netns: NetnsId,
    pub(crate) pause: Rc<ProcessSpec>,
}

/// A container.
#[derive(Clone, Debug)]
pub(crate) struct Container {
    pub(crate) status: ContainerStatus,
    pub(crate) root: FsId,
    pub(crate) mounts: MountNsId,
    pub(crate) spec: Rc<ProcessSpec>,
    pub(crate) stop_signal: Signal,
}

/// An image under one of its names.
#[derive(Clone, Debug)]
pub(crate) struct StoredImage {
    pub(crate) reference: Reference,
    pub(crate) image: Rc<Image>,
}

impl Shared for Store {
    fn size(&self) -> u64 {
        65_536 + 4096 * (self.containers.len() + self.images.len()) as u64
    }

    fn bytes(&self) -> Vec<u8> {
        format!("{self:#?}\n").into_bytes()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Store {
    /// Keeps an image under the name it was pulled by.
    pub fn add_image(&mut self, reference: &Reference, image: Rc<Image>) {
        let stored = StoredImage {
            reference: reference.clone(),
            image,
        };
        self.images.insert(reference.to_string().into(), stored);
    }

    /// Forgets the image of this name or id. False if there is none.
    pub fn remove_image(&mut self, name: &str) -> bool {
        let names = self.names_of(name);
        for name in &names {
            self.images.remove(name);
        }
        !names.is_empty()
    }

    /// An image by any of its names, its digest or its id.
    pub(crate) fn image(&self, name: &str) -> Option<&StoredImage> {
        self.names_of(name)
            .first()
            .and_then(|name| self.images.get(name))
    }

    /// Every image once, with all its names, in the order of the first.
    pub fn list_images(&self) -> Vec<ImageStatus> {
        let mut list: Vec<ImageStatus> = Vec::new();
        for stored in self.images.values() {
            match list.iter_mut().find(|known| known.id == stored.image.id) {
                Some(known) => {
                    let status = stored.status();
                    known.repo_tags.extend(status.repo_tags);
                    if !known.repo_digests.contains(&status.repo_digests[0]) {
                        known.repo_digests.extend(status.repo_digests);
                    }
                }
                None => list.push(stored.status()),
            }
        }
        list
    }

    /// The image that was pulled by this very name.
    pub(crate) fn named(&self, reference: &Reference) -> Option<&Rc<Image>> {
        self.images
            .get(reference.to_string().as_str())
            .map(|stored| &stored.image)
    }

    /// The images themselves.
    pub(crate) fn images(&self) -> impl Iterator<Item = &Rc<Image>> {
        self.images.values().map(|stored| &stored.image)
    }

    fn names_of(&self, name: &str) -> Vec<Rc<str>> {
        if let Ok(reference) = Reference::parse(name) {
            let full = reference.to_string();
            if let Some((key, _)) = self.images.get_key_value(full.as_str()) {
                return vec![key.clone()];
            }
            if let Some(digest) = &reference.digest {
                let same = |stored: &StoredImage| {
                    stored.image.digest == *digest && stored.reference.path == reference.path
                };
                return self.keys_where(same);
            }
        }
        self.keys_where(|stored| &*stored.image.id == name)
    }

    fn keys_where(&self, holds: impl Fn(&StoredImage) -> bool) -> Vec<Rc<str>> {
        self.images
            .iter()
            .filter(|(_, s)| holds(s))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// The containers of a sandbox.
    pub(crate) fn containers_of(&self, sandbox: &str) -> Vec<Rc<str>> {
        self.containers
            .values()
            .filter(|container| &*container.status.sandbox == sandbox)
            .map(|container| container.status.id.clone())
            .collect()
    }

    /// A container's process runs.
    pub(crate) fn started(&mut self, id: &str, at: Instant) -> Option<ContainerStatus> {
        let status = &mut self.containers.get_mut(id)?.status;
        status.state = ContainerState::Running;
        status.started_at = Some(at);
        Some(status.clone())
    }

    /// A container's process could not be started.
    pub(crate) fn start_failed(
        &mut self,
        id: &str,
        at: Instant,
        why: &str,
    ) -> Option<ContainerStatus> {
        let status = &mut self.containers.get_mut(id)?.status;
        status.state = ContainerState::Exited;
        status.finished_at = Some(at);
        status.exit_code = 128;
        status.reason = "StartError".into();
        status.message = why.into();
        Some(status.clone())
    }

    /// A container's process ended. None if that was known.
    pub(crate) fn exited(
        &mut self,
        id: &str,
        end: End,
        out_of_memory: bool,
    ) -> Option<ContainerStatus> {
        let status = &mut self.containers.get_mut(id)?.status;
        if status.state == ContainerState::Exited {
            return None;
        }
        status.state = ContainerState::Exited;
        status.finished_at = Some(end.at);
        status.exit_code = end.status.shell_code();
        status.reason = match end.status {
            _ if out_of_memory => "OOMKilled",
            ExitStatus::Code(0) => "Completed",
            _ => "Error",
        }
        .into();
        Some(status.clone())
    }

    /// A sandbox's pause process is gone.
    pub(crate) fn sandbox_stopped(&mut self, id: &str) {
        if let Some(sandbox) = self.sandboxes.get_mut(id) {
            Rc::make_mut(&mut sandbox.status).ready = false;
        }
    }
}

impl StoredImage {
    pub(crate) fn status(&self) -> ImageStatus {
        let by_tag = self.reference.digest.is_none();
        ImageStatus {
            id: self.image.id.clone(),
            repo_tags: by_tag
                .then(|| self.reference.to_string().into())
                .into_iter()
                .collect(),
            repo_digests: vec![self.image.repo_digest(&self.reference)],
            size: self.image.size(),
            user: self.image.config.user,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageConfig, Layer, digest};
    use machine::fs::Tree;

    fn image(name: &str) -> Rc<Image> {
        Rc::new(Image {
            digest: digest(name),
            id: digest(&format!("{name} config")),
            layers: [Layer {
                digest: digest("layer"),
                size: 10,
            }]
            .into(),
            config: ImageConfig::default(),
            root: Tree::new(),
        })
    }

    #[test]
    fn images_are_found_by_every_name() {
        let mut store = Store::default();
        let reference = |text: &str| Reference::parse(text).unwrap();
        let nginx = image("nginx");
        store.add_image(&reference("nginx"), nginx.clone());
        store.add_image(&reference("nginx:1.27"), nginx.clone());
        store.add_image(&reference("busybox"), image("busybox"));

        let found = |name: &str| store.image(name).map(|stored| stored.image.id.clone());
        let by_digest = format!("nginx@{}", nginx.digest);
        for name in [
            "nginx",
            "docker.io/library/nginx:latest",
            "nginx:1.27",
            &nginx.id,
            &by_digest,
        ] {
            assert_eq!(found(name), Some(nginx.id.clone()), "{name}");
        }
        assert_eq!(found("nginx:1.28"), None);

        let list = store.list_images();
        assert_eq!(list.len(), 2);
        assert_eq!(list[1].repo_tags.len(), 2);
        assert_eq!(list[1].repo_digests.len(), 1);

        assert!(store.remove_image(&nginx.id));
        assert!(!store.remove_image("nginx"));
        assert_eq!(store.list_images().len(), 1);
    }
}
