//! In which order the items of a merged list stand.

use crate::Value;
use crate::patch::PatchError;
use crate::patch::strategic::{PATCH, no_merge_key};

/// Where an item stands in a list: maps are the same if their merge keys are.
pub(super) fn index(list: &[Value], item: &Value, key: &str) -> Option<usize> {
    match item {
        Value::Map(map) if !key.is_empty() => {
            let wanted = map.get(key)?;
            list.iter()
                .position(|other| other.entries().get(key) == Some(wanted))
        }
        _ => list.iter().position(|other| other == item),
    }
}

/// The items that occur in a list, and those that do not.
pub(super) fn partition(
    items: Vec<Value>,
    list: &[Value],
    key: &str,
) -> Result<(Vec<Value>, Vec<Value>), PatchError> {
    check_keys(&items, key)?;
    check_keys(list, key)?;
    Ok(items
        .into_iter()
        .partition(|item| index(list, item, key).is_some()))
}

fn check_keys(items: &[Value], key: &str) -> Result<(), PatchError> {
    let missing = items
        .iter()
        .find(|item| !key.is_empty() && item.as_map().is_some_and(|map| !map.contains_key(key)));
    missing.map_or(Ok(()), |item| Err(no_merge_key(item, key)))
}

/// Items in the order of a list; items to delete last.
pub(super) fn sorted(items: Vec<Value>, order: &[Value], key: &str) -> Vec<Value> {
    let (deleted, mut kept): (Vec<Value>, Vec<Value>) = items
        .into_iter()
        .partition(|item| item.str(PATCH) == "delete");
    // Insertion keeps the comparison upstream's: what is in no order goes before what follows it.
    for i in 1..kept.len() {
        let mut at = i;
        while at > 0 && before(&kept[at], &kept[at - 1], order, key) {
            kept.swap(at, at - 1);
            at -= 1;
        }
    }
    kept.extend(deleted);
    kept
}

fn before(a: &Value, b: &Value, order: &[Value], key: &str) -> bool {
    match (index(order, a, key), index(order, b, key)) {
        (Some(a), Some(b)) => a < b,
        _ => false,
    }
}

/// The items of the patch in its order, with the server's own items where the server had them.
pub(super) fn arrange(
    patch_items: Vec<Value>,
    server_items: Vec<Value>,
    patch_order: &[Value],
    server_order: &[Value],
    key: &str,
) -> Vec<Value> {
    let mut patch_items = sorted(patch_items, patch_order, key).into_iter().peekable();
    let mut server_items = sorted(server_items, server_order, key)
        .into_iter()
        .peekable();
    let mut out = Vec::new();
    while let (Some(server), Some(patch)) = (server_items.peek(), patch_items.peek()) {
        let next = match before(server, patch, server_order, key) {
            true => server_items.next(),
            false => patch_items.next(),
        };
        out.extend(next);
    }
    out.extend(patch_items);
    out.extend(server_items);
    out
}

/// The list without repetitions, first ones kept.
pub(super) fn unique(items: Vec<Value>) -> Vec<Value> {
    let mut out: Vec<Value> = Vec::with_capacity(items.len());
    for item in items {
        if !out.contains(&item) {
            out.push(item);
        }
    }
    out
}
