//! `/proc/PID`: what processes look like as files, made when somebody looks.
//! Models fs/proc/base.c, array.c, fd.c and namespaces.c; memory maps and limits are not modelled.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::rc::Rc;

use net::Errno;
use sim::Pid;

use crate::fs::{Content, Meta, Node};
use crate::mount::{FsId, MountNs, MountNsId, Place};
use crate::process::{Fd, Handle, PidNsId, Process};
use crate::sys::Sys;

/// The file system that places below `/proc/PID` are in; their paths begin with the process's id on
/// the machine.
pub(super) const PROC: FsId = FsId(u32::MAX);

/// The machine's own namespaces by their names, as Linux numbers them.
const NAMESPACES: &[(&str, u64)] = &[
    ("cgroup", 4_026_531_835),
    ("ipc", 4_026_531_839),
    ("mnt", 4_026_531_841),
    ("net", 4_026_531_840),
    ("pid", 4_026_531_836),
    ("time", 4_026_531_834),
    ("user", 4_026_531_837),
    ("uts", 4_026_531_838),
];

/// Above the numbers of those of the machine.
const OTHERS: u64 = 4_026_532_000;

impl Process {
    /// The inode of the namespace of a kind it lives in, as `/proc/PID/ns` tells it: `net`, `mnt`,
    /// `pid`, `uts` and `ipc` are a pod's or a container's own; the rest are the machine's.
    #[must_use]
    pub fn namespace(&self, kind: &str) -> Option<u64> {
        let (_, own) = NAMESPACES.iter().find(|(name, _)| *name == kind)?;
        let other = match kind {
            "net" => self.netns.0 * 4,
            "uts" | "ipc" if self.hostname.is_some() => self.netns.0 * 4,
            "mnt" => u64::from(self.mounts.0) * 4 + 1,
            "pid" => u64::from(self.pid_ns.0) * 4 + 2,
            _ => 0,
        };
        let step = match kind {
            "uts" => 3,
            "ipc" => 1_000_003,
            _ => 0,
        };
        // The first of a kind is the machine's.
        let is_own = match kind {
            "mnt" => self.mounts == MountNsId(0),
            "pid" => self.pid_ns == PidNsId(0),
            _ => other == 0,
        };
        Some(if is_own { *own } else { OTHERS + other + step })
    }

    /// Kinds of namespaces, as [`Process::namespace`] knows them.
    pub fn namespace_kinds() -> impl Iterator<Item = &'static str> {
        NAMESPACES.iter().map(|(name, _)| *name)
    }
}

impl Sys<'_> {
    /// Where a path below `/proc/PID` leads; `None` if it is no such path.
    pub(super) fn resolve_process(&self, path: &str, follow: bool) -> Option<Result<Place, Errno>> {
        let cwd = self.cwd();
        let start = if path.starts_with('/') { path } else { &*cwd };
        if !start.starts_with("/proc") {
            return None;
        }
        let full = MountNs::normalise(&cwd, path);
        let rest = full.strip_prefix("/proc/")?;
        let (who, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let pid = match who {
            "self" | "thread-self" if rest.is_empty() && !follow => {
                let place = format!("/{who}");
                return Some(Ok(process_place(place)));
            }
            "self" | "thread-self" => self.pid(),
            number => self.global_pid(number.parse().ok()?),
        };
        let seen = self.processes().iter().any(|info| info.pid == pid);
        let process = self.host().process(pid).filter(|_| seen)?;
        let (name, below) = rest.split_once('/').unwrap_or((rest, ""));
        let inside = match name {
            "root" if follow || !below.is_empty() => format!("/{below}"),
            "cwd" if follow || !below.is_empty() => format!("{}/{below}", process.cwd),
            "exe" if follow => match executable(process) {
                Some(path) => path,
                None => return Some(Err(Errno::ENOENT)),
            },
            _ => return Some(Ok(process_place(format!("/{}/{rest}", pid.0)))),
        };
        let host = self.host();
        let mounts = host.mounts.get(&process.mounts);
        let found = mounts.ok_or(Errno::ENOENT);
        Some(found.and_then(|mounts| mounts.resolve(&host.trees, "/", &inside, follow)))
    }

    /// The node of a place of [`PROC`].
    pub(super) fn process_node(&self, path: &str) -> Result<Cow<'_, Node>, Errno> {
        let rest = path.strip_prefix('/').unwrap_or(path);
        let (who, rest) = rest.split_once('/').unwrap_or((rest, ""));
        let local = |pid: Pid| self.local_pid(pid).to_string();
        if matches!(who, "self" | "thread-self") {
            return Ok(Cow::Owned(link(&local(self.pid()))));
        }
        let pid = who.parse().map(Pid).map_err(|_| Errno::ENOENT)?;
        let process = self.host().process(pid).ok_or(Errno::ENOENT)?;
        let node = match rest.trim_end_matches('/').split_once('/') {
            None => match rest.trim_end_matches('/') {
                "" => {
                    let node = |name: &&str| Some((Rc::from(*name), self.entry(process, name)?));
                    directory(ENTRIES.iter().filter_map(node))
                }
                name => self.entry(process, name).ok_or(Errno::ENOENT)?,
            },
            Some(("task", number)) if number == local(pid) => directory(std::iter::empty()),
            Some((parent, name)) => {
                let parent = self.entry(process, parent).ok_or(Errno::ENOENT)?;
                let entries = parent.entries().ok_or(Errno::ENOTDIR)?;
                entries.get(name).cloned().ok_or(Errno::ENOENT)?
            }
        };
        let mut node = node;
        (node.meta.uid, node.meta.gid) = (process.uid, process.gid);
        node.meta.mtime = process.started;
        Ok(Cow::Owned(node))
    }

    /// What a descriptor of another process names, by a place `/PID/fd/N`.
    pub(super) fn process_handle(&self, place: &Place) -> Option<Handle> {
        if place.fs != PROC {
            return None;
        }
        let mut names = place.path.split('/').skip(1);
        let process = self.host().process(Pid(names.next()?.parse().ok()?))?;
        let number = names
            .next()
            .filter(|name| *name == "fd")
            .and(names.next())?;
        process.fds.get(&Fd(number.parse().ok()?)).cloned()
    }

    /// Entries that `/proc` has beside those of the machine: a directory for each process.
    pub(super) fn process_entries(&self) -> Vec<(Rc<str>, Node)> {
        let mut found: Vec<(Rc<str>, Node)> = Vec::new();
        for info in self.processes() {
            let name = self.local_pid(info.pid).to_string().into();
            found.push((name, Node::dir(0o555)));
        }
        let own = self.local_pid(self.pid()).to_string();
        found.push(("self".into(), link(&own)));
        found
    }

    fn entry(&self, process: &Process, name: &str) -> Option<Node> {
        let text = |text: String| Node::file(text, 0o444);
        Some(match name {
            "cmdline" => text(process.args.iter().map(|arg| format!("{arg}\0")).collect()),
            "comm" => text(format!("{}\n", short_name(process))),
            "environ" => {
                let pairs = process.env.iter();
                let pairs: String = pairs
                    .map(|(key, value)| format!("{key}={value}\0"))
                    .collect();
                Node::file(pairs, 0o400)
            }
            "cgroup" => text(format!("0::{}\n", self.group_seen(process))),
            "status" => text(self.status(process)),
            "mounts" => text(self.mounts_of(process)),
            "oom_score_adj" => Node::file("0\n", 0o644),
            "cwd" => link(&process.cwd),
            "root" => link("/"),
            "exe" => link(&executable(process)?),
            "fd" => directory(process.fds.iter().map(|(fd, handle)| {
                let name = Rc::from(fd.0.to_string());
                (name, link(&self.shown(handle)))
            })),
            "ns" => directory(Process::namespace_kinds().filter_map(|kind| {
                let inode = process.namespace(kind)?;
                Some((Rc::from(kind), link(&format!("{kind}:[{inode}]"))))
            })),
            "task" => {
                let own = self.local_pid(process.pid).to_string();
                directory(std::iter::once((Rc::from(own), Node::dir(0o555))))
            }
            _ => return None,
        })
    }

    /// A control group as this process sees it: in a container, its own is the root.
    fn group_seen(&self, process: &Process) -> Rc<str> {
        let own = self.process().map(|own| (own.pid_ns, own.cgroup.clone()));
        match own {
            Some((ns, own)) if ns != PidNsId(0) && own == process.cgroup => "/".into(),
            _ if process.cgroup.is_empty() => "/".into(),
            _ => process.cgroup.clone(),
        }
    }

    fn status(&self, process: &Process) -> String {
        let state = match process.stopped {
            true => "T (stopped)",
            false if process.pid == self.pid() => "R (running)",
            false => "S (sleeping)",
        };
        let seen = |pid: Pid| self.processes().iter().any(|info| info.pid == pid);
        let parent = match seen(process.ppid) {
            true => self.local_pid(process.ppid),
            false => 0,
        };
        let (pid, uid, gid) = (self.local_pid(process.pid), process.uid, process.gid);
        let name = short_name(process);
        format!(
            "Name:\t{name}\nUmask:\t0022\nState:\t{state}\nTgid:\t{pid}\nNgid:\t0\nPid:\t{pid}\n\
             PPid:\t{parent}\nTracerPid:\t0\nUid:\t{uid}\t{uid}\t{uid}\t{uid}\n\
             Gid:\t{gid}\t{gid}\t{gid}\t{gid}\nFDSize:\t64\n"
        )
    }

    /// What is mounted in the namespace of a process, as `/proc/mounts` has it.
    pub(crate) fn mounts_of(&self, process: &Process) -> String {
        let host = self.host();
        let Some(ns) = host.mounts.get(&process.mounts) else {
            return String::new();
        };
        let root = match ns.root {
            FsId(0) => "/dev/vda1 / ext4 rw,relatime 0 0\n",
            _ => "overlay / overlay rw,relatime 0 0\n",
        };
        let mut text = String::from(root);
        text.push_str(
            "proc /proc proc rw,nosuid,nodev,noexec,relatime 0 0\n\
             sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime 0 0\n",
        );
        for mount in ns.mounts.iter() {
            let (device, kind) = match mount.fs {
                FsId(0) => ("/dev/vda1", "ext4"),
                _ => ("tmpfs", "tmpfs"),
            };
            let mode = if mount.read_only { "ro" } else { "rw" };
            text.push_str(&format!(
                "{device} {} {kind} {mode},relatime 0 0\n",
                mount.at
            ));
        }
        text
    }

    fn shown(&self, handle: &Handle) -> String {
        match handle {
            Handle::Null => "/dev/null".to_owned(),
            Handle::PipeRead(id) | Handle::PipeWrite(id) => format!("pipe:[{}]", 20_000 + id.0),
            Handle::Tty(id) => format!("/dev/pts/{}", id.0),
            Handle::PtyMaster(_) => "/dev/ptmx".to_owned(),
            Handle::File(id) => self.host().open_path(*id).unwrap_or_default(),
            Handle::Socket(id) => format!("socket:[{}]", 30_000 + id.0),
            Handle::UnixListener(id) | Handle::Unix(id) => format!("socket:[{}]", 60_000 + id.0),
            Handle::Log(_) => "socket:[19999]".to_owned(),
            Handle::Sink { id, .. } => format!("pipe:[{}]", 10_000 + id),
        }
    }
}

/// Names below `/proc/PID`.
const ENTRIES: &[&str] = &[
    "cgroup",
    "cmdline",
    "comm",
    "cwd",
    "environ",
    "exe",
    "fd",
    "mounts",
    "ns",
    "oom_score_adj",
    "root",
    "status",
    "task",
];

fn process_place(path: String) -> Place {
    Place {
        fs: PROC,
        path,
        read_only: true,
    }
}

fn short_name(process: &Process) -> String {
    process.name().chars().take(15).collect()
}

/// The path of the executable, where the process was called by it.
fn executable(process: &Process) -> Option<String> {
    let first = process.args.first()?;
    Some(match first.starts_with('/') {
        true => first
            .split(' ')
            .next()
            .unwrap_or(first)
            .trim_end_matches(':')
            .to_owned(),
        false => format!("/usr/bin/{}", process.name()),
    })
}

fn link(target: &str) -> Node {
    Node {
        meta: Meta::root(0o777),
        content: Content::Symlink(target.into()),
    }
}

fn directory(entries: impl Iterator<Item = (Rc<str>, Node)>) -> Node {
    let entries: BTreeMap<Rc<str>, Node> = entries.collect();
    Node {
        meta: Meta::root(0o555),
        content: Content::Dir(Rc::new(entries)),
    }
}

#[cfg(test)]
mod tests {
    use sim::EntryId;

    use super::*;
    use crate::procfs::put_proc;
    use crate::testing::TestBox;

    #[test]
    fn a_process_is_a_directory() {
        let mut test = TestBox::new(|_| None, &[]);
        let entered = test.world.enter(test.machine, EntryId::NONE, |sys| {
            put_proc(sys.host_mut().disk_mut()).expect("a new tree");
            // Nothing runs on this machine but what looks.
            assert_eq!(sys.read_file("/proc/77/comm"), Err(Errno::ENOENT));
            assert_eq!(sys.stat("/proc/77").err(), Some(Errno::ENOENT));
            let entries = sys.read_dir("/proc").expect("there");
            assert!(entries.iter().any(|entry| &*entry.name == "self"));
            assert!(entries.iter().any(|entry| &*entry.name == "meminfo"));
        });
        entered.expect("the machine runs");
    }
}
