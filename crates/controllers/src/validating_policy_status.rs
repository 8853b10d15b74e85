//! Looks at the expressions of ValidatingAdmissionPolicies with the types of the objects they are
//! for, and writes what cannot work into the policies' status.
//! Models pkg/controller/validatingadmissionpolicystatus.

use std::rc::Rc;

use api::kinds::support::policy::check_types;
use api::schema::Schemas;
use api::{Value, object};
use client::{Delta, Index, Key, Patch, Resource};

use crate::controller::{Agenda, Controller, Cx};

const GROUP_VERSION: &str = "admissionregistration.k8s.io/v1";

/// The controller. Keys are policies.
#[derive(Clone, Debug)]
pub struct ValidatingPolicyStatusController {
    policies: Resource,
    /// The types; read when the first policy comes.
    schemas: Option<Rc<Schemas>>,
}

impl Default for ValidatingPolicyStatusController {
    fn default() -> Self {
        let (plural, kind) = ("validatingadmissionpolicies", "ValidatingAdmissionPolicy");
        ValidatingPolicyStatusController {
            policies: Resource::named(GROUP_VERSION, plural, kind, false),
            schemas: None,
        }
    }
}

impl Controller for ValidatingPolicyStatusController {
    fn name(&self) -> &'static str {
        "validatingadmissionpolicy-status-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(self.policies.clone(), &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, _: &Resource, delta: &Delta) {
        if delta.new.is_some() && delta.changed("spec") {
            agenda.add(delta.key.clone());
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(policy) = cx.cache(&self.policies).get(key).cloned() else {
            return;
        };
        if policy.i64_at("status.observedGeneration").unwrap_or(0) >= policy.generation() {
            return;
        }
        let schemas = self.schemas.get_or_insert_with(Schemas::load);
        let warnings = check_types(&policy, schemas)
            .into_iter()
            .map(|(field, warning)| {
                object! { "fieldRef": field, "warning": warning }
            });
        let warnings: Vec<Value> = warnings.collect();
        let mut checked = Value::empty_map();
        if !warnings.is_empty() {
            checked.set("expressionWarnings", warnings);
        }
        let status = object! {
            "observedGeneration": policy.generation(),
            "typeChecking": checked,
        };
        let document = object! { "status": status };
        cx.patch(&self.policies, key, "status", Patch::Merge, document);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn mistakes_are_written_down() {
        let controller = ValidatingPolicyStatusController::default();
        let policies = controller.policies.clone();
        let mut bench = Bench::new(vec![Box::new(controller)]);
        bench.put(
            &policies,
            object! {
                "metadata": { "name": "p", "generation": 1 },
                "spec": {
                    "matchConstraints": { "resourceRules": [{
                        "apiGroups": [""], "apiVersions": ["v1"], "resources": ["pods"],
                    }] },
                    "validations": [{ "expression": "object.spec.nothing == 1" }],
                },
            },
        );
        let status = bench.get(&policies, "", "p").get("status").clone();
        assert_eq!(status.i64_at("observedGeneration"), Some(1));
        let warnings = status.list_at("typeChecking.expressionWarnings");
        assert_eq!(
            warnings[0].str("fieldRef"),
            "spec.validations[0].expression"
        );
        assert!(
            warnings[0]
                .str("warning")
                .contains("undefined field 'nothing'")
        );
    }
}
