//! Names of hosts, as the C library finds their addresses: what is an address already,
//! `/etc/hosts`, then the name servers of `/etc/resolv.conf`.
//! Models glibc's getaddrinfo with nss `files dns`, and resolv/res_query.c.

mod conf;
mod dns;

use std::net::Ipv4Addr;
use std::rc::Rc;

use machine::Io;
use net::dns::{Data, Message, Name, RecordType};

pub(crate) use conf::Conf;
pub(crate) use dns::{Silence, ask};

/// An address a name stands for, or why there is none.
pub(crate) async fn name(io: &Io, host: &str) -> Result<Ipv4Addr, NotFound> {
    let all = names(io, host).await?;
    all.first().copied().ok_or(NotFound::NoName)
}

/// All addresses a name stands for, in the order they were given; never none.
pub(crate) async fn names(io: &Io, host: &str) -> Result<Vec<Ipv4Addr>, NotFound> {
    let wanted = host.trim_matches(['[', ']']).to_ascii_lowercase();
    if let Ok(ip) = wanted.parse() {
        return Ok(vec![ip]);
    }
    let text = io.read_to_string("/etc/hosts").await.unwrap_or_default();
    if let Some(ip) = in_hosts(&text, wanted.trim_end_matches('.')) {
        return Ok(vec![ip]);
    }
    dns::search(io, &conf(io).await, &wanted).await
}

/// The name of an address, by `/etc/hosts` and then by the name servers.
pub(crate) async fn name_of(io: &Io, addr: Ipv4Addr) -> Option<Rc<str>> {
    let text = io.read_to_string("/etc/hosts").await.unwrap_or_default();
    let mut lines = hosts(&text);
    if let Some((_, mut names)) = lines.find(|(ip, _)| *ip == addr) {
        return names.next().map(Rc::from);
    }
    let query = Message::query(id(io).await, reverse(addr), RecordType::PTR);
    let replies = dns::ask_all(io, &conf(io).await, vec![query]).await.ok()?;
    let mut records = replies.into_iter().flat_map(|reply| reply.answers);
    records.find_map(|record| match record.data {
        Data::Ptr(name) => Some(name.as_str().trim_end_matches('.').into()),
        _ => None,
    })
}

/// The name under which the name of an address is kept: `2.1.244.10.in-addr.arpa.`
pub(crate) fn reverse(addr: Ipv4Addr) -> Name {
    let [a, b, c, d] = addr.octets();
    let name = format!("{d}.{c}.{b}.{a}.in-addr.arpa.");
    name.parse().expect("short labels")
}

/// What `/etc/resolv.conf` says; without it, there is a server on this machine.
pub(crate) async fn conf(io: &Io) -> Conf {
    let text = io.read_to_string("/etc/resolv.conf").await;
    Conf::read(&text.unwrap_or_default())
}

/// A number for a query.
pub(crate) async fn id(io: &Io) -> u16 {
    io.sys(|sys| sys.random().below(1 << 16) as u16).await
}

/// Whether this is a system of BusyBox, whose tools say things their own way.
pub(crate) async fn is_busybox(io: &Io) -> bool {
    io.sys(|sys| sys.exists("/bin/busybox")).await
}

/// Why no address was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// No address stands for the name (`EAI_NONAME`).
    NoName,
    /// No name server could tell (`EAI_AGAIN`).
    Again,
}

impl NotFound {
    /// What `gai_strerror(3)` says.
    pub(crate) fn message(self) -> &'static str {
        match self {
            NotFound::NoName => "Name or service not known",
            NotFound::Again => "Temporary failure in name resolution",
        }
    }
}

/// IPv4 addresses of the interfaces this process sees, loopback left out.
pub(crate) async fn own_addresses(io: &Io) -> Vec<Ipv4Addr> {
    io.sys(|sys| {
        let netns = sys.netns();
        let links = sys.net().links_of(netns);
        let all = links.flat_map(|link| link.addrs.iter().map(|net| net.addr));
        all.filter(|ip| !ip.is_loopback()).collect()
    })
    .await
}

/// Lines of a hosts file: an address and its names.
fn hosts(text: &str) -> impl Iterator<Item = (Ipv4Addr, core::str::SplitWhitespace<'_>)> {
    text.lines().filter_map(|line| {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        Some((words.next()?.parse().ok()?, words))
    })
}

/// A name in the text of a hosts file.
fn in_hosts(text: &str, name: &str) -> Option<Ipv4Addr> {
    let mut lines = hosts(text);
    let found = lines.find_map(|(ip, mut names)| {
        let named = names.any(|own| own.eq_ignore_ascii_case(name));
        named.then_some(ip)
    });
    found.or((name == "localhost").then_some(Ipv4Addr::LOCALHOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_by_any_name() {
        let text = "# hosts\n::1 localhost\n10.0.0.1 a a.example # b\n10.0.0.2 b\n";
        assert_eq!(
            in_hosts(text, "a.example"),
            Some(Ipv4Addr::new(10, 0, 0, 1))
        );
        assert_eq!(in_hosts(text, "b"), Some(Ipv4Addr::new(10, 0, 0, 2)));
        assert_eq!(in_hosts(text, "localhost"), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(in_hosts(text, "c"), None);
        let reversed = reverse(Ipv4Addr::new(10, 0, 0, 7));
        assert_eq!(reversed.as_str(), "7.0.0.10.in-addr.arpa.");
    }
}
