//! The way of a packet: from a socket through namespaces, pairs and bridges to the namespace it
//! is for, or to the wire. Everything inside one machine happens in one go.
//! Models net/ipv4/ip_{input,forward,output}.c and net/bridge/br_{forward,input}.c.

use std::net::Ipv4Addr;

use sim::{Duration, Instant, MachineId};

use crate::hooks::{At, Hook, HookVerdict};
use crate::link::LinkKind;
use crate::net::{Ctx, Net, NetEvent};
use crate::netns::Netns;
use crate::packet::{IcmpError, Packet};
use crate::route::RouteKind;
use crate::trace::{DropReason, Flow, Hop, HopRoute, Trace, Verdict};
use crate::{Errno, LinkId, Mac, NetnsId};

/// Time from a socket to another of the same machine.
const WITHIN_MACHINE: Duration = Duration::from_micros(30);
/// Time from a socket to one of another machine.
const BETWEEN_MACHINES: Duration = Duration::from_micros(200);
/// Time per byte at 1 Gbit/s, in nanoseconds.
const NANOS_PER_BYTE: u64 = 8;
/// Interfaces a packet passes inside one machine before we call it a loop.
const MAX_STEPS: u32 = 256;

/// A frame on the wire: the card it goes to, and both hardware addresses.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) card: LinkId,
    pub(crate) from: Mac,
    pub(crate) to: Mac,
}

/// What happens to a packet next.
#[derive(Clone, Copy)]
pub(crate) enum Step {
    /// It is handed to the next hop behind an interface.
    ToNeighbour { link: LinkId, addr: Ipv4Addr },
    /// It leaves by an interface, to a hardware address.
    Leave { link: LinkId, from: Mac, to: Mac },
    /// It has come in by an interface.
    Enter { link: LinkId, from: Mac, to: Mac },
    /// It is for the IP layer of the interface's namespace.
    Receive { link: LinkId },
    /// The IP layer has it, and the rules before the routing decision have seen it.
    Route { link: LinkId, before: Flow },
    /// It comes to an end in this machine.
    End(End),
}

/// How the way through one machine ends.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Deliver {
        ns: NetnsId,
    },
    Wire {
        ns: NetnsId,
        frame: Frame,
    },
    Wait {
        ns: NetnsId,
        link: LinkId,
        addr: Ipv4Addr,
    },
    Drop {
        ns: NetnsId,
        reason: DropReason,
    },
}

/// What the IP layer decides about a destination.
#[derive(Clone, Copy)]
enum Decision {
    Local,
    Out {
        link: LinkId,
        addr: Ipv4Addr,
        route: HopRoute,
    },
    Drop(DropReason),
}

fn dropped(ns: NetnsId, reason: DropReason) -> Step {
    Step::End(End::Drop { ns, reason })
}

/// How a packet ends that a rule did not let pass.
pub(crate) fn refused(ns: NetnsId, verdict: HookVerdict) -> Option<Step> {
    match verdict {
        HookVerdict::Accept => None,
        HookVerdict::Drop => Some(dropped(ns, DropReason::Filtered)),
        HookVerdict::Reject(with) => Some(dropped(ns, DropReason::Rejected(with))),
    }
}

/// An interface or namespace on the way has vanished.
const GONE: Step = Step::End(End::Drop {
    ns: NetnsId(u64::MAX),
    reason: DropReason::Gone,
});

impl Net {
    /// Sends a packet of a socket of `ns` on its way. What the sender learns at once is whether
    /// there is a route.
    #[inline]
    pub(crate) fn output(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        mut packet: Packet,
    ) -> Result<(), Errno> {
        self.record_sent(&mut packet);
        let (step, result) = self.first_step(ctx.now, ns, &mut packet);
        let end = self.walk(ctx.now, &mut packet, step);
        self.wake_taps(ctx);
        self.finish(ctx, packet, end, false);
        result
    }

    /// A packet that waited has its neighbour's answer.
    pub(crate) fn send_to_neighbour(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        link: LinkId,
        addr: Ipv4Addr,
        mut packet: Packet,
    ) {
        let there = self.links.get(link).is_some_and(|link| link.ns == ns);
        let step = if there {
            Step::ToNeighbour { link, addr }
        } else {
            GONE
        };
        let end = self.walk(ctx.now, &mut packet, step);
        self.wake_taps(ctx);
        self.finish(ctx, packet, end, false);
    }

    /// A frame arrives at a network card.
    pub(crate) fn off_the_wire(&mut self, ctx: &mut Ctx<'_>, frame: Frame, mut packet: Packet) {
        let step = self.off_wire(frame, &packet);
        let end = self.walk(ctx.now, &mut packet, step);
        self.wake_taps(ctx);
        self.finish(ctx, packet, end, true);
    }

    /// The way `packet` would take from a socket of `ns`, over every wire, if nothing changed
    /// meanwhile. Nothing is sent.
    pub fn trace(&self, ns: NetnsId, packet: &Packet, now: Instant) -> Trace {
        let mut net = self.clone();
        let mut packet = packet.clone();
        packet.trace = Some(Box::default());
        let (mut step, _) = net.first_step(now, ns, &mut packet);
        // Each wire leads to a router or to the end, and routers count the time to live down.
        while let End::Wire { frame, .. } = net.walk(now, &mut packet, step) {
            step = net.off_wire(frame, &packet);
        }
        packet.trace.map(|trace| *trace).unwrap_or_default()
    }

    fn first_step(
        &mut self,
        now: Instant,
        ns: NetnsId,
        packet: &mut Packet,
    ) -> (Step, Result<(), Errno>) {
        let Some(space) = self.spaces.get(ns) else {
            return (GONE, Err(Errno::EBADF));
        };
        let mut decision = self.decide(space, packet.dst);
        if let Decision::Drop(reason) = decision {
            let errno = match reason {
                DropReason::Blackhole => Errno::EINVAL,
                DropReason::Prohibited => Errno::EACCES,
                DropReason::Unreachable => Errno::EHOSTUNREACH,
                _ => Errno::ENETUNREACH,
            };
            return (dropped(ns, reason), Err(errno));
        }
        let lo = space.loopback();
        let before = packet.flow();
        let at = |hook, decision: Decision| At {
            now,
            ns,
            hook,
            inbound: None,
            outbound: decision.link().or(lo),
        };
        let mut hook = self.hook(at(Hook::Output, decision), packet);
        if packet.dst != *before.dst.ip()
            && let Some(space) = self.spaces.get(ns)
        {
            decision = self.decide(space, packet.dst);
        }
        if hook == HookVerdict::Accept && !matches!(decision, Decision::Drop(_)) {
            hook = self.hook(at(Hook::Postrouting, decision), packet);
        }
        if let Some(end) = refused(ns, hook) {
            return (end, Err(Errno::EPERM));
        }
        let step = match decision {
            Decision::Drop(reason) => dropped(ns, reason),
            Decision::Local => {
                let lo = lo.unwrap_or_default();
                self.take_down(now, ns, packet, Verdict::Sent, |hop, net| {
                    hop.outbound = net.link_name(lo);
                    hop.before = before;
                });
                self.count_loopback(now, lo, packet)
            }
            Decision::Out { link, addr, route } => {
                self.take_down(now, ns, packet, Verdict::Sent, |hop, net| {
                    hop.outbound = net.link_name(link);
                    hop.before = before;
                    hop.route = Some(route);
                });
                Step::ToNeighbour { link, addr }
            }
        };
        (step, Ok(()))
    }

    fn off_wire(&mut self, frame: Frame, packet: &Packet) -> Step {
        let Frame { card, from, to } = frame;
        let Some(link) = self.links.get_mut(card) else {
            return GONE;
        };
        let ns = link.ns;
        if !link.up {
            return dropped(ns, DropReason::NoCarrier);
        }
        link.counters.rx_packets += 1;
        link.counters.rx_bytes += packet.wire_len();
        let machine = self
            .spaces
            .get(ns)
            .map_or(MachineId::WORLD, |ns| ns.machine);
        if self.is_machine_down(machine) {
            return dropped(ns, DropReason::MachineDown);
        }
        Step::Enter {
            link: card,
            from,
            to,
        }
    }

    /// Follows a packet until its way through this machine ends.
    fn walk(&mut self, now: Instant, packet: &mut Packet, mut step: Step) -> End {
        let mut neighbour = None;
        for _ in 0..MAX_STEPS {
            step = match step {
                Step::ToNeighbour { link, addr } => {
                    neighbour = Some((link, addr));
                    self.neighbour(now, link, addr)
                }
                Step::Leave { link, from, to } => self.leave(now, packet, link, from, to),
                Step::Enter { link, from, to } => self.enter(now, packet, link, from, to),
                Step::Receive { link } => self.receive(now, packet, link),
                Step::Route { link, before } => self.route(now, packet, link, before),
                Step::End(end) => match (end, neighbour.take()) {
                    // The remembered answer was true once. Ask again, as a kernel does when
                    // confirmations cease.
                    (
                        End::Drop {
                            reason: DropReason::WrongMac,
                            ..
                        },
                        Some((link, addr)),
                    ) if self.forget_neighbour(link, addr) => self.neighbour(now, link, addr),
                    _ => {
                        self.take_down_end(now, packet, end);
                        return end;
                    }
                },
            };
        }
        let ns = match step {
            Step::Leave { link, .. } | Step::Enter { link, .. } => self.links.get(link),
            _ => None,
        };
        let ns = ns.map_or(NetnsId(u64::MAX), |link| link.ns);
        End::Drop {
            ns,
            reason: DropReason::BridgeLoop,
        }
    }

    fn finish(&mut self, ctx: &mut Ctx<'_>, packet: Packet, end: End, wired: bool) {
        match end {
            // The wire's latency covers the way to the socket.
            End::Deliver { ns } if wired => self.arrive(ctx, ns, packet),
            End::Deliver { ns } => {
                let at = self.arrival(ctx.now, &packet, WITHIN_MACHINE);
                let machine = self.machine_of_netns(ns);
                ctx.out
                    .events
                    .push((at, machine, NetEvent::Arrive { ns, packet }));
            }
            End::Wire { ns, frame } => {
                let at = self.arrival(ctx.now, &packet, BETWEEN_MACHINES);
                let machine = self.machine_of_netns(ns);
                let Frame { card, from, to } = frame;
                let event = NetEvent::Wire {
                    to: card,
                    from,
                    mac: to,
                    packet,
                };
                ctx.out.events.push((at, machine, event));
            }
            End::Wait { ns, link, addr } => self.wait_for_neighbour(ctx, ns, link, addr, packet),
            End::Drop { ns, reason } => {
                if let DropReason::Rejected(with) = reason {
                    self.reject(ctx, ns, &packet, with);
                }
                let error = match reason {
                    DropReason::NoRoute => Some(IcmpError::NetUnreachable),
                    DropReason::Unreachable => Some(IcmpError::HostUnreachable),
                    DropReason::Prohibited => Some(IcmpError::Prohibited),
                    DropReason::TtlExceeded => Some(IcmpError::TimeExceeded),
                    _ => None,
                };
                // A sender in this namespace has its answer from the call itself.
                if let Some(error) = error
                    && !self.netns(ns).is_some_and(|ns| ns.is_local(packet.src))
                {
                    self.send_icmp_error(ctx, ns, &packet, error);
                }
                self.lose(ctx, ns, packet, reason);
            }
        }
    }

    /// The routing decision of a namespace for a destination.
    #[inline]
    fn decide(&self, space: &Netns, dst: Ipv4Addr) -> Decision {
        if space.is_local(dst) {
            return Decision::Local;
        }
        let Some(route) = space.routes.lookup(dst) else {
            return Decision::Drop(DropReason::NoRoute);
        };
        match (route.kind, route.dev) {
            (RouteKind::Unicast, Some(link)) => {
                let addr = route.via.unwrap_or(dst);
                Decision::Out {
                    link,
                    addr,
                    route: route.into(),
                }
            }
            (RouteKind::Blackhole, _) => Decision::Drop(DropReason::Blackhole),
            (RouteKind::Prohibit, _) => Decision::Drop(DropReason::Prohibited),
            (RouteKind::Unreachable | RouteKind::Unicast, _) => {
                Decision::Drop(DropReason::Unreachable)
            }
        }
    }

    #[inline]
    fn neighbour(&mut self, now: Instant, id: LinkId, addr: Ipv4Addr) -> Step {
        let Some(link) = self.links.get(id) else {
            return GONE;
        };
        let (ns, from) = (link.ns, link.mac);
        if !link.up {
            return dropped(ns, DropReason::LinkDown);
        }
        match self.resolve(now, id, addr) {
            Some(to) => Step::Leave { link: id, from, to },
            None => Step::End(End::Wait { ns, link: id, addr }),
        }
    }

    fn leave(&mut self, now: Instant, packet: &mut Packet, id: LinkId, from: Mac, to: Mac) -> Step {
        let wire_len = packet.wire_len();
        let Some(link) = self.links.get_mut(id) else {
            return GONE;
        };
        let ns = link.ns;
        if !link.up {
            link.counters.tx_dropped += 1;
            return dropped(ns, DropReason::LinkDown);
        }
        link.counters.tx_packets += 1;
        link.counters.tx_bytes += wire_len;
        self.seen(now, id, true, packet);
        let Some(link) = self.links.get(id) else {
            return GONE;
        };
        match &link.kind {
            LinkKind::Loopback => Step::Receive { link: id },
            LinkKind::Veth { peer } => {
                packet.leave_namespace();
                let peer = *peer;
                match self.links.get_mut(peer) {
                    Some(other) if other.up => {
                        other.counters.rx_packets += 1;
                        other.counters.rx_bytes += wire_len;
                        Step::Enter {
                            link: peer,
                            from,
                            to,
                        }
                    }
                    _ => dropped(ns, DropReason::NoCarrier),
                }
            }
            LinkKind::Bridge(_) => match self.port_for(id, None, to) {
                Some(port) => Step::Leave {
                    link: port,
                    from,
                    to,
                },
                None => dropped(ns, DropReason::WrongMac),
            },
            LinkKind::Uplink { .. } => match self.card_for(id, to) {
                Some(card) if self.is_known_dead(now, id, to, card) => {
                    dropped(ns, DropReason::WrongMac)
                }
                Some(card) => {
                    packet.leave_namespace();
                    Step::End(End::Wire {
                        ns,
                        frame: Frame { card, from, to },
                    })
                }
                None => dropped(ns, DropReason::WrongMac),
            },
        }
    }

    fn enter(&mut self, now: Instant, packet: &mut Packet, id: LinkId, from: Mac, to: Mac) -> Step {
        let Some(link) = self.links.get(id) else {
            return GONE;
        };
        let ns = link.ns;
        self.seen(now, id, false, packet);
        let Some(link) = self.links.get(id) else {
            return GONE;
        };
        let Some(master) = link.master else {
            return if link.mac == to {
                Step::Receive { link: id }
            } else {
                dropped(ns, DropReason::WrongMac)
            };
        };
        let Some(bridge) = self.links.get_mut(master).filter(|bridge| bridge.up) else {
            return dropped(ns, DropReason::LinkDown);
        };
        if let LinkKind::Bridge(switch) = &mut bridge.kind
            && switch.fdb.get(&from) != Some(&id)
        {
            switch.fdb.insert(from, id);
        }
        if bridge.mac == to {
            bridge.counters.rx_packets += 1;
            bridge.counters.rx_bytes += packet.wire_len();
            self.seen(now, master, false, packet);
            return Step::Receive { link: master };
        }
        let Some(port) = self.port_for(master, Some(id), to) else {
            return dropped(ns, DropReason::WrongMac);
        };
        let before = packet.flow();
        if let Some(step) = self.bridge_hooks(now, ns, master, packet) {
            return step;
        }
        self.take_down(now, ns, packet, Verdict::Bridged, |hop, net| {
            hop.inbound = net.link_name(id);
            hop.outbound = net.link_name(port);
            hop.before = before;
        });
        Step::Leave {
            link: port,
            from,
            to,
        }
    }

    fn receive(&mut self, now: Instant, packet: &mut Packet, id: LinkId) -> Step {
        let Some(ns) = self.links.get(id).map(|link| link.ns) else {
            return GONE;
        };
        let before = packet.flow();
        let at = At {
            now,
            ns,
            hook: Hook::Prerouting,
            inbound: Some(id),
            outbound: None,
        };
        let verdict = self.hook(at, packet);
        refused(ns, verdict).unwrap_or(Step::Route { link: id, before })
    }

    /// Decides where a packet goes that came in by interface `id` as `before`.
    fn route(&mut self, now: Instant, packet: &mut Packet, id: LinkId, before: Flow) -> Step {
        let Some(ns) = self.links.get(id).map(|link| link.ns) else {
            return GONE;
        };
        let Some(space) = self.spaces.get(ns) else {
            return GONE;
        };
        let at = |hook, outbound| At {
            now,
            ns,
            hook,
            inbound: Some(id),
            outbound,
        };
        let (out, addr, route) = match self.decide(space, packet.dst) {
            Decision::Local => {
                let verdict = self.hook(at(Hook::Input, None), packet);
                if let Some(end) = refused(ns, verdict) {
                    return end;
                }
                self.take_down(now, ns, packet, Verdict::Delivered, |hop, net| {
                    hop.inbound = net.link_name(id);
                    hop.before = before;
                });
                return Step::End(End::Deliver { ns });
            }
            _ if !space.ip_forward => return dropped(ns, DropReason::ForwardingOff),
            Decision::Drop(reason) => return dropped(ns, reason),
            Decision::Out { link, addr, route } => (link, addr, route),
        };
        if packet.ttl <= 1 {
            return dropped(ns, DropReason::TtlExceeded);
        }
        packet.ttl -= 1;
        for hook in [Hook::Forward, Hook::Postrouting] {
            let verdict = self.hook(at(hook, Some(out)), packet);
            if let Some(end) = refused(ns, verdict) {
                return end;
            }
        }
        self.take_down(now, ns, packet, Verdict::Forwarded, |hop, net| {
            hop.inbound = net.link_name(id);
            hop.outbound = net.link_name(out);
            hop.before = before;
            hop.route = Some(route);
        });
        Step::ToNeighbour { link: out, addr }
    }

    /// When a packet arrives: never before one the same socket sent earlier.
    #[inline]
    fn arrival(&mut self, now: Instant, packet: &Packet, latency: Duration) -> Instant {
        let transmission = Duration::from_nanos(packet.wire_len() * NANOS_PER_BYTE);
        let at = now + latency + transmission;
        match self.sockets.get_mut(packet.from) {
            Some(socket) => {
                socket.last_arrival = socket.last_arrival.max(at);
                socket.last_arrival
            }
            None => at,
        }
    }

    pub(crate) fn machine_of_netns(&self, ns: NetnsId) -> MachineId {
        self.spaces
            .get(ns)
            .map_or(MachineId::WORLD, |ns| ns.machine)
    }

    fn link_name(&self, id: LinkId) -> Option<std::rc::Rc<str>> {
        self.links.get(id).map(|link| link.name.clone())
    }

    fn count_loopback(&mut self, now: Instant, lo: LinkId, packet: &Packet) -> Step {
        let Some(link) = self.links.get_mut(lo) else {
            return GONE;
        };
        if !link.up {
            return dropped(link.ns, DropReason::LinkDown);
        }
        let counters = &mut link.counters;
        counters.tx_packets += 1;
        counters.rx_packets += 1;
        counters.tx_bytes += packet.wire_len();
        counters.rx_bytes += packet.wire_len();
        self.seen(now, lo, false, packet);
        Step::Receive { link: lo }
    }

    /// Takes a hop down, if the packet carries a trace.
    #[inline]
    fn take_down(
        &self,
        now: Instant,
        ns: NetnsId,
        packet: &mut Packet,
        verdict: Verdict,
        fill: impl FnOnce(&mut Hop, &Net),
    ) {
        if packet.trace.is_none() {
            return;
        }
        let Some(space) = self.spaces.get(ns) else {
            return;
        };
        let mut hop = Hop::new(now, space, packet.flow(), verdict);
        fill(&mut hop, self);
        if let Some(trace) = &mut packet.trace {
            trace.push(hop);
        }
    }

    fn take_down_end(&self, now: Instant, packet: &mut Packet, end: End) {
        match end {
            End::Deliver { .. } => {}
            End::Wire { ns, frame } => {
                self.take_down(now, ns, packet, Verdict::OnTheWire, |hop, net| {
                    let sender = net.links_of(ns).find(|link| link.mac == frame.from);
                    hop.outbound = sender.map(|link| link.name.clone());
                });
            }
            End::Wait { ns, link, .. } => {
                self.take_down(now, ns, packet, Verdict::AwaitsNeighbour, |hop, net| {
                    hop.outbound = net.link_name(link);
                });
            }
            End::Drop { ns, reason } => {
                self.take_down(now, ns, packet, Verdict::Dropped(reason), |_, _| {});
            }
        }
    }
}

impl Decision {
    fn link(self) -> Option<LinkId> {
        match self {
            Decision::Out { link, .. } => Some(link),
            Decision::Local | Decision::Drop(_) => None,
        }
    }
}
