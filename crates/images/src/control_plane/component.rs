//! A component of the control plane as a process: it talks to the API server that its kubeconfig
//! names, keeps its deadlines, and answers probes.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use client::{
    CallId, Component, Env, Identity, Incoming, Notes, Outgoing, Severity, klog_line, kubeconfig,
};
use machine::http::{self, Client, ClientEvent, Outcome, Target};
use machine::{Alarm, Fd, Poll, Program, Signal, Sys, Wake};
use sim::{Arg, EntryId, Instant, Kind, Stream};

use super::flags::Flags;
use super::health::Health;

/// What makes a component of its command line and its identity, or says why it cannot.
pub(crate) type Make<C> = fn(&mut Sys<'_>, &Flags, Identity) -> Result<C, String>;

/// What a component does on its machine itself, beyond calls to the API server.
pub(crate) trait Hands<C>: Clone + Debug + Default + 'static {
    /// Where the API server is, and who the component is to it.
    fn access(sys: &mut Sys<'_>, flags: &Flags) -> Result<(SocketAddrV4, Identity), String> {
        let path = Self::kubeconfig(sys, flags)?;
        let text = sys
            .read_to_string(&path)
            .map_err(|errno| format!("stat {path}: {}", errno.message().to_lowercase()))?;
        let access = kubeconfig::resolve(&text, None, |file| sys.read_to_string(file).ok())?;
        let addr = access.addr();
        let addr = addr.ok_or_else(|| format!("no server in {path}"))?;
        Ok((addr, access.identity))
    }

    /// The path of the kubeconfig.
    fn kubeconfig(sys: &mut Sys<'_>, flags: &Flags) -> Result<String, String> {
        let _ = sys;
        let path = flags.get("kubeconfig").ok_or("--kubeconfig is not set")?;
        Ok(path.to_owned())
    }

    /// Something may be due.
    fn act(&mut self, sys: &mut Sys<'_>, component: &mut C) {
        let _ = (sys, component);
    }

    /// A descriptor is ready; `false` if it is not its own.
    fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, component: &C) -> bool {
        let _ = (sys, fd, component);
        false
    }

    /// A watched path has changed.
    fn on_change(&mut self, now: Instant) {
        let _ = now;
    }

    /// When it wants to act at the latest.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// The process was asked to end; whether it does so at once.
    fn on_stop(&mut self, sys: &mut Sys<'_>, component: &C) -> bool {
        let _ = (sys, component);
        true
    }

    /// The code to end with, if it is over.
    fn exit_code(&self) -> Option<i32> {
        None
    }

    /// A line of the log.
    fn line(now: Instant, severity: Severity, place: &str, text: &str) -> String {
        klog_line(now, severity, 1, place, text)
    }

    /// The last words of a process that cannot begin.
    fn failure(now: Instant, text: &str) -> String {
        klog_line(now, Severity::Error, 1, "run.go:72", text)
    }
}

impl<C> Hands<C> for () {}

/// A component and what its process needs.
#[derive(Clone)]
pub(crate) struct Hosted<C, H = ()> {
    name: &'static str,
    /// Where probes are answered unless flags say otherwise; 0 where that is no business of ours.
    port: u16,
    make: Make<C>,
    hands: H,
    running: Option<Running<C>>,
}

#[derive(Clone, Debug)]
struct Running<C> {
    component: C,
    line: Line,
    server: Target,
    http: Client,
    health: Health,
    random: Stream,
    /// Calls of the component by those of its connections, and back.
    calls: BTreeMap<http::CallId, CallId>,
    back: BTreeMap<CallId, http::CallId>,
    alarm: Alarm,
}

impl<C, H> Debug for Hosted<C, H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name)
    }
}

/// The journal of the machine and the standard error of the process.
struct Journal<'a, 'b>(&'a mut Sys<'b>, Line);

/// How a line of the log is written.
type Line = fn(Instant, Severity, &str, &str) -> String;

impl Notes for Journal<'_, '_> {
    fn note(&mut self, cause: EntryId, kind: &'static Kind, args: &[Arg]) -> EntryId {
        self.0.set_cause(cause);
        self.0.note(kind, args)
    }

    fn log(&mut self, severity: Severity, place: &'static str, text: &str) {
        let line = (self.1)(self.0.now(), severity, place, text);
        // Nobody may be reading; a component goes on without its log.
        let _ = self.0.write(Fd::STDERR, format!("{line}\n").as_bytes());
    }
}

impl<C: Component + Clone + Debug + 'static> Hosted<C> {
    pub(super) fn boxed(name: &'static str, port: u16, make: Make<C>) -> Box<dyn Program> {
        Hosted::<C, ()>::with_hands(name, port, make)
    }
}

impl<C: Component + Clone + Debug + 'static, H: Hands<C>> Hosted<C, H> {
    pub(crate) fn with_hands(name: &'static str, port: u16, make: Make<C>) -> Box<dyn Program> {
        Box::new(Hosted {
            name,
            port,
            make,
            hands: H::default(),
            running: None,
        })
    }

    fn start(&self, sys: &mut Sys<'_>) -> Result<Running<C>, String> {
        let flags = Flags::read(&sys.args());
        let (addr, mut identity) = H::access(sys, &flags)?;
        identity.user_agent = format!(
            "{}/{} (linux/amd64) kubernetes/0b6b32d",
            self.name,
            sys.version()
        )
        .into();
        let seed = sys.random().next_u64();
        let mut health = Health::default();
        let bind = flags
            .or("bind-address", "0.0.0.0")
            .parse()
            .unwrap_or(Ipv4Addr::UNSPECIFIED);
        let port = flags
            .get("secure-port")
            .and_then(|p| p.parse().ok())
            .unwrap_or(self.port);
        if port != 0 {
            let listens = health.listen(sys, SocketAddrV4::new(bind, port));
            listens.map_err(|errno| {
                let why = errno.message();
                format!("failed to create listener: listen tcp {bind}:{port}: {why}")
            })?;
        }
        Ok(Running {
            component: (self.make)(sys, &flags, identity)?,
            line: H::line,
            server: Target::Tcp(addr),
            http: Client::new(),
            health,
            random: Stream::new(seed, self.name),
            calls: BTreeMap::new(),
            back: BTreeMap::new(),
            alarm: Alarm::default(),
        })
    }
}

impl<C: Component + Clone + Debug + 'static, H: Hands<C>> Program for Hosted<C, H> {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        if self.running.is_none() {
            match self.start(sys) {
                Ok(mut running) => {
                    running.with(sys, |component, env| component.start(env));
                    self.running = Some(running);
                }
                Err(text) => {
                    let line = H::failure(sys.now(), &text);
                    let _ = sys.write(Fd::STDERR, format!("{line}\n").as_bytes());
                    return Poll::Exit(1);
                }
            }
        }
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        match why {
            Wake::Ready(fd) => {
                if !self.hands.on_ready(sys, fd, &running.component) {
                    running.ready(sys, fd);
                }
            }
            Wake::Timer(timer) => {
                running.alarm.rang(timer);
                running.with(sys, |component, env| component.on_time(env));
            }
            Wake::Signal(_) => {
                running.with(sys, |component, env| component.stop(env));
                if self.hands.on_stop(sys, &running.component) {
                    running.pump(sys, None);
                    return Poll::Exit(0);
                }
            }
            Wake::Changed(_) => self.hands.on_change(sys.now()),
            _ => {}
        }
        self.hands.act(sys, &mut running.component);
        running.pump(sys, self.hands.next_deadline());
        if let Some(code) = self.hands.exit_code() {
            return Poll::Exit(code);
        }
        if running.component.must_exit() {
            return Poll::Exit(1);
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(signal, Signal::Term | Signal::Int)
    }
}

impl<C: Component> Running<C> {
    fn with(&mut self, sys: &mut Sys<'_>, act: impl FnOnce(&mut C, &mut Env<'_>)) {
        let (now, cause) = (sys.now(), sys.cause());
        let mut journal = Journal(sys, self.line);
        let mut env = Env {
            now,
            cause,
            random: &mut self.random,
            journal: &mut journal,
        };
        act(&mut self.component, &mut env);
    }

    fn ready(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        if self.health.on_ready(sys, fd, true) {
            return;
        }
        let mut events = Vec::new();
        self.http.on_ready(sys, fd, &mut events);
        for event in events {
            self.incoming(sys, event);
        }
    }

    fn incoming(&mut self, sys: &mut Sys<'_>, event: ClientEvent) {
        let ClientEvent {
            call,
            cause,
            outcome,
        } = event;
        let Some(own) = self.calls.get(&call).copied() else {
            return;
        };
        let (incoming, over) = match outcome {
            Outcome::Response(response) => {
                let over = !response.more;
                (Incoming::Response(response), over)
            }
            Outcome::Data(body) => (Incoming::Data(body), false),
            Outcome::End => (Incoming::End, true),
            Outcome::Failed(errno) => (Incoming::Failed(errno), true),
        };
        if over {
            self.calls.remove(&call);
            self.back.remove(&own);
        }
        sys.set_cause(cause);
        self.with(sys, |component, env| {
            component.on_incoming(env, own, &incoming)
        });
    }

    /// Sends what the component wants sent, and sets the timer for what it waits for.
    fn pump(&mut self, sys: &mut Sys<'_>, also: Option<Instant>) {
        loop {
            while let Some(outgoing) = self.component.next_outgoing() {
                match outgoing {
                    Outgoing::Send {
                        call,
                        request,
                        cause,
                    } => {
                        sys.set_cause(cause);
                        let id = self.http.call(sys, &self.server, request);
                        self.calls.insert(id, call);
                        self.back.insert(call, id);
                    }
                    Outgoing::Cancel(call) => {
                        if let Some(id) = self.back.remove(&call) {
                            self.calls.remove(&id);
                            self.http.cancel(sys, id);
                        }
                    }
                }
            }
            let early = self.http.take_early();
            if early.is_empty() {
                break;
            }
            for event in early {
                self.incoming(sys, event);
            }
        }
        let due = [self.component.next_deadline(), also];
        self.alarm.set(sys, due.into_iter().flatten().min());
    }
}

/// The name under which a component holds its lease: the machine's, made unique.
pub(super) fn holder(sys: &mut Sys<'_>, flags: &Flags) -> Option<api::Str> {
    if flags.or("leader-elect", "true") == "false" {
        return None;
    }
    let name: Rc<str> = sys.hostname();
    let unique = sys.random().uuid();
    Some(format!("{name}_{unique}").as_str().into())
}
