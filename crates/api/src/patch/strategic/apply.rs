//! Merges a patch into an object, or one patch into another.

use crate::patch::PatchError;
use crate::patch::strategic::order::{arrange, index, partition, unique};
use crate::patch::strategic::shape::{Shape, shape_of};
use crate::patch::strategic::{
    DELETE_FROM, ORDER_OF, PATCH, RETAIN_KEYS, bad_patch_type, no_merge_key,
};
use crate::schema::{Schemas, Type};
use crate::{Map, Value};

/// What is merged into what.
#[derive(Clone, Copy)]
pub(super) struct Options {
    /// Directives beside lists are carried out; otherwise both sides are patches and they are kept.
    pub(super) parallel_lists: bool,
    /// Nulls for keys that are not there are forgotten; otherwise they are kept.
    pub(super) ignore_unmatched_nulls: bool,
}

pub(super) struct Merge<'s> {
    pub(super) schemas: &'s Schemas,
    pub(super) options: Options,
}

type Result2<T> = Result<T, PatchError>;

fn bad_order() -> PatchError {
    PatchError::BadRequest("invalid patch format of setElementOrder list".into())
}

fn bad_retain_keys() -> PatchError {
    PatchError::BadRequest("invalid patch format of retainKeys".into())
}

impl<'s> Merge<'s> {
    /// A map with a patch merged in.
    pub(super) fn map(&self, original: &Map, patch: &Map, ty: Option<&'s Type>) -> Result2<Map> {
        if let Some(directive) = patch.get(PATCH) {
            return match directive.as_str() {
                "replace" => {
                    let mut out = patch.clone();
                    out.remove(PATCH);
                    Ok(out)
                }
                "delete" => Ok(Map::new()),
                _ => Err(bad_patch_type(directive, patch)),
            };
        }
        let (mut out, mut patch) = (original.clone(), patch.clone());
        self.retain_keys(&mut out, &mut patch)?;
        self.ordered_lists(&mut out, &mut patch, ty)?;
        for (key, value) in &patch {
            match key.strip_prefix(DELETE_FROM) {
                Some(_) if !self.options.parallel_lists => {
                    out.insert(key, value);
                }
                Some(name) => self.delete_from(&mut out, name, value)?,
                None => self.key(&mut out, key, value, shape_of(self.schemas, ty, key))?,
            }
        }
        Ok(out)
    }

    fn key(&self, out: &mut Map, key: &str, value: &Value, shape: Shape<'s>) -> Result2<()> {
        if value.is_null() {
            out.remove(key);
            if self.options.ignore_unmatched_nulls {
                return Ok(());
            }
        }
        let merged = match (out.get(key), value) {
            (Some(Value::Map(before)), Value::Map(patch)) if !shape.replace => {
                Value::Map(self.map(before, patch, shape.ty)?)
            }
            (Some(Value::List(before)), Value::List(patch)) if shape.merge => {
                Value::list_of(self.list(before, patch, shape)?)
            }
            (Some(before), _) if same_type(before, value) => value.clone(),
            _ => self.fresh(value),
        };
        if out.get(key) != Some(&merged) {
            out.insert(key, merged);
        }
        Ok(())
    }

    /// A value of the patch where there was none: without directives, and without nulls where they
    /// are to be forgotten.
    fn fresh(&self, value: &Value) -> Value {
        match value {
            Value::Map(map) => {
                let kept = map.iter().filter(|(key, item)| {
                    let directive = [PATCH, RETAIN_KEYS].contains(&key.as_str())
                        || key.starts_with(ORDER_OF)
                        || key.starts_with(DELETE_FROM);
                    // Between patches directives still have work to do.
                    let keep_directive = directive && !self.options.parallel_lists;
                    (!directive || keep_directive)
                        && !(item.is_null() && self.options.ignore_unmatched_nulls)
                });
                Value::Map(kept.map(|(key, item)| (key, self.fresh(item))).collect())
            }
            Value::List(items) => items.iter().map(|item| self.fresh(item)).collect(),
            other => other.clone(),
        }
    }

    fn delete_from(&self, out: &mut Map, name: &str, doomed: &Value) -> Result2<()> {
        if !doomed.is_list() {
            let message = "invalid patch format of primitive list";
            return Err(PatchError::BadRequest(message.into()));
        }
        if let Some(list @ Value::List(_)) = out.get_mut(name) {
            list.vec_mut().retain(|item| !doomed.list().contains(item));
        }
        Ok(())
    }

    fn retain_keys(&self, out: &mut Map, patch: &mut Map) -> Result2<()> {
        let Some(directive) = patch.remove(RETAIN_KEYS) else {
            return Ok(());
        };
        if !self.options.parallel_lists {
            return match out.get(RETAIN_KEYS) {
                Some(before) if *before != directive => Err(bad_retain_keys()),
                _ => {
                    out.insert(RETAIN_KEYS, directive);
                    Ok(())
                }
            };
        }
        let Value::List(keys) = &directive else {
            return Err(bad_retain_keys());
        };
        let named = |key: &str| keys.iter().any(|named| named.as_str() == key);
        let stray = patch.iter().any(|(key, value)| {
            let directive = key.starts_with(DELETE_FROM) || key.starts_with(ORDER_OF);
            !value.is_null() && !directive && !named(key)
        });
        if stray {
            return Err(bad_retain_keys());
        }
        out.retain(|key, _| named(key));
        Ok(())
    }

    /// Carries out `$setElementOrder`: merges the list it is for, and puts it in order.
    fn ordered_lists(&self, out: &mut Map, patch: &mut Map, ty: Option<&'s Type>) -> Result2<()> {
        let directives: Vec<_> = patch
            .keys()
            .filter(|key| key.starts_with(ORDER_OF))
            .cloned()
            .collect();
        for directive in directives {
            let order = patch.remove(&directive).unwrap_or_default();
            if !self.options.parallel_lists {
                match out.get(&directive) {
                    Some(before) if *before != order => return Err(bad_order()),
                    _ => out.insert(&directive, order),
                };
                continue;
            }
            let Value::List(order) = &order else {
                return Err(bad_order());
            };
            let name = &directive[ORDER_OF.len()..];
            let shape = shape_of(self.schemas, ty, name);
            let before = out.get(name).map(|list| list.list().to_vec());
            let change = patch.get(name).map(|list| list.list().to_vec());
            check_order(change.as_deref().unwrap_or(&[]), order, shape.merge_key)?;
            let merged = match (&before, &change) {
                (None, None) => continue,
                (Some(before), None) => before.clone(),
                (None, Some(change)) => {
                    let added = change.iter().filter(|item| item.str(PATCH).is_empty());
                    added.map(|item| self.fresh(item)).collect()
                }
                (Some(before), Some(change)) if shape.merge => self.list(before, change, shape)?,
                (Some(_), Some(change)) => change.clone(),
            };
            let (ours, servers) = partition(merged, order, shape.merge_key)?;
            let before = before.unwrap_or_default();
            let arranged = arrange(ours, servers, order, &before, shape.merge_key);
            out.insert(name, Value::list_of(arranged));
            patch.remove(name);
        }
        Ok(())
    }

    fn list(&self, before: &[Value], patch: &[Value], shape: Shape<'s>) -> Result2<Vec<Value>> {
        let Some(first) = before.iter().chain(patch).next() else {
            return Ok(Vec::new());
        };
        if before.iter().chain(patch).any(Value::is_list) {
            let message = "lists of lists are not supported";
            return Err(PatchError::Unprocessable(message.into()));
        }
        if !first.is_map() {
            let merged = unique(before.iter().chain(patch).cloned().collect());
            let (ours, servers) = partition(merged, patch, "")?;
            return Ok(arrange(ours, servers, patch, before, ""));
        }
        let key = shape.merge_key;
        if key.is_empty() {
            let message = "cannot merge lists without merge key".to_owned();
            return Err(PatchError::Server(message));
        }
        let (before, patch) = self.special_items(before, patch, key)?;
        let mut merged = before.clone();
        for item in &patch {
            let Some(map) = item.as_map() else {
                return Err(no_merge_key(item, key));
            };
            if !map.contains_key(key) {
                return Err(no_merge_key(item, key));
            }
            match index(&merged, item, key) {
                Some(i) => {
                    merged[i] = Value::Map(self.map(merged[i].entries(), map, shape.ty)?);
                }
                None => merged.push(self.fresh(item)),
            }
        }
        let (ours, servers) = partition(merged, &patch, key)?;
        Ok(arrange(ours, servers, &patch, &before, key))
    }

    /// Carries out `$patch` in items: what remains of the list, and of the patch.
    fn special_items(
        &self,
        before: &[Value],
        patch: &[Value],
        key: &str,
    ) -> Result2<(Vec<Value>, Vec<Value>)> {
        let mut kept = before.to_vec();
        let mut plain = Vec::with_capacity(patch.len());
        let mut replace = false;
        for item in patch {
            let directive = item.get(PATCH);
            match directive.as_str() {
                _ if directive.is_null() => plain.push(item.clone()),
                "delete" if item.entries().contains_key(key) => {
                    kept.retain(|other| other.get(key) != item.get(key));
                }
                "delete" => return Err(no_merge_key(item, key)),
                "replace" => replace = true,
                "merge" => {
                    let message = "merging lists cannot yet be specified in the patch";
                    return Err(PatchError::Server(message.into()));
                }
                _ => return Err(bad_patch_type(directive, item.entries())),
            }
        }
        Ok(if replace {
            (plain, Vec::new())
        } else {
            (kept, plain)
        })
    }
}

fn same_type(a: &Value, b: &Value) -> bool {
    std::mem::discriminant(a) == std::mem::discriminant(b)
}

/// Every item of the patch must be in the order, and in that order; deleted ones need not be.
fn check_order(patch: &[Value], order: &[Value], key: &str) -> Result2<()> {
    let mut last = None;
    for item in patch.iter().filter(|item| item.str(PATCH) != "delete") {
        if item.has(PATCH) {
            continue;
        }
        let at = index(order, item, key);
        if at.is_none() || at < last {
            let says = "The order in patch list:\n%v\n doesn't match %s list:\n%v\n";
            let says = says
                .replacen("%v", &crate::go::plain(&patch.iter().cloned().collect()), 1)
                .replacen("%s", ORDER_OF.trim_end_matches('/'), 1)
                .replacen("%v", &crate::go::plain(&order.iter().cloned().collect()), 1);
            return Err(PatchError::Server(says));
        }
        last = at;
    }
    Ok(())
}
