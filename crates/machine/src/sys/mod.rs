//! System calls: all that a program may do. Nothing here blocks: `EAGAIN` means that the process
//! is woken with [`Wake::Ready`] once another try is worthwhile.

mod containers;
mod datagrams;
mod fds;
mod files;
mod processes;
mod procs;
mod sockets;
mod terminals;
mod units;

use std::rc::Rc;

use net::{Net, Payload, Record, Sender};
use sim::{Arg, Duration, EntryId, Instant, Kind, MachineId, Pid, Stream};

use crate::host::Host;
use crate::outside::{Outside, Request};
use crate::process::{Env, Process, TimerId};
use crate::world::World;

pub use fds::OpenMode;
pub use files::{DirEntry, FileKind, LARGEST_FILE, Stat};
pub use processes::{Exec, ProcessInfo, Spawn};

/// What one process may do, lent to its program for one poll.
pub struct Sys<'a> {
    pub(crate) world: &'a mut World,
    pub(crate) machine: MachineId,
    pub(crate) pid: Pid,
    pub(crate) cause: EntryId,
}

impl Sys<'_> {
    /// The time it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.world.now()
    }

    /// Arms a timer; [`crate::Wake::Timer`] comes after `delay`.
    pub fn timer(&mut self, delay: Duration) -> TimerId {
        self.world.arm(self.machine, self.pid, delay, self.cause)
    }

    /// Arms a timer for a point of time; at once if it is past.
    pub fn timer_at(&mut self, at: Instant) -> TimerId {
        let delay = at.since(self.now());
        self.timer(delay)
    }

    /// Disarms a timer.
    pub fn cancel(&mut self, timer: TimerId) {
        if let Some(process) = self.process_mut() {
            process.timers.remove(&timer);
        }
    }

    /// The machine's stream of random numbers.
    pub fn random(&mut self) -> &mut Stream {
        let machine = self.machine;
        &mut self.world.host_mut(machine).random
    }

    /// The id of this process.
    #[must_use]
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// The machine it runs on.
    #[must_use]
    pub fn machine(&self) -> MachineId {
        self.machine
    }

    /// The machine it runs on, with everything the kernel would tell root.
    #[must_use]
    pub fn host(&self) -> &Host {
        self.world.host(self.machine)
    }

    /// The name of the machine as this process sees it: a pod has its own.
    #[must_use]
    pub fn hostname(&self) -> Rc<str> {
        let own = self.process().and_then(|process| process.hostname.clone());
        own.unwrap_or_else(|| self.host().name().clone())
    }

    /// Its arguments; the first is the name it was called by.
    #[must_use]
    pub fn args(&self) -> Rc<[Rc<str>]> {
        self.process()
            .map_or_else(|| Rc::from([]), |process| process.args.clone())
    }

    /// Its environment.
    #[must_use]
    pub fn env(&self) -> Env {
        self.process()
            .map_or_else(Env::default, |process| process.env.clone())
    }

    /// The user it runs as.
    #[must_use]
    pub fn uid(&self) -> u32 {
        self.process().map_or(0, |process| process.uid)
    }

    /// Its working directory.
    #[must_use]
    pub fn cwd(&self) -> Rc<str> {
        self.process()
            .map_or_else(|| "/".into(), |process| process.cwd.clone())
    }

    /// The entry that caused what happens now.
    #[must_use]
    pub fn cause(&self) -> EntryId {
        self.cause
    }

    /// Names the entry that causes what happens from here on in this poll.
    pub fn set_cause(&mut self, cause: EntryId) {
        self.cause = cause;
    }

    /// Writes an entry into the journal; it becomes the cause of what follows in this poll.
    pub fn note(&mut self, kind: &'static Kind, args: &[Arg]) -> EntryId {
        self.cause = self.world.note(self.machine, self.cause, kind, args);
        self.cause
    }

    /// The network, to look at.
    #[must_use]
    pub fn net(&self) -> &Net {
        &self.world.net
    }

    /// Calls into the network model as the kernel of this machine: links, addresses, routes.
    pub fn with_net<R>(&mut self, act: impl FnOnce(&mut Net, &mut net::Ctx<'_>) -> R) -> R {
        if !self.world.net.has_recordings() {
            return self.world.with_net(self.cause, act);
        }
        let sender = self.sender();
        self.world.with_net(self.cause, |net, ctx| {
            net.record_for(sender);
            let result = act(net, ctx);
            net.record_for(Sender::default());
            result
        })
    }

    /// Who sends, for recordings: the latest are those of terminals and of pods.
    fn sender(&self) -> Sender {
        let Some(process) = self.process() else {
            return Sender::default();
        };
        let latest = process.tty.is_some() || process.netns != self.host().netns;
        Sender {
            recording: process.recording,
            command: latest.then(|| process.args.clone()),
        }
    }

    /// From now on the ways of packets are taken down that this process and its children send.
    pub fn begin_recording(&mut self) {
        let id = self.world.net.begin_recording();
        if let Some(process) = self.process_mut() {
            process.recording = Some(id);
        }
    }

    /// Ends that; the packets that began something, and the answers to them.
    pub fn end_recording(&mut self) -> Vec<Record> {
        let own = self.process_mut();
        let id = own.and_then(|process| process.recording.take());
        id.map_or_else(Vec::new, |id| self.world.net.end_recording(id))
    }

    /// The name of any machine, for who explains what happened there.
    #[must_use]
    pub fn machine_name(&self, id: MachineId) -> Rc<str> {
        self.world.host(id).name().clone()
    }

    /// Tells the world outside of a command of a script: that it begins, or its exit code.
    pub fn tell_command(&mut self, text: &Rc<str>, code: Option<i32>) {
        let (machine, pid, at, text) = (self.machine, self.pid, self.now(), text.clone());
        self.world.outside.push(Outside::Command {
            machine,
            pid,
            at,
            text,
            code,
        });
    }

    /// Asks the world outside; [`crate::Wake::Reply`] with this id comes when it has answered, and
    /// [`Sys::answer`] gives the answer.
    pub fn ask(&mut self, request: Request) -> u64 {
        let id = self.world.fresh_request();
        let (machine, pid) = (self.machine, self.pid);
        self.world.outside.push(Outside::Asked {
            machine,
            pid,
            id,
            request,
        });
        id
    }

    /// Hands something out to the world outside.
    pub fn hand_out(&mut self, parcel: Payload) {
        let (machine, pid) = (self.machine, self.pid);
        self.world.outside.push(Outside::Handed {
            machine,
            pid,
            parcel,
        });
    }

    /// Takes the next of what the world outside handed in; [`crate::Wake::Handed`] comes for each.
    pub fn take_parcel(&mut self) -> Option<Payload> {
        self.process_mut()?.parcels.pop_front()
    }

    /// The answer to a request, once: `None` while there is none, `Some(None)` if it was declined.
    pub fn answer(&mut self, id: u64) -> Option<Option<Rc<str>>> {
        self.process_mut()?.answers.remove(&id)
    }

    pub(crate) fn process(&self) -> Option<&Process> {
        self.host().process(self.pid)
    }

    pub(crate) fn process_mut(&mut self) -> Option<&mut Process> {
        let pid = self.pid;
        self.host_mut().process_mut(pid)
    }

    pub(crate) fn host_mut(&mut self) -> &mut Host {
        let machine = self.machine;
        self.world.host_mut(machine)
    }
}
