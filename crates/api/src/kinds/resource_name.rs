//! Names of resources, as limits and quotas use them, and what is wrong with one.
//!
//! Models pkg/apis/core/helper/helpers.go and the resource names of
//! pkg/apis/core/validation/validation.go.

use std::fmt::Display;

use super::check::{self, Errors};
use crate::field::FieldError;
use crate::{Quantity, Value, names};

/// How names of resources begin that are large pages of memory.
const HUGE: &str = "hugepages-";
/// What containers ask for, and what may be limited of it.
const COMPUTE: [&str; 9] = [
    "cpu",
    "memory",
    "ephemeral-storage",
    "requests.cpu",
    "requests.memory",
    "requests.ephemeral-storage",
    "limits.cpu",
    "limits.memory",
    "limits.ephemeral-storage",
];
/// Objects that are counted under a name of their own.
const COUNTED: [&str; 9] = [
    "pods",
    "services",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
    "services.nodeports",
    "services.loadbalancers",
];

/// Whether a quota may limit the resource of this unqualified name.
pub(super) fn is_standard_for_quotas(name: &str) -> bool {
    let huge = name.starts_with(HUGE) || name.starts_with("requests.hugepages-");
    huge || name == "requests.storage" || COMPUTE.contains(&name) || COUNTED.contains(&name)
}

fn is_standard(name: &str) -> bool {
    name == "storage" || is_standard_for_quotas(name)
}

/// Whether the resource is one that somebody added: its name has a domain other than Kubernetes'.
pub(super) fn is_extended(name: &str) -> bool {
    let native = !name.contains('/') || name.contains("kubernetes.io/");
    !native && !name.starts_with("requests.")
}

/// What is wrong with a name that stands for any resource. True if nothing is.
pub(super) fn any(name: &str, path: impl Display + Copy, out: &mut Errors) -> bool {
    let before = out.len();
    check::invalid(names::qualified_name(name), path, name, out);
    if out.len() == before && !name.contains('/') && !is_standard(name) {
        let text = "must be a standard resource type or fully qualified";
        out.push(FieldError::invalid(path, name, text));
    }
    out.len() == before
}

/// What is wrong with the name of a resource that a container can have.
pub(super) fn of_container(name: &str, path: impl Display + Copy, out: &mut Errors) {
    const STANDARD: [&str; 3] = ["cpu", "ephemeral-storage", "memory"];
    any(name, path, out);
    if !name.contains('/') {
        if !STANDARD.contains(&name) && !name.starts_with(HUGE) {
            let text = "must be a standard resource for containers";
            out.push(FieldError::invalid(path, name, text));
        }
    } else if name.contains("kubernetes.io/") || name.starts_with("requests.") {
        let text = "doesn't follow extended resource name standard";
        out.push(FieldError::invalid(path, name, text));
    }
}

/// What is wrong with the name of a resource that a whole pod can have.
pub(super) fn of_pod(name: &str, path: impl Display + Copy, out: &mut Errors) {
    any(name, path, out);
    if !matches!(name, "cpu" | "memory") && !name.starts_with(HUGE) {
        let known = ["cpu", "hugepages-", "memory"];
        out.push(FieldError::not_supported(path, name, &known));
    }
}

/// Whether more of it may be promised than is there: a container's request may be below its limit.
pub(super) fn can_be_shared(name: &str) -> bool {
    !name.starts_with(HUGE) && (!name.contains('/') || name.contains("kubernetes.io/"))
}

/// The size of the pages that a resource is made of: `hugepages-2Mi`.
pub(super) fn page_size(name: &str) -> Option<Quantity> {
    let size = name.strip_prefix(HUGE)?;
    Quantity::of(&size.into()).filter(|size| size.sign() > 0)
}

/// What is wrong with an amount that a quota names.
pub(super) fn amount(name: &str, value: &Value, path: impl Display + Copy, out: &mut Errors) {
    let Some(quantity) = Quantity::of(value) else {
        return;
    };
    if quantity.sign() < 0 {
        let text = "must be greater than or equal to 0";
        out.push(FieldError::invalid(path, quantity.to_string(), text));
    }
    let whole = COUNTED.contains(&name) || is_extended(name);
    if whole && quantity.milli() % 1000 != 0 {
        out.push(FieldError::invalid(path, value, "must be an integer"));
    }
}
