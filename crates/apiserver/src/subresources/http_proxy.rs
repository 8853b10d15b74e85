//! `proxy`: HTTP to a pod, to a pod of a Service, or to a kubelet, through the API server.
//!
//! Models pkg/registry/core/pod/rest/subresources.go (`ProxyREST`), core/service/proxy.go,
//! core/node/rest/proxy.go and the `ResourceLocation` of each kind. Upstream also rewrites links in
//! HTML pages; that is not modelled.

use std::net::{Ipv4Addr, SocketAddrV4};

use api::kinds::Kind;
use api::status::Reason;
use api::{Status, Value, status};

use crate::effect::{Cx, Peer};
use crate::resources::ResourceId;
use crate::server::{ApiServer, Ask, Purpose};

const HTTP: u16 = 80;

/// `name`, `name:port` or `scheme:name:port`.
fn split(text: &str) -> (&str, &str) {
    let parts: Vec<&str> = text.split(':').collect();
    match parts.as_slice() {
        [name, port] => (name, port),
        [_, name, port] => (name, port),
        _ => (text, ""),
    }
}

impl ApiServer {
    /// Hands a request on to what the path names.
    pub(super) fn http_proxy(
        &mut self,
        cx: &mut Cx<'_>,
        ask: &Ask,
        kind: &'static Kind,
        resource: ResourceId,
    ) -> Result<(), Status> {
        let namespace = &ask.info.namespace;
        let (name, port) = split(&ask.info.name);
        let object = self.find(resource, kind, namespace, name)?.value.clone();
        let to_kubelet = kind.plural == "nodes";
        let addr = match kind.plural {
            "nodes" => self.kubelet_address(name)?,
            "services" => self.service_address(&object, port)?,
            _ => pod_address(&object, port)?,
        };
        let mut request = (*ask.request).clone();
        request.target = target(&ask.request.target, &ask.info.name).into();
        request.headers.remove("Authorization");
        request.peer = match to_kubelet {
            true => self.config.kubelet_identity.clone(),
            false => None,
        };
        let purpose = Purpose::Proxy {
            to: ask.from,
            upgrades: true,
            reaches: (!to_kubelet).then_some(addr),
        };
        let call = self.call(cx, Peer::Kubelet(addr), request, purpose);
        self.proxied.insert(ask.from, call);
        Ok(())
    }

    /// The address of a ready endpoint of a Service's port, which may go by name or number.
    fn service_address(&self, service: &Value, port: &str) -> Result<SocketAddrV4, Status> {
        let name = service.name();
        let unavailable = |why: String| Status::new(503, Reason::ServiceUnavailable, why);
        let ports = service.list_at("spec.ports");
        let is = |one: &&Value| {
            one.str("name") == port || one.i64_at("port").is_some_and(|n| n.to_string() == port)
        };
        let wanted = match port {
            "" => ports.first(),
            _ => ports.iter().find(is),
        };
        let wanted = wanted.ok_or_else(|| {
            unavailable(format!(
                "no service port \"{port}\" found for service \"{name}\""
            ))
        })?;
        let slices = self.resources.named("discovery.k8s.io", "endpointslices");
        let entries = slices.map(|slices| slices.cache.objects());
        let of_service = |slice: &&Value| {
            slice.namespace() == service.namespace()
                && slice.label("kubernetes.io/service-name") == name
        };
        let slices = entries.into_iter().flat_map(|all| all.values());
        for slice in slices.map(|entry| &entry.value).filter(of_service) {
            let mut ports = slice.list_at("ports").iter();
            let number = ports
                .find(|one| one.str("name") == wanted.str("name"))
                .and_then(|one| one.i64_at("port"))
                .and_then(|port| u16::try_from(port).ok());
            let ready = slice
                .list_at("endpoints")
                .iter()
                .filter(|one| one.at("conditions.ready").as_bool() != Some(false));
            let ip = ready
                .filter_map(|one| one.str_at("addresses.0").parse::<Ipv4Addr>().ok())
                .next();
            if let (Some(ip), Some(number)) = (ip, number) {
                return Ok(SocketAddrV4::new(ip, number));
            }
        }
        Err(unavailable(format!(
            "no endpoints available for service \"{name}\""
        )))
    }
}

/// The address of a pod: of the port named, of its first container's first port, or of port 80.
fn pod_address(pod: &Value, port: &str) -> Result<SocketAddrV4, Status> {
    let ip = pod.str_at("status.podIP").parse::<Ipv4Addr>();
    let ip = ip.map_err(|_| status::bad_request("address not allowed"))?;
    let mut ports = pod
        .list_at("spec.containers")
        .iter()
        .flat_map(|container| container.list_at("ports"));
    let number = match port.parse::<u16>() {
        Ok(number) => Some(number),
        Err(_) => ports
            .find(|one| port.is_empty() || one.str("name") == port)
            .and_then(|one| one.i64_at("containerPort"))
            .and_then(|port| u16::try_from(port).ok()),
    };
    Ok(SocketAddrV4::new(ip, number.unwrap_or(HTTP)))
}

/// What follows `NAME/proxy` in a path, with the query.
fn target(whole: &str, name: &str) -> String {
    let marks = [
        format!("/{name}/proxy"),
        format!("/{}/proxy", name.replace(':', "%3A")),
    ];
    let rest = marks
        .iter()
        .find_map(|mark| whole.split_once(mark.as_str()))
        .map_or("", |(_, rest)| rest);
    match rest.starts_with('/') {
        true => rest.to_owned(),
        false => format!("/{rest}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_paths() {
        assert_eq!(split("web"), ("web", ""));
        assert_eq!(split("web:80"), ("web", "80"));
        assert_eq!(split("http:web:main"), ("web", "main"));
        let path = "/api/v1/namespaces/d/services/web:80/proxy/a/b?c=d";
        assert_eq!(target(path, "web:80"), "/a/b?c=d");
        assert_eq!(target("/api/v1/nodes/n/proxy", "n"), "/");
        assert_eq!(target("/api/v1/nodes/n/proxy?x=1", "n"), "/?x=1");
    }

    #[test]
    fn ports_of_pods() {
        let pod = api::object! {
            "spec": { "containers": [{ "ports": [{ "name": "http", "containerPort": 8080 }] }] },
            "status": { "podIP": "10.244.1.3" },
        };
        let of = |port: &str| pod_address(&pod, port).map(|addr| addr.to_string());
        assert_eq!(of("").as_deref(), Ok("10.244.1.3:8080"));
        assert_eq!(of("http").as_deref(), Ok("10.244.1.3:8080"));
        assert_eq!(of("81").as_deref(), Ok("10.244.1.3:81"));
        assert!(pod_address(&api::object! {}, "").is_err());
    }
}
