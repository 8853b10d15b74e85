//! The health page of a component: `/livez`, `/readyz`, `/healthz`.

use std::net::SocketAddrV4;

use machine::http::{Server, ServerEvent};
use machine::{Errno, Fd, Sys};
use net::http::{Body, Response};

/// Answers probes.
#[derive(Clone, Debug, Default)]
pub(super) struct Health {
    server: Server,
}

impl Health {
    /// Listens.
    pub(super) fn listen(&mut self, sys: &mut Sys<'_>, addr: SocketAddrV4) -> Result<(), Errno> {
        self.server.listen(sys, addr)
    }

    /// Answers what came in; `false` if the descriptor is not its own.
    pub(super) fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, healthy: bool) -> bool {
        let mut events = Vec::new();
        let own = self.server.on_ready(sys, fd, &mut events);
        for event in events {
            let ServerEvent::Request(from, request) = event else {
                continue;
            };
            let path = request.path();
            let known = ["/livez", "/readyz", "/healthz", "/health"]
                .iter()
                .any(|known| path == *known || path.starts_with(&format!("{known}/")));
            let (status, text) = match (known, healthy) {
                (false, _) => (404, "404 page not found\n"),
                (true, true) => (200, "ok"),
                (true, false) => (500, "not ready"),
            };
            let mut response = Response::new(status, Body::Bytes(text.as_bytes().into()));
            response
                .headers
                .set("Content-Type", "text/plain; charset=utf-8");
            self.server.respond(sys, from, response);
        }
        own
    }
}
