//! How a sandbox and a container are to be run: everything the spec says, in the runtime's terms.
//! Models kuberuntime_sandbox.go, kuberuntime_container.go (`generateContainerConfig`) and
//! kubelet_pods.go (`GenerateRunContainerOptions`).

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::rc::Rc;

use api::{Quantity, Str, Value};
use machine::Sys;

use crate::cri::{ContainerConfig, ImageStatus, Labels, Mount, PidMode, Request, SandboxConfig};
use crate::kubelet::State;
use crate::kubelet::env::{self, Facts, Object};
use crate::kubelet::mounts;
use crate::kubelet::node::not_ready;
use crate::kubelet::objects::{Gathered, Then};
use crate::kubelet::pod::{Container, Pod};
use crate::kubelet::runtime::Purpose;
use crate::kubelet::volumes;
use crate::kubelet::worker::{Input, Worker};
use crate::runtime::log;

/// Labels by which the kubelet knows its sandboxes and containers again.
pub(crate) const POD_UID: &str = "io.kubernetes.pod.uid";
const POD_NAME: &str = "io.kubernetes.pod.name";
const POD_NAMESPACE: &str = "io.kubernetes.pod.namespace";
const CONTAINER_NAME: &str = "io.kubernetes.container.name";
/// Annotations of containers.
pub(crate) const MESSAGE_PATH: &str = "io.kubernetes.container.terminationMessagePath";
pub(crate) const MESSAGE_POLICY: &str = "io.kubernetes.container.terminationMessagePolicy";
const RESTART_COUNT: &str = "io.kubernetes.container.restartCount";
const PORTS: &str = "io.kubernetes.container.ports";

impl State {
    /// A pod asks for its sandbox.
    pub(crate) fn run_sandbox(&mut self, sys: &mut Sys<'_>, uid: &Str, step: u64, attempt: u32) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let pod = entry.worker.pod.clone();
        let why = not_ready(self.node.runtime.as_ref()).filter(|_| !pod.spec.host_network);
        if let Some(why) = why {
            let refused = ("NetworkNotReady", format!("network is not ready: {why}"));
            self.inputs
                .push_back((uid.clone(), Input::Sandbox(step, Err(refused))));
            return;
        }
        let config = SandboxConfig {
            name: (&pod.name).into(),
            uid: uid.into(),
            namespace: (&pod.namespace).into(),
            attempt,
            hostname: pod.spec.hostname.clone(),
            log_directory: log::directory(&pod.namespace, &pod.name, uid),
            resolv_conf: self.resolv_conf(sys, &pod).into(),
            host_network: pod.spec.host_network,
            cgroup_parent: pod.cgroup(),
            labels: Rc::new(identity(&pod).into()),
            annotations: Labels::default(),
        };
        let request = Request::RunPodSandbox(Rc::new(config));
        self.runtime.call(
            sys,
            request,
            Purpose::Sandbox(uid.clone(), step),
            &mut self.heard,
        );
    }

    /// Models network/dns/dns.go.
    fn resolv_conf(&self, sys: &mut Sys<'_>, pod: &Pod) -> String {
        let spec = pod.object.get("spec");
        let cluster = match spec.str("dnsPolicy") {
            "Default" => false,
            "None" => return own_dns(spec.get("dnsConfig"), String::new()),
            "ClusterFirstWithHostNet" => true,
            _ => !pod.spec.host_network,
        };
        let base = if cluster && !self.settings.cluster_dns.is_empty() {
            let domain = &self.settings.cluster_domain;
            let mut text = format!(
                "search {}.svc.{domain} svc.{domain} {domain}\n",
                pod.namespace
            );
            for server in &self.settings.cluster_dns {
                let _ = writeln!(text, "nameserver {server}");
            }
            text + "options ndots:5\n"
        } else {
            sys.read_to_string("/etc/resolv.conf").unwrap_or_default()
        };
        own_dns(spec.get("dnsConfig"), base)
    }

    /// A pod asks how to run a unit.
    pub(crate) fn begin_configure(
        &mut self,
        sys: &mut Sys<'_>,
        uid: &Str,
        step: (u64, usize, u32),
        image: Option<ImageStatus>,
    ) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let container = &entry.worker.units[step.1].container;
        let needs: Vec<Object> = env::references(&entry.worker.pod, &container.object);
        self.gather(sys, uid, needs, Then::Configure(step, image));
    }

    /// Works it out from what was gathered.
    pub(crate) fn configure(
        &mut self,
        sys: &mut Sys<'_>,
        uid: &Str,
        (step, unit, attempt): (u64, usize, u32),
        image: Option<ImageStatus>,
        objects: Gathered,
    ) {
        let Some(entry) = self.pods.get(uid) else {
            return;
        };
        let pod = entry.worker.pod.clone();
        let container = entry.worker.units[unit].container.clone();
        let ip: Rc<str> = entry.worker.ip().into();
        let pid = pid_mode(&entry.worker, &container);
        let files = env_files(sys, &pod, &container);
        let config = objects
            .and_then(|objects| {
                let services = self.watching.service_variables(&pod);
                let facts = Facts {
                    pod_ip: &ip,
                    host_ips: &self.host_ips,
                    allocatable: self.facts.allocatable(),
                    files: &files,
                };
                env::environment(&pod, &container.object, &objects, &services, facts)
            })
            .and_then(|env| {
                let mut rules = container.object.list_at("restartPolicyRules").iter();
                if rules.any(|rule| rule.str("action") == "RestartAllContainers") {
                    return Err(sim::unmodelled!("restarting all containers by a rule").to_string());
                }
                Ok(env)
            })
            .and_then(|env| container_config(sys, &pod, &container, &ip, attempt, env))
            .map(|config| ContainerConfig { pid, ..config })
            .and_then(|config| check_user(&pod, &container, config, image.as_ref()));
        let result = config
            .map(Rc::new)
            .map_err(|why| ("CreateContainerConfigError", why));
        self.inputs
            .push_back((uid.clone(), Input::Configured(step, result)));
    }
}

/// The files in volumes that a container's variables are taken from.
fn env_files(sys: &mut Sys<'_>, pod: &Pod, container: &Container) -> env::EnvFiles {
    let mut found = env::EnvFiles::new();
    for (name, path) in env::files(&container.object) {
        let mut all = volumes::volumes(pod).iter();
        let volume = all.find(|volume| volume.str("name") == name);
        let place = volume.map(|volume| format!("{}/{path}", volumes::path(pod, volume)));
        let text = place.and_then(|place| sys.read_to_string(&place).ok());
        found.insert((name, path), text);
    }
    found
}

fn identity(pod: &Pod) -> [(Rc<str>, Rc<str>); 3] {
    [
        (POD_NAME.into(), (&pod.name).into()),
        (POD_NAMESPACE.into(), (&pod.namespace).into()),
        (POD_UID.into(), (&pod.uid).into()),
    ]
}

/// Adds what `dnsConfig` says.
fn own_dns(config: &Value, mut text: String) -> String {
    let words =
        |field: &str| -> Vec<&str> { config.get(field).list().iter().map(Value::as_str).collect() };
    let searches = words("searches");
    if !searches.is_empty() {
        match text.find("search ") {
            Some(at) => {
                let end = text[at..].find('\n').map_or(text.len(), |n| at + n);
                text.insert_str(end, &format!(" {}", searches.join(" ")));
            }
            None => text.insert_str(0, &format!("search {}\n", searches.join(" "))),
        }
    }
    for server in words("nameservers") {
        let _ = writeln!(text, "nameserver {server}");
    }
    let option = |option: &Value| match option.str("value") {
        "" => option.str("name").to_owned(),
        value => format!("{}:{value}", option.str("name")),
    };
    let options: Vec<String> = config.get("options").list().iter().map(option).collect();
    if !options.is_empty() {
        let _ = writeln!(text, "options {}", options.join(" "));
    }
    text
}

fn container_config(
    sys: &mut Sys<'_>,
    pod: &Pod,
    container: &Container,
    ip: &str,
    attempt: u32,
    env: env::Variables,
) -> Result<ContainerConfig, String> {
    let object = &container.object;
    let get = |name: &str| {
        env.iter()
            .find(|(known, _)| &**known == name)
            .map(|(_, v)| v.clone())
    };
    let words = |field: &str| -> Vec<Rc<str>> {
        let words = object.get(field).list().iter();
        words
            .map(|word| env::expand(word.as_str(), get).into())
            .collect()
    };
    let (command, args) = (words("command"), words("args"));
    let mut labels = BTreeMap::from(identity(pod));
    labels.insert(CONTAINER_NAME.into(), container.name.clone());
    let own = object.get("securityContext");
    let of_pod = pod.object.at("spec.securityContext");
    let id = |field: &str| {
        let value = [own, of_pod]
            .into_iter()
            .find_map(|context| context.get(field).as_i64());
        value.and_then(|id| u32::try_from(id).ok())
    };
    let limit = Quantity::of(object.at("resources.limits.memory"));
    let limit = limit
        .and_then(|limit| u64::try_from(limit.value()).ok())
        .filter(|n| *n > 0);
    Ok(ContainerConfig {
        name: container.name.clone(),
        attempt,
        image: container.image.clone(),
        command,
        args,
        working_dir: object.str("workingDir").into(),
        mounts: mounts_of(sys, pod, container, ip, get)?,
        run_as_user: id("runAsUser"),
        run_as_group: id("runAsGroup"),
        groups: groups(of_pod),
        read_only_root: own.bool_at("readOnlyRootFilesystem"),
        memory_limit: limit,
        labels: Rc::new(labels),
        annotations: Rc::new(annotations(object, attempt)),
        log_path: format!("{}/{attempt}.log", container.name).into(),
        stdin: object.bool_at("stdin"),
        stdin_once: object.bool_at("stdinOnce"),
        tty: object.bool_at("tty"),
        pid: PidMode::Container,
        env,
    })
}

/// Whose processes a container sees.
/// Models kuberuntime/util/util.go, `PidNamespaceForPod`, and `targetContainerName`.
fn pid_mode(worker: &Worker, container: &Container) -> PidMode {
    let target = container.object.str("targetContainerName");
    let target = worker.unit(target).map(|unit| &worker.units[unit]);
    let life = target.filter(|unit| unit.is_running());
    if let Some(life) = life.and_then(|unit| unit.current.as_ref()) {
        return PidMode::Target(life.id.clone());
    }
    let spec = worker.pod.object.get("spec");
    if spec.bool_at("hostPID") {
        PidMode::Node
    } else if spec.bool_at("shareProcessNamespace") {
        PidMode::Pod
    } else {
        PidMode::Container
    }
}

fn annotations(container: &Value, attempt: u32) -> BTreeMap<Rc<str>, Rc<str>> {
    let mut all = BTreeMap::from([(RESTART_COUNT.into(), attempt.to_string().into())]);
    let text = |field: &str, otherwise: &str| match container.str(field) {
        "" => Rc::from(otherwise),
        text => Rc::from(text),
    };
    all.insert(
        MESSAGE_PATH.into(),
        text("terminationMessagePath", "/dev/termination-log"),
    );
    all.insert(
        MESSAGE_POLICY.into(),
        text("terminationMessagePolicy", "File"),
    );
    let ports = container.get("ports");
    if !ports.list().is_empty() {
        all.insert(PORTS.into(), ports.to_json().into());
    }
    all
}

fn mounts_of(
    sys: &mut Sys<'_>,
    pod: &Pod,
    container: &Container,
    ip: &str,
    get: impl Fn(&str) -> Option<Rc<str>> + Copy,
) -> Result<Vec<Mount>, String> {
    let object = &container.object;
    let mut all = Vec::new();
    let mut has_hosts = false;
    for mount in object.get("volumeMounts").list() {
        let sub_path = match mount.str("subPathExpr") {
            "" => mount.str("subPath").to_owned(),
            expression => env::expand(expression, get),
        };
        let host_path = mounts::mount_source(sys, pod, mount, &sub_path)?.into();
        let container_path: Rc<str> = mount.str("mountPath").into();
        has_hosts |= &*container_path == "/etc/hosts";
        let read_only = mount.bool_at("readOnly");
        all.push(Mount {
            container_path,
            host_path,
            read_only,
        });
    }
    let directory = pod.directory();
    let failed = |errno: machine::Errno| errno.go_message();
    if !has_hosts {
        let host_path: Rc<str> = if pod.spec.host_network {
            "/etc/hosts".into()
        } else {
            let path = format!("{directory}/etc-hosts");
            if !sys.exists(&path) {
                sys.mkdir_all(&directory).map_err(failed)?;
                sys.write_file(&path, hosts_file(pod, ip).as_bytes())
                    .map_err(failed)?;
            }
            path.into()
        };
        let container_path = "/etc/hosts".into();
        all.push(Mount {
            container_path,
            host_path,
            read_only: false,
        });
    }
    let message_path = match object.str("terminationMessagePath") {
        "" => "/dev/termination-log",
        path => path,
    };
    let kept = format!("{directory}/containers/{}", container.name);
    sys.mkdir_all(&kept).map_err(failed)?;
    let host_path: Rc<str> = format!("{kept}/{}", sys.random().hex(8)).into();
    sys.write_file(&host_path, b"").map_err(failed)?;
    sys.chmod(&host_path, 0o666).map_err(failed)?;
    all.push(Mount {
        container_path: message_path.into(),
        host_path,
        read_only: false,
    });
    Ok(all)
}

/// Models kubelet_pods.go, `managedHostsFileContent`.
fn hosts_file(pod: &Pod, ip: &str) -> String {
    let mut text = "# Kubernetes-managed hosts file.\n\
                    127.0.0.1\tlocalhost\n\
                    ::1\tlocalhost ip6-localhost ip6-loopback\n\
                    fe00::0\tip6-localnet\n\
                    fe00::0\tip6-mcastprefix\n\
                    fe00::1\tip6-allnodes\n\
                    fe00::2\tip6-allrouters\n"
        .to_owned();
    let _ = writeln!(text, "{ip}\t{}", pod.spec.hostname);
    let aliases = pod.object.list_at("spec.hostAliases");
    if !aliases.is_empty() {
        text.push_str("\n# Entries added by HostAliases.\n");
    }
    for alias in aliases {
        let names: Vec<&str> = alias
            .get("hostnames")
            .list()
            .iter()
            .map(Value::as_str)
            .collect();
        let _ = writeln!(text, "{}\t{}", alias.str("ip"), names.join("\t"));
    }
    text
}

/// Models security_context.go, `verifyRunAsNonRoot`.
fn check_user(
    pod: &Pod,
    container: &Container,
    config: ContainerConfig,
    image: Option<&ImageStatus>,
) -> Result<ContainerConfig, String> {
    let own = container
        .object
        .at("securityContext.runAsNonRoot")
        .as_bool();
    let of_pod = pod.object.at("spec.securityContext.runAsNonRoot").as_bool();
    if own.or(of_pod) != Some(true) {
        return Ok(config);
    }
    let (full, name) = (pod.full_name(), &container.name);
    if config.run_as_user == Some(0) {
        return Err(format!(
            "container's runAsUser breaks non-root policy (pod: \"{full}\", container: {name})"
        ));
    }
    let image_is_root = image
        .and_then(|image| image.user)
        .is_none_or(|user| user == 0);
    if config.run_as_user.is_none() && image_is_root {
        return Err(format!(
            "container has runAsNonRoot and image will run as root (pod: \"{full}\", container: \
             {name})"
        ));
    }
    Ok(config)
}

/// The groups that a pod's processes are in besides their own.
fn groups(context: &Value) -> Rc<[u32]> {
    let listed = context.list_at("supplementalGroups").iter();
    let all = listed.chain(std::iter::once(context.get("fsGroup")));
    let all = all.filter_map(|group| group.as_i64().and_then(|id| u32::try_from(id).ok()));
    all.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn a_pod_s_own_dns_is_added() {
        let base = "search a\nnameserver 10.96.0.10\noptions ndots:5\n".to_owned();
        let config = object! {
            "searches": ["b"], "nameservers": ["1.1.1.1"],
            "options": [{ "name": "ndots", "value": "2" }, { "name": "edns0" }],
        };
        assert_eq!(
            own_dns(&config, base),
            "search a b\nnameserver 10.96.0.10\noptions ndots:5\nnameserver 1.1.1.1\n\
             options ndots:2 edns0\n"
        );
        assert_eq!(own_dns(api::NULL, "x\n".to_owned()), "x\n");
    }
}
