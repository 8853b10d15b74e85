//! The tree's map: sorted by key, shared on clone, copied on the first write to a shared one.
//! A sorted vector, because API objects have few keys and many copies.

use std::fmt;
use std::rc::Rc;

use crate::{Str, Value};

/// Entries up to which looking at all keys' lengths beats halving.
const FEW: usize = 24;

/// A map from string to `Value`, in the order of its keys. Clone is O(1).
#[derive(Clone, Default)]
pub struct Map(Option<Rc<Vec<(Str, Value)>>>);

impl Map {
    /// The empty map, for accessors that lend one.
    pub const EMPTY: &'static Map = &Map(None);

    /// A map without entries; allocates nothing.
    pub const fn new() -> Self {
        Map(None)
    }

    /// A map of these entries in any order; of equal keys the last one wins.
    pub fn from_entries(mut entries: Vec<(Str, Value)>) -> Self {
        if entries.is_empty() {
            return Map(None);
        }
        if !entries.windows(2).all(|pair| pair[0].0 < pair[1].0) {
            // Reversed first, so that the stable sort puts the last of equal keys in front.
            entries.reverse();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            entries.dedup_by(|later, first| later.0 == first.0);
        }
        entries.shrink_to_fit();
        Map(Some(Rc::new(entries)))
    }

    fn slice(&self) -> &[(Str, Value)] {
        self.0.as_ref().map_or(&[], |entries| entries.as_slice())
    }

    fn vec_mut(&mut self) -> &mut Vec<(Str, Value)> {
        Rc::make_mut(self.0.get_or_insert_with(Rc::default))
    }

    fn find(&self, key: &str) -> Result<usize, usize> {
        self.slice().binary_search_by(|(k, _)| k.as_str().cmp(key))
    }

    /// The number of entries.
    pub fn len(&self) -> usize {
        self.slice().len()
    }

    /// Whether there are no entries.
    pub fn is_empty(&self) -> bool {
        self.slice().is_empty()
    }

    /// The value of a key.
    pub fn get(&self, key: &str) -> Option<&Value> {
        let entries = self.slice();
        if entries.len() > FEW {
            return self.find(key).ok().map(|i| &entries[i].1);
        }
        // The lengths stand in the entries themselves, and few keys of one map are equally long.
        let mut same_length = entries.iter().filter(|(k, _)| k.len() == key.len());
        same_length
            .find(|(k, _)| k.as_str() == key)
            .map(|(_, value)| value)
    }

    /// The text of a key's value; empty where it is absent or no string.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).map_or("", Value::as_str)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Value> {
        let i = self.find(key).ok()?;
        Some(&mut self.vec_mut()[i].1)
    }

    /// The value of a key, put there as null where it is absent.
    pub fn get_or_insert(&mut self, key: &str) -> &mut Value {
        let found = self.find(key);
        let entries = self.vec_mut();
        let i = found.unwrap_or_else(|i| {
            entries.insert(i, (Str::from(key), Value::Null));
            i
        });
        &mut entries[i].1
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    /// Puts a value, and returns the one it replaced.
    pub fn insert(&mut self, key: impl Into<Str>, value: impl Into<Value>) -> Option<Value> {
        let (key, value) = (key.into(), value.into());
        let found = self.find(&key);
        let entries = self.vec_mut();
        match found {
            Ok(i) => Some(std::mem::replace(&mut entries[i].1, value)),
            Err(i) => {
                entries.insert(i, (key, value));
                None
            }
        }
    }

    /// Takes a key out, and returns its value.
    pub fn remove(&mut self, key: &str) -> Option<Value> {
        let i = self.find(key).ok()?;
        let (_, value) = self.vec_mut().remove(i);
        if self.is_empty() {
            self.0 = None;
        }
        Some(value)
    }

    /// Keeps the entries for which `keep` answers true. Copies nothing if that is all of them.
    pub fn retain(&mut self, mut keep: impl FnMut(&str, &Value) -> bool) {
        if self.iter().all(|(k, v)| keep(k, v)) {
            return;
        }
        self.vec_mut().retain(|(k, v)| keep(k, v));
        if self.is_empty() {
            self.0 = None;
        }
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&Str, &Value)> + ExactSizeIterator {
        self.slice().iter().map(|(k, v)| (k, v))
    }

    /// The entries in the order of their keys, values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&Str, &mut Value)> {
        let entries: &mut [(Str, Value)] = match &mut self.0 {
            Some(entries) => Rc::make_mut(entries).as_mut_slice(),
            None => &mut [],
        };
        entries.iter_mut().map(|(k, v)| (&*k, v))
    }

    /// The keys in order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &Str> + ExactSizeIterator {
        self.slice().iter().map(|(k, _)| k)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &Value> + ExactSizeIterator {
        self.slice().iter().map(|(_, v)| v)
    }

    /// The entry at a place in the order of keys.
    pub fn nth(&self, i: usize) -> Option<(&Str, &Value)> {
        self.slice().get(i).map(|(k, v)| (k, v))
    }

    /// The entry of a key, with the key as it is kept.
    pub fn get_entry(&self, key: &str) -> Option<(&Str, &Value)> {
        self.nth(self.find(key).ok()?)
    }

    /// Whether both are one allocation (two empty maps are).
    pub fn ptr_eq(&self, other: &Map) -> bool {
        match (&self.0, &other.0) {
            (Some(a), Some(b)) => Rc::ptr_eq(a, b),
            (a, b) => a.is_none() && b.is_none(),
        }
    }

    /// The address of the shared allocation, 0 for the empty map: an identity while it lives.
    pub(crate) fn address(&self) -> usize {
        self.0
            .as_ref()
            .map_or(0, |entries| Rc::as_ptr(entries) as usize)
    }
}

impl PartialEq for Map {
    fn eq(&self, other: &Self) -> bool {
        self.ptr_eq(other) || self.slice() == other.slice()
    }
}

impl Eq for Map {}

impl PartialOrd for Map {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Map {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        if self.ptr_eq(other) {
            return std::cmp::Ordering::Equal;
        }
        self.slice().cmp(other.slice())
    }
}

impl fmt::Debug for Map {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl<K: Into<Str>, V: Into<Value>> FromIterator<(K, V)> for Map {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Map::from_entries(
            entries
                .into_iter()
                .map(|(k, v)| (k.into(), v.into()))
                .collect(),
        )
    }
}

impl<'a> IntoIterator for &'a Map {
    type Item = (&'a Str, &'a Value);
    type IntoIter =
        std::iter::Map<std::slice::Iter<'a, (Str, Value)>, fn(&'a (Str, Value)) -> Self::Item>;
    fn into_iter(self) -> Self::IntoIter {
        self.slice().iter().map(|(k, v)| (k, v))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn last_of_equal_keys_wins_and_order_is_by_key() {
        let map: Map = [("b", 1), ("a", 2), ("b", 3), ("c", 4), ("b", 5)]
            .into_iter()
            .collect();
        let got: Vec<_> = map
            .iter()
            .map(|(k, v)| (k.as_str(), v.as_i64().unwrap()))
            .collect();
        assert_eq!(got, [("a", 2), ("b", 5), ("c", 4)]);
    }

    #[test]
    fn a_write_to_a_shared_map_leaves_the_other_alone() {
        let mut a: Map = [("x", 1)].into_iter().collect();
        let b = a.clone();
        assert!(a.ptr_eq(&b));
        a.insert("y", 2);
        assert_eq!(b.len(), 1);
        assert_eq!(a.remove("x"), Some(Value::Int(1)));
        assert_eq!(a.remove("y"), Some(Value::Int(2)));
        assert!(a.ptr_eq(Map::EMPTY));
        assert_eq!(b.str("x"), "");
    }

    #[test]
    fn retain_keeps_sharing_when_nothing_goes() {
        let mut a: Map = [("x", 1), ("y", 2)].into_iter().collect();
        let b = a.clone();
        a.retain(|_, _| true);
        assert!(a.ptr_eq(&b));
        a.retain(|k, _| k == "y");
        assert_eq!(a.keys().map(Str::as_str).collect::<Vec<_>>(), ["y"]);
    }
}
