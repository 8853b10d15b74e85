//! Every object of a booted cluster is one that the generated types of its kind can hold.

use std::collections::BTreeSet;

use k8s_openapi::api::{
    admissionregistration::v1 as admission, apps::v1 as apps, autoscaling::v2 as autoscaling,
    batch::v1 as batch, certificates::v1 as certificates, coordination::v1 as coordination,
    core::v1 as core, discovery::v1 as discovery, events::v1 as events, flowcontrol::v1 as flow,
    networking::v1 as networking, node::v1 as node, policy::v1 as policy, rbac::v1 as rbac,
    scheduling::v1 as scheduling, storage::v1 as storage,
};
use k8s_openapi::apiextensions_apiserver::pkg::apis::apiextensions::v1 as extensions;
use k8s_openapi::kube_aggregator::pkg::apis::apiregistration::v1 as registration;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{client, serve};

/// Reads an object as its type, and says what that does not like.
type Check = fn(Value) -> Result<(), String>;

fn check<T: DeserializeOwned>(object: Value) -> Result<(), String> {
    serde_json::from_value::<T>(object)
        .map(drop)
        .map_err(|why| why.to_string())
}

/// The types by the paths of their kinds.
const TYPES: &[(&str, Check)] = &[
    ("v1/componentstatuses", check::<core::ComponentStatus>),
    ("v1/configmaps", check::<core::ConfigMap>),
    ("v1/endpoints", check::<core::Endpoints>),
    ("v1/events", check::<core::Event>),
    ("v1/limitranges", check::<core::LimitRange>),
    ("v1/namespaces", check::<core::Namespace>),
    ("v1/nodes", check::<core::Node>),
    (
        "v1/persistentvolumeclaims",
        check::<core::PersistentVolumeClaim>,
    ),
    ("v1/persistentvolumes", check::<core::PersistentVolume>),
    ("v1/pods", check::<core::Pod>),
    ("v1/podtemplates", check::<core::PodTemplate>),
    (
        "v1/replicationcontrollers",
        check::<core::ReplicationController>,
    ),
    ("v1/resourcequotas", check::<core::ResourceQuota>),
    ("v1/secrets", check::<core::Secret>),
    ("v1/serviceaccounts", check::<core::ServiceAccount>),
    ("v1/services", check::<core::Service>),
    (
        "admissionregistration.k8s.io/v1/mutatingwebhookconfigurations",
        check::<admission::MutatingWebhookConfiguration>,
    ),
    (
        "admissionregistration.k8s.io/v1/validatingadmissionpolicies",
        check::<admission::ValidatingAdmissionPolicy>,
    ),
    (
        "admissionregistration.k8s.io/v1/validatingadmissionpolicybindings",
        check::<admission::ValidatingAdmissionPolicyBinding>,
    ),
    (
        "admissionregistration.k8s.io/v1/validatingwebhookconfigurations",
        check::<admission::ValidatingWebhookConfiguration>,
    ),
    (
        "apiextensions.k8s.io/v1/customresourcedefinitions",
        check::<extensions::CustomResourceDefinition>,
    ),
    (
        "apiregistration.k8s.io/v1/apiservices",
        check::<registration::APIService>,
    ),
    (
        "apps/v1/controllerrevisions",
        check::<apps::ControllerRevision>,
    ),
    ("apps/v1/daemonsets", check::<apps::DaemonSet>),
    ("apps/v1/deployments", check::<apps::Deployment>),
    ("apps/v1/replicasets", check::<apps::ReplicaSet>),
    ("apps/v1/statefulsets", check::<apps::StatefulSet>),
    (
        "autoscaling/v2/horizontalpodautoscalers",
        check::<autoscaling::HorizontalPodAutoscaler>,
    ),
    ("batch/v1/cronjobs", check::<batch::CronJob>),
    ("batch/v1/jobs", check::<batch::Job>),
    (
        "certificates.k8s.io/v1/certificatesigningrequests",
        check::<certificates::CertificateSigningRequest>,
    ),
    (
        "coordination.k8s.io/v1/leases",
        check::<coordination::Lease>,
    ),
    (
        "discovery.k8s.io/v1/endpointslices",
        check::<discovery::EndpointSlice>,
    ),
    ("events.k8s.io/v1/events", check::<events::Event>),
    (
        "flowcontrol.apiserver.k8s.io/v1/flowschemas",
        check::<flow::FlowSchema>,
    ),
    (
        "flowcontrol.apiserver.k8s.io/v1/prioritylevelconfigurations",
        check::<flow::PriorityLevelConfiguration>,
    ),
    (
        "networking.k8s.io/v1/ingressclasses",
        check::<networking::IngressClass>,
    ),
    (
        "networking.k8s.io/v1/ingresses",
        check::<networking::Ingress>,
    ),
    (
        "networking.k8s.io/v1/ipaddresses",
        check::<networking::IPAddress>,
    ),
    (
        "networking.k8s.io/v1/servicecidrs",
        check::<networking::ServiceCIDR>,
    ),
    (
        "networking.k8s.io/v1/networkpolicies",
        check::<networking::NetworkPolicy>,
    ),
    ("node.k8s.io/v1/runtimeclasses", check::<node::RuntimeClass>),
    (
        "policy/v1/poddisruptionbudgets",
        check::<policy::PodDisruptionBudget>,
    ),
    (
        "rbac.authorization.k8s.io/v1/clusterrolebindings",
        check::<rbac::ClusterRoleBinding>,
    ),
    (
        "rbac.authorization.k8s.io/v1/clusterroles",
        check::<rbac::ClusterRole>,
    ),
    (
        "rbac.authorization.k8s.io/v1/rolebindings",
        check::<rbac::RoleBinding>,
    ),
    ("rbac.authorization.k8s.io/v1/roles", check::<rbac::Role>),
    (
        "scheduling.k8s.io/v1/priorityclasses",
        check::<scheduling::PriorityClass>,
    ),
    ("storage.k8s.io/v1/csidrivers", check::<storage::CSIDriver>),
    ("storage.k8s.io/v1/csinodes", check::<storage::CSINode>),
    (
        "storage.k8s.io/v1/storageclasses",
        check::<storage::StorageClass>,
    ),
    (
        "storage.k8s.io/v1/volumeattachments",
        check::<storage::VolumeAttachment>,
    ),
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_object_decodes() {
    let front = serve(1, true).await;
    let client = client(&front).await;
    let get = |path: String| {
        let client = client.clone();
        async move {
            let request = http::Request::get(&path).body(Vec::new()).expect("a path");
            let answer: Result<Value, _> = client.request(request).await;
            answer.unwrap_or_else(|why| panic!("{path}: {why}"))
        }
    };
    let mut versions = vec!["v1".to_owned()];
    let groups = client.list_api_groups().await.expect("groups");
    for version in groups.groups.into_iter().flat_map(|group| group.versions) {
        versions.push(version.group_version);
    }
    let (mut seen, mut objects, mut wrong) = (BTreeSet::new(), 0, Vec::new());
    for version in versions {
        let root = if version == "v1" { "/api" } else { "/apis" };
        let resources = get(format!("{root}/{version}")).await;
        for resource in resources["resources"].as_array().expect("resources") {
            let name = resource["name"].as_str().expect("a name");
            let verbs = resource["verbs"].as_array().expect("verbs");
            if !verbs.contains(&"list".into()) {
                continue;
            }
            let path = format!("{version}/{name}");
            let list = get(format!("{root}/{path}")).await;
            let items = list["items"].as_array().expect("items").clone();
            let of_type = TYPES.iter().find(|(known, _)| *known == path);
            let Some((_, check)) = of_type else {
                // A kind in an early version may have no type; one that is stable has.
                if !items.is_empty() && !version.contains("beta") && !version.contains("alpha") {
                    wrong.push(format!("{path}: no type is given for it"));
                }
                continue;
            };
            seen.insert(path.clone());
            for item in items {
                objects += 1;
                let called = item["metadata"]["name"].to_string();
                if let Err(why) = check(item) {
                    wrong.push(format!("{path} {called}: {why}"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(
        objects > 150,
        "a fresh cluster holds many objects: {objects}"
    );
    for core in ["v1/pods", "v1/nodes", "apps/v1/deployments"] {
        assert!(seen.contains(core), "{core} are listed");
    }
    front.stop().await;
}
