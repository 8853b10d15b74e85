//! Container images as data: layers, configuration, files. Knows no registry and no pull.
//! Models the OCI image specification as far as a pod meets it.

use std::rc::Rc;

use machine::fs::Tree;
use sim::Stream;

use crate::reference::Reference;

/// An image as its registry has it. Shared between everyone who pulled it.
#[derive(Clone, Debug)]
pub struct Image {
    /// The manifest's digest, `sha256:<64 hex>`; with the repository's name it is what a container
    /// status shows as `imageID`.
    pub digest: Rc<str>,
    /// The configuration's digest, `sha256:<64 hex>`: what `crictl images` shows as image id.
    pub id: Rc<str>,
    /// Layers from the base upwards.
    pub layers: Rc<[Layer]>,
    /// How to run it.
    pub config: ImageConfig,
    /// Its files, all layers applied.
    pub root: Tree,
}

/// A layer: equal digests are fetched once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// `sha256:<64 hex>`.
    pub digest: Rc<str>,
    /// Compressed size in bytes.
    pub size: u64,
}

/// What an image says about running it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// `ENTRYPOINT`.
    pub entrypoint: Vec<Rc<str>>,
    /// `CMD`.
    pub cmd: Vec<Rc<str>>,
    /// `ENV`, in order.
    pub env: Vec<(Rc<str>, Rc<str>)>,
    /// `WORKDIR`; empty means `/`.
    pub working_dir: Rc<str>,
    /// `USER` as a number; `None` is root.
    pub user: Option<u32>,
    /// `EXPOSE`d TCP ports.
    pub exposed_ports: Vec<u16>,
    /// `STOPSIGNAL` by name, `SIGTERM` unless given.
    pub stop_signal: Option<Rc<str>>,
    /// The image stands in for one nobody modelled: a container of it is told the container's
    /// declared ports in the variable [`PORTS_VARIABLE`], since nobody else could know them.
    pub stand_in: bool,
}

/// The variable in which a stand-in image finds its container's declared TCP ports, as
/// `8080,9090`. The runtime sets it from the annotation `io.kubernetes.container.ports`.
pub const PORTS_VARIABLE: &str = "KUBARIUM_CONTAINER_PORTS";

/// Why a registry gives no image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The repository exists, the tag or digest does not.
    NotFound,
    /// The repository does not exist, or is private: registries do not tell which.
    Denied,
    /// The registry's name does not resolve.
    NoSuchHost,
    /// The registry's host answers, nobody listens on the port.
    Refused,
}

/// The world's registries: what a reference leads to. A plain function, so that a runtime holding
/// one stays plain data.
pub type Registry = fn(&Reference) -> Result<Image, Refusal>;

impl Image {
    /// The sum of its layers, in bytes.
    pub fn size(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// `docker.io/library/nginx@sha256:…`: this image by digest.
    pub fn repo_digest(&self, reference: &Reference) -> Rc<str> {
        format!("{}@{}", reference.name(), self.digest).into()
    }
}

/// A digest that depends on `of` alone: `sha256:<64 hex>`. The contents of an image are not bytes
/// here, so nothing could be hashed; the form and the uniqueness are what is kept.
pub fn digest(of: &str) -> Rc<str> {
    format!("sha256:{}", Stream::new(0, of).hex(64)).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_have_their_form_and_tell_images_apart() {
        assert_eq!(digest("a"), digest("a"));
        assert_ne!(digest("a"), digest("b"));
        assert_eq!(digest("a").len(), "sha256:".len() + 64);
    }
}
