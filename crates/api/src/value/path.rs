//! Reading and writing by dotted path, `spec.containers.0.image`: names of map keys and indices of
//! lists. Reading never allocates; keys that hold a dot go through the `*_path` forms.

use crate::value::NULL;
use crate::{Map, Str, Value};

impl Value {
    /// The value of a key; null if this is no map or the key is absent.
    pub fn get(&self, key: &str) -> &Value {
        match self {
            Value::Map(map) => map.get(key).unwrap_or(NULL),
            _ => NULL,
        }
    }

    /// The text of a key; empty if absent or no string.
    pub fn str(&self, key: &str) -> &str {
        self.get(key).as_str()
    }

    /// The item of a list; null if this is no list or it is shorter.
    pub fn item(&self, i: usize) -> &Value {
        self.list().get(i).unwrap_or(NULL)
    }

    fn step(&self, segment: &str) -> &Value {
        match self {
            Value::Map(map) => map.get(segment).unwrap_or(NULL),
            Value::List(items) => segment
                .parse::<usize>()
                .ok()
                .and_then(|i| items.get(i))
                .unwrap_or(NULL),
            _ => NULL,
        }
    }

    /// The value at a dotted path; null if anything on the way is absent.
    pub fn at(&self, path: &str) -> &Value {
        path.split('.').fold(self, Value::step)
    }

    /// The value at a path of keys, which may hold dots; null if anything on the way is absent.
    pub fn at_path(&self, path: &[&str]) -> &Value {
        path.iter().fold(self, |value, segment| value.step(segment))
    }

    /// Whether something other than null is at a dotted path.
    pub fn has(&self, path: &str) -> bool {
        !self.at(path).is_null()
    }

    /// The text at a dotted path; empty if absent or no string.
    pub fn str_at(&self, path: &str) -> &str {
        self.at(path).as_str()
    }

    /// The whole number at a dotted path.
    pub fn i64_at(&self, path: &str) -> Option<i64> {
        self.at(path).as_i64()
    }

    /// The boolean at a dotted path; false if absent.
    pub fn bool_at(&self, path: &str) -> bool {
        self.at(path).as_bool().unwrap_or(false)
    }

    /// The items of the list at a dotted path; none if absent.
    pub fn list_at(&self, path: &str) -> &[Value] {
        self.at(path).list()
    }

    /// The map at a dotted path; the empty one if absent.
    pub fn map_at(&self, path: &str) -> &Map {
        self.at(path).entries()
    }

    /// The place a segment names, made if absent. An index one past the end of a list appends; any
    /// other segment on something that is no map turns it into a map.
    fn step_mut(&mut self, segment: &str) -> &mut Value {
        let index = match self {
            Value::List(items) => segment.parse::<usize>().ok().filter(|i| *i <= items.len()),
            _ => None,
        };
        match index {
            Some(i) => {
                let items = self.vec_mut();
                if i == items.len() {
                    items.push(Value::Null);
                }
                &mut items[i]
            }
            None => self.map_mut().get_or_insert(segment),
        }
    }

    /// The place at a dotted path, to be changed; made (null) with the maps on the way if absent.
    pub fn at_mut(&mut self, path: &str) -> &mut Value {
        path.split('.').fold(self, Value::step_mut)
    }

    /// The place at a path of keys, to be changed; made (null) with the maps on the way if absent.
    pub fn at_path_mut(&mut self, path: &[&str]) -> &mut Value {
        path.iter()
            .fold(self, |value, segment| value.step_mut(segment))
    }

    /// The list at a dotted path, to be changed; made (empty) if absent.
    pub fn list_mut(&mut self, path: &str) -> &mut Vec<Value> {
        self.at_mut(path).vec_mut()
    }

    /// Puts a value at a dotted path, making the maps on the way. Writing what is there already
    /// copies nothing.
    pub fn set(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        if value.is_null() || !self.at(path).same(&value) {
            *self.at_mut(path) = value;
        }
    }

    /// Puts a value at a path of keys, which may hold dots, making the maps on the way.
    pub fn set_path(&mut self, path: &[&str], value: impl Into<Value>) {
        let value = value.into();
        if value.is_null() || !self.at_path(path).same(&value) {
            *self.at_path_mut(path) = value;
        }
    }

    /// Takes out what is at a dotted path, if anything; maps on the way stay.
    pub fn remove(&mut self, path: &str) -> Option<Value> {
        match path.rsplit_once('.') {
            None => self.remove_key(path),
            Some((parent, _)) if self.at(parent).is_null() => None,
            Some((parent, key)) => self.at_mut(parent).remove_key(key),
        }
    }

    /// Takes out what is at a path of keys, if anything; maps on the way stay.
    pub fn remove_path(&mut self, path: &[&str]) -> Option<Value> {
        let (key, parent) = path.split_last()?;
        if self.at_path(parent).is_null() {
            return None;
        }
        self.at_path_mut(parent).remove_key(key)
    }

    fn remove_key(&mut self, key: &str) -> Option<Value> {
        match self {
            Value::Map(map) => map.remove(key),
            Value::List(items) => {
                let i = key.parse::<usize>().ok().filter(|i| *i < items.len())?;
                Some(std::rc::Rc::make_mut(items).remove(i))
            }
            _ => None,
        }
    }

    /// Puts a key, or takes it out if the value is zero in Go's sense (`omitempty`).
    pub fn set_or_remove(&mut self, path: &str, value: impl Into<Value>) {
        let value = value.into();
        if value.is_zero() {
            self.remove(path);
        } else {
            self.set(path, value);
        }
    }

    /// Calls `visit` with every string of the tree.
    pub fn each_str(&self, visit: &mut impl FnMut(&Str)) {
        match self {
            Value::Str(text) => visit(text),
            Value::List(items) => items.iter().for_each(|item| item.each_str(visit)),
            Value::Map(map) => map.values().for_each(|item| item.each_str(visit)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Value, object};

    fn pod() -> Value {
        object! {
            "metadata": { "name": "web", "annotations": { "a.b/c": "x" } },
            "spec": { "replicas": 3, "paused": true, "containers": [{ "image": "nginx" }] },
        }
    }

    #[test]
    fn reading() {
        let v = pod();
        assert_eq!(v.str_at("metadata.name"), "web");
        assert_eq!(v.str_at("metadata.nothing.here"), "");
        assert_eq!(v.i64_at("spec.replicas"), Some(3));
        assert!(v.bool_at("spec.paused"));
        assert_eq!(v.str_at("spec.containers.0.image"), "nginx");
        assert!(v.at("spec.containers.1.image").is_null());
        assert_eq!(
            v.at_path(&["metadata", "annotations", "a.b/c"]).as_str(),
            "x"
        );
        assert_eq!(v.list_at("spec.containers").len(), 1);
    }

    #[test]
    fn writing_leaves_clones_alone_and_makes_the_way() {
        let mut v = pod();
        let before = v.clone();
        v.set("status.conditions.ready", true);
        v.set("spec.containers.0.image", "busybox");
        v.set("spec.containers.1", object! { "image": "two" });
        v.set_path(&["metadata", "annotations", "a.b/c"], "y");
        assert_eq!(before, pod());
        assert!(v.bool_at("status.conditions.ready"));
        assert_eq!(v.str_at("spec.containers.0.image"), "busybox");
        assert_eq!(v.str_at("spec.containers.1.image"), "two");
        assert_eq!(
            v.remove("spec.containers.1.image"),
            Some(Value::from("two"))
        );
        assert_eq!(v.remove("spec.nothing.image"), None);
        assert!(!v.has("spec.nothing"));
        v.list_mut("spec.containers").clear();
        assert_eq!(v.list_at("spec.containers").len(), 0);
        assert!(
            v.remove_path(&["metadata", "annotations", "a.b/c"])
                .is_some()
        );
        assert!(v.map_at("metadata.annotations").is_empty());
    }

    #[test]
    fn setting_the_same_keeps_sharing() {
        let mut v = pod();
        let before = v.clone();
        v.set("metadata.name", "web");
        let (Value::Map(a), Value::Map(b)) = (&v, &before) else {
            panic!("maps")
        };
        assert!(a.ptr_eq(b));
    }
}
