//! kube-apiserver.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::Schemas;
use apiserver::{Action, ApiServer, CallId, Config, Cx, Effect, Notes, Peer, Policy, StreamId};
use client::certificate::Certificate;
use client::{Severity, klog_line};
use machine::fs::Node;
use machine::http::{self, ClientEvent, Outcome, ServerEvent, StreamRef, Target};
use machine::{Alarm, Errno, Fd, Poll, Program, Signal, Sys, Wake};
use sim::{Arg, EntryId, Kind, Stream};

use super::RELEASES;
use super::audit_log::AuditLog;
use super::flags::Flags;
use crate::definition::Definition;
use crate::userland::put;

/// `registry.k8s.io/kube-apiserver`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/kube-apiserver",
    tags: RELEASES,
    layers: &[
        ("kube base", 3_100_000),
        ("kube-apiserver {tag}", 24_800_000),
    ],
    files: |tree, tag| {
        put(
            tree,
            "/usr/local/bin/kube-apiserver",
            Node::release("kube-apiserver", tag),
        )
    },
    env: &[(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    )],
    programs: &[("kube-apiserver", || Box::new(KubeApiserver::default()))],
    ..Definition::PLAIN
};

#[derive(Clone, Debug, Default)]
struct KubeApiserver {
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    server: ApiServer,
    audit_log: AuditLog,
    clients: http::Server,
    http: http::Client,
    etcd: Target,
    /// The server's calls by those of its connections, and back.
    calls: BTreeMap<http::CallId, CallId>,
    back: BTreeMap<CallId, http::CallId>,
    alarm: Alarm,
}

/// The journal of the machine.
struct Journal<'a, 'b>(&'a mut Sys<'b>);

impl Notes for Journal<'_, '_> {
    fn note(&mut self, cause: EntryId, kind: &'static Kind, args: &[Arg]) -> EntryId {
        self.0.set_cause(cause);
        self.0.note(kind, args)
    }
}

impl KubeApiserver {
    fn start(sys: &mut Sys<'_>) -> Result<Running, String> {
        let args = sys.args();
        let flags = Flags::read(&args);
        let config = Config::from_args(args.iter().skip(1).map(|arg| &**arg));
        let config = config.map_err(|why| format!("Error: {why}"))?;
        KubeApiserver::serve(sys, config, &flags).map_err(|why| {
            let text = format!("\"command failed\" err={}", api::go::quote(&why));
            klog_line(sys.now(), Severity::Error, 1, "run.go:72", &text)
        })
    }

    fn serve(sys: &mut Sys<'_>, mut config: Config, flags: &Flags) -> Result<Running, String> {
        config.version = sys.version();
        let mut subject = |flag: &str| -> Result<Option<Rc<str>>, String> {
            let Some(path) = flags.get(flag) else {
                return Ok(None);
            };
            let text = sys
                .read_to_string(path)
                .map_err(|errno| format!("open {path}: {}", errno.message().to_lowercase()))?;
            let read = Certificate::from_pem(&text).map(|certificate| certificate.subject);
            read.map(Some).ok_or_else(|| {
                format!("tls: failed to find any PEM data in certificate input: {path}")
            })
        };
        config.etcd_identity = subject("etcd-certfile")?;
        config.kubelet_identity = subject("kubelet-client-certificate")?;
        subject("tls-cert-file")?;
        subject("client-ca-file")?;
        if let Some(path) = flags.get("service-account-signing-key-file") {
            let key = sys
                .read_file(path)
                .map_err(|errno| format!("open {path}: {}", errno.message().to_lowercase()))?;
            config.signing_key = fold(&key);
        }
        let audit_log = AuditLog::of(flags)?;
        if let Some(path) = flags.get("audit-policy-file") {
            config.audit_policy = Some(Rc::new(audit_policy(sys, path)?));
            audit_log.open(sys)?;
        }
        let bind: Ipv4Addr = flags
            .or("bind-address", "0.0.0.0")
            .parse()
            .unwrap_or(Ipv4Addr::UNSPECIFIED);
        let mut clients = http::Server::new();
        let addr = SocketAddrV4::new(bind, config.secure_port);
        clients.listen(sys, addr).map_err(|errno| {
            let why = errno.message().to_lowercase();
            format!("failed to create listener: failed to listen on {addr}: bind: {why}")
        })?;
        let etcd = Target::Tcp(config.etcd);
        let random = Stream::new(sys.random().next_u64(), "kube-apiserver");
        let server = ApiServer::new(config, Schemas::load(), random, sys.now());
        Ok(Running {
            server,
            audit_log,
            clients,
            http: http::Client::new(),
            etcd,
            calls: BTreeMap::new(),
            back: BTreeMap::new(),
            alarm: Alarm::default(),
        })
    }
}

impl Program for KubeApiserver {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        if self.running.is_none() {
            match KubeApiserver::start(sys) {
                Ok(running) => self.running = Some(running),
                Err(text) => {
                    let _ = sys.write(Fd::STDERR, format!("{text}\n").as_bytes());
                    return Poll::Exit(1);
                }
            }
        }
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        let more = match why {
            Wake::Ready(fd) => running.ready(sys, fd),
            Wake::Start => running.with(sys, |server, cx| server.on_timer(cx)),
            Wake::Timer(timer) => {
                running.alarm.rang(timer);
                running.with(sys, |server, cx| server.on_timer(cx))
            }
            Wake::Signal(_) => return Poll::Exit(0),
            _ => Ok(()),
        };
        if let Err(last_words) = more {
            let _ = sys.write(Fd::STDERR, format!("{last_words}\n").as_bytes());
            return Poll::Exit(1);
        }
        running.alarm.set(sys, running.server.deadline());
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(signal, Signal::Term | Signal::Int)
    }
}

/// `Err` with the server's last words.
type Going = Result<(), String>;

impl Running {
    fn ready(&mut self, sys: &mut Sys<'_>, fd: Fd) -> Going {
        let mut requests: Vec<(EntryId, ServerEvent)> = Vec::new();
        if self
            .clients
            .on_ready_caused(sys, fd, &mut |cause, e| requests.push((cause, e)))
        {
            for (cause, event) in requests {
                sys.set_cause(cause);
                let source = source(sys, &event);
                self.with(sys, |server, cx| match event {
                    ServerEvent::Request(from, request) => {
                        cx.source = source;
                        server.on_request(cx, stream(from), &request);
                    }
                    ServerEvent::Data(from, body) => server.on_data(cx, stream(from), body),
                    ServerEvent::End(from) => server.on_end(cx, stream(from)),
                    ServerEvent::Reset(from) => server.on_reset(cx, stream(from)),
                    ServerEvent::Closed(conn) => server.on_closed(cx, u64::from(conn.0)),
                    ServerEvent::Bytes(..) => {}
                })?;
            }
            return Ok(());
        }
        let mut events = Vec::new();
        self.http.on_ready(sys, fd, &mut events);
        events
            .into_iter()
            .try_for_each(|event| self.answered(sys, event))
    }

    fn answered(&mut self, sys: &mut Sys<'_>, event: ClientEvent) -> Going {
        let ClientEvent {
            call,
            cause,
            outcome,
        } = event;
        let Some(own) = self.calls.get(&call).copied() else {
            return Ok(());
        };
        let over = match &outcome {
            Outcome::Response(response) => !response.more,
            Outcome::Data(_) => false,
            Outcome::End | Outcome::Failed(_) => true,
        };
        if over {
            self.calls.remove(&call);
            self.back.remove(&own);
        }
        sys.set_cause(cause);
        self.with(sys, |server, cx| match outcome {
            Outcome::Response(response) => server.on_response(cx, own, &response),
            Outcome::Data(body) => server.on_call_data(cx, own, body),
            Outcome::End => server.on_call_end(cx, own),
            Outcome::Failed(errno) => server.on_call_failed(cx, own, errno),
        })
    }

    /// Lets the server act, and carries out what it wants done.
    fn with(&mut self, sys: &mut Sys<'_>, act: impl FnOnce(&mut ApiServer, &mut Cx<'_>)) -> Going {
        let (now, cause) = (sys.now(), sys.cause());
        let mut journal = Journal(sys);
        let mut cx = Cx::new(now, cause, &mut journal);
        act(&mut self.server, &mut cx);
        self.server.see_off(&mut cx);
        let effects = std::mem::take(&mut cx.effects);
        for effect in effects {
            self.carry_out(sys, effect)?;
        }
        let early = self.http.take_early();
        early
            .into_iter()
            .try_for_each(|event| self.answered(sys, event))
    }

    fn carry_out(&mut self, sys: &mut Sys<'_>, effect: Effect) -> Going {
        let Effect { cause, action } = effect;
        sys.set_cause(cause);
        match action {
            Action::Respond(to, response) => self.clients.respond(sys, back(to), response),
            Action::Data(to, body) => self.clients.data(sys, back(to), body),
            Action::End(to) => self.clients.end(sys, back(to)),
            Action::Call(call, peer, request) => {
                let target = match peer {
                    Peer::Etcd => self.etcd.clone(),
                    Peer::Kubelet(addr) => Target::Tcp(addr),
                };
                let id = self.http.call(sys, &target, Rc::new(request));
                self.calls.insert(id, call);
                self.back.insert(call, id);
            }
            Action::CallData(call, body) => {
                if let Some(id) = self.back.get(&call) {
                    self.http.data(sys, *id, body);
                }
            }
            Action::CallEnd(call) => {
                if let Some(id) = self.back.get(&call) {
                    self.http.end(sys, *id);
                }
            }
            Action::CallReset(call) => {
                if let Some(id) = self.back.remove(&call) {
                    self.calls.remove(&id);
                    self.http.cancel(sys, id);
                }
            }
            Action::Audit(line) => self.audit_log.write(sys, &line),
            Action::Exit(last_words) => return Err(last_words),
        }
        Ok(())
    }
}

/// The policy of a file, or what is wrong with it.
fn audit_policy(sys: &mut Sys<'_>, path: &str) -> Result<Policy, String> {
    let text = sys.read_to_string(path).map_err(|errno| {
        let why = errno.message().to_lowercase();
        let verb = match errno {
            Errno::EISDIR => "read",
            _ => "open",
        };
        format!("failed to read file path {path:?}: {verb} {path}: {why}")
    });
    text.and_then(|text| Policy::read(&text).map_err(|why| format!("{why}: from file {path}")))
        .map_err(|why| format!("loading audit policy file: {why}"))
}

/// Who sent a request.
fn source(sys: &Sys<'_>, event: &ServerEvent) -> Option<Ipv4Addr> {
    let ServerEvent::Request(from, _) = event else {
        return None;
    };
    let conn = u32::try_from(from.numbers().0).ok()?;
    sys.peer(Fd(conn)).ok().map(|peer| *peer.ip())
}

fn stream(from: StreamRef) -> StreamId {
    let (conn, stream) = from.numbers();
    StreamId { conn, stream }
}

fn back(to: StreamId) -> StreamRef {
    StreamRef::of(to.conn, to.stream)
}

/// A number made of a key file: what tokens are signed with.
fn fold(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}
