//! Job.
//!
//! Models pkg/registry/batch/job, pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation and
//! `printJob`.

use sim::Instant;

mod policies;

use super::check::{self, Errors};
use super::pod::{internal, template};
use super::support::conditions;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::selector::{LabelSelector, format_label_selector, validate_label_selector};
use crate::{Value, object, time, value};

/// The label that says whose pod it is.
pub const CONTROLLER_UID: &str = "batch.kubernetes.io/controller-uid";
/// The label with the Job's name.
pub const JOB_NAME: &str = "batch.kubernetes.io/job-name";
/// The same two as they were named before.
const OLD_LABELS: [&str; 2] = ["controller-uid", "job-name"];

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "jobs",
    singular: "job",
    categories: &["all"],
    subresources: &[Subresource::status("Job")],
    schema: "io.k8s.api.batch.v1.Job",
    storage: "jobs",
    counts_generation: true,
    propagation: "Orphan",
    fields: &["status.successful"],
    field: |job, _| match job.at("status.succeeded") {
        Value::Int(_) => "1",
        _ => "0",
    },
    defaults: |job| {
        spec_defaults(job.at_mut("spec"));
        take_labels(job);
    },
    prepare_for_create,
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
    ..Kind::plain("batch", "v1", "Job")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Status"),
    Column::text("Completions"),
    Column::text("Duration"),
    Column::AGE,
    Column::wide("Containers"),
    Column::wide("Images"),
    Column::wide("Selector"),
];

const SAMPLE: &str = "
apiVersion: batch/v1
kind: Job
metadata:
  name: pi
  uid: 6b1f7a52-9d0e-4f3a-8f4d-0a1b2c3d4e5f
spec:
  completions: 3
  template:
    spec:
      restartPolicy: Never
      containers:
      - name: c
        image: perl
";

/// Defaults of the spec of a Job, or of a CronJob's template of one.
pub(super) fn spec_defaults(spec: &mut Value) {
    if !spec.has("completions") && !spec.has("parallelism") {
        spec.set("completions", 1);
    }
    let limit = if spec.has("backoffLimitPerIndex") {
        i64::from(i32::MAX)
    } else {
        6
    };
    let replacement = match spec.has("podFailurePolicy") {
        true => "Failed",
        false => "TerminatingOrFailed",
    };
    let all: [(&str, Value); 6] = [
        ("parallelism", 1.into()),
        ("backoffLimit", limit.into()),
        ("completionMode", "NonIndexed".into()),
        ("suspend", false.into()),
        ("podReplacementPolicy", replacement.into()),
        ("manualSelector", false.into()),
    ];
    for (key, value) in all {
        if !spec.has(key) {
            spec.set(key, value);
        }
    }
    if spec.has("podFailurePolicy.rules") {
        for rule in spec.list_mut("podFailurePolicy.rules") {
            if !rule.has("onPodConditions") {
                continue;
            }
            for pattern in rule.list_mut("onPodConditions") {
                if pattern.str("status").is_empty() {
                    pattern.set("status", "True");
                }
            }
        }
    }
    template::defaults(spec.at_mut("template"));
}

/// A Job without labels has those of its pods.
fn take_labels(job: &mut Value) {
    let labels = job.at("spec.template.metadata.labels").clone();
    if job.labels().is_empty() && !labels.entries().is_empty() {
        job.set("metadata.labels", labels);
    }
}

fn prepare_for_create(job: &mut Value) {
    job.set("status", value!({}));
    if job.bool_at("spec.manualSelector") {
        return;
    }
    let (uid, name) = (job.uid().to_owned(), job.name().to_owned());
    let pairs = [
        (CONTROLLER_UID, &uid),
        (JOB_NAME, &name),
        (OLD_LABELS[0], &uid),
        (OLD_LABELS[1], &name),
    ];
    for (key, value) in pairs {
        job.set_path(
            &["spec", "template", "metadata", "labels", key],
            value.as_str(),
        );
    }
    job.set_path(&["spec", "selector", "matchLabels", CONTROLLER_UID], uid);
    take_labels(job);
}

/// `Complete`, `Running` and the like: how far a Job is.
fn state(job: &Value) -> &'static str {
    let is = |kind: &str| conditions::is_true(job, kind);
    match () {
        () if is("Complete") => "Complete",
        () if is("Failed") => "Failed",
        () if job.is_terminating() => "Terminating",
        () if is("Suspended") => "Suspended",
        () if is("FailureTarget") => "FailureTarget",
        () if is("SuccessCriteriaMet") => "SuccessCriteriaMet",
        () => "Running",
    }
}

fn row(job: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (job.get("spec"), job.get("status"));
    let succeeded = status.i64_at("succeeded").unwrap_or(0);
    let completions = match spec.i64_at("completions") {
        Some(wanted) => format!("{succeeded}/{wanted}"),
        None => match spec.i64_at("parallelism").unwrap_or(0) {
            parallel @ 2.. => format!("{succeeded}/1 of {parallel}"),
            _ => format!("{succeeded}/1"),
        },
    };
    let start = status.str("startTime");
    let end = Instant::parse_rfc3339(status.str("completionTime")).unwrap_or(now);
    let duration = if start.is_empty() {
        String::new()
    } else {
        time::age(end, start)
    };
    let [names, images] = table::containers(spec.get("template"));
    vec![
        table::name(job),
        state(job).into(),
        completions.into(),
        duration.into(),
        table::age(job, now),
        names,
        images,
        format_label_selector(spec.get("selector")).into(),
    ]
}

fn validate(job: &Value, out: &mut Errors) {
    let (spec, path) = (job.get("spec"), Path::new("spec"));
    generated_selector(job, out);
    validate_spec(spec, &path, out);
    let selector = spec.get("selector");
    if selector.is_null() {
        out.push(FieldError::required(path.child("selector"), ""));
        return;
    }
    out.extend(validate_label_selector(selector, &path.child("selector")));
    let labels = spec.at("template.metadata.labels");
    if LabelSelector::from_object(selector).is_ok_and(|s| !s.matches(labels.entries())) {
        let text = "`selector` does not match template `labels`";
        out.push(FieldError::invalid(
            "spec.template.metadata.labels",
            labels,
            text,
        ));
    }
}

/// Unless asked to, nobody chooses a Job's pods but the server.
fn generated_selector(job: &Value, out: &mut Errors) {
    // That it lacks is said already.
    if job.bool_at("spec.manualSelector") || job.at("spec.selector").is_null() {
        return;
    }
    let labels = object! { CONTROLLER_UID: (job.uid()), JOB_NAME: (job.name()) };
    let selector = job.at("spec.selector");
    let fits = LabelSelector::from_object(selector).map(|s| s.matches(labels.entries()));
    if fits == Ok(false) {
        let text = "`selector` not auto-generated";
        out.push(FieldError::invalid("spec.selector", selector, text));
    }
}

/// What is wrong with the spec of a Job, its selector aside.
pub(super) fn validate_spec(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    for key in [
        "parallelism",
        "completions",
        "activeDeadlineSeconds",
        "backoffLimit",
        "ttlSecondsAfterFinished",
        "backoffLimitPerIndex",
        "maxFailedIndexes",
    ] {
        check::non_negative(spec, key, path, out);
    }
    let per_index = spec.get("backoffLimitPerIndex");
    if spec.has("maxFailedIndexes") && per_index.is_null() {
        let path = path.child("backoffLimitPerIndex");
        out.push(FieldError::required(
            path,
            "when maxFailedIndexes is specified",
        ));
    }
    match spec.str("completionMode") {
        "Indexed" => indexed(spec, path, out),
        "NonIndexed" => {
            for key in ["backoffLimitPerIndex", "maxFailedIndexes"] {
                let value = spec.get(key);
                if !value.is_null() {
                    let text = "requires indexed completion mode";
                    out.push(FieldError::invalid(path.child(key), value, text));
                }
            }
        }
        other => {
            let path = path.child("completionMode");
            let known = ["NonIndexed", "Indexed"];
            out.push(FieldError::not_supported(path, other, &known));
        }
    }
    policies::failure(spec, path, out);
    policies::success(spec, path, out);
    let replacement = match spec.has("podFailurePolicy") {
        true => &["Failed"][..],
        false => &["Failed", "TerminatingOrFailed"][..],
    };
    check::one_of_if_set(spec, "podReplacementPolicy", replacement, path, out);
    let template_path = path.child("template");
    template::validate(spec.get("template"), &template_path, out);
    restart_policy(spec, &template_path.child("spec.restartPolicy"), out);
}

fn indexed(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    const MOST: i64 = 100_000;
    if !spec.has("completions") {
        let text = "when completion mode is Indexed";
        out.push(FieldError::required(path.child("completions"), text));
    }
    if let Some(many) = spec.i64_at("parallelism").filter(|many| *many > MOST) {
        let text = format!("must be less than or equal to {MOST} when completion mode is Indexed");
        out.push(FieldError::invalid(path.child("parallelism"), many, text));
    }
    let Some(lost) = spec.i64_at("maxFailedIndexes") else {
        return;
    };
    let completions = spec.i64_at("completions");
    if completions.is_some_and(|completions| lost > completions) {
        let text = "must be less than or equal to completions";
        out.push(FieldError::invalid(
            path.child("maxFailedIndexes"),
            lost,
            text,
        ));
    }
    if lost > MOST {
        let text = format!("must be less than or equal to {MOST}");
        out.push(FieldError::invalid(
            path.child("maxFailedIndexes"),
            lost,
            text,
        ));
    }
}

fn restart_policy(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    match spec.str_at("template.spec.restartPolicy") {
        "" | "Always" => {
            let text = "valid values: \"OnFailure\", \"Never\"";
            out.push(FieldError::required(path, text));
        }
        "OnFailure" if spec.has("podFailurePolicy") => {
            let text = "only \"Never\" is supported when podFailurePolicy is specified";
            out.push(FieldError::invalid(path, "OnFailure", text));
        }
        "Never" | "OnFailure" => {}
        other => out.push(FieldError::not_supported(
            path,
            other,
            &["OnFailure", "Never"],
        )),
    }
}

fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if !subresource.is_empty() {
        return;
    }
    let (new, old) = (new.get("spec"), old.get("spec"));
    let follows = |spec: &Value| spec.get("completions").same(spec.get("parallelism"));
    // The size of an Indexed Job may change, if parallelism goes with it.
    let elastic = new.str("completionMode") == "Indexed" && follows(new);
    if !elastic || new.get("completions").is_null() != old.get("completions").is_null() {
        check::immutable(
            new.get("completions"),
            old.get("completions"),
            "spec.completions",
            out,
        );
    }
    check::immutable(
        new.get("selector"),
        old.get("selector"),
        "spec.selector",
        out,
    );
    template_kept(new, old, out);
    for key in [
        "completionMode",
        "podFailurePolicy",
        "backoffLimitPerIndex",
        "managedBy",
        "successPolicy",
    ] {
        check::immutable(new.get(key), old.get(key), format!("spec.{key}"), out);
    }
}

/// The template stays as it is, but for where the pods of a suspended Job are to run.
fn template_kept(new: &Value, old: &Value, out: &mut Errors) {
    const MUTABLE: [&str; 4] = ["nodeSelector", "tolerations", "schedulingGates", "affinity"];
    let mut template = new.get("template").clone();
    let before = old.get("template");
    if old.bool_at("suspend") {
        for key in MUTABLE {
            template.set_or_remove(&format!("spec.{key}"), before.get("spec").get(key));
        }
        for key in ["labels", "annotations"] {
            template.set_or_remove(&format!("metadata.{key}"), before.get("metadata").get(key));
        }
    }
    if check::same(&template, before) {
        return;
    }
    let metadata = template.get("metadata").to_json();
    let metadata = metadata.strip_suffix('}').unwrap_or(&metadata);
    let comma = if metadata.len() > 1 { "," } else { "" };
    let shown = internal::pod_spec_in_line(template.get("spec"));
    let shown = format!("{metadata}{comma}\"Spec\":{shown}}}");
    let error = FieldError::invalid("spec.template", &template, "field is immutable");
    out.push(error.shown_as(shown));
}
