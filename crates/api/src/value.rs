//! The object tree every API object is: JSON's data model with shared, sorted maps. Clone is O(1),
//! a write copies only the path from the root to it. Knows nothing of kinds or schemas.
//! Models apimachinery/pkg/apis/meta/v1/unstructured.

use std::fmt;
use std::rc::Rc;

use crate::{Float, Map, Str};

mod convert;
mod object;
mod path;

/// A node of the tree. Equality is deep, with a shortcut where both sides share an allocation.
#[derive(Clone, Default, PartialOrd, Ord)]
pub enum Value {
    /// JSON's null, and what lookups of absent things give.
    #[default]
    Null,
    /// A boolean.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Any other number.
    Float(Float),
    /// A string.
    Str(Str),
    /// A list.
    List(Rc<Vec<Value>>),
    /// An object.
    Map(Map),
}

/// What lookups of absent things lend.
pub const NULL: &Value = &Value::Null;

impl Value {
    /// An empty map.
    pub const fn empty_map() -> Value {
        Value::Map(Map::new())
    }

    /// A list of these.
    pub fn list_of(items: Vec<Value>) -> Value {
        Value::List(Rc::new(items))
    }

    /// Whether both are equal: at once where they share an allocation, else item by item.
    pub fn same(&self, other: &Value) -> bool {
        match (self, other) {
            (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Int(a), Value::Int(b)) => a == b,
            (Value::Float(a), Value::Float(b)) => a == b,
            (Value::Str(a), Value::Str(b)) => a.ptr_eq(b) || a == b,
            (Value::List(a), Value::List(b)) => Rc::ptr_eq(a, b) || a == b,
            (Value::Map(a), Value::Map(b)) => a == b,
            _ => false,
        }
    }

    /// Whether this is null.
    pub fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether this is null, false, zero, or an empty string, list or map: what Go's `omitempty`
    /// leaves out.
    pub fn is_zero(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Bool(b) => !b,
            Value::Int(n) => *n == 0,
            Value::Float(n) => n.get() == 0.0,
            Value::Str(s) => s.is_empty(),
            Value::List(l) => l.is_empty(),
            Value::Map(m) => m.is_empty(),
        }
    }

    /// Whether this is a map.
    pub fn is_map(&self) -> bool {
        matches!(self, Value::Map(_))
    }

    /// Whether this is a list.
    pub fn is_list(&self) -> bool {
        matches!(self, Value::List(_))
    }

    /// Whether this is a string.
    pub fn is_str(&self) -> bool {
        matches!(self, Value::Str(_))
    }

    /// JSON's name of the type, as Go's decoder says it: `string`, `number`, `bool`, `array`,
    /// `object`, `null`.
    pub fn type_name(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "bool",
            Value::Int(_) | Value::Float(_) => "number",
            Value::Str(_) => "string",
            Value::List(_) => "array",
            Value::Map(_) => "object",
        }
    }

    /// The text of a string; empty for anything else.
    pub fn as_str(&self) -> &str {
        match self {
            Value::Str(text) => text,
            _ => "",
        }
    }

    /// The string, shared, if this is one.
    pub fn as_shared_str(&self) -> Option<&Str> {
        match self {
            Value::Str(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if this is a whole one.
    pub fn as_i64(&self) -> Option<i64> {
        match self {
            Value::Int(n) => Some(*n),
            _ => None,
        }
    }

    /// The number, if this is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(n) => Some(*n as f64),
            Value::Float(n) => Some(n.get()),
            _ => None,
        }
    }

    /// The boolean, if this is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(b) => Some(*b),
            _ => None,
        }
    }

    /// The map, if this is one.
    pub fn as_map(&self) -> Option<&Map> {
        match self {
            Value::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The items of a list; none for anything else.
    pub fn list(&self) -> &[Value] {
        match self {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The entries of a map; the empty map for anything else.
    pub fn entries(&self) -> &Map {
        match self {
            Value::Map(map) => map,
            _ => Map::EMPTY,
        }
    }

    /// This as a map to be changed; becomes an empty one if it is anything else.
    pub fn map_mut(&mut self) -> &mut Map {
        if !self.is_map() {
            *self = Value::empty_map();
        }
        match self {
            Value::Map(map) => map,
            _ => unreachable!("made a map just above"),
        }
    }

    /// This as a list to be changed; becomes an empty one if it is anything else.
    pub fn vec_mut(&mut self) -> &mut Vec<Value> {
        if !self.is_list() {
            *self = Value::List(Rc::default());
        }
        match self {
            Value::List(items) => Rc::make_mut(items),
            _ => unreachable!("made a list just above"),
        }
    }

    /// Takes the value out and leaves null.
    pub fn take(&mut self) -> Value {
        std::mem::take(self)
    }
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        self.same(other)
    }
}

impl Eq for Value {}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}

impl fmt::Display for Value {
    /// Compact JSON.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_json())
    }
}
