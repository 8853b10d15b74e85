//! `kubeadm reset`: takes back what `init` or `join` did to a machine.
//!
//! Models cmd/kubeadm/app/cmd/reset.go and phases/reset.

use machine::Io;
use node::cri::{Reply, Request};

use super::{Done, Options, fail_phase, stop};
use crate::io::answer;
use crate::runtime::Runtime;

/// Directories that are emptied.
const DIRECTORIES: [&str; 3] = [
    "/etc/kubernetes/manifests",
    "/var/lib/kubelet",
    "/etc/kubernetes/pki",
];
/// Files that are deleted.
const FILES: [&str; 6] = [
    "/etc/kubernetes/admin.conf",
    "/etc/kubernetes/super-admin.conf",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/etc/kubernetes/controller-manager.conf",
    "/etc/kubernetes/scheduler.conf",
];
const ETCD: &str = "/var/lib/etcd";

const FAREWELL: &str = "\nThe reset process does not perform cleanup of CNI plugin configuration,\n\
network filtering rules and kubeconfig files.\n\nFor information on how to perform this cleanup \
manually, please see:\n    https://k8s.io/docs/reference/setup-tools/kubeadm/kubeadm-reset/\n\n";

/// `kubeadm reset`.
pub(crate) async fn reset(io: &Io, options: &Options) -> Done {
    if io.sys(|sys| sys.uid()).await != 0 {
        return fail_phase("preflight", "user is not running as root");
    }
    if !options.force {
        io.eprint(
            "[reset] WARNING: Changes made to this host by 'kubeadm init' or 'kubeadm join' will be \
             reverted.\n",
        )
        .await;
        let said = answer(io, "[reset] Are you sure you want to proceed? [y/N]: ").await;
        if !said.is_some_and(|said| matches!(&*said, "y" | "yes")) {
            return fail_phase("preflight", "aborted reset operation");
        }
    }
    io.print("[preflight] Running pre-flight checks\n").await;
    let has_etcd = io
        .sys(|sys| sys.exists("/etc/kubernetes/manifests/etcd.yaml"))
        .await;
    if has_etcd {
        // The data goes only once nothing writes it any more.
        io.print(&format!(
            "[reset] Deleted contents of the etcd data directory: {ETCD}\n"
        ))
        .await;
    }
    io.print("[reset] Stopping the kubelet service\n").await;
    let stopped = io.sys(|sys| sys.unit_stop("kubelet.service")).await;
    if stopped.is_err() {
        io.eprint("[reset] The kubelet service could not be stopped by kubeadm\n")
            .await;
    }
    io.print("[reset] Unmounting mounted directories in \"/var/lib/kubelet\"\n")
        .await;
    remove_containers(io).await?;
    io.print(&format!(
        "[reset] Deleting contents of directories: [{}]\n[reset] Deleting files: [{}]\n",
        DIRECTORIES.join(" "),
        FILES.join(" ")
    ))
    .await;
    io.sys(move |sys| {
        for directory in DIRECTORIES.into_iter().chain(has_etcd.then_some(ETCD)) {
            for entry in sys.read_dir(directory).unwrap_or_default() {
                // What cannot be removed stays, as upstream only warns of it.
                let _ = sys.remove_all(&format!("{directory}/{}", entry.name));
            }
        }
        for file in FILES {
            let _ = sys.remove(file);
        }
    })
    .await;
    io.print(FAREWELL).await;
    Ok(())
}

/// Ends and removes every pod of the machine.
async fn remove_containers(io: &Io) -> Done {
    let Ok(mut runtime) = Runtime::connect(io).await else {
        return stop("failed to connect to the container runtime");
    };
    let Ok(Ok(Reply::Sandboxes(sandboxes))) = runtime.call(io, Request::ListPodSandbox).await
    else {
        return Ok(());
    };
    for sandbox in sandboxes {
        for request in [
            Request::StopPodSandbox(sandbox.id.clone()),
            Request::RemovePodSandbox(sandbox.id.clone()),
        ] {
            // One that is gone already is no reason to stop.
            let _ = runtime.call(io, request).await;
        }
    }
    Ok(())
}
