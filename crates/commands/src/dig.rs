//! `dig`: asks a name server and shows all of the answer. Models bind9 9.18's bin/dig/dig.c. Zone
//! transfers, TCP and tracing are not modelled.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::Io;
use net::dns::{self, Message, Name, Question, Record, RecordType};
use sim::Duration;

use crate::calendar::ctime;
use crate::help::tool;
use crate::nslookup::trouble;
use crate::resolve::{self, Silence};

tool!(
    "dig",
    "Query DNS servers",
    "dig [@server] [-x addr] [-p port] [name] [type] [+option...]",
    main,
    [(
        "dig @127.0.0.1 web +tries=1 +short; echo $?",
        ";; communications error to 127.0.0.1#53: connection refused\n;; no servers could be reached\n9\n"
    ),]
);

const VERSION: &str = "DiG 9.18.39-0ubuntu0.24.04.2-Ubuntu";
/// What a query says it can take.
const UDP_SIZE: u16 = 1232;

/// What is to be asked, and what of the answer is shown.
#[derive(Clone, Debug)]
struct Plan {
    name: Rc<str>,
    kind: RecordType,
    server: Option<Rc<str>>,
    port: u16,
    short: bool,
    search: bool,
    recurse: bool,
    edns: bool,
    timeout: Duration,
    tries: u32,
    show: Show,
}

/// The parts of the output.
#[derive(Clone, Copy, Debug)]
struct Show {
    command: bool,
    comments: bool,
    question: bool,
    answer: bool,
    authority: bool,
    additional: bool,
    statistics: bool,
}

impl Show {
    fn all(on: bool) -> Show {
        Show {
            command: on,
            comments: on,
            question: on,
            answer: on,
            authority: on,
            additional: on,
            statistics: on,
        }
    }
}

async fn main(io: Io) -> i32 {
    let plan = match read(&io) {
        Ok(plan) => plan,
        Err(message) => {
            io.eprint(&format!("{message}\n")).await;
            return 1;
        }
    };
    let config = resolve::conf(&io).await;
    let server = match &plan.server {
        None => config.servers[0],
        Some(name) => match resolve::name(&io, name).await {
            Ok(server) => server,
            Err(_) => {
                io.eprint(&format!(
                    "dig: couldn't get address for '{name}': not found\n"
                ))
                .await;
                return 10;
            }
        },
    };
    let server = SocketAddrV4::new(server, plan.port);
    if plan.show.command && !plan.short {
        let words = io.args().get(1..).unwrap_or_default().join(" ");
        io.print(&format!("\n; <<>> {VERSION} <<>> {words}\n"))
            .await;
        // With a server named, that many were found.
        if plan.server.is_some() {
            io.print("; (1 server found)\n").await;
        }
        io.print(";; global options: +cmd\n").await;
    }
    let names = match plan.search {
        true => config.candidates(&plan.name),
        false => plan.name.parse().into_iter().collect(),
    };
    if let (true, Err(why)) = (names.is_empty(), plan.name.parse::<Name>()) {
        let name = &plan.name;
        io.eprint(&format!("dig: '{name}' is not a legal name ({why})\n"))
            .await;
        return 10;
    }
    let mut last = None;
    for name in names {
        match ask(&io, &plan, server, &name).await {
            Err(_) => {
                io.print(";; no servers could be reached\n").await;
                return 9;
            }
            Ok(reply) => {
                let found = reply.message.rcode == dns::Rcode::NOERROR;
                last = Some(reply);
                if found {
                    break;
                }
            }
        }
    }
    if let Some(reply) = last {
        let now = io.now().await;
        io.print(&show(&plan, server, &reply, &ctime(now))).await;
    }
    0
}

fn read(io: &Io) -> Result<Plan, String> {
    let mut plan = Plan {
        name: ".".into(),
        kind: RecordType::NS,
        server: None,
        port: dns::PORT,
        short: false,
        search: false,
        recurse: true,
        edns: true,
        timeout: Duration::from_secs(5),
        tries: 3,
        show: Show::all(true),
    };
    let (mut named, mut typed) = (false, false);
    let mut words = io.args().iter().skip(1);
    while let Some(word) = words.next() {
        let mut value = || {
            words
                .next()
                .cloned()
                .ok_or_else(|| format!("Invalid option: {word}"))
        };
        if let Some(server) = word.strip_prefix('@') {
            plan.server = Some(server.into());
        } else if let Some(option) = word.strip_prefix('+') {
            plan.option(option)?;
        } else if &**word == "-x" {
            let addr = value()?;
            let addr: Ipv4Addr = addr
                .parse()
                .map_err(|_| format!("Invalid IP address {addr}"))?;
            plan.name = resolve::reverse(addr).as_str().into();
            (plan.kind, named, typed) = (RecordType::PTR, true, true);
        } else if &**word == "-p" {
            let port = value()?;
            plan.port = port
                .parse()
                .map_err(|_| format!("Couldn't parse port number '{port}'"))?;
        } else if &**word == "-t" {
            let kind = value()?;
            plan.kind = RecordType::named(&kind)
                .ok_or_else(|| format!(";; Warning, ignoring invalid type {kind}"))?;
            typed = true;
        } else if &**word == "-q" {
            plan.name = value()?;
            named = true;
        } else if matches!(&**word, "-4" | "-c" | "-u") {
        } else if word.starts_with('-') {
            return Err(format!("Invalid option: {word}"));
        } else if let (Some(kind), false) =
            (RecordType::named(word), typed || !named && words.len() == 0)
        {
            (plan.kind, typed) = (kind, true);
        } else if &**word != "IN" {
            plan.name = word.clone();
            named = true;
        }
    }
    if named && !typed {
        plan.kind = RecordType::A;
    }
    Ok(plan)
}

impl Plan {
    fn option(&mut self, option: &str) -> Result<(), String> {
        let (name, value) = option.split_once('=').unwrap_or((option, ""));
        let (on, name) = match name.strip_prefix("no") {
            Some(rest) if !rest.is_empty() => (false, rest),
            _ => (true, name),
        };
        let number = || {
            value
                .parse::<u32>()
                .map_err(|_| format!("Invalid option: +{option}"))
        };
        match name {
            "short" => self.short = on,
            "search" => self.search = on,
            "recurse" | "rec" => self.recurse = on,
            "edns" => self.edns = on,
            "all" => self.show = Show::all(on),
            "cmd" => self.show.command = on,
            "comments" => self.show.comments = on,
            "question" => self.show.question = on,
            "answer" => self.show.answer = on,
            "authority" => self.show.authority = on,
            "additional" => self.show.additional = on,
            "stats" => self.show.statistics = on,
            "time" | "timeout" => self.timeout = Duration::from_secs(u64::from(number()?.max(1))),
            "tries" => self.tries = number()?.max(1),
            "retry" => self.tries = number()? + 1,
            "cookie" | "dnssec" => {}
            _ => {
                let what = sim::unmodelled!("this option of dig");
                return Err(format!("dig: {what}: +{option}"));
            }
        }
        Ok(())
    }
}

/// An answer, how long it took, and how long it is.
struct Reply {
    message: Message,
    millis: u128,
    size: usize,
}

async fn ask(io: &Io, plan: &Plan, server: SocketAddrV4, name: &Name) -> Result<Reply, Silence> {
    let mut silence = Silence::TimedOut;
    for _ in 0..plan.tries {
        let mut query = Message::query(resolve::id(io).await, name.clone(), plan.kind);
        query.recursion_desired = plan.recurse;
        query.authentic = true;
        if plan.edns {
            query.additional.push(Record::opt(UDP_SIZE));
        }
        let begun = io.now().await;
        match resolve::ask(io, server, vec![query], plan.timeout).await {
            Ok(mut replies) => {
                let message = replies.pop().ok_or(Silence::TimedOut)?;
                let millis = io.now().await.since(begun).as_millis();
                let size = message.encode().len();
                return Ok(Reply {
                    message,
                    millis,
                    size,
                });
            }
            Err(other) => silence = other,
        }
        io.print(&trouble(server, silence)).await;
    }
    Err(silence)
}

fn show(plan: &Plan, server: SocketAddrV4, reply: &Reply, now: &str) -> String {
    let message = &reply.message;
    if plan.short {
        let lines = message.answers.iter();
        return lines.map(|record| format!("{}\n", record.data)).collect();
    }
    let mut text = String::new();
    if plan.show.comments {
        text.push_str(";; Got answer:\n");
        text.push_str(&header(message));
        text.push('\n');
        edns(&mut text, message);
    }
    if plan.show.question {
        section(
            &mut text,
            plan,
            "QUESTION",
            message.questions.iter().map(question),
        );
    }
    let plain = |record: &&Record| record.data.record_type() != RecordType::OPT;
    for (shown, name, records) in [
        (plan.show.answer, "ANSWER", &message.answers),
        (plan.show.authority, "AUTHORITY", &message.authority),
        (plan.show.additional, "ADDITIONAL", &message.additional),
    ] {
        if shown {
            section(
                &mut text,
                plan,
                name,
                records.iter().filter(plain).map(line),
            );
        }
    }
    if plan.show.statistics {
        let (ip, port) = (server.ip(), server.port());
        let (date, year) = now.rsplit_once(' ').unwrap_or((now, ""));
        text.push_str(&format!(
            ";; Query time: {} msec\n;; SERVER: {ip}#{port}({ip}) (UDP)\n;; WHEN: {} UTC {year}\n;; MSG SIZE  rcvd: {}\n\n",
            reply.millis,
            date.replace("  ", " 0"),
            reply.size
        ));
    }
    text
}

fn header(message: &Message) -> String {
    let flags = message;
    let names = [
        (flags.response, " qr"),
        (flags.authoritative, " aa"),
        (flags.truncated, " tc"),
        (flags.recursion_desired, " rd"),
        (flags.recursion_available, " ra"),
        (flags.authentic, " ad"),
        (flags.checking_disabled, " cd"),
    ];
    let set: String = names
        .iter()
        .filter(|(on, _)| *on)
        .map(|(_, name)| *name)
        .collect();
    let warning = match flags.recursion_desired && !flags.recursion_available {
        true => ";; WARNING: recursion requested but not available\n",
        false => "",
    };
    format!(
        ";; ->>HEADER<<- opcode: QUERY, status: {}, id: {}\n;; flags:{set}; QUERY: {}, ANSWER: {}, AUTHORITY: {}, ADDITIONAL: {}\n{warning}",
        message.rcode,
        message.id,
        message.questions.len(),
        message.answers.len(),
        message.authority.len(),
        message.additional.len()
    )
}

fn edns(text: &mut String, message: &Message) {
    if let Some(record) = message.opt() {
        text.push_str(&format!(
            ";; OPT PSEUDOSECTION:\n; EDNS: version: 0, flags:; udp: {}\n",
            record.class
        ));
    }
}

fn section(text: &mut String, plan: &Plan, name: &str, lines: impl Iterator<Item = String>) {
    let mut lines = lines.peekable();
    if lines.peek().is_none() {
        return;
    }
    if plan.show.comments {
        text.push_str(&format!(";; {name} SECTION:\n"));
    }
    text.extend(lines);
    if plan.show.comments {
        text.push('\n');
    }
}

/// Pads with tabs up to a column, at least one.
fn tabs(text: &mut String, column: usize) {
    loop {
        text.push('\t');
        let mut width = 0;
        for c in text.chars() {
            width = if c == '\t' {
                width / 8 * 8 + 8
            } else {
                width + 1
            };
        }
        if width >= column {
            return;
        }
    }
}

fn question(question: &Question) -> String {
    let mut text = format!(";{}", question.name);
    tabs(&mut text, 32);
    text.push_str(&format!("IN\t{}\n", question.qtype));
    text
}

fn line(record: &Record) -> String {
    let mut text = record.name.to_string();
    // A name that fills its column is followed by a blank.
    if text.len() >= 24 {
        text.push(' ');
    } else {
        tabs(&mut text, 24);
    }
    text.push_str(&record.ttl.to_string());
    if record.name.as_str().len() >= 24 {
        text.push_str(" IN");
    } else {
        tabs(&mut text, 32);
        text.push_str("IN");
    }
    text.push_str(&format!(
        "\t{}\t{}\n",
        record.data.record_type(),
        record.data
    ));
    text
}
