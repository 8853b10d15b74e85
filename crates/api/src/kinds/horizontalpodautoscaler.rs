//! HorizontalPodAutoscaler of autoscaling/v2.
//!
//! Models pkg/registry/autoscaling, pkg/apis/autoscaling/{v2/defaults,validation} and
//! `printHorizontalPodAutoscaler`.

use sim::Instant;

use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::{Value, object, value};

mod validation;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "horizontalpodautoscalers",
    singular: "horizontalpodautoscaler",
    short_names: &["hpa"],
    categories: &["all"],
    subresources: &[Subresource::status("HorizontalPodAutoscaler")],
    schema: "io.k8s.api.autoscaling.v2.HorizontalPodAutoscaler",
    storage: "horizontalpodautoscalers",
    defaults,
    prepare_for_create: |scaler| {
        scaler.set(
            "status",
            value!({ "currentMetrics": null, "desiredReplicas": 0 }),
        );
    },
    validate: validation::validate,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("autoscaling", "v2", "HorizontalPodAutoscaler")
};

pub(super) const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Reference"),
    Column::text("Targets"),
    Column::text("MinPods"),
    Column::text("MaxPods"),
    Column::text("Replicas"),
    Column::AGE,
];

const SAMPLE: &str = "
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: web
spec:
  maxReplicas: 3
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: web
";

fn defaults(scaler: &mut Value) {
    let spec = scaler.at_mut("spec");
    if !spec.has("minReplicas") {
        spec.set("minReplicas", 1);
    }
    if spec.list_at("metrics").is_empty() {
        let target = object! { "type": "Utilization", "averageUtilization": 80 };
        let metric = object! {
            "type": "Resource",
            "resource": { "name": "cpu", "target": target },
        };
        spec.set("metrics", vec![metric]);
    }
    if !spec.has("behavior") {
        return;
    }
    let percent = || object! { "type": "Percent", "value": 100, "periodSeconds": 15 };
    let pods = object! { "type": "Pods", "value": 4, "periodSeconds": 15 };
    let rules = [
        ("scaleUp", vec![pods, percent()]),
        ("scaleDown", vec![percent()]),
    ];
    for (direction, policies) in rules {
        let rules = spec.at_path_mut(&["behavior", direction]);
        if !rules.has("selectPolicy") {
            rules.set("selectPolicy", "Max");
        }
        if direction == "scaleUp" && !rules.has("stabilizationWindowSeconds") {
            rules.set("stabilizationWindowSeconds", 0);
        }
        if !rules.has("policies") {
            rules.set("policies", policies);
        }
    }
}

/// What a target asks for, as tables and descriptions show it.
pub fn target(target: &Value) -> String {
    match target.get("averageUtilization").as_i64() {
        Some(percent) => format!("{percent}%"),
        None => match target.str("averageValue") {
            "" => target.str("value").to_owned(),
            average => format!("{average} (avg)"),
        },
    }
}

pub(super) fn row(scaler: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (scaler.get("spec"), scaler.get("status"));
    let reference = spec.get("scaleTargetRef");
    let metrics = spec
        .list_at("metrics")
        .iter()
        .enumerate()
        .map(|(i, metric)| {
            let current = status.get("currentMetrics").item(i);
            shown(metric, current)
        });
    let targets = table::at_most_three(metrics, "<none>");
    let number = |of: &Value, key: &str| of.i64_at(key).unwrap_or(0).to_string();
    let least = match spec.i64_at("minReplicas") {
        Some(least) => least.to_string(),
        None => "<unset>".to_owned(),
    };
    vec![
        table::name(scaler),
        format!("{}/{}", reference.str("kind"), reference.str("name")).into(),
        targets,
        least.into(),
        number(spec, "maxReplicas").into(),
        number(status, "currentReplicas").into(),
        table::age(scaler, now),
    ]
}

/// `cpu: <unknown>/80%`
fn shown(metric: &Value, current: &Value) -> String {
    let source = match metric.str("type") {
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        "Pods" => "pods",
        "Object" => "object",
        "External" => "external",
        _ => return "<unknown type>".to_owned(),
    };
    let wanted = metric.get(source);
    let now = match target(current.get(source).get("current")) {
        text if text.is_empty() => "<unknown>".to_owned(),
        text => text,
    };
    let name = wanted.str("name");
    let colon = if name.is_empty() { "" } else { ": " };
    format!("{name}{colon}{now}/{}", target(wanted.get("target")))
}
