//! A pod's volumes: where they lie on the machine, and which files those made from objects hold.
//! Computes; writes nothing.
//! Models pkg/volume/{configmap,secret,projected,downwardapi,emptydir,hostpath,local}.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::kinds::support::volumes::claim_of;
use api::{Str, Value};

use crate::kubelet::env::{self, Facts, Object, Objects};
use crate::kubelet::pod::Pod;

/// What a volume is made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Plan {
    /// An empty directory.
    Empty,
    /// Files made from objects.
    Files(Files),
    /// A path of the machine, with the type it has to be of.
    HostPath(Rc<str>, Rc<str>),
    /// The same, of the volume that a claim is bound to.
    Claimed(Rc<str>, Rc<str>),
}

/// Contents and mode by path within the volume.
pub(super) type Files = BTreeMap<String, (Rc<[u8]>, u32)>;

/// A token a projected volume asks for.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TokenRequest {
    /// The audience; empty for the API server's own.
    pub audience: Str,
    /// Seconds it is to be valid.
    pub expiration: i64,
}

/// Tokens by what was asked for.
pub(super) type Tokens = BTreeMap<TokenRequest, Rc<str>>;

/// The volumes of a pod's spec.
pub(super) fn volumes(pod: &Pod) -> &[Value] {
    pod.object.list_at("spec.volumes")
}

/// The directory or path that holds a volume.
pub(super) fn path(pod: &Pod, volume: &Value) -> Rc<str> {
    let name = volume.str("name");
    let plugin = match kind(volume) {
        "hostPath" => return volume.str_at("hostPath.path").into(),
        "emptyDir" => "empty-dir",
        "configMap" => "configmap",
        "secret" => "secret",
        "projected" => "projected",
        "downwardAPI" => "downward-api",
        // A link to where the claim's volume lies.
        "persistentVolumeClaim" | "ephemeral" => "persistent-volume",
        other => other,
    };
    format!("{}/volumes/kubernetes.io~{plugin}/{name}", pod.directory()).into()
}

fn kind(volume: &Value) -> &str {
    volume
        .entries()
        .keys()
        .map(Str::as_str)
        .find(|key| *key != "name")
        .unwrap_or("emptyDir")
}

/// The objects the volumes refer to.
pub(super) fn references(pod: &Pod) -> Vec<Object> {
    let mut all = Vec::new();
    let namespace = &pod.namespace;
    let mut add = |source: &Value| {
        if source.has("configMap") {
            all.push(Object::ConfigMap(
                namespace.clone(),
                source.str_at("configMap.name").into(),
            ));
        }
        if source.has("secret") {
            let secret = source.get("secret");
            let name = if secret.has("secretName") {
                "secretName"
            } else {
                "name"
            };
            all.push(Object::Secret(namespace.clone(), secret.str(name).into()));
        }
    };
    for volume in volumes(pod) {
        add(volume);
        volume
            .list_at("projected.sources")
            .iter()
            .for_each(&mut add);
    }
    let claims = volumes(pod)
        .iter()
        .filter_map(|volume| claim_of(&pod.name, volume));
    all.extend(claims.map(|name| Object::Claim(namespace.clone(), name.into())));
    all.sort();
    all.dedup();
    all
}

/// Whether a volume's files are kept in memory, as secrets are.
pub(super) fn is_in_memory(volume: &Value) -> bool {
    match kind(volume) {
        "emptyDir" => volume.str_at("emptyDir.medium") == "Memory",
        "secret" | "projected" | "downwardAPI" => true,
        _ => false,
    }
}

/// The tokens the volumes ask for.
pub(super) fn tokens(pod: &Pod) -> Vec<TokenRequest> {
    let sources = volumes(pod)
        .iter()
        .flat_map(|volume| volume.list_at("projected.sources"));
    let mut all: Vec<TokenRequest> = sources
        .map(|source| source.get("serviceAccountToken"))
        .filter(|token| !token.is_null())
        .map(token_request)
        .collect();
    all.sort();
    all.dedup();
    all
}

fn token_request(token: &Value) -> TokenRequest {
    let expiration = token.get("expirationSeconds").as_i64().unwrap_or(3600);
    TokenRequest {
        audience: token.str("audience").into(),
        expiration,
    }
}

/// Whether the volumes hold what can change while the pod runs.
pub(super) fn can_change(pod: &Pod) -> bool {
    volumes(pod).iter().any(|volume| {
        matches!(kind(volume), "configMap" | "secret" | "downwardAPI")
            || volume.list_at("projected.sources").iter().any(|source| {
                let name = source.str_at("configMap.name");
                source.has("secret")
                    || (source.has("configMap") && name != "kube-root-ca.crt")
                    || source
                        .list_at("downwardAPI.items")
                        .iter()
                        .any(|item| item.str_at("fieldRef.fieldPath") != "metadata.namespace")
            })
    })
}

/// What a volume is made of.
///
/// # Errors
/// In upstream's words, if something it refers to does not exist.
pub(super) fn plan(
    pod: &Pod,
    volume: &Value,
    objects: &Objects,
    tokens: &Tokens,
    facts: Facts<'_>,
) -> Result<Plan, String> {
    let kind = kind(volume);
    let source = volume.get(kind);
    let mode = |source: &Value| mode_of(source.get("defaultMode"), 0o644);
    let mut files = Files::new();
    match kind {
        "emptyDir" => return Ok(Plan::Empty),
        "hostPath" => {
            let (path, of_type) = (source.str("path").into(), source.str("type").into());
            return Ok(Plan::HostPath(path, of_type));
        }
        "configMap" => {
            let object = Object::ConfigMap(pod.namespace.clone(), source.str("name").into());
            add_object(&mut files, &object, source, objects, mode(source))?;
        }
        "secret" => {
            let object = Object::Secret(pod.namespace.clone(), source.str("secretName").into());
            add_object(&mut files, &object, source, objects, mode(source))?;
        }
        "downwardAPI" => add_fields(&mut files, pod, source, mode(source), facts)?,
        "projected" => {
            let mode = mode(source);
            for part in source.get("sources").list() {
                add_part(&mut files, pod, part, (objects, tokens), mode, facts)?;
            }
        }
        "persistentVolumeClaim" | "ephemeral" => return claimed(pod, volume, objects),
        other => {
            let what = sim::unmodelled!("this type of volume");
            return Err(format!("{what}: {other}"));
        }
    }
    Ok(Plan::Files(files))
}

/// Where the volume lies that a claim is bound to.
fn claimed(pod: &Pod, volume: &Value, objects: &Objects) -> Result<Plan, String> {
    let namespace = &pod.namespace;
    let name = claim_of(&pod.name, volume).unwrap_or_default();
    let claim = Object::Claim(namespace.clone(), name.as_str().into());
    let found = objects.get(&claim).and_then(Option::as_ref);
    let why = match found {
        None => format!("failed to fetch PVC from API server: {}", claim.not_found()),
        Some(found) if found.kind() == "PersistentVolume" => {
            let spec = found.get("spec");
            if spec.has("hostPath") {
                let of_type = spec.str_at("hostPath.type").into();
                return Ok(Plan::Claimed(spec.str_at("hostPath.path").into(), of_type));
            }
            if spec.has("local") {
                return Ok(Plan::Claimed(
                    spec.str_at("local.path").into(),
                    "Directory".into(),
                ));
            }
            return Err(sim::unmodelled!("this type of persistent volume").to_string());
        }
        Some(found) if found.is_terminating() => "PVC is being deleted".to_owned(),
        Some(_) => "PVC is not bound".to_owned(),
    };
    Err(format!("error processing PVC {namespace}/{name}: {why}"))
}

fn mode_of(value: &Value, otherwise: u32) -> u32 {
    value
        .as_i64()
        .and_then(|mode| u32::try_from(mode).ok())
        .unwrap_or(otherwise)
}

fn add_part(
    files: &mut Files,
    pod: &Pod,
    part: &Value,
    (objects, tokens): (&Objects, &Tokens),
    mode: u32,
    facts: Facts<'_>,
) -> Result<(), String> {
    let token = part.get("serviceAccountToken");
    if !token.is_null() {
        let known = tokens.get(&token_request(token));
        let text = known
            .ok_or("failed to fetch token: the server could not find the requested resource")?;
        // With `fsGroup`, or one `runAsUser` for all, upstream gives the file to them alone.
        files.insert(token.str("path").to_owned(), (text.as_bytes().into(), mode));
    }
    for (field, secret) in [("configMap", false), ("secret", true)] {
        let source = part.get(field);
        if source.is_null() {
            continue;
        }
        let (namespace, name) = (pod.namespace.clone(), source.str("name").into());
        let object = if secret {
            Object::Secret(namespace, name)
        } else {
            Object::ConfigMap(namespace, name)
        };
        add_object(files, &object, source, objects, mode)?;
    }
    if part.has("downwardAPI") {
        add_fields(files, pod, part.get("downwardAPI"), mode, facts)?;
    }
    Ok(())
}

fn add_object(
    files: &mut Files,
    object: &Object,
    source: &Value,
    objects: &Objects,
    mode: u32,
) -> Result<(), String> {
    let optional = source.bool_at("optional");
    let Some(value) = objects.get(object).and_then(Option::as_ref) else {
        return if optional {
            Ok(())
        } else {
            Err(object.not_found())
        };
    };
    let items = source.get("items").list();
    if items.is_empty() {
        for key in env::keys_of(value) {
            let bytes = env::data_of(object, value, &key).unwrap_or_default();
            files.insert(key.to_string(), (bytes.into(), mode));
        }
        return Ok(());
    }
    for item in items {
        let key = item.str("key");
        match env::data_of(object, value, key) {
            Some(bytes) => {
                let mode = mode_of(item.get("mode"), mode);
                files.insert(item.str("path").to_owned(), (bytes.into(), mode));
            }
            None if optional => {}
            None => {
                return Err(match object {
                    Object::ConfigMap(..) => {
                        format!("configmap references non-existent config key: {key}")
                    }
                    _ => format!("references non-existent secret key: {key}"),
                });
            }
        }
    }
    Ok(())
}

fn add_fields(
    files: &mut Files,
    pod: &Pod,
    source: &Value,
    mode: u32,
    facts: Facts<'_>,
) -> Result<(), String> {
    for item in source.get("items").list() {
        let text = if item.has("fieldRef") {
            let path = item.str_at("fieldRef.fieldPath");
            env::field(pod, path, facts).ok_or_else(|| format!("unsupported fieldPath: {path}"))?
        } else {
            env::resource(pod, api::NULL, item.get("resourceFieldRef"), facts)
        };
        let mode = mode_of(item.get("mode"), mode);
        files.insert(
            item.str("path").to_owned(),
            (text.into_bytes().into(), mode),
        );
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubelet::pod::Source;
    use api::object;

    fn pod(volume: Value) -> Pod {
        let object = object! {
            "metadata": { "name": "p", "namespace": "ns", "uid": "u", "labels": { "a": "b" } },
            "spec": { "volumes": [(volume)], "containers": [] },
        };
        Pod::new(object, Source::Api)
    }

    #[track_caller]
    fn check(volume: Value, expect: Result<&str, &str>) {
        let pod = pod(volume.clone());
        let config = Object::ConfigMap("ns".into(), "cm".into());
        let objects = BTreeMap::from([(
            config,
            Some(object! { "data": { "k": "v", "conf": "text" } }),
        )]);
        let request = TokenRequest {
            audience: "".into(),
            expiration: 3607,
        };
        let tokens = BTreeMap::from([(request, "secret-token".into())]);
        let facts = Facts {
            pod_ip: "",
            host_ips: &[],
            allocatable: api::NULL,
            files: &env::EnvFiles::new(),
        };
        let got = plan(&pod, &volume, &objects, &tokens, facts).map(|plan| match plan {
            Plan::Files(files) => files
                .iter()
                .map(|(path, (bytes, mode))| {
                    format!("{path}={}:{mode:o}", String::from_utf8_lossy(bytes))
                })
                .collect::<Vec<_>>()
                .join(" "),
            other => format!("{other:?}"),
        });
        assert_eq!(got.as_deref().map_err(String::as_str), expect);
    }

    #[test]
    fn files_are_made_of_objects() {
        check(object! { "name": "e", "emptyDir": {} }, Ok("Empty"));
        check(
            object! { "name": "v", "configMap": { "name": "cm", "defaultMode": 0o600 } },
            Ok("conf=text:600 k=v:600"),
        );
        check(
            object! { "name": "v", "configMap": {
            "name": "cm", "items": [{ "key": "k", "path": "sub/file", "mode": 0o444 }] } },
            Ok("sub/file=v:444"),
        );
        check(
            object! { "name": "t", "projected": { "sources": [
                { "serviceAccountToken": { "expirationSeconds": 3607, "path": "token" } },
                { "downwardAPI": { "items": [
                    { "path": "labels", "fieldRef": { "fieldPath": "metadata.labels" } }] } },
            ] } },
            Ok("labels=a=\"b\":644 token=secret-token:644"),
        );
    }

    #[test]
    fn what_is_missing_is_named() {
        check(
            object! { "name": "v", "configMap": { "name": "ghost" } },
            Err("configmap \"ghost\" not found"),
        );
        check(
            object! { "name": "v", "configMap": { "name": "ghost", "optional": true } },
            Ok(""),
        );
        check(
            object! { "name": "v", "secret": { "secretName": "ghost" } },
            Err("secret \"ghost\" not found"),
        );
        check(
            object! { "name": "v", "configMap": {
            "name": "cm", "items": [{ "key": "z", "path": "z" }] } },
            Err("configmap references non-existent config key: z"),
        );
    }

    #[test]
    fn only_what_can_change_is_looked_at_again() {
        let account = object! { "name": "t", "projected": { "sources": [
            { "serviceAccountToken": { "path": "token" } },
            { "configMap": { "name": "kube-root-ca.crt" } },
            { "downwardAPI": { "items": [
                { "path": "namespace", "fieldRef": { "fieldPath": "metadata.namespace" } }] } },
        ] } };
        assert!(!can_change(&pod(account)));
        assert!(can_change(&pod(
            object! { "name": "v", "secret": { "secretName": "s" } }
        )));
    }
}
