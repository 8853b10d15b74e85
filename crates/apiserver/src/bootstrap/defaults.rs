//! What every cluster holds from the beginning, besides namespaces and the `kubernetes` Service:
//! roles and bindings, priority classes, priorities of requests, the API's own parts, where the
//! addresses of Services come from.
//!
//! Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy, pkg/registry/scheduling/rest,
//! apiserver/pkg/apis/flowcontrol/bootstrap, kube-aggregator's autoregister controller and
//! pkg/controlplane/controller/defaultservicecidr.

use std::collections::BTreeSet;

use api::kinds::{self, Kind, priorityclass};
use api::{Value, object, yaml};

use crate::authz::policy;
use crate::list::key_of;
use crate::server::ApiServer;

/// Priority of each group in discovery, as upstream has it (the second of its versions').
const GROUPS: [(&str, i64); 20] = [
    ("", 18_000),
    ("admissionregistration.k8s.io", 16_700),
    ("apiextensions.k8s.io", 16_700),
    ("apps", 17_800),
    ("authentication.k8s.io", 17_700),
    ("authorization.k8s.io", 17_600),
    ("autoscaling", 17_500),
    ("batch", 17_400),
    ("certificates.k8s.io", 17_300),
    ("coordination.k8s.io", 16_500),
    ("discovery.k8s.io", 16_200),
    ("events.k8s.io", 17_750),
    ("flowcontrol.apiserver.k8s.io", 16_100),
    ("networking.k8s.io", 17_200),
    ("node.k8s.io", 16_300),
    ("policy", 17_100),
    ("rbac.authorization.k8s.io", 17_000),
    ("resource.k8s.io", 15_900),
    ("scheduling.k8s.io", 16_600),
    ("storage.k8s.io", 16_800),
];

impl ApiServer {
    /// What of it is not there yet and can be made: what lies in namespaces comes after those.
    pub(super) fn missing_defaults(&self) -> Vec<(&'static Kind, Value)> {
        let objects = match self.authorizer.has_rbac() {
            true => self.all_defaults(),
            // A server run bare, not as kubeadm runs it, sees to no more than it needs itself.
            false => Vec::new(),
        };
        let known = objects.into_iter().filter_map(|object| {
            let kind = kinds::by_kind(object.api_version(), object.kind())?;
            let key = key_of(object.namespace(), object.name());
            let there = self.resources.lookup(kind.group, kind.plural, &key);
            let within = object.namespace();
            let possible =
                within.is_empty() || self.resources.lookup("", "namespaces", within).is_some();
            (there.is_none() && possible).then_some((kind, object))
        });
        known.collect()
    }

    fn all_defaults(&self) -> Vec<Value> {
        let mut objects = policy::objects();
        objects.extend(priority_classes());
        for text in [
            include_str!("../../data/prioritylevelconfigurations.yaml"),
            include_str!("../../data/flowschemas.yaml"),
        ] {
            let documents = yaml::parse_all(text).unwrap_or_default();
            objects.extend(documents.into_iter().map(|document| document.value));
        }
        let cidr = self.config.service_cidr;
        objects.push(object! {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "ServiceCIDR",
            "metadata": {
                "name": "kubernetes",
                "finalizers": ["networking.k8s.io/service-cidr-finalizer"],
            },
            "spec": { "cidrs": [format!("{}/{}", cidr.0, cidr.1)] },
        });
        objects.extend(api_services());
        objects
    }
}

fn priority_classes() -> Vec<Value> {
    let class = |(name, value, description): (&str, i64, &str)| {
        object! {
            "apiVersion": "scheduling.k8s.io/v1",
            "kind": "PriorityClass",
            "metadata": { "name": name },
            "value": value,
            "description": description,
        }
    };
    priorityclass::SYSTEM.map(class).to_vec()
}

fn api_services() -> Vec<Value> {
    let versions: BTreeSet<(&str, &str)> = kinds::all()
        .iter()
        .map(|kind| (kind.group, kind.version))
        .collect();
    let service = |(group, version): (&str, &str)| {
        let priority = GROUPS.iter().find(|(name, _)| *name == group);
        let mut object = object! {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {
                "name": format!("{version}.{group}"),
                "labels": { "kube-aggregator.kubernetes.io/automanaged": "onstart" },
            },
            "spec": {
                "groupPriorityMinimum": priority.map_or(16_000, |(_, priority)| *priority),
                "version": version,
                "versionPriority": version_priority(group, version),
            },
        };
        if !group.is_empty() {
            object.set("spec.group", group);
        }
        object
    };
    let served = versions.into_iter();
    served
        .filter(|(group, _)| *group != "apiregistration.k8s.io")
        .map(service)
        .collect()
}

fn version_priority(group: &str, version: &str) -> i64 {
    match (group, version) {
        ("", _) => 1,
        ("flowcontrol.apiserver.k8s.io", _) => 21,
        (_, "v2") => 30,
        _ => 15,
    }
}
