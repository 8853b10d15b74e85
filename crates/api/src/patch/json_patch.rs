//! JSON patches (RFC 6902): `[{"op": "replace", "path": "/spec/replicas", "value": 3}]`.
//! Models evanphx/json-patch v4, whose sentences these are.

use crate::patch::PatchError;
use crate::{Value, go};

/// The most operations a patch may have.
const MAX_OPERATIONS: usize = 10_000;

/// The object with a patch applied: all of its operations, or an error.
pub fn apply_json_patch(object: &Value, patch: &Value) -> Result<Value, PatchError> {
    let Value::List(operations) = patch else {
        let what = patch.type_name();
        return Err(PatchError::BadRequest(format!(
            "error decoding patch: json: cannot unmarshal {what} into Go value of type \
             []handlers.jsonPatchOp"
        )));
    };
    if operations.len() > MAX_OPERATIONS {
        let count = operations.len();
        return Err(PatchError::TooLarge(format!(
            "The allowed maximum operations in a JSON patch is {MAX_OPERATIONS}, got {count}"
        )));
    }
    let mut out = object.clone();
    for operation in operations.iter() {
        apply(&mut out, operation).map_err(PatchError::Unprocessable)?;
    }
    Ok(out)
}

/// What strict field validation says of the operations: `json patch unknown field "[0].pth"`.
pub fn json_patch_strict_errors(patch: &Value) -> Vec<String> {
    let known = ["op", "path", "from", "value"];
    let operations = patch.list().iter().enumerate();
    operations
        .flat_map(|(i, operation)| {
            let unknown = operation
                .entries()
                .keys()
                .filter(|key| !known.contains(&key.as_str()));
            unknown.map(move |key| format!("json patch unknown field \"[{i}].{key}\""))
        })
        .collect()
}

type Step<T> = Result<T, String>;

fn apply(object: &mut Value, operation: &Value) -> Step<()> {
    let path = operation.str("path");
    let value = operation.get("value");
    match operation.str("op") {
        "add" => add(object, path, value.clone()),
        "remove" => remove(object, path).map(|_| ()),
        "replace" => replace(object, path, value.clone()),
        "move" => {
            let moved = taken(object, "move", operation.str("from"))?;
            put(object, "move", path, moved)
        }
        "copy" => {
            let copied = copied(object, operation.str("from"))?;
            put(object, "copy", path, copied)
        }
        "test" => test(object, path, value),
        other => Err(format!("Unexpected kind: {other}")),
    }
}

fn missing(operation: &str, what: &str, path: &str) -> String {
    format!("{operation} operation does not apply: doc is missing {what}: {path}: missing value")
}

/// The names of a pointer, `~1` and `~0` read back; what stands before the first slash is none.
/// `None` where there is no slash at all.
fn names(path: &str) -> Option<Vec<String>> {
    let (_, rest) = path.split_once('/')?;
    let name = |name: &str| name.replace("~1", "/").replace("~0", "~");
    Some(rest.split('/').map(name).collect())
}

fn get<'v>(value: &'v Value, name: &str) -> Option<&'v Value> {
    match value {
        Value::Map(map) => map.get(name),
        Value::List(items) => index(name, items.len()).ok().and_then(|i| items.get(i)),
        _ => None,
    }
}

/// The container a pointer leads to, and the last name.
fn container<'v>(object: &'v mut Value, path: &str) -> Option<(&'v mut Value, String)> {
    let mut names = names(path)?;
    let last = names.pop()?;
    // Looked up first, so that nothing is copied where the way does not exist.
    let found = names
        .iter()
        .try_fold(&*object, |value, name| get(value, name))?;
    if !found.is_map() && !found.is_list() {
        return None;
    }
    let mut at = object;
    for name in &names {
        at = match at {
            Value::Map(map) => map.get_mut(name)?,
            Value::List(_) => {
                let items = at.vec_mut();
                let i = index(name, items.len()).ok()?;
                items.get_mut(i)?
            }
            _ => return None,
        };
    }
    Some((at, last))
}

/// An index of a list of this length; negative ones count from the end.
fn index(name: &str, len: usize) -> Step<usize> {
    let number: i64 = name
        .parse()
        .map_err(|_| format!("strconv.Atoi: parsing {}: invalid syntax", go::quote(name)))?;
    let at = if number < 0 {
        number + len as i64
    } else {
        number
    };
    usize::try_from(at)
        .map_err(|_| format!("Unable to access invalid index: {number}: invalid index referenced"))
}

fn add(object: &mut Value, path: &str, value: Value) -> Step<()> {
    let Some((at, name)) = container(object, path) else {
        return Err(format!(
            "add operation does not apply: doc is missing path: \"{path}\": missing value"
        ));
    };
    let in_path = |error: String| format!("error in add for path: '{path}': {error}");
    add_in(at, name, value).map_err(in_path)
}

fn add_in(at: &mut Value, name: String, value: Value) -> Step<()> {
    if let Value::Map(map) = at {
        map.insert(name, value);
        return Ok(());
    }
    let items = at.vec_mut();
    let i = match name.as_str() {
        "-" => items.len(),
        name => index(name, items.len() + 1)?,
    };
    if i > items.len() {
        return Err(outside(i));
    }
    items.insert(i, value);
    Ok(())
}

fn outside(index: usize) -> String {
    format!("Unable to access invalid index: {index}: invalid index referenced")
}

fn remove(object: &mut Value, path: &str) -> Step<Value> {
    let Some((at, name)) = container(object, path) else {
        return Err(missing("remove", "path", &format!("\"{path}\"")));
    };
    remove_from(at, &name).map_err(|error| format!("error in remove for path: '{path}': {error}"))
}

fn remove_from(at: &mut Value, name: &str) -> Step<Value> {
    if let Value::Map(map) = at {
        let missing = || format!("Unable to remove nonexistent key: {name}: missing value");
        return map.remove(name).ok_or_else(missing);
    }
    let items = at.vec_mut();
    let i = index(name, items.len())?;
    match i < items.len() {
        true => Ok(items.remove(i)),
        false => Err(outside(i)),
    }
}

/// What is there; nothing where a map has no such key, which is no error upstream.
fn find<'v>(at: &'v Value, name: &str) -> Step<Option<&'v Value>> {
    if at.is_map() {
        return Ok(get(at, name));
    }
    let i = index(name, at.list().len())?;
    at.list().get(i).map(Some).ok_or_else(|| outside(i))
}

/// What is moved, taken away from where it was.
fn taken(object: &mut Value, operation: &str, from: &str) -> Step<Value> {
    let Some((at, name)) = container(object, from) else {
        return Err(missing(operation, "from path", from));
    };
    remove_from(at, &name).map_err(|error| format!("error in move for path: '{name}': {error}"))
}

fn copied(object: &mut Value, from: &str) -> Step<Value> {
    let Some((at, name)) = container(object, from) else {
        return Err(missing("copy", "from path", from));
    };
    let found =
        find(at, &name).map_err(|error| format!("error in copy for from: '{from}': {error}"))?;
    Ok(found.cloned().unwrap_or_default())
}

/// Adds what was taken from elsewhere.
fn put(object: &mut Value, operation: &str, path: &str, value: Value) -> Step<()> {
    let Some((at, name)) = container(object, path) else {
        return Err(missing(operation, "destination path", path));
    };
    add_in(at, name, value).map_err(|error| match operation {
        "copy" => format!("error while adding value during copy: {error}"),
        _ => format!("error in {operation} for path: '{path}': {error}"),
    })
}

fn test(object: &mut Value, path: &str, value: &Value) -> Step<()> {
    let failed = || format!("testing value {path} failed: test failed");
    if path.is_empty() {
        return (&*object == value).then_some(()).ok_or_else(failed);
    }
    let Some((at, name)) = container(object, path) else {
        return Err(format!(
            "test operation does not apply: is missing path: {path}: missing value"
        ));
    };
    let found =
        find(at, &name).map_err(|error| format!("error in test for path: '{path}': {error}"))?;
    let same = found.unwrap_or(crate::NULL) == value;
    same.then_some(()).ok_or_else(failed)
}

/// Sets what is there, and in a map what is not there, too, as upstream does.
fn replace(object: &mut Value, path: &str, value: Value) -> Step<()> {
    if path.is_empty() {
        *object = value;
        return Ok(());
    }
    let Some((at, name)) = container(object, path) else {
        return Err(missing("replace", "path", path));
    };
    if let Value::Map(map) = at {
        map.insert(name, value);
        return Ok(());
    }
    let items = at.vec_mut();
    let place = index(&name, items.len())
        .ok()
        .and_then(|i| items.get_mut(i));
    let Some(place) = place else {
        return Err(missing("replace", "key", path));
    };
    *place = value;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{object, value};

    fn doc() -> Value {
        object! { "spec": { "replicas": 1, "list": ["a", "b"], "a/b": { "~": 1 } } }
    }

    #[track_caller]
    fn check(patch: Value, want: &str) {
        let got = apply_json_patch(&doc(), &patch).expect("applies");
        assert_eq!(got.get("spec").to_json(), want);
    }

    #[track_caller]
    fn fails(patch: Value, want: &str) {
        assert_eq!(
            apply_json_patch(&doc(), &patch)
                .expect_err("fails")
                .to_string(),
            want
        );
    }

    #[test]
    fn operations() {
        check(
            value!([
                { "op": "replace", "path": "/spec/replicas", "value": 4 },
                { "op": "add", "path": "/spec/list/-", "value": "c" },
                { "op": "add", "path": "/spec/list/0", "value": "z" },
                { "op": "remove", "path": "/spec/a~1b" },
            ]),
            r#"{"list":["z","a","b","c"],"replicas":4}"#,
        );
        check(
            value!([
                { "op": "test", "path": "/spec/replicas", "value": 1 },
                { "op": "move", "from": "/spec/list/1", "path": "/spec/last" },
                { "op": "copy", "from": "/spec/last", "path": "/spec/copy" },
                { "op": "remove", "path": "/spec/a~1b/~0" },
            ]),
            r#"{"a/b":{},"copy":"b","last":"b","list":["a"],"replicas":1}"#,
        );
        // A key that is not there is set; what stands before the first slash counts for nothing.
        check(
            value!([
                { "op": "remove", "path": "/spec/a~1b" },
                { "op": "replace", "path": "x/spec/list", "value": 1 },
                { "op": "replace", "path": "/spec/new", "value": 2 },
            ]),
            r#"{"list":1,"new":2,"replicas":1}"#,
        );
    }

    #[test]
    fn errors() {
        fails(
            object! { "op": "replace" },
            "error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp",
        );
        fails(
            value!([{ "op": "remove", "path": "/spec/nosuch" }]),
            "error in remove for path: '/spec/nosuch': Unable to remove nonexistent key: nosuch: missing value",
        );
        fails(
            value!([{ "op": "test", "path": "/spec/replicas", "value": 99 }]),
            "testing value /spec/replicas failed: test failed",
        );
        fails(
            value!([{ "op": "replace", "path": "/spec/list/7", "value": 1 }]),
            "replace operation does not apply: doc is missing key: /spec/list/7: missing value",
        );
        fails(
            value!([{ "op": "replace", "path": "/nosuch/x", "value": 1 }]),
            "replace operation does not apply: doc is missing path: /nosuch/x: missing value",
        );
        fails(
            value!([{ "op": "add", "path": "/nosuch/x", "value": 1 }]),
            "add operation does not apply: doc is missing path: \"/nosuch/x\": missing value",
        );
        fails(
            value!([{ "op": "add", "path": "/spec/list/9", "value": 1 }]),
            "error in add for path: '/spec/list/9': Unable to access invalid index: 9: invalid index referenced",
        );
        fails(
            value!([{ "op": "frob", "path": "/x" }]),
            "Unexpected kind: frob",
        );
        let status = PatchError::Unprocessable("x".into()).status();
        assert_eq!(
            status.message,
            "the server rejected our request due to an error in our request"
        );
        assert_eq!(
            json_patch_strict_errors(&value!([{ "op": "add", "pth": "/a" }])),
            ["json patch unknown field \"[0].pth\""]
        );
    }
}
