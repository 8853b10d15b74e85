//! Writes that are no apply: who changes a field manages it from then on, and nobody else does.
//!
//! Models structured-merge-diff's merge/update.go and the chain of managers in
//! apimachinery/pkg/util/managedfields/internal.

use super::Write;
use super::compare::{Diff, diff};
use super::entries::{Id, list_of, set_of, with_set};
use super::set::{difference, intersection, stripped, union, without_trees};
use crate::{Map, Value};

/// The `managedFields` an object has after it was changed from `live` to `new`; null for none. Both
/// have the shape of the request's version. `live` is `None` for an object that is created.
pub fn update(write: &Write<'_>, live: Option<&Value>, new: &Value) -> Value {
    let zero;
    let (old, before) = match live {
        Some(live) => (live.metadata().get("managedFields"), live),
        None => {
            zero = write.zero();
            (crate::NULL, &zero)
        }
    };
    let given = new.metadata().get("managedFields");
    let source = match given.list() {
        _ if !write.subresource.is_empty() => old,
        [] if given.is_list() => crate::NULL,
        [only] if only.entries().is_empty() => crate::NULL,
        [] => old,
        list if list.iter().all(|entry| entry.get("fieldsV1").is_map()) => given,
        _ => old,
    };
    let found = write.diff(before, new);
    if found.is_empty() {
        return source.clone();
    }
    let own = write.id("Update");
    let mut diffs = Diffs::new(write, (before, new), &found);
    let mut mine = Map::new();
    let mut entries = Vec::with_capacity(source.list().len() + 1);
    for entry in source.list() {
        let Some(diff) = diffs.at(entry.str("apiVersion")) else {
            continue;
        };
        let set = difference(&difference(set_of(entry), &diff.changed), &diff.removed);
        if own.is_of(entry) && !found.changed.is_empty() {
            mine = set;
        } else {
            entries.extend(with_set(entry, set));
        }
    }
    let taken = union(&mine, &stripped(&found.changed));
    if !found.changed.is_empty() && !taken.is_empty() {
        // The entries of a scale come from an object of its own, which keeps no times.
        let time = match write.subresource {
            "scale" => "",
            _ => write.now,
        };
        entries.push(own.entry(taken, time));
    }
    list_of(entries)
}

impl<'a> Write<'a> {
    /// An object of which nothing is set.
    pub(super) fn zero(&self) -> Value {
        match self.node {
            super::Node::Definition(id) => self.schemas.zero(id),
            _ => crate::object! { "metadata": {} },
        }
    }

    /// What differs, but for what such writes do not change and for who the object is.
    pub(super) fn diff(&self, before: &Value, after: &Value) -> Diff {
        self.cleaned(diff(self.schemas, self.node, before, after))
    }

    fn cleaned(&self, diff: Diff) -> Diff {
        let clean = |set: Map| without_trees(&stripped(&set), self.ignored);
        Diff {
            changed: clean(diff.changed),
            removed: clean(diff.removed),
        }
    }

    pub(super) fn id(&self, operation: &'a str) -> Id<'a> {
        Id {
            manager: self.manager,
            operation,
            api_version: self.api_version,
            subresource: self.subresource,
        }
    }
}

/// What differs, in the version of each entry.
pub(super) struct Diffs<'w, 'a> {
    write: &'w Write<'a>,
    trees: (&'w Value, &'w Value),
    known: Vec<(String, Option<Diff>)>,
}

impl<'w, 'a> Diffs<'w, 'a> {
    pub(super) fn new(
        write: &'w Write<'a>,
        trees: (&'w Value, &'w Value),
        found: &Diff,
    ) -> Diffs<'w, 'a> {
        let known = vec![(write.api_version.to_owned(), Some(found.clone()))];
        Diffs {
            write,
            trees,
            known,
        }
    }

    /// `None` for a version that is not served any more.
    pub(super) fn at(&mut self, version: &str) -> Option<&Diff> {
        let known = self.known.iter().position(|(known, _)| known == version);
        let at = known.unwrap_or_else(|| {
            let Write {
                schemas, convert, ..
            } = self.write;
            let both = (convert)(self.trees.0, version).zip((convert)(self.trees.1, version));
            let found = both.map(|((node, before), (_, after))| {
                self.write.cleaned(diff(schemas, node, &before, &after))
            });
            self.known.push((version.to_owned(), found));
            self.known.len() - 1
        });
        self.known[at].1.as_ref()
    }
}

/// The fields that others manage and a change touches, entry by entry.
pub(super) fn touched(
    source: &[Value],
    own: Id<'_>,
    diffs: &mut Diffs<'_, '_>,
) -> Vec<(Value, Map)> {
    let mut out = Vec::new();
    for entry in source.iter().filter(|entry| !own.is_of(entry)) {
        if let Some(diff) = diffs.at(entry.str("apiVersion")) {
            let theirs = intersection(set_of(entry), &diff.changed);
            if !theirs.is_empty() {
                out.push((entry.clone(), theirs));
            }
        }
    }
    out
}
