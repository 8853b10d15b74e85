//! Replacements: a value of one object put into others.
//!
//! Models kustomize/api/filters/replacement.

use api::{Value, yaml};
use machine::Io;

use super::file;
use super::patches::selected;
use super::res::Res;
use super::target::Target;

pub(super) async fn run(io: &Io, target: &Target, objects: &mut [Res]) -> Result<(), String> {
    for one in target.kustomization.get("replacements").list() {
        let mut all = vec![one.clone()];
        if !one.str("path").is_empty() {
            let bytes = file::text(io, &target.dir, one.str("path")).await?;
            let text = String::from_utf8_lossy(&bytes);
            let documents = yaml::parse_all_v3(&text).map_err(|why| why.to_string())?;
            all = documents
                .into_iter()
                .flat_map(|document| match document.value {
                    Value::List(items) => items.to_vec(),
                    one => vec![one],
                })
                .collect();
        }
        for replacement in &all {
            replace(replacement, objects)?;
        }
    }
    Ok(())
}

fn replace(replacement: &Value, objects: &mut [Res]) -> Result<(), String> {
    let source = match replacement.get("sourceValue") {
        Value::Null => source_of(replacement.get("source"), objects)?,
        value => value.clone(),
    };
    for target in replacement.get("targets").list() {
        let select = target.get("select");
        if select.is_null() {
            return Err("target must specify resources to select".to_owned());
        }
        let rejects = target.get("reject").list();
        let fits = |one: &Res| {
            is_picked(one, select) && !rejects.iter().any(|reject| is_picked(one, reject))
        };
        let paths: Vec<String> = match target.get("fieldPaths").list() {
            [] => vec!["metadata.name".to_owned()],
            paths => paths.iter().map(|path| path.as_str().to_owned()).collect(),
        };
        for object in objects.iter_mut().filter(|one| fits(one)) {
            for path in &paths {
                let segments = segments(path);
                let options = target.get("options");
                let mut count = 0;
                set(&mut object.value, &segments, options, &source, &mut count)?;
                if count == 0 {
                    return Err(format!(
                        "unable to find field {path:?} in replacement target"
                    ));
                }
            }
        }
    }
    Ok(())
}

/// A selector of replacements is exact, while that of patches is an expression.
fn is_picked(object: &Res, select: &Value) -> bool {
    selected(object, select)
}

fn source_of(source: &Value, objects: &[Res]) -> Result<Value, String> {
    let found: Vec<&Res> = objects
        .iter()
        .filter(|one| is_picked(one, source))
        .collect();
    let path = match source.str("fieldPath") {
        "" => "metadata.name",
        path => path,
    };
    let who = || {
        let or = |field: &str, other: &'static str| match source.str(field) {
            "" => other.to_owned(),
            text => text.to_owned(),
        };
        format!(
            "{}.{}.{}/{}.{}:{}",
            or("kind", "[noKind]"),
            or("version", "[noVer]"),
            or("group", "[noGrp]"),
            or("name", "[noName]"),
            or("namespace", "[noNs]"),
            source.str("fieldPath"),
        )
    };
    let [one] = found.as_slice() else {
        return Err(match found.len() {
            0 => format!("nothing selected by {}", who()),
            _ => format!("multiple matches for selector {}", who()),
        });
    };
    let mut value = &one.value;
    for segment in segments(path) {
        value = step(value, &segment);
    }
    if value.is_null() {
        return Err(format!(
            "fieldPath `{path}` is missing for replacement source {}",
            who()
        ));
    }
    let options = source.get("options");
    let delimiter = options.str("delimiter");
    if delimiter.is_empty() {
        return Ok(value.clone());
    }
    let text = plain(value);
    let parts: Vec<&str> = text.split(delimiter).collect();
    let index = options.get("index").as_i64().unwrap_or(0);
    let part = usize::try_from(index).ok().and_then(|i| parts.get(i));
    part.map(|part| Value::from(*part))
        .ok_or_else(|| format!("options.index {index} is out of bounds for value {text}"))
}

/// The parts of `spec.containers.[name=web].image`; a dot behind a backslash is no end.
fn segments(path: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let (mut escaped, mut inside) = (false, false);
    for c in path.chars() {
        match c {
            '\\' if !escaped => {
                escaped = true;
                continue;
            }
            '.' if !escaped && !inside => {
                out.push(String::new());
                continue;
            }
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        escaped = false;
        if let Some(last) = out.last_mut() {
            last.push(c);
        }
    }
    out
}

/// `[name=web]` as key and value.
fn condition(segment: &str) -> Option<(&str, &str)> {
    segment
        .strip_prefix('[')?
        .strip_suffix(']')?
        .split_once('=')
}

fn step<'v>(value: &'v Value, segment: &str) -> &'v Value {
    match condition(segment) {
        Some((key, wanted)) => {
            let fits = |item: &&Value| plain(item.get(key)) == wanted;
            value.list().iter().find(fits).unwrap_or(api::NULL)
        }
        None => value.at_path(&[segment]),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Str(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// Puts the value at a path; counts the places.
fn set(
    value: &mut Value,
    path: &[String],
    options: &Value,
    source: &Value,
    count: &mut usize,
) -> Result<(), String> {
    let create = options.bool_at("create");
    let Some((first, rest)) = path.split_first() else {
        *count += 1;
        *value = put(value, options, source)?;
        return Ok(());
    };
    if first == "*" {
        for item in value.vec_mut() {
            set(item, rest, options, source, count)?;
        }
        return Ok(());
    }
    if let Some((key, wanted)) = condition(first) {
        let fits = |item: &Value| plain(item.get(key)) == wanted;
        if create && !value.list().iter().any(fits) {
            let mut item = Value::empty_map();
            item.set_path(&[key], wanted);
            value.vec_mut().push(item);
        }
        if value.list().iter().any(fits) {
            for item in value.vec_mut().iter_mut().filter(|item| fits(item)) {
                set(item, rest, options, source, count)?;
            }
        }
        return Ok(());
    }
    let index = first.parse::<usize>().ok();
    if let Some(index) = index.filter(|_| !value.is_map()) {
        let items = value.vec_mut();
        if create && index == items.len() {
            items.push(Value::Null);
        }
        if let Some(item) = items.get_mut(index) {
            set(item, rest, options, source, count)?;
        }
        return Ok(());
    }
    if !create && value.get(first).is_null() {
        return Ok(());
    }
    set(
        value.map_mut().get_or_insert(first),
        rest,
        options,
        source,
        count,
    )
}

/// The value, whole or in a part of what is there.
fn put(old: &Value, options: &Value, source: &Value) -> Result<Value, String> {
    let delimiter = options.str("delimiter");
    if delimiter.is_empty() {
        return Ok(match (old, source) {
            // What was text stays text.
            (Value::Str(_), source) if !source.is_map() && !source.is_list() => {
                Value::from(plain(source))
            }
            _ => source.clone(),
        });
    }
    let text = plain(old);
    let mut parts: Vec<String> = text.split(delimiter).map(str::to_owned).collect();
    let index = options.get("index").as_i64().unwrap_or(0);
    let new = plain(source);
    match usize::try_from(index) {
        Err(_) => parts.insert(0, new),
        Ok(i) if i < parts.len() => parts[i] = new,
        Ok(_) => parts.push(new),
    }
    Ok(Value::from(parts.join(delimiter)))
}
