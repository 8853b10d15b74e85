//! Sockets of every sort: what they hold, how they are found, listed and let go.
//! What TCP, UDP and ping do with them is in their own files. Models include/net/sock.h.

use std::collections::VecDeque;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use sim::{EntryId, Instant, MachineId};

use crate::addr::Tuple;
use crate::net::Net;
use crate::netns::Netns;
use crate::packet::{Packet, Proto};
use crate::payload::Payload;
use crate::ping::PingReply;
use crate::tap::Tap;
use crate::trace::Trace;
use crate::{Errno, NetnsId, SocketId, ports};

#[derive(Clone, Debug)]
pub(crate) struct Socket {
    pub(crate) ns: NetnsId,
    /// The machine; it is known even when the namespace is gone.
    machine: MachineId,
    /// Its place in the namespace's list.
    slot: u32,
    pub(crate) local: SocketAddrV4,
    pub(crate) remote: SocketAddrV4,
    /// When the last packet it sent arrives.
    pub(crate) last_arrival: Instant,
    /// The entry of the packet that was received last.
    pub(crate) last_cause: EntryId,
    pub(crate) kind: SocketKind,
}

#[derive(Clone, Debug)]
pub(crate) enum SocketKind {
    Listener(Listener),
    Tcp(Tcp),
    Udp(Udp),
    Ping(Ping),
    Tap(Tap),
}

/// A TCP socket that waits for connections.
#[derive(Clone, Debug, Default)]
pub(crate) struct Listener {
    pub(crate) backlog: u32,
    pub(crate) queue: VecDeque<SocketId>,
}

/// One side of a TCP connection.
#[derive(Clone, Debug)]
pub(crate) struct Tcp {
    pub(crate) state: State,
    /// Messages sent and messages received in order.
    pub(crate) sent: u32,
    pub(crate) received: u32,
    pub(crate) fin_sent: bool,
    /// The peer's kernel has our FIN.
    pub(crate) fin_arrived: bool,
    pub(crate) fin_received: bool,
    /// The program has closed it; the kernel finishes alone.
    pub(crate) orphan: bool,
    pub(crate) error: Option<Errno>,
    /// What ICMP reported; the reason given if the connection times out.
    pub(crate) soft_error: Option<Errno>,
    pub(crate) queue: VecDeque<(Payload, EntryId)>,
    pub(crate) resend: Option<Box<Resend>>,
    /// The socket at the other end, from the handshake on. Stands for sequence numbers: a packet
    /// of an earlier connection between the same ports is told by it.
    pub(crate) peer: Option<SocketId>,
    pub(crate) listener: Option<SocketId>,
    pub(crate) trace: Option<Rc<Trace>>,
}

/// What was lost on its way and is to be sent again.
#[derive(Clone, Debug, Default)]
pub(crate) struct Resend {
    pub(crate) queue: Vec<Packet>,
    pub(crate) attempts: u8,
    pub(crate) timer: u32,
    pub(crate) armed: bool,
}

/// Where a connection stands. Closing is told by the FIN flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    SynSent,
    SynReceived,
    Established,
    Closed,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Udp {
    pub(crate) queue: VecDeque<(SocketAddrV4, Payload, EntryId)>,
    pub(crate) queued_bytes: u64,
    pub(crate) error: Option<Errno>,
    pub(crate) connected: bool,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Ping {
    pub(crate) ident: u16,
    pub(crate) queue: VecDeque<(PingReply, EntryId)>,
}

/// A socket as `ss` lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SocketInfo {
    /// Which socket.
    pub id: SocketId,
    /// Its protocol.
    pub proto: Proto,
    /// `LISTEN`, `ESTAB`, `UNCONN`, ….
    pub state: &'static str,
    /// Bytes received and not yet read; of a listener, connections not yet accepted.
    pub recv_q: u64,
    /// Bytes lost and not yet sent again; of a listener, its backlog.
    pub send_q: u64,
    /// Its own address.
    pub local: SocketAddrV4,
    /// The peer's; 0.0.0.0:0 if it has none.
    pub remote: SocketAddrV4,
}

/// No address and no port.
pub(crate) const UNSPECIFIED: SocketAddrV4 = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0);

impl Net {
    /// The sockets of a namespace, by protocol, local and remote address.
    pub fn sockets_of(&self, ns: NetnsId) -> Vec<SocketInfo> {
        let ids = self.spaces.get(ns).map_or(&[][..], |ns| &ns.sockets);
        let info = |id: &SocketId| Some(self.sockets.get(*id)?.info(*id));
        let mut infos: Vec<SocketInfo> = ids.iter().filter_map(info).collect();
        infos.sort_by_key(|info| (info.proto, info.local, info.remote, info.id));
        infos
    }

    /// Sockets in the world.
    pub fn socket_count(&self) -> usize {
        self.sockets.len()
    }

    /// The socket's own address; 0.0.0.0 if it is bound to all. EBADF if it is gone.
    pub fn local_addr(&self, id: SocketId) -> Result<SocketAddrV4, Errno> {
        Ok(self.sockets.get(id).ok_or(Errno::EBADF)?.local)
    }

    /// The peer's address. ENOTCONN if it has none, EBADF if the socket is gone.
    pub fn peer_addr(&self, id: SocketId) -> Result<SocketAddrV4, Errno> {
        let remote = self.sockets.get(id).ok_or(Errno::EBADF)?.remote;
        if remote == UNSPECIFIED {
            Err(Errno::ENOTCONN)
        } else {
            Ok(remote)
        }
    }

    /// The machine and namespace of a socket, unless it is gone.
    pub fn socket_place(&self, id: SocketId) -> Option<(MachineId, NetnsId)> {
        let socket = self.sockets.get(id)?;
        Some((socket.machine, socket.ns))
    }

    /// The journal entry of the message that was received last: the cause of what follows.
    pub fn last_cause(&self, id: SocketId) -> EntryId {
        self.sockets
            .get(id)
            .map_or(EntryId::NONE, |socket| socket.last_cause)
    }

    /// The way the SYN of a connection took, or where it was lost the last time it was sent.
    pub fn connection_trace(&self, id: SocketId) -> Option<Rc<Trace>> {
        match &self.sockets.get(id)?.kind {
            SocketKind::Tcp(tcp) => tcp.trace.clone(),
            _ => None,
        }
    }

    /// Creates a socket and lists it; the caller enters it where packets find it.
    pub(crate) fn new_socket(
        &mut self,
        ns: NetnsId,
        local: SocketAddrV4,
        remote: SocketAddrV4,
        kind: SocketKind,
    ) -> SocketId {
        let slot = self.spaces.get(ns).map_or(0, |ns| ns.sockets.len());
        let machine = self.machine_of_netns(ns);
        let id = self.sockets.insert_with(|_| Socket {
            ns,
            machine,
            slot: u32::try_from(slot).unwrap_or(u32::MAX),
            local,
            remote,
            last_arrival: Instant::ZERO,
            last_cause: EntryId::NONE,
            kind,
        });
        if let Some(ns) = self.spaces.get_mut(ns) {
            ns.sockets.push(id);
        }
        id
    }

    /// Forgets a socket without a word to anybody.
    pub(crate) fn drop_socket(&mut self, id: SocketId) {
        let Some(socket) = self.sockets.remove(id) else {
            return;
        };
        let Some(ns) = self.spaces.get_mut(socket.ns) else {
            return;
        };
        let slot = socket.slot as usize;
        ns.sockets.swap_remove(slot);
        if let Some(moved) = ns.sockets.get(slot)
            && let Some(moved) = self.sockets.get_mut(*moved)
        {
            moved.slot = socket.slot;
        }
        let place = (socket.local.port(), *socket.local.ip());
        match &socket.kind {
            SocketKind::Listener(_) => {
                ns.listeners.remove(&place);
            }
            SocketKind::Udp(_) => {
                ns.datagrams.remove(&place);
            }
            SocketKind::Ping(ping) => {
                ns.pings.remove(&ping.ident);
            }
            SocketKind::Tap(_) => self.taps.retain(|tap| *tap != id),
            SocketKind::Tcp(_) => ns.forget_connection(id, socket.local, socket.remote),
        }
    }

    pub(crate) fn tcp_mut(&mut self, id: SocketId) -> Option<&mut Tcp> {
        match &mut self.sockets.get_mut(id)?.kind {
            SocketKind::Tcp(tcp) => Some(tcp),
            _ => None,
        }
    }

    /// Checks that a socket of `ns` may be bound to `addr` in `taken`, and chooses a port for 0.
    /// EADDRNOTAVAIL if the address is not the namespace's own, EADDRINUSE if the port is taken.
    pub(crate) fn bind_port(
        &mut self,
        ns: NetnsId,
        addr: SocketAddrV4,
        taken: fn(&Netns, u16, Ipv4Addr) -> bool,
    ) -> Result<SocketAddrV4, Errno> {
        let space = self.spaces.get_mut(ns).ok_or(Errno::EBADF)?;
        let ip = *addr.ip();
        if !ip.is_unspecified() && !space.is_local(ip) {
            return Err(Errno::EADDRNOTAVAIL);
        }
        if addr.port() != 0 {
            let in_use = taken(space, addr.port(), ip);
            return if in_use {
                Err(Errno::EADDRINUSE)
            } else {
                Ok(addr)
            };
        }
        let mut next = space.next_port;
        let port = ports::choose(&mut next, |port| !taken(space, port, ip));
        space.next_port = next;
        Ok(SocketAddrV4::new(ip, port.ok_or(Errno::EADDRINUSE)?))
    }
}

impl Netns {
    pub(crate) fn forget_connection(
        &mut self,
        id: SocketId,
        local: SocketAddrV4,
        remote: SocketAddrV4,
    ) {
        let tuple = Tuple::new(local, remote);
        if self.connections.get(&tuple) == Some(&id) {
            self.connections.remove(&tuple);
        }
    }
}

/// Whether a bound socket stands in the way of another on `port` at `ip`.
pub(crate) fn port_is_taken(
    bound: &std::collections::BTreeMap<(u16, Ipv4Addr), SocketId>,
    port: u16,
    ip: Ipv4Addr,
) -> bool {
    if ip.is_unspecified() {
        let all = (port, Ipv4Addr::UNSPECIFIED)..=(port, Ipv4Addr::BROADCAST);
        bound.range(all).next().is_some()
    } else {
        bound.contains_key(&(port, ip)) || bound.contains_key(&(port, Ipv4Addr::UNSPECIFIED))
    }
}

/// The socket bound to `port` at `ip`, or at every address.
pub(crate) fn find_bound(
    bound: &std::collections::BTreeMap<(u16, Ipv4Addr), SocketId>,
    port: u16,
    ip: Ipv4Addr,
) -> Option<SocketId> {
    bound
        .get(&(port, ip))
        .or_else(|| bound.get(&(port, Ipv4Addr::UNSPECIFIED)))
        .copied()
}

impl Tcp {
    pub(crate) fn new(state: State) -> Tcp {
        Tcp {
            state,
            sent: 0,
            received: 0,
            fin_sent: false,
            fin_arrived: false,
            fin_received: false,
            orphan: false,
            error: None,
            soft_error: None,
            queue: VecDeque::new(),
            resend: None,
            peer: None,
            listener: None,
            trace: None,
        }
    }

    /// The state as `ss` names it. There is no TIME-WAIT: a connection closed on both sides is
    /// gone.
    fn name(&self) -> &'static str {
        match self.state {
            State::SynSent => "SYN-SENT",
            State::SynReceived => "SYN-RECV",
            State::Closed => "UNCONN",
            State::Established => match (self.fin_sent, self.fin_received) {
                (false, false) => "ESTAB",
                (false, true) => "CLOSE-WAIT",
                (true, true) => "LAST-ACK",
                (true, false) if self.fin_arrived => "FIN-WAIT-2",
                (true, false) => "FIN-WAIT-1",
            },
        }
    }
}

impl Socket {
    fn info(&self, id: SocketId) -> SocketInfo {
        let (proto, state, recv_q, send_q) = match &self.kind {
            SocketKind::Listener(listener) => {
                let waiting = listener.queue.len() as u64;
                (Proto::Tcp, "LISTEN", waiting, u64::from(listener.backlog))
            }
            SocketKind::Tcp(tcp) => {
                let received = tcp.queue.iter().map(|(payload, _)| payload.size()).sum();
                let lost = tcp.resend.iter().flat_map(|resend| &resend.queue);
                (
                    Proto::Tcp,
                    tcp.name(),
                    received,
                    lost.map(|packet| u64::from(packet.len)).sum(),
                )
            }
            SocketKind::Udp(udp) => {
                let state = if udp.connected { "ESTAB" } else { "UNCONN" };
                (Proto::Udp, state, udp.queued_bytes, 0)
            }
            SocketKind::Ping(ping) => (Proto::Icmp, "UNCONN", ping.queue.len() as u64, 0),
            SocketKind::Tap(_) => (Proto::Icmp, "UNCONN", 0, 0),
        };
        SocketInfo {
            id,
            proto,
            state,
            recv_q,
            send_q,
            local: self.local,
            remote: self.remote,
        }
    }
}
