//! Commands run in containers and joined containers: carries their streams between the runtime and
//! whoever asked, in the messages of Kubernetes' own WebSocket protocol.
//! Models k8s.io/streaming/pkg/httpstream and cri-client's streaming server; v5.channel.k8s.io.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::{Value, object};
use machine::Sys;
use machine::http::StreamRef;
use net::http::{Body, Request, Response};

use crate::cri::{self, Error, Part, Reply, Stdio};
use crate::kubelet::State;
use crate::kubelet::runtime::Purpose;
use crate::kubelet::server::text;

/// Channels: the first byte of each message.
const STDIN: u8 = 0;
const STDOUT: u8 = 1;
const STDERR: u8 = 2;
const ERROR: u8 = 3;
const RESIZE: u8 = 4;
const CLOSE: u8 = 255;

/// A stream, by the exchange it is carried on.
pub(crate) type StreamId = StreamRef;

/// Streams that are open.
#[derive(Clone, Debug, Default)]
pub(crate) struct Streams {
    open: BTreeMap<StreamRef, Open>,
    by_call: BTreeMap<u64, StreamRef>,
}

#[derive(Clone, Debug)]
struct Open {
    call: u64,
    stdin: bool,
    /// Whether the process was there before: how it ends is not the stream's business then.
    joins: bool,
}

impl Streams {
    pub(crate) fn streams(&self) -> impl Iterator<Item = StreamRef> {
        self.open.keys().copied()
    }

    fn joins(&self, stream: StreamRef) -> bool {
        self.open.get(&stream).is_some_and(|open| open.joins)
    }
}

impl State {
    /// Answers a request for streams to a container.
    pub(crate) fn serve_stream(
        &mut self,
        sys: &mut Sys<'_>,
        to: StreamRef,
        request: &Request,
        (namespace, pod, container): (&str, &str, &str),
        joins: bool,
    ) {
        let named = match self.find((namespace, pod, container)) {
            Ok(named) => named,
            Err(response) => return self.server.http.respond(sys, to, response),
        };
        let unit = &self.pods[&named.uid].worker.units[named.unit];
        let id = unit
            .current
            .as_ref()
            .filter(|_| unit.is_running())
            .map(|life| life.id.clone());
        let Some(id) = id else {
            let why = if joins {
                format!("container {container} not found in pod {pod}_{namespace}\n")
            } else {
                format!("container not found (\"{container}\")\n")
            };
            return self.server.http.respond(sys, to, text(500, &why));
        };
        let query = request.query();
        let is_true = |name: &str| {
            query
                .iter()
                .any(|(key, value)| key == name && (value == "1" || value == "true"))
        };
        let stdio = Stdio {
            stdin: is_true("input"),
            tty: is_true("tty"),
        };
        let words = query.iter().filter(|(key, _)| key == "command");
        let command: Rc<[Rc<str>]> = words.map(|(_, word)| word.as_str().into()).collect();
        let head = Response::new(101, Body::Empty)
            .with_header("Connection", "Upgrade")
            .with_header("Upgrade", "websocket")
            .with_header("Sec-WebSocket-Protocol", "v5.channel.k8s.io");
        self.server.http.respond(sys, to, head.streaming());
        let request = if joins {
            cri::Request::Attach { id, stdio }
        } else {
            cri::Request::Exec { id, command, stdio }
        };
        let call = self
            .runtime
            .call(sys, request, Purpose::Stream(to), &mut self.heard);
        self.server.streams.open.insert(
            to,
            Open {
                call,
                stdin: stdio.stdin,
                joins,
            },
        );
        self.server.streams.by_call.insert(call, to);
    }

    /// The runtime has opened the stream, or could not.
    pub(crate) fn stream_answered(
        &mut self,
        sys: &mut Sys<'_>,
        to: StreamId,
        answer: Result<Reply, Error>,
    ) {
        if let Err(error) = answer {
            let why = format!("error executing command in container: {}", error.desc);
            let status = object! {
                "metadata": {},
                "status": "Failure",
                "message": format!("Internal error occurred: Internal error occurred: {why}"),
                "reason": "InternalError",
                "details": { "causes": [{ "message": why }] },
                "code": 500,
            };
            self.finish_stream(sys, to, &status);
        }
    }

    /// A part from the runtime.
    pub(crate) fn stream_part(&mut self, sys: &mut Sys<'_>, call: u64, part: Part) {
        let Some(to) = self.server.streams.by_call.get(&call).copied() else {
            return;
        };
        match part {
            Part::Stdout(bytes) => self.send_part(sys, to, STDOUT, &bytes),
            Part::Stderr(bytes) => self.send_part(sys, to, STDERR, &bytes),
            Part::Exited(code) if code == 0 || self.server.streams.joins(to) => {
                self.finish_stream(sys, to, &object! { "metadata": {}, "status": "Success" });
            }
            Part::Exited(code) => {
                let status = object! {
                    "metadata": {},
                    "status": "Failure",
                    "message": format!("command terminated with non-zero exit code: exit status {code}"),
                    "reason": "NonZeroExitCode",
                    "details": { "causes": [{ "reason": "ExitCode", "message": code.to_string() }] },
                };
                self.finish_stream(sys, to, &status);
            }
            _ => {}
        }
    }

    fn send_part(&mut self, sys: &mut Sys<'_>, to: StreamRef, channel: u8, bytes: &[u8]) {
        let mut message = Vec::with_capacity(bytes.len() + 1);
        message.push(channel);
        message.extend_from_slice(bytes);
        self.server.http.data(sys, to, Body::from(message));
    }

    fn finish_stream(&mut self, sys: &mut Sys<'_>, to: StreamRef, status: &Value) {
        self.send_part(sys, to, ERROR, status.to_json().as_bytes());
        self.server.http.end(sys, to);
        if let Some(open) = self.server.streams.open.remove(&to) {
            self.server.streams.by_call.remove(&open.call);
        }
    }

    /// A message from whoever asked.
    pub(crate) fn stream_data(&mut self, sys: &mut Sys<'_>, from: StreamRef, body: &Body) {
        let Some(open) = self.server.streams.open.get(&from) else {
            return;
        };
        let bytes = body.bytes();
        let Some((channel, rest)) = bytes.split_first() else {
            return;
        };
        let part = match *channel {
            STDIN if open.stdin => Part::Stdin(rest.into()),
            RESIZE => {
                let size = Value::from_json(rest).unwrap_or_default();
                let side = |name: &str| u16::try_from(size.i64_at(name).unwrap_or(0)).unwrap_or(0);
                Part::Resize(side("Width"), side("Height"))
            }
            CLOSE if rest.first() == Some(&STDIN) => Part::StdinClosed,
            _ => return,
        };
        let call = open.call;
        self.runtime.part(sys, call, part);
    }

    /// No more messages come from whoever asked: their input has ended.
    pub(crate) fn stream_input_ended(&mut self, sys: &mut Sys<'_>, from: StreamRef) {
        if let Some(open) = self.server.streams.open.get(&from) {
            let call = open.call;
            self.runtime.part(sys, call, Part::StdinClosed);
        }
    }

    /// Nobody listens any more.
    pub(crate) fn stream_gone(&mut self, sys: &mut Sys<'_>, from: StreamRef) {
        if let Some(open) = self.server.streams.open.remove(&from) {
            self.server.streams.by_call.remove(&open.call);
            self.runtime.part(sys, open.call, Part::Abandoned);
        }
    }
}
