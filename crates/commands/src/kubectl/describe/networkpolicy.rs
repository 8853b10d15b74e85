//! `kubectl describe networkpolicy`.

use api::Value;
use api::selector::format_label_selector;

use super::{annotations, labels};
use crate::kubectl::target::or;

/// What differs between the two directions.
struct Direction {
    /// `ingress`
    field: &'static str,
    /// The field that names the peers.
    peers: &'static str,
    /// `From`
    title: &'static str,
    /// What is not restricted without peers.
    by: &'static str,
}

const INGRESS: Direction = Direction {
    field: "ingress",
    peers: "from",
    title: "From",
    by: "source",
};

const EGRESS: Direction = Direction {
    field: "egress",
    peers: "to",
    title: "To",
    by: "destination",
};

/// A NetworkPolicy. Its events are not shown.
pub(super) fn text(value: &Value) -> String {
    let spec = value.get("spec");
    let created = value.creation_timestamp().replace('T', " ");
    let created = created.trim_end_matches('Z');
    let mut text = format!(
        "Name:\t{}\nNamespace:\t{}\n",
        value.name(),
        value.namespace()
    );
    text.push_str(&format!("Created on:\t{created} +0000 UTC\n"));
    text.push_str(&labels("Labels:", value.labels()));
    text.push_str(&annotations("Annotations:", value.annotations()));
    let selector = format_label_selector(spec.get("podSelector"));
    let selector = match selector.as_str() {
        "" | "<none>" => "<none> (Allowing the specific traffic to all pods in this namespace)",
        selector => selector,
    };
    text.push_str(&format!("Spec:\n  PodSelector:     {selector}\n"));
    let types: Vec<&str> = spec
        .list_at("policyTypes")
        .iter()
        .map(Value::as_str)
        .collect();
    for (direction, kind) in [(INGRESS, "Ingress"), (EGRESS, "Egress")] {
        if types.contains(&kind) || (types.is_empty() && kind == "Ingress") {
            let field = direction.field;
            text.push_str(&format!("  Allowing {field} traffic:\n"));
            text.push_str(&rules(spec.list_at(field), &direction));
        } else {
            let field = direction.field;
            text.push_str(&format!("  Not affecting {field} traffic\n"));
        }
    }
    let types = types.join(", ");
    text + &format!("  Policy Types: {}\n", or(&types, "<none>"))
}

fn rules(rules: &[Value], direction: &Direction) -> String {
    let indent = "    ";
    if rules.is_empty() {
        let field = direction.field;
        return format!("{indent}<none> (Selected pods are isolated for {field} connectivity)\n");
    }
    let rules: Vec<String> = rules
        .iter()
        .map(|rule| ports(rule) + &peers(rule, direction))
        .collect();
    rules.join(&format!("{indent}----------\n"))
}

fn ports(rule: &Value) -> String {
    let ports = rule.list_at("ports");
    if ports.is_empty() {
        return "    To Port: <any> (traffic allowed to all ports)\n".to_owned();
    }
    let mut text = String::new();
    for port in ports {
        let protocol = or(port.str("protocol"), "TCP");
        let shown = match port.get("port") {
            Value::Str(name) => name.to_string(),
            Value::Null => "<nil>".to_owned(),
            number => number.to_json(),
        };
        text.push_str(&match port.i64_at("endPort") {
            None => format!("    To Port: {shown}/{protocol}\n"),
            Some(end) => format!("    To Port Range: {shown}-{end}/{protocol}\n"),
        });
    }
    text
}

fn peers(rule: &Value, direction: &Direction) -> String {
    let Direction {
        peers, title, by, ..
    } = direction;
    let peers = rule.list_at(peers);
    if peers.is_empty() {
        return format!("    {title}: <any> (traffic not restricted by {by})\n");
    }
    let mut text = String::new();
    for peer in peers {
        text.push_str(&format!("    {title}:\n"));
        for (shown, field) in [
            ("NamespaceSelector", "namespaceSelector"),
            ("PodSelector", "podSelector"),
        ] {
            if !peer.get(field).is_null() {
                let selector = format_label_selector(peer.get(field));
                text.push_str(&format!("      {shown}: {selector}\n"));
            }
        }
        let block = peer.get("ipBlock");
        if !block.is_null() {
            let except: Vec<&str> = block.list_at("except").iter().map(Value::as_str).collect();
            let (cidr, except) = (block.str("cidr"), except.join(", "));
            text.push_str(&format!(
                "      IPBlock:\n        CIDR: {cidr}\n        Except: {except}\n"
            ));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[track_caller]
    fn check(spec: Value, expect: &[&str]) {
        let policy = object! {
            "metadata": { "name": "np", "namespace": "default" },
            "spec": spec,
        };
        let text = text(&policy);
        let lines: Vec<&str> = text.lines().skip_while(|line| *line != "Spec:").collect();
        assert_eq!(lines, expect);
    }

    #[test]
    fn both_directions_are_told() {
        check(
            object! { "podSelector": {}, "policyTypes": ["Ingress"] },
            &[
                "Spec:",
                "  PodSelector:     <none> (Allowing the specific traffic to all pods in this \
                 namespace)",
                "  Allowing ingress traffic:",
                "    <none> (Selected pods are isolated for ingress connectivity)",
                "  Not affecting egress traffic",
                "  Policy Types: Ingress",
            ],
        );
        let block = object! { "cidr": "10.0.0.0/8", "except": ["10.1.0.0/16", "10.2.0.0/16"] };
        check(
            object! {
                "podSelector": { "matchLabels": { "app": "web" } },
                "policyTypes": ["Egress"],
                "egress": [
                    { "to": [{ "ipBlock": block }], "ports": [{ "port": 80, "endPort": 90 }] },
                    {},
                ],
            },
            &[
                "Spec:",
                "  PodSelector:     app=web",
                "  Not affecting ingress traffic",
                "  Allowing egress traffic:",
                "    To Port Range: 80-90/TCP",
                "    To:",
                "      IPBlock:",
                "        CIDR: 10.0.0.0/8",
                "        Except: 10.1.0.0/16, 10.2.0.0/16",
                "    ----------",
                "    To Port: <any> (traffic allowed to all ports)",
                "    To: <any> (traffic not restricted by destination)",
                "  Policy Types: Egress",
            ],
        );
    }
}
