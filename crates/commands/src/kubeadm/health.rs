//! What is looked at before an upgrade.
//!
//! Models cmd/kubeadm/app/phases/upgrade/health.go. Of its checks, the one that runs a Job is not
//! modelled, since there are no Jobs.

use std::borrow::Cow;

use machine::{Io, Sys};

use super::cluster::Cluster;
use super::{Done, Options, stop};

/// A check that failed, by name, and why.
pub(crate) type Failed = (Cow<'static, str>, String);

/// Ends if checks failed, but for those that are to be ignored: they are warnings.
pub(crate) async fn judge(io: &Io, failed: Vec<Failed>, options: &Options) -> Done {
    let is_ignored = |check: &str| {
        let check = check.to_lowercase();
        options
            .ignored
            .iter()
            .any(|word| word == "all" || *word == check)
    };
    let (warnings, errors): (Vec<Failed>, Vec<Failed>) =
        failed.into_iter().partition(|(check, _)| is_ignored(check));
    for (check, why) in warnings {
        io.eprint(&format!("\t[WARNING {check}]: {why}\n")).await;
    }
    if errors.is_empty() {
        return Ok(());
    }
    let lines: String = errors
        .iter()
        .map(|(check, why)| format!("\t[ERROR {check}]: {why}\n"))
        .collect();
    stop(format!(
        "[preflight] Some fatal errors occurred:\n{lines}[preflight] If you know what you are \
         doing, you can make a check non-fatal with `--ignore-preflight-errors=...`"
    ))
}

/// Whether the caller is root.
pub(crate) async fn must_be_root(io: &Io, options: &Options) -> Done {
    if io.sys(|sys: &mut Sys<'_>| sys.uid()).await == 0 {
        return Ok(());
    }
    let why = "user is not running as root".to_owned();
    judge(io, vec![("IsPrivilegedUser".into(), why)], options).await
}

/// Whether control-plane nodes are ready and their manifests are where they should be.
pub(crate) async fn check(io: &Io, cluster: &Cluster, options: &Options) -> Done {
    io.print("[upgrade] Running cluster health checks\n").await;
    let mut errors = Vec::new();
    let label = "node-role.kubernetes.io%2Fcontrol-plane";
    let nodes = cluster
        .get(&format!("/api/v1/nodes?labelSelector={label}"))
        .await?;
    let unready = |node: &&api::Value| {
        let conditions = node.get("status").get("conditions");
        let mut conditions = conditions.list().iter();
        conditions.any(|c| c.str("type") == "Ready" && c.str("status") != "True")
    };
    let unready: Vec<String> = nodes
        .get("items")
        .list()
        .iter()
        .filter(unready)
        .map(|node| node.get("metadata").str("name").to_owned())
        .collect();
    if !unready.is_empty() {
        let why = format!(
            "there are NotReady control-planes in the cluster: [{}]",
            unready.join(" ")
        );
        errors.push(("ControlPlaneNodesReady".into(), why));
    }
    let mut missing = Vec::new();
    for component in &crate::manifests::COMPONENTS[1..] {
        let path = format!("/etc/kubernetes/manifests/{component}.yaml");
        if io.read_file(&path).await.is_err() {
            missing.push(path);
        }
    }
    if !missing.is_empty() {
        let why = format!(
            "The control plane seems to be Static Pod-hosted, but some of the manifests don't seem \
             to exist on disk. This probably means you're running 'kubeadm upgrade' on a remote \
             machine, which is not supported for a Static Pod-hosted cluster. Manifest files not \
             found: [{}]",
            missing.join(" ")
        );
        errors.push(("StaticPodManifest".into(), why));
    }
    judge(io, errors, options).await
}
