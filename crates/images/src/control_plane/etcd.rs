//! etcd: a member whose database lies in a file of its data directory.

use std::net::SocketAddrV4;
use std::rc::Rc;

use client::certificate::Certificate;
use etcd::{Config, Output, Server, Snapshot, StreamId};
use machine::fs::Node;
use machine::http::{self, ServerEvent, StreamRef};
use machine::{Alarm, Errno, Fd, Poll, Program, Signal, Sys, Wake};
use net::http::{Body, Request, Response};
use net::tls::{ClientHello, ServerHello};
use net::{Shared, downcast_shared};
use sim::{EntryId, Stream};

use super::flags::Flags;
use super::health::Health;
use crate::definition::{Definition, Tags, Versions};
use crate::userland::put;

/// `registry.k8s.io/etcd`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/etcd",
    tags: Tags {
        words: &[],
        versions: &[Versions::of(3, 5..=6)],
        suffixes: &["0"],
    },
    layers: &[("kube base", 3_100_000), ("etcd {tag}", 20_100_000)],
    files: |tree, tag| {
        let version = tag.split('-').next().unwrap_or(tag);
        for name in ["etcd", "etcdctl", "etcdutl"] {
            let node = Node::release(name, version);
            put(tree, &format!("/usr/local/bin/{name}"), node);
        }
    },
    env: &[(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    )],
    ports: &[2379, 2380],
    programs: &[("etcd", || Box::new(Etcd::default()))],
    ..Definition::PLAIN
};

/// Where the database lies, below the data directory.
const DATABASE: &str = "member/snap/db";

#[derive(Clone, Debug, Default)]
struct Etcd {
    running: Option<Running>,
}

#[derive(Clone, Debug)]
struct Running {
    server: Server,
    clients: http::Server,
    health: Health,
    tls: Option<Tls>,
    database: Rc<str>,
    /// What the member last wrote. Who finds something else in the file's place has replaced the
    /// file: the member goes on with its own, which nobody sees any more.
    written: Option<Rc<Snapshot>>,
    random: Stream,
    alarm: Alarm,
}

/// How the member shows itself, and whom it lets in.
#[derive(Clone, Debug)]
struct Tls {
    /// The text of `--cert-file`.
    certificate: Rc<str>,
    /// The authority in `--trusted-ca-file`, with `--client-cert-auth`.
    clients: Option<Rc<str>>,
}

impl Tls {
    fn read(sys: &mut Sys<'_>, flags: &Flags) -> Result<Option<Tls>, String> {
        let mut text = |flag: &str| -> Result<Option<String>, String> {
            let Some(path) = flags.get(flag) else {
                return Ok(None);
            };
            let read = sys.read_to_string(path);
            read.map(Some)
                .map_err(|errno| format!("open {path}: {}", errno.go_message()))
        };
        let (certificate, authority) = (text("cert-file")?, text("trusted-ca-file")?);
        text("key-file")?;
        let wanted = flags.or("client-cert-auth", "false") == "true";
        let authority = authority.filter(|_| wanted);
        let clients = authority.and_then(|text| Certificate::from_pem(&text));
        Ok(certificate.map(|certificate| Tls {
            certificate: certificate.into(),
            clients: clients.map(|authority| authority.subject),
        }))
    }

    /// The answer to a client that begins a handshake.
    fn hello(&self, client: &ClientHello) -> ServerHello {
        let shown = client.certificate.as_deref().map(Certificate::from_pem);
        let alert = match (&self.clients, shown) {
            (None, _) => None,
            (Some(_), None) => Some("certificate required"),
            (Some(trusted), Some(shown)) => match shown {
                Some(shown) if shown.issuer == *trusted => None,
                _ => Some("unknown certificate authority"),
            },
        };
        ServerHello {
            certificate: self.certificate.clone(),
            alert,
        }
    }
}

/// Why etcd does not start, as the last line of its log says it.
struct Refusal {
    level: &'static str,
    caller: &'static str,
    message: &'static str,
    /// More fields of the line, as JSON.
    fields: String,
}

impl From<String> for Refusal {
    fn from(why: String) -> Refusal {
        Refusal {
            level: "fatal",
            caller: "etcdmain/etcd.go:204",
            message: "discovery failed",
            fields: format!("\"error\":\"{why}\""),
        }
    }
}

impl Refusal {
    fn bad_database(path: &str) -> Refusal {
        Refusal {
            level: "panic",
            caller: "backend/backend.go:204",
            message: "failed to open database",
            fields: format!("\"path\":\"{path}\",\"error\":\"invalid database\""),
        }
    }
}

impl Etcd {
    fn start(sys: &mut Sys<'_>) -> Result<Running, Refusal> {
        let flags = Flags::read(&sys.args());
        let urls = |name: &str, other: &'static str| -> Vec<Rc<str>> {
            flags.or(name, other).split(',').map(Rc::from).collect()
        };
        let dir = match flags.get("data-dir") {
            Some(dir) => dir.to_owned(),
            None => format!("{}.etcd", flags.or("name", "default")),
        };
        let config = Config {
            name: flags.or("name", "default").into(),
            peer_urls: urls("initial-advertise-peer-urls", "http://localhost:2380"),
            client_urls: urls("advertise-client-urls", "http://localhost:2379"),
            client_cert_auth: flags.or("client-cert-auth", "false") == "true",
            version: sys.version(),
            ..Config::default()
        };
        let database: Rc<str> = format!("{dir}/{DATABASE}").into();
        let data = match sys.read_object(&database) {
            Ok(object) => {
                let snapshot = downcast_shared::<Snapshot>(&object);
                Some(snapshot.ok_or_else(|| Refusal::bad_database(&database))?)
            }
            Err(Errno::ENOENT) => None,
            Err(_) => {
                let bytes = sys.read_file(&database).ok();
                let snapshot = bytes.and_then(|bytes| Snapshot::from_bytes(&bytes));
                let snapshot = Rc::new(snapshot.ok_or_else(|| Refusal::bad_database(&database))?);
                // From here on its own.
                let _ = sys.write_object(&database, snapshot.clone());
                Some(snapshot)
            }
        };
        make_dirs(sys, &dir).map_err(|errno| {
            format!(
                "cannot access data directory: {}",
                errno.message().to_lowercase()
            )
        })?;
        let tls = Tls::read(sys, &flags)?;
        let seed = sys.random().next_u64();
        let random = Stream::new(seed, "etcd");
        let mut clients = http::Server::new();
        let listen = flags
            .or("listen-client-urls", "http://localhost:2379")
            .to_owned();
        for url in listen.split(',') {
            let addr = address(url).ok_or_else(|| format!("{url}: not an address"))?;
            clients.listen(sys, addr).map_err(|errno| {
                format!(
                    "listen tcp {addr}: bind: {}",
                    errno.message().to_lowercase()
                )
            })?;
        }
        let mut health = Health::default();
        if let Some(addr) = flags.get("listen-metrics-urls").and_then(address) {
            health.listen(sys, addr).map_err(|errno| {
                format!(
                    "listen tcp {addr}: bind: {}",
                    errno.message().to_lowercase()
                )
            })?;
        }
        let server = Server::open(config, data.as_deref(), sys.now());
        Ok(Running {
            server,
            clients,
            health,
            tls,
            database,
            written: data,
            random,
            alarm: Alarm::default(),
        })
    }
}

/// The directories and the first file of the log, whose entries lie in the database here.
fn make_dirs(sys: &mut Sys<'_>, dir: &str) -> Result<(), Errno> {
    for below in ["member", "member/snap", "member/wal"] {
        let path = format!("{dir}/{below}");
        if !sys.exists(&path) {
            sys.mkdir_all(&path)?;
            sys.chmod(&path, 0o700)?;
        }
    }
    let log = format!("{dir}/member/wal/0000000000000000-0000000000000000.wal");
    if sys.exists(&log) {
        return Ok(());
    }
    sys.write_file(&log, b"")?;
    sys.chmod(&log, 0o600)
}

impl Program for Etcd {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        if sys.args().iter().any(|word| &**word == "--version") {
            let version = sys.version();
            let text = format!(
                "etcd Version: {version}\nGit SHA: Not provided (use ./build instead of go build)\n\
                 Go Version: go1.24.13\nGo OS/Arch: linux/amd64\n"
            );
            let _ = sys.write(Fd::STDOUT, text.as_bytes());
            return Poll::Exit(0);
        }
        if self.running.is_none() {
            match Etcd::start(sys) {
                Ok(mut running) => {
                    running.save(sys);
                    self.running = Some(running);
                }
                Err(refusal) => {
                    let at = sys.now().rfc3339_micro();
                    let Refusal {
                        level,
                        caller,
                        message,
                        fields,
                    } = refusal;
                    let line = format!(
                        "{{\"level\":\"{level}\",\"ts\":\"{at}\",\"caller\":\"{caller}\",\
                         \"msg\":\"{message}\",{fields}}}\n"
                    );
                    let _ = sys.write(Fd::STDERR, line.as_bytes());
                    return Poll::Exit(1);
                }
            }
        }
        let Some(running) = &mut self.running else {
            return Poll::Pending;
        };
        match why {
            Wake::Ready(fd) => running.ready(sys, fd),
            Wake::Timer(timer) => {
                running.alarm.rang(timer);
                running.on_time(sys);
            }
            Wake::Signal(_) => return Poll::Exit(0),
            _ => {}
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

impl Running {
    fn ready(&mut self, sys: &mut Sys<'_>, fd: Fd) {
        if self.health.on_ready(sys, fd, true) {
            return;
        }
        let mut events: Vec<(EntryId, ServerEvent)> = Vec::new();
        self.clients
            .on_ready_caused(sys, fd, &mut |cause, event| events.push((cause, event)));
        for (cause, event) in events {
            sys.set_cause(cause);
            let mut out = Vec::new();
            match event {
                ServerEvent::Request(from, request) if self.greet(sys, from, &request) => {}
                ServerEvent::Request(from, request) => {
                    let (now, from) = (sys.now(), stream(from));
                    self.server
                        .on_request(now, cause, &mut self.random, from, &request, &mut out);
                }
                ServerEvent::Data(from, body) => self.server.on_data(stream(from), &body, &mut out),
                ServerEvent::End(from) | ServerEvent::Reset(from) => {
                    self.server.on_end(stream(from));
                }
                ServerEvent::Closed(conn) => self.server.on_closed(u64::from(conn.0)),
                ServerEvent::Bytes(conn, _) => self.clients.close(sys, conn),
            }
            self.carry_out(sys, out);
        }
    }

    fn on_time(&mut self, sys: &mut Sys<'_>) {
        let mut out = Vec::new();
        if self.server.on_timer(sys.now(), &mut out) {
            self.save(sys);
        }
        for (cause, output) in out {
            sys.set_cause(cause);
            self.carry_out(sys, vec![output]);
        }
    }

    /// The database as it is now becomes the contents of its file. A file or directory that was taken
    /// away meanwhile stays away: what is written is lost with it.
    fn save(&mut self, sys: &mut Sys<'_>) {
        let there = sys.read_object(&self.database).ok();
        let is_own = match (&there, &self.written) {
            (None, None) => true,
            (Some(there), Some(written)) => {
                let there = downcast_shared::<Snapshot>(there);
                there.is_some_and(|there| Rc::ptr_eq(&there, written))
            }
            _ => false,
        };
        if !is_own {
            return;
        }
        let snapshot = Rc::new(self.server.snapshot());
        let written: Rc<dyn Shared> = snapshot.clone();
        if sys.write_object(&self.database, written).is_ok() {
            if there.is_none() {
                // It was made just now, so it can be done.
                let _ = sys.chmod(&self.database, 0o600);
            }
            self.written = Some(snapshot);
        }
    }

    /// Answers a client that begins with a handshake, and closes on it if it is a stranger.
    fn greet(&mut self, sys: &mut Sys<'_>, from: StreamRef, request: &Request) -> bool {
        let Some(client) = request.body.downcast_rc::<ClientHello>() else {
            return false;
        };
        let Some(tls) = &self.tls else {
            self.clients.close(sys, from.conn);
            return true;
        };
        let hello = tls.hello(&client);
        let is_stranger = hello.alert.is_some();
        let response = Response::new(200, Body::shared(Rc::new(hello)));
        self.clients.respond(sys, from, response);
        if is_stranger {
            self.clients.close(sys, from.conn);
        }
        true
    }

    fn carry_out(&mut self, sys: &mut Sys<'_>, out: Vec<Output>) {
        for output in out {
            match output {
                Output::Respond(to, response) => self.clients.respond(sys, back(to), response),
                Output::Data(to, body) => self.clients.data(sys, back(to), body),
                Output::End(to) => self.clients.end(sys, back(to)),
                Output::Close(conn) => {
                    self.clients
                        .close(sys, Fd(u32::try_from(conn).unwrap_or(u32::MAX)));
                }
            }
        }
    }
}

fn stream(from: StreamRef) -> StreamId {
    let (conn, stream) = from.numbers();
    StreamId { conn, stream }
}

fn back(to: StreamId) -> StreamRef {
    StreamRef::of(to.conn, to.stream)
}

/// The address of `https://127.0.0.1:2379`.
fn address(url: &str) -> Option<SocketAddrV4> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.replace("localhost", "127.0.0.1").parse().ok()
}
