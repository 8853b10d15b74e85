//! Who manages which field of an object: the sets in `metadata.managedFields`, how writes change
//! them, and server-side apply. One table of list types and keys, that of [`crate::schema`], says
//! what is one value and what merges.
//!
//! A set is kept in the form of the wire, `FieldsV1`, as a tree that shares what did not change.
//! An update compares the trees of before and after and never descends into parts they share, so
//! that its cost follows what changed.
//!
//! Models sigs.k8s.io/structured-merge-diff and apimachinery/pkg/util/managedfields.

mod apply;
mod check;
mod compare;
mod conflict;
mod entries;
mod merge;
mod overlay;
mod set;
mod shape;
mod update;

use crate::{Map, Schemas, Value};

pub use apply::{apply, scale_config};
pub use compare::Diff;
pub use conflict::Conflict;
pub use entries::manager_of;
pub use overlay::overlaid;
pub use shape::Node;
pub use update::update;

/// What a write is made with: by whom, through what, and how objects look there.
pub struct Write<'a> {
    /// The table of types.
    pub schemas: &'a Schemas,
    /// What the object is, in the version of the request.
    pub node: Node<'a>,
    /// The version of the request, `apps/v1`.
    pub api_version: &'a str,
    /// The name of the manager.
    pub manager: &'a str,
    /// The subresource written through; empty for none.
    pub subresource: &'a str,
    /// The time, as the server writes it.
    pub now: &'a str,
    /// What writes of this kind do not change, whatever they say: paths with all below them.
    pub ignored: &'a Map,
    /// The object in another version's shape, with what it is there; `None` for a version that is
    /// not served any more.
    pub convert: &'a Convert<'a>,
}

/// Shows an object in the shape of a version.
pub type Convert<'a> = dyn Fn(&Value, &str) -> Option<(Node<'a>, Value)> + 'a;

#[cfg(test)]
mod tests;
