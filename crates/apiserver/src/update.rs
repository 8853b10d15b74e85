//! Changing objects: replaced, patched, bound, scaled. All come to a new object in place of the old.
//!
//! Models apiserver/pkg/registry/rest/update.go and the update handler.

use api::kinds::Kind;
use api::{FieldError, Status, Value, status};

use crate::admission;
use crate::authz::escalation;
use crate::cache::Entry;
use crate::create::match_namespace;
use crate::decode::{Validation, decode};
use crate::effect::Cx;
use crate::list::version;
use crate::managed::{check_options, is_apply};
use crate::requester;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::subresources::{binding, eviction, scale};
use crate::write::{Deed, Plan, Write};

impl ApiServer {
    /// A client wants an object replaced, or the part of it that a subresource covers.
    pub(crate) fn begin_update(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
        subresource: &'static str,
    ) -> Result<(), Status> {
        check_options(ask, "UpdateOptions", None)?;
        let decoded = decode(
            &self.schemas,
            kind,
            &ask.request,
            Validation::of(&ask.query)?,
        )?;
        let mut object = decoded.object;
        match_namespace(kind, &mut object, &ask.info.namespace)?;
        match object.name() {
            "" => object.set("metadata.name", ask.info.name.as_str()),
            name if name == ask.info.name => {}
            name => {
                return Err(status::bad_request(format!(
                    "the name of the object ({name}) does not match the name on the URL ({})",
                    ask.info.name
                )));
            }
        }
        self.audit.brought(ask.from, &object);
        let mut write = Write::of(cx, ask, kind, resource, Deed::Replace(object));
        write.subresource = subresource;
        write.warnings.extend(decoded.warnings);
        self.attempt(cx, write);
        Ok(())
    }

    /// Plans a change.
    pub(crate) fn plan_update(
        &mut self,
        cx: &mut Cx<'_>,
        write: &mut Write,
    ) -> Result<Plan, Status> {
        let key = write.key();
        let Some(old) = self.resources.get(write.resource).cache.get(&key).cloned() else {
            return self.plan_missing(cx, write);
        };
        let mut new = self.changed(cx, write, &old)?;
        let kind = write.judging_kind();
        check_preconditions(kind, write, &new, &old)?;
        new.set(
            "metadata.resourceVersion",
            old.value.metadata().get("resourceVersion"),
        );
        if let Deed::Bind(_) = write.deed {
            // A binding is the server's own change of the pod: there is nothing to check.
            let answer = Some(binding::done());
            return Ok(Plan::Put {
                object: new,
                expected: old.revision,
                code: 201,
                answer,
            });
        }
        self.track(cx, write, &mut new, Some(&old.value));
        admission::mutate(self, write, &mut new, Some(&old.value))?;
        kind.prepare_for_update(&mut new, &old.value, write.subresource);
        requester::stamp(kind, &mut new, cx.now);
        escalation::check(self, write, &new, Some(&old.value))?;
        let errors = kind.validate_update(&new, &old.value, write.subresource);
        if !errors.is_empty() {
            return Err(status::invalid(kind.group, kind.kind, new.name(), &errors));
        }
        admission::validate(self, write, &new, Some(&old.value))?;
        if let Some(charge) = admission::charge(self, cx.now, write, &new, Some(&old.value))? {
            return Ok(Plan::Charge(charge));
        }
        self.allocate(write, &mut new, Some(&old.value))?;
        if new.same(&old.value) {
            let answer = match write.subresource {
                "scale" => scale::of(write.kind, &old.value),
                _ => new,
            };
            return Ok(Plan::Nothing { code: 200, answer });
        }
        if is_gone(kind, &new) {
            return Ok(Plan::Remove {
                expected: old.revision,
                answer: new,
            });
        }
        Ok(Plan::Put {
            object: new,
            expected: old.revision,
            code: 200,
            answer: None,
        })
    }

    /// What the object becomes, before anything is checked.
    fn changed(
        &mut self,
        cx: &mut Cx<'_>,
        write: &mut Write,
        old: &Entry,
    ) -> Result<Value, Status> {
        match write.deed.clone() {
            Deed::Replace(new) => Ok(new),
            Deed::Patch(patch) => self.patched(cx, write, &patch, Some(&old.value)),
            Deed::Bind(target) => binding::bind(write, &target, &old.value, cx.now),
            Deed::Scale(by) => scale::scaled(&self.schemas, write, &by, old),
            Deed::Charge(amounts) => admission::charged(write, &old.value, &amounts),
            Deed::Disrupt(pod) => eviction::disrupted(&old.value, &pod, cx.now),
            Deed::Create(_) | Deed::Delete(_) | Deed::Evict(_) => unreachable!("a change"),
        }
    }

    /// The object to change does not exist: some kinds are created then.
    fn plan_missing(&mut self, cx: &mut Cx<'_>, write: &mut Write) -> Result<Plan, Status> {
        let kind = write.stored_kind();
        if !write.subresource.is_empty() {
            return Err(write.not_found());
        }
        let mut object = match write.deed.clone() {
            Deed::Replace(object) if kind.create_on_update => object,
            Deed::Patch(patch) if is_apply(write) => self.patched(cx, write, &patch, None)?,
            _ => return Err(write.not_found()),
        };
        if !object.resource_version().is_empty() && object.resource_version() != "0" {
            return Err(write.not_found());
        }
        match_namespace(kind, &mut object, &write.namespace)?;
        self.complete(cx, write, &mut object)?;
        if let Some(charge) = admission::charge(self, cx.now, write, &object, None)? {
            return Ok(Plan::Charge(charge));
        }
        self.allocate(write, &mut object, None)?;
        Ok(Plan::Put {
            object,
            expected: 0,
            code: 201,
            answer: None,
        })
    }
}

/// Refuses a change of another object than the client saw.
fn check_preconditions(kind: &Kind, write: &Write, new: &Value, old: &Entry) -> Result<(), Status> {
    let (wanted, found) = (new.uid(), old.value.uid());
    // Only who replaces an object says by its uid which one is meant.
    let replaces = matches!(write.deed, Deed::Replace(_));
    if replaces && !wanted.is_empty() && wanted != found {
        let why = format!(
            "StorageError: invalid object, Code: 4, Key: /registry/{}/{}, ResourceVersion: 0, \
             AdditionalErrorMsg: Precondition failed: UID in precondition: {wanted}, UID in object \
             meta: {found}",
            kind.storage, old.key
        );
        return Err(write.conflict(why));
    }
    match new.resource_version() {
        "" | "0" if kind.unconditional_update || !replaces => Ok(()),
        "" | "0" => {
            let error = FieldError::invalid(
                "metadata.resourceVersion",
                0_i64,
                "must be specified for an update",
            );
            Err(status::invalid(
                kind.group,
                kind.kind,
                &write.name,
                &[error],
            ))
        }
        text if version(text)? != old.revision => {
            Err(status::outdated(kind.group, kind.plural, &write.name))
        }
        _ => Ok(()),
    }
}

/// Whether an object whose deletion has begun has nothing left to wait for.
pub(crate) fn is_gone(kind: &Kind, object: &Value) -> bool {
    let waits = object
        .metadata()
        .get("deletionGracePeriodSeconds")
        .as_i64()
        .unwrap_or(0)
        > 0;
    let namespace = kind.kind == "Namespace" && !object.list_at("spec.finalizers").is_empty();
    object.is_terminating() && object.finalizers().is_empty() && !waits && !namespace
}
