//! Labels and annotations on everything, and in what selects by them.
//!
//! Models kustomize/api/internal/builtins/{Label,Annotations}Transformer.go and
//! konfig/builtinpluginconsts/{commonlabels,commonannotations}.go.

use api::{Map, Value};

use super::fields::{Spec, spec};
use super::res::Res;

const OWN: Spec = spec("", "metadata/labels", true);

/// Where the labels of pods are made.
const TEMPLATES: &[Spec] = &[
    spec(
        "ReplicationController",
        "spec/template/metadata/labels",
        true,
    ),
    spec("Deployment", "spec/template/metadata/labels", true),
    spec("ReplicaSet", "spec/template/metadata/labels", true),
    spec("DaemonSet", "spec/template/metadata/labels", true),
    spec("StatefulSet", "spec/template/metadata/labels", true),
    spec(
        "StatefulSet",
        "spec/volumeClaimTemplates[]/metadata/labels",
        true,
    ),
    spec("Job", "spec/template/metadata/labels", true),
    spec("CronJob", "spec/jobTemplate/metadata/labels", true),
    spec(
        "CronJob",
        "spec/jobTemplate/spec/template/metadata/labels",
        true,
    ),
];

/// Where labels select.
const SELECTORS: &[Spec] = &[
    spec("Service", "spec/selector", true),
    spec("ReplicationController", "spec/selector", true),
    spec("Deployment", "spec/selector/matchLabels", true),
    spec("ReplicaSet", "spec/selector/matchLabels", true),
    spec("DaemonSet", "spec/selector/matchLabels", true),
    spec("StatefulSet", "spec/selector/matchLabels", true),
    spec("Job", "spec/selector/matchLabels", false),
    spec(
        "CronJob",
        "spec/jobTemplate/spec/selector/matchLabels",
        false,
    ),
    spec("PodDisruptionBudget", "spec/selector/matchLabels", false),
    spec("NetworkPolicy", "spec/podSelector/matchLabels", false),
    spec(
        "NetworkPolicy",
        "spec/ingress/from/podSelector/matchLabels",
        false,
    ),
    spec(
        "NetworkPolicy",
        "spec/egress/to/podSelector/matchLabels",
        false,
    ),
];

/// Where pods of Deployments and StatefulSets are told apart by labels.
const TERMS: [&str; 5] = [
    "affinity/podAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "affinity/podAntiAffinity/preferredDuringSchedulingIgnoredDuringExecution/podAffinityTerm/labelSelector/matchLabels",
    "affinity/podAntiAffinity/requiredDuringSchedulingIgnoredDuringExecution/labelSelector/matchLabels",
    "topologySpreadConstraints/labelSelector/matchLabels",
];

const ANNOTATIONS: &[Spec] = &[
    spec("", "metadata/annotations", true),
    spec(
        "ReplicationController",
        "spec/template/metadata/annotations",
        true,
    ),
    spec("Deployment", "spec/template/metadata/annotations", true),
    spec("ReplicaSet", "spec/template/metadata/annotations", true),
    spec("DaemonSet", "spec/template/metadata/annotations", true),
    spec("StatefulSet", "spec/template/metadata/annotations", true),
    spec("Job", "spec/template/metadata/annotations", true),
    spec("CronJob", "spec/jobTemplate/metadata/annotations", true),
    spec(
        "CronJob",
        "spec/jobTemplate/spec/template/metadata/annotations",
        true,
    ),
];

/// Adds the labels of a kustomization.
pub(super) fn labels(objects: &mut [Res], kustomization: &Value) {
    for label in kustomization.get("labels").list() {
        let pairs = label.get("pairs").entries();
        let selectors = label.bool_at("includeSelectors");
        add(objects, pairs, &[OWN]);
        if selectors || label.bool_at("includeTemplates") {
            add(objects, pairs, TEMPLATES);
        }
        if selectors {
            everywhere(objects, pairs);
        }
        for field in label.get("fields").list() {
            own_field(objects, pairs, field);
        }
    }
    let common = kustomization.get("commonLabels").entries();
    if !common.is_empty() {
        add(objects, common, &[OWN]);
        add(objects, common, TEMPLATES);
        everywhere(objects, common);
    }
}

fn everywhere(objects: &mut [Res], pairs: &Map) {
    add(objects, pairs, SELECTORS);
    for object in objects.iter_mut() {
        let kind = object.value.kind();
        if kind != "Deployment" && kind != "StatefulSet" {
            continue;
        }
        for term in TERMS {
            let path = format!("spec/template/spec/{term}");
            super::fields::at(&mut object.value, &path, false, &mut |map| put(map, pairs));
        }
    }
}

/// A place that the kustomization names itself.
fn own_field(objects: &mut [Res], pairs: &Map, field: &Value) {
    for object in objects {
        let fits = |wanted: &str, is: &str| wanted.is_empty() || wanted == is;
        let value = &mut object.value;
        if fits(field.str("kind"), value.kind()) && fits(field.str("group"), value.api_group()) {
            let create = field.bool_at("create");
            super::fields::at(value, field.str("path"), create, &mut |map| put(map, pairs));
        }
    }
}

/// Adds annotations.
pub(super) fn annotations(objects: &mut [Res], pairs: &Value) {
    if !pairs.entries().is_empty() {
        add(objects, pairs.entries(), ANNOTATIONS);
    }
}

fn add(objects: &mut [Res], pairs: &Map, specs: &[Spec]) {
    for object in objects {
        for spec in specs {
            spec.visit(&mut object.value, &mut |map| put(map, pairs));
        }
    }
}

fn put(map: &mut Value, pairs: &Map) {
    for (key, value) in pairs {
        map.map_mut().insert(key, value);
    }
}
