//! NetworkPolicy: which traffic pods take and send.
//!
//! Models pkg/registry/networking/networkpolicy, pkg/apis/networking/{v1/defaults,validation} and
//! `printNetworkPolicy`.

use super::check::{self, Errors};
use super::table::{self, Column};
use super::{Kind, cidr};
use crate::field::{FieldError, Path};
use crate::selector::{format_label_selector, validate_label_selector};
use crate::{Value, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "networkpolicies",
    singular: "networkpolicy",
    short_names: &["netpol"],
    schema: "io.k8s.api.networking.v1.NetworkPolicy",
    storage: "networkpolicies",
    counts_generation: true,
    defaults,
    validate,
    columns: &[Column::NAME, Column::text("Pod-Selector"), Column::AGE],
    row: |policy, now| {
        vec![
            table::name(policy),
            format_label_selector(policy.at("spec.podSelector")).into(),
            table::age(policy, now),
        ]
    },
    sample: SAMPLE,
    ..Kind::plain("networking.k8s.io", "v1", "NetworkPolicy")
};

const SAMPLE: &str = "
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: from-front
spec:
  podSelector:
    matchLabels:
      app: web
  ingress:
  - from:
    - podSelector:
        matchLabels:
          role: front
    - ipBlock:
        cidr: 10.0.0.0/8
        except: [10.1.0.0/16]
    ports:
    - port: 80
";

const DIRECTIONS: [(&str, &str); 2] = [("ingress", "from"), ("egress", "to")];

fn defaults(policy: &mut Value) {
    if policy.list_at("spec.policyTypes").is_empty() {
        let mut types = vec!["Ingress"];
        if !policy.list_at("spec.egress").is_empty() {
            types.push("Egress");
        }
        policy.set("spec.policyTypes", types);
    }
    for (direction, _) in DIRECTIONS {
        let path = format!("spec.{direction}");
        if policy.list_at(&path).is_empty() {
            continue;
        }
        for rule in policy.list_mut(&path) {
            if rule.list_at("ports").is_empty() {
                continue;
            }
            for port in rule.list_mut("ports") {
                if port.get("protocol").is_null() {
                    port.set("protocol", "TCP");
                }
            }
        }
    }
}

fn validate(policy: &Value, out: &mut Errors) {
    let (spec, path) = (policy.get("spec"), Path::new("spec"));
    let selector = path.child("podSelector");
    out.extend(validate_label_selector(spec.get("podSelector"), &selector));
    for (direction, peers) in DIRECTIONS {
        let path = path.child(direction);
        for (i, rule) in spec.list_at(direction).iter().enumerate() {
            let path = path.index(i);
            let ports = path.child("ports");
            for (j, port) in rule.list_at("ports").iter().enumerate() {
                validate_port(port, &ports.index(j), out);
            }
            let all = path.child(peers);
            for (j, peer) in rule.list_at(peers).iter().enumerate() {
                validate_peer(peer, &all.index(j), out);
            }
        }
    }
    let types = spec.list_at("policyTypes");
    let path = path.child("policyTypes");
    if types.len() > 2 {
        let text = "may not specify more than two policyTypes";
        out.push(FieldError::invalid(path, spec.get("policyTypes"), text));
        return;
    }
    for (i, kind) in types.iter().map(Value::as_str).enumerate() {
        let known = ["Ingress", "Egress"];
        if !known.contains(&kind) {
            out.push(FieldError::not_supported(path.index(i), kind, &known));
        }
    }
}

fn validate_port(port: &Value, path: &Path<'_>, out: &mut Errors) {
    check::one_of_if_set(port, "protocol", &["TCP", "UDP", "SCTP"], path, out);
    let end = port.get("endPort");
    let at_end = path.child("endPort");
    let mut refuse_end = |text: &str| {
        if !end.is_null() {
            out.push(FieldError::invalid(at_end, end, text));
        }
    };
    match port.get("port") {
        Value::Null => refuse_end("may not be specified when `port` is not specified"),
        Value::Str(_) => {
            refuse_end("may not be specified when `port` is non-numeric");
            check::port(port, "port", path, out);
        }
        first => {
            check::port(port, "port", path, out);
            if let Some(last) = end.as_i64() {
                if last < first.as_i64().unwrap_or(0) {
                    let text = "must be greater than or equal to `port`";
                    out.push(FieldError::invalid(at_end, last, text));
                }
                check::invalid(names::port_number(last), at_end, last, out);
            }
        }
    }
}

fn validate_peer(peer: &Value, path: &Path<'_>, out: &mut Errors) {
    let mut selects = false;
    for key in ["podSelector", "namespaceSelector"] {
        if !peer.get(key).is_null() {
            selects = true;
            out.extend(validate_label_selector(peer.get(key), &path.child(key)));
        }
    }
    let block = peer.get("ipBlock");
    if block.is_null() {
        if !selects {
            out.push(FieldError::required(path, "must specify a peer"));
        }
        return;
    }
    validate_block(block, &path.child("ipBlock"), out);
    if selects {
        let text = "may not specify both ipBlock and another peer";
        out.push(FieldError::forbidden(path, text));
    }
}

fn validate_block(block: &Value, path: &Path<'_>, out: &mut Errors) {
    let field = path.child("cidr");
    let whole = match block.str("cidr") {
        "" => {
            out.push(FieldError::required(field, ""));
            return;
        }
        text => cidr::checked(text, field, out),
    };
    let path = path.child("except");
    for (i, except) in block
        .list_at("except")
        .iter()
        .map(Value::as_str)
        .enumerate()
    {
        let path = path.index(i);
        let part = cidr::checked(except, path, out);
        let (Some(whole), Some(part)) = (&whole, part) else {
            continue;
        };
        if !whole.contains_strictly(&part) {
            let text = "must be a strict subset of `cidr`";
            out.push(FieldError::invalid(path, except, text));
        }
    }
}
