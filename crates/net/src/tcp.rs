//! TCP as programs call it: listen, connect, accept, send, receive, close. Messages travel whole
//! and in order; there are no acknowledgements on the wire and no windows: a receiver's queue is
//! not bounded. What packets do when they arrive is in `segment.rs`.
//! Models net/ipv4/tcp.c and net/ipv4/inet_connection_sock.c.

use std::net::{Ipv4Addr, SocketAddrV4};

use sim::{EntryId, Kind};

use crate::addr::Tuple;
use crate::net::{Ctx, Net};
use crate::packet::{Packet, Segment};
use crate::payload::Payload;
use crate::socket::{Listener, SocketKind, State, Tcp, UNSPECIFIED, port_is_taken};
use crate::{Errno, NetnsId, RouteKind, SocketId, ports};

/// The longest backlog (net.core.somaxconn).
const SOMAXCONN: u32 = 4096;

/// The sender of what no socket stands behind.
pub(crate) const NOBODY: SocketId = SocketId(u64::MAX);

static SYN: Kind = Kind {
    name: "net.syn",
    says: "{0} connects to {1}",
};
static SYN_ACK: Kind = Kind {
    name: "net.syn-ack",
    says: "{0} accepts {1}",
};
static DATA: Kind = Kind {
    name: "net.data",
    says: "{0} sends {2} bytes to {1}",
};
static FIN: Kind = Kind {
    name: "net.fin",
    says: "{0} says goodbye to {1}",
};
static RST: Kind = Kind {
    name: "net.rst",
    says: "{0} resets its connection with {1}",
};

impl Net {
    /// Waits for connections to `addr`; port 0 chooses one. EADDRINUSE, EADDRNOTAVAIL; EBADF if
    /// the namespace is gone.
    pub fn listen(
        &mut self,
        _ctx: &mut Ctx<'_>,
        ns: NetnsId,
        addr: SocketAddrV4,
        backlog: u32,
    ) -> Result<SocketId, Errno> {
        let local = self.bind_port(ns, addr, |ns, port, ip| {
            port_is_taken(&ns.listeners, port, ip)
        })?;
        let listener = Listener {
            backlog: backlog.min(SOMAXCONN),
            ..Listener::default()
        };
        let id = self.new_socket(ns, local, UNSPECIFIED, SocketKind::Listener(listener));
        if let Some(space) = self.spaces.get_mut(ns) {
            space.listeners.insert((local.port(), *local.ip()), id);
        }
        Ok(id)
    }

    /// Begins to connect; [`Net::status`] tells how it goes. ENETUNREACH without a route, what the
    /// route says otherwise, EADDRNOTAVAIL without a free port, EBADF if the namespace is gone.
    pub fn connect(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        dst: SocketAddrV4,
    ) -> Result<SocketId, Errno> {
        let dst = if dst.ip().is_unspecified() {
            SocketAddrV4::new(Ipv4Addr::LOCALHOST, dst.port())
        } else {
            dst
        };
        let src = self.route_source(ns, *dst.ip())?;
        let space = self.spaces.get_mut(ns).ok_or(Errno::EBADF)?;
        let mut next = space.next_port;
        let port = ports::choose(&mut next, |port| {
            let tuple = Tuple::new(SocketAddrV4::new(src, port), dst);
            !space.connections.contains_key(&tuple)
                && !port_is_taken(&space.listeners, port, Ipv4Addr::UNSPECIFIED)
        });
        space.next_port = next;
        let local = SocketAddrV4::new(src, port.ok_or(Errno::EADDRNOTAVAIL)?);
        let id = self.new_socket(ns, local, dst, SocketKind::Tcp(Tcp::new(State::SynSent)));
        if let Some(space) = self.spaces.get_mut(ns) {
            space.connections.insert(Tuple::new(local, dst), id);
        }
        let mut syn = Packet::tcp(local, dst, 0, 0, Segment::Syn);
        syn.trace = Some(Box::default());
        self.emit(ctx, ns, id, syn);
        Ok(id)
    }

    /// How a connection is: EAGAIN while it is being made, then Ok or why it failed.
    pub fn status(&self, id: SocketId) -> Result<(), Errno> {
        match &self.sockets.get(id).ok_or(Errno::EBADF)?.kind {
            SocketKind::Tcp(tcp) => match (tcp.error, tcp.state) {
                (Some(errno), _) => Err(errno),
                (None, State::SynSent) => Err(Errno::EAGAIN),
                (None, _) => Ok(()),
            },
            SocketKind::Listener(_) => Err(Errno::ENOTCONN),
            SocketKind::Udp(_) | SocketKind::Ping(_) | SocketKind::Tap(_) => Ok(()),
        }
    }

    /// Takes the next connection. EAGAIN if there is none yet, EINVAL if `id` does not listen.
    pub fn accept(&mut self, id: SocketId) -> Result<SocketId, Errno> {
        match &mut self.sockets.get_mut(id).ok_or(Errno::EBADF)?.kind {
            SocketKind::Listener(listener) => {
                let child = listener.queue.pop_front().ok_or(Errno::EAGAIN)?;
                if let Some(tcp) = self.tcp_mut(child) {
                    tcp.listener = None;
                }
                Ok(child)
            }
            SocketKind::Tcp(_) => Err(Errno::EINVAL),
            SocketKind::Udp(_) | SocketKind::Ping(_) | SocketKind::Tap(_) => Err(Errno::EOPNOTSUPP),
        }
    }

    /// Sends a message. EAGAIN while connecting, EPIPE after shutdown, the connection's error
    /// once if it has failed.
    pub fn send(&mut self, ctx: &mut Ctx<'_>, id: SocketId, payload: Payload) -> Result<(), Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        let (ns, local, remote) = (socket.ns, socket.local, socket.remote);
        let SocketKind::Tcp(tcp) = &mut socket.kind else {
            return Err(Errno::ENOTCONN);
        };
        match tcp.state {
            State::SynSent | State::SynReceived => return Err(Errno::EAGAIN),
            State::Closed => return Err(tcp.error.take().unwrap_or(Errno::EPIPE)),
            State::Established if tcp.fin_sent => return Err(Errno::EPIPE),
            State::Established => {}
        }
        let len = payload.size();
        let packet = Packet::tcp(local, remote, tcp.sent, len, Segment::Data(payload));
        tcp.sent += 1;
        self.emit(ctx, ns, id, packet);
        Ok(())
    }

    /// Takes the next message; `None` once the peer has closed and everything is read. EAGAIN if
    /// there is nothing yet; the connection's error once if it has failed.
    pub fn recv(&mut self, id: SocketId) -> Result<Option<Payload>, Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        let SocketKind::Tcp(tcp) = &mut socket.kind else {
            return Err(Errno::ENOTCONN);
        };
        if let Some((payload, cause)) = tcp.queue.pop_front() {
            socket.last_cause = cause;
            return Ok(Some(payload));
        }
        if let Some(errno) = tcp.error.take() {
            return Err(errno);
        }
        if tcp.fin_received || tcp.state == State::Closed {
            return Ok(None);
        }
        Err(Errno::EAGAIN)
    }

    /// Ends the sending side; receiving goes on. ENOTCONN if there is no connection.
    pub fn shutdown(&mut self, ctx: &mut Ctx<'_>, id: SocketId) -> Result<(), Errno> {
        self.sockets.get(id).ok_or(Errno::EBADF)?;
        let tcp = self.tcp_mut(id).ok_or(Errno::ENOTCONN)?;
        if tcp.state != State::Established {
            return Err(Errno::ENOTCONN);
        }
        if !tcp.fin_sent {
            self.send_fin(ctx, id);
        }
        Ok(())
    }

    /// Gives a socket up. A connection is closed in order if everything received was read, and
    /// reset otherwise. Unknown ids are ignored.
    pub fn close(&mut self, ctx: &mut Ctx<'_>, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else {
            return;
        };
        let tcp = match &mut socket.kind {
            SocketKind::Listener(listener) => {
                for child in std::mem::take(&mut listener.queue) {
                    self.abort(ctx, child);
                }
                return self.drop_socket(id);
            }
            SocketKind::Udp(_) | SocketKind::Ping(_) | SocketKind::Tap(_) => {
                return self.drop_socket(id);
            }
            SocketKind::Tcp(tcp) => tcp,
        };
        match tcp.state {
            State::SynSent | State::Closed => self.drop_socket(id),
            State::SynReceived => self.abort(ctx, id),
            State::Established if !tcp.queue.is_empty() => self.abort(ctx, id),
            State::Established => {
                tcp.orphan = true;
                if !tcp.fin_sent {
                    self.send_fin(ctx, id);
                }
                self.drop_if_done(id);
            }
        }
    }

    /// Ends a connection that no program holds: the peer's is reset, this one is gone.
    pub(crate) fn abort(&mut self, ctx: &mut Ctx<'_>, id: SocketId) {
        self.send_reset(ctx, id);
        self.drop_socket(id);
    }

    /// Ends whatever `id` is because its namespace is going. A connection that a program holds
    /// stays, reset, until the program gives it up.
    pub(crate) fn evict(&mut self, ctx: &mut Ctx<'_>, id: SocketId) {
        self.send_reset(ctx, id);
        let held = |tcp: &mut Tcp| !tcp.orphan && tcp.listener.is_none();
        if self.tcp_mut(id).is_some_and(held) {
            self.fail(ctx, id, Errno::ECONNRESET);
        } else {
            self.drop_socket(id);
        }
    }

    fn send_reset(&mut self, ctx: &mut Ctx<'_>, id: SocketId) {
        let Some(socket) = self.sockets.get(id) else {
            return;
        };
        let (ns, local, remote) = (socket.ns, socket.local, socket.remote);
        if let SocketKind::Tcp(tcp) = &socket.kind
            && matches!(tcp.state, State::SynReceived | State::Established)
        {
            let to = tcp.peer.unwrap_or(NOBODY);
            let rst = Packet::tcp(local, remote, tcp.sent, 0, Segment::Rst { to });
            self.emit(ctx, ns, id, rst);
        }
    }

    /// Sends a packet of socket `id`, or keeps it behind those that wait to be sent again.
    pub(crate) fn emit(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        id: SocketId,
        mut packet: Packet,
    ) {
        packet.from = id;
        packet.cause = self.journal_tcp(ctx, ns, &packet);
        if let Some(resend) = self.tcp_mut(id).and_then(|tcp| tcp.resend.as_mut())
            && !resend.queue.is_empty()
            && !packet.is_reset()
        {
            resend.queue.push(packet);
            return;
        }
        // No route any more is as good as lost: the timer tries again.
        let _ = self.output(ctx, ns, packet);
    }

    /// Enters a TCP packet in the journal as sent.
    fn journal_tcp(&self, ctx: &mut Ctx<'_>, ns: NetnsId, packet: &Packet) -> EntryId {
        let kind = match &packet.body {
            crate::PacketBody::Tcp { segment, .. } => match segment {
                Segment::Syn => &SYN,
                Segment::SynAck(_) => &SYN_ACK,
                Segment::Data(_) => &DATA,
                Segment::Fin => &FIN,
                Segment::Rst { .. } => &RST,
            },
            _ => return ctx.cause,
        };
        let flow = packet.flow();
        let args = [
            flow.src.into(),
            flow.dst.into(),
            u64::from(packet.len).into(),
        ];
        let args = if matches!(kind.name, "net.data") {
            &args[..]
        } else {
            &args[..2]
        };
        ctx.journal
            .note(ctx.now, self.machine_of_netns(ns), ctx.cause, kind, args)
    }

    fn send_fin(&mut self, ctx: &mut Ctx<'_>, id: SocketId) {
        let Some(socket) = self.sockets.get_mut(id) else {
            return;
        };
        let (ns, local, remote) = (socket.ns, socket.local, socket.remote);
        let SocketKind::Tcp(tcp) = &mut socket.kind else {
            return;
        };
        tcp.fin_sent = true;
        let fin = Packet::tcp(local, remote, tcp.sent, 0, Segment::Fin);
        tcp.sent += 1;
        self.emit(ctx, ns, id, fin);
    }

    /// Forgets a connection that the program has closed and that is closed on both sides.
    pub(crate) fn drop_if_done(&mut self, id: SocketId) {
        let done = |tcp: &mut Tcp| tcp.orphan && tcp.fin_arrived && tcp.fin_received;
        if self.tcp_mut(id).is_some_and(done) {
            self.drop_socket(id);
        }
    }

    /// The source address towards `dst`, or why there is no way.
    pub(crate) fn route_source(&self, ns: NetnsId, dst: Ipv4Addr) -> Result<Ipv4Addr, Errno> {
        let space = self.spaces.get(ns).ok_or(Errno::EBADF)?;
        if !space.is_local(dst) {
            match space.routes.lookup(dst).ok_or(Errno::ENETUNREACH)?.kind {
                RouteKind::Unicast => {}
                RouteKind::Blackhole => return Err(Errno::EINVAL),
                RouteKind::Unreachable => return Err(Errno::EHOSTUNREACH),
                RouteKind::Prohibit => return Err(Errno::EACCES),
            }
        }
        self.source_for(space, dst).ok_or(Errno::EADDRNOTAVAIL)
    }
}
