//! What `containerd` answers to its command line instead of serving.
//! Models containerd's cmd/containerd/command/{main,config}.go.

use super::{PAUSE_IMAGE, VERSION};

/// What a command line asks for, and its exit status; `None` if it asks for the daemon.
pub(super) fn answer(words: &[&str]) -> Option<(String, i32)> {
    match words {
        ["--version" | "-v"] => {
            let text = format!("containerd github.com/containerd/containerd/v2 {VERSION} \n");
            Some((text, 0))
        }
        ["config", "default"] => Some((default_configuration(), 0)),
        ["config", "dump"] => {
            let what = sim::unmodelled!("containerd config beside its default");
            Some((format!("containerd: {what}\n"), 1))
        }
        _ => None,
    }
}

/// The parts of the default configuration that pods meet.
fn default_configuration() -> String {
    format!(
        "version = 3
root = '/var/lib/containerd'
state = '/run/containerd'
temp = ''
disabled_plugins = []
required_plugins = []
oom_score = 0
imports = []

[grpc]
  address = '/run/containerd/containerd.sock'
  tcp_address = ''
  uid = 0
  gid = 0

[plugins]
  [plugins.'io.containerd.cri.v1.images']
    snapshotter = 'overlayfs'
    disable_snapshot_annotations = true
    max_concurrent_downloads = 3

    [plugins.'io.containerd.cri.v1.images'.pinned_images]
      sandbox = '{PAUSE_IMAGE}'

    [plugins.'io.containerd.cri.v1.images'.registry]
      config_path = '/etc/containerd/certs.d:/etc/docker/certs.d'

  [plugins.'io.containerd.cri.v1.runtime']
    enable_selinux = false
    max_container_log_line_size = 16384
    disable_apparmor = false
    enable_unprivileged_ports = true
    enable_unprivileged_icmp = true

    [plugins.'io.containerd.cri.v1.runtime'.containerd]
      default_runtime_name = 'runc'

      [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes]
        [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc]
          runtime_type = 'io.containerd.runc.v2'
          snapshotter = ''

          [plugins.'io.containerd.cri.v1.runtime'.containerd.runtimes.runc.options]
            BinaryName = ''
            SystemdCgroup = false

    [plugins.'io.containerd.cri.v1.runtime'.cni]
      bin_dirs = ['/opt/cni/bin']
      conf_dir = '/etc/cni/net.d'
      max_conf_num = 1
      conf_template = ''
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_questions_are_answered() {
        assert_eq!(answer(&[]), None);
        assert_eq!(answer(&["--config", "/etc/containerd/config.toml"]), None);
        let (text, code) = answer(&["config", "default"]).expect("it is a question");
        assert!(text.starts_with("version = 3\n") && code == 0);
        assert!(text.contains("SystemdCgroup = false"));
    }
}
