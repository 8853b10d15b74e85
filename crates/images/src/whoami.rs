//! A web server that tells who answers and who asked: what there is to see of a request's way.
//! Models github.com/traefik/whoami app.go.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};

use machine::Sys;
use machine::fs::Node;
use net::http::Request;

use crate::definition::{Definition, Tags, Versions};
use crate::site::{self, Answer, Site};
use crate::userland::{Userland, put};

const TAGS: Tags = Tags {
    words: &["latest"],
    versions: &[Versions::of(1, 5..=11)],
    suffixes: &[],
};

/// `docker.io/traefik/whoami`
pub(crate) static IMAGE: Definition = Definition {
    repository: "docker.io/traefik/whoami",
    ..WHOAMI
};

/// `docker.io/containous/whoami`, as it was called before.
pub(crate) static BEFORE: Definition = Definition {
    repository: "docker.io/containous/whoami",
    programs: &[],
    ..WHOAMI
};

const WHOAMI: Definition = Definition {
    tags: TAGS,
    userland: Userland::None,
    layers: &[("whoami {tag}", 2_870_000)],
    entrypoint: &["/whoami"],
    ports: &[80],
    files: |tree, _| put(tree, "/whoami", Node::binary("whoami-server")),
    programs: &[("whoami-server", || site::program(&Whoami))],
    ..Definition::PLAIN
};

#[derive(Debug)]
struct Whoami;

impl Site for Whoami {
    fn ports(&self, sys: &mut Sys<'_>) -> Result<Vec<u16>, String> {
        let wanted = site::flag(sys, "port").or_else(|| variable(sys, "WHOAMI_PORT_NUMBER"));
        Ok(vec![match wanted {
            Some(text) => site::port("port", &text)?,
            None => 80,
        }])
    }

    fn greeting(&self, port: u16) -> Option<String> {
        Some(format!("Starting up on port {port}\n"))
    }

    fn answer(&self, sys: &mut Sys<'_>, client: SocketAddrV4, request: &Request) -> Answer {
        match request.path() {
            "/bench" => Answer::text("1"),
            "/health" => Answer::text(""),
            _ => Answer::text(report(sys, client, request)),
        }
    }
}

/// Who answers, with which addresses, to whom, and what was asked.
fn report(sys: &Sys<'_>, client: SocketAddrV4, request: &Request) -> String {
    let mut text = String::new();
    let mut line = |what: &str, value: &dyn std::fmt::Display| {
        writeln!(text, "{what}: {value}").expect("a String takes all");
    };
    if let Some(name) = site::flag(sys, "name").or_else(|| variable(sys, "WHOAMI_NAME")) {
        line("Name", &name);
    }
    line("Hostname", &sys.hostname());
    for ip in own_addresses(sys) {
        line("IP", &ip);
    }
    line("RemoteAddr", &client);
    let first = ["Host", "User-Agent"];
    let mut headers: Vec<(&str, &str)> = request.headers.iter().collect();
    headers.sort_by_key(|(name, _)| {
        let place = first.iter().position(|own| own.eq_ignore_ascii_case(name));
        (place.unwrap_or(first.len()), name.to_lowercase())
    });
    let (method, target) = (request.method, &request.target);
    write!(text, "{method} {target} HTTP/1.1\r\n").expect("a String takes all");
    for (name, value) in headers {
        write!(text, "{name}: {value}\r\n").expect("a String takes all");
    }
    text.push_str("\r\n");
    text
}

/// The addresses of the network it is in, the loopback's first.
pub(crate) fn own_addresses(sys: &Sys<'_>) -> Vec<Ipv4Addr> {
    let links = sys.net().links_of(sys.netns());
    links
        .flat_map(|link| link.addrs.iter().map(|net| net.addr))
        .collect()
}

fn variable(sys: &Sys<'_>, name: &str) -> Option<String> {
    sys.env().get(name).map(|value| value.to_string())
}
