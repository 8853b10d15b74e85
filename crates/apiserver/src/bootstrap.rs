//! The objects that the server itself sees to: the system's namespaces and the `kubernetes` Service
//! with its endpoints. They are made when it starts and put back when somebody removes them.
//!
//! Models pkg/controlplane/controller/{systemnamespaces,kubernetesservice} and pkg/controlplane's
//! endpoint reconcilers.

mod defaults;

use std::net::Ipv4Addr;

use api::kinds::{self, Kind};
use api::{Value, object};
use sim::{Duration, Instant};

use crate::effect::Cx;
use crate::server::ApiServer;

/// The namespaces that every cluster has.
const NAMESPACES: [&str; 4] = ["kube-system", "kube-public", "kube-node-lease", "default"];
/// How often the objects are looked after.
const INTERVAL: Duration = Duration::from_secs(10);

/// How far the server has come with its own objects.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bootstrap {
    /// Writes of the server's own that are under way.
    pub(crate) writing: u32,
    /// Everything was there once.
    pub(crate) done: bool,
    next: Instant,
}

impl Bootstrap {
    pub(crate) fn new() -> Bootstrap {
        Bootstrap {
            writing: 0,
            done: false,
            next: Instant::FAR,
        }
    }

    pub(crate) fn deadline(&self) -> Instant {
        self.next
    }
}

impl ApiServer {
    /// etcd is reached: time to look.
    pub(crate) fn bootstrap(&mut self, cx: &mut Cx<'_>) {
        self.bootstrap.next = cx.now;
        self.bootstrap_timer(cx);
    }

    /// Looks after the objects, if it is time.
    pub(crate) fn bootstrap_timer(&mut self, cx: &mut Cx<'_>) {
        if self.bootstrap.next <= cx.now && self.backend.is_ready() {
            self.bootstrap.next = cx.now + INTERVAL;
            self.ensure_own(cx);
        }
    }

    /// One of the server's own writes is done.
    pub(crate) fn own_written(&mut self, cx: &mut Cx<'_>, succeeded: bool) {
        self.bootstrap.writing -= 1;
        // The namespaces are there now, so what lies in them can be made. What failed is tried again
        // when it is time.
        if succeeded && self.bootstrap.writing == 0 && !self.bootstrap.done {
            self.ensure_own(cx);
        }
    }

    fn ensure_own(&mut self, cx: &mut Cx<'_>) {
        if self.bootstrap.writing > 0 {
            return;
        }
        let mut missing: Vec<(&'static Kind, Value)> = Vec::new();
        let kind = |group, plural| kinds::find(group, "v1", plural);
        if !self.bootstrap.done {
            missing.extend(self.missing_defaults());
        }
        for name in NAMESPACES {
            if self.resources.lookup("", "namespaces", name).is_none() {
                let object = object! {
                    "apiVersion": "v1",
                    "kind": "Namespace",
                    "metadata": { "name": name },
                };
                missing.extend(kind("", "namespaces").map(|kind| (kind, object)));
            }
        }
        if missing.is_empty() {
            let wanted = [
                (kind("", "services"), self.kubernetes_service()),
                (kind("", "endpoints"), self.kubernetes_endpoints()),
                (
                    kind("discovery.k8s.io", "endpointslices"),
                    self.kubernetes_slice(),
                ),
            ];
            for (kind, object) in wanted {
                let Some(kind) = kind else { continue };
                if !self.has_own(kind, &object) {
                    missing.push((kind, object));
                }
            }
        }
        if missing.is_empty() {
            if !std::mem::replace(&mut self.bootstrap.done, true) {
                self.unpark(cx);
            }
            return;
        }
        self.bootstrap.writing = missing.len() as u32;
        for (kind, mut object) in missing {
            kind.default(&mut object);
            self.write_own(cx, kind, object);
        }
    }

    /// Whether an object is there, and says what it is to say.
    fn has_own(&self, kind: &'static Kind, object: &Value) -> bool {
        let Some(found) = self
            .resources
            .lookup(kind.group, kind.plural, "default/kubernetes")
        else {
            return false;
        };
        let same =
            |key: &str| object.get(key).is_null() || found.value.get(key).same(object.get(key));
        kind.plural == "services" || ["endpoints", "ports", "subsets"].into_iter().all(same)
    }

    fn kubernetes_service(&self) -> Value {
        let ip = Ipv4Addr::from(u32::from(self.config.service_cidr.0) + 1).to_string();
        object! {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": { "component": "apiserver", "provider": "kubernetes" },
            },
            "spec": {
                "clusterIP": ip.as_str(),
                "clusterIPs": [ip.as_str()],
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "ports": [{
                    "name": "https",
                    "port": 443,
                    "protocol": "TCP",
                    "targetPort": i64::from(self.config.secure_port),
                }],
                "sessionAffinity": "None",
                "type": "ClusterIP",
            },
        }
    }

    fn kubernetes_endpoints(&self) -> Value {
        object! {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": { "endpointslice.kubernetes.io/skip-mirror": "true" },
            },
            "subsets": [{
                "addresses": [{ "ip": self.config.advertise_address.to_string() }],
                "ports": [{
                    "name": "https",
                    "port": i64::from(self.config.secure_port),
                    "protocol": "TCP",
                }],
            }],
        }
    }

    fn kubernetes_slice(&self) -> Value {
        object! {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": "kubernetes",
                "namespace": "default",
                "labels": { "kubernetes.io/service-name": "kubernetes" },
            },
            "addressType": "IPv4",
            "endpoints": [{
                "addresses": [self.config.advertise_address.to_string()],
                "conditions": { "ready": true },
            }],
            "ports": [{
                "name": "https",
                "port": i64::from(self.config.secure_port),
                "protocol": "TCP",
            }],
        }
    }
}
