//! ValidatingAdmissionPolicies: requests are refused, warned about or noted by conditions in CEL.
//!
//! Models apiserver/pkg/admission/plugin/policy/validating.

use api::cel::{Program, Val};
use api::{Status, Value};

use super::Plugin;
use super::policy::{Evaluation, Hook, Subject, denied, hooks};
use crate::server::ApiServer;
use crate::write::{Deed, Write};

/// The longest message an expression may make.
const MAX_MESSAGE: usize = 5 * 1024;
/// Under what the audit log is told of conditions that do not hold.
const FAILURE: &str = "validation.policy.admission.k8s.io/validation_failure";

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "ValidatingAdmissionPolicy",
    validate: |server, write, object, old| dispatch(server, write, Some(object), old),
    validate_delete: |server, write, old| match write.deed {
        // Policies have seen the Eviction; the deletion is the server's own.
        Deed::Evict(_) => Ok(()),
        _ => dispatch(server, write, None, Some(old)),
    },
    ..Plugin::PLAIN
};

/// What is wrong with a request in the eyes of one condition.
struct Finding {
    message: String,
    /// Which of the policy's conditions.
    index: usize,
    /// The word of the refusal's status.
    reason: String,
}

fn dispatch(
    server: &ApiServer,
    write: &mut Write,
    object: Option<&Value>,
    old: Option<&Value>,
) -> Result<(), Status> {
    if server.policies.is_empty(true) {
        return Ok(());
    }
    let subject = Subject::new(server, write, object, old);
    let (hooks, wrong) = hooks(server, &subject, true);
    let (mut refusals, mut warnings, mut notes) = (Vec::new(), Vec::new(), Vec::new());
    for one in wrong {
        if one.policy.object.str_at("spec.failurePolicy") == "Ignore" {
            continue;
        }
        let what = if one.binding.is_some() {
            "binding"
        } else {
            "policy"
        };
        let finding = Finding {
            message: format!("failed to configure {what}: {}", one.why),
            index: 0,
            reason: String::new(),
        };
        let binding = one.binding.unwrap_or_default();
        refusals.push((said(&one.policy.object, &binding, &finding), finding.reason));
    }
    for hook in &hooks {
        let policy = &hook.policy.object;
        for finding in findings(server, &subject, hook, &mut notes) {
            for action in hook.binding.list_at("spec.validationActions") {
                match action.as_str() {
                    "Deny" => refusals.push((
                        said(policy, &hook.binding, &finding),
                        finding.reason.clone(),
                    )),
                    "Warn" => warnings.push(format!(
                        "Validation failed for ValidatingAdmissionPolicy '{}' with binding '{}': {}",
                        policy.name(),
                        hook.binding.name(),
                        finding.message
                    )),
                    _ => notes.push((FAILURE.to_owned(), failure(hook, &finding))),
                }
            }
        }
    }
    for (key, text) in notes {
        write.note(&key, text);
    }
    for warning in warnings {
        write.warn(warning);
    }
    match refusals.into_iter().next() {
        None => Ok(()),
        Some((message, reason)) => Err(denied(write, &[message], &reason)),
    }
}

/// What the audit log is told of a condition that does not hold: fields in Go's order.
fn failure(hook: &Hook, finding: &Finding) -> String {
    let text = |text: &str| Value::from(text).to_json();
    format!(
        "[{{\"message\":{},\"policy\":{},\"binding\":{},\"expressionIndex\":{},\
         \"validationActions\":{}}}]",
        text(&finding.message),
        text(hook.policy.object.name()),
        text(hook.binding.name()),
        finding.index,
        hook.binding.at("spec.validationActions").to_json()
    )
}

/// `ValidatingAdmissionPolicy 'a' with binding 'b' denied request: …`
fn said(policy: &Value, binding: &Value, finding: &Finding) -> String {
    let with = match binding.name() {
        "" => String::new(),
        name => format!(" with binding '{name}'"),
    };
    let name = policy.name();
    format!(
        "ValidatingAdmissionPolicy '{name}'{with} denied request: {}",
        finding.message
    )
}

/// What one policy finds wrong with a request, and what it notes for the audit log.
fn findings(
    server: &ApiServer,
    subject: &Subject<'_>,
    hook: &Hook,
    notes: &mut Vec<(String, String)>,
) -> Vec<Finding> {
    let policy = &hook.policy;
    let ignore = policy.object.str_at("spec.failurePolicy") == "Ignore";
    let failed = |message: String| {
        (!ignore).then(|| Finding {
            message,
            index: 0,
            reason: String::new(),
        })
    };
    let evaluation = Evaluation::new(server, subject, hook);
    match evaluation.applies() {
        Ok(true) => {}
        Ok(false) => return Vec::new(),
        Err(why) => return failed(why).into_iter().collect(),
    }
    let mut out = Vec::new();
    let specs = policy.object.list_at("spec.validations");
    for (i, (program, message)) in policy.validations.iter().enumerate() {
        let spec = specs.get(i).unwrap_or(api::NULL);
        match evaluation.value(program) {
            Ok(Val::Bool(true)) => {}
            Err(why) => out.extend(failed(why)),
            Ok(_) => out.push(Finding {
                message: message_of(&evaluation, spec, message.as_ref(), program),
                index: i,
                reason: spec.str("reason").to_owned(),
            }),
        }
    }
    // An annotation that cannot be made counts like a condition that cannot be evaluated.
    for (key, program) in &policy.annotations {
        match evaluation.value(program) {
            Err(why) => out.extend(failed(why)),
            Ok(value) => match value.as_str().map(str::trim) {
                None | Some("") => {}
                Some(text) => annotate(notes, format!("{}/{key}", policy.object.name()), text),
            },
        }
    }
    out
}

/// Adds a policy's own note; what several bindings make of one stands in a row.
fn annotate(notes: &mut Vec<(String, String)>, key: String, text: &str) {
    match notes.iter_mut().find(|(noted, _)| *noted == key) {
        None => notes.push((key, text.to_owned())),
        Some((_, noted)) if noted.split(", ").any(|part| part == text) => {}
        Some((_, noted)) => noted.push_str(&format!(", {text}")),
    }
}

/// What is said where a condition does not hold.
fn message_of(
    evaluation: &Evaluation<'_>,
    spec: &Value,
    expression: Option<&Program>,
    condition: &Program,
) -> String {
    let made = expression.and_then(|program| evaluation.value(program).ok());
    let made = made.as_ref().and_then(Val::as_str).unwrap_or("").trim();
    if !made.is_empty() && made.len() <= MAX_MESSAGE && !made.contains('\n') {
        return made.to_owned();
    }
    match spec.str("message").trim() {
        "" => format!("failed expression: {}", condition.source().trim()),
        message => message.to_owned(),
    }
}
