//! Which list of the API is meant, and the paths under which it is served. Knows no schemas: what a
//! kind holds is the business of `api`.
//! Models apimachinery/pkg/runtime/schema's GroupVersionResource.

use std::borrow::Cow;
use std::fmt;

use api::{Str, Value};

/// A resource of the API. Constants exist for the built-in ones the components use; others are
/// made from discovery.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Resource {
    /// `v1`, `apps/v1`.
    pub api_version: Cow<'static, str>,
    /// `pods`.
    pub plural: Cow<'static, str>,
    /// `Pod`.
    pub kind: Cow<'static, str>,
    /// Whether objects of it live in namespaces.
    pub namespaced: bool,
}

macro_rules! resources {
    ($($(#[$meta:meta])* $name:ident = $version:literal $plural:literal $kind:literal $scope:ident;)*) => {
        $($(#[$meta])* pub const $name: Resource =
            Resource::fixed($version, $plural, $kind, resources!(@$scope));)*
    };
    (@namespaced) => { true };
    (@cluster) => { false };
}

resources! {
    /// core/v1 Pod
    PODS = "v1" "pods" "Pod" namespaced;
    /// core/v1 Node
    NODES = "v1" "nodes" "Node" cluster;
    /// core/v1 Namespace
    NAMESPACES = "v1" "namespaces" "Namespace" cluster;
    /// core/v1 Service
    SERVICES = "v1" "services" "Service" namespaced;
    /// core/v1 Endpoints
    ENDPOINTS = "v1" "endpoints" "Endpoints" namespaced;
    /// core/v1 ConfigMap
    CONFIG_MAPS = "v1" "configmaps" "ConfigMap" namespaced;
    /// core/v1 Secret
    SECRETS = "v1" "secrets" "Secret" namespaced;
    /// core/v1 ServiceAccount
    SERVICE_ACCOUNTS = "v1" "serviceaccounts" "ServiceAccount" namespaced;
    /// core/v1 Event
    EVENTS = "v1" "events" "Event" namespaced;
    /// core/v1 ResourceQuota
    RESOURCE_QUOTAS = "v1" "resourcequotas" "ResourceQuota" namespaced;
    /// core/v1 ReplicationController
    REPLICATION_CONTROLLERS = "v1" "replicationcontrollers" "ReplicationController" namespaced;
    /// apps/v1 DaemonSet
    DAEMON_SETS = "apps/v1" "daemonsets" "DaemonSet" namespaced;
    /// apps/v1 Deployment
    DEPLOYMENTS = "apps/v1" "deployments" "Deployment" namespaced;
    /// apps/v1 ReplicaSet
    REPLICA_SETS = "apps/v1" "replicasets" "ReplicaSet" namespaced;
    /// apps/v1 StatefulSet
    STATEFUL_SETS = "apps/v1" "statefulsets" "StatefulSet" namespaced;
    /// apps/v1 ControllerRevision
    CONTROLLER_REVISIONS = "apps/v1" "controllerrevisions" "ControllerRevision" namespaced;
    /// batch/v1 Job
    JOBS = "batch/v1" "jobs" "Job" namespaced;
    /// batch/v1 CronJob
    CRON_JOBS = "batch/v1" "cronjobs" "CronJob" namespaced;
    /// core/v1 PersistentVolume
    PERSISTENT_VOLUMES = "v1" "persistentvolumes" "PersistentVolume" cluster;
    /// core/v1 PersistentVolumeClaim
    PERSISTENT_VOLUME_CLAIMS = "v1" "persistentvolumeclaims" "PersistentVolumeClaim" namespaced;
    /// apiextensions.k8s.io/v1 CustomResourceDefinition
    CUSTOM_RESOURCE_DEFINITIONS = "apiextensions.k8s.io/v1" "customresourcedefinitions" "CustomResourceDefinition" cluster;
    /// storage.k8s.io/v1 StorageClass
    STORAGE_CLASSES = "storage.k8s.io/v1" "storageclasses" "StorageClass" cluster;
    /// storage.k8s.io/v1 CSINode
    CSI_NODES = "storage.k8s.io/v1" "csinodes" "CSINode" cluster;
    /// autoscaling/v2 HorizontalPodAutoscaler
    POD_AUTOSCALERS = "autoscaling/v2" "horizontalpodautoscalers" "HorizontalPodAutoscaler" namespaced;
    /// policy/v1 PodDisruptionBudget
    POD_DISRUPTION_BUDGETS = "policy/v1" "poddisruptionbudgets" "PodDisruptionBudget" namespaced;
    /// discovery.k8s.io/v1 EndpointSlice
    ENDPOINT_SLICES = "discovery.k8s.io/v1" "endpointslices" "EndpointSlice" namespaced;
    /// certificates.k8s.io/v1 CertificateSigningRequest
    CERTIFICATE_REQUESTS = "certificates.k8s.io/v1" "certificatesigningrequests" "CertificateSigningRequest" cluster;
    /// coordination.k8s.io/v1 Lease
    LEASES = "coordination.k8s.io/v1" "leases" "Lease" namespaced;
}

impl Resource {
    /// A resource whose names are known when the program is written.
    #[must_use]
    pub const fn fixed(
        api_version: &'static str,
        plural: &'static str,
        kind: &'static str,
        namespaced: bool,
    ) -> Resource {
        Resource {
            api_version: Cow::Borrowed(api_version),
            plural: Cow::Borrowed(plural),
            kind: Cow::Borrowed(kind),
            namespaced,
        }
    }

    /// A resource whose names were learnt from the server.
    #[must_use]
    pub fn named(api_version: &str, plural: &str, kind: &str, namespaced: bool) -> Resource {
        Resource {
            api_version: Cow::Owned(api_version.to_owned()),
            plural: Cow::Owned(plural.to_owned()),
            kind: Cow::Owned(kind.to_owned()),
            namespaced,
        }
    }

    /// The API group; empty for the core group.
    #[must_use]
    pub fn group(&self) -> &str {
        self.api_version
            .split_once('/')
            .map_or("", |(group, _)| group)
    }

    /// The path of the resource in a namespace, or in all of them if `namespace` is empty:
    /// `/apis/apps/v1/namespaces/shop/deployments`.
    #[must_use]
    pub fn collection_path(&self, namespace: &str) -> String {
        let root = if self.api_version.contains('/') {
            "/apis/"
        } else {
            "/api/"
        };
        let (version, plural) = (&self.api_version, &self.plural);
        if self.namespaced && !namespace.is_empty() {
            format!("{root}{version}/namespaces/{namespace}/{plural}")
        } else {
            format!("{root}{version}/{plural}")
        }
    }

    /// The path of one object, and of a subresource of it unless that is empty.
    #[must_use]
    pub fn object_path(&self, namespace: &str, name: &str, subresource: &str) -> String {
        let mut path = self.collection_path(namespace);
        path.push('/');
        path.push_str(name);
        if !subresource.is_empty() {
            path.push('/');
            path.push_str(subresource);
        }
        path
    }

    /// Whether an object's `kind` and API group are those of this resource. Versions may differ.
    #[must_use]
    pub fn is_of(&self, api_version: &str, kind: &str) -> bool {
        let group = api_version.split_once('/').map_or("", |(group, _)| group);
        self.kind == kind && self.group() == group
    }
}

impl fmt::Display for Resource {
    /// `pods`, `deployments.apps`: as upstream prints a GroupResource.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.group() {
            "" => f.write_str(&self.plural),
            group => write!(f, "{}.{group}", self.plural),
        }
    }
}

/// Names an object among those of its resource.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Empty for cluster-scoped objects.
    pub namespace: Str,
    /// The name within the namespace.
    pub name: Str,
}

impl Key {
    /// The key of a name in a namespace; `namespace` is empty for cluster-scoped objects.
    pub fn new(namespace: impl Into<Str>, name: impl Into<Str>) -> Key {
        Key {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    /// The key of an object.
    #[must_use]
    pub fn of(object: &Value) -> Key {
        let shared = |field: &str| {
            object
                .metadata()
                .get(field)
                .as_shared_str()
                .cloned()
                .unwrap_or_default()
        };
        Key {
            namespace: shared("namespace"),
            name: shared("name"),
        }
    }
}

impl fmt::Display for Key {
    /// `namespace/name`, or the name alone.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.namespace.is_empty() {
            f.write_str(&self.name)
        } else {
            write!(f, "{}/{}", self.namespace, self.name)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        assert_eq!(PODS.collection_path(""), "/api/v1/pods");
        assert_eq!(NODES.collection_path("ignored"), "/api/v1/nodes");
        assert_eq!(
            DEPLOYMENTS.object_path("shop", "web", "status"),
            "/apis/apps/v1/namespaces/shop/deployments/web/status"
        );
        assert_eq!(DEPLOYMENTS.to_string(), "deployments.apps");
        assert_eq!(PODS.to_string(), "pods");
        assert!(REPLICA_SETS.is_of("apps/v1beta1", "ReplicaSet"));
        assert!(!REPLICA_SETS.is_of("v1", "ReplicaSet"));
    }
}
