//! What a Service may say but hardly means.
//!
//! Models pkg/api/service/warnings.go.

use super::is_headless;
use crate::Value;

pub(super) fn of(service: &Value) -> Vec<String> {
    let spec = service.get("spec");
    let mut out = Vec::new();
    let mut warn = |is_so: bool, text: &str| {
        if is_so {
            out.push(text.to_owned());
        }
    };
    let old_hints = "service.kubernetes.io/topology-aware-hints";
    warn(
        service.annotations().get(old_hints).is_some(),
        "annotation service.kubernetes.io/topology-aware-hints is deprecated, please use \
         service.kubernetes.io/topology-mode instead",
    );
    let headless = is_headless(service) && spec.str("type") == "ClusterIP";
    let has_external = !spec.list_at("externalIPs").is_empty();
    warn(
        headless && !spec.str("loadBalancerIP").is_empty(),
        "spec.loadBalancerIP is ignored for headless services",
    );
    warn(
        headless && has_external,
        "spec.externalIPs is ignored for headless services",
    );
    warn(
        headless && spec.str("sessionAffinity") != "None",
        "spec.SessionAffinity is ignored for headless services",
    );
    let is_name = spec.str("type") == "ExternalName";
    warn(
        is_name && has_external,
        "spec.externalIPs is ignored when spec.type is \"ExternalName\"",
    );
    warn(
        !is_name && !spec.str("externalName").is_empty(),
        "spec.externalName is ignored when spec.type is not \"ExternalName\"",
    );
    warn(
        spec.str("trafficDistribution") == "PreferClose",
        "spec.trafficDistribution: \"PreferClose\" is deprecated; use \"PreferSameZone\"",
    );
    out
}
