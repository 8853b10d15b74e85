//! What rules see of a packet, and what they may remember of it.
//! Models include/linux/netfilter/x_tables.h (struct xt_action_param).

use std::collections::{BTreeMap, VecDeque};
use std::net::Ipv4Addr;
use std::rc::Rc;

use sim::{Instant, Stream};

use super::conntrack::{Conn, CtState};
use crate::netns::Netns;
use crate::packet::Packet;

/// A packet at a hook, with all that rules may ask about it.
pub(crate) struct View<'a> {
    pub(crate) now: Instant,
    pub(crate) packet: &'a Packet,
    /// Name of the interface it came in by; empty if none.
    pub(crate) inbound: &'a str,
    /// Name of the interface it leaves by; empty if none.
    pub(crate) outbound: &'a str,
    /// First address of the interface it came in by.
    pub(crate) inbound_addr: Option<Ipv4Addr>,
    /// Address it would have if a socket here sent it.
    pub(crate) outbound_addr: Option<Ipv4Addr>,
    pub(crate) space: &'a Netns,
    pub(crate) conn: Option<&'a Conn>,
    pub(crate) state: CtState,
    /// Whether it goes against the connection's first packet.
    pub(crate) reply: bool,
    pub(crate) memory: &'a mut Memory,
    /// The rule's own counters.
    pub(crate) tally: &'a mut Tally,
}

/// What a rule counts and remembers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Packets it matched.
    pub packets: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Packets `-m statistic --mode nth` has seen since its last match.
    pub(crate) nth: u32,
    /// What `-m limit` has left, and when that was so.
    pub(crate) limit: Option<(u64, Instant)>,
}

/// What the rules of a namespace remember together.
#[derive(Clone, Debug)]
pub(crate) struct Memory {
    pub(crate) random: Stream,
    /// The lists of `-m recent`, as /proc/net/xt_recent has them.
    pub(crate) recent: BTreeMap<Rc<str>, Rc<RecentList>>,
    /// Lines of `-j LOG` for the kernel's log, oldest first.
    pub(crate) log: VecDeque<(Instant, Rc<str>)>,
}

/// Addresses and the times they were seen at, oldest first.
pub(crate) type RecentList = BTreeMap<Ipv4Addr, Vec<Instant>>;

/// Lines of the log that are kept.
const LOG_LINES: usize = 256;

impl Memory {
    pub(crate) fn new(random: Stream) -> Memory {
        Memory {
            random,
            recent: BTreeMap::new(),
            log: VecDeque::new(),
        }
    }

    pub(crate) fn log(&mut self, now: Instant, line: String) {
        if self.log.len() == LOG_LINES {
            self.log.pop_front();
        }
        self.log.push_back((now, line.into()));
    }
}
