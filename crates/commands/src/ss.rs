//! `ss`: sockets of the network namespace. Models iproute2 6.1's misc/ss.c. Unix sockets, timers
//! and the kernel's inner figures are not modelled.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Handle, Io, Sys};
use net::{Proto, SocketInfo};

use crate::args::{self, Args, flag};
use crate::help::tool;
use crate::io::complain;

tool!(
    "ss",
    "Investigate sockets",
    "ss [-4aHlnptu] [ state STATE ] [ FILTER ]",
    main,
    [
        (
            "nc -l 8080 & sleep 0.1; ss -tln",
            "State  Recv-Q Send-Q Local Address:Port Peer Address:PortProcess\nLISTEN 0      4096         0.0.0.0:8080      0.0.0.0:*          \n"
        ),
        (
            "nc -l 8080 & sleep 0.1; ss -Htlnp sport = :8080 | sed 's/pid=[0-9]*/pid=N/'",
            "LISTEN 0 4096 0.0.0.0:8080 0.0.0.0:* users:((\"nc\",pid=N,fd=3))\n"
        ),
        ("ss -x", "ss: not modelled: this family of sockets\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('4', "ipv4"),
    flag('6', "ipv6"),
    flag('a', "all"),
    flag('H', "no-header"),
    flag('l', "listening"),
    flag('n', "numeric"),
    flag('r', "resolve"),
    flag('p', "processes"),
    flag('t', "tcp"),
    flag('u', "udp"),
    flag('w', "raw"),
    flag('x', "unix"),
    flag('s', "summary"),
    flag('e', "extended"),
    flag('i', "info"),
    flag('m', "memory"),
    flag('o', "options"),
    flag('K', "kill"),
    flag('O', "oneline"),
    flag('W', ""),
    flag('V', "version"),
];

/// Names of states as filters have them, and as they are shown.
const STATES: &[(&str, &str)] = &[
    ("established", "ESTAB"),
    ("syn-sent", "SYN-SENT"),
    ("syn-recv", "SYN-RECV"),
    ("fin-wait-1", "FIN-WAIT-1"),
    ("fin-wait-2", "FIN-WAIT-2"),
    ("close-wait", "CLOSE-WAIT"),
    ("last-ack", "LAST-ACK"),
    ("listening", "LISTEN"),
    ("listen", "LISTEN"),
    ("closed", "UNCONN"),
    ("unconnected", "UNCONN"),
];

/// Names of ports, of those that a cluster's machines have.
const PORTS: &[(u16, &str)] = &[(22, "ssh"), (53, "domain"), (80, "http"), (443, "https")];

/// Which sockets are meant beyond the options.
#[derive(Clone, Debug, Default)]
struct Filter {
    state: Option<&'static str>,
    sport: Option<u16>,
    dport: Option<u16>,
    src: Option<net::Ipv4Net>,
    dst: Option<net::Ipv4Net>,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => {
            complain(&io, &message).await;
            return 255;
        }
    };
    if args.has('V') {
        io.print("ss utility, iproute2-6.1.0\n").await;
        return 0;
    }
    let unmodelled = match args.last_of("xweimoKs") {
        Some('x' | 'w') => Some(sim::unmodelled!("this family of sockets")),
        Some(_) => Some(sim::unmodelled!("this option of ss")),
        None => None,
    };
    if let Some(what) = unmodelled {
        complain(&io, &what.to_string()).await;
        return 255;
    }
    let filter = match Filter::read(&args.operands) {
        Ok(filter) => filter,
        Err(message) => {
            io.eprint(&message).await;
            return 255;
        }
    };
    let rows = io.sys({
        let args = args.clone();
        move |sys| rows(sys, &args, &filter)
    });
    io.print(&table(rows.await, &args)).await;
    0
}

impl Filter {
    fn read(words: &[Rc<str>]) -> Result<Filter, String> {
        let mut filter = Filter::default();
        let joined = words.join(" ").replace("==", "=").replace('=', " ");
        let mut words = joined.split_whitespace();
        while let Some(word) = words.next() {
            let mut value = || words.next().unwrap_or_default();
            let port = |text: &str| text.trim_start_matches(':').parse::<u16>().ok();
            let wrong =
                || "Error: an inet prefix is expected.\nCannot parse dst/src address.\n".to_owned();
            match word {
                "and" | "(" | ")" | "eq" => {}
                "state" => {
                    let name = value();
                    let state = STATES.iter().find(|(own, _)| *own == name);
                    let state = state.ok_or_else(|| format!("ss: wrong state name: {name}\n"))?;
                    filter.state = Some(state.1);
                }
                "sport" => filter.sport = Some(port(value()).ok_or_else(wrong)?),
                "dport" => filter.dport = Some(port(value()).ok_or_else(wrong)?),
                "src" => filter.src = Some(value().parse().map_err(|_| wrong())?),
                "dst" => filter.dst = Some(value().parse().map_err(|_| wrong())?),
                _ => {
                    let what = sim::unmodelled!("this filter of ss");
                    return Err(format!("ss: {what}: {word}\n"));
                }
            }
        }
        Ok(filter)
    }

    fn fits(&self, args: &Args, info: &SocketInfo) -> bool {
        let listening = matches!(info.state, "LISTEN" | "UNCONN");
        let state = match self.state {
            Some(state) => state == info.state,
            None if args.has('l') => listening,
            None => args.has('a') || !listening,
        };
        let proto = match info.proto {
            Proto::Tcp => args.has('t') || !args.has('u'),
            Proto::Udp => args.has('u') || !args.has('t'),
            Proto::Icmp => false,
        };
        state
            && proto
            && !args.has('6')
            && self.sport.is_none_or(|port| port == info.local.port())
            && self.dport.is_none_or(|port| port == info.remote.port())
            && self.src.is_none_or(|net| net.contains(*info.local.ip()))
            && self.dst.is_none_or(|net| net.contains(*info.remote.ip()))
    }
}

/// A socket's cells: protocol, state, queues, both addresses with their ports, and who has it.
type Row = [String; 9];

fn rows(sys: &Sys<'_>, args: &Args, filter: &Filter) -> Vec<Row> {
    let mut infos = sys.net().sockets_of(sys.netns());
    infos.retain(|info| filter.fits(args, info));
    // Datagrams come first.
    infos.sort_by_key(|info| info.proto != Proto::Udp);
    let name = |addr: SocketAddrV4| {
        let ip = match addr.ip().is_unspecified() {
            true => Ipv4Addr::UNSPECIFIED.to_string(),
            false => addr.ip().to_string(),
        };
        let named = PORTS.iter().find(|(port, _)| *port == addr.port());
        let port = match named.filter(|_| !args.has('n')) {
            _ if addr.port() == 0 => "*".to_owned(),
            Some((_, name)) => (*name).to_owned(),
            None => addr.port().to_string(),
        };
        (ip, port)
    };
    let row = |info: &SocketInfo| {
        let ((local, local_port), (peer, peer_port)) = (name(info.local), name(info.remote));
        let users = if args.has('p') {
            users(sys, info)
        } else {
            String::new()
        };
        [
            info.proto.to_string(),
            info.state.to_owned(),
            info.recv_q.to_string(),
            info.send_q.to_string(),
            format!("{local}:"),
            local_port,
            format!("{peer}:"),
            peer_port,
            users,
        ]
    };
    infos.iter().map(row).collect()
}

/// `users:(("nginx",pid=12,fd=6))`.
fn users(sys: &Sys<'_>, info: &SocketInfo) -> String {
    let uid = sys.uid();
    let mut found = Vec::new();
    for process in sys
        .host()
        .processes()
        .filter(|process| uid == 0 || uid == process.uid)
    {
        for (fd, handle) in &process.fds {
            if *handle == Handle::Socket(info.id) {
                let (name, pid) = (process.name(), process.pid.0);
                found.push(format!("(\"{name}\",pid={pid},fd={})", fd.0));
            }
        }
    }
    match found.is_empty() {
        true => String::new(),
        false => format!("users:({})", found.join(",")),
    }
}

/// The table, each column as wide as it needs to be.
fn table(rows: Vec<Row>, args: &Args) -> String {
    let headers: Row = [
        "Netid",
        "State",
        "Recv-Q",
        "Send-Q",
        "Local Address:",
        "Port",
        "Peer Address:",
        "Port",
        "Process",
    ]
    .map(str::to_owned);
    let mut all = Vec::new();
    if !args.has('H') {
        all.push(headers);
    }
    all.extend(rows);
    let mut widths = [0; 9];
    for row in &all {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.len());
        }
    }
    // With one protocol only, its name goes without saying.
    let first = usize::from(args.has('t') != args.has('u'));
    let has_users = all
        .iter()
        .skip(usize::from(!args.has('H')))
        .any(|row| !row[8].is_empty());
    let mut text = String::new();
    for row in &all {
        for at in first..9 {
            let (cell, width) = (&row[at], widths[at]);
            // Addresses lean on their ports.
            let padded = match at {
                4 | 6 => format!("{cell:>width$}"),
                8 if has_users => cell.clone(),
                _ => format!("{cell:<width$}"),
            };
            text.push_str(&padded);
            let glued = matches!(at, 4 | 6 | 8) || at == 7 && !has_users;
            text.push_str(if glued { "" } else { " " });
        }
        text.push('\n');
    }
    text
}
