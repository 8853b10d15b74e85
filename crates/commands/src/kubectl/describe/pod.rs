//! `kubectl describe pod`.

use api::Value;

use sim::Instant;

use super::{annotations, containers, controlled_by, date, labels, multiline, volumes};

/// The description, without events.
pub(super) fn text(pod: &Value, now: Instant) -> String {
    let spec = pod.get("spec");
    let status = pod.get("status");
    let mut text = format!("Name:\t{}\nNamespace:\t{}\n", pod.name(), pod.namespace());
    text.push_str(&format!(
        "Priority:\t{}\n",
        spec.i64_at("priority").unwrap_or(0)
    ));
    for (title, field) in [
        ("Priority Class Name", "priorityClassName"),
        ("Runtime Class Name", "runtimeClassName"),
    ] {
        if !spec.str_at(field).is_empty() {
            text.push_str(&format!("{title}:\t{}\n", spec.str_at(field)));
        }
    }
    if !spec.str_at("serviceAccountName").is_empty() {
        text.push_str(&format!(
            "Service Account:\t{}\n",
            spec.str_at("serviceAccountName")
        ));
    }
    match spec.str_at("nodeName") {
        "" => text.push_str("Node:\t<none>\n"),
        node => text.push_str(&format!("Node:\t{node}/{}\n", status.str_at("hostIP"))),
    }
    if !status.str_at("startTime").is_empty() {
        text.push_str(&format!(
            "Start Time:\t{}\n",
            date(status.str_at("startTime"))
        ));
    }
    text.push_str(&labels("Labels:", pod.labels()));
    text.push_str(&annotations("Annotations:", pod.annotations()));
    text.push_str(&phase(pod, now));
    text.push_str(&containers::seccomp(spec.get("securityContext"), ""));
    text.push_str(&addresses(status));
    if let Some(owner) = controlled_by(pod) {
        text.push_str(&format!("Controlled By:\t{owner}\n"));
    }
    let groups = [
        ("Init Containers", "initContainers", "initContainerStatuses"),
        ("Containers", "containers", "containerStatuses"),
        (
            "Ephemeral Containers",
            "ephemeralContainers",
            "ephemeralContainerStatuses",
        ),
    ];
    for (label, field, statuses) in groups {
        text.push_str(&containers::text(
            label,
            spec.list_at(field),
            Some((pod, statuses)),
            "",
        ));
    }
    text.push_str(&gates(pod));
    text.push_str(&conditions(status));
    text.push_str(&volumes::text(spec.list_at("volumes"), ""));
    text.push_str(&format!("QoS Class:\t{}\n", status.str_at("qosClass")));
    text.push_str(&multiline(
        "Node-Selectors:",
        spec.get("nodeSelector")
            .entries()
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str())),
    ));
    text.push_str(&tolerations("Tolerations:", spec.list_at("tolerations")));
    text + &spread("", spec.list_at("topologySpreadConstraints"))
}

/// How pods are to be spread, by topology key.
pub(super) fn spread(space: &str, constraints: &[Value]) -> String {
    if constraints.is_empty() {
        return String::new();
    }
    let mut constraints = constraints.to_vec();
    constraints.sort_by(|a, b| a.str("topologyKey").cmp(b.str("topologyKey")));
    let lines = constraints.iter().map(|one| {
        let selector = match one.get("labelSelector") {
            Value::Null => String::new(),
            labels => format!(" for selector {}", super::selector(labels)),
        };
        format!(
            "{}:{} when max skew {} is exceeded{selector}",
            one.str("topologyKey"),
            one.str("whenUnsatisfiable"),
            one.i64_at("maxSkew").unwrap_or(0)
        )
    });
    multiline(&format!("{space}Topology Spread Constraints:"), lines)
}

fn phase(pod: &Value, now: Instant) -> String {
    let status = pod.get("status");
    let mut text = String::new();
    match pod.deletion_timestamp() {
        Some(when) => {
            let grace = pod
                .i64_at("metadata.deletionGracePeriodSeconds")
                .unwrap_or(0);
            let since = api::time::age(now, when);
            text.push_str(&format!("Status:\tTerminating (lasts {since})\n"));
            text.push_str(&format!("Termination Grace Period:\t{grace}s\n"));
        }
        None => text.push_str(&format!("Status:\t{}\n", status.str_at("phase"))),
    }
    for (title, field) in [("Reason", "reason"), ("Message", "message")] {
        if !status.str_at(field).is_empty() {
            text.push_str(&format!("{title}:\t{}\n", status.str_at(field)));
        }
    }
    text
}

fn addresses(status: &Value) -> String {
    let mut text = format!("IP:\t{}\n", status.str_at("podIP"));
    let ips = status.list_at("podIPs");
    if ips.is_empty() {
        text.push_str("IPs:\t<none>\n");
    } else {
        text.push_str("IPs:\n");
        for ip in ips {
            text.push_str(&format!("  IP:\t{}\n", ip.str_at("ip")));
        }
    }
    text
}

fn gates(pod: &Value) -> String {
    let gates = pod.list_at("spec.readinessGates");
    if gates.is_empty() {
        return String::new();
    }
    let mut text = String::from("Readiness Gates:\n  Type\tStatus\n");
    for gate in gates {
        let kind = gate.str("conditionType");
        let mut conditions = pod.list_at("status.conditions").iter();
        let known = conditions.find(|condition| condition.str("type") == kind);
        let status = known.map_or("<none>", |condition| condition.str("status"));
        text.push_str(&format!("  {kind} \t{status} \n"));
    }
    text
}

fn conditions(status: &Value) -> String {
    let conditions = status.list_at("conditions");
    if conditions.is_empty() {
        return String::new();
    }
    let mut text = String::from("Conditions:\n  Type\tStatus\n");
    for condition in conditions {
        text.push_str(&format!(
            "  {} \t{} \n",
            condition.str_at("type"),
            condition.str_at("status")
        ));
    }
    text
}

/// Tolerations by their keys, one a line.
pub(super) fn tolerations(title: &str, tolerations: &[Value]) -> String {
    let mut tolerations = tolerations.to_vec();
    tolerations.sort_by(|a, b| a.str("key").cmp(b.str("key")));
    multiline(
        title,
        tolerations.iter().map(|toleration| {
            let mut text = toleration.str_at("key").to_owned();
            if !toleration.str_at("value").is_empty() {
                text.push_str(&format!("={}", toleration.str_at("value")));
            }
            if !toleration.str_at("effect").is_empty() {
                text.push_str(&format!(":{}", toleration.str_at("effect")));
            }
            if toleration.str_at("operator") == "Exists" && toleration.str_at("value").is_empty() {
                let space = if text.is_empty() { "" } else { " " };
                text.push_str(&format!("{space}op=Exists"));
            }
            if let Some(seconds) = toleration.i64_at("tolerationSeconds") {
                text.push_str(&format!(" for {seconds}s"));
            }
            text
        }),
    )
}
