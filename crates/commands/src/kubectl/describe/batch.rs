//! `kubectl describe job` and `statefulset`.

use api::{Value, time};
use sim::Instant;

use super::{annotations, controlled_by, date, labels, selector, template_text};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};

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
        let done = status.str("completedIndexes");
        let done = if done.is_empty() { "<none>" } else { done };
        line("Completed Indexes", done.to_owned());
    }
    text + &template_text(spec.get("template"))
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
    text.push_str(&pods_status(session, value).await?);
    text.push_str(&template_text(spec.get("template")));
    text.push_str(&claims(spec.list_at("volumeClaimTemplates")));
    Ok(text)
}

/// `Pods Status:` of a workload's own pods.
async fn pods_status(session: &Session, value: &Value) -> Outcome<String> {
    let path = format!("/api/v1/namespaces/{}/pods", value.namespace());
    let pods = session.call(Call::get(path)).await?;
    let own = |pod: &&Value| pod.is_controlled_by(value.uid());
    let count = |phase: &str| {
        let own = pods.list_at("items").iter().filter(own);
        own.filter(|pod| pod.str_at("status.phase") == phase)
            .count()
    };
    Ok(format!(
        "Pods Status:\t{} Running / {} Waiting / {} Succeeded / {} Failed\n",
        count("Running"),
        count("Pending"),
        count("Succeeded"),
        count("Failed")
    ))
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
        text.push_str(&annotations("  Annotations:", claim.annotations()));
        let storage = claim.str_at("spec.resources.requests.storage");
        text.push_str(&format!("  Capacity:\t{storage}\n"));
        text.push_str(&format!("  Access Modes:\t[{}]\n", modes.join(" ")));
    }
    text
}
