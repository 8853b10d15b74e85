//! The kubelet's configuration, written anew from the cluster's.
//!
//! Models cmd/kubeadm/app/phases/upgrade/postupgrade.go (`WriteKubeletConfigFiles`) and
//! phases/kubelet/config.go.

use api::{Value, yaml};
use client::Severity;
use machine::{Errno, Io};

use super::cluster::{Cluster, KUBELET_CONFIG};
use super::version::log;
use super::{Done, Stop, dry_run, fail_phase};
use crate::calendar::strftime;

const FILE: &str = "/var/lib/kubelet/config.yaml";
/// What is this machine's own, on top of what is every kubelet's.
const INSTANCE: &str = "/var/lib/kubelet/instance-config.yaml";

/// Backs the kubelet's configuration up and writes what the cluster has for all kubelets.
pub(crate) async fn upgrade(io: &Io, cluster: &Cluster, dry: bool) -> Done {
    let config = cluster.get(KUBELET_CONFIG).await?;
    let common = parsed(config.get("data").str("kubelet"))?;
    let stamp = strftime("%Y-%m-%d-%H-%M-%S", io.now().await);
    let backup = format!("/etc/kubernetes/tmp/kubeadm-kubelet-config-{stamp}");
    let text = format!(
        "Using temporary directory {backup} for kubelet config. To override it set the environment \
         variable KUBEADM_UPGRADE_DRYRUN_DIR"
    );
    log(io, Severity::Warning, "postupgrade.go:105", &text).await;
    if dry {
        io.print(&format!(
            "[dryrun] Would back up kubelet config file to {backup}/config.yaml\n"
        ))
        .await;
    } else {
        back_up(io, backup).await?;
    }
    let text = merged(io, common).await?;
    if dry {
        io.print(&dry_run::file(FILE, &text)).await;
    } else {
        io.print(&format!(
            "[kubelet-start] Writing kubelet configuration to file {FILE:?}\n"
        ))
        .await;
        if io.write_file(FILE, text.as_bytes()).await.is_err() {
            return fail_phase("kubelet-config", format!("failed to write {FILE}"));
        }
    }
    io.print(
        "[upgrade/kubelet-config] The kubelet configuration for this node was successfully \
         upgraded!\n",
    )
    .await;
    Ok(())
}

async fn back_up(io: &Io, directory: String) -> Done {
    io.print(&format!(
        "[upgrade] Backing up kubelet config file to {directory}/config.yaml\n"
    ))
    .await;
    let copied = io.sys(move |sys| -> Result<(), Errno> {
        sys.mkdir_all(&directory)?;
        let old = sys.read_file(FILE)?;
        sys.write_file(&format!("{directory}/config.yaml"), &old)
    });
    match copied.await {
        Ok(()) => Ok(()),
        Err(errno) => {
            let why = errno.message().to_lowercase();
            let text = format!("error backing up the kubelet config file: open {FILE}: {why}");
            fail_phase("kubelet-config", text)
        }
    }
}

/// The cluster's configuration with this machine's own fields over it.
async fn merged(io: &Io, mut common: Value) -> Done<String> {
    let Ok(text) = io.read_to_string(INSTANCE).await else {
        return Ok(yaml::to_string(&common));
    };
    for (field, value) in parsed(&text)?.entries() {
        common.set(field, value.clone());
    }
    io.print(
        "[patches] Applied patch of type \"application/strategic-merge-patch+json\" to target \
         \"kubeletconfiguration\"\n",
    )
    .await;
    Ok(yaml::to_string(&common))
}

fn parsed(text: &str) -> Done<Value> {
    let documents = yaml::parse_all(text).map_err(|error| Stop(error.to_string()))?;
    let first = documents.into_iter().next();
    Ok(first.map(|document| document.value).unwrap_or_default())
}
