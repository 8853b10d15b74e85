//! `--overrides`: JSON that changes an object just before it is created.
//!
//! Models kubectl/pkg/cmd/util/override_options.go.

use api::Value;
use api::patch::{apply_json_patch, apply_merge_patch, apply_strategic_patch};

use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, value};

/// The JSON.
pub(super) const OVERRIDES: Flag = value("overrides");
/// How it is meant: `merge` if not given.
pub(super) const OVERRIDE_TYPE: Flag = value("override-type");

/// The object with what `--overrides` says.
pub(super) fn overridden(line: &Line, object: Value) -> Outcome<Value> {
    let Some(text) = line.get("overrides").filter(|text| !text.is_empty()) else {
        return Ok(object);
    };
    let patch =
        Value::from_json(text.as_bytes()).map_err(|_| Failure::message("Invalid JSON Patch"))?;
    let done = match line.get("override-type").unwrap_or("merge") {
        "merge" => apply_merge_patch(&object, &patch),
        "json" => apply_json_patch(&object, &patch),
        "strategic" => {
            let schemas = api::Schemas::load();
            match schemas.by_kind(object.api_version(), object.kind()) {
                Some(id) => apply_strategic_patch(&schemas, id, &object, &patch),
                None => apply_merge_patch(&object, &patch),
            }
        }
        other => {
            return Err(Failure::message(format!("invalid override type: {other}")));
        }
    };
    done.map_err(|error| Failure::message(error.to_string()))
}
