//! CoreDNS on its machine: its sockets, its log, its Corefile.
//! Models coredns/core/dnsserver/server.go, coredns/coremain/run.go and the plugins errors, log,
//! health, loop and reload.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Fd, Sys};
use net::dns::{Message, Name, Rcode, Record, RecordType};
use sim::{Duration, Instant};

use super::chain::{Cache, Outcome, ask, balance, server_for};
use super::config::{Config, Server};
use super::pages::{Counts, Pages};
use super::server::CoreDns;
use super::upstream::{Answered, Upstream, Waiting};

/// The API server is waited for so long before questions are taken.
const SYNC_LIMIT: Duration = Duration::from_secs(5);
/// How often plugin reload looks at the Corefile.
const RELOAD: Duration = Duration::from_secs(30);
/// How long plugin loop listens for its own question.
const LOOP_SPAN: Duration = Duration::from_secs(30);

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Client {
    Udp(Fd, SocketAddrV4),
    Tcp(Fd),
    /// Plugin loop, to see whether the question comes back.
    Loop,
}

/// Sockets and what waits on them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Front {
    started: Option<Instant>,
    serving: bool,
    pages: Pages,
    datagrams: BTreeMap<Fd, u16>,
    listeners: BTreeMap<Fd, u16>,
    /// Connections: the port, and bytes of a message that is not whole yet.
    streams: BTreeMap<Fd, (u16, Vec<u8>)>,
    upstream: Upstream,
    cache: Cache,
    counts: Counts,
    /// When to look at the Corefile again.
    reload_at: Option<Instant>,
    /// The name plugin loop asked for, and how often it came in.
    loop_name: Option<(Name, u32)>,
    /// The end of the lameduck time.
    ends_at: Option<Instant>,
    exit: Option<i32>,
}

/// The Corefile that the command line names, as it is now.
///
/// # Errors
/// In CoreDNS' words.
pub(super) fn read_corefile(sys: &mut Sys<'_>) -> Result<Config, String> {
    let args = sys.args();
    let named = args
        .iter()
        .position(|arg| matches!(&**arg, "-conf" | "--conf"));
    let path = named.and_then(|at| args.get(at + 1)).cloned();
    let path = path.unwrap_or_else(|| "Corefile".into());
    let text = sys.read_to_string(&path).map_err(|errno| {
        format!(
            "loading Caddyfile via flag: open {path}: {}",
            errno.go_message()
        )
    })?;
    let resolv: Option<String> = sys.read_to_string("/etc/resolv.conf").ok();
    Config::read(&text, &|file| {
        resolv.clone().filter(|_| file == "/etc/resolv.conf")
    })
}

impl Front {
    pub(super) fn act(&mut self, sys: &mut Sys<'_>, component: &mut CoreDns) {
        let now = sys.now();
        if self.started.is_none() {
            self.started = Some(now);
            self.open_pages(sys, component.config());
            // A Corefile in a volume is replaced together with its directory.
            let _ = sys.watch("/etc/coredns");
        }
        let waited = self
            .started
            .is_some_and(|started| started + SYNC_LIMIT <= now);
        if !self.serving && (component.has_synced() || waited) {
            if !component.has_synced() {
                let text = "plugin/kubernetes: starting server with unsynced Kubernetes API";
                say(sys, "WARNING", text);
            }
            self.serving = true;
            self.serve(sys, component);
        }
        let answered = self.upstream.on_time(sys);
        self.finish_all(sys, answered);
        if self.reload_at.is_some_and(|at| at <= now) {
            self.reload_at = None;
            self.reload(sys, component);
        }
        if self.ends_at.is_some_and(|at| at <= now) {
            self.exit = Some(0);
        }
    }

    pub(super) fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, component: &CoreDns) -> bool {
        let ready = self.serving && component.has_synced();
        if self.pages.on_ready(sys, fd, ready, &self.counts) {
            return true;
        }
        if let Some(answered) = self.upstream.on_ready(sys, fd) {
            self.finish_all(sys, answered);
            return true;
        }
        if let Some(port) = self.datagrams.get(&fd).copied() {
            while let Ok((from, payload)) = sys.recv_from(fd) {
                self.question(
                    sys,
                    component,
                    Client::Udp(fd, from),
                    port,
                    &payload.bytes(),
                );
            }
            return true;
        }
        if let Some(port) = self.listeners.get(&fd).copied() {
            while let Ok(stream) = sys.accept(fd) {
                self.streams.insert(stream, (port, Vec::new()));
                self.stream(sys, component, stream);
            }
            return true;
        }
        self.stream(sys, component, fd)
    }

    pub(super) fn next_deadline(&self) -> Option<Instant> {
        let sync = self
            .started
            .filter(|_| !self.serving)
            .map(|at| at + SYNC_LIMIT);
        [
            self.upstream.next_deadline(),
            sync,
            self.reload_at,
            self.ends_at,
        ]
        .into_iter()
        .flatten()
        .min()
    }

    /// The Corefile may have changed; it is looked at every so often.
    pub(super) fn on_change(&mut self, now: Instant) {
        let started = self.started.unwrap_or(now);
        let rounds = now.since(started).as_nanos() / RELOAD.as_nanos() + 1;
        let rounds = u32::try_from(rounds).unwrap_or(u32::MAX);
        self.reload_at = Some(started + RELOAD.saturating_mul(rounds));
    }

    pub(super) fn on_stop(&mut self, sys: &mut Sys<'_>, component: &CoreDns) -> bool {
        say(
            sys,
            "INFO",
            "SIGTERM: Shutting down servers then terminating",
        );
        match component.config().health {
            Some((_, lameduck)) if lameduck > Duration::ZERO => {
                let secs = lameduck.as_secs();
                let text = format!("plugin/health: Going into lameduck mode for {secs}s");
                say(sys, "INFO", &text);
                self.ends_at = Some(sys.now() + lameduck);
                false
            }
            _ => true,
        }
    }

    pub(super) fn exit_code(&self) -> Option<i32> {
        self.exit
    }

    fn open_pages(&mut self, sys: &mut Sys<'_>, config: &Config) {
        if let Err(why) = self.pages.open(sys, config) {
            print(sys, &why);
            self.exit = Some(1);
        }
    }

    /// Opens the ports of all servers, and says what they are for.
    fn serve(&mut self, sys: &mut Sys<'_>, component: &CoreDns) {
        let config = component.config().clone();
        for server in &config.servers {
            let zone = match &*server.zone {
                "" => ".".to_owned(),
                zone => format!("{zone}."),
            };
            print(sys, &format!("{zone}:{}", server.port));
            if self.datagrams.values().any(|port| *port == server.port) {
                continue;
            }
            let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, server.port);
            match (sys.listen(addr), sys.udp_bind(addr)) {
                (Ok(tcp), Ok(udp)) => {
                    self.listeners.insert(tcp, server.port);
                    self.datagrams.insert(udp, server.port);
                    // Nothing can have come yet: this asks to be woken when something does.
                    self.on_ready(sys, tcp, component);
                    self.on_ready(sys, udp, component);
                }
                (Err(errno), _) | (_, Err(errno)) => {
                    let why = errno.go_message();
                    print(
                        sys,
                        &format!("Listen: listen tcp :{}: bind: {why}", server.port),
                    );
                    self.exit = Some(1);
                    return;
                }
            }
        }
        let version = sys.env().get("COREDNS_TAG").cloned().unwrap_or_default();
        let version = version.trim_start_matches('v');
        print(sys, &format!("CoreDNS-{version}\nlinux/amd64, go1.26.1"));
        self.probe(sys, component);
    }

    /// Models coredns/plugin/loop: asks for a name nobody has, and sees whether it comes back.
    fn probe(&mut self, sys: &mut Sys<'_>, component: &CoreDns) {
        let config = component.config().clone();
        let Some(server) = config.servers.iter().find(|server| server.loops) else {
            return;
        };
        let (one, two) = (sys.random().next_u64(), sys.random().next_u64());
        let Ok(name) = format!("{}.{}.", one >> 1, two >> 1).parse::<Name>() else {
            return;
        };
        self.loop_name = Some((name.clone(), 0));
        let hinfo = RecordType::named("HINFO").unwrap_or(RecordType::ANY);
        let query = Message::query((one & 0xffff) as u16, name, hinfo);
        self.question(sys, component, Client::Loop, server.port, &query.encode());
    }

    fn stream(&mut self, sys: &mut Sys<'_>, component: &CoreDns, fd: Fd) -> bool {
        let Some((port, _)) = self.streams.get(&fd) else {
            return false;
        };
        let port = *port;
        loop {
            match sys.recv(fd) {
                Ok(Some(payload)) => {
                    if let Some((_, bytes)) = self.streams.get_mut(&fd) {
                        bytes.extend_from_slice(&payload.bytes());
                    }
                    while let Some(message) = self.whole(fd) {
                        self.question(sys, component, Client::Tcp(fd), port, &message);
                    }
                }
                Err(machine::Errno::EAGAIN) => return true,
                Ok(None) | Err(_) => {
                    self.streams.remove(&fd);
                    sys.close(fd);
                    return true;
                }
            }
        }
    }

    /// The first whole message of a connection.
    fn whole(&mut self, fd: Fd) -> Option<Vec<u8>> {
        let (_, bytes) = self.streams.get_mut(&fd)?;
        let (_, length) = Message::decode_framed(bytes)?;
        let message = bytes.drain(..length).skip(2).collect();
        Some(message)
    }

    fn question(
        &mut self,
        sys: &mut Sys<'_>,
        component: &CoreDns,
        client: Client,
        port: u16,
        bytes: &[u8],
    ) {
        let Ok(query) = Message::decode(bytes) else {
            return;
        };
        let Some(question) = query.questions.first().filter(|_| !query.response).cloned() else {
            return;
        };
        let began = sys.now();
        let Some(server) = server_for(component.config(), port, &question.name) else {
            let reply = query.reply(Rcode::REFUSED);
            return self.send(sys, client, &query, reply);
        };
        self.mind_loops(sys, client, &question.name, &server);
        let waiting = Waiting {
            client,
            server: server.clone(),
            query,
            began,
            name: question.name.clone(),
            prefix: Vec::new(),
            to: Rc::new([]),
        };
        let now = sys.now();
        if server.cache.is_some()
            && let Some(reply) = self.cache.find(now, &waiting.query, &question)
        {
            return self.finish(sys, waiting, reply, None);
        }
        let hosts: Option<String> = match &server.hosts {
            Some(hosts) => hosts
                .file
                .as_deref()
                .and_then(|f| sys.read_to_string(f).ok()),
            None => None,
        };
        let file = |_: &str| hosts.clone();
        match ask(&server, component.known(), &file, &waiting.query, &question) {
            Outcome::Reply(reply) => self.answered(sys, waiting, reply, None),
            Outcome::Ask { name, to, prefix } => {
                let waiting = Waiting {
                    name,
                    to,
                    prefix,
                    ..waiting
                };
                let answered = self.upstream.ask(sys, waiting);
                self.finish_all(sys, answered);
            }
        }
    }

    /// A server that hears its own question asks itself: it ends, and says so.
    fn mind_loops(&mut self, sys: &mut Sys<'_>, client: Client, name: &Name, server: &Server) {
        let early = self
            .started
            .is_some_and(|at| sys.now() < at + SYNC_LIMIT + LOOP_SPAN);
        let Some((own, seen)) = self.loop_name.as_mut().filter(|_| early) else {
            return;
        };
        if !own.same(name) {
            return;
        }
        *seen += 1;
        if *seen > 2
            && let Client::Udp(_, from) = client
        {
            let text = format!(
                "plugin/loop: Loop ({from} -> :{}) detected for zone \".\", see \
                 https://coredns.io/plugins/loop#troubleshooting. Query: \"HINFO {name}\"",
                server.port
            );
            say(sys, "FATAL", &text);
            self.exit = Some(1);
        }
    }

    fn finish_all(&mut self, sys: &mut Sys<'_>, all: impl IntoIterator<Item = Answered>) {
        for Answered {
            waiting,
            reply,
            error,
        } in all
        {
            self.answered(sys, waiting, reply, error);
        }
    }

    /// An answer is new: it may be kept.
    fn answered(
        &mut self,
        sys: &mut Sys<'_>,
        waiting: Waiting,
        reply: Message,
        error: Option<String>,
    ) {
        if let Some(caching) = &waiting.server.cache {
            self.cache
                .keep(sys.now(), caching, waiting.question(), &reply);
        }
        self.finish(sys, waiting, reply, error);
    }

    fn finish(
        &mut self,
        sys: &mut Sys<'_>,
        waiting: Waiting,
        mut reply: Message,
        error: Option<String>,
    ) {
        let server = &waiting.server;
        let question = waiting.question();
        if let Some(error) = error.filter(|_| server.errors) {
            let (name, qtype) = (&question.name, question.qtype);
            let code = reply.rcode.0;
            say(
                sys,
                "ERROR",
                &format!("plugin/errors: {code} {name} {qtype}: {error}"),
            );
        }
        if server.balances {
            balance(&mut reply, sys.random());
        }
        if server.log {
            log(sys, &waiting, &reply);
        }
        let proto = match waiting.client {
            Client::Tcp(_) => "tcp",
            _ => "udp",
        };
        self.counts
            .add(server.port, question.qtype, proto, reply.rcode);
        self.send(sys, waiting.client, &waiting.query, reply);
    }

    fn send(&mut self, sys: &mut Sys<'_>, client: Client, query: &Message, mut reply: Message) {
        if let Some(opt) = query.opt() {
            reply.additional.push(Record::opt(opt.class));
        }
        // A client that is gone shows as a closed connection, or not at all.
        match client {
            Client::Udp(fd, to) => {
                let bytes = reply.encode_within(query.udp_size());
                let _ = sys.send_to(fd, to, bytes.into());
            }
            Client::Tcp(fd) => {
                let _ = sys.send(fd, reply.encode_framed());
            }
            Client::Loop => {}
        }
    }

    fn reload(&mut self, sys: &mut Sys<'_>, component: &mut CoreDns) {
        match read_corefile(sys) {
            Ok(config) if config == **component.config() => {}
            Ok(config) => {
                say(sys, "INFO", "Reloading");
                component.set_config(config);
                for fd in self.datagrams.keys().chain(self.listeners.keys()) {
                    sys.close(*fd);
                }
                self.datagrams.clear();
                self.listeners.clear();
                self.cache = Cache::default();
                let config = component.config().clone();
                self.open_pages(sys, &config);
                self.serve(sys, component);
                say(sys, "INFO", "Reloading complete");
            }
            Err(why) => {
                let text = format!("Restart failed: {why}");
                say(sys, "ERROR", &text);
                let text = format!("plugin/reload: Corefile changed but reload failed: {why}");
                say(sys, "ERROR", &text);
            }
        }
    }
}

/// A line of plugin log.
fn log(sys: &mut Sys<'_>, waiting: &Waiting, reply: &Message) {
    let (from, proto) = match waiting.client {
        Client::Udp(_, from) => (from, "udp"),
        Client::Tcp(fd) => match sys.peer(fd) {
            Ok(peer) => (peer, "tcp"),
            Err(_) => return,
        },
        Client::Loop => return,
    };
    let question = waiting.question();
    let flags = [
        (true, "qr"),
        (reply.authoritative, "aa"),
        (reply.truncated, "tc"),
        (reply.recursion_desired, "rd"),
        (reply.recursion_available, "ra"),
    ];
    let flags: Vec<&str> = flags
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    let size = waiting.query.encode().len();
    let spent = sys.now().since(waiting.began).as_nanos();
    let text = format!(
        "{from} - {} \"{} IN {} {proto} {size} false {}\" {} {} {} {}.{:09}s",
        waiting.query.id,
        question.qtype,
        question.name.as_str().to_lowercase(),
        waiting.query.udp_size(),
        reply.rcode,
        flags.join(","),
        reply.encode().len(),
        spent / 1_000_000_000,
        spent % 1_000_000_000,
    );
    say(sys, "INFO", &text);
}

fn say(sys: &mut Sys<'_>, level: &str, text: &str) {
    print(sys, &format!("[{level}] {text}"));
}

fn print(sys: &mut Sys<'_>, line: &str) {
    // Nobody may be reading; it goes on without its log.
    let _ = sys.write(Fd::STDOUT, format!("{line}\n").as_bytes());
}
