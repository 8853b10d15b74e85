//! `kubectl describe poddisruptionbudget`.

use api::Value;

use super::selector;

/// A PodDisruptionBudget, without events.
pub(super) fn text(value: &Value) -> String {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    for (label, field) in [
        ("Min available", "minAvailable"),
        ("Max unavailable", "maxUnavailable"),
    ] {
        let shown = match spec.get(field) {
            Value::Null => continue,
            Value::Str(share) => share.to_string(),
            count => count.to_json(),
        };
        text.push_str(&format!("{label}:\t{shown}\n"));
    }
    let shown = match spec.get("selector") {
        Value::Null => "<unset>".to_owned(),
        labels => selector(labels),
    };
    text.push_str(&format!("Selector:\t{shown}\nStatus:\n"));
    for (label, field) in [
        ("Allowed disruptions", "disruptionsAllowed"),
        ("Current", "currentHealthy"),
        ("Desired", "desiredHealthy"),
        ("Total", "expectedPods"),
    ] {
        let count = status.i64_at(field).unwrap_or(0);
        text.push_str(&format!("    {label}:\t{count}\n"));
    }
    text
}
