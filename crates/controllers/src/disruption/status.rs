//! What a budget's status says.
//! Models updatePdbStatus and failSafe of pkg/controller/disruption/disruption.go and
//! k8s.io/component-helpers/apps/poddisruptionbudget/helpers.go.

use api::{Value, object};
use client::POD_DISRUPTION_BUDGETS;
use sim::Instant;

use super::expected::Expected;
use crate::controller::Cx;

const TYPE: &str = "DisruptionAllowed";

/// Writes what was counted, if it is news.
pub(super) fn update(
    cx: &mut Cx<'_>,
    budget: &Value,
    expected: Expected,
    healthy: usize,
    disrupted: Vec<(&str, Instant)>,
) {
    let healthy = i64::try_from(healthy).unwrap_or(i64::MAX);
    // Where no pods are expected the first ones would come before this status is counted anew.
    let allowed = match expected.pods {
        ..=0 => 0,
        _ => (healthy - expected.healthy).max(0),
    };
    let mut status = object! {
        "currentHealthy": healthy,
        "desiredHealthy": (expected.healthy),
        "expectedPods": (expected.pods),
        "disruptionsAllowed": allowed,
        "observedGeneration": (budget.generation()),
    };
    let mut map = Value::empty_map();
    for (name, since) in disrupted {
        map.set_path(&[name], since.rfc3339());
    }
    status.set_or_remove("disruptedPods", map);
    let reason = match allowed {
        0 => "InsufficientPods",
        _ => "SufficientPods",
    };
    let verdict = Verdict {
        reason,
        holds: allowed > 0,
        message: "",
        generation: budget.generation(),
    };
    status.set("conditions", conditions(cx.now, budget, &verdict));
    write(cx, budget, status);
}

/// Allows nothing, since nobody could count.
pub(super) fn fail(cx: &mut Cx<'_>, budget: &Value, why: &str) {
    let mut status = budget.get("status").clone();
    status.set("disruptionsAllowed", 0);
    let verdict = Verdict {
        reason: "SyncFailed",
        holds: false,
        message: why,
        generation: status.i64_at("observedGeneration").unwrap_or(0),
    };
    status.set("conditions", conditions(cx.now, budget, &verdict));
    write(cx, budget, status);
}

fn write(cx: &mut Cx<'_>, budget: &Value, status: Value) {
    if !budget.get("status").same(&status) {
        let mut budget = budget.clone();
        budget.set("status", status);
        cx.update_status(&POD_DISRUPTION_BUDGETS, budget);
    }
}

struct Verdict<'a> {
    reason: &'static str,
    holds: bool,
    message: &'a str,
    generation: i64,
}

/// The conditions with this verdict; its time changes when its status does.
fn conditions(now: Instant, budget: &Value, verdict: &Verdict<'_>) -> Value {
    let known = budget.list_at("status.conditions");
    let old = known.iter().find(|one| one.str("type") == TYPE);
    let status = if verdict.holds { "True" } else { "False" };
    let since = old
        .filter(|old| old.str("status") == status)
        .map(|old| old.str("lastTransitionTime").to_owned());
    let mut condition = object! {
        "type": TYPE,
        "status": status,
        "reason": (verdict.reason),
        "message": (verdict.message),
        "lastTransitionTime": (since.unwrap_or_else(|| now.rfc3339())),
    };
    condition.set_or_remove("observedGeneration", verdict.generation);
    let mut all: Vec<Value> = known.to_vec();
    match all.iter_mut().find(|one| one.str("type") == TYPE) {
        Some(old) => *old = condition,
        None => all.push(condition),
    }
    Value::from(all)
}

/// What is told of pods that no controller answers for. The selector is written as Go prints it.
pub(super) fn unmanaged(selector: &Value) -> String {
    let labels: String = selector
        .map_at("matchLabels")
        .iter()
        .map(|(key, value)| format!("{key}: {},", value.as_str()))
        .collect();
    let requirement = |one: &Value| {
        let values: Vec<&str> = one.list_at("values").iter().map(Value::as_str).collect();
        format!(
            "LabelSelectorRequirement{{Key:{},Operator:{},Values:[{}],}},",
            one.str("key"),
            one.str("operator"),
            values.join(" ")
        )
    };
    let expressions = selector.list_at("matchExpressions");
    let expressions: String = expressions.iter().map(requirement).collect();
    format!(
        "Pods selected by this PodDisruptionBudget (selector: \
         &LabelSelector{{MatchLabels:map[string]string{{{labels}}},\
         MatchExpressions:[]LabelSelectorRequirement{{{expressions}}},}}) were found to be \
         unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may \
         result in undefined behavior. To account for these pods please set \
         \".spec.minAvailable\" field of the PDB to an integer value."
    )
}
