//! Forwarded ports: each exchange carries one connection into a pod. It is answered once that
//! stands; then its data, either way, are the connection's, and its end is that of the connection.
//! One that cannot be made is refused with the reason as text. (Upstream opens two streams of one
//! upgraded connection for each, the second for the reason; the front can, too.)
//! Models k8s.io/streaming/pkg/httpstream and kubelet/server/portforward.

use std::collections::BTreeMap;

use machine::Sys;
use machine::http::StreamRef;
use net::Payload;
use net::http::{Body, Request, Response};

use crate::cri::{self, Error, Reply};
use crate::kubelet::State;
use crate::kubelet::runtime::Purpose;
use crate::kubelet::server::text;

/// Connections into pods, by the exchange that carries each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Forwards {
    open: BTreeMap<StreamRef, u64>,
    by_call: BTreeMap<u64, StreamRef>,
}

impl Forwards {
    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamRef> {
        self.open.keys().copied()
    }

    fn remove(&mut self, stream: StreamRef) -> Option<u64> {
        let call = self.open.remove(&stream)?;
        self.by_call.remove(&call);
        Some(call)
    }
}

impl State {
    /// Answers a request for a port of a pod.
    pub(crate) fn serve_forward(
        &mut self,
        sys: &mut Sys<'_>,
        to: StreamRef,
        request: &Request,
        (namespace, pod): (&str, &str),
    ) {
        let refuse = |status: u16, why: String| text(status, &why);
        let query = request.query();
        let port = query.iter().find(|(key, _)| key == "port");
        let port = port.and_then(|(_, port)| port.parse().ok());
        let Some(port) = port.filter(|port| *port != 0) else {
            let why = refuse(400, "query parameter \"port\" is required\n".to_owned());
            return self.server.http.respond(sys, to, why);
        };
        let found = self.pods.values().find(|entry| {
            let pod_is = &entry.worker.pod;
            (&*pod_is.namespace, &*pod_is.name) == (namespace, pod)
        });
        let sandbox = match found.map(|entry| &entry.worker.sandbox) {
            None => Err(refuse(404, "pod does not exist\n".to_owned())),
            Some(Some(sandbox)) if sandbox.ready => Ok(sandbox.id.clone()),
            Some(_) => Err(refuse(
                500,
                format!("unable to do port forwarding: pod {pod}_{namespace} is not running\n"),
            )),
        };
        let sandbox = match sandbox {
            Ok(sandbox) => sandbox,
            Err(why) => return self.server.http.respond(sys, to, why),
        };
        let purpose = Purpose::Forward(to, port, sandbox.clone());
        let request = cri::Request::PortForward { sandbox, port };
        let call = self.runtime.call(sys, request, purpose, &mut self.heard);
        self.server.forwards.open.insert(to, call);
        self.server.forwards.by_call.insert(call, to);
    }

    /// The connection stands, or could not be made.
    pub(crate) fn forward_answered(
        &mut self,
        sys: &mut Sys<'_>,
        to: StreamRef,
        (port, sandbox): (u16, &str),
        answer: Result<Reply, Error>,
    ) {
        match answer {
            Ok(_) => {
                let head = Response::new(101, Body::Empty)
                    .with_header("Connection", "Upgrade")
                    .with_header("Upgrade", "websocket")
                    .with_header("Sec-WebSocket-Protocol", "v4.channel.k8s.io");
                self.server.http.respond(sys, to, head.streaming());
            }
            Err(error) => {
                self.server.forwards.remove(to);
                let why = format!(
                    "error forwarding port {port} to pod {sandbox}, uid : {}",
                    error.desc
                );
                self.server.http.respond(sys, to, text(500, &why));
            }
        }
    }

    /// Something came from the pod, or its side is closed.
    pub(crate) fn forward_output(
        &mut self,
        sys: &mut Sys<'_>,
        call: u64,
        payload: Option<Payload>,
    ) {
        let Some(to) = self.server.forwards.by_call.get(&call).copied() else {
            return;
        };
        match payload {
            Some(Payload::Bytes(bytes)) => self.server.http.data(sys, to, Body::from(bytes)),
            Some(Payload::Shared(shared)) => self.server.http.data(sys, to, Body::Shared(shared)),
            None => {
                self.server.forwards.remove(to);
                self.server.http.end(sys, to);
            }
        }
    }

    /// Something came from whoever asked.
    pub(crate) fn forward_input(&mut self, sys: &mut Sys<'_>, from: StreamRef, body: Body) {
        let Some(call) = self.server.forwards.open.get(&from).copied() else {
            return;
        };
        let payload = match body {
            Body::Empty => return,
            Body::Bytes(bytes) => Payload::Bytes(bytes),
            Body::Shared(shared) => Payload::Shared(shared),
        };
        self.runtime.forward(sys, call, Some(payload));
    }

    /// Whoever asked is done, or gone.
    pub(crate) fn forward_gone(&mut self, sys: &mut Sys<'_>, from: StreamRef) {
        if let Some(call) = self.server.forwards.remove(from) {
            self.runtime.forward(sys, call, None);
        }
    }
}
