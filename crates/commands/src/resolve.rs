//! Names of hosts, as the C library finds their addresses: what is an address already,
//! `/etc/hosts`, then the name servers of `/etc/resolv.conf`.
//! Models glibc's getaddrinfo with nss `files dns`, and resolv/res_query.c.

mod conf;
mod dns;

use std::net::Ipv4Addr;

use machine::Io;

use conf::Conf;

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
    let text = io.read_to_string("/etc/resolv.conf").await;
    let conf = Conf::read(&text.unwrap_or_default());
    dns::search(io, &conf, &wanted).await
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

/// A name in the text of a hosts file.
fn in_hosts(text: &str, name: &str) -> Option<Ipv4Addr> {
    for line in text.lines() {
        let mut words = line
            .split('#')
            .next()
            .unwrap_or_default()
            .split_whitespace();
        let Some(Ok(ip)) = words.next().map(str::parse) else {
            continue;
        };
        if words.any(|word| word.eq_ignore_ascii_case(name)) {
            return Some(ip);
        }
    }
    (name == "localhost").then_some(Ipv4Addr::LOCALHOST)
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
    }
}
