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
    if !spec.str_at("externalName").is_empty() {
        text.push_str(&format!(
            "External Name:\t{}\n",
            spec.str_at("externalName")
        ));
    }
    let slices = slices(session, value).await?;
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
    Ok(text)
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
    if let Some(node_port) = port.i64_at("nodePort").filter(|port| *port > 0) {
        text.push_str(&format!("NodePort:\t{name}\t{node_port}/{protocol}\n"));
    }
    text + &format!("Endpoints:\t{}\n", endpoints(port.str_at("name"), slices))
}

/// The addresses behind a port; more than three are counted.
fn endpoints(port: &str, slices: &[Value]) -> String {
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
            let addresses = endpoint.list_at("addresses").iter().map(Value::as_str);
            if ready {
                all.extend(addresses.map(|address| format!("{address}:{number}")));
            }
        }
    }
    match all.len() {
        0 => String::new(),
        1..=3 => all.join(","),
        n => format!("{} + {} more...", all[..3].join(","), n - 3),
    }
}

async fn slices(session: &Session, value: &Value) -> Outcome<Vec<Value>> {
    let selector = percent_encode(&format!("kubernetes.io/service-name={}", value.name()));
    let path = format!(
        "/apis/discovery.k8s.io/v1/namespaces/{}/endpointslices?labelSelector={selector}",
        value.namespace()
    );
    Ok(session
        .call(Call::get(path))
        .await?
        .list_at("items")
        .to_vec())
}
