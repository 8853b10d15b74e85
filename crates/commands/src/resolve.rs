//! Names of hosts as the C library finds them: addresses as they are, `/etc/hosts`, then the name
//! servers of `/etc/resolv.conf`. Models glibc's resolv/res_query.c and resolv/res_send.c.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use machine::{Errno, Io};
use net::dns::{self, Message, Rcode, RecordData, RecordType};
use sim::{Duration, Instant};

/// Why a name has no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotFound {
    /// There is no such name (EAI_NONAME).
    Never,
    /// No server could be asked (EAI_AGAIN).
    Now,
}

impl NotFound {
    /// As `gai_strerror(3)` says it.
    pub(crate) fn message(self) -> &'static str {
        match self {
            NotFound::Never => "Name or service not known",
            NotFound::Now => "Temporary failure in name resolution",
        }
    }
}

/// What `/etc/resolv.conf` says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Config {
    /// Servers to be asked, in order.
    pub(crate) servers: Vec<Ipv4Addr>,
    /// Domains in which a short name is looked for.
    pub(crate) search: Vec<Rc<str>>,
    /// Dots that make a name one to be tried as it is first.
    pub(crate) ndots: usize,
    /// How long a server has to answer.
    pub(crate) timeout: Duration,
    /// How often each is asked.
    pub(crate) attempts: u32,
}

/// Why a server gave no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Silence {
    /// It took too long.
    TimedOut,
    /// It cannot be reached.
    Failed(Errno),
}

/// The address a name stands for, or why there is none.
pub(crate) async fn name(io: &Io, host: &str) -> Result<Ipv4Addr, NotFound> {
    let wanted = host.trim_matches(['[', ']']).to_ascii_lowercase();
    if let Ok(ip) = wanted.parse() {
        return Ok(ip);
    }
    let text = io.read_to_string("/etc/hosts").await.unwrap_or_default();
    if let Some(ip) = in_hosts(&text, wanted.trim_end_matches('.')) {
        return Ok(ip);
    }
    let is_odd = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_'));
    if wanted.is_empty() || wanted.contains(is_odd) {
        return Err(NotFound::Never);
    }
    let config = config(io).await;
    let mut worst = NotFound::Never;
    for candidate in config.candidates(&wanted) {
        match addresses(io, &config, &candidate).await {
            Ok(found) => {
                if let Some(ip) = found.first() {
                    return Ok(*ip);
                }
            }
            // A server that fails for one domain may know about the next; one that is not there
            // will not.
            Err(true) => worst = NotFound::Now,
            Err(false) => return Err(NotFound::Now),
        }
    }
    Err(worst)
}

/// The name of an address, by `/etc/hosts` and then by the name servers.
pub(crate) async fn name_of(io: &Io, addr: Ipv4Addr) -> Option<Rc<str>> {
    let text = io.read_to_string("/etc/hosts").await.unwrap_or_default();
    if let Some(name) = in_hosts_by_addr(&text, addr) {
        return Some(name);
    }
    let config = config(io).await;
    let query = Message::query(id(io).await, &reverse(addr), RecordType::PTR);
    let replies = ask_all(io, &config, vec![query]).await.ok()?;
    let mut records = replies.into_iter().flat_map(|reply| reply.answers);
    records.find_map(|record| match record.data {
        RecordData::Ptr(name) => Some(name.trim_end_matches('.').into()),
        _ => None,
    })
}

/// The name under which the name of an address is kept: `2.1.244.10.in-addr.arpa.`
pub(crate) fn reverse(addr: Ipv4Addr) -> String {
    let [a, b, c, d] = addr.octets();
    format!("{d}.{c}.{b}.{a}.in-addr.arpa.")
}

/// Whether this is a system of BusyBox, whose tools say things their own way.
pub(crate) async fn is_busybox(io: &Io) -> bool {
    io.sys(|sys| sys.exists("/bin/busybox")).await
}

/// A number for a query.
pub(crate) async fn id(io: &Io) -> u16 {
    io.sys(|sys| sys.random().below(1 << 16) as u16).await
}

/// What `/etc/resolv.conf` says; without it, there is a server on this machine.
pub(crate) async fn config(io: &Io) -> Config {
    let text = io.read_to_string("/etc/resolv.conf").await;
    Config::read(&text.unwrap_or_default())
}

impl Config {
    fn read(text: &str) -> Config {
        let mut config = Config {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
        };
        for line in text.lines() {
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let server: Option<Ipv4Addr> = words.next().and_then(|word| word.parse().ok());
                    // glibc asks three at most.
                    if config.servers.len() < 3 {
                        config.servers.extend(server);
                    }
                }
                Some("search" | "domain") => config.search = words.map(Rc::from).collect(),
                Some("options") => words.for_each(|word| config.option(word)),
                _ => {}
            }
        }
        if config.servers.is_empty() {
            config.servers.push(Ipv4Addr::LOCALHOST);
        }
        config
    }

    fn option(&mut self, word: &str) {
        let (name, value) = word.split_once(':').unwrap_or((word, ""));
        let Ok(value) = value.parse::<u32>() else {
            return;
        };
        match name {
            "ndots" => self.ndots = value.min(15) as usize,
            "timeout" => self.timeout = Duration::from_secs(u64::from(value.clamp(1, 30))),
            "attempts" => self.attempts = value.clamp(1, 5),
            _ => {}
        }
    }

    /// The absolute names to be tried for a name, in order.
    pub(crate) fn candidates(&self, name: &str) -> Vec<Rc<str>> {
        if name.ends_with('.') {
            return vec![name.into()];
        }
        let itself = dns::absolute(name);
        let searched = self.search.iter().map(|domain| {
            let domain = domain.trim_end_matches('.');
            dns::absolute(&format!("{name}.{domain}"))
        });
        match name.matches('.').count() >= self.ndots {
            true => [itself].into_iter().chain(searched).collect(),
            false => searched.chain([itself]).collect(),
        }
    }
}

/// The IPv4 addresses of an absolute name; both families are asked for, as `getaddrinfo(3)` does.
/// An error tells whether a server said something at least.
async fn addresses(io: &Io, config: &Config, name: &str) -> Result<Vec<Ipv4Addr>, bool> {
    let mut queries = Vec::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        queries.push(Message::query(id(io).await, name, kind));
    }
    let replies = ask_all(io, config, queries).await.map_err(|_| false)?;
    if !replies
        .iter()
        .all(|reply| matches!(reply.rcode, Rcode::NoError | Rcode::NxDomain))
    {
        return Err(true);
    }
    let records = replies.iter().flat_map(|reply| &reply.answers);
    let addr = |record: &dns::Record| match record.data {
        RecordData::A(addr) => Some(addr),
        _ => None,
    };
    Ok(records.filter_map(addr).collect())
}

/// Asks the servers in turn until one answers.
async fn ask_all(io: &Io, config: &Config, queries: Vec<Message>) -> Result<Vec<Message>, Silence> {
    let mut silence = Silence::TimedOut;
    for _ in 0..config.attempts {
        for server in &config.servers {
            let server = SocketAddrV4::new(*server, dns::PORT);
            match ask(io, server, queries.clone(), config.timeout).await {
                Ok(replies) => return Ok(replies),
                Err(other) => silence = other,
            }
        }
    }
    Err(silence)
}

/// Sends queries to a server, and waits for the answers to all of them.
pub(crate) async fn ask(
    io: &Io,
    server: SocketAddrV4,
    queries: Vec<Message>,
    timeout: Duration,
) -> Result<Vec<Message>, Silence> {
    let sent = queries.clone();
    let begun = io.sys(move |sys| {
        let fd = sys.udp_bind(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
        sys.udp_connect(fd, server)?;
        for query in &sent {
            if let Err(errno) = sys.send_to(fd, server, query.payload()) {
                sys.close(fd);
                return Err(errno);
            }
        }
        sys.timer(timeout);
        Ok((fd, sys.now() + timeout))
    });
    let (fd, end): (_, Instant) = begun.await.map_err(Silence::Failed)?;
    let mut replies: Vec<Option<Message>> = vec![None; queries.len()];
    while replies.iter().any(Option::is_none) {
        let heard = io.until(move |sys| match sys.recv_from(fd) {
            Ok((_, payload)) => Some(Ok(payload.bytes())),
            Err(Errno::EAGAIN) if sys.now() >= end => Some(Err(Silence::TimedOut)),
            Err(Errno::EAGAIN) => None,
            Err(errno) => Some(Err(Silence::Failed(errno))),
        });
        let bytes = match heard.await {
            Ok(bytes) => bytes,
            Err(silence) => {
                io.close(fd).await;
                return Err(silence);
            }
        };
        // What is no answer to one of these questions is not for us.
        let Ok(message) = Message::decode(&bytes) else {
            continue;
        };
        let asked = queries.iter().position(|query| query.id == message.id);
        if let Some(asked) = asked.filter(|_| message.flags.response) {
            replies[asked] = Some(message);
        }
    }
    io.close(fd).await;
    Ok(replies.into_iter().flatten().collect())
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

/// The first name of an address there.
fn in_hosts_by_addr(text: &str, addr: Ipv4Addr) -> Option<Rc<str>> {
    let found = hosts(text).find(|(ip, _)| *ip == addr);
    found.and_then(|(_, mut names)| names.next()).map(Rc::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_found_by_any_name_and_by_address() {
        let text = "# hosts\n::1 localhost\n10.0.0.1 a a.example # b\n10.0.0.2 b\n";
        let at = |d| Ipv4Addr::new(10, 0, 0, d);
        assert_eq!(in_hosts(text, "a.example"), Some(at(1)));
        assert_eq!(in_hosts(text, "b"), Some(at(2)));
        assert_eq!(in_hosts(text, "localhost"), Some(Ipv4Addr::LOCALHOST));
        assert_eq!(in_hosts(text, "c"), None);
        assert_eq!(in_hosts_by_addr(text, at(1)).as_deref(), Some("a"));
        assert_eq!(in_hosts_by_addr(text, at(3)), None);
        assert_eq!(reverse(at(7)), "7.0.0.10.in-addr.arpa.");
    }

    #[track_caller]
    fn check(name: &str, expected: &[&str]) {
        let text = "search shop.svc.cluster.local svc.cluster.local\nnameserver 10.96.0.10\noptions ndots:2 attempts:3\n";
        let config = Config::read(text);
        assert_eq!((config.attempts, config.servers.len()), (3, 1));
        let candidates: Vec<String> = config
            .candidates(name)
            .iter()
            .map(|c| c.to_string())
            .collect();
        assert_eq!(candidates, expected);
    }

    #[test]
    fn short_names_are_searched_for() {
        check(
            "web",
            &[
                "web.shop.svc.cluster.local.",
                "web.svc.cluster.local.",
                "web.",
            ],
        );
        check(
            "a.b.c",
            &[
                "a.b.c.",
                "a.b.c.shop.svc.cluster.local.",
                "a.b.c.svc.cluster.local.",
            ],
        );
        check("web.", &["web."]);
    }

    #[test]
    fn without_a_file_this_machine_is_asked() {
        let config = Config::read("");
        assert_eq!(config.servers, [Ipv4Addr::LOCALHOST]);
        assert_eq!(config.candidates("a"), [Rc::from("a.")]);
    }
}
