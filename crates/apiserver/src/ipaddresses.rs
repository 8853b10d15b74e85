//! The IPAddress objects of Services: one for each address that a Service has.
//!
//! Models pkg/registry/core/service/ipallocator and pkg/registry/core/service/ipallocator/controller.

use std::net::IpAddr;

use api::kinds::{Kind, ipaddress, service};
use api::{Value, object};

use crate::cache::Change;
use crate::delete::DeleteOptions;
use crate::effect::Cx;
use crate::server::ApiServer;
use crate::write::Deed;

const FAMILY: &str = "ipaddress.kubernetes.io/ip-family";
const MANAGED_BY: &str = "ipaddress.kubernetes.io/managed-by";

impl ApiServer {
    /// Makes the objects that are missing, when the server starts.
    pub(crate) fn tend_all_addresses(&mut self, cx: &mut Cx<'_>) {
        let Some(services) = self.resources.named("", "services") else {
            return;
        };
        let all: Vec<Value> = services
            .cache
            .objects()
            .values()
            .map(|entry| entry.value.clone())
            .collect();
        for service in &all {
            self.ensure_addresses(cx, service);
        }
    }

    /// A Service came, changed or went: its addresses follow.
    pub(crate) fn tend_addresses(&mut self, cx: &mut Cx<'_>, kind: &Kind, change: &Change) {
        if *kind != service::KIND {
            return;
        }
        let now: Vec<String> = match change.deleted {
            true => Vec::new(),
            false => addresses(&change.entry.value),
        };
        let before = change
            .before
            .as_ref()
            .map(|before| addresses(&before.value));
        let gone = before.into_iter().flatten().filter(|ip| !now.contains(ip));
        for ip in gone.collect::<Vec<_>>() {
            if self.has_address(&ip) {
                let address = object! { "metadata": { "name": ip } };
                let deed = Deed::Delete(DeleteOptions::default());
                self.write_aside(cx, &ipaddress::KIND, deed, (&address, ""));
            }
        }
        if !change.deleted {
            let service = change.entry.value.clone();
            self.ensure_addresses(cx, &service);
        }
    }

    fn has_address(&self, ip: &str) -> bool {
        let Kind { group, plural, .. } = ipaddress::KIND;
        self.resources.lookup(group, plural, ip).is_some()
    }

    fn ensure_addresses(&mut self, cx: &mut Cx<'_>, service: &Value) {
        // A server run bare, not as kubeadm runs it, keeps no books.
        if !self.authorizer.has_rbac() {
            return;
        }
        for ip in addresses(service) {
            if self.has_address(&ip) {
                continue;
            }
            let family = if ip.contains(':') { "IPv6" } else { "IPv4" };
            let address = object! {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IPAddress",
                "metadata": {
                    "name": ip,
                    "labels": { (FAMILY): family, (MANAGED_BY): "ipallocator.k8s.io" },
                },
                "spec": {
                    "parentRef": {
                        "group": "",
                        "name": service.name(),
                        "namespace": service.namespace(),
                        "resource": "services",
                    },
                },
            };
            let deed = Deed::Create(address.clone());
            self.write_aside(cx, &ipaddress::KIND, deed, (&address, ""));
        }
    }
}

/// The addresses of a Service; one without any has `None`.
fn addresses(service: &Value) -> Vec<String> {
    let all = service.list_at("spec.clusterIPs").iter().map(Value::as_str);
    let ips = all.filter(|text| text.parse::<IpAddr>().is_ok());
    ips.map(str::to_owned).collect()
}
