//! The node object and its lease, as the kubelet writes them. Makes objects; sends nothing.
//! Models pkg/kubelet/kubelet_node_status.go and nodestatus/setters.go.

use std::rc::Rc;

use api::{Quantity, Value, object};
use machine::Sys;
use sim::Instant;

use crate::cri::{ImageStatus, RuntimeStatus};
use crate::kubelet::settings::Settings;
use crate::runtime;

/// Images a node's status lists at most (`nodeStatusMaxImages`).
const MAX_IMAGES: usize = 50;
/// Names of an image it lists at most.
const MAX_NAMES: usize = 5;

/// What of the machine goes into its node object and does not change while the kubelet runs.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    name: Rc<str>,
    ip: String,
    capacity: Value,
    info: Value,
    port: u16,
}

impl Facts {
    pub(crate) fn gather(sys: &Sys<'_>, settings: &Settings) -> Facts {
        let host = sys.host();
        let name = settings.node.clone();
        let bytes = |n: u64| Quantity::from_bytes(i64::try_from(n).unwrap_or(i64::MAX)).to_string();
        let capacity = object! {
            "cpu": host.spec.cpus.to_string(),
            "ephemeral-storage": format!("{}Ki", host.spec.disk / 1024),
            "memory": bytes(host.spec.memory),
            "pods": settings.max_pods.to_string(),
        };
        // The same at every boot, unlike the boot id.
        let mut own = sim::Stream::new(0, &format!("machine {name}"));
        let info = object! {
            "architecture": "amd64",
            "bootID": &host.boot_id,
            "containerRuntimeVersion": format!("containerd://{}", runtime::VERSION),
            "kernelVersion": &host.spec.kernel,
            "kubeProxyVersion": "",
            "kubeletVersion": &settings.version,
            "machineID": own.hex(32),
            "operatingSystem": "linux",
            "osImage": &host.spec.os_image,
            "systemUUID": own.uuid(),
        };
        let ip = settings
            .node_ip
            .map(|ip| ip.to_string())
            .unwrap_or_default();
        Facts {
            name,
            ip,
            capacity,
            info,
            port: settings.port,
        }
    }

    /// What the node can give to pods.
    pub(crate) fn allocatable(&self) -> &Value {
        &self.capacity
    }

    /// The node's object without its status, to be registered.
    pub(crate) fn object(&self, settings: &Settings) -> Value {
        let mut node = object! {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {
                "name": &self.name,
                "annotations": { "volumes.kubernetes.io/controller-managed-attach-detach": "true" },
            },
            "spec": {},
        };
        let own = [
            ("beta.kubernetes.io/arch", "amd64"),
            ("beta.kubernetes.io/os", "linux"),
            ("kubernetes.io/arch", "amd64"),
            ("kubernetes.io/hostname", &*self.name),
            ("kubernetes.io/os", "linux"),
        ];
        for (key, value) in own {
            node.set_label(key, value);
        }
        for (key, value) in &settings.labels {
            node.set_label(key, value);
        }
        node.set_or_remove("spec.taints", settings.taints.clone());
        node
    }

    /// The node's status now; `old` gives the times of conditions that stay as they are.
    pub(crate) fn status(
        &self,
        now: Instant,
        old: &Value,
        runtime: Option<&RuntimeStatus>,
        images: &[ImageStatus],
    ) -> Value {
        let mut addresses = Vec::new();
        if !self.ip.is_empty() {
            addresses.push(object! { "address": self.ip.as_str(), "type": "InternalIP" });
        }
        addresses.push(object! { "address": &self.name, "type": "Hostname" });
        let handler = |name: &str| {
            object! {
                "name": name,
                "features": { "recursiveReadOnlyMounts": true, "userNamespaces": true },
            }
        };
        let features: [&str; 4] = [
            "ExtendWebSocketsToKubelet",
            "InPlacePodLevelResourcesVerticalScaling",
            "InPlacePodVerticalScalingInitContainers",
            "RestartAllContainersOnContainerExits",
        ];
        let mut status = object! {
            "addresses": addresses,
            "allocatable": &self.capacity,
            "capacity": &self.capacity,
            "conditions": conditions(now, old, runtime),
            "daemonEndpoints": { "kubeletEndpoint": { "Port": i64::from(self.port) } },
            "declaredFeatures": features.to_vec(),
            "features": { "supplementalGroupsPolicy": true },
            "nodeInfo": &self.info,
            "runtimeHandlers": [(handler("")), (handler("runc"))],
        };
        status.set_or_remove("images", image_list(images));
        status
    }
}

fn conditions(now: Instant, old: &Value, runtime: Option<&RuntimeStatus>) -> Vec<Value> {
    let pressure = [
        (
            "MemoryPressure",
            "KubeletHasSufficientMemory",
            "kubelet has sufficient memory available",
        ),
        (
            "DiskPressure",
            "KubeletHasNoDiskPressure",
            "kubelet has no disk pressure",
        ),
        (
            "PIDPressure",
            "KubeletHasSufficientPID",
            "kubelet has sufficient PID available",
        ),
    ];
    let mut list: Vec<Value> = pressure
        .into_iter()
        .map(|(kind, reason, message)| condition(now, old, kind, false, reason, message))
        .collect();
    list.push(match not_ready(runtime) {
        None => condition(
            now,
            old,
            "Ready",
            true,
            "KubeletReady",
            "kubelet is posting ready status",
        ),
        Some(why) => condition(now, old, "Ready", false, "KubeletNotReady", &why),
    });
    let others = old.get("conditions").list().iter();
    let ours = ["MemoryPressure", "DiskPressure", "PIDPressure", "Ready"];
    list.extend(
        others
            .filter(|condition| !ours.contains(&condition.str("type")))
            .cloned(),
    );
    list
}

/// Why pods cannot be run; none if they can.
pub(crate) fn not_ready(runtime: Option<&RuntimeStatus>) -> Option<String> {
    match runtime {
        None => Some("container runtime status check may not have completed yet".to_owned()),
        Some(runtime) if !runtime.runtime_ready => Some("container runtime is down".to_owned()),
        Some(runtime) => runtime.network_error.as_ref().map(|why| {
            format!(
                "container runtime network not ready: NetworkReady=false \
                 reason:NetworkPluginNotReady message:{why}"
            )
        }),
    }
}

/// Whether a node's status says that it is ready; none if it says nothing of it.
pub(crate) fn is_ready(status: &Value) -> Option<bool> {
    let conditions = status.get("conditions").list();
    let ready = conditions
        .iter()
        .find(|condition| condition.str("type") == "Ready")?;
    Some(ready.str("status") == "True")
}

fn condition(
    now: Instant,
    old: &Value,
    kind: &str,
    holds: bool,
    reason: &str,
    message: &str,
) -> Value {
    let status = if holds { "True" } else { "False" };
    let known = old
        .get("conditions")
        .list()
        .iter()
        .find(|c| c.str("type") == kind);
    let since = known.filter(|known| known.str("status") == status);
    let since = since.map_or_else(
        || now.rfc3339().into(),
        |known| known.get("lastTransitionTime").clone(),
    );
    object! {
        "type": kind,
        "status": status,
        "reason": reason,
        "message": message,
        "lastHeartbeatTime": now.rfc3339(),
        "lastTransitionTime": since,
    }
}

/// Images as a node's status lists them: the largest first.
fn image_list(images: &[ImageStatus]) -> Vec<Value> {
    let mut images: Vec<&ImageStatus> = images.iter().collect();
    images.sort_by(|a, b| b.size.cmp(&a.size).then_with(|| a.id.cmp(&b.id)));
    images
        .into_iter()
        .take(MAX_IMAGES)
        .map(|image| {
            let names = image
                .repo_digests
                .iter()
                .chain(&image.repo_tags)
                .take(MAX_NAMES);
            let names: Vec<Value> = names.map(Value::from).collect();
            object! { "names": names, "sizeBytes": image.size }
        })
        .collect()
}

/// Whether two statuses differ in more than the times of their heartbeats.
pub(crate) fn differs(a: &Value, b: &Value) -> bool {
    let strip = |status: &Value| {
        let mut status = status.clone();
        for condition in status.list_mut("conditions") {
            condition.remove("lastHeartbeatTime");
        }
        status
    };
    !strip(a).same(&strip(b))
}

/// The strategic merge patch that turns one status into another.
pub(crate) fn status_patch(old: &Value, new: &Value) -> Value {
    let mut changes = Value::empty_map();
    for (key, value) in new.entries() {
        if old.get(key).same(value) {
            continue;
        }
        changes.set(key, value);
        if &**key == "conditions" {
            let order: Vec<Value> = value
                .list()
                .iter()
                .map(|c| object! { "type": c.get("type") })
                .collect();
            changes.set_path(&["$setElementOrder/conditions"], order);
        }
    }
    object! { "status": changes }
}

/// The lease that says the node is alive.
pub(crate) fn lease(node: &str, node_uid: &str, now: Instant, old: &Value) -> Value {
    let mut lease = if old.is_map() {
        old.clone()
    } else {
        object! {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": { "name": node, "namespace": "kube-node-lease" },
        }
    };
    if lease.owner_references().is_empty() && !node_uid.is_empty() {
        let owner = object! { "apiVersion": "v1", "kind": "Node", "name": node, "uid": node_uid };
        lease.set("metadata.ownerReferences", vec![owner]);
    }
    lease.set("spec.holderIdentity", node);
    lease.set("spec.leaseDurationSeconds", 40);
    lease.set("spec.renewTime", now.rfc3339_micro());
    lease
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim::Duration;

    #[test]
    fn a_node_is_ready_once_pods_can_have_a_network() {
        let later = Instant::ZERO + Duration::from_secs(5);
        let ready = |status: &[Value]| {
            let ready = status.iter().find(|c| c.str("type") == "Ready").unwrap();
            (
                ready.str("status").to_owned(),
                ready.str("message").to_owned(),
            )
        };
        let why = Some(Rc::from(crate::cni::NOT_INITIALIZED));
        let down = RuntimeStatus {
            runtime_ready: true,
            network_error: why,
        };
        let before = conditions(Instant::ZERO, api::NULL, Some(&down));
        assert_eq!(
            ready(&before),
            (
                "False".into(),
                "container runtime network not ready: NetworkReady=false \
                 reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin \
                 not initialized"
                    .into()
            )
        );
        let up = RuntimeStatus {
            runtime_ready: true,
            network_error: None,
        };
        let old = object! { "conditions": before };
        let after = conditions(later, &old, Some(&up));
        assert_eq!(
            ready(&after),
            ("True".into(), "kubelet is posting ready status".into())
        );
        let times: Vec<&str> = after.iter().map(|c| c.str("lastTransitionTime")).collect();
        assert_eq!(times[0], "2026-01-05T09:00:00Z");
        assert_eq!(times[3], "2026-01-05T09:00:05Z");

        let again = object! { "conditions": conditions(later, &object! { "conditions": after.clone() }, Some(&up)) };
        let much_later = object! {
            "conditions": conditions(later + Duration::from_secs(9), &object! { "conditions": after }, Some(&up)),
        };
        assert!(!differs(&again, &much_later));
        assert!(differs(&old, &again));
    }

    #[test]
    fn a_lease_is_renewed_in_place() {
        let first = lease("n", "u", Instant::ZERO, api::NULL);
        assert_eq!(first.str_at("metadata.ownerReferences.0.uid"), "u");
        let mut kept = first.clone();
        kept.set("metadata.resourceVersion", "7");
        let second = lease("n", "u", Instant::ZERO + Duration::from_secs(10), &kept);
        assert_eq!(second.resource_version(), "7");
        assert_eq!(
            second.str_at("spec.renewTime"),
            "2026-01-05T09:00:10.000000Z"
        );
    }
}
