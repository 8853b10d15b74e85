//! What is wrong with the probes and hooks of a container.
//!
//! Models `validateProbe`, `validateLifecycle` and `validateHandler` of
//! pkg/apis/core/validation/validation.go.

use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::{Value, names};

const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

/// What is wrong with the hooks of the container at `path`, whose pod gets `grace` seconds to end.
pub(super) fn lifecycle(container: &Value, grace: Option<i64>, path: &Path<'_>, out: &mut Errors) {
    let (hooks, path) = (container.get("lifecycle"), path.child("lifecycle"));
    for hook in ["postStart", "preStop"] {
        if hooks.has(hook) {
            handler(hooks.get(hook), grace, &path.child(hook), out);
        }
    }
}

/// What is wrong with the probes of the container at `path`.
pub(super) fn probes(container: &Value, path: &Path<'_>, out: &mut Errors) {
    for name in PROBES.into_iter().filter(|name| container.has(name)) {
        let (probe, path) = (container.get(name), path.child(name));
        handler(probe, None, &path, out);
        for key in [
            "initialDelaySeconds",
            "timeoutSeconds",
            "periodSeconds",
            "successThreshold",
            "failureThreshold",
        ] {
            check::non_negative(probe, key, &path, out);
        }
        if let Some(secs) = probe.get("terminationGracePeriodSeconds").as_i64() {
            let path = path.child("terminationGracePeriodSeconds");
            if secs <= 0 {
                out.push(FieldError::invalid(path, secs, "must be greater than 0"));
            }
            if name == "readinessProbe" {
                out.push(FieldError::invalid(
                    path,
                    secs,
                    "must not be set for readinessProbes",
                ));
            }
        }
        let successes = probe.get("successThreshold").as_i64().unwrap_or(0);
        if name != "readinessProbe" && successes != 1 {
            out.push(FieldError::invalid(
                path.child("successThreshold"),
                successes,
                "must be 1",
            ));
        }
    }
}

/// What a probe or hook does: exactly one thing.
fn handler(of: &Value, grace: Option<i64>, path: &Path<'_>, out: &mut Errors) {
    let kinds = ["exec", "httpGet", "tcpSocket", "grpc", "sleep"];
    let given: Vec<&str> = kinds.into_iter().filter(|kind| of.has(kind)).collect();
    for (i, kind) in given.iter().enumerate() {
        let (action, path) = (of.get(kind), path.child(kind));
        if i > 0 {
            let text = "may not specify more than 1 handler type";
            out.push(FieldError::forbidden(path, text));
            continue;
        }
        match *kind {
            "exec" if action.list_at("command").is_empty() => {
                out.push(FieldError::required(path.child("command"), ""));
            }
            "httpGet" => {
                if action.str("path").is_empty() {
                    out.push(FieldError::required(path.child("path"), ""));
                }
                check::port(action, "port", &path, out);
                check::one_of(action, "scheme", &["HTTP", "HTTPS"], &path, out);
                for header in action.list_at("httpHeaders") {
                    let (name, path) = (header.str("name"), path.child("httpHeaders"));
                    check::invalid(names::http_header_name(name), path, name, out);
                }
            }
            "tcpSocket" | "grpc" => check::port(action, "port", &path, out),
            "sleep" => {
                let secs = action.i64_at("seconds").unwrap_or(0);
                if let Some(grace) = grace.filter(|grace| !(0..=*grace).contains(&secs)) {
                    let text = format!(
                        "must be non-negative and less than terminationGracePeriodSeconds ({grace})"
                    );
                    out.push(FieldError::invalid(path, secs, text));
                }
            }
            _ => {}
        }
    }
    if given.is_empty() {
        out.push(FieldError::required(path, "must specify a handler type"));
    }
}
