//! Conversions into the tree, and the macros that write a tree literally.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::{Float, Map, Str, Value};

macro_rules! from_int {
    ($($int:ty),*) => {$(
        impl From<$int> for Value {
            fn from(n: $int) -> Self {
                Value::Int(i64::from(n))
            }
        }
    )*};
}

from_int!(i8, i16, i32, i64, u8, u16, u32);

impl From<u64> for Value {
    /// Numbers beyond `i64::MAX` become floats.
    fn from(n: u64) -> Self {
        i64::try_from(n).map_or_else(|_| Value::from(n as f64), Value::Int)
    }
}

impl From<usize> for Value {
    fn from(n: usize) -> Self {
        Value::from(n as u64)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Value::Bool(b)
    }
}

impl From<f64> for Value {
    fn from(n: f64) -> Self {
        Value::Float(Float::new(n))
    }
}

impl From<Float> for Value {
    fn from(n: Float) -> Self {
        Value::Float(n)
    }
}

impl From<Map> for Value {
    fn from(map: Map) -> Self {
        Value::Map(map)
    }
}

impl From<&Map> for Value {
    fn from(map: &Map) -> Self {
        Value::Map(map.clone())
    }
}

impl From<&Value> for Value {
    fn from(value: &Value) -> Self {
        value.clone()
    }
}

impl From<Str> for Value {
    fn from(text: Str) -> Self {
        Value::Str(text)
    }
}

macro_rules! from_text {
    ($($text:ty),*) => {$(
        impl From<$text> for Value {
            fn from(text: $text) -> Self {
                Value::Str(Str::from(text))
            }
        }
    )*};
}

from_text!(&str, String, &String, &Str, Rc<str>, &Rc<str>);

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Self {
        Value::list_of(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Clone + Into<Value>> From<&[T]> for Value {
    fn from(items: &[T]) -> Self {
        items.iter().cloned().collect()
    }
}

impl<T: Into<Value>, const N: usize> From<[T; N]> for Value {
    fn from(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Into<Value>> FromIterator<T> for Value {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Value::list_of(items.into_iter().map(Into::into).collect())
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(item: Option<T>) -> Self {
        item.map_or(Value::Null, Into::into)
    }
}

impl<K: Into<Str>, V: Into<Value>> From<BTreeMap<K, V>> for Value {
    fn from(entries: BTreeMap<K, V>) -> Self {
        Value::Map(entries.into_iter().collect())
    }
}

/// Writes a map literally: `object! { "kind": "Pod", "spec": { "x": [1, n + 1] }, (key): null }`.
/// Values are literals, nested `{}` and `[]`, `null`, or any expression that is `Into<Value>`.
#[macro_export]
macro_rules! object {
    ({ $($body:tt)* }) => { $crate::object!($($body)*) };
    ($($body:tt)*) => {{
        #[allow(unused_mut, clippy::vec_init_then_push)]
        let entries = {
            let mut entries: ::std::vec::Vec<($crate::Str, $crate::Value)> = ::std::vec::Vec::new();
            $crate::object_entries!(entries; $($body)*);
            entries
        };
        $crate::Value::Map($crate::Map::from_entries(entries))
    }};
}

/// Writes any tree literally: `value!([1, { "a": null }])`; see `object!`.
#[macro_export]
macro_rules! value {
    (null) => { $crate::Value::Null };
    ({ $($body:tt)* }) => { $crate::object!($($body)*) };
    ([ $($body:tt)* ]) => {{
        #[allow(unused_mut, clippy::vec_init_then_push)]
        let items = {
            let mut items: ::std::vec::Vec<$crate::Value> = ::std::vec::Vec::new();
            $crate::list_items!(items; $($body)*);
            items
        };
        $crate::Value::list_of(items)
    }};
    (($value:expr)) => { $crate::Value::from($value) };
    ($value:expr) => { $crate::Value::from($value) };
}

#[doc(hidden)]
#[macro_export]
macro_rules! object_entries {
    ($to:ident;) => {};
    ($to:ident; ($key:expr) : $($rest:tt)*) => {
        $crate::object_value!($to; [$key] $($rest)*)
    };
    ($to:ident; $key:tt : $($rest:tt)*) => {
        $crate::object_value!($to; [$key] $($rest)*)
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! object_value {
    ($to:ident; [$key:expr] { $($body:tt)* } $(, $($rest:tt)*)?) => {
        $to.push(($crate::Str::from($key), $crate::object!($($body)*)));
        $crate::object_entries!($to; $($($rest)*)?);
    };
    ($to:ident; [$key:expr] [ $($body:tt)* ] $(, $($rest:tt)*)?) => {
        $to.push(($crate::Str::from($key), $crate::value!([ $($body)* ])));
        $crate::object_entries!($to; $($($rest)*)?);
    };
    ($to:ident; [$key:expr] null $(, $($rest:tt)*)?) => {
        $to.push(($crate::Str::from($key), $crate::Value::Null));
        $crate::object_entries!($to; $($($rest)*)?);
    };
    ($to:ident; [$key:expr] ($value:expr) $(, $($rest:tt)*)?) => {
        $to.push(($crate::Str::from($key), $crate::Value::from($value)));
        $crate::object_entries!($to; $($($rest)*)?);
    };
    ($to:ident; [$key:expr] $value:expr $(, $($rest:tt)*)?) => {
        $to.push(($crate::Str::from($key), $crate::Value::from($value)));
        $crate::object_entries!($to; $($($rest)*)?);
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! list_items {
    ($to:ident;) => {};
    ($to:ident; { $($body:tt)* } $(, $($rest:tt)*)?) => {
        $to.push($crate::object!($($body)*));
        $crate::list_items!($to; $($($rest)*)?);
    };
    ($to:ident; [ $($body:tt)* ] $(, $($rest:tt)*)?) => {
        $to.push($crate::value!([ $($body)* ]));
        $crate::list_items!($to; $($($rest)*)?);
    };
    ($to:ident; null $(, $($rest:tt)*)?) => {
        $to.push($crate::Value::Null);
        $crate::list_items!($to; $($($rest)*)?);
    };
    ($to:ident; ($value:expr) $(, $($rest:tt)*)?) => {
        $to.push($crate::Value::from($value));
        $crate::list_items!($to; $($($rest)*)?);
    };
    ($to:ident; $value:expr $(, $($rest:tt)*)?) => {
        $to.push($crate::Value::from($value));
        $crate::list_items!($to; $($($rest)*)?);
    };
}

#[cfg(test)]
mod tests {
    use crate::Value;

    #[test]
    fn literals() {
        let (key, n, name) = ("computed", 4, String::from("web"));
        let v = object! {
            "kind": "Pod",
            (key): null,
            "neg": -1,
            "sum": n + 1,
            "call": name.len(),
            "paren": (n),
            "list": [1, "two", { "three": [3.5] }, [], null, n * 2],
            "empty": {},
            "maybe": None::<&str>,
            "name": &name,
            "labels": vec!["a", "b"],
        };
        assert_eq!(
            v.to_json(),
            r#"{"call":3,"computed":null,"empty":{},"kind":"Pod","labels":["a","b"],"list":[1,"two",{"three":[3.5]},[],null,8],"maybe":null,"name":"web","neg":-1,"paren":4,"sum":5}"#
        );
        assert_eq!(object! {}, Value::empty_map());
        assert_eq!(value!([]), Value::list_of(vec![]));
        assert_eq!(value!(null), Value::Null);
        assert_eq!(value!({ "a": 1 }), object! { "a": 1 });
        assert_eq!(Value::from(u64::MAX).to_json(), "18446744073709552000");
    }
}
