//! MutatingAdmissionPolicy and its binding: how objects are changed on their way in, in CEL.
//!
//! Models pkg/registry/admissionregistration/mutatingadmissionpolicy{,binding} and
//! pkg/apis/admissionregistration/{v1/defaults,validation}.

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Column};
use super::validatingadmissionpolicy::{
    of_bindings, of_policies, param_kind, validate_binding, validate_common,
};
use crate::Value;
use crate::field::{FieldError, Path};
use crate::kinds::support::policy;

/// The descriptor of the policy.
pub static KIND: Kind = Kind {
    plural: "mutatingadmissionpolicies",
    singular: "mutatingadmissionpolicy",
    schema: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicy",
    storage: "mutatingadmissionpolicies",
    defaults: |policy| {
        (COMMON.defaults)(policy);
        if policy.str_at("spec.reinvocationPolicy").is_empty() {
            policy.set("spec.reinvocationPolicy", "Never");
        }
    },
    validate,
    columns: &[
        Column::NAME,
        Column::integer("Mutations"),
        Column::text("ParamKind"),
        Column::AGE,
    ],
    row: |policy, now| {
        vec![
            table::name(policy),
            (policy.list_at("spec.mutations").len() as i64).into(),
            param_kind(policy).into(),
            table::age(policy, now),
        ]
    },
    sample: "
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata:
  name: marked
spec:
  matchConstraints:
    resourceRules:
    - apiGroups: ['']
      apiVersions: [v1]
      operations: [CREATE]
      resources: [pods]
  mutations:
  - patchType: ApplyConfiguration
    applyConfiguration:
      expression: 'Object{metadata: Object.metadata{labels: {\"marked\": \"yes\"}}}'
",
    ..COMMON
};

const COMMON: Kind = of_policies("MutatingAdmissionPolicy");

/// The descriptor of the binding.
pub static BINDING: Kind = Kind {
    plural: "mutatingadmissionpolicybindings",
    singular: "mutatingadmissionpolicybinding",
    schema: "io.k8s.api.admissionregistration.v1.MutatingAdmissionPolicyBinding",
    storage: "mutatingadmissionpolicybindings",
    validate: validate_binding,
    sample: "
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: marked
spec:
  policyName: marked
",
    ..of_bindings("MutatingAdmissionPolicyBinding")
};

fn validate(policy: &Value, out: &mut Errors) {
    let (spec, path) = (policy.get("spec"), Path::new("spec"));
    validate_common(spec, &path, out);
    let list = path.child("mutations");
    let mutations = spec.list_at("mutations");
    if mutations.is_empty() {
        let text = "mutations must contain at least one item";
        out.push(FieldError::required(list, text));
    }
    for (i, mutation) in mutations.iter().enumerate() {
        let path = list.index(i);
        let known = ["ApplyConfiguration", "JSONPatch"];
        check::one_of(mutation, "patchType", &known, &path, out);
        let (own, other) = match mutation.str("patchType") {
            "ApplyConfiguration" => ("applyConfiguration", "jsonPatch"),
            "JSONPatch" => ("jsonPatch", "applyConfiguration"),
            _ => continue,
        };
        let kind = mutation.str("patchType");
        if mutation.get(other).is_map() {
            let text = format!("must not be specified when patchType is {kind}");
            out.push(FieldError::forbidden(path.child(other), text));
        }
        if !mutation.get(own).is_map() {
            let text = format!("must be specified when patchType is {kind}");
            out.push(FieldError::required(path.child(own), text));
        } else if mutation.get(own).str("expression").trim().is_empty() {
            let of = path.child(own);
            let text = "expression is not specified";
            out.push(FieldError::required(of.child("expression"), text));
        }
    }
    let known = ["IfNeeded", "Never"];
    check::one_of(spec, "reinvocationPolicy", &known, &path, out);
    out.extend(policy::compile(policy).1);
}
