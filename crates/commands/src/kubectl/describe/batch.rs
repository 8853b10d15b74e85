//! `kubectl describe job`, `cronjob` and `statefulset`.

use api::{Value, time};
use sim::Instant;

use super::{annotations, controlled_by, date, labels, selector, template_text, workloads};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::Session;
use crate::kubectl::target::or;

/// A Job, without events.
pub(super) fn job(value: &Value) -> String {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    let mut line = |name: &str, shown: String| text.push_str(&format!("{name}:\t{shown}\n"));
    line("Selector", selector(spec.get("selector")));
    let number = |of: &Value, key: &str| of.i64_at(key).map(|number| number.to_string());
    let or_unset = |number: Option<String>| number.unwrap_or_else(|| "<unset>".to_owned());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    if let Some(owner) = controlled_by(value) {
        text.push_str(&format!("Controlled By:\t{owner}\n"));
    }
    let mut line = |name: &str, shown: String| text.push_str(&format!("{name}:\t{shown}\n"));
    line("Parallelism", or_unset(number(spec, "parallelism")));
    line("Completions", or_unset(number(spec, "completions")));
    line("Completion Mode", spec.str("completionMode").to_owned());
    line("Suspend", spec.bool_at("suspend").to_string());
    line("Backoff Limit", or_unset(number(spec, "backoffLimit")));
    if let Some(ttl) = number(spec, "ttlSecondsAfterFinished") {
        line("TTL Seconds After Finished", ttl);
    }
    let (start, end) = (status.str("startTime"), status.str("completionTime"));
    if !start.is_empty() {
        line("Start Time", date(start));
    }
    if !end.is_empty() {
        line("Completed At", date(end));
        if let Some(end) = Instant::parse_rfc3339(end) {
            line("Duration", time::age(end, start));
        }
    }
    if let Some(secs) = number(spec, "activeDeadlineSeconds") {
        line("Active Deadline Seconds", format!("{secs}s"));
    }
    let count = |key: &str| status.i64_at(key).unwrap_or(0);
    let pods = format!(
        "{} Active ({} Ready) / {} Succeeded / {} Failed",
        count("active"),
        count("ready"),
        count("succeeded"),
        count("failed")
    );
    line("Pods Statuses", pods);
    if spec.str("completionMode") == "Indexed" {
        line(
            "Completed Indexes",
            some_indexes(status.str("completedIndexes")),
        );
    }
    text + &template_text(spec.get("template"))
}

/// A list of indexes, cut off after fifty characters or so.
fn some_indexes(indexes: &str) -> String {
    const LIMIT: usize = 50;
    if indexes.is_empty() {
        return "<none>".to_owned();
    }
    let end = indexes.get(LIMIT..).and_then(|rest| rest.find(','));
    match end {
        Some(end) => format!("{}...", &indexes[..=LIMIT + end]),
        None => indexes.to_owned(),
    }
}

/// A CronJob, without events.
pub(super) fn cron_job(value: &Value) -> String {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    let mut line = |name: &str, shown: &str| text.push_str(&format!("{name}:\t{shown}\n"));
    let number = |of: &Value, key: &str, unit: &str| match of.i64_at(key) {
        Some(number) => format!("{number}{unit}"),
        None => "<unset>".to_owned(),
    };
    line("Schedule", spec.str("schedule"));
    line("Concurrency Policy", spec.str("concurrencyPolicy"));
    let suspend = match spec.get("suspend") {
        Value::Bool(true) => "True",
        Value::Bool(false) => "False",
        _ => "<unset>",
    };
    line("Suspend", suspend);
    line("Time Zone", or(spec.str("timeZone"), "<unset>"));
    for (title, key, unit) in [
        (
            "Successful Job History Limit",
            "successfulJobsHistoryLimit",
            "",
        ),
        ("Failed Job History Limit", "failedJobsHistoryLimit", ""),
        ("Starting Deadline Seconds", "startingDeadlineSeconds", "s"),
    ] {
        line(title, &number(spec, key, unit));
    }
    let job = spec.at("jobTemplate.spec");
    let chosen = match job.get("selector") {
        Value::Null => "<unset>".to_owned(),
        known => selector(known),
    };
    line("Selector", &chosen);
    line("Parallelism", &number(job, "parallelism", ""));
    line("Completions", &number(job, "completions", ""));
    if job.has("activeDeadlineSeconds") {
        let secs = number(job, "activeDeadlineSeconds", "s");
        line("Active Deadline Seconds", &secs);
    }
    text.push_str(&template_text(job.get("template")));
    let active = status.list_at("active").iter().map(|job| job.str("name"));
    let active = active.collect::<Vec<&str>>().join(", ");
    let last = date(status.str("lastScheduleTime"));
    text + &format!(
        "Last Schedule Time:\t{last}\nActive Jobs:\t{}\n",
        or(&active, "<none>")
    )
}

/// A StatefulSet, without events.
pub(super) async fn stateful_set(session: &Session, value: &Value) -> Outcome<String> {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    let created = date(value.creation_timestamp());
    text.push_str(&format!("CreationTimestamp:\t{created}\n"));
    text.push_str(&format!("Selector:\t{}\n", selector(spec.get("selector"))));
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    text.push_str(&format!(
        "Replicas:\t{} desired | {} total\n",
        spec.i64_at("replicas").unwrap_or(0),
        status.i64_at("replicas").unwrap_or(0)
    ));
    text.push_str(&format!(
        "Update Strategy:\t{}\n",
        spec.str_at("updateStrategy.type")
    ));
    if let Some(partition) = spec.i64_at("updateStrategy.rollingUpdate.partition") {
        text.push_str(&format!("  Partition:\t{partition}\n"));
    }
    text.push_str(&workloads::pods_status(session, value).await?);
    text.push_str(&template_text(spec.get("template")));
    text.push_str(&claims(spec.list_at("volumeClaimTemplates")));
    Ok(text)
}

/// `Volume Claims:` of a StatefulSet.
fn claims(templates: &[Value]) -> String {
    if templates.is_empty() {
        return "Volume Claims:\t<none>\n".to_owned();
    }
    let mut text = "Volume Claims:\n".to_owned();
    for claim in templates {
        let modes = claim.list_at("spec.accessModes").iter().map(Value::as_str);
        let modes: Vec<&str> = modes.collect();
        text.push_str(&format!("  Name:\t{}\n", claim.name()));
        text.push_str(&format!(
            "  StorageClass:\t{}\n",
            claim.str_at("spec.storageClassName")
        ));
        text.push_str(&labels("  Labels:", claim.labels()));
        text.push_str(&labels("  Annotations:", claim.annotations()));
        let storage = claim.str_at("spec.resources.requests.storage");
        let storage = or(storage, "<default>");
        text.push_str(&format!("  Capacity:\t{storage}\n"));
        text.push_str(&format!("  Access Modes:\t[{}]\n", modes.join(" ")));
    }
    text
}
