//! ControllerRevision: a template as it once was.
//!
//! Models pkg/registry/apps/controllerrevision, pkg/apis/apps/validation and
//! `printControllerRevision`.

use sim::Instant;

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use crate::Value;
use crate::field::{FieldError, Path};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "controllerrevisions",
    singular: "controllerrevision",
    schema: "io.k8s.api.apps.v1.ControllerRevision",
    storage: "controllerrevisions",
    validate,
    validate_update: |new, old, _, out| {
        check::immutable(new.get("data"), old.get("data"), "data", out);
    },
    columns: &[
        Column::NAME,
        Column::text("Controller"),
        Column::text("Revision"),
        Column::AGE,
    ],
    row,
    sample: SAMPLE,
    ..Kind::plain("apps", "v1", "ControllerRevision")
};

const SAMPLE: &str = "
apiVersion: apps/v1
kind: ControllerRevision
metadata:
  name: agent-5d8f
revision: 1
data:
  spec:
    template: {}
";

fn row(revision: &Value, now: Instant) -> Vec<Cell> {
    let controller = match revision.controller() {
        None => "<none>".to_owned(),
        Some(owner) => {
            let group = owner
                .str("apiVersion")
                .split_once('/')
                .map_or("", |(group, _)| group);
            let kind = owner.str("kind").to_lowercase();
            let dot = if group.is_empty() { "" } else { "." };
            format!("{kind}{dot}{group}/{}", owner.str("name"))
        }
    };
    vec![
        table::name(revision),
        controller.into(),
        table::number(revision.get("revision")),
        table::age(revision, now),
    ]
}

fn validate(revision: &Value, out: &mut Errors) {
    if revision.get("data").is_null() {
        out.push(FieldError::required("data", "data is mandatory"));
    }
    if let Some(number) = revision.i64_at("revision").filter(|number| *number < 0) {
        let text = "must be greater than or equal to 0";
        out.push(FieldError::invalid(Path::new("revision"), number, text));
    }
}
