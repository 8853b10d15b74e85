//! `kubectl describe node`.

use std::collections::BTreeMap;

use api::kinds::support;
use api::{Quantity, Value};
use net::http::percent_encode;
use sim::Instant;

use super::{annotations, date, labels, multiline};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};
use crate::kubectl::target::or;

const ROLE: &str = "node-role.kubernetes.io/";
const RESOURCES: [&str; 3] = ["cpu", "memory", "ephemeral-storage"];

/// A Node, without events.
pub(super) async fn text(session: &Session, node: &Value, now: Instant) -> Outcome<String> {
    let roles: Vec<&str> = node
        .labels()
        .iter()
        .filter_map(|(key, _)| key.strip_prefix(ROLE))
        .collect();
    let roles = if roles.is_empty() {
        "<none>".to_owned()
    } else {
        roles.join(",")
    };
    let mut text = format!("Name:\t{}\nRoles:\t{roles}\n", node.name());
    text.push_str(&labels("Labels:", node.labels()));
    text.push_str(&annotations("Annotations:", node.annotations()));
    let created = date(node.str_at("metadata.creationTimestamp"));
    text.push_str(&format!("CreationTimestamp:\t{created}\n"));
    text.push_str(&multiline(
        "Taints:",
        node.list_at("spec.taints").iter().map(|taint| {
            let (key, value, effect) = (
                taint.str_at("key"),
                taint.str_at("value"),
                taint.str_at("effect"),
            );
            match value {
                "" => format!("{key}:{effect}"),
                value => format!("{key}={value}:{effect}"),
            }
        }),
    ));
    text.push_str(&format!(
        "Unschedulable:\t{}\n",
        node.bool_at("spec.unschedulable")
    ));
    text.push_str(&lease(session, node.name()).await?);
    text.push_str(&conditions(node));
    text.push_str("Addresses:\n");
    for address in node.list_at("status.addresses") {
        text.push_str(&format!(
            "  {}:\t{}\n",
            address.str_at("type"),
            address.str_at("address")
        ));
    }
    for (title, field) in [("Capacity", "capacity"), ("Allocatable", "allocatable")] {
        text.push_str(&format!("{title}:\n"));
        for (name, amount) in node.get("status").get(field).entries().iter() {
            text.push_str(&format!("  {name}:\t{}\n", amount.as_str()));
        }
    }
    text.push_str(&slices(session, node.name()).await?);
    text.push_str(&system(node));
    text.push_str(&pods(session, node, now).await?);
    Ok(text)
}

async fn lease(session: &Session, name: &str) -> Outcome<String> {
    let path = format!("/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}");
    let mut text = String::from("Lease:\n");
    match session.call(Call::get(path)).await {
        Ok(lease) => {
            let holder = lease.str_at("spec.holderIdentity");
            text.push_str(&format!("  HolderIdentity:\t{holder}\n"));
            for (title, field) in [("AcquireTime", "acquireTime"), ("RenewTime", "renewTime")] {
                let time = date(lease.get("spec").str_at(field));
                text.push_str(&format!("  {title}:\t{time}\n"));
            }
        }
        Err(failure) if failure.is_not_found() => {
            text.push_str("  HolderIdentity:\t<unset>\n");
            text.push_str("  AcquireTime:\t<unset>\n  RenewTime:\t<unset>\n");
        }
        Err(failure) => return Err(failure),
    }
    Ok(text)
}

fn conditions(node: &Value) -> String {
    let mut text = String::from(
        "Conditions:\n  Type\tStatus\tLastHeartbeatTime\tLastTransitionTime\tReason\tMessage\n  \
         ----\t------\t-----------------\t------------------\t------\t-------\n",
    );
    for condition in node.list_at("status.conditions") {
        text.push_str(&format!(
            "  {} \t{} \t{} \t{} \t{} \t{}\n",
            condition.str_at("type"),
            condition.str_at("status"),
            date(condition.str_at("lastHeartbeatTime")),
            date(condition.str_at("lastTransitionTime")),
            condition.str_at("reason"),
            condition.str_at("message")
        ));
    }
    text
}

/// The devices that drivers offer on the node.
async fn slices(session: &Session, node: &str) -> Outcome<String> {
    let selector = percent_encode(&format!("spec.nodeName={node}"));
    let path = format!("/apis/resource.k8s.io/v1/resourceslices?fieldSelector={selector}");
    // Who may not see them is not told of them.
    let Ok(list) = session.call(Call::get(path)).await else {
        return Ok(String::new());
    };
    let mut pools: BTreeMap<(String, String), (usize, usize)> = BTreeMap::new();
    for slice in list.list_at("items") {
        let spec = slice.get("spec");
        let key = (
            spec.str("driver").to_owned(),
            spec.str_at("pool.name").to_owned(),
        );
        let counts = pools.entry(key).or_default();
        counts.0 += 1;
        counts.1 += spec.list_at("devices").len();
    }
    if pools.is_empty() {
        return Ok(String::new());
    }
    let mut text = String::from(
        "Node-Local ResourceSlices:\n  Driver\tPool\tSlices\tDevices\n  \
         ------\t----\t------\t-------\n",
    );
    for ((driver, pool), (slices, devices)) in pools {
        text.push_str(&format!("  {driver}\t{pool}\t{slices}\t{devices}\n"));
    }
    Ok(text)
}

fn system(node: &Value) -> String {
    let info = node.at("status.nodeInfo");
    let mut text = String::from("System Info:\n");
    for (title, field) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
    ] {
        text.push_str(&format!("  {title}:\t{}\n", info.str_at(field)));
    }
    if !node.str_at("spec.podCIDR").is_empty() {
        text.push_str(&format!("PodCIDR:\t{}\n", node.str_at("spec.podCIDR")));
        let all: Vec<&str> = node
            .list_at("spec.podCIDRs")
            .iter()
            .map(Value::as_str)
            .collect();
        text.push_str(&format!("PodCIDRs:\t{}\n", all.join(",")));
    }
    text
}

/// What the pods of a node ask for, of one resource: thousandths requested and allowed.
fn amounts(pod: &Value, resource: &str) -> (i64, i64) {
    let requests = support::resources::requests(pod);
    let limits = support::resources::limits(pod);
    let milli = |amounts: &std::collections::BTreeMap<api::Str, Quantity>| {
        amounts.get(resource).map_or(0, Quantity::milli)
    };
    (milli(&requests), milli(&limits))
}

async fn pods(session: &Session, node: &Value, now: Instant) -> Outcome<String> {
    let fields = percent_encode(&format!(
        "spec.nodeName={},status.phase!=Failed,status.phase!=Succeeded",
        node.name()
    ));
    let path = format!("/api/v1/pods?fieldSelector={fields}&limit=500");
    let list = session.call(Call::get(path)).await?;
    let pods = list.list_at("items");
    let total = |resource: &str| -> i64 {
        let text = or(node.at("status.allocatable").str(resource), "0");
        Quantity::parse(text).map_or(0, |quantity| quantity.milli())
    };
    let shown = |milli: i64, resource: &str| -> String {
        let all = total(resource);
        let share = if all > 0 {
            i128::from(milli) * 100 / i128::from(all)
        } else {
            0
        };
        format!("{} ({share}%)", amount_text(milli, resource))
    };
    let mut text = format!("Non-terminated Pods:\t({} in total)\n", pods.len());
    text.push_str(
        "  Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge\n  \
         ---------\t----\t\t------------\t----------\t---------------\t-------------\t---\n",
    );
    let mut sums = [(0, 0); RESOURCES.len()];
    for pod in pods {
        let all = RESOURCES.map(|resource| amounts(pod, resource));
        for (sum, amount) in sums.iter_mut().zip(all) {
            *sum = (sum.0 + amount.0, sum.1 + amount.1);
        }
        text.push_str(&format!(
            "  {}\t{}\t\t{}\t{}\t{}\t{}\t{}\n",
            pod.namespace(),
            pod.name(),
            shown(all[0].0, "cpu"),
            shown(all[0].1, "cpu"),
            shown(all[1].0, "memory"),
            shown(all[1].1, "memory"),
            api::time::age(now, pod.str_at("metadata.creationTimestamp"))
        ));
    }
    text.push_str(
        "Allocated resources:\n  (Total limits may be over 100 percent, i.e., overcommitted.)\n  \
         Resource\tRequests\tLimits\n  --------\t--------\t------\n",
    );
    for (resource, (requests, limits)) in RESOURCES.iter().zip(sums) {
        let (requests, limits) = (shown(requests, resource), shown(limits, resource));
        text.push_str(&format!("  {resource}\t{requests}\t{limits}\n"));
    }
    Ok(text)
}

/// Thousandths in the unit people use for the resource: `250m`, `70Mi`, `0`.
fn amount_text(milli: i64, resource: &str) -> String {
    if resource == "cpu" {
        return match milli % 1000 {
            0 => (milli / 1000).to_string(),
            _ => format!("{milli}m"),
        };
    }
    let bytes = milli / 1000;
    for (unit, size) in [("Gi", 1 << 30), ("Mi", 1 << 20), ("Ki", 1 << 10)] {
        if bytes != 0 && bytes % size == 0 {
            return format!("{}{unit}", bytes / size);
        }
    }
    bytes.to_string()
}
