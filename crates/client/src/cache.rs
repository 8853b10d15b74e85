//! The objects of one resource as last seen, by key and by a few indexes. Changed only by the
//! informer that owns it.
//! Models client-go/tools/cache/thread_safe_store.go.

use api::{Str, Value};
use imbl::{OrdMap, OrdSet};

use crate::Key;

/// A way to find objects other than by their key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Index {
    /// By the uid of each owner reference.
    Owner,
    /// By `spec.nodeName`; unscheduled pods under the empty name.
    Node,
    /// By the value of a label; objects without the label are left out.
    Label(&'static str),
}

/// Objects by key. A clone shares everything.
#[derive(Clone, Debug, Default)]
pub struct Cache {
    objects: OrdMap<Key, Value>,
    indexes: Vec<Index>,
    entries: OrdSet<(u8, Str, Key)>,
}

/// How one object changed: `old` is none if it was added, `new` is none if it is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct Delta {
    /// Which object.
    pub key: Key,
    /// What was known.
    pub old: Option<Value>,
    /// What is known now.
    pub new: Option<Value>,
}

impl Delta {
    /// The object as it is, or as it last was.
    #[must_use]
    pub fn object(&self) -> &Value {
        self.new.as_ref().or(self.old.as_ref()).unwrap_or(api::NULL)
    }

    /// Whether what is at `path` differs between old and new; true for what is added or gone.
    #[must_use]
    pub fn changed(&self, path: &str) -> bool {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => !old.at(path).same(new.at(path)),
            _ => true,
        }
    }
}

impl Cache {
    /// An empty cache with these indexes.
    #[must_use]
    pub fn new(indexes: &[Index]) -> Cache {
        Cache {
            indexes: indexes.to_vec(),
            ..Cache::default()
        }
    }

    /// An object by key.
    #[must_use]
    pub fn get(&self, key: &Key) -> Option<&Value> {
        self.objects.get(key)
    }

    /// An object by name; `namespace` is empty for cluster-scoped ones.
    #[must_use]
    pub fn named(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.objects.get(&Key::new(namespace, name))
    }

    /// Every object, in the order of keys.
    pub fn iter(&self) -> impl Iterator<Item = (&Key, &Value)> {
        self.objects.iter()
    }

    /// The objects of a namespace, in the order of names.
    pub fn in_namespace<'a>(
        &'a self,
        namespace: &'a str,
    ) -> impl Iterator<Item = (&'a Key, &'a Value)> {
        self.objects
            .range(Key::new(namespace, "")..)
            .take_while(move |(key, _)| &*key.namespace == namespace)
    }

    /// The objects an index holds under `value`, in the order of keys. None if the cache was made
    /// without that index.
    pub fn by<'a>(&'a self, index: Index, value: &'a str) -> impl Iterator<Item = &'a Value> {
        self.keys_by(index, value)
            .filter_map(|key| self.objects.get(key))
    }

    /// The keys an index holds under `value`, in order.
    pub fn keys_by<'a>(&'a self, index: Index, value: &'a str) -> impl Iterator<Item = &'a Key> {
        let number = self.number(index);
        debug_assert!(number.is_some(), "the cache was made without {index:?}");
        let number = number.unwrap_or(u8::MAX);
        self.entries
            .range((number, Str::from(value), Key::default())..)
            .take_while(move |(n, v, _)| *n == number && &**v == value)
            .map(|(_, _, key)| key)
    }

    /// How many objects there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.objects.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.objects.is_empty()
    }

    /// Adds an index, over what is there too. An index that exists stays as it is.
    pub fn add_index(&mut self, index: Index) {
        if self.number(index).is_some() {
            return;
        }
        self.indexes.push(index);
        let number = u8::try_from(self.indexes.len() - 1).unwrap_or(u8::MAX);
        let objects = self.objects.clone();
        for (key, object) in &objects {
            self.entries.extend(entries_of(number, index, key, object));
        }
    }

    /// Puts an object in and says what changed.
    pub fn insert(&mut self, object: Value) -> Delta {
        let key = Key::of(&object);
        let old = self.objects.insert(key.clone(), object.clone());
        self.reindex(&key, old.as_ref(), Some(&object));
        Delta {
            key,
            old,
            new: Some(object),
        }
    }

    /// Takes an object out; none if it was not there.
    pub fn remove(&mut self, key: &Key) -> Option<Delta> {
        let old = self.objects.remove(key)?;
        self.reindex(key, Some(&old), None);
        Some(Delta {
            key: key.clone(),
            old: Some(old),
            new: None,
        })
    }

    fn number(&self, index: Index) -> Option<u8> {
        let at = self.indexes.iter().position(|known| *known == index)?;
        u8::try_from(at).ok()
    }

    fn reindex(&mut self, key: &Key, old: Option<&Value>, new: Option<&Value>) {
        for (number, index) in (0..).zip(&self.indexes) {
            if let (Some(old), Some(new)) = (old, new)
                && index.same(old, new)
            {
                continue;
            }
            for entry in old
                .into_iter()
                .flat_map(|o| entries_of(number, *index, key, o))
            {
                self.entries.remove(&entry);
            }
            for entry in new
                .into_iter()
                .flat_map(|o| entries_of(number, *index, key, o))
            {
                self.entries.insert(entry);
            }
        }
    }
}

impl Index {
    /// Whether two versions of an object stand in the same places of the index.
    fn same(self, old: &Value, new: &Value) -> bool {
        match self {
            Index::Owner => {
                let owners = |o: &Value| o.metadata().get("ownerReferences").clone();
                owners(old).same(&owners(new))
            }
            Index::Node => old.get("spec").get("nodeName") == new.get("spec").get("nodeName"),
            Index::Label(name) => old.labels().get(name) == new.labels().get(name),
        }
    }

    fn values(self, object: &Value) -> Vec<Str> {
        let shared = |value: &Value| value.as_shared_str().cloned();
        match self {
            Index::Owner => object
                .owner_references()
                .iter()
                .filter_map(|o| shared(o.get("uid")))
                .collect(),
            Index::Node => vec![shared(object.get("spec").get("nodeName")).unwrap_or_default()],
            Index::Label(name) => object
                .labels()
                .get(name)
                .and_then(shared)
                .into_iter()
                .collect(),
        }
    }
}

fn entries_of(number: u8, index: Index, key: &Key, object: &Value) -> Vec<(u8, Str, Key)> {
    index
        .values(object)
        .into_iter()
        .map(|value| (number, value, key.clone()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    fn pod(namespace: &str, name: &str, node: &str, app: &str) -> Value {
        let mut pod = object! {
            "metadata": {
                "namespace": namespace, "name": name, "labels": { "app": app },
                "ownerReferences": [{ "uid": "rs-1" }],
            },
        };
        pod.set_or_remove("spec.nodeName", node);
        pod
    }

    fn names<'a>(objects: impl Iterator<Item = &'a Value>) -> String {
        objects.map(Value::name).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn indexes_follow_the_objects() {
        let mut cache = Cache::new(&[Index::Owner, Index::Node]);
        cache.insert(pod("a", "p1", "", "web"));
        cache.insert(pod("a", "p2", "", "db"));
        cache.insert(pod("b", "p3", "n1", "web"));
        cache.add_index(Index::Label("app"));
        assert_eq!(names(cache.by(Index::Node, "")), "p1 p2");
        assert_eq!(names(cache.by(Index::Label("app"), "web")), "p1 p3");
        assert_eq!(names(cache.by(Index::Owner, "rs-1")), "p1 p2 p3");

        let delta = cache.insert(pod("a", "p1", "n1", "web"));
        assert!(delta.changed("spec.nodeName") && !delta.changed("metadata.labels"));
        assert_eq!(names(cache.by(Index::Node, "n1")), "p1 p3");
        assert_eq!(names(cache.by(Index::Node, "")), "p2");

        assert!(cache.remove(&Key::new("a", "p1")).is_some());
        assert!(cache.remove(&Key::new("a", "p1")).is_none());
        assert_eq!(names(cache.by(Index::Label("app"), "web")), "p3");
        assert_eq!(names(cache.in_namespace("a").map(|(_, o)| o)), "p2");
        assert_eq!(
            cache.named("b", "p3").map(|o| o.str_at("spec.nodeName")),
            Some("n1")
        );
        assert_eq!(cache.len(), 2);
    }
}
