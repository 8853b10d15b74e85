//! `host`: looks a name up, or an address. Models bind9 9.18's bin/dig/host.c.

use std::net::{Ipv4Addr, SocketAddrV4};

use machine::Io;
use net::dns::{self, Data, Message, Name, Rcode, Record, RecordType};
use sim::Duration;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::usage_error;
use crate::nslookup::trouble;
use crate::resolve;

tool!(
    "host",
    "Look names up in the DNS",
    "host [-t type] [-W wait] NAME [SERVER]",
    main,
    [(
        "host web; echo $?",
        ";; communications error to 127.0.0.1#53: connection refused\n;; communications error to 127.0.0.1#53: connection refused\n;; no servers could be reached\n1\n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('4', ""),
    flag('a', ""),
    flag('v', ""),
    flag('r', ""),
    value('t', ""),
    value('W', ""),
    value('R', ""),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('a') || args.has('v') {
        let what = sim::unmodelled!("this option of host");
        crate::io::complain(&io, &what.to_string()).await;
        return 1;
    }
    let [name, server @ ..] = &args.operands[..] else {
        io.eprint("Usage: host [-t type] [-W wait] NAME [SERVER]\n")
            .await;
        return 1;
    };
    let config = resolve::conf(&io).await;
    let mut text = String::new();
    let address = match server.first() {
        None => config.servers[0],
        Some(server) => match resolve::name(&io, server).await {
            Ok(address) => {
                text = format!(
                    "Using domain server:\nName: {server}\nAddress: {address}#53\nAliases: \n\n"
                );
                address
            }
            Err(_) => {
                let why = format!("host: couldn't get address for '{server}': not found\n");
                io.eprint(&why).await;
                return 1;
            }
        },
    };
    let (names, kinds) = match (name.parse::<Ipv4Addr>(), args.value('t')) {
        (Ok(address), _) => (vec![resolve::reverse(address)], vec![RecordType::PTR]),
        (Err(_), Some(kind)) => match RecordType::named(kind) {
            Some(kind) => (config.candidates(name), vec![kind]),
            None => {
                io.eprint(&format!("host: invalid type: {kind}\n")).await;
                return 1;
            }
        },
        (Err(_), None) => {
            let kinds = vec![RecordType::A, RecordType::AAAA, RecordType::MX];
            (config.candidates(name), kinds)
        }
    };
    let number = |letter| args.value(letter).and_then(|text| text.parse().ok());
    let ask = Ask {
        server: SocketAddrV4::new(address, dns::PORT),
        timeout: number('W').map_or(config.timeout, Duration::from_secs),
        attempts: number('R').unwrap_or(1) + 1,
    };
    io.print(&text).await;
    lookup(&io, name, &names, &kinds, &ask).await
}

/// Whom to ask, and how patiently.
struct Ask {
    server: SocketAddrV4,
    timeout: Duration,
    attempts: u64,
}

async fn lookup(io: &Io, told: &str, names: &[Name], kinds: &[RecordType], ask: &Ask) -> i32 {
    let mut last = Rcode::NXDOMAIN;
    for name in names {
        let mut found = false;
        for kind in kinds {
            let Some(reply) = ask.one(io, name, *kind).await else {
                io.print(";; no servers could be reached\n").await;
                return 1;
            };
            if reply.rcode != Rcode::NOERROR {
                last = reply.rcode;
                break;
            }
            found = true;
            let short = name.as_str().trim_end_matches('.');
            let mut text: String = reply.answers.iter().map(line).collect();
            if text.is_empty() && kinds.len() == 1 {
                text = format!("{short} has no {kind} record\n");
            }
            io.print(&text).await;
        }
        if found {
            return 0;
        }
    }
    let shown = match kinds {
        [RecordType::PTR] => names.last().map_or(told, |name| name.as_str()),
        _ => told,
    };
    let code = match last {
        Rcode::NXDOMAIN => "3(NXDOMAIN)".to_owned(),
        Rcode::SERVFAIL => "2(SERVFAIL)".to_owned(),
        other => other.to_string(),
    };
    io.print(&format!("Host {shown} not found: {code}\n")).await;
    1
}

impl Ask {
    async fn one(&self, io: &Io, name: &Name, kind: RecordType) -> Option<Message> {
        for _ in 0..self.attempts {
            let message = Message::query(resolve::id(io).await, name.clone(), kind);
            match resolve::ask(io, self.server, vec![message], self.timeout).await {
                Ok(mut replies) => return replies.pop(),
                Err(silence) => io.print(&trouble(self.server, silence)).await,
            }
        }
        None
    }
}

fn line(record: &Record) -> String {
    let name = record.name.as_str().trim_end_matches('.');
    match &record.data {
        Data::A(address) => format!("{name} has address {address}\n"),
        Data::Aaaa(address) => format!("{name} has IPv6 address {address}\n"),
        Data::Cname(to) => format!("{name} is an alias for {to}\n"),
        Data::Ptr(to) => format!("{name} domain name pointer {to}\n"),
        Data::Ns(to) => format!("{name} name server {to}\n"),
        Data::Srv { .. } => format!("{name} has SRV record {}\n", record.data),
        Data::Mx { .. } => format!("{name} mail is handled by {}\n", record.data),
        Data::Txt(_) => format!("{name} descriptive text {}\n", record.data),
        data => format!("{name} has {} record {data}\n", data.record_type()),
    }
}
