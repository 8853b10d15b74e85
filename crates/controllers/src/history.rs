//! The templates a workload has had, kept as ControllerRevisions.
//! Models pkg/controller/history/controller_history.go.

use api::{Value, object};
use client::{CONTROLLER_REVISIONS, DeleteOptions, Index, Resource};

use crate::controller::Cx;
use crate::{hash, pods};

/// The label that names the revision: on revisions and on the pods made of them.
pub(crate) const REVISION_HASH: &str = "controller-revision-hash";

/// The revisions of a workload, oldest first.
pub(crate) struct History {
    pub(crate) revisions: Vec<Value>,
}

impl History {
    pub(crate) fn of(cx: &Cx<'_>, owner: &Value) -> History {
        let all = cx
            .cache(&CONTROLLER_REVISIONS)
            .by(Index::Owner, owner.uid());
        let mut revisions: Vec<Value> = all
            .filter(|revision| revision.is_controlled_by(owner.uid()))
            .cloned()
            .collect();
        revisions.sort_by_key(|revision| (number(revision), revision.name().to_owned()));
        History { revisions }
    }

    /// The revision of the template as it is; `None` where it was only asked for now, or given
    /// another number.
    pub(crate) fn current(&self, cx: &mut Cx<'_>, of: &Resource, owner: &Value) -> Option<Value> {
        let data = data(owner);
        let last = self.revisions.last().map_or(0, number);
        let same = self
            .revisions
            .iter()
            .rfind(|known| known.get("data").same(&data));
        match same {
            Some(known) if number(known) == last => Some(known.clone()),
            Some(known) => {
                let mut known = known.clone();
                known.set("revision", last + 1);
                cx.update(&CONTROLLER_REVISIONS, known);
                None
            }
            None => {
                let collisions = owner
                    .i64_at("status.collisionCount")
                    .filter(|count| *count > 0);
                let hash = hash::of_template(owner.at("spec.template"), collisions);
                cx.create(&CONTROLLER_REVISIONS, new(of, owner, &hash, data, last + 1));
                None
            }
        }
    }

    /// The revision of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Value> {
        self.revisions
            .iter()
            .find(|revision| revision.name() == name)
    }

    /// Deletes the oldest of those that are in no use, if there are more than `limit`.
    pub(crate) fn truncate(&self, cx: &mut Cx<'_>, limit: i64, in_use: impl Fn(&Value) -> bool) {
        let limit = usize::try_from(limit).unwrap_or(0);
        let idle: Vec<&Value> = self.revisions.iter().filter(|r| !in_use(r)).collect();
        let surplus = idle.len().saturating_sub(limit);
        for revision in &idle[..surplus] {
            cx.delete(&CONTROLLER_REVISIONS, revision, DeleteOptions::default());
        }
    }
}

pub(crate) fn number(revision: &Value) -> i64 {
    revision.i64_at("revision").unwrap_or(0)
}

/// A patch that makes the template what it is.
fn data(owner: &Value) -> Value {
    let mut template = owner.at("spec.template").clone();
    template.set("$patch", "replace");
    object! { "spec": { "template": template } }
}

fn new(of: &Resource, owner: &Value, hash: &str, data: Value, revision: i64) -> Value {
    let mut new = object! {
        "apiVersion": "apps/v1",
        "kind": "ControllerRevision",
        "metadata": {
            "name": (format!("{}-{hash}", owner.name())),
            "namespace": (owner.namespace()),
            "labels": (owner.at("spec.template.metadata.labels")),
            "ownerReferences": [(pods::owner_reference(of, owner))],
        },
        "data": data,
        "revision": revision,
    };
    new.set_label(REVISION_HASH, hash);
    for (key, value) in owner.annotations().iter() {
        new.set_annotation(key, value.as_str());
    }
    new
}
