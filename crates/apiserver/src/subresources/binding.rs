//! Tying a pod to a node.
//!
//! Models assignPod of pkg/registry/core/pod/storage/storage.go.

use api::kinds::{self, Kind};
use api::{Status, Value, object, status};
use sim::Instant;

use crate::consult::Then;
use crate::decode::{Validation, decode};
use crate::effect::Cx;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Write};

impl ApiServer {
    /// A scheduler, or a person, ties a pod to a node.
    pub(crate) fn begin_bind(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        pods: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let binding = kinds::find("", "v1", "bindings").ok_or_else(status::path_not_found)?;
        let decoded = decode(
            &self.schemas,
            binding,
            &ask.request,
            Validation::of(&ask.query)?,
        )?;
        let target = decoded.object;
        let mut errors = Vec::new();
        (binding.validate)(&target, &mut errors);
        if !errors.is_empty() {
            return Err(status::invalid("", "Binding", target.name(), &errors));
        }
        let mut write = Write::of(cx, ask, pods, resource, Deed::Bind(target.clone()));
        if write.name.is_empty() {
            write.name = target.name().into();
        }
        if write.name.as_str() != target.name() {
            return Err(status::bad_request(
                "name in URL does not match name in Binding object",
            ));
        }
        write.subresource = "binding";
        write.warnings.extend(decoded.warnings);
        let then = Then::Bind(write.clone());
        self.begin_below(cx, &write, "binding", &target, then);
        Ok(())
    }
}

/// The pod on its node.
pub(crate) fn bind(
    write: &Write,
    binding: &Value,
    old: &Value,
    now: Instant,
) -> Result<Value, Status> {
    let refuse = |why: String| {
        let mut status = status::conflict("", "pods/binding", &write.name, why);
        status.details.set("kind", "pods/binding");
        status
    };
    let name = &write.name;
    if !binding.uid().is_empty() && binding.uid() != old.uid() {
        return Err(refuse(format!(
            "Precondition failed: UID in precondition: {}, UID in object meta: {}",
            binding.uid(),
            old.uid()
        )));
    }
    if old.is_terminating() {
        return Err(refuse(format!(
            "pod {name} is being deleted, cannot be assigned to a host"
        )));
    }
    let node = old.str_at("spec.nodeName");
    if !node.is_empty() {
        return Err(refuse(format!(
            "pod {name} is already assigned to node {node:?}"
        )));
    }
    if !old.list_at("spec.schedulingGates").is_empty() {
        return Err(refuse(format!(
            "pod {name} has non-empty .spec.schedulingGates"
        )));
    }
    let mut pod = old.clone();
    pod.set("spec.nodeName", binding.at("target.name"));
    for (key, value) in binding.annotations().iter() {
        pod.set_path(&["metadata", "annotations", key], value);
    }
    // What it was promised is of no meaning any more.
    pod.remove("status.nominatedNodeName");
    set_scheduled(&mut pod, now);
    Ok(pod)
}

/// The condition that says that a node was found.
fn set_scheduled(pod: &mut Value, now: Instant) {
    let conditions = pod.list_mut("status.conditions");
    let old = conditions
        .iter()
        .position(|one| one.str("type") == "PodScheduled");
    if old.is_some_and(|at| conditions[at].str("status") == "True") {
        return;
    }
    let condition = object! {
        "type": "PodScheduled",
        "status": "True",
        "lastProbeTime": Value::Null,
        "lastTransitionTime": now.rfc3339(),
    };
    match old {
        Some(at) => conditions[at] = condition,
        None => conditions.push(condition),
    }
}

/// The answer to a binding.
pub(crate) fn done() -> Value {
    object! {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
}
