//! Replaces the static pods of a control plane one by one, each with its old manifest kept to go
//! back to.
//!
//! Models cmd/kubeadm/app/phases/upgrade/staticpods.go.

use machine::{Errno, Io, Sys};
use sim::Duration;

use super::cluster::Cluster;
use super::{Done, Stop, certs, dry_run, fail_phase, stop};
use crate::calendar::strftime;
use crate::manifests::{COMPONENTS, Plan};

const MANIFESTS: &str = "/etc/kubernetes/manifests";
const TEMPORARY: &str = "/etc/kubernetes/tmp";
/// `UpgradeManifests` of the timeouts.
const PATIENCE: Duration = Duration::from_secs(300);
/// Between two looks.
const EVERY: Duration = Duration::from_millis(500);

/// One upgrade: where things go, and what was replaced so far.
struct Swap<'a> {
    io: &'a Io,
    cluster: &'a Cluster,
    node: String,
    new: String,
    backup: String,
    done: Vec<&'static str>,
}

/// What an upgrade would do, in words and files.
pub(crate) fn would(plan: &Plan, version: &str) -> String {
    let mut text = format!(
        "[dryrun] Would upgrade your static Pod-hosted control plane to version {version:?}\n"
    );
    for component in COMPONENTS.iter().filter(|name| **name != "etcd") {
        let path = format!("{MANIFESTS}/{component}.yaml");
        text.push_str(&dry_run::file(&path, &plan.manifest(component)));
    }
    text
}

/// Upgrades the control plane of this machine.
pub(crate) async fn upgrade(
    io: &Io,
    cluster: &Cluster,
    version: &str,
    etcd: bool,
    renew: bool,
) -> Done {
    io.print(&format!(
        "[upgrade/control-plane] Upgrading your static Pod-hosted control plane to version \
         {version:?} (timeout: 5m0s)...\n"
    ))
    .await;
    let result = swap_all(io, cluster, version, etcd, renew).await;
    if let Err(Stop(why)) = result {
        let why = format!("couldn't complete the static pod upgrade: {why}");
        return fail_phase("control-plane", why);
    }
    io.print(
        "[upgrade/control-plane] The control plane instance for this node was successfully \
         upgraded!\n",
    )
    .await;
    Ok(())
}

async fn swap_all(io: &Io, cluster: &Cluster, version: &str, etcd: bool, renew: bool) -> Done {
    let node = io.sys(|sys: &mut Sys<'_>| sys.hostname()).await.to_string();
    let ip = cluster.endpoint(&node).await?;
    let plan = Plan::new(version, &node, ip);
    let number = io
        .sys(|sys| sys.random().next_u64() % 9_000_000_000 + 1_000_000_000)
        .await;
    let stamp = strftime("%Y-%m-%d-%H-%M-%S", io.now().await);
    let mut swap = Swap {
        io,
        cluster,
        node,
        new: format!("{TEMPORARY}/kubeadm-upgraded-manifests{number}"),
        backup: format!("{TEMPORARY}/kubeadm-backup-manifests-{stamp}"),
        done: Vec::new(),
    };
    swap.prepare(&plan, &format!("{TEMPORARY}/kubeadm-backup-etcd-{stamp}"))
        .await?;
    for component in COMPONENTS {
        if component == "etcd" && !etcd {
            continue;
        }
        if let Err(why) = swap.one(component, renew).await {
            return swap.go_back(component, why).await;
        }
    }
    if renew {
        for name in ["admin.conf", "super-admin.conf"] {
            // The second is not on every machine.
            let _ = certs::renew(io, name).await;
        }
    }
    let new = swap.new.clone();
    io.sys(move |sys| sys.remove_all(&new))
        .await
        .map_err(failed)
}

impl Swap<'_> {
    /// Writes the new manifests, beside those in use, and keeps a copy of etcd's files.
    async fn prepare(&self, plan: &Plan, etcd: &str) -> Done {
        let new = self.new.clone();
        self.io
            .print(&format!(
                "[upgrade/staticpods] Writing new Static Pod manifests to {new:?}\n"
            ))
            .await;
        let texts = COMPONENTS.map(|name| (name, plan.manifest(name)));
        let (backup, etcd) = (self.backup.clone(), etcd.to_owned());
        let written = self.io.sys(move |sys| -> Result<(), Errno> {
            sys.mkdir_all(&new)?;
            sys.mkdir_all(&backup)?;
            for (name, text) in &texts {
                let path = format!("{new}/{name}.yaml");
                sys.write_file(&path, text.as_bytes())?;
                sys.chmod(&path, 0o600)?;
            }
            let mut failures = Vec::new();
            crate::files::copy_tree(sys, "/var/lib/etcd", &etcd, true, &mut failures);
            failures.first().map_or(Ok(()), |(_, errno)| Err(*errno))
        });
        written.await.map_err(failed)
    }

    async fn one(&mut self, component: &'static str, renew: bool) -> Done {
        let io = self.io;
        io.print(&format!(
            "[upgrade/staticpods] Preparing for {component:?} upgrade\n"
        ))
        .await;
        let current = format!("{MANIFESTS}/{component}.yaml");
        let new = format!("{}/{component}.yaml", self.new);
        let backup = format!("{}/{component}.yaml", self.backup);
        let old = io.read_to_string(&current).await.map_err(failed)?;
        if io.read_to_string(&new).await.is_ok_and(|text| text == old) {
            io.print(&format!(
                "[upgrade/staticpods] Current and new manifests of {component} are equal, \
                 skipping upgrade\n"
            ))
            .await;
            return self.after(component).await;
        }
        if renew {
            for name in certs::of_component(component) {
                io.print(&format!(
                    "[upgrade/staticpods] Renewing {name} certificate\n"
                ))
                .await;
                certs::renew(io, name).await?;
            }
        }
        let before = self.cluster.hash(component, &self.node).await?;
        io.print(&format!(
            "[upgrade/staticpods] Moving new manifest to {current:?} and backing up old manifest \
             to {backup:?}\n"
        ))
        .await;
        self.done.push(component);
        let moved = io.sys(move |sys| {
            sys.rename(&current, &backup)?;
            sys.rename(&new, &current)
        });
        moved.await.map_err(failed)?;
        io.print(
            "[upgrade/staticpods] Waiting for the kubelet to restart the component\n\
             [upgrade/staticpods] This can take up to 5m0s\n",
        )
        .await;
        self.restarted(component, &before).await?;
        io.print(&format!(
            "[upgrade/staticpods] Component {component:?} upgraded successfully!\n"
        ))
        .await;
        self.after(component).await
    }

    async fn after(&self, component: &str) -> Done {
        if component == "etcd" {
            let text = "[upgrade/etcd] Waiting for etcd to become available\n";
            self.io.print(text).await;
        }
        Ok(())
    }

    /// Waits until another pod stands for the component, and runs.
    async fn restarted(&self, component: &str, before: &str) -> Done {
        let end = self.io.now().await + PATIENCE;
        let late = "timed out waiting for the condition";
        loop {
            self.io.sleep(EVERY).await;
            // The API server itself may be away meanwhile.
            let hash = self.cluster.hash(component, &self.node).await;
            let is_late = self.io.now().await >= end;
            let on = format!("component {component} on Node {}", self.node);
            match hash {
                Ok(hash) if !hash.is_empty() && hash != before => break,
                Ok(_) if is_late => {
                    return stop(format!(
                        "static Pod hash for {on} did not change after 5m0s: {late}"
                    ));
                }
                Err(Stop(why)) if is_late => {
                    return stop(format!("failed to obtain static Pod hash for {on}: {why}"));
                }
                _ => {}
            }
        }
        let label = format!("component={component}");
        let target =
            format!("/api/v1/namespaces/kube-system/pods?labelSelector=component%3D{component}");
        let mut known = 0;
        loop {
            if let Ok(pods) = self.cluster.get(&target).await {
                let pods = pods.get("items").list().to_vec();
                if pods.len() != known {
                    known = pods.len();
                    self.io
                        .print(&format!(
                            "[apiclient] Found {known} Pods for label selector {label}\n"
                        ))
                        .await;
                }
                let runs = |pod: &api::Value| pod.get("status").str("phase") == "Running";
                if !pods.is_empty() && pods.iter().all(runs) {
                    return Ok(());
                }
            }
            if self.io.now().await >= end {
                return stop(late);
            }
            self.io.sleep(EVERY).await;
        }
    }

    /// Puts the old manifests back. etcd's only if it was etcd that failed: an older API server
    /// gets along with a newer etcd.
    async fn go_back(&self, failed: &str, why: Stop) -> Done {
        let back = self.done.iter();
        for component in back.filter(|name| **name != "etcd" || failed == "etcd") {
            let backup = format!("{}/{component}.yaml", self.backup);
            let current = format!("{MANIFESTS}/{component}.yaml");
            // What cannot be put back is left for the person who reads the message.
            let _ = self.io.sys(move |sys| sys.rename(&backup, &current)).await;
        }
        let why = format!(
            "couldn't upgrade control plane. kubeadm has tried to recover everything into the \
             earlier state. Errors faced: {}",
            why.0
        );
        match failed {
            "etcd" => self.etcd_again(why).await,
            _ => stop(why),
        }
    }

    /// Waits for the etcd that was there before.
    async fn etcd_again(&self, why: String) -> Done {
        self.io
            .print(&format!(
                "[upgrade/etcd] Failed to upgrade etcd: {why}\n[upgrade/etcd] Waiting for \
                 previous etcd to become available\n"
            ))
            .await;
        for _ in 0..10 {
            // It answers only as long as etcd does.
            if self.cluster.hash("etcd", &self.node).await.is_ok() {
                self.io
                    .print("[upgrade/etcd] Etcd was rolled back and is now available\n")
                    .await;
                return stop(format!(
                    "fatal error when trying to upgrade the etcd cluster, rolled the state back \
                     to pre-upgrade state: {why}"
                ));
            }
            self.io.sleep(Duration::from_secs(15)).await;
        }
        let note = sim::unmodelled!("kubeadm putting etcd's data back");
        stop(format!(
            "fatal error rolling back local etcd cluster manifest, the backup of etcd database is \
             stored in {TEMPORARY}: {note}"
        ))
    }
}

fn failed(errno: Errno) -> Stop {
    Stop(errno.message().to_lowercase())
}
