//! A custom kind as a published schema: what its definition says, and what all objects have.
//!
//! Models apiextensions-apiserver/pkg/controller/openapi/builder.

use api::kinds::{self, Kind};
use api::schema::Schemas;
use api::{Str, Value, object};

use super::prose::Prose;
use super::schema::Style;

const GVK: &str = "x-kubernetes-group-version-kind";
const PRESERVES: &str = "x-kubernetes-preserve-unknown-fields";
const CONVENTIONS: &str =
    "https://git.k8s.io/community/contributors/devel/sig-architecture/api-conventions.md";

/// A custom kind to be published.
pub(super) struct Custom<'a> {
    pub(super) kind: &'a Kind,
    pub(super) described: &'a kinds::Custom,
    pub(super) prose: &'a Prose,
    pub(super) schemas: &'a Schemas,
    pub(super) style: Style,
}

impl Custom<'_> {
    /// `com.example.v1.Widget`
    fn name(&self, kind: &str) -> String {
        let mut labels: Vec<&str> = self.kind.group.split('.').collect();
        labels.reverse();
        format!("{}.{}.{kind}", labels.join("."), self.kind.version)
    }

    fn group_version_kind(&self, kind: &str) -> Value {
        let Kind { group, version, .. } = self.kind;
        Value::list_of(vec![
            object! { "group": *group, "kind": kind, "version": *version },
        ])
    }

    /// Adds the schemas of the kind and of its list.
    pub(super) fn add(&self, entries: &mut Vec<(Str, Value)>) {
        let kind = self.kind.kind;
        let name = self.name(kind);
        let mut schema = self.schema();
        schema.map_mut().insert(GVK, self.group_version_kind(kind));
        let list_kind = self.kind.list_kind();
        let mut list = object! {
            "description": format!("{list_kind} is a list of {kind}"),
            "required": ["items"],
            "type": "object",
            "properties": {
                "items": {
                    "description": format!("List of {}. More info: {CONVENTIONS}", self.kind.plural),
                    "items": self.style.reference(&name),
                    "type": "array",
                },
            },
        };
        let about = format!("Standard list metadata. More info: {CONVENTIONS}#types-kinds");
        self.type_fields(&mut list);
        self.metadata(&mut list, "meta.v1.ListMeta", &about);
        list.map_mut()
            .insert(GVK, self.group_version_kind(&list_kind));
        entries.push((Str::from(name), schema));
        entries.push((Str::from(self.name(&list_kind)), list));
    }

    /// The schema of the kind, with what every object has.
    fn schema(&self) -> Value {
        let published = self.described.published.as_bytes();
        let mut schema = Value::from_json(published).unwrap_or_default();
        let all = self.described.preserves || schema.bool_at(PRESERVES);
        // Clients of the old form refuse fields that it does not name, so that it names none where
        // there may be others.
        if !schema.is_map() || (self.style == Style::V2 && all) {
            return object! { "type": "object" };
        }
        unfold(&mut schema);
        if self.style == Style::V2 {
            to_v2(&mut schema);
        }
        self.type_fields(&mut schema);
        self.metadata(&mut schema, "meta.v1.ObjectMeta", &object_metadata());
        self.embed(&mut schema);
        schema
    }

    /// Adds `apiVersion` and `kind`.
    fn type_fields(&self, schema: &mut Value) {
        let like = self.schemas.by_kind("apps/v1", "Deployment");
        for field in ["apiVersion", "kind"] {
            let about = like.map(|id| self.prose.field_named(self.schemas, id, field));
            let text = object! { "description": about.unwrap_or_default(), "type": "string" };
            schema.set_path(&["properties", field], text);
        }
    }

    /// Adds metadata of this type.
    fn metadata(&self, schema: &mut Value, of: &str, about: &str) {
        let Some(id) = self.schemas.by_name(of) else {
            return;
        };
        let name = self.schemas.definition(id).full_name();
        let mut reference = self.style.reference(&name);
        if self.style == Style::V3 {
            reference = object! { "allOf": [(reference)] };
        }
        reference.set("description", about);
        schema.set_path(&["properties", "metadata"], reference);
    }

    /// Adds what every object has to the objects within.
    fn embed(&self, schema: &mut Value) {
        each_below(schema, &mut |below| self.embed(below));
        let open = self.style == Style::V2 && schema.bool_at(PRESERVES);
        if open || !schema.bool_at("x-kubernetes-embedded-resource") {
            return;
        }
        for (field, about) in [
            (
                "apiVersion",
                format!(
                    "apiVersion defines the versioned schema of this representation of an object. \
                     More info: {CONVENTIONS}#resources"
                ),
            ),
            (
                "kind",
                format!(
                    "kind is a string value representing the type of this object. In CamelCase. \
                     More info: {CONVENTIONS}#types-kinds"
                ),
            ),
        ] {
            let text = object! { "description": about, "type": "string" };
            schema.set_path(&["properties", field], text);
        }
        self.metadata(schema, "meta.v1.ObjectMeta", &object_metadata());
        let mut required = schema.get("required").list().to_vec();
        for field in ["kind", "apiVersion"] {
            if !required.iter().any(|name| name.as_str() == field) {
                required.push(field.into());
            }
        }
        schema.set("required", required);
    }
}

fn object_metadata() -> String {
    format!("Standard object's metadata. More info: {CONVENTIONS}#metadata")
}

/// Does something to every schema right below one.
fn each_below(schema: &mut Value, act: &mut dyn FnMut(&mut Value)) {
    if schema.get("properties").is_map() {
        let properties = schema.at_path_mut(&["properties"]).map_mut();
        properties.iter_mut().for_each(|(_, below)| act(below));
    }
    for key in ["items", "additionalProperties"] {
        if schema.get(key).is_map() {
            act(schema.at_path_mut(&[key]));
        }
    }
}

/// Says in the common words that a value may be a number or a text.
fn unfold(schema: &mut Value) {
    each_below(schema, &mut unfold);
    if !schema.bool_at("x-kubernetes-int-or-string") {
        return;
    }
    let either = Value::list_of(vec![
        object! { "type": "integer" },
        object! { "type": "string" },
    ]);
    let says = |value: &Value| {
        let types = |value: &Value| -> Vec<String> {
            let any = value.get("anyOf").list().iter();
            any.map(|of| of.str("type").to_owned()).collect()
        };
        types(value) == ["integer", "string"]
    };
    if says(schema) || schema.get("allOf").list().first().is_some_and(says) {
        return;
    }
    if schema.get("anyOf").list().is_empty() {
        schema.set("anyOf", either);
    } else {
        let mut all = vec![object! { "anyOf": either }];
        all.extend(schema.get("allOf").list().iter().cloned());
        schema.set("allOf", all);
    }
}

/// What the old form can say of a schema, and its clients can bear: nothing of values that may be
/// null or that may have other fields.
///
/// Models apiextensions-apiserver/pkg/controller/openapi/v2/conversion.go.
fn to_v2(schema: &mut Value) {
    for key in ["allOf", "oneOf", "anyOf", "not"] {
        schema.map_mut().remove(key);
    }
    let nullable = schema.bool_at("nullable");
    let preserves = schema.bool_at(PRESERVES);
    if nullable || preserves {
        schema.map_mut().remove("items");
        schema.map_mut().remove("properties");
    }
    schema.map_mut().remove("nullable");
    let bare = match schema.str("type") {
        "array" => !schema.get("items").is_map(),
        "object" => preserves,
        _ => false,
    };
    if nullable || bare {
        schema.map_mut().remove("type");
    }
    let properties = schema.get("properties");
    let may_be_null = |name: &Value| properties.get(name.as_str()).bool_at("nullable");
    let mut required = schema.get("required").list().to_vec();
    required.retain(|name| !may_be_null(name));
    if required.is_empty() || schema.get("additionalProperties").bool_at("nullable") {
        schema.map_mut().remove("required");
    } else {
        schema.set("required", required);
    }
    each_below(schema, &mut to_v2);
}

#[cfg(test)]
mod tests {
    use super::{to_v2, unfold};
    use api::Value;

    #[track_caller]
    fn check(act: fn(&mut Value), given: &str, expected: &str) {
        let mut schema = Value::from_json(given.as_bytes()).expect("JSON");
        act(&mut schema);
        assert_eq!(schema.to_json(), expected);
    }

    #[test]
    fn the_old_form_says_less() {
        check(
            to_v2,
            r#"{"type":"object","required":["a","b"],"properties":{"a":{"type":"string",
            "nullable":true},"b":{"type":"string","anyOf":[{"pattern":"x"}]}}}"#,
            r#"{"properties":{"a":{},"b":{"type":"string"}},"required":["b"],"type":"object"}"#,
        );
        check(
            to_v2,
            r#"{"properties":{"a":{"type":"object","properties":{"b":{"type":"string"}},
            "x-kubernetes-preserve-unknown-fields":true,"description":"d"}}}"#,
            r#"{"properties":{"a":{"description":"d","x-kubernetes-preserve-unknown-fields":true}}}"#,
        );
        check(to_v2, r#"{"type":"array"}"#, "{}");
    }

    #[test]
    fn numbers_or_texts_are_told() {
        check(
            unfold,
            r#"{"items":{"x-kubernetes-int-or-string":true}}"#,
            r#"{"items":{"anyOf":[{"type":"integer"},{"type":"string"}],"x-kubernetes-int-or-string":true}}"#,
        );
        let told =
            r#"{"anyOf":[{"type":"integer"},{"type":"string"}],"x-kubernetes-int-or-string":true}"#;
        check(unfold, told, told);
    }
}
