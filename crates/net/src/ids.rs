//! Typed ids of what a network is made of.

use crate::slab::Key;

sim::typed_id!(
    /// A network namespace. Never used again after the namespace is gone.
    NetnsId(u64)
);
sim::typed_id!(
    /// A network interface, wherever it is. Linux's own number is [`crate::Link::ifindex`].
    LinkId(u64)
);
sim::typed_id!(
    /// A socket of any namespace. Never used again after the socket is gone.
    SocketId(u64)
);
sim::typed_id!(
    /// An Ethernet segment that joins machines.
    SegmentId(u64)
);

macro_rules! keys {
    ($($name:ident)*) => {$(
        impl Key for $name {
            fn from_raw(raw: u64) -> Self {
                Self(raw)
            }

            fn raw(self) -> u64 {
                self.0
            }
        }
    )*};
}

keys!(NetnsId LinkId SocketId SegmentId);
