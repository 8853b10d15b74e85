//! Volumes of a pod or of a template.

use api::Value;
use api::kinds::support::volumes::class;

use super::{rare, storage};
use crate::kubectl::target::or;

/// `Volumes:` and the volumes below it; templates are indented by `space`.
pub(super) fn text(volumes: &[Value], space: &str) -> String {
    if volumes.is_empty() {
        return format!("{space}Volumes:\t<none>\n");
    }
    let indent = if space.is_empty() { "" } else { " " };
    let mut text = format!("{space}Volumes:\n");
    for volume in volumes {
        text.push_str(&format!(
            "  {indent}{}:\n{}",
            volume.str_at("name"),
            source(volume)
        ));
    }
    text
}

/// Where a volume is: of a pod, or of a PersistentVolume's spec.
pub(super) fn source(volume: &Value) -> String {
    let set = |field: &str| Some(volume.get(field)).filter(|source| !source.is_null());
    if let Some(source) = set("hostPath") {
        return kind("HostPath (bare host directory volume)")
            + &line("Path", source.str_at("path"))
            + &line("HostPathType", source.str_at("type"));
    }
    if let Some(source) = set("emptyDir") {
        return kind("EmptyDir (a temporary directory that shares a pod's lifetime)")
            + &line("Medium", source.str_at("medium"))
            + &line("SizeLimit", or(source.str_at("sizeLimit"), "<unset>"));
    }
    if let Some(source) = set("configMap") {
        return kind("ConfigMap (a volume populated by a ConfigMap)")
            + &line("Name", source.str_at("name"))
            + &line("Optional", &source.bool_at("optional").to_string());
    }
    if let Some(source) = set("secret") {
        return kind("Secret (a volume populated by a Secret)")
            + &line("SecretName", source.str_at("secretName"))
            + &line("Optional", &source.bool_at("optional").to_string());
    }
    if let Some(source) = set("downwardAPI") {
        return kind("DownwardAPI (a volume populated by information about the pod)")
            + &downward_items(source);
    }
    if let Some(source) = set("persistentVolumeClaim") {
        return kind(
            "PersistentVolumeClaim (a reference to a PersistentVolumeClaim in the same namespace)",
        ) + &line("ClaimName", source.str_at("claimName"))
            + &line("ReadOnly", &source.bool_at("readOnly").to_string());
    }
    if let Some(source) = set("projected") {
        return kind("Projected (a volume that contains injected data from multiple sources)")
            + &projected(source);
    }
    less_common(volume)
}

/// A line of what is written for itself elsewhere: each of its parts is indented.
fn nested(title: &str, rest: &str) -> String {
    match title {
        "" => format!("        \t    {rest}\n"),
        title if rest == "<none>" => format!("    {title}\t{rest}\n"),
        title => format!("    {title}\t    {rest}\n"),
    }
}

fn line(name: &str, value: &str) -> String {
    format!("    {name}:\t{value}\n")
}

fn kind(text: &str) -> String {
    line("Type", text)
}

fn less_common(volume: &Value) -> String {
    let set = |field: &str| Some(volume.get(field)).filter(|source| !source.is_null());
    if let Some(source) = set("ephemeral") {
        let template = source.get("volumeClaimTemplate");
        let below: String = format!("StorageClass:\t{}\n", class(template))
            .lines()
            .chain(storage::claim_rest(template, false).lines())
            .map(|line| match line.split_once('\t') {
                Some((title @ ("Labels:" | "Annotations:" | ""), rest)) => nested(title, rest),
                _ => format!("    {line}\n"),
            })
            .collect();
        return kind(
            "EphemeralVolume (an inline specification for a volume that gets created and deleted \
             with the pod)",
        ) + &below;
    }
    if let Some(source) = set("nfs") {
        return kind("NFS (an NFS mount that lasts the lifetime of a pod)")
            + &line("Server", source.str_at("server"))
            + &line("Path", source.str_at("path"))
            + &line("ReadOnly", &source.bool_at("readOnly").to_string());
    }
    if let Some(source) = set("local") {
        return kind("LocalVolume (a persistent volume backed by local storage on a node)")
            + &line("Path", source.str_at("path"));
    }
    if let Some(source) = set("image") {
        return kind("Image (a container image or OCI artifact)")
            + &line("Reference", source.str_at("reference"))
            + &line("PullPolicy", source.str_at("pullPolicy"));
    }
    if let Some(source) = set("csi") {
        let mut text = kind("CSI (a Container Storage Interface (CSI) volume source)")
            + &line("Driver", source.str_at("driver"))
            + &line("FSType", source.str_at("fsType"));
        if source.has("volumeHandle") {
            text.push_str(&line("VolumeHandle", source.str_at("volumeHandle")));
        }
        text.push_str(&line("ReadOnly", &source.bool_at("readOnly").to_string()));
        let attributes = source.map_at("volumeAttributes");
        let attributes = storage::attributes("VolumeAttributes:", attributes);
        let lines = attributes.lines().filter_map(|line| line.split_once('\t'));
        return text
            + &lines
                .map(|(title, rest)| nested(title, rest))
                .collect::<String>();
    }
    rare::source(volume)
}

fn downward_items(source: &Value) -> String {
    let mut text = String::from("    Items:\n");
    for item in source.list_at("items") {
        let field = match item.str_at("fieldRef.fieldPath") {
            "" => item.str_at("resourceFieldRef.resource"),
            path => path,
        };
        text.push_str(&format!("      {field} -> {}\n", item.str_at("path")));
    }
    text
}

fn projected(source: &Value) -> String {
    let mut text = String::new();
    for part in source.list_at("sources") {
        if let Value::Map(_) = part.get("secret") {
            text.push_str(&format!(
                "    SecretName:\t{}\n",
                part.str_at("secret.name")
            ));
            text.push_str(&format!(
                "    Optional:\t{}\n",
                part.bool_at("secret.optional")
            ));
        } else if let Value::Map(_) = part.get("downwardAPI") {
            text.push_str("    DownwardAPI:\ttrue\n");
        } else if let Value::Map(_) = part.get("configMap") {
            text.push_str(&format!(
                "    ConfigMapName:\t{}\n",
                part.str_at("configMap.name")
            ));
            text.push_str(&format!(
                "    Optional:\t{}\n",
                part.bool_at("configMap.optional")
            ));
        } else if let Value::Map(_) = part.get("serviceAccountToken") {
            let seconds = part
                .i64_at("serviceAccountToken.expirationSeconds")
                .unwrap_or(3600);
            text.push_str(&format!("    TokenExpirationSeconds:\t{seconds}\n"));
        }
    }
    text
}
