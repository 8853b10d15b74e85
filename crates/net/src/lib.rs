//! The Linux network of every machine in the world: namespaces, interfaces, routes, sockets and
//! the packets between them. Knows nothing of processes or of Kubernetes.
//!
//! [`Net`] holds all of it. A call that sends something takes a [`Ctx`] and leaves events and
//! notices in its [`Outbox`]; the world hands the events back to [`Net::on_event`] when their time
//! has come and turns the notices into wakes of processes. Nothing else has a clock or a queue.

mod addr;
mod address;
mod bridge;
pub mod dns;
mod errno;
pub mod gzip;
mod hooks;
pub mod http;
mod ids;
mod link;
mod neigh;
mod net;
pub mod netfilter;
mod netns;
mod packet;
mod payload;
mod ping;
mod ports;
mod record;
mod route;
mod segment;
mod slab;
mod socket;
mod tap;
mod tcp;
pub mod tls;
mod trace;
mod udp;
mod walk;

pub use addr::{Ipv4Net, Mac, NotANet};
pub use errno::Errno;
pub use ids::{LinkId, NetnsId, SegmentId, SocketId};
pub use link::{Bridge, Counters, Link, LinkKind, Segment as EthernetSegment};
pub use neigh::{NeighEntry, NeighState};
pub use net::{Ctx, Net, NetEvent, Notice, Outbox};
pub use netns::Netns;
pub use packet::{About, DEFAULT_TTL, Icmp, IcmpError, Packet, PacketBody, Proto, Segment};
pub use payload::{Payload, Shared, downcast_shared};
pub use ping::PingReply;
pub use record::{Latest, Record, RecordingId, Sender};
pub use route::{Route, RouteKind, RouteProto, RouteTable};
pub use socket::SocketInfo;
pub use tap::Seen;
pub use trace::{DropReason, Flow, Hop, HopRoute, RuleHit, Trace, Verdict};
