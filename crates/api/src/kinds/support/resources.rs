//! What a pod asks of a node: the sum over containers that run at one time.
//!
//! Models k8s.io/component-helpers/resource/helpers.go.

use std::collections::BTreeMap;

use super::containers;
use crate::quantity::Quantity;
use crate::{Map, Str, Value};

/// Amounts by resource: `cpu`, `memory`, `ephemeral-storage`, `example.com/gpu`.
pub type Amounts = BTreeMap<Str, Quantity>;

/// What a pod requests, overhead included.
pub fn requests(pod: &Value) -> Amounts {
    total(pod, "requests")
}

/// The limits of a pod, overhead included where a limit is set.
pub fn limits(pod: &Value) -> Amounts {
    total(pod, "limits")
}

/// What the containers of a pod spec ask for together: `which` is `requests` or `limits`.
pub fn of_containers(spec: &Value, which: &str) -> Amounts {
    let mut sum = Amounts::new();
    for container in spec.get("containers").list() {
        add(&mut sum, of_container(container, which));
    }
    init_containers(&mut sum, spec.get("initContainers").list(), which);
    sum
}

fn total(pod: &Value, which: &str) -> Amounts {
    let spec = pod.get("spec");
    let mut sum = of_containers(spec, which);
    // What the pod as a whole says stands before what its containers say.
    for (name, amount) in spec.get("resources").map_at(which) {
        if let Some(amount) = Quantity::of(amount) {
            sum.insert(name.clone(), amount);
        }
    }
    for (name, amount) in spec.map_at("overhead") {
        let known = which == "requests" || sum.get(name).is_some_and(|q| !q.is_zero());
        if let Some(amount) = Quantity::of(amount).filter(|_| known) {
            *sum.entry(name.clone()).or_default() += amount;
        }
    }
    sum
}

/// Init containers run one after the other, beside the sidecars started before them.
fn init_containers(sum: &mut Amounts, all: &[Value], which: &str) {
    let (mut sidecars, mut peak) = (Amounts::new(), Amounts::new());
    for container in all {
        let own = of_container(container, which);
        if containers::is_restartable(container) {
            add(sum, own);
            add(&mut sidecars, own);
            raise(&mut peak, &sidecars);
        } else {
            let mut beside = sidecars.clone();
            add(&mut beside, own);
            raise(&mut peak, &beside);
        }
    }
    raise(sum, &peak);
}

fn of_container<'a>(container: &'a Value, which: &str) -> &'a Map {
    container.get("resources").map_at(which)
}

fn add(sum: &mut Amounts, amounts: &Map) {
    for (name, amount) in amounts {
        if let Some(amount) = Quantity::of(amount) {
            match sum.get_mut(name) {
                Some(sum) => *sum += amount,
                None => drop(sum.insert(name.clone(), amount)),
            }
        }
    }
}

fn raise(sum: &mut Amounts, to: &Amounts) {
    for (name, amount) in to {
        match sum.get_mut(name) {
            Some(sum) if *sum >= *amount => {}
            _ => drop(sum.insert(name.clone(), *amount)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    fn container(cpu: &str) -> Value {
        object! { "resources": { "requests": { "cpu": cpu } } }
    }

    #[track_caller]
    fn check(pod: &Value, expect: &[(&str, &str)]) {
        let found = requests(pod);
        let found: Vec<(&str, String)> = found
            .iter()
            .map(|(name, amount)| (name.as_str(), amount.to_string()))
            .collect();
        let found: Vec<(&str, &str)> = found.iter().map(|(n, a)| (*n, a.as_str())).collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn sums_and_peaks() {
        let mut pod = object! { "spec": { "containers": [container("100m"), container("200m")] } };
        check(&pod, &[("cpu", "300m")]);
        pod.set("spec.initContainers", vec![container("250m")]);
        check(&pod, &[("cpu", "300m")]);
        pod.list_mut("spec.initContainers").push(container("1"));
        check(&pod, &[("cpu", "1")]);
        let mut sidecar = container("50m");
        sidecar.set("restartPolicy", "Always");
        pod.set("spec.initContainers", vec![sidecar.clone(), container("1")]);
        check(&pod, &[("cpu", "1050m")]);
        pod.set("spec.initContainers", vec![container("50m"), sidecar]);
        check(&pod, &[("cpu", "350m")]);
        pod.set("spec.overhead", object! { "cpu": "10m", "memory": "1Mi" });
        check(&pod, &[("cpu", "360m"), ("memory", "1Mi")]);
        assert!(limits(&pod).is_empty());
    }
}
