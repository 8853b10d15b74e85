//! The five points at which netfilter sees a packet. No rules exist yet: every point accepts.
//! Models include/uapi/linux/netfilter.h.

use crate::LinkId;
use crate::netns::Netns;
use crate::packet::Packet;

/// Where on its way through a namespace a packet is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hook {
    /// It came in; no route was looked up.
    Prerouting,
    /// It is for this namespace.
    Input,
    /// It is for another.
    Forward,
    /// A socket of this namespace sent it; its route is known.
    Output,
    /// It is about to leave.
    Postrouting,
}

/// What becomes of it.
#[allow(dead_code, reason = "no rule can be installed yet that drops")]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookVerdict {
    /// It goes on, perhaps with other addresses.
    Accept,
    /// It ends here.
    Drop,
}

/// Shows `packet` to the rules of `ns` at `hook`.
#[inline]
pub(crate) fn run(
    _ns: &Netns,
    _hook: Hook,
    _packet: &mut Packet,
    _inbound: Option<LinkId>,
    _outbound: Option<LinkId>,
) -> HookVerdict {
    HookVerdict::Accept
}
