//! Event of events.k8s.io/v1: the same stored object under newer names.
//!
//! Models pkg/apis/events/v1/conversion.go.

use super::{Kind, View, event};
use crate::{Map, Value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "events",
    singular: "event",
    short_names: &["ev"],
    schema: "io.k8s.api.events.v1.Event",
    storage: "events",
    view: Some(View {
        of: &event::KIND,
        store,
        load,
    }),
    create_on_update: true,
    fields: FIELDS,
    field: |event, label| event.str_at(label),
    columns: event::COLUMNS,
    row: |event, now| event::row(&store(event), now),
    sample: SAMPLE,
    ..Kind::plain("events.k8s.io", "v1", "Event")
};

const FIELDS: &[&str] = &[
    "regarding.kind",
    "regarding.namespace",
    "regarding.name",
    "regarding.uid",
    "regarding.apiVersion",
    "regarding.resourceVersion",
    "regarding.fieldPath",
    "reason",
    "reportingController",
    "type",
];

const SAMPLE: &str = "
apiVersion: events.k8s.io/v1
kind: Event
metadata:
  name: web.17b
  namespace: default
regarding:
  apiVersion: v1
  kind: Pod
  name: web
  namespace: default
type: Warning
reason: FailedScheduling
note: 0/3 nodes are available
action: Scheduling
reportingController: default-scheduler
reportingInstance: default-scheduler-controlplane
eventTime: 2026-01-05T09:00:00.000000Z
";

/// Names of events.k8s.io/v1 and of v1 for one field.
const NAMES: [(&str, &str); 7] = [
    ("regarding", "involvedObject"),
    ("note", "message"),
    ("reportingController", "reportingComponent"),
    ("deprecatedSource", "source"),
    ("deprecatedFirstTimestamp", "firstTimestamp"),
    ("deprecatedLastTimestamp", "lastTimestamp"),
    ("deprecatedCount", "count"),
];

fn renamed(event: &Value, api_version: &str, name: impl Fn(&str) -> Option<&'static str>) -> Value {
    let entries = event.entries().iter();
    let mut out: Map = entries
        .map(|(key, value)| match name(key) {
            Some(other) => (other.into(), value.clone()),
            None => (key.clone(), value.clone()),
        })
        .collect();
    out.insert("apiVersion", api_version);
    Value::Map(out)
}

fn store(event: &Value) -> Value {
    renamed(event, "v1", |key| {
        NAMES
            .iter()
            .find(|(new, _)| *new == key)
            .map(|(_, old)| *old)
    })
}

fn load(event: &Value) -> Value {
    let newer = |key: &str| {
        NAMES
            .iter()
            .find(|(_, old)| *old == key)
            .map(|(new, _)| *new)
    };
    renamed(event, "events.k8s.io/v1", newer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn both_shapes_are_one_object() {
        let new = object! {
            "apiVersion": "events.k8s.io/v1", "kind": "Event", "metadata": { "name": "e" },
            "note": "hello", "regarding": { "kind": "Pod" }, "reason": "Scheduled",
        };
        let old = store(&new);
        assert_eq!(
            old,
            object! {
                "apiVersion": "v1", "kind": "Event", "metadata": { "name": "e" },
                "message": "hello", "involvedObject": { "kind": "Pod" }, "reason": "Scheduled",
            }
        );
        assert_eq!(load(&old), new);
    }
}
