//! What the runtime does to sandboxes: namespaces, network, the shim with its pause process.
//! Models containerd's internal/cri/server/sandbox_*.go.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{Errno, Exec, ExitStatus, MountNsId, Signal, Spawn, Sys};
use sim::{Duration, Pid};

use crate::cni;
use crate::cri::{Code, Error, Event, Reply, SandboxConfig, SandboxStatus};
use crate::reference::Reference;
use crate::runtime::daemon::{Caller, Containerd, Outcome, Pull, unknown};
use crate::runtime::process::ProcessSpec;
use crate::runtime::shim::{End, Shim, TaskState, ToShim};
use crate::runtime::store::Sandbox;
use crate::runtime::{PAUSE_IMAGE, SHIM};

/// The namespaces, the CNI plugins' processes and runc for the pause container take a real runtime
/// a quarter of a second on an idle machine.
const SET_UP: Duration = Duration::from_millis(250);

impl Containerd {
    pub(super) fn run_sandbox(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        config: &Rc<SandboxConfig>,
    ) -> Outcome {
        let Some(mounts) = self.pause_mounts(sys) else {
            let pause = Reference::parse(PAUSE_IMAGE).expect("a constant, tested");
            self.pull(sys, &pause, Pull::Sandbox(caller, config.clone()));
            return Ok(None);
        };
        let id: Rc<str> = sys.random().hex(64).into();
        let setup = |why: &str| {
            unknown(&format!(
                "failed to setup network for sandbox \"{id}\": {why}"
            ))
        };
        let (netns, ip) = if config.host_network {
            (sys.host().netns, Rc::from(""))
        } else {
            let netns = sys.new_netns(&format!("cni-{}", &id[..8]));
            match cni::add(sys, netns, &id) {
                Ok(ip) => (netns, Rc::from(ip.to_string())),
                Err(why) => {
                    sys.remove_netns(netns);
                    return Err(setup(&why));
                }
            }
        };
        self.write_files(sys, &id, config)
            .map_err(|errno| unknown(&errno.go_message()))?;
        let pause = Rc::new(ProcessSpec {
            args: vec!["/pause".into()],
            env: Rc::new(BTreeMap::from([(
                "PATH".into(),
                super::container::PATH.into(),
            )])),
            cwd: "/".into(),
            user: (65_535, 65_535),
            groups: Rc::default(),
            netns,
            mounts,
            pid_ns: sys.new_pid_ns(),
            hostname: hostname(sys, config),
            cgroup: format!("{}/cri-containerd-{id}.scope", config.cgroup_parent).into(),
        });
        let status = SandboxStatus {
            id: id.clone(),
            config: config.clone(),
            ready: true,
            created_at: sys.now(),
            ip,
        };
        let sandbox = Sandbox {
            status: Rc::new(status),
            netns,
            pause: pause.clone(),
        };
        self.store.sandboxes.insert(id.clone(), sandbox);
        self.saved = false;
        self.starting.insert(id.clone(), caller);
        self.spawn_shim(sys, &id, pause).map_err(|errno| {
            self.starting.remove(&id);
            unknown(&format!(
                "failed to start shim: start failed: {}",
                errno.go_message()
            ))
        })?;
        Ok(None)
    }

    fn spawn_shim(
        &mut self,
        sys: &mut Sys<'_>,
        id: &Rc<str>,
        pause: Rc<ProcessSpec>,
    ) -> Result<Pid, Errno> {
        let args = [
            SHIM,
            "-namespace",
            "k8s.io",
            "-id",
            id,
            "-address",
            crate::cri::SOCKET,
        ];
        let args = args.into_iter().map(Rc::from).collect();
        let shim = Exec::Program(Box::new(Shim::new(id.clone(), pause)));
        let mut spawn = Spawn::new(shim, args);
        spawn.pgrp = Some(None);
        spawn.set_up = SET_UP;
        sys.spawn(spawn)
    }

    /// The pause image's files, mounted once for all sandboxes; none if it has to be pulled.
    fn pause_mounts(&mut self, sys: &mut Sys<'_>) -> Option<MountNsId> {
        if self.pause_mounts.is_none() {
            let root = self.store.image(PAUSE_IMAGE)?.image.root.clone();
            let root = sys.new_fs(root);
            self.pause_mounts = Some(sys.new_mount_ns(root, Vec::new()));
        }
        self.pause_mounts
    }

    fn write_files(
        &mut self,
        sys: &mut Sys<'_>,
        id: &str,
        config: &SandboxConfig,
    ) -> Result<(), Errno> {
        sys.mkdir_all(&bundle(id))?;
        let dir = directory(id);
        sys.mkdir_all(&dir)?;
        let hostname = hostname(sys, config);
        sys.write_file(
            &format!("{dir}/hostname"),
            format!("{hostname}\n").as_bytes(),
        )?;
        sys.write_file(&format!("{dir}/resolv.conf"), config.resolv_conf.as_bytes())?;
        if !sys.exists(&config.log_directory) {
            sys.mkdir_all(&config.log_directory)?;
        }
        Ok(())
    }

    /// A shim has connected: the new one of a sandbox, or an old one after our restart.
    pub(super) fn shim_says_hello(
        &mut self,
        sys: &mut Sys<'_>,
        sandbox: &Rc<str>,
        pause: Result<Pid, Errno>,
        tasks: Vec<(Rc<str>, TaskState)>,
    ) {
        let Some(known) = self.store.sandboxes.get(sandbox) else {
            self.command(sys, sandbox, ToShim::Shutdown);
            return;
        };
        let status = known.status.clone();
        for (id, state) in tasks {
            match state {
                TaskState::Running { since, .. } => {
                    self.store.started(&id, since);
                }
                TaskState::Ended(end) => self.container_exited(sys, &id, end),
            }
        }
        let caller = self.starting.remove(sandbox);
        match (caller, pause) {
            (Some(caller), Ok(_)) => self.answer(sys, caller, Ok(Reply::Sandbox(status))),
            (Some(caller), Err(errno)) => {
                let why = format!(
                    "failed to start sandbox container task \"{sandbox}\": OCI runtime create \
                     failed: {}",
                    errno.go_message()
                );
                self.answer(sys, caller, Err(unknown(&why)));
                self.command(sys, sandbox, ToShim::Shutdown);
            }
            (None, _) => {}
        }
    }

    pub(super) fn stop_sandbox(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        id: &Rc<str>,
    ) -> Outcome {
        match self.store.sandboxes.get(id) {
            None => return Ok(Some(Reply::Done)),
            Some(sandbox) if !sandbox.status.ready => return Ok(Some(Reply::Done)),
            Some(_) => {}
        }
        if self.command(sys, id, ToShim::Shutdown) {
            self.stopping.entry(id.clone()).or_default().push(caller);
            return Ok(None);
        }
        self.sandbox_lost(sys, id);
        Ok(Some(Reply::Done))
    }

    /// A sandbox's shim is gone, as asked or not: what ran in it has ended, its network goes.
    pub(super) fn sandbox_lost(&mut self, sys: &mut Sys<'_>, id: &Rc<str>) {
        let Some(sandbox) = self.store.sandboxes.get(id) else {
            return;
        };
        let (status, netns) = (sandbox.status.clone(), sandbox.netns);
        sys.kill_cgroup(&sandbox.pause.cgroup);
        let end = End {
            at: sys.now(),
            status: ExitStatus::Signal(Signal::Kill),
        };
        for container in self.store.containers_of(id) {
            let cgroup = self
                .store
                .containers
                .get(&container)
                .map(|c| c.spec.cgroup.clone());
            sys.kill_cgroup(&cgroup.unwrap_or_else(|| status.id.clone()));
            if self
                .store
                .containers
                .get(&container)
                .is_some_and(|c| c.status.started_at.is_some())
            {
                self.container_exited(sys, &container, end);
            }
        }
        self.store.sandbox_stopped(id);
        self.publish(sys, &Event::SandboxStopped(id.clone()));
        if !status.config.host_network {
            cni::del(sys, netns, id);
            sys.remove_netns(netns);
        }
        // What was never there need not be removed.
        let _ = sys.remove_all(&bundle(id));
        if let Some(caller) = self.starting.remove(id) {
            self.answer(sys, caller, Err(unknown("shim exited before it was ready")));
        }
        for caller in self.stopping.remove(id).unwrap_or_default() {
            self.answer(sys, caller, Ok(Reply::Done));
        }
    }

    pub(super) fn remove_sandbox(&mut self, sys: &mut Sys<'_>, id: &Rc<str>) -> Result<(), Error> {
        let Some(sandbox) = self.store.sandboxes.get(id) else {
            return Ok(());
        };
        if sandbox.status.ready {
            self.command(sys, id, ToShim::Shutdown);
            self.sandbox_lost(sys, id);
        }
        for container in self.store.containers_of(id) {
            self.remove_container(sys, &container)?;
        }
        let _ = sys.remove_all(&directory(id));
        self.store.sandboxes.remove(id);
        self.saved = false;
        Ok(())
    }
}

/// The sandbox's own files.
pub(super) fn directory(id: &str) -> String {
    format!("/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/{id}")
}

/// Exists while the sandbox's shim does; in a file system that a reboot empties.
pub(super) fn bundle(id: &str) -> String {
    format!("/run/containerd/io.containerd.runtime.v2.task/k8s.io/{id}")
}

pub(super) fn no_pause_image(why: &str) -> Error {
    Error::new(
        Code::Unknown,
        format!(
            "failed to get sandbox image \"{PAUSE_IMAGE}\": failed to pull image \"{PAUSE_IMAGE}\": {why}"
        ),
    )
}

fn hostname(sys: &Sys<'_>, config: &SandboxConfig) -> Rc<str> {
    if config.host_network {
        sys.host().name().clone()
    } else {
        config.hostname.clone()
    }
}
