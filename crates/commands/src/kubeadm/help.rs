//! What kubeadm says of itself: of the commands there are, and of the flags that are modelled.
//!
//! Models cmd/kubeadm/app/cmd/cmd.go and cmd/upgrade.

/// The help of a command, if it is one that has any.
pub(crate) fn help(words: &[&str]) -> Option<String> {
    Some(match words {
        [] => ROOT.to_owned(),
        ["upgrade"] => UPGRADE.to_owned(),
        ["upgrade", "apply", ..] => of(
            "Upgrade your Kubernetes cluster to the specified version",
            "kubeadm upgrade apply [version]",
            &[
                CERTIFICATE_RENEWAL,
                DRY_RUN,
                ETCD_UPGRADE,
                "  -f, --force                            Force upgrading although some requirements \
                 might not be met. This also implies non-interactive mode.",
                HELP,
                IGNORE,
                "  -y, --yes                              Perform the upgrade and do not prompt for \
                 confirmation (non-interactive mode).",
            ],
        ),
        ["upgrade", "plan", ..] => of(
            "Check which versions are available to upgrade to and validate whether your current \
             cluster is upgradeable.",
            "kubeadm upgrade plan [version] [flags]",
            &[HELP, IGNORE],
        ),
        ["upgrade", "node", ..] => of(
            "Upgrade commands for a node in the cluster",
            "kubeadm upgrade node [flags]",
            &[CERTIFICATE_RENEWAL, DRY_RUN, ETCD_UPGRADE, HELP, IGNORE],
        ),
        _ => return None,
    })
}

fn of(about: &str, usage: &str, flags: &[&str]) -> String {
    let flags: String = flags.iter().map(|flag| format!("{flag}\n")).collect();
    format!("{about}\n\nUsage:\n  {usage}\n\nFlags:\n{flags}")
}

const CERTIFICATE_RENEWAL: &str = "      --certificate-renewal              Perform the renewal of \
                                   certificates used by component changed during upgrades. \
                                   (default true)";
const DRY_RUN: &str = "      --dry-run                          Do not change any state, just output \
                       what actions would be performed.";
const ETCD_UPGRADE: &str = "      --etcd-upgrade                     Perform the upgrade of etcd. \
                            (default true)";
const HELP: &str = "  -h, --help                             help for this command";
const IGNORE: &str = "      --ignore-preflight-errors strings  A list of checks whose errors will be \
                      shown as warnings. Example: 'IsPrivilegedUser,Swap'. Value 'all' ignores \
                      errors from all checks.";

const ROOT: &str = "

    ┌──────────────────────────────────────────────────────────┐
    │ KUBEADM                                                  │
    │ Easily bootstrap a secure Kubernetes cluster             │
    │                                                          │
    │ Please give us feedback at:                              │
    │ https://github.com/kubernetes/kubeadm/issues             │
    └──────────────────────────────────────────────────────────┘

Usage:
  kubeadm [command]

Available Commands:
  certs       Commands related to handling Kubernetes certificates
  config      Manage configuration for a kubeadm cluster persisted in a ConfigMap in the cluster
  upgrade     Upgrade your cluster smoothly to a newer version with this command
  version     Print the version of kubeadm

Use \"kubeadm [command] --help\" for more information about a command.
";

const UPGRADE: &str = "Upgrade your cluster smoothly to a newer version with this command

Usage:
  kubeadm upgrade [flags]
  kubeadm upgrade [command]

Available Commands:
  apply       Upgrade your Kubernetes cluster to the specified version
  node        Upgrade commands for a node in the cluster
  plan        Check which versions are available to upgrade to and validate whether your current cluster is upgradeable.

Use \"kubeadm upgrade [command] --help\" for more information about a command.
";
