//! Custom kinds, from a definition to an object's row.

use super::of_definition;
use crate::field::FieldError;
use crate::kinds::Kind;
use crate::schema::Schemas;
use crate::{Value, yaml};
use sim::Instant;

fn parse(text: &str) -> Value {
    let documents = yaml::parse_all(text).expect("YAML");
    documents.first().expect("a document").value.clone()
}

/// The first kind of a definition whose versions have this schema, in YAML's flow style.
fn kind(schema: &str) -> &'static Kind {
    let definition = parse(&format!(
        "
spec:
  group: example.com
  scope: Namespaced
  versions:
  - name: v1
    served: true
    storage: true
    schema: {{openAPIV3Schema: {{type: object, properties: {{spec: {schema}}}}}}}
    additionalPrinterColumns: [{{name: Size, type: integer, jsonPath: .spec.size}}]
status: {{acceptedNames: {{plural: widgets, singular: widget, kind: Widget, listKind: WidgetList}}}}
"
    ));
    of_definition(&definition)[0]
}

/// What becomes of an object with this spec: what is unknown, what is stored, what is wrong.
#[track_caller]
fn check(schema: &str, spec: &str, unknown: &[&str], stored: &str, wrong: &[&str]) {
    let object = parse(&format!(
        "{{apiVersion: example.com/v1, kind: Widget, metadata: {{name: w, namespace: default}}, spec: {spec}}}"
    ));
    let kind = kind(schema);
    let decoded = kind.decode(&Schemas::load(), &object);
    assert_eq!(decoded.strict, unknown);
    let mut object = decoded.value;
    kind.default(&mut object);
    assert_eq!(object.get("spec").to_json(), stored);
    let errors = kind.validate_create(&object);
    let errors: Vec<String> = errors.iter().map(FieldError::to_string).collect();
    assert_eq!(errors, wrong);
}

#[test]
fn unknown_fields_go_and_defaults_come() {
    check(
        "{type: object, properties: {color: {type: string, default: red}, size: {type: integer}}}",
        "{size: 3, extra: {a: 1}}",
        &["unknown field \"spec.extra\""],
        r#"{"color":"red","size":3}"#,
        &[],
    );
    check(
        "{type: object, x-kubernetes-preserve-unknown-fields: true}",
        "{extra: {a: 1}}",
        &[],
        r#"{"extra":{"a":1}}"#,
        &[],
    );
    check(
        "{type: object, properties: {a: {type: string}, b: {type: string, nullable: true}}}",
        "{a: null, b: null}",
        &[],
        r#"{"b":null}"#,
        &[],
    );
    check(
        "{type: array, items: {type: object, properties: {num: {type: integer, default: 1}}}}",
        "[{}, {num: 2, m: 3}]",
        &["unknown field \"spec[1].m\""],
        r#"[{"num":1},{"num":2}]"#,
        &[],
    );
}

#[test]
fn what_is_wrong_is_said_in_upstreams_words() {
    check(
        "{type: object, required: [size], properties: {size: {type: integer, maximum: 10}, color: {type: string, enum: [red, blue]}, name: {type: string, pattern: '^[a-z]+$'}}, x-kubernetes-validations: [{rule: 'true'}]}",
        "{size: 99, color: green, name: ABC}",
        &[],
        r#"{"color":"green","name":"ABC","size":99}"#,
        &[
            "spec.color: Unsupported value: \"green\": supported values: \"red\", \"blue\"",
            "spec.name: Invalid value: \"ABC\": spec.name in body should match '^[a-z]+$'",
            "spec.size: Invalid value: 99: spec.size in body should be less than or equal to 10",
            "<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation",
        ],
    );
    check(
        "{type: object, required: [a], properties: {a: {type: string}, num: {type: integer}}}",
        "{num: x}",
        &[],
        r#"{"num":"x"}"#,
        &[
            "spec.num: Invalid value: \"string\": spec.num in body must be of type integer: \"string\"",
            "spec.a: Required value",
        ],
    );
    check(
        "{type: array, x-kubernetes-list-type: map, x-kubernetes-list-map-keys: [k], items: {type: object, properties: {k: {type: string}}}}",
        "[{k: a}, {k: a}]",
        &[],
        r#"[{"k":"a"},{"k":"a"}]"#,
        &["spec[1]: Duplicate value: {\"k\":\"a\"}"],
    );
}

#[test]
fn rules_hold_or_say_why_not() {
    check(
        "{type: object, properties: {x-y: {type: integer}}, x-kubernetes-validations: [{rule: 'self.x__dash__y > 1', message: too small}]}",
        "{x-y: 1}",
        &[],
        r#"{"x-y":1}"#,
        &["spec: Invalid value: too small"],
    );
}

#[test]
fn rules_see_values_as_their_formats_say() {
    let schema = "{type: object, properties: {since: {type: string, format: date-time}, price: {type: \
                  number}}, x-kubernetes-validations: [{rule: 'self.since > \
                  timestamp(\"2026-01-01T00:00:00Z\") && self.price + 0.5 < 2.0', message: early}]}";
    for (object, errors) in [
        ("{since: '2026-02-01T00:00:00Z', price: 1}", &[][..]),
        (
            "{since: '2025-02-01T00:00:00Z', price: 1}",
            &["spec: Invalid value: early"],
        ),
    ] {
        let stored = parse(object).to_json();
        check(schema, object, &[], &stored, errors);
    }
}

#[test]
fn a_row_has_the_columns_asked_for() {
    let kind = kind("{type: object, properties: {size: {type: integer}}}");
    let object = parse("{metadata: {name: w}, spec: {size: 3}}");
    let cells = kind.cells(&object, Instant::ZERO);
    assert_eq!(Value::list_of(cells).to_json(), r#"["w",3]"#);
}
