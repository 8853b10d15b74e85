//! PriorityClass: how much pods matter.
//!
//! Models pkg/registry/scheduling/priorityclass, pkg/apis/scheduling/{v1/{defaults,helpers},
//! validation} and `printPriorityClass`.

use sim::Instant;

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use crate::Value;
use crate::field::{FieldError, Path};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "priorityclasses",
    singular: "priorityclass",
    short_names: &["pc"],
    namespaced: false,
    schema: "io.k8s.api.scheduling.v1.PriorityClass",
    storage: "priorityclasses",
    counts_generation: true,
    defaults: |class| {
        if !class.has("preemptionPolicy") {
            class.set("preemptionPolicy", "PreemptLowerPriority");
        }
    },
    validate,
    validate_update: |new, old, _, out| {
        if new.i64_at("value") != old.i64_at("value") {
            let text = "may not be changed in an update.";
            out.push(FieldError::forbidden("value", text));
        }
        let key = "preemptionPolicy";
        check::immutable(new.get(key), old.get(key), key, out);
    },
    columns: &[
        Column::NAME,
        Column::integer("Value"),
        Column {
            kind: "boolean",
            ..Column::text("Global-Default")
        },
        Column::AGE,
        Column::text("PreemptionPolicy"),
    ],
    row,
    sample: SAMPLE,
    ..Kind::plain("scheduling.k8s.io", "v1", "PriorityClass")
};

const SAMPLE: &str = "
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata:
  name: high
value: 1000
";

/// The classes that every cluster has: name, value, what they are for.
pub const SYSTEM: [(&str, i64, &str); 2] = [
    (
        "system-cluster-critical",
        2_000_000_000,
        "Used for system critical pods that must run in the cluster, but can be moved to another \
         node if necessary.",
    ),
    (
        "system-node-critical",
        2_000_001_000,
        "Used for system critical pods that must not be moved from their current node.",
    ),
];

/// The highest priority that is not the system's own.
const HIGHEST: i64 = 1_000_000_000;

fn row(class: &Value, now: Instant) -> Vec<Cell> {
    vec![
        table::name(class),
        table::number(class.get("value")),
        class.bool_at("globalDefault").into(),
        table::age(class, now),
        class.get("preemptionPolicy").clone(),
    ]
}

fn validate(class: &Value, out: &mut Errors) {
    let (name, value) = (class.name(), class.i64_at("value").unwrap_or(0));
    if name.starts_with("system-") {
        let why = match SYSTEM.iter().find(|(system, ..)| *system == name) {
            None => Some(format!("{name} is not a known system priority class")),
            Some((_, right, _)) if *right != value => {
                Some(format!("value of {name} PriorityClass must be {right}"))
            }
            Some(_) if class.bool_at("globalDefault") => Some(format!(
                "globalDefault of {name} PriorityClass must be false"
            )),
            Some(_) => None,
        };
        if let Some(why) = why {
            let text = format!(
                "priority class names with 'system-' prefix are reserved for system use only. \
                 error: {why}"
            );
            out.push(FieldError::forbidden("metadata.name", text));
        }
    } else if value > HIGHEST {
        let text = format!("maximum allowed value of a user defined priority is {HIGHEST}");
        out.push(FieldError::forbidden("value", text));
    }
    let policy = class.str("preemptionPolicy");
    let known = ["PreemptLowerPriority", "Never"];
    if !policy.is_empty() && !known.contains(&policy) {
        let path = Path::new("preemptionPolicy");
        out.push(FieldError::not_supported(path, policy, &known));
    }
}
