//! `kubeadm upgrade node`: the machine's part of an upgrade that `kubeadm upgrade apply` began.
//!
//! Models cmd/kubeadm/app/cmd/upgrade/node.go.

use machine::{Io, Sys};

use super::apply::addons;
use super::cluster::Cluster;
use super::{Done, Options, Stop, fail_phase, health, images, kubelet_config, staticpods};
use crate::manifests::Plan;

/// The command.
pub(crate) async fn node(io: &Io, options: &Options) -> Done {
    let controls = io
        .read_file("/etc/kubernetes/manifests/kube-apiserver.yaml")
        .await
        .is_ok();
    let dry = options.dry_run;
    let kubeconfig = match controls {
        true => "/etc/kubernetes/admin.conf",
        false => "/etc/kubernetes/kubelet.conf",
    };
    let cluster = Cluster::open(io, kubeconfig, dry).await?;
    let version = cluster.configured(io, "upgrade").await;
    let version = version.map_err(|Stop(why)| {
        Stop(format!(
            "unable to fetch the kubeadm-config ConfigMap: {why}"
        ))
    })?;
    io.print("[upgrade/preflight] Running pre-flight checks\n")
        .await;
    let root = health::must_be_root(io, options).await;
    root.or_else(|Stop(why)| fail_phase("preflight", why))?;
    if !controls {
        return worker(io, &cluster, dry).await;
    }
    let node = io.sys(|sys: &mut Sys<'_>| sys.hostname()).await;
    let plan = Plan::new(&version, &node, cluster.endpoint(&node).await?);
    if dry {
        let text = images::WOULD_PULL.to_owned() + &staticpods::would(&plan, &version);
        io.print(&text).await;
    } else {
        images::prepull(io, &version, options).await?;
        let (etcd, renew) = (!options.skips_etcd, !options.skips_renewal);
        staticpods::upgrade(io, &cluster, &version, etcd, renew).await?;
    }
    io.print(
        "[upgrade/kubeconfig] The kubeconfig files for this node were successfully upgraded!\n",
    )
    .await;
    kubelet_config::upgrade(io, &cluster, dry).await?;
    addons(io, &cluster, &plan, dry).await
}

/// The part of a machine without a control plane.
async fn worker(io: &Io, cluster: &Cluster, dry: bool) -> Done {
    io.print(
        "[upgrade/preflight] Skipping prepull. Not a control plane node.\n\
         [upgrade/control-plane] Skipping phase. Not a control plane node.\n\
         [upgrade/kubeconfig] Skipping phase. Not a control plane node.\n",
    )
    .await;
    kubelet_config::upgrade(io, cluster, dry).await?;
    io.print(
        "[upgrade/addon] Skipping the addon/coredns phase. Not a control plane node.\n\
         [upgrade/addon] Skipping the addon/kube-proxy phase. Not a control plane node.\n",
    )
    .await;
    Ok(())
}
