//! CEL rules of a schema: `self` is the value, `oldSelf` the one whose place it takes.
//!
//! Models apiextensions-apiserver/pkg/apiserver/schema/cel/validation.go.

use std::rc::Rc;

use super::schema::{Rule, Schema, child};
use super::validate::counterpart;
use crate::Value;
use crate::cel::{Bindings, Program, Type, Val};
use crate::field::FieldError;

/// Checks every rule of a schema and below.
pub(super) fn check(
    object: &Value,
    old: Option<&Value>,
    schema: &Schema,
    out: &mut Vec<FieldError>,
) {
    value(object, old, schema, "", out);
}

fn value(of: &Value, old: Option<&Value>, schema: &Schema, path: &str, out: &mut Vec<FieldError>) {
    if !schema.has_rules() || of.is_null() {
        return;
    }
    let unchanged = old.is_some_and(|old| old.same(of));
    for rule in &schema.rules {
        let transition = mentions(&rule.rule, "oldSelf");
        if (transition && old.is_none() && !rule.optional_old) || (unchanged && !transition) {
            continue;
        }
        if let Err(error) = hold(rule, of, old, schema, path) {
            out.push(error);
        }
    }
    match of {
        Value::Map(map) => {
            for (name, field) in map {
                let (below, path) = match schema.properties.get(&**name) {
                    Some(below) => (below, child(path, name)),
                    None => match schema.additional.as_deref() {
                        Some(below) => (below, format!("{path}[{name}]")),
                        None => continue,
                    },
                };
                let old = old.filter(|_| schema.map_type != "atomic");
                let old = old.and_then(|old| old.entries().get(name));
                value(field, old, below, &path, out);
            }
        }
        Value::List(items) => {
            let Some(below) = schema.items.as_deref() else {
                return;
            };
            for (i, item) in items.iter().enumerate() {
                let old = old.and_then(|old| counterpart(item, old, schema));
                value(item, old, below, &format!("{path}[{i}]"), out);
            }
        }
        _ => {}
    }
}

/// What the values of a schema are to rules; nothing for what no rule can reach.
fn type_of(schema: &Schema) -> Option<Type> {
    Some(match schema.ty.as_str() {
        _ if schema.int_or_string => Type::Dyn,
        "array" => Type::list(type_of(schema.items.as_deref()?)?),
        "object" => match schema.additional.as_deref() {
            Some(values) => Type::map(Type::String, type_of(values)?),
            None => {
                let fields = schema.properties.iter();
                let fields = fields.filter_map(|(name, of)| Some((name.as_str(), type_of(of)?)));
                Type::object("selfType", fields)
            }
        },
        scalar => Type::of_scalar(scalar, &schema.format)?,
    })
}

/// Whether a rule names a variable.
fn mentions(rule: &str, name: &str) -> bool {
    rule.split(|c: char| !c.is_alphanumeric() && c != '_')
        .any(|word| word == name)
}

/// Evaluates a rule.
fn hold(
    rule: &Rule,
    of: &Value,
    old: Option<&Value>,
    schema: &Schema,
    path: &str,
) -> Result<(), FieldError> {
    let ty = type_of(schema).unwrap_or(Type::Dyn);
    let mut bindings = Bindings::new().with_val("self", ty.read(of));
    let old = old.map(|old| ty.read(old));
    if rule.optional_old {
        bindings = bindings.with_val("oldSelf", Val::Optional(old.map(Rc::new)));
    } else if let Some(old) = old {
        bindings = bindings.with_val("oldSelf", old);
    }
    let told = match rule.message.trim() {
        "" => rule.rule.trim(),
        message => message,
    };
    let shown = Value::from(schema.ty.as_str());
    let program = Program::compile(&rule.rule).map_err(|error| {
        FieldError::invalid(path, &shown, format!("rule compile error: {error}"))
    })?;
    match program.eval(&bindings) {
        Ok(Val::Bool(true)) => Ok(()),
        Ok(_) => Err(failed(rule, &bindings, path)),
        Err(error) if error.message.starts_with("no such overload") => {
            let text = format!(
                "'{error}': call arguments did not match a supported operator, function or macro \
                 signature for rule: {told}"
            );
            Err(FieldError::invalid(path, shown, text))
        }
        Err(error) if error.fatal => {
            let text = format!(
                "'{error}': no further validation rules will be run due to call cost exceeds limit \
                 for rule: {told}"
            );
            Err(FieldError::invalid(path, shown, text))
        }
        Err(error) => {
            let text = format!("{error} evaluating rule: {told}");
            Err(FieldError::invalid(path, shown, text))
        }
    }
}

/// The error of a rule that does not hold.
fn failed(rule: &Rule, bindings: &Bindings, path: &str) -> FieldError {
    let path = format!("{path}{}", rule.field_path.trim());
    let path = path.trim_start_matches('.').to_owned();
    let text = computed(rule, bindings).unwrap_or_else(|| match rule.message.trim() {
        "" => format!("failed rule: {}", rule.rule.trim()),
        message => message.to_owned(),
    });
    match rule.reason.as_str() {
        "FieldValueRequired" => FieldError::required(path, text),
        "FieldValueForbidden" => FieldError::forbidden(path, text),
        "FieldValueDuplicate" => FieldError {
            detail: text,
            value: None,
            ..FieldError::duplicate(path, "")
        },
        _ => FieldError {
            value: None,
            ..FieldError::invalid(path, "", text)
        },
    }
}

/// What `messageExpression` says; `None` where it says nothing that can be printed.
fn computed(rule: &Rule, bindings: &Bindings) -> Option<String> {
    let source = Some(rule.message_expression.trim()).filter(|text| !text.is_empty())?;
    let Ok(Val::Str(text)) = Program::compile(source).ok()?.eval(bindings) else {
        return None;
    };
    let text = text.trim();
    (!text.is_empty() && !text.contains('\n')).then(|| text.to_owned())
}
