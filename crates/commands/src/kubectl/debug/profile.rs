//! What a debugging container may do: the profiles.
//!
//! Models kubectl/pkg/cmd/debug/profiles.go.

use api::{Value, object};

use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::Line;

/// The name of the volume with the node's files.
const ROOT: &str = "host-root";

/// `--profile`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Profile {
    Legacy,
    General,
    Baseline,
    Restricted,
    NetAdmin,
    SysAdmin,
}

/// How the container comes about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    Ephemeral,
    Copy,
    Node,
}

impl Profile {
    pub(super) fn read(name: &str) -> Outcome<Profile> {
        Ok(match name {
            "legacy" => Profile::Legacy,
            "general" => Profile::General,
            "baseline" => Profile::Baseline,
            "restricted" => Profile::Restricted,
            "netadmin" => Profile::NetAdmin,
            "sysadmin" => Profile::SysAdmin,
            name => return Err(Failure::message(format!("unknown profile: {name}"))),
        })
    }

    /// Shapes the container, and the pod around it.
    pub(super) fn apply(self, pod: &mut Value, container: &mut Value, style: Style, line: &Line) {
        let capable = "securityContext.capabilities";
        match (self, style) {
            (Profile::Legacy, Style::Node) => {
                mount_root(pod, container);
                join_host(pod);
            }
            (Profile::Legacy, _) => return,
            (Profile::General, Style::Node) => {
                container.remove("securityContext");
                mount_root(pod, container);
                join_host(pod);
            }
            (Profile::General, _) => add(container, capable, "add", &["SYS_PTRACE"]),
            (Profile::Baseline, _) => {}
            (Profile::Restricted, _) => {
                container.set(
                    "securityContext",
                    object!({
                        "allowPrivilegeEscalation": false,
                        "capabilities": { "drop": ["ALL"] },
                        "runAsNonRoot": true,
                        "seccompProfile": { "type": "RuntimeDefault" },
                    }),
                );
            }
            (Profile::NetAdmin, _) => {
                add(container, capable, "add", &["NET_ADMIN", "NET_RAW"]);
                if style == Style::Node {
                    join_host(pod);
                }
            }
            (Profile::SysAdmin, _) => {
                container.set("securityContext.privileged", true);
                if style == Style::Node {
                    mount_root(pod, container);
                    join_host(pod);
                }
            }
        }
        if style == Style::Copy {
            if pod.at("spec.shareProcessNamespace").is_null() {
                pod.set("spec.shareProcessNamespace", true);
            }
            remove_probes(pod, line);
        }
    }
}

fn add(container: &mut Value, path: &str, list: &str, names: &[&str]) {
    let path = format!("{path}.{list}");
    let mut all = container.at(&path).list().to_vec();
    all.extend(names.iter().map(|name| Value::from(*name)));
    container.set(&path, Value::from(all));
}

fn mount_root(pod: &mut Value, container: &mut Value) {
    let mut volumes = pod.get("spec").list_at("volumes").to_vec();
    volumes.push(object!({ "hostPath": { "path": "/" }, "name": (ROOT) }));
    pod.set("spec.volumes", Value::from(volumes));
    let mut mounts = container.list_at("volumeMounts").to_vec();
    mounts.push(object!({ "mountPath": "/host", "name": (ROOT) }));
    container.set("volumeMounts", Value::from(mounts));
}

fn join_host(pod: &mut Value) {
    for field in ["hostNetwork", "hostPID", "hostIPC"] {
        pod.set(&format!("spec.{field}"), true);
    }
}

/// Probes would end a container that is being looked at.
fn remove_probes(pod: &mut Value, line: &Line) {
    let mut containers = pod.get("spec").list_at("containers").to_vec();
    for container in &mut containers {
        for (flag, field) in [
            ("keep-liveness", "livenessProbe"),
            ("keep-readiness", "readinessProbe"),
            ("keep-startup", "startupProbe"),
        ] {
            if !line.on(flag) {
                container.remove(field);
            }
        }
    }
    pod.set("spec.containers", Value::from(containers));
}
