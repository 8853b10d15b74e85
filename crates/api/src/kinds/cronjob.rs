//! CronJob.
//!
//! Models pkg/registry/batch/cronjob, pkg/apis/batch/v1/defaults.go, pkg/apis/batch/validation and
//! `printCronJob`.

use sim::Instant;

use super::check::{self, Errors};
use super::job;
use super::pod::template;
use super::support::cron::Schedule;
use super::support::time_zone::TimeZone;
use super::table::{self, Cell, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::selector::format_label_selector;
use crate::{Value, time, value};

/// A Job's name is the CronJob's with eleven more characters.
const LONGEST_NAME: usize = 52;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "cronjobs",
    singular: "cronjob",
    short_names: &["cj"],
    categories: &["all"],
    subresources: &[Subresource::status("CronJob")],
    schema: "io.k8s.api.batch.v1.CronJob",
    storage: "cronjobs",
    counts_generation: true,
    defaults,
    prepare_for_create: |object| object.set("status", value!({})),
    validate,
    warnings: |cron| {
        let mut out = template::name_warning(cron);
        let path = Path::new("spec.jobTemplate.spec.template");
        let of = cron.at("spec.jobTemplate.spec.template");
        out.append(&mut template::warnings_at(of, &path));
        out
    },
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("batch", "v1", "CronJob")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Schedule"),
    Column::text("Timezone"),
    Column {
        kind: "boolean",
        ..Column::text("Suspend")
    },
    Column::integer("Active"),
    Column::text("Last Schedule"),
    Column::AGE,
    Column::wide("Containers"),
    Column::wide("Images"),
    Column::wide("Selector"),
];

const SAMPLE: &str = "
apiVersion: batch/v1
kind: CronJob
metadata:
  name: backup
spec:
  schedule: '*/5 * * * *'
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: OnFailure
          containers:
          - name: c
            image: busybox
";

fn defaults(cron: &mut Value) {
    let spec = cron.at_mut("spec");
    let all: [(&str, Value); 4] = [
        ("concurrencyPolicy", "Allow".into()),
        ("suspend", false.into()),
        ("successfulJobsHistoryLimit", 3.into()),
        ("failedJobsHistoryLimit", 1.into()),
    ];
    for (key, value) in all {
        if !spec.has(key) {
            spec.set(key, value);
        }
    }
    // The Job's own defaults come when there is a Job.
    super::pod::template::defaults(spec.at_mut("jobTemplate.spec.template"));
}

fn row(cron: &Value, now: Instant) -> Vec<Cell> {
    let (spec, status) = (cron.get("spec"), cron.get("status"));
    let last = match status.str("lastScheduleTime") {
        "" => "<none>".to_owned(),
        time => time::age(now, time),
    };
    let job = spec.at("jobTemplate.spec");
    let [names, images] = table::containers(job.get("template"));
    let suspended = if spec.bool_at("suspend") {
        "True"
    } else {
        "False"
    };
    vec![
        table::name(cron),
        spec.str("schedule").into(),
        table::or_none(spec.str("timeZone")),
        suspended.into(),
        i64::try_from(status.list_at("active").len())
            .unwrap_or(0)
            .into(),
        last.into(),
        table::age(cron, now),
        names,
        images,
        format_label_selector(job.get("selector")).into(),
    ]
}

fn validate(cron: &Value, out: &mut Errors) {
    let (spec, path) = (cron.get("spec"), Path::new("spec"));
    let schedule = spec.str("schedule");
    let schedule_path = path.child("schedule");
    if schedule.is_empty() {
        out.push(FieldError::required(schedule_path, ""));
    } else {
        if let Err(text) = Schedule::parse(schedule) {
            out.push(FieldError::invalid(schedule_path, schedule, text));
        }
        if schedule.contains("TZ") {
            let text = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead";
            out.push(FieldError::invalid(schedule_path, schedule, text));
        }
    }
    check::non_negative(spec, "startingDeadlineSeconds", &path, out);
    let known = ["Allow", "Forbid", "Replace"];
    check::one_of(spec, "concurrencyPolicy", &known, &path, out);
    time_zone(spec, &path, out);
    let template_path = path.child("jobTemplate");
    let mut job_spec = spec.at("jobTemplate.spec").clone();
    job::spec_defaults(&mut job_spec);
    job::validate_spec(&job_spec, &template_path.child("spec"), out);
    for key in ["successfulJobsHistoryLimit", "failedJobsHistoryLimit"] {
        check::non_negative(spec, key, &path, out);
    }
    if cron.name().len() > LONGEST_NAME {
        let text = format!("must be no more than {LONGEST_NAME} characters");
        out.push(FieldError::invalid("metadata.name", cron.name(), text));
    }
}

fn time_zone(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    if !spec.has("timeZone") {
        return;
    }
    let (zone, path) = (spec.str("timeZone"), path.child("timeZone"));
    if zone.is_empty() {
        out.push(FieldError::invalid(
            path,
            zone,
            "timeZone must be nil or non-empty string",
        ));
    } else if zone.eq_ignore_ascii_case("local") {
        let text =
            "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones";
        out.push(FieldError::invalid(path, zone, text));
    } else if TimeZone::named(zone).is_none() {
        out.push(FieldError::invalid(
            path,
            zone,
            format!("unknown time zone {zone}"),
        ));
    }
}
