//! ICMP: echo requests and their answers, and the errors of packets that went nowhere.
//! Models net/ipv4/icmp.c and net/ipv4/ping.c.

use std::net::Ipv4Addr;

use sim::{EntryId, Kind};

use crate::addr::Tuple;
use crate::net::{Ctx, Net};
use crate::packet::{About, Icmp, IcmpError, Packet, PacketBody, Proto};
use crate::socket::{Ping, SocketKind, UNSPECIFIED};
use crate::{Errno, NetnsId, SocketId};

/// Length of an ICMP error above the ICMP header: the quoted IP header and eight bytes.
const QUOTED: u32 = 28;

static REQUEST: Kind = Kind {
    name: "net.echo-request",
    says: "{0} pings {1}, number {2}",
};
static REPLY: Kind = Kind {
    name: "net.echo-reply",
    says: "{0} answers the ping of {1}",
};
static ERROR: Kind = Kind {
    name: "net.icmp-error",
    says: "{0} tells {1}: {2}",
};

/// What came back for an echo request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PingReply {
    /// Who sent it: the pinged machine, or a router with bad news.
    pub from: Ipv4Addr,
    /// The request's number.
    pub seq: u16,
    /// The time to live it had left.
    pub ttl: u8,
    /// Bytes of data.
    pub len: u32,
    /// `None` for an answer, else why there is none.
    pub error: Option<IcmpError>,
}

impl Net {
    /// Opens a socket for echo requests. EBADF if the namespace is gone.
    pub fn ping_open(&mut self, ns: NetnsId) -> Result<SocketId, Errno> {
        let space = self.spaces.get(ns).ok_or(Errno::EBADF)?;
        // Each socket gets the next one, so that connections of an earlier one are not taken for its.
        let last = space.last_ident;
        let mut idents = (last..u16::MAX).chain(0..last).map(|ident| ident + 1);
        let ident = idents
            .find(|ident| !space.pings.contains_key(ident))
            .ok_or(Errno::EADDRINUSE)?;
        let kind = SocketKind::Ping(Ping {
            ident,
            ..Ping::default()
        });
        let id = self.new_socket(ns, UNSPECIFIED, UNSPECIFIED, kind);
        if let Some(space) = self.spaces.get_mut(ns) {
            space.pings.insert(ident, id);
            space.last_ident = ident;
        }
        Ok(id)
    }

    /// Sends echo request number `seq` with `len` bytes of data. ENETUNREACH without a route.
    pub fn ping_send(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: SocketId,
        dst: Ipv4Addr,
        seq: u16,
        ttl: u8,
        len: u32,
    ) -> Result<(), Errno> {
        let socket = self.sockets.get(id).ok_or(Errno::EBADF)?;
        let SocketKind::Ping(ping) = &socket.kind else {
            return Err(Errno::EINVAL);
        };
        let (ns, ident) = (socket.ns, ping.ident);
        let src = self.route_source(ns, dst)?;
        let mut packet = Packet::echo(src, dst, ident, seq, len);
        packet.ttl = ttl;
        packet.from = id;
        let args = [src.into(), dst.into(), seq.into()];
        let machine = self.machine_of_netns(ns);
        packet.cause = ctx
            .journal
            .note(ctx.now, machine, ctx.cause, &REQUEST, &args);
        self.output(ctx, ns, packet)
    }

    /// Takes the next answer. EAGAIN if there is none.
    pub fn ping_recv(&mut self, id: SocketId) -> Result<PingReply, Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        let SocketKind::Ping(ping) = &mut socket.kind else {
            return Err(Errno::EINVAL);
        };
        let (reply, cause) = ping.queue.pop_front().ok_or(Errno::EAGAIN)?;
        socket.last_cause = cause;
        Ok(reply)
    }

    /// A packet has reached the namespace it is for.
    pub(crate) fn arrive(&mut self, ctx: &mut Ctx<'_>, ns: NetnsId, packet: Packet) {
        let Some(space) = self.spaces.get(ns) else {
            return self.lose(ctx, ns, packet, crate::DropReason::Gone);
        };
        if self.is_machine_down(space.machine) {
            return self.lose(ctx, ns, packet, crate::DropReason::MachineDown);
        }
        self.record_arrival(&packet);
        match packet.body {
            PacketBody::Tcp { .. } => self.tcp_arrive(ctx, ns, packet),
            PacketBody::Udp { .. } => self.udp_arrive(ctx, ns, packet),
            PacketBody::Icmp(ref icmp) => {
                let icmp = icmp.clone();
                self.icmp_arrive(ctx, ns, packet, icmp);
            }
        }
    }

    fn icmp_arrive(&mut self, ctx: &mut Ctx<'_>, ns: NetnsId, packet: Packet, icmp: Icmp) {
        let (ident, seq, error) = match icmp {
            Icmp::EchoRequest { ident, seq } => {
                let (src, dst) = (packet.dst, packet.src);
                let icmp = Icmp::EchoReply { ident, seq };
                let mut reply = Packet::icmp(src, dst, packet.len, icmp).record_like(&packet.trace);
                let machine = self.machine_of_netns(ns);
                let args = [src.into(), dst.into()];
                reply.cause = ctx.journal.note(ctx.now, machine, ctx.cause, &REPLY, &args);
                // Without a way back the answer is lost, and that is all.
                let _ = self.output(ctx, ns, reply);
                return;
            }
            Icmp::EchoReply { ident, seq } => (ident, seq, None),
            Icmp::Error { kind, about } if about.proto == Proto::Icmp => {
                (about.flow.src.port(), about.flow.dst.port(), Some(kind))
            }
            Icmp::Error { kind, about } => return self.icmp_error_arrives(ctx, ns, kind, about),
        };
        let Some(id) = self
            .spaces
            .get(ns)
            .and_then(|ns| ns.pings.get(&ident))
            .copied()
        else {
            return;
        };
        let Some(socket) = self.sockets.get_mut(id) else {
            return;
        };
        let SocketKind::Ping(ping) = &mut socket.kind else {
            return;
        };
        let (from, ttl, len) = (packet.src, packet.ttl, packet.len);
        ping.queue.push_back((
            PingReply {
                from,
                seq,
                ttl,
                len,
                error,
            },
            packet.cause,
        ));
        self.ready(ctx, id);
    }

    fn icmp_error_arrives(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        kind: IcmpError,
        about: About,
    ) {
        // Models icmp_err_convert in net/ipv4/icmp.c.
        let errno = match kind {
            IcmpError::NetUnreachable => Errno::ENETUNREACH,
            IcmpError::PortUnreachable => Errno::ECONNREFUSED,
            IcmpError::ProtoUnreachable => Errno::ENOPROTOOPT,
            IcmpError::NetProhibited => Errno::ENETUNREACH,
            IcmpError::HostProhibited
            | IcmpError::HostUnreachable
            | IcmpError::Prohibited
            | IcmpError::TimeExceeded => Errno::EHOSTUNREACH,
        };
        let flow = about.flow;
        match about.proto {
            Proto::Tcp => {
                let Some(space) = self.spaces.get(ns) else {
                    return;
                };
                let id = space
                    .connections
                    .get(&Tuple::new(flow.src, flow.dst))
                    .copied();
                if let Some(id) = id {
                    self.tcp_unreachable(ctx, id, errno);
                }
            }
            Proto::Udp => {
                let local = (flow.src.port(), *flow.src.ip());
                self.udp_unreachable(ctx, ns, local, errno);
            }
            Proto::Icmp => {}
        }
    }

    /// Tells the sender of `packet` that it ended at `ns`. Nothing is said about ICMP errors.
    pub(crate) fn send_icmp_error(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        packet: &Packet,
        kind: IcmpError,
    ) {
        if matches!(
            packet.body,
            PacketBody::Icmp(Icmp::Error { .. } | Icmp::EchoReply { .. })
        ) {
            return;
        }
        let flow = self.flow_as_sent(ns, packet);
        let sender = *flow.src.ip();
        let Ok(src) = self.route_source(ns, sender) else {
            return;
        };
        let proto = packet.proto();
        let about = About { proto, flow };
        let error = Icmp::Error { kind, about };
        let mut error = Packet::icmp(src, sender, QUOTED, error).record_like(&packet.trace);
        let args = [src.into(), sender.into(), kind.message().into()];
        let machine = self.machine_of_netns(ns);
        let cause: EntryId = packet.cause;
        error.cause = ctx.journal.note(ctx.now, machine, cause, &ERROR, &args);
        let _ = self.output(ctx, ns, error);
    }
}
