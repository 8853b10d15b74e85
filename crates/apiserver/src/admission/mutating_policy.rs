//! MutatingAdmissionPolicies: objects are changed on their way in, by what expressions in CEL give.
//!
//! Models apiserver/pkg/admission/plugin/policy/mutating.

use api::kinds::Kind;
use api::patch::apply_json_patch;
use api::{Status, Value};

use super::Plugin;
use super::policy::{Evaluation, Hook, Subject, denied, hooks};
use crate::server::ApiServer;
use crate::write::{Deed, Write};

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "MutatingAdmissionPolicy",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if server.policies.is_empty(false) || matches!(write.deed, Deed::Scale(_)) {
        return Ok(());
    }
    let subject = Subject::new(server, write, Some(object), old);
    let (hooks, wrong) = hooks(server, &subject, false);
    let mut errors = Vec::new();
    let mut fail = |policy: &Value, binding: &Value, why: String| {
        if policy.str_at("spec.failurePolicy") != "Ignore" {
            let (policy, binding) = (policy.name(), binding.name());
            errors.push(format!(
                "policy '{policy}' with binding '{binding}' denied request: {why}"
            ));
        }
    };
    for one in &wrong {
        let why = format!("failed to configure binding: {}", one.why);
        fail(
            &one.policy.object,
            one.binding.as_ref().unwrap_or(api::NULL),
            why,
        );
    }
    let before = subject.object.clone();
    let mut changed = before.clone();
    for hook in &hooks {
        match mutated(server, &subject, hook, &changed) {
            Ok(new) => changed = new,
            Err(why) => fail(&hook.policy.object, &hook.binding, why),
        }
    }
    if !errors.is_empty() {
        let mut status = denied(write, &errors, "Invalid");
        status.message = errors.swap_remove(0);
        return Err(status);
    }
    if !changed.same(&before) {
        *object = match write.kind.view {
            Some(view) => (view.store)(&changed),
            None => changed,
        };
    }
    Ok(())
}

/// An object with one policy's mutations.
fn mutated(
    server: &ApiServer,
    subject: &Subject<'_>,
    hook: &Hook,
    object: &Value,
) -> Result<Value, String> {
    let mut evaluation = Evaluation::new(server, subject, hook);
    evaluation.set_object(object);
    if !evaluation.applies()? {
        return Ok(object.clone());
    }
    let mut object = object.clone();
    let specs = hook.policy.object.list_at("spec.mutations");
    for (spec, program) in specs.iter().zip(&hook.policy.mutations) {
        let patch = evaluation.value(program)?.to_value();
        object = patched(server, subject, spec.str("patchType"), &object, &patch)?;
        evaluation.set_object(&object);
    }
    Ok(object)
}

/// An object with one mutation, read again and completed.
fn patched(
    server: &ApiServer,
    subject: &Subject<'_>,
    patch_type: &str,
    object: &Value,
    patch: &Value,
) -> Result<Value, String> {
    let kind = subject.write.kind;
    let merged = match patch_type {
        "JSONPatch" => apply_json_patch(object, patch)
            .map_err(|error| format!("JSON Patch: {}", error.status().message))?,
        _ => server
            .overlaid(kind, object, patch)
            .map_err(|why| format!("error applying patch: {why}"))?,
    };
    reread(server, kind, &merged).map_err(|why| format!("error applying patch: {why}"))
}

/// An object that somebody has patched, read again and completed.
pub(super) fn reread(server: &ApiServer, kind: &Kind, patched: &Value) -> Result<Value, String> {
    let decoded = kind.decode(&server.schemas, patched);
    if let Some(why) = decoded.error {
        return Err(why.to_string());
    }
    let mut new = decoded.value;
    kind.default(&mut new);
    Ok(new)
}
