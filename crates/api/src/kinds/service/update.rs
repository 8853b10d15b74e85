//! What becomes of addresses and ports when a Service changes.
//!
//! Models pkg/registry/core/service/{strategy.go,storage/storage.go}.

use crate::{Value, value};

/// Whether a Service of this type has an address of the cluster.
pub fn needs_cluster_ip(service: &Value) -> bool {
    service.str_at("spec.type") != "ExternalName"
}

/// Whether the ports of a Service of this type are opened on the nodes.
pub fn needs_node_port(service: &Value) -> bool {
    match service.str_at("spec.type") {
        "NodePort" => true,
        "LoadBalancer" => service.at("spec.allocateLoadBalancerNodePorts").as_bool() != Some(false),
        _ => false,
    }
}

fn may_have_node_port(service: &Value) -> bool {
    matches!(service.str_at("spec.type"), "NodePort" | "LoadBalancer")
}

/// Takes over what was allocated, and drops what the new type does not have.
pub(super) fn prepare(new: &mut Value, old: &Value) {
    normalize_cluster_ips(new, Some(old));
    patch_allocated(new, old);
    drop_dependent(new, old);
    families(new);
}

/// Keeps `clusterIP` and `clusterIPs[0]` one: whichever the client changed wins.
pub(super) fn normalize_cluster_ips(new: &mut Value, old: Option<&Value>) {
    let single = new.str_at("spec.clusterIP").to_owned();
    let Some(old) = old else {
        if !single.is_empty() && new.list_at("spec.clusterIPs").is_empty() {
            new.set("spec.clusterIPs", vec![single]);
        } else if single.is_empty() && !new.list_at("spec.clusterIPs").is_empty() {
            new.set("spec.clusterIP", new.at("spec.clusterIPs.0").clone());
        }
        return;
    };
    let list_changed = !new.at("spec.clusterIPs").same(old.at("spec.clusterIPs"));
    if single == old.str_at("spec.clusterIP") || list_changed {
        return;
    }
    if single.is_empty() {
        new.remove("spec.clusterIPs");
    } else {
        new.set("spec.clusterIPs", vec![single]);
    }
}

/// An update that leaves out what was allocated does not mean to give it up.
fn patch_allocated(new: &mut Value, old: &Value) {
    if needs_cluster_ip(old) && needs_cluster_ip(new) {
        for key in ["spec.clusterIP", "spec.clusterIPs"] {
            if new.at(key).is_zero() && !old.at(key).is_null() {
                new.set(key, old.at(key));
            }
        }
        if !new.has("spec.ipFamilies") && old.has("spec.ipFamilies") {
            new.set("spec.ipFamilies", old.at("spec.ipFamilies"));
        }
    }
    if needs_node_port(old) && needs_node_port(new) {
        let id = |port: &Value| (port.str("protocol").to_owned(), port.get("port").clone());
        let count = new.list_at("spec.ports").len();
        for i in 0..count {
            let path = format!("spec.ports.{i}");
            if !new.at(&path).get("nodePort").is_zero() {
                continue;
            }
            let wanted = id(new.at(&path));
            let before = old
                .list_at("spec.ports")
                .iter()
                .find(|port| id(port) == wanted);
            if let Some(number) = before
                .map(|port| port.get("nodePort"))
                .filter(|n| !n.is_zero())
            {
                new.set(&format!("{path}.nodePort"), number);
            }
        }
    }
    let local = |service: &Value| {
        service.str_at("spec.type") == "LoadBalancer"
            && service.str_at("spec.externalTrafficPolicy") == "Local"
    };
    let key = "spec.healthCheckNodePort";
    if local(old) && local(new) && new.at(key).is_zero() && !old.at(key).is_zero() {
        new.set(key, old.at(key));
    }
}

/// Fields that only the old type had go, unless the client changed them in the same breath.
fn drop_dependent(new: &mut Value, old: &Value) {
    let drop_unchanged = |new: &mut Value, keys: &[&str]| {
        for key in keys {
            if new.at(key).same(old.at(key)) {
                new.remove(key);
            }
        }
    };
    if needs_cluster_ip(old) && !needs_cluster_ip(new) {
        let same = new.at("spec.clusterIPs").same(old.at("spec.clusterIPs"));
        if same && new.at("spec.clusterIP").same(old.at("spec.clusterIP")) {
            let keys = [
                "spec.clusterIP",
                "spec.clusterIPs",
                "spec.ipFamilies",
                "spec.ipFamilyPolicy",
            ];
            keys.iter().for_each(|key| drop(new.remove(key)));
        }
        drop_unchanged(new, &["spec.internalTrafficPolicy"]);
    }
    if may_have_node_port(old) && !may_have_node_port(new) {
        let ports = |service: &Value| -> Vec<Value> {
            service
                .list_at("spec.ports")
                .iter()
                .map(|p| p.get("nodePort").clone())
                .collect()
        };
        if ports(new) == ports(old) {
            let count = new.list_at("spec.ports").len();
            for i in 0..count {
                new.remove(&format!("spec.ports.{i}.nodePort"));
            }
        }
        if new.list_at("spec.externalIPs").is_empty() {
            drop_unchanged(new, &["spec.externalTrafficPolicy"]);
        }
    }
    let balanced = |service: &Value| service.str_at("spec.type") == "LoadBalancer";
    if balanced(old) && !balanced(new) {
        drop_unchanged(
            new,
            &[
                "spec.allocateLoadBalancerNodePorts",
                "spec.loadBalancerClass",
                "spec.healthCheckNodePort",
                "spec.loadBalancerIP",
                "spec.loadBalancerSourceRanges",
            ],
        );
        new.set("status.loadBalancer", value!({}));
    }
    if old.str_at("spec.type") == "ExternalName" && new.str_at("spec.type") != "ExternalName" {
        drop_unchanged(new, &["spec.externalName"]);
    }
}

/// The cluster speaks IPv4 alone, so that is what a Service gets that does not say.
pub(super) fn families(service: &mut Value) {
    if !needs_cluster_ip(service) {
        return;
    }
    if service.list_at("spec.ipFamilies").is_empty() {
        service.set("spec.ipFamilies", vec!["IPv4"]);
    }
    if service.str_at("spec.ipFamilyPolicy").is_empty() {
        service.set("spec.ipFamilyPolicy", "SingleStack");
    }
}
