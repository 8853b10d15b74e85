//! Reads serde types from the object tree, strictly, and says by path where one does not fit.
//! Knows no YAML: the path is looked up among the positions of the document by whoever calls.

use core::fmt;
use std::cell::Cell;

use api::Value;
use serde::de::{self, DeserializeOwned, DeserializeSeed, IntoDeserializer, Unexpected, Visitor};

use crate::problem::{closest, one_of};

/// Nodes one document may have, those reached through aliases counted each time.
const MAX_NODES: u32 = 100_000;

/// Why a value is not what was wanted.
#[derive(Debug)]
pub(crate) struct Misfit {
    /// Path of the node: `spec.steps[0].checks`.
    pub(crate) path: String,
    /// What is wrong and what was expected.
    pub(crate) message: String,
    /// Whether `path` has been told.
    placed: bool,
}

/// Reads a `T` from `value`.
pub(crate) fn read<T: DeserializeOwned>(value: &Value) -> Result<T, Misfit> {
    let nodes = Cell::new(0);
    T::deserialize(Node {
        value,
        path: Path::Root,
        nodes: &nodes,
    })
}

/// Where a node is: a chain back to the root, made on the stack.
#[derive(Clone, Copy)]
enum Path<'p> {
    Root,
    Key(&'p Path<'p>, &'p str),
    Index(&'p Path<'p>, usize),
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Path::Root => Ok(()),
            Path::Key(Path::Root, key) => f.write_str(key),
            Path::Key(parent, key) => write!(f, "{parent}.{key}"),
            Path::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

#[derive(Clone, Copy)]
struct Node<'a> {
    value: &'a Value,
    path: Path<'a>,
    nodes: &'a Cell<u32>,
}

impl Node<'_> {
    /// Gives an error that has no place yet this node's.
    fn place(&self, mut misfit: Misfit) -> Misfit {
        if !misfit.placed {
            let path = self.path.to_string();
            misfit.path = match misfit.path.is_empty() {
                true => path,
                false if path.is_empty() => misfit.path,
                false => format!("{path}.{}", misfit.path),
            };
            misfit.placed = true;
        }
        misfit
    }

    fn unexpected(&self) -> Unexpected<'_> {
        match self.value {
            Value::Null => Unexpected::Unit,
            Value::Bool(value) => Unexpected::Bool(*value),
            Value::Int(value) => Unexpected::Signed(*value),
            Value::Float(_) => Unexpected::Other("a number with a fraction"),
            Value::Str(value) => Unexpected::Str(value),
            Value::List(_) => Unexpected::Seq,
            Value::Map(_) => Unexpected::Map,
        }
    }
}

impl<'de> de::Deserializer<'de> for Node<'_> {
    type Error = Misfit;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        self.nodes.set(self.nodes.get() + 1);
        if self.nodes.get() > MAX_NODES {
            let message = format!("the file has more than {MAX_NODES} values");
            return Err(self.place(de::Error::custom(message)));
        }
        let result = match self.value {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Int(value) => visitor.visit_i64(*value),
            Value::Float(_) => Err(de::Error::invalid_type(self.unexpected(), &visitor)),
            Value::Str(value) => visitor.visit_str(value),
            Value::List(items) => visitor.visit_seq(Items {
                node: self,
                items,
                at: 0,
            }),
            Value::Map(map) => visitor.visit_map(Entries {
                node: self,
                keys: map.keys().collect(),
                at: 0,
            }),
        };
        result.map_err(|misfit| self.place(misfit))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        visitor.visit_newtype_struct(self)
    }

    /// A struct is written as a map, never as a list of its fields.
    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Map(_) => self.deserialize_any(visitor),
            _ => Err(self.place(de::Error::invalid_type(self.unexpected(), &"a map"))),
        }
    }

    /// Enums are words.
    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Misfit> {
        match self.value {
            Value::Str(word) => {
                let word: de::value::StrDeserializer<'_, Misfit> =
                    word.as_str().into_deserializer();
                visitor
                    .visit_enum(word)
                    .map_err(|misfit| self.place(misfit))
            }
            _ => Err(self.place(de::Error::invalid_type(self.unexpected(), &"a word"))),
        }
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct seq tuple tuple_struct map identifier ignored_any
    }
}

struct Items<'a> {
    node: Node<'a>,
    items: &'a [Value],
    at: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'_> {
    type Error = Misfit;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Misfit> {
        let Some(value) = self.items.get(self.at) else {
            return Ok(None);
        };
        let path = Path::Index(&self.node.path, self.at);
        self.at += 1;
        seed.deserialize(Node {
            value,
            path,
            nodes: self.node.nodes,
        })
        .map(Some)
    }
}

struct Entries<'a> {
    node: Node<'a>,
    keys: Vec<&'a api::Str>,
    at: usize,
}

impl<'de> de::MapAccess<'de> for Entries<'_> {
    type Error = Misfit;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Misfit> {
        let Some(key) = self.keys.get(self.at) else {
            return Ok(None);
        };
        let name: de::value::StrDeserializer<'_, Misfit> = key.as_str().into_deserializer();
        seed.deserialize(name).map(Some).map_err(|mut misfit| {
            // An unknown field stands at the field, not at the map around it.
            misfit.path = key.to_string();
            self.node.place(misfit)
        })
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Misfit> {
        let key = self.keys[self.at];
        self.at += 1;
        let value = self.node.value.get(key);
        let path = Path::Key(&self.node.path, key);
        seed.deserialize(Node {
            value,
            path,
            nodes: self.node.nodes,
        })
    }
}

impl de::Error for Misfit {
    fn custom<T: fmt::Display>(message: T) -> Misfit {
        Misfit {
            path: String::new(),
            message: message.to_string(),
            placed: false,
        }
    }

    fn invalid_type(found: Unexpected<'_>, expected: &dyn de::Expected) -> Misfit {
        let found = match found {
            Unexpected::Unit => "nothing".to_owned(),
            Unexpected::Seq => "a list".to_owned(),
            Unexpected::Map => "a map".to_owned(),
            Unexpected::Bool(value) => format!("{value}, which is a boolean"),
            Unexpected::Signed(value) => format!("the number {value}"),
            Unexpected::Str(text) => {
                let short: String = text.chars().take(40).collect();
                format!("the text {short:?}")
            }
            other => other.to_string(),
        };
        let expected = match expected.to_string().as_str() {
            "a sequence" => "a list".to_owned(),
            "u32" | "u64" => "a whole number from 0 on".to_owned(),
            expected => expected.to_owned(),
        };
        Misfit::custom(format!("expected {expected}, found {found}"))
    }

    fn invalid_value(found: Unexpected<'_>, expected: &dyn de::Expected) -> Misfit {
        Misfit::custom(format!("expected {expected}, found {found}"))
    }

    fn unknown_field(field: &str, expected: &'static [&'static str]) -> Misfit {
        let mut message = format!("unknown field {field:?}");
        if field == "true" || field == "false" {
            message.push_str(" (YAML reads a bare on, yes, off or no so)");
        }
        match closest(field, expected) {
            Some(near) => message.push_str(&format!(", did you mean {near:?}?")),
            None => message.push_str(&format!(", expected {}", one_of(expected))),
        }
        Misfit::custom(message)
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Misfit {
        let near = closest(variant, expected).filter(|_| expected.len() > 1);
        let hint = near
            .map(|near| format!(", did you mean {near:?}?"))
            .unwrap_or_default();
        Misfit::custom(format!(
            "expected {}, found {variant:?}{hint}",
            one_of(expected)
        ))
    }

    fn missing_field(field: &'static str) -> Misfit {
        Misfit::custom(format!("the field {field:?} is missing"))
    }

    fn duplicate_field(field: &'static str) -> Misfit {
        Misfit::custom(format!("the field {field:?} is given twice"))
    }
}

impl fmt::Display for Misfit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.message)
    }
}

impl std::error::Error for Misfit {}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read to see whether it can be")]
    struct Shop {
        name: String,
        open: Option<bool>,
        #[serde(default)]
        shelves: Vec<Shelf>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "read to see whether it can be")]
    struct Shelf {
        boards: u32,
        wood: Option<Wood>,
    }

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Wood {
        Oak,
        Birch,
    }

    #[track_caller]
    fn check(yaml: &str, expected: Result<(), (&str, &str)>) {
        let documents = api::yaml::parse_all(yaml).expect("YAML");
        let found = read::<Shop>(&documents[0].value);
        let found = found
            .map(|_| ())
            .map_err(|misfit| (misfit.path, misfit.message));
        assert_eq!(
            found,
            expected.map_err(|(path, text)| (path.to_owned(), text.to_owned()))
        );
    }

    #[test]
    fn misfits_are_told_with_their_path() {
        check("{name: a, shelves: [{boards: 3, wood: oak}]}", Ok(()));
        check("{name: a, open: ~}", Ok(()));
        check("{open: yes}", Err(("", "the field \"name\" is missing")));
        check(
            "{name: a, shelfs: []}",
            Err((
                "shelfs",
                "unknown field \"shelfs\", did you mean \"shelves\"?",
            )),
        );
        check(
            "{name: a, shelves: [{boards: 1, colour: red}]}",
            Err((
                "shelves[0].colour",
                "unknown field \"colour\", expected \"boards\" or \"wood\"",
            )),
        );
        check(
            "{name: a, shelves: [{boards: 1}, {boards: many}]}",
            Err((
                "shelves[1].boards",
                "expected a whole number from 0 on, found the text \"many\"",
            )),
        );
        check(
            "{name: a, shelves: [{boards: 1, wood: brich}]}",
            Err((
                "shelves[0].wood",
                "expected \"oak\" or \"birch\", found \"brich\", did you mean \"birch\"?",
            )),
        );
        check(
            "{name: [a]}",
            Err(("name", "expected a string, found a list")),
        );
        check("[]", Err(("", "expected a map, found a list")));
    }

    #[test]
    fn aliases_cannot_blow_a_file_up() {
        let mut yaml = "a: &a [x, x, x, x, x, x, x, x]\n".to_owned();
        for (of, name) in [('a', 'b'), ('b', 'c'), ('c', 'd'), ('d', 'e'), ('e', 'f')] {
            let list = vec![format!("*{of}"); 8].join(", ");
            yaml.push_str(&format!("{name}: &{name} [{list}]\n"));
        }
        let Ok(documents) = api::yaml::parse_all(&yaml) else {
            return;
        };
        type Deep = Vec<Vec<Vec<Vec<Vec<Vec<String>>>>>>;
        let found = read::<Deep>(documents[0].value.get("f"));
        assert!(found.expect_err("too much").message.contains("more than"));
    }
}
