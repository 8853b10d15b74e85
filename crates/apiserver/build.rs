//! Writes what the definitions of the API mean, from the documents that Kubernetes publishes as the
//! package `k8s-openapi` holds them. One line for a definition, one for each of its fields, in the
//! order of the schema table of `api`; a text that was there before is `=` and its line's number.

#![allow(
    clippy::disallowed_methods,
    reason = "a build script reads and writes files"
)]

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, authentication::v1 as authentication,
    authorization::v1 as authorization, autoscaling::v1 as autoscaling,
    autoscaling::v2 as autoscaling_v2, batch::v1 as batch, certificates::v1 as certificates,
    coordination::v1 as coordination, core::v1 as core, discovery::v1 as discovery,
    events::v1 as events, flowcontrol::v1 as flowcontrol, networking::v1 as networking,
    node::v1 as node, policy::v1 as policy, rbac::v1 as rbac, resource::v1 as resource,
    scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as apiextensions;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as apiregistration;
use schemars::SchemaGenerator;
use serde_json::{Map, Value};

const TABLE: &str = "../api/data/schemas.txt";

/// What names of definitions begin with, where the table leaves it out.
const PREFIXES: [&str; 7] = [
    "io.k8s.apiextensions-apiserver.pkg.apis.",
    "io.k8s.apimachinery.pkg.apis.",
    "io.k8s.apimachinery.pkg.api.",
    "io.k8s.apimachinery.pkg.util.",
    "io.k8s.apimachinery.pkg.",
    "io.k8s.kube-aggregator.pkg.apis.",
    "io.k8s.api.",
];

macro_rules! ask_for {
    ($generator:ident: $($module:ident::{$($kind:ident),*},)*) => {
        $($($generator.subschema_for::<$module::$kind>();)*)*
    };
}

fn definitions() -> Map<String, Value> {
    let mut generator = SchemaGenerator::default();
    ask_for! { generator:
        core::{
            Binding, ComponentStatus, ConfigMap, Endpoints, Event, LimitRange, Namespace, Node,
            PersistentVolume, PersistentVolumeClaim, Pod, PodTemplate, ReplicationController,
            ResourceQuota, Secret, Service, ServiceAccount
        },
        admission::{
            MutatingAdmissionPolicy, MutatingAdmissionPolicyBinding, MutatingWebhookConfiguration,
            ValidatingAdmissionPolicy, ValidatingAdmissionPolicyBinding,
            ValidatingWebhookConfiguration
        },
        apiextensions::{CustomResourceDefinition},
        apiregistration::{APIService},
        apps::{ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet},
        authentication::{SelfSubjectReview, TokenRequest, TokenReview},
        authorization::{
            LocalSubjectAccessReview, SelfSubjectAccessReview, SelfSubjectRulesReview,
            SubjectAccessReview
        },
        autoscaling::{HorizontalPodAutoscaler, Scale},
        autoscaling_v2::{HorizontalPodAutoscaler},
        batch::{CronJob, Job},
        certificates::{CertificateSigningRequest},
        coordination::{Lease},
        discovery::{EndpointSlice},
        events::{Event},
        flowcontrol::{FlowSchema, PriorityLevelConfiguration},
        networking::{IPAddress, Ingress, IngressClass, NetworkPolicy, ServiceCIDR},
        node::{RuntimeClass},
        policy::{Eviction, PodDisruptionBudget},
        rbac::{ClusterRole, ClusterRoleBinding, Role, RoleBinding},
        resource::{DeviceClass, ResourceClaim, ResourceClaimTemplate, ResourceSlice},
        scheduling::{PriorityClass},
        storage::{
            CSIDriver, CSINode, CSIStorageCapacity, StorageClass, VolumeAttachment,
            VolumeAttributesClass
        },
    }
    generator.definitions().clone()
}

fn short(name: &str) -> &str {
    let found = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
    found.unwrap_or(name)
}

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={TABLE}");
    let all = definitions();
    let by_name: BTreeMap<&str, &Value> = all.iter().map(|(name, of)| (short(name), of)).collect();
    let table = fs::read_to_string(TABLE).expect("the schema table");
    let (mut out, mut seen) = (String::new(), BTreeMap::new());
    let mut definition = &Value::Null;
    for (number, line) in table.lines().enumerate() {
        let word = line.split_whitespace().next().unwrap_or_default();
        let of = if line.starts_with(' ') {
            &definition["properties"][word]
        } else {
            definition = by_name.get(word).copied().unwrap_or(&Value::Null);
            definition
        };
        let text = of["description"].as_str().unwrap_or_default();
        let text = text.replace('\\', "\\\\").replace('\n', "\\n");
        match seen.get(&text) {
            Some(before) if !text.is_empty() => {
                let _ = writeln!(out, "={before}");
            }
            _ => {
                seen.insert(text.clone(), number);
                let _ = writeln!(out, "{text}");
            }
        }
    }
    let place = env::var("OUT_DIR").expect("cargo says where to write");
    fs::write(Path::new(&place).join("descriptions.txt"), out).expect("the place can be written");
}
