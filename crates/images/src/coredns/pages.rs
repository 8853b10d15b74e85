//! The pages for probes and for Prometheus.
//! Models coredns/plugin/{health,ready,metrics}.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};

use machine::http::{Server, ServerEvent};
use machine::{Fd, Sys};
use net::dns::{Rcode, RecordType};
use net::http::{Body, Response};

use super::config::Config;

/// A page's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Page {
    Health,
    Ready,
    Metrics,
}

/// Who listens on which port.
#[derive(Clone, Debug, Default)]
pub(super) struct Pages {
    servers: Vec<(Page, u16, Server)>,
}

/// What was answered, for the metrics.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    requests: BTreeMap<(u16, RecordType, &'static str), u64>,
    responses: BTreeMap<(u16, Rcode), u64>,
}

impl Counts {
    pub(super) fn add(&mut self, port: u16, qtype: RecordType, proto: &'static str, rcode: Rcode) {
        *self.requests.entry((port, qtype, proto)).or_default() += 1;
        *self.responses.entry((port, rcode)).or_default() += 1;
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "# HELP coredns_dns_requests_total Counter of DNS requests made per zone, protocol \
             and family.\n# TYPE coredns_dns_requests_total counter\n",
        );
        for ((port, qtype, proto), count) in &self.requests {
            let _ = writeln!(
                text,
                "coredns_dns_requests_total{{family=\"1\",proto=\"{proto}\",\
                 server=\"dns://:{port}\",type=\"{qtype}\",view=\"\",zone=\".\"}} {count}"
            );
        }
        text.push_str(
            "# HELP coredns_dns_responses_total Counter of response status codes.\n\
             # TYPE coredns_dns_responses_total counter\n",
        );
        for ((port, rcode), count) in &self.responses {
            let _ = writeln!(
                text,
                "coredns_dns_responses_total{{plugin=\"\",rcode=\"{rcode}\",\
                 server=\"dns://:{port}\",view=\"\",zone=\".\"}} {count}"
            );
        }
        text
    }
}

impl Pages {
    /// Listens where the configuration says, and no longer where it said before.
    ///
    /// # Errors
    /// In the words the server exits with.
    pub(super) fn open(&mut self, sys: &mut Sys<'_>, config: &Config) -> Result<(), String> {
        let wanted = [
            (Page::Health, config.health.map(|(port, _)| port)),
            (Page::Ready, config.ready),
            (Page::Metrics, config.prometheus),
        ];
        self.servers.retain_mut(|(page, port, server)| {
            let stays = wanted.contains(&(*page, Some(*port)));
            if !stays {
                server.stop(sys);
            }
            stays
        });
        for (page, port) in wanted {
            let Some(port) = port else { continue };
            if self.servers.iter().any(|(own, ..)| *own == page) {
                continue;
            }
            let mut server = Server::new();
            let listens = server.listen(sys, SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port));
            listens.map_err(|errno| {
                let why = errno.go_message();
                format!("listen tcp :{port}: bind: {why}")
            })?;
            self.servers.push((page, port, server));
        }
        Ok(())
    }

    /// Answers what came in; `false` if the descriptor is none of these.
    pub(super) fn on_ready(
        &mut self,
        sys: &mut Sys<'_>,
        fd: Fd,
        ready: bool,
        counts: &Counts,
    ) -> bool {
        for (page, _, server) in &mut self.servers {
            let mut events = Vec::new();
            if !server.on_ready(sys, fd, &mut events) {
                continue;
            }
            for event in events {
                let ServerEvent::Request(from, request) = event else {
                    continue;
                };
                let (status, text) = answer(*page, request.path(), ready, counts);
                let mut response = Response::new(status, Body::Bytes(text.as_bytes().into()));
                let kind = "text/plain; charset=utf-8";
                response.headers.set("Content-Type", kind);
                server.respond(sys, from, response);
            }
            return true;
        }
        false
    }
}

fn answer(page: Page, path: &str, ready: bool, counts: &Counts) -> (u16, String) {
    match (page, path) {
        (Page::Health, "/health") => (200, "OK".to_owned()),
        (Page::Ready, "/ready") if ready => (200, "OK".to_owned()),
        // The plugins that are not.
        (Page::Ready, "/ready") => (503, "kubernetes".to_owned()),
        (Page::Metrics, "/metrics") => (200, counts.text()),
        _ => (404, "404 page not found\n".to_owned()),
    }
}
