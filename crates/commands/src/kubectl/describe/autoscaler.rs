//! `kubectl describe horizontalpodautoscaler`.

use api::Value;

use super::{date, head};

const UNKNOWN: &str = "<unknown>";

/// A HorizontalPodAutoscaler, without events.
pub(super) fn text(value: &Value) -> String {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let target = spec.get("scaleTargetRef");
    let mut text = head(value);
    let created = date(value.creation_timestamp());
    text.push_str(&format!("CreationTimestamp:\t{created}\n"));
    let (kind, name) = (target.str("kind"), target.str("name"));
    text.push_str(&format!("Reference:\t{kind}/{name}\n"));
    text.push_str("Metrics:\t( current / target )\n");
    for (at, metric) in spec.list_at("metrics").iter().enumerate() {
        text.push_str(&self::metric(metric, status.get("currentMetrics").item(at)));
    }
    let least = match spec.i64_at("minReplicas") {
        Some(least) => least.to_string(),
        None => "<unset>".to_owned(),
    };
    let most = spec.i64_at("maxReplicas").unwrap_or(0);
    text.push_str(&format!("Min replicas:\t{least}\nMax replicas:\t{most}\n"));
    if spec.has("behavior") {
        text.push_str("Behavior:\n");
        text.push_str(&direction("Scale Up", spec.at("behavior.scaleUp")));
        text.push_str(&direction("Scale Down", spec.at("behavior.scaleDown")));
    }
    let number = |field: &str| status.i64_at(field).unwrap_or(0);
    let (current, desired) = (number("currentReplicas"), number("desiredReplicas"));
    text.push_str(&format!(
        "{kind} pods:\t{current} current / {desired} desired\n"
    ));
    text + &conditions(status)
}

fn metric(metric: &Value, current: &Value) -> String {
    let field = match metric.str("type") {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        other => return format!("  <unknown metric type {other:?}>\n"),
    };
    let source = metric.get(field);
    let (target, now) = (source.get("target"), current.get(field).get("current"));
    let either = |field: &str| {
        let shown = match now.str(field) {
            "" => UNKNOWN,
            shown => shown,
        };
        format!("{shown} / {}", target.str(field))
    };
    let average = target.has("averageValue");
    let value = match average {
        true => either("averageValue"),
        false => either("value"),
    };
    let what = if average { "average value" } else { "value" };
    let name = source.str_at("metric.name");
    match field {
        "pods" => format!("  {name:?} on pods:\t{value}\n"),
        "external" => format!("  {name:?} (target {what}):\t{value}\n"),
        "object" => {
            let of = source.get("describedObject");
            let (kind, object) = (of.str("kind"), of.str("name"));
            format!("  {name:?} on {kind}/{object} (target {what}):\t{value}\n")
        }
        _ => {
            let of = match source.str("container") {
                "" => String::new(),
                container => format!(" of container {container:?}"),
            };
            let lead = format!("  resource {}{of} on pods", source.str("name"));
            if average {
                return format!("{lead}:\t{value}\n");
            }
            let shown = match now.i64_at("averageUtilization") {
                Some(percent) => format!("{percent}% ({})", now.str("averageValue")),
                None => UNKNOWN.to_owned(),
            };
            let target = match target.i64_at("averageUtilization") {
                Some(percent) => format!("{percent}%"),
                None => "<auto>".to_owned(),
            };
            format!("{lead}  (as a percentage of request):\t{shown} / {target}\n")
        }
    }
}

fn direction(title: &str, rules: &Value) -> String {
    if rules.is_null() {
        return String::new();
    }
    let mut text = format!("  {title}:\n");
    if let Some(window) = rules.i64_at("stabilizationWindowSeconds") {
        text.push_str(&format!("    Stabilization Window: {window} seconds\n"));
    }
    let policies = rules.list_at("policies");
    if !policies.is_empty() {
        let select = match rules.str("selectPolicy") {
            "" => "Max",
            select => select,
        };
        text.push_str(&format!("    Select Policy: {select}\n    Policies:\n"));
    }
    for policy in policies {
        text.push_str(&format!(
            "      - Type: {}\tValue: {}\tPeriod: {} seconds\n",
            policy.str("type"),
            policy.i64_at("value").unwrap_or(0),
            policy.i64_at("periodSeconds").unwrap_or(0)
        ));
    }
    text
}

fn conditions(status: &Value) -> String {
    let conditions = status.list_at("conditions");
    if conditions.is_empty() {
        return String::new();
    }
    let mut text = "Conditions:\n  Type\tStatus\tReason\tMessage\n  \
                    ----\t------\t------\t-------\n"
        .to_owned();
    for condition in conditions {
        let cells = ["type", "status", "reason", "message"].map(|key| condition.str(key));
        text.push_str(&format!("  {}\n", cells.join("\t")));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(given: Value, current: Value, expect: &str) {
        assert_eq!(
            metric(&given, &current).replace('\t', "|"),
            format!("  {expect}\n")
        );
    }

    #[test]
    fn metrics_are_told_in_words() {
        let cpu = |target: Value| {
            object! { "type": "Resource", "resource": { "name": "cpu", "target": target } }
        };
        let share = || object! { "type": "Utilization", "averageUtilization": 50 };
        let lead = "resource cpu on pods  (as a percentage of request)";
        check(
            cpu(share()),
            Value::Null,
            &format!("{lead}:|<unknown> / 50%"),
        );
        let now = object! { "averageUtilization": 20, "averageValue": "20m" };
        let now = object! { "type": "Resource", "resource": { "current": now } };
        check(cpu(share()), now, &format!("{lead}:|20% (20m) / 50%"));
        let average = object! { "type": "AverageValue", "averageValue": "100m" };
        check(
            cpu(average),
            Value::Null,
            "resource cpu on pods:|<unknown> / 100m",
        );
        let external = object! {
            "metric": { "name": "queue" }, "target": { "type": "Value", "value": "30" },
        };
        check(
            object! { "type": "External", "external": external },
            Value::Null,
            "\"queue\" (target value):|<unknown> / 30",
        );
    }
}
