//! `kubeadm upgrade plan`: what could be upgraded to.
//!
//! Models cmd/kubeadm/app/cmd/upgrade/plan.go and phases/upgrade/compute.go.

use machine::Io;

use super::cluster::Cluster;
use super::version::{normalized, stable};
use super::{Done, Options, Stop, health, own_version, stop};
use crate::releases::{find, minor, newest_of, numbers};

/// The cluster as it is.
struct Before {
    version: String,
    kubelets: Vec<(String, String)>,
    /// Component, tag of its image, node.
    pods: Vec<(&'static str, String, String)>,
    coredns: String,
}

/// The command.
pub(crate) async fn plan(io: &Io, rest: &[&str], options: &Options) -> Done {
    if rest.len() > 1 {
        return stop(format!("accepts at most 1 arg(s), received {}", rest.len()));
    }
    io.print("[preflight] Running pre-flight checks.\n").await;
    health::must_be_root(io, options).await?;
    let cluster = Cluster::open(io, "/etc/kubernetes/admin.conf", false).await?;
    let configured = cluster.configured(io, "upgrade/config").await;
    configured.map_err(|Stop(why)| Stop(format!("[upgrade/init config] FATAL: {why}")))?;
    let healthy = health::check(io, &cluster, options).await;
    healthy.map_err(|Stop(why)| Stop(format!("[upgrade/health] FATAL: {why}")))?;
    let own = own_version(io).await;
    let before = look(&cluster).await?;
    io.print("[upgrade] Fetching available versions to upgrade to\n")
        .await;
    let current = minor(&before.version);
    // A version that is given is taken for the newest of everything.
    let (stable, patch) = match rest {
        [word] => {
            let given = normalized(io, word).await?;
            (given.clone(), given)
        }
        _ => {
            let stable = stable(io, &own).await;
            let patch = newest_of(current).unwrap_or(stable);
            (stable.to_owned(), patch.to_owned())
        }
    };
    let (stable, patch) = (stable.as_str(), patch.as_str());
    io.print(&format!(
        "[upgrade/versions] Cluster version: {}\n[upgrade/versions] kubeadm version: {own}\n\
         [upgrade/versions] Target version: {stable}\n[upgrade/versions] Latest version in the \
         v1.{current} series: {patch}\n\n",
        &before.version[1..],
    ))
    .await;
    let mut text = String::new();
    if numbers(&before.version) < numbers(patch) {
        let what = format!("version in the v1.{current} series");
        text.push_str(&offer(&before, &own, patch, &what));
    }
    if numbers(patch) < numbers(stable) {
        text.push_str(&offer(&before, &own, stable, "stable version"));
    }
    if text.is_empty() {
        text.push_str("Awesome, you're up-to-date! Enjoy!\n");
    }
    text.push_str(CONFIGS);
    io.print(&text).await;
    Ok(())
}

async fn look(cluster: &Cluster) -> Done<Before> {
    let version = cluster.version().await?;
    let kubelets = cluster.kubelets().await?;
    let mut pods = Vec::new();
    for component in [
        "kube-apiserver",
        "kube-controller-manager",
        "kube-scheduler",
        "etcd",
    ] {
        let (tag, node) = cluster.static_pod(component).await?;
        pods.push((component, tag, node));
    }
    let dns = cluster
        .get("/apis/apps/v1/namespaces/kube-system/deployments/coredns")
        .await?;
    let containers = dns
        .get("spec")
        .get("template")
        .get("spec")
        .get("containers");
    let image = containers.list().first().map(|c| c.str("image").to_owned());
    let coredns = image
        .unwrap_or_default()
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .to_owned();
    Ok(Before {
        version,
        kubelets,
        pods,
        coredns,
    })
}

fn offer(before: &Before, own: &str, to: &str, what: &str) -> String {
    let mut text = String::new();
    let mut rows: Vec<[String; 4]> =
        vec![["COMPONENT", "NODE", "CURRENT", "TARGET"].map(str::to_owned)];
    for (node, version) in &before.kubelets {
        if version != to {
            rows.push(["kubelet".into(), node.clone(), version.clone(), to.into()]);
        }
    }
    if rows.len() > 1 {
        text.push_str(
            "Components that must be upgraded manually after you have upgraded the control plane \
             with 'kubeadm upgrade apply':\n",
        );
        text.push_str(&table(&rows));
        text.push('\n');
    }
    rows.truncate(1);
    let release = find(to);
    let (coredns, etcd) = release.map_or(("", ""), |release| (release.coredns, release.etcd));
    for (component, tag, node) in &before.pods {
        let target = if *component == "etcd" { etcd } else { to };
        let row = [*component, node, tag, target].map(str::to_owned);
        if *component == "etcd" {
            let bare = before.version[1..].to_owned();
            rows.push(["kube-proxy".into(), String::new(), bare, to.into()]);
            rows.push([
                "CoreDNS".into(),
                String::new(),
                before.coredns.clone(),
                coredns.into(),
            ]);
        }
        rows.push(row);
    }
    text.push_str(&format!("Upgrade to the latest {what}:\n\n"));
    text.push_str(&table(&rows));
    text.push_str(&format!(
        "\nYou can now apply the upgrade by executing the following command:\n\n\tkubeadm upgrade \
         apply {to}\n\n"
    ));
    if numbers(own) < numbers(to) {
        text.push_str(&format!(
            "Note: Before you can perform this upgrade, you have to update kubeadm to {to}.\n\n"
        ));
    }
    text.push_str(LINE);
    text.push('\n');
    text
}

/// Columns as Go's tabwriter sets them with a least width of 10 and three blanks between.
pub(super) fn table<const N: usize>(rows: &[[String; N]]) -> String {
    let width = |column: usize| {
        let widest = rows.iter().map(|row| row[column].len()).max().unwrap_or(0);
        (widest + 3).max(10)
    };
    let mut text = String::new();
    for row in rows {
        for (column, cell) in row.iter().enumerate() {
            match column + 1 == N {
                true => text.push_str(cell),
                false => text.push_str(&format!("{cell:width$}", width = width(column))),
            }
        }
        text.push('\n');
    }
    text
}

const LINE: &str = "_____________________________________________________________________\n";

const CONFIGS: &str = "
The table below shows the current state of component configs as understood by this version of kubeadm.
Configs that have a \"yes\" mark in the \"MANUAL UPGRADE REQUIRED\" column require manual config upgrade or
resetting to kubeadm defaults before a successful upgrade can be performed. The version to manually
upgrade to is denoted in the \"PREFERRED VERSION\" column.

API GROUP                 CURRENT VERSION   PREFERRED VERSION   MANUAL UPGRADE REQUIRED
kubeproxy.config.k8s.io   v1alpha1          v1alpha1            no
kubelet.config.k8s.io     v1beta1           v1beta1             no
_____________________________________________________________________

";
