//! Packet sockets: copies of what passes an interface. Models net/packet/af_packet.c.

use std::collections::VecDeque;
use std::rc::Rc;

use sim::Instant;

use crate::net::{Ctx, Net, Notice};
use crate::packet::Packet;
use crate::socket::{SocketKind, UNSPECIFIED};
use crate::{Errno, LinkId, NetnsId, SocketId};

/// Copies a socket keeps unread.
const MAX_QUEUED: usize = 10_000;

/// What a packet socket listens to, and what it heard.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tap {
    /// The interface; `None` for all of the namespace.
    link: Option<LinkId>,
    queue: VecDeque<Seen>,
}

/// A packet as it passed an interface.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When.
    pub at: Instant,
    /// The interface's name.
    pub link: Rc<str>,
    /// Whether it left by it.
    pub outgoing: bool,
    /// The packet.
    pub packet: Packet,
}

impl Net {
    /// Opens a packet socket for an interface, or for all of a namespace. EBADF if the namespace is
    /// gone.
    pub fn tap_open(&mut self, ns: NetnsId, link: Option<LinkId>) -> Result<SocketId, Errno> {
        self.spaces.get(ns).ok_or(Errno::EBADF)?;
        let queue = VecDeque::new();
        let kind = SocketKind::Tap(Tap { link, queue });
        let id = self.new_socket(ns, UNSPECIFIED, UNSPECIFIED, kind);
        self.taps.push(id);
        Ok(id)
    }

    /// Takes the next copy. EAGAIN if there is none.
    pub fn tap_recv(&mut self, id: SocketId) -> Result<Seen, Errno> {
        let socket = self.sockets.get_mut(id).ok_or(Errno::EBADF)?;
        let SocketKind::Tap(tap) = &mut socket.kind else {
            return Err(Errno::EINVAL);
        };
        tap.queue.pop_front().ok_or(Errno::EAGAIN)
    }

    /// A packet passes an interface.
    #[inline]
    pub(crate) fn seen(&mut self, at: Instant, link: LinkId, outgoing: bool, packet: &Packet) {
        if !self.taps.is_empty() {
            self.copy_to_taps(at, link, outgoing, packet);
        }
    }

    fn copy_to_taps(&mut self, at: Instant, id: LinkId, outgoing: bool, packet: &Packet) {
        let Some(link) = self.links.get(id) else {
            return;
        };
        for socket in &self.taps {
            let Some(socket) = self.sockets.get_mut(*socket) else {
                continue;
            };
            let SocketKind::Tap(tap) = &mut socket.kind else {
                continue;
            };
            let meant = socket.ns == link.ns && tap.link.is_none_or(|own| own == id);
            if meant && tap.queue.len() < MAX_QUEUED {
                let mut packet = packet.clone();
                packet.trace = None;
                let link = link.name.clone();
                tap.queue.push_back(Seen {
                    at,
                    link,
                    outgoing,
                    packet,
                });
            }
        }
    }

    /// Wakes the owners of packet sockets that heard something.
    #[inline]
    pub(crate) fn wake_taps(&self, ctx: &mut Ctx<'_>) {
        for id in &self.taps {
            let socket = self.sockets.get(*id);
            if let Some(SocketKind::Tap(tap)) = socket.map(|socket| &socket.kind)
                && !tap.queue.is_empty()
            {
                ctx.out.notices.push((Notice::Ready(*id), ctx.cause));
            }
        }
    }
}
