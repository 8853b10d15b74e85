//! What the runtime does to containers: root file system, mounts, arguments, start, stop, remove.
//! Models containerd's internal/cri/server/container_*.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::fs::{Content, Node, Tree};
use machine::{Errno, FsId, Mount, PidNsId, Signal, Sys};
use sim::{Duration, Pid};

use crate::cri::{
    Code, ContainerConfig, ContainerState, ContainerStatus, Error, Event, PidMode, Reply, Stdio,
};
use crate::image::{Image, PORTS_VARIABLE};
use crate::runtime::daemon::{Caller, Containerd, Outcome, no_container, unknown};
use crate::runtime::process::ProcessSpec;
use crate::runtime::sandbox;
use crate::runtime::shim::{End, ToShim};
use crate::runtime::store::Container;

/// `PATH` of a container whose image sets none.
pub(super) const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// The annotation in which the kubelet tells a container's declared ports, as JSON.
pub(crate) const PORTS_ANNOTATION: &str = "io.kubernetes.container.ports";
/// Where a container sees its memory limit.
const MEMORY_MAX: &str = "/sys/fs/cgroup/memory.max";
/// Where a container's kernel counts what the limit led to.
const MEMORY_EVENTS: &str = "/sys/fs/cgroup/memory.events";

impl Containerd {
    pub(super) fn create_container(
        &mut self,
        sys: &mut Sys<'_>,
        sandbox_id: &Rc<str>,
        config: &Rc<ContainerConfig>,
    ) -> Result<Rc<str>, Error> {
        let sandbox = self.store.sandboxes.get(sandbox_id).ok_or_else(|| {
            Error::new(
                Code::NotFound,
                format!("failed to find sandbox id \"{sandbox_id}\": not found"),
            )
        })?;
        if !sandbox.status.ready {
            return Err(unknown(&format!(
                "sandbox container \"{sandbox_id}\" is not running"
            )));
        }
        let (sandbox_config, netns) = (sandbox.status.config.clone(), sandbox.netns);
        let hostname = sandbox.pause.hostname.clone();
        let stored = self.store.image(&config.image).ok_or_else(|| {
            let name = &config.image;
            unknown(&format!(
                "failed to resolve image \"{name}\": image \"{name}\": not found"
            ))
        })?;
        let image = stored.image.clone();
        let (name, image_ref) = (
            stored.reference.to_string().into(),
            image.repo_digest(&stored.reference),
        );
        let args = arguments(config, &image)
            .ok_or_else(|| unknown("failed to generate container spec: no command specified"))?;
        let id: Rc<str> = sys.random().hex(64).into();
        let cwd = [&config.working_dir, &image.config.working_dir]
            .into_iter()
            .find(|dir| !dir.is_empty())
            .cloned()
            .unwrap_or_else(|| "/".into());
        let (root, mounts) = mount(sys, sandbox_id, config, &image, &cwd)?;
        let mounts = sys.new_mount_ns(root, mounts);
        let uid = config.run_as_user.or(image.config.user).unwrap_or(0);
        let own = image.config.user == Some(uid);
        let gid = config.run_as_group.unwrap_or_else(|| match own {
            true => uid,
            false => sys.fs(root).map_or(0, |files| group_of(&files, uid)),
        });
        let pid_ns = self.pid_ns(sys, sandbox_id, &config.pid);
        let spec = ProcessSpec {
            args,
            env: environment(config, &image, &hostname, uid),
            cwd,
            user: (uid, gid),
            groups: config.groups.clone(),
            netns,
            mounts,
            pid_ns,
            hostname,
            cgroup: format!("{}/cri-containerd-{id}.scope", sandbox_config.cgroup_parent).into(),
        };
        let status = ContainerStatus {
            id: id.clone(),
            sandbox: sandbox_id.clone(),
            config: config.clone(),
            state: ContainerState::Created,
            created_at: sys.now(),
            started_at: None,
            finished_at: None,
            exit_code: 0,
            reason: "".into(),
            message: "".into(),
            image: name,
            image_ref,
            uid,
        };
        let stop_signal = image
            .config
            .stop_signal
            .as_deref()
            .and_then(Signal::from_name);
        let stop_signal = stop_signal.unwrap_or(Signal::Term);
        let container = Container {
            status,
            root,
            mounts,
            spec: Rc::new(spec),
            stop_signal,
        };
        self.store.containers.insert(id.clone(), container);
        self.saved = false;
        Ok(id)
    }

    fn pid_ns(&self, sys: &mut Sys<'_>, sandbox: &str, mode: &PidMode) -> PidNsId {
        let joined = match mode {
            PidMode::Container => None,
            PidMode::Node => Some(PidNsId(0)),
            PidMode::Pod => self.store.sandboxes.get(sandbox).map(|s| s.pause.pid_ns),
            PidMode::Target(id) => self.store.containers.get(id).map(|c| c.spec.pid_ns),
        };
        joined.unwrap_or_else(|| sys.new_pid_ns())
    }

    pub(super) fn start_container(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
    ) -> Outcome {
        let container = self
            .store
            .containers
            .get(id)
            .ok_or_else(|| no_container(id))?;
        let status = &container.status;
        if status.state != ContainerState::Created {
            let state =
                format!("container is in CONTAINER_{:?} state", status.state).to_uppercase();
            return Err(unknown(&format!(
                "failed to start container \"{id}\": {state}"
            )));
        }
        let sandbox = status.sandbox.clone();
        let directory = self
            .store
            .sandboxes
            .get(&sandbox)
            .map(|s| s.status.config.log_directory.clone());
        let log: Rc<str> = format!(
            "{}/{}",
            directory.unwrap_or_default(),
            status.config.log_path
        )
        .into();
        if let Some((dir, _)) = log.rsplit_once('/')
            && !sys.exists(dir)
        {
            sys.mkdir_all(dir)
                .map_err(|errno| unknown(&errno.go_message()))?;
        }
        let stdio = Stdio {
            stdin: status.config.stdin,
            tty: status.config.tty,
        };
        let spec = container.spec.clone();
        if !self.command(
            sys,
            &sandbox,
            ToShim::Start {
                id: id.clone(),
                spec,
                log,
                stdio,
            },
        ) {
            return Err(unknown(&format!(
                "sandbox container \"{sandbox}\" is not running"
            )));
        }
        self.starting.insert(id.clone(), caller);
        Ok(None)
    }

    pub(super) fn container_started(
        &mut self,
        sys: &mut Sys<'_>,
        id: &Rc<str>,
        result: Result<Pid, String>,
    ) {
        let now = sys.now();
        let answer = match result {
            Ok(_) => self
                .store
                .started(id, now)
                .map(|status| Ok(Reply::Container(status))),
            Err(why) => self
                .store
                .start_failed(id, now, &why)
                .map(|_| Err(Error::new(Code::Unknown, why))),
        };
        let Some(answer) = answer else { return };
        if let Some(status) = self.store.containers.get(id).map(|c| c.status.clone()) {
            self.publish(sys, &Event::Container(status));
        }
        if let Some(caller) = self.starting.remove(id) {
            self.answer(sys, caller, answer);
        }
    }

    pub(super) fn container_exited(&mut self, sys: &mut Sys<'_>, id: &Rc<str>, end: End) {
        let out_of_memory = self
            .store
            .containers
            .get(id)
            .is_some_and(|c| was_out_of_memory(sys, c));
        if let Some(status) = self.store.exited(id, end, out_of_memory) {
            self.publish(sys, &Event::Container(status));
        }
        self.kill_timers.retain(|_, own| own != id);
        for caller in self.stopping.remove(id).unwrap_or_default() {
            self.answer(sys, caller, Ok(Reply::Done));
        }
    }

    pub(super) fn stop_container(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
        timeout: Duration,
    ) -> Outcome {
        let Some(container) = self.store.containers.get(id) else {
            return Ok(Some(Reply::Done));
        };
        if container.status.state != ContainerState::Running {
            return Ok(Some(Reply::Done));
        }
        let (sandbox, signal) = (container.status.sandbox.clone(), container.stop_signal);
        let signal = if timeout.is_zero() {
            Signal::Kill
        } else {
            signal
        };
        self.stopping.entry(id.clone()).or_default().push(caller);
        self.command(
            sys,
            &sandbox,
            ToShim::Kill {
                id: id.clone(),
                signal,
            },
        );
        if !timeout.is_zero() {
            let timer = sys.timer(timeout);
            self.kill_timers.insert(timer, id.clone());
        }
        Ok(None)
    }

    /// The time to end in peace is over.
    pub(super) fn kill_container(&mut self, sys: &mut Sys<'_>, id: &Rc<str>) {
        if let Some(container) = self.store.containers.get(id) {
            let sandbox = container.status.sandbox.clone();
            self.command(
                sys,
                &sandbox,
                ToShim::Kill {
                    id: id.clone(),
                    signal: Signal::Kill,
                },
            );
        }
    }

    pub(super) fn remove_container(
        &mut self,
        sys: &mut Sys<'_>,
        id: &Rc<str>,
    ) -> Result<(), Error> {
        let Some(container) = self.store.containers.get(id) else {
            return Ok(());
        };
        if container.status.state == ContainerState::Running {
            sys.kill_cgroup(&container.spec.cgroup);
        }
        sys.remove_mount_ns(container.mounts);
        sys.remove_fs(container.root);
        self.store.containers.remove(id);
        self.saved = false;
        Ok(())
    }
}

/// The container's command line; none if neither it nor the image has one.
/// Models internal/cri/opts/spec_opts.go, `WithProcessArgs`.
fn arguments(config: &ContainerConfig, image: &Image) -> Option<Vec<Rc<str>>> {
    let (mut command, mut args) = (&config.command, &config.args);
    if command.is_empty() {
        if args.is_empty() {
            args = &image.config.cmd;
        }
        command = &image.config.entrypoint;
    }
    let all: Vec<Rc<str>> = command.iter().chain(args).cloned().collect();
    (!all.is_empty()).then_some(all)
}

fn environment(
    config: &ContainerConfig,
    image: &Image,
    hostname: &Rc<str>,
    uid: u32,
) -> machine::Env {
    let mut env: BTreeMap<Rc<str>, Rc<str>> = BTreeMap::new();
    env.insert("PATH".into(), PATH.into());
    env.insert("HOME".into(), if uid == 0 { "/root" } else { "/" }.into());
    if config.tty {
        env.insert("TERM".into(), "xterm".into());
    }
    env.insert("HOSTNAME".into(), hostname.clone());
    if image.config.stand_in
        && let Some(ports) = config.annotations.get(PORTS_ANNOTATION)
    {
        env.insert(PORTS_VARIABLE.into(), tcp_ports(ports).into());
    }
    for (name, value) in image.config.env.iter().chain(&config.env) {
        env.insert(name.clone(), value.clone());
    }
    Rc::new(env)
}

/// The TCP ports in a container's ports annotation, joined by commas.
fn tcp_ports(annotation: &str) -> String {
    let ports = api::Value::from_json(annotation.as_bytes()).unwrap_or_default();
    ports
        .list()
        .iter()
        .filter(|port| matches!(port.str("protocol"), "" | "TCP"))
        .filter_map(|port| port.get("containerPort").as_i64())
        .map(|port| port.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

/// The container's file systems: its root from the image, and what is mounted on it.
fn mount(
    sys: &mut Sys<'_>,
    sandbox: &str,
    config: &ContainerConfig,
    image: &Image,
    cwd: &str,
) -> Result<(FsId, Vec<Mount>), Error> {
    let mut root = image.root.clone();
    let own = sandbox::directory(sandbox);
    let files = [
        ("/etc/hostname", "hostname"),
        ("/etc/resolv.conf", "resolv.conf"),
    ];
    let wanted = files
        .iter()
        .map(|(at, name)| (Rc::from(*at), Rc::from(format!("{own}/{name}")), false))
        .chain(config.mounts.iter().map(|mount| {
            (
                mount.container_path.clone(),
                mount.host_path.clone(),
                mount.read_only,
            )
        }));
    let mut mounts = Vec::with_capacity(config.mounts.len() + 3);
    for (at, host_path, read_only) in wanted {
        let at: Rc<str> = machine::MountNs::normalise("/", &at).into();
        let place = sys
            .place_of(&host_path)
            .map_err(|errno| no_source(&host_path, errno))?;
        let is_dir = sys.stat(&host_path).is_ok_and(|stat| stat.is_dir());
        make_mount_point(&mut root, &at, is_dir);
        // What an earlier entry mounts at the same place is hidden.
        mounts.retain(|mount: &Mount| mount.at != at);
        mounts.push(Mount {
            at,
            fs: place.fs,
            source: place.path.into(),
            read_only,
        });
    }
    make_mount_point(&mut root, cwd, true);
    let limit = config
        .memory_limit
        .map_or("max".to_owned(), |bytes| bytes.to_string());
    let _ = root.put_all(MEMORY_MAX, Node::file(format!("{limit}\n"), 0o644));
    let root = sys.new_fs(root);
    if config.read_only_root {
        mounts.insert(
            0,
            Mount {
                at: "/".into(),
                fs: root,
                source: "/".into(),
                read_only: true,
            },
        );
    }
    Ok((root, mounts))
}

fn no_source(path: &str, errno: Errno) -> Error {
    unknown(&format!(
        "failed to generate container spec: failed to generate spec: failed to stat \"{path}\": \
         stat {path}: {}",
        errno.go_message()
    ))
}

/// Something must be there for a mount to hide.
fn make_mount_point(root: &mut Tree, at: &str, is_dir: bool) {
    if at != "/" && root.get(at).is_none() {
        let node = if is_dir {
            Node::dir(0o755)
        } else {
            Node::file("", 0o644)
        };
        // A file where a directory is needed hides the mount, as it would make runc fail.
        let _ = root.put_all(at, node);
    }
}

fn was_out_of_memory(sys: &Sys<'_>, container: &Container) -> bool {
    let events = sys.fs(container.root);
    let node = events.as_ref().and_then(|tree| tree.get(MEMORY_EVENTS));
    match node.map(|node| &node.content) {
        Some(Content::File(bytes)) => {
            let text = String::from_utf8_lossy(bytes);
            text.lines()
                .any(|line| line.strip_prefix("oom_kill ").is_some_and(|n| n != "0"))
        }
        _ => false,
    }
}

/// The group of a user as a container's own list of users has it; the superuser's for one that it
/// does not know.
fn group_of(files: &Tree, uid: u32) -> u32 {
    let list = files.get("/etc/passwd").map(|node| &node.content);
    let Some(Content::File(bytes)) = list else {
        return 0;
    };
    let text = String::from_utf8_lossy(bytes);
    let number = |text: Option<&str>| text.and_then(|text| text.parse::<u32>().ok());
    let mut users = text.lines().map(|line| line.split(':').skip(2));
    let found = users.find_map(|mut fields| match number(fields.next()) {
        Some(own) if own == uid => Some(number(fields.next())),
        _ => None,
    });
    found.flatten().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image::{ImageConfig, digest};

    fn words(text: &str) -> Vec<Rc<str>> {
        text.split_whitespace().map(Rc::from).collect()
    }

    #[test]
    fn command_and_args_replace_the_image_s_as_docker_says() {
        #[track_caller]
        fn check(image: (&str, &str), pod: (&str, &str), expect: Option<&str>) {
            let config = ImageConfig {
                entrypoint: words(image.0),
                cmd: words(image.1),
                ..ImageConfig::default()
            };
            let image = Image {
                digest: digest(""),
                id: digest(""),
                layers: Rc::from([]),
                config,
                root: Tree::new(),
            };
            let config = ContainerConfig {
                command: words(pod.0),
                args: words(pod.1),
                ..ContainerConfig::default()
            };
            assert_eq!(arguments(&config, &image), expect.map(words));
        }
        check(("ep", "cmd"), ("", ""), Some("ep cmd"));
        check(("ep", "cmd"), ("", "args"), Some("ep args"));
        check(("ep", "cmd"), ("command", ""), Some("command"));
        check(("ep", "cmd"), ("command", "args"), Some("command args"));
        check(("", "sh"), ("", "echo hi"), Some("echo hi"));
        check(("", ""), ("", ""), None);
    }

    #[test]
    fn only_tcp_ports_are_passed_on() {
        let annotation = r#"[{"containerPort":8080,"protocol":"TCP"},
            {"containerPort":53,"protocol":"UDP"},{"containerPort":9090}]"#;
        assert_eq!(tcp_ports(annotation), "8080,9090");
        assert_eq!(tcp_ports("nonsense"), "");
    }
}
