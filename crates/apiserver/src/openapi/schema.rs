//! A definition of the table as a published schema.
//!
//! Models kube-openapi/pkg/generators as its output shows.

use std::fmt::Write as _;

use api::schema::{DefId, Definition, Field, ListType, Schemas, Special, Type};
use api::{Map, Str, Value, object};

use super::prose::Prose;

/// Which version of OpenAPI.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Swagger 2.0.
    V2,
    /// OpenAPI 3.0.
    V3,
}

impl Style {
    /// A reference to a definition.
    pub(super) fn reference(self, name: &str) -> Value {
        let place = match self {
            Style::V2 => "#/definitions/",
            Style::V3 => "#/components/schemas/",
        };
        object! { "$ref": format!("{place}{name}") }
    }
}

/// The name and the schema of a definition. What it refers to is added to `wanted`.
pub(super) fn of(
    schemas: &Schemas,
    prose: &Prose,
    id: DefId,
    style: Style,
    wanted: &mut Vec<DefId>,
) -> (String, Value) {
    let definition = schemas.definition(id);
    let mut schema = body(definition, style);
    let text = prose.definition(id);
    if !text.is_empty() {
        schema.set("description", text);
    }
    if definition.special == Special::Struct {
        let mut maker = Maker {
            schemas,
            style,
            wanted,
        };
        let mut fields = Vec::new();
        for (number, field) in definition.fields.iter().enumerate() {
            let value = maker.field(field, prose.field(id, number));
            fields.push((Str::from(field.name), value));
        }
        if !fields.is_empty() {
            schema.set("properties", Value::Map(Map::from_entries(fields)));
        }
        let required = definition.fields.iter().filter(|field| field.required);
        let required: Vec<&str> = required.map(|field| field.name).collect();
        if !required.is_empty() {
            schema.set("required", required);
        }
    }
    if let Some(kind) = definition.kind {
        schema.map_mut().insert(
            "x-kubernetes-group-version-kind",
            Value::list_of(vec![group_version_kind(kind)]),
        );
    }
    (definition.full_name(), schema)
}

/// `apps/v1/Deployment` in parts.
fn group_version_kind(path: &str) -> Value {
    let (version, kind) = path.rsplit_once('/').unwrap_or(("", path));
    let (group, version) = version.split_once('/').unwrap_or(("", version));
    object! { "group": group, "kind": kind, "version": version }
}

/// A definition's schema without fields and words.
fn body(definition: &Definition, style: Style) -> Value {
    let either = |other: &str| {
        object! { "oneOf": [{ "type": "string" }, { "type": other }] }
    };
    match (definition.special, style) {
        (Special::Quantity, Style::V3) => either("number"),
        (Special::IntOrString, Style::V3) => {
            let mut schema = either("integer");
            schema.set("format", "int-or-string");
            schema
        }
        (Special::Quantity, Style::V2) => object! { "type": "string" },
        (Special::IntOrString, Style::V2) => {
            object! { "format": "int-or-string", "type": "string" }
        }
        (Special::Time | Special::MicroTime, _) => {
            object! { "format": "date-time", "type": "string" }
        }
        (Special::Raw, _) if definition.name.contains("JSON") => object! {},
        (Special::Raw | Special::Struct, _) => object! { "type": "object" },
    }
}

/// Makes schemas of fields.
struct Maker<'a> {
    schemas: &'a Schemas,
    style: Style,
    wanted: &'a mut Vec<DefId>,
}

impl Maker<'_> {
    fn field(&mut self, field: &Field, mut text: String) -> Value {
        if !field.enumeration.is_empty() {
            text.push_str("\n\nPossible enum values:");
            for value in &field.enumeration {
                let _ = write!(text, "\n - `{value:?}`");
            }
        }
        let mut schema = self.value(&field.ty, true);
        if !text.is_empty() {
            schema.set("description", text);
        }
        let default = field
            .default
            .and_then(|text| Value::from_json(text.as_bytes()).ok());
        match default {
            Some(default) => schema.set("default", default),
            None if field.always && self.style == Style::V3 => {
                if let Some(zero) = self.zero(&field.ty) {
                    schema.set("default", zero);
                }
            }
            None => {}
        }
        if !field.enumeration.is_empty() {
            let values: Vec<Value> = field
                .enumeration
                .iter()
                .map(|v| v.as_str().into())
                .collect();
            if schema.str("type") == "array" {
                schema.set("items.enum", Value::list_of(values));
            } else {
                schema.set("enum", Value::list_of(values));
            }
        }
        self.strategies(field, &mut schema);
        schema
    }

    fn strategies(&self, field: &Field, schema: &mut Value) {
        let map = schema.map_mut();
        let list_type = match field.list_type {
            ListType::Set => "set",
            ListType::Map => "map",
            ListType::Atomic if matches!(field.ty, Type::List(_)) => "atomic",
            ListType::Atomic | ListType::Unset => "",
        };
        if !list_type.is_empty() {
            map.insert("x-kubernetes-list-type", list_type);
        }
        if !field.list_map_keys.is_empty() {
            map.insert("x-kubernetes-list-map-keys", field.list_map_keys.clone());
        }
        if field.atomic {
            map.insert("x-kubernetes-map-type", "atomic");
        }
        if let Some(key) = field.merge_key {
            map.insert("x-kubernetes-patch-merge-key", key);
        }
        let strategy = match (field.merge, field.retain_keys, field.replace) {
            (true, true, _) => "merge,retainKeys",
            (true, false, _) => "merge",
            (false, true, _) => "retainKeys",
            (false, false, true) => "replace",
            (false, false, false) => "",
        };
        if !strategy.is_empty() {
            map.insert("x-kubernetes-patch-strategy", strategy);
        }
    }

    /// The value that a field has when it is not set.
    fn zero(&self, ty: &Type) -> Option<Value> {
        Some(match ty {
            Type::String => "".into(),
            Type::Bool => false.into(),
            Type::Int32 | Type::Int64 | Type::Double => 0.into(),
            Type::Ref(id) => match self.schemas.definition(*id).special {
                Special::Struct => object! {},
                _ => return None,
            },
            Type::Bytes | Type::Any | Type::List(_) | Type::Map(_) => return None,
        })
    }

    /// The schema of a type; a reference with words of its own stands in an `allOf`.
    fn value(&mut self, ty: &Type, with_words: bool) -> Value {
        match ty {
            Type::String => object! { "type": "string" },
            Type::Bool => object! { "type": "boolean" },
            Type::Int32 => object! { "format": "int32", "type": "integer" },
            Type::Int64 => object! { "format": "int64", "type": "integer" },
            Type::Double => object! { "format": "double", "type": "number" },
            Type::Bytes => object! { "format": "byte", "type": "string" },
            Type::Any => object! {},
            Type::List(item) => {
                let mut items = self.value(item, false);
                if self.style == Style::V3
                    && let Some(zero) = self.zero(item)
                {
                    if items.entries().contains_key("$ref") {
                        items = object! { "allOf": [(items)] };
                    }
                    items.set("default", zero);
                }
                object! { "items": items, "type": "array" }
            }
            Type::Map(item) => {
                let of = self.value(item, false);
                object! { "additionalProperties": of, "type": "object" }
            }
            Type::Ref(id) => {
                self.wanted.push(*id);
                let name = self.schemas.definition(*id).full_name();
                let reference = self.style.reference(&name);
                match with_words && self.style == Style::V3 {
                    true => object! { "allOf": [(reference)] },
                    false => reference,
                }
            }
        }
    }
}
