//! Keeps equal subtrees once: what is stored shares strings, maps and lists with what was stored
//! before. A cache, not a table: its size is bounded, losing it costs memory and nothing else.

use std::rc::Rc;

use crate::{Map, Str, Value};

/// Sets of the cache, a power of two; each holds two values.
const SETS: usize = 1 << 12;
/// Longer strings are rarely repeated and dear to hash.
const LONGEST: usize = 512;

/// The cache. Its clone is empty, because a branch of the world refills its own as it goes.
#[derive(Default)]
pub struct Interner {
    /// Two entries per set: the first was hit before, the second is the newest. Values that occur
    /// once (uids, timestamps) so push out only each other.
    sets: Vec<[Value; 2]>,
}

impl Clone for Interner {
    fn clone(&self) -> Self {
        Interner::default()
    }
}

impl std::fmt::Debug for Interner {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Interner")
    }
}

impl Interner {
    /// An empty cache.
    pub fn new() -> Self {
        Interner::default()
    }

    /// A tree equal to `value` that shares as much as it can. `old` is what it replaces, or null:
    /// subtrees the two already share are taken as they are.
    pub fn intern(&mut self, value: &Value, old: &Value) -> Value {
        if self.sets.is_empty() {
            self.sets = vec![[Value::Null, Value::Null]; SETS];
        }
        self.node(value, old)
    }

    fn node(&mut self, value: &Value, old: &Value) -> Value {
        match (value, old) {
            (Value::Str(a), Value::Str(b)) if a == b => old.clone(),
            (Value::List(a), Value::List(b)) if Rc::ptr_eq(a, b) => old.clone(),
            (Value::Map(a), Value::Map(b)) if a.ptr_eq(b) => old.clone(),
            (Value::Str(text), _) => self.text(text),
            (Value::List(items), _) => self.list(items, old),
            (Value::Map(map), _) => self.map(map, old),
            _ => value.clone(),
        }
    }

    fn text(&mut self, text: &Str) -> Value {
        if text.len() > LONGEST {
            return Value::Str(text.clone());
        }
        let hash = text
            .bytes()
            .fold(1, |hash, byte| mix(hash, u64::from(byte)));
        self.keep(hash, Value::Str(text.clone()))
    }

    fn key(&mut self, key: &Str) -> Str {
        match self.text(key) {
            Value::Str(key) => key,
            _ => key.clone(),
        }
    }

    fn list(&mut self, items: &Rc<Vec<Value>>, old: &Value) -> Value {
        let fresh: Vec<Value> = items
            .iter()
            .enumerate()
            .map(|(i, item)| self.node(item, old.item(i)))
            .collect();
        if let Value::List(before) = old
            && before.len() == fresh.len()
            && before
                .iter()
                .zip(&fresh)
                .all(|(a, b)| identity(a) == identity(b))
        {
            return old.clone();
        }
        let hash = fresh.iter().fold(2, |hash, item| mix(hash, identity(item)));
        self.keep(hash, Value::list_of(fresh))
    }

    fn map(&mut self, map: &Map, old: &Value) -> Value {
        let before = old.entries();
        let mut fresh = Vec::with_capacity(map.len());
        let mut all_old = old.is_map() && before.len() == map.len();
        let mut hash = 3;
        for (i, (key, item)) in map.iter().enumerate() {
            // Both are sorted, so the old entry is nearly always at the same place.
            let beside = before.nth(i).filter(|(k, _)| *k == key);
            let beside = beside.or_else(|| before.get_entry(key));
            let (key, old_item) = match beside {
                Some((key, item)) => (key.clone(), item),
                None => (self.key(key), crate::NULL),
            };
            let item = self.node(item, old_item);
            all_old &= beside.is_some() && identity(&item) == identity(old_item);
            hash = mix(mix(hash, key.as_ptr() as u64), identity(&item));
            fresh.push((key, item));
        }
        if all_old {
            return old.clone();
        }
        self.keep(hash, Value::Map(Map::from_entries(fresh)))
    }

    /// The kept value equal to this one, or this one, which is now kept.
    fn keep(&mut self, hash: u64, value: Value) -> Value {
        let set = &mut self.sets[(hash ^ (hash >> 29)) as usize & (SETS - 1)];
        if set[0].same(&value) {
            return set[0].clone();
        }
        if set[1].same(&value) {
            set.swap(0, 1);
            return set[0].clone();
        }
        set[1] = value.clone();
        value
    }
}

fn mix(hash: u64, word: u64) -> u64 {
    (hash.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95)
}

/// A number that is equal for values that are one allocation or one scalar. Addresses decide only
/// what is shared, never what is equal, so they cannot make two runs differ.
fn identity(value: &Value) -> u64 {
    match value {
        Value::Null => 1,
        Value::Bool(b) => 2 + u64::from(*b),
        Value::Int(n) => mix(4, n.cast_unsigned()),
        Value::Float(n) => mix(5, n.get().to_bits()),
        Value::Str(text) => text.as_ptr() as u64,
        Value::List(items) => Rc::as_ptr(items) as u64,
        Value::Map(map) => map.address() as u64,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    fn pod(name: &str) -> Value {
        object! {
            "metadata": { "name": name, "labels": { "app": "web" } },
            "spec": { "containers": [{ "name": "c", "image": "nginx", "ports": [80, 443] }] },
        }
    }

    fn one(a: &Value, b: &Value) -> bool {
        identity(a) == identity(b)
    }

    #[test]
    fn equal_subtrees_of_two_objects_are_one() {
        let mut interner = Interner::new();
        let a = interner.intern(&pod("a"), crate::NULL);
        let b = interner.intern(&pod("b"), crate::NULL);
        assert_eq!((&a, &b), (&pod("a"), &pod("b")));
        assert!(one(a.get("spec"), b.get("spec")));
        assert!(one(a.at("metadata.labels"), b.at("metadata.labels")));
        assert!(!one(a.get("metadata"), b.get("metadata")));
    }

    #[test]
    fn an_update_keeps_what_did_not_change() {
        let mut interner = Interner::new();
        let old = interner.intern(&pod("a"), crate::NULL);
        let mut changed = pod("a");
        changed.set("status.phase", "Running");
        let new = interner.clone().intern(&changed, &old);
        assert_eq!(new, changed);
        assert!(one(new.get("spec"), old.get("spec")));
        assert!(one(new.get("metadata"), old.get("metadata")));
        assert!(one(&interner.intern(&pod("a"), &old), &old));
        assert!(interner.intern(&object! {}, crate::NULL).is_map());
    }
}
