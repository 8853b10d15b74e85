//! Logs, exec, attach and port forwarding: streams between a client and the kubelet of a pod's node,
//! handed through in both directions.
//!
//! Models pkg/registry/core/pod/rest/{log,subresources}.go.

use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddrV4};

use api::kinds::Kind;
use api::status::Reason;
use api::{Status, Value, status};
use net::Errno;
use net::http::{Request, percent_encode};

use crate::effect::{Action, Cx, Peer, StreamId};
use crate::reply::{self, Accept};
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask, Purpose};

/// Parameters of the API and the kubelet's names for them.
const LOG_PARAMETERS: [&str; 8] = [
    "follow",
    "previous",
    "sinceSeconds",
    "sinceTime",
    "timestamps",
    "tailLines",
    "limitBytes",
    "stream",
];
const EXEC_PARAMETERS: [(&str, &str); 4] = [
    ("stdin", "input"),
    ("stdout", "output"),
    ("stderr", "error"),
    ("tty", "tty"),
];

impl ApiServer {
    /// Hands a request on to the kubelet of the pod's node.
    pub(crate) fn pod_connect(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let pod = self
            .find(resource, kind, &ask.info.namespace, &ask.info.name)?
            .value
            .clone();
        let what = ask.info.subresource.as_str();
        let container = match what {
            "portforward" => String::new(),
            _ => container_of(&pod, ask.query.get("container"))?,
        };
        let node = pod.str_at("spec.nodeName");
        if node.is_empty() {
            if what == "log" {
                // Nothing has run yet, so there is nothing to show.
                cx.act(Action::Respond(ask.from, reply::text(200, "")));
                return Ok(());
            }
            let name = pod.name();
            return Err(status::bad_request(format!(
                "pod {name} does not have a host assigned"
            )));
        }
        let addr = self.kubelet_address(node)?;
        let target = kubelet_target(what, &pod, &container, ask);
        let mut request = Request::new(ask.request.method, target);
        request.headers = ask.request.headers.clone();
        request.headers.remove("Authorization");
        request.body = ask.request.body.clone();
        request.more = ask.request.more;
        request.peer = self.config.kubelet_identity.clone();
        let purpose = Purpose::Proxy {
            to: ask.from,
            upgrades: what != "log",
            reaches: None,
        };
        let call = self.call(cx, Peer::Kubelet(addr), request, purpose);
        self.proxied.insert(ask.from, call);
        Ok(())
    }

    /// Where the kubelet of a node listens.
    pub(super) fn kubelet_address(&self, node: &str) -> Result<SocketAddrV4, Status> {
        let entry = self
            .resources
            .lookup("", "nodes", node)
            .ok_or_else(|| status::not_found("", "nodes", node))?;
        let addresses = entry.value.list_at("status.addresses");
        let internal = addresses.iter().find(|one| one.str("type") == "InternalIP");
        let ip = internal.and_then(|one| one.str("address").parse::<Ipv4Addr>().ok());
        let Some(ip) = ip else {
            return Err(status::internal(format!(
                "no preferred addresses found; known addresses: []: {node}"
            )));
        };
        let port = entry
            .value
            .i64_at("status.daemonEndpoints.kubeletEndpoint.Port");
        Ok(SocketAddrV4::new(
            ip,
            port.and_then(|port| u16::try_from(port).ok())
                .unwrap_or(10250),
        ))
    }

    /// The kubelet could not be reached, or broke off.
    pub(crate) fn proxy_failed(
        &mut self,
        cx: &mut Cx<'_>,
        to: StreamId,
        reaches: Option<SocketAddrV4>,
        errno: Errno,
    ) {
        let why = errno.go_message();
        if let Some(addr) = reaches {
            let why = format!("error trying to reach service: dial tcp {addr}: connect: {why}");
            let status = Status::new(503, Reason::ServiceUnavailable, why);
            return self.refuse(cx, to, Accept::default(), &status);
        }
        let status = Status::new(
            500,
            Reason::Unknown,
            format!("error dialing backend: dial tcp: connect: {why}"),
        );
        self.refuse(cx, to, Accept::default(), &status);
    }
}

/// The container that is meant: the one named, the only one, or the one an annotation names.
fn container_of(pod: &Value, wanted: &str) -> Result<String, Status> {
    let lists = [
        "spec.containers",
        "spec.initContainers",
        "spec.ephemeralContainers",
    ];
    if !wanted.is_empty() {
        let known = lists.iter().flat_map(|list| pod.list_at(list));
        if known
            .into_iter()
            .any(|container| container.str("name") == wanted)
        {
            return Ok(wanted.to_owned());
        }
        let name = pod.name();
        let why = format!("container {wanted} is not valid for pod {name}");
        return Err(status::bad_request(why));
    }
    let containers = pod.list_at("spec.containers");
    let chosen = pod.annotation("kubectl.kubernetes.io/default-container");
    if let [only] = containers {
        return Ok(only.str("name").to_owned());
    }
    if containers
        .iter()
        .any(|container| container.str("name") == chosen)
    {
        return Ok(chosen.to_owned());
    }
    let names = |list: &str| -> String {
        pod.list_at(list)
            .iter()
            .map(|one| one.str("name"))
            .collect::<Vec<_>>()
            .join(" ")
    };
    let mut why = format!(
        "a container name must be specified for pod {}, choose one of: [{}]",
        pod.name(),
        names("spec.containers")
    );
    let init = names("spec.initContainers");
    if !init.is_empty() {
        let _ = write!(why, " or one of the init containers: [{init}]");
    }
    Err(status::bad_request(why))
}

/// The path at the kubelet, with its parameters.
fn kubelet_target(what: &str, pod: &Value, container: &str, ask: &Ask) -> String {
    let at = format!("{}/{}", pod.namespace(), pod.name());
    let mut pairs: Vec<(&str, &str)> = Vec::new();
    for (name, value) in &ask.query.pairs {
        let name = match what {
            "log" => LOG_PARAMETERS.iter().find(|one| *one == name).copied(),
            "portforward" => (name == "ports").then_some("port"),
            _ if name == "command" => Some("command"),
            _ => EXEC_PARAMETERS
                .iter()
                .find(|(one, _)| one == name)
                .map(|(_, theirs)| *theirs),
        };
        pairs.extend(name.map(|name| (name, value.as_str())));
    }
    let mut target = match what {
        "log" => format!("/containerLogs/{at}/{container}"),
        "portforward" => format!("/portForward/{at}"),
        what => format!("/{what}/{at}/{container}"),
    };
    for (i, (name, value)) in pairs.into_iter().enumerate() {
        let sign = if i == 0 { '?' } else { '&' };
        let _ = write!(target, "{sign}{name}={}", percent_encode(value));
    }
    target
}

/// What the client is told instead of what the kubelet refused with, in plain text.
pub(crate) fn refusal(code: u16, text: &str, ask: (&str, &str, &str)) -> Status {
    let (group, resource, name) = ask;
    match code {
        400 => status::bad_request(text),
        500 => status::internal(text),
        code => status::generic(code, "", group, resource, name, text),
    }
}
