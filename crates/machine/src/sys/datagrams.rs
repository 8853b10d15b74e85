//! System calls on sockets without connections: UDP, ICMP echo (`SOCK_DGRAM, IPPROTO_ICMP`)
//! and packet sockets.

use std::net::{Ipv4Addr, SocketAddrV4};

use net::{Errno, Payload, PingReply, Seen, SocketId};

use crate::process::{Fd, Handle};
use crate::sys::Sys;

impl Sys<'_> {
    /// Opens a UDP socket at `addr`; port 0 chooses one.
    ///
    /// # Errors
    /// As `bind(2)`: `EADDRINUSE`, `EADDRNOTAVAIL`.
    pub fn udp_bind(&mut self, addr: SocketAddrV4) -> Result<Fd, Errno> {
        let netns = self.netns();
        let socket = self.with_net(|net, _| net.udp_bind(netns, addr))?;
        self.install(Handle::Socket(socket))
    }

    /// Ties a UDP socket to one peer: others are not heard, and ICMP's errors are reported.
    ///
    /// # Errors
    /// As `connect(2)`.
    pub fn udp_connect(&mut self, fd: Fd, peer: SocketAddrV4) -> Result<(), Errno> {
        let socket = self.datagram_socket(fd)?;
        self.with_net(|net, _| net.udp_connect(socket, peer))
    }

    /// Sends a datagram.
    ///
    /// # Errors
    /// As `sendto(2)`: `ENETUNREACH`, `EMSGSIZE`; `ECONNREFUSED` once, if the peer's machine
    /// reported that nobody listens.
    pub fn send_to(&mut self, fd: Fd, to: SocketAddrV4, payload: Payload) -> Result<(), Errno> {
        let socket = self.datagram_socket(fd)?;
        self.with_net(|net, ctx| net.send_to(ctx, socket, to, payload))
    }

    /// The next datagram and its sender. What sent it becomes the cause of what follows in this
    /// poll.
    ///
    /// # Errors
    /// `EAGAIN` if none is there yet; what ICMP reported.
    pub fn recv_from(&mut self, fd: Fd) -> Result<(SocketAddrV4, Payload), Errno> {
        let socket = self.datagram_socket(fd)?;
        let received = self.with_net(|net, _| net.recv_from(socket));
        if received.is_ok() {
            self.cause = self.world.net.last_cause(socket);
        }
        self.wait_socket(fd, socket, received)
    }

    /// Opens a socket for echo requests.
    ///
    /// # Errors
    /// As `socket(2)`.
    pub fn ping_open(&mut self) -> Result<Fd, Errno> {
        let netns = self.netns();
        let socket = self.with_net(|net, _| net.ping_open(netns))?;
        self.install(Handle::Socket(socket))
    }

    /// Sends echo request number `seq` with `len` bytes of data.
    ///
    /// # Errors
    /// As `sendto(2)`: `ENETUNREACH`.
    pub fn ping_send(
        &mut self,
        fd: Fd,
        to: Ipv4Addr,
        seq: u16,
        ttl: u8,
        len: u32,
    ) -> Result<(), Errno> {
        let socket = self.datagram_socket(fd)?;
        self.with_net(|net, ctx| net.ping_send(ctx, socket, to, seq, ttl, len))
    }

    /// The next answer to an echo request, or the news that there is none.
    ///
    /// # Errors
    /// `EAGAIN` if none is there yet.
    pub fn ping_recv(&mut self, fd: Fd) -> Result<PingReply, Errno> {
        let socket = self.datagram_socket(fd)?;
        let received = self.with_net(|net, _| net.ping_recv(socket));
        self.wait_socket(fd, socket, received)
    }

    /// Opens a packet socket: for the interface with this name, or for all.
    ///
    /// # Errors
    /// `EPERM` unless it is root's, `ENODEV` without the interface.
    pub fn tap_open(&mut self, link: Option<&str>) -> Result<Fd, Errno> {
        if self.uid() != 0 {
            return Err(Errno::EPERM);
        }
        let netns = self.netns();
        let socket = self.with_net(|net, _| {
            let named = |name| net.link_by_name(netns, name).map(|link| link.id);
            let link = match link {
                Some(name) => Some(named(name).ok_or(Errno::ENODEV)?),
                None => None,
            };
            net.tap_open(netns, link)
        })?;
        self.install(Handle::Socket(socket))
    }

    /// The next packet that passed.
    ///
    /// # Errors
    /// `EAGAIN` if none did yet.
    pub fn tap_recv(&mut self, fd: Fd) -> Result<Seen, Errno> {
        let socket = self.datagram_socket(fd)?;
        let seen = self.with_net(|net, _| net.tap_recv(socket));
        self.wait_socket(fd, socket, seen)
    }

    fn datagram_socket(&self, fd: Fd) -> Result<SocketId, Errno> {
        match self.handle(fd)? {
            Handle::Socket(socket) => Ok(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }
}
