//! A host: hardware facts, file systems, processes and the kernel objects they share.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use net::{NetnsId, SocketId};
use sim::{Instant, MachineId, Pid, Stream};

use crate::fs::{Content, Node, Tree};
use crate::mount::{FsId, MountNs, MountNsId};
use crate::pipe::{Pipe, Unix, Waiters};
use crate::power::Boot;
use crate::process::{OpenId, PidNsId, PipeId, Process, UnixId};
use crate::program::WatchId;
use crate::tty::{Tty, TtyId};
use crate::unit::Unit;

/// What a machine is made of.
#[derive(Clone, Debug)]
pub struct HostSpec {
    /// Its name.
    pub name: Rc<str>,
    /// Processors.
    pub cpus: u32,
    /// Memory in bytes.
    pub memory: u64,
    /// Disk in bytes.
    pub disk: u64,
    /// `uname -r`.
    pub kernel: Rc<str>,
    /// The name of the distribution, with its version.
    pub os_image: Rc<str>,
    /// Its files when it is first switched on.
    pub files: Tree,
}

/// A line of the machine's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLine {
    /// When.
    pub at: Instant,
    /// The unit it belongs to: `kubelet.service`.
    pub unit: Rc<str>,
    /// Who wrote it: `kubelet`, `systemd`.
    pub name: Rc<str>,
    /// The process that wrote it.
    pub pid: Pid,
    /// The text, without its newline.
    pub text: Rc<str>,
}

/// A user as `/etc/passwd` has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: Rc<str>,
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Home directory.
    pub home: Rc<str>,
    /// Login shell.
    pub shell: Rc<str>,
}

/// An open file description.
#[derive(Clone, Debug)]
pub(crate) struct OpenFile {
    pub(crate) fs: FsId,
    pub(crate) path: String,
    pub(crate) offset: u64,
    pub(crate) append: bool,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
    pub(crate) refs: u32,
}

/// A process's interest in a path.
#[derive(Clone, Debug)]
pub(crate) struct Watch {
    pub(crate) pid: Pid,
    pub(crate) fs: FsId,
    pub(crate) path: String,
}

/// Lines of log a machine keeps.
const LOG_LINES: usize = 10_000;

/// A machine.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its id.
    pub id: MachineId,
    /// Its hardware and name; the name changes with `hostnamectl`.
    pub spec: HostSpec,
    /// Whether it is switched on.
    pub powered: bool,
    /// A new one at each boot.
    pub boot_id: Rc<str>,
    /// When it was switched on.
    pub booted: Instant,
    /// The times in which it was on, oldest first; the last goes on while it is on.
    pub boots: Rc<Vec<Boot>>,
    /// Whether it is being shut down.
    pub halting: bool,
    /// Its own network namespace.
    pub netns: NetnsId,
    /// Its units by name.
    pub units: BTreeMap<Rc<str>, Unit>,
    pub(crate) trees: BTreeMap<FsId, Tree>,
    pub(crate) mounts: BTreeMap<MountNsId, MountNs>,
    /// The directories whose files are kept in memory.
    pub(crate) tmpfs: BTreeSet<Rc<str>>,
    pub(crate) processes: BTreeMap<Pid, Rc<Process>>,
    pub(crate) ttys: BTreeMap<TtyId, Tty>,
    pub(crate) pipes: BTreeMap<PipeId, Rc<Pipe>>,
    pub(crate) unixes: BTreeMap<UnixId, Unix>,
    pub(crate) opens: BTreeMap<OpenId, OpenFile>,
    pub(crate) watches: BTreeMap<WatchId, Watch>,
    pub(crate) socket_waiters: BTreeMap<SocketId, Waiters>,
    pub(crate) socket_refs: BTreeMap<SocketId, u32>,
    pub(crate) log: Rc<VecDeque<LogLine>>,
    pub(crate) random: Stream,
    pub(crate) next_id: u32,
    pub(crate) next_pid: u32,
}

impl Host {
    pub(crate) fn new(id: MachineId, spec: HostSpec, netns: NetnsId, mut random: Stream) -> Host {
        let boot_id = random.uuid().into();
        let trees = BTreeMap::from([(FsId(0), spec.files.clone())]);
        let own = MountNs {
            root: FsId(0),
            mounts: Rc::default(),
        };
        Host {
            id,
            spec,
            powered: false,
            boot_id,
            booted: Instant::ZERO,
            boots: Rc::default(),
            halting: false,
            netns,
            units: BTreeMap::new(),
            trees,
            mounts: BTreeMap::from([(MountNsId(0), own)]),
            tmpfs: BTreeSet::new(),
            processes: BTreeMap::new(),
            ttys: BTreeMap::new(),
            pipes: BTreeMap::new(),
            unixes: BTreeMap::new(),
            opens: BTreeMap::new(),
            watches: BTreeMap::new(),
            socket_waiters: BTreeMap::new(),
            socket_refs: BTreeMap::new(),
            log: Rc::default(),
            random,
            next_id: 1,
            next_pid: 1,
        }
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &Rc<str> {
        &self.spec.name
    }

    /// Processes by id.
    pub fn processes(&self) -> impl Iterator<Item = &Process> {
        self.processes.values().map(|process| &**process)
    }

    /// The process with this id.
    #[must_use]
    pub fn process(&self, pid: Pid) -> Option<&Process> {
        self.processes.get(&pid).map(|process| &**process)
    }

    /// The file or directory that a process sees under a path, with its mounts and links.
    #[must_use]
    pub fn seen_by(&self, process: &Process, path: &str) -> Option<&Node> {
        let mounts = self.mounts.get(&process.mounts)?;
        let place = mounts.resolve(&self.trees, &process.cwd, path, true).ok()?;
        self.trees.get(&place.fs)?.get(&place.path)
    }

    /// The path by which an open file was opened, within its file system.
    #[must_use]
    pub fn open_path(&self, id: OpenId) -> Option<String> {
        self.opens.get(&id).map(|open| open.path.clone())
    }

    /// The machine's disk.
    #[must_use]
    pub fn disk(&self) -> &Tree {
        &self.trees[&FsId(0)]
    }

    /// The machine's disk, to be changed from outside; nobody is told of the change.
    pub fn disk_mut(&mut self) -> &mut Tree {
        self.trees.entry(FsId(0)).or_default()
    }

    /// The terminal with this id.
    #[must_use]
    pub fn tty(&self, id: TtyId) -> Option<&Tty> {
        self.ttys.get(&id)
    }

    /// Its log, oldest line first.
    pub fn log(&self) -> impl DoubleEndedIterator<Item = &LogLine> {
        self.log.iter()
    }

    /// Users of `/etc/passwd`.
    #[must_use]
    pub fn users(&self) -> Vec<User> {
        let Some(Content::File(bytes)) = self.disk().get("/etc/passwd").map(|n| &n.content) else {
            return Vec::new();
        };
        String::from_utf8_lossy(bytes)
            .lines()
            .filter_map(parse_user)
            .collect()
    }

    pub(crate) fn process_mut(&mut self, pid: Pid) -> Option<&mut Process> {
        self.processes.get_mut(&pid).map(Rc::make_mut)
    }

    pub(crate) fn fresh(&mut self) -> u32 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }

    pub(crate) fn fresh_pid(&mut self) -> Pid {
        let pid = Pid(self.next_pid);
        self.next_pid += 1;
        pid
    }

    pub(crate) fn fresh_pid_ns(&mut self) -> PidNsId {
        PidNsId(self.fresh())
    }

    pub(crate) fn push_log(&mut self, line: LogLine) {
        let log = Rc::make_mut(&mut self.log);
        if log.len() == LOG_LINES {
            log.pop_front();
        }
        log.push_back(line);
    }
}

/// `root:x:0:0:root:/root:/bin/bash`.
fn parse_user(line: &str) -> Option<User> {
    let mut fields = line.split(':');
    let name = fields.next()?.into();
    let mut number = |skip: usize| fields.nth(skip)?.parse().ok();
    let (uid, gid) = (number(1)?, number(0)?);
    Some(User {
        name,
        uid,
        gid,
        home: fields.nth(1)?.into(),
        shell: fields.next()?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_are_read_from_passwd() {
        let user = parse_user("www:x:33:34:web:/var/www:/bin/sh").unwrap();
        let expect = (33, 34, "/var/www", "/bin/sh");
        assert_eq!((user.uid, user.gid, &*user.home, &*user.shell), expect);
        assert_eq!(parse_user("broken"), None);
    }
}
