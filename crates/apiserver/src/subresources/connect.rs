//! What admission says of exec, attach and port forwarding, which write nothing, and of what is created
//! below an object: bindings, evictions, tokens.
//!
//! Models the ConnectResource handler of apiserver/pkg/endpoints/handlers/rest.go.

use api::kinds::Kind;
use api::{Status, Value, object};

use crate::admission;
use crate::effect::Cx;
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Write};

/// The subresources that are connected to.
pub(crate) const CONNECTED: [&str; 3] = ["exec", "attach", "portforward"];

impl ApiServer {
    /// Refuses a connection that admission does not allow.
    pub(crate) fn admit_connection(
        &self,
        cx: &Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
        subresource: &'static str,
    ) -> Result<(), Status> {
        let options = options(ask, subresource);
        let deed = Deed::Create(options.clone());
        let mut write = Write::of(cx, ask, kind, resource, deed);
        write.subresource = subresource;
        admission::validate(self, &mut write, &options, None)
    }

    /// Refuses what is to be created below an object and admission does not allow; gives back the
    /// warnings.
    pub(crate) fn admit_below(
        &self,
        write: &Write,
        subresource: &'static str,
        object: &Value,
    ) -> Result<Vec<String>, Status> {
        let mut below = write.clone();
        below.subresource = subresource;
        below.deed = Deed::Create(object.clone());
        admission::validate(self, &mut below, object, None)?;
        Ok(below.warnings)
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
