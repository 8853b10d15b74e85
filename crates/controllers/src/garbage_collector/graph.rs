//! Who owns whom: the metadata of every object that has or is an owner, by uid.
//! Models pkg/controller/garbagecollector/graph.go.

use api::{Str, Value};
use client::{Key, Resource};
use imbl::{OrdMap, OrdSet};

use super::{FOREGROUND, ORPHAN};

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Node {
    pub(super) uid: Str,
    pub(super) resource: Resource,
    pub(super) key: Key,
    pub(super) owners: Vec<Owner>,
    pub(super) terminating: bool,
    /// Its deletion waits for its dependents to go.
    pub(super) foreground: bool,
    /// Its deletion waits for its dependents to be let go.
    pub(super) orphaning: bool,
}

/// A reference to an owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Owner {
    pub(super) uid: Str,
    pub(super) api_version: Str,
    pub(super) kind: Str,
    pub(super) name: Str,
    /// The owner is not to go before this one.
    blocks: bool,
}

/// All of them. Most objects have no owner and no dependents; they are here too, so that their
/// absence means that they are gone.
#[derive(Clone, Debug, Default)]
pub(super) struct Graph {
    nodes: OrdMap<Str, Node>,
    /// (owner, dependent)
    edges: OrdSet<(Str, Str)>,
}

impl Node {
    pub(super) fn of(resource: &Resource, object: &Value) -> Node {
        let shared = |value: &Value, field: &str| {
            value
                .get(field)
                .as_shared_str()
                .cloned()
                .unwrap_or_default()
        };
        let owner = |owner: &Value| Owner {
            uid: shared(owner, "uid"),
            api_version: shared(owner, "apiVersion"),
            kind: shared(owner, "kind"),
            name: shared(owner, "name"),
            blocks: owner.get("blockOwnerDeletion").as_bool() == Some(true),
        };
        let terminating = object.is_terminating();
        Node {
            uid: shared(object.metadata(), "uid"),
            resource: resource.clone(),
            key: Key::of(object),
            owners: object.owner_references().iter().map(owner).collect(),
            terminating,
            foreground: terminating && object.has_finalizer(FOREGROUND),
            orphaning: object.has_finalizer(ORPHAN),
        }
    }

    /// Whether an owner is not to go before this one.
    pub(super) fn blocks(&self, owner: &str) -> bool {
        self.owners
            .iter()
            .any(|reference| &*reference.uid == owner && reference.blocks)
    }
}

impl Graph {
    pub(super) fn get(&self, uid: &str) -> Option<&Node> {
        self.nodes.get(uid)
    }

    /// Owners that a newer version of an object no longer names as blocked by it.
    pub(super) fn unblocked_by(&self, newer: &Node) -> Vec<Str> {
        let Some(known) = self.get(&newer.uid) else {
            return Vec::new();
        };
        let blocked = known.owners.iter().filter(|owner| owner.blocks);
        blocked
            .map(|owner| owner.uid.clone())
            .filter(|uid| !newer.blocks(uid))
            .collect()
    }

    pub(super) fn insert(&mut self, node: Node) {
        let uid = node.uid.clone();
        let edges = |node: &Node| {
            node.owners
                .iter()
                .map(|owner| (owner.uid.clone(), node.uid.clone()))
                .collect::<Vec<_>>()
        };
        let new = edges(&node);
        if let Some(old) = self.nodes.insert(uid, node) {
            for edge in edges(&old) {
                self.edges.remove(&edge);
            }
        }
        self.edges.extend(new);
    }

    pub(super) fn remove(&mut self, uid: &str) -> Option<Node> {
        let node = self.nodes.remove(uid)?;
        for owner in &node.owners {
            self.edges.remove(&(owner.uid.clone(), node.uid.clone()));
        }
        Some(node)
    }

    /// The uids of the objects that name an owner.
    pub(super) fn dependents(&self, owner: &Str) -> Vec<Str> {
        let from = self.edges.range((owner.clone(), Str::default())..);
        from.take_while(|(of, _)| of == owner)
            .map(|(_, dependent)| dependent.clone())
            .collect()
    }
}
