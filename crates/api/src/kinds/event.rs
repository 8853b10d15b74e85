//! Event, in the shape in which both versions are stored.
//!
//! Models pkg/registry/core/event, pkg/apis/core/validation/events.go and `printEvent`.

use sim::Instant;

use super::Kind;
use super::table::{self, Cell, Column};
use crate::field::FieldError;
use crate::{Value, time};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "events",
    singular: "event",
    short_names: &["ev"],
    schema: "io.k8s.api.core.v1.Event",
    storage: "events",
    create_on_update: true,
    fields: FIELDS,
    field: |event, label| match label {
        "source" => source(event).0,
        label => event.str_at(label),
    },
    validate,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Event")
};

const FIELDS: &[&str] = &[
    "involvedObject.kind",
    "involvedObject.namespace",
    "involvedObject.name",
    "involvedObject.uid",
    "involvedObject.apiVersion",
    "involvedObject.resourceVersion",
    "involvedObject.fieldPath",
    "reason",
    "reportingComponent",
    "source",
    "type",
];

pub(super) const COLUMNS: &[Column] = &[
    Column::text("Last Seen"),
    Column::text("Type"),
    Column::text("Reason"),
    Column::text("Object"),
    Column::wide("Subobject"),
    Column::wide("Source"),
    Column::text("Message"),
    Column::wide("First Seen"),
    Column::wide("Count"),
    Column {
        priority: 1,
        ..Column::NAME
    },
];

const SAMPLE: &str = "
apiVersion: v1
kind: Event
metadata:
  name: web.17a
  namespace: default
involvedObject:
  apiVersion: v1
  kind: Pod
  name: web
  namespace: default
type: Normal
reason: Scheduled
message: Successfully assigned default/web to node01
source:
  component: default-scheduler
firstTimestamp: 2026-01-05T09:00:00Z
lastTimestamp: 2026-01-05T09:00:00Z
count: 1
";

/// The component and the host that reported the event; empty where unknown.
fn source(event: &Value) -> (&str, &str) {
    let first = |a, b| if str::is_empty(a) { b } else { a };
    let source = event.get("source");
    (
        first(source.str("component"), event.str("reportingComponent")),
        first(source.str("host"), event.str("reportingInstance")),
    )
}

pub(super) fn row(event: &Value, now: Instant) -> Vec<Cell> {
    let text = |key: &str| Cell::from(event.str(key));
    let ago = |timestamp: &str| time::age(now, timestamp);
    let mut first = ago(event.str("firstTimestamp"));
    if event.str("firstTimestamp").is_empty() {
        first = ago(event.str("eventTime"));
    }
    let mut last = ago(event.str("lastTimestamp"));
    if event.str("lastTimestamp").is_empty() {
        last.clone_from(&first);
    }
    let mut count = event.get("count").as_i64().unwrap_or(0).max(1);
    let series = event.get("series");
    if !series.is_null() {
        last = ago(series.str("lastObservedTime"));
        count = series.get("count").as_i64().unwrap_or(0);
    }
    let involved = event.get("involvedObject");
    let kind = involved.kind().to_lowercase();
    let target = match involved.str("name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    };
    let source = match source(event) {
        (component, "") => component.to_owned(),
        (component, host) => format!("{component}, {host}"),
    };
    vec![
        last.into(),
        text("type"),
        text("reason"),
        target.into(),
        involved.str("fieldPath").into(),
        source.into(),
        event.str("message").trim().into(),
        first.into(),
        count.into(),
        table::name(event),
    ]
}

fn validate(event: &Value, out: &mut Vec<FieldError>) {
    let involved = event.str_at("involvedObject.namespace");
    let fits = match involved {
        // Events about cluster-scoped objects lie in one of these.
        "" => matches!(event.namespace(), "default" | "kube-system"),
        namespace => namespace == event.namespace(),
    };
    if !fits {
        let text = "does not match event.namespace";
        out.push(FieldError::invalid(
            "involvedObject.namespace",
            involved,
            text,
        ));
    }
}
