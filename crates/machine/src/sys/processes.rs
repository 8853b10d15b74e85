//! System calls on processes: spawn, signal, wait, list.

use std::rc::Rc;

use net::{Errno, NetnsId, RecordingId};
use sim::{Duration, EntryId, Instant, Kind, MachineId, Pid};

use crate::fs::Content;
use crate::mount::{MountNs, MountNsId};
use crate::process::{Env, ExitStatus, Fd, Handle, PidNsId, Process, Signal};
use crate::program::{Program, Wake};
use crate::sys::Sys;
use crate::sys::files::content_bytes;
use crate::tty::TtyId;
use crate::world::World;

static SPAWNED: Kind = Kind {
    name: "process.start",
    says: "pid {0} starts {1}",
};

/// What a new process runs.
#[derive(Debug)]
pub enum Exec {
    /// The executable at this path, found as `execve(2)` would: no search in `PATH`.
    Path(Rc<str>),
    /// This program: a copy of the caller's, as after `fork(2)`, or one a runtime provides.
    Program(Box<dyn Program>),
}

/// A process to be made. What is `None` or empty is the caller's own.
#[derive(Debug)]
pub struct Spawn {
    /// What it runs.
    pub exec: Exec,
    /// What goes before its first instruction, beside what the executable itself takes: set-up that
    /// its caller does for it and that is not modelled step by step.
    pub set_up: Duration,
    /// Its arguments; the first is the name it is called by.
    pub args: Vec<Rc<str>>,
    /// Its environment.
    pub env: Option<Env>,
    /// Its working directory.
    pub cwd: Option<Rc<str>>,
    /// The user and group it runs as.
    pub user: Option<(u32, u32)>,
    /// The groups it is in besides; without a user of its own, those of its parent.
    pub groups: Rc<[u32]>,
    /// Its descriptors: number in the child, number of the caller. Nothing else is inherited.
    pub fds: Vec<(Fd, Fd)>,
    /// Its terminal, opened as descriptors 0 to 2, in a session of its own.
    pub terminal: Option<TtyId>,
    /// Its process group: `Some(None)` for one of its own.
    pub pgrp: Option<Option<Pid>>,
    /// Its network namespace.
    pub netns: Option<NetnsId>,
    /// Its mount namespace.
    pub mounts: Option<MountNsId>,
    /// Its process-id namespace; the first process there becomes its init.
    pub pid_ns: Option<PidNsId>,
    /// Its host name, where the namespace has one of its own.
    pub hostname: Option<Rc<str>>,
    /// Its control group.
    pub cgroup: Option<Rc<str>>,
    /// The unit whose log takes its output.
    pub log: Option<Rc<str>>,
    /// The collector outside that takes its output; its input is empty.
    pub sink: Option<u32>,
}

impl Spawn {
    /// A process that runs `exec` with `args`, everything else as the caller has it, without
    /// descriptors.
    pub fn new(exec: Exec, args: Vec<Rc<str>>) -> Spawn {
        Spawn {
            exec,
            set_up: Duration::ZERO,
            args,
            env: None,
            cwd: None,
            user: None,
            groups: Rc::default(),
            fds: Vec::new(),
            terminal: None,
            pgrp: None,
            netns: None,
            mounts: None,
            pid_ns: None,
            hostname: None,
            cgroup: None,
            log: None,
            sink: None,
        }
    }

    /// The same with the caller's descriptors 0, 1 and 2.
    #[must_use]
    pub fn with_stdio(mut self) -> Spawn {
        self.fds = [Fd::STDIN, Fd::STDOUT, Fd::STDERR]
            .map(|fd| (fd, fd))
            .to_vec();
        self
    }
}

/// A process as `ps` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessInfo {
    /// Its id.
    pub pid: Pid,
    /// Its parent.
    pub ppid: Pid,
    /// Its user.
    pub uid: u32,
    /// Its terminal.
    pub tty: Option<TtyId>,
    /// When it began.
    pub started: Instant,
    /// Whether it is stopped.
    pub stopped: bool,
    /// Its arguments.
    pub args: Rc<[Rc<str>]>,
    /// Its control group.
    pub cgroup: Rc<str>,
}

impl Sys<'_> {
    /// Starts a process as a child of this one.
    ///
    /// # Errors
    /// As `execve(2)`: `ENOENT`, `EACCES`, `ENOEXEC`; `EBADF` for a descriptor that is not open.
    pub fn spawn(&mut self, spawn: Spawn) -> Result<Pid, Errno> {
        let (machine, now) = (self.machine, self.now());
        let parent = self.process().ok_or(Errno::ESRCH)?.clone_for_child();
        let mounts = spawn.mounts.unwrap_or(parent.mounts);
        let mut args = spawn.args;
        let (program, version, start_up) = match spawn.exec {
            Exec::Program(program) => (program, "".into(), Duration::ZERO),
            Exec::Path(path) => {
                let (program, version) = self.load(mounts, &path, &mut args)?;
                let start_up = program.start_up();
                (program, version, start_up)
            }
        };
        let mut fds = std::collections::BTreeMap::new();
        for (child, own) in spawn.fds {
            fds.insert(child, self.handle(own)?);
        }
        if let Some(unit) = &spawn.log {
            fds.insert(Fd::STDIN, Handle::Null);
            fds.insert(Fd::STDOUT, Handle::Log(unit.clone()));
            fds.insert(Fd::STDERR, Handle::Log(unit.clone()));
        }
        if let Some(id) = spawn.sink {
            fds.insert(Fd::STDIN, Handle::Null);
            fds.insert(Fd::STDOUT, Handle::Sink { id, stderr: false });
            fds.insert(Fd::STDERR, Handle::Sink { id, stderr: true });
        }
        if let Some(tty) = spawn.terminal {
            fds.extend([Fd::STDIN, Fd::STDOUT, Fd::STDERR].map(|fd| (fd, Handle::Tty(tty))));
        }
        for handle in fds.values() {
            self.world.retain(machine, handle);
        }
        let pid = self.host_mut().fresh_pid();
        let pid_ns = spawn.pid_ns.unwrap_or(parent.pid_ns);
        let is_init = pid_ns != PidNsId(0) && !self.host().processes().any(|p| p.pid_ns == pid_ns);
        let own_group = spawn.terminal.is_some() || spawn.pgrp == Some(None);
        let pgrp = if own_group {
            pid
        } else {
            spawn.pgrp.flatten().unwrap_or(parent.pgrp)
        };
        let (uid, gid) = spawn.user.unwrap_or((parent.uid, parent.gid));
        let groups = match spawn.user {
            Some(_) => spawn.groups,
            None => parent.groups,
        };
        let cause = self.world.note(
            machine,
            self.cause,
            &SPAWNED,
            &[pid.0.into(), args.join(" ").into()],
        );
        let process = Process {
            pid,
            ppid: self.pid,
            pgrp,
            tty: spawn.terminal.or(parent.tty),
            args: args.into(),
            version,
            env: spawn.env.unwrap_or(parent.env),
            cwd: spawn.cwd.unwrap_or(parent.cwd),
            uid,
            gid,
            groups,
            netns: spawn.netns.unwrap_or(parent.netns),
            mounts,
            pid_ns,
            is_init,
            hostname: spawn.hostname.or(parent.hostname),
            cgroup: spawn.cgroup.unwrap_or(parent.cgroup),
            started: now,
            fds,
            children: Default::default(),
            stopped: false,
            deferred: Vec::new(),
            timers: Default::default(),
            ready: Vec::new(),
            next_timer: 1,
            answers: Default::default(),
            parcels: Default::default(),
            leads_tty: spawn.terminal.is_some(),
            leads_sink: spawn.sink,
            recording: parent.recording,
            loading: true,
            successor: None,
            program: Some(program),
        };
        let host = self.host_mut();
        host.processes.insert(pid, Rc::new(process));
        if let Some(tty) = spawn.terminal.and_then(|id| host.ttys.get_mut(&id)) {
            tty.foreground = Some(pid);
        }
        if let Some(own) = self.process_mut() {
            own.children.insert(pid, None);
        }
        self.world
            .wake_in(spawn.set_up + start_up, machine, pid, Wake::Start, cause);
        Ok(pid)
    }

    /// Turns this process into another program, keeping its id and descriptors. The caller returns
    /// [`crate::Poll::Pending`] at once; the new program begins with [`Wake::Start`].
    ///
    /// # Errors
    /// As `execve(2)`; the caller then goes on.
    pub fn exec(&mut self, path: &str, mut args: Vec<Rc<str>>) -> Result<(), Errno> {
        let mounts = self
            .process()
            .map(|process| process.mounts)
            .ok_or(Errno::ESRCH)?;
        let (program, version) = self.load(mounts, path, &mut args)?;
        if let Some(process) = self.process_mut() {
            process.args = args.into();
            process.version = version;
            process.successor = Some(program);
        }
        Ok(())
    }

    /// The version of the executable this process was made of, as the file told it at that time:
    /// whoever replaces the file does not change those that run.
    #[must_use]
    pub fn version(&self) -> Rc<str> {
        let process = self.process();
        process.map_or_else(|| "".into(), |process| process.version.clone())
    }

    /// The status of a child that has ended; asking forgets it.
    pub fn try_wait(&mut self, pid: Pid) -> Option<ExitStatus> {
        let process = self.process_mut()?;
        let status = (*process.children.get(&pid)?)?;
        process.children.remove(&pid);
        Some(status)
    }

    /// Sends a signal to a process. Process 1 is the first of the caller's process-id namespace;
    /// the others go by their number on the machine.
    ///
    /// # Errors
    /// `ESRCH` if there is none the caller can see, `EPERM` if it is not the caller's to signal.
    pub fn kill(&mut self, pid: Pid, signal: Signal) -> Result<(), Errno> {
        let uid = self.uid();
        let own = self.process().map_or(PidNsId(0), |process| process.pid_ns);
        let pid = match (own, pid) {
            (PidNsId(0), pid) => pid,
            (own, Pid(1)) => {
                let mut members = self.host().processes();
                members
                    .find(|p| p.pid_ns == own && p.is_init)
                    .ok_or(Errno::ESRCH)?
                    .pid
            }
            (own, pid) => {
                let seen = self
                    .host()
                    .process(pid)
                    .filter(|process| process.pid_ns == own);
                seen.ok_or(Errno::ESRCH)?.pid
            }
        };
        let target = self.host().process(pid).ok_or(Errno::ESRCH)?;
        if uid != 0 && target.uid != uid {
            return Err(Errno::EPERM);
        }
        self.signal(pid, signal);
        Ok(())
    }

    /// Sends a signal to every member of a process group.
    ///
    /// # Errors
    /// `ESRCH` if it has no member.
    pub fn kill_group(&mut self, pgrp: Pid, signal: Signal) -> Result<(), Errno> {
        let members: Vec<Pid> = self
            .host()
            .processes()
            .filter(|p| p.pgrp == pgrp)
            .map(|p| p.pid)
            .collect();
        if members.is_empty() {
            return Err(Errno::ESRCH);
        }
        for pid in members {
            self.signal(pid, signal);
        }
        Ok(())
    }

    /// Processes this one can see: those of its process-id namespace, or all of the machine.
    #[must_use]
    pub fn processes(&self) -> Vec<ProcessInfo> {
        let own = self.process().map_or(PidNsId(0), |process| process.pid_ns);
        let visible = |p: &&Process| own == PidNsId(0) || p.pid_ns == own;
        self.host().processes().filter(visible).map(info).collect()
    }

    /// Changes what `ps` shows of this process, as `setproctitle(3)` does.
    pub fn set_title(&mut self, title: &str) {
        if let Some(process) = self.process_mut() {
            process.args = Rc::from([Rc::from(title)]);
        }
    }

    /// The number by which this process knows a process: in a container the first process is 1.
    #[must_use]
    pub fn local_pid(&self, pid: Pid) -> u32 {
        match self.namespace_init() {
            Some(init) => pid.0.saturating_sub(init.0) + 1,
            None => pid.0,
        }
    }

    /// The process that this process knows by a number.
    #[must_use]
    pub fn global_pid(&self, number: u32) -> Pid {
        match self.namespace_init() {
            Some(init) => Pid(number.saturating_add(init.0).saturating_sub(1)),
            None => Pid(number),
        }
    }

    /// The first process of this process's id namespace, if that is not the machine's own.
    fn namespace_init(&self) -> Option<Pid> {
        let own = self.process()?.pid_ns;
        let init = |p: &&Process| p.pid_ns == own && p.is_init;
        if own == PidNsId(0) {
            None
        } else {
            self.host().processes().find(init).map(|p| p.pid)
        }
    }

    /// Changes the working directory.
    ///
    /// # Errors
    /// As `chdir(2)`.
    pub fn chdir(&mut self, path: &str) -> Result<(), Errno> {
        let place = self.resolve(path, true)?;
        let node = self.node(&place)?;
        if !node.is_dir() {
            return Err(Errno::ENOTDIR);
        }
        self.permit_execute(&node)?;
        let cwd = MountNs::normalise(&self.cwd(), path);
        if let Some(process) = self.process_mut() {
            process.cwd = cwd.into();
        }
        Ok(())
    }

    /// Sets the environment that children inherit.
    pub fn set_env(&mut self, env: Env) {
        if let Some(process) = self.process_mut() {
            process.env = env;
        }
    }

    /// Puts a process (a child, or itself) into a process group; `None` into one of its own.
    ///
    /// # Errors
    /// `ESRCH`.
    pub fn set_pgrp(&mut self, pid: Pid, pgrp: Option<Pid>) -> Result<(), Errno> {
        let process = self.host_mut().process_mut(pid).ok_or(Errno::ESRCH)?;
        process.pgrp = pgrp.unwrap_or(pid);
        Ok(())
    }

    pub(crate) fn signal(&mut self, pid: Pid, signal: Signal) {
        self.world.signal(self.machine, pid, signal, self.cause);
    }

    /// The program of an executable file, and its version; `#!` lines name an interpreter, as in
    /// Linux.
    fn load(
        &mut self,
        mounts: MountNsId,
        path: &str,
        args: &mut Vec<Rc<str>>,
    ) -> Result<(Box<dyn Program>, Rc<str>), Errno> {
        let mut path: Rc<str> = path.into();
        for _ in 0..4 {
            let host = self.host();
            let ns = host.mounts.get(&mounts).ok_or(Errno::ENOENT)?;
            let place = ns.resolve(&host.trees, &self.cwd(), &path, true)?;
            let node = self.node(&place)?;
            if node.is_dir() {
                return Err(Errno::EACCES);
            }
            self.permit_execute(&node)?;
            if let Content::Binary(name, version) = &node.content {
                let (name, version) = (*name, version.clone());
                let program = self.world.program(name).ok_or(Errno::ENOEXEC)?;
                return Ok((program, version));
            }
            let bytes = content_bytes(&node)?;
            let line = bytes.strip_prefix(b"#!").ok_or(Errno::ENOEXEC)?;
            let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
            let line = String::from_utf8_lossy(line).into_owned();
            let mut words = line.trim().splitn(2, ' ');
            let interpreter: Rc<str> = words.next().unwrap_or_default().into();
            let mut called = vec![interpreter.clone()];
            called.extend(words.next().map(|word| Rc::from(word.trim())));
            called.push(path.clone());
            called.extend(args.drain(..).skip(1));
            *args = called;
            path = interpreter;
        }
        Err(Errno::ELOOP)
    }
}

/// What a child inherits.
struct Inherited {
    pgrp: Pid,
    tty: Option<TtyId>,
    env: Env,
    cwd: Rc<str>,
    uid: u32,
    gid: u32,
    groups: Rc<[u32]>,
    netns: NetnsId,
    recording: Option<RecordingId>,
    mounts: MountNsId,
    pid_ns: PidNsId,
    hostname: Option<Rc<str>>,
    cgroup: Rc<str>,
}

impl Process {
    fn clone_for_child(&self) -> Inherited {
        Inherited {
            pgrp: self.pgrp,
            tty: self.tty,
            env: self.env.clone(),
            cwd: self.cwd.clone(),
            uid: self.uid,
            gid: self.gid,
            groups: self.groups.clone(),
            netns: self.netns,
            recording: self.recording,
            mounts: self.mounts,
            pid_ns: self.pid_ns,
            hostname: self.hostname.clone(),
            cgroup: self.cgroup.clone(),
        }
    }
}

fn info(process: &Process) -> ProcessInfo {
    ProcessInfo {
        pid: process.pid,
        ppid: process.ppid,
        uid: process.uid,
        tty: process.tty,
        started: process.started,
        stopped: process.stopped,
        args: process.args.clone(),
        cgroup: process.cgroup.clone(),
    }
}

impl World {
    /// Delivers a signal: to the program if it handles it, else by its default action.
    pub(crate) fn signal(&mut self, machine: MachineId, pid: Pid, signal: Signal, cause: EntryId) {
        let Some(process) = self.host_mut(machine).process_mut(pid) else {
            return;
        };
        match signal {
            Signal::Kill => return self.exit(machine, pid, ExitStatus::Signal(signal), cause),
            Signal::Stop => return process.stopped = true,
            Signal::Cont if process.stopped => {
                process.stopped = false;
                for wake in std::mem::take(&mut process.deferred) {
                    self.wake(machine, pid, wake, cause);
                }
                return;
            }
            _ => {}
        }
        // A program being polled is out of its process: it is signalling itself.
        let handled = !process.loading
            && process
                .program
                .as_ref()
                .is_some_and(|program| program.handles(signal));
        if handled {
            self.wake(machine, pid, Wake::Signal(signal), cause);
        } else if signal == Signal::Tstp {
            process.stopped = true;
            let ppid = process.ppid;
            self.wake(machine, ppid, Wake::Signal(Signal::Chld), cause);
        } else if !signal.ignored_by_default() && !process.is_init {
            self.exit(machine, pid, ExitStatus::Signal(signal), cause);
        }
    }
}
