//! etcd: a member whose database lies in a file of its data directory.

use std::net::SocketAddrV4;
use std::rc::Rc;

use etcd::{Config, Output, Server, Snapshot, StreamId};
use machine::fs::Node;
use machine::http::{self, ServerEvent, StreamRef};
use machine::{Alarm, Errno, Fd, Poll, Program, Signal, Sys, Wake};
use net::downcast_shared;
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
        put(tree, "/usr/local/bin/etcd", Node::release("etcd", version));
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
    database: Rc<str>,
    random: Stream,
    alarm: Alarm,
}

impl Etcd {
    fn start(sys: &mut Sys<'_>) -> Result<Running, String> {
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
                Some(snapshot.ok_or_else(|| format!("{database}: not a database"))?)
            }
            Err(Errno::ENOENT) => None,
            Err(_) => return Err(format!("{database}: invalid database")),
        };
        sys.mkdir_all(&format!("{dir}/member/snap"))
            .and_then(|()| sys.mkdir_all(&format!("{dir}/member/wal")))
            .map_err(|errno| {
                format!(
                    "cannot access data directory: {}",
                    errno.message().to_lowercase()
                )
            })?;
        let seed = sys.random().next_u64();
        let mut random = Stream::new(seed, "etcd");
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
        let server = Server::open(config, data.as_deref(), sys.now(), &mut random);
        Ok(Running {
            server,
            clients,
            health,
            database,
            random,
            alarm: Alarm::default(),
        })
    }
}

impl Program for Etcd {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        if self.running.is_none() {
            match Etcd::start(sys) {
                Ok(mut running) => {
                    running.save(sys);
                    self.running = Some(running);
                }
                Err(text) => {
                    let at = sys.now().rfc3339_micro();
                    let line = format!(
                        "{{\"level\":\"fatal\",\"ts\":\"{at}\",\"caller\":\"etcdmain/etcd.go:204\",\
                         \"msg\":\"discovery failed\",\"error\":\"{text}\"}}\n"
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

    /// The database as it is now becomes the contents of its file. A directory that was taken away
    /// meanwhile stays away: what is written is lost with it.
    fn save(&mut self, sys: &mut Sys<'_>) {
        let _ = sys.write_object(&self.database, Rc::new(self.server.snapshot()));
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
