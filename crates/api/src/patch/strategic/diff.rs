//! Makes the patch between two objects.

use crate::patch::PatchError;
use crate::patch::strategic::order::{sorted, unique};
use crate::patch::strategic::shape::{Shape, shape_of};
use crate::patch::strategic::{DELETE_FROM, ORDER_OF, PATCH, RETAIN_KEYS, no_merge_key};
use crate::schema::{Schemas, Type};
use crate::{Map, Value, go, object};

/// Which differences a patch leaves out.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Ignore {
    Nothing,
    Deletions,
    ChangesAndAdditions,
}

pub(super) struct Diff<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) ignore: Ignore,
}

type Result2<T> = Result<T, PatchError>;

impl<'s> Diff<'s> {
    fn changes(&self) -> bool {
        self.ignore != Ignore::ChangesAndAdditions
    }

    fn deletions(&self) -> bool {
        self.ignore != Ignore::Deletions
    }

    /// The patch between two maps; empty if there is no difference.
    pub(super) fn maps(
        &self,
        original: &Map,
        modified: &Map,
        ty: Option<&'s Type>,
        retain_keys: bool,
    ) -> Result2<Map> {
        let mut patch = Map::new();
        for (key, value) in modified {
            match (original.get(key), value) {
                (Some(before), _) if before.same(value) => {}
                (Some(Value::Map(before)), Value::Map(after)) => {
                    let shape = shape_of(self.schemas, ty, key);
                    if shape.replace {
                        if self.changes() {
                            patch.insert(key, value);
                        }
                        continue;
                    }
                    let inner = self.maps(before, after, shape.ty, shape.retain_keys)?;
                    if !inner.is_empty() {
                        patch.insert(key, inner);
                    }
                }
                (Some(Value::List(before)), Value::List(after)) => {
                    let shape = shape_of(self.schemas, ty, key);
                    match shape.merge {
                        true => self.lists(key, before, after, shape, &mut patch)?,
                        false if self.changes() => {
                            patch.insert(key, value);
                        }
                        false => {}
                    }
                }
                _ if self.changes() => {
                    patch.insert(key, value);
                }
                _ => {}
            }
        }
        let gone = || original.keys().filter(|key| !modified.contains_key(key));
        if self.deletions() {
            gone().for_each(|key| {
                patch.insert(key, Value::Null);
            });
        }
        if retain_keys && (!patch.is_empty() || gone().next().is_some()) {
            let keys: Vec<&str> = modified
                .iter()
                .filter(|(_, v)| !v.is_null())
                .map(|(k, _)| k.as_str())
                .collect();
            if !keys.is_empty() {
                patch.insert(RETAIN_KEYS, keys);
            }
        }
        Ok(patch)
    }

    /// Puts the difference of two lists that merge into the patch, with its directives.
    fn lists(
        &self,
        key: &str,
        before: &[Value],
        after: &[Value],
        shape: Shape<'s>,
        patch: &mut Map,
    ) -> Result2<()> {
        let Some(first) = before.first() else {
            if !after.is_empty() && self.changes() {
                patch.insert(key, Value::list_of(after.to_vec()));
            }
            return Ok(());
        };
        if before.iter().chain(after).any(Value::is_list) {
            let message = "lists of lists are not supported";
            return Err(PatchError::Unprocessable(message.into()));
        }
        if first.is_map() {
            return self.lists_of_maps(key, before, after, shape, patch);
        }
        let (added, deleted) = self.lists_of_scalars(before, after);
        let order =
            (self.deletions() && !deleted.is_empty()) || (self.changes() && before != after);
        if !added.is_empty() {
            patch.insert(key, Value::list_of(sorted(added, after, "")));
        }
        if !deleted.is_empty() {
            patch.insert(format!("{DELETE_FROM}{key}"), Value::list_of(deleted));
        }
        if order && !after.is_empty() {
            patch.insert(format!("{ORDER_OF}{key}"), Value::list_of(after.to_vec()));
        }
        Ok(())
    }

    fn lists_of_scalars(&self, before: &[Value], after: &[Value]) -> (Vec<Value>, Vec<Value>) {
        let missing = |from: &[Value], other: &[Value]| {
            let mut out: Vec<Value> = from
                .iter()
                .filter(|item| !other.contains(item))
                .cloned()
                .collect();
            out.sort_by_key(go::plain);
            unique(out)
        };
        let added = if self.changes() {
            missing(after, before)
        } else {
            Vec::new()
        };
        let deleted = if self.deletions() {
            missing(before, after)
        } else {
            Vec::new()
        };
        (added, deleted)
    }

    fn lists_of_maps(
        &self,
        key: &str,
        before: &[Value],
        after: &[Value],
        shape: Shape<'s>,
        patch: &mut Map,
    ) -> Result2<()> {
        let merge_key = shape.merge_key;
        let (old, new) = (by_key(before, merge_key)?, by_key(after, merge_key)?);
        let (mut changed, mut deleted) = (Vec::new(), Vec::new());
        let (mut old, mut new) = (old.into_iter().peekable(), new.into_iter().peekable());
        loop {
            let take_old = match (old.peek(), new.peek()) {
                (None, None) => break,
                (Some((a, _)), Some((b, _))) if a == b => None,
                (Some((a, _)), Some((b, _))) => Some(a < b),
                (old, _) => Some(old.is_some()),
            };
            match take_old {
                None => {
                    let (Some((_, a)), Some((_, b))) = (old.next(), new.next()) else {
                        break;
                    };
                    let (a, b) = (a.entries(), b.entries());
                    let mut inner = self.maps(a, b, shape.ty, shape.retain_keys)?;
                    if !inner.is_empty() {
                        inner.insert(merge_key, b.get(merge_key).cloned());
                        changed.push(Value::Map(inner));
                    }
                }
                Some(true) => {
                    let gone = old.next();
                    if let (true, Some((_, item))) = (self.deletions(), gone) {
                        let name = item.get(merge_key);
                        deleted.push(object! { (PATCH): "delete", (merge_key): name });
                    }
                }
                Some(false) => {
                    let added = new.next();
                    if let (true, Some((_, item))) = (self.changes(), added) {
                        changed.push(item.clone());
                    }
                }
            }
        }
        let mut items = sorted(changed, after, merge_key);
        items.extend(deleted);
        let order = !items.is_empty() || (self.changes() && !same_order(before, after, merge_key));
        if order && !after.is_empty() {
            let names: Vec<Value> = after
                .iter()
                .map(|item| object! { (merge_key): (item.get(merge_key)) })
                .collect();
            patch.insert(format!("{ORDER_OF}{key}"), names);
        }
        if !items.is_empty() {
            patch.insert(key, Value::list_of(items));
        }
        Ok(())
    }
}

/// The items sorted by the text of their merge keys.
fn by_key<'v>(items: &'v [Value], key: &str) -> Result2<Vec<(String, &'v Value)>> {
    let mut out = Vec::with_capacity(items.len());
    for item in items {
        let name = item
            .entries()
            .get(key)
            .ok_or_else(|| no_merge_key(item, key))?;
        out.push((go::plain(name), item));
    }
    out.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(out)
}

fn same_order(before: &[Value], after: &[Value], key: &str) -> bool {
    before.len() == after.len()
        && before
            .iter()
            .zip(after)
            .all(|(a, b)| a.get(key) == b.get(key))
}
