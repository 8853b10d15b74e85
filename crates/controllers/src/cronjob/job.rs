//! The Jobs of a CronJob: each is named for the minute it was to start in.
//! Models pkg/controller/cronjob/utils.go (`getJobFromTemplate2`).

use api::kinds::support::time_zone::TimeZone;
use api::{Value, object};
use client::CRON_JOBS;
use sim::{Civil, Instant};

use crate::pods;

/// Says which of the scheduled times a Job is for.
const SCHEDULED: &str = "batch.kubernetes.io/cronjob-scheduled-timestamp";

/// The name of the Job of a scheduled time.
pub(super) fn name(cron: &Value, scheduled: Instant) -> String {
    format!("{}-{}", cron.name(), scheduled.unix_secs() / 60)
}

/// The Job of a scheduled time, as the template says.
pub(super) fn of(cron: &Value, scheduled: Instant) -> Value {
    let template = cron.at("spec.jobTemplate");
    let mut job = object! {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {
            "name": (name(cron, scheduled)),
            "namespace": (cron.namespace()),
            "ownerReferences": [(pods::owner_reference(&CRON_JOBS, cron))],
        },
        "spec": (template.get("spec")),
    };
    for field in ["labels", "annotations"] {
        let path = format!("metadata.{field}");
        job.set_or_remove(&path, template.metadata().get(field));
    }
    job.set_annotation(SCHEDULED, &local(cron.str_at("spec.timeZone"), scheduled));
    job
}

/// The scheduled time of a Job, if it is one that this controller started.
pub(super) fn scheduled(cron: &Value, job: &Value) -> Option<Instant> {
    let at = Instant::parse_rfc3339(job.annotation(SCHEDULED))?;
    (*job.name() == *name(cron, at)).then_some(at)
}

/// A time with the offset of a zone: `2026-01-05T10:00:00+01:00`.
fn local(zone: &str, at: Instant) -> String {
    let unix = at.unix_secs();
    let offset = TimeZone::named(zone).map_or(0, |zone| zone.offset_at(unix));
    if offset == 0 {
        return at.rfc3339();
    }
    let mut text = Civil::from_unix(unix + offset).rfc3339();
    text.pop();
    let sign = if offset < 0 { '-' } else { '+' };
    let minutes = offset.abs() / 60;
    format!("{text}{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A time as Go's RFC1123Z has it.
pub(super) fn rfc1123(at: Instant) -> String {
    const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let c = at.civil();
    format!(
        "{}, {:02} {} {} {:02}:{:02}:{:02} +0000",
        DAYS[c.weekday as usize % 7],
        c.day,
        MONTHS[(c.month as usize - 1) % 12],
        c.year,
        c.hour,
        c.minute,
        c.second
    )
}
