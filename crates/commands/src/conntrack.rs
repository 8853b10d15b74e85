//! `conntrack`: lists, counts and deletes the connections the kernel tracks. Models
//! conntrack-tools 1.4 (src/conntrack.c).

use std::net::Ipv4Addr;
use std::rc::Rc;

use machine::Io;
use net::netfilter::{Conn, ConnId};
use sim::Instant;

use crate::args::{self, Args, flag, maybe, value};
use crate::help::tool;
use crate::xtables;

tool!(
    "conntrack",
    "Show and delete tracked connections",
    "conntrack -L|-D|-F|-C [options]",
    main,
    [
        (
            "conntrack -L",
            "conntrack v1.4.8 (conntrack-tools): 0 flow entries have been shown.\n"
        ),
        (
            "iptables -A INPUT -m conntrack --ctstate NEW; curl -s http://127.0.0.1:9; conntrack -C",
            "1\n"
        ),
        (
            "iptables -A INPUT -m conntrack --ctstate NEW; curl -s http://127.0.0.1:9; conntrack -L -p tcp --dport 9 | sed 's/port=[3-6][0-9]*/port=N/g'",
            "conntrack v1.4.8 (conntrack-tools): 1 flow entries have been shown.\ntcp      6 9 CLOSE src=127.0.0.1 dst=127.0.0.1 sport=N dport=9 src=127.0.0.1 dst=127.0.0.1 sport=9 dport=N mark=0 use=1\n"
        ),
        (
            "conntrack -D -d 10.0.0.1",
            "conntrack v1.4.8 (conntrack-tools): 0 flow entries have been deleted.\n"
        ),
        (
            "conntrack -F",
            "conntrack v1.4.8 (conntrack-tools): connection tracking table has been emptied.\n"
        ),
    ]
);

const NAME: &str = "conntrack v1.4.8 (conntrack-tools)";

const FLAGS: &[args::Flag] = &[
    maybe('L', "dump"),
    maybe('D', "delete"),
    maybe('F', "flush"),
    maybe('C', "count"),
    maybe('E', "event"),
    flag('S', "stats"),
    flag('V', "version"),
    value('p', "proto"),
    value('s', "src"),
    value('\u{1}', "orig-src"),
    value('d', "dst"),
    value('\u{2}', "orig-dst"),
    value('r', "reply-src"),
    value('q', "reply-dst"),
    value('\u{3}', "sport"),
    value('\u{4}', "orig-port-src"),
    value('\u{5}', "dport"),
    value('\u{6}', "orig-port-dst"),
    value('\u{7}', "state"),
    value('m', "mark"),
    value('f', "family"),
    value('o', "output"),
    maybe('n', "src-nat"),
    maybe('g', "dst-nat"),
];

/// Which connections are meant.
#[derive(Clone, Debug, Default)]
struct Filter {
    proto: Option<u8>,
    src: Option<Ipv4Addr>,
    dst: Option<Ipv4Addr>,
    reply_src: Option<Ipv4Addr>,
    reply_dst: Option<Ipv4Addr>,
    sport: Option<u16>,
    dport: Option<u16>,
    state: Option<Rc<str>>,
    mark: Option<u32>,
    snat: bool,
    dnat: bool,
}

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return fail(&io, &message, 2).await,
    };
    if args.has('V') {
        io.print(&format!("{NAME}\n")).await;
        return 0;
    }
    if io.sys(|sys| sys.uid()).await != 0 {
        let message =
            "Operation failed: sorry, you must be root or get CAP_NET_ADMIN capability to do this";
        return fail(&io, message, 1).await;
    }
    let filter = match Filter::read(&args) {
        Ok(filter) => filter,
        Err(message) => return fail(&io, &message, 2).await,
    };
    match args.last_of("LDFCES") {
        Some('L') => list(&io, filter, &args).await,
        Some('D') => delete(&io, filter).await,
        Some('F') => {
            take(&io, Filter::default(), true).await;
            let text = format!("{NAME}: connection tracking table has been emptied.\n");
            io.eprint(&text).await;
            0
        }
        Some('C') => {
            let count = take(&io, Filter::default(), false).await.len();
            io.print(&format!("{count}\n")).await;
            0
        }
        Some('E') => {
            let what = sim::unmodelled!("events and statistics of conntrack");
            fail(&io, &what.to_string(), 1).await
        }
        Some(_) => {
            let what = sim::unmodelled!("statistics of conntrack");
            fail(&io, &what.to_string(), 1).await
        }
        None => fail(&io, "You need to supply parameters", 2).await,
    }
}

async fn fail(io: &Io, message: &str, code: i32) -> i32 {
    let hint = match code {
        2 => "Try `conntrack -h' or 'conntrack --help' for more information.\n",
        _ => "",
    };
    io.eprint(&format!("{NAME}: {message}\n{hint}")).await;
    code
}

/// The connections that are meant, each with its line; forgotten too, if `delete`.
async fn take(io: &Io, filter: Filter, delete: bool) -> Vec<(ConnId, String)> {
    let found = io.sys(move |sys| {
        let now: Instant = sys.now();
        xtables::with_tables(sys, |tables| {
            let all = tables.connections(now);
            let meant = all.into_iter().filter(|(_, conn)| filter.matches(conn));
            let found: Vec<(ConnId, String)> =
                meant.map(|(id, conn)| (id, conn.line(now))).collect();
            for (id, _) in found.iter().filter(|_| delete) {
                tables.delete_connection(*id);
            }
            Ok(found)
        })
    });
    found.await.unwrap_or_default()
}

async fn list(io: &Io, filter: Filter, args: &Args) -> i32 {
    let (mut extended, mut ids) = (false, false);
    for word in args.value('o').map_or("", |word| word).split(',') {
        match word {
            "" => {}
            "extended" => extended = true,
            "id" => ids = true,
            "xml" | "save" | "timestamp" | "labels" | "userspace" | "ktimestamp" => {
                let what = sim::unmodelled!("this output of conntrack");
                return fail(io, &what.to_string(), 1).await;
            }
            _ => return fail(io, "Bad parameter", 2).await,
        }
    }
    let found = take(io, filter, false).await;
    let mut out = String::new();
    for (id, line) in &found {
        let before = if extended { "ipv4     2 " } else { "" };
        let after = match ids {
            true => format!(" id={}", id.0),
            false => String::new(),
        };
        out.push_str(&format!("{before}{line}{after}\n"));
    }
    summary(io, &out, found.len(), "shown").await;
    0
}

async fn delete(io: &Io, filter: Filter) -> i32 {
    let found = take(io, filter, true).await;
    let out: String = found.iter().map(|(_, line)| format!("{line}\n")).collect();
    summary(io, &out, found.len(), "deleted").await;
    i32::from(found.is_empty())
}

async fn summary(io: &Io, out: &str, count: usize, done: &str) {
    io.print(out).await;
    let text = format!("{NAME}: {count} flow entries have been {done}.\n");
    io.eprint(&text).await;
}

impl Filter {
    fn read(args: &Args) -> Result<Filter, String> {
        fn one<T: std::str::FromStr>(args: &Args, letters: &[char]) -> Result<Option<T>, String> {
            let text = letters.iter().find_map(|letter| args.value(*letter));
            let bad = |text: &Rc<str>| format!("Invalid parameter `{text}'");
            text.map(|text| text.parse().map_err(|_| bad(text)))
                .transpose()
        }
        let proto = match args.value('p').map(|name| name.to_lowercase()) {
            None => None,
            Some(name) => Some(match &*name {
                "tcp" => 6,
                "udp" => 17,
                "icmp" => 1,
                number => number
                    .parse()
                    .map_err(|_| format!("`{number}' unsupported protocol"))?,
            }),
        };
        Ok(Filter {
            proto,
            src: one(args, &['s', '\u{1}'])?,
            dst: one(args, &['d', '\u{2}'])?,
            reply_src: one(args, &['r'])?,
            reply_dst: one(args, &['q'])?,
            sport: one(args, &['\u{3}', '\u{4}'])?,
            dport: one(args, &['\u{5}', '\u{6}'])?,
            state: args.value('\u{7}').cloned(),
            mark: one(args, &['m'])?,
            snat: args.has('n'),
            dnat: args.has('g'),
        })
    }

    fn matches(&self, conn: &Conn) -> bool {
        let (original, reply) = (&conn.original, &conn.reply);
        let state = conn.tcp.map(|state| state.to_string());
        self.proto.is_none_or(|own| own == original.proto.number())
            && self.src.is_none_or(|own| own == original.src)
            && self.dst.is_none_or(|own| own == original.dst)
            && self.reply_src.is_none_or(|own| own == reply.src)
            && self.reply_dst.is_none_or(|own| own == reply.dst)
            && self.sport.is_none_or(|own| own == original.sport)
            && self.dport.is_none_or(|own| own == original.dport)
            && self.mark.is_none_or(|own| own == conn.mark)
            && (self.state.as_deref()).is_none_or(|own| state.as_deref() == Some(own))
            && (!self.snat || conn.snat)
            && (!self.dnat || conn.dnat)
    }
}
