//! `tcpdump`: packets as they pass an interface. Models tcpdump 4.99's print-ip.c, print-tcp.c,
//! print-udp.c, print-icmp.c and print-domain.c as far as packets are modelled: acknowledgements
//! are no packets here, sequence numbers count nothing, and ARP is not sent.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Errno, Fd, Io, Signal};
use net::dns::Message;
use net::{Icmp, IcmpError, Packet, PacketBody, Proto, Seen, Segment};
use sim::Instant;

use crate::args::{self, flag, value};
use crate::calendar::strftime;
use crate::io::{complain, usage_error};
use crate::{Example, Tool, help};

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "tcpdump",
    summary: "Dump traffic on a network",
    usage: "tcpdump [-n] [-i interface] [-c count] [expression]",
    examples: EXAMPLES,
    run: |io| Box::pin(main(io)),
    program: || machine::tool_catching(|io| Box::pin(main(io)), CATCHES),
};

/// What ends it with its counts.
const CATCHES: &[Signal] = &[Signal::Int, Signal::Term];

const EXAMPLES: &[Example] = &[
    Example {
        command: "tcpdump -tni lo -c 2 icmp & sleep 0.1; ping -qc1 127.0.0.1 > /dev/null; wait",
        output: "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\nlistening on lo, link-type EN10MB (Ethernet), snapshot length 262144 bytes\nIP 127.0.0.1 > 127.0.0.1: ICMP echo request, id 1, seq 1, length 64\nIP 127.0.0.1 > 127.0.0.1: ICMP echo reply, id 1, seq 1, length 64\n2 packets captured\n2 packets received by filter\n0 packets dropped by kernel\n",
    },
    Example {
        command: "(tcpdump -tnqi any -c 2 tcp and port 81 2>/dev/null & sleep 0.1; curl -s 127.0.0.1:81; wait) | sed 's/[3-6][0-9][0-9][0-9][0-9]*/N/g'",
        output: "lo    In  IP 127.0.0.1.N > 127.0.0.1.81: tcp 0\nlo    In  IP 127.0.0.1.81 > 127.0.0.1.N: tcp 0\n",
    },
    Example {
        command: "tcpdump -i nope",
        output: "tcpdump: nope: No such device exists\n(No such device exists)\n",
    },
];

const FLAGS: &[args::Flag] = &[
    flag('n', ""),
    flag('l', ""),
    flag('q', ""),
    flag('t', ""),
    flag('e', ""),
    flag('v', ""),
    flag('p', ""),
    flag('A', ""),
    flag('X', ""),
    flag('D', ""),
    flag('U', ""),
    value('i', "interface"),
    value('c', ""),
    value('s', ""),
    value('w', ""),
    value('r', ""),
];

/// Which packets are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Filter {
    All,
    Proto(Proto),
    Host(Side, net::Ipv4Net),
    Port(Side, u16),
    Not(Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
}

/// Which end a primitive is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Either,
    Source,
    Destination,
}

async fn main(io: Io) -> i32 {
    if help::wanted(&io) {
        return help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    // Everything behind the first operand belongs to the expression.
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if let Some(letter) = args.last_of("evAXDwr") {
        let what = sim::unmodelled!("this option of tcpdump");
        complain(&io, &format!("{what}: -{letter}")).await;
        return 1;
    }
    let words: Vec<Rc<str>> = args.operands.iter().flat_map(|word| split(word)).collect();
    let Some(filter) = Parser(&words).whole() else {
        let expression = words.join(" ");
        complain(
            &io,
            &format!("can't parse filter expression: syntax error in \"{expression}\""),
        )
        .await;
        return 1;
    };
    let device = match args.value('i') {
        Some(name) => name.clone(),
        None => first_device(&io).await,
    };
    let any = &*device == "any";
    let name = device.clone();
    let opened = io
        .sys(move |sys| sys.tap_open((!any).then_some(&*name)))
        .await;
    let fd = match opened {
        Ok(fd) => fd,
        Err(Errno::EPERM) => {
            let text = format!(
                "{device}: You don't have permission to perform this capture on that device\n(socket: Operation not permitted)"
            );
            complain(&io, &text).await;
            return 1;
        }
        Err(_) => {
            complain(
                &io,
                &format!("{device}: No such device exists\n(No such device exists)"),
            )
            .await;
            return 1;
        }
    };
    let kind = if any {
        "LINUX_SLL2 (Linux cooked v2)"
    } else {
        "EN10MB (Ethernet)"
    };
    io.eprint(&format!(
        "tcpdump: verbose output suppressed, use -v[v]... for full protocol decode\nlistening on {device}, link-type {kind}, snapshot length 262144 bytes\n"
    ))
    .await;
    let count = args.value('c').and_then(|text| text.parse::<u64>().ok());
    let shown = dump(&io, fd, &args, filter, count, any).await;
    io.eprint(&format!(
        "{shown} packet{0} captured\n{shown} packet{0} received by filter\n0 packets dropped by kernel\n",
        if shown == 1 { "" } else { "s" }
    ))
    .await;
    0
}

/// The first interface that is up and no loopback.
async fn first_device(io: &Io) -> Rc<str> {
    io.sys(|sys| {
        let mut links = sys.net().links_of(sys.netns());
        let found = links.find(|link| link.up && &*link.name != "lo");
        found.map_or_else(|| "lo".into(), |link| link.name.clone())
    })
    .await
}

/// Prints packets until there are enough, or a signal comes; how many there were.
async fn dump(
    io: &Io,
    fd: Fd,
    args: &args::Args,
    filter: Filter,
    count: Option<u64>,
    any: bool,
) -> u64 {
    let mut shown = 0;
    while count.is_none_or(|count| shown < count) {
        let (caught, filter) = (io.caught(), filter.clone());
        let next: Option<Rc<Seen>> = io
            .until(move |sys| {
                if caught.take().is_some() {
                    return Some(None);
                }
                // What is not meant is passed over.
                while let Ok(seen) = sys.tap_recv(fd) {
                    if filter.fits(&seen.packet) {
                        return Some(Some(Rc::new(seen)));
                    }
                }
                None
            })
            .await;
        let Some(seen) = next else { break };
        shown += 1;
        let time = match args.has('t') {
            true => String::new(),
            false => format!("{} ", time(seen.at)),
        };
        let place = match (any, seen.outgoing) {
            (false, _) => String::new(),
            (true, true) => format!("{:<5} Out ", seen.link),
            (true, false) => format!("{:<5} In  ", seen.link),
        };
        let line = line(&seen.packet, args.has('q'));
        io.print(&format!("{time}{place}IP {line}\n")).await;
    }
    shown
}

/// `09:00:01.000123`.
fn time(at: Instant) -> String {
    let micros = at.as_nanos() / 1000 % 1_000_000;
    format!("{}.{micros:06}", strftime("%H:%M:%S", at))
}

/// A packet as a line.
fn line(packet: &Packet, quiet: bool) -> String {
    let flow = packet.flow();
    let ends = |src: SocketAddrV4, dst: SocketAddrV4| {
        format!("{}.{} > {}.{}", src.ip(), src.port(), dst.ip(), dst.port())
    };
    match &packet.body {
        PacketBody::Tcp { .. } if quiet => {
            format!("{}: tcp {}", ends(flow.src, flow.dst), packet.len)
        }
        PacketBody::Tcp { segment, .. } => {
            let flags = match segment {
                Segment::Syn => "S",
                Segment::SynAck(_) => "S.",
                Segment::Data(_) => "P.",
                Segment::Fin => "F.",
                Segment::Rst { .. } => "R.",
            };
            format!(
                "{}: Flags [{flags}], length {}",
                ends(flow.src, flow.dst),
                packet.len
            )
        }
        PacketBody::Udp { payload, .. } => {
            let ends = ends(flow.src, flow.dst);
            let is_dns = [flow.src.port(), flow.dst.port()].contains(&net::dns::PORT);
            match Message::decode(&payload.bytes()) {
                Ok(message) if is_dns && !quiet => {
                    format!("{ends}: {} ({})", dns(&message), packet.len)
                }
                _ => format!("{ends}: UDP, length {}", packet.len),
            }
        }
        PacketBody::Icmp(icmp) => {
            let text = match icmp {
                Icmp::EchoRequest { ident, seq } => {
                    format!(
                        "echo request, id {ident}, seq {seq}, length {}",
                        packet.len + 8
                    )
                }
                Icmp::EchoReply { ident, seq } => {
                    format!(
                        "echo reply, id {ident}, seq {seq}, length {}",
                        packet.len + 8
                    )
                }
                Icmp::Error { kind, about } => {
                    let (dst, port) = (about.flow.dst.ip(), about.flow.dst.port());
                    format!(
                        "{}, length {}",
                        error(*kind, *dst, about.proto, port),
                        packet.len + 8
                    )
                }
            };
            format!("{} > {}: ICMP {text}", packet.src, packet.dst)
        }
    }
}

fn error(kind: IcmpError, dst: Ipv4Addr, proto: Proto, port: u16) -> String {
    match kind {
        IcmpError::NetUnreachable => format!("net {dst} unreachable"),
        IcmpError::HostUnreachable => format!("host {dst} unreachable"),
        IcmpError::ProtoUnreachable => format!("{dst} protocol {} unreachable", proto.number()),
        IcmpError::PortUnreachable => format!("{dst} {proto} port {port} unreachable"),
        IcmpError::NetProhibited => format!("net {dst} unreachable - admin prohibited"),
        IcmpError::HostProhibited => format!("host {dst} unreachable - admin prohibited"),
        IcmpError::Prohibited => format!("host {dst} unreachable - admin prohibited filter"),
        IcmpError::TimeExceeded => "time exceeded in-transit".to_owned(),
    }
}

/// `4711+ A? web.` of a query, `4711* 1/0/0 A 10.0.0.1` of an answer.
fn dns(message: &Message) -> String {
    let flags = message;
    let kind = message
        .questions
        .first()
        .map(|question| (question.qtype, question.name.clone()));
    if !flags.response {
        let plus = if flags.recursion_desired { "+" } else { "" };
        return match kind {
            Some((kind, name)) => format!("{}{plus} {kind}? {name}", message.id),
            None => format!("{}{plus}", message.id),
        };
    }
    let rcode = match message.rcode {
        net::dns::Rcode::NOERROR => String::new(),
        net::dns::Rcode::NXDOMAIN => " NXDomain".to_owned(),
        net::dns::Rcode::SERVFAIL => " ServFail".to_owned(),
        net::dns::Rcode::REFUSED => " Refused".to_owned(),
        other => format!(" {other}"),
    };
    let star = if flags.authoritative { "*" } else { "" };
    let dash = if flags.recursion_available { "" } else { "-" };
    let counts =
        [&message.answers, &message.authority, &message.additional].map(|records| records.len());
    let answers = message.answers.iter();
    let answers: Vec<String> = answers
        .map(|record| format!("{} {}", record.data.record_type(), record.data))
        .collect();
    let space = if answers.is_empty() { "" } else { " " };
    format!(
        "{}{rcode}{star}{dash} {}/{}/{}{space}{}",
        message.id,
        counts[0],
        counts[1],
        counts[2],
        answers.join(", ")
    )
}

/// Words of an expression that may be one argument.
fn split(word: &str) -> Vec<Rc<str>> {
    let spaced = word
        .replace('(', " ( ")
        .replace(')', " ) ")
        .replace('!', " ! ");
    spaced.split_whitespace().map(Rc::from).collect()
}

/// Reads an expression. Models the grammar of pcap-filter(7), in part.
struct Parser<'a>(&'a [Rc<str>]);

impl Parser<'_> {
    fn whole(mut self) -> Option<Filter> {
        if self.0.is_empty() {
            return Some(Filter::All);
        }
        let filter = self.either()?;
        self.0.is_empty().then_some(filter)
    }

    fn take(&mut self, words: &[&str]) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if words.contains(&&**first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn word(&mut self) -> Option<Rc<str>> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first.clone())
    }

    /// `and` and `or` bind equally, from the left.
    fn either(&mut self) -> Option<Filter> {
        let mut left = self.one()?;
        loop {
            if self.take(&["and", "&&"]) {
                left = Filter::And(Box::new(left), Box::new(self.one()?));
            } else if self.take(&["or", "||"]) {
                left = Filter::Or(Box::new(left), Box::new(self.one()?));
            } else {
                return Some(left);
            }
        }
    }

    fn one(&mut self) -> Option<Filter> {
        if self.take(&["not", "!"]) {
            return Some(Filter::Not(Box::new(self.one()?)));
        }
        if self.take(&["("]) {
            let inner = self.either()?;
            return self.take(&[")"]).then_some(inner);
        }
        for (name, proto) in [
            ("tcp", Proto::Tcp),
            ("udp", Proto::Udp),
            ("icmp", Proto::Icmp),
        ] {
            if self.take(&[name]) {
                let own = Filter::Proto(proto);
                // `tcp port 80` and `tcp dst port 80` say both.
                let more = matches!(
                    self.0.first().map(|word| &**word),
                    Some("port" | "src" | "dst")
                );
                return match more {
                    true => Some(Filter::And(Box::new(own), Box::new(self.one()?))),
                    false => Some(own),
                };
            }
        }
        if self.take(&["ip"]) {
            return Some(Filter::All);
        }
        let side = match () {
            () if self.take(&["src"]) => Side::Source,
            () if self.take(&["dst"]) => Side::Destination,
            () => Side::Either,
        };
        if self.take(&["port"]) {
            return Some(Filter::Port(side, self.word()?.parse().ok()?));
        }
        let named = self.take(&["host", "net"]);
        let word = self.word().filter(|_| named || side != Side::Either)?;
        Some(Filter::Host(side, word.parse().ok()?))
    }
}

impl Filter {
    fn fits(&self, packet: &Packet) -> bool {
        let flow = packet.flow();
        match self {
            Filter::All => true,
            Filter::Proto(proto) => packet.proto() == *proto,
            Filter::Host(side, net) => side.any(net.contains(packet.src), net.contains(packet.dst)),
            Filter::Port(side, port) => {
                packet.proto() != Proto::Icmp
                    && side.any(flow.src.port() == *port, flow.dst.port() == *port)
            }
            Filter::Not(inner) => !inner.fits(packet),
            Filter::And(a, b) => a.fits(packet) && b.fits(packet),
            Filter::Or(a, b) => a.fits(packet) || b.fits(packet),
        }
    }
}

impl Side {
    fn any(self, source: bool, destination: bool) -> bool {
        match self {
            Side::Either => source || destination,
            Side::Source => source,
            Side::Destination => destination,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(expression: &str, expected: Option<[bool; 3]>) {
        let addr = |text: &str| text.parse::<SocketAddrV4>().expect("an address");
        let (web, client) = (addr("10.0.0.1:80"), addr("10.0.1.2:40000"));
        let packets = [
            Packet::syn(client, web),
            Packet::udp(web, client, b"x".as_slice().into()),
            Packet::echo(*client.ip(), *web.ip(), 80, 80, 56),
        ];
        let words: Vec<Rc<str>> = split(expression);
        let fits = Parser(&words)
            .whole()
            .map(|filter| packets.map(|packet| filter.fits(&packet)));
        assert_eq!(fits, expected, "{expression}");
    }

    #[test]
    fn expressions_choose_packets() {
        check("", Some([true, true, true]));
        check("icmp", Some([false, false, true]));
        check("tcp port 80", Some([true, false, false]));
        check("port 80", Some([true, true, false]));
        check("dst port 80", Some([true, false, false]));
        check("src host 10.0.0.1", Some([false, true, false]));
        check(
            "net 10.0.1.0/24 and not (tcp or udp)",
            Some([false, false, true]),
        );
        check("host", None);
        check("tcp and", None);
        check("(tcp", None);
    }
}
