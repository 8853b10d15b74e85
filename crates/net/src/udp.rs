//! UDP: datagrams that arrive or do not. Models net/ipv4/udp.c.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim::Kind;

use crate::net::{Ctx, Net};
use crate::packet::{IcmpError, Packet, PacketBody};
use crate::payload::Payload;
use crate::socket::{SocketKind, UNSPECIFIED, Udp, find_bound, port_is_taken};
use crate::trace::DropReason;
use crate::{Errno, NetnsId, SocketId};

/// Bytes a socket keeps unread (net.core.rmem_default).
const RECEIVE_BUFFER: u64 = 212_992;
/// The longest datagram, in bytes.
const MAX_DATAGRAM: u64 = 65_507;

static SENT: Kind = Kind {
    name: "net.udp",
    says: "{0} sends {2} bytes to {1} over UDP",
};

impl Net {
    /// Opens a UDP socket at `addr`; port 0 chooses one. EADDRINUSE, EADDRNOTAVAIL; EBADF if the
    /// namespace is gone.
    pub fn udp_bind(&mut self, ns: NetnsId, addr: SocketAddrV4) -> Result<SocketId, Errno> {
        let local = self.bind_port(ns, addr, |ns, port, ip| {
            port_is_taken(&ns.datagrams, port, ip)
        })?;
        let id = self.new_socket(ns, local, UNSPECIFIED, SocketKind::Udp(Udp::default()));
        if let Some(space) = self.spaces.get_mut(ns) {
            space.datagrams.insert((local.port(), *local.ip()), id);
        }
        Ok(id)
    }

    /// Ties a UDP socket to one peer: others are not heard, and ICMP's errors are reported.
    pub fn udp_connect(&mut self, id: SocketId, dst: SocketAddrV4) -> Result<(), Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        let SocketKind::Udp(udp) = &mut socket.kind else {
            return Err(Errno::EINVAL);
        };
        udp.connected = true;
        socket.remote = dst;
        Ok(())
    }

    /// Sends a datagram. ENETUNREACH without a route, EMSGSIZE over 65,507 bytes, ECONNREFUSED
    /// once if the peer's machine reported that nobody listens.
    pub fn send_to(
        &mut self,
        ctx: &mut Ctx<'_>,
        id: SocketId,
        dst: SocketAddrV4,
        payload: Payload,
    ) -> Result<(), Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        let (ns, local) = (socket.ns, socket.local);
        let SocketKind::Udp(udp) = &mut socket.kind else {
            return Err(Errno::EINVAL);
        };
        if let Some(errno) = udp.error.take() {
            return Err(errno);
        }
        let len = payload.size();
        if len > MAX_DATAGRAM {
            return Err(Errno::EMSGSIZE);
        }
        let source = self.route_source(ns, *dst.ip())?;
        let ip = if local.ip().is_unspecified() {
            source
        } else {
            *local.ip()
        };
        let src = SocketAddrV4::new(ip, local.port());
        let mut packet = Packet::udp(src, dst, payload);
        packet.from = id;
        let args = [src.into(), dst.into(), len.into()];
        let machine = self.machine_of_netns(ns);
        packet.cause = ctx.journal.note(ctx.now, machine, ctx.cause, &SENT, &args);
        self.output(ctx, ns, packet)
    }

    /// Takes the next datagram and its sender. EAGAIN if there is none, ECONNREFUSED once if the
    /// peer's machine reported that nobody listens.
    pub fn recv_from(&mut self, id: SocketId) -> Result<(SocketAddrV4, Payload), Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        let SocketKind::Udp(udp) = &mut socket.kind else {
            return Err(Errno::EINVAL);
        };
        if let Some(errno) = udp.error.take() {
            return Err(errno);
        }
        let (from, payload, cause) = udp.queue.pop_front().ok_or(Errno::EAGAIN)?;
        udp.queued_bytes -= payload.size();
        socket.last_cause = cause;
        Ok((from, payload))
    }

    /// A datagram has reached its namespace.
    pub(crate) fn udp_arrive(&mut self, ctx: &mut Ctx<'_>, ns: NetnsId, packet: Packet) {
        let PacketBody::Udp {
            sport,
            dport,
            payload,
        } = &packet.body
        else {
            return;
        };
        let from = SocketAddrV4::new(packet.src, *sport);
        let Some(space) = self.spaces.get(ns) else {
            return;
        };
        let id = find_bound(&space.datagrams, *dport, packet.dst);
        let socket = id.and_then(|id| self.sockets.get_mut(id));
        let hears = |remote: SocketAddrV4, udp: &Udp| !udp.connected || remote == from;
        if let Some(socket) = socket
            && let SocketKind::Udp(udp) = &mut socket.kind
            && hears(socket.remote, udp)
        {
            let size = payload.size();
            if udp.queued_bytes + size > RECEIVE_BUFFER {
                return self.lose(ctx, ns, packet, DropReason::BufferFull);
            }
            udp.queued_bytes += size;
            udp.queue.push_back((from, payload.clone(), packet.cause));
            if let Some(id) = id {
                self.ready(ctx, id);
            }
            return;
        }
        self.send_icmp_error(ctx, ns, &packet, IcmpError::PortUnreachable);
        self.lose(ctx, ns, packet, DropReason::NoSocket);
    }

    /// ICMP says that a datagram did not get through; only a connected socket is told.
    pub(crate) fn udp_unreachable(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        local: (u16, Ipv4Addr),
        errno: Errno,
    ) {
        let Some(space) = self.spaces.get(ns) else {
            return;
        };
        let Some(id) = find_bound(&space.datagrams, local.0, local.1) else {
            return;
        };
        let Some(socket) = self.sockets.get_mut(id) else {
            return;
        };
        if let SocketKind::Udp(udp) = &mut socket.kind
            && udp.connected
        {
            udp.error = Some(errno);
            self.ready(ctx, id);
        }
    }
}
