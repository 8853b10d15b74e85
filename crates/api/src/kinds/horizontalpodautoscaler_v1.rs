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

fn store(scaler: &Value) -> Value {
    let mut stored = scaler.clone();
    stored.set("apiVersion", "autoscaling/v2");
    if let Some(share) = stored.remove(SHARE) {
        let target = object! { "type": "Utilization", "averageUtilization": share };
        let metric = object! {
            "type": "Resource",
            "resource": { "name": "cpu", "target": target },
        };
        stored.set("spec.metrics", vec![metric]);
    }
    stored
}

fn load(stored: &Value) -> Value {
    let mut scaler = stored.clone();
    scaler.set("apiVersion", "autoscaling/v1");
    let share = stored.list_at("spec.metrics").iter().find_map(|metric| {
        let cpu = metric.str_at("resource.name") == "cpu";
        metric
            .i64_at("resource.target.averageUtilization")
            .filter(|_| cpu)
    });
    for gone in [
        "spec.metrics",
        "spec.behavior",
        "status.conditions",
        "status.currentMetrics",
    ] {
        scaler.remove(gone);
    }
    if let Some(share) = share {
        scaler.set(SHARE, share);
    }
    scaler
}
