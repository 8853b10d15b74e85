//! `nc`: bytes over TCP and UDP, and whether a port is open. Models OpenBSD's netcat 1.226 as Debian
//! has it (netcat.c), and on a BusyBox system networking/nc.c.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Errno, Fd, Io};
use sim::{Duration, Instant};

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::usage_error;
use crate::resolve;

tool!(
    "nc",
    "Arbitrary TCP and UDP connections and listens",
    "nc [-klNnuvz] [-p port] [-q seconds] [-w timeout] [destination] [port]",
    main,
    [
        (
            "nc -l 8080 & sleep 0.1; echo hello | nc -N 127.0.0.1 8080; wait",
            "hello\n"
        ),
        (
            "nc -lk 8080 & sleep 0.1; nc -zv localhost 8080; nc -zv 127.0.0.1 8081; echo $?; kill %1",
            "Connection to localhost (127.0.0.1) 8080 port [tcp/*] succeeded!\nnc: connect to 127.0.0.1 port 8081 (tcp) failed: Connection refused\n1\n"
        ),
        (
            "nc -ul 5353 & sleep 0.1; echo hi | nc -u -q 0 127.0.0.1 5353; sleep 0.1; kill %1",
            "hi\n"
        ),
        (
            "iptables -A INPUT -p tcp --dport 81 -j DROP; nc -zv -w 2 127.0.0.1 81",
            "nc: connect to 127.0.0.1 port 81 (tcp) timed out: Operation now in progress\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('4', ""),
    flag('d', ""),
    flag('k', ""),
    flag('l', ""),
    flag('N', ""),
    flag('n', ""),
    flag('u', ""),
    flag('v', ""),
    flag('z', ""),
    value('i', ""),
    value('p', ""),
    value('q', ""),
    value('s', ""),
    value('w', ""),
];

/// What the terminal or the peer gave.
#[derive(Clone, Debug)]
enum Event {
    /// Bytes to be sent; none at the end.
    Typed(Rc<[u8]>),
    /// Bytes that came; none at the end.
    Heard(Rc<[u8]>),
    /// A datagram, and from whom.
    Datagram(SocketAddrV4, Rc<[u8]>),
    /// The connection broke.
    Broken(Errno),
    /// It was quiet for too long.
    Quiet,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('l') {
        return listen(&io, &args).await;
    }
    let [host, ports @ ..] = &args.operands[..] else {
        return usage_error(&io, "missing hostname and port", 1).await;
    };
    if ports.is_empty() {
        return usage_error(&io, "missing port number", 1).await;
    }
    let busybox = resolve::is_busybox(&io).await;
    let ip = match resolve::name(&io, host).await {
        Ok(ip) => ip,
        Err(fault) => {
            let why = fault.message();
            let text = match busybox {
                true => format!("nc: bad address '{host}'\n"),
                false => format!(
                    "nc: getaddrinfo for host \"{host}\" port {}: {why}\n",
                    ports[0]
                ),
            };
            io.eprint(&text).await;
            return 1;
        }
    };
    let mut status = 1;
    for word in ports {
        let Some((first, last)) = range(word) else {
            io.eprint(&format!("nc: port number invalid: {word}\n"))
                .await;
            return 1;
        };
        for port in first..=last {
            let target = Target {
                host: host.clone(),
                addr: SocketAddrV4::new(ip, port),
                busybox,
            };
            status = status.min(one(&io, &args, &target).await);
        }
    }
    status
}

/// `80`, `20-25`, or a name.
fn range(word: &str) -> Option<(u16, u16)> {
    if let Some((first, last)) = word.split_once('-') {
        return Some((first.parse().ok()?, last.parse().ok()?));
    }
    let port = match word {
        "http" => 80,
        "https" => 443,
        "domain" => 53,
        "ssh" => 22,
        _ => word.parse().ok().filter(|port| *port > 0)?,
    };
    Some((port, port))
}

fn service(port: u16) -> &'static str {
    match port {
        22 => "ssh",
        53 => "domain",
        80 => "http",
        443 => "https",
        _ => "*",
    }
}

/// Whom to talk to.
#[derive(Clone, Debug)]
struct Target {
    host: Rc<str>,
    addr: SocketAddrV4,
    busybox: bool,
}

fn limit(args: &Args) -> Option<Duration> {
    let seconds = args.value('w')?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// One port: tried, or talked to.
async fn one(io: &Io, args: &Args, target: &Target) -> i32 {
    let addr = target.addr;
    let connected = match args.has('u') {
        true => {
            io.sys(move |sys| {
                let fd = sys.udp_bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
                sys.udp_connect(fd, addr)?;
                Ok(fd)
            })
            .await
        }
        false => io.connect(addr, limit(args)).await,
    };
    let fd = match connected {
        Ok(fd) => fd,
        Err(errno) => {
            complain(io, args, target, errno).await;
            return 1;
        }
    };
    if args.has('u') && args.has('z') && !is_there(io, fd, addr).await {
        io.close(fd).await;
        return 1;
    }
    if args.has('v') {
        io.eprint(&success(args, target)).await;
    }
    if args.has('z') {
        io.close(fd).await;
        return 0;
    }
    let status = talk(io, args, fd, Some(addr), args.has('u')).await;
    io.close(fd).await;
    status
}

fn success(args: &Args, target: &Target) -> String {
    let (ip, port) = (target.addr.ip(), target.addr.port());
    let host = &target.host;
    if target.busybox {
        return format!("{host} ({ip}:{port}) open\n");
    }
    let proto = if args.has('u') { "udp" } else { "tcp" };
    let shown = match **host == *ip.to_string() {
        true => host.to_string(),
        false => format!("{host} ({ip})"),
    };
    let name = if args.has('n') { "*" } else { service(port) };
    format!("Connection to {shown} {port} port [{proto}/{name}] succeeded!\n")
}

async fn complain(io: &Io, args: &Args, target: &Target, errno: Errno) {
    let (ip, port) = (target.addr.ip(), target.addr.port());
    let host = &target.host;
    let why = errno.message();
    if target.busybox {
        let text = match errno {
            Errno::ETIMEDOUT if args.has('w') => "nc: timed out\n".to_owned(),
            _ => format!("nc: {host} ({ip}:{port}): {why}\n"),
        };
        return io.eprint(&text).await;
    }
    if !args.has('v') {
        return;
    }
    let proto = if args.has('u') { "udp" } else { "tcp" };
    let shown = match **host == *ip.to_string() {
        true => host.to_string(),
        false => format!("{host} ({ip})"),
    };
    let text = match errno {
        // Its own time ran out, not the kernel's.
        Errno::ETIMEDOUT if args.has('w') => {
            format!(
                "nc: connect to {shown} port {port} ({proto}) timed out: Operation now in progress\n"
            )
        }
        _ => format!("nc: connect to {shown} port {port} ({proto}) failed: {why}\n"),
    };
    io.eprint(&text).await;
}

/// Whether a UDP port is not known to be closed: a few bytes are sent, and a refusal waited for.
async fn is_there(io: &Io, fd: Fd, addr: SocketAddrV4) -> bool {
    for _ in 0..4 {
        let sent = io
            .sys(move |sys| sys.send_to(fd, addr, b"X".as_slice().into()))
            .await;
        if sent.is_err() {
            return false;
        }
        io.sleep(Duration::from_secs(1)).await;
    }
    true
}

async fn listen(io: &Io, args: &Args) -> i32 {
    let port = args.value('p').or(args.operands.last());
    let Some((port, _)) = port.and_then(|port| range(port)) else {
        return usage_error(io, "missing port number", 1).await;
    };
    let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port);
    let udp = args.has('u');
    let opened = io.sys(move |sys| match udp {
        true => sys.udp_bind(addr),
        false => sys.listen(addr),
    });
    let fd = match opened.await {
        Ok(fd) => fd,
        Err(errno) => {
            io.eprint(&format!("nc: {}\n", errno.message())).await;
            return 1;
        }
    };
    if args.has('v') {
        let verb = if udp { "Bound" } else { "Listening" };
        io.eprint(&format!("{verb} on 0.0.0.0 {port}\n")).await;
    }
    if udp {
        return talk(io, args, fd, None, true).await;
    }
    loop {
        let accepted = io
            .retry(move |sys| {
                let conn = sys.accept(fd)?;
                Ok((conn, sys.peer(conn)))
            })
            .await;
        let Ok((conn, peer)) = accepted else {
            return 1;
        };
        if let (true, Ok(peer)) = (args.has('v'), peer) {
            let (ip, port) = (peer.ip(), peer.port());
            io.eprint(&format!("Connection received on {ip} {port}\n"))
                .await;
        }
        if !args.has('k') {
            io.close(fd).await;
        }
        let status = talk(io, args, conn, None, false).await;
        io.close(conn).await;
        if !args.has('k') {
            return status;
        }
    }
}

/// Carries bytes both ways until the other side ends, or our input does and that is enough.
async fn talk(io: &Io, args: &Args, fd: Fd, peer: Option<SocketAddrV4>, udp: bool) -> i32 {
    let mut typing = !args.has('d');
    let mut peer = peer;
    let idle = limit(args);
    let linger = args.value('q').and_then(|text| text.parse::<i64>().ok());
    let mut end: Option<Instant> = None;
    loop {
        if let Some(idle) = idle.filter(|_| end.is_none()) {
            end = Some(io.deadline(idle).await);
        }
        match next(io, fd, typing, udp, end).await {
            Event::Quiet => return 0,
            Event::Broken(errno) => {
                if !udp {
                    io.eprint(&format!("nc: read failed: {}\n", errno.message()))
                        .await;
                }
                return 1;
            }
            Event::Typed(bytes) if bytes.is_empty() => {
                typing = false;
                // Netcat has no half-closed connections to offer here: with -N or -q it leaves.
                if args.has('N') || linger == Some(0) {
                    return 0;
                }
                if let Some(seconds) = linger.and_then(|seconds| u64::try_from(seconds).ok()) {
                    end = Some(io.deadline(Duration::from_secs(seconds)).await);
                }
            }
            Event::Typed(bytes) => {
                let sent = match (udp, peer) {
                    (true, Some(peer)) => {
                        io.sys(move |sys| sys.send_to(fd, peer, (&*bytes).into()))
                            .await
                    }
                    (true, None) => Ok(()),
                    (false, _) => io.send(fd, (&*bytes).into()).await,
                };
                if sent.is_err() {
                    return 1;
                }
            }
            Event::Heard(bytes) if bytes.is_empty() => return 0,
            Event::Heard(bytes) => io.write_all(Fd::STDOUT, &bytes).await,
            Event::Datagram(from, bytes) => {
                peer.get_or_insert(from);
                io.write_all(Fd::STDOUT, &bytes).await;
            }
        }
        if typing || linger.is_none() {
            end = None;
        }
    }
}

async fn next(io: &Io, fd: Fd, typing: bool, udp: bool, end: Option<Instant>) -> Event {
    io.until(move |sys| {
        let heard = match udp {
            true => sys
                .recv_from(fd)
                .map(|(from, data)| Event::Datagram(from, data.bytes())),
            false => sys.recv(fd).map(|data| {
                let bytes = data.map(|data| data.bytes());
                Event::Heard(bytes.unwrap_or_else(|| Rc::from([])))
            }),
        };
        match heard {
            Ok(event) => return Some(event),
            Err(Errno::EAGAIN) => {}
            Err(errno) => return Some(Event::Broken(errno)),
        }
        if typing && let Ok(bytes) = sys.read(Fd::STDIN, 16_384) {
            return Some(Event::Typed(bytes));
        }
        end.is_some_and(|end| sys.now() >= end)
            .then_some(Event::Quiet)
    })
    .await
}
