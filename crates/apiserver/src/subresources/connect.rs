//! What admission says of exec, attach and port forwarding, which write nothing, and of what is created
//! below an object: bindings, evictions, tokens.
//!
//! Models the ConnectResource handler of apiserver/pkg/endpoints/handlers/rest.go.

use api::kinds::Kind;
use api::{Value, object};

use crate::consult::{Gate, Then};
use crate::effect::Cx;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Write};

/// The subresources that are connected to.
pub(crate) const CONNECTED: [&str; 3] = ["exec", "attach", "portforward"];

impl ApiServer {
    /// Connects a client to a pod, if admission allows it.
    pub(crate) fn begin_connect(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
        subresource: &'static str,
    ) {
        let object = options(ask, subresource);
        let deed = Deed::Create(object.clone());
        let mut write = Write::of(cx, ask, kind, resource, deed);
        write.subresource = subresource;
        let then = Then::Connect(Box::new(ask.clone()));
        self.pass(
            cx,
            Box::new(Gate {
                write,
                object,
                then,
            }),
        );
    }

    /// Creates something below an object, if admission allows it; `then` says what that comes to.
    pub(crate) fn begin_below(
        &mut self,
        cx: &mut Cx<'_>,
        write: &Write,
        subresource: &'static str,
        object: &Value,
        then: Then,
    ) {
        let mut below = Box::new(write.clone());
        below.subresource = subresource;
        below.deed = Deed::Create(object.clone());
        let gate = Gate {
            write: below,
            object: object.clone(),
            then,
        };
        self.pass(cx, Box::new(gate));
    }
}

/// The parameters of a connection as the object that they stand for.
fn options(ask: &Ask, subresource: &str) -> Value {
    let kind = match subresource {
        "exec" => "PodExecOptions",
        "attach" => "PodAttachOptions",
        _ => "PodPortForwardOptions",
    };
    let all = |name: &str| {
        let pairs = ask.query.pairs.iter().filter(|(key, _)| key == name);
        pairs
            .map(|(_, value)| value.as_str())
            .collect::<Vec<&str>>()
    };
    let mut options = object! { "kind": kind, "apiVersion": "v1" };
    for stream in ["stdin", "stdout", "stderr", "tty"] {
        if matches!(ask.query.get(stream), "true" | "1") {
            options.set(stream, true);
        }
    }
    if !ask.query.get("container").is_empty() {
        options.set("container", ask.query.get("container"));
    }
    if !all("command").is_empty() {
        options.set("command", all("command"));
    }
    let ports: Vec<Value> = all("ports")
        .iter()
        .flat_map(|list| list.split(','))
        .filter_map(|port| port.parse::<i64>().ok().map(Value::from))
        .collect();
    if !ports.is_empty() {
        options.set("ports", ports);
    }
    options
}
