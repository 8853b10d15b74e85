//! Paths: values found by key, set, deleted, and the assignment operators.

use std::rc::Rc;

use super::ast::Filter;
use super::builtins::{arithmetic, shown};
use super::eval::{Env, Flow, Item, Path, Run, Sink, Stop, error};
use super::json::Json;

/// What a key of a value leads to; null where there is nothing.
pub(super) fn get(value: &Json, key: &Json) -> Result<Json, String> {
    match (value, key) {
        (Json::Object(_), Json::Text(key)) => Ok(value.get(key).cloned().unwrap_or(Json::Null)),
        (Json::Array(items), Json::Number(index)) => {
            let at = place(*index, items.len());
            Ok(at
                .and_then(|at| items.get(at))
                .cloned()
                .unwrap_or(Json::Null))
        }
        (Json::Null, Json::Text(_) | Json::Number(_) | Json::Null) => Ok(Json::Null),
        (Json::Null, Json::Object(_)) => Ok(Json::Null),
        (Json::Array(items), Json::Object(_)) => {
            let (from, to) = bounds(key, items.len())?;
            Ok(Json::array(items[from..to].to_vec()))
        }
        (Json::Text(text), Json::Object(_)) => {
            let chars: Vec<char> = text.chars().collect();
            let (from, to) = bounds(key, chars.len())?;
            Ok(Json::text(chars[from..to].iter().collect::<String>()))
        }
        (Json::Array(items), Json::Array(wanted)) => {
            // Where one list stands in another.
            let hits = (0..items.len()).filter(|at| {
                !wanted.is_empty()
                    && items[*at..].len() >= wanted.len()
                    && items[*at..*at + wanted.len()] == wanted[..]
            });
            Ok(Json::array(
                hits.map(|at| Json::Number(at as f64)).collect(),
            ))
        }
        (value, Json::Text(key)) => Err(format!("Cannot index {} with \"{key}\"", value.kind())),
        (value, key) => Err(format!("Cannot index {} with {}", value.kind(), key.kind())),
    }
}

fn place(index: f64, length: usize) -> Option<usize> {
    if index.is_nan() {
        return None;
    }
    let index = index.floor() as i64;
    let index = if index < 0 {
        index + length as i64
    } else {
        index
    };
    usize::try_from(index).ok()
}

/// The ends of a slice `{"start": …, "end": …}`.
fn bounds(key: &Json, length: usize) -> Result<(usize, usize), String> {
    let end = |name: &str, default: usize, up: bool| match key.get(name) {
        None | Some(Json::Null) => Ok(default),
        Some(Json::Number(number)) => {
            let number = if up { number.ceil() } else { number.floor() };
            let number = if number < 0.0 {
                number + length as f64
            } else {
                number
            };
            Ok(number.clamp(0.0, length as f64) as usize)
        }
        Some(_) => Err("Start and end indices of an array slice must be numbers".to_owned()),
    };
    let (from, to) = (end("start", 0, false)?, end("end", length, true)?);
    Ok((from, to.max(from)))
}

/// The value a path leads to.
pub(super) fn get_path(value: &Json, path: &[Json]) -> Result<Json, String> {
    let mut at = value.clone();
    for key in path {
        if matches!(at, Json::Null) {
            return Ok(Json::Null);
        }
        at = get(&at, key)?;
    }
    Ok(at)
}

/// A value with what a path leads to replaced.
pub(super) fn set_path(value: &Json, path: &[Json], new: Json) -> Result<Json, String> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(new);
    };
    let inner = set_path(&get(value, key)?, rest, new)?;
    match (value, key) {
        (Json::Object(_) | Json::Null, Json::Text(key)) => Ok(value.with(key.clone(), inner)),
        (Json::Array(_) | Json::Null, Json::Number(index)) => {
            let mut items = match value {
                Json::Array(items) => (**items).clone(),
                _ => Vec::new(),
            };
            let Some(at) = place(*index, items.len()) else {
                return Err("Out of bounds negative array index".to_owned());
            };
            if at > 1_000_000 {
                return Err("Array index too large".to_owned());
            }
            if items.len() <= at {
                items.resize(at + 1, Json::Null);
            }
            items[at] = inner;
            Ok(Json::array(items))
        }
        (Json::Array(_) | Json::Null, Json::Object(_)) => {
            let mut items = match value {
                Json::Array(items) => (**items).clone(),
                _ => Vec::new(),
            };
            let Json::Array(inner) = inner else {
                return Err("A slice of an array can only be assigned another array".to_owned());
            };
            let (from, to) = bounds(key, items.len())?;
            items.splice(from..to, inner.iter().cloned());
            Ok(Json::array(items))
        }
        (value, Json::Text(key)) => Err(format!("Cannot index {} with \"{key}\"", value.kind())),
        (value, key) => Err(format!(
            "Cannot update field at {} index of {}",
            key.kind(),
            value.kind()
        )),
    }
}

/// A value without what these paths lead to.
pub(super) fn delete_paths(value: &Json, paths: &[Vec<Json>]) -> Result<Json, String> {
    // The last first, so that earlier deletions do not move what comes later.
    let mut sorted: Vec<&Vec<Json>> = paths.iter().collect();
    sorted.sort_by(|a, b| Json::array((*b).clone()).order(&Json::array((*a).clone())));
    sorted.dedup();
    let mut value = value.clone();
    for path in sorted {
        value = delete_path(&value, path)?;
    }
    Ok(value)
}

fn delete_path(value: &Json, path: &[Json]) -> Result<Json, String> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(Json::Null);
    };
    if matches!(value, Json::Null) {
        return Ok(Json::Null);
    }
    if !rest.is_empty() {
        let inner = get(value, key)?;
        if matches!(inner, Json::Null) {
            return Ok(value.clone());
        }
        return set_path(value, std::slice::from_ref(key), delete_path(&inner, rest)?);
    }
    match (value, key) {
        (Json::Object(fields), Json::Text(key)) => {
            let kept = fields.iter().filter(|(own, _)| own != key).cloned();
            Ok(Json::Object(Rc::new(kept.collect())))
        }
        (Json::Array(items), Json::Number(index)) => {
            let mut items = (**items).clone();
            if let Some(at) = place(*index, items.len()).filter(|at| *at < items.len()) {
                items.remove(at);
            }
            Ok(Json::array(items))
        }
        (Json::Array(items), Json::Object(_)) => {
            let mut items = (**items).clone();
            let (from, to) = bounds(key, items.len())?;
            items.drain(from..to);
            Ok(Json::array(items))
        }
        (Json::Object(_), key) => Err(format!(
            "Cannot delete field at object index of {}",
            key.kind()
        )),
        (value, key) => Err(format!(
            "Cannot delete field at {} index of {}",
            key.kind(),
            value.kind()
        )),
    }
}

/// The paths of a filter's results.
pub(super) fn paths_of(
    run: &mut Run,
    filter: &Filter,
    input: &Json,
    env: &Env,
) -> Result<Vec<Vec<Json>>, Stop> {
    let from = Item {
        value: input.clone(),
        path: Some(Path::default()),
    };
    let mut out = Vec::new();
    run.eval(filter, from, env, &mut |_, item| {
        out.push(item.path.as_ref().map(Path::keys).unwrap_or_default());
        Ok(())
    })?;
    Ok(out)
}

/// The assignment operators.
pub(super) fn assign(
    run: &mut Run,
    filter: &Filter,
    input: Item,
    env: &Env,
    sink: Sink<'_>,
) -> Flow {
    match filter {
        Filter::Assign('|', left, right) => {
            let value = update(run, left, right, &input.value, env)?;
            sink(run, input.made(value)?)
        }
        Filter::Assign(op, left, right) => run.values(right, &input, env, &mut |run, new| {
            let mut value = input.value.clone();
            for path in paths_of(run, left, &input.value, env)? {
                let new = match op {
                    '=' => new.clone(),
                    op => {
                        let old = get_path(&value, &path).map_err(error)?;
                        arithmetic(*op, &old, &new).map_err(error)?
                    }
                };
                value = set_path(&value, &path, new).map_err(error)?;
            }
            sink(run, input.made(value)?)
        }),
        Filter::AssignAlternative(left, right) => {
            run.values(right, &input, env, &mut |run, new| {
                let mut value = input.value.clone();
                for path in paths_of(run, left, &input.value, env)? {
                    if !get_path(&value, &path).map_err(error)?.is_true() {
                        value = set_path(&value, &path, new.clone()).map_err(error)?;
                    }
                }
                sink(run, input.made(value)?)
            })
        }
        _ => Err(error(format!("no assignment: {}", shown(&input.value)))),
    }
}

/// `left |= right`: each place gets the first result of the right side, or goes if there is none.
pub(super) fn update(
    run: &mut Run,
    left: &Filter,
    right: &Filter,
    input: &Json,
    env: &Env,
) -> Result<Json, Stop> {
    let mut value = input.clone();
    let mut gone = Vec::new();
    for path in paths_of(run, left, input, env)? {
        let old = get_path(&value, &path).map_err(error)?;
        let mut new = None;
        let flow = run.values(right, &Item::plain(old), env, &mut |_, result| {
            new = Some(result);
            Err(Stop::Break(0))
        });
        match flow {
            Ok(()) | Err(Stop::Break(0)) => {}
            Err(stop) => return Err(stop),
        }
        match new {
            Some(new) => value = set_path(&value, &path, new).map_err(error)?,
            None => gone.push(path),
        }
    }
    delete_paths(&value, &gone).map_err(error)
}
