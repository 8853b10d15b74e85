//! A custom kind as a published schema: what its definition says, and what all objects have.
//!
//! Models apiextensions-apiserver/pkg/controller/openapi/builder.

use api::kinds::{self, Kind};
use api::schema::Schemas;
use api::{Str, Value, object};

use super::prose::Prose;
use super::schema::Style;

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
        let key = "x-kubernetes-group-version-kind";
        let kind = self.kind.kind;
        let published = self.described.published.as_bytes();
        let mut schema = Value::from_json(published).unwrap_or_default();
        if !schema.is_map() {
            schema = object! { "type": "object" };
        }
        let preserves = schema.get("x-kubernetes-preserve-unknown-fields").as_bool();
        if self.style == Style::V2 && preserves == Some(true) {
            // The old form cannot say that there are fields besides those it names.
            schema = object! { "type": "object", "x-kubernetes-preserve-unknown-fields": true };
        } else {
            self.object_fields(&mut schema, "meta.v1.ObjectMeta");
        }
        schema.map_mut().insert(key, self.group_version_kind(kind));
        let name = self.name(kind);
        let mut list = object! {
            "description": format!("{} is a list of {kind}", self.kind.list_kind()),
            "required": ["items"],
            "type": "object",
            "properties": {
                "items": {
                    "description": format!(
                        "List of {}. More info: https://git.k8s.io/community/contributors/devel/\
                         sig-architecture/api-conventions.md",
                        self.kind.plural
                    ),
                    "items": self.style.reference(&name),
                    "type": "array",
                },
            },
        };
        self.object_fields(&mut list, "meta.v1.ListMeta");
        let list_kind = self.kind.list_kind();
        list.map_mut()
            .insert(key, self.group_version_kind(&list_kind));
        entries.push((Str::from(name), schema));
        entries.push((Str::from(self.name(&list_kind)), list));
    }

    /// Adds what every object has.
    fn object_fields(&self, schema: &mut Value, metadata: &str) {
        let like = self.schemas.by_kind("apps/v1", "Deployment");
        let about = |field: &str| {
            let text = like.map(|id| self.prose.field_named(self.schemas, id, field));
            text.unwrap_or_default()
        };
        for field in ["apiVersion", "kind"] {
            let text = object! { "description": about(field), "type": "string" };
            schema.set_path(&["properties", field], text);
        }
        let Some(id) = self.schemas.by_name(metadata) else {
            return;
        };
        let reference = self
            .style
            .reference(&self.schemas.definition(id).full_name());
        let text = match self.style {
            Style::V2 => reference,
            Style::V3 => {
                object! { "allOf": [(reference)], "description": about("metadata") }
            }
        };
        schema.set_path(&["properties", "metadata"], text);
    }
}
