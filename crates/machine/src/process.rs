//! Processes: what the machine knows of a running program.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;
use std::rc::Rc;

use net::{NetnsId, Payload, RecordingId, SocketId};
use sim::{Instant, Pid, typed_id};

use crate::mount::MountNsId;
use crate::program::Program;
use crate::tty::TtyId;

typed_id!(
    /// A file descriptor of a process.
    Fd(u32)
);
typed_id!(
    /// A timer armed by a process.
    TimerId(u64)
);
typed_id!(
    /// A pipe of a machine.
    PipeId(u32)
);
typed_id!(
    /// An open file description of a machine: an offset shared by the descriptors that name it.
    OpenId(u32)
);
typed_id!(
    /// One end of a unix-domain connection, or a listener.
    UnixId(u32)
);
typed_id!(
    /// A process-id namespace of a machine; 0 is the machine's own.
    PidNsId(u32)
);

impl Fd {
    /// Standard input.
    pub const STDIN: Fd = Fd(0);
    /// Standard output.
    pub const STDOUT: Fd = Fd(1);
    /// Standard error.
    pub const STDERR: Fd = Fd(2);
}

/// The environment of a process, shared until changed.
pub type Env = Rc<BTreeMap<Rc<str>, Rc<str>>>;

/// Signals by their Linux numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
#[expect(missing_docs, reason = "the names are the documentation: signal(7)")]
pub enum Signal {
    Hup = 1,
    Int = 2,
    Quit = 3,
    Kill = 9,
    Usr1 = 10,
    Usr2 = 12,
    Pipe = 13,
    Alrm = 14,
    Term = 15,
    Chld = 17,
    Cont = 18,
    Stop = 19,
    Tstp = 20,
    Winch = 28,
}

impl Signal {
    /// All signals, by number.
    pub const ALL: [Signal; 14] = {
        use Signal::*;
        [
            Hup, Int, Quit, Kill, Usr1, Usr2, Pipe, Alrm, Term, Chld, Cont, Stop, Tstp, Winch,
        ]
    };

    /// The signal with this number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Signal> {
        Signal::ALL
            .into_iter()
            .find(|signal| *signal as u8 == number)
    }

    /// The signal called `name`, with or without `SIG`, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Signal> {
        let upper = name.to_ascii_uppercase();
        let short = upper.strip_prefix("SIG").unwrap_or(&upper);
        Signal::ALL
            .into_iter()
            .find(|signal| signal.name() == short)
    }

    /// The name without `SIG`: `TERM`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Signal::Hup => "HUP",
            Signal::Int => "INT",
            Signal::Quit => "QUIT",
            Signal::Kill => "KILL",
            Signal::Usr1 => "USR1",
            Signal::Usr2 => "USR2",
            Signal::Pipe => "PIPE",
            Signal::Alrm => "ALRM",
            Signal::Term => "TERM",
            Signal::Chld => "CHLD",
            Signal::Cont => "CONT",
            Signal::Stop => "STOP",
            Signal::Tstp => "TSTP",
            Signal::Winch => "WINCH",
        }
    }

    pub(crate) fn ignored_by_default(self) -> bool {
        matches!(self, Signal::Chld | Signal::Winch | Signal::Cont)
    }
}

/// How a process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ExitStatus {
    /// It returned this code, 0 to 255.
    Code(i32),
    /// A signal ended it.
    Signal(Signal),
}

impl ExitStatus {
    /// The code a shell or a container runtime shows: 128 plus the number for a signal.
    #[must_use]
    pub fn shell_code(self) -> i32 {
        match self {
            ExitStatus::Code(code) => code,
            ExitStatus::Signal(signal) => 128 + i32::from(signal as u8),
        }
    }

    /// Whether it ended with code 0.
    #[must_use]
    pub fn success(self) -> bool {
        self == ExitStatus::Code(0)
    }
}

/// What a file descriptor names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handle {
    /// Reads as end of file, swallows what is written.
    Null,
    /// The reading end of a pipe.
    PipeRead(PipeId),
    /// The writing end of a pipe.
    PipeWrite(PipeId),
    /// A terminal.
    Tty(TtyId),
    /// The master side of a pseudo-terminal.
    PtyMaster(TtyId),
    /// An open file.
    File(OpenId),
    /// A network socket.
    Socket(SocketId),
    /// A listening unix-domain socket.
    UnixListener(UnixId),
    /// One end of a unix-domain connection.
    Unix(UnixId),
    /// The unit's lines in the machine's log.
    Log(Rc<str>),
    /// The world outside, which collects what a command prints.
    Sink {
        /// The collector, numbered by the caller.
        id: u32,
        /// Whether it is standard error.
        stderr: bool,
    },
}

/// A running program and what belongs to it.
#[derive(Clone)]
pub struct Process {
    /// Its id.
    pub pid: Pid,
    /// Its parent.
    pub ppid: Pid,
    /// Its process group: what a terminal's signals go to.
    pub pgrp: Pid,
    /// Its controlling terminal.
    pub tty: Option<TtyId>,
    /// Its arguments; the first is the name it was called by.
    pub args: Rc<[Rc<str>]>,
    /// The version of its executable, empty where none is told.
    pub version: Rc<str>,
    /// Its environment.
    pub env: Env,
    /// Its working directory: a normalised absolute path.
    pub cwd: Rc<str>,
    /// The user it runs as.
    pub uid: u32,
    /// The group it runs as.
    pub gid: u32,
    /// The groups it is in besides.
    pub groups: Rc<[u32]>,
    /// The network namespace it lives in.
    pub netns: NetnsId,
    /// The mount namespace it lives in.
    pub mounts: MountNsId,
    /// The process-id namespace it lives in.
    pub pid_ns: PidNsId,
    /// Whether it is the first process of its process-id namespace, which default signals do not
    /// end.
    pub is_init: bool,
    /// The name of its machine, if its namespace has one of its own (a pod).
    pub hostname: Option<Rc<str>>,
    /// The control group it is accounted to: `/system.slice/kubelet.service`.
    pub cgroup: Rc<str>,
    /// When it began.
    pub started: Instant,
    /// Its descriptors.
    pub fds: BTreeMap<Fd, Handle>,
    /// Children that run (`None`) or ended and wait to be asked for.
    pub children: BTreeMap<Pid, Option<ExitStatus>>,
    /// Stopped by a signal; wakes wait in `deferred`.
    pub stopped: bool,
    pub(crate) deferred: Vec<crate::program::Wake>,
    pub(crate) timers: BTreeSet<TimerId>,
    pub(crate) ready: Vec<Fd>,
    pub(crate) next_timer: u64,
    /// Answers of the outside that were not collected yet.
    pub(crate) answers: BTreeMap<u64, Option<Rc<str>>>,
    /// What the outside handed in and was not taken yet, oldest first.
    pub(crate) parcels: VecDeque<Payload>,
    /// Whether its end closes its terminal.
    pub(crate) leads_tty: bool,
    /// The collector outside that is told of its end.
    pub(crate) leads_sink: Option<u32>,
    /// Whether it is still being loaded: its program has not run yet.
    pub(crate) loading: bool,
    /// Who wants to know the way of what it and its children send.
    pub(crate) recording: Option<RecordingId>,
    /// What it becomes once its poll is over (`execve`).
    pub(crate) successor: Option<Box<dyn Program>>,
    /// The program; taken out only while it is being polled.
    pub(crate) program: Option<Box<dyn Program>>,
}

impl Process {
    /// The name `ps` shows: the last part of the first argument, without what a daemon adds to it
    /// (`sshd: root@pts/0`) and without the dash of a login shell.
    #[must_use]
    pub fn name(&self) -> &str {
        let first = self.args.first().map_or("", |arg| arg);
        let first = first.split(": ").next().unwrap_or(first);
        first
            .rsplit('/')
            .next()
            .unwrap_or(first)
            .trim_start_matches('-')
    }

    pub(crate) fn free_fd(&self) -> Fd {
        let mut free = 0;
        for fd in self.fds.keys() {
            if fd.0 != free {
                break;
            }
            free += 1;
        }
        Fd(free)
    }
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "pid {} {:?}", self.pid, self.args)
    }
}
