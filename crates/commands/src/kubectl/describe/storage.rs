//! `kubectl describe` for persistent volumes, claims, and classes of both.

use api::kinds::storageclass::is_default;
use api::kinds::support::volumes::{access_modes, class};
use api::{Str, Value};
use sim::Instant;

use super::{annotations, date, labels, multiline, pairs, volumes};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};
use crate::kubectl::target::or;

/// A PersistentVolume, without events.
pub(super) fn volume(value: &Value, now: Instant) -> String {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let claim = match spec.get("claimRef") {
        Value::Null => String::new(),
        claim => format!("{}/{}", claim.str("namespace"), claim.str("name")),
    };
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    text.push_str(&format!("Finalizers:\t{}\n", finalizers(value)));
    text.push_str(&format!("StorageClass:\t{}\n", class(value)));
    text.push_str(&format!("Status:\t{}\n", phase(value, now)));
    text.push_str(&format!("Claim:\t{claim}\n"));
    let policy = spec.str("persistentVolumeReclaimPolicy");
    text.push_str(&format!("Reclaim Policy:\t{policy}\n"));
    let modes = access_modes(spec.get("accessModes"));
    text.push_str(&format!("Access Modes:\t{modes}\n"));
    if spec.has("volumeMode") {
        text.push_str(&format!("VolumeMode:\t{}\n", spec.str("volumeMode")));
    }
    let size = or(spec.str_at("capacity.storage"), "0");
    text.push_str(&format!("Capacity:\t{size}\n"));
    text.push_str(&node_affinity(spec.at("nodeAffinity.required")));
    text.push_str(&format!("Message:\t{}\nSource:\n", status.str("message")));
    text + &volumes::source(spec)
}

fn node_affinity(required: &Value) -> String {
    if required.is_null() {
        return "Node Affinity:\t<none>\n".to_owned();
    }
    let terms = required.list_at("nodeSelectorTerms");
    if terms.is_empty() {
        return "Node Affinity:\t\n  Required Terms:\t<none>\n".to_owned();
    }
    let mut text = "Node Affinity:\t\n  Required Terms:\t\n".to_owned();
    for (at, term) in terms.iter().enumerate() {
        let expressions = term.list_at("matchExpressions").iter();
        let lines = expressions.map(|one| {
            let (key, operator) = (one.str("key"), one.str("operator").to_lowercase());
            match one.list_at("values") {
                [] => format!("{key} {operator}"),
                values => format!("{key} {operator} [{}]", join(values, ", ")),
            }
        });
        text.push_str(&multiline(&format!("    Term {at}:"), lines));
    }
    text
}

/// A PersistentVolumeClaim, without events.
pub(super) async fn claim(session: &Session, value: &Value, now: Instant) -> Outcome<String> {
    let spec = value.get("spec");
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    text.push_str(&format!("StorageClass:\t{}\n", class(value)));
    text.push_str(&format!("Status:\t{}\n", phase(value, now)));
    text.push_str(&claim_rest(value, true));
    if spec.has("dataSource") {
        text.push_str("DataSource:\n");
        for (title, field) in [("APIGroup", "apiGroup"), ("Kind", "kind"), ("Name", "name")] {
            let shown = spec.get("dataSource").str(field);
            if !shown.is_empty() {
                text.push_str(&format!("  {title}:\t{shown}\n"));
            }
        }
    }
    let users = users(session, value).await?;
    text.push_str(&multiline("Used By:", users.into_iter()));
    Ok(text + &conditions(value))
}

/// What claims and the templates of claims show alike.
pub(super) fn claim_rest(value: &Value, full: bool) -> String {
    let (spec, status) = (value.get("spec"), value.get("status"));
    let name = spec.str("volumeName");
    let mut text = format!("Volume:\t{name}\n");
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    if full {
        text.push_str(&format!("Finalizers:\t{}\n", finalizers(value)));
    }
    let (size, modes) = match name {
        "" => ("", String::new()),
        _ => (
            or(status.str_at("capacity.storage"), "0"),
            access_modes(status.get("accessModes")),
        ),
    };
    text.push_str(&format!("Capacity:\t{size}\nAccess Modes:\t{modes}\n"));
    if spec.has("volumeMode") {
        text.push_str(&format!("VolumeMode:\t{}\n", spec.str("volumeMode")));
    }
    text
}

/// The names of the pods that use a claim.
async fn users(session: &Session, claim: &Value) -> Outcome<Vec<String>> {
    let path = format!("/api/v1/namespaces/{}/pods?limit=500", claim.namespace());
    let list = session.call(Call::get(path)).await?;
    let owns = |pod: &Value| {
        let mut owners = claim.owner_references().iter();
        owners.any(|owner| owner.str("kind") == "Pod" && owner.str("uid") == pod.uid())
    };
    let names = |pod: &Value| {
        let mut volumes = pod.list_at("spec.volumes").iter();
        volumes.any(|volume| volume.str_at("persistentVolumeClaim.claimName") == claim.name())
    };
    let pods = list.list_at("items").iter();
    let users = pods.filter(|pod| names(pod) || owns(pod));
    Ok(users.map(|pod| pod.name().to_owned()).collect())
}

fn conditions(claim: &Value) -> String {
    let conditions = claim.list_at("status.conditions");
    if conditions.is_empty() {
        return String::new();
    }
    let mut text = "Conditions:\n  \
         Type\tStatus\tLastProbeTime\tLastTransitionTime\tReason\tMessage\n  \
         ----\t------\t-----------------\t------------------\t------\t-------\n"
        .to_owned();
    for condition in conditions {
        text.push_str(&format!(
            "  {} \t{} \t{} \t{} \t{} \t{}\n",
            condition.str("type"),
            condition.str("status"),
            date(condition.str("lastProbeTime")),
            date(condition.str("lastTransitionTime")),
            condition.str("reason"),
            condition.str("message")
        ));
    }
    text
}

/// A StorageClass, without events.
pub(super) fn storage_class(value: &Value) -> String {
    let default = if is_default(value) { "Yes" } else { "No" };
    let mut text = format!("Name:\t{}\nIsDefaultClass:\t{default}\n", value.name());
    text.push_str(&format!("Annotations:\t{}\n", pairs(value.annotations())));
    text.push_str(&format!("Provisioner:\t{}\n", value.str("provisioner")));
    let parameters = pairs(value.map_at("parameters"));
    text.push_str(&format!("Parameters:\t{parameters}\n"));
    let expands = match value.get("allowVolumeExpansion").as_bool() {
        Some(true) => "True",
        Some(false) => "False",
        None => "<unset>",
    };
    text.push_str(&format!("AllowVolumeExpansion:\t{expands}\n"));
    match value.list_at("mountOptions") {
        [] => text.push_str("MountOptions:\t<none>\n"),
        options => {
            text.push_str("MountOptions:\n");
            for option in options {
                text.push_str(&format!("  {}\n", option.as_str()));
            }
        }
    }
    for (title, field) in [
        ("ReclaimPolicy", "reclaimPolicy"),
        ("VolumeBindingMode", "volumeBindingMode"),
    ] {
        if value.has(field) {
            text.push_str(&format!("{title}:\t{}\n", value.str(field)));
        }
    }
    text + &topologies(value.get("allowedTopologies"))
}

fn topologies(terms: &Value) -> String {
    if terms.is_null() {
        return String::new();
    }
    if terms.list().is_empty() {
        return "AllowedTopologies:\t<none>\n".to_owned();
    }
    let mut text = "AllowedTopologies:\t\n".to_owned();
    for (at, term) in terms.list().iter().enumerate() {
        let expressions = term.list_at("matchLabelExpressions").iter();
        let lines = expressions.map(|one| {
            let values = join(one.list_at("values"), ", ");
            format!("{} in [{values}]", one.str("key"))
        });
        text.push_str(&multiline(&format!("  Term {at}:"), lines));
    }
    text
}

/// A VolumeAttributesClass, without events.
pub(super) fn attributes_class(value: &Value) -> String {
    format!(
        "Name:\t{}\nAnnotations:\t{}\nDriverName:\t{}\nParameters:\t{}\n",
        value.name(),
        pairs(value.annotations()),
        value.str("driverName"),
        pairs(value.map_at("parameters"))
    )
}

/// A CSINode, without events.
pub(super) fn csi_node(value: &Value) -> String {
    let mut text = format!("Name:\t{}\n", value.name());
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    let created = date(value.creation_timestamp());
    text.push_str(&format!("CreationTimestamp:\t{created}\nSpec:\n"));
    let drivers = value.list_at("spec.drivers");
    if !drivers.is_empty() {
        text.push_str("  Drivers:\n");
    }
    for driver in drivers {
        let (name, node) = (driver.str("name"), driver.str("nodeID"));
        text.push_str(&format!("    {name}:\n      Node ID:\t{node}\n"));
        if let Some(count) = driver.i64_at("allocatable.count") {
            text.push_str(&format!("      Allocatables:\n        Count:\t{count}\n"));
        }
        if driver.has("topologyKeys") {
            let keys = join(driver.list_at("topologyKeys"), " ");
            text.push_str(&format!("      Topology Keys:\t[{keys}]\n"));
        }
    }
    text
}

fn phase(value: &Value, now: Instant) -> String {
    match value.deletion_timestamp() {
        Some(since) => format!("Terminating (lasts {})", api::time::age(now, since)),
        None => value.str_at("status.phase").to_owned(),
    }
}

/// As Go prints a list of strings.
fn finalizers(value: &Value) -> String {
    format!("[{}]", join(value.finalizers(), " "))
}

fn join(values: &[Value], with: &str) -> String {
    let values: Vec<&str> = values.iter().map(Value::as_str).collect();
    values.join(with)
}

/// Lines of a map, `key=value`, below a title.
pub(super) fn attributes(title: &str, map: &api::Map) -> String {
    let line = |(key, value): (&Str, &Value)| format!("{key}={}", value.as_str());
    multiline(title, map.iter().map(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(spec: Value, expect: &str) {
        let volume = object! { "metadata": { "name": "pv" }, "spec": spec };
        let text = volume_text(&volume);
        let found = text.lines().any(|line| line == expect);
        assert!(found, "{expect:?} is not in\n{text}");
    }

    fn volume_text(value: &Value) -> String {
        volume(value, Instant::ZERO).replace('\t', "|")
    }

    #[test]
    fn a_volume_tells_where_it_is() {
        check(object! { "hostPath": { "path": "/mnt" } }, "    Path:|/mnt");
        check(object! { "nfs": { "server": "nas" } }, "    Server:|nas");
        let csi = object! { "driver": "d", "volumeAttributes": { "a": "1", "b": "2" } };
        check(
            object! { "csi": (csi.clone()) },
            "    VolumeAttributes:|    a=1",
        );
        check(object! { "csi": csi }, "        |    b=2");
        let expression = object! { "key": "zone", "operator": "In", "values": ["a", "b"] };
        let term = object! { "matchExpressions": [expression] };
        let affinity = object! { "required": { "nodeSelectorTerms": [term] } };
        check(
            object! { "nodeAffinity": affinity },
            "    Term 0:|zone in [a, b]",
        );
        check(object! {}, "Node Affinity:|<none>");
    }
}
