//! All the networks of a world as one value, what a call may use of the world around it, and the
//! events that packets and timers become.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;

use imbl::OrdSet;
use sim::{EntryId, Instant, Journal, Kind, MachineId};

use crate::link::Segment;
use crate::neigh::Waiting;
use crate::netns::Netns;
use crate::packet::Packet;
use crate::record::Recordings;
use crate::slab::Slab;
use crate::socket::Socket;
use crate::trace::DropReason;
use crate::walk::Frame;
use crate::{Link, LinkId, Mac, NetnsId, SegmentId, SocketId};

/// Every namespace, interface, segment and socket of the world. A clone shares all of them until
/// one side changes something.
#[derive(Clone, Debug)]
pub struct Net {
    pub(crate) spaces: Slab<NetnsId, Netns>,
    pub(crate) links: Slab<LinkId, Link>,
    pub(crate) segments: Slab<SegmentId, Segment>,
    pub(crate) sockets: Slab<SocketId, Socket>,
    /// Who has an address, in all the world; may be several, or none that is reachable.
    pub(crate) owners: OrdSet<(Ipv4Addr, LinkId)>,
    pub(crate) waiting: BTreeMap<(LinkId, Ipv4Addr), Waiting>,
    machines_down: BTreeSet<MachineId>,
    pub(crate) recordings: Recordings,
    /// Packet sockets.
    pub(crate) taps: Vec<SocketId>,
    /// Counts namespaces and interfaces ever made.
    pub(crate) serial: u64,
    /// What random choices depend on.
    pub(crate) seed: u64,
}

/// What a call to the network may use of the world.
#[derive(Debug)]
pub struct Ctx<'a> {
    /// The time.
    pub now: Instant,
    /// The entry that caused the call.
    pub cause: EntryId,
    /// Where packets are entered.
    pub journal: &'a mut Journal,
    /// What the call leaves for the world to do.
    pub out: &'a mut Outbox,
}

/// What a call leaves for the world to do.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    /// Events to be handed to [`Net::on_event`] when their time has come, with the machine they
    /// come from.
    pub events: Vec<(Instant, MachineId, NetEvent)>,
    /// Sockets whose owners have something to do, and the entry that caused it.
    pub notices: Vec<(Notice, EntryId)>,
}

/// Something the network asked to be told of later.
#[derive(Clone, Debug)]
pub enum NetEvent {
    /// A packet reaches the sockets of a namespace.
    Arrive {
        /// The namespace.
        ns: NetnsId,
        /// The packet.
        packet: Packet,
    },
    /// A frame reaches a network card of another machine.
    Wire {
        /// The card.
        to: LinkId,
        /// Hardware address of the sender.
        from: Mac,
        /// Hardware address it is for: the card's, or that of an interface bridged to it.
        mac: Mac,
        /// The packet in the frame.
        packet: Packet,
    },
    /// A retransmission timer runs out.
    Retransmit {
        /// Whose.
        socket: SocketId,
        /// Which: a timer that was set anew has another number.
        timer: u32,
    },
    /// A neighbour has had a second to answer.
    Probe {
        /// The interface asked on.
        link: LinkId,
        /// The address asked for.
        addr: Ipv4Addr,
    },
}

/// Something the owner of a socket wants to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Notice {
    /// There is something to accept or receive, or a connection attempt has ended.
    Ready(SocketId),
}

static DROPPED: Kind = Kind {
    name: "net.drop",
    says: "packet from {0} to {1} dropped: {2}",
};

impl Default for Net {
    fn default() -> Net {
        Net::new()
    }
}

impl Net {
    /// A world without networks.
    pub fn new() -> Net {
        Net {
            spaces: Slab::new(),
            links: Slab::new(),
            segments: Slab::new(),
            sockets: Slab::new(),
            owners: OrdSet::new(),
            waiting: BTreeMap::new(),
            machines_down: BTreeSet::new(),
            recordings: Recordings::default(),
            taps: Vec::new(),
            serial: 0,
            seed: 0,
        }
    }

    /// Handles an event whose time has come.
    pub fn on_event(&mut self, ctx: &mut Ctx<'_>, event: NetEvent) {
        match event {
            NetEvent::Arrive { ns, packet } => {
                ctx.cause = packet.cause;
                self.arrive(ctx, ns, packet);
            }
            NetEvent::Wire {
                to,
                from,
                mac,
                packet,
            } => {
                ctx.cause = packet.cause;
                self.off_the_wire(
                    ctx,
                    Frame {
                        card: to,
                        from,
                        to: mac,
                    },
                    packet,
                );
            }
            NetEvent::Retransmit { socket, timer } => self.on_timer(ctx, socket, timer),
            NetEvent::Probe { link, addr } => self.on_probe(ctx, link, addr),
        }
    }

    /// Powers a machine's network on or off. Off, its kernel is gone: packets to it are lost, its
    /// sockets vanish without a word to their peers, its netfilter tables are forgotten.
    /// Interfaces, addresses and routes stay.
    pub fn set_machine_up(&mut self, machine: MachineId, up: bool) {
        if up {
            self.machines_down.remove(&machine);
            return;
        }
        self.machines_down.insert(machine);
        let spaces = self.namespaces().filter(|ns| ns.machine == machine);
        let spaces: Vec<NetnsId> = spaces.map(|ns| ns.id).collect();
        let mut sockets = Vec::new();
        for id in spaces {
            if let Some(ns) = self.spaces.get_mut(id) {
                sockets.extend_from_slice(&ns.sockets);
                ns.netfilter = None;
            }
        }
        sockets.sort_unstable();
        for socket in sockets {
            self.drop_socket(socket);
        }
    }

    /// Whether a machine's network is off.
    #[inline]
    pub fn is_machine_down(&self, machine: MachineId) -> bool {
        !self.machines_down.is_empty() && self.machines_down.contains(&machine)
    }

    /// A packet was lost at `ns`: it is entered as dropped, and the sending kernel arms its timer.
    /// Models what the sender would conclude from the missing acknowledgement.
    pub(crate) fn lose(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        packet: Packet,
        reason: DropReason,
    ) {
        let machine = self
            .spaces
            .get(ns)
            .map_or(MachineId::WORLD, |ns| ns.machine);
        let flow = packet.flow();
        self.record_loss(&packet, reason);
        let args = [flow.src.into(), flow.dst.into(), reason.message().into()];
        ctx.journal
            .note(ctx.now, machine, packet.cause, &DROPPED, &args);
        self.on_loss(ctx, packet);
    }

    pub(crate) fn ready(&self, ctx: &mut Ctx<'_>, socket: SocketId) {
        ctx.out.notices.push((Notice::Ready(socket), ctx.cause));
    }
}
