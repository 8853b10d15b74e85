//! The quality-of-service class of a pod.
//!
//! Models pkg/apis/core/v1/helper/qos/qos.go.

use crate::quantity::Quantity;
use crate::{Map, Value};

/// Resources that decide the class.
const DECIDING: [&str; 2] = ["cpu", "memory"];

/// `Guaranteed`, `Burstable` or `BestEffort`.
pub fn class(pod: &Value) -> &'static str {
    let spec = pod.get("spec");
    let of_pod = spec.get("resources");
    let says = |which: &str| !of_pod.map_at(which).is_empty();
    if says("requests") || says("limits") {
        return of_all(std::iter::once(of_pod));
    }
    let lists = [spec.get("initContainers"), spec.get("containers")];
    of_all(
        lists
            .into_iter()
            .flat_map(|list| list.list())
            .map(|c| c.get("resources")),
    )
}

fn of_all<'a>(all: impl Iterator<Item = &'a Value>) -> &'static str {
    let (mut any, mut guaranteed) = (false, true);
    for resources in all {
        let (requests, limits) = (resources.map_at("requests"), resources.map_at("limits"));
        for name in DECIDING {
            let (request, limit) = (positive(requests, name), positive(limits, name));
            any |= request.is_some() || limit.is_some();
            // A request left out counts as the limit.
            guaranteed &= limit.is_some() && request.is_none_or(|r| Some(r) == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}

fn positive(of: &Map, name: &str) -> Option<Quantity> {
    of.get(name).and_then(Quantity::of).filter(|q| q.sign() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{object, value};

    #[track_caller]
    fn check(resources: Vec<Value>, expect: &str) {
        let containers: Vec<Value> = resources
            .into_iter()
            .map(|r| object! { "resources": (r) })
            .collect();
        assert_eq!(
            class(&object! { "spec": { "containers": containers } }),
            expect
        );
    }

    #[test]
    fn classes() {
        let both = |cpu: &str, memory: &str| object! { "cpu": cpu, "memory": memory };
        let full = object! { "limits": both("1", "1Gi"), "requests": both("1000m", "1Gi") };
        check(vec![value!({})], "BestEffort");
        check(vec![full.clone()], "Guaranteed");
        check(vec![object! { "limits": both("1", "1Gi") }], "Guaranteed");
        check(vec![full, value!({})], "Burstable");
        check(vec![object! { "requests": { "cpu": "100m" } }], "Burstable");
        check(
            vec![object! { "limits": { "cpu": "1" }, "requests": { "cpu": "1" } }],
            "Burstable",
        );
        check(vec![object! { "requests": { "cpu": "0" } }], "BestEffort");
        check(
            vec![object! { "requests": { "example.com/x": "1" } }],
            "BestEffort",
        );
    }
}
