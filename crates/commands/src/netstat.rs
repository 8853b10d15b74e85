//! `netstat`: sockets of the network namespace. Models net-tools' netstat.c; routes and interfaces are
//! shown by `ip`.

use std::net::SocketAddrV4;

use machine::{Handle, Io, Sys};
use net::{Proto, SocketInfo};

use crate::args::{self, Args, flag};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "netstat",
    "Print network connections",
    "netstat [-antulp]",
    main,
    [(
        "nc -l 8080 & sleep 0.1; netstat -tln",
        "Active Internet connections (only servers)\nProto Recv-Q Send-Q Local Address           \
         Foreign Address         State      \ntcp        0      0 0.0.0.0:8080            \
         0.0.0.0:*               LISTEN     \n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('4', "inet"),
    flag('a', "all"),
    flag('e', "extend"),
    flag('i', "interfaces"),
    flag('l', "listening"),
    flag('n', "numeric"),
    flag('p', "programs"),
    flag('r', "route"),
    flag('s', "statistics"),
    flag('t', "tcp"),
    flag('u', "udp"),
    flag('W', "wide"),
    flag('x', "unix"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 4).await,
    };
    if ['i', 'r', 's', 'x'].iter().any(|letter| args.has(*letter)) {
        complain(&io, &sim::unmodelled!("this table of netstat").to_string()).await;
        return 1;
    }
    let scope = match (args.has('l'), args.has('a')) {
        (true, _) => "(only servers)",
        (_, true) => "(servers and established)",
        _ => "(w/o servers)",
    };
    let mut text = format!(
        "Active Internet connections {scope}\nProto Recv-Q Send-Q Local Address           Foreign \
         Address         State      "
    );
    text.push_str(if args.has('p') {
        " PID/Program name    \n"
    } else {
        "\n"
    });
    let rows = io.sys({
        let args = args.clone();
        move |sys| rows(sys, &args)
    });
    io.print(&(text + &rows.await)).await;
    0
}

fn rows(sys: &Sys<'_>, args: &Args) -> String {
    let mut infos = sys.net().sockets_of(sys.netns());
    let both = args.has('t') == args.has('u');
    infos.retain(|info| {
        let listens = matches!(info.state, "LISTEN" | "UNCONN");
        let wanted = args.has('a') || listens == args.has('l');
        wanted
            && match info.proto {
                Proto::Tcp => both || args.has('t'),
                Proto::Udp => both || args.has('u'),
                Proto::Icmp => false,
            }
    });
    infos.sort_by_key(|info| info.proto != Proto::Tcp);
    infos.iter().map(|info| row(sys, args, info)).collect()
}

fn row(sys: &Sys<'_>, args: &Args, info: &SocketInfo) -> String {
    let address = |addr: SocketAddrV4| match addr.port() {
        0 => format!("{}:*", addr.ip()),
        port => format!("{}:{port}", addr.ip()),
    };
    let state = match info.state {
        "ESTAB" => "ESTABLISHED",
        "UNCONN" => "",
        "SYN-RECV" => "SYN_RECV",
        "SYN-SENT" => "SYN_SENT",
        "CLOSE-WAIT" => "CLOSE_WAIT",
        "LAST-ACK" => "LAST_ACK",
        "FIN-WAIT-1" => "FIN_WAIT1",
        "FIN-WAIT-2" => "FIN_WAIT2",
        "TIME-WAIT" => "TIME_WAIT",
        other => other,
    };
    // A listening socket's queue is the room it has, which is not shown here.
    let waiting = if state == "LISTEN" { 0 } else { info.send_q };
    let mut line = format!(
        "{:<5} {:>6} {waiting:>6} {:<23} {:<23} {state:<11}",
        info.proto.to_string(),
        info.recv_q,
        address(info.local),
        address(info.remote),
    );
    if args.has('p') {
        line.push_str(&format!(" {:<20}", owner(sys, info)));
    }
    line + "\n"
}

/// `12/nginx`, or a dash.
fn owner(sys: &Sys<'_>, info: &SocketInfo) -> String {
    let wanted = Handle::Socket(info.id);
    let mut processes = sys.host().processes();
    let found = processes.find(|process| process.fds.values().any(|handle| *handle == wanted));
    found.map_or_else(
        || "-".to_owned(),
        |process| format!("{}/{}", sys.local_pid(process.pid), process.name()),
    )
}
