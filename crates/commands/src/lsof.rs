//! `lsof`: files and sockets that processes have open. Models lsof 4.95; sockets of the network
//! namespace and the descriptors of processes are modelled, memory maps are not.

use machine::{Handle, Io, Process, Sys};
use net::{Proto, SocketInfo};

use crate::args::{self, Args, flag, maybe, value};
use crate::files::user_name;
use crate::help::tool;
use crate::io::usage_error;

tool!(
    "lsof",
    "List open files",
    "lsof [-nPt] [-i [tcp|udp][:PORT]] [-p PID] [-u USER] [-c COMMAND] [FILE]...",
    main,
    [
        (
            "nc -l 8080 & sleep 0.1; lsof -nP -i :8080 | awk '{print $1, $4, $5, $8, $9, $10}'",
            "COMMAND FD TYPE NODE NAME \nnc 3u IPv4 TCP *:8080 (LISTEN)\n"
        ),
        ("lsof -i :81; echo $?", "1\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    maybe('i', ""),
    flag('n', ""),
    flag('P', ""),
    flag('t', ""),
    flag('a', ""),
    flag('l', ""),
    value('p', ""),
    value('u', ""),
    value('c', ""),
    value('s', ""),
];

/// What is looked for; what is not told fits everything.
#[derive(Clone, Debug, Default)]
struct Wish {
    sockets_only: bool,
    proto: Option<Proto>,
    ports: Vec<u16>,
    state: Option<String>,
    pid: Vec<u32>,
    user: Option<String>,
    command: Option<String>,
    paths: Vec<String>,
}

impl Wish {
    fn of(args: &Args, extra: Option<&str>) -> Wish {
        let mut wish = Wish::default();
        let text = |letter| args.value(letter).map(|text| text.to_string());
        if args.has('i') {
            wish.sockets_only = true;
            let mut spec = text('i').filter(|spec| !spec.is_empty());
            spec = spec.or_else(|| extra.map(str::to_owned));
            let spec = spec.unwrap_or_default().to_lowercase();
            let (proto, rest) = spec.split_once(':').unwrap_or((&spec, ""));
            let proto = proto.trim_start_matches(['4', '6']);
            wish.proto = match proto.split('@').next() {
                Some("tcp") => Some(Proto::Tcp),
                Some("udp") => Some(Proto::Udp),
                _ => None,
            };
            wish.ports = rest
                .split(',')
                .filter_map(|port| port.parse().ok())
                .collect();
        }
        let state = text('s').and_then(|spec| spec.split_once(':').map(|(_, state)| state.into()));
        wish.state = state;
        let pids = text('p').unwrap_or_default();
        wish.pid = pids.split(',').filter_map(|pid| pid.parse().ok()).collect();
        (wish.user, wish.command) = (text('u'), text('c'));
        wish
    }
}

async fn main(io: Io) -> i32 {
    // `-i :80` and `-i:80` are the same, though what follows an `-i` may be missing as well.
    let mut words = io.args().to_vec();
    let at = words.iter().position(|word| {
        let dashed = word.starts_with('-') && !word.starts_with("--");
        dashed && word.ends_with('i')
    });
    let mut extra = None;
    if let Some(at) = at {
        let next = words.get(at + 1).filter(|word| {
            let lower = word.to_lowercase();
            [":", "tcp", "udp", "@", "4", "6"]
                .iter()
                .any(|begin| lower.starts_with(begin))
        });
        if let Some(next) = next.cloned() {
            words.remove(at + 1);
            extra = Some(next);
        }
    }
    let args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut wish = Wish::of(&args, extra.as_deref());
    wish.paths = args.operands.iter().map(|path| path.to_string()).collect();
    let rows = io.sys(move |sys| rows(sys, &wish)).await;
    if args.has('t') {
        let mut pids: Vec<u32> = rows.iter().map(|row| row.pid).collect();
        pids.dedup();
        let text: String = pids.iter().map(|pid| format!("{pid}\n")).collect();
        io.print(&text).await;
        return i32::from(rows.is_empty());
    }
    let mut text = String::new();
    if !rows.is_empty() {
        text.push_str("COMMAND       PID  USER   FD   TYPE DEVICE SIZE/OFF NODE NAME\n");
    }
    for row in &rows {
        text.push_str(&format!(
            "{:<9} {:>7} {:>5} {:>4}   {:<5} {:>5} {:>8} {:>4} {}\n",
            row.command,
            row.pid,
            row.user,
            row.fd,
            row.kind,
            row.device,
            row.size,
            row.node,
            row.name
        ));
    }
    io.print(&text).await;
    i32::from(rows.is_empty())
}

/// A line of the table.
#[derive(Clone, Debug)]
struct Row {
    command: String,
    pid: u32,
    user: String,
    fd: String,
    kind: &'static str,
    device: String,
    size: String,
    node: String,
    name: String,
}

fn rows(sys: &mut Sys<'_>, wish: &Wish) -> Vec<Row> {
    let sockets = sys.net().sockets_of(sys.netns());
    let mut rows = Vec::new();
    for info in sys.processes() {
        let Some(process) = sys.host().process(info.pid) else {
            continue;
        };
        let pid = sys.local_pid(info.pid);
        let user = user_name(sys, process.uid);
        let other_user = wish.user.as_ref().is_some_and(|own| *own != user);
        let other_name = wish.command.as_ref();
        let other_name = other_name.is_some_and(|own| !process.name().starts_with(&**own));
        if (!wish.pid.is_empty() && !wish.pid.contains(&pid)) || other_user || other_name {
            continue;
        }
        let command: String = process.name().chars().take(9).collect();
        let mut add = |fd: String, kind, node: &str, name: String| {
            rows.push(Row {
                command: command.clone(),
                pid,
                user: user.clone(),
                fd,
                kind,
                device: "252,1".to_owned(),
                size: "0t0".to_owned(),
                node: node.to_owned(),
                name,
            });
        };
        if !wish.sockets_only && wish.paths.is_empty() {
            add("cwd".into(), "DIR", "2", process.cwd.to_string());
        }
        for (fd, name, kind, node) in descriptors(sys, process, &sockets, wish) {
            add(format!("{}u", fd), kind, &node, name);
        }
    }
    rows
}

type Open = (u32, String, &'static str, String);

fn descriptors(sys: &Sys<'_>, process: &Process, sockets: &[SocketInfo], wish: &Wish) -> Vec<Open> {
    let mut found = Vec::new();
    for (fd, handle) in &process.fds {
        if let Handle::Socket(id) = handle {
            let Some(info) = sockets.iter().find(|info| info.id == *id) else {
                continue;
            };
            let ports = [info.local.port(), info.remote.port()];
            let other_port =
                !wish.ports.is_empty() && !ports.iter().any(|p| wish.ports.contains(p));
            let other_proto = wish.proto.is_some_and(|proto| proto != info.proto);
            let state = if info.state == "ESTAB" {
                "ESTABLISHED"
            } else {
                info.state
            };
            let other_state = wish.state.as_ref().is_some_and(|own| own != state);
            if other_port || other_proto || other_state || !wish.paths.is_empty() {
                continue;
            }
            let end = |addr: std::net::SocketAddrV4| match addr.ip().is_unspecified() {
                true => format!("*:{}", addr.port()),
                false => addr.to_string(),
            };
            let peer = match info.remote.port() {
                0 => String::new(),
                _ => format!("->{}", end(info.remote)),
            };
            let state = match info.proto {
                Proto::Tcp => format!(" ({state})"),
                _ => String::new(),
            };
            let name = format!("{}{peer}{state}", end(info.local));
            let node = info.proto.to_string().to_uppercase();
            found.push((fd.0, name, "IPv4", node));
            continue;
        }
        if wish.sockets_only {
            continue;
        }
        let (name, kind) = match handle {
            Handle::File(id) => match sys.host().open_path(*id) {
                Some(path) => (path, "REG"),
                None => continue,
            },
            Handle::Null => ("/dev/null".to_owned(), "CHR"),
            Handle::Tty(id) => (format!("/dev/pts/{}", id.0), "CHR"),
            Handle::PtyMaster(_) => ("/dev/ptmx".to_owned(), "CHR"),
            Handle::PipeRead(_) | Handle::PipeWrite(_) => ("pipe".to_owned(), "FIFO"),
            Handle::Unix(_) | Handle::UnixListener(_) | Handle::Log(_) => {
                ("type=STREAM".to_owned(), "unix")
            }
            Handle::Sink { .. } => ("pipe".to_owned(), "FIFO"),
            Handle::Socket(_) => continue,
        };
        if wish.paths.is_empty() || wish.paths.contains(&name) {
            found.push((fd.0, name, kind, "0".to_owned()));
        }
    }
    found
}
