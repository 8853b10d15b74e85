//! Every pod runs as a service account, whose token is mounted into its containers.
//!
//! Models plugin/pkg/admission/serviceaccount.

use api::{Status, Value, object};

use super::{Plugin, creates_pod};
use crate::server::ApiServer;
use crate::write::Write;

/// Where containers find the token.
const MOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Names of the volumes begin so; five random letters follow.
const VOLUME_PREFIX: &str = "kube-api-access-";
/// Static pods are mirrored with this annotation, and need no account.
const MIRROR: &str = "kubernetes.io/config.mirror";
/// How long a mounted token is valid; an hour and a little, so that it is renewed each hour.
const EXPIRATION_SECS: i64 = 3607;

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "ServiceAccount",
    mutate: admit,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    pod: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if !creates_pod(write, old) {
        return Ok(());
    }
    if pod.annotations().contains_key(MIRROR) {
        return check_mirror(write, pod);
    }
    if pod.str_at("spec.serviceAccountName").is_empty() {
        pod.set("spec.serviceAccountName", "default");
    }
    let name = pod.str_at("spec.serviceAccountName").to_owned();
    // The old name of the field still shows.
    pod.set("spec.serviceAccount", name.as_str());
    let namespace = &write.namespace;
    let account = server
        .resources
        .lookup("", "serviceaccounts", &format!("{namespace}/{name}"));
    let Some(account) = account.cloned() else {
        return Err(write.forbidden(format!(
            "error looking up service account {namespace}/{name}: serviceaccount {name:?} not found"
        )));
    };
    if pod.list_at("spec.imagePullSecrets").is_empty() && account.value.has("imagePullSecrets") {
        pod.set(
            "spec.imagePullSecrets",
            account.value.get("imagePullSecrets"),
        );
    }
    if mounts_token(pod, &account.value) {
        mount_token(server, pod);
    }
    Ok(())
}

fn check_mirror(write: &Write, pod: &Value) -> Result<(), Status> {
    if !pod.str_at("spec.serviceAccountName").is_empty() {
        return Err(write.forbidden("a mirror pod may not reference service accounts"));
    }
    Ok(())
}

/// Whether the pod wants the token; what it does not say, its account says.
fn mounts_token(pod: &Value, account: &Value) -> bool {
    let said = pod.at("spec.automountServiceAccountToken").as_bool();
    said.or(account.get("automountServiceAccountToken").as_bool())
        .unwrap_or(true)
}

fn mount_token(server: &mut ApiServer, pod: &mut Value) {
    let existing = pod.list_at("spec.volumes").iter().find(|volume| {
        let ours = volume.str("name").starts_with(VOLUME_PREFIX);
        ours && volume.has("projected")
    });
    let existing = existing.map(|volume| volume.str("name").to_owned());
    let name = existing
        .clone()
        .unwrap_or_else(|| format!("{VOLUME_PREFIX}{}", server.random.alnum(5)));
    let mut mounted = false;
    for list in ["spec.initContainers", "spec.containers"] {
        for i in 0..pod.list_at(list).len() {
            let container = pod.at_mut(&format!("{list}.{i}"));
            let has = |mount: &Value| mount.str("mountPath") == MOUNT_PATH;
            if container.list_at("volumeMounts").iter().any(has) {
                continue;
            }
            mounted = true;
            container.list_mut("volumeMounts").push(object! {
                "name": name.as_str(),
                "readOnly": true,
                "mountPath": MOUNT_PATH,
            });
        }
    }
    if mounted && existing.is_none() {
        pod.list_mut("spec.volumes").push(volume(&name));
    }
}

fn volume(name: &str) -> Value {
    object! {
        "name": name,
        "projected": {
            "defaultMode": 420,
            "sources": [
                { "serviceAccountToken": { "expirationSeconds": EXPIRATION_SECS, "path": "token" } },
                {
                    "configMap": {
                        "name": "kube-root-ca.crt",
                        "items": [{ "key": "ca.crt", "path": "ca.crt" }],
                    },
                },
                {
                    "downwardAPI": {
                        "items": [{
                            "path": "namespace",
                            "fieldRef": { "apiVersion": "v1", "fieldPath": "metadata.namespace" },
                        }],
                    },
                },
            ],
        },
    }
}
