//! Deleting a pod politely: only if its disruption budget allows it. The budget is charged first, by
//! a write of its own, so that two evictions never spend the same disruption; then the pod goes.
//!
//! Models pkg/registry/core/pod/storage/eviction.go.

use api::kinds::{Kind, find};
use api::selector::LabelSelector;
use api::status::Reason;
use api::{Status, Value, body_value, object, status};
use sim::Instant;

use crate::consult::Then;
use crate::create::SERVER;
use crate::delete::DeleteOptions;
use crate::effect::Cx;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Origin, Write};

/// A budget remembers at most so many evictions that its controller has not confirmed.
const MOST_DISRUPTED: usize = 2000;
const REFUSAL: &str = "Cannot evict pod as it would violate the pod's disruption budget.";
/// The kinds and conditions of a budget's status.
const ALLOWED: &str = "DisruptionAllowed";

impl ApiServer {
    /// A client asks for a pod's eviction.
    pub(crate) fn begin_evict(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let eviction = body_value(&ask.request.body)
            .map_err(|error| status::bad_request(error.message.to_string()))?;
        let name = eviction.name();
        if !name.is_empty() && name != ask.info.name {
            return Err(status::bad_request(
                "name in URL does not match name in Eviction object",
            ));
        }
        let options = DeleteOptions::of_object(eviction.get("deleteOptions"));
        let dry_run = options.dry_run;
        let mut write = Write::of(cx, ask, kind, resource, Deed::Evict(options));
        write.dry_run |= dry_run;
        let then = Then::Evict(write.clone());
        self.begin_below(cx, &write, "eviction", &eviction, then);
        Ok(())
    }

    /// Evicts a pod whose eviction is admitted.
    pub(crate) fn evict(&mut self, cx: &mut Cx<'_>, write: Box<Write>) -> Result<(), Status> {
        match self.budget_to_charge(&write)? {
            Some(budget) => self.charge(cx, write, &budget),
            None => self.attempt(cx, write),
        }
        Ok(())
    }

    /// The budget that has a say in a pod's eviction, if there is one.
    fn budget_to_charge(&self, write: &Write) -> Result<Option<Value>, Status> {
        let pods = &self.resources.get(write.resource).cache;
        let Some(entry) = pods.get(&write.key()) else {
            return Err(write.not_found());
        };
        let pod = &entry.value;
        if is_free(pod) {
            return Ok(None);
        }
        let Some(budgets) = self.resources.named("policy", "poddisruptionbudgets") else {
            return Ok(None);
        };
        let mut matching = crate::cache::in_namespace(budgets.cache.objects(), pod.namespace(), "")
            .map(|entry| &entry.value)
            .filter(|budget| selects(budget, pod));
        let Some(budget) = matching.next() else {
            return Ok(None);
        };
        if matching.next().is_some() {
            return Err(Status::new(
                500,
                Reason::Unknown,
                "This pod has more than one PodDisruptionBudget, which the eviction subresource \
                 does not support.",
            ));
        }
        Ok(Some(budget.clone()).filter(|budget| !ignores_unready(budget, pod)))
    }

    /// Takes one disruption from a budget; the eviction follows when that is done.
    fn charge(&mut self, cx: &mut Cx<'_>, eviction: Box<Write>, budget: &Value) {
        let kind = find("policy", "v1", "poddisruptionbudgets").expect("a built-in kind");
        let resource = self.resources.of_kind(kind).expect("it has objects");
        let charge = Write {
            manager: SERVER.into(),
            kind,
            resource,
            name: budget.name().into(),
            subresource: "status",
            deed: Deed::Disrupt(eviction.name.clone()),
            sent: None,
            origin: Origin::Eviction(eviction.clone()),
            ..*eviction
        };
        self.attempt(cx, Box::new(charge));
    }

    /// A budget was charged, or refused.
    pub(crate) fn charged(
        &mut self,
        cx: &mut Cx<'_>,
        eviction: &Write,
        result: Result<(u16, Value), Status>,
    ) {
        match result {
            Ok(_) => self.attempt(cx, Box::new(eviction.clone())),
            Err(status) => self.finish(cx, eviction, Err(status)),
        }
    }
}

/// Pods that have ended, were never started or are on their way out are nobody's business.
fn is_free(pod: &Value) -> bool {
    let idle = matches!(
        pod.str_at("status.phase"),
        "Succeeded" | "Failed" | "Pending"
    );
    idle || pod.is_terminating()
}

fn selects(budget: &Value, pod: &Value) -> bool {
    let selector = budget.at("spec.selector");
    !selector.is_null()
        && LabelSelector::from_object(selector).is_ok_and(|all| all.matches(pod.labels()))
}

/// Whether the budget lets an unready pod go without a charge.
fn ignores_unready(budget: &Value, pod: &Value) -> bool {
    let conditions = pod.list_at("status.conditions");
    let ready = |one: &Value| one.str("type") == "Ready" && one.str("status") == "True";
    if conditions.iter().any(ready) {
        return false;
    }
    let count = |field: &str| budget.get("status").i64_at(field).unwrap_or(0);
    match budget.str_at("spec.unhealthyPodEvictionPolicy") {
        "AlwaysAllow" => true,
        _ => {
            let desired = count("desiredHealthy");
            desired > 0 && count("currentHealthy") >= desired
        }
    }
}

/// The budget with one disruption less, which this pod takes.
pub(crate) fn disrupted(budget: &Value, pod: &str, now: Instant) -> Result<Value, Status> {
    let known = budget.get("status");
    let count = |field: &str| known.i64_at(field).unwrap_or(0);
    let name = budget.name();
    if count("observedGeneration") < budget.generation() {
        let why = format!("The disruption budget {name} is still being processed by the server.");
        return Err(refused(&why, 10));
    }
    let forbidden =
        |why: &str| status::forbidden("policy", "poddisruptionbudget", name, why.to_owned());
    let allowed = count("disruptionsAllowed");
    if allowed < 0 {
        return Err(forbidden("pdb disruptions allowed is negative"));
    }
    if known.map_at("disruptedPods").len() > MOST_DISRUPTED {
        return Err(forbidden(
            "DisruptedPods map too big - too many evictions not confirmed by PDB controller",
        ));
    }
    if allowed == 0 {
        let why = format!(
            "The disruption budget {name} needs {} healthy pods and has {} currently",
            count("desiredHealthy"),
            count("currentHealthy")
        );
        return Err(refused(&why, 0));
    }
    let mut budget = budget.clone();
    budget.set("status.disruptionsAllowed", allowed - 1);
    budget.set_path(&["status", "disruptedPods", pod], now.rfc3339());
    if allowed == 1 {
        let list = budget.list_mut("status.conditions");
        if let Some(one) = list.iter_mut().find(|one| one.str("type") == ALLOWED) {
            one.set("status", "False");
            one.set("reason", "InsufficientPods");
            one.set("lastTransitionTime", now.rfc3339());
        }
    }
    Ok(budget)
}

fn refused(why: &str, retry_after_secs: u32) -> Status {
    status::too_many_requests(REFUSAL, retry_after_secs).causes(vec![
        object! { "reason": "DisruptionBudget", "message": why },
    ])
}

/// Notes on a pod why it goes.
pub(crate) fn mark(pod: &mut Value, now: Instant) {
    let mut conditions: Vec<Value> = pod.list_at("status.conditions").to_vec();
    conditions.retain(|one| one.str("type") != "DisruptionTarget");
    conditions.push(object! {
        "type": "DisruptionTarget",
        "status": "True",
        "reason": "EvictionByEvictionAPI",
        "message": "Eviction API: evicting",
        "lastProbeTime": null,
        "lastTransitionTime": (now.rfc3339()),
    });
    pod.set("status.conditions", Value::from(conditions));
}

/// The answer to an eviction.
pub(crate) fn done() -> Value {
    object! {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Success",
        "code": 201,
    }
}
