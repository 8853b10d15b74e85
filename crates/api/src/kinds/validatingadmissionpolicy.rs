//! ValidatingAdmissionPolicy and its binding: what objects have to be like, in CEL.
//!
//! Models pkg/registry/admissionregistration/validatingadmissionpolicy{,binding} and
//! pkg/apis/admissionregistration/{v1/defaults,validation}.

use std::collections::BTreeSet;

use super::check::{self, Errors};
use super::table::{self, Column};
use super::validatingwebhookconfiguration::validate_rule;
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::kinds::support::policy;
use crate::selector::{format_label_selector, validate_label_selector};
use crate::{Value, names, value};

/// The descriptor of the policy.
pub static KIND: Kind = Kind {
    plural: "validatingadmissionpolicies",
    singular: "validatingadmissionpolicy",
    schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicy",
    storage: "validatingadmissionpolicies",
    subresources: &[Subresource::status("ValidatingAdmissionPolicy")],
    validate,
    columns: &[
        Column::NAME,
        Column::integer("Validations"),
        Column::text("ParamKind"),
        Column::AGE,
    ],
    row: |policy, now| {
        vec![
            table::name(policy),
            (policy.list_at("spec.validations").len() as i64).into(),
            param_kind(policy).into(),
            table::age(policy, now),
        ]
    },
    sample: "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata:
  name: few
spec:
  matchConstraints:
    resourceRules:
    - apiGroups: [apps]
      apiVersions: [v1]
      operations: [CREATE, UPDATE]
      resources: [deployments]
  validations:
  - expression: object.spec.replicas <= 3
",
    ..of_policies("ValidatingAdmissionPolicy")
};

/// The descriptor of the binding.
pub static BINDING: Kind = Kind {
    plural: "validatingadmissionpolicybindings",
    singular: "validatingadmissionpolicybinding",
    schema: "io.k8s.api.admissionregistration.v1.ValidatingAdmissionPolicyBinding",
    storage: "validatingadmissionpolicybindings",
    validate: |binding, out| {
        validate_binding(binding, out);
        validate_actions(binding, out);
    },
    sample: "
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata:
  name: few
spec:
  policyName: few
  validationActions: [Deny]
",
    ..of_bindings("ValidatingAdmissionPolicyBinding")
};

/// What both kinds of policy share.
pub(super) const fn of_policies(kind: &'static str) -> Kind {
    Kind {
        categories: &["api-extensions"],
        namespaced: false,
        counts_generation: true,
        defaults: |policy| {
            let spec = policy.at_mut("spec");
            default(spec, "failurePolicy", "Fail".into());
            match_defaults(spec, "matchConstraints");
        },
        ..Kind::plain("admissionregistration.k8s.io", "v1", kind)
    }
}

const BINDING_COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("PolicyName"),
    Column::text("ParamRef"),
    Column::AGE,
];

/// What both kinds of binding share.
pub(super) const fn of_bindings(kind: &'static str) -> Kind {
    Kind {
        categories: &["api-extensions"],
        namespaced: false,
        counts_generation: true,
        defaults: |binding| match_defaults(binding.at_mut("spec"), "matchResources"),
        columns: BINDING_COLUMNS,
        row: |binding, now| {
            vec![
                table::name(binding),
                binding.str_at("spec.policyName").into(),
                param_ref(binding).into(),
                table::age(binding, now),
            ]
        },
        ..Kind::plain("admissionregistration.k8s.io", "v1", kind)
    }
}

/// `apps/v1/Deployment`, the kind of a policy's parameters.
pub(super) fn param_kind(policy: &Value) -> String {
    let kind = policy.at("spec.paramKind");
    match kind.is_map() {
        true => format!("{}/{}", kind.str("apiVersion"), kind.str("kind")),
        false => "<unset>".to_owned(),
    }
}

fn param_ref(binding: &Value) -> String {
    let to = binding.at("spec.paramRef");
    match (to.str("namespace"), to.str("name")) {
        ("", "") if to.is_map() => format_label_selector(to.get("selector")),
        ("", "") => "<unset>".to_owned(),
        ("", name) => format!("*/{name}"),
        (namespace, name) => format!("{namespace}/{name}"),
    }
}

fn default(of: &mut Value, key: &str, value: Value) {
    if of.get(key).is_null() {
        of.set(key, value);
    }
}

/// Fills in what was left out of the resources a policy or binding is for.
fn match_defaults(spec: &mut Value, key: &str) {
    if !spec.get(key).is_map() {
        return;
    }
    let matched = spec.at_mut(key);
    default(matched, "matchPolicy", "Equivalent".into());
    default(matched, "namespaceSelector", value!({}));
    default(matched, "objectSelector", value!({}));
    for list in ["resourceRules", "excludeResourceRules"] {
        if matched.list_at(list).is_empty() {
            continue;
        }
        for rule in matched.list_mut(list) {
            default(rule, "scope", "*".into());
        }
    }
}

fn validate(policy: &Value, out: &mut Errors) {
    let (spec, path) = (policy.get("spec"), Path::new("spec"));
    validate_common(spec, &path, out);
    let (validations, annotations) = (
        spec.list_at("validations"),
        spec.list_at("auditAnnotations"),
    );
    if validations.is_empty() && annotations.is_empty() {
        let text = "validations or auditAnnotations must contain at least one item";
        out.push(FieldError::required(path.child("validations"), text));
        out.push(FieldError::required(path.child("auditAnnotations"), text));
    }
    let list = path.child("validations");
    for (i, validation) in validations.iter().enumerate() {
        validate_validation(validation, &list.index(i), out);
    }
    let list = path.child("auditAnnotations");
    if annotations.len() > 20 {
        let text = "must not have more than 20 auditAnnotations";
        out.push(FieldError::invalid(
            list,
            spec.get("auditAnnotations"),
            text,
        ));
    }
    let mut keys = BTreeSet::new();
    for (i, annotation) in annotations.iter().enumerate() {
        let path = list.index(i);
        let key = annotation.str("key");
        let full = format!("{}/{key}", policy.name());
        check::invalid(
            names::qualified_name(&full),
            path.child("key"),
            full.as_str(),
            out,
        );
        if annotation.str("valueExpression").trim().is_empty() {
            let text = "valueExpression is not specified";
            out.push(FieldError::required(path.child("valueExpression"), text));
        }
        if !keys.insert(key) {
            out.push(FieldError::duplicate(path.child("key"), key));
        }
    }
    out.extend(policy::compile(policy).1);
}

/// What holds for the specs of both kinds of policy.
pub(super) fn validate_common(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    check::one_of(spec, "failurePolicy", &["Fail", "Ignore"], path, out);
    if spec.get("paramKind").is_map() {
        validate_param_kind(spec.get("paramKind"), &path.child("paramKind"), out);
    }
    let matched = path.child("matchConstraints");
    if !spec.get("matchConstraints").is_map() {
        out.push(FieldError::required(matched, ""));
    } else {
        validate_match(spec.get("matchConstraints"), &matched, out);
        if spec.list_at("matchConstraints.resourceRules").is_empty() {
            out.push(FieldError::required(matched.child("resourceRules"), ""));
        }
    }
    validate_conditions(spec, path, out);
    let list = path.child("variables");
    for (i, variable) in spec.list_at("variables").iter().enumerate() {
        let path = list.index(i);
        let name = variable.str("name");
        if name.trim().is_empty() {
            let text = "name is not specified";
            out.push(FieldError::required(path.child("name"), text));
        } else if !is_identifier(name) {
            let text = "name is not a valid CEL identifier";
            out.push(FieldError::invalid(path.child("name"), name, text));
        }
        if variable.str("expression").trim().is_empty() {
            let text = "expression is not specified";
            out.push(FieldError::required(path.child("expression"), text));
        }
    }
}

/// What holds for the conditions of policies and webhooks.
pub(super) fn validate_conditions(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let list = path.child("matchConditions");
    let conditions = spec.list_at("matchConditions");
    if conditions.len() > 64 {
        out.push(FieldError::too_many(list, conditions.len(), 64));
    }
    let mut seen = BTreeSet::new();
    for (i, condition) in conditions.iter().enumerate() {
        let path = list.index(i);
        if condition.str("expression").trim().is_empty() {
            out.push(FieldError::required(path.child("expression"), ""));
        }
        check::named(condition, "name", names::qualified_name, &path, out);
        let name = condition.str("name");
        if !name.is_empty() && !seen.insert(name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        }
    }
}

fn is_identifier(name: &str) -> bool {
    let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let rest = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    first && rest && !matches!(name, "true" | "false" | "null" | "in")
}

fn validate_param_kind(kind: &Value, path: &Path<'_>, out: &mut Errors) {
    let field = path.child("apiVersion");
    match kind.str("apiVersion") {
        "" => out.push(FieldError::required(field, "")),
        text if text.matches('/').count() > 1 => {
            let why = format!("unexpected GroupVersion string: {text}");
            out.push(FieldError::invalid(field, text, why));
        }
        text => {
            let (group, version) = text.split_once('/').unwrap_or(("", text));
            if !group.is_empty() {
                check::invalid(names::dns1123_subdomain(group), field, group, out);
            }
            if version.is_empty() {
                out.push(FieldError::invalid(
                    field,
                    text,
                    "version must be specified",
                ));
            } else {
                check::invalid(names::dns1035_label(version), field, version, out);
            }
        }
    }
    let (field, text) = (path.child("kind"), kind.str("kind"));
    if text.is_empty() {
        out.push(FieldError::required(field, ""));
    } else if let Some(why) = names::dns1035_label(&text.to_lowercase())
        .into_iter()
        .next()
    {
        let why = format!("may have mixed case, but should otherwise match: {why}");
        out.push(FieldError::invalid(field, text, why));
    }
}

/// The resources a policy or binding is for.
fn validate_match(matched: &Value, path: &Path<'_>, out: &mut Errors) {
    check::one_of(matched, "matchPolicy", &["Equivalent", "Exact"], path, out);
    for key in ["namespaceSelector", "objectSelector"] {
        match matched.get(key).is_null() {
            true => out.push(FieldError::required(path.child(key), "")),
            false => out.extend(validate_label_selector(matched.get(key), &path.child(key))),
        }
    }
    for key in ["resourceRules", "excludeResourceRules"] {
        let list = path.child(key);
        for (i, rule) in matched.list_at(key).iter().enumerate() {
            let path = list.index(i);
            let field = path.child("resourceNames");
            let mut seen = BTreeSet::new();
            for (i, name) in rule.list_at("resourceNames").iter().enumerate() {
                let name = name.as_str();
                check::invalid(names::path_segment(name), field.index(i), name, out);
                if !seen.insert(name) {
                    out.push(FieldError::duplicate(field.index(i), name));
                }
            }
            validate_rule(rule, &path, out);
        }
    }
}

fn validate_validation(validation: &Value, path: &Path<'_>, out: &mut Errors) {
    if validation.str("expression").trim().is_empty() {
        let text = "expression is not specified";
        out.push(FieldError::required(path.child("expression"), text));
    }
    let text = validation.str("messageExpression");
    if !text.is_empty() && text.trim().is_empty() {
        let why = "must be non-empty if specified";
        out.push(FieldError::invalid(
            path.child("messageExpression"),
            text,
            why,
        ));
    }
    let text = validation.str("message");
    if !text.is_empty() && text.trim().is_empty() {
        let why = "message must be non-empty if specified";
        out.push(FieldError::invalid(path.child("message"), text, why));
    } else if text.trim().contains(['\n', '\r']) {
        let why = "message must not contain line breaks";
        out.push(FieldError::invalid(path.child("message"), text, why));
    }
    let known = [
        "Forbidden",
        "Invalid",
        "RequestEntityTooLarge",
        "Unauthorized",
    ];
    check::one_of_if_set(validation, "reason", &known, path, out);
}

/// What holds for both kinds of binding.
pub(super) fn validate_binding(binding: &Value, out: &mut Errors) {
    let (spec, path) = (binding.get("spec"), Path::new("spec"));
    check::named(spec, "policyName", names::dns1123_subdomain, &path, out);
    if spec.get("paramRef").is_map() {
        validate_param_ref(spec.get("paramRef"), &path.child("paramRef"), out);
    }
    if spec.get("matchResources").is_map() {
        // Upstream's path has this slip.
        validate_match(
            spec.get("matchResources"),
            &path.child("matchResouces"),
            out,
        );
    }
}

fn validate_param_ref(to: &Value, path: &Path<'_>, out: &mut Errors) {
    let (name, selector) = (to.str("name"), to.get("selector"));
    let both = !name.is_empty() && !selector.is_null();
    let text = "name and selector are mutually exclusive";
    if !name.is_empty() {
        check::invalid(names::path_segment(name), path.child("name"), name, out);
    }
    if both {
        out.push(FieldError::forbidden(path.child("name"), text));
    }
    if !selector.is_null() {
        out.extend(validate_label_selector(selector, &path.child("selector")));
    }
    if both {
        out.push(FieldError::forbidden(path.child("selector"), text));
    }
    if name.is_empty() && selector.is_null() {
        let text = "one of name or selector must be specified";
        out.push(FieldError::required(path, text));
    }
    check::one_of(to, "parameterNotFoundAction", &["Deny", "Allow"], path, out);
}

fn validate_actions(binding: &Value, out: &mut Errors) {
    let (path, actions) = (
        Path::new("spec.validationActions"),
        binding.list_at("spec.validationActions"),
    );
    let mut seen = BTreeSet::new();
    for (i, action) in actions.iter().enumerate() {
        let known = ["Audit", "Deny", "Warn"];
        if !known.contains(&action.as_str()) {
            out.push(FieldError::not_supported(path.index(i), action, &known));
        }
        if !seen.insert(action.as_str()) {
            out.push(FieldError::duplicate(path.index(i), action));
        }
    }
    if seen.contains("Deny") && seen.contains("Warn") {
        let text = "must not contain both Deny and Warn (repeating the same validation failure \
                    information in the API response and headers serves no purpose)";
        out.push(FieldError::invalid(
            path,
            binding.at("spec.validationActions"),
            text,
        ));
    }
    if actions.is_empty() {
        let text = "at least one validation action is required";
        out.push(FieldError::required(path, text));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[track_caller]
    fn check(spec: Value, expect: &[&str]) {
        let mut policy = object! {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": { "name": "p" },
            "spec": spec,
        };
        policy.set(
            "spec.matchConstraints",
            object! { "resourceRules": [{
                "apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"],
                "resources": ["pods"],
            }] },
        );
        (KIND.defaults)(&mut policy);
        let mut out = Vec::new();
        validate(&policy, &mut out);
        let found: Vec<String> = out.iter().map(FieldError::to_string).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn expressions_are_compiled() {
        let of = |expression: &str| object! { "validations": [{ "expression": expression }] };
        check(of("object.spec.replicas <= 3"), &[]);
        check(
            of("request.userInfo.username == 'x' && authorizer.path('/x').check('get').allowed()"),
            &[],
        );
        check(
            of("authorizer.requestResource.check('delete').allowed()"),
            &[],
        );
        check(
            of("object.x"),
            &[
                "spec.validations[0].expression: Invalid value: \"object.x\": must evaluate to bool \
             but got dyn",
            ],
        );
        check(
            of("params.x == 1"),
            &[
                "spec.validations[0].expression: Invalid value: \"params.x == 1\": compilation failed: \
             ERROR: <input>:1:1: undeclared reference to 'params' (in container '')\n | params.x \
             == 1\n | ^",
            ],
        );
        check(
            of("request.nothing == 1"),
            &[
                "spec.validations[0].expression: Invalid value: \"request.nothing == 1\": compilation \
             failed: ERROR: <input>:1:8: undefined field 'nothing'\n | request.nothing == 1\n | \
             .......^",
            ],
        );
        check(
            object! { "validations": [{ "expression": " " }] },
            &["spec.validations[0].expression: Required value: expression is not specified"],
        );
        check(
            object! {},
            &[
                "spec.validations: Required value: validations or auditAnnotations must contain at \
             least one item",
                "spec.auditAnnotations: Required value: validations or auditAnnotations must contain \
             at least one item",
            ],
        );
    }

    #[test]
    fn variables_have_the_types_of_their_expressions() {
        let of = |expression: &str| {
            object! {
                "variables": [
                    { "name": "a", "expression": "1 + 1" },
                    { "name": "b", "expression": "variables.a > 1" },
                ],
                "validations": [{ "expression": expression, "messageExpression": "string(variables.a)" }],
            }
        };
        check(of("variables.b"), &[]);
        check(
            of("variables.a"),
            &[
                "spec.validations[0].expression: Invalid value: \"variables.a\": must evaluate to bool \
             but got int",
            ],
        );
    }
}
