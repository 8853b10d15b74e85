//! The world: every machine, the network between them, the clock and the journal.
//!
//! **Invariant:** plain data. A clone is a world of its own that goes on as this one would; it
//! shares everything with it until one of them changes.

use std::rc::Rc;

use net::{Net, NetEvent, Notice, Outbox, Payload};
use sim::{Arg, Duration, EntryId, EventQueue, Instant, Journal, Kind, MachineId, Pid, Stream};

use crate::host::{Host, HostSpec};
use crate::outside::Outside;
use crate::power::Step;
use crate::process::{ExitStatus, Fd, PidNsId, Signal, TimerId};
use crate::program::{Poll, Program, Programs, Wake};
use crate::sys::Sys;

static EXITED: Kind = Kind {
    name: "process.exit",
    says: "pid {0} ({1}) ends with {2}",
};

/// Between something becoming ready and its program running: a context switch.
const SWITCH: Duration = Duration::from_micros(10);

/// Something due at a time, on the machine that is its source.
#[derive(Clone, Debug)]
pub enum Event {
    /// A process is to run.
    Wake {
        /// Which.
        pid: Pid,
        /// Why.
        wake: Wake,
        /// What made it so.
        cause: EntryId,
    },
    /// Something happens on the network.
    Net(NetEvent),
    /// A machine that was told to go down, or to come back, is one step further.
    Power(Step, EntryId),
}

/// Machines, network, clock and journal.
#[derive(Clone)]
pub struct World {
    /// What happens next.
    pub queue: EventQueue<Event>,
    /// The network of all machines.
    pub net: Net,
    /// What happened.
    pub journal: Journal,
    /// What was said to the outside since it was last taken.
    pub outside: Vec<Outside>,
    hosts: Vec<Rc<Host>>,
    seed: u64,
    programs: Programs,
    outbox: Outbox,
    next_request: u64,
}

impl World {
    /// A world without machines. `programs` finds the program of an executable by its name.
    #[must_use]
    pub fn new(seed: u64, programs: Programs) -> World {
        let mut net = Net::default();
        net.set_seed(seed);
        World {
            queue: EventQueue::new(),
            net,
            journal: Journal::new(),
            outside: Vec::new(),
            hosts: Vec::new(),
            seed,
            programs,
            outbox: Outbox::default(),
            next_request: 1,
        }
    }

    /// The time it is.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.queue.now()
    }

    /// The seed everything random depends on.
    #[must_use]
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Adds a machine, switched off, with a network namespace that has only its loopback.
    pub fn add_machine(&mut self, spec: HostSpec) -> MachineId {
        let id = MachineId(u32::try_from(self.hosts.len() + 1).expect("few machines"));
        let netns = self.net.add_netns(id, "");
        let random = Stream::new(self.seed, &spec.name);
        self.hosts.push(Rc::new(Host::new(id, spec, netns, random)));
        id
    }

    /// Machines in the order they were added.
    pub fn hosts(&self) -> impl Iterator<Item = &Host> {
        self.hosts.iter().map(|host| &**host)
    }

    /// The machine with this id.
    ///
    /// # Panics
    /// If it was never added: ids come from [`World::add_machine`].
    #[must_use]
    pub fn host(&self, id: MachineId) -> &Host {
        &self.hosts[index(id)]
    }

    /// The machine with this id, to be changed.
    ///
    /// # Panics
    /// If it was never added.
    pub fn host_mut(&mut self, id: MachineId) -> &mut Host {
        Rc::make_mut(&mut self.hosts[index(id)])
    }

    /// The machine called `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<MachineId> {
        self.hosts()
            .find(|host| &**host.name() == name)
            .map(|host| host.id)
    }

    /// Runs events until `until` is reached or `budget` events have run; returns how many ran.
    /// Time stands at `until` only if everything due by then has run.
    pub fn run(&mut self, until: Instant, budget: u64) -> u64 {
        let mut ran = 0;
        while ran < budget {
            if !self.step(until) {
                self.queue.advance_to(until);
                break;
            }
            ran += 1;
        }
        ran
    }

    /// Runs the next event if it is due by `until`.
    pub fn step(&mut self, until: Instant) -> bool {
        let Some((_, machine, event)) = self.queue.pop_until(until) else {
            return false;
        };
        match event {
            Event::Wake { pid, wake, cause } => self.poll(machine, pid, wake, cause),
            Event::Net(event) => {
                self.with_net(EntryId::NONE, |net, ctx| net.on_event(ctx, event));
            }
            Event::Power(step, cause) => self.power(machine, step, cause),
        }
        true
    }

    /// Acts on a machine as its first process would, in the caller's name: this is how inputs from
    /// outside come in. `None` if the machine is off.
    pub fn enter<R>(
        &mut self,
        machine: MachineId,
        cause: EntryId,
        act: impl FnOnce(&mut Sys<'_>) -> R,
    ) -> Option<R> {
        self.host(machine).process(Pid(1))?;
        Some(act(&mut Sys {
            world: self,
            machine,
            pid: Pid(1),
            cause,
        }))
    }

    /// Writes an entry into the journal.
    pub fn note(
        &mut self,
        machine: MachineId,
        cause: EntryId,
        kind: &'static Kind,
        args: &[Arg],
    ) -> EntryId {
        let now = self.now();
        self.journal.note(now, machine, cause, kind, args)
    }

    /// Answers a request a process made to the outside.
    pub fn reply(&mut self, machine: MachineId, pid: Pid, id: u64, answer: Option<Rc<str>>) {
        let cause = EntryId::NONE;
        if let Some(process) = self.host_mut(machine).process_mut(pid) {
            process.answers.insert(id, answer);
            self.wake(machine, pid, Wake::Reply(id), cause);
        }
    }

    /// Hands something in to a process; one that is gone does not get it.
    pub fn hand_in(&mut self, machine: MachineId, pid: Pid, parcel: Payload, cause: EntryId) {
        if let Some(process) = self.host_mut(machine).process_mut(pid) {
            process.parcels.push_back(parcel);
            self.wake(machine, pid, Wake::Handed, cause);
        }
    }

    pub(crate) fn fresh_request(&mut self) -> u64 {
        let id = self.next_request;
        self.next_request += 1;
        id
    }

    pub(crate) fn program(&self, name: &str) -> Option<Box<dyn Program>> {
        (self.programs)(name).map(|make| make())
    }

    /// Schedules a wake one context switch from now.
    pub(crate) fn wake(&mut self, machine: MachineId, pid: Pid, wake: Wake, cause: EntryId) {
        self.wake_in(SWITCH, machine, pid, wake, cause);
    }

    pub(crate) fn wake_in(
        &mut self,
        delay: Duration,
        machine: MachineId,
        pid: Pid,
        wake: Wake,
        cause: EntryId,
    ) {
        let at = self.now() + delay;
        self.queue
            .push(at, machine, Event::Wake { pid, wake, cause });
    }

    /// Tells everyone who waits that their descriptor is worth another try.
    pub(crate) fn wake_all(&mut self, machine: MachineId, waiters: Vec<(Pid, Fd)>, cause: EntryId) {
        for (pid, fd) in waiters {
            let Some(process) = self.host_mut(machine).process_mut(pid) else {
                continue;
            };
            if !process.ready.contains(&fd) {
                process.ready.push(fd);
                self.wake(machine, pid, Wake::Ready(fd), cause);
            }
        }
    }

    /// Calls into the network and carries out what it asks for.
    pub(crate) fn with_net<R>(
        &mut self,
        cause: EntryId,
        act: impl FnOnce(&mut Net, &mut net::Ctx<'_>) -> R,
    ) -> R {
        let now = self.now();
        let mut outbox = std::mem::take(&mut self.outbox);
        let mut ctx = net::Ctx {
            now,
            cause,
            journal: &mut self.journal,
            out: &mut outbox,
        };
        let result = act(&mut self.net, &mut ctx);
        for (at, machine, event) in outbox.events.drain(..) {
            self.queue.push(at, machine, Event::Net(event));
        }
        for (notice, cause) in outbox.notices.drain(..) {
            let Notice::Ready(socket) = notice;
            let Some((machine, _)) = self.net.socket_place(socket) else {
                continue;
            };
            if let Some(waiters) = self.host_mut(machine).socket_waiters.remove(&socket) {
                self.wake_all(machine, waiters, cause);
            }
        }
        self.outbox = outbox;
        result
    }

    fn poll(&mut self, machine: MachineId, pid: Pid, wake: Wake, cause: EntryId) {
        let Some(process) = self.host_mut(machine).process_mut(pid) else {
            return;
        };
        if process.stopped && wake != Wake::Signal(Signal::Kill) {
            process.deferred.push(wake);
            return;
        }
        match &wake {
            Wake::Start => process.loading = false,
            Wake::Timer(id) if !process.timers.remove(id) => return,
            Wake::Ready(fd) => process.ready.retain(|ready| ready != fd),
            _ => {}
        }
        let Some(mut program) = process.program.take() else {
            return;
        };
        let mut sys = Sys {
            world: self,
            machine,
            pid,
            cause,
        };
        let poll = program.poll(&mut sys, wake);
        let cause = sys.cause();
        let Some(process) = self.host_mut(machine).process_mut(pid) else {
            return;
        };
        if let Some(successor) = process.successor.take() {
            let start_up = successor.start_up();
            process.program = Some(successor);
            process.loading = true;
            process.timers.clear();
            return self.wake_in(start_up, machine, pid, Wake::Start, cause);
        }
        process.program = Some(program);
        match poll {
            Poll::Pending => {}
            Poll::Again(busy) => self.wake_in(busy, machine, pid, Wake::Resume, cause),
            Poll::Exit(code) => self.exit(machine, pid, ExitStatus::Code(code & 0xff), cause),
        }
    }

    /// Ends a process: its descriptors close, its children go to the first process, its parent is
    /// told.
    pub(crate) fn exit(
        &mut self,
        machine: MachineId,
        pid: Pid,
        status: ExitStatus,
        cause: EntryId,
    ) {
        let Some(process) = self.host_mut(machine).processes.remove(&pid) else {
            return;
        };
        let code = status.shell_code().unsigned_abs();
        let args = [pid.0.into(), process.name().into(), code.into()];
        let cause = self.note(machine, cause, &EXITED, &args);
        for handle in process.fds.values() {
            self.release(machine, handle, cause);
        }
        let host = self.host_mut(machine);
        host.watches.retain(|_, watch| watch.pid != pid);
        for (child, ended) in &process.children {
            if ended.is_none()
                && let Some(child) = host.process_mut(*child)
            {
                child.ppid = Pid(1);
                let child = child.pid;
                if let Some(init) = host.process_mut(Pid(1)) {
                    init.children.insert(child, None);
                }
            }
        }
        if let Some(tty) = process.tty.filter(|_| process.leads_tty) {
            self.outside.push(Outside::Closed {
                machine,
                tty,
                status,
            });
        }
        if let Some(sink) = process.leads_sink {
            self.outside.push(Outside::Ended { sink, status });
        }
        if process.is_init && process.pid_ns != PidNsId(0) {
            let ns = process.pid_ns;
            let members: Vec<Pid> = self
                .host(machine)
                .processes()
                .filter(|p| p.pid_ns == ns)
                .map(|p| p.pid)
                .collect();
            for member in members {
                self.exit(machine, member, ExitStatus::Signal(Signal::Kill), cause);
            }
        }
        if let Some(parent) = self.host_mut(machine).process_mut(process.ppid) {
            parent.children.insert(pid, Some(status));
            let ppid = parent.pid;
            self.wake(machine, ppid, Wake::Child { pid, status }, cause);
        }
    }

    /// Arms a timer of a process.
    pub(crate) fn arm(
        &mut self,
        machine: MachineId,
        pid: Pid,
        delay: Duration,
        cause: EntryId,
    ) -> TimerId {
        let Some(process) = self.host_mut(machine).process_mut(pid) else {
            return TimerId(0);
        };
        let id = TimerId(process.next_timer);
        process.next_timer += 1;
        process.timers.insert(id);
        self.wake_in(delay, machine, pid, Wake::Timer(id), cause);
        id
    }
}

fn index(id: MachineId) -> usize {
    id.0 as usize - 1
}
