//! Kinds that a CustomResourceDefinition describes: descriptors made while the server runs. Their
//! rules are data, a structural schema, instead of functions.
//!
//! A descriptor is lent for as long as the program runs, like those that are built in, so whoever
//! makes one should make it once for each content (see [`of_definition`]).
//!
//! Models apiextensions-apiserver/pkg/apiserver/customresource_handler.go and
//! pkg/registry/customresource/strategy.go.

mod decode;
mod defaults;
mod lists;
mod prune;
mod rules;
mod scale;
mod schema;
mod table;
mod validate;

use super::{Kind, Subresource};
use crate::Value;
use crate::field::FieldError;

pub(super) use schema::{Rule, Schema};

pub use scale::ScalePaths;
pub use table::CustomColumn;

/// What is particular to a custom kind. Holds no shared tree, since descriptors are shared by all
/// threads.
#[derive(Debug)]
pub struct Custom {
    /// What objects look like.
    pub(super) schema: Schema,
    /// The columns after the name.
    pub columns: Vec<CustomColumn>,
    /// Where replicas are counted, if the kind can be scaled.
    pub scale: Option<ScalePaths>,
    /// Fields that field selectors may name, `spec.color`.
    pub selectable: Vec<String>,
    /// The kind of the version that is stored; `None` if it is this one.
    pub(super) stored: Option<&'static Kind>,
    /// `WidgetList`.
    pub list_kind: String,
    /// The schema as it was written, for whoever publishes it: JSON.
    pub published: String,
    /// Whether fields that the schema does not know are kept.
    pub preserves: bool,
}

/// The kinds that a CustomResourceDefinition describes, one for each version that is served; the
/// stored one, served or not, comes first. Empty for definitions that are none.
pub fn of_definition(definition: &Value) -> Vec<&'static Kind> {
    let versions = definition.list_at("spec.versions");
    let Some(storage) = versions.iter().find(|version| version.bool_at("storage")) else {
        return Vec::new();
    };
    let stored = describe(definition, storage, None);
    let others = versions
        .iter()
        .filter(|version| !version.bool_at("storage"));
    let served = others.filter(|version| version.bool_at("served"));
    let mut kinds = vec![stored];
    kinds.extend(served.map(|version| describe(definition, version, Some(stored))));
    kinds
}

fn describe(definition: &Value, version: &Value, stored: Option<&'static Kind>) -> &'static Kind {
    let accepted = definition.at("status.acceptedNames");
    let group = definition.str_at("spec.group");
    let (plural, kind) = (accepted.str("plural"), accepted.str("kind"));
    let schema = version.at("schema.openAPIV3Schema");
    let scale = ScalePaths::of(version.at("subresources.scale"));
    let mut subresources = Vec::new();
    if !version.at("subresources.status").is_null() {
        subresources.push(Subresource::new(
            "status",
            &["get", "patch", "update"],
            "",
            leak(kind),
        ));
    }
    if scale.is_some() {
        subresources.push(Subresource::scale());
    }
    let selectable = version.list_at("selectableFields").iter();
    let custom = Custom {
        schema: Schema::of(schema),
        columns: table::columns(version.list_at("additionalPrinterColumns")),
        scale,
        selectable: selectable
            .map(|field| field.str("jsonPath").trim_start_matches('.').to_owned())
            .collect(),
        stored,
        list_kind: accepted.str("listKind").to_owned(),
        published: schema.to_json(),
        preserves: definition.bool_at("spec.preserveUnknownFields"),
    };
    Box::leak(Box::new(Kind {
        plural: leak(plural),
        singular: leak(accepted.str("singular")),
        short_names: leak_all(accepted.list_at("shortNames")),
        categories: leak_all(accepted.list_at("categories")),
        namespaced: definition.str_at("spec.scope") == "Namespaced",
        verbs: CUSTOM_VERBS,
        subresources: Box::leak(subresources.into_boxed_slice()),
        storage: leak(&format!("{group}/{plural}")),
        counts_generation: true,
        unconditional_update: false,
        deprecation: leak(&deprecation(definition, version)),
        custom: Some(Box::leak(Box::new(custom))),
        ..Kind::plain(leak(group), leak(version.str("name")), leak(kind))
    }))
}

/// In the order in which the server lists them.
const CUSTOM_VERBS: &[&str] = &[
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "create",
    "update",
    "watch",
];

fn leak(text: &str) -> &'static str {
    Box::leak(text.to_owned().into_boxed_str())
}

fn leak_all(texts: &[Value]) -> &'static [&'static str] {
    let texts: Vec<&'static str> = texts.iter().map(|text| leak(text.as_str())).collect();
    Box::leak(texts.into_boxed_slice())
}

/// The warning that comes with a deprecated version.
fn deprecation(definition: &Value, version: &Value) -> String {
    if !version.bool_at("deprecated") {
        return String::new();
    }
    match version.str("deprecationWarning") {
        "" => format!(
            "{}/{} {} is deprecated",
            definition.str_at("spec.group"),
            version.str("name"),
            definition.str_at("spec.names.kind")
        ),
        warning => warning.to_owned(),
    }
}

impl Custom {
    /// Fills in what was left out, and drops nulls where there may be none.
    pub(super) fn default(&self, object: &mut Value) {
        defaults::fill(object, &self.schema);
        defaults::drop_nulls(object, &self.schema);
    }

    /// The stored object as this version shows it.
    pub(super) fn show(&self, stored: &Value) -> Value {
        let mut object = stored.clone();
        if !self.preserves {
            prune::resource(&mut object, &self.schema, &mut Vec::new());
        }
        self.default(&mut object);
        object
    }

    /// What is wrong with an object; where it takes the place of another, only with what changed.
    pub(super) fn validate(&self, object: &Value, old: Option<&Value>, out: &mut Vec<FieldError>) {
        let before = out.len();
        validate::check(object, old, &self.schema, out);
        if let Some(scale) = &self.scale {
            scale.validate(object, out);
        }
        validate::embedded(object, &self.schema, out);
        let was_wrong = old.is_some_and(|old| !lists::check(old, &self.schema).is_empty());
        if !was_wrong {
            out.extend(lists::check(object, &self.schema));
        }
        if !self.schema.has_rules() {
            return;
        }
        if out[before..].iter().any(validate::is_blocking) {
            out.push(validate::rules_not_checked());
        } else {
            rules::check(object, old, &self.schema, out);
        }
    }

    /// The text of a field that selectors may name.
    pub(super) fn selected(object: &Value, label: &str) -> String {
        match object.at(label) {
            Value::Null => String::new(),
            Value::Str(text) => text.to_string(),
            other => other.to_json(),
        }
    }
}

/// What is wrong with the defaults of a schema, as a definition brings it.
pub(super) fn check_default(schema: &Value, default: &Value, path: &str) -> Vec<FieldError> {
    let schema = Schema::of(schema);
    let mut out = Vec::new();
    validate::value(default, None, &schema, path, &mut out);
    out
}

#[cfg(test)]
mod tests;
