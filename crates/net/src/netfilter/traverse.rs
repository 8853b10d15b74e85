//! A packet's way through the tables at one hook. Models net/netfilter/core.c (the order),
//! net/netfilter/nf_tables_core.c (chains) and net/netfilter/nf_nat_core.c (nf_nat_inet_fn).

use std::net::Ipv4Addr;
use std::rc::Rc;

use sim::Instant;

use super::Netfilter;
use super::chain::Chain;
use super::conntrack::{CtState, Tracked};
use super::nat::{Mapping, Side};
use super::rule::{Rule, Target};
use super::table::TableName;
use super::targets::Outcome;
use super::view::{Tally, View};
use crate::hooks::{Hook, HookVerdict};
use crate::link::Link;
use crate::netns::Netns;
use crate::packet::Packet;
use crate::trace::RuleHit;

/// Chains that may lead into each other before a packet is dropped (NFT_JUMP_STACK_SIZE).
const DEPTH: usize = 16;

/// Where a packet is, and what of the namespace rules may see.
#[derive(Clone, Copy)]
pub(crate) struct Crossing<'a> {
    pub(crate) now: Instant,
    pub(crate) hook: Hook,
    pub(crate) space: &'a Netns,
    pub(crate) inbound: Option<&'a Link>,
    pub(crate) outbound: Option<&'a Link>,
    /// The address a packet gets that is masqueraded here.
    pub(crate) outbound_addr: Option<Ipv4Addr>,
}

/// What happens at a hook, one after the other.
#[derive(Clone, Copy)]
enum Stage {
    Table(TableName),
    Track,
    Nat(Side),
    Confirm,
}

/// The stages of each hook, in the order of their priorities.
fn stages(hook: Hook) -> &'static [Stage] {
    use Stage::{Confirm, Nat, Table, Track};
    use TableName::{Filter, Mangle, Raw, Security};
    match hook {
        Hook::Prerouting => &[Table(Raw), Track, Table(Mangle), Nat(Side::Destination)],
        Hook::Input => &[
            Table(Mangle),
            Table(Filter),
            Table(Security),
            Nat(Side::Source),
            Confirm,
        ],
        Hook::Forward => &[Table(Mangle), Table(Filter), Table(Security)],
        Hook::Output => &[
            Table(Raw),
            Track,
            Table(Mangle),
            Nat(Side::Destination),
            Table(Filter),
            Table(Security),
        ],
        Hook::Postrouting => &[Table(Mangle), Nat(Side::Source), Confirm],
    }
}

/// How a table ends for a packet.
enum End {
    Accept,
    Drop(HookVerdict),
    Nat(Mapping),
}

/// A chain that called another: its name, its rules, and the next of them.
type Frame = (Option<Rc<str>>, Rc<Chain>, usize);

impl Netfilter {
    /// Shows a packet to everything at a hook.
    pub(crate) fn cross(&mut self, at: Crossing<'_>, packet: &mut Packet) -> HookVerdict {
        for stage in stages(at.hook) {
            let verdict = match stage {
                Stage::Table(table) => match self.traverse(*table, at, packet) {
                    End::Drop(verdict) => verdict,
                    End::Accept | End::Nat(_) => HookVerdict::Accept,
                },
                Stage::Track => {
                    if self.tracking && matches!(packet.tracked, Tracked::No) {
                        packet.tracked = self.conntrack.track(at.now, packet);
                    }
                    HookVerdict::Accept
                }
                Stage::Nat(side) => self.translate(*side, at, packet),
                Stage::Confirm => {
                    self.confirm(at.now, packet);
                    HookVerdict::Accept
                }
            };
            if verdict != HookVerdict::Accept {
                return verdict;
            }
        }
        HookVerdict::Accept
    }

    fn confirm(&mut self, now: Instant, packet: &mut Packet) {
        if let Tracked::Fresh(conn) = std::mem::take(&mut packet.tracked) {
            let id = self.conntrack.confirm(now, *conn);
            packet.tracked = Tracked::Known {
                id,
                reply: false,
                related: false,
            };
        }
    }

    /// Decides once per connection and side, then gives the packet its addresses.
    fn translate(&mut self, side: Side, at: Crossing<'_>, packet: &mut Packet) -> HookVerdict {
        let undecided = match &packet.tracked {
            Tracked::Fresh(conn) => match side {
                Side::Source => !conn.source_done,
                Side::Destination => !conn.destination_done,
            },
            Tracked::Known { .. } => false,
            Tracked::No | Tracked::Invalid | Tracked::Untracked => return HookVerdict::Accept,
        };
        let mut by_rule = false;
        if undecided && self.table(TableName::Nat).is_some() {
            let mapping = match self.traverse(TableName::Nat, at, packet) {
                End::Drop(verdict) => return verdict,
                End::Nat(mapping) if mapping.side == side => {
                    by_rule = true;
                    mapping
                }
                End::Nat(_) | End::Accept => Mapping::keep(side),
            };
            let Tracked::Fresh(mut conn) = std::mem::take(&mut packet.tracked) else {
                return HookVerdict::Accept;
            };
            let random = &mut self.memory.random;
            let mapped = self.conntrack.map(at.now, &mut conn, mapping, random);
            packet.tracked = Tracked::Fresh(conn);
            if !mapped {
                return HookVerdict::Drop;
            }
        }
        let tracked = std::mem::take(&mut packet.tracked);
        match &tracked {
            Tracked::Fresh(conn) => conn.translate(packet, side, false),
            Tracked::Known { id, reply, .. } => {
                if let Some(conn) = self.conntrack.get(*id) {
                    conn.translate(packet, side, *reply);
                }
            }
            _ => {}
        }
        packet.tracked = tracked;
        let flow = packet.flow();
        if by_rule && let Some(trace) = &mut packet.trace {
            trace.last_rule_made(flow);
        }
        HookVerdict::Accept
    }

    /// Walks a packet through the chain of a table at a hook.
    fn traverse(&mut self, table: TableName, at: Crossing<'_>, packet: &mut Packet) -> End {
        let hook = at.hook.chain();
        let Some(slot) = self.tables[table.index()]
            .as_ref()
            .and_then(|own| own.slot(hook))
        else {
            return End::Accept;
        };
        let mut rules = slot.chain.clone();
        // The built-in chain has no name of its own here, which spares every packet one.
        let mut chain: Option<Rc<str>> = None;
        let mut next = 0;
        let mut callers: Vec<Frame> = Vec::new();
        loop {
            let name = chain.as_deref().unwrap_or(hook);
            let Some(rule) = rules.rules().get(next) else {
                match callers.pop() {
                    Some(frame) => (chain, rules, next) = frame,
                    None => return self.policy(table, at, packet),
                }
                continue;
            };
            next += 1;
            let Some(outcome) = self.ask(table, name, next - 1, rule, at, packet) else {
                continue;
            };
            match (&rule.target, outcome) {
                (Target::Jump(to) | Target::Goto(to), _) => {
                    let own = self.tables[table.index()].as_ref();
                    let Some(called) = own.and_then(|own| own.chain(to)).cloned() else {
                        continue;
                    };
                    if callers.len() == DEPTH {
                        return End::Drop(HookVerdict::Drop);
                    }
                    let resume = match rule.target {
                        Target::Goto(_) => rules.rules().len(),
                        _ => next,
                    };
                    let to = to.clone();
                    callers.push((chain, rules, resume));
                    (chain, rules, next) = (Some(to), called, 0);
                }
                (_, Outcome::Return) => next = rules.rules().len(),
                (_, Outcome::Accept) => return End::Accept,
                (_, Outcome::Drop) => return End::Drop(HookVerdict::Drop),
                (_, Outcome::Reject(with)) => return End::Drop(HookVerdict::Reject(with)),
                (_, Outcome::Nat(mapping)) => return End::Nat(mapping),
                (_, Outcome::Mark(mark)) => packet.mark = mark,
                (_, Outcome::ConnMark(mark)) => self.mark_connection(packet, mark),
                (_, Outcome::NoTrack) => {
                    if matches!(packet.tracked, Tracked::No) {
                        packet.tracked = Tracked::Untracked;
                    }
                }
                (_, Outcome::Continue) => {}
            }
        }
    }

    /// What a rule wants done with a packet; `None` if the rule is not about it.
    fn ask(
        &mut self,
        table: TableName,
        chain: &str,
        index: usize,
        rule: &Rc<Rule>,
        at: Crossing<'_>,
        packet: &mut Packet,
    ) -> Option<Outcome> {
        let inbound = at.inbound.map_or("", |link| &*link.name);
        let outbound = at.outbound.map_or("", |link| &*link.name);
        if !rule.selector.matches(packet, inbound, outbound) {
            return None;
        }
        let mut tally = match rule.remembers() {
            true => self.tables[table.index()].as_ref()?.tally(chain, index),
            false => Tally::default(),
        };
        let (conn, state, reply) = match &packet.tracked {
            Tracked::No | Tracked::Invalid => (None, CtState::Invalid, false),
            Tracked::Untracked => (None, CtState::Untracked, false),
            Tracked::Fresh(conn) => (Some(&**conn), CtState::New, false),
            Tracked::Known { id, reply, related } => {
                let conn = self.conntrack.get(*id);
                let seen = conn.is_some_and(|conn| conn.seen_reply);
                let state = match () {
                    () if *related => CtState::Related,
                    () if *reply || seen => CtState::Established,
                    () => CtState::New,
                };
                (conn, state, *reply)
            }
        };
        let mut view = View {
            now: at.now,
            packet,
            inbound,
            outbound,
            inbound_addr: at.inbound.and_then(|link| Some(link.addrs.first()?.addr)),
            outbound_addr: at.outbound_addr,
            space: at.space,
            conn,
            state,
            reply,
            memory: &mut self.memory,
            tally: &mut tally,
        };
        let agrees = rule.agrees(&mut view);
        let outcome = match &rule.target {
            _ if !agrees => None,
            Target::Extension(action) => Some(action.act(&mut view)),
            Target::None | Target::Jump(_) | Target::Goto(_) => Some(Outcome::Continue),
        };
        if (agrees || rule.remembers())
            && let Some(slot) = self.tables[table.index()].as_mut()?.slot_mut(chain)
            && let Some(own) = slot.tally_mut(index)
        {
            if rule.remembers() {
                (own.nth, own.limit) = (tally.nth, tally.limit);
            }
            if agrees {
                own.packets += 1;
                own.bytes += packet.wire_len();
            }
        }
        if agrees && packet.trace.is_some() {
            let hit = RuleHit::of_rule(table, chain, index, rule, packet.flow());
            if let Some(trace) = &mut packet.trace {
                trace.meet(hit);
            }
        }
        outcome
    }

    /// The end of a built-in chain.
    fn policy(&mut self, table: TableName, at: Crossing<'_>, packet: &mut Packet) -> End {
        let hook = at.hook.chain();
        let own = self.tables[table.index()].as_mut();
        let policy = own.and_then(|own| own.slot_mut(hook)?.policy.as_mut());
        let Some(policy) = policy else {
            return End::Accept;
        };
        policy.tally.packets += 1;
        policy.tally.bytes += packet.wire_len();
        if !policy.drop {
            return End::Accept;
        }
        let flow = packet.flow();
        if let Some(trace) = &mut packet.trace {
            trace.meet(RuleHit::of_policy(table, hook, flow));
        }
        End::Drop(HookVerdict::Drop)
    }

    fn mark_connection(&mut self, packet: &mut Packet, mark: u32) {
        match &mut packet.tracked {
            Tracked::Fresh(conn) => conn.mark = mark,
            Tracked::Known { id, .. } => {
                if let Some(conn) = self.conntrack.get_mut(*id) {
                    conn.mark = mark;
                }
            }
            Tracked::No | Tracked::Invalid | Tracked::Untracked => {}
        }
    }
}
