//! Namespaces, prefixes and suffixes of names, numbers of replicas, and images.
//!
//! Models kustomize/api/filters/{namespace,prefix,suffix,replicacount,imagetag}.

use api::Value;

use super::fields::at;
use super::res::Res;

/// Kinds whose names are what they are.
const UNTOUCHED: [&str; 3] = ["CustomResourceDefinition", "APIService", "Namespace"];
/// Kinds that have replicas.
const SCALED: [&str; 4] = [
    "Deployment",
    "StatefulSet",
    "ReplicaSet",
    "ReplicationController",
];

/// Puts everything into a namespace.
pub(super) fn namespace(objects: &mut [Res], namespace: &str) -> Result<(), String> {
    if namespace.is_empty() {
        return Ok(());
    }
    for object in objects.iter_mut() {
        let id = object.id();
        if id.kind == "Namespace" && id.group.is_empty() {
            object.rename(namespace);
        } else if !id.is_cluster_scoped() {
            object.relocate(namespace);
        }
        if ["RoleBinding", "ClusterRoleBinding"].contains(&id.kind.as_str()) {
            at(&mut object.value, "subjects[]", false, &mut |subject| {
                if subject.kind() == "ServiceAccount" && subject.str("name") == "default" {
                    subject.set("namespace", namespace);
                }
            });
        }
    }
    for (i, object) in objects.iter().enumerate() {
        let id = object.id();
        if objects[..i].iter().any(|one| one.id().same(&id)) {
            return Err(format!(
                "namespace transformation produces ID conflict: {id}"
            ));
        }
    }
    Ok(())
}

/// Puts something in front of names and behind them.
pub(super) fn affixes(objects: &mut [Res], prefix: &str, suffix: &str) {
    if prefix.is_empty() && suffix.is_empty() {
        return;
    }
    for object in objects {
        if UNTOUCHED.contains(&object.value.kind()) {
            continue;
        }
        let name = format!("{prefix}{}{suffix}", object.value.name());
        object.rename(&name);
        if !prefix.is_empty() {
            object.prefixes.push(prefix.to_owned());
        }
        if !suffix.is_empty() {
            object.suffixes.push(suffix.to_owned());
        }
    }
}

/// Sets numbers of replicas.
pub(super) fn replicas(objects: &mut [Res], wanted: &Value) -> Result<(), String> {
    for replica in wanted.list() {
        let name = replica.str("name");
        let mut found = false;
        for object in objects.iter_mut() {
            let scaled = SCALED.contains(&object.value.kind());
            if scaled && object.ids().iter().any(|id| id.name == name) {
                object.value.set("spec.replicas", replica.get("count"));
                found = true;
            }
        }
        if !found {
            return Err(format!(
                "resource with name {name} does not match a config with the following GVK \
                 [Deployment.[noVer].[noGrp] StatefulSet.[noVer].[noGrp] \
                 ReplicaSet.[noVer].[noGrp] ReplicationController.[noVer].[noGrp]]"
            ));
        }
    }
    Ok(())
}

/// Changes images by their names.
pub(super) fn images(objects: &mut [Res], wanted: &Value) {
    for image in wanted.list() {
        for object in objects.iter_mut() {
            if object.value.kind() != "CustomResourceDefinition" {
                containers(&mut object.value, image);
            }
        }
    }
}

/// Goes through all containers, wherever they are.
fn containers(value: &mut Value, image: &Value) {
    match value {
        Value::List(_) => {
            for item in value.vec_mut() {
                containers(item, image);
            }
        }
        Value::Map(map) => {
            let keys: Vec<_> = map.keys().cloned().collect();
            for key in keys {
                let inner = value.map_mut().get_or_insert(&key);
                if ["containers", "initContainers"].contains(&key.as_str()) && inner.is_list() {
                    for container in inner.vec_mut() {
                        let changed = changed(container.str("image"), image);
                        if let Some(changed) = changed {
                            container.set("image", changed);
                        }
                    }
                }
                if inner.is_map() || inner.is_list() {
                    containers(inner, image);
                }
            }
        }
        _ => {}
    }
}

/// The image with its new name, tag or digest; `None` if it is another.
fn changed(text: &str, image: &Value) -> Option<String> {
    let (name, tag, digest) = split(text);
    if text.is_empty() || name != image.str("name") {
        return None;
    }
    let or = |new: &str, old: &str| if new.is_empty() { old } else { new }.to_owned();
    let mut out = or(image.str("newName"), name);
    let new_tag = match image.get("newTag") {
        Value::Str(text) => text.to_string(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    let new_digest = image.str("digest");
    let (tag, digest) = match (new_tag.as_str(), new_digest) {
        ("", "") => (format!("{tag}{}", image.str("tagSuffix")), digest),
        (tag, digest) => (tag.to_owned(), digest),
    };
    if !tag.is_empty() {
        out.push_str(&format!(":{tag}"));
    }
    if !digest.is_empty() {
        out.push_str(&format!("@{digest}"));
    }
    Some(out)
}

/// Name, tag and digest of an image.
fn split(text: &str) -> (&str, &str, &str) {
    let (rest, digest) = text.split_once('@').unwrap_or((text, ""));
    let slash = rest.rfind('/').map_or(0, |i| i + 1);
    match rest[slash..].find(':') {
        Some(colon) => (&rest[..slash + colon], &rest[slash + colon + 1..], digest),
        None => (rest, "", digest),
    }
}
