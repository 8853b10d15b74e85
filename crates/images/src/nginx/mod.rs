//! nginx: a master that reads the configuration and binds, a worker that serves.
//! Models src/os/unix/ngx_process_cycle.c and the image of docker.io/library/nginx.

mod conf;
mod entrypoint;
mod serve;

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::fs::Node;
use machine::http::{Server, ServerEvent};
use machine::{Exec, Fd, Poll, Program, Signal, Spawn, Sys, Wake};
use sim::{Instant, Pid};

use crate::definition::{Definition, Tags, Versions};
use crate::userland::{Userland, put, text};
use conf::{Conf, ServerConf};

/// `docker.io/library/nginx`
pub(crate) static IMAGE: Definition = Definition {
    repository: "docker.io/library/nginx",
    tags: Tags {
        words: &[
            "latest",
            "stable",
            "mainline",
            "alpine",
            "stable-alpine",
            "mainline-alpine",
            "perl",
        ],
        versions: &[Versions::of(1, 7..=29)],
        suffixes: &["alpine", "perl", "alpine-slim", "bookworm", "alpine-perl"],
    },
    userland: Userland::Debian,
    layers: &[("nginx {tag}", 32_929_100), ("nginx entry point", 649)],
    entrypoint: &["/docker-entrypoint.sh"],
    cmd: &["nginx", "-g", "daemon off;"],
    env: &[("NGINX_VERSION", "{tag}")],
    ports: &[80],
    stop_signal: "SIGQUIT",
    files: |tree, _| {
        put(tree, "/usr/sbin/nginx", Node::binary("nginx"));
        put(tree, "/docker-entrypoint.sh", Node::binary(ENTRYPOINT));
        put(tree, "/docker-entrypoint.d", Node::dir(0o755));
        text(tree, "/etc/nginx/nginx.conf", NGINX_CONF);
        text(tree, "/etc/nginx/conf.d/default.conf", DEFAULT_CONF);
        text(tree, "/usr/share/nginx/html/index.html", WELCOME);
        put(tree, "/var/log/nginx", Node::dir(0o755));
    },
    programs: &[
        ("nginx", || Box::new(Master::default())),
        (ENTRYPOINT, || Box::new(entrypoint::Entrypoint)),
    ],
    ..Definition::PLAIN
};

/// What the image's entry point is called among programs.
const ENTRYPOINT: &str = "docker-entrypoint.sh (nginx)";

const NGINX_CONF: &str = "user nginx;
worker_processes 1;
pid /run/nginx.pid;

events {
    worker_connections 1024;
}

http {
    include /etc/nginx/conf.d/*.conf;
}
";

const DEFAULT_CONF: &str = "server {
    listen 80;
    server_name localhost;

    location / {
        root /usr/share/nginx/html;
        index index.html index.htm;
    }
}
";

const WELCOME: &str = "<!DOCTYPE html>
<html>
<head>
<title>Welcome to nginx!</title>
<style>
html { color-scheme: light dark; }
body { width: 35em; margin: 0 auto;
font-family: Tahoma, Verdana, Arial, sans-serif; }
</style>
</head>
<body>
<h1>Welcome to nginx!</h1>
<p>If you see this page, the nginx web server is successfully installed and
working. Further configuration is required.</p>

<p>For online documentation and support please refer to
<a href=\"http://nginx.org/\">nginx.org</a>.<br/>
Commercial support is available at
<a href=\"http://nginx.com/\">nginx.com</a>.</p>

<p><em>Thank you for using nginx.</em></p>
</body>
</html>
";

/// The first process: binds, and keeps a worker.
#[derive(Clone, Debug, Default)]
struct Master {
    worker: Option<Pid>,
    listeners: Vec<(u16, Fd)>,
    quitting: bool,
}

/// The process that serves.
#[derive(Clone, Debug)]
struct Worker {
    version: Rc<str>,
    servers: Rc<[ServerConf]>,
    listeners: Vec<(u16, Fd)>,
    http: Server,
    /// Requests served, as the error log numbers connections.
    served: u64,
}

impl Master {
    fn start(&mut self, sys: &mut Sys<'_>) -> Result<(), String> {
        let args = sys.args();
        if args.iter().any(|arg| &**arg == "-v") {
            return Err(format!("nginx version: nginx/{}", version(sys)));
        }
        let conf = read_conf(sys)?;
        if args.iter().any(|arg| &**arg == "-t") {
            return Err(
                "nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: \
                        configuration file /etc/nginx/nginx.conf test is successful"
                    .to_owned(),
            );
        }
        self.bind(sys, &conf)?;
        let (version, kernel) = (version(sys), sys.host().spec.kernel.clone());
        let worker = self.spawn_worker(sys, conf)?;
        let worker = sys.local_pid(worker);
        let lines = [
            "using the \"epoll\" event method".to_owned(),
            format!("nginx/{version}"),
            "built by gcc 14.2.0 (Debian 14.2.0-19) ".to_owned(),
            format!("OS: Linux {kernel}"),
            "getrlimit(RLIMIT_NOFILE): 1048576:1048576".to_owned(),
            "start worker processes".to_owned(),
            format!("start worker process {worker}"),
        ];
        notices(sys, &lines);
        Ok(())
    }

    fn bind(&mut self, sys: &mut Sys<'_>, conf: &Conf) -> Result<(), String> {
        for port in conf.ports() {
            if self.listeners.iter().any(|(known, _)| *known == port) {
                continue;
            }
            let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
            let fd = sys.listen(addr).map_err(|errno| {
                format!(
                    "nginx: [emerg] bind() to {addr} failed ({}: {errno})",
                    errno.number()
                )
            })?;
            self.listeners.push((port, fd));
        }
        Ok(())
    }

    fn spawn_worker(&mut self, sys: &mut Sys<'_>, conf: Conf) -> Result<Pid, String> {
        let first = 3;
        let inherited = |n: usize| Fd(first + u32::try_from(n).unwrap_or(0));
        let listeners: Vec<(u16, Fd)> = self
            .listeners
            .iter()
            .enumerate()
            .map(|(n, (port, _))| (*port, inherited(n)))
            .collect();
        let worker = Worker {
            version: version(sys).into(),
            servers: conf.servers.into(),
            listeners,
            http: Server::new().reading_plain(),
            served: 0,
        };
        let exec = Exec::Program(Box::new(worker));
        let mut spawn = Spawn::new(exec, vec!["nginx: worker process".into()]).with_stdio();
        let own = self
            .listeners
            .iter()
            .enumerate()
            .map(|(n, (_, fd))| (inherited(n), *fd));
        spawn.fds.extend(own);
        let pid = sys
            .spawn(spawn)
            .map_err(|errno| format!("nginx: [alert] fork() failed ({errno})"))?;
        self.worker = Some(pid);
        Ok(pid)
    }

    /// Reads the configuration again; a bad one changes nothing.
    fn reload(&mut self, sys: &mut Sys<'_>) {
        let done = read_conf(sys).and_then(|conf| {
            self.bind(sys, &conf)?;
            let old = self.worker;
            self.spawn_worker(sys, conf)?;
            if let Some(old) = old {
                // It may have ended by itself.
                let _ = sys.kill(old, Signal::Quit);
            }
            Ok(())
        });
        if let Err(why) = done {
            // Its log is its standard error, which may be closed.
            let _ = sys.write(Fd::STDERR, format!("{why}\n").as_bytes());
        }
    }
}

impl Program for Master {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                if let Err(said) = self.start(sys) {
                    let _ = sys.write(Fd::STDERR, format!("{said}\n").as_bytes());
                    return Poll::Exit(i32::from(
                        said.contains("[emerg]") || said.contains("[alert]"),
                    ));
                }
            }
            Wake::Signal(Signal::Hup) => self.reload(sys),
            Wake::Signal(signal) => {
                self.quitting = true;
                match self.worker {
                    Some(worker) => drop(sys.kill(worker, signal)),
                    None => return Poll::Exit(0),
                }
            }
            Wake::Child { pid, .. } => {
                sys.try_wait(pid);
                if self.worker == Some(pid) {
                    if self.quitting {
                        return Poll::Exit(0);
                    }
                    // A worker that died is replaced.
                    self.worker = None;
                    self.reload(sys);
                }
            }
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(
            signal,
            Signal::Term | Signal::Int | Signal::Quit | Signal::Hup
        )
    }
}

impl Program for Worker {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        match why {
            Wake::Start => {
                for (_, fd) in self.listeners.clone() {
                    self.http.listen_on(sys, fd);
                }
            }
            Wake::Signal(_) => return Poll::Exit(0),
            Wake::Ready(fd) => {
                let mut events = Vec::new();
                self.http.on_ready(sys, fd, &mut events);
                for event in events {
                    match event {
                        ServerEvent::Request(to, request) => self.answer(sys, to, &request),
                        ServerEvent::Bytes(conn, _) => self.http.close(sys, conn),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        Poll::Pending
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        matches!(signal, Signal::Term | Signal::Int | Signal::Quit)
    }
}

fn read_conf(sys: &mut Sys<'_>) -> Result<Conf, String> {
    let args = sys.args();
    let named = args
        .iter()
        .position(|arg| &**arg == "-c")
        .and_then(|at| args.get(at + 1).cloned());
    let path = named.unwrap_or_else(|| "/etc/nginx/nginx.conf".into());
    conf::read(&path, &mut |path| conf::files(sys, path))
        .map_err(|why| format!("nginx: [emerg] {why}"))
}

/// The version: what the image says, completed to three numbers.
fn version(sys: &Sys<'_>) -> String {
    const LAST: [(&str, u32); 14] = [
        ("1.14", 2),
        ("1.16", 1),
        ("1.18", 0),
        ("1.19", 10),
        ("1.20", 2),
        ("1.21", 6),
        ("1.22", 1),
        ("1.23", 4),
        ("1.24", 0),
        ("1.25", 5),
        ("1.26", 3),
        ("1.27", 5),
        ("1.28", 0),
        ("1.29", 3),
    ];
    let env = sys.env();
    let tag = env.get("NGINX_VERSION").map_or("latest", |tag| tag);
    let number = tag.split('-').next().unwrap_or(tag);
    match number.split('.').count() {
        3 => number.to_owned(),
        2 => {
            let patch = LAST
                .iter()
                .find(|(minor, _)| *minor == number)
                .map_or(0, |(_, patch)| *patch);
            format!("{number}.{patch}")
        }
        _ if number == "stable" => "1.28.0".to_owned(),
        _ => "1.29.3".to_owned(),
    }
}

fn notices(sys: &mut Sys<'_>, lines: &[String]) {
    let (stamp, pid) = (stamp(sys.now()), sys.local_pid(sys.pid()));
    let text: String = lines
        .iter()
        .map(|line| format!("{stamp} [notice] {pid}#{pid}: {line}\n"))
        .collect();
    let _ = sys.write(Fd::STDERR, text.as_bytes());
}

/// `2026/01/05 09:00:00`
fn stamp(now: Instant) -> String {
    let c = now.civil();
    let (year, month, day) = (c.year, c.month, c.day);
    format!(
        "{year:04}/{month:02}/{day:02} {:02}:{:02}:{:02}",
        c.hour, c.minute, c.second
    )
}
