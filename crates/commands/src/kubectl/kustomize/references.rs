//! Names of other objects inside objects: when those are called otherwise, these follow.
//!
//! Models kustomize/api/filters/nameref and konfig/builtinpluginconsts/namereference.go.

use api::Value;

use super::fields::{Spec, at, spec};
use super::res::Res;

/// The kinds a name is of, and where it stands.
struct Reference {
    kind: &'static str,
    specs: &'static [Spec],
    /// Where it stands in every pod, below its spec.
    in_pods: &'static [&'static str],
}

const fn reference(
    kind: &'static str,
    specs: &'static [Spec],
    in_pods: &'static [&'static str],
) -> Reference {
    Reference {
        kind,
        specs,
        in_pods,
    }
}

const SCALED: &[Spec] = &[spec(
    "HorizontalPodAutoscaler",
    "spec/scaleTargetRef",
    false,
)];

const REFERENCES: &[Reference] = &[
    reference("Deployment", SCALED, &[]),
    reference("ReplicaSet", SCALED, &[]),
    reference("ReplicationController", SCALED, &[]),
    reference("StatefulSet", SCALED, &[]),
    reference(
        "ConfigMap",
        &[spec("Node", "spec/configSource/configMap/name", false)],
        &[
            "volumes/configMap/name",
            "volumes/projected/sources/configMap/name",
            "containers/env/valueFrom/configMapKeyRef/name",
            "containers/envFrom/configMapRef/name",
            "initContainers/env/valueFrom/configMapKeyRef/name",
            "initContainers/envFrom/configMapRef/name",
        ],
    ),
    reference(
        "Secret",
        &[
            spec("Ingress", "spec/tls/secretName", false),
            spec(
                "Ingress",
                "metadata/annotations/ingress.kubernetes.io~1auth-secret",
                false,
            ),
            spec("ServiceAccount", "imagePullSecrets/name", false),
            spec("ServiceAccount", "secrets/name", false),
            spec("StorageClass", "parameters/secretName", false),
            spec(
                "PersistentVolume",
                "spec/csi/nodePublishSecretRef/name",
                false,
            ),
        ],
        &[
            "volumes/secret/secretName",
            "volumes/projected/sources/secret/name",
            "volumes/csi/nodePublishSecretRef/name",
            "containers/env/valueFrom/secretKeyRef/name",
            "containers/envFrom/secretRef/name",
            "initContainers/env/valueFrom/secretKeyRef/name",
            "initContainers/envFrom/secretRef/name",
            "imagePullSecrets/name",
        ],
    ),
    reference(
        "Service",
        &[
            spec("StatefulSet", "spec/serviceName", false),
            spec(
                "Ingress",
                "spec/rules/http/paths/backend/serviceName",
                false,
            ),
            spec("Ingress", "spec/backend/serviceName", false),
            spec(
                "Ingress",
                "spec/rules/http/paths/backend/service/name",
                false,
            ),
            spec("Ingress", "spec/defaultBackend/service/name", false),
            spec("APIService", "spec/service/name", false),
            spec(
                "ValidatingWebhookConfiguration",
                "webhooks/clientConfig/service/name",
                false,
            ),
            spec(
                "MutatingWebhookConfiguration",
                "webhooks/clientConfig/service/name",
                false,
            ),
        ],
        &[],
    ),
    reference("Role", &[spec("RoleBinding", "roleRef", false)], &[]),
    reference(
        "ClusterRole",
        &[
            spec("RoleBinding", "roleRef", false),
            spec("ClusterRoleBinding", "roleRef", false),
        ],
        &[],
    ),
    reference(
        "ServiceAccount",
        &[
            spec("RoleBinding", "subjects[]", false),
            spec("ClusterRoleBinding", "subjects[]", false),
        ],
        &["serviceAccountName", "serviceAccount"],
    ),
    reference(
        "PersistentVolumeClaim",
        &[],
        &["volumes/persistentVolumeClaim/claimName"],
    ),
    reference(
        "PersistentVolume",
        &[spec("PersistentVolumeClaim", "spec/volumeName", false)],
        &[],
    ),
    reference(
        "StorageClass",
        &[
            spec("PersistentVolume", "spec/storageClassName", false),
            spec("PersistentVolumeClaim", "spec/storageClassName", false),
            spec(
                "StatefulSet",
                "spec/volumeClaimTemplates/spec/storageClassName",
                false,
            ),
        ],
        &[],
    ),
    reference("PriorityClass", &[], &["priorityClassName"]),
    reference(
        "IngressClass",
        &[spec("Ingress", "spec/ingressClassName", false)],
        &[],
    ),
];

/// Where the spec of a pod is.
const PODS: [(&str, &str); 8] = [
    ("Pod", "spec"),
    ("Deployment", "spec/template/spec"),
    ("ReplicaSet", "spec/template/spec"),
    ("ReplicationController", "spec/template/spec"),
    ("DaemonSet", "spec/template/spec"),
    ("StatefulSet", "spec/template/spec"),
    ("Job", "spec/template/spec"),
    ("CronJob", "spec/jobTemplate/spec/template/spec"),
];

/// Makes all names follow.
pub(super) fn fix(objects: &mut [Res]) -> Result<(), String> {
    let all = objects.to_vec();
    let mut failure = None;
    for object in objects.iter_mut() {
        let referrer = object.clone();
        for reference in REFERENCES {
            let mut change = |value: &mut Value| {
                if let Err(why) = follow(value, &referrer, reference.kind, &all) {
                    failure.get_or_insert(why);
                }
            };
            for spec in reference.specs {
                spec.visit(&mut object.value, &mut change);
            }
            let pod = PODS.iter().find(|(kind, _)| *kind == object.value.kind());
            let Some((_, place)) = pod else { continue };
            for path in reference.in_pods {
                let path = format!("{place}/{path}");
                at(&mut object.value, &path, false, &mut change);
            }
        }
    }
    failure.map_or(Ok(()), Err)
}

/// Changes one name, or what holds one beside its kind.
fn follow(value: &mut Value, referrer: &Res, kind: &str, all: &[Res]) -> Result<(), String> {
    match value {
        Value::Str(name) => {
            if let Some(found) = candidate(referrer, name, kind, None, all)? {
                let name = found.value.name().to_owned();
                *value = Value::from(name);
            }
        }
        Value::Map(_) if value.kind() == kind => {
            let (name, namespace) = (value.str("name").to_owned(), value.str("namespace"));
            let namespace = Some(namespace.to_owned()).filter(|_| kind == "ServiceAccount");
            let found = candidate(referrer, &name, kind, namespace.as_deref(), all)?;
            if let Some(found) = found {
                value.set("name", found.value.name());
                if kind == "ServiceAccount" && !found.value.namespace().is_empty() {
                    value.set("namespace", found.value.namespace());
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The object that a name means.
fn candidate<'a>(
    referrer: &Res,
    name: &str,
    kind: &str,
    namespace: Option<&str>,
    all: &'a [Res],
) -> Result<Option<&'a Res>, String> {
    if name.is_empty() {
        return Ok(None);
    }
    let mut found: Vec<&Res> = all
        .iter()
        .filter(|one| one.value.kind() == kind && one.ids().iter().any(|id| id.name == name))
        .collect();
    let own = referrer.id();
    found.retain(|one| {
        let id = one.id();
        let near = own.is_cluster_scoped() || id.effective_namespace() == own.effective_namespace();
        match namespace {
            _ if id.is_cluster_scoped() => true,
            Some("") => near,
            Some(given) => one.ids().iter().any(|id| id.effective_namespace() == given),
            None => near,
        }
    });
    if found.len() > 1 {
        let alike: Vec<&Res> = found
            .iter()
            .filter(|one| one.prefixes == referrer.prefixes && one.suffixes == referrer.suffixes)
            .copied()
            .collect();
        if !alike.is_empty() {
            found = alike;
        }
    }
    match found.as_slice() {
        [] => Ok(None),
        [first, rest @ ..]
            if rest
                .iter()
                .all(|one| one.value.name() == first.value.name()) =>
        {
            Ok(Some(first))
        }
        many => {
            let ids: Vec<String> = many.iter().map(|one| one.id().to_string()).collect();
            Err(format!(
                "found multiple possible referrals: {}",
                ids.join(", ")
            ))
        }
    }
}
