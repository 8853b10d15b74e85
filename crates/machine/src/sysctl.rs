//! Kernel parameters as files below `/proc/sys`: those that something in the model follows.
//! Models net/ipv4/sysctl_net_ipv4.c, net/bridge/br_netfilter_hooks.c and kernel/utsname_sysctl.c.

use std::rc::Rc;

use net::Errno;

use crate::fs::{Content, Device, Meta, Node, Tree};
use crate::sys::Sys;

/// A kernel parameter. Those of the network belong to the network namespace of who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sysctl {
    /// `net.ipv4.ip_forward`.
    IpForward,
    /// `net.ipv4.ip_default_ttl`.
    DefaultTtl,
    /// `net.bridge.bridge-nf-call-iptables`.
    BridgeNfCallIptables,
    /// `net.netfilter.nf_conntrack_count`.
    ConntrackCount,
    /// `kernel.hostname`.
    Hostname,
    /// `kernel.osrelease`.
    OsRelease,
    /// `kernel.ostype`.
    OsType,
}

/// Where each is, below `/proc/sys`, by path.
const FILES: &[(&str, Sysctl)] = &[
    ("kernel/hostname", Sysctl::Hostname),
    ("kernel/osrelease", Sysctl::OsRelease),
    ("kernel/ostype", Sysctl::OsType),
    (
        "net/bridge/bridge-nf-call-iptables",
        Sysctl::BridgeNfCallIptables,
    ),
    ("net/ipv4/conf/all/forwarding", Sysctl::IpForward),
    ("net/ipv4/ip_default_ttl", Sysctl::DefaultTtl),
    ("net/ipv4/ip_forward", Sysctl::IpForward),
    ("net/netfilter/nf_conntrack_count", Sysctl::ConntrackCount),
];

impl Sysctl {
    /// Whether root may change it.
    const fn is_writable(self) -> bool {
        matches!(self, Sysctl::IpForward | Sysctl::BridgeNfCallIptables)
    }
}

/// Puts `/proc/sys` into the tree of a machine.
///
/// # Errors
/// If something is in the way.
pub fn put_proc_sys(tree: &mut Tree) -> Result<(), Errno> {
    for (path, key) in FILES {
        let mode = if key.is_writable() { 0o644 } else { 0o444 };
        let node = Node {
            meta: Meta::root(mode),
            content: Content::Device(Device::Sysctl(*key)),
        };
        tree.put_all(&format!("/proc/sys/{path}"), node)?;
    }
    Ok(())
}

impl Sys<'_> {
    /// What the file of a parameter holds.
    pub(crate) fn sysctl(&self, key: Sysctl) -> Rc<[u8]> {
        let space = self.net().netns(self.netns());
        let flag = |value: Option<bool>| u32::from(value.unwrap_or_default()).to_string();
        let text = match key {
            Sysctl::IpForward => flag(space.map(|space| space.ip_forward)),
            Sysctl::BridgeNfCallIptables => flag(space.map(|space| space.bridge_nf_call_iptables)),
            Sysctl::DefaultTtl => net::DEFAULT_TTL.to_string(),
            Sysctl::ConntrackCount => {
                let tables = self.net().netfilter(self.netns());
                let count = tables.map_or(0, |tables| tables.connections(self.now()).len());
                count.to_string()
            }
            Sysctl::Hostname => self.hostname().to_string(),
            Sysctl::OsRelease => self.host().spec.kernel.to_string(),
            Sysctl::OsType => "Linux".to_owned(),
        };
        format!("{text}\n").into_bytes().into()
    }

    /// Writes to the file of a parameter. EACCES if it cannot be changed, EINVAL if that is no
    /// number.
    pub(crate) fn set_sysctl(&mut self, key: Sysctl, bytes: &[u8]) -> Result<(), Errno> {
        if !key.is_writable() {
            return Err(Errno::EACCES);
        }
        // Opening a file to overwrite it empties it first; a parameter is not impressed.
        if bytes.is_empty() {
            return Ok(());
        }
        let text = String::from_utf8_lossy(bytes);
        let number: i64 = text.trim().parse().map_err(|_| Errno::EINVAL)?;
        let (ns, on) = (self.netns(), number != 0);
        self.with_net(|net, _| match key {
            Sysctl::IpForward => net.set_ip_forward(ns, on),
            Sysctl::BridgeNfCallIptables => net.set_bridge_nf_call_iptables(ns, on),
            _ => {}
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use sim::EntryId;

    use super::*;
    use crate::process::Fd;
    use crate::sys::OpenMode;
    use crate::testing::TestBox;

    #[test]
    fn parameters_are_read_and_written_as_files() {
        let mut test = TestBox::new(|_| None, &[]);
        let text = |sys: &mut Sys<'_>, path: &str| sys.read_to_string(path).expect("there");
        let path = "/proc/sys/net/ipv4/ip_forward";
        let entered = test.world.enter(test.machine, EntryId::NONE, |sys| {
            assert_eq!(text(sys, path), "0\n");
            sys.write_file(path, b"1\n").expect("root");
            assert_eq!(text(sys, "/proc/sys/net/ipv4/conf/all/forwarding"), "1\n");
            assert_eq!(sys.write_file(path, b"on"), Err(Errno::EINVAL));
            let fd: Fd = sys.open(path, OpenMode::Truncate).expect("root");
            assert_eq!(sys.write(fd, b"0"), Ok(1));
            sys.close(fd);
            let fd = sys.open(path, OpenMode::Read).expect("root");
            assert_eq!(&*sys.read(fd, 100).expect("readable"), b"0\n");
            assert!(sys.read(fd, 100).expect("readable").is_empty());
            let other = sys.new_netns("red");
            assert_eq!(sys.set_netns(other), Ok(()));
            sys.write_file(path, b"1").expect("root");
            assert_eq!(text(sys, path), "1\n");
            let host = sys.host().netns;
            assert_eq!(sys.set_netns(host), Ok(()));
            assert_eq!(text(sys, path), "0\n");
            let release = "/proc/sys/kernel/osrelease";
            assert_eq!(text(sys, release), "6.8.0-111-generic\n");
            assert_eq!(sys.write_file(release, b"7"), Err(Errno::EACCES));
        });
        entered.expect("the machine runs");
    }
}
