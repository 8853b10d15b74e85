//! The kubelet's own server: logs, commands in containers, the list of pods, health.
//! Models pkg/kubelet/server/server.go.

use std::net::{Ipv4Addr, SocketAddrV4};
use std::rc::Rc;

use api::{Str, Value, object};
use machine::http::{self, ServerEvent, StreamRef};
use machine::{Fd, Sys};
use net::http::{Body, Method, Request, Response, percent_decode};

use crate::kubelet::State;
use crate::kubelet::forwards::Forwards;
use crate::kubelet::logs::Followers;
use crate::kubelet::streams::Streams;

/// The server and what it serves at length.
#[derive(Clone, Debug, Default)]
pub(crate) struct Server {
    pub(crate) http: http::Server,
    healthz: http::Server,
    pub(crate) followers: Followers,
    pub(crate) streams: Streams,
    pub(crate) forwards: Forwards,
}

/// A container of a pod as a path names it.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    pub(crate) uid: Str,
    pub(crate) unit: usize,
}

impl State {
    /// Begins to listen.
    pub(crate) fn listen(&mut self, sys: &mut Sys<'_>) -> Result<(), String> {
        let addr = SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, self.settings.port);
        self.server.http.listen(sys, addr).map_err(|errno| {
            format!(
                "Failed to listen and serve\" err=\"listen tcp {addr}: bind: {}",
                errno.go_message()
            )
        })?;
        if self.settings.healthz_port != 0 {
            let addr = SocketAddrV4::new(Ipv4Addr::LOCALHOST, self.settings.healthz_port);
            // A kubelet that cannot say that it is well works all the same.
            let _ = self.server.healthz.listen(sys, addr);
        }
        Ok(())
    }

    /// Takes a wake of a descriptor; false if it is not the server's.
    pub(crate) fn serve(&mut self, sys: &mut Sys<'_>, fd: Fd) -> bool {
        let mut events = Vec::new();
        if self.server.healthz.on_ready(sys, fd, &mut events) {
            for event in events {
                if let ServerEvent::Request(to, request) = event {
                    let is_health = request.path() == "/healthz";
                    let response = if is_health {
                        text(200, "ok")
                    } else {
                        not_found()
                    };
                    self.server.healthz.respond(sys, to, response);
                }
            }
            return true;
        }
        if !self.server.http.on_ready(sys, fd, &mut events) {
            return false;
        }
        for event in events {
            match event {
                ServerEvent::Request(to, request) => self.route(sys, to, &request),
                ServerEvent::Data(from, body) => {
                    self.stream_data(sys, from, &body);
                    self.forward_input(sys, from, body);
                }
                ServerEvent::End(from) => {
                    self.stream_input_ended(sys, from);
                    self.forward_gone(sys, from);
                }
                ServerEvent::Reset(from) => self.abandoned(sys, from),
                ServerEvent::Closed(conn) => self.connection_closed(sys, conn),
                ServerEvent::Bytes(conn, _) => self.server.http.close(sys, conn),
            }
        }
        true
    }

    fn route(&mut self, sys: &mut Sys<'_>, to: StreamRef, request: &Rc<Request>) {
        if let Some(refusal) = refuse(request) {
            return self.server.http.respond(sys, to, refusal);
        }
        let path = request.path().to_owned();
        let parts: Vec<String> = path
            .trim_matches('/')
            .split('/')
            .map(percent_decode)
            .collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let response = match parts.as_slice() {
            ["healthz", ..] => text(200, "ok"),
            ["pods"] | ["runningpods"] => json(self.pod_list(parts[0] == "runningpods")),
            ["containerLogs", namespace, pod, container] => {
                return self.serve_logs(sys, to, request, (namespace, pod, container));
            }
            ["exec", namespace, pod, container] => {
                return self.serve_stream(sys, to, request, (namespace, pod, container), false);
            }
            ["attach", namespace, pod, container] => {
                return self.serve_stream(sys, to, request, (namespace, pod, container), true);
            }
            ["metrics", ..] | ["stats", ..] => {
                text(501, &sim::unmodelled!("the kubelet's metrics").to_string())
            }
            ["portForward", namespace, pod] => {
                return self.serve_forward(sys, to, request, (namespace, pod));
            }
            _ => not_found(),
        };
        self.server.http.respond(sys, to, response);
    }

    fn pod_list(&self, running: bool) -> Value {
        let items: Vec<Value> = self
            .pods
            .values()
            .filter(|entry| !running || entry.worker.has_ready_sandbox())
            .map(|entry| {
                let mut object = entry.worker.pod.object.clone();
                object.set("status", &entry.worker.status);
                object
            })
            .collect();
        object! { "kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items }
    }

    /// The container a path names, or what to answer if there is none.
    pub(crate) fn find(
        &self,
        (namespace, pod, container): (&str, &str, &str),
    ) -> Result<Named, Response> {
        // One that is gone from the API server may still be ending, while another has its name.
        let mut known = self.pods.iter().filter(|(_, entry)| !entry.gone);
        let found = known.find(|(_, entry)| {
            (&*entry.worker.pod.namespace, &*entry.worker.pod.name) == (namespace, pod)
        });
        let Some((uid, entry)) = found else {
            return Err(text(404, &format!("pod \"{pod}\" not found\n")));
        };
        match entry.worker.unit(container) {
            Some(unit) => Ok(Named {
                uid: uid.clone(),
                unit,
            }),
            None => {
                let why = format!("container \"{container}\" not found in pod \"{pod}\"\n");
                Err(text(404, &why))
            }
        }
    }

    fn connection_closed(&mut self, sys: &mut Sys<'_>, conn: Fd) {
        let streams: Vec<StreamRef> = self
            .server
            .followers
            .streams()
            .chain(self.server.streams.streams())
            .chain(self.server.forwards.streams())
            .filter(|stream| stream.conn == conn)
            .collect();
        for stream in streams {
            self.abandoned(sys, stream);
        }
    }

    fn abandoned(&mut self, sys: &mut Sys<'_>, from: StreamRef) {
        self.follower_gone(sys, from);
        self.stream_gone(sys, from);
        self.forward_gone(sys, from);
    }
}

/// Who may not: those without a certificate, and those with one that is not an administrator's.
/// Tokens are not asked about.
fn refuse(request: &Request) -> Option<Response> {
    let Some(subject) = &request.peer else {
        return Some(text(401, "Unauthorized"));
    };
    let may = ["O=system:masters", "O=kubeadm:cluster-admins"];
    let part = |part: &str| may.contains(&part.trim());
    if subject.split(',').any(part) {
        return None;
    }
    let user = subject
        .split(',')
        .find_map(|part| part.trim().strip_prefix("CN="))
        .unwrap_or("");
    let verb = if request.method == Method::Get {
        "get"
    } else {
        "create"
    };
    let why =
        format!("Forbidden (user={user}, verb={verb}, resource=nodes, subresource(s)=[proxy])");
    Some(text(403, &why))
}

pub(crate) fn text(status: u16, text: &str) -> Response {
    Response::new(status, text).with_header("Content-Type", "text/plain; charset=utf-8")
}

fn json(value: Value) -> Response {
    Response::new(200, Body::shared(Rc::new(value))).with_header("Content-Type", "application/json")
}

fn not_found() -> Response {
    text(404, "404 page not found\n")
}
