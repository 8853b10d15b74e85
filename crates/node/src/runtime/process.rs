//! Starting a container's process as runc does, and the streams to and from it.
//! Models runc's libcontainer/standard_init_linux.go and the shim's pkg/process.

use std::rc::Rc;

use machine::{Env, Errno, Exec, Fd, MountNsId, NetnsId, PidNsId, Spawn, Sys};
use sim::Pid;

use crate::cri::Stdio;
use crate::runtime::log::Stream;

/// Bytes read from a stream at a time.
const CHUNK: usize = 65_536;

/// How to run a process of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProcessSpec {
    pub(crate) args: Vec<Rc<str>>,
    pub(crate) env: Env,
    pub(crate) cwd: Rc<str>,
    pub(crate) user: (u32, u32),
    pub(crate) groups: Rc<[u32]>,
    pub(crate) netns: NetnsId,
    pub(crate) mounts: MountNsId,
    pub(crate) pid_ns: PidNsId,
    pub(crate) hostname: Rc<str>,
    pub(crate) cgroup: Rc<str>,
}

/// A process with its streams.
#[derive(Clone, Debug)]
pub(super) struct Running {
    pub(super) pid: Pid,
    /// Our ends: of its input, its output, its errors. A terminal is all three.
    pub(super) stdin: Option<Fd>,
    outputs: Vec<(Fd, Stream)>,
    pub(super) tty: bool,
    /// Input the process has not taken yet.
    pub(super) unsent: Vec<u8>,
    pub(super) stdin_closed: bool,
}

impl Running {
    pub(super) fn has(&self, fd: Fd) -> bool {
        self.stdin == Some(fd) || self.outputs.iter().any(|(own, _)| *own == fd)
    }

    /// Gives the process the input it will take.
    pub(super) fn feed(&mut self, sys: &mut Sys<'_>) {
        let Some(fd) = self.stdin else {
            self.unsent.clear();
            return;
        };
        while !self.unsent.is_empty() {
            match sys.write(fd, &self.unsent) {
                Ok(taken) => drop(self.unsent.drain(..taken)),
                Err(Errno::EAGAIN) => return,
                Err(_) => self.unsent.clear(),
            }
        }
        if std::mem::take(&mut self.stdin_closed) {
            if self.tty {
                // End of input is a key of the terminal.
                let _ = sys.write(fd, b"\x04");
            } else {
                sys.close(fd);
                self.stdin = None;
            }
        }
    }

    /// What can be read now; `None` in place of bytes is the end of a stream.
    pub(super) fn drain(&mut self, sys: &mut Sys<'_>) -> Vec<(Stream, Option<Rc<[u8]>>)> {
        let mut got = Vec::new();
        let mut open = Vec::new();
        for (fd, stream) in std::mem::take(&mut self.outputs) {
            loop {
                match sys.read(fd, CHUNK) {
                    Ok(bytes) if !bytes.is_empty() => got.push((stream, Some(bytes))),
                    Err(Errno::EAGAIN) => {
                        open.push((fd, stream));
                        break;
                    }
                    Ok(_) | Err(_) => {
                        got.push((stream, None));
                        if !self.tty {
                            sys.close(fd);
                        }
                        break;
                    }
                }
            }
        }
        self.outputs = open;
        got
    }

    pub(super) fn close(&mut self, sys: &mut Sys<'_>) {
        let outputs = std::mem::take(&mut self.outputs);
        for fd in outputs
            .into_iter()
            .map(|(fd, _)| fd)
            .chain(self.stdin.take())
        {
            sys.close(fd);
        }
    }
}

pub(super) fn spawn_of(spec: &ProcessSpec, args: &[Rc<str>], exec: Exec) -> Spawn {
    let mut spawn = Spawn::new(exec, args.to_vec());
    spawn.env = Some(spec.env.clone());
    spawn.cwd = Some(spec.cwd.clone());
    spawn.user = Some(spec.user);
    spawn.groups = spec.groups.clone();
    spawn.pgrp = Some(None);
    spawn.netns = Some(spec.netns);
    spawn.mounts = Some(spec.mounts);
    spawn.pid_ns = Some(spec.pid_ns);
    spawn.hostname = Some(spec.hostname.clone());
    spawn.cgroup = Some(spec.cgroup.clone());
    spawn
}

/// Starts a process with the streams asked for. The error is runc's wording of what failed.
pub(super) fn run(
    sys: &mut Sys<'_>,
    spec: &ProcessSpec,
    args: &[Rc<str>],
    stdio: Stdio,
) -> Result<Running, String> {
    let no_room = |errno: Errno| errno.go_message();
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    let mut running = Running {
        pid: Pid(0),
        stdin: None,
        outputs: Vec::new(),
        tty: stdio.tty,
        unsent: Vec::new(),
        stdin_closed: false,
    };
    let mut terminal = None;
    if stdio.tty {
        let (master, tty) = sys.open_pty(80, 24).map_err(no_room)?;
        terminal = Some(tty);
        running.stdin = Some(master);
        running.outputs.push((master, Stream::Stdout));
        ours.push(master);
    } else {
        let null = sys
            .open("/dev/null", machine::OpenMode::Read)
            .map_err(no_room)?;
        theirs.push((Fd::STDIN, null));
        if stdio.stdin {
            let (read, write) = sys.pipe().map_err(no_room)?;
            theirs.push((Fd::STDIN, read));
            running.stdin = Some(write);
            ours.push(write);
        }
        for (fd, stream) in [(Fd::STDOUT, Stream::Stdout), (Fd::STDERR, Stream::Stderr)] {
            let (read, write) = sys.pipe().map_err(no_room)?;
            theirs.push((fd, write));
            running.outputs.push((read, stream));
            ours.push(read);
        }
    }
    let started = find_and_spawn(sys, spec, args, &theirs, terminal);
    for (_, fd) in theirs {
        sys.close(fd);
    }
    match started {
        Ok(pid) => Ok(Running { pid, ..running }),
        Err(why) => {
            for fd in ours {
                sys.close(fd);
            }
            Err(why)
        }
    }
}

/// Finds the program as `execvp(3)` would in the container, and starts it.
fn find_and_spawn(
    sys: &mut Sys<'_>,
    spec: &ProcessSpec,
    args: &[Rc<str>],
    fds: &[(Fd, Fd)],
    terminal: Option<machine::TtyId>,
) -> Result<Pid, String> {
    let name = args.first().cloned().unwrap_or_default();
    let mut spawn_at = |path: String| {
        let mut spawn = spawn_of(spec, args, Exec::Path(path.into()));
        spawn.fds = fds.to_vec();
        spawn.terminal = terminal;
        sys.spawn(spawn)
    };
    if name.contains('/') {
        let path = if name.starts_with('/') {
            name.to_string()
        } else {
            format!("{}/{name}", spec.cwd)
        };
        return spawn_at(path).map_err(|errno| match errno {
            Errno::ENOENT => format!("exec: \"{name}\": stat {name}: no such file or directory"),
            Errno::EACCES => format!("exec: \"{name}\": permission denied"),
            errno => format!("exec {name}: {}", errno.go_message()),
        });
    }
    let mut worst = Errno::ENOENT;
    for dir in spec.env.get("PATH").map_or("", |path| path).split(':') {
        match spawn_at(format!("{dir}/{name}")) {
            Ok(pid) => return Ok(pid),
            Err(Errno::ENOENT | Errno::ENOTDIR) => {}
            Err(errno) => worst = errno,
        }
    }
    Err(match worst {
        Errno::ENOENT => format!("exec: \"{name}\": executable file not found in $PATH"),
        Errno::EACCES => format!("exec: \"{name}\": permission denied"),
        errno => format!("exec {name}: {}", errno.go_message()),
    })
}
