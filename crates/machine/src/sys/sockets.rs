//! System calls on sockets: TCP over the network model, and unix-domain sockets. UDP and ping are
//! in `datagrams.rs`.

use std::net::SocketAddrV4;
use std::rc::Rc;

use net::{Errno, NetnsId, Payload, SocketId};
use sim::{EntryId, MachineId};

use crate::fs::{Content, Node};
use crate::mount::MountNs;
use crate::pipe::{Unix, wait};
use crate::process::{Fd, Handle, UnixId};
use crate::sys::Sys;
use crate::world::World;

/// Connections a listener keeps waiting, as `net.core.somaxconn` has it.
const BACKLOG: u32 = 4096;

impl Sys<'_> {
    /// Listens for TCP connections.
    ///
    /// # Errors
    /// As `bind(2)`: `EADDRINUSE`, `EADDRNOTAVAIL`.
    pub fn listen(&mut self, addr: SocketAddrV4) -> Result<Fd, Errno> {
        let netns = self.netns();
        let socket = self.with_net(|net, ctx| net.listen(ctx, netns, addr, BACKLOG))?;
        self.install(Handle::Socket(socket))
    }

    /// Begins a TCP connection; [`Sys::connected`] tells how it went.
    ///
    /// # Errors
    /// As `connect(2)`, if it fails at once: `ENETUNREACH`.
    pub fn connect(&mut self, addr: SocketAddrV4) -> Result<Fd, Errno> {
        let netns = self.netns();
        let socket = self.with_net(|net, ctx| net.connect(ctx, netns, addr))?;
        self.install(Handle::Socket(socket))
    }

    /// Whether a connection stands.
    ///
    /// # Errors
    /// `EAGAIN` while it is being made; the reason if it failed.
    pub fn connected(&mut self, fd: Fd) -> Result<(), Errno> {
        match self.handle(fd)? {
            Handle::Socket(socket) => {
                let status = self.world.net.status(socket);
                self.wait_socket(fd, socket, status)
            }
            Handle::Unix(_) => Ok(()),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Takes a waiting connection of a listener.
    ///
    /// # Errors
    /// `EAGAIN` if none waits.
    pub fn accept(&mut self, fd: Fd) -> Result<Fd, Errno> {
        match self.handle(fd)? {
            Handle::Socket(socket) => {
                let accepted = self.with_net(|net, _| net.accept(socket));
                let accepted = self.wait_socket(fd, socket, accepted)?;
                self.install(Handle::Socket(accepted))
            }
            Handle::UnixListener(id) => {
                let pid = self.pid;
                let Some(Unix::Listener {
                    backlog, waiters, ..
                }) = self.host_mut().unixes.get_mut(&id)
                else {
                    return Err(Errno::EBADF);
                };
                let Some(end) = backlog.pop_front() else {
                    wait(waiters, pid, fd);
                    return Err(Errno::EAGAIN);
                };
                self.install(Handle::Unix(end))
            }
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// Sends a message; it arrives whole and in order.
    ///
    /// # Errors
    /// `EPIPE` or `ECONNRESET` if the other side is gone, `ENOTCONN`, `EAGAIN` while connecting.
    pub fn send(&mut self, fd: Fd, payload: Payload) -> Result<(), Errno> {
        match self.handle(fd)? {
            Handle::Socket(socket) => self.with_net(|net, ctx| net.send(ctx, socket, payload)),
            Handle::Unix(id) => self.send_unix(id, payload),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// The next message; `None` once the other side has closed. What sent the message becomes the
    /// cause of what follows in this poll.
    ///
    /// # Errors
    /// `EAGAIN` if none is there yet, `ECONNRESET`, and what ended a connection attempt.
    pub fn recv(&mut self, fd: Fd) -> Result<Option<Payload>, Errno> {
        match self.handle(fd)? {
            Handle::Socket(socket) => {
                let received = self.with_net(|net, _| net.recv(socket));
                if let Ok(Some(_)) = received {
                    self.cause = self.world.net.last_cause(socket);
                }
                self.wait_socket(fd, socket, received)
            }
            Handle::Unix(id) => {
                let pid = self.pid;
                let Some(Unix::End {
                    inbox,
                    waiters,
                    peer,
                    ..
                }) = self.host_mut().unixes.get_mut(&id)
                else {
                    return Err(Errno::EBADF);
                };
                match inbox.pop_front() {
                    Some((cause, payload)) => {
                        self.cause = cause;
                        Ok(Some(payload))
                    }
                    None if peer.is_none() => Ok(None),
                    None => {
                        wait(waiters, pid, fd);
                        Err(Errno::EAGAIN)
                    }
                }
            }
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// The other side's address.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn peer(&self, fd: Fd) -> Result<SocketAddrV4, Errno> {
        match self.handle(fd)? {
            Handle::Socket(socket) => self.world.net.peer_addr(socket),
            _ => Err(Errno::ENOTSOCK),
        }
    }

    /// The network's id of the socket a descriptor names.
    #[must_use]
    pub fn socket(&self, fd: Fd) -> Option<SocketId> {
        match self.handle(fd) {
            Ok(Handle::Socket(socket)) => Some(socket),
            _ => None,
        }
    }

    /// The network namespace of this process.
    #[must_use]
    pub fn netns(&self) -> NetnsId {
        self.process()
            .map_or(self.host().netns, |process| process.netns)
    }

    /// Listens at a path for connections from this machine.
    ///
    /// # Errors
    /// As `bind(2)`: `EADDRINUSE` if something is listening there.
    pub fn unix_listen(&mut self, path: &str) -> Result<Fd, Errno> {
        let full: Rc<str> = MountNs::normalise(&self.cwd(), path).into();
        if self.unix_listener(&full).is_some() {
            return Err(Errno::EADDRINUSE);
        }
        let mut node = Node::file("", 0o660);
        node.content = Content::Socket;
        self.put_node(path, node)?;
        let host = self.host_mut();
        let id = UnixId(host.fresh());
        let (backlog, waiters) = (Default::default(), Default::default());
        host.unixes.insert(
            id,
            Unix::Listener {
                path: full,
                backlog,
                waiters,
                refs: 0,
            },
        );
        self.install(Handle::UnixListener(id))
    }

    /// Connects to the listener at a path.
    ///
    /// # Errors
    /// `ENOENT` without the path, `ECONNREFUSED` if nobody listens there.
    pub fn unix_connect(&mut self, path: &str) -> Result<Fd, Errno> {
        self.stat(path)?;
        let full = MountNs::normalise(&self.cwd(), path);
        let listener = self.unix_listener(&full).ok_or(Errno::ECONNREFUSED)?;
        let (machine, cause) = (self.machine, self.cause);
        let host = self.host_mut();
        let (ours, theirs) = (UnixId(host.fresh()), UnixId(host.fresh()));
        for (id, peer) in [(ours, theirs), (theirs, ours)] {
            let (inbox, waiters) = (Default::default(), Default::default());
            host.unixes.insert(
                id,
                Unix::End {
                    peer: Some(peer),
                    inbox,
                    waiters,
                    refs: 0,
                },
            );
        }
        if let Some(Unix::Listener {
            backlog, waiters, ..
        }) = host.unixes.get_mut(&listener)
        {
            backlog.push_back(theirs);
            let woken = std::mem::take(waiters);
            self.world.wake_all(machine, woken, cause);
        }
        self.install(Handle::Unix(ours))
    }

    fn unix_listener(&self, full: &str) -> Option<UnixId> {
        self.host().unixes.iter().find_map(|(id, unix)| match unix {
            Unix::Listener { path, .. } if &**path == full => Some(*id),
            _ => None,
        })
    }

    fn send_unix(&mut self, id: UnixId, payload: Payload) -> Result<(), Errno> {
        let (machine, cause) = (self.machine, self.cause);
        let peer = match self.host_mut().unixes.get_mut(&id) {
            Some(Unix::End { peer, .. }) => peer.ok_or(Errno::EPIPE)?,
            _ => return Err(Errno::EBADF),
        };
        if let Some(Unix::End { inbox, waiters, .. }) = self.host_mut().unixes.get_mut(&peer) {
            inbox.push_back((cause, payload));
            let woken = std::mem::take(waiters);
            self.world.wake_all(machine, woken, cause);
        }
        Ok(())
    }

    /// Registers interest if a call came back with `EAGAIN`.
    pub(super) fn wait_socket<T>(
        &mut self,
        fd: Fd,
        socket: SocketId,
        result: Result<T, Errno>,
    ) -> Result<T, Errno> {
        if matches!(result, Err(Errno::EAGAIN)) {
            let pid = self.pid;
            wait(
                self.host_mut().socket_waiters.entry(socket).or_default(),
                pid,
                fd,
            );
        }
        result
    }
}

impl World {
    pub(crate) fn release_unix(&mut self, machine: MachineId, id: UnixId, cause: EntryId) {
        let host = self.host_mut(machine);
        let Some(unix) = host.unixes.get_mut(&id) else {
            return;
        };
        *unix.refs() -= 1;
        if *unix.refs() > 0 {
            return;
        }
        let orphans = match host.unixes.remove(&id) {
            Some(Unix::Listener { backlog, .. }) => {
                // Connections nobody accepted: their other sides see them closed.
                let ends: Vec<UnixId> = backlog.into_iter().collect();
                ends.iter()
                    .filter_map(|end| match host.unixes.remove(end) {
                        Some(Unix::End { peer, .. }) => peer,
                        _ => None,
                    })
                    .collect()
            }
            Some(Unix::End { peer, .. }) => peer.into_iter().collect::<Vec<_>>(),
            None => Vec::new(),
        };
        let mut woken = Vec::new();
        for orphan in orphans {
            if let Some(unix) = host.unixes.get_mut(&orphan) {
                if let Unix::End { peer, .. } = unix {
                    *peer = None;
                }
                woken.append(unix.waiters());
            }
        }
        self.wake_all(machine, woken, cause);
    }
}
