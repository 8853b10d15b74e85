//! `kubeadm upgrade apply`: a control plane of another version.
//!
//! Models cmd/kubeadm/app/cmd/upgrade/apply.go and its phases. The rules of access that the phase
//! bootstrap-token writes are not modelled.

use api::{Value, yaml};
use machine::{Io, Sys};

use super::cluster::Cluster;
use super::policy::{Objections, listed, objections};
use super::staticpods;
use super::version::normalized;
use super::{Done, Options, Stop, fail_phase, health, images, kubelet_config, own_version, stop};
use crate::io::answer;
use crate::manifests::Plan;

/// The command.
pub(crate) async fn apply(io: &Io, rest: &[&str], options: &Options) -> Done {
    let [version] = rest else {
        return match rest {
            [] => stop("missing one or more required arguments. Required arguments: [version]"),
            _ => stop("too many arguments, only 1 argument(s) supported: [version]"),
        };
    };
    let cluster = Cluster::open(io, "/etc/kubernetes/admin.conf", options.dry_run).await?;
    let configured = cluster.configured(io, "upgrade").await;
    configured.map_err(|Stop(why)| Stop(format!("[upgrade] FATAL: {why}")))?;
    let version = preflight(io, &cluster, version, options).await?;
    let node = io.sys(|sys: &mut Sys<'_>| sys.hostname()).await;
    let plan = Plan::new(&version, &node, cluster.endpoint(&node).await?);
    if options.dry_run {
        return would(io, &cluster, &version, &plan).await;
    }
    let (etcd, renew) = (!options.skips_etcd, !options.skips_renewal);
    staticpods::upgrade(io, &cluster, &version, etcd, renew).await?;
    cluster.set_configured(&version).await?;
    io.print(
        "[upload-config] Storing the configuration used in ConfigMap \"kubeadm-config\" in the \
         \"kube-system\" Namespace\n[kubelet] Creating a ConfigMap \"kubelet-config\" in namespace \
         kube-system with the configuration for the kubelets in the cluster\n\
         [upgrade/kubeconfig] The kubeconfig files for this node were successfully upgraded!\n",
    )
    .await;
    kubelet_config::upgrade(io, &cluster, false).await?;
    addons(io, &cluster, &plan, false).await?;
    io.print(&format!(
        "\n[upgrade] SUCCESS! A control plane node of your cluster was upgraded to {version:?}.\n\n\
         [upgrade] Now please proceed with upgrading the rest of the nodes by following the right \
         order.\n"
    ))
    .await;
    Ok(())
}

/// What would be done after the checks, shown.
async fn would(io: &Io, cluster: &Cluster, version: &str, plan: &Plan) -> Done {
    let mut text = staticpods::would(plan, version);
    text.push_str(
        "[dryrun] Would upload the kubeadm ClusterConfiguration to a ConfigMap\n\
         [dryrun] Would upload the kubelet configuration to a ConfigMap\n\
         [upgrade/kubeconfig] The kubeconfig files for this node were successfully upgraded!\n",
    );
    io.print(&text).await;
    kubelet_config::upgrade(io, cluster, true).await?;
    addons(io, cluster, plan, true).await?;
    io.print("[upgrade/successful] Finished dryrunning successfully!\n")
        .await;
    Ok(())
}

/// Checks everything that can be checked before; gives the version that was meant.
async fn preflight(io: &Io, cluster: &Cluster, version: &str, options: &Options) -> Done<String> {
    io.print("[upgrade/preflight] Running preflight checks\n")
        .await;
    let checked = async {
        health::must_be_root(io, options).await?;
        health::check(io, cluster, options).await
    };
    checked
        .await
        .or_else(|Stop(why)| fail_phase("preflight", why))?;
    let version = normalized(io, version).await;
    let version = version.or_else(|Stop(why)| fail_phase("preflight", why))?;
    io.print(&format!(
        "[upgrade/preflight] You have chosen to upgrade the cluster version to {version:?}\n"
    ))
    .await;
    let there = cluster.version().await?;
    let own = own_version(io).await;
    io.print(&format!(
        "[upgrade/versions] Cluster version: {there}\n[upgrade/versions] kubeadm version: {own}\n"
    ))
    .await;
    allowed(io, cluster, (&version, &there, &own), options.force).await?;
    if options.dry_run {
        io.print(images::WOULD_PULL).await;
        return Ok(version);
    }
    if !options.yes && !options.force && !confirmed(io).await {
        let why = "won't proceed; the user didn't answer (Y|y) in order to continue";
        return fail_phase("preflight", why);
    }
    images::prepull(io, &version, options).await?;
    Ok(version)
}

/// Whether the versions to go to, of the cluster and of kubeadm fit together.
async fn allowed(
    io: &Io,
    cluster: &Cluster,
    (version, there, own): (&str, &str, &str),
    force: bool,
) -> Done {
    let kubelets = cluster.kubelets().await?;
    let kubelets: Vec<String> = kubelets.into_iter().map(|(_, version)| version).collect();
    let Objections {
        mandatory,
        skippable,
    } = objections(version, there, own, &kubelets);
    if !mandatory.is_empty() {
        let text = format!(
            "the version argument is invalid due to these fatal errors:\n\n{}\nPlease fix the \
             misalignments highlighted above and try upgrading again",
            listed(&mandatory)
        );
        return fail_phase("preflight", text);
    }
    if skippable.is_empty() {
        return Ok(());
    }
    let listed = listed(&skippable);
    if !force {
        let text = format!(
            "the version argument is invalid due to these errors:\n\n{listed}\nCan be bypassed if \
             you pass the --force flag"
        );
        return fail_phase("preflight", text);
    }
    io.print(&format!(
        "[upgrade/preflight] Found {} potential version compatibility errors but skipping since \
         the --force flag is set: \n\n{listed}",
        skippable.len()
    ))
    .await;
    Ok(())
}

async fn confirmed(io: &Io) -> bool {
    let answer = answer(io, "[upgrade] Are you sure you want to proceed? [y/N]: ").await;
    answer.is_some_and(|answer| matches!(answer.as_str(), "y" | "yes"))
}

/// Upgrades the add-ons, or shows what they would be.
pub(crate) async fn addons(io: &Io, cluster: &Cluster, plan: &Plan, dry: bool) -> Done {
    for (name, title) in [("coredns", "CoreDNS"), ("kube-proxy", "kube-proxy")] {
        if dry {
            io.print(&format!("---\n{}", plan.addon(name))).await;
            continue;
        }
        addon(cluster, plan, name).await?;
        io.print(&format!("[addons] Applied essential addon: {title}\n"))
            .await;
    }
    Ok(())
}

/// Makes the objects of an add-on what they are in a version. What an administrator may have
/// changed, the configuration in ConfigMaps, stays.
async fn addon(cluster: &Cluster, plan: &Plan, name: &str) -> Done {
    let documents = yaml::parse_all(&plan.addon(name)).map_err(|error| Stop(error.to_string()))?;
    for document in documents {
        let object = document.value;
        if !matches!(object.kind(), "ConfigMap" | "Service") {
            cluster.ensure(&collection(&object), object).await?;
        }
    }
    Ok(())
}

/// Where objects like this one are made.
fn collection(object: &Value) -> String {
    let group = match object.api_version() {
        "v1" => "/api/v1".to_owned(),
        other => format!("/apis/{other}"),
    };
    let namespace = object.get("metadata").str("namespace");
    let plural = object.kind().to_lowercase() + "s";
    format!("{group}/namespaces/{namespace}/{plural}")
}
