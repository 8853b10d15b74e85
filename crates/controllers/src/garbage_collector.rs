//! Deletes what its owners left behind, and keeps owners waiting where they asked for it: background,
//! foreground and orphaning deletion. Knows objects only by their metadata, kept as a graph.
//! Models pkg/controller/garbagecollector.

use std::collections::VecDeque;

use api::kinds::{self, Kind};
use api::{Str, Value, object};
use client::{DeleteOptions, Delta, Index, Key, Patch, Propagation, Resource, request};
use imbl::{OrdMap, OrdSet};

use crate::controller::{Agenda, Controller, Cx};

mod graph;

use graph::{Graph, Node, Owner};

const FOREGROUND: &str = "foregroundDeletion";
const ORPHAN: &str = "orphan";
/// Uids of owners known to be gone, as upstream's `absentOwnerCache`.
const REMEMBERED: usize = 500;

/// The controller. Keys are uids.
#[derive(Clone, Debug)]
pub struct GarbageCollector {
    resources: Vec<Resource>,
    graph: Graph,
    /// Owners that are gone for certain.
    absent: OrdSet<Str>,
    absent_order: VecDeque<Str>,
    /// Which owners were asked for, in the order of the answers to come.
    asked: OrdMap<Key, Vec<Str>>,
}

/// What an owner reference is worth.
enum Standing {
    /// The owner is there.
    Solid,
    /// It is gone.
    Dangling,
    /// It waits for its dependents to go.
    Waiting,
    /// The caches do not know it: the server has to be asked.
    Unknown,
}

impl GarbageCollector {
    /// A collector of objects of these resources.
    #[must_use]
    pub fn new(resources: Vec<Resource>) -> GarbageCollector {
        GarbageCollector {
            resources,
            graph: Graph::default(),
            absent: OrdSet::new(),
            absent_order: VecDeque::new(),
            asked: OrdMap::new(),
        }
    }
}

impl Controller for GarbageCollector {
    fn name(&self) -> &'static str {
        "garbage-collector-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        self.resources
            .iter()
            .map(|resource| (resource.clone(), &[][..]))
            .collect()
    }

    fn follows_customs(&self) -> bool {
        true
    }

    fn learn(&mut self, resource: &Resource, _: &'static Kind) -> bool {
        if !self.resources.contains(resource) {
            self.resources.push(resource.clone());
        }
        true
    }

    fn forget(&mut self, resource: &Resource) {
        self.resources.retain(|known| known != resource);
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        let relevant = ["uid", "ownerReferences", "finalizers", "deletionTimestamp"];
        let changed = |field: &&str| match (&delta.old, &delta.new) {
            (Some(old), Some(new)) => !old.metadata().get(field).same(new.metadata().get(field)),
            _ => true,
        };
        if !relevant.iter().any(changed) {
            return;
        }
        let replaced = delta
            .old
            .as_ref()
            .filter(|old| old.uid() != delta.object().uid());
        if let Some(old) = replaced {
            self.remove(agenda, old.uid());
        }
        match &delta.new {
            None => self.remove(agenda, delta.object().uid()),
            Some(new) => self.insert(agenda, resource, new),
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        self.take_answers(cx, key);
        let Some(node) = self.graph.get(&key.name).cloned() else {
            return;
        };
        let Some(object) = cx.cache(&node.resource).get(&node.key).cloned() else {
            return;
        };
        if object.uid() != &*node.uid {
            return;
        }
        if node.terminating && node.orphaning {
            self.orphan(cx, &node, &object);
        } else if node.terminating && !node.foreground {
            // It goes by itself, as soon as whoever holds it lets go.
        } else if node.foreground {
            self.finish_foreground(cx, &node, &object);
        } else {
            self.judge(cx, &node, &object);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl GarbageCollector {
    fn insert(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, object: &Value) {
        let node = Node::of(resource, object);
        let (uid, owned) = (node.uid.clone(), !node.owners.is_empty());
        let begins = node.terminating && (node.foreground || node.orphaning);
        let waits_no_more = self.graph.unblocked_by(&node);
        self.graph.insert(node);
        if begins {
            for dependent in self.graph.dependents(&uid) {
                agenda.add(key_of(&dependent));
            }
        }
        if begins || owned {
            agenda.add(key_of(&uid));
        }
        for owner in waits_no_more {
            agenda.add(key_of(&owner));
        }
    }

    fn remove(&mut self, agenda: &mut Agenda<'_>, uid: &str) {
        let Some(node) = self.graph.remove(uid) else {
            return;
        };
        let dependents = self.graph.dependents(&node.uid);
        if !dependents.is_empty() {
            self.remember_absent(&node.uid);
        }
        for dependent in dependents {
            agenda.add(key_of(&dependent));
        }
        for owner in &node.owners {
            if self
                .graph
                .get(&owner.uid)
                .is_some_and(|owner| owner.foreground)
            {
                agenda.add(key_of(&owner.uid));
            }
        }
    }

    fn remember_absent(&mut self, uid: &Str) {
        if self.absent.insert(uid.clone()).is_none() {
            self.absent_order.push_back(uid.clone());
            if self.absent_order.len() > REMEMBERED
                && let Some(oldest) = self.absent_order.pop_front()
            {
                self.absent.remove(&oldest);
            }
        }
    }

    /// What the server said of owners that the caches did not know.
    fn take_answers(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(asked) = self.asked.remove(key) else {
            return;
        };
        for (uid, answer) in asked.iter().zip(std::mem::take(&mut cx.outcome.answers)) {
            match answer {
                Ok(found) if found.uid() == &**uid => {}
                Ok(_) => self.remember_absent(uid),
                Err(error) if error.is_not_found() || error.code == 404 => {
                    self.remember_absent(uid);
                }
                Err(_) => cx.retry(),
            }
        }
    }

    /// Dependents lose their reference, then the object may go.
    fn orphan(&self, cx: &mut Cx<'_>, node: &Node, object: &Value) {
        let dependents = self.graph.dependents(&node.uid);
        for dependent in dependents.iter().filter_map(|uid| self.graph.get(uid)) {
            let gone = object! { "$patch": "delete", "uid": &node.uid };
            drop_references(cx, dependent, vec![gone]);
        }
        if dependents.is_empty() {
            remove_finalizer(cx, node, object, ORPHAN);
        } else {
            cx.add(key_of(&node.uid));
        }
    }

    /// The object may go once no dependent blocks it.
    fn finish_foreground(&self, cx: &mut Cx<'_>, node: &Node, object: &Value) {
        let blocking: Vec<Str> = self
            .graph
            .dependents(&node.uid)
            .into_iter()
            .filter(|uid| self.graph.get(uid).is_some_and(|d| d.blocks(&node.uid)))
            .collect();
        if blocking.is_empty() {
            remove_finalizer(cx, node, object, FOREGROUND);
        }
        // One that waits for dependents of its own goes by itself.
        let waits = |uid: &Str| self.graph.get(uid).is_some_and(|d| d.foreground);
        for uid in blocking.into_iter().filter(|uid| !waits(uid)) {
            cx.add(key_of(&uid));
        }
    }

    /// Deletes an object whose owners are gone, or only wait for it; takes references to such
    /// owners away if it has others.
    fn judge(&mut self, cx: &mut Cx<'_>, node: &Node, object: &Value) {
        let mut unknown = Vec::new();
        let (mut solid, mut dangling, mut waiting) = (0, Vec::new(), Vec::new());
        for owner in &node.owners {
            match self.standing(owner) {
                Standing::Solid => solid += 1,
                Standing::Dangling => dangling.push(owner),
                Standing::Waiting => waiting.push(owner),
                Standing::Unknown => unknown.push(owner),
            }
        }
        if !unknown.is_empty() {
            let asked = unknown.iter().filter(|owner| self.ask(cx, node, owner));
            let asked: Vec<Str> = asked.map(|owner| owner.uid.clone()).collect();
            if !asked.is_empty() {
                self.asked.insert(key_of(&node.uid), asked);
            }
            return;
        }
        if node.owners.is_empty() {
            return;
        }
        if solid > 0 {
            let stale = dangling.iter().chain(&waiting);
            let gone = stale.map(|owner| object! { "$patch": "delete", "uid": &owner.uid });
            let gone: Vec<Value> = gone.collect();
            if !gone.is_empty() {
                drop_references(cx, node, gone);
            }
            return;
        }
        let dependents = self.graph.dependents(&node.uid);
        let has_dependents = !dependents.is_empty();
        let waits = |uid: &Str| self.graph.get(uid).is_some_and(|d| d.foreground);
        if !waiting.is_empty() && dependents.iter().any(waits) {
            // It could be a circle, in which each would wait for the next.
            unblock(cx, node, object);
        }
        let propagation = if !waiting.is_empty() && has_dependents {
            Propagation::Foreground
        } else if node.orphaning {
            Propagation::Orphan
        } else {
            Propagation::Background
        };
        cx.delete(
            &node.resource,
            object,
            DeleteOptions::propagating(propagation),
        );
    }

    fn standing(&self, owner: &Owner) -> Standing {
        match self.graph.get(&owner.uid) {
            Some(node) if node.terminating && node.foreground => Standing::Waiting,
            Some(_) => Standing::Solid,
            None if self.absent.contains(&owner.uid) => Standing::Dangling,
            None => Standing::Unknown,
        }
    }

    /// Asks the server for an owner. False if nobody here knows where such an owner is served.
    fn ask(&self, cx: &mut Cx<'_>, node: &Node, owner: &Owner) -> bool {
        let mut known = self.resources.iter();
        let Some(resource) = known.find(|r| r.is_of(&owner.api_version, &owner.kind)) else {
            return false;
        };
        let namespace = if resource.namespaced {
            &*node.key.namespace
        } else {
            ""
        };
        let request = request::get(resource, namespace, &owner.name);
        cx.ask(&resource.clone(), request);
        true
    }
}

fn key_of(uid: &Str) -> Key {
    Key {
        namespace: Str::default(),
        name: uid.clone(),
    }
}

fn drop_references(cx: &mut Cx<'_>, node: &Node, references: Vec<Value>) {
    let Resource {
        api_version, kind, ..
    } = &node.resource;
    if kinds::by_kind(api_version, kind).is_none() {
        // Lists of custom objects cannot be patched by their keys.
        let gone = |owner: &Value| references.iter().any(|r| r.str("uid") == owner.str("uid"));
        let Some(object) = cx.cache(&node.resource).get(&node.key) else {
            return;
        };
        let mut left = object.owner_references().to_vec();
        left.retain(|owner| !gone(owner));
        let metadata = object! {
            "ownerReferences": left,
            "resourceVersion": (object.resource_version()),
            "uid": &node.uid,
        };
        let document = object! { "metadata": metadata };
        cx.patch(&node.resource, &node.key, "", Patch::Merge, document);
        return;
    }
    let metadata = object! { "ownerReferences": references, "uid": &node.uid };
    let document = object! { "metadata": metadata };
    cx.patch(&node.resource, &node.key, "", Patch::Strategic, document);
}

/// An object's owners need not wait for it any more.
fn unblock(cx: &mut Cx<'_>, node: &Node, object: &Value) {
    let Resource {
        api_version, kind, ..
    } = &node.resource;
    let references = object.owner_references().iter();
    if kinds::by_kind(api_version, kind).is_some() {
        let blocking = references.filter(|r| r.get("blockOwnerDeletion").as_bool() == Some(true));
        let blocking = blocking
            .map(|owner| object! { "uid": (owner.str("uid")), "blockOwnerDeletion": false });
        let blocking: Vec<Value> = blocking.collect();
        if blocking.is_empty() {
            return;
        }
        let metadata = object! { "ownerReferences": blocking, "uid": &node.uid };
        let document = object! { "metadata": metadata };
        cx.patch(&node.resource, &node.key, "", Patch::Strategic, document);
        return;
    }
    let mut all: Vec<Value> = references.cloned().collect();
    for owner in &mut all {
        if owner.has("blockOwnerDeletion") {
            owner.set("blockOwnerDeletion", false);
        }
    }
    let metadata = object! {
        "ownerReferences": all,
        "resourceVersion": (object.resource_version()),
        "uid": &node.uid,
    };
    let document = object! { "metadata": metadata };
    cx.patch(&node.resource, &node.key, "", Patch::Merge, document);
}

fn remove_finalizer(cx: &mut Cx<'_>, node: &Node, object: &Value, name: &str) {
    let left: Vec<Value> = object
        .finalizers()
        .iter()
        .filter(|f| f.as_str() != name)
        .cloned()
        .collect();
    let left = if left.is_empty() {
        Value::Null
    } else {
        Value::list_of(left)
    };
    let metadata = object! {
        "finalizers": left,
        "resourceVersion": (object.resource_version()),
        "uid": &node.uid,
    };
    let document = object! { "metadata": metadata };
    cx.patch(&node.resource, &node.key, "", Patch::Merge, document);
}

#[cfg(test)]
mod tests;
