//! The files a machine is delivered with: the distribution's, and what `kubeadm` left there.

mod base;
mod kubernetes;

pub(crate) use base::{base, hosts, unit};
pub(crate) use kubernetes::kubernetes;

use machine::fs::{Content, Meta, Node, Tree};

/// Puts a text file.
fn text(tree: &mut Tree, path: &str, text: impl Into<String>, mode: u32) {
    put(tree, path, Node::file(text.into().into_bytes(), mode));
}

/// Puts a symbolic link.
fn link(tree: &mut Tree, path: &str, target: &str) {
    put(
        tree,
        path,
        Node {
            meta: Meta::root(0o777),
            content: Content::Symlink(target.into()),
        },
    );
}

/// Puts a node; the files of a fresh machine do not stand in each other's way.
pub(crate) fn put(tree: &mut Tree, path: &str, node: Node) {
    tree.put_all(path, node)
        .expect("a fresh machine's files do not collide");
}
