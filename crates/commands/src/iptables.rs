//! `iptables`: looks at and changes the rules of the network namespace it runs in. What it reads
//! and prints is in `net::netfilter`. Models iptables/xtables-standalone.c.

use machine::Io;
use net::netfilter::{Invocation, TableName};

use crate::help::{self, tool};
use crate::xtables;

tool!(
    "iptables",
    "Administer packet filtering and NAT",
    "iptables [-t table] {-A|-C|-D} chain rule-specification",
    main,
    [
        (
            "iptables -A INPUT -p tcp --dport 80 -j DROP; iptables -S INPUT",
            "-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 80 -j DROP\n"
        ),
        (
            "iptables -N WEB; iptables -A INPUT -j WEB; iptables -nL INPUT --line-numbers",
            "Chain INPUT (policy ACCEPT)\nnum  target     prot opt source               destination         \n1    WEB        0    --  0.0.0.0/0            0.0.0.0/0           \n"
        ),
        (
            "iptables -A OUTPUT -p tcp --dport 9 -j REJECT; curl -sS http://127.0.0.1:9; iptables -nvxL OUTPUT | awk '{print $1, $2, $3}'",
            "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server\nChain OUTPUT (policy\npkts bytes target\n1 52 REJECT\n"
        ),
        (
            "iptables -D INPUT -j DROP",
            "iptables: Bad rule (does a matching rule exist in that chain?).\n"
        ),
        (
            "iptables -A INPUT -j NOPE",
            "iptables v1.8.10 (nf_tables): Chain 'NOPE' does not exist\nTry `iptables -h' or 'iptables --help' for more information.\n"
        ),
        ("iptables -V", "iptables v1.8.10 (nf_tables)\n"),
    ]
);

async fn main(io: Io) -> i32 {
    let args = io.args().get(1..).unwrap_or_default().to_vec();
    if args.iter().any(|arg| matches!(&**arg, "-V" | "--version")) {
        return xtables::version(&io).await;
    }
    if args.iter().any(|arg| &**arg == "-h") {
        return help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    let invocation = match Invocation::parse(&args, TableName::Filter) {
        Ok(invocation) => invocation,
        Err(error) => return xtables::complain(&io, &error, None).await,
    };
    let done = io.sys(move |sys| xtables::with_tables(sys, |tables| tables.execute(&invocation)));
    match done.await {
        Ok(text) => {
            io.print(&text).await;
            0
        }
        Err(error) => xtables::complain(&io, &error, None).await,
    }
}
