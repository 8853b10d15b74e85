//! Conditions of a status: a list of entries by `type`, with a time that moves only when the status
//! of the entry changes.
//!
//! Models pkg/api/v1/pod/util.go and k8s.io/apimachinery/pkg/api/meta/conditions.go.

use crate::{Value, object};

/// What a condition should say.
#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// `Ready`.
    pub kind: &'a str,
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// One word; left out if empty.
    pub reason: &'a str,
    /// A sentence; left out if empty.
    pub message: &'a str,
}

/// The condition of this type; null if there is none.
pub fn get<'a>(object: &'a Value, kind: &str) -> &'a Value {
    let all = object.list_at("status.conditions");
    all.iter()
        .find(|c| c.str("type") == kind)
        .unwrap_or(crate::NULL)
}

/// `True`, `False` or `Unknown`; empty if there is no such condition.
pub fn status<'a>(object: &'a Value, kind: &str) -> &'a str {
    get(object, kind).str("status")
}

/// Whether the condition of this type is `True`.
pub fn is_true(object: &Value, kind: &str) -> bool {
    status(object, kind) == "True"
}

/// Sets a condition of `status.conditions`, keeping other fields of an entry that is there already.
/// `now` is RFC 3339. Returns whether anything changed.
pub fn set(object: &mut Value, condition: Condition<'_>, now: &str) -> bool {
    let Condition {
        kind,
        status,
        reason,
        message,
    } = condition;
    let old = get(object, kind);
    let mut new = match old {
        Value::Null => object! { "type": kind, "lastTransitionTime": now },
        old => old.clone(),
    };
    if old.str("status") != status {
        new.set("status", status);
        new.set("lastTransitionTime", now);
    }
    new.set_or_remove("reason", reason);
    new.set_or_remove("message", message);
    if new.same(old) {
        return false;
    }
    let all = object.list_mut("status.conditions");
    match all.iter_mut().find(|c| c.str("type") == kind) {
        Some(place) => *place = new,
        None => all.push(new),
    }
    true
}

/// Takes a condition out. Returns whether it was there.
pub fn remove(object: &mut Value, kind: &str) -> bool {
    if get(object, kind).is_null() {
        return false;
    }
    object
        .list_mut("status.conditions")
        .retain(|c| c.str("type") != kind);
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_moves_with_the_status_only() {
        let mut pod = object! {};
        let ready = |status| Condition {
            kind: "Ready",
            status,
            reason: "",
            message: "",
        };
        assert!(set(&mut pod, ready("False"), "t1"));
        assert!(!set(&mut pod, ready("False"), "t2"));
        let why = Condition {
            reason: "ContainersNotReady",
            ..ready("False")
        };
        assert!(set(&mut pod, why, "t3"));
        assert_eq!(get(&pod, "Ready").str("lastTransitionTime"), "t1");
        assert!(set(&mut pod, ready("True"), "t4"));
        assert_eq!(
            get(&pod, "Ready"),
            &object! {
                "type": "Ready", "status": "True", "lastTransitionTime": "t4",
            }
        );
        assert!(is_true(&pod, "Ready") && !is_true(&pod, "Initialized"));
        assert!(remove(&mut pod, "Ready") && !remove(&mut pod, "Ready"));
    }
}
