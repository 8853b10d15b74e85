//! Finding containers and their statuses.
//!
//! Models pkg/api/v1/pod/util.go.

use crate::Value;

/// Lists of a pod's spec that hold containers, each with the list of the status that tells of them,
/// in the order in which they start.
pub const LISTS: [(&str, &str); 3] = [
    ("initContainers", "initContainerStatuses"),
    ("containers", "containerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
];

/// Whether an init container keeps running beside the others (a sidecar).
pub fn is_restartable(container: &Value) -> bool {
    container.str("restartPolicy") == "Always"
}

/// The container of this name, of any sort; null if there is none.
pub fn find<'a>(pod: &'a Value, name: &str) -> &'a Value {
    in_lists(pod.get("spec"), LISTS.map(|(spec, _)| spec), name)
}

/// The status of the container of this name, of any sort; null if there is none.
pub fn status<'a>(pod: &'a Value, name: &str) -> &'a Value {
    in_lists(pod.get("status"), LISTS.map(|(_, status)| status), name)
}

fn in_lists<'a>(of: &'a Value, lists: [&str; 3], name: &str) -> &'a Value {
    let mut all = lists.into_iter().flat_map(|list| of.get(list).list());
    all.find(|c| c.str("name") == name).unwrap_or(crate::NULL)
}

/// All containers of a pod spec: init containers first, then the others, ephemeral ones last.
pub fn all(spec: &Value) -> impl Iterator<Item = &Value> {
    LISTS
        .into_iter()
        .flat_map(|(list, _)| spec.get(list).list())
}

/// The state a container status tells: `waiting`, `running` or `terminated`, with its details; a
/// container nobody told of waits.
pub fn state(status: &Value) -> (&'static str, &Value) {
    let known = ["running", "terminated", "waiting"].into_iter();
    let mut found = known.map(|name| (name, status.get("state").get(name)));
    found
        .find(|(_, details)| !details.is_null())
        .unwrap_or(("waiting", crate::NULL))
}

/// The port a probe or Service means: a number, or the name of a port of the container.
pub fn port_number(container: &Value, port: &Value) -> Option<u16> {
    let number = match port {
        Value::Str(name) => {
            let mut ports = container.get("ports").list().iter();
            let named = ports.find(|p| p.str("name") == &**name);
            named.map_or(name.parse().ok(), |p| p.get("containerPort").as_i64())
        }
        other => other.as_i64(),
    };
    number
        .and_then(|n| u16::try_from(n).ok())
        .filter(|n| *n > 0)
}

/// The container of a command that names none: the annotated one, else the first.
pub fn default_name(pod: &Value) -> &str {
    let annotated = pod.annotation("kubectl.kubernetes.io/default-container");
    if !annotated.is_empty() && !find(pod, annotated).is_null() {
        return annotated;
    }
    pod.str_at("spec.containers.0.name")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[test]
    fn lookups() {
        let pod = object! {
            "spec": {
                "initContainers": [{ "name": "i", "restartPolicy": "Always" }],
                "containers": [{ "name": "c", "ports": [{ "name": "http", "containerPort": 80 }] }],
            },
            "status": { "containerStatuses": [
                { "name": "c", "state": { "terminated": { "exitCode": 1 } } },
            ] },
        };
        assert!(is_restartable(find(&pod, "i")) && find(&pod, "x").is_null());
        let (state_name, details) = state(status(&pod, "c"));
        assert_eq!(
            (state_name, details.i64_at("exitCode")),
            ("terminated", Some(1))
        );
        assert_eq!(state(status(&pod, "i")).0, "waiting");
        let names: Vec<&str> = all(pod.get("spec")).map(|c| c.str("name")).collect();
        assert_eq!(names, ["i", "c"]);
        assert_eq!(port_number(find(&pod, "c"), &"http".into()), Some(80));
        assert_eq!(port_number(find(&pod, "c"), &8080.into()), Some(8080));
        assert_eq!(port_number(find(&pod, "c"), &"nosuch".into()), None);
        assert_eq!(default_name(&pod), "c");
    }
}
