//! HorizontalPodAutoscaler of autoscaling/v1: the stored object with the share of the CPU as its
//! only metric.
//!
//! Models pkg/apis/autoscaling/v1/{conversion,defaults}.go.

use super::{Kind, Subresource, View, horizontalpodautoscaler as v2};
use crate::{Value, object};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "horizontalpodautoscalers",
    singular: "horizontalpodautoscaler",
    short_names: &["hpa"],
    categories: &["all"],
    subresources: &[Subresource::status("HorizontalPodAutoscaler")],
    schema: "io.k8s.api.autoscaling.v1.HorizontalPodAutoscaler",
    storage: "horizontalpodautoscalers",
    view: Some(View {
        of: &v2::KIND,
        store,
        load,
    }),
    defaults: |scaler| {
        if !scaler.has("spec.minReplicas") {
            scaler.set("spec.minReplicas", 1);
        }
        if !scaler.has(SHARE) {
            scaler.set(SHARE, 80);
        }
    },
    columns: v2::COLUMNS,
    row: |scaler, now| v2::row(&store(scaler), now),
    sample: SAMPLE,
    ..Kind::plain("autoscaling", "v1", "HorizontalPodAutoscaler")
};

const SHARE: &str = "spec.targetCPUUtilizationPercentage";

const SAMPLE: &str = "
apiVersion: autoscaling/v1
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  maxReplicas: 3
  targetCPUUtilizationPercentage: 80
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
";

/// What the older version has no fields for is kept in annotations.
const METRICS: &str = "autoscaling.alpha.kubernetes.io/metrics";
const CURRENT: &str = "autoscaling.alpha.kubernetes.io/current-metrics";
const CONDITIONS: &str = "autoscaling.alpha.kubernetes.io/conditions";
const BEHAVIOR: &str = "autoscaling.alpha.kubernetes.io/behavior";

fn store(scaler: &Value) -> Value {
    let mut stored = scaler.clone();
    stored.set("apiVersion", "autoscaling/v2");
    let mut kept = |key: &str| {
        let text = scaler.annotation(key).as_bytes();
        stored.remove_path(&["metadata", "annotations", key]);
        Value::from_json(text).ok()
    };
    let (metrics, current) = (kept(METRICS), kept(CURRENT));
    let (conditions, behavior) = (kept(CONDITIONS), kept(BEHAVIOR));
    if stored.map_at("metadata.annotations").is_empty() {
        stored.remove("metadata.annotations");
    }
    let mut all: Vec<Value> = Vec::new();
    if let Some(share) = stored.remove(SHARE) {
        let target = object! { "type": "Utilization", "averageUtilization": share };
        all.push(object! {
            "type": "Resource",
            "resource": { "name": "cpu", "target": target },
        });
    }
    stored.remove("status.currentCPUUtilizationPercentage");
    all.extend(metrics.iter().flat_map(Value::list).map(newer_metric));
    if !all.is_empty() {
        stored.set("spec.metrics", all);
    }
    if let Some(current) = current {
        let current: Vec<Value> = current.list().iter().map(newer_status).collect();
        stored.set("status.currentMetrics", current);
    }
    if let Some(conditions) = conditions {
        stored.set("status.conditions", conditions);
    }
    if let Some(behavior) = behavior {
        stored.set("spec.behavior", with_keys(&behavior, &lower));
    }
    stored
}

fn load(stored: &Value) -> Value {
    let mut scaler = stored.clone();
    scaler.set("apiVersion", "autoscaling/v1");
    let is_share = |metric: &&Value| {
        metric.str("type") == "Resource"
            && metric.str_at("resource.name") == "cpu"
            && metric.has("resource.target.averageUtilization")
    };
    let metrics = stored.list_at("spec.metrics");
    let share = metrics.iter().position(|metric| is_share(&metric));
    let others = metrics
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != share);
    let others: Vec<Value> = others.map(|(_, metric)| older_metric(metric)).collect();
    let current = stored.list_at("status.currentMetrics");
    for gone in [
        "spec.metrics",
        "spec.behavior",
        "status.conditions",
        "status.currentMetrics",
    ] {
        scaler.remove(gone);
    }
    if let Some(at) = share {
        scaler.set(SHARE, metrics[at].at("resource.target.averageUtilization"));
    }
    let of_cpu = current
        .iter()
        .find(|one| one.str_at("resource.name") == "cpu");
    let now = of_cpu.and_then(|one| one.i64_at("resource.current.averageUtilization"));
    if let Some(now) = now {
        scaler.set("status.currentCPUUtilizationPercentage", now);
    }
    let mut keep = |key: &str, value: Value| {
        if !value.is_zero() {
            scaler.set_annotation(key, &value.to_json());
        }
    };
    keep(METRICS, Value::list_of(others));
    keep(
        CURRENT,
        Value::list_of(current.iter().map(older_status).collect()),
    );
    keep(CONDITIONS, stored.at("status.conditions").clone());
    keep(BEHAVIOR, with_keys(stored.at("spec.behavior"), &upper));
    scaler
}

/// Fields of a target in the older version, by those of the newer one.
const TARGETS: [(&str, &str); 3] = [
    ("averageUtilization", "targetAverageUtilization"),
    ("averageValue", "targetAverageValue"),
    ("value", "targetValue"),
];
/// The same of a current value.
const CURRENTS: [(&str, &str); 3] = [
    ("averageUtilization", "currentAverageUtilization"),
    ("averageValue", "currentAverageValue"),
    ("value", "currentValue"),
];

/// The field that says what a metric measures.
fn source(metric: &Value) -> &'static str {
    match metric.str("type") {
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => "resource",
    }
}

fn older_metric(metric: &Value) -> Value {
    older(metric, "target", &TARGETS)
}

fn older_status(status: &Value) -> Value {
    older(status, "current", &CURRENTS)
}

fn older(metric: &Value, group: &str, fields: &[(&str, &str)]) -> Value {
    let field = source(metric);
    let mut out = metric.get(field).clone();
    if out.is_null() {
        return metric.clone();
    }
    for (newer, older) in fields {
        out.set_or_remove(older, metric.get(field).get(group).get(newer));
    }
    out.remove(group);
    if out.has("metric") {
        out.set("metricName", metric.get(field).at("metric.name"));
        out.set_or_remove("metricSelector", metric.get(field).at("metric.selector"));
        out.remove("metric");
    }
    object! { "type": (metric.str("type")), (field): out }
}

fn newer_metric(metric: &Value) -> Value {
    let mut out = newer(metric, "target", &TARGETS);
    let target = [source(metric), "target", "type"];
    let field = metric.get(source(metric));
    let kind = TARGETS.iter().find(|(_, older)| field.has(older));
    let kind = match kind.map(|(newer, _)| *newer) {
        Some("averageUtilization") => "Utilization",
        Some("averageValue") => "AverageValue",
        _ => "Value",
    };
    out.set_path(&target, kind);
    out
}

fn newer_status(status: &Value) -> Value {
    newer(status, "current", &CURRENTS)
}

fn newer(metric: &Value, group: &str, fields: &[(&str, &str)]) -> Value {
    let field = source(metric);
    let mut out = metric.get(field).clone();
    if out.is_null() {
        return metric.clone();
    }
    let mut values = Value::empty_map();
    for (newer, older) in fields {
        values.set_or_remove(newer, out.get(older));
        out.remove(older);
    }
    out.set(group, values);
    if let Some(name) = out.remove("metricName") {
        out.set("metric.name", name);
    }
    if let Some(selector) = out.remove("metricSelector") {
        out.set("metric.selector", selector);
    }
    object! { "type": (metric.str("type")), (field): out }
}

/// Go writes fields without a name of their own as they are called, in capitals.
fn upper(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn lower(key: &str) -> String {
    let mut letters = key.chars();
    let first = letters.next().into_iter().flat_map(char::to_lowercase);
    first.chain(letters).collect()
}

fn with_keys(value: &Value, change: &dyn Fn(&str) -> String) -> Value {
    match value {
        Value::Map(map) => {
            let mut out = Value::empty_map();
            for (key, value) in map.iter() {
                out.set_path(&[&change(key)], with_keys(value, change));
            }
            out
        }
        Value::List(items) => items
            .iter()
            .map(|item| with_keys(item, change))
            .collect::<Vec<Value>>()
            .into(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_older_version_cannot_say_comes_back_from_annotations() {
        let newer = object! {
            "apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler",
            "metadata": { "name": "web" },
            "spec": {
                "maxReplicas": 3,
                "metrics": [
                    { "type": "Resource", "resource": {
                        "name": "cpu", "target": { "type": "Utilization", "averageUtilization": 50 },
                    } },
                    { "type": "Pods", "pods": {
                        "metric": { "name": "hits" },
                        "target": { "type": "AverageValue", "averageValue": "10" },
                    } },
                ],
                "behavior": { "scaleDown": { "selectPolicy": "Disabled" } },
            },
            "status": { "conditions": [{ "type": "AbleToScale", "status": "True" }] },
        };
        let older = load(&newer);
        assert_eq!(older.i64_at(SHARE), Some(50));
        let expect = r#"[{"pods":{"metricName":"hits","targetAverageValue":"10"},"type":"Pods"}]"#;
        assert_eq!(older.annotation(METRICS), expect);
        let expect = r#"{"ScaleDown":{"SelectPolicy":"Disabled"}}"#;
        assert_eq!(older.annotation(BEHAVIOR), expect);
        assert_eq!(store(&older).to_json(), newer.to_json());
    }
}
