//! Strategic merge patches: lists merge by the keys the schema names, and directives say what to
//! delete, replace or order. Models k8s.io/apimachinery/pkg/util/strategicpatch.

mod apply;
mod diff;
mod order;
mod shape;

use crate::patch::PatchError;
use crate::schema::{DefId, Schemas, Type};
use crate::{Map, Value};

use apply::{Merge, Options};
use diff::{Diff, Ignore};

const PATCH: &str = "$patch";
const RETAIN_KEYS: &str = "$retainKeys";
const DELETE_FROM: &str = "$deleteFromPrimitiveList/";
const ORDER_OF: &str = "$setElementOrder/";

/// The object of a definition with a strategic merge patch applied.
pub fn apply_strategic_patch(
    schemas: &Schemas,
    id: DefId,
    object: &Value,
    patch: &Value,
) -> Result<Value, PatchError> {
    let options = Options {
        parallel_lists: true,
        ignore_unmatched_nulls: true,
    };
    let merge = Merge { schemas, options };
    let merged = merge.map(object.entries(), map_of(patch)?, Some(&Type::Ref(id)))?;
    Ok(Value::Map(merged))
}

/// The patch that makes `modified` of `original`.
pub fn create_strategic_patch(
    schemas: &Schemas,
    id: DefId,
    original: &Value,
    modified: &Value,
) -> Result<Value, PatchError> {
    let diff = Diff {
        schemas,
        ignore: Ignore::Nothing,
    };
    let patch = diff.maps(
        map_of(original)?,
        map_of(modified)?,
        Some(&Type::Ref(id)),
        false,
    )?;
    Ok(Value::Map(patch))
}

/// The patch `kubectl apply` sends: additions and changes from `current`, what the cluster has, to
/// `modified`, what the file says; and deletions from `original`, what was applied last (null if
/// nothing was), to `modified`. An empty map if there is nothing to do.
pub fn three_way_strategic_patch(
    schemas: &Schemas,
    id: DefId,
    original: &Value,
    modified: &Value,
    current: &Value,
) -> Result<Value, PatchError> {
    let ty = Type::Ref(id);
    let (modified, current) = (map_of(modified)?, map_of(current)?);
    let changes = Diff {
        schemas,
        ignore: Ignore::Deletions,
    }
    .maps(current, modified, Some(&ty), false)?;
    let deletions = Diff {
        schemas,
        ignore: Ignore::ChangesAndAdditions,
    }
    .maps(original.entries(), modified, Some(&ty), false)?;
    let options = Options {
        parallel_lists: false,
        ignore_unmatched_nulls: false,
    };
    let merge = Merge { schemas, options };
    Ok(Value::Map(merge.map(&deletions, &changes, Some(&ty))?))
}

/// What is left of a patch once it was applied: merging takes the ordered lists and the directives
/// out of it, and the server's complaints show the rest.
pub fn spent_strategic_patch(patch: &Value) -> Value {
    let Value::Map(map) = patch else {
        return patch.clone();
    };
    let taken = |key: &str| {
        key == RETAIN_KEYS
            || key.starts_with(ORDER_OF)
            || map.contains_key(&format!("{ORDER_OF}{key}"))
    };
    let left = map.iter().filter(|(key, _)| !taken(key));
    Value::Map(
        left.map(|(key, value)| (key, spent_strategic_patch(value)))
            .collect(),
    )
}

fn map_of(value: &Value) -> Result<&Map, PatchError> {
    value
        .as_map()
        .ok_or_else(|| PatchError::BadRequest("invalid JSON document".into()))
}

fn no_merge_key(item: &Value, key: &str) -> PatchError {
    let item = crate::go::plain(item);
    PatchError::Server(format!(
        "map: {item} does not contain declared merge key: {key}"
    ))
}

fn bad_patch_type(directive: &Value, map: &Map) -> PatchError {
    let directive = crate::go::plain(directive);
    let map = crate::go::plain(&Value::Map(map.clone()));
    PatchError::Server(format!("unknown patch type: {directive} in map: {map}"))
}

#[cfg(test)]
mod tests;
