//! Redis: a server that keeps strings in memory and now and then in a file, and its client.
//!
//! Models src/server.c and the image of docker.io/library/redis.

mod cli;
mod keys;
mod rdb;
mod resp;

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use machine::fs::Node;
use machine::http::{Server, ServerEvent};
use machine::{Alarm, Errno, Fd, Payload, Poll, Program, Signal, Sys, Wake, tool};
use sim::{Duration, Instant};

use crate::definition::{Definition, Tags, Versions};
use crate::userland::{Userland, put};
use keys::{Also, Keys};
use resp::{Reply, read_request};

/// `docker.io/library/redis`
pub(crate) static IMAGE: Definition = Definition {
    repository: "docker.io/library/redis",
    tags: Tags {
        words: &["latest", "alpine"],
        versions: &[
            Versions::of(5, 0..=0),
            Versions::of(6, 0..=2),
            Versions::of(7, 0..=4),
            Versions::of(8, 0..=4),
        ],
        suffixes: &["alpine", "trixie", "bookworm"],
    },
    userland: Userland::Debian,
    layers: &[("redis {tag}", 22_600_000)],
    cmd: &["redis-server"],
    working_dir: "/data",
    ports: &[6379],
    files: |tree, _| {
        put(tree, "/data", Node::dir(0o755));
        for name in ["redis-server", "redis-cli"] {
            put(tree, &format!("/usr/local/bin/{name}"), Node::binary(name));
        }
    },
    programs: &[
        ("redis-server", || Box::new(Redis::default())),
        ("redis-cli", || tool(|io| Box::pin(cli::main(io)))),
    ],
    ..Definition::PLAIN
};

/// The file is written after so many seconds if so many changes were made: `save 3600 1 300 100 60
/// 10000`.
const SAVE_POINTS: [(u64, u64); 3] = [(3600, 1), (300, 100), (60, 10_000)];

/// The server.
#[derive(Clone, Debug, Default)]
struct Redis {
    clients: Server,
    /// Parts of requests.
    received: BTreeMap<Fd, Vec<u8>>,
    keys: Keys,
    /// The path of the file.
    file: String,
    last_save: Instant,
    alarm: Alarm,
}

impl Redis {
    fn start(&mut self, sys: &mut Sys<'_>) -> Result<(), String> {
        let args = sys.args();
        let (mut port, mut dir, mut name) = (6379, ".".to_owned(), "dump.rdb".to_owned());
        let mut rest = args.iter().skip(1);
        while let Some(flag) = rest.next() {
            let value = rest.next().map_or("", |value| value);
            match &**flag {
                "--port" => port = value.parse().unwrap_or(port),
                "--dir" => dir = value.to_owned(),
                "--dbfilename" => name = value.to_owned(),
                "--appendonly" if value == "no" => {}
                "--bind" | "--protected-mode" | "--loglevel" => {}
                other => return Err(format!("{other}: {}", sim::unmodelled!("this setting"))),
            }
        }
        self.file = format!("{dir}/{name}");
        self.last_save = sys.now();
        self.keys.saved_at = sys.now().unix_secs();
        log(sys, 'C', "oO0OoO0OoO0Oo Redis is starting oO0OoO0OoO0Oo");
        let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
        if let Err(errno) = self.clients.listen(sys, addr) {
            let why = errno.message();
            log(
                sys,
                'M',
                &format!(
                    "Warning: Could not create server TCP listening socket *:{port}: bind: {why}"
                ),
            );
            return Err("Failed listening on port, aborting.".to_owned());
        }
        log(sys, 'M', "Server initialized");
        match sys.read_file(&self.file) {
            Ok(bytes) => {
                let loaded = rdb::load(&bytes);
                self.keys.map = loaded.ok_or("Wrong signature trying to load DB from file")?;
                let count = self.keys.map.len();
                let text = format!("Done loading RDB, keys loaded: {count}, keys expired: 0.");
                log(sys, 'M', &text);
                log(sys, 'M', "DB loaded from disk: 0.000 seconds");
            }
            Err(Errno::ENOENT) => {}
            Err(errno) => return Err(format!("Fatal error loading the DB: {}", errno.message())),
        }
        log(sys, 'M', "Ready to accept connections tcp");
        Ok(())
    }

    fn ready(&mut self, sys: &mut Sys<'_>, fd: Fd) -> Poll {
        let mut events = Vec::new();
        self.clients.on_ready(sys, fd, &mut events);
        for event in events {
            match event {
                ServerEvent::Bytes(conn, bytes) => {
                    self.received.entry(conn).or_default().extend(bytes.iter());
                    if let Poll::Exit(code) = self.serve(sys, conn) {
                        return Poll::Exit(code);
                    }
                }
                ServerEvent::Closed(conn) => {
                    self.received.remove(&conn);
                }
                // A browser at the wrong door.
                ServerEvent::Request(from, _) => self.clients.close(sys, from.conn),
                _ => {}
            }
        }
        Poll::Pending
    }

    /// Answers what is complete of what a connection sent.
    fn serve(&mut self, sys: &mut Sys<'_>, conn: Fd) -> Poll {
        while let Some(bytes) = self.received.get_mut(&conn) {
            let Some((words, length)) = read_request(bytes) else {
                break;
            };
            bytes.drain(..length);
            if words.is_empty() {
                continue;
            }
            let (mut reply, also) = self.keys.run(&words);
            match also {
                Also::Nothing | Also::Quit => {}
                Also::Save | Also::SaveLater => {
                    if !self.save(sys) {
                        reply = Reply::Error("ERR".to_owned());
                    }
                }
                Also::Shutdown => return self.stop(sys),
            }
            let mut out = Vec::new();
            reply.encode(&mut out);
            // Who is gone is told by the next wake.
            let _ = sys.send(conn, Payload::from(out));
            if also == Also::Quit {
                self.received.remove(&conn);
                self.clients.close(sys, conn);
            }
        }
        Poll::Pending
    }

    fn save(&mut self, sys: &mut Sys<'_>) -> bool {
        let temporary = format!("{}.tmp", self.file);
        let bytes = rdb::dump(&self.keys.map);
        let file = self.file.clone();
        let saved = sys.write_file(&temporary, &bytes);
        if let Err(errno) = saved.and_then(|()| sys.rename(&temporary, &file)) {
            let why = errno.message();
            log(sys, 'M', &format!("Failed saving the DB: {why}"));
            return false;
        }
        self.keys.dirty = 0;
        self.keys.saved_at = sys.now().unix_secs();
        self.last_save = sys.now();
        log(sys, 'M', "DB saved on disk");
        true
    }

    fn stop(&mut self, sys: &mut Sys<'_>) -> Poll {
        log(sys, 'M', "User requested shutdown...");
        log(sys, 'M', "Saving the final RDB snapshot before exiting.");
        self.save(sys);
        log(sys, 'M', "Redis is now ready to exit, bye bye...");
        Poll::Exit(0)
    }

    /// When the file is due to be written.
    fn due(&self) -> Option<Instant> {
        let points = SAVE_POINTS.iter();
        let due = points.filter(|(_, changes)| self.keys.dirty >= *changes);
        due.map(|(secs, _)| self.last_save + Duration::from_secs(*secs))
            .min()
    }
}

impl Program for Redis {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                if let Err(why) = self.start(sys) {
                    log(sys, 'M', &why);
                    return Poll::Exit(1);
                }
            }
            Wake::Signal(_) => {
                log(sys, 'M', "Received SIGTERM scheduling shutdown...");
                return self.stop(sys);
            }
            Wake::Timer(timer) => {
                self.alarm.rang(timer);
            }
            Wake::Ready(fd) => {
                if let Poll::Exit(code) = self.ready(sys, fd) {
                    return Poll::Exit(code);
                }
            }
            _ => {}
        }
        if self.due().is_some_and(|due| due <= sys.now()) {
            self.save(sys);
        }
        self.alarm.set(sys, self.due());
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(signal, Signal::Term | Signal::Int)
    }
}

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// A line of the log: `1:M 05 Jan 2026 09:00:00.123 * Ready`.
fn log(sys: &mut Sys<'_>, role: char, text: &str) {
    let now = sys.now().rfc3339_micro();
    let month = now[5..7].parse::<usize>().unwrap_or(1);
    let line = format!(
        "{}:{role} {} {} {} {} * {text}\n",
        sys.local_pid(sys.pid()),
        &now[8..10],
        MONTHS[month - 1],
        &now[..4],
        &now[11..23]
    );
    // A log nobody reads any more is not written.
    let _ = sys.write(Fd::STDOUT, line.as_bytes());
}
