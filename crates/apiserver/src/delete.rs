//! Deleting objects: at once, after a grace period, or when their finalizers are gone.
//!
//! Models apiserver/pkg/registry/rest/delete.go and the deletion side of generic/registry/store.go.

use api::kinds::Kind;
use api::{FieldError, Status, Value, body_value, status};
use sim::{Duration, Instant};

use crate::admission;
use crate::cache::Entry;
use crate::effect::Cx;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::subresources::eviction;
use crate::write::{Deed, Plan, Write};

/// The finalizers by which a propagation policy is carried out.
const ORPHAN: &str = "orphan";
const FOREGROUND: &str = "foregroundDeletion";

/// How to delete.
#[derive(Clone, Debug, Default)]
pub(crate) struct DeleteOptions {
    /// The grace period asked for, in seconds.
    pub(crate) grace_period_secs: Option<i64>,
    /// `Orphan`, `Background`, `Foreground`, or empty.
    pub(crate) propagation: String,
    /// The old way to ask for `Orphan` or `Background`.
    pub(crate) orphan_dependents: Option<bool>,
    /// Only the object of this uid; empty for any.
    pub(crate) uid: String,
    /// Only at this version; empty for any.
    pub(crate) resource_version: String,
    /// Ask, do not do.
    pub(crate) dry_run: bool,
}

impl DeleteOptions {
    /// Reads a request's options, from its body or else from its query.
    pub(crate) fn of(ask: &Ask) -> Result<DeleteOptions, Status> {
        let body = body_value(&ask.request.body)
            .map_err(|error| status::bad_request(error.message.to_string()))?;
        let query = &ask.query;
        let mut options = match &body {
            Value::Null => DeleteOptions {
                grace_period_secs: query.grace_period_secs,
                propagation: query.propagation_policy.clone(),
                orphan_dependents: query.orphan_dependents,
                ..DeleteOptions::default()
            },
            body => DeleteOptions::of_object(body),
        };
        options.dry_run |= !query.dry_run.is_empty();
        options.check()?;
        Ok(options)
    }

    /// Reads a DeleteOptions object.
    pub(crate) fn of_object(object: &Value) -> DeleteOptions {
        DeleteOptions {
            grace_period_secs: object.get("gracePeriodSeconds").as_i64(),
            propagation: object.str("propagationPolicy").to_owned(),
            orphan_dependents: object.get("orphanDependents").as_bool(),
            uid: object.str_at("preconditions.uid").to_owned(),
            resource_version: object.str_at("preconditions.resourceVersion").to_owned(),
            dry_run: !object.get("dryRun").list().is_empty(),
        }
    }

    fn check(&self) -> Result<(), Status> {
        let policies = ["Background", "Foreground", "Orphan"];
        let policy = self.propagation.as_str();
        let mut errors = Vec::new();
        if !policy.is_empty() && !policies.contains(&policy) {
            let known = ["Foreground", "Background", "Orphan", "nil"];
            errors.push(FieldError::not_supported(
                "propagationPolicy",
                policy,
                &known,
            ));
        }
        if !policy.is_empty() && self.orphan_dependents.is_some() {
            errors.push(FieldError::invalid(
                "propagationPolicy",
                policy,
                "orphanDependents and deletionPropagation cannot be both set",
            ));
        }
        if self.grace_period_secs.is_some_and(|secs| secs < 0) {
            // A negative period means the shortest one there is.
            return Ok(());
        }
        if errors.is_empty() {
            return Ok(());
        }
        Err(status::invalid("meta.k8s.io", "DeleteOptions", "", &errors))
    }

    fn grace(&self) -> Option<i64> {
        self.grace_period_secs
            .map(|secs| if secs < 0 { 1 } else { secs })
    }
}

impl ApiServer {
    /// A client wants an object deleted.
    pub(crate) fn begin_delete(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let options = DeleteOptions::of(ask)?;
        let dry_run = options.dry_run;
        let mut write = Write::of(cx, ask, kind, resource, Deed::Delete(options));
        write.dry_run |= dry_run;
        self.attempt(cx, write);
        Ok(())
    }

    /// Plans a deletion.
    pub(crate) fn plan_delete(
        &mut self,
        cx: &mut Cx<'_>,
        write: &mut Write,
    ) -> Result<Plan, Status> {
        let (options, evicts) = match &write.deed {
            Deed::Delete(options) => (options.clone(), false),
            Deed::Evict(options) => (options.clone(), true),
            _ => unreachable!("a deletion"),
        };
        let cache = &self.resources.get(write.resource).cache;
        let Some(old) = cache.get(&write.key()).cloned() else {
            return Err(write.not_found());
        };
        check_preconditions(write, &options, &old)?;
        admission::validate_delete(self, write, &old.value)?;
        let kind = write.stored_kind();
        let plan = if kind.kind == "Namespace" {
            plan_namespace(cx, write, &old)?
        } else {
            plan_object(cx, kind, &options, &old)
        };
        Ok(if evicts { evicted(cx, plan) } else { plan })
    }
}

/// The plan of a deletion as that of an eviction: the pod says why it goes, the answer is another.
fn evicted(cx: &Cx<'_>, plan: Plan) -> Plan {
    let answer = eviction::done();
    match plan {
        Plan::Put {
            mut object,
            expected,
            ..
        } => {
            eviction::mark(&mut object, cx.now);
            Plan::Put {
                object,
                expected,
                code: 201,
                answer: Some(answer),
            }
        }
        Plan::Remove { expected, .. } => Plan::Remove { expected, answer },
        Plan::Nothing { .. } => Plan::Nothing { code: 201, answer },
        charge @ Plan::Charge(_) => charge,
    }
}

fn check_preconditions(write: &Write, options: &DeleteOptions, old: &Entry) -> Result<(), Status> {
    let version = old.value.resource_version();
    let checks = [
        ("UID", &options.uid, old.value.uid()),
        ("ResourceVersion", &options.resource_version, version),
    ];
    for (what, wanted, found) in checks {
        if !wanted.is_empty() && wanted != found {
            let why = format!(
                "Precondition failed: {what} in precondition: {wanted}, {what} in object meta: \
                 {found}"
            );
            return Err(write.conflict(why));
        }
    }
    Ok(())
}

/// A namespace goes when its content has: its deletion only begins here.
fn plan_namespace(cx: &Cx<'_>, write: &Write, old: &Entry) -> Result<Plan, Status> {
    let mut object = old.value.clone();
    if old.value.is_terminating() {
        if old.value.list_at("spec.finalizers").is_empty() && old.value.finalizers().is_empty() {
            return Ok(Plan::Remove {
                expected: old.revision,
                answer: object,
            });
        }
        return Err(write.conflict(
            "The system is ensuring all content is removed from this namespace.  Upon completion, \
             this namespace will automatically be purged by the system.",
        ));
    }
    object.set("metadata.deletionTimestamp", cx.now.rfc3339());
    object.set("status.phase", "Terminating");
    Ok(Plan::Put {
        object,
        expected: old.revision,
        code: 200,
        answer: None,
    })
}

fn plan_object(cx: &Cx<'_>, kind: &Kind, options: &DeleteOptions, old: &Entry) -> Plan {
    let mut object = old.value.clone();
    let graceful = begin_grace(cx.now, kind, options, &mut object);
    set_finalizers(kind, options, &mut object);
    if !old.value.is_terminating() {
        (kind.prepare_for_delete)(&mut object, &cx.now.rfc3339());
    }
    let pending = matches!(graceful, Grace::Pending);
    if pending && object.finalizers() == old.value.finalizers() {
        return Plan::Nothing {
            code: 200,
            answer: old.value.clone(),
        };
    }
    let at_once = matches!(graceful, Grace::None);
    if at_once && object.finalizers().is_empty() {
        return Plan::Remove {
            expected: old.revision,
            answer: gone(kind, &object),
        };
    }
    if at_once && !object.is_terminating() {
        object.set("metadata.deletionTimestamp", cx.now.rfc3339());
        object.set("metadata.deletionGracePeriodSeconds", 0);
        count_generation(&mut object);
    }
    if object.same(&old.value) {
        return Plan::Nothing {
            code: 200,
            answer: object,
        };
    }
    Plan::Put {
        object,
        expected: old.revision,
        code: 200,
        answer: None,
    }
}

/// What the grace period comes to.
enum Grace {
    /// There is none, or it is over.
    None,
    /// It begins now, or was made shorter.
    Begun,
    /// It runs already.
    Pending,
}

fn begin_grace(now: Instant, kind: &Kind, options: &DeleteOptions, object: &mut Value) -> Grace {
    let Some(period) = kind.grace_period else {
        return Grace::None;
    };
    let running = object.metadata().get("deletionGracePeriodSeconds").as_i64();
    if let Some(running) = running.filter(|_| object.is_terminating()) {
        let wanted = options.grace();
        return match wanted {
            _ if running == 0 => Grace::None,
            Some(secs) if secs < running => {
                let begun = Instant::parse_rfc3339(object.deletion_timestamp().unwrap_or(""));
                let began = begun.map_or(0, Instant::as_nanos);
                let nanos = began.saturating_sub(running as u64 * 1_000_000_000);
                let until = Instant::from_nanos(nanos) + Duration::from_secs(secs as u64);
                object.set("metadata.deletionTimestamp", until.rfc3339());
                object.set("metadata.deletionGracePeriodSeconds", secs);
                match secs {
                    0 => Grace::None,
                    _ => Grace::Begun,
                }
            }
            _ => Grace::Pending,
        };
    }
    let secs = period(object, options.grace());
    if secs == 0 {
        return Grace::None;
    }
    let until = now + Duration::from_secs(secs as u64);
    object.set("metadata.deletionTimestamp", until.rfc3339());
    object.set("metadata.deletionGracePeriodSeconds", secs);
    count_generation(object);
    Grace::Begun
}

fn count_generation(object: &mut Value) {
    if object.generation() > 0 {
        object.set("metadata.generation", object.generation() + 1);
    }
}

/// Adds and removes the finalizers by which the garbage collector learns what to do with dependents.
fn set_finalizers(kind: &Kind, options: &DeleteOptions, object: &mut Value) {
    let policy = match (options.propagation.as_str(), options.orphan_dependents) {
        ("", Some(true)) => "Orphan",
        ("", Some(false)) => "Background",
        ("", None) if object.has_finalizer(ORPHAN) => "Orphan",
        ("", None) if object.has_finalizer(FOREGROUND) => "Foreground",
        ("", None) => kind.propagation,
        (policy, _) => policy,
    };
    let wanted = match policy {
        "Orphan" => Some(ORPHAN),
        "Foreground" => Some(FOREGROUND),
        _ => None,
    };
    let mut finalizers: Vec<Value> = object.finalizers().to_vec();
    finalizers.retain(|one| {
        let name = one.as_str();
        (name != ORPHAN && name != FOREGROUND) || Some(name) == wanted
    });
    if let Some(wanted) = wanted
        && !finalizers.iter().any(|one| one.as_str() == wanted)
    {
        finalizers.push(wanted.into());
    }
    object.set_or_remove("metadata.finalizers", Value::list_of(finalizers));
}

/// The answer when an object is gone: itself for some kinds, else that it worked.
fn gone(kind: &Kind, object: &Value) -> Value {
    const SHOWN: [&str; 7] = [
        "Pod",
        "Service",
        "ServiceAccount",
        "PersistentVolume",
        "PersistentVolumeClaim",
        "PodTemplate",
        "ResourceQuota",
    ];
    if SHOWN.contains(&kind.kind) && kind.group.is_empty() {
        return object.clone();
    }
    status::success(kind.group, kind.plural, object.name(), object.uid())
}
