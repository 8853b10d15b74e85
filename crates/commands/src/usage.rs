//! What programs take of a machine. Memory, threads and processor time are not modelled: these are
//! plausible numbers for what is known by name, for the tools that show them.

#![allow(dead_code, reason = "ps and top come to read all of it")]

use machine::{Process, Sys};
use sim::{Duration, Instant, Pid};

/// What a process takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Usage {
    /// Resident memory in KiB.
    pub(crate) resident: u64,
    /// Address space in KiB.
    pub(crate) size: u64,
    /// Threads.
    pub(crate) threads: u32,
    /// Processor time so far is the age divided by this.
    slowness: u32,
}

/// What the process called `name` takes.
pub(crate) fn of(name: &str) -> Usage {
    let (resident, size, threads, slowness) = match name {
        "kube-apiserver" => (301_220, 1_520_764, 12, 25),
        "etcd" => (62_440, 11_740_508, 11, 60),
        "kube-controller-manager" => (118_604, 1_324_892, 9, 80),
        "kube-scheduler" => (64_512, 1_296_580, 10, 250),
        "kubelet" => (98_304, 2_044_720, 13, 70),
        "kube-proxy" => (46_080, 1_297_348, 8, 900),
        "coredns" => (43_520, 747_724, 11, 500),
        "containerd" => (72_704, 2_128_680, 14, 110),
        "containerd-shim-runc-v2" => (13_312, 1_238_548, 11, 2000),
        "pause" => (640, 1020, 1, 100_000),
        "init" | "systemd" => (13_440, 22_424, 1, 1000),
        "sshd" => (9984, 15_436, 1, 20_000),
        "bash" => (5120, 8776, 1, 20_000),
        "dash" | "sh" | "ash" => (1792, 2800, 1, 20_000),
        "nginx" => (7680, 11_584, 1, 20_000),
        _ => (3328, 6140, 1, 20_000),
    };
    Usage {
        resident,
        size,
        threads,
        slowness,
    }
}

impl Usage {
    /// Processor time used in a life of this length.
    pub(crate) fn time(self, age: Duration) -> Duration {
        age / self.slowness
    }
}

/// A process as tools list it; ids are those of the namespace that looks.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Its id.
    pub(crate) pid: u32,
    /// Its parent's; 0 if that is outside.
    pub(crate) ppid: u32,
    /// Its process group.
    pub(crate) pgrp: u32,
    /// Its user.
    pub(crate) uid: u32,
    /// `pts/3`, or nothing.
    pub(crate) tty: Option<String>,
    /// When it began.
    pub(crate) started: Instant,
    /// `Ss+` and the like.
    pub(crate) state: String,
    /// The name of its program.
    pub(crate) name: String,
    /// Its command line.
    pub(crate) command: String,
    /// What it takes.
    pub(crate) usage: Usage,
    /// Its id for the machine.
    pub(crate) global: Pid,
}

/// The processes the caller sees, by id.
pub(crate) fn processes(sys: &Sys<'_>) -> Vec<Entry> {
    let seen: Vec<Pid> = sys.processes().into_iter().map(|info| info.pid).collect();
    let entries = seen.iter().filter_map(|pid| sys.host().process(*pid));
    entries.map(|process| entry(sys, process, &seen)).collect()
}

fn entry(sys: &Sys<'_>, process: &Process, seen: &[Pid]) -> Entry {
    let tty = process.tty.and_then(|id| sys.host().tty(id));
    let usage = of(process.name());
    let mut state = match process.stopped {
        true => "T".to_owned(),
        false if process.pid == sys.pid() => "R".to_owned(),
        false => "S".to_owned(),
    };
    if process.pid == process.pgrp && (process.tty.is_none() || process.ppid == Pid(1)) {
        state.push('s');
    }
    if usage.threads > 1 {
        state.push('l');
    }
    if tty.is_some_and(|tty| tty.foreground == Some(process.pgrp)) {
        state.push('+');
    }
    let local = |pid: Pid| {
        if seen.contains(&pid) {
            sys.local_pid(pid)
        } else {
            0
        }
    };
    Entry {
        pid: local(process.pid),
        ppid: local(process.ppid),
        pgrp: local(process.pgrp),
        uid: process.uid,
        tty: process.tty.map(|id| format!("pts/{}", id.0)),
        started: process.started,
        state,
        name: process.name().chars().take(15).collect(),
        command: process.args.join(" "),
        usage,
        global: process.pid,
    }
}

/// Memory in use on the machine, in KiB: its processes and the kernel.
pub(crate) fn memory(sys: &Sys<'_>) -> u64 {
    let processes: u64 = sys.host().processes().map(|p| of(p.name()).resident).sum();
    processes + 168_960
}

/// Whether the tools here are those of BusyBox.
pub(crate) async fn busybox(io: &machine::Io) -> bool {
    io.sys(|sys| sys.exists("/bin/busybox")).await
}
