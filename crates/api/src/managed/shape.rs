//! How a value merges: as one, field by field, item by item. Built-in types say it in the table of
//! types, custom resources in their schema.
//!
//! Models structured-merge-diff's schema/elements.go and kube-openapi's pkg/schemaconv.

use crate::schema::{DefId, Definition, Field, ListType, Schemas, Special, Type};
use crate::{Map, Str, Value};

/// The type of a value.
#[derive(Clone, Copy, Debug)]
pub enum Node<'s> {
    /// A definition of the table.
    Definition(DefId),
    /// A type of the table, with the field it is of.
    Type(&'s Type, Option<&'s Field>),
    /// A custom resource: the schema says all but its metadata.
    Resource(&'s Value),
    /// What a structural schema describes.
    Schema(&'s Value),
    /// Nothing is known: maps merge, lists are one value.
    Open,
}

/// The types of scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    String,
    Numeric,
    Boolean,
    Any,
}

/// How a value merges.
#[derive(Clone, Copy, Debug)]
pub(super) enum Shape<'s> {
    Scalar(Scalar),
    /// Fields with names, of the table or of a schema.
    Struct {
        fields: Fields<'s>,
        atomic: bool,
    },
    Map {
        item: Node<'s>,
        atomic: bool,
    },
    List {
        item: Node<'s>,
        items: Items<'s>,
    },
    /// Anything; maps merge if not `atomic`.
    Open {
        atomic: bool,
    },
}

/// Where fields are declared.
#[derive(Clone, Copy, Debug)]
pub(super) enum Fields<'s> {
    Definition(&'s Definition),
    /// A schema; of a whole resource, or of a part.
    Schema(&'s Value, bool),
}

/// How items of a list are told apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Items<'s> {
    /// Not at all: the list is one value.
    Atomic,
    Set,
    Keyed(Keys<'s>),
}

/// The keys that tell items apart.
#[derive(Clone, Copy, Debug)]
pub(super) enum Keys<'s> {
    Table(&'s [&'static str]),
    Schema(&'s [Value]),
}

impl<'s> Keys<'s> {
    pub(super) fn iter(self) -> impl Iterator<Item = &'s str> {
        let (table, schema): (&[&'static str], &[Value]) = match self {
            Keys::Table(keys) => (keys, &[]),
            Keys::Schema(keys) => (&[], keys),
        };
        table
            .iter()
            .copied()
            .chain(schema.iter().map(Value::as_str))
    }
}

impl<'s> Node<'s> {
    pub(super) fn shape(self, schemas: &'s Schemas) -> Shape<'s> {
        match self {
            Node::Definition(id) => of_definition(schemas, id, false),
            Node::Type(ty, field) => of_type(schemas, ty, field),
            Node::Resource(schema) => Shape::Struct {
                fields: Fields::Schema(schema, true),
                atomic: false,
            },
            Node::Schema(schema) => of_schema(schema),
            Node::Open => Shape::Open { atomic: false },
        }
    }
}

fn of_definition(schemas: &Schemas, id: DefId, atomic: bool) -> Shape<'_> {
    let definition = schemas.definition(id);
    match definition.special {
        Special::Struct => Shape::Struct {
            fields: Fields::Definition(definition),
            atomic: atomic || definition.atomic,
        },
        Special::Quantity | Special::IntOrString => Shape::Scalar(Scalar::Any),
        Special::Time | Special::MicroTime => Shape::Scalar(Scalar::String),
        Special::Raw => Shape::Open { atomic: true },
    }
}

fn of_type<'s>(schemas: &'s Schemas, ty: &'s Type, field: Option<&'s Field>) -> Shape<'s> {
    let atomic = field.is_some_and(|field| field.atomic);
    match ty {
        Type::String | Type::Bytes => Shape::Scalar(Scalar::String),
        Type::Bool => Shape::Scalar(Scalar::Boolean),
        Type::Int32 | Type::Int64 | Type::Double => Shape::Scalar(Scalar::Numeric),
        Type::Any => Shape::Open { atomic },
        Type::Ref(id) => of_definition(schemas, *id, atomic),
        Type::Map(item) => Shape::Map {
            item: Node::Type(item, None),
            atomic,
        },
        Type::List(item) => {
            let items = match field {
                Some(field) if field.list_type == ListType::Set => Items::Set,
                Some(field) if field.list_type == ListType::Map => {
                    Items::Keyed(Keys::Table(&field.list_map_keys))
                }
                _ => Items::Atomic,
            };
            Shape::List {
                item: Node::Type(item, None),
                items,
            }
        }
    }
}

fn of_schema(schema: &Value) -> Shape<'_> {
    if schema.bool_at("x-kubernetes-int-or-string") {
        return Shape::Scalar(Scalar::Any);
    }
    let atomic = schema.str("x-kubernetes-map-type") == "atomic";
    match schema.str("type") {
        "string" => Shape::Scalar(Scalar::String),
        "integer" | "number" => Shape::Scalar(Scalar::Numeric),
        "boolean" => Shape::Scalar(Scalar::Boolean),
        "array" => {
            let items = match schema.str("x-kubernetes-list-type") {
                "set" => Items::Set,
                "map" => Items::Keyed(Keys::Schema(
                    schema.get("x-kubernetes-list-map-keys").list(),
                )),
                _ => Items::Atomic,
            };
            Shape::List {
                item: Node::Schema(schema.get("items")),
                items,
            }
        }
        "object" if schema.get("additionalProperties").is_map() => Shape::Map {
            item: Node::Schema(schema.get("additionalProperties")),
            atomic,
        },
        "object" if schema.has("properties") => Shape::Struct {
            fields: Fields::Schema(schema, schema.bool_at("x-kubernetes-embedded-resource")),
            atomic,
        },
        _ => Shape::Open { atomic },
    }
}

/// A field that a type has.
pub(super) struct Declared<'s> {
    pub(super) node: Node<'s>,
    /// Its path element.
    pub(super) element: Str,
    /// It is written even where it is not set, as null.
    pub(super) always_there: bool,
}

impl<'s> Fields<'s> {
    /// The field of this name; `None` if none is declared.
    pub(super) fn get(self, schemas: &Schemas, name: &str) -> Option<Declared<'s>> {
        match self {
            Fields::Definition(definition) => definition.field(name).map(|field| Declared {
                node: Node::Type(&field.ty, Some(field)),
                element: field.element.clone(),
                always_there: field.required,
            }),
            Fields::Schema(schema, whole) => {
                let node = match name {
                    "metadata" if whole => Node::Definition(schemas.by_name("meta.v1.ObjectMeta")?),
                    "apiVersion" | "kind" if whole => Node::Type(&Type::String, None),
                    name => Node::Schema(schema.get("properties").entries().get(name)?),
                };
                Some(Declared {
                    node,
                    element: element(name),
                    always_there: false,
                })
            }
        }
    }

    /// Whether fields that are not declared are kept.
    pub(super) fn keeps_unknown(self) -> bool {
        match self {
            Fields::Definition(_) => false,
            Fields::Schema(schema, _) => schema.bool_at("x-kubernetes-preserve-unknown-fields"),
        }
    }
}

/// The path element of a field or key.
pub(super) fn element(name: &str) -> Str {
    Str::from(format!("f:{name}"))
}

/// The path element of an item of a list, or why it has none.
pub(super) fn item_element<'s>(
    schemas: &'s Schemas,
    item: Node<'s>,
    items: Items<'s>,
    value: &Value,
) -> Result<Str, String> {
    let Items::Keyed(keys) = items else {
        return Ok(Str::from(format!("v:{value}")));
    };
    let map = match value {
        Value::Map(map) => map,
        Value::Null => return Err("associative list with keys may not have a null element".into()),
        _ => return Err("associative list with keys may not have non-map elements".into()),
    };
    let mut out = Map::new();
    for key in keys.iter() {
        let found = match map.get(key) {
            Some(value) => value.clone(),
            None => default_of(schemas, item, key).ok_or_else(|| {
                format!(
                    "associative list with keys has an element that omits key field {key:?} (and \
                     doesn't have default value)"
                )
            })?,
        };
        out.insert(key, found);
    }
    Ok(Str::from(format!("k:{}", Value::Map(out))))
}

fn default_of(schemas: &Schemas, item: Node<'_>, key: &str) -> Option<Value> {
    match item {
        Node::Type(Type::Ref(id), _) => {
            let field = schemas.field(*id, key)?;
            match field.default {
                Some(text) => Value::from_json(text.as_bytes()).ok(),
                // A default of zero is marked as written always.
                None if field.always && !field.required => Some(match field.ty {
                    Type::Int32 | Type::Int64 | Type::Double => Value::Int(0),
                    Type::Bool => Value::Bool(false),
                    _ => Value::from(""),
                }),
                None => None,
            }
        }
        Node::Schema(schema) => {
            let default = schema.at_path(&["properties", key, "default"]);
            (!default.is_null()).then(|| default.clone())
        }
        _ => None,
    }
}
