//! `kubectl describe service`.

use api::Value;
use net::http::percent_encode;

use super::{head, pairs};
use crate::kubectl::failure::Outcome;
use crate::kubectl::session::{Call, Session};

/// A Service, without events.
pub(super) async fn text(session: &Session, value: &Value) -> Outcome<String> {
    let spec = value.get("spec");
    let mut text = head(value);
    text.push_str(&format!("Selector:\t{}\n", pairs(spec.map_at("selector"))));
    text.push_str(&format!("Type:\t{}\n", spec.str_at("type")));
    let list = |field: &str, other: &str| -> String {
        let all: Vec<&str> = spec.list_at(field).iter().map(Value::as_str).collect();
        if all.is_empty() {
            other.to_owned()
        } else {
            all.join(",")
        }
    };
    if !spec.get("ipFamilyPolicy").is_null() {
        text.push_str(&format!(
            "IP Family Policy:\t{}\n",
            spec.str_at("ipFamilyPolicy")
        ));
    }
    text.push_str(&format!("IP Families:\t{}\n", list("ipFamilies", "<none>")));
    text.push_str(&format!("IP:\t{}\n", spec.str_at("clusterIP")));
    text.push_str(&format!("IPs:\t{}\n", list("clusterIPs", "<none>")));
    if !spec.list_at("externalIPs").is_empty() {
        text.push_str(&format!("External IPs:\t{}\n", list("externalIPs", "")));
    }
    if !spec.str_at("loadBalancerIP").is_empty() {
        let ip = spec.str_at("loadBalancerIP");
        text.push_str(&format!("Desired LoadBalancer IP:\t{ip}\n"));
    }
    if !spec.str_at("externalName").is_empty() {
        text.push_str(&format!(
            "External Name:\t{}\n",
            spec.str_at("externalName")
        ));
    }
    let balancers = value.list_at("status.loadBalancer.ingress");
    if !balancers.is_empty() {
        let shown: Vec<String> = balancers.iter().map(balancer).collect();
        text.push_str(&format!("LoadBalancer Ingress:\t{}\n", shown.join(", ")));
    }
    let slices = slices_of(session, value.namespace(), value.name()).await?;
    for port in spec.list_at("ports") {
        text.push_str(&self::port(port, &slices));
    }
    text.push_str(&format!(
        "Session Affinity:\t{}\n",
        spec.str_at("sessionAffinity")
    ));
    for (title, field) in [
        ("External Traffic Policy", "externalTrafficPolicy"),
        ("Internal Traffic Policy", "internalTrafficPolicy"),
    ] {
        if !spec.str_at(field).is_empty() {
            text.push_str(&format!("{title}:\t{}\n", spec.str_at(field)));
        }
    }
    if let Some(port) = spec.i64_at("healthCheckNodePort").filter(|port| *port > 0) {
        text.push_str(&format!("HealthCheck NodePort:\t{port}\n"));
    }
    if !spec.list_at("loadBalancerSourceRanges").is_empty() {
        let ranges = list("loadBalancerSourceRanges", "");
        text.push_str(&format!("LoadBalancer Source Ranges:\t{ranges}\n"));
    }
    if !spec.str_at("trafficDistribution").is_empty() {
        let distribution = spec.str_at("trafficDistribution");
        text.push_str(&format!("Traffic Distribution:\t{distribution}\n"));
    }
    Ok(text)
}

/// `203.0.113.1 (VIP)`
fn balancer(ingress: &Value) -> String {
    match (ingress.str("ip"), ingress.str("ipMode")) {
        ("", _) => ingress.str("hostname").to_owned(),
        (ip, "") => ip.to_owned(),
        (ip, mode) => format!("{ip} ({mode})"),
    }
}

fn port(port: &Value, slices: &[Value]) -> String {
    let name = match port.str_at("name") {
        "" => "<unset>",
        name => name,
    };
    let protocol = port.str_at("protocol");
    let target = match port.get("targetPort") {
        Value::Str(name) => name.to_string(),
        other => other.to_json(),
    };
    let mut text = format!(
        "Port:\t{name}\t{}/{protocol}\nTargetPort:\t{target}/{protocol}\n",
        port.i64_at("port").unwrap_or(0)
    );
    if !port.str_at("appProtocol").is_empty() {
        let protocol = port.str_at("appProtocol");
        text.push_str(&format!("AppProtocol:\t{protocol}\n"));
    }
    if let Some(node_port) = port.i64_at("nodePort").filter(|port| *port > 0) {
        text.push_str(&format!("NodePort:\t{name}\t{node_port}/{protocol}\n"));
    }
    text + &format!("Endpoints:\t{}\n", addresses(port.str_at("name"), slices))
}

/// The addresses behind a port; more than three are counted.
pub(super) fn addresses(port: &str, slices: &[Value]) -> String {
    let mut all = Vec::new();
    for slice in slices {
        let Some(number) = slice
            .list_at("ports")
            .iter()
            .find(|candidate| candidate.str_at("name") == port)
            .and_then(|candidate| candidate.i64_at("port"))
        else {
            continue;
        };
        for endpoint in slice.list_at("endpoints") {
            let ready = endpoint.at("conditions.ready").as_bool() != Some(false);
            let address = endpoint.list_at("addresses").first();
            if let Some(address) = address.filter(|_| ready) {
                all.push(format!("{}:{number}", address.as_str()));
            }
        }
    }
    match all.len() {
        0 => String::new(),
        1..=3 => all.join(","),
        n => format!("{} + {} more...", all[..3].join(","), n - 3),
    }
}

/// The EndpointSlices of a Service.
pub(super) async fn slices_of(
    session: &Session,
    namespace: &str,
    service: &str,
) -> Outcome<Vec<Value>> {
    let selector = percent_encode(&format!("kubernetes.io/service-name={service}"));
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?labelSelector={selector}"
    );
    Ok(session
        .call(Call::get(path))
        .await?
        .list_at("items")
        .to_vec())
}
