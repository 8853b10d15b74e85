//! Every resource the server stores, with its cache, and the ways to find one: by a request's path,
//! by a key in etcd.
//!
//! Models pkg/controlplane/storageversionhashdata and the storage factory: where each resource lies.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::kinds::{self, Kind};
use api::{Measured, Str, Value};

use crate::backend::PREFIX;
use crate::cache::{Cache, Change, Entry, Objects};
use crate::definitions::Customs;

/// A resource by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ResourceId(u16);

impl ResourceId {
    /// The number.
    pub(crate) fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// A stored resource.
#[derive(Clone, Debug)]
pub(crate) struct Resource {
    /// The kind whose shape is stored.
    pub(crate) kind: &'static Kind,
    /// What is known of it.
    pub(crate) cache: Cache,
}

/// All resources.
#[derive(Clone, Debug)]
pub(crate) struct Resources {
    list: Vec<Resource>,
    index: Rc<Index>,
    customs: Rc<Customs>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    /// Group and plural to the resource.
    by_name: BTreeMap<(&'static str, &'static str), ResourceId>,
    /// What stands after the prefix of all keys to the resource.
    by_storage: BTreeMap<&'static str, ResourceId>,
}

impl Resources {
    /// The resources of all built-in kinds, empty.
    pub(crate) fn new() -> Resources {
        let mut list = Vec::new();
        let mut index = Index::default();
        let stored = |kind: &&&'static Kind| !kind.storage.is_empty() && kind.view.is_none();
        for kind in kinds::all().iter().filter(stored) {
            let id = ResourceId(list.len() as u16);
            if index.by_storage.insert(kind.storage, id).is_none() {
                index.by_name.insert((kind.group, kind.plural), id);
                list.push(Resource {
                    kind,
                    cache: Cache::default(),
                });
            }
        }
        Resources {
            list,
            index: Rc::new(index),
            customs: Rc::default(),
        }
    }

    /// The kind behind a path, built in or not.
    pub(crate) fn kind(&self, group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
        let built_in = kinds::find(group, version, plural);
        built_in.or_else(|| self.customs.find(group, version, plural))
    }

    /// Every kind that is served: those that are built in, then those of definitions.
    pub(crate) fn kinds(&self) -> impl Iterator<Item = &'static Kind> + '_ {
        let built_in = kinds::all().iter().copied();
        built_in.chain(self.customs.served())
    }

    /// What definitions describe.
    pub(crate) fn customs(&self) -> &Customs {
        &self.customs
    }

    /// Learns the kinds that a definition describes. Says whether that changed anything.
    pub(crate) fn learn(&mut self, definition: &Value) -> bool {
        if self.customs.knows(definition) {
            return false;
        }
        let Some(stored) = Rc::make_mut(&mut self.customs).learn(definition) else {
            return self.forget(definition.name()).is_some();
        };
        match self.index.by_name.get(&(stored.group, stored.plural)) {
            Some(id) => self.list[id.index()].kind = stored,
            None => {
                let id = ResourceId(self.list.len() as u16);
                let index = Rc::make_mut(&mut self.index);
                index.by_name.insert((stored.group, stored.plural), id);
                index.by_storage.insert(stored.storage, id);
                self.list.push(Resource {
                    kind: stored,
                    cache: Cache::default(),
                });
            }
        }
        true
    }

    /// A definition is gone: its kinds are served no more. Says what they were stored as.
    pub(crate) fn forget(&mut self, definition: &str) -> Option<&'static Kind> {
        if !self.customs.has(definition) {
            return None;
        }
        Rc::make_mut(&mut self.customs).forget(definition)
    }

    /// A resource by its number.
    pub(crate) fn get(&self, id: ResourceId) -> &Resource {
        &self.list[id.index()]
    }

    /// Where the objects of a kind are stored; `None` for kinds that never are.
    pub(crate) fn of_kind(&self, kind: &'static Kind) -> Option<ResourceId> {
        let stored = kind.stored();
        self.index
            .by_name
            .get(&(stored.group, stored.plural))
            .copied()
    }

    /// The resource of a built-in group and plural that is known to exist.
    pub(crate) fn named(&self, group: &str, plural: &str) -> Option<&Resource> {
        self.id(group, plural).map(|id| self.get(id))
    }

    /// An object by its resource and `namespace/name` or `name`.
    pub(crate) fn lookup(&self, group: &str, plural: &str, key: &str) -> Option<&Rc<Entry>> {
        self.named(group, plural)?.cache.get(key)
    }

    /// The number of a built-in resource.
    pub(crate) fn id(&self, group: &str, plural: &str) -> Option<ResourceId> {
        self.index.by_name.get(&(group, plural)).copied()
    }

    /// The events' resource, whose objects go after a while.
    pub(crate) fn events(&self) -> Option<ResourceId> {
        self.id("", "events")
    }

    /// The key in etcd of an object.
    pub(crate) fn etcd_key(kind: &Kind, key: &str) -> etcd::Key {
        etcd::key(&format!("{PREFIX}{}/{key}", kind.storage))
    }

    /// The resource and object that a key in etcd means.
    fn meant<'a>(&self, key: &'a str) -> Option<(ResourceId, &'a str)> {
        let rest = key.strip_prefix(PREFIX)?;
        // Most resources take one segment, a few two.
        rest.match_indices('/').take(2).find_map(|(at, _)| {
            let id = self.index.by_storage.get(&rest[..at])?;
            Some((*id, &rest[at + 1..]))
        })
    }

    /// Forgets everything, changes up to the revision included.
    pub(crate) fn clear(&mut self, revision: i64) {
        for resource in &mut self.list {
            resource.cache.fill(Objects::new(), revision);
        }
    }

    /// Puts an object that was there already into its cache.
    pub(crate) fn fill_one(&mut self, key: &str, value: &Measured, revision: i64) {
        if let Some((id, key)) = self.meant(key) {
            self.list[id.index()]
                .cache
                .fill_one(Entry::new(Str::from(key), value, revision));
        }
    }

    /// The revision at which the object of a key in etcd last changed, 0 if it is not known; `None`
    /// where the key is no resource's.
    pub(crate) fn revision(&self, key: &str) -> Option<i64> {
        let (id, key) = self.meant(key)?;
        let entry = self.get(id).cache.get(key);
        Some(entry.map_or(0, |entry| entry.revision))
    }

    /// The keys in etcd of everything that is known.
    pub(crate) fn all_keys(&self) -> Vec<String> {
        let mut keys = Vec::new();
        for resource in &self.list {
            for entry in resource.cache.objects().values() {
                keys.push(format!("{PREFIX}{}/{}", resource.kind.storage, entry.key));
            }
        }
        keys
    }

    /// A key in etcd changed: the resource and the change, where it is a known resource's.
    pub(crate) fn apply(
        &mut self,
        key: &str,
        value: Option<&Measured>,
        revision: i64,
    ) -> Option<(ResourceId, Rc<Change>)> {
        let (id, key) = self.meant(key)?;
        let cache = &mut self.list[id.index()].cache;
        let change = match value {
            Some(value) => cache.put(key, value, revision),
            None => cache.delete(key, revision)?,
        };
        Some((id, change))
    }
}
