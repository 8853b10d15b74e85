//! The order in which objects are printed: what others need comes first.
//!
//! Models kustomize/api/internal/builtins/SortOrderTransformer.go (legacy).

use super::res::Res;

const FIRST: [&str; 22] = [
    "Namespace",
    "ResourceQuota",
    "StorageClass",
    "CustomResourceDefinition",
    "ServiceAccount",
    "PodSecurityPolicy",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "ConfigMap",
    "Secret",
    "Endpoints",
    "Service",
    "LimitRange",
    "PriorityClass",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "Deployment",
    "StatefulSet",
    "CronJob",
    "PodDisruptionBudget",
];
const LAST: [&str; 2] = [
    "MutatingWebhookConfiguration",
    "ValidatingWebhookConfiguration",
];

pub(super) fn sort(objects: &mut [Res]) {
    objects.sort_by_cached_key(|object| {
        let id = object.id();
        let place = |list: &[&str]| list.iter().position(|kind| *kind == id.kind);
        let rank = match (place(&FIRST), place(&LAST)) {
            (Some(i), _) => i,
            (_, Some(i)) => FIRST.len() + 1 + i,
            _ => FIRST.len(),
        };
        let or = |text: &str, other: &str| match text {
            "" => other.to_owned(),
            text => text.to_owned(),
        };
        let group = or(&id.group, "~G");
        let (namespace, name) = (or(&id.namespace, "~X"), or(&id.name, "~N"));
        let kind = format!("{group}_{}_{}", id.version, id.kind);
        (rank, kind, namespace, name)
    });
}
