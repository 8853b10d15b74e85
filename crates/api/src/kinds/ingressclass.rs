//! IngressClass: which controller sees to an Ingress.
//!
//! Models pkg/registry/networking/ingressclass, pkg/apis/networking/validation and
//! `printIngressClass`.

use sim::Instant;

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "ingressclasses",
    singular: "ingressclass",
    namespaced: false,
    schema: "io.k8s.api.networking.v1.IngressClass",
    storage: "ingressclasses",
    counts_generation: true,
    defaults: |class| {
        if class.has("spec.parameters") && !class.has("spec.parameters.scope") {
            class.set("spec.parameters.scope", "Cluster");
        }
    },
    validate,
    validate_update: |new, old, _, out| {
        let key = "spec.controller";
        check::immutable(new.at(key), old.at(key), key, out);
    },
    columns: &[
        Column::NAME,
        Column::text("Controller"),
        Column::text("Parameters"),
        Column::AGE,
    ],
    row,
    sample: SAMPLE,
    ..Kind::plain("networking.k8s.io", "v1", "IngressClass")
};

const SAMPLE: &str = "
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata:
  name: nginx
spec:
  controller: k8s.io/ingress-nginx
";

/// Longest name of a controller.
const CONTROLLER_MAX: usize = 250;

fn row(class: &Value, now: Instant) -> Vec<Cell> {
    let parameters = class.at("spec.parameters");
    let kind = match parameters.str("apiGroup") {
        "" => parameters.str("kind").to_owned(),
        group => format!("{}.{group}", parameters.str("kind")),
    };
    let shown = match parameters.is_null() {
        true => "<none>".to_owned(),
        false => format!("{kind}/{}", parameters.str("name")),
    };
    vec![
        table::name(class),
        class.at("spec.controller").clone(),
        shown.into(),
        table::age(class, now),
    ]
}

fn validate(class: &Value, out: &mut Errors) {
    let (spec, path) = (class.get("spec"), Path::new("spec"));
    let controller = spec.str("controller");
    if controller.len() > CONTROLLER_MAX {
        out.push(FieldError::too_long(
            path.child("controller"),
            CONTROLLER_MAX,
        ));
    }
    let field = path.child("controller");
    match controller.split_once('/') {
        _ if controller.is_empty() => out.push(FieldError::required(field, "")),
        Some((domain, rest)) if !domain.is_empty() && !rest.is_empty() => {
            check::invalid(names::dns1123_subdomain(domain), field, controller, out);
        }
        _ => {
            let text = "must be a domain-prefixed path (such as \"acme.io/foo\")";
            out.push(FieldError::invalid(field, controller, text));
        }
    }
    let (parameters, path) = (spec.get("parameters"), path.child("parameters"));
    if parameters.is_null() {
        return;
    }
    for key in ["kind", "name"] {
        if parameters.str(key).is_empty() {
            out.push(FieldError::required(
                path.child(key),
                format!("{key} is required"),
            ));
        }
    }
    check::one_of(parameters, "scope", &["Cluster", "Namespace"], &path, out);
    let namespace = parameters.str("namespace");
    match parameters.str("scope") {
        "Namespace" if namespace.is_empty() => {
            let text = "`parameters.scope` is set to 'Namespace'";
            out.push(FieldError::required(path.child("namespace"), text));
        }
        "Cluster" if !namespace.is_empty() => {
            let text = "`parameters.scope` is set to 'Cluster'";
            out.push(FieldError::forbidden(path.child("namespace"), text));
        }
        _ => {}
    }
}
