//! What is wrong with a Service.
//!
//! Models `ValidateService` of pkg/apis/core/validation/validation.go.

use super::is_headless;
use crate::field::{FieldError, Path};
use crate::kinds::check::{self, Errors};
use crate::kinds::cidr;
use crate::{Value, names, object};

/// In upstream's order.
const TYPES: &[&str] = &["ClusterIP", "ExternalName", "LoadBalancer", "NodePort"];
const PROTOCOLS: &[&str] = &["SCTP", "TCP", "UDP"];
/// In upstream's order.
const DISTRIBUTIONS: &[&str] = &["PreferClose", "PreferSameZone", "PreferSameNode"];

pub(super) fn validate(service: &Value, out: &mut Errors) {
    let (spec, path) = (service.get("spec"), Path::new("spec"));
    let kind = spec.str("type");
    let ports = spec.list_at("ports");
    if ports.is_empty() && !is_headless(service) && kind != "ExternalName" {
        out.push(FieldError::required(path.child("ports"), ""));
    }
    by_type(service, out);
    let ports_path = path.child("ports");
    for (i, port) in ports.iter().enumerate() {
        let path = ports_path.index(i);
        let name = port.str("name");
        if ports.len() > 1 && name.is_empty() {
            out.push(FieldError::required(path.child("name"), ""));
        }
        check::named_if_set(port, "name", names::dns1123_label, &path, out);
        if !name.is_empty() && ports[..i].iter().any(|other| other.str("name") == name) {
            out.push(FieldError::duplicate(path.child("name"), name));
        }
        check::port(port, "port", &path, out);
        check::one_of(port, "protocol", PROTOCOLS, &path, out);
        check::port(port, "targetPort", &path, out);
        check::named_if_set(port, "appProtocol", names::qualified_name, &path, out);
    }
    out.extend(names::validate_labels(
        spec.map_at("selector"),
        path.child("selector"),
    ));
    affinity(spec, &path, out);
    addresses(spec, &path, out);
    check::one_of(spec, "type", TYPES, &path, out);
    port_pairs(kind, ports, &ports_path, out);
    balancer(spec, &path, out);
    policies(spec, &path, out);
}

fn by_type(service: &Value, out: &mut Errors) {
    let (spec, path) = (service.get("spec"), Path::new("spec"));
    let ips_path = path.child("clusterIPs");
    match spec.str("type") {
        kind @ ("LoadBalancer" | "NodePort") if is_headless(service) => {
            let text = format!("may not be set to 'None' for {kind} services");
            out.push(FieldError::invalid(ips_path.index(0), "None", text));
        }
        "ExternalName" => {
            for key in ["clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
                if !spec.get(key).is_zero() {
                    let text = "may not be set for ExternalName services";
                    out.push(FieldError::forbidden(path.child(key), text));
                }
            }
            let name = spec.str("externalName");
            let path = path.child("externalName");
            match name.strip_suffix('.').unwrap_or(name) {
                "" => out.push(FieldError::required(path, "")),
                host => check::invalid(names::dns1123_subdomain(host), path, host, out),
            }
        }
        _ => {}
    }
}

fn affinity(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    check::one_of(spec, "sessionAffinity", &["ClientIP", "None"], path, out);
    let config = spec.get("sessionAffinityConfig");
    let path = path.child("sessionAffinityConfig");
    match spec.str("sessionAffinity") {
        "None" if !config.is_null() => {
            let text = "must not be set when session affinity is None";
            out.push(FieldError::forbidden(path, text));
        }
        "ClientIP" => {
            let secs = config.i64_at("clientIP.timeoutSeconds").unwrap_or(0);
            if !(1..=86_400).contains(&secs) {
                let text = "must be greater than 0 and less than 86400";
                out.push(FieldError::invalid(
                    path.child("clientIP.timeoutSeconds"),
                    secs,
                    text,
                ));
            }
        }
        _ => {}
    }
}

fn addresses(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    if spec.str("type") == "ExternalName" {
        return;
    }
    let (first, rest) = ("clusterIP", "clusterIPs");
    let ips = spec.list_at(rest);
    if spec.str(first) != spec.str_at("clusterIPs.0") {
        let text = "element [0] must match clusterIP";
        out.push(FieldError::invalid(path.child(rest), spec.get(rest), text));
    }
    let ips_path = path.child(rest);
    for (i, ip) in ips.iter().map(Value::as_str).enumerate() {
        if ip != "None" {
            check::invalid(names::ip(ip), ips_path.index(i), ip, out);
        }
    }
    let families_path = path.child("ipFamilies");
    for (i, family) in spec
        .list_at("ipFamilies")
        .iter()
        .map(Value::as_str)
        .enumerate()
    {
        let path = families_path.index(i);
        match family {
            "IPv4" => {}
            "IPv6" => out.push(FieldError::invalid(
                path,
                family,
                "not configured on this cluster",
            )),
            other => out.push(FieldError::not_supported(path, other, &["IPv4", "IPv6"])),
        }
    }
    let policies = ["SingleStack", "PreferDualStack", "RequireDualStack"];
    check::one_of_if_set(spec, "ipFamilyPolicy", &policies, path, out);
    if spec.str("ipFamilyPolicy") == "RequireDualStack" {
        let text = "this cluster is not configured for dual-stack services";
        out.push(FieldError::invalid(
            path.child("ipFamilyPolicy"),
            "RequireDualStack",
            text,
        ));
    }
    let external_path = path.child("externalIPs");
    for (i, ip) in spec
        .list_at("externalIPs")
        .iter()
        .map(Value::as_str)
        .enumerate()
    {
        let (path, messages) = (external_path.index(i), names::ip(ip));
        if messages.is_empty() {
            check::invalid(names::not_special(ip), path, ip, out);
        }
        check::invalid(messages, path, ip, out);
    }
}

fn port_pairs(kind: &str, ports: &[Value], ports_path: &Path<'_>, out: &mut Errors) {
    if kind == "ClusterIP" {
        for (i, port) in ports.iter().enumerate() {
            if !port.get("nodePort").is_zero() {
                let text = "may not be used when `type` is 'ClusterIP'";
                out.push(FieldError::forbidden(
                    ports_path.index(i).child("nodePort"),
                    text,
                ));
            }
        }
    }
    for (i, port) in ports.iter().enumerate() {
        let same = |other: &Value, key: &str| {
            other.str("protocol") == port.str("protocol") && other.get(key) == port.get(key)
        };
        let node_port = port.get("nodePort");
        if !node_port.is_zero() && ports[..i].iter().any(|other| same(other, "nodePort")) {
            out.push(FieldError::duplicate(
                ports_path.index(i).child("nodePort"),
                node_port,
            ));
        }
        if ports[..i].iter().any(|other| same(other, "port")) {
            let shown = object! {
                "Name": "", "Protocol": port.get("protocol"), "AppProtocol": null,
                "Port": port.get("port"), "TargetPort": 0, "NodePort": 0,
            };
            out.push(FieldError::duplicate(ports_path.index(i), shown));
        }
    }
}

fn policies(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let known = ["Cluster", "Local"];
    check::one_of_if_set(spec, "externalTrafficPolicy", &known, path, out);
    check::one_of_if_set(spec, "internalTrafficPolicy", &known, path, out);
    check::one_of_if_set(spec, "trafficDistribution", DISTRIBUTIONS, path, out);
    let external = matches!(spec.str("type"), "NodePort" | "LoadBalancer")
        || !spec.list_at("externalIPs").is_empty();
    let policy = spec.str("externalTrafficPolicy");
    if !external && !policy.is_empty() {
        let text = "may only be set for externally-accessible services";
        out.push(FieldError::invalid(
            path.child("externalTrafficPolicy"),
            policy,
            text,
        ));
    }
    let port = spec.get("healthCheckNodePort");
    let checked = spec.str("type") == "LoadBalancer" && policy == "Local";
    if !checked && !port.is_zero() {
        let text = "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is \
                    'Local'";
        out.push(FieldError::invalid(
            path.child("healthCheckNodePort"),
            port,
            text,
        ));
    }
}

/// What only a Service with a load balancer can say.
fn balancer(spec: &Value, path: &Path<'_>, out: &mut Errors) {
    let text = "may only be used when `type` is 'LoadBalancer'";
    let is_one = spec.str("type") == "LoadBalancer";
    let ranges = spec.list_at("loadBalancerSourceRanges");
    // Upstream writes this field so.
    let ranges_path = path.child("LoadBalancerSourceRanges");
    if !is_one && !ranges.is_empty() {
        out.push(FieldError::forbidden(ranges_path, text));
    }
    for (i, range) in ranges.iter().map(|range| range.as_str().trim()).enumerate() {
        cidr::checked(range, ranges_path.index(i), out);
    }
    if !is_one && spec.has("allocateLoadBalancerNodePorts") {
        let path = path.child("allocateLoadBalancerNodePorts");
        out.push(FieldError::forbidden(path, text));
    }
    if spec.has("loadBalancerClass") {
        if !is_one {
            out.push(FieldError::forbidden(path.child("loadBalancerClass"), text));
        } else {
            let class = spec.str("loadBalancerClass");
            let path = path.child("loadBalancerClass");
            check::invalid(names::qualified_name(class), path, class, out);
        }
    }
}

pub(super) fn validate_update(new: &Value, old: &Value, subresource: &str, out: &mut Errors) {
    if !subresource.is_empty() || !super::needs_cluster_ip(new) || !super::needs_cluster_ip(old) {
        return;
    }
    let (before, after) = (
        old.str_at("spec.clusterIPs.0"),
        new.str_at("spec.clusterIPs.0"),
    );
    if !before.is_empty() && before != after {
        let (value, text) = (new.at("spec.clusterIPs"), "may not change once set");
        out.insert(0, FieldError::invalid("spec.clusterIPs[0]", value, text));
    }
    let (before, after) = (
        old.str_at("spec.ipFamilies.0"),
        new.str_at("spec.ipFamilies.0"),
    );
    if !before.is_empty() && before != after {
        let (value, text) = (new.at("spec.ipFamilies"), "may not change once set");
        out.push(FieldError::invalid("spec.ipFamilies[0]", value, text));
    }
}
