//! The ports kube-proxy answers on: its own health, and the health check node ports of Services.
//! Models pkg/proxy/healthcheck.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddrV4};

use machine::http::{Server, ServerEvent};
use machine::{Errno, Fd, Sys};
use net::http::Response;
use sim::Instant;

use super::component::KubeProxy;
use super::health::Health;

/// The listeners of one kube-proxy.
#[derive(Clone, Debug, Default)]
pub(super) struct Ports {
    own: Server,
    /// By port.
    services: BTreeMap<u16, (Server, Health)>,
}

impl Ports {
    /// Listens for those who ask how kube-proxy is.
    ///
    /// # Errors
    /// As [`Sys::listen`].
    pub(super) fn open(&mut self, sys: &mut Sys<'_>, healthz: SocketAddrV4) -> Result<(), Errno> {
        self.own.listen(sys, healthz)
    }

    /// Opens the ports of Services that have come, closes those of Services that are gone, and
    /// notes what is to be answered. Gives the ports that could not be opened, with the reason.
    pub(super) fn update<'a>(
        &mut self,
        sys: &mut Sys<'_>,
        services: impl Iterator<Item = &'a Health>,
    ) -> Vec<(u16, Errno)> {
        let mut before = std::mem::take(&mut self.services);
        let mut failed = Vec::new();
        for health in services {
            let server = match before.remove(&health.port) {
                Some((server, _)) => server,
                None => {
                    let mut server = Server::new();
                    let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, health.port);
                    if let Err(errno) = server.listen(sys, addr) {
                        failed.push((health.port, errno));
                        continue;
                    }
                    server
                }
            };
            let entry = (server, health.clone());
            self.services.insert(health.port, entry);
        }
        for (_, (mut server, _)) in before {
            server.stop(sys);
        }
        failed
    }

    /// Answers what came in; `false` if the descriptor is none of its own.
    pub(super) fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, proxy: &KubeProxy) -> bool {
        let now = sys.now();
        if answer(&mut self.own, sys, fd, |path| healthz(path, proxy, now)) {
            return true;
        }
        self.services
            .values_mut()
            .any(|(server, health)| answer(server, sys, fd, |_| health.response()))
    }
}

fn answer(
    server: &mut Server,
    sys: &mut Sys<'_>,
    fd: Fd,
    response: impl Fn(&str) -> Response,
) -> bool {
    let mut events = Vec::new();
    let own = server.on_ready(sys, fd, &mut events);
    for event in events {
        if let ServerEvent::Request(from, request) = event {
            let response = response(request.path());
            server.respond(sys, from, response);
        }
    }
    own
}

/// kube-proxy is well once it has written its rules.
fn healthz(path: &str, proxy: &KubeProxy, now: Instant) -> Response {
    if !matches!(path, "/healthz" | "/livez") {
        let header = ("Content-Type", "text/plain; charset=utf-8");
        return Response::new(404, "404 page not found\n".to_owned())
            .with_header(header.0, header.1);
    }
    let status = match proxy.last_sync() {
        Some(_) => 200,
        None => 503,
    };
    let body = format!(
        "{{\"lastUpdated\": \"{now}\",\"currentTime\": \"{now}\", \"nodeEligible\": true}}",
        now = go_time(now)
    );
    Response::new(status, body)
        .with_header("Content-Type", "application/json")
        .with_header("X-Content-Type-Options", "nosniff")
}

/// A time as Go prints it: `2026-01-05 09:00:01.5 +0000 UTC`.
fn go_time(now: Instant) -> String {
    let c = now.civil();
    let fraction = format!(".{:09}", now.subsec_nanos());
    let fraction = fraction.trim_end_matches('0').trim_end_matches('.');
    format!(
        "{}-{:02}-{:02} {:02}:{:02}:{:02}{fraction} +0000 UTC",
        c.year, c.month, c.day, c.hour, c.minute, c.second
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_printed_as_go_does() {
        let at = |nanos| go_time(Instant::from_nanos(nanos));
        assert_eq!(at(1_500_000_000), "2026-01-05 09:00:01.5 +0000 UTC");
        assert_eq!(at(2_000_000_000), "2026-01-05 09:00:02 +0000 UTC");
    }
}
