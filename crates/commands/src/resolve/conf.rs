//! `/etc/resolv.conf`. Models resolv/res_init.c.

use std::net::Ipv4Addr;

use net::dns::Name;
use sim::Duration;

/// Name servers that count; what follows is not read.
const MOST_SERVERS: usize = 3;

/// Whom to ask, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Conf {
    /// The servers, in the order they are asked.
    pub(crate) servers: Vec<Ipv4Addr>,
    /// Domains that are put behind a name.
    pub(crate) search: Vec<String>,
    /// A name with so many dots is tried as it is first.
    pub(crate) ndots: usize,
    /// How long the first server is waited for.
    pub(crate) timeout: Duration,
    /// How often each server is asked.
    pub(crate) attempts: u32,
}

impl Conf {
    /// Reads the file's text.
    pub(crate) fn read(text: &str) -> Conf {
        let mut conf = Conf {
            servers: Vec::new(),
            search: Vec::new(),
            ndots: 1,
            timeout: Duration::from_secs(5),
            attempts: 2,
        };
        for line in text.lines() {
            // Comments begin a line, and nowhere else.
            let mut words = line.split_whitespace();
            match words.next() {
                Some("nameserver") => {
                    let server: Option<Ipv4Addr> = words.next().and_then(|w| w.parse().ok());
                    conf.servers.extend(server);
                } // Either keyword; the last line of them counts.
                Some("search" | "domain") => conf.search = words.map(str::to_owned).collect(),
                Some("options") => words.for_each(|word| conf.option(word)),
                _ => {}
            }
        }
        conf.servers.truncate(MOST_SERVERS);
        if conf.servers.is_empty() {
            conf.servers.push(Ipv4Addr::LOCALHOST);
        }
        conf
    }

    fn option(&mut self, word: &str) {
        let Some((name, value)) = word.split_once(':') else {
            return;
        };
        let Ok(number) = value.parse::<u32>() else {
            return;
        };
        match name {
            "ndots" => self.ndots = number.min(15) as usize,
            "timeout" => self.timeout = Duration::from_secs(number.clamp(1, 30).into()),
            "attempts" => self.attempts = number.clamp(1, 5),
            _ => {}
        }
    }

    /// The names to ask for, in order, when somebody wants `name`; what cannot be a name is left
    /// out.
    pub(crate) fn candidates(&self, name: &str) -> Vec<Name> {
        if name.ends_with('.') {
            return name.parse().into_iter().collect();
        }
        let as_it_is = format!("{name}.");
        let dots = name.matches('.').count();
        let mut all: Vec<String> = self
            .search
            .iter()
            .map(|domain| format!("{name}.{}.", domain.trim_matches('.')))
            .collect();
        match dots >= self.ndots {
            true => all.insert(0, as_it_is),
            false => all.push(as_it_is),
        }
        all.iter().filter_map(|name| name.parse().ok()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POD: &str = "search shop.svc.cluster.local svc.cluster.local cluster.local\n\
                       nameserver 10.96.0.10\noptions ndots:5\n";

    #[track_caller]
    fn check(text: &str, name: &str, expect: &[&str]) {
        let candidates = Conf::read(text).candidates(name);
        let names: Vec<&str> = candidates.iter().map(Name::as_str).collect();
        assert_eq!(names, expect);
    }

    #[test]
    fn domains_are_put_behind_names_with_few_dots() {
        check(
            POD,
            "web",
            &[
                "web.shop.svc.cluster.local.",
                "web.svc.cluster.local.",
                "web.cluster.local.",
                "web.",
            ],
        );
        check(POD, "web.shop.", &["web.shop."]);
        let many = "a.b.c.d.e.f";
        assert_eq!(Conf::read(POD).candidates(many)[0].as_str(), "a.b.c.d.e.f.");
        check("", "web.shop", &["web.shop."]);
        check("search x\n", "web.shop", &["web.shop.", "web.shop.x."]);
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let conf = Conf::read("# nameserver 1.1.1.1\nnameserver 10.0.0.1\nnameserver ::1\n");
        assert_eq!(conf.servers, [Ipv4Addr::new(10, 0, 0, 1)]);
        assert_eq!((conf.ndots, conf.attempts), (1, 2));
        assert_eq!(conf.timeout, Duration::from_secs(5));
        assert_eq!(Conf::read("").servers, [Ipv4Addr::LOCALHOST]);
        let conf = Conf::read("options timeout:2 attempts:1 ndots:2 edns0\n");
        assert_eq!((conf.ndots, conf.attempts), (2, 1));
        assert_eq!(conf.timeout, Duration::from_secs(2));
    }
}
