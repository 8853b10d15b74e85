//! Which changes of a pod are allowed: hardly any, and what is refused is shown as a difference.
//!
//! Models `ValidatePodUpdate` of pkg/apis/core/validation/validation.go.

use super::internal;
use crate::field::FieldError;
use crate::kinds::check::{self, Errors};
use crate::kinds::support::{containers, diff, pods, qos};
use crate::{Value, names};

const ALLOWED: &str = "pod updates may not change fields other than `spec.containers[*].image`,\
     `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions \
     to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it \
     was previously negative)";
const MAX_DEADLINE: i64 = 2_147_483_647;

pub(super) fn validate(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    match subresource {
        "" => spec(new.get("spec"), old.get("spec"), out),
        "status" => status(new, old, out),
        "ephemeralcontainers" => ephemeral(new, old, out),
        "resize" => resize(new, old, out),
        _ => {}
    }
}

fn spec(new: &Value, old: &Value, out: &mut Errors) {
    if new.same(old) {
        return;
    }
    let mut counts_differ = false;
    for list in ["containers", "initContainers"] {
        if new.get(list).list().len() != old.get(list).list().len() {
            let path = format!("spec.{list}");
            out.push(FieldError::forbidden(
                path,
                "pod updates may not add or remove containers",
            ));
            counts_differ = true;
        }
    }
    if counts_differ {
        return;
    }
    deadline(new, old, out);
    tolerations(new, old, out);
    gates(new, old, out);
    let munged = munged(new, old);
    if !munged.same(old) {
        let (old, new) = (internal::pod_spec(old), internal::pod_spec(&munged));
        let detail = format!("{ALLOWED}\n{}", diff::unified(&old, &new));
        out.push(FieldError::forbidden("spec", detail));
    }
}

/// Scheduling gates can only be lifted. While there are any, the pod may be aimed more narrowly.
fn gates(new: &Value, old: &Value, out: &mut Errors) {
    let before = old.list_at("schedulingGates");
    for (i, gate) in new.list_at("schedulingGates").iter().enumerate() {
        if !before.contains(gate) {
            let name = gate.str("name");
            let text = format!("only deletion is allowed, but found new scheduling gate '{name}'");
            out.push(FieldError::forbidden(
                format!("spec.schedulingGates[{i}].name"),
                text,
            ));
        }
    }
    let after = new.map_at("nodeSelector");
    let kept = old
        .map_at("nodeSelector")
        .iter()
        .all(|(key, value)| after.get(key) == Some(value));
    if !before.is_empty() && !kept {
        let text = "only additions to spec.nodeSelector are allowed (no mutations or deletions)";
        out.push(FieldError::invalid(
            "spec.nodeSelector",
            new.get("nodeSelector"),
            text,
        ));
    }
}

/// The new spec with everything that may change as it was.
fn munged(new: &Value, old: &Value) -> Value {
    let mut out = new.clone();
    for list in ["containers", "initContainers"] {
        let count = old.get(list).list().len();
        for i in 0..count {
            let path = format!("{list}.{i}.image");
            out.set(&path, old.at(&path));
        }
    }
    let restore = |out: &mut Value, key: &str| match old.get(key) {
        Value::Null => drop(out.remove(key)),
        value => out.set(key, value),
    };
    for key in ["activeDeadlineSeconds", "tolerations", "schedulingGates"] {
        restore(&mut out, key);
    }
    if !old.list_at("schedulingGates").is_empty() {
        restore(&mut out, "nodeSelector");
        let (before, after) = (old.at("affinity.nodeAffinity"), new.get("affinity"));
        if before.is_null() && old.get("affinity").is_null() && after.entries().len() <= 1 {
            restore(&mut out, "affinity");
        } else if before.is_null() {
            out.remove("affinity.nodeAffinity");
        } else {
            out.set("affinity.nodeAffinity", before);
        }
    }
    let grace = |spec: &Value| {
        spec.get("terminationGracePeriodSeconds")
            .as_i64()
            .unwrap_or(0)
    };
    if grace(old) < 0 && grace(new) == 1 {
        out.set(
            "terminationGracePeriodSeconds",
            old.get("terminationGracePeriodSeconds"),
        );
    }
    out
}

fn deadline(new: &Value, old: &Value, out: &mut Errors) {
    let path = "spec.activeDeadlineSeconds";
    let secs = |spec: &Value| spec.get("activeDeadlineSeconds").as_i64();
    match (secs(new), secs(old)) {
        (Some(new), _) if !(0..=MAX_DEADLINE).contains(&new) => {
            out.push(FieldError::invalid(
                path,
                new,
                names::range_error(0, MAX_DEADLINE),
            ));
        }
        (Some(new), Some(old)) if new > old => {
            out.push(FieldError::invalid(
                path,
                new,
                "must be less than or equal to previous value",
            ));
        }
        (None, Some(_)) => {
            let text = "must not update from a positive integer to nil value";
            out.push(FieldError::invalid(path, Value::Null, text));
        }
        _ => {}
    }
}

fn tolerations(new: &Value, old: &Value, out: &mut Errors) {
    let plain = |toleration: &Value| {
        let mut copy = toleration.clone();
        copy.remove("tolerationSeconds");
        copy
    };
    let kept: Vec<Value> = new.list_at("tolerations").iter().map(plain).collect();
    if !old
        .list_at("tolerations")
        .iter()
        .all(|toleration| kept.contains(&plain(toleration)))
    {
        let text = "existing toleration can not be modified except its tolerationSeconds";
        out.push(FieldError::forbidden("spec.tolerations", text));
    }
}

fn status(new: &Value, old: &Value, out: &mut Errors) {
    let nominated = new.at("status.nominatedNodeName");
    let bound = !old.str_at("spec.nodeName").is_empty();
    if bound && !nominated.is_null() && !nominated.same(old.at("status.nominatedNodeName")) {
        let text = "may not be set on pods that are already bound to a node";
        out.push(FieldError::forbidden("status.nominatedNodeName", text));
    }
    let (before, after) = (old.at("status.qosClass"), new.at("status.qosClass"));
    if !before.is_null() {
        check::immutable(after, before, "status.qosClass", out);
    }
    for (list, statuses) in containers::LISTS {
        let after = new.get("status").get(statuses).list();
        for (i, before) in old.get("status").get(statuses).list().iter().enumerate() {
            let name = before.str("name");
            let ended = before.at("state.terminated");
            let again =
                |now: &&Value| now.str("name") == name && now.at("state.terminated").is_null();
            if ended.is_null() || !after.iter().any(|now| again(&now)) {
                continue;
            }
            if !may_restart(old, list, name, ended) {
                let path = format!("status.{statuses}[{i}].state");
                let text = "may not be transitioned to non-terminated state";
                out.push(FieldError::forbidden(path, text));
            }
        }
    }
}

/// Whether a container that ended so may run again.
fn may_restart(pod: &Value, list: &str, name: &str, ended: &Value) -> bool {
    let container = containers::find(pod, name);
    let policy = match container.str("restartPolicy") {
        _ if list == "ephemeralContainers" => "Never",
        "" => pod.str_at("spec.restartPolicy"),
        own => own,
    };
    match policy {
        "Always" => true,
        "OnFailure" => ended.get("exitCode").as_i64() != Some(0),
        // Rules of its own decide by the exit code.
        _ => !container.list_at("restartPolicyRules").is_empty(),
    }
}

fn ephemeral(new: &Value, old: &Value, out: &mut Errors) {
    let path = "spec.ephemeralContainers";
    let after = new.list_at(path);
    for before in old.list_at(path) {
        let name = before.str("name");
        match after.iter().find(|c| c.str("name") == name) {
            None => {
                let quoted = crate::go::quote(name);
                let text = format!("existing ephemeral containers {quoted} may not be removed\n");
                out.push(FieldError::forbidden(path, text));
            }
            Some(now) if !now.same(before) => {
                let quoted = crate::go::quote(name);
                let text = format!("existing ephemeral containers {quoted} may not be changed\n");
                out.push(FieldError::forbidden(path, text));
            }
            Some(_) => {}
        }
    }
}

fn resize(new: &Value, old: &Value, out: &mut Errors) {
    if pods::is_mirror(old) {
        out.push(FieldError::forbidden("", "static pods cannot be resized"));
        return;
    }
    if qos::class(new) != old.str_at("status.qosClass") {
        let text = "Pod QOS Class may not change as a result of resizing";
        out.push(FieldError::invalid(
            "spec",
            new.str_at("status.qosClass"),
            text,
        ));
    }
    for list in ["initContainers", "containers"] {
        let after = new.get("spec").get(list).list();
        for (i, before) in old.get("spec").get(list).list().iter().enumerate() {
            for key in ["requests", "limits"] {
                let amounts = |of: &Value| of.get("resources").map_at(key).clone();
                let (was, is) = (
                    amounts(before),
                    after.get(i).map(amounts).unwrap_or_default(),
                );
                let path = format!("spec.{list}[{i}].resources.{key}");
                if was.keys().any(|name| !is.contains_key(name)) {
                    let text = format!("resource {key} cannot be removed");
                    out.push(FieldError::forbidden(path, text));
                }
                let fixed = |name: &str| !matches!(name, "cpu" | "memory");
                if is
                    .iter()
                    .any(|(name, amount)| fixed(name) && was.get(name) != Some(amount))
                {
                    let text = "only cpu and memory resources are mutable";
                    out.push(FieldError::forbidden("spec", text));
                }
            }
        }
    }
}
