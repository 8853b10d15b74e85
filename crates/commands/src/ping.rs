//! `ping`: echo requests, and what came back. Models iputils 20240117 (ping/ping_common.c), and on
//! a BusyBox system networking/ping.c.

use std::net::Ipv4Addr;
use std::rc::Rc;

use machine::{Errno, Fd, Io, Signal};
use net::PingReply;
use sim::{Duration, Instant};

use crate::args::{self, Args, flag, value};
use crate::io::{complain, usage_error};
use crate::resolve;
use crate::sleep::Span;
use crate::{Example, Tool, help};

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "ping",
    summary: "Send ICMP ECHO_REQUEST to network hosts",
    usage: "ping [options] <destination>",
    examples: EXAMPLES,
    run: |io| Box::pin(main(io)),
    program: || machine::tool_catching(|io| Box::pin(main(io)), CATCHES),
};

/// What ends it with its statistics.
const CATCHES: &[Signal] = &[Signal::Int];

const EXAMPLES: &[Example] = &[
    Example {
        command: "ping -c 2 127.0.0.1",
        output: "PING 127.0.0.1 (127.0.0.1) 56(84) bytes of data.\n64 bytes from 127.0.0.1: icmp_seq=1 ttl=64 time=0.071 ms\n64 bytes from 127.0.0.1: icmp_seq=2 ttl=64 time=0.071 ms\n\n--- 127.0.0.1 ping statistics ---\n2 packets transmitted, 2 received, 0% packet loss, time 1000ms\nrtt min/avg/max/mdev = 0.071/0.071/0.071/0.000 ms\n",
    },
    Example {
        command: "ping -c 1 10.9.0.9; echo $?",
        output: "ping: connect: Network is unreachable\n2\n",
    },
    Example {
        command: "iptables -A INPUT -p icmp -j DROP; ping -qc2 -i 0.2 -W 1 localhost; echo $?",
        output: "PING localhost (127.0.0.1) 56(84) bytes of data.\n\n--- localhost ping statistics ---\n2 packets transmitted, 0 received, 100% packet loss, time 200ms\n\n1\n",
    },
    Example {
        command: "ping",
        output: "ping: usage error: Destination address required\n",
    },
];

const FLAGS: &[args::Flag] = &[
    flag('4', ""),
    flag('6', ""),
    flag('D', ""),
    flag('n', ""),
    flag('q', ""),
    flag('v', ""),
    flag('O', ""),
    flag('a', ""),
    flag('A', ""),
    flag('b', ""),
    flag('f', ""),
    flag('V', ""),
    value('c', ""),
    value('i', ""),
    value('s', ""),
    value('t', ""),
    value('w', ""),
    value('W', ""),
    value('I', ""),
    value('M', ""),
    value('p', ""),
];

/// What it was told.
#[derive(Clone, Debug)]
struct Plan {
    name: Rc<str>,
    addr: Ipv4Addr,
    count: Option<u16>,
    every: Duration,
    size: u32,
    ttl: u8,
    deadline: Option<Duration>,
    linger: Duration,
    numeric: bool,
    quiet: bool,
    outstanding: bool,
    busybox: bool,
}

/// What came of it so far.
#[derive(Clone, Debug, Default)]
struct Tally {
    sent: u16,
    received: u32,
    errors: u32,
    duplicates: u32,
    /// Round trips in microseconds.
    trips: Vec<u64>,
}

async fn main(io: Io) -> i32 {
    if help::wanted(&io) {
        return help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    if args.has('V') {
        io.print("ping from iputils 20240117\n").await;
        return 0;
    }
    let plan = match read(&io, &args).await {
        Ok(plan) => plan,
        Err((message, code)) => {
            complain(&io, &message).await;
            return code;
        }
    };
    let fd = match io.sys(|sys| sys.ping_open()).await {
        Ok(fd) => fd,
        Err(errno) => {
            complain(&io, &format!("socket: {}", errno.message())).await;
            return 2;
        }
    };
    let begin = match plan.busybox {
        true => format!(
            "PING {} ({}): {} data bytes\n",
            plan.name, plan.addr, plan.size
        ),
        false => format!(
            "PING {} ({}) {}({}) bytes of data.\n",
            plan.name,
            plan.addr,
            plan.size,
            plan.size + 28
        ),
    };
    run(&io, fd, plan, begin).await
}

async fn read(io: &Io, args: &Args) -> Result<Plan, (String, i32)> {
    let Some(name) = args.operands.last().cloned() else {
        return Err(("usage error: Destination address required".to_owned(), 1));
    };
    if args.has('6') || args.has('I') || args.has('f') {
        let what = sim::unmodelled!("this option of ping");
        return Err((what.to_string(), 2));
    }
    fn seconds(args: &Args, letter: char, default: u64) -> Result<Duration, (String, i32)> {
        let Some(text) = args.value(letter) else {
            return Ok(Duration::from_secs(default));
        };
        match crate::sleep::interval(text) {
            Some(Span::Finite(span)) => Ok(span),
            _ => Err((format!("invalid argument: '{text}'"), 1)),
        }
    }
    fn number<T: core::str::FromStr>(
        args: &Args,
        letter: char,
    ) -> Result<Option<T>, (String, i32)> {
        let Some(text) = args.value(letter) else {
            return Ok(None);
        };
        let wrong = |_| (format!("invalid argument: '{text}'"), 1);
        text.parse().map(Some).map_err(wrong)
    }
    let count = number(args, 'c')?;
    if count == Some(0) {
        return Err((
            "invalid argument: '0': out of range: 1 <= value <= 9223372036854775807".to_owned(),
            1,
        ));
    }
    let every = seconds(args, 'i', 1)?;
    let user = io.sys(|sys| sys.uid()).await;
    if user != 0 && every < Duration::from_millis(2) {
        return Err((
            "cannot flood, minimal interval for user must be >= 2 ms, use -i 0.002 (or higher)"
                .to_owned(),
            2,
        ));
    }
    let literal: Result<Ipv4Addr, _> = name.parse();
    let busybox = resolve::is_busybox(io).await;
    let addr = match literal {
        Ok(addr) => addr,
        Err(_) => resolve::name(io, &name)
            .await
            .map_err(|fault| match (busybox, fault) {
                (true, _) => (format!("bad address '{name}'"), 1),
                (false, fault) => (format!("{name}: {}", fault.message()), 2),
            })?,
    };
    Ok(Plan {
        addr,
        count,
        every,
        size: number(args, 's')?.unwrap_or(56),
        ttl: number(args, 't')?.unwrap_or(net::DEFAULT_TTL),
        deadline: match args.has('w') {
            true => Some(seconds(args, 'w', 0)?),
            false => None,
        },
        linger: seconds(args, 'W', 10)?,
        numeric: args.has('n') || literal.is_ok(),
        quiet: args.has('q'),
        outstanding: args.has('O'),
        name,
        busybox,
    })
}

/// What happened next.
#[derive(Clone, Debug)]
enum Next {
    /// An answer, and when.
    Reply(PingReply, Instant),
    /// It is time for the next request, or to give up.
    Due,
    /// `^C`.
    Stop,
}

async fn run(io: &Io, fd: Fd, plan: Plan, begin: String) -> i32 {
    let mut tally = Tally::default();
    let started = io.now().await;
    let mut sent_at: Vec<Instant> = Vec::new();
    let mut heard: Vec<u16> = Vec::new();
    let mut due = started;
    let end = plan.deadline.map(|deadline| started + deadline);
    let mut last = started;
    if let Some(end) = end {
        io.sys(move |sys| sys.timer_at(end)).await;
    }
    loop {
        let all_sent = plan.count.is_some_and(|count| tally.sent >= count);
        let now = io.now().await;
        if now >= due && !all_sent {
            tally.sent += 1;
            let (addr, seq, ttl, size) =
                (plan.addr, number_of(&plan, tally.sent), plan.ttl, plan.size);
            let sent = io
                .sys(move |sys| sys.ping_send(fd, addr, seq, ttl, size))
                .await;
            if let Err(errno) = sent
                && let Some(code) = cannot_send(io, &plan, &mut tally, errno).await
            {
                return code;
            }
            if tally.sent == 1 {
                io.print(&begin).await;
            } else if plan.outstanding && !heard.contains(&(tally.sent - 1)) && !plan.quiet {
                io.print(&format!("no answer yet for icmp_seq={}\n", tally.sent - 1))
                    .await;
            }
            sent_at.push(now);
            last = now;
            due = now + plan.every;
            // After the last request, the answer may take its time.
            if plan.count.is_some_and(|count| tally.sent >= count) {
                due = now + plan.linger;
            }
            io.sys(move |sys| sys.timer_at(due)).await;
            continue;
        }
        let settled = tally.received + tally.errors >= u32::from(tally.sent);
        if all_sent && (settled || now >= due) || end.is_some_and(|end| now >= end) {
            break;
        }
        let until = end.map_or(due, |end| end.min(due));
        match next(io, fd, until).await {
            Next::Stop => break,
            Next::Due => {}
            Next::Reply(reply, at) => {
                let first = if plan.busybox { 0 } else { 1 };
                let begun = sent_at
                    .get(usize::from(reply.seq.wrapping_sub(first)))
                    .copied();
                let again = heard.contains(&reply.seq);
                heard.push(reply.seq);
                told(
                    io,
                    &plan,
                    &mut tally,
                    reply,
                    again,
                    begun.map(|begun| at.since(begun)),
                )
                .await;
            }
        }
    }
    io.print(&statistics(&plan, &tally, last.since(started)))
        .await;
    i32::from(tally.received == 0)
}

fn number_of(plan: &Plan, sent: u16) -> u16 {
    if plan.busybox { sent - 1 } else { sent }
}

async fn next(io: &Io, fd: Fd, until: Instant) -> Next {
    let caught = io.caught();
    io.until(move |sys| {
        if caught.take().is_some() {
            return Some(Next::Stop);
        }
        match sys.ping_recv(fd) {
            Ok(reply) => Some(Next::Reply(reply, sys.now())),
            Err(_) if sys.now() >= until => Some(Next::Due),
            Err(_) => None,
        }
    })
    .await
}

/// A request did not leave; gives the exit status if that is the end.
async fn cannot_send(io: &Io, plan: &Plan, tally: &mut Tally, errno: Errno) -> Option<i32> {
    let why = errno.message();
    if plan.busybox {
        complain(io, &format!("sendto: {why}")).await;
        return Some(1);
    }
    if errno == Errno::EPERM {
        complain(io, &format!("sendmsg: {why}")).await;
        tally.errors += 1;
        return None;
    }
    complain(io, &format!("connect: {why}")).await;
    Some(2)
}

/// Tells of an answer.
async fn told(
    io: &Io,
    plan: &Plan,
    tally: &mut Tally,
    reply: PingReply,
    again: bool,
    trip: Option<Duration>,
) {
    let PingReply {
        from,
        seq,
        ttl,
        len,
        error,
    } = reply;
    let who = match plan.numeric || plan.busybox {
        true => from.to_string(),
        false => match resolve::name_of(io, from).await {
            Some(name) => format!("{name} ({from})"),
            None => from.to_string(),
        },
    };
    if let Some(error) = error {
        tally.errors += 1;
        if !plan.busybox && !plan.quiet {
            io.print(&format!("From {who} icmp_seq={seq} {}\n", error.message()))
                .await;
        }
        return;
    }
    let micros = trip.map_or(0, |trip| {
        u64::try_from(trip.as_nanos() / 1000).unwrap_or(u64::MAX)
    });
    if again {
        tally.duplicates += 1;
    } else {
        tally.received += 1;
    }
    tally.trips.push(micros);
    if plan.quiet {
        return;
    }
    let dup = if again { " (DUP!)" } else { "" };
    let line = match plan.busybox {
        true => format!(
            "{} bytes from {who}: seq={seq} ttl={ttl} time={} ms{dup}\n",
            len + 8,
            millis(micros)
        ),
        false => format!(
            "{} bytes from {who}: icmp_seq={seq} ttl={ttl} time={} ms{dup}\n",
            len + 8,
            short(micros)
        ),
    };
    io.print(&line).await;
}

/// Microseconds as milliseconds with three decimals.
fn millis(micros: u64) -> String {
    format!("{}.{:03}", micros / 1000, micros % 1000)
}

/// The same with as many decimals as iputils thinks are worth printing.
fn short(micros: u64) -> String {
    match micros {
        0..=999 => millis(micros),
        1000..=9999 => format!("{}.{:02}", micros / 1000, micros % 1000 / 10),
        10_000..=99_999 => format!("{}.{}", micros / 1000, micros % 1000 / 100),
        _ => format!("{}", micros / 1000),
    }
}

fn statistics(plan: &Plan, tally: &Tally, spent: Duration) -> String {
    let Tally {
        sent,
        received,
        errors,
        duplicates,
        trips,
    } = tally;
    let lost = match sent {
        0 => 0,
        sent => u32::from(*sent).saturating_sub(*received) * 100 / u32::from(*sent),
    };
    let mut text = format!("\n--- {} ping statistics ---\n", plan.name);
    let (min, max) = (trips.iter().min(), trips.iter().max());
    let average = |sum: u64| sum / (trips.len() as u64).max(1);
    let mean = average(trips.iter().sum());
    if plan.busybox {
        text.push_str(&format!(
            "{sent} packets transmitted, {received} packets received, "
        ));
        if *duplicates > 0 {
            text.push_str(&format!("{duplicates} duplicates, "));
        }
        text.push_str(&format!("{lost}% packet loss\n"));
        if let (Some(min), Some(max)) = (min, max) {
            let (min, mean, max) = (millis(*min), millis(mean), millis(*max));
            text.push_str(&format!("round-trip min/avg/max = {min}/{mean}/{max} ms\n"));
        }
        return text;
    }
    text.push_str(&format!(
        "{sent} packets transmitted, {received} received, "
    ));
    if *duplicates > 0 {
        text.push_str(&format!("+{duplicates} duplicates, "));
    }
    if *errors > 0 {
        text.push_str(&format!("+{errors} errors, "));
    }
    text.push_str(&format!(
        "{lost}% packet loss, time {}ms\n",
        spent.as_millis()
    ));
    if let (Some(min), Some(max)) = (min, max) {
        let squares = average(trips.iter().map(|trip| trip * trip).sum());
        let deviation = squares.saturating_sub(mean * mean).isqrt();
        let (min, mean, max) = (millis(*min), millis(mean), millis(*max));
        text.push_str(&format!(
            "rtt min/avg/max/mdev = {min}/{mean}/{max}/{} ms",
            millis(deviation)
        ));
    }
    text.push('\n');
    text
}
