//! `nslookup`: asks a name server. Models bind9 9.18's bin/dig/nslookup.c, and on a BusyBox system
//! networking/nslookup.c. The interactive mode is not modelled.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::Io;
use net::dns::{self, Data, Message, Name, Rcode, Record, RecordType};
use sim::Duration;

use crate::help::tool;
use crate::io::complain;
use crate::resolve::{self, Silence};

tool!(
    "nslookup",
    "Query Internet name servers",
    "nslookup [-type=TYPE] HOST [SERVER]",
    main,
    [(
        "nslookup web; echo $?",
        ";; communications error to 127.0.0.1#53: connection refused\n;; communications error to 127.0.0.1#53: connection refused\n;; no servers could be reached\n\n\n1\n"
    ),]
);

/// What is to be asked of whom.
#[derive(Clone, Debug)]
struct Query {
    name: Rc<str>,
    kinds: Vec<RecordType>,
    server: Ipv4Addr,
    port: u16,
    timeout: Duration,
    attempts: u32,
    search: bool,
}

async fn main(io: Io) -> i32 {
    let config = resolve::conf(&io).await;
    let mut query = Query {
        name: "".into(),
        kinds: vec![RecordType::A, RecordType::AAAA],
        server: config.servers[0],
        port: dns::PORT,
        timeout: config.timeout,
        attempts: config.attempts,
        search: true,
    };
    let mut operands = Vec::new();
    for word in io.args().get(1..).unwrap_or_default() {
        let Some(option) = word.strip_prefix('-') else {
            operands.push(word.clone());
            continue;
        };
        if let Err(what) = set(&mut query, option) {
            complain(&io, &what).await;
            return 1;
        }
    }
    let [name, server @ ..] = &operands[..] else {
        let what = sim::unmodelled!("the interactive mode of nslookup");
        complain(&io, &what.to_string()).await;
        return 1;
    };
    if let Some(server) = server.first() {
        query.server = match resolve::name(&io, server).await {
            Ok(server) => server,
            Err(_) => {
                io.eprint(&format!(
                    "nslookup: couldn't get address for '{server}': not found\n"
                ))
                .await;
                return 1;
            }
        };
    }
    if let Ok(addr) = name.parse::<Ipv4Addr>() {
        let name = resolve::reverse(addr);
        query.name = name.as_str().trim_end_matches('.').into();
        (query.kinds, query.search) = (vec![RecordType::PTR], false);
    } else {
        query.name = name.clone();
    }
    if &*io.sys(|sys| sys.version()).await == "busybox 1.28" {
        return plain(&io, &name.clone(), query.server).await;
    }
    match resolve::is_busybox(&io).await {
        true => busybox(&io, &query, &config).await,
        false => bind(&io, &query, &config).await,
    }
}

fn set(query: &mut Query, option: &str) -> Result<(), String> {
    let (name, value) = option.split_once('=').unwrap_or((option, ""));
    match name {
        "type" | "querytype" | "query" | "q" | "ty" => {
            let kind = RecordType::named(value);
            let kind = kind.ok_or_else(|| format!("unknown query type: {value}"))?;
            query.kinds = vec![kind];
        }
        "port" => {
            query.port = value
                .parse()
                .map_err(|_| format!("couldn't parse port number '{value}'"))?
        }
        "timeout" => {
            let seconds: u64 = value
                .parse()
                .map_err(|_| format!("couldn't parse timeout '{value}'"))?;
            query.timeout = Duration::from_secs(seconds.max(1));
        }
        "retry" => query.attempts = value.parse().unwrap_or(2),
        "nosearch" => query.search = false,
        "debug" | "vc" => {
            let what = sim::unmodelled!("this option of nslookup");
            return Err(what.to_string());
        }
        _ => return Err(format!("*** Invalid option: {option}")),
    }
    Ok(())
}

async fn ask(io: &Io, query: &Query, name: &Name, kind: RecordType) -> Result<Message, Silence> {
    let server = SocketAddrV4::new(query.server, query.port);
    let mut silence = Silence::TimedOut;
    let bind = !resolve::is_busybox(io).await;
    for _ in 0..query.attempts {
        let message = Message::query(resolve::id(io).await, name.clone(), kind);
        match resolve::ask(io, server, vec![message], query.timeout).await {
            Ok(mut replies) => return replies.pop().ok_or(Silence::TimedOut),
            Err(other) => silence = other,
        }
        if bind {
            io.print(&trouble(server, silence)).await;
        }
    }
    Err(silence)
}

/// What bind's tools say of a server that does not answer.
pub(crate) fn trouble(server: SocketAddrV4, silence: Silence) -> String {
    let why = match silence {
        Silence::TimedOut => "timed out".to_owned(),
        // isc_result_totext has its own small letters.
        Silence::Failed(errno) => errno.message().to_lowercase(),
    };
    let (ip, port) = (server.ip(), server.port());
    format!(";; communications error to {ip}#{port}: {why}\n")
}

async fn bind(io: &Io, query: &Query, config: &resolve::Conf) -> i32 {
    let names = match query.search {
        true => config.candidates(&query.name),
        false => query.name.parse().into_iter().collect(),
    };
    if let (true, Err(why)) = (names.is_empty(), query.name.parse::<Name>()) {
        let name = &query.name;
        io.print(&format!("nslookup: '{name}' is not a legal name ({why})\n"))
            .await;
        return 1;
    }
    let mut last = None;
    for (at, name) in names.iter().enumerate() {
        let Ok(reply) = ask(io, query, name, query.kinds[0]).await else {
            io.print(";; no servers could be reached\n\n\n").await;
            return 1;
        };
        let found = reply.rcode == Rcode::NOERROR;
        let more = at + 1 < names.len() && reply.rcode == Rcode::NXDOMAIN;
        last = Some((name.clone(), reply));
        if found || !more {
            break;
        }
    }
    let Some((name, reply)) = last else {
        return 1;
    };
    let server = query.server;
    io.print(&format!(
        "Server:\t\t{server}\nAddress:\t{server}#{}\n\n",
        query.port
    ))
    .await;
    if reply.rcode != Rcode::NOERROR {
        let short = name.as_str().trim_end_matches('.');
        io.print(&format!(
            "** server can't find {short}: {}\n\n",
            reply.rcode
        ))
        .await;
        return 1;
    }
    let mut replies = vec![reply];
    for kind in query.kinds.get(1..).unwrap_or_default() {
        replies.extend(ask(io, query, &name, *kind).await);
    }
    let mut text = String::new();
    if !replies[0].authoritative {
        text.push_str("Non-authoritative answer:\n");
    }
    let answers = replies.iter().flat_map(|reply| &reply.answers);
    // An alias comes with the answers of both types, and is told once.
    let mut told = Vec::new();
    for record in answers {
        if !told.contains(&record) {
            text.push_str(&line(record));
            told.push(record);
        }
    }
    if told.is_empty() {
        let short = name.as_str().trim_end_matches('.');
        text.push_str(&format!("*** Can't find {short}: No answer\n"));
    }
    io.print(&format!("{text}\n")).await;
    0
}

/// A record as nslookup has it.
fn line(record: &Record) -> String {
    let name = record.name.as_str().trim_end_matches('.');
    match &record.data {
        Data::A(addr) => format!("Name:\t{name}\nAddress: {addr}\n"),
        Data::Aaaa(addr) => format!("Name:\t{name}\nAddress: {addr}\n"),
        Data::Cname(to) => format!("{name}\tcanonical name = {to}\n"),
        Data::Ptr(to) => format!("{name}\tname = {to}\n"),
        Data::Ns(to) => format!("{name}\tnameserver = {to}\n"),
        Data::Srv { .. } => format!("{name}\tservice = {}\n", record.data),
        Data::Mx { .. } => format!("{name}\tmail exchanger = {}\n", record.data),
        Data::Txt(_) => format!("{name}\ttext = {}\n", record.data),
        data => format!("{name}\t{} {data}\n", data.record_type()),
    }
}

/// What BusyBox did up to 1.28: it asks the C library for addresses, and for the name of each.
async fn plain(io: &Io, name: &str, server: Ipv4Addr) -> i32 {
    let with_name = async |addr: Ipv4Addr| match resolve::name_of(io, addr).await {
        Some(name) => format!("{addr} {name}"),
        None => addr.to_string(),
    };
    let known = with_name(server).await;
    io.print(&format!("Server:    {server}\nAddress 1: {known}\n\n"))
        .await;
    let Ok(found) = resolve::names(io, name).await else {
        io.eprint(&format!("nslookup: can't resolve '{name}'\n"))
            .await;
        return 1;
    };
    io.print(&format!("Name:      {name}\n")).await;
    for (at, addr) in found.into_iter().enumerate() {
        let known = with_name(addr).await;
        io.print(&format!("Address {}: {known}\n", at + 1)).await;
    }
    0
}

/// BusyBox asks for a name without dots in every domain of the search list, all at once.
async fn busybox(io: &Io, query: &Query, config: &resolve::Conf) -> i32 {
    let names: Vec<Rc<str>> =
        match query.name.contains('.') || config.search.is_empty() || !query.search {
            true => vec![query.name.clone()],
            false => {
                let searched = config.search.iter();
                searched
                    .map(|domain| format!("{}.{domain}", query.name).into())
                    .collect()
            }
        };
    let mut text = format!(
        "Server:\t\t{0}\nAddress:\t{0}:{1}\n\n",
        query.server, query.port
    );
    let mut failed = false;
    for kind in &query.kinds {
        for name in &names {
            let Ok(asked) = name.parse::<Name>() else {
                text.push_str(&format!("** server can't find {name}: NXDOMAIN\n\n"));
                failed = true;
                continue;
            };
            let Ok(reply) = ask(io, query, &asked, *kind).await else {
                io.print(&text).await;
                io.print(";; connection timed out; no servers could be reached\n\n")
                    .await;
                return 1;
            };
            if reply.rcode != Rcode::NOERROR {
                text.push_str(&format!("** server can't find {name}: {}\n\n", reply.rcode));
                failed = true;
                continue;
            }
            if !reply.authoritative {
                text.push_str("Non-authoritative answer:\n");
            }
            for record in &reply.answers {
                text.push_str(&line(record));
            }
            text.push('\n');
        }
    }
    io.print(&text).await;
    i32::from(failed)
}
