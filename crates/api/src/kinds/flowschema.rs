//! FlowSchema: which requests have which priority.
//!
//! Models pkg/registry/flowcontrol/flowschema, pkg/apis/flowcontrol/v1/defaults.go and
//! `printFlowSchema`.

use sim::Instant;

use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::{Value, names, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "flowschemas",
    singular: "flowschema",
    namespaced: false,
    subresources: &[Subresource::status("FlowSchema")],
    schema: "io.k8s.api.flowcontrol.v1.FlowSchema",
    storage: "flowschemas",
    counts_generation: true,
    defaults: |schema| {
        if schema.i64_at("spec.matchingPrecedence").unwrap_or(0) == 0 {
            schema.set("spec.matchingPrecedence", 1000);
        }
    },
    prepare_for_create: |schema| schema.set("status", value!({})),
    validate,
    columns: &[
        Column::NAME,
        Column::text("PriorityLevel"),
        Column::text("MatchingPrecedence"),
        Column::text("DistinguisherMethod"),
        Column::AGE,
        Column::text("MissingPL"),
    ],
    row,
    order: Some(|a, b| {
        let place = |schema: &Value| schema.i64_at("spec.matchingPrecedence");
        place(a).cmp(&place(b)).then_with(|| a.name().cmp(b.name()))
    }),
    sample: "
apiVersion: flowcontrol.apiserver.k8s.io/v1
kind: FlowSchema
metadata:
  name: robots
spec:
  priorityLevelConfiguration:
    name: global-default
",
    ..Kind::plain("flowcontrol.apiserver.k8s.io", "v1", "FlowSchema")
};

fn row(schema: &Value, now: Instant) -> Vec<Cell> {
    let spec = schema.get("spec");
    let conditions = schema.list_at("status.conditions").iter();
    let mut dangling = conditions.filter(|condition| condition.str("type") == "Dangling");
    let missing = dangling
        .next()
        .map_or("?", |condition| condition.str("status"));
    vec![
        table::name(schema),
        spec.at("priorityLevelConfiguration.name").clone(),
        spec.get("matchingPrecedence").clone(),
        table::or_none(spec.str_at("distinguisherMethod.type")),
        table::age(schema, now),
        missing.into(),
    ]
}

fn validate(schema: &Value, out: &mut Errors) {
    let (spec, path) = (schema.get("spec"), Path::new("spec"));
    let precedence = spec.i64_at("matchingPrecedence").unwrap_or(0);
    let field = path.child("matchingPrecedence");
    if precedence <= 0 {
        let text = "must be a positive value";
        out.push(FieldError::invalid(field, precedence, text));
    }
    if precedence > 10_000 {
        let text = "must not be greater than 10000";
        out.push(FieldError::invalid(field, precedence, text));
    }
    if precedence == 1 && schema.name() != "exempt" {
        let text = "only the schema named 'exempt' may have matchingPrecedence 1";
        out.push(FieldError::invalid(field, precedence, text));
    }
    let level = spec.get("priorityLevelConfiguration");
    let field = path.child("priorityLevelConfiguration");
    check::named(level, "name", names::dns1123_subdomain, &field, out);
    if spec.has("distinguisherMethod") {
        let method = spec.get("distinguisherMethod");
        let field = path.child("distinguisherMethod");
        check::one_of(method, "type", &["ByNamespace", "ByUser"], &field, out);
    }
}
