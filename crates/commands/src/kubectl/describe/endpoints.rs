//! `kubectl describe endpointslices` and `endpoints`.

use api::Value;

use super::head;

/// An EndpointSlice, without events.
pub(super) fn slice(value: &Value) -> String {
    let mut text = head(value);
    text.push_str(&format!("AddressType:\t{}\n", value.str_at("addressType")));
    text.push_str(&ports(value.list_at("ports"), ""));
    let endpoints = value.list_at("endpoints");
    if endpoints.is_empty() {
        return text + "Endpoints: <none>\n";
    }
    text.push_str("Endpoints:\n");
    for endpoint in endpoints {
        let addresses: Vec<&str> = endpoint
            .list_at("addresses")
            .iter()
            .map(Value::as_str)
            .collect();
        let or_unset = |path: &str| match endpoint.str_at(path) {
            "" => "<unset>".to_owned(),
            text => text.to_owned(),
        };
        let ready = match endpoint.at("conditions.ready").as_bool() {
            Some(ready) => ready.to_string(),
            None => "<unset>".to_owned(),
        };
        text.push_str(&format!("  - Addresses:\t{}\n", addresses.join(", ")));
        text.push_str(&format!("    Conditions:\n      Ready:\t{ready}\n"));
        text.push_str(&format!("    Hostname:\t{}\n", or_unset("hostname")));
        if let Value::Map(_) = endpoint.get("targetRef") {
            text.push_str(&format!(
                "    TargetRef:\t{}/{}\n",
                endpoint.str_at("targetRef.kind"),
                endpoint.str_at("targetRef.name")
            ));
        }
        text.push_str(&format!("    NodeName:\t{}\n", or_unset("nodeName")));
        text.push_str(&format!("    Zone:\t{}\n", or_unset("zone")));
    }
    text
}

/// An Endpoints object, without events.
pub(super) fn endpoints(value: &Value) -> String {
    let mut text = head(value) + "Subsets:\n";
    for subset in value.list_at("subsets") {
        let list = |field: &str| -> String {
            let all: Vec<&str> = subset
                .list_at(field)
                .iter()
                .map(|a| a.str_at("ip"))
                .collect();
            if all.is_empty() {
                "<none>".to_owned()
            } else {
                all.join(",")
            }
        };
        text.push_str(&format!("  Addresses:\t{}\n", list("addresses")));
        text.push_str(&format!(
            "  NotReadyAddresses:\t{}\n",
            list("notReadyAddresses")
        ));
        if !subset.list_at("ports").is_empty() {
            text.push_str(&ports(subset.list_at("ports"), "  "));
        }
        text.push('\n');
    }
    text
}

fn ports(ports: &[Value], space: &str) -> String {
    if ports.is_empty() {
        return format!("{space}Ports: <unset>\n");
    }
    let mut text =
        format!("{space}Ports:\n{space}  Name\tPort\tProtocol\n{space}  ----\t----\t--------\n");
    for port in ports {
        let name = match port.str_at("name") {
            "" => "<unset>",
            name => name,
        };
        text.push_str(&format!(
            "{space}  {name}\t{}\t{}\n",
            port.i64_at("port").unwrap_or(0),
            port.str_at("protocol")
        ));
    }
    text
}
