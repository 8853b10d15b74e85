//! What a CEL expression computes with. Objects of the tree stay what they are: a `Val::Tree` is a
//! shared map or list, and its parts become `Val`s only as they are reached.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fmt;
use std::rc::Rc;

use crate::quantity::Quantity;
use crate::{Str, Value};

use super::opaque::Opaque;
use super::time::{Timestamp, seconds_text};

/// A value of the language. Clone is O(1).
#[derive(Clone, Debug)]
pub enum Val {
    /// `null`.
    Null,
    /// `true`, `false`.
    Bool(bool),
    /// A signed 64-bit integer.
    Int(i64),
    /// An unsigned 64-bit integer, `1u`.
    Uint(u64),
    /// A 64-bit float.
    Double(f64),
    /// A string.
    Str(Str),
    /// Bytes, `b'…'`.
    Bytes(Rc<[u8]>),
    /// A list made by the expression.
    List(Rc<Vec<Val>>),
    /// A map made by the expression.
    Map(Rc<BTreeMap<Key, Val>>),
    /// A list or map of an object.
    Tree(Value),
    /// A point of time.
    Timestamp(Timestamp),
    /// A span of time in nanoseconds.
    Duration(i64),
    /// A type, as `type(x)` gives it.
    Type(&'static str),
    /// A value that may be absent.
    Optional(Option<Rc<Val>>),
    /// A Kubernetes quantity.
    Quantity(Rc<Quantity>),
    /// A value of one of Kubernetes' libraries.
    Opaque(Rc<Opaque>),
    /// A field whose value could not be computed; who reads it fails with these words.
    Failed(Rc<str>),
}

/// A key of a map; integers of both sorts are one key if they are one number.
#[derive(Clone, Debug)]
pub enum Key {
    /// `true`, `false`.
    Bool(bool),
    /// A signed integer.
    Int(i64),
    /// An unsigned integer.
    Uint(u64),
    /// A string.
    Str(Str),
}

impl Key {
    fn rank(&self) -> (u8, i128, &str) {
        match self {
            Key::Bool(b) => (0, i128::from(*b), ""),
            Key::Int(n) => (1, i128::from(*n), ""),
            Key::Uint(n) => (1, i128::from(*n), ""),
            Key::Str(s) => (2, 0, s),
        }
    }

    /// The key a value is, if it can be one.
    pub(super) fn of(val: &Val) -> Option<Key> {
        match val {
            Val::Bool(b) => Some(Key::Bool(*b)),
            Val::Int(n) => Some(Key::Int(*n)),
            Val::Uint(n) => Some(Key::Uint(*n)),
            Val::Str(s) => Some(Key::Str(s.clone())),
            Val::Double(n) => whole(*n).map(Key::Int),
            _ => None,
        }
    }

    /// The key as a value.
    pub(super) fn val(&self) -> Val {
        match self {
            Key::Bool(b) => Val::Bool(*b),
            Key::Int(n) => Val::Int(*n),
            Key::Uint(n) => Val::Uint(*n),
            Key::Str(s) => Val::Str(s.clone()),
        }
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Key {}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank())
    }
}

/// The integer `n` is, if it is a whole number within range.
pub(super) fn whole(n: f64) -> Option<i64> {
    const END: f64 = 9_223_372_036_854_775_808.0;
    let int = n as i64;
    ((-END..END).contains(&n) && int as f64 == n).then_some(int)
}

impl Val {
    /// A list of these.
    pub fn list(items: Vec<Val>) -> Val {
        Val::List(Rc::new(items))
    }

    /// An optional that holds a value.
    pub(super) fn some(val: Val) -> Val {
        Val::Optional(Some(Rc::new(val)))
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Val::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The string, if this is one.
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Val::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The name of the type, as `type(x)` prints.
    pub fn type_name(&self) -> &'static str {
        match self {
            Val::Null => "null_type",
            Val::Bool(_) => "bool",
            Val::Int(_) => "int",
            Val::Uint(_) => "uint",
            Val::Double(_) => "double",
            Val::Str(_) => "string",
            Val::Bytes(_) => "bytes",
            Val::List(_) | Val::Tree(Value::List(_)) => "list",
            Val::Map(_) | Val::Tree(_) => "map",
            Val::Timestamp(_) => "google.protobuf.Timestamp",
            Val::Duration(_) => "google.protobuf.Duration",
            Val::Type(_) => "type",
            Val::Optional(_) => "optional_type",
            Val::Quantity(_) => "kubernetes.Quantity",
            Val::Opaque(of) => of.type_name(),
            Val::Failed(_) => "error",
        }
    }

    /// The number of elements of a list.
    pub(super) fn list_len(&self) -> Option<usize> {
        match self {
            Val::List(items) => Some(items.len()),
            Val::Tree(Value::List(items)) => Some(items.len()),
            _ => None,
        }
    }

    /// An element of a list.
    pub(super) fn element(&self, index: usize) -> Option<Val> {
        match self {
            Val::List(items) => items.get(index).cloned(),
            Val::Tree(Value::List(items)) => items.get(index).map(Val::from),
            _ => None,
        }
    }

    /// All elements of a list.
    pub(super) fn elements(&self) -> Option<impl Iterator<Item = Val> + '_> {
        let len = self.list_len()?;
        Some((0..len).filter_map(|i| self.element(i)))
    }

    /// The number of entries of a map.
    pub(super) fn map_len(&self) -> Option<usize> {
        match self {
            Val::Map(entries) => Some(entries.len()),
            Val::Tree(Value::Map(entries)) => Some(entries.len()),
            _ => None,
        }
    }

    /// Whether this is a map, and the value of one of its keys.
    pub(super) fn lookup(&self, key: &Val) -> Option<Option<Val>> {
        match (self, key) {
            (Val::Map(entries), key) => Some(Key::of(key).and_then(|k| entries.get(&k).cloned())),
            (Val::Tree(Value::Map(entries)), Val::Str(key)) => {
                Some(entries.get(key).map(Val::from))
            }
            (Val::Tree(Value::Map(_)), _) => Some(None),
            _ => None,
        }
    }

    /// The value of a key by name, as `lookup` gives it.
    pub(super) fn field(&self, name: &str) -> Option<Option<Val>> {
        match self {
            Val::Map(entries) => Some(entries.get(&Key::Str(name.into())).cloned()),
            Val::Tree(Value::Map(entries)) => Some(entries.get(name).map(Val::from)),
            _ => None,
        }
    }

    /// All entries of a map.
    pub(super) fn entries(&self) -> Option<Vec<(Val, Val)>> {
        match self {
            Val::Map(entries) => Some(entries.iter().map(|(k, v)| (k.val(), v.clone())).collect()),
            Val::Tree(Value::Map(entries)) => {
                let entry = |(k, v): (&Str, &Value)| (Val::Str(k.clone()), Val::from(v));
                Some(entries.iter().map(entry).collect())
            }
            _ => None,
        }
    }

    /// Whether this is the zero value of its type, or null.
    pub(super) fn is_zero(&self) -> bool {
        match self {
            Val::Null => true,
            Val::Bool(b) => !b,
            Val::Int(n) | Val::Duration(n) => *n == 0,
            Val::Uint(n) => *n == 0,
            Val::Double(n) => *n == 0.0,
            Val::Str(s) => s.is_empty(),
            Val::Bytes(b) => b.is_empty(),
            Val::List(_) | Val::Tree(Value::List(_)) => self.list_len() == Some(0),
            Val::Map(_) | Val::Tree(_) => self.map_len() == Some(0),
            Val::Optional(of) => of.is_none(),
            Val::Timestamp(_)
            | Val::Type(_)
            | Val::Quantity(_)
            | Val::Opaque(_)
            | Val::Failed(_) => false,
        }
    }
}

impl From<&Value> for Val {
    fn from(value: &Value) -> Self {
        match value {
            Value::Null => Val::Null,
            Value::Bool(b) => Val::Bool(*b),
            Value::Int(n) => Val::Int(*n),
            Value::Float(n) => Val::Double(n.get()),
            Value::Str(s) => Val::Str(s.clone()),
            Value::List(_) | Value::Map(_) => Val::Tree(value.clone()),
        }
    }
}

impl Val {
    /// The tree this is, as JSON would have it; what JSON has no form for becomes text.
    pub fn to_value(&self) -> Value {
        match self {
            Val::Null | Val::Optional(None) => Value::Null,
            Val::Bool(b) => Value::Bool(*b),
            Val::Int(n) => Value::Int(*n),
            Val::Uint(n) => i64::try_from(*n).map_or(Value::Null, Value::Int),
            Val::Double(n) => Value::from(*n),
            Val::Str(s) => Value::Str(s.clone()),
            Val::Bytes(b) => crate::base64::encode(b).into(),
            Val::Tree(tree) => tree.clone(),
            Val::List(items) => Value::list_of(items.iter().map(Val::to_value).collect()),
            Val::Map(entries) => {
                let mut out = crate::Map::new();
                for (key, value) in entries.iter() {
                    let key = match key {
                        Key::Str(key) => key.clone(),
                        other => other.val().to_string().into(),
                    };
                    out.insert(key, value.to_value());
                }
                Value::Map(out)
            }
            Val::Timestamp(t) => t.to_string().into(),
            Val::Duration(nanos) => seconds_text(*nanos).into(),
            Val::Optional(Some(of)) => of.to_value(),
            Val::Quantity(q) => q.to_string().into(),
            Val::Type(_) | Val::Opaque(_) | Val::Failed(_) => self.to_string().into(),
        }
    }
}

impl From<&str> for Val {
    fn from(text: &str) -> Self {
        Val::Str(text.into())
    }
}

impl From<String> for Val {
    fn from(text: String) -> Self {
        Val::Str(text.into())
    }
}

impl fmt::Display for Val {
    /// As one would write it in an expression.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Val::Null => f.write_str("null"),
            Val::Bool(b) => write!(f, "{b}"),
            Val::Int(n) => write!(f, "{n}"),
            Val::Uint(n) => write!(f, "{n}u"),
            Val::Double(n) if whole(*n).is_some() => write!(f, "{n:.1}"),
            Val::Double(n) => write!(f, "{n}"),
            Val::Str(s) => write!(f, "{}", Value::Str(s.clone())),
            Val::Bytes(b) => write!(f, "b\"{}\"", b.escape_ascii()),
            Val::Tree(tree) => write!(f, "{tree}"),
            Val::List(items) => {
                let texts: Vec<String> = items.iter().map(Val::to_string).collect();
                write!(f, "[{}]", texts.join(", "))
            }
            Val::Map(entries) => {
                let text = |(k, v): (&Key, &Val)| format!("{}: {v}", k.val());
                let texts: Vec<String> = entries.iter().map(text).collect();
                write!(f, "{{{}}}", texts.join(", "))
            }
            Val::Timestamp(t) => write!(f, "timestamp(\"{t}\")"),
            Val::Duration(nanos) => write!(f, "duration(\"{}\")", seconds_text(*nanos)),
            Val::Type(name) => f.write_str(name),
            Val::Optional(None) => f.write_str("optional.none()"),
            Val::Optional(Some(of)) => write!(f, "optional.of({of})"),
            Val::Quantity(q) => write!(f, "quantity(\"{q}\")"),
            Val::Opaque(of) => write!(f, "{of}"),
            Val::Failed(why) => f.write_str(why),
        }
    }
}
