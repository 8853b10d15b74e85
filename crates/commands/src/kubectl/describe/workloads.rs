//! `kubectl describe deployment`, `replicaset`, `replicationcontroller` and `daemonset`.

use api::Value;

use super::{annotations, containers, controlled_by, date, labels, pairs, pod, selector, volumes};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};

/// A Deployment, without events.
pub(super) async fn deployment(session: &Session, value: &Value) -> Outcome<String> {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let number = |path: &str| status.i64_at(path).unwrap_or(0);
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    let created = date(value.str_at("metadata.creationTimestamp"));
    text.push_str(&format!("CreationTimestamp:\t{created}\n"));
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    text.push_str(&format!("Selector:\t{}\n", selector(spec.get("selector"))));
    text.push_str(&format!(
        "Replicas:\t{} desired | {} updated | {} total | {} available | {} unavailable\n",
        spec.i64_at("replicas").unwrap_or(0),
        number("updatedReplicas"),
        number("replicas"),
        number("availableReplicas"),
        number("unavailableReplicas")
    ));
    text.push_str(&format!(
        "StrategyType:\t{}\n",
        spec.str_at("strategy.type")
    ));
    text.push_str(&format!(
        "MinReadySeconds:\t{}\n",
        spec.i64_at("minReadySeconds").unwrap_or(0)
    ));
    if let update @ Value::Map(_) = spec.at("strategy.rollingUpdate") {
        let amount = |field: &str| match update.get(field) {
            Value::Str(text) => text.to_string(),
            other => other.to_json(),
        };
        text.push_str(&format!(
            "RollingUpdateStrategy:\t{} max unavailable, {} max surge\n",
            amount("maxUnavailable"),
            amount("maxSurge")
        ));
    }
    text.push_str(&template_text(spec.get("template")));
    text.push_str(&conditions(status));
    Ok(text + &replica_sets(session, value).await?)
}

/// `OldReplicaSets:` and `NewReplicaSet:`.
async fn replica_sets(session: &Session, value: &Value) -> Outcome<String> {
    let path = format!("/apis/apps/v1/namespaces/{}/replicasets", value.namespace());
    let list = session.call(Call::get(path)).await?;
    let owned = list.list_at("items").iter().filter(|set| {
        set.controller()
            .is_some_and(|owner| owner.str_at("uid") == value.uid())
    });
    let wanted = value.at("spec.template");
    let is_new = |set: &&Value| {
        let mut template = set.at("spec.template").clone();
        template.remove_path(&["metadata", "labels", "pod-template-hash"]);
        template.same(wanted)
    };
    let (new, old): (Vec<&Value>, Vec<&Value>) = owned.partition(is_new);
    if new.is_empty() && old.is_empty() {
        return Ok(String::new());
    }
    let show = |sets: &[&Value]| -> String {
        let texts: Vec<String> = sets
            .iter()
            .map(|set| {
                format!(
                    "{} ({}/{} replicas created)",
                    set.name(),
                    set.i64_at("status.replicas").unwrap_or(0),
                    set.i64_at("spec.replicas").unwrap_or(0)
                )
            })
            .collect();
        if texts.is_empty() {
            "<none>".to_owned()
        } else {
            texts.join(", ")
        }
    };
    Ok(format!(
        "OldReplicaSets:\t{}\nNewReplicaSet:\t{}\n",
        show(&old),
        show(&new)
    ))
}

/// A ReplicaSet, without events.
pub(super) async fn replica_set(session: &Session, value: &Value) -> Outcome<String> {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    text.push_str(&format!("Selector:\t{}\n", selector(spec.get("selector"))));
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    if let Some(owner) = controlled_by(value) {
        text.push_str(&format!("Controlled By:\t{owner}\n"));
    }
    text.push_str(&format!(
        "Replicas:\t{} current / {} desired\n",
        status.i64_at("replicas").unwrap_or(0),
        spec.i64_at("replicas").unwrap_or(0)
    ));
    text.push_str(&pods_status(session, value).await?);
    Ok(text + &template_text(spec.get("template")) + &conditions(status))
}

/// A ReplicationController, without events.
pub(super) async fn replication_controller(session: &Session, value: &Value) -> Outcome<String> {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\nSelector:\t{}\n",
        value.name(),
        value.namespace(),
        pairs(spec.map_at("selector"))
    );
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    text.push_str(&format!(
        "Replicas:\t{} current / {} desired\n",
        status.i64_at("replicas").unwrap_or(0),
        spec.i64_at("replicas").unwrap_or(0)
    ));
    text.push_str(&pods_status(session, value).await?);
    Ok(text + &template_text(spec.get("template")) + &conditions(status))
}

/// A DaemonSet, without events.
pub(super) async fn daemon_set(session: &Session, value: &Value) -> Outcome<String> {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\nSelector:\t{}\nNode-Selector:\t{}\n",
        value.name(),
        value.namespace(),
        selector(spec.get("selector")),
        pairs(spec.map_at("template.spec.nodeSelector"))
    );
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    for (title, field) in [
        (
            "Desired Number of Nodes Scheduled",
            "desiredNumberScheduled",
        ),
        (
            "Current Number of Nodes Scheduled",
            "currentNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Up-to-date Pods",
            "updatedNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Available Pods",
            "numberAvailable",
        ),
        ("Number of Nodes Misscheduled", "numberMisscheduled"),
    ] {
        let number = status.i64_at(field).unwrap_or(0);
        text.push_str(&format!("{title}: {number}\n"));
    }
    text.push_str(&pods_status(session, value).await?);
    Ok(text + &template_text(spec.get("template")))
}

/// `Pods Status:` of a workload's own pods.
pub(super) async fn pods_status(session: &Session, value: &Value) -> Outcome<String> {
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

fn conditions(status: &Value) -> String {
    let conditions = status.list_at("conditions");
    if conditions.is_empty() {
        return String::new();
    }
    let mut text = String::from("Conditions:\n  Type\tStatus\tReason\n  ----\t------\t------\n");
    for condition in conditions {
        text.push_str(&format!(
            "  {} \t{}\t{}\n",
            condition.str_at("type"),
            condition.str_at("status"),
            condition.str_at("reason")
        ));
    }
    text
}

/// `Pod Template:` with what is below it, with tabs.
pub(in crate::kubectl) fn template_text(template: &Value) -> String {
    let spec = template.get("spec");
    let mut text = String::from("Pod Template:\n");
    let meta = template.get("metadata");
    text.push_str(&labels("  Labels:", meta.map_at("labels")));
    if !meta.map_at("annotations").is_empty() {
        text.push_str(&annotations("  Annotations:", meta.map_at("annotations")));
    }
    if !spec.str_at("serviceAccountName").is_empty() {
        text.push_str(&format!(
            "  Service Account:\t{}\n",
            spec.str_at("serviceAccountName")
        ));
    }
    for (label, field) in [
        ("Init Containers", "initContainers"),
        ("Containers", "containers"),
    ] {
        text.push_str(&containers::text(label, spec.list_at(field), None, "  "));
    }
    text.push_str(&volumes::text(spec.list_at("volumes"), "  "));
    let constraints = spec.list_at("topologySpreadConstraints");
    text.push_str(&pod::spread("  ", constraints));
    if !spec.str_at("priorityClassName").is_empty() {
        let class = spec.str_at("priorityClassName");
        text.push_str(&format!("  Priority Class Name:\t{class}\n"));
    }
    text.push_str(&labels("  Node-Selectors:", spec.map_at("nodeSelector")));
    text + &pod::tolerations("  Tolerations:", spec.list_at("tolerations"))
}
