//! What containers find in their volumes, and how they are started.
//!
//! Models test/e2e/common/storage/{empty_dir,configmap_volume,secrets_volume,downwardapi_volume,
//! projected_*}.go and test/e2e/common/node/containers.go.

use anyhow::{Result, ensure};
use http::Method;
use serde_json::{Value, json};

use crate::cluster::{Cluster, text};

/// `"name" => function(arguments after the cluster)`
macro_rules! rows {
    ($($name:literal => $run:ident($($arg:expr),*)),* $(,)?) => {
        /// The specs of this file.
        pub(super) const SPECS: &[super::Spec] = &[
            $(super::Spec { name: $name, run: |cluster| Box::pin($run(cluster $(, $arg)*)) },)*
        ];
    };
}

const AGNHOST: &str = "registry.k8s.io/e2e-test-images/agnhost:2.56";
const ROOT: Option<u32> = None;
const OTHER: Option<u32> = Some(1001);

rows! {
    "[sig-storage] EmptyDir volumes volume on default medium should have the correct mode [LinuxOnly] [NodeConformance] [Conformance]" => empty_mode(false),
    "[sig-storage] EmptyDir volumes volume on tmpfs should have the correct mode [LinuxOnly] [NodeConformance] [Conformance]" => empty_mode(true),
    "[sig-storage] EmptyDir volumes should support (root,0644,default) [LinuxOnly] [NodeConformance] [Conformance]" => empty(ROOT, "0644", "-rw-r--r--", false),
    "[sig-storage] EmptyDir volumes should support (root,0666,default) [LinuxOnly] [NodeConformance] [Conformance]" => empty(ROOT, "0666", "-rw-rw-rw-", false),
    "[sig-storage] EmptyDir volumes should support (root,0777,default) [LinuxOnly] [NodeConformance] [Conformance]" => empty(ROOT, "0777", "-rwxrwxrwx", false),
    "[sig-storage] EmptyDir volumes should support (non-root,0644,default) [LinuxOnly] [NodeConformance] [Conformance]" => empty(OTHER, "0644", "-rw-r--r--", false),
    "[sig-storage] EmptyDir volumes should support (non-root,0666,default) [LinuxOnly] [NodeConformance] [Conformance]" => empty(OTHER, "0666", "-rw-rw-rw-", false),
    "[sig-storage] EmptyDir volumes should support (non-root,0777,default) [LinuxOnly] [NodeConformance] [Conformance]" => empty(OTHER, "0777", "-rwxrwxrwx", false),
    "[sig-storage] EmptyDir volumes should support (root,0644,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]" => empty(ROOT, "0644", "-rw-r--r--", true),
    "[sig-storage] EmptyDir volumes should support (root,0666,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]" => empty(ROOT, "0666", "-rw-rw-rw-", true),
    "[sig-storage] EmptyDir volumes should support (root,0777,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]" => empty(ROOT, "0777", "-rwxrwxrwx", true),
    "[sig-storage] EmptyDir volumes should support (non-root,0644,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]" => empty(OTHER, "0644", "-rw-r--r--", true),
    "[sig-storage] EmptyDir volumes should support (non-root,0666,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]" => empty(OTHER, "0666", "-rw-rw-rw-", true),
    "[sig-storage] EmptyDir volumes should support (non-root,0777,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]" => empty(OTHER, "0777", "-rwxrwxrwx", true),
    "[sig-storage] ConfigMap should be consumable from pods in volume [NodeConformance] [Conformance]" => file(MAP, &[]),
    "[sig-storage] ConfigMap should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]" => file(MAP, &["mode"]),
    "[sig-storage] ConfigMap should be consumable from pods in volume as non-root [NodeConformance] [Conformance]" => file(MAP, &["other"]),
    "[sig-storage] ConfigMap should be consumable from pods in volume with mappings [NodeConformance] [Conformance]" => file(MAP, &["items"]),
    "[sig-storage] ConfigMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance] [Conformance]" => file(MAP, &["items", "mode"]),
    "[sig-storage] ConfigMap should be consumable from pods in volume with mappings as non-root [NodeConformance] [Conformance]" => file(MAP, &["items", "other"]),
    "[sig-storage] ConfigMap updates should be reflected in volume [NodeConformance] [Conformance]" => updates(MAP),
    "[sig-storage] ConfigMap optional updates should be reflected in volume [NodeConformance] [Conformance]" => optional(MAP),
    "[sig-storage] ConfigMap should be consumable in multiple volumes in the same pod [NodeConformance] [Conformance]" => twice(MAP),
    "[sig-storage] Secrets should be consumable from pods in volume [NodeConformance] [Conformance]" => file(SECRET, &[]),
    "[sig-storage] Secrets should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]" => file(SECRET, &["mode"]),
    "[sig-storage] Secrets should be consumable from pods in volume as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance] [Conformance]" => file(SECRET, &["other", "group"]),
    "[sig-storage] Secrets should be consumable from pods in volume with mappings [NodeConformance] [Conformance]" => file(SECRET, &["items"]),
    "[sig-storage] Secrets should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance] [Conformance]" => file(SECRET, &["items", "mode"]),
    "[sig-storage] Secrets optional updates should be reflected in volume [NodeConformance] [Conformance]" => optional(SECRET),
    "[sig-storage] Secrets should be consumable in multiple volumes in a pod [NodeConformance] [Conformance]" => twice(SECRET),
    "[sig-storage] Projected configMap should be consumable from pods in volume [NodeConformance] [Conformance]" => file(MAPS, &[]),
    "[sig-storage] Projected configMap should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]" => file(MAPS, &["mode"]),
    "[sig-storage] Projected configMap should be consumable from pods in volume as non-root [NodeConformance] [Conformance]" => file(MAPS, &["other"]),
    "[sig-storage] Projected configMap should be consumable from pods in volume with mappings [NodeConformance] [Conformance]" => file(MAPS, &["items"]),
    "[sig-storage] Projected configMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance] [Conformance]" => file(MAPS, &["items", "mode"]),
    "[sig-storage] Projected configMap should be consumable from pods in volume with mappings as non-root [NodeConformance] [Conformance]" => file(MAPS, &["items", "other"]),
    "[sig-storage] Projected configMap updates should be reflected in volume [NodeConformance] [Conformance]" => updates(MAPS),
    "[sig-storage] Projected configMap optional updates should be reflected in volume [NodeConformance] [Conformance]" => optional(MAPS),
    "[sig-storage] Projected configMap should be consumable in multiple volumes in the same pod [NodeConformance] [Conformance]" => twice(MAPS),
    "[sig-storage] Projected secret should be consumable from pods in volume [NodeConformance] [Conformance]" => file(SECRETS, &[]),
    "[sig-storage] Projected secret should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]" => file(SECRETS, &["mode"]),
    "[sig-storage] Projected secret should be consumable from pods in volume as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance] [Conformance]" => file(SECRETS, &["other", "group"]),
    "[sig-storage] Projected secret should be consumable from pods in volume with mappings [NodeConformance] [Conformance]" => file(SECRETS, &["items"]),
    "[sig-storage] Projected secret should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance] [Conformance]" => file(SECRETS, &["items", "mode"]),
    "[sig-storage] Projected secret optional updates should be reflected in volume [NodeConformance] [Conformance]" => optional(SECRETS),
    "[sig-storage] Projected secret should be consumable in multiple volumes in a pod [NodeConformance] [Conformance]" => twice(SECRETS),
    "[sig-storage] Downward API volume should provide podname only [NodeConformance] [Conformance]" => told(false, "metadata.name", "downwardapi-volume\n"),
    "[sig-storage] Downward API volume should set DefaultMode on files [LinuxOnly] [NodeConformance] [Conformance]" => told_mode(false, true),
    "[sig-storage] Downward API volume should set mode on item file [LinuxOnly] [NodeConformance] [Conformance]" => told_mode(false, false),
    "[sig-storage] Downward API volume should provide container's cpu limit [NodeConformance] [Conformance]" => told(false, "limits.cpu", "2\n"),
    "[sig-storage] Downward API volume should provide container's memory limit [NodeConformance] [Conformance]" => told(false, "limits.memory", "67108864\n"),
    "[sig-storage] Downward API volume should provide container's cpu request [NodeConformance] [Conformance]" => told(false, "requests.cpu", "1\n"),
    "[sig-storage] Downward API volume should provide container's memory request [NodeConformance] [Conformance]" => told(false, "requests.memory", "33554432\n"),
    "[sig-storage] Downward API volume should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance] [Conformance]" => told(false, "default limits.cpu", ": "),
    "[sig-storage] Downward API volume should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance] [Conformance]" => told(false, "default limits.memory", ": "),
    "[sig-storage] Downward API volume should update labels on modification [NodeConformance] [Conformance]" => told_changes(false, "labels"),
    "[sig-storage] Downward API volume should update annotations on modification [NodeConformance] [Conformance]" => told_changes(false, "annotations"),
    "[sig-storage] Projected downwardAPI should provide podname only [NodeConformance] [Conformance]" => told(true, "metadata.name", "downwardapi-volume\n"),
    "[sig-storage] Projected downwardAPI should set DefaultMode on files [LinuxOnly] [NodeConformance] [Conformance]" => told_mode(true, true),
    "[sig-storage] Projected downwardAPI should set mode on item file [LinuxOnly] [NodeConformance] [Conformance]" => told_mode(true, false),
    "[sig-storage] Projected downwardAPI should provide container's cpu limit [NodeConformance] [Conformance]" => told(true, "limits.cpu", "2\n"),
    "[sig-storage] Projected downwardAPI should provide container's memory limit [NodeConformance] [Conformance]" => told(true, "limits.memory", "67108864\n"),
    "[sig-storage] Projected downwardAPI should provide container's cpu request [NodeConformance] [Conformance]" => told(true, "requests.cpu", "1\n"),
    "[sig-storage] Projected downwardAPI should provide container's memory request [NodeConformance] [Conformance]" => told(true, "requests.memory", "33554432\n"),
    "[sig-storage] Projected downwardAPI should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance] [Conformance]" => told(true, "default limits.cpu", ": "),
    "[sig-storage] Projected downwardAPI should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance] [Conformance]" => told(true, "default limits.memory", ": "),
    "[sig-storage] Projected downwardAPI should update labels on modification [NodeConformance] [Conformance]" => told_changes(true, "labels"),
    "[sig-storage] Projected downwardAPI should update annotations on modification [NodeConformance] [Conformance]" => told_changes(true, "annotations"),
    "[sig-node] Containers should use the image defaults if command and args are blank [NodeConformance] [Conformance]" => started(&[], &[], "Paused"),
    "[sig-node] Containers should be able to override the image's default arguments (container cmd) [NodeConformance] [Conformance]" => started(&[], &["entrypoint-tester", "override", "arguments"], "[/agnhost entrypoint-tester override arguments]"),
    "[sig-node] Containers should be able to override the image's default command (container entrypoint) [NodeConformance] [Conformance]" => started(&["/agnhost-2"], &["entrypoint-tester"], "[/agnhost-2 entrypoint-tester]"),
    "[sig-node] Containers should be able to override the image's default command and arguments [NodeConformance] [Conformance]" => started(&["/agnhost-2"], &["entrypoint-tester", "override", "arguments"], "[/agnhost-2 entrypoint-tester override arguments]"),
}

/// A pod with these containers, each with the arguments of agnhost and the places of volumes.
fn pod(volumes: &Value, containers: &[(Vec<String>, Value)]) -> Value {
    let containers: Vec<Value> = containers
        .iter()
        .enumerate()
        .map(|(n, (args, mounts))| {
            json!({
                "name": format!("c{n}"), "image": AGNHOST, "args": args, "volumeMounts": mounts,
            })
        })
        .collect();
    json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": { "name": "downwardapi-volume" },
        "spec": { "restartPolicy": "Never", "volumes": volumes, "containers": containers },
    })
}

async fn log(cluster: &Cluster, container: &str) -> Result<String> {
    let path = cluster.core(&format!(
        "pods/downwardapi-volume/log?container={container}"
    ));
    Ok(cluster.call(Method::GET, &path, &[], None).await?.text)
}

/// Runs a pod to its end and looks for these texts in what it says.
async fn says(cluster: &Cluster, pod: &Value, texts: &[&str]) -> Result<()> {
    cluster.create(&cluster.core("pods"), pod).await?;
    let done = |pod: Option<&Value>| {
        let phase = pod.map(|pod| pod["status"]["phase"].clone());
        phase.is_some_and(|phase| phase == "Succeeded" || phase == "Failed")
    };
    let path = cluster.core("pods/downwardapi-volume");
    let found = cluster.until(&path, done).await?.unwrap_or_default();
    let said = log(cluster, "c0").await?;
    ensure!(found["status"]["phase"] == "Succeeded", "{said}");
    for text in texts {
        ensure!(said.contains(text), "no {text:?} in {said:?}");
    }
    Ok(())
}

/// Waits until a container says this.
async fn will_say(cluster: &Cluster, container: &str, text: &str) -> Result<()> {
    for _ in 0..150 {
        if log(cluster, container).await?.contains(text) {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    let said = log(cluster, container).await?;
    anyhow::bail!("{container} does not say {text:?}: {said}")
}

fn args(words: &[&str]) -> Vec<String> {
    let all = ["mounttest"].iter().chain(words);
    all.map(|word| (*word).to_owned()).collect()
}

/// An empty volume, in memory or on the disk, and what is to be said of where it lies.
fn empty_volume(memory: bool) -> (Value, &'static str) {
    match memory {
        true => (
            json!([{ "name": "test-volume", "emptyDir": { "medium": "Memory" } }]),
            "mount type of \"/test-volume\": tmpfs",
        ),
        false => (
            json!([{ "name": "test-volume", "emptyDir": {} }]),
            "mount type of \"/test-volume\": ",
        ),
    }
}

async fn empty_mode(cluster: Cluster, memory: bool) -> Result<()> {
    let (volumes, kind) = empty_volume(memory);
    let mounts = json!([{ "name": "test-volume", "mountPath": "/test-volume" }]);
    let words = args(&["--fs_type=/test-volume", "--file_perm=/test-volume"]);
    let pod = pod(&volumes, &[(words, mounts)]);
    let perms = "perms of file \"/test-volume\": -rwxrwxrwx";
    says(&cluster, &pod, &[perms, kind]).await
}

async fn empty(
    cluster: Cluster,
    user: Option<u32>,
    mode: &str,
    shown: &str,
    memory: bool,
) -> Result<()> {
    let (volumes, kind) = empty_volume(memory);
    let mounts = json!([{ "name": "test-volume", "mountPath": "/test-volume" }]);
    let file = "/test-volume/test-file";
    let words = args(&[
        "--fs_type=/test-volume",
        &format!("--new_file_{mode}={file}"),
        &format!("--file_perm={file}"),
    ]);
    let mut pod = pod(&volumes, &[(words, mounts)]);
    if let Some(user) = user {
        pod["spec"]["securityContext"] = json!({ "runAsUser": user });
    }
    let perms = format!("perms of file \"{file}\": {shown}");
    let content = format!("content of file \"{file}\": mount-tester new file");
    says(&cluster, &pod, &[&perms, &content, kind]).await
}

/// A volume's source: the kind of object, and whether it is projected.
type Source = (&'static str, bool);
const MAP: Source = ("configMap", false);
const SECRET: Source = ("secret", false);
const MAPS: Source = ("configMap", true);
const SECRETS: Source = ("secret", true);

/// An object with this in it, to be mounted.
fn object((kind, _): Source, name: &str, key: &str, value: &str) -> (String, Value) {
    match kind {
        "secret" => (
            "secrets".to_owned(),
            json!({
                "apiVersion": "v1", "kind": "Secret", "metadata": { "name": name },
                "stringData": { key: value },
            }),
        ),
        _ => (
            "configmaps".to_owned(),
            json!({
                "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": name },
                "data": { key: value },
            }),
        ),
    }
}

/// A volume of an object with these fields of its source.
fn volume((kind, projected): Source, volume: &str, of: &str, fields: &Value) -> Value {
    let mut source = fields.clone();
    let name = match (kind, projected) {
        ("secret", false) => "secretName",
        _ => "name",
    };
    source[name] = json!(of);
    if !projected {
        return json!({ "name": volume, kind: source });
    }
    let mut whole = json!({});
    if let Some(mode) = source
        .as_object_mut()
        .and_then(|map| map.remove("defaultMode"))
    {
        whole["defaultMode"] = mode;
    }
    whole["sources"] = json!([{ kind: source }]);
    json!({ "name": volume, "projected": whole })
}

async fn make(cluster: &Cluster, source: Source, name: &str, key: &str, value: &str) -> Result<()> {
    let (plural, object) = object(source, name, key, value);
    cluster.create(&cluster.core(&plural), &object).await?;
    Ok(())
}

async fn file(cluster: Cluster, source: Source, how: &[&str]) -> Result<()> {
    let has = |word: &str| how.contains(&word);
    make(&cluster, source, "source", "data-1", "value-1").await?;
    let mut fields = json!({});
    let mut path = "/etc/volume/data-1";
    if has("items") {
        path = "/etc/volume/path/to/data-2";
        fields["items"] = json!([{ "key": "data-1", "path": "path/to/data-2" }]);
    }
    let (mode, shown) = match (has("mode"), has("group")) {
        (true, _) => (Some(0o400), "-r--------"),
        (_, true) => (Some(0o440), "-r--r-----"),
        _ => (None, "-rw-r--r--"),
    };
    match mode {
        Some(mode) if has("items") => fields["items"][0]["mode"] = json!(mode),
        Some(mode) => fields["defaultMode"] = json!(mode),
        None => {}
    }
    let volumes = json!([volume(source, "volume", "source", &fields)]);
    let mounts = json!([{ "name": "volume", "mountPath": "/etc/volume", "readOnly": true }]);
    let words = args(&[
        &format!("--file_content={path}"),
        &format!("--file_mode={path}"),
    ]);
    let mut pod = pod(&volumes, &[(words, mounts)]);
    if has("other") {
        pod["spec"]["securityContext"] = json!({ "runAsUser": 1000 });
    }
    if has("group") {
        pod["spec"]["securityContext"]["fsGroup"] = json!(1001);
    }
    let content = format!("content of file \"{path}\": value-1");
    let mode = format!("mode of file \"{path}\": {shown}");
    says(&cluster, &pod, &[&content, &mode]).await
}

async fn twice(cluster: Cluster, source: Source) -> Result<()> {
    make(&cluster, source, "source", "data-1", "value-1").await?;
    let volumes = json!([
        volume(source, "one", "source", &json!({})),
        volume(source, "two", "source", &json!({})),
    ]);
    let mounts = json!([
        { "name": "one", "mountPath": "/etc/volume", "readOnly": true },
        { "name": "two", "mountPath": "/etc/volume-2", "readOnly": true },
    ]);
    let pod = pod(
        &volumes,
        &[(args(&["--file_content=/etc/volume/data-1"]), mounts)],
    );
    let content = "content of file \"/etc/volume/data-1\": value-1";
    says(&cluster, &pod, &[content]).await
}

fn watching(path: &str) -> Vec<String> {
    args(&[
        "--break_on_expected_content=false",
        "--retry_time=3600",
        &format!("--file_content_in_loop={path}"),
    ])
}

async fn updates(cluster: Cluster, source: Source) -> Result<()> {
    make(&cluster, source, "source", "data-1", "value-1").await?;
    let volumes = json!([volume(source, "volume", "source", &json!({}))]);
    let mounts = json!([{ "name": "volume", "mountPath": "/etc/volume", "readOnly": true }]);
    let pod = pod(&volumes, &[(watching("/etc/volume/data-1"), mounts)]);
    cluster.create(&cluster.core("pods"), &pod).await?;
    will_say(&cluster, "c0", "value-1").await?;
    let (plural, _) = object(source, "source", "", "");
    cluster
        .retry(&cluster.core(&format!("{plural}/source")), |object| {
            object["data"]["data-1"] = json!("value-2");
        })
        .await?;
    will_say(&cluster, "c0", "value-2").await
}

/// Objects that may be missing: one goes, one changes, one comes.
async fn optional(cluster: Cluster, source: Source) -> Result<()> {
    make(&cluster, source, "goes", "data-1", "value-1").await?;
    make(&cluster, source, "changes", "data-1", "value-1").await?;
    let may_miss = json!({ "optional": true });
    let volumes: Vec<Value> = ["goes", "changes", "comes"]
        .iter()
        .map(|name| volume(source, name, name, &may_miss))
        .collect();
    let containers: Vec<(Vec<String>, Value)> = [
        ("goes", "data-1"),
        ("changes", "data-3"),
        ("comes", "data-1"),
    ]
    .iter()
    .map(|(name, key)| {
        let at = format!("/etc/volumes/{name}");
        let mounts = json!([{ "name": name, "mountPath": at, "readOnly": true }]);
        (watching(&format!("{at}/{key}")), mounts)
    })
    .collect();
    let pod = pod(&json!(volumes), &containers);
    cluster.create(&cluster.core("pods"), &pod).await?;
    will_say(
        &cluster,
        "c2",
        "Error reading file /etc/volumes/comes/data-1",
    )
    .await?;
    will_say(
        &cluster,
        "c1",
        "Error reading file /etc/volumes/changes/data-3",
    )
    .await?;
    will_say(&cluster, "c0", "value-1").await?;
    let (plural, changed) = object(source, "changes", "data-3", "value-3");
    cluster
        .delete(&cluster.core(&format!("{plural}/goes")))
        .await?;
    cluster
        .update(&cluster.core(&format!("{plural}/changes")), &changed)
        .await?;
    make(&cluster, source, "comes", "data-1", "value-1").await?;
    will_say(&cluster, "c2", "value-1").await?;
    will_say(&cluster, "c1", "value-3").await?;
    will_say(
        &cluster,
        "c0",
        "Error reading file /etc/volumes/goes/data-1",
    )
    .await
}

/// The volume in which a pod finds one thing about itself.
fn about(projected: bool, item: &Value, mode: Option<u32>) -> Value {
    let source = json!({ "items": [item] });
    let mut of = match projected {
        true => json!({ "sources": [{ "downwardAPI": source }] }),
        false => source,
    };
    if let Some(mode) = mode {
        of["defaultMode"] = json!(mode);
    }
    let kind = if projected {
        "projected"
    } else {
        "downwardAPI"
    };
    json!([{ "name": "podinfo", kind: of }])
}

fn here() -> Value {
    json!([{ "name": "podinfo", "mountPath": "/etc/podinfo" }])
}

async fn told(cluster: Cluster, projected: bool, what: &str, expected: &str) -> Result<()> {
    let (resource, limited) = match what.strip_prefix("default ") {
        Some(resource) => (resource, false),
        None => (what, true),
    };
    let item = match resource.starts_with("metadata.") {
        true => json!({ "path": "it", "fieldRef": { "fieldPath": resource } }),
        false => json!({
            "path": "it", "resourceFieldRef": { "containerName": "c0", "resource": resource },
        }),
    };
    let volumes = about(projected, &item, None);
    let words = args(&["--file_content=/etc/podinfo/it"]);
    let mut pod = pod(&volumes, &[(words, here())]);
    if limited {
        pod["spec"]["containers"][0]["resources"] = json!({
            "requests": { "cpu": "250m", "memory": "32Mi" },
            "limits": { "cpu": "1250m", "memory": "64Mi" },
        });
    }
    says(&cluster, &pod, &["content of file", expected]).await?;
    let said = log(&cluster, "c0").await?;
    ensure!(
        said.contains(|c: char| matches!(c, '1'..='9')) || limited,
        "{said}"
    );
    Ok(())
}

async fn told_mode(cluster: Cluster, projected: bool, by_default: bool) -> Result<()> {
    let mut item = json!({ "path": "podname", "fieldRef": { "fieldPath": "metadata.name" } });
    if !by_default {
        item["mode"] = json!(0o400);
    }
    let volumes = about(projected, &item, by_default.then_some(0o400));
    let words = args(&["--file_mode=/etc/podinfo/podname"]);
    let pod = pod(&volumes, &[(words, here())]);
    let mode = "mode of file \"/etc/podinfo/podname\": -r--------";
    says(&cluster, &pod, &[mode]).await
}

async fn told_changes(cluster: Cluster, projected: bool, what: &str) -> Result<()> {
    let field = format!("metadata.{what}");
    let item = json!({ "path": "it", "fieldRef": { "fieldPath": field } });
    let volumes = about(projected, &item, None);
    let mut pod = pod(&volumes, &[(watching("/etc/podinfo/it"), here())]);
    pod["metadata"][what] = json!({ "key1": "value1", "key2": "value2" });
    let made = cluster.create(&cluster.core("pods"), &pod).await?;
    let one = cluster.core(&format!("pods/{}", text(&made, "/metadata/name")?));
    will_say(&cluster, "c0", "key1=\"value1\"\n").await?;
    cluster
        .retry(&one, |pod| pod["metadata"][what]["key3"] = json!("value3"))
        .await?;
    will_say(&cluster, "c0", "key3=\"value3\"\n").await
}

async fn started(cluster: Cluster, command: &[&str], args: &[&str], said: &str) -> Result<()> {
    let mut pod = pod(&json!([]), &[(Vec::new(), json!([]))]);
    pod["spec"]["containers"][0]["command"] = json!(command);
    pod["spec"]["containers"][0]["args"] = json!(args);
    cluster.create(&cluster.core("pods"), &pod).await?;
    will_say(&cluster, "c0", said).await
}
