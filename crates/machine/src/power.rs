//! A machine goes on and off: booted, halted in an orderly way, or cut off from its power. Its disk
//! stays, save what lies in memory (`/run`, `/tmp`).
//! Models what a person sees of firmware, systemd-shutdown and systemd-logind.

use std::rc::Rc;

use net::NetnsId;
use sim::{Duration, EntryId, Instant, Kind, MachineId, Pid};

use crate::host::LogLine;
use crate::mount::MountNsId;
use crate::process::{ExitStatus, Fd, Handle, PidNsId, Process, Signal};
use crate::program::Wake;
use crate::sys::Sys;
use crate::tty::Screen;
use crate::unit::Init;
use crate::world::{Event, World};

static BOOTED: Kind = Kind {
    name: "machine.boot",
    says: "{0} is switched on",
};
static OFF: Kind = Kind {
    name: "machine.off",
    says: "{0} is switched off",
};

/// From the order to stop until what still runs is killed.
const STOPPING: Duration = Duration::from_secs(3);
/// Disks are unmounted, and what was sent last leaves the machine.
const UNMOUNTING: Duration = Duration::from_millis(500);
/// Firmware, boot loader and kernel of a small virtual machine.
const BOOT_TIME: Duration = Duration::from_secs(13);

/// A step of going down or coming back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What still runs is killed; the network is still there.
    Kill {
        /// Whether the machine comes back.
        reboot: bool,
    },
    /// The machine is off.
    Off {
        /// Whether it comes back.
        reboot: bool,
    },
    /// It is switched on.
    Boot,
}

/// A time in which a machine was on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Boot {
    /// The boot id.
    pub id: Rc<str>,
    /// When it was switched on.
    pub from: Instant,
    /// When it was switched off; none while it runs.
    pub until: Option<Instant>,
    /// Whether it was shut down, and not cut off.
    pub is_clean: bool,
}

impl World {
    /// Switches a machine on: its first process starts what is enabled.
    pub fn boot(&mut self, id: MachineId, cause: EntryId) {
        let now = self.now();
        if self.host(id).powered {
            return;
        }
        let name = self.host(id).name().clone();
        let cause = self.note(id, cause, &BOOTED, &[name.into()]);
        self.net.set_machine_up(id, true);
        let host = self.host_mut(id);
        host.powered = true;
        host.halting = false;
        host.booted = now;
        host.boot_id = host.random.uuid().into();
        let boot = Boot {
            id: host.boot_id.clone(),
            from: now,
            until: None,
            is_clean: false,
        };
        Rc::make_mut(&mut host.boots).push(boot);
        host.next_pid = 1;
        let netns = host.netns;
        let pid = host.fresh_pid();
        let init = Process {
            pid,
            ppid: Pid(0),
            pgrp: pid,
            tty: None,
            args: Rc::from(["/sbin/init".into()]),
            version: "".into(),
            env: Rc::default(),
            cwd: "/".into(),
            uid: 0,
            gid: 0,
            groups: Rc::default(),
            netns,
            mounts: MountNsId(0),
            pid_ns: PidNsId(0),
            is_init: true,
            hostname: None,
            cgroup: "/init.scope".into(),
            started: now,
            fds: [(Fd(0), Handle::Null)].into(),
            children: Default::default(),
            stopped: false,
            deferred: Vec::new(),
            timers: Default::default(),
            ready: Vec::new(),
            next_timer: 1,
            answers: Default::default(),
            parcels: Default::default(),
            leads_tty: false,
            leads_sink: None,
            recording: None,
            loading: true,
            successor: None,
            program: Some(Box::new(Init::default())),
        };
        host.processes.insert(pid, Rc::new(init));
        self.wake(id, pid, Wake::Start, cause);
    }

    /// Switches a machine off at once: its processes are gone, its disk stays.
    pub fn power_off(&mut self, id: MachineId, cause: EntryId) {
        if !self.host(id).powered {
            return;
        }
        let name = self.host(id).name().clone();
        let cause = self.note(id, cause, &OFF, &[name.into()]);
        self.net.set_machine_up(id, false);
        self.kill_all(id, cause);
        let now = self.now();
        let host = self.host_mut(id);
        let is_clean = host.halting;
        if let Some(boot) = Rc::make_mut(&mut host.boots).last_mut() {
            boot.until = Some(now);
            boot.is_clean = is_clean;
        }
        let own = self.host(id).netns;
        let namespaces: Vec<NetnsId> = self
            .net
            .namespaces()
            .filter(|ns| ns.machine == id)
            .map(|ns| ns.id)
            .collect();
        for netns in namespaces.into_iter().filter(|netns| *netns != own) {
            self.with_net(cause, |net, ctx| net.remove_netns(ctx, netns));
        }
        let host = self.host_mut(id);
        host.powered = false;
        host.halting = false;
        host.units.clear();
        host.ttys.clear();
        host.mounts.retain(|ns, _| *ns == MountNsId(0));
        for volatile in ["/run", "/tmp"] {
            if host.disk().get(volatile).is_some() {
                let empty = crate::fs::Node::dir(if volatile == "/tmp" { 0o1777 } else { 0o755 });
                host.disk_mut().put(volatile, empty).expect("it was there");
            }
        }
    }

    /// Goes a step further down, or up.
    pub(crate) fn power(&mut self, id: MachineId, step: Step, cause: EntryId) {
        match step {
            // Somebody may have pulled the plug, or pressed the button, before.
            Step::Kill { reboot } if self.host(id).halting => {
                self.kill_all(id, cause);
                self.power_in(UNMOUNTING, id, Step::Off { reboot }, cause);
            }
            Step::Off { reboot } if self.host(id).halting => {
                self.power_off(id, cause);
                if reboot {
                    self.power_in(BOOT_TIME, id, Step::Boot, cause);
                }
            }
            Step::Boot => self.boot(id, cause),
            Step::Kill { .. } | Step::Off { .. } => {}
        }
    }

    fn power_in(&mut self, delay: Duration, id: MachineId, step: Step, cause: EntryId) {
        let at = self.now() + delay;
        self.queue.push(at, id, Event::Power(step, cause));
    }

    /// Ends every process, the first one last: nobody is told, nobody restarts anything. Whoever
    /// sits at a terminal sees that the machine has left.
    fn kill_all(&mut self, id: MachineId, cause: EntryId) {
        let mut pids: Vec<Pid> = self.host(id).processes().map(|p| p.pid).collect();
        pids.reverse();
        let bye = format!(
            "\r\nConnection to {} closed by remote host.\r\n",
            self.host(id).name()
        );
        for pid in pids {
            let process = self.host(id).process(pid);
            let leads = process.filter(|p| p.leads_tty).and_then(|p| p.tty);
            if let Some(tty) = leads
                && let Some(Screen::Outside) = self.host(id).tty(tty).map(|tty| tty.screen)
            {
                self.show(id, tty, bye.clone().into_bytes());
            }
            self.exit(id, pid, ExitStatus::Signal(Signal::Kill), cause);
        }
    }
}

impl Sys<'_> {
    /// Shuts the machine down: its units are stopped, what runs on is killed some seconds later,
    /// then it is off. If it reboots it is back when its firmware and kernel have started.
    pub fn shut_down(&mut self, reboot: bool) {
        if self.host().halting {
            return;
        }
        let word = if reboot { "reboot" } else { "power off" };
        self.logind(&format!("The system will {word} now!"));
        self.logind(match reboot {
            true => "System is rebooting.",
            false => "System is powering down.",
        });
        self.host_mut().halting = true;
        let active = self.host().units.values().filter(|u| u.main_pid.is_some());
        let mut names: Vec<Rc<str>> = active.map(|unit| unit.name.clone()).collect();
        names.reverse();
        for name in names {
            // It was there a moment ago.
            let _ = self.unit_stop(&name);
        }
        let (machine, cause) = (self.machine, self.cause);
        let step = Step::Kill { reboot };
        self.world.power_in(STOPPING, machine, step, cause);
    }

    fn logind(&mut self, text: &str) {
        let line = LogLine {
            at: self.now(),
            unit: "systemd-logind.service".into(),
            name: "systemd-logind".into(),
            pid: Pid(1),
            text: text.into(),
        };
        self.host_mut().push_log(line);
    }
}
