//! A configuration merged into an object, and paths taken out of one.
//!
//! Models structured-merge-diff's typed/{merge,remove}.go.

use std::collections::BTreeMap;

use super::compare::{child, each_key, has_parts, is_hollow};
use super::set::is_member;
use super::shape::{Fields, Items, Node, Shape, item_element};
use crate::{Map, NULL, Schemas, Str, Value};

/// `theirs` laid over `ours`: what merges does so part by part, the rest is taken from `theirs`.
pub(super) fn merged<'s>(
    schemas: &'s Schemas,
    node: Node<'s>,
    ours: &Value,
    theirs: &Value,
) -> Value {
    let shape = node.shape(schemas);
    if !has_parts(&shape, Some(ours), Some(theirs)) {
        return theirs.clone();
    }
    if is_hollow(Some(theirs)) {
        return ours.clone();
    }
    match shape {
        Shape::List { item, items } => {
            let lists = [ours.list(), theirs.list()];
            Value::list_of(merged_items(schemas, item, items, lists))
        }
        shape => {
            let mut out = Vec::new();
            each_key(ours.entries(), theirs.entries(), |key, a, b| {
                let value = match (a, b) {
                    (Some(a), Some(b)) => merged(schemas, child_of(schemas, shape, key), a, b),
                    (a, b) => a.or(b).unwrap_or(NULL).clone(),
                };
                out.push((key.clone(), value));
            });
            Value::Map(Map::from_entries(out))
        }
    }
}

fn child_of<'s>(schemas: &'s Schemas, shape: Shape<'s>, key: &str) -> Node<'s> {
    child(schemas, shape, Some(key)).0
}

/// The items of both: in the order of `theirs`, with those that are only ours where they stood
/// between the others.
fn merged_items<'s>(
    schemas: &'s Schemas,
    item: Node<'s>,
    items: Items<'s>,
    lists: [&[Value]; 2],
) -> Vec<Value> {
    let name = |value: &Value| item_element(schemas, item, items, value).unwrap_or_default();
    let [ours, theirs] = lists.map(|list| list.iter().map(name).collect::<Vec<Str>>());
    let find = |names: &[Str], name: &Str| names.iter().position(|one| one == name);
    let mut shared = theirs
        .iter()
        .filter(|name| find(&ours, name).is_some())
        .peekable();
    let mut done: BTreeMap<&Str, ()> = BTreeMap::new();
    let mut out = Vec::with_capacity(ours.len().max(theirs.len()));
    let (mut l, mut r) = (0, 0);
    let take = |r: usize| match find(&ours, &theirs[r]) {
        Some(l) => merged(schemas, item, &lists[0][l], &lists[1][r]),
        None => lists[1][r].clone(),
    };
    while l < ours.len() || r < theirs.len() {
        if l < ours.len() && r < theirs.len() {
            if ours[l] == theirs[r] {
                done.insert(&theirs[r], ());
                out.push(merged(schemas, item, &lists[0][l], &lists[1][r]));
                shared.next();
                (l, r) = (l + 1, r + 1);
                continue;
            }
            let known = find(&theirs, &ours[l]).is_some();
            if known && shared.peek().is_some_and(|next| **next != ours[l]) {
                l += 1;
                continue;
            }
        }
        if l < ours.len() {
            if find(&theirs, &ours[l]).is_none() {
                out.push(lists[0][l].clone());
                l += 1;
                continue;
            }
            if done.contains_key(&ours[l]) {
                l += 1;
            }
        }
        if r < theirs.len() {
            done.insert(&theirs[r], ());
            out.push(take(r));
            if shared.peek().is_some_and(|next| **next == theirs[r]) {
                shared.next();
            }
            r += 1;
        }
    }
    out
}

/// The value without the members of a set; null where nothing is left.
pub(super) fn without<'s>(
    schemas: &'s Schemas,
    node: Node<'s>,
    value: &Value,
    gone: &Map,
) -> Value {
    match (node.shape(schemas), value) {
        (Shape::List { item, items }, Value::List(list)) if !matches!(items, Items::Atomic) => {
            let mut out = Vec::with_capacity(list.len());
            for value in list.iter() {
                let element = item_element(schemas, item, items, value).unwrap_or_default();
                match gone.get(&element).map(Value::entries) {
                    None => out.push(value.clone()),
                    Some(below) if is_member(below) => {}
                    Some(below) => out.push(without(schemas, item, value, below)),
                }
            }
            or_null(out.is_empty(), || Value::list_of(out))
        }
        (
            shape @ (Shape::Struct { atomic: false, .. }
            | Shape::Map { atomic: false, .. }
            | Shape::Open { atomic: false }),
            Value::Map(map),
        ) => {
            let mut out = Vec::with_capacity(map.len());
            for (key, value) in map {
                let element = match shape {
                    Shape::Struct { fields, .. } => element_of(schemas, fields, key),
                    _ => super::shape::element(key),
                };
                match gone.get(&element).map(Value::entries) {
                    None => out.push((key.clone(), value.clone())),
                    Some(below) if is_member(below) => {}
                    Some(below) => {
                        let node = child_of(schemas, shape, key);
                        out.push((key.clone(), without(schemas, node, value, below)));
                    }
                }
            }
            or_null(out.is_empty(), || Value::Map(Map::from_entries(out)))
        }
        _ => value.clone(),
    }
}

fn or_null(empty: bool, value: impl FnOnce() -> Value) -> Value {
    if empty { Value::Null } else { value() }
}

fn element_of(schemas: &Schemas, fields: Fields<'_>, key: &str) -> Str {
    match fields.get(schemas, key) {
        Some(field) => field.element,
        None => super::shape::element(key),
    }
}
