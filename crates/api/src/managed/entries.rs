//! The entries of `metadata.managedFields`: a manager each, with the set it manages.
//!
//! Models apimachinery/pkg/util/managedfields/internal/{managedfields,capmanagers}.go.

use super::set::union;
use crate::{Map, Value, object};

/// No more entries of updates than this are kept apart.
const MOST_UPDATERS: usize = 10;
/// Whose the oldest become when there are more.
const ANCIENT: &str = "ancient-changes";
/// Longest name of a manager, in characters.
const LONGEST: usize = 128;

/// The manager that a client is by its name for itself: `kubectl` for `kubectl/v1.36.2 (linux/…)`.
pub fn manager_of(user_agent: &str) -> String {
    let name = user_agent.split('/').next().unwrap_or_default();
    name.chars()
        .filter(|c| !c.is_control())
        .take(LONGEST)
        .collect()
}

/// Who an entry is of, how and through what. Updates through different versions are apart.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Id<'a> {
    pub(super) manager: &'a str,
    pub(super) operation: &'a str,
    pub(super) api_version: &'a str,
    pub(super) subresource: &'a str,
}

impl Id<'_> {
    pub(super) fn is_of(self, entry: &Value) -> bool {
        entry.str("manager") == self.manager
            && entry.str("operation") == self.operation
            && (self.operation == "Apply" || entry.str("apiVersion") == self.api_version)
            && entry.str("subresource") == self.subresource
    }

    /// An entry of its own.
    pub(super) fn entry(self, set: Map, time: &str) -> Value {
        let mut entry = object! {
            "apiVersion": self.api_version,
            "fieldsType": "FieldsV1",
            "fieldsV1": Value::Map(set),
            "manager": self.manager,
            "operation": self.operation,
        };
        entry.set_or_remove("subresource", self.subresource);
        entry.set_or_remove("time", time);
        entry
    }
}

/// The set of an entry.
pub(super) fn set_of(entry: &Value) -> &Map {
    entry.get("fieldsV1").entries()
}

/// Puts another set into an entry; `None` if nothing is left of it.
pub(super) fn with_set(entry: &Value, set: Map) -> Option<Value> {
    if set.is_empty() {
        return None;
    }
    let mut entry = entry.clone();
    if !set_of(&entry).ptr_eq(&set) {
        entry.set("fieldsV1", Value::Map(set));
    }
    Some(entry)
}

/// The list as it is kept: applies before updates, the oldest first.
pub(super) fn list_of(mut entries: Vec<Value>) -> Value {
    cap(&mut entries);
    let key = |entry: &Value| {
        ["operation", "time", "manager", "apiVersion", "subresource"]
            .map(|field| entry.get(field).clone())
    };
    entries.sort_by_cached_key(key);
    if entries.is_empty() {
        return Value::Null;
    }
    Value::list_of(entries)
}

/// Joins the oldest entries of updates while there are too many.
fn cap(entries: &mut Vec<Value>) {
    let is_update = |entry: &&Value| entry.str("operation") == "Update";
    let mut updates = entries.iter().filter(is_update).count();
    if updates <= MOST_UPDATERS {
        return;
    }
    entries.sort_by_cached_key(|entry| (entry.get("time").clone(), entry.get("manager").clone()));
    let mut i = 0;
    let mut firsts: Vec<(Value, usize)> = Vec::new();
    while i < entries.len() && updates > MOST_UPDATERS {
        let entry = entries[i].clone();
        if !is_update(&&entry) {
            i += 1;
            continue;
        }
        let version = entry.get("apiVersion").clone();
        let Some((_, first)) = firsts.iter().find(|(known, _)| known.same(&version)) else {
            firsts.push((version, i));
            i += 1;
            continue;
        };
        let bucket = &mut entries[*first];
        let joined = union(set_of(bucket), set_of(&entry));
        let id = Id {
            manager: ANCIENT,
            operation: "Update",
            api_version: version.as_str(),
            subresource: "",
        };
        *bucket = id.entry(joined, entry.str("time"));
        entries.remove(i);
        updates -= 1;
    }
}
