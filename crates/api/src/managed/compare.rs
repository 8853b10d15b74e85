//! What differs between two trees, and what a tree has, as sets of paths.
//!
//! Models structured-merge-diff's typed/{compare,tofieldset}.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::set::with_member;
use super::shape::{Fields, Items, Node, Shape, element, item_element};
use crate::{Map, NULL, Schemas, Str, Value};

/// What differs.
#[derive(Clone, Debug, Default)]
pub struct Diff {
    /// Paths that were added or have another value.
    pub changed: Map,
    /// Paths that are no more.
    pub removed: Map,
}

impl Diff {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.changed.is_empty() && self.removed.is_empty()
    }
}

/// What differs below one place; `None` where nothing does.
#[derive(Default)]
struct Below {
    changed: Option<Map>,
    removed: Option<Map>,
}

/// Compares two objects.
pub(super) fn diff<'s>(
    schemas: &'s Schemas,
    node: Node<'s>,
    before: &Value,
    after: &Value,
) -> Diff {
    let below = at(schemas, node, Some(before), Some(after));
    Diff {
        changed: below.changed.unwrap_or_default(),
        removed: below.removed.unwrap_or_default(),
    }
}

/// Whether both are one allocation, so that nothing below can differ.
fn shared(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Map(a), Value::Map(b)) => a.ptr_eq(b),
        (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b),
        _ => false,
    }
}

/// Absent, null, or without anything in it.
pub(super) fn is_hollow(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Map(map)) => map.is_empty(),
        Some(Value::List(items)) => items.is_empty(),
        Some(_) => false,
    }
}

/// Whether both are merged part by part.
pub(super) fn has_parts(shape: &Shape<'_>, before: Option<&Value>, after: Option<&Value>) -> bool {
    let all = |fits: fn(&Value) -> bool| {
        [before, after]
            .into_iter()
            .flatten()
            .all(|value| value.is_null() || fits(value))
    };
    let fits = match shape {
        Shape::Scalar(_) => false,
        Shape::Struct { atomic, .. } | Shape::Map { atomic, .. } | Shape::Open { atomic } => {
            !atomic && all(Value::is_map)
        }
        Shape::List { items, .. } => !matches!(items, Items::Atomic) && all(Value::is_list),
    };
    fits && !(is_hollow(before) && is_hollow(after))
}

fn at<'s>(
    schemas: &'s Schemas,
    node: Node<'s>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Below {
    match (before, after) {
        (None, None) => return Below::default(),
        (Some(a), Some(b)) if shared(a, b) => return Below::default(),
        _ => {}
    }
    let shape = node.shape(schemas);
    if !has_parts(&shape, before, after) {
        return leaf(before, after);
    }
    let mut out = match shape {
        Shape::Struct { fields, .. } => fields_of(schemas, fields, before, after),
        Shape::Map { item, .. } => keys_of(schemas, item, before, after),
        Shape::List { item, items } => items_of(schemas, item, items, before, after),
        Shape::Scalar(_) | Shape::Open { .. } => keys_of(schemas, Node::Open, before, after),
    };
    if before.is_none() {
        out.changed = Some(with_member(out.changed));
    } else if after.is_none() {
        out.removed = Some(with_member(out.removed));
    }
    out
}

fn leaf(before: Option<&Value>, after: Option<&Value>) -> Below {
    let mut out = Below::default();
    match (before, after) {
        (_, None) => out.removed = Some(Map::new()),
        (Some(a), Some(b)) if a.same(b) => {}
        _ => out.changed = Some(Map::new()),
    }
    out
}

/// The parts found to differ, by their path elements.
#[derive(Default)]
struct Parts {
    changed: Vec<(Str, Value)>,
    removed: Vec<(Str, Value)>,
}

impl Parts {
    fn add(&mut self, element: &Str, below: Below) {
        if let Some(changed) = below.changed {
            self.changed.push((element.clone(), Value::Map(changed)));
        }
        if let Some(removed) = below.removed {
            self.removed.push((element.clone(), Value::Map(removed)));
        }
    }

    fn done(self) -> Below {
        let map = |parts: Vec<_>| (!parts.is_empty()).then(|| Map::from_entries(parts));
        Below {
            changed: map(self.changed),
            removed: map(self.removed),
        }
    }
}

/// Calls `visit` with every key of either map, in order.
pub(super) fn each_key<'v>(
    a: &'v Map,
    b: &'v Map,
    mut visit: impl FnMut(&'v Str, Option<&'v Value>, Option<&'v Value>),
) {
    let (mut left, mut right) = (a.iter().peekable(), b.iter().peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some((a, _)), Some((b, _))) => a.cmp(b),
        };
        let l = if order.is_le() { left.next() } else { None };
        let r = if order.is_ge() { right.next() } else { None };
        if let Some((key, _)) = l.or(r) {
            visit(key, l.map(|(_, value)| value), r.map(|(_, value)| value));
        }
    }
}

fn fields_of<'s>(
    schemas: &'s Schemas,
    fields: Fields<'s>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Below {
    let mut parts = Parts::default();
    let (was, is) = (before.unwrap_or(NULL), after.unwrap_or(NULL));
    each_key(was.entries(), is.entries(), |key, a, b| {
        if let (Some(a), Some(b)) = (a, b)
            && shared(a, b)
        {
            return;
        }
        let Some(field) = fields.get(schemas, key) else {
            parts.add(&element(key), at(schemas, Node::Open, a, b));
            return;
        };
        // A field that Go always writes is there as null in a struct that is there.
        let there = |side: Option<&'_ Value>| field.always_there && side.is_some();
        let a = a.or(there(before).then_some(NULL));
        let b = b.or(there(after).then_some(NULL));
        parts.add(&field.element, at(schemas, field.node, a, b));
    });
    parts.done()
}

fn keys_of<'s>(
    schemas: &'s Schemas,
    item: Node<'s>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Below {
    let mut parts = Parts::default();
    let (was, is) = (before.unwrap_or(NULL), after.unwrap_or(NULL));
    each_key(was.entries(), is.entries(), |key, a, b| {
        let below = at(schemas, item, a, b);
        if below.changed.is_some() || below.removed.is_some() {
            parts.add(&element(key), below);
        }
    });
    parts.done()
}

fn items_of<'s>(
    schemas: &'s Schemas,
    item: Node<'s>,
    items: Items<'s>,
    before: Option<&Value>,
    after: Option<&Value>,
) -> Below {
    let mut both: BTreeMap<Str, [Vec<&Value>; 2]> = BTreeMap::new();
    for (side, list) in [before, after].into_iter().enumerate() {
        for value in list.unwrap_or(NULL).list() {
            if let Ok(element) = item_element(schemas, item, items, value) {
                both.entry(element).or_default()[side].push(value);
            }
        }
    }
    let mut parts = Parts::default();
    for (element, [was, is]) in both {
        let below = if was.len() > 1 || is.len() > 1 {
            // Items that look the same are one value together.
            match (was.is_empty(), is.is_empty()) {
                (false, true) => leaf(Some(NULL), None),
                _ if was == is => Below::default(),
                _ => leaf(None, Some(NULL)),
            }
        } else {
            at(schemas, item, was.first().copied(), is.first().copied())
        };
        parts.add(&element, below);
    }
    parts.done()
}

/// The set of what an object has: its leaves, and the items of its lists and maps.
pub(super) fn set_of<'s>(schemas: &'s Schemas, node: Node<'s>, value: &Value) -> Map {
    below(schemas, node, value).unwrap_or_default()
}

fn below<'s>(schemas: &'s Schemas, node: Node<'s>, value: &Value) -> Option<Map> {
    let shape = node.shape(schemas);
    let mut parts: Vec<(Str, Value)> = Vec::new();
    let mut add = |element: Str, below: Option<Map>, member: bool| match (member, below) {
        (true, below) => parts.push((element, Value::Map(with_member(below)))),
        (false, Some(below)) => parts.push((element, Value::Map(below))),
        (false, None) => {}
    };
    match (shape, value) {
        (
            Shape::Struct {
                fields,
                atomic: false,
            },
            Value::Map(map),
        ) => {
            for (key, value) in map {
                let hollow = value.is_null() || (value.is_map() && value.is_zero());
                match fields.get(schemas, key) {
                    Some(field) => add(field.element, below(schemas, field.node, value), hollow),
                    None => add(element(key), below(schemas, Node::Open, value), true),
                }
            }
        }
        (Shape::Map { atomic: false, .. } | Shape::Open { atomic: false }, Value::Map(map)) => {
            let item = match shape {
                Shape::Map { item, .. } => item,
                _ => Node::Open,
            };
            for (key, value) in map {
                add(element(key), below(schemas, item, value), true);
            }
        }
        (Shape::List { item, items }, Value::List(list)) if !matches!(items, Items::Atomic) => {
            for value in list.iter() {
                if let Ok(element) = item_element(schemas, item, items, value) {
                    add(element, below(schemas, item, value), true);
                }
            }
        }
        _ => return Some(Map::new()),
    }
    (!parts.is_empty()).then(|| Map::from_entries(parts))
}

/// The set with every named field that has members below it as a member itself.
pub(super) fn with_named_fields<'s>(schemas: &'s Schemas, node: Node<'s>, set: &Map) -> Map {
    let shape = node.shape(schemas);
    let mut out = Vec::with_capacity(set.len());
    for (key, value) in set {
        let map = value.entries();
        if map.is_empty() {
            out.push((key.clone(), value.clone()));
            continue;
        }
        let name = key.strip_prefix("f:");
        let (node, named) = child(schemas, shape, name);
        let inner = with_named_fields(schemas, node, map);
        let inner = if named {
            with_member(Some(inner))
        } else {
            inner
        };
        out.push((key.clone(), Value::Map(inner)));
    }
    Map::from_entries(out)
}

/// What is below a path element, and whether that is a field with a name.
pub(super) fn child<'s>(
    schemas: &'s Schemas,
    shape: Shape<'s>,
    name: Option<&str>,
) -> (Node<'s>, bool) {
    match (shape, name) {
        (Shape::Struct { fields, .. }, Some(name)) => match fields.get(schemas, name) {
            Some(field) => (field.node, true),
            None => (Node::Open, false),
        },
        (Shape::Map { item, .. } | Shape::List { item, .. }, _) => (item, false),
        _ => (Node::Open, false),
    }
}
