//! Variables: `$(NAME)` in commands, arguments and environments of containers and in hosts of
//! ingresses, for a value of another object.
//!
//! Models kustomize/api/internal/accumulator/refvartransformer.go.

use api::Value;

use super::res::{Id, Res};
use super::target::Accumulated;

/// Strings below these keys hold variables.
const PLACES: [&str; 8] = [
    "command",
    "args",
    "env",
    "host",
    "hosts",
    "mountPath",
    "path",
    "annotations",
];

/// Puts values in the place of variables.
pub(super) fn resolve(found: &mut Accumulated) -> Result<(), String> {
    let mut known = Vec::new();
    for var in &found.vars {
        let reference = var.get("objref");
        let mut wanted = Id::of(reference);
        wanted.name = reference.str("name").to_owned();
        wanted.namespace = reference.str("namespace").to_owned();
        let fits = |one: &&Res| {
            one.ids().iter().any(|id| {
                id.same_kind(&wanted)
                    && id.name == wanted.name
                    && (wanted.namespace.is_empty() || id.namespace == wanted.namespace)
            })
        };
        let Some(object) = found.objects.iter().find(fits) else {
            continue;
        };
        let path = match var.str_at("fieldref.fieldpath") {
            "" => var.str_at("fieldref.fieldPath"),
            path => path,
        };
        let path = if path.is_empty() {
            "metadata.name"
        } else {
            path
        };
        let value = object.value.at(path).clone();
        if value.is_null() {
            let (name, id) = (var.str("name"), object.id());
            return Err(format!(
                "field specified in var '{name}' ~ {id} not found in corresponding resource"
            ));
        }
        known.push((var.str("name").to_owned(), value));
    }
    if !known.is_empty() {
        for object in &mut found.objects {
            walk(&mut object.value, &known, false);
        }
    }
    Ok(())
}

fn walk(value: &mut Value, known: &[(String, Value)], inside: bool) {
    match value {
        Value::Str(text) if inside && text.contains("$(") => *value = expanded(text, known),
        Value::List(_) => {
            for item in value.vec_mut() {
                walk(item, known, inside);
            }
        }
        Value::Map(map) => {
            let keys: Vec<_> = map.keys().cloned().collect();
            for key in keys {
                let inside = inside || PLACES.contains(&key.as_str());
                walk(value.map_mut().get_or_insert(&key), known, inside);
            }
        }
        _ => {}
    }
}

fn expanded(text: &str, known: &[(String, Value)]) -> Value {
    let mut out = text.to_owned();
    for (name, value) in known {
        let variable = format!("$({name})");
        if text == variable && !value.is_str() {
            return value.clone();
        }
        let plain = match value {
            Value::Str(text) => text.to_string(),
            other => other.to_string(),
        };
        out = out.replace(&variable, &plain);
    }
    Value::from(out)
}
