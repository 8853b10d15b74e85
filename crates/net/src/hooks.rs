//! The five points at which netfilter sees a packet.
//! Models include/uapi/linux/netfilter.h.

use std::net::Ipv4Addr;
use std::rc::Rc;

use sim::Instant;

use crate::net::{Ctx, Net};
use crate::netfilter::{Crossing, RejectWith, Tracked};
use crate::netns::Netns;
use crate::packet::{IcmpError, Packet, Proto};
use crate::trace::Flow;
use crate::walk::{Step, refused};
use crate::{LinkId, NetnsId};

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

impl Hook {
    /// The built-in chain that sees it.
    pub(crate) const fn chain(self) -> &'static str {
        match self {
            Hook::Prerouting => "PREROUTING",
            Hook::Input => "INPUT",
            Hook::Forward => "FORWARD",
            Hook::Output => "OUTPUT",
            Hook::Postrouting => "POSTROUTING",
        }
    }
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HookVerdict {
    /// It goes on, perhaps with other addresses.
    Accept,
    /// It ends here.
    Drop,
    /// It ends here, and its sender learns of it.
    Reject(RejectWith),
}

/// A packet at a hook of a namespace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct At {
    pub(crate) now: Instant,
    pub(crate) ns: NetnsId,
    pub(crate) hook: Hook,
    pub(crate) inbound: Option<LinkId>,
    pub(crate) outbound: Option<LinkId>,
}

impl Net {
    /// Shows `packet` to the rules of a namespace. One that has none costs a look.
    #[inline]
    pub(crate) fn hook(&mut self, at: At, packet: &mut Packet) -> HookVerdict {
        match self.spaces.get(at.ns) {
            Some(space) if space.has_rules() => self.run_hook(at, packet),
            _ => HookVerdict::Accept,
        }
    }

    /// Shows the rules a packet that a bridge passes from port to port, as br_netfilter does. A
    /// step is returned if it does not go on: it was dropped, or it has another destination now
    /// and must be routed. Models net/bridge/br_netfilter_hooks.c.
    pub(crate) fn bridge_hooks(
        &mut self,
        now: Instant,
        ns: NetnsId,
        bridge: LinkId,
        packet: &mut Packet,
    ) -> Option<Step> {
        let space = self.spaces.get(ns)?;
        if !space.bridge_nf_call_iptables || !space.has_rules() {
            return None;
        }
        let before = packet.flow();
        let at = |hook, outbound| At {
            now,
            ns,
            hook,
            inbound: Some(bridge),
            outbound,
        };
        let verdict = self.hook(at(Hook::Prerouting, None), packet);
        if let Some(end) = refused(ns, verdict) {
            return Some(end);
        }
        if packet.dst != *before.dst.ip() {
            return Some(Step::Route {
                link: bridge,
                before,
            });
        }
        for hook in [Hook::Forward, Hook::Postrouting] {
            let verdict = self.hook(at(hook, Some(bridge)), packet);
            if let Some(end) = refused(ns, verdict) {
                return Some(end);
            }
        }
        None
    }

    /// A packet's flow as its sender sent it, where translation has changed it in this namespace.
    pub(crate) fn flow_as_sent(&self, ns: NetnsId, packet: &Packet) -> Flow {
        let mut flow = packet.flow();
        let Some(netfilter) = self.netfilter(ns) else {
            return flow;
        };
        if let Some(sent) = packet.tracked.as_sent(netfilter.conntrack()) {
            flow.src = sent.0;
            flow.dst.set_ip(*sent.1.ip());
            // An echo has its sequence number there, which nothing changes.
            if packet.proto() != Proto::Icmp {
                flow.dst.set_port(sent.1.port());
            }
        }
        flow
    }

    /// Tells the sender of a packet that a rule rejects it. Models
    /// net/ipv4/netfilter/nf_reject_ipv4.c.
    pub(crate) fn reject(
        &mut self,
        ctx: &mut Ctx<'_>,
        ns: NetnsId,
        packet: &Packet,
        with: RejectWith,
    ) {
        let kind = match with {
            RejectWith::NetUnreachable => IcmpError::NetUnreachable,
            RejectWith::HostUnreachable => IcmpError::HostUnreachable,
            RejectWith::ProtoUnreachable => IcmpError::ProtoUnreachable,
            RejectWith::PortUnreachable => IcmpError::PortUnreachable,
            RejectWith::NetProhibited => IcmpError::NetProhibited,
            RejectWith::HostProhibited => IcmpError::HostProhibited,
            RejectWith::AdminProhibited => IcmpError::Prohibited,
            RejectWith::TcpReset => {
                if packet.proto() == Proto::Tcp && !packet.is_reset() {
                    let flow = self.flow_as_sent(ns, packet);
                    self.refuse(ctx, ns, flow.dst, flow.src, packet.from);
                }
                return;
            }
        };
        self.send_icmp_error(ctx, ns, packet, kind);
    }

    fn run_hook(&mut self, at: At, packet: &mut Packet) -> HookVerdict {
        // The rules look at the namespace while they change what they count: they are taken out
        // of it meanwhile.
        let own = self.spaces.get_mut(at.ns);
        let Some(mut netfilter) = own.and_then(|space| space.netfilter.take()) else {
            return HookVerdict::Accept;
        };
        let mut verdict = HookVerdict::Accept;
        if let Some(space) = self.spaces.get(at.ns) {
            let link = |id: Option<LinkId>| self.links.get(id?);
            // Who leaves has come from nowhere: POSTROUTING is not told.
            let inbound = at.inbound.filter(|_| at.hook != Hook::Postrouting);
            let crossing = Crossing {
                now: at.now,
                hook: at.hook,
                space,
                inbound: link(inbound),
                outbound: link(at.outbound),
                outbound_addr: match at.hook {
                    // Only what begins a connection can be masqueraded.
                    Hook::Postrouting if matches!(packet.tracked, Tracked::Fresh(_)) => {
                        self.masquerade_addr(space, at.outbound, packet.dst)
                    }
                    _ => None,
                },
            };
            verdict = Rc::make_mut(&mut netfilter).cross(crossing, packet);
        }
        if let Some(space) = self.spaces.get_mut(at.ns) {
            space.netfilter = Some(netfilter);
        }
        verdict
    }

    /// The address of an interface towards `dst`. Models inet_select_addr as MASQUERADE asks it.
    fn masquerade_addr(
        &self,
        space: &Netns,
        link: Option<LinkId>,
        dst: Ipv4Addr,
    ) -> Option<Ipv4Addr> {
        let near = space
            .routes
            .lookup(dst)
            .and_then(|route| route.via)
            .unwrap_or(dst);
        self.addr_on(space, self.links.get(link?)?, near)
    }
}
