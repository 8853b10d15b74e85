//! The runtime's process: connections, calls, shims. What a call does to a sandbox, a container or
//! a stream is in the files named for them.
//! Models containerd's cmd/containerd and internal/cri/server.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{Alarm, Errno, Fd, MountNsId, Poll, Program, Sys, TimerId, Wake};
use net::{Payload, downcast_shared};

use crate::cni;
use crate::cri::{
    self, Code, Error, Event, ImageStatus, Message, Part, Reply, Request, RuntimeStatus,
};
use crate::image::Registry;
use crate::reference::Reference;
use crate::runtime::forwards::Forward;
use crate::runtime::pull::Puller;
use crate::runtime::shim::{self, FromShim, ToShim};
use crate::runtime::store::{DATABASE, Store};
use crate::runtime::streams::Stream;
use crate::runtime::{VERSION, sandbox};

/// Who waits for an answer: a connection and the number of the call.
pub(crate) type Caller = (Fd, u64);

/// The result of a call that is answered at once; `None` if the answer comes later.
pub(crate) type Outcome = Result<Option<Reply>, Error>;

/// containerd, which finds images through `registry`.
pub fn containerd(registry: Registry) -> Box<dyn Program> {
    Box::new(Containerd::new(registry))
}

/// The process that a container's life is, if it runs.
#[must_use]
pub fn main_process(sys: &mut Sys<'_>, id: &str) -> Option<u32> {
    let kept = sys.read_object(DATABASE).ok()?;
    let store = downcast_shared::<Store>(&kept)?;
    let inside = store.containers.get(id)?.spec.pid_ns;
    let mut processes = sys.host().processes();
    let found = processes.find(|process| process.pid_ns == inside)?;
    Some(found.pid.0)
}

/// The daemon.
#[derive(Clone, Debug)]
pub(crate) struct Containerd {
    pub(crate) registry: Registry,
    pub(crate) store: Store,
    pub(crate) saved: bool,
    listener: Fd,
    shim_listener: Fd,
    clients: BTreeMap<Fd, Client>,
    /// Connections of shims; the sandbox is known after the first message.
    shims: BTreeMap<Fd, Option<Rc<str>>>,
    pub(crate) shim_of: BTreeMap<Rc<str>, Fd>,
    pub(crate) pause_mounts: Option<MountNsId>,
    /// Who waits for a sandbox to run, a container to start, either to stop.
    pub(crate) starting: BTreeMap<Rc<str>, Caller>,
    pub(crate) stopping: BTreeMap<Rc<str>, Vec<Caller>>,
    pub(crate) kill_timers: BTreeMap<TimerId, Rc<str>>,
    pub(crate) streams: BTreeMap<u64, Stream>,
    pub(crate) next_stream: u64,
    /// Connections into sandboxes.
    pub(crate) forwards: BTreeMap<Fd, Forward>,
    puller: Puller<Pull>,
    pull_alarm: Alarm,
}

/// What waits for a pull.
#[derive(Clone, Debug)]
pub(crate) enum Pull {
    /// A caller.
    For(Caller),
    /// A sandbox that needs the pause image.
    Sandbox(Caller, Rc<cri::SandboxConfig>),
}

#[derive(Clone, Debug, Default)]
struct Client {
    wants_events: bool,
}

impl Containerd {
    fn new(registry: Registry) -> Containerd {
        Containerd {
            registry,
            store: Store::default(),
            saved: true,
            listener: Fd(u32::MAX),
            shim_listener: Fd(u32::MAX),
            clients: BTreeMap::new(),
            shims: BTreeMap::new(),
            shim_of: BTreeMap::new(),
            pause_mounts: None,
            starting: BTreeMap::new(),
            stopping: BTreeMap::new(),
            kill_timers: BTreeMap::new(),
            streams: BTreeMap::new(),
            next_stream: 1,
            forwards: BTreeMap::new(),
            puller: Puller::default(),
            pull_alarm: Alarm::default(),
        }
    }

    /// Reads the database and listens; false if that cannot be.
    fn start(&mut self, sys: &mut Sys<'_>) -> bool {
        let kept = sys.read_object(DATABASE).ok();
        if let Some(store) = kept.and_then(|object| downcast_shared::<Store>(&object)) {
            self.store = Rc::unwrap_or_clone(store);
        }
        for image in self.store.images() {
            self.puller.have(image);
        }
        self.recover(sys);
        let kept = DATABASE.rsplit_once('/').map_or(DATABASE, |(dir, _)| dir);
        for dir in ["/run/containerd", kept] {
            if let Err(errno) = sys.mkdir_all(dir) {
                return fail(sys, &format!("mkdir {dir}: {}", errno.go_message()));
            }
        }
        for path in [cri::SOCKET, shim::SOCKET] {
            match sys.unix_listen(path) {
                Ok(fd) if path == cri::SOCKET => self.listener = fd,
                Ok(fd) => self.shim_listener = fd,
                Err(errno) => {
                    let why = errno.go_message();
                    return fail(sys, &format!("listen unix {path}: bind: {why}"));
                }
            }
        }
        self.accept(sys, self.listener);
        self.accept(sys, self.shim_listener);
        true
    }

    /// Sandboxes whose shims did not survive (the machine was switched off) have ended.
    fn recover(&mut self, sys: &mut Sys<'_>) {
        let ready: Vec<Rc<str>> = self
            .store
            .sandboxes
            .values()
            .filter(|sandbox| sandbox.status.ready)
            .map(|sandbox| sandbox.status.id.clone())
            .collect();
        for id in ready {
            if !sys.exists(&sandbox::bundle(&id)) {
                self.sandbox_lost(sys, &id);
            }
        }
    }

    fn accept(&mut self, sys: &mut Sys<'_>, listener: Fd) {
        while let Ok(fd) = sys.accept(listener) {
            if listener == self.listener {
                self.clients.insert(fd, Client::default());
                self.client_ready(sys, fd);
            } else {
                self.shims.insert(fd, None);
                self.shim_ready(sys, fd);
            }
        }
    }

    fn client_ready(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        loop {
            match sys.recv(fd) {
                Ok(Some(payload)) => self.received(sys, fd, &payload),
                Err(Errno::EAGAIN) => return,
                Ok(None) | Err(_) => {
                    sys.close(fd);
                    self.clients.remove(&fd);
                    return self.caller_gone(sys, fd);
                }
            }
        }
    }

    fn received(&mut self, sys: &mut Sys<'_>, fd: Fd, payload: &Payload) {
        match payload.downcast::<Message>() {
            Some(Message::Call(call, request)) => {
                let caller = (fd, *call);
                match self.call(sys, caller, request) {
                    Ok(None) => {}
                    Ok(Some(reply)) => self.answer(sys, caller, Ok(reply)),
                    Err(error) => self.answer(sys, caller, Err(error)),
                }
            }
            Some(Message::Stream(call, part)) => self.stream_input(sys, (fd, *call), part.clone()),
            Some(Message::Forwarded(call, payload)) => {
                self.forward_input(sys, (fd, *call), payload.clone());
            }
            _ => {}
        }
    }

    fn call(&mut self, sys: &mut Sys<'_>, caller: Caller, request: &Request) -> Outcome {
        let done = |()| Some(Reply::Done);
        Ok(Some(match request {
            Request::Version => Reply::Version("containerd".into(), VERSION.into()),
            Request::Status => Reply::Status(RuntimeStatus {
                runtime_ready: true,
                network_error: (!cni::is_configured(sys)).then(|| cni::NOT_INITIALIZED.into()),
            }),
            Request::UpdateRuntimeConfig { pod_cidr } => {
                cni::configure(sys, pod_cidr).map_err(|errno| unknown(&errno.go_message()))?;
                Reply::Done
            }
            Request::RunPodSandbox(config) => return self.run_sandbox(sys, caller, config),
            Request::StopPodSandbox(id) => return self.stop_sandbox(sys, caller, id),
            Request::RemovePodSandbox(id) => return self.remove_sandbox(sys, id).map(done),
            Request::ListPodSandbox => Reply::Sandboxes(
                self.store
                    .sandboxes
                    .values()
                    .map(|sandbox| sandbox.status.clone())
                    .collect(),
            ),
            Request::CreateContainer { sandbox, config } => {
                Reply::Created(self.create_container(sys, sandbox, config)?)
            }
            Request::StartContainer(id) => return self.start_container(sys, caller, id),
            Request::StopContainer { id, timeout } => {
                return self.stop_container(sys, caller, id, *timeout);
            }
            Request::RemoveContainer(id) => return self.remove_container(sys, id).map(done),
            Request::ListContainers => Reply::Containers(
                self.store
                    .containers
                    .values()
                    .map(|container| container.status.clone())
                    .collect(),
            ),
            Request::ContainerStatus(id) => {
                let container = self.store.containers.get(id);
                Reply::Container(container.ok_or_else(|| no_container(id))?.status.clone())
            }
            Request::ExecSync {
                id,
                command,
                timeout,
            } => {
                return self.exec_sync(sys, caller, id, command, *timeout);
            }
            Request::Exec { id, command, stdio } => {
                return self.exec(sys, caller, id, command, *stdio);
            }
            Request::Attach { id, stdio } => return self.attach(sys, caller, id, *stdio),
            Request::PortForward { sandbox, port } => {
                return self.port_forward(sys, caller, sandbox, *port);
            }
            Request::PullImage(name) => {
                let reference = parse(name)?;
                self.pull(sys, &reference, Pull::For(caller));
                return Ok(None);
            }
            Request::ImageStatus(name) => {
                Reply::Image(self.store.image(name).map(|stored| stored.status()))
            }
            Request::ListImages => Reply::Images(self.store.list_images()),
            Request::RemoveImage(name) => {
                self.saved &= !self.store.remove_image(name);
                Reply::Done
            }
            Request::GetContainerEvents => {
                if let Some(client) = self.clients.get_mut(&caller.0) {
                    client.wants_events = true;
                }
                Reply::Done
            }
        }))
    }

    pub(crate) fn answer(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        answer: Result<Reply, Error>,
    ) {
        self.tell(sys, caller.0, Message::Answer(caller.1, answer));
    }

    pub(crate) fn tell(&mut self, sys: &mut Sys<'_>, client: Fd, message: Message) {
        if self.clients.contains_key(&client) {
            // A client that is gone shows as a closed connection.
            let _ = sys.send(client, message.payload());
        }
    }

    /// Tells everyone who asked for events what happened.
    pub(crate) fn publish(&mut self, sys: &mut Sys<'_>, event: &Event) {
        self.saved = false;
        for (fd, client) in &self.clients {
            if client.wants_events {
                let _ = sys.send(*fd, Message::Event(event.clone()).payload());
            }
        }
    }

    /// Sends a shim what it is to do. False if the sandbox has none.
    pub(crate) fn command(&mut self, sys: &mut Sys<'_>, sandbox: &str, message: ToShim) -> bool {
        match self.shim_of.get(sandbox) {
            Some(fd) => sys.send(*fd, message.payload()).is_ok(),
            None => false,
        }
    }

    fn shim_ready(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        loop {
            match sys.recv(fd) {
                Ok(Some(payload)) => {
                    if let Some(message) = payload.downcast::<FromShim>() {
                        self.heard(sys, fd, message.clone());
                    }
                }
                Err(Errno::EAGAIN) => return,
                Ok(None) | Err(_) => {
                    sys.close(fd);
                    if let Some(Some(sandbox)) = self.shims.remove(&fd) {
                        self.shim_of.remove(&sandbox);
                        self.sandbox_lost(sys, &sandbox);
                    }
                    return;
                }
            }
        }
    }

    fn heard(&mut self, sys: &mut Sys<'_>, fd: Fd, message: FromShim) {
        match message {
            FromShim::Hello {
                sandbox,
                pause,
                tasks,
            } => {
                self.shims.insert(fd, Some(sandbox.clone()));
                self.shim_of.insert(sandbox.clone(), fd);
                self.shim_says_hello(sys, &sandbox, pause, tasks);
            }
            FromShim::Started { id, result } => self.container_started(sys, &id, result),
            FromShim::Exited { id, end } => self.container_exited(sys, &id, end),
            FromShim::Opened { stream, result } => self.stream_opened(sys, stream, result),
            FromShim::Output { stream, part } => self.stream_output(sys, stream, part),
        }
    }

    /// Begins a pull and sets the timer for the next one to end.
    pub(crate) fn pull(&mut self, sys: &mut Sys<'_>, reference: &Reference, pull: Pull) {
        let dice = sys.random().next_u64();
        let (store, registry) = (&self.store, self.registry);
        // Tags do not move here: what was pulled by this name is what the registry has.
        let find = |reference: &Reference| match store.named(reference) {
            Some(image) => Ok(image.clone()),
            None => registry(reference).map(Rc::new),
        };
        self.puller.begin(sys.now(), dice, reference, find, pull);
        self.arm_pull(sys);
    }

    fn arm_pull(&mut self, sys: &mut Sys<'_>) {
        self.pull_alarm.set(sys, self.puller.next());
    }

    fn pulls_done(&mut self, sys: &mut Sys<'_>) {
        for done in self.puller.take_done(sys.now()) {
            let outcome = done.outcome.map(|image| {
                if self.store.named(&done.reference).is_none() {
                    self.store.add_image(&done.reference, image);
                    self.saved = false;
                }
                self.store
                    .image(&done.reference.to_string())
                    .map(|stored| stored.status())
            });
            for waiter in done.waiters {
                match waiter {
                    Pull::For(caller) => {
                        self.answer(sys, caller, outcome.clone().map(Reply::Image));
                    }
                    Pull::Sandbox(caller, config) => {
                        self.pause_pulled(sys, caller, &config, &outcome)
                    }
                }
            }
        }
        self.arm_pull(sys);
    }

    fn pause_pulled(
        &mut self,
        sys: &mut Sys<'_>,
        caller: Caller,
        config: &Rc<cri::SandboxConfig>,
        outcome: &Result<Option<ImageStatus>, Error>,
    ) {
        let result = match outcome {
            Ok(_) => self.run_sandbox(sys, caller, config),
            Err(error) => Err(sandbox::no_pause_image(&error.desc)),
        };
        match result {
            Ok(None) => {}
            Ok(Some(reply)) => self.answer(sys, caller, Ok(reply)),
            Err(error) => self.answer(sys, caller, Err(error)),
        }
    }

    fn timer(&mut self, sys: &mut Sys<'_>, timer: TimerId) {
        if self.pull_alarm.rang(timer) {
            self.pulls_done(sys);
        } else if let Some(id) = self.kill_timers.remove(&timer) {
            self.kill_container(sys, &id);
        } else {
            self.exec_timed_out(sys, timer);
        }
    }

    fn caller_gone(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        self.starting.retain(|_, caller| caller.0 != fd);
        let gone: Vec<u64> = self
            .streams
            .iter()
            .filter(|(_, stream)| stream.caller.0 == fd)
            .map(|(id, _)| *id)
            .collect();
        for stream in gone {
            self.stream_forwarded(sys, stream, Part::Abandoned);
            self.streams.remove(&stream);
        }
        self.end_forwards(sys, |forward| forward.caller.0 == fd);
    }
}

impl Program for Containerd {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                let args = sys.args();
                let words: Vec<&str> = args.iter().skip(1).map(|word| &**word).collect();
                if let Some((text, code)) = super::command::answer(&words) {
                    let to = if code == 0 { Fd::STDOUT } else { Fd::STDERR };
                    let _ = sys.write(to, text.as_bytes());
                    return Poll::Exit(code);
                }
                if !self.start(sys) {
                    return Poll::Exit(1);
                }
            }
            Wake::Ready(fd) if fd == self.listener || fd == self.shim_listener => {
                self.accept(sys, fd);
            }
            Wake::Ready(fd) if self.clients.contains_key(&fd) => self.client_ready(sys, fd),
            Wake::Ready(fd) if self.shims.contains_key(&fd) => self.shim_ready(sys, fd),
            Wake::Ready(fd) if self.forwards.contains_key(&fd) => self.forward_ready(sys, fd),
            Wake::Timer(timer) => self.timer(sys, timer),
            Wake::Child { pid, .. } => {
                sys.try_wait(pid);
            }
            _ => {}
        }
        if !self.saved {
            self.saved = true;
            // What cannot be kept is lost at the next restart, as on a full disk.
            let _ = sys.write_object(DATABASE, Rc::new(self.store.clone()));
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }
}

pub(crate) fn unknown(desc: &str) -> Error {
    Error::new(Code::Unknown, desc)
}

pub(crate) fn no_container(id: &str) -> Error {
    let desc = format!("an error occurred when try to find container \"{id}\": not found");
    Error::new(Code::NotFound, desc)
}

pub(crate) fn parse(image: &str) -> Result<Reference, Error> {
    Reference::parse(image).map_err(|error| {
        Error::new(
            Code::InvalidArgument,
            format!("failed to parse image reference \"{image}\": {error}"),
        )
    })
}

fn fail(sys: &mut Sys<'_>, why: &str) -> bool {
    // The log of a unit takes everything.
    let _ = sys.write(Fd::STDERR, format!("containerd: {why}\n").as_bytes());
    false
}
