//! What admission policies of both kinds share: the compiled policies, which of them a write is for,
//! and evaluation.
//!
//! Models apiserver/pkg/admission/plugin/policy/generic and plugin/cel.

mod input;
mod matching;

use std::collections::BTreeMap;
use std::rc::Rc;

use api::cel::{Bindings, Program, Val};
use api::kinds::{Kind, support::policy::Policy, support::policy::compile};
use api::selector::LabelSelector;
use api::{Status, Str, Value, status};

use crate::cache::{self, Change};
use crate::resources::Resources;
use crate::server::ApiServer;
use crate::write::Write;

pub(crate) use input::Subject;
pub(super) use matching::matches;

/// The group of policies and bindings.
const GROUP: &str = "admissionregistration.k8s.io";
const VALIDATING: &str = "validatingadmissionpolicies";
const MUTATING: &str = "mutatingadmissionpolicies";

/// The policies there are, compiled.
#[derive(Clone, Debug, Default)]
pub(crate) struct Policies {
    validating: BTreeMap<Str, Rc<Policy>>,
    mutating: BTreeMap<Str, Rc<Policy>>,
}

impl Policies {
    /// From all objects there are.
    pub(crate) fn fill(&mut self, resources: &Resources) {
        *self = Policies::default();
        for plural in [VALIDATING, MUTATING] {
            let Some(resource) = resources.named(GROUP, plural) else {
                continue;
            };
            let list = self.list(plural);
            for (key, entry) in resource.cache.objects().iter() {
                list.insert(key.clone(), Rc::new(compile(&entry.value).0));
            }
        }
    }

    fn list(&mut self, plural: &str) -> &mut BTreeMap<Str, Rc<Policy>> {
        match plural {
            VALIDATING => &mut self.validating,
            _ => &mut self.mutating,
        }
    }

    /// An object changed.
    pub(crate) fn observe(&mut self, kind: &Kind, change: &Change) {
        if kind.group != GROUP || !matches!(kind.plural, VALIDATING | MUTATING) {
            return;
        }
        let list = self.list(kind.plural);
        let entry = &change.entry;
        if change.deleted {
            list.remove(&entry.key);
        } else {
            list.insert(entry.key.clone(), Rc::new(compile(&entry.value).0));
        }
    }

    /// Whether there is none, which saves every write the trouble.
    pub(super) fn is_empty(&self, validating: bool) -> bool {
        match validating {
            true => self.validating.is_empty(),
            false => self.mutating.is_empty(),
        }
    }
}

/// A policy that is to be evaluated for a request: with one of its bindings, and one of the
/// parameters that this gives.
pub(super) struct Hook {
    pub(super) policy: Rc<Policy>,
    pub(super) binding: Value,
    pub(super) params: Value,
}

/// Why a policy or binding cannot be used.
pub(super) struct Misconfigured {
    pub(super) policy: Rc<Policy>,
    pub(super) binding: Option<Value>,
    pub(super) why: String,
}

/// The policies that a request is subject to, and those that would be and cannot be used.
pub(super) fn hooks(
    server: &ApiServer,
    subject: &Subject<'_>,
    validating: bool,
) -> (Vec<Hook>, Vec<Misconfigured>) {
    let (mut hooks, mut wrong) = (Vec::new(), Vec::new());
    if subject.is_exempt() {
        return (hooks, wrong);
    }
    let (policies, bindings) = match validating {
        true => (
            &server.policies.validating,
            "validatingadmissionpolicybindings",
        ),
        false => (&server.policies.mutating, "mutatingadmissionpolicybindings"),
    };
    let Some(bindings) = server.resources.named(GROUP, bindings) else {
        return (hooks, wrong);
    };
    for policy in policies.values() {
        let name = policy.object.name();
        let bound = bindings.cache.objects().values().map(|entry| &entry.value);
        let mut bound = bound
            .filter(|b| b.str_at("spec.policyName") == name)
            .peekable();
        let constraints = policy.object.at("spec.matchConstraints");
        if bound.peek().is_none() || !matches(subject, constraints) {
            continue;
        }
        for binding in bound {
            let resources = binding.at("spec.matchResources");
            if resources.is_map() && !matches(subject, resources) {
                continue;
            }
            match params(server, subject, policy, binding) {
                Ok(all) => hooks.extend(all.into_iter().map(|params| Hook {
                    policy: policy.clone(),
                    binding: binding.clone(),
                    params,
                })),
                Err(why) => wrong.push(Misconfigured {
                    policy: policy.clone(),
                    binding: Some(binding.clone()),
                    why,
                }),
            }
        }
    }
    (hooks, wrong)
}

/// The parameters that a binding gives a policy; nothing once where it takes none.
fn params(
    server: &ApiServer,
    subject: &Subject<'_>,
    policy: &Policy,
    binding: &Value,
) -> Result<Vec<Value>, String> {
    let (of, to) = (
        policy.object.at("spec.paramKind"),
        binding.at("spec.paramRef"),
    );
    if !of.is_map() || !to.is_map() {
        return Ok(vec![Value::Null]);
    }
    let (version, name) = (of.str("apiVersion"), of.str("kind"));
    let mut kinds = server.resources.kinds();
    let resource = kinds
        .find(|kind| kind.kind == name && kind.api_version() == version)
        .and_then(|kind| Some((kind, server.resources.of_kind(kind)?)));
    let Some((kind, resource)) = resource else {
        return Err(format!(
            "failed to find resource referenced by paramKind: '{version}, Kind={name}'"
        ));
    };
    let mut namespace = to.str("namespace");
    if kind.namespaced && namespace.is_empty() {
        namespace = subject.write.namespace.as_str();
        if namespace.is_empty() {
            return Err(
                "cannot use namespaced paramRef in policy binding that matches \
                        cluster-scoped resources"
                    .to_owned(),
            );
        }
    } else if !kind.namespaced && !namespace.is_empty() {
        return Err(
            "paramRef.namespace must not be provided for a cluster-scoped `paramKind`".to_owned(),
        );
    }
    let objects = &server.resources.get(resource).cache;
    let found: Vec<Value> = match to.str("name") {
        "" => {
            let selector = LabelSelector::from_object(to.get("selector"))?;
            cache::in_namespace(objects.objects(), namespace, "")
                .map(|entry| entry.value.clone())
                .filter(|object| selector.matches(object.labels()))
                .collect()
        }
        name => {
            let key = crate::list::key_of(namespace, name);
            objects
                .get(&key)
                .map(|entry| entry.value.clone())
                .into_iter()
                .collect()
        }
    };
    if found.is_empty() && to.str("parameterNotFoundAction") == "Deny" {
        return Err(
            "no params found for policy binding with `Deny` parameterNotFoundAction".to_owned(),
        );
    }
    Ok(found)
}

/// One policy's evaluation for one request.
pub(super) struct Evaluation<'p> {
    policy: &'p Policy,
    bindings: Bindings,
}

impl<'p> Evaluation<'p> {
    pub(super) fn new(server: &ApiServer, subject: &Subject<'_>, hook: &'p Hook) -> Self {
        let mut evaluation = Evaluation {
            policy: &hook.policy,
            bindings: subject.bindings(server, &hook.policy, &hook.params),
        };
        evaluation.set_variables();
        evaluation
    }

    /// Works out the variables, each with those before it. One that fails does so where it is read.
    fn set_variables(&mut self) {
        let mut known = BTreeMap::new();
        for (name, program) in &self.policy.variables {
            let so_far = Val::Map(Rc::new(known.clone()));
            let bindings = self.bindings.clone().with_val("variables", so_far);
            let val = match program.eval(&bindings) {
                Ok(val) => val,
                Err(error) => {
                    let text = format!("composited variable {name:?} fails to evaluate: {error}");
                    Val::Failed(text.into())
                }
            };
            known.insert(api::cel::Key::Str(name.clone()), val);
        }
        if !known.is_empty() {
            let all = Val::Map(Rc::new(known));
            self.bindings = self.bindings.clone().with_val("variables", all);
        }
    }

    /// Whether all conditions of the policy hold.
    pub(super) fn applies(&self) -> Result<bool, String> {
        let mut errors = Vec::new();
        for condition in &self.policy.conditions {
            match self.value(condition) {
                Ok(Val::Bool(false)) => return Ok(false),
                Ok(_) => {}
                Err(why) => errors.push(why),
            }
        }
        match errors.as_slice() {
            [] => Ok(true),
            _ if self.policy.object.str_at("spec.failurePolicy") == "Ignore" => Ok(false),
            [one] => Err(one.clone()),
            several => Err(format!("[{}]", several.join(", "))),
        }
    }

    /// The value of one of the policy's expressions.
    pub(super) fn value(&self, program: &Program) -> Result<Val, String> {
        program.eval(&self.bindings).map_err(|error| {
            let source = program.source();
            format!("expression '{source}' resulted in error: {error}")
        })
    }

    /// The same on an object that was changed meanwhile.
    pub(super) fn set_object(&mut self, object: &Value) {
        self.bindings = self.bindings.clone().with("object", object);
    }
}

/// The values of the conditions of a webhook.
pub(super) fn conditions(
    server: &ApiServer,
    subject: &Subject<'_>,
    webhook: &Value,
) -> Vec<Result<Val, String>> {
    let mut object = Value::empty_map();
    object.set("spec.matchConditions", webhook.get("matchConditions"));
    let hook = Hook {
        policy: Rc::new(compile(&object).0),
        binding: Value::Null,
        params: Value::Null,
    };
    let evaluation = Evaluation::new(server, subject, &hook);
    hook.policy
        .conditions
        .iter()
        .map(|condition| evaluation.value(condition))
        .collect()
}

/// The refusal of a request by a policy, `reason` being the word its status has.
pub(super) fn denied(write: &Write, messages: &[String], reason: &str) -> Status {
    let mut status = write.forbidden(messages.first().map_or("", String::as_str));
    (status.code, status.reason) = match reason {
        "Forbidden" => (403, status::Reason::Forbidden),
        "Unauthorized" => (401, status::Reason::Unauthorized),
        "RequestEntityTooLarge" => (413, status::Reason::RequestEntityTooLarge),
        _ => (422, status::Reason::Invalid),
    };
    let cause = |text: &String| {
        let mut cause = Value::empty_map();
        cause.set("message", text.as_str());
        cause
    };
    status.causes(messages.iter().map(cause).collect())
}
