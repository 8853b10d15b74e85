//! Keys, values and events. Knows nothing of revisions' bookkeeping.
//!
//! Models api/mvccpb/kv.proto.

use std::any::Any;
use std::fmt;
use std::rc::Rc;

use net::Shared;

/// A key: bytes, ordered bytewise.
pub type Key = Rc<[u8]>;

/// A value: opaque, shared, never copied by etcd.
pub type Blob = Rc<dyn Shared>;

/// The key of a text.
pub fn key(text: &str) -> Key {
    Rc::from(text.as_bytes())
}

/// A value made of bytes.
pub fn blob(bytes: &[u8]) -> Blob {
    Rc::new(Raw(Rc::from(bytes)))
}

/// A value made of text.
pub fn text_blob(text: &str) -> Blob {
    blob(text.as_bytes())
}

/// A value that is just bytes, as `etcdctl put` writes it.
#[derive(Clone)]
struct Raw(Rc<[u8]>);

impl fmt::Debug for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

impl Shared for Raw {
    fn size(&self) -> u64 {
        self.0.len() as u64
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.to_vec()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A key with its value and its place in history.
#[derive(Clone, Debug)]
pub struct KeyValue {
    /// The key.
    pub key: Key,
    /// The revision at which the key came to be.
    pub create_revision: i64,
    /// The revision of the last change.
    pub mod_revision: i64,
    /// How often the key was written since it came to be, counted from 1. 0 in a deletion.
    pub version: i64,
    /// The value; empty in a deletion.
    pub value: Blob,
    /// The lease the key hangs on, 0 for none.
    pub lease: i64,
}

impl KeyValue {
    /// The key as text, for keys that are text.
    pub fn key_text(&self) -> &str {
        std::str::from_utf8(&self.key).unwrap_or("")
    }

    /// About how many bytes the pair takes in the database file.
    pub(crate) fn stored_size(&self) -> u64 {
        // The 17-byte revision key, the field tags and bbolt's leaf element header.
        self.key.len() as u64 + self.value.size() + 17 + 16 + 16
    }
}

/// What happened to a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// The key was written.
    Put,
    /// The key was deleted; the event's pair carries only the key and the revision.
    Delete,
}

/// One change of one key.
#[derive(Clone, Debug)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The pair after the change.
    pub kv: Rc<KeyValue>,
    /// The pair before the change, `None` where the key did not exist.
    pub prev: Option<Rc<KeyValue>>,
}

/// Which keys a request means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Keys {
    /// Just this one.
    One(Key),
    /// From this key (inclusive) to that one (exclusive).
    Span(Key, Key),
    /// This key and everything after it.
    From(Key),
}

impl Keys {
    /// Every key that begins with the prefix. The empty prefix means all keys.
    pub fn prefix(prefix: &[u8]) -> Keys {
        let mut end = prefix.to_vec();
        while let Some(last) = end.pop() {
            if last < 0xff {
                end.push(last + 1);
                return Keys::Span(Rc::from(prefix), Rc::from(end));
            }
        }
        Keys::From(Rc::from(prefix))
    }

    /// The keys of a request that gives a key and a range end, as the protocol spells it: no end
    /// for one key, a zero byte for everything from the key on.
    pub fn from_wire(key: Key, range_end: Option<Key>) -> Keys {
        match range_end {
            None => Keys::One(key),
            Some(end) if end.is_empty() => Keys::One(key),
            Some(end) if *end == [0] => Keys::From(key),
            Some(end) => Keys::Span(key, end),
        }
    }

    /// Whether the key is meant.
    pub fn contains(&self, key: &[u8]) -> bool {
        match self {
            Keys::One(one) => **one == *key,
            Keys::Span(start, end) => **start <= *key && *key < **end,
            Keys::From(start) => **start <= *key,
        }
    }

    /// The first key that is meant, if it existed.
    pub fn start(&self) -> &Key {
        match self {
            Keys::One(key) | Keys::Span(key, _) | Keys::From(key) => key,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(keys: Keys, inside: &[&str], outside: &[&str]) {
        for text in inside {
            assert!(keys.contains(text.as_bytes()), "{text} is missing");
        }
        for text in outside {
            assert!(!keys.contains(text.as_bytes()), "{text} is too much");
        }
    }

    #[test]
    fn which_keys_are_meant() {
        check(Keys::One(key("a")), &["a"], &["", "aa", "b"]);
        check(
            Keys::prefix(b"/r/pods/"),
            &["/r/pods/", "/r/pods/x"],
            &["/r/pods", "/r/pods0"],
        );
        check(Keys::prefix(b""), &["", "a", "\u{7f}"], &[]);
        check(
            Keys::from_wire(key("a"), Some(key("c"))),
            &["a", "b", "bz"],
            &["c", "d"],
        );
        check(
            Keys::from_wire(key("b"), Some(key("\0"))),
            &["b", "z"],
            &["a"],
        );
        assert_eq!(
            Keys::prefix(&[0xff, 0xff]),
            Keys::From(Rc::from([0xff, 0xff]))
        );
    }
}
