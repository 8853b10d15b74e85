//! What the server writes into a CertificateSigningRequest: who asks for it, which nobody can say of
//! themselves, and when it was decided.
//!
//! Models pkg/registry/certificates/certificates/strategy.go (`PrepareForCreate`,
//! `populateConditionTimestamps`).

use api::kinds::Kind;
use api::{Str, Value};

use sim::Instant;

use crate::authn::User;

/// Writes the requester into a new object, if it is one that names its requester.
pub(crate) fn note(kind: &Kind, object: &mut Value, user: &User) {
    if kind.kind != "CertificateSigningRequest" {
        return;
    }
    for field in ["username", "uid", "groups", "extra"] {
        object.remove_path(&["spec", field]);
    }
    object.set("spec.username", Str::from(&*user.name));
    object.set_or_remove("spec.uid", Str::from(&*user.uid));
    let groups = user.groups.iter().map(|group| Value::from(&**group));
    object.set_or_remove("spec.groups", Value::list_of(groups.collect()));
    for (key, value) in &user.extra {
        object.set_path(&["spec", "extra", key], vec![Value::from(&**value)]);
    }
}

/// Writes the time into conditions that were sent without.
pub(crate) fn stamp(kind: &Kind, object: &mut Value, now: Instant) {
    let is_request = kind.kind == "CertificateSigningRequest";
    if !is_request || object.list_at("status.conditions").is_empty() {
        return;
    }
    for condition in object.list_mut("status.conditions") {
        for field in ["lastUpdateTime", "lastTransitionTime"] {
            if condition.str(field).is_empty() {
                condition.set(field, now.rfc3339());
            }
        }
    }
}
