//! StatefulSet.
//!
//! Models pkg/registry/apps/statefulset, pkg/apis/apps/v1/defaults.go, pkg/apis/apps/validation and
//! `printStatefulSet`.

use sim::Instant;

use super::check::{self, Errors};
use super::deployment;
use super::pod::template;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::selector::LabelSelector;
use crate::{Value, names, object, value};

/// What of a spec may change.
const MUTABLE: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "statefulsets",
    singular: "statefulset",
    short_names: &["sts"],
    categories: &["all"],
    subresources: &[Subresource::scale(), Subresource::status("StatefulSet")],
    schema: "io.k8s.api.apps.v1.StatefulSet",
    storage: "statefulsets",
    counts_generation: true,
    defaults,
    prepare_for_create: |set| {
        set.set("status", value!({ "availableReplicas": 0, "replicas": 0 }));
    },
    prepare_for_update: |new, old, subresource| {
        if subresource == "status" {
            template::keep_labels(new, old);
        }
    },
    validate,
    validate_update,
    warnings: template::warnings_of_named,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("apps", "v1", "StatefulSet")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Ready"),
    Column::AGE,
    Column::wide("Containers"),
    Column::wide("Images"),
];

const SAMPLE: &str = "
apiVersion: apps/v1
kind: StatefulSet
metadata:
  name: db
spec:
  serviceName: db
  replicas: 2
  selector:
    matchLabels:
      app: db
  template:
    metadata:
      labels:
        app: db
    spec:
      containers:
      - name: c
        image: postgres
  volumeClaimTemplates:
  - metadata:
      name: data
    spec:
      accessModes:
      - ReadWriteOnce
      resources:
        requests:
          storage: 1Gi
";

fn defaults(set: &mut Value) {
    let spec = set.at_mut("spec");
    let all: [(&str, Value); 6] = [
        ("podManagementPolicy", "OrderedReady".into()),
        ("replicas", 1.into()),
        ("revisionHistoryLimit", 10.into()),
        ("updateStrategy.type", "RollingUpdate".into()),
        (
            "persistentVolumeClaimRetentionPolicy.whenDeleted",
            "Retain".into(),
        ),
        (
            "persistentVolumeClaimRetentionPolicy.whenScaled",
            "Retain".into(),
        ),
    ];
    for (path, value) in all {
        if !spec.has(path) {
            spec.set(path, value);
        }
    }
    let partition = "updateStrategy.rollingUpdate.partition";
    if spec.str_at("updateStrategy.type") == "RollingUpdate" && !spec.has(partition) {
        spec.set(partition, 0);
    }
    template::defaults(spec.at_mut("template"));
    if spec.has("volumeClaimTemplates") {
        for claim in spec.list_mut("volumeClaimTemplates") {
            claim.set("apiVersion", "v1");
            claim.set("kind", "PersistentVolumeClaim");
            super::persistentvolumeclaim::KIND.default(claim);
        }
    }
}

fn row(set: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (set.get("spec"), set.get("status"));
    let ready = status.i64_at("readyReplicas").unwrap_or(0);
    let desired = spec.i64_at("replicas").unwrap_or(0);
    let [names, images] = table::containers(spec.get("template"));
    vec![
        table::name(set),
        format!("{ready}/{desired}").into(),
        table::age(set, now),
        names,
        images,
    ]
}

fn validate(set: &Value, out: &mut Errors) {
    let (spec, path) = (set.get("spec"), Path::new("spec"));
    match spec.str("podManagementPolicy") {
        "OrderedReady" | "Parallel" => {}
        other => {
            let path = path.child("podManagementPolicy");
            let text = "must be 'OrderedReady' or 'Parallel'";
            out.push(FieldError::invalid(path, other, text));
        }
    }
    strategy(
        spec.get("updateStrategy"),
        &path.child("updateStrategy"),
        out,
    );
    let retention = spec.get("persistentVolumeClaimRetentionPolicy");
    let retention_path = path.child("persistentVolumeClaimRetentionPolicy");
    for key in ["whenDeleted", "whenScaled"] {
        check::one_of_if_set(retention, key, &["Delete", "Retain"], &retention_path, out);
    }
    check::non_negative(spec, "replicas", &path, out);
    check::non_negative(spec, "minReadySeconds", &path, out);
    check::non_negative(spec.get("ordinals"), "start", &path.child("ordinals"), out);
    check::non_negative(spec, "revisionHistoryLimit", &path, out);
    deployment::selector(spec, "statefulset", &path, out);
    template_of_set(spec, &path.child("template"), out);
}

fn strategy(strategy: &Value, path: &Path<'_>, out: &mut Errors) {
    let rolling = strategy.get("rollingUpdate");
    let rolling_path = path.child("rollingUpdate");
    match strategy.str("type") {
        "OnDelete" if !rolling.is_null() => {
            let text = "only allowed for updateStrategy 'RollingUpdate'";
            let shown = object! {
                "Partition": (rolling.get("partition")),
                "MaxUnavailable": (rolling.get("maxUnavailable")),
            };
            out.push(FieldError::invalid(rolling_path, shown, text));
        }
        "OnDelete" => {}
        "RollingUpdate" => {
            check::non_negative(rolling, "partition", &rolling_path, out);
            let most = rolling.get("maxUnavailable");
            deployment::int_or_percent(most, &rolling_path.child("maxUnavailable"), out);
        }
        kind => {
            let shown = object! { "Type": kind, "RollingUpdate": rolling };
            let text = "must be 'RollingUpdate' or 'OnDelete'";
            out.push(FieldError::invalid(path, shown, text));
        }
    }
}

/// Upstream leaves most of the template to its pods.
fn template_of_set(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let template = spec.get("template");
    let labels = template.at("metadata.labels");
    let selector = LabelSelector::from_object(spec.get("selector"));
    let metadata_path = path.child("metadata");
    if selector.is_ok_and(|s| !s.is_everything() && !s.matches(labels.entries())) {
        let text = "`selector` does not match template `labels`";
        out.push(FieldError::invalid(
            metadata_path.child("labels"),
            labels,
            text,
        ));
    }
    out.extend(names::validate_labels(
        labels.entries(),
        path.child("labels"),
    ));
    let spec_path = path.child("spec");
    let policy = template.str_at("spec.restartPolicy");
    if policy != "Always" {
        let path = spec_path.child("restartPolicy");
        out.push(FieldError::not_supported(path, policy, &["Always"]));
    }
    if template.has("spec.activeDeadlineSeconds") {
        let text = "activeDeadlineSeconds in StatefulSet is not Supported";
        out.push(FieldError::forbidden(
            spec_path.child("activeDeadlineSeconds"),
            text,
        ));
    }
}

fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if !subresource.is_empty() {
        const COUNTS: [&str; 7] = [
            "replicas",
            "readyReplicas",
            "currentReplicas",
            "updatedReplicas",
            "availableReplicas",
            "observedGeneration",
            "collisionCount",
        ];
        check::counts(new.get("status"), &COUNTS, &[], out);
        return;
    }
    let fixed = |set: &Value| {
        let mut spec = set.get("spec").clone();
        for key in MUTABLE {
            spec.remove(key);
        }
        spec
    };
    if !check::same(&fixed(new), &fixed(old)) {
        let text = "updates to statefulset spec for fields other than 'replicas', 'ordinals', \
                    'template', 'updateStrategy', 'revisionHistoryLimit', \
                    'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        out.push(FieldError::forbidden("spec", text));
    }
}
