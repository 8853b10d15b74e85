//! `hostname`. Models net-tools; setting the name is not modelled.

use machine::Io;

use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "hostname",
    "Show the system's host name",
    "hostname [-s|-f|-i|-I]",
    main,
    [
        ("hostname", "testbox\n"),
        (
            "hostname other",
            "hostname: you must be root to change the host name\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('f', "fqdn"),
    flag('i', "ip-address"),
    flag('I', "all-ip-addresses"),
    flag('s', "short"),
    flag('d', "domain"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if !args.operands.is_empty() {
        complain(&io, "you must be root to change the host name").await;
        return 1;
    }
    let name = io.sys(|sys| sys.hostname()).await;
    let text = match () {
        () if args.has('i') => {
            let found = crate::resolve::name(&io, &name).await;
            found.map_or_else(|_| "127.0.1.1".to_owned(), |ip| ip.to_string())
        }
        () if args.has('I') => {
            let addresses = crate::resolve::own_addresses(&io).await;
            let all: Vec<String> = addresses.iter().map(|ip| format!("{ip} ")).collect();
            all.concat()
        }
        () if args.has('s') => name.split('.').next().unwrap_or_default().to_owned(),
        () if args.has('d') => String::new(),
        () => name.to_string(),
    };
    io.print(&format!("{text}\n")).await;
    0
}
