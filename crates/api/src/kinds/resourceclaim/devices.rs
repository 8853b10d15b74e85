//! The part that claims and templates of claims share: which devices are asked for.
//!
//! Models pkg/apis/resource/{v1/defaults,validation/validation}.go.

use std::collections::BTreeSet;

use super::super::check::{self, Errors};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// No more requests, constraints and configurations in a claim than these.
const MOST: usize = 32;
/// No more alternatives in a request, and no more bytes in a selector.
const MOST_ALTERNATIVES: usize = 8;
const MOST_EXPRESSION: usize = 10 * 1024;

/// Fills in what a claim's specification leaves out.
pub(in crate::kinds) fn defaults(spec: &mut Value) {
    if spec.list_at("devices.requests").is_empty() {
        return;
    }
    for request in spec.list_mut("devices.requests") {
        if request.get("exactly").is_map() {
            complete(request.at_mut("exactly"));
        }
        if !request.list_at("firstAvailable").is_empty() {
            request
                .list_mut("firstAvailable")
                .iter_mut()
                .for_each(complete);
        }
    }
}

/// Fills in what a request leaves out.
fn complete(request: &mut Value) {
    if request.str("allocationMode").is_empty() {
        request.set("allocationMode", "ExactCount");
    }
    let count = request.i64_at("count").unwrap_or(0);
    if request.str("allocationMode") == "ExactCount" && count == 0 {
        request.set("count", 1);
    }
    if !request.list_at("tolerations").is_empty() {
        for toleration in request.list_mut("tolerations") {
            if toleration.str("operator").is_empty() {
                toleration.set("operator", "Equal");
            }
        }
    }
}

/// What is wrong with a claim's specification.
pub(in crate::kinds) fn spec(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let devices = spec.get("devices");
    let path = path.child("devices");
    for key in ["requests", "constraints", "config"] {
        let count = devices.list_at(key).len();
        if count > MOST {
            out.push(FieldError::too_many(path.child(key), count, MOST));
        }
    }
    let requests = path.child("requests");
    let mut seen = BTreeSet::new();
    for (i, request) in devices.list_at("requests").iter().enumerate() {
        let path = requests.index(i);
        self::request(request, &path, out);
        if !seen.insert(request.str("name")) {
            out.push(FieldError::duplicate(
                path.child("name"),
                request.str("name"),
            ));
        }
    }
    let constraints = path.child("constraints");
    for (i, constraint) in devices.list_at("constraints").iter().enumerate() {
        let path = constraints.index(i);
        known_requests(constraint, &seen, &path, out);
        if !constraint.has("matchAttribute") && !constraint.has("distinctAttribute") {
            out.push(FieldError::required(path.child("matchAttribute"), ""));
        }
    }
    let configs = path.child("config");
    for (i, config) in devices.list_at("config").iter().enumerate() {
        let path = configs.index(i);
        known_requests(config, &seen, &path, out);
        configuration(config, &path, out);
    }
}

/// The requests that something is about must be there; a part of one is `request/alternative`.
fn known_requests(of: &Value, known: &BTreeSet<&str>, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("requests");
    for (i, name) in of.list_at("requests").iter().map(Value::as_str).enumerate() {
        let first = name.split('/').next().unwrap_or(name);
        if !known.contains(first) {
            let text = "must be the name of a request in the claim or the name of a request and a \
                        subrequest separated by '/'";
            out.push(FieldError::invalid(path.index(i), name, text));
        }
    }
}

fn request(request: &Value, path: &Path<'_>, out: &mut Errors) {
    check::named(request, "name", names::dns1123_label, path, out);
    let (exactly, first) = (request.get("exactly"), request.list_at("firstAvailable"));
    match (exactly.is_null(), first.is_empty()) {
        (true, true) => {
            let text = "exactly one of `exactly` or `firstAvailable` is required";
            out.push(FieldError::required(path, text));
        }
        (false, false) => {
            let text = "exactly one of `exactly` or `firstAvailable` is required, but multiple \
                        fields are set";
            out.push(FieldError::invalid(path, Value::Null, text));
        }
        (false, true) => wanted(exactly, &path.child("exactly"), out),
        (true, false) => {
            let path = path.child("firstAvailable");
            if first.len() > MOST_ALTERNATIVES {
                out.push(FieldError::too_many(path, first.len(), MOST_ALTERNATIVES));
            }
            for (i, one) in first.iter().enumerate() {
                let path = path.index(i);
                check::named(one, "name", names::dns1123_label, &path, out);
                wanted(one, &path, out);
            }
        }
    }
}

/// What is wrong with how many devices of which class are wanted.
fn wanted(request: &Value, path: &Path<'_>, out: &mut Errors) {
    check::named(
        request,
        "deviceClassName",
        names::dns1123_subdomain,
        path,
        out,
    );
    selectors(request, path, out);
    let count = request.i64_at("count").unwrap_or(0);
    let at = path.child("count");
    match request.str("allocationMode") {
        "All" if count != 0 => {
            let text = "must not be specified when allocationMode is 'All'";
            out.push(FieldError::invalid(at, count, text));
        }
        "All" => {}
        "ExactCount" if count <= 0 => {
            out.push(FieldError::invalid(at, count, "must be greater than zero"));
        }
        "ExactCount" => {}
        mode => {
            let known = ["All", "ExactCount"];
            out.push(FieldError::not_supported(
                path.child("allocationMode"),
                mode,
                &known,
            ));
        }
    }
}

/// What is wrong with selectors of devices.
pub(in crate::kinds) fn selectors(of: &Value, path: &Path<'_>, out: &mut Errors) {
    let path = path.child("selectors");
    let selectors = of.list_at("selectors");
    if selectors.len() > MOST {
        out.push(FieldError::too_many(path, selectors.len(), MOST));
    }
    for (i, selector) in selectors.iter().enumerate() {
        let path = path.index(i);
        let path = path.child("cel");
        let expression = selector.str_at("cel.expression");
        if !selector.has("cel") {
            out.push(FieldError::required(path, ""));
        } else if expression.len() > MOST_EXPRESSION {
            out.push(FieldError::too_long(
                path.child("expression"),
                MOST_EXPRESSION,
            ));
        } else if let Err(error) = crate::cel::Program::compile(expression) {
            let text = format!("compilation failed: {error}");
            out.push(FieldError::invalid(
                path.child("expression"),
                expression,
                text,
            ));
        }
    }
}

/// What is wrong with a configuration that drivers understand.
pub(in crate::kinds) fn configuration(config: &Value, path: &Path<'_>, out: &mut Errors) {
    let (opaque, path) = (config.get("opaque"), path.child("opaque"));
    if opaque.is_null() {
        out.push(FieldError::required(path, ""));
        return;
    }
    check::named(opaque, "driver", names::dns1123_subdomain, &path, out);
    let parameters = opaque.get("parameters");
    match parameters {
        Value::Null => out.push(FieldError::required(path.child("parameters"), "")),
        Value::Map(_) => {}
        other => {
            let text = "parameters must be a valid JSON object";
            out.push(FieldError::invalid(path.child("parameters"), other, text));
        }
    }
}
