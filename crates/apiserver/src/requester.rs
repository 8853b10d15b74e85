//! Notes in a CertificateSigningRequest who asks for it; nobody can say that of themselves.
//!
//! Models pkg/registry/certificates/certificates/strategy.go (`PrepareForCreate`).

use api::kinds::Kind;
use api::{Str, Value};

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
