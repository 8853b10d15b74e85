//! JSON merge patches (RFC 7386): null takes a key out, a list replaces a list. Custom resources
//! are applied with them. Models k8s.io/apimachinery/pkg/util/jsonmergepatch.

use crate::patch::PatchError;
use crate::{Map, Value};

/// The object with a merge patch applied.
pub fn apply_merge_patch(object: &Value, patch: &Value) -> Result<Value, PatchError> {
    match patch {
        Value::Map(_) => Ok(merge(object, patch)),
        other => {
            let what = other.type_name();
            Err(PatchError::BadRequest(format!(
                "error decoding patch: json: cannot unmarshal {what} into Go value of type \
                 map[string]interface {{}}"
            )))
        }
    }
}

fn merge(object: &Value, patch: &Value) -> Value {
    let Value::Map(patch) = patch else {
        return patch.clone();
    };
    let mut out = object.entries().clone();
    for (key, value) in patch {
        if value.is_null() {
            out.remove(key);
            continue;
        }
        let before = out.get(key).unwrap_or(crate::NULL);
        let merged = merge(before, value);
        if !before.same(&merged) {
            out.insert(key, merged);
        }
    }
    Value::Map(out)
}

/// The smallest merge patch that makes `modified` of `original`; an empty map if they are equal.
pub fn create_merge_patch(original: &Value, modified: &Value) -> Value {
    let (before, after) = (original.entries(), modified.entries());
    let mut out = Map::new();
    for (key, value) in after {
        match (before.get(key), value) {
            (None, _) => {
                out.insert(key, value);
            }
            (Some(old), _) if old == value => {}
            (Some(old @ Value::Map(_)), Value::Map(_)) => {
                out.insert(key, create_merge_patch(old, value));
            }
            _ => {
                out.insert(key, value);
            }
        }
    }
    for (key, _) in before.iter().filter(|(key, _)| !after.contains_key(key)) {
        out.insert(key, Value::Null);
    }
    Value::Map(out)
}

/// The patch `kubectl apply` sends for a custom resource: additions and changes from `current`, what
/// the cluster has, to `modified`, what the file says; and deletions from `original`, what was
/// applied last, to `modified`.
pub fn three_way_merge_patch(original: &Value, modified: &Value, current: &Value) -> Value {
    let changes = keep(&create_merge_patch(current, modified), false).unwrap_or_default();
    let deletions = keep(&create_merge_patch(original, modified), true).unwrap_or_default();
    combine(&deletions, &changes)
}

/// The patch with only its nulls, or without them; `None` where nothing remains.
fn keep(patch: &Value, nulls: bool) -> Option<Value> {
    match patch {
        Value::Null => nulls.then_some(Value::Null),
        Value::Map(map) if map.is_empty() => (!nulls).then(Value::empty_map),
        Value::Map(map) => {
            let kept = map
                .iter()
                .filter_map(|(key, value)| Some((key, keep(value, nulls)?)));
            let kept: Map = kept.collect();
            (!kept.is_empty()).then_some(Value::Map(kept))
        }
        other => (!nulls).then(|| other.clone()),
    }
}

/// Two patches as one; nulls of either stay.
fn combine(a: &Value, b: &Value) -> Value {
    let mut out = a.entries().clone();
    for (key, value) in b.entries() {
        let merged = match (out.get(key), value) {
            (Some(old @ Value::Map(_)), Value::Map(_)) => combine(old, value),
            _ => value.clone(),
        };
        out.insert(key, merged);
    }
    Value::Map(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{object, value};

    #[test]
    fn applying() {
        #[track_caller]
        fn check(object: Value, patch: Value, want: &str) {
            let got = apply_merge_patch(&object, &patch).map(|v| v.to_json());
            assert_eq!(got.map_err(|e| e.to_string()), Ok(want.to_owned()));
        }
        check(
            object! { "a": 1, "b": 2 },
            object! { "a": null, "c": 3 },
            r#"{"b":2,"c":3}"#,
        );
        check(
            object! { "a": [1, 2] },
            object! { "a": [3] },
            r#"{"a":[3]}"#,
        );
        check(
            object! { "a": 1 },
            object! { "a": { "x": null, "y": 1 } },
            r#"{"a":{"y":1}}"#,
        );
        let error = apply_merge_patch(&object! {}, &value!("x")).expect_err("no object");
        assert_eq!(
            error.to_string(),
            "error decoding patch: json: cannot unmarshal string into Go value of type map[string]interface {}"
        );
    }

    #[test]
    fn making() {
        #[track_caller]
        fn check(original: Value, modified: Value, want: &str) {
            let patch = create_merge_patch(&original, &modified);
            assert_eq!(patch.to_json(), want);
            assert_eq!(apply_merge_patch(&original, &patch), Ok(modified));
        }
        check(object! { "a": 1 }, object! { "a": 1 }, "{}");
        check(
            object! { "a": { "x": 1, "y": 2 }, "b": [1], "c": 1 },
            object! { "a": { "x": 1, "y": 3 }, "b": [2], "d": 1 },
            r#"{"a":{"y":3},"b":[2],"c":null,"d":1}"#,
        );
    }

    #[test]
    fn three_ways() {
        let original = object! { "spec": { "a": 1, "gone": 1 } };
        let current = object! { "spec": { "a": 2, "gone": 1, "server": 1 } };
        let modified = object! { "spec": { "a": 1, "new": 1 } };
        let patch = three_way_merge_patch(&original, &modified, &current);
        assert_eq!(patch.to_json(), r#"{"spec":{"a":1,"gone":null,"new":1}}"#);
        let unchanged = three_way_merge_patch(&modified, &modified, &modified);
        assert_eq!(unchanged.to_json(), "{}");
    }
}
