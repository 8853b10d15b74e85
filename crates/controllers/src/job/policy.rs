//! What a Job's policies say: which failures count, and which successes are enough.
//! Models pkg/controller/job/{pod_failure_policy,success_policy}.go.

use std::collections::BTreeSet;

use api::Value;

use super::indexes::parse_ranges;

/// What a failure of a pod means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// One more of those that are allowed.
    Count,
    /// Nothing: the pod is replaced.
    Ignore,
    /// The pod's index is not tried again.
    FailIndex,
    /// The Job has failed, with this message.
    FailJob(String),
}

/// What the first rule that fits says of a failed pod.
pub(super) fn verdict(job: &Value, pod: &Value) -> Verdict {
    if pod.str_at("status.phase") != "Failed" {
        return Verdict::Count;
    }
    let rules = job.list_at("spec.podFailurePolicy.rules");
    for (at, rule) in rules.iter().enumerate() {
        let action = rule.str("action");
        if action == "FailIndex" && !job.has("spec.backoffLimitPerIndex") {
            continue;
        }
        let found = on_exit_codes(rule.get("onExitCodes"), pod)
            .or_else(|| on_conditions(rule.list_at("onPodConditions"), pod));
        let Some(found) = found else { continue };
        return match action {
            "Ignore" => Verdict::Ignore,
            "FailIndex" => Verdict::FailIndex,
            "FailJob" => Verdict::FailJob(format!("{found} matching FailJob rule at index {at}")),
            _ => Verdict::Count,
        };
    }
    Verdict::Count
}

/// `Container c for pod default/p failed with exit code 3`, if a container ended as the rule says.
fn on_exit_codes(rule: &Value, pod: &Value) -> Option<String> {
    if rule.is_null() {
        return None;
    }
    let wanted = rule.str("containerName");
    let fits = |code: i64| {
        let listed = rule.list_at("values").iter();
        let listed = listed.filter_map(Value::as_i64).any(|known| known == code);
        listed == (rule.str("operator") == "In")
    };
    ["status.containerStatuses", "status.initContainerStatuses"]
        .into_iter()
        .flat_map(|list| pod.list_at(list))
        .filter(|container| wanted.is_empty() || container.str("name") == wanted)
        .find_map(|container| {
            let code = container.i64_at("state.terminated.exitCode")?;
            (code != 0 && fits(code)).then(|| {
                let (name, namespace) = (container.str("name"), pod.namespace());
                let pod = pod.name();
                format!("Container {name} for pod {namespace}/{pod} failed with exit code {code}")
            })
        })
}

/// `Pod default/p has condition DisruptionTarget`, if it has one of those of the rule.
fn on_conditions(patterns: &[Value], pod: &Value) -> Option<String> {
    let conditions = pod.list_at("status.conditions");
    let fits = |pattern: &&Value| {
        conditions.iter().any(|known| {
            known.get("type") == pattern.get("type") && known.get("status") == pattern.get("status")
        })
    };
    let pattern = patterns.iter().find(fits)?;
    let kind = pattern.str("type");
    let (namespace, name) = (pod.namespace(), pod.name());
    Some(format!("Pod {namespace}/{name} has condition {kind}"))
}

/// `Matched rules at index 0`, if what has succeeded is enough.
pub(super) fn success(job: &Value, succeeded: &BTreeSet<i64>) -> Option<String> {
    let most = job.i64_at("spec.completions").unwrap_or(0);
    let rules = job.list_at("spec.successPolicy.rules").iter();
    let at = rules.clone().position(|rule| {
        let count = rule.i64_at("succeededCount");
        let number = |set: usize| i64::try_from(set).unwrap_or(i64::MAX);
        if !rule.has("succeededIndexes") {
            return count.is_some_and(|count| number(succeeded.len()) >= count);
        }
        let wanted = parse_ranges(rule.str("succeededIndexes"), most);
        let done = wanted.intersection(succeeded).count();
        number(done) >= count.unwrap_or(number(wanted.len()))
    })?;
    Some(format!("Matched rules at index {at}"))
}
