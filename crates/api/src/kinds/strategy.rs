//! What happens to an object on its way into storage, derived from its kind's descriptor.
//!
//! Models k8s.io/apiserver/pkg/registry/rest/{create,update}.go.

use super::{Kind, meta};
use crate::Value;
use crate::field::FieldError;
use crate::names::Messages;

/// Metadata a client cannot change by an update.
const KEPT: &[&str] = &[
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "generation",
];

impl Kind {
    /// Fills in what was left out.
    pub fn default(&self, object: &mut Value) {
        (self.defaults)(object);
        if let Some(custom) = self.custom {
            custom.default(object);
        }
    }

    /// Makes an object fit to be created: no status, or the one a new object has. The caller sets
    /// name, namespace, uid and creationTimestamp.
    pub fn prepare_for_create(&self, object: &mut Value) {
        if self.counts_generation {
            object.set("metadata.generation", 1);
        } else {
            object.remove("metadata.generation");
        }
        object.remove("metadata.deletionTimestamp");
        object.remove("metadata.deletionGracePeriodSeconds");
        if self.custom.is_some() && self.has_status() {
            object.remove("status");
        }
        (self.prepare_for_create)(object);
    }

    /// Makes `new` fit to replace `old`: what the subresource (empty for the object itself) does
    /// not cover is taken from `old`.
    pub fn prepare_for_update(&self, new: &mut Value, old: &Value, subresource: &str) {
        for key in KEPT {
            match old.metadata().get(key) {
                Value::Null => drop(new.remove_path(&["metadata", key])),
                kept => new.set_path(&["metadata", key], kept),
            }
        }
        if new.uid().is_empty() && !old.uid().is_empty() {
            new.set("metadata.uid", old.metadata().get("uid"));
        }
        if subresource == "status" {
            let (metadata, status) = (new.metadata().clone(), new.get("status").clone());
            *new = old.clone();
            if self.custom.is_none() {
                new.set("metadata", metadata);
            } else {
                // Nothing but the status of a custom object changes.
                let version = metadata.get("resourceVersion");
                new.set("metadata.resourceVersion", version);
                new.set_or_remove("metadata.managedFields", metadata.get("managedFields"));
            }
            match status {
                Value::Null => drop(new.remove("status")),
                status => new.set("status", status),
            }
        } else if self.has_status()
            && !self
                .subresource(subresource)
                .is_some_and(|sub| sub.writes_status)
        {
            match old.get("status") {
                Value::Null => drop(new.remove("status")),
                status => new.set("status", status),
            }
        }
        (self.prepare_for_update)(new, old, subresource);
        if self.counts_generation && desire_differs(new, old, self.keeps_status(subresource)) {
            new.set("metadata.generation", old.generation() + 1);
        }
    }

    /// What is wrong with an object that is to be created. Metadata comes first, as upstream.
    pub fn validate_create(&self, object: &Value) -> Vec<FieldError> {
        let mut out = meta::validate(object, self.namespaced, self.name);
        self.allow_finalizers(&mut out);
        (self.validate)(object, &mut out);
        (self.validate_new)(object, &mut out);
        if let Some(custom) = self.custom {
            custom.validate(object, None, &mut out);
        }
        out
    }

    /// What is wrong with replacing `old` by `new` through a subresource (empty for the object).
    pub fn validate_update(&self, new: &Value, old: &Value, subresource: &str) -> Vec<FieldError> {
        let mut out = meta::validate_update(new, old);
        self.allow_finalizers(&mut out);
        if subresource != "status" {
            (self.validate)(new, &mut out);
        }
        (self.validate_update)(new, old, subresource, &mut out);
        if let Some(custom) = self.custom {
            custom.validate(new, Some(old), &mut out);
        }
        out
    }

    /// Custom objects and their definitions may have finalizers without a domain of their own.
    fn allow_finalizers(&self, errors: &mut Vec<FieldError>) {
        if self.custom.is_some() || self.group == "apiextensions.k8s.io" {
            errors.retain(|error| error.detail != meta::PLAIN_FINALIZER);
        }
    }

    /// Whether the status is a field like any other.
    fn keeps_status(&self, subresource: &str) -> bool {
        self.custom.is_some() && !self.has_status() && subresource.is_empty()
    }

    /// What is wrong with a name for an object of this kind.
    pub fn check_name(&self, name: &str) -> Messages {
        (self.name)(name)
    }
}

/// Whether anything but metadata differs, the status counting where it is no part of its own.
fn desire_differs(new: &Value, old: &Value, status: bool) -> bool {
    let desired = |object: &Value| {
        let mut entries = object.entries().clone();
        entries.remove("metadata");
        if !status {
            entries.remove("status");
        }
        entries
    };
    desired(new) != desired(old)
}
