//! Sets of paths in the form of `FieldsV1`: a map from path elements (`f:name`, `k:{…}`, `v:…`) to
//! what is below. An element is a member if nothing is below it, or if `.` is among that.
//!
//! Models structured-merge-diff's fieldpath/{set,serialize,path}.go.

use crate::{Map, Str, Value};

/// The mark of an element that is a member and has others below.
const SELF: &str = ".";

/// Whether an element with this below it is a member itself.
pub(super) fn is_member(below: &Map) -> bool {
    below.is_empty() || below.contains_key(SELF)
}

/// What is below an element that is a member.
pub(super) fn with_member(below: Option<Map>) -> Map {
    match below {
        Some(mut map) if !map.is_empty() => {
            if !map.contains_key(SELF) {
                map.insert(SELF, Value::empty_map());
            }
            map
        }
        _ => Map::new(),
    }
}

/// The elements below, without the mark.
fn elements(below: &Map) -> impl Iterator<Item = (&Str, &Map)> {
    let entries = below.iter().filter(|(key, _)| key.as_str() != SELF);
    entries.map(|(key, value)| (key, value.entries()))
}

/// All of two sets.
pub(super) fn union(a: &Map, b: &Map) -> Map {
    if a.is_empty() || a.ptr_eq(b) {
        return b.clone();
    }
    if b.is_empty() {
        return a.clone();
    }
    joined(a, b)
}

/// The elements of both; no mark unless one of them has it.
fn joined(a: &Map, b: &Map) -> Map {
    let mut out = a.clone();
    for (key, theirs) in b {
        let merged = match a.get(key) {
            None => theirs.clone(),
            Some(ours) => {
                let (ours, theirs) = (ours.entries(), theirs.entries());
                if ours.ptr_eq(theirs) {
                    continue;
                }
                let below = joined(ours, theirs);
                let member = is_member(ours) || is_member(theirs);
                Value::Map(if member {
                    with_member(Some(below))
                } else {
                    below
                })
            }
        };
        if out.get(key).is_none_or(|had| !had.same(&merged)) {
            out.insert(key, merged);
        }
    }
    out
}

/// The paths of `a` that are none of `b`. A path goes alone: what is below it stays.
pub(super) fn difference(a: &Map, b: &Map) -> Map {
    if b.is_empty() || a.is_empty() {
        return a.clone();
    }
    let mut out = a.clone();
    for (key, theirs) in elements(b) {
        let Some(ours) = a.get(key) else { continue };
        match without(ours.entries(), theirs) {
            None => {
                out.remove(key);
            }
            Some(rest) if !ours.entries().ptr_eq(&rest) => {
                out.insert(key, Value::Map(rest));
            }
            Some(_) => {}
        }
    }
    out
}

/// What is left below an element; `None` if nothing is, not even the element.
fn without(ours: &Map, theirs: &Map) -> Option<Map> {
    let member = is_member(ours) && !is_member(theirs);
    let mut below = difference(ours, theirs);
    below.remove(SELF);
    match (below.is_empty(), member) {
        (true, true) => Some(Map::new()),
        (true, false) => None,
        (false, true) => Some(with_member(Some(below))),
        (false, false) => Some(below),
    }
}

/// The paths of both.
pub(super) fn intersection(a: &Map, b: &Map) -> Map {
    let mut out = Vec::new();
    for (key, ours) in elements(a) {
        let Some(theirs) = b.get(key).map(Value::entries) else {
            continue;
        };
        let member = is_member(ours) && is_member(theirs);
        let below = intersection(ours, theirs);
        if member {
            out.push((key.clone(), Value::Map(with_member(Some(below)))));
        } else if !below.is_empty() {
            out.push((key.clone(), Value::Map(below)));
        }
    }
    Map::from_entries(out)
}

/// `a` without the paths of `b` and all below them.
pub(super) fn without_trees(a: &Map, b: &Map) -> Map {
    let mut out = a.clone();
    for (key, theirs) in elements(b) {
        let Some(ours) = a.get(key) else { continue };
        if is_member(theirs) {
            out.remove(key);
            continue;
        }
        let ours = ours.entries();
        let rest = without_trees(ours, theirs);
        if rest.is_empty() && !ours.is_empty() {
            out.remove(key);
        } else if !rest.ptr_eq(ours) {
            out.insert(key, Value::Map(rest));
        }
    }
    out
}

/// What every manager has and nobody manages: who the object is.
pub(super) fn stripped(set: &Map) -> Map {
    const TOP: [&str; 2] = ["f:apiVersion", "f:kind"];
    const META: [&str; 8] = [
        "f:creationTimestamp",
        "f:generation",
        "f:managedFields",
        "f:name",
        "f:namespace",
        "f:resourceVersion",
        "f:selfLink",
        "f:uid",
    ];
    let mut out = set.clone();
    out.retain(|key, _| !TOP.contains(&key));
    if let Some(meta) = set.get("f:metadata") {
        let mut meta = meta.entries().clone();
        meta.retain(|key, _| key != SELF && !META.contains(&key));
        if meta.is_empty() {
            out.remove("f:metadata");
        } else if !set
            .get("f:metadata")
            .is_some_and(|had| had.entries().ptr_eq(&meta))
        {
            out.insert("f:metadata", Value::Map(meta));
        }
    }
    out
}

/// Every member as a person reads it: `.spec.containers[name="web"].image`. On each level members
/// come before what is deeper.
pub(super) fn paths(set: &Map) -> Vec<String> {
    let mut out = Vec::new();
    collect(set, "", &mut out);
    out
}

fn collect(set: &Map, prefix: &str, out: &mut Vec<String>) {
    for (key, below) in elements(set) {
        if is_member(below) {
            out.push(format!("{prefix}{}", shown(key)));
        }
    }
    for (key, below) in elements(set) {
        if !below.is_empty() {
            collect(below, &format!("{prefix}{}", shown(key)), out);
        }
    }
}

/// A path element as a person reads it.
pub(super) fn shown(element: &str) -> String {
    match element.split_once(':') {
        Some(("f", name)) => format!(".{name}"),
        Some(("k", keys)) => {
            let keys = Value::from_json(keys.as_bytes()).unwrap_or_default();
            let keys = keys
                .entries()
                .iter()
                .map(|(key, value)| format!("{key}={value}"));
            format!("[{}]", keys.collect::<Vec<_>>().join(","))
        }
        Some(("v", value)) => format!("[={value}]"),
        Some(("i", index)) => format!("[{index}]"),
        _ => element.to_owned(),
    }
}
