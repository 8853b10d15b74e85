//! TCP segments as they arrive, and what is done about those that do not.
//! There are no acknowledgements on the wire: a segment that arrives is acknowledged by arriving,
//! and one that is lost is reported to its sender, whose timer then does what a missing
//! acknowledgement would. Models net/ipv4/tcp_input.c and net/ipv4/tcp_timer.c.

use std::net::SocketAddrV4;
use std::rc::Rc;

use sim::{Duration, Kind};

use crate::addr::Tuple;
use crate::net::{Ctx, Net, NetEvent};
use crate::packet::{Packet, PacketBody, Segment};
use crate::socket::{SocketKind, State, Tcp, find_bound};
use crate::tcp::NOBODY;
use crate::trace::{DropReason, Trace};
use crate::{Errno, NetnsId, SocketId};

/// Seconds until a SYN is sent again, then until the attempt fails: 131 s in all. Linux 6.5 and
/// later wait one second four times before they begin to double (tcp_syn_linear_timeouts).
const SYN_TIMEOUTS: [u64; 11] = [1, 1, 1, 1, 1, 2, 4, 8, 16, 32, 64];
/// The same for the answer to a SYN (tcp_synack_retries).
const SYN_ACK_TIMEOUTS: [u64; 6] = [1, 2, 4, 8, 16, 32];
/// First time-out of a message (TCP_RTO_MIN), in milliseconds; it doubles.
const FIRST_TIMEOUT_MS: u64 = 200;
/// Longest time-out (TCP_RTO_MAX), in milliseconds.
const LAST_TIMEOUT_MS: u64 = 120_000;
/// Times a message is sent again (tcp_retries2).
const RETRIES: u8 = 15;
/// The same when no program holds the socket any more (tcp_orphan_retries).
const ORPHAN_RETRIES: u8 = 8;

static RESENT: Kind = Kind {
    name: "net.resend",
    says: "{0} sends to {1} again, time {2}",
};

impl Net {
    /// A TCP segment has reached its namespace.
    pub(crate) fn tcp_arrive(&mut self, ctx: &mut Ctx<'_>, ns: NetnsId, packet: Packet) {
        let PacketBody::Tcp {
            sport,
            dport,
            seq,
            segment,
        } = &packet.body
        else {
            return;
        };
        let local = SocketAddrV4::new(packet.dst, *dport);
        let remote = SocketAddrV4::new(packet.src, *sport);
        let (seq, from) = (*seq, packet.from);
        let Some(space) = self.spaces.get(ns) else {
            return self.on_loss(ctx, packet);
        };
        let found = space.connections.get(&Tuple::new(local, remote)).copied();
        let known = found.and_then(|id| self.tcp_mut(id).map(|tcp| (id, tcp)));
        let Some((id, tcp)) = known else {
            return match segment {
                Segment::Syn => self.syn_arrives(ctx, ns, local, remote, packet),
                Segment::Rst { .. } => {}
                _ => self.refuse(ctx, ns, local, remote, from),
            };
        };
        match segment {
            Segment::Syn => {
                // The peer has forgotten this connection and begins anew with the same port.
                self.fail(ctx, id, Errno::ECONNRESET);
                self.lose(ctx, ns, packet, DropReason::BacklogFull);
            }
            Segment::SynAck(way) if tcp.state == State::SynSent => {
                tcp.state = State::Established;
                tcp.peer = Some(from);
                tcp.resend = None;
                tcp.trace = way.clone();
                self.ready(ctx, id);
                self.established(ctx, from);
            }
            Segment::Rst { to } if *to == id => {
                let refused = tcp.state == State::SynSent;
                let errno = if refused {
                    Errno::ECONNREFUSED
                } else {
                    Errno::ECONNRESET
                };
                self.fail(ctx, id, errno);
            }
            Segment::Rst { .. } => {}
            Segment::SynAck(_) => self.refuse(ctx, ns, local, remote, from),
            Segment::Data(_) | Segment::Fin if tcp.peer != Some(from) => {
                self.refuse(ctx, ns, local, remote, from);
            }
            Segment::Data(_) if tcp.orphan => {
                // Nobody will ever read it.
                self.abort(ctx, id);
            }
            Segment::Data(_) | Segment::Fin if seq != tcp.received => {
                self.lose(ctx, ns, packet, DropReason::OutOfOrder);
            }
            Segment::Fin => self.fin_arrives(ctx, id, packet),
            Segment::Data(_) => {
                tcp.received += 1;
                let (cause, again) = (packet.cause, packet.attempt > 0);
                if let PacketBody::Tcp {
                    segment: Segment::Data(payload),
                    ..
                } = packet.body
                {
                    tcp.queue.push_back((payload, cause));
                }
                self.ready(ctx, id);
                if again {
                    self.acknowledged(from);
                }
            }
        }
    }

    fn syn_arrives(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        local: SocketAddrV4,
        remote: SocketAddrV4,
        packet: Packet,
    ) {
        let Some(space) = self.spaces.get(ns) else {
            return;
        };
        let Some(listener) = find_bound(&space.listeners, local.port(), *local.ip()) else {
            self.record_loss(&packet, DropReason::NoSocket);
            return self.refuse(ctx, ns, local, remote, packet.from);
        };
        let full = match self.sockets.get(listener).map(|socket| &socket.kind) {
            Some(SocketKind::Listener(l)) => l.queue.len() > l.backlog as usize,
            _ => true,
        };
        if full {
            return self.lose(ctx, ns, packet, DropReason::BacklogFull);
        }
        let asked = packet.trace;
        let way = asked.as_ref().map(|trace| Rc::new(Trace::clone(trace)));
        let mut tcp = Tcp::new(State::SynReceived);
        tcp.peer = Some(packet.from);
        tcp.listener = Some(listener);
        tcp.trace = way.clone();
        let child = self.new_socket(ns, local, remote, SocketKind::Tcp(tcp));
        if let Some(space) = self.spaces.get_mut(ns) {
            space.connections.insert(Tuple::new(local, remote), child);
        }
        let answer = Packet::tcp(local, remote, 0, 0, Segment::SynAck(way));
        let answer = answer.record_like(&asked);
        self.emit(ctx, ns, child, answer);
    }

    /// The answer of `child` to a SYN has arrived: its listener may hand it out.
    fn established(&mut self, ctx: &mut Ctx<'_>, child: SocketId) {
        let Some(tcp) = self.tcp_mut(child) else {
            return;
        };
        if tcp.state != State::SynReceived {
            return;
        }
        tcp.state = State::Established;
        tcp.resend = None;
        let listener = tcp.listener;
        let socket = listener.and_then(|id| self.sockets.get_mut(id));
        match socket.map(|socket| &mut socket.kind) {
            Some(SocketKind::Listener(queue)) => {
                queue.queue.push_back(child);
                if let Some(listener) = listener {
                    self.ready(ctx, listener);
                }
            }
            _ => self.abort(ctx, child),
        }
    }

    fn fin_arrives(&mut self, ctx: &mut Ctx<'_>, id: SocketId, packet: Packet) {
        let Some(tcp) = self.tcp_mut(id) else { return };
        tcp.received += 1;
        tcp.fin_received = true;
        if !tcp.orphan {
            self.ready(ctx, id);
        }
        if let Some(sender) = self.tcp_mut(packet.from) {
            sender.fin_arrived = true;
            sender.resend = None;
        }
        self.drop_if_done(packet.from);
        self.drop_if_done(id);
    }

    /// Answers a segment that belongs to no connection.
    pub(crate) fn refuse(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        local: SocketAddrV4,
        remote: SocketAddrV4,
        to: SocketId,
    ) {
        let rst = Packet::tcp(local, remote, 0, 0, Segment::Rst { to });
        self.emit(ctx, ns, NOBODY, rst);
    }

    /// A connection has failed: whoever holds it learns why.
    pub(crate) fn fail(&mut self, ctx: &mut Ctx<'_>, id: SocketId, errno: Errno) {
        let Some(socket) = self.sockets.get_mut(id) else {
            return;
        };
        let (ns, local, remote) = (socket.ns, socket.local, socket.remote);
        let SocketKind::Tcp(tcp) = &mut socket.kind else {
            return;
        };
        if tcp.orphan || tcp.state == State::SynReceived {
            return self.drop_socket(id);
        }
        tcp.state = State::Closed;
        tcp.error = Some(errno);
        tcp.resend = None;
        if let Some(space) = self.spaces.get_mut(ns) {
            space.forget_connection(id, local, remote);
        }
        self.ready(ctx, id);
    }

    /// ICMP says that packets of this connection do not get through.
    pub(crate) fn tcp_unreachable(&mut self, ctx: &mut Ctx<'_>, id: SocketId, errno: Errno) {
        match self.tcp_mut(id) {
            Some(tcp) if tcp.state == State::SynSent => self.fail(ctx, id, errno),
            Some(tcp) => tcp.soft_error = Some(errno),
            None => {}
        }
    }

    /// A packet was lost: if its socket wants it to arrive, it will be sent again.
    pub(crate) fn on_loss(&mut self, ctx: &mut Ctx<'_>, mut packet: Packet) {
        let id = packet.from;
        let Some(socket) = self.sockets.get(id) else {
            return;
        };
        let (local, remote) = (socket.local, socket.remote);
        let Some((machine, _)) = self.socket_place(id) else {
            return;
        };
        let Some(tcp) = self.tcp_mut(id) else { return };
        let PacketBody::Tcp { segment, .. } = &packet.body else {
            return;
        };
        let wanted = match segment {
            Segment::Syn => tcp.state == State::SynSent,
            Segment::SynAck(_) => tcp.state == State::SynReceived,
            Segment::Data(_) | Segment::Fin => tcp.state == State::Established,
            Segment::Rst { .. } => false,
        };
        if !wanted {
            return;
        }
        if let Some(trace) = packet.trace.take() {
            tcp.trace = Some(Rc::new(*trace));
        }
        let state = tcp.state;
        // It is sent again from the beginning, whatever addresses it was given on its way.
        packet.leave_namespace();
        packet.readdress(local, remote);
        let resend = tcp.resend.get_or_insert_default();
        let seq = packet.seq();
        let at = resend.queue.partition_point(|other| other.seq() < seq);
        resend.queue.insert(at, packet);
        if !resend.armed {
            resend.armed = true;
            resend.timer = resend.timer.wrapping_add(1);
            let event = NetEvent::Retransmit {
                socket: id,
                timer: resend.timer,
            };
            ctx.out
                .events
                .push((ctx.now + timeout(state, resend.attempts), machine, event));
        }
    }

    /// The time for an answer is over.
    pub(crate) fn on_timer(&mut self, ctx: &mut Ctx<'_>, id: SocketId, timer: u32) {
        let Some((machine, ns)) = self.socket_place(id) else {
            return;
        };
        let Some(tcp) = self.tcp_mut(id) else { return };
        let (state, orphan, soft_error) = (tcp.state, tcp.orphan, tcp.soft_error);
        let Some(resend) = tcp.resend.as_mut() else {
            return;
        };
        if !resend.armed || resend.timer != timer {
            return;
        }
        resend.armed = false;
        resend.attempts += 1;
        let attempts = resend.attempts;
        let packets = std::mem::take(&mut resend.queue);
        let most = match state {
            State::SynSent => SYN_TIMEOUTS.len() as u8 - 1,
            State::SynReceived => SYN_ACK_TIMEOUTS.len() as u8 - 1,
            _ if orphan => ORPHAN_RETRIES,
            _ => RETRIES,
        };
        if attempts > most {
            if let Some(first) = packets.first() {
                ctx.cause = first.cause;
            }
            return self.fail(ctx, id, soft_error.unwrap_or(Errno::ETIMEDOUT));
        }
        for mut packet in packets {
            let flow = packet.flow();
            let args = [flow.src.into(), flow.dst.into(), u64::from(attempts).into()];
            packet.cause = ctx
                .journal
                .note(ctx.now, machine, packet.cause, &RESENT, &args);
            packet.attempt = attempts;
            packet.ttl = crate::packet::DEFAULT_TTL;
            packet.trace = (state == State::SynSent).then(Box::default);
            let _ = self.output(ctx, ns, packet);
        }
    }

    /// Something sent again has arrived: the next loss begins a new count.
    fn acknowledged(&mut self, sender: SocketId) {
        if let Some(tcp) = self.tcp_mut(sender) {
            tcp.soft_error = None;
            if tcp
                .resend
                .as_ref()
                .is_some_and(|resend| resend.queue.is_empty())
            {
                tcp.resend = None;
            } else if let Some(resend) = &mut tcp.resend {
                resend.attempts = 0;
            }
        }
    }
}

/// How long to wait for an answer after `attempts` repetitions.
fn timeout(state: State, attempts: u8) -> Duration {
    let attempts = usize::from(attempts);
    match state {
        State::SynSent => Duration::from_secs(SYN_TIMEOUTS[attempts.min(10)]),
        State::SynReceived => Duration::from_secs(SYN_ACK_TIMEOUTS[attempts.min(5)]),
        State::Established | State::Closed => {
            let ms = FIRST_TIMEOUT_MS << attempts.min(16);
            Duration::from_millis(ms.min(LAST_TIMEOUT_MS))
        }
    }
}
