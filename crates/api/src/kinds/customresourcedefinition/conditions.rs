//! The conditions of definitions: whether a name is free, and whether objects are served.
//!
//! Models apiextensions-apiserver/pkg/apiserver/../apihelpers and pkg/controller/status.

use crate::{Value, object};

/// Whether a condition is true.
pub fn is_true(definition: &Value, name: &str) -> bool {
    find(definition, name).is_some_and(|condition| condition.str("status") == "True")
}

/// A condition.
pub fn find<'a>(definition: &'a Value, name: &str) -> Option<&'a Value> {
    let mut conditions = definition.list_at("status.conditions").iter();
    conditions.find(|condition| condition.str("type") == name)
}

/// Sets a condition; the time changes with the status alone. `now` is in RFC 3339.
pub fn set(
    definition: &mut Value,
    (name, holds): (&str, bool),
    (reason, message): (&str, &str),
    now: &str,
) {
    let status = if holds { "True" } else { "False" };
    let since = match find(definition, name) {
        Some(old) if old.str("status") == status => old.str("lastTransitionTime").to_owned(),
        _ => now.to_owned(),
    };
    let condition = object! {
        "lastTransitionTime": since,
        "message": message,
        "reason": reason,
        "status": status,
        "type": name,
    };
    let mut conditions = definition.list_at("status.conditions").to_vec();
    match conditions
        .iter_mut()
        .find(|condition| condition.str("type") == name)
    {
        Some(old) => *old = condition,
        None => conditions.push(condition),
    }
    definition.set("status.conditions", Value::list_of(conditions));
}
