//! The stand-in's objects: by path, with versions, finalizers and graceful deletion of pods.

use std::collections::BTreeMap;

use api::{Value, object};
use client::Resource;
use sim::Instant;

#[derive(Default)]
pub(super) struct Store {
    objects: BTreeMap<String, Value>,
    version: u64,
    names: u64,
    changes: Vec<(String, &'static str, Value)>,
}

type Answer = Result<Value, Value>;

impl Store {
    pub(super) fn version(&self) -> u64 {
        self.version
    }

    pub(super) fn get(&self, path: &str) -> Option<Value> {
        self.objects.get(path).cloned()
    }

    /// The objects of a collection; of all namespaces, if the path names none.
    pub(super) fn list(&self, collection: &str) -> Vec<Value> {
        let is_in = |path: &&String| {
            let of = path
                .rsplit_once('/')
                .map_or("", |(collection, _)| collection);
            of == collection || everywhere(of) == collection
        };
        self.objects
            .keys()
            .filter(is_in)
            .map(|path| self.objects[path].clone())
            .collect()
    }

    /// What changed, with the path of the collection over all namespaces.
    pub(super) fn take_changes(&mut self) -> Vec<(String, &'static str, Value)> {
        std::mem::take(&mut self.changes)
    }

    pub(super) fn put(&mut self, now: Instant, resource: &Resource, mut object: Value) {
        let path = resource.object_path(object.namespace(), object.name(), "");
        object.set("apiVersion", &*resource.api_version);
        object.set("kind", &*resource.kind);
        match self.objects.get(&path).cloned() {
            Some(old) => drop(self.replace(&path, &old, object)),
            None => drop(self.insert(now, path, object)),
        }
    }

    pub(super) fn vanish(&mut self, path: &str) {
        if let Some(object) = self.objects.remove(path) {
            self.announce(path, "DELETED", object);
        }
    }

    pub(super) fn create(&mut self, now: Instant, path: &str, mut object: Value) -> Answer {
        if object.name().is_empty() {
            self.names += 1;
            let name = format!("{}{:05}", object.generate_name(), self.names);
            object.set("metadata.name", name);
        }
        if object.kind() == "Binding" {
            let pod = path.trim_end_matches("/binding");
            let target = object.at("target.name").clone();
            return self.patch(now, pod, &object! { "spec": { "nodeName": target } }, false);
        }
        let path = format!("{path}/{}", object.name());
        if self.objects.contains_key(&path) {
            return Err(status(409, "AlreadyExists"));
        }
        Ok(self.insert(now, path, object))
    }

    pub(super) fn update(&mut self, now: Instant, path: &str, mut object: Value) -> Answer {
        let (path, part) = split(path);
        let _ = now;
        let Some(old) = self.objects.get(path).cloned() else {
            return Err(not_found(path));
        };
        let version = object.resource_version();
        if !version.is_empty() && version != old.resource_version() {
            return Err(status(409, "Conflict"));
        }
        match part {
            "status" => {
                object.set("spec", old.get("spec"));
            }
            "" => object.set("status", old.get("status")),
            _ => {}
        }
        Ok(self.replace(path, &old, object))
    }

    pub(super) fn patch(
        &mut self,
        now: Instant,
        path: &str,
        doc: &Value,
        strategic: bool,
    ) -> Answer {
        let _ = now;
        let (path, _) = split(path);
        let Some(old) = self.objects.get(path).cloned() else {
            return Err(not_found(path));
        };
        let mut new = old.clone();
        merge(&mut new, doc, strategic);
        Ok(self.replace(path, &old, new))
    }

    pub(super) fn delete(&mut self, now: Instant, path: &str, options: &Value) -> Answer {
        let Some(old) = self.objects.get(path).cloned() else {
            if !self.list(path).is_empty() {
                for object in self.list(path) {
                    let _ = self.delete(now, &format!("{path}/{}", object.name()), options);
                }
                return Ok(object! { "kind": "Status", "status": "Success" });
            }
            return Err(not_found(path));
        };
        let uid = options.str_at("preconditions.uid");
        if !uid.is_empty() && uid != old.uid() {
            return Err(status(409, "Conflict"));
        }
        let mut new = old.clone();
        match options.str("propagationPolicy") {
            "Foreground" => new
                .list_mut("metadata.finalizers")
                .push("foregroundDeletion".into()),
            "Orphan" => new.list_mut("metadata.finalizers").push("orphan".into()),
            _ => {}
        }
        let grace = options.i64_at("gracePeriodSeconds") != Some(0);
        let graceful = old.kind() == "Pod" && !old.str_at("spec.nodeName").is_empty() && grace;
        let held = old.kind() == "Namespace" && !old.list_at("spec.finalizers").is_empty();
        if new.finalizers().is_empty() && !graceful && !held {
            self.vanish(path);
            return Ok(object! { "kind": "Status", "status": "Success" });
        }
        if old.deletion_timestamp().is_none() {
            new.set("metadata.deletionTimestamp", now.rfc3339());
            if held {
                new.set("status.phase", "Terminating");
            }
        }
        Ok(self.replace(path, &old, new))
    }

    fn insert(&mut self, now: Instant, path: String, mut object: Value) -> Value {
        self.version += 1;
        if object.uid().is_empty() {
            object.set("metadata.uid", format!("uid-{}", self.version));
        }
        if object.generation() == 0 {
            object.set("metadata.generation", 1);
        }
        object.set("metadata.creationTimestamp", now.rfc3339());
        object.set("metadata.resourceVersion", self.version.to_string());
        self.objects.insert(path.clone(), object.clone());
        self.announce(&path, "ADDED", object.clone());
        object
    }

    fn replace(&mut self, path: &str, old: &Value, mut new: Value) -> Value {
        new.set("metadata.resourceVersion", old.resource_version());
        if new.same(old) {
            return new;
        }
        self.version += 1;
        if !new.get("spec").same(old.get("spec")) {
            new.set("metadata.generation", old.generation() + 1);
        }
        new.set("metadata.resourceVersion", self.version.to_string());
        let held = new.kind() == "Namespace" && !new.list_at("spec.finalizers").is_empty()
            || new.kind() == "Pod" && !new.str_at("spec.nodeName").is_empty();
        if new.is_terminating() && new.finalizers().is_empty() && !held {
            self.objects.remove(path);
            self.announce(path, "DELETED", new.clone());
        } else {
            self.objects.insert(path.to_owned(), new.clone());
            self.announce(path, "MODIFIED", new.clone());
        }
        new
    }

    fn announce(&mut self, path: &str, kind: &'static str, mut object: Value) {
        if kind == "DELETED" {
            self.version += 1;
            object.set("metadata.resourceVersion", self.version.to_string());
        }
        let collection = path
            .rsplit_once('/')
            .map_or("", |(collection, _)| collection);
        self.changes.push((everywhere(collection), kind, object));
    }
}

/// `pods/status` of a path.
pub(super) fn short(path: &str) -> String {
    let (path, part) = split(path);
    let words: Vec<&str> = path.split('/').collect();
    let rest = match words.iter().position(|word| *word == "namespaces") {
        Some(at) if words.len() > at + 2 => &words[at + 2..],
        Some(at) => &words[at..],
        None => &words[if words[1] == "api" { 3 } else { 4 }..],
    };
    if part.is_empty() {
        rest[0].to_owned()
    } else {
        format!("{}/{part}", rest[0])
    }
}

fn split(path: &str) -> (&str, &str) {
    for part in ["status", "finalize", "approval"] {
        if let Some(object) = path
            .strip_suffix(part)
            .and_then(|rest| rest.strip_suffix('/'))
        {
            return (object, part);
        }
    }
    (path, "")
}

/// The path of a collection without its namespace.
fn everywhere(collection: &str) -> String {
    match collection.split_once("/namespaces/") {
        Some((root, rest)) => {
            let plural = rest.split_once('/').map_or("", |(_, plural)| plural);
            format!("{root}/{plural}")
        }
        None => collection.to_owned(),
    }
}

fn status(code: i64, reason: &str) -> Value {
    object! { "kind": "Status", "code": code, "reason": reason, "message": reason }
}

fn not_found(path: &str) -> Value {
    let mut status = status(404, "NotFound");
    status.set("message", format!("{path} not found"));
    status
}

/// Merges a patch. Strategic: lists of objects merge by `type`, `uid` or `key`.
fn merge(target: &mut Value, patch: &Value, strategic: bool) {
    let Some(map) = patch.as_map() else {
        *target = patch.clone();
        return;
    };
    for (key, value) in map.iter() {
        if let Some(list) = key.strip_prefix("$deleteFromPrimitiveList/") {
            let kept = target.map_mut().get_or_insert(list).vec_mut();
            kept.retain(|item| !value.list().contains(item));
        } else if value.is_null() {
            target.map_mut().remove(key);
        } else if value.is_map() {
            merge(target.map_mut().get_or_insert(key), value, strategic);
        } else if strategic && value.list().iter().any(Value::is_map) {
            merge_list(target.map_mut().get_or_insert(key).vec_mut(), value.list());
        } else {
            target.map_mut().insert(key.clone(), value.clone());
        }
    }
}

fn merge_list(target: &mut Vec<Value>, patch: &[Value]) {
    for item in patch {
        let by = ["uid", "type", "key"]
            .into_iter()
            .find(|by| item.has(by))
            .expect("a merge key");
        let at = target
            .iter()
            .position(|known| known.get(by) == item.get(by));
        match (at, item.str("$patch")) {
            (Some(at), "delete") => drop(target.remove(at)),
            (None, "delete") => {}
            (Some(at), _) => merge(&mut target[at], item, true),
            (None, _) => target.push(item.clone()),
        }
    }
}
