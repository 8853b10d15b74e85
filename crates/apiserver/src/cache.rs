//! What etcd holds under one resource's prefix, as objects, with the recent changes. Every read is
//! served from here; watches begin here. Knows no clients.
//!
//! Models apiserver/pkg/storage/cacher/watch_cache.go. One difference: where upstream keeps a watch
//! on etcd for each resource, one watch feeds all caches, so they are never out of step.

use std::ops::Bound;
use std::rc::Rc;

use api::{Measured, Str, Value};
use imbl::shared_ptr::RcK;
use imbl::{GenericOrdMap, GenericVector};

/// How many changes are remembered for watches that begin in the past.
const HISTORY: usize = 10_240;

/// The objects of a resource, by `namespace/name` or `name`.
pub(crate) type Objects = GenericOrdMap<Str, Rc<Entry>, RcK>;

/// An object as it is at one revision.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// `namespace/name`, or `name` for resources without namespaces.
    pub(crate) key: Str,
    /// The object, its resource version set.
    pub(crate) value: Value,
    /// The length of its JSON.
    pub(crate) len: u64,
    /// The revision at which it became so.
    pub(crate) revision: i64,
}

impl Entry {
    /// The object as it was stored, without a resource version, at a revision.
    pub(crate) fn new(key: Str, stored: &Measured, revision: i64) -> Rc<Entry> {
        let value = with_version(stored.value(), revision);
        // "resourceVersion":"…", comes to the metadata, which is never empty.
        let len = stored.json_len() + 21 + digits(revision);
        Rc::new(Entry {
            key,
            value,
            len,
            revision,
        })
    }

    /// The same object under another revision, as deletions show it.
    pub(crate) fn at(&self, revision: i64) -> Rc<Entry> {
        let value = with_version(&self.value, revision);
        let len = self.len + digits(revision) - digits(self.revision);
        Rc::new(Entry {
            key: self.key.clone(),
            value,
            len,
            revision,
        })
    }
}

/// An object with its resource version set.
pub(crate) fn with_version(stored: &Value, revision: i64) -> Value {
    let mut value = stored.clone();
    value.set("metadata.resourceVersion", revision.to_string());
    value
}

fn digits(revision: i64) -> u64 {
    revision.to_string().len() as u64
}

/// One change of one object.
#[derive(Clone, Debug)]
pub(crate) struct Change {
    /// The object after the change; for a deletion its last state, under the deletion's revision.
    pub(crate) entry: Rc<Entry>,
    /// The object before; `None` where it did not exist.
    pub(crate) before: Option<Rc<Entry>>,
    /// The object is gone.
    pub(crate) deleted: bool,
}

/// A resource's objects and recent changes. A clone shares everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cache {
    objects: Objects,
    /// Oldest first.
    history: GenericVector<Rc<Change>, RcK>,
    /// Changes up to this revision are forgotten.
    forgotten: i64,
}

impl Cache {
    /// Fills the cache with what etcd holds. Nothing before the revision is known.
    pub(crate) fn fill(&mut self, objects: Objects, revision: i64) {
        *self = Cache {
            objects,
            history: GenericVector::new(),
            forgotten: revision,
        };
    }

    /// Puts an object that was there before anything is remembered.
    pub(crate) fn fill_one(&mut self, entry: Rc<Entry>) {
        self.objects.insert(entry.key.clone(), entry);
    }

    /// An object by its key.
    pub(crate) fn get(&self, key: &str) -> Option<&Rc<Entry>> {
        self.objects.get(key)
    }

    /// All objects now.
    pub(crate) fn objects(&self) -> &Objects {
        &self.objects
    }

    /// The object is stored: the change, to be told to watchers.
    pub(crate) fn put(&mut self, key: &str, stored: &Measured, revision: i64) -> Rc<Change> {
        let before = self.objects.get(key).cloned();
        let key = before
            .as_ref()
            .map_or_else(|| Str::from(key), |entry| entry.key.clone());
        let entry = Entry::new(key.clone(), stored, revision);
        self.objects.insert(key, entry.clone());
        self.remember(Change {
            entry,
            before,
            deleted: false,
        })
    }

    /// The object is gone: the change, or nothing where it was not known.
    pub(crate) fn delete(&mut self, key: &str, revision: i64) -> Option<Rc<Change>> {
        let before = self.objects.remove(key)?;
        let entry = before.at(revision);
        Some(self.remember(Change {
            entry,
            before: Some(before),
            deleted: true,
        }))
    }

    fn remember(&mut self, change: Change) -> Rc<Change> {
        let change = Rc::new(change);
        self.history.push_back(change.clone());
        if self.history.len() > HISTORY
            && let Some(oldest) = self.history.pop_front()
        {
            self.forgotten = oldest.entry.revision;
        }
        change
    }

    /// The changes after a revision, oldest first; `None` where some of them are forgotten.
    pub(crate) fn since(&self, revision: i64) -> Option<impl Iterator<Item = &Rc<Change>>> {
        if revision < self.forgotten {
            return None;
        }
        let after = |change: &Rc<Change>| change.entry.revision > revision;
        // Revisions rise along the history, so the first later one is found by halving.
        let (mut low, mut high) = (0, self.history.len());
        while low < high {
            let middle = (low + high) / 2;
            if after(&self.history[middle]) {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        Some((low..self.history.len()).filter_map(|i| self.history.get(i)))
    }

    /// The oldest revision from which a watch can begin.
    pub(crate) fn forgotten(&self) -> i64 {
        self.forgotten
    }

    /// The objects as they were at a revision; `None` where that is forgotten.
    pub(crate) fn at(&self, revision: i64) -> Option<Objects> {
        if revision < self.forgotten {
            return None;
        }
        let mut objects = self.objects.clone();
        for change in self.history.iter().rev() {
            if change.entry.revision <= revision {
                break;
            }
            match &change.before {
                Some(before) => objects.insert(before.key.clone(), before.clone()),
                None => objects.remove(&*change.entry.key),
            };
        }
        Some(objects)
    }
}

/// The objects of a namespace, or of all where it is empty, whose keys come after `after`.
pub(crate) fn in_namespace<'a>(
    objects: &'a Objects,
    namespace: &str,
    after: &str,
) -> Box<dyn Iterator<Item = &'a Rc<Entry>> + 'a> {
    let start = match (namespace, after) {
        ("", "") => return Box::new(objects.values()),
        (_, "") => Bound::Included(format!("{namespace}/")),
        (_, after) => Bound::Excluded(after.to_owned()),
    };
    let prefix = if namespace.is_empty() {
        String::new()
    } else {
        format!("{namespace}/")
    };
    let start = match &start {
        Bound::Included(key) => Bound::Included(key.as_str()),
        Bound::Excluded(key) => Bound::Excluded(key.as_str()),
        Bound::Unbounded => Bound::Unbounded,
    };
    let range = objects.range::<_, str>((start, Bound::Unbounded));
    Box::new(
        range
            .map(|(_, entry)| entry)
            .take_while(move |entry| entry.key.starts_with(&prefix)),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    fn names(objects: &Objects, namespace: &str, after: &str) -> Vec<String> {
        in_namespace(objects, namespace, after)
            .map(|entry| entry.key.to_string())
            .collect()
    }

    fn cache() -> Cache {
        let mut cache = Cache::default();
        for (revision, key) in [(2, "a/x"), (3, "b/x"), (4, "a/y"), (5, "a/x")] {
            let object = object! { "metadata": { "name": key, "n": revision } };
            cache.put(key, &Measured::new(object), revision);
        }
        cache.delete("a/y", 6);
        cache
    }

    #[test]
    fn objects_by_namespace_and_place() {
        let cache = cache();
        assert_eq!(names(cache.objects(), "", ""), ["a/x", "b/x"]);
        assert_eq!(names(cache.objects(), "a", ""), ["a/x"]);
        assert_eq!(names(cache.objects(), "", "a/x"), ["b/x"]);
        assert_eq!(names(cache.objects(), "c", ""), [""; 0]);
        let entry = cache.get("a/x").expect("it is there");
        assert_eq!((entry.value.resource_version(), entry.revision), ("5", 5));
        assert_eq!(entry.len, entry.value.json_len() as u64);
        let later = entry.at(12345);
        assert_eq!(later.len, later.value.json_len() as u64);
    }

    #[test]
    fn the_past_is_known_as_far_as_it_is_remembered() {
        let cache = cache();
        let at = |revision| cache.at(revision).map(|objects| names(&objects, "", ""));
        assert_eq!(at(4), Some(vec!["a/x".into(), "a/y".into(), "b/x".into()]));
        assert_eq!(at(2), Some(vec!["a/x".into()]));
        let since = |revision| -> Option<Vec<(i64, bool)>> {
            Some(
                cache
                    .since(revision)?
                    .map(|c| (c.entry.revision, c.deleted))
                    .collect(),
            )
        };
        assert_eq!(since(4), Some(vec![(5, false), (6, true)]));
        assert_eq!(since(6), Some(vec![]));
        let mut filled = cache.clone();
        filled.fill(cache.objects().clone(), 6);
        assert!(filled.since(5).is_none() && filled.at(5).is_none());
        assert_eq!(filled.objects().len(), 2);
    }
}
