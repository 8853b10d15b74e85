//! The process that stays with a pod's containers: it starts them, keeps their output, tells the
//! runtime how they end. It lives on when the runtime is stopped or replaced.
//! Models containerd/cmd/containerd-shim-runc-v2, runc included.

use std::any::Any;
use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{Errno, Exec, ExitStatus, Fd, Poll, Program, Signal, Sys, TimerId, Wake};
use net::{Payload, Shared};
use sim::{Duration, Instant, Pid};

use crate::cri::{Part, Stdio};
use crate::runtime::log::{Lines, Stream};
use crate::runtime::process::{ProcessSpec, Running, run, spawn_of};

/// Where the runtime waits for its shims.
pub(crate) const SOCKET: &str = "/run/containerd/containerd.sock.ttrpc";
/// Between attempts to reach a runtime that is gone.
const RECONNECT: Duration = Duration::from_secs(1);

/// What the runtime tells its shim.
#[derive(Clone, Debug)]
pub(crate) enum ToShim {
    /// Start a container's first process; its output goes to the log.
    Start {
        id: Rc<str>,
        spec: Rc<ProcessSpec>,
        log: Rc<str>,
        stdio: Stdio,
    },
    /// Signal a container's first process.
    Kill { id: Rc<str>, signal: Signal },
    /// Start a further process in a container, with streams.
    Exec {
        stream: u64,
        id: Rc<str>,
        args: Vec<Rc<str>>,
        stdio: Stdio,
    },
    /// Join a container's streams.
    Attach { stream: u64, id: Rc<str> },
    /// A part of an open stream from its client.
    Input { stream: u64, part: Part },
    /// End everything and exit.
    Shutdown,
}

/// What a shim tells the runtime.
#[derive(Clone, Debug)]
pub(crate) enum FromShim {
    /// The first message of a connection: which sandbox, and every container ever started in it.
    Hello {
        sandbox: Rc<str>,
        pause: Result<Pid, Errno>,
        tasks: Vec<(Rc<str>, TaskState)>,
    },
    /// A container's process runs, or could not be started (runc's words).
    Started {
        id: Rc<str>,
        result: Result<Pid, String>,
    },
    /// A container's process ended.
    Exited { id: Rc<str>, end: End },
    /// A stream's process runs or its container is joined, or it could not be (runc's words).
    Opened {
        stream: u64,
        result: Result<(), String>,
    },
    /// A part of an open stream for its client.
    Output { stream: u64, part: Part },
}

/// What a container's first process is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TaskState {
    Running { pid: Pid, since: Instant },
    Ended(End),
}

/// How a container's first process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) at: Instant,
    pub(crate) status: ExitStatus,
}

macro_rules! local_message {
    ($name:ident) => {
        impl Shared for $name {
            fn size(&self) -> u64 {
                256
            }
            fn bytes(&self) -> Vec<u8> {
                format!("{self:?}").into_bytes()
            }
            fn as_any(&self) -> &dyn Any {
                self
            }
        }
        impl $name {
            pub(crate) fn payload(self) -> Payload {
                Payload::Shared(Rc::new(self))
            }
        }
    };
}

local_message!(ToShim);
local_message!(FromShim);

/// The shim of one sandbox.
#[derive(Clone, Debug)]
pub(crate) struct Shim {
    sandbox: Rc<str>,
    pause: Rc<ProcessSpec>,
    pause_pid: Result<Pid, Errno>,
    runtime: Option<Fd>,
    reconnect: Option<TimerId>,
    tasks: BTreeMap<Rc<str>, Task>,
    execs: BTreeMap<u64, Running>,
}

/// A container's first process.
#[derive(Clone, Debug)]
struct Task {
    spec: Rc<ProcessSpec>,
    state: TaskState,
    running: Running,
    log: Rc<str>,
    lines: [Lines; 2],
    attached: Vec<u64>,
}

impl Shim {
    pub(crate) fn new(sandbox: Rc<str>, pause: Rc<ProcessSpec>) -> Shim {
        Shim {
            sandbox,
            pause,
            pause_pid: Err(Errno::ESRCH),
            runtime: None,
            reconnect: None,
            tasks: BTreeMap::new(),
            execs: BTreeMap::new(),
        }
    }

    fn start(&mut self, sys: &mut Sys<'_>) {
        let spec = self.pause.clone();
        let path = spec.args.first().cloned().unwrap_or_default();
        self.pause_pid = sys.spawn(spawn_of(&spec, &spec.args, Exec::Path(path)));
        self.connect(sys);
    }

    fn connect(&mut self, sys: &mut Sys<'_>) {
        self.reconnect = None;
        match sys.unix_connect(SOCKET) {
            Ok(fd) => {
                self.runtime = Some(fd);
                let tasks = self
                    .tasks
                    .iter()
                    .map(|(id, task)| (id.clone(), task.state))
                    .collect();
                let (sandbox, pause) = (self.sandbox.clone(), self.pause_pid);
                self.tell(
                    sys,
                    FromShim::Hello {
                        sandbox,
                        pause,
                        tasks,
                    },
                );
                self.listen(sys);
            }
            Err(_) => self.reconnect = Some(sys.timer(RECONNECT)),
        }
    }

    fn tell(&mut self, sys: &mut Sys<'_>, message: FromShim) {
        if let Some(fd) = self.runtime {
            // A runtime that is gone learns everything from the next Hello.
            let _ = sys.send(fd, message.payload());
        }
    }

    /// Takes what the runtime says. True if it was told to end.
    fn listen(&mut self, sys: &mut Sys<'_>) -> bool {
        while let Some(fd) = self.runtime {
            match sys.recv(fd) {
                Ok(Some(payload)) => {
                    let Some(message) = payload.downcast::<ToShim>() else {
                        continue;
                    };
                    if self.act(sys, message.clone()) {
                        return true;
                    }
                }
                Err(Errno::EAGAIN) => return false,
                Ok(None) | Err(_) => {
                    sys.close(fd);
                    self.runtime = None;
                    self.reconnect = Some(sys.timer(RECONNECT));
                }
            }
        }
        false
    }

    fn act(&mut self, sys: &mut Sys<'_>, message: ToShim) -> bool {
        match message {
            ToShim::Start {
                id,
                spec,
                log,
                stdio,
            } => self.start_task(sys, id, spec, log, stdio),
            ToShim::Kill { id, signal } => {
                if let Some(task) = self.tasks.get(&id)
                    && matches!(task.state, TaskState::Running { .. })
                {
                    // A process that just ended is told of by its parent's wake.
                    let _ = sys.kill(task.running.pid, signal);
                }
            }
            ToShim::Exec {
                stream,
                id,
                args,
                stdio,
            } => self.exec(sys, stream, &id, args, stdio),
            ToShim::Attach { stream, id } => {
                let result = match self.tasks.get_mut(&id) {
                    Some(task) if matches!(task.state, TaskState::Running { .. }) => {
                        task.attached.push(stream);
                        Ok(())
                    }
                    _ => Err("container is not running".to_owned()),
                };
                self.tell(sys, FromShim::Opened { stream, result });
            }
            ToShim::Input { stream, part } => self.input(sys, stream, part),
            ToShim::Shutdown => {
                let running: Vec<Pid> = self
                    .tasks
                    .values()
                    .filter(|task| matches!(task.state, TaskState::Running { .. }))
                    .map(|task| task.running.pid)
                    .chain(self.pause_pid.ok())
                    .chain(self.execs.values().map(|exec| exec.pid))
                    .collect();
                for pid in running {
                    let _ = sys.kill(pid, Signal::Kill);
                }
                return true;
            }
        }
        false
    }

    fn start_task(
        &mut self,
        sys: &mut Sys<'_>,
        id: Rc<str>,
        spec: Rc<ProcessSpec>,
        log: Rc<str>,
        stdio: Stdio,
    ) {
        let result = match run(sys, &spec, &spec.args, stdio) {
            Ok(running) => {
                let pid = running.pid;
                let state = TaskState::Running {
                    pid,
                    since: sys.now(),
                };
                let lines = [Lines::new(Stream::Stdout), Lines::new(Stream::Stderr)];
                // The log exists from the start, so that it can be read and followed.
                let _ = sys.append_file(&log, b"");
                let attached = Vec::new();
                let task = Task {
                    spec,
                    state,
                    running,
                    log,
                    lines,
                    attached,
                };
                self.tasks.insert(id.clone(), task);
                Ok(pid)
            }
            Err(why) => Err(format!(
                "failed to create containerd task: failed to create shim task: OCI runtime create \
                 failed: runc create failed: unable to start container process: error during \
                 container init: {why}"
            )),
        };
        self.tell(
            sys,
            FromShim::Started {
                id: id.clone(),
                result,
            },
        );
        self.pump_task(sys, &id);
    }

    fn exec(&mut self, sys: &mut Sys<'_>, stream: u64, id: &str, args: Vec<Rc<str>>, stdio: Stdio) {
        let spec = match self.tasks.get(id) {
            Some(task) if matches!(task.state, TaskState::Running { .. }) => task.spec.clone(),
            _ => {
                let result = Err("container is not running".to_owned());
                return self.tell(sys, FromShim::Opened { stream, result });
            }
        };
        let result = match run(sys, &spec, &args, stdio) {
            Ok(running) => {
                self.execs.insert(stream, running);
                Ok(())
            }
            Err(why) => Err(format!(
                "OCI runtime exec failed: exec failed: unable to start container process: {why}"
            )),
        };
        self.tell(sys, FromShim::Opened { stream, result });
        self.pump_exec(sys, stream);
    }

    fn input(&mut self, sys: &mut Sys<'_>, stream: u64, part: Part) {
        if part == Part::Abandoned {
            for task in self.tasks.values_mut() {
                task.attached.retain(|attached| *attached != stream);
            }
            if let Some(exec) = self.execs.get(&stream) {
                // As runc does not: a process nobody listens to any more gets the hang-up its
                // closed terminal or pipe would give it at the next write.
                let _ = sys.kill(exec.pid, Signal::Hup);
            }
            return;
        }
        let running = match self.execs.get_mut(&stream) {
            Some(exec) => exec,
            None => match self
                .tasks
                .values_mut()
                .find(|task| task.attached.contains(&stream))
            {
                Some(task) => &mut task.running,
                None => return,
            },
        };
        match part {
            Part::Stdin(bytes) => running.unsent.extend_from_slice(&bytes),
            Part::StdinClosed => running.stdin_closed = true,
            Part::Resize(columns, rows) => {
                if let Some(fd) = running.stdin.filter(|_| running.tty) {
                    let _ = sys.set_tty_size(fd, columns, rows);
                }
            }
            _ => {}
        }
        running.feed(sys);
    }

    /// Reads what a container has written into its log, and to those who joined it.
    fn pump_task(&mut self, sys: &mut Sys<'_>, id: &str) {
        let Some(task) = self.tasks.get_mut(id) else {
            return;
        };
        let now = sys.now();
        for (stream, bytes) in task.running.drain(sys) {
            let entry = match &bytes {
                Some(bytes) => task.lines[stream as usize].push(now, bytes),
                None => task.lines[stream as usize].finish(now),
            };
            if !entry.is_empty() {
                // A log that cannot be written is lost, as on a full disk.
                let _ = sys.append_file(&task.log, &entry);
            }
            let Some(bytes) = bytes else { continue };
            for attached in &task.attached {
                let part = output(stream, bytes.clone());
                let message = FromShim::Output {
                    stream: *attached,
                    part,
                };
                if let Some(fd) = self.runtime {
                    let _ = sys.send(fd, message.payload());
                }
            }
        }
    }

    fn pump_exec(&mut self, sys: &mut Sys<'_>, stream: u64) {
        let Some(exec) = self.execs.get_mut(&stream) else {
            return;
        };
        for (which, bytes) in exec.drain(sys) {
            let Some(bytes) = bytes else { continue };
            self.tell(
                sys,
                FromShim::Output {
                    stream,
                    part: output(which, bytes),
                },
            );
        }
    }

    fn child_ended(&mut self, sys: &mut Sys<'_>, pid: Pid, status: ExitStatus) {
        sys.try_wait(pid);
        let found = self.tasks.iter().find(|(_, task)| {
            task.running.pid == pid && matches!(task.state, TaskState::Running { .. })
        });
        if let Some(id) = found.map(|(id, _)| id.clone()) {
            self.pump_task(sys, &id);
            let end = End {
                at: sys.now(),
                status,
            };
            let Some(task) = self.tasks.get_mut(&id) else {
                return;
            };
            task.state = TaskState::Ended(end);
            let attached = std::mem::take(&mut task.attached);
            for lines in &mut task.lines {
                let rest = lines.finish(end.at);
                if !rest.is_empty() {
                    let _ = sys.append_file(&task.log, &rest);
                }
            }
            task.running.close(sys);
            for stream in attached {
                let part = Part::Exited(status.shell_code());
                self.tell(sys, FromShim::Output { stream, part });
            }
            return self.tell(sys, FromShim::Exited { id, end });
        }
        let exec = self
            .execs
            .iter()
            .find(|(_, exec)| exec.pid == pid)
            .map(|(id, _)| *id);
        if let Some(stream) = exec {
            self.pump_exec(sys, stream);
            if let Some(mut exec) = self.execs.remove(&stream) {
                exec.close(sys);
            }
            let part = Part::Exited(status.shell_code());
            self.tell(sys, FromShim::Output { stream, part });
        }
    }

    fn ready(&mut self, sys: &mut Sys<'_>, fd: Fd) -> bool {
        if self.runtime == Some(fd) {
            return self.listen(sys);
        }
        let task = self.tasks.iter_mut().find(|(_, task)| task.running.has(fd));
        if let Some((id, task)) = task {
            task.running.feed(sys);
            let id = id.clone();
            self.pump_task(sys, &id);
            return false;
        }
        if let Some((stream, exec)) = self.execs.iter_mut().find(|(_, exec)| exec.has(fd)) {
            exec.feed(sys);
            let stream = *stream;
            self.pump_exec(sys, stream);
        }
        false
    }
}

impl Program for Shim {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => self.start(sys),
            Wake::Ready(fd) => {
                if self.ready(sys, fd) {
                    return Poll::Exit(0);
                }
            }
            Wake::Child { pid, status } => self.child_ended(sys, pid, status),
            Wake::Timer(timer) if self.reconnect == Some(timer) => self.connect(sys),
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    /// The end of its runtime, of a terminal or of a pipe is nothing to it.
    fn handles(&self, signal: Signal) -> bool {
        matches!(
            signal,
            Signal::Term | Signal::Int | Signal::Hup | Signal::Pipe
        )
    }
}

fn output(stream: Stream, bytes: Rc<[u8]>) -> Part {
    match stream {
        Stream::Stdout => Part::Stdout(bytes),
        Stream::Stderr => Part::Stderr(bytes),
    }
}
