//! A structural schema, read once from a CustomResourceDefinition.
//!
//! Models apiextensions-apiserver/pkg/apiserver/schema/structural.go.

use std::collections::BTreeMap;

use crate::Value;

/// What a value may be.
#[derive(Debug, Default)]
pub(in crate::kinds) struct Schema {
    /// `object`, `array`, `string`, `integer`, `number`, `boolean`; empty for any.
    pub(super) ty: String,
    pub(super) nullable: bool,
    pub(super) int_or_string: bool,
    pub(super) embedded: bool,
    /// Whether fields it does not name are kept.
    pub(super) preserves: bool,
    pub(super) properties: BTreeMap<String, Schema>,
    /// What fields that are not named may be.
    pub(super) additional: Option<Box<Schema>>,
    /// Fields that are not named may be anything, or nothing.
    pub(super) allows_additional: Option<bool>,
    pub(super) items: Option<Box<Schema>>,
    pub(super) required: Vec<String>,
    /// The default as JSON.
    pub(super) default: Option<String>,
    /// The values allowed, as JSON.
    pub(super) enumeration: Vec<String>,
    pub(super) pattern: String,
    pub(super) format: String,
    pub(super) maximum: Option<Bound>,
    pub(super) minimum: Option<Bound>,
    pub(super) multiple_of: Option<f64>,
    pub(super) length: Range,
    pub(super) item_count: Range,
    pub(super) property_count: Range,
    pub(super) all_of: Vec<Schema>,
    pub(super) any_of: Vec<Schema>,
    pub(super) one_of: Vec<Schema>,
    pub(super) not: Option<Box<Schema>>,
    /// `atomic`, `set`, `map`; empty where it is not said.
    pub(super) list_type: String,
    pub(super) list_map_keys: Vec<String>,
    pub(super) map_type: String,
    pub(super) rules: Vec<Rule>,
}

/// A number that others are not to pass.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) value: f64,
    /// Whether it may not be reached, either.
    pub(super) exclusive: bool,
}

/// How many there may be.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Range {
    pub(super) least: Option<i64>,
    pub(super) most: Option<i64>,
}

/// A CEL rule.
#[derive(Debug)]
pub(in crate::kinds) struct Rule {
    pub(in crate::kinds) rule: String,
    pub(in crate::kinds) message: String,
    pub(in crate::kinds) message_expression: String,
    pub(in crate::kinds) reason: String,
    pub(in crate::kinds) field_path: String,
    pub(in crate::kinds) optional_old: bool,
}

impl Schema {
    /// Reads an `openAPIV3Schema`.
    pub(in crate::kinds) fn of(value: &Value) -> Schema {
        let text = |key: &str| value.str(key).to_owned();
        let flag = |key: &str| value.get(key).as_bool().unwrap_or(false);
        let strings = |key: &str| -> Vec<String> {
            let list = value.get(key).list().iter();
            list.map(|item| item.as_str().to_owned()).collect()
        };
        let all = |key: &str| value.get(key).list().iter().map(Schema::of).collect();
        let one = |key: &str| {
            let found = Some(value.get(key)).filter(|schema| schema.is_map());
            found.map(|schema| Box::new(Schema::of(schema)))
        };
        let range = |least: &str, most: &str| Range {
            least: value.get(least).as_i64(),
            most: value.get(most).as_i64(),
        };
        let bound = |key: &str, exclusive: &str| {
            let number = value.get(key).as_f64();
            number.map(|number| Bound {
                value: number,
                exclusive: flag(exclusive),
            })
        };
        let properties = value.get("properties").entries().iter();
        let default = value.get("default");
        Schema {
            ty: text("type"),
            nullable: flag("nullable"),
            int_or_string: flag("x-kubernetes-int-or-string"),
            embedded: flag("x-kubernetes-embedded-resource"),
            preserves: flag("x-kubernetes-preserve-unknown-fields"),
            properties: properties
                .map(|(name, schema)| (name.to_string(), Schema::of(schema)))
                .collect(),
            additional: one("additionalProperties"),
            allows_additional: value.get("additionalProperties").as_bool(),
            items: one("items"),
            required: strings("required"),
            default: (!default.is_null()).then(|| default.to_json()),
            enumeration: value
                .get("enum")
                .list()
                .iter()
                .map(Value::to_json)
                .collect(),
            pattern: text("pattern"),
            format: text("format"),
            maximum: bound("maximum", "exclusiveMaximum"),
            minimum: bound("minimum", "exclusiveMinimum"),
            multiple_of: value.get("multipleOf").as_f64(),
            length: range("minLength", "maxLength"),
            item_count: range("minItems", "maxItems"),
            property_count: range("minProperties", "maxProperties"),
            all_of: all("allOf"),
            any_of: all("anyOf"),
            one_of: all("oneOf"),
            not: one("not"),
            list_type: text("x-kubernetes-list-type"),
            list_map_keys: strings("x-kubernetes-list-map-keys"),
            map_type: text("x-kubernetes-map-type"),
            rules: value
                .get("x-kubernetes-validations")
                .list()
                .iter()
                .map(Rule::of)
                .collect(),
        }
    }

    /// The schema of a field; `None` where it has none.
    pub(super) fn field(&self, name: &str) -> Option<&Schema> {
        self.properties.get(name).or(self.additional.as_deref())
    }

    /// Whether there are whole objects here or below.
    pub(super) fn has_embedded(&self) -> bool {
        let below = self.properties.values().chain(self.additional.as_deref());
        let mut below = below.chain(self.items.as_deref());
        self.embedded || below.any(Schema::has_embedded)
    }

    /// Whether there are rules here or below.
    pub(super) fn has_rules(&self) -> bool {
        let below = self.properties.values().chain(self.additional.as_deref());
        let mut below = below.chain(self.items.as_deref());
        !self.rules.is_empty() || below.any(Schema::has_rules)
    }
}

impl Rule {
    /// Reads an item of `x-kubernetes-validations`.
    pub(in crate::kinds) fn of(value: &Value) -> Rule {
        let text = |key: &str| value.str(key).to_owned();
        Rule {
            rule: text("rule"),
            message: text("message"),
            message_expression: text("messageExpression"),
            reason: text("reason"),
            field_path: text("fieldPath"),
            optional_old: value.bool_at("optionalOldSelf"),
        }
    }
}

/// The path of a field below another.
pub(super) fn child(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}
