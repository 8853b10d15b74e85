//! `-j LOG`: a line in the kernel's log. Models extensions/libxt_LOG.c and
//! net/netfilter/nf_log_syslog.c.

use core::fmt::Write;
use std::rc::Rc;

use super::{Action, Outcome, TargetKind};
use crate::netfilter::options::{Given, flag, value};
use crate::netfilter::view::View;
use crate::netfilter::words;
use crate::packet::{Packet, PacketBody, Segment};

pub(super) static KIND: TargetKind = TargetKind {
    name: "LOG",
    options: &[
        value("log-level"),
        value("log-prefix"),
        flag("log-tcp-sequence"),
        flag("log-tcp-options"),
        flag("log-ip-options"),
        flag("log-uid"),
        flag("log-macdecode"),
    ],
    build,
};

/// Levels by number.
const LEVELS: [&str; 8] = [
    "emerg", "alert", "crit", "error", "warning", "notice", "info", "debug",
];
/// Without --log-level.
const WARNING: u8 = 4;
/// Options that add to the line, and their bits.
const FLAGS: [(&str, u8); 5] = [
    ("log-tcp-sequence", 0x01),
    ("log-tcp-options", 0x02),
    ("log-ip-options", 0x04),
    ("log-uid", 0x08),
    ("log-macdecode", 0x20),
];
/// Longest prefix in bytes.
const LONGEST: usize = 29;

#[derive(Debug)]
struct Log {
    level: u8,
    prefix: Rc<str>,
    flags: u8,
}

fn build(given: &Given) -> Result<Rc<dyn Action>, String> {
    let level = match given.value("log-level") {
        None => WARNING,
        Some(text) => {
            let bad = || format!("log-level `{text}' unknown");
            let number = text.parse().ok().filter(|level| *level < 8);
            let named = || {
                let at = LEVELS
                    .iter()
                    .position(|name| name.starts_with(text) && !text.is_empty());
                at.and_then(|at| u8::try_from(at).ok())
            };
            number.or_else(named).ok_or_else(bad)?
        }
    };
    let prefix = given.value("log-prefix").unwrap_or_default();
    if prefix.len() > LONGEST {
        return Err(format!("Maximum prefix length {LONGEST} for --log-prefix"));
    }
    let flags = FLAGS.iter().filter(|(name, _)| given.has(name));
    Ok(Rc::new(Log {
        level,
        prefix: prefix.into(),
        flags: flags.fold(0, |all, (_, bit)| all | bit),
    }))
}

impl Action for Log {
    fn name(&self) -> &'static str {
        "LOG"
    }

    fn act(&self, view: &mut View<'_>) -> Outcome {
        let mut line = format!("{}IN={} OUT={}", self.prefix, view.inbound, view.outbound);
        describe(&mut line, view.packet);
        view.memory.log(view.now, line);
        Outcome::Continue
    }

    fn print(&self, out: &mut String) {
        if !self.prefix.is_empty() {
            out.push_str(" --log-prefix");
            words::save(out, &self.prefix);
        }
        if self.level != WARNING {
            let _ = write!(out, " --log-level {}", self.level);
        }
        for (name, bit) in FLAGS {
            if self.flags & bit != 0 {
                let _ = write!(out, " --{name}");
            }
        }
    }

    fn list(&self, out: &mut String, _numeric: bool) {
        let _ = write!(out, " LOG flags {} level {}", self.flags, self.level);
        if !self.prefix.is_empty() {
            let _ = write!(out, " prefix \"{}\"", self.prefix);
        }
    }
}

/// The packet's fields as the kernel names them. Fields that packets here do not have are left out.
fn describe(line: &mut String, packet: &Packet) {
    let flow = packet.flow();
    let _ = write!(
        line,
        " SRC={} DST={} LEN={} TTL={} PROTO={}",
        packet.src,
        packet.dst,
        packet.wire_len(),
        packet.ttl,
        packet.proto().to_string().to_uppercase()
    );
    match &packet.body {
        PacketBody::Tcp { segment, .. } => {
            let _ = write!(line, " SPT={} DPT={}", flow.src.port(), flow.dst.port());
            line.push_str(match segment {
                Segment::Syn => " SYN",
                Segment::SynAck(_) => " ACK SYN",
                Segment::Data(_) => " ACK PSH",
                Segment::Fin => " ACK FIN",
                Segment::Rst { .. } => " ACK RST",
            });
        }
        PacketBody::Udp { .. } => {
            let _ = write!(line, " SPT={} DPT={}", flow.src.port(), flow.dst.port());
        }
        PacketBody::Icmp(icmp) => {
            let (kind, code) = icmp.kind_and_code();
            let _ = write!(line, " TYPE={kind} CODE={code}");
        }
    }
}
