//! ComponentStatus: how a part of the control plane does. Never stored: made when it is asked for.
//!
//! Models pkg/registry/core/componentstatus and `printComponentStatus`.

use super::Kind;
use super::table::{self, Column};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "componentstatuses",
    singular: "componentstatus",
    short_names: &["cs"],
    namespaced: false,
    verbs: &["get", "list"],
    deprecation: "v1 ComponentStatus is deprecated in v1.19+",
    schema: "io.k8s.api.core.v1.ComponentStatus",
    columns: &[
        Column::NAME,
        Column::text("Status"),
        Column::text("Message"),
        Column::text("Error"),
    ],
    row: |component, _| {
        let mut conditions = component.list_at("conditions").iter();
        let healthy = conditions.find(|condition| condition.str("type") == "Healthy");
        let of = |key: &str| healthy.map_or("", |condition| condition.str(key)).into();
        let status = match healthy.map(|condition| condition.str("status")) {
            Some("True") => "Healthy",
            Some("False") => "Unhealthy",
            _ => "Unknown",
        };
        vec![
            table::name(component),
            status.into(),
            of("message"),
            of("error"),
        ]
    },
    sample: "
apiVersion: v1
kind: ComponentStatus
metadata:
  name: scheduler
conditions:
- type: Healthy
  status: 'True'
  message: ok
",
    ..Kind::plain("", "v1", "ComponentStatus")
};
