//! `netwhy`: runs a command and then explains the way of every packet that began something: each
//! connection, each datagram, each ping, and the answers. No real machine has it; what it tells is
//! what the kernels on the way did.

use core::fmt::Write;
use std::rc::Rc;

use machine::{Exec, Io, Signal, Spawn};
use net::{Flow, Hop, Proto, Record, RuleHit, Verdict};

use crate::io::complain;
use crate::{Example, Tool, help, run};

/// The tool.
pub(crate) const TOOL: Tool = Tool {
    name: "netwhy",
    summary: "Run a command and explain the way its packets took",
    usage: "netwhy command [args]",
    examples: EXAMPLES,
    run: |io| Box::pin(main(io)),
    program: || machine::tool_catching(|io| Box::pin(main(io)), CATCHES),
};

/// `^C` ends the command, not the explanation.
const CATCHES: &[Signal] = &[Signal::Int];

const EXAMPLES: &[Example] = &[
    Example {
        command: "iptables -A INPUT -p icmp -j DROP; netwhy ping -qc1 -W1 127.0.0.1 | tail -n +6",
        output: "\nICMP echo request 127.0.0.1 > 127.0.0.1: dropped by netfilter\n  1. testbox: sent by lo\n  2. testbox: dropped by netfilter\n       filter INPUT 1: -A INPUT -p icmp -j DROP\n",
    },
    Example {
        command: "iptables -t nat -A OUTPUT -d 10.9.0.1 -p tcp -m comment --comment 'default/web:http cluster IP' -j DNAT --to 127.0.0.1:9; ip link add br0 type bridge; ip addr add 10.9.0.1/24 dev br0; netwhy curl -s 10.9.0.1 | sed 's/:[3-6][0-9][0-9]*/:N/g'",
        output: "\nTCP SYN 10.9.0.1:N > 10.9.0.1:80: refused, nobody listens on 127.0.0.1:9\n  1. testbox: sent by lo\n       nat OUTPUT 1: -A OUTPUT -d 10.9.0.1/32 -p tcp -m comment --comment \"default/web:http cluster IP\" -j DNAT --to-destination 127.0.0.1:9 makes it 10.9.0.1:N > 127.0.0.1:9\n         written for Service default/web\n       10.9.0.1:N > 10.9.0.1:80 becomes 10.9.0.1:N > 127.0.0.1:9\n  2. testbox: delivered from lo\n",
    },
    Example {
        command: "netwhy true",
        output: "\nNo packet left a socket of this command.\n",
    },
];

async fn main(io: Io) -> i32 {
    if help::wanted(&io) {
        return help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    let words = io.args().get(1..).unwrap_or_default().to_vec();
    let Some(name) = words.first().cloned() else {
        io.eprint("Usage: netwhy command [args]\n").await;
        return 2;
    };
    let Some(path) = run::find(&io, &name).await else {
        complain(&io, &format!("{name}: command not found")).await;
        return 127;
    };
    io.sys(|sys| sys.begin_recording()).await;
    let spawned = io
        .spawn(Spawn::new(Exec::Path(path), words).with_stdio())
        .await;
    let status = match spawned {
        Ok(pid) => io.wait(pid).await.shell_code(),
        Err(errno) => {
            complain(&io, &format!("{name}: {}", errno.message())).await;
            126
        }
    };
    let text = io.sys(|sys| {
        let records = sys.end_recording();
        let place = |hop: &Hop| {
            let machine = sys.machine_name(hop.machine);
            match &*hop.netns {
                "" => machine.to_string(),
                space => format!("{machine}, {space}"),
            }
        };
        explain(&records, &place)
    });
    io.print(&text.await).await;
    status
}

fn explain(records: &[Record], place: &dyn Fn(&Hop) -> String) -> String {
    if records.is_empty() {
        return "\nNo packet left a socket of this command.\n".to_owned();
    }
    let mut text = String::new();
    for record in records {
        // Writing to a string does not fail.
        let _ = one(&mut text, record, place);
    }
    text
}

fn one(text: &mut String, record: &Record, place: &dyn Fn(&Hop) -> String) -> core::fmt::Result {
    let Record {
        proto,
        what,
        flow,
        trace,
        lost,
        ..
    } = record;
    let shown = |flow: &Flow| match proto {
        Proto::Icmp => format!("{} > {}", flow.src.ip(), flow.dst.ip()),
        _ => flow.to_string(),
    };
    let last = trace.hops.last().map(|hop| hop.after);
    let end = match (lost, last) {
        (Some(net::DropReason::NoSocket), Some(last)) => {
            format!("refused, nobody listens on {}", last.dst)
        }
        (Some(reason), _) => reason.to_string(),
        (None, Some(last)) if last.dst != flow.dst && *proto != Proto::Icmp => {
            format!("delivered to {}", last.dst)
        }
        (None, Some(last)) if last.dst.ip() != flow.dst.ip() => {
            format!("delivered to {}", last.dst.ip())
        }
        (None, _) => "delivered".to_owned(),
    };
    writeln!(text, "\n{what} {}: {end}", shown(flow))?;
    for (at, hop) in trace.hops.iter().enumerate() {
        writeln!(text, "  {}. {}: {}", at + 1, place(hop), did(hop))?;
        if let Some(route) = &hop.route {
            let dst = match route.dst.prefix {
                0 => "default".to_owned(),
                _ => route.dst.to_string(),
            };
            let via = route.via.map_or(String::new(), |via| format!(" via {via}"));
            writeln!(text, "       route {dst}{via}")?;
        }
        for hit in &hop.rules {
            rule(text, hit, &shown)?;
        }
        if hop.before != hop.after {
            writeln!(
                text,
                "       {} becomes {}",
                shown(&hop.before),
                shown(&hop.after)
            )?;
        }
    }
    Ok(())
}

/// What a hop did with the packet.
fn did(hop: &Hop) -> String {
    let name = |link: &Option<Rc<str>>| link.clone().unwrap_or_else(|| "nowhere".into());
    let (inbound, outbound) = (name(&hop.inbound), name(&hop.outbound));
    match hop.verdict {
        Verdict::Sent => format!("sent by {outbound}"),
        Verdict::Forwarded => format!("forwarded from {inbound} to {outbound}"),
        Verdict::Bridged => format!("bridged from {inbound} to {outbound}"),
        Verdict::OnTheWire => format!("on the wire at {outbound}"),
        Verdict::Delivered => format!("delivered from {inbound}"),
        Verdict::AwaitsNeighbour => format!("asks on {outbound} who has the next address"),
        Verdict::Dropped(reason @ (net::DropReason::Filtered | net::DropReason::Rejected(_))) => {
            reason.to_string()
        }
        Verdict::Dropped(reason) => format!("dropped, {reason}"),
    }
}

fn rule(text: &mut String, hit: &RuleHit, shown: &dyn Fn(&Flow) -> String) -> core::fmt::Result {
    let RuleHit {
        table,
        chain,
        number,
        rule,
        before,
        after,
    } = hit;
    match rule {
        Some(rule) => write!(
            text,
            "       {table} {chain} {number}: -A {chain}{}",
            rule.text()
        )?,
        None => write!(text, "       {table} {chain}: policy DROP")?,
    }
    match before == after {
        true => writeln!(text)?,
        false => writeln!(text, " makes it {}", shown(after))?,
    }
    let writer = rule.as_ref().and_then(|rule| written_for(rule.text()));
    match writer {
        Some(writer) => writeln!(text, "         written for {writer}"),
        None => Ok(()),
    }
}

/// The object a rule was written for, as far as its comment names one: kube-proxy's do.
/// Models the comments of pkg/proxy/iptables/proxier.go.
fn written_for(rule: &str) -> Option<String> {
    let (_, rest) = rule.split_once("--comment ")?;
    let comment = match rest.strip_prefix('"') {
        Some(quoted) => quoted.split('"').next()?,
        None => rest.split(' ').next()?,
    };
    if comment.starts_with("kubernetes ") {
        return Some("every Service, by kube-proxy".to_owned());
    }
    let is_label = |text: &str| {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !text.is_empty() && text.chars().all(plain)
    };
    comment.split(' ').find_map(|word| {
        let (namespace, name) = word.split_once('/')?;
        let name = name.split(':').next()?;
        let named = is_label(namespace) && is_label(name);
        named.then(|| format!("Service {namespace}/{name}"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(comment: &str, expected: Option<&str>) {
        let rule = format!(" -d 10.0.0.1/32 -m comment --comment {comment} -j X");
        assert_eq!(written_for(&rule).as_deref(), expected, "{comment}");
    }

    #[test]
    fn comments_name_services() {
        check(
            "\"default/web:http cluster IP\"",
            Some("Service default/web"),
        );
        check("default/web:http", Some("Service default/web"));
        check(
            "\"default/web:http -> 10.244.1.5:8080\"",
            Some("Service default/web"),
        );
        check(
            "\"masquerade traffic for a/b external destinations\"",
            Some("Service a/b"),
        );
        check(
            "\"kubernetes service portals\"",
            Some("every Service, by kube-proxy"),
        );
        check("\"way out/IN\"", None);
        assert_eq!(written_for(" -j ACCEPT"), None);
    }
}
