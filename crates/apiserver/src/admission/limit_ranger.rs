//! What a namespace's LimitRanges say of the size of containers, pods and claims: what containers get
//! that do not say what they want, and what is too little or too much.
//!
//! Models plugin/pkg/admission/limitranger.

use api::kinds::support::quota::amounts;
use api::kinds::support::resources::{self, Amounts};
use api::{Quantity, Status, Str, Value};

use super::Plugin;
use crate::cache;
use crate::server::ApiServer;
use crate::write::Write;

const ANNOTATION: &str = "kubernetes.io/limit-ranger";
/// Lists of containers, and what one of them is called.
const CONTAINERS: [(&str, &str); 2] = [
    ("spec.containers", "container"),
    ("spec.initContainers", "init container"),
];

/// The plugin.
pub(super) const PLUGIN: Plugin = Plugin {
    name: "LimitRanger",
    mutate: admit,
    validate,
    ..Plugin::PLAIN
};

fn admit(
    server: &mut ApiServer,
    write: &Write,
    object: &mut Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    if super::creates_pod(write, old) {
        for range in ranges(server, write) {
            set_defaults(object, &range);
        }
    }
    Ok(())
}

fn validate(
    server: &ApiServer,
    write: &mut Write,
    object: &Value,
    old: Option<&Value>,
) -> Result<(), Status> {
    let check = match write.stored_kind().kind {
        "Pod" if old.is_none() => check_pod,
        "PersistentVolumeClaim" => check_claim,
        _ => return Ok(()),
    };
    if !write.subresource.is_empty() || old.is_some_and(Value::is_terminating) {
        return Ok(());
    }
    for range in ranges(server, write) {
        let mut errors = Vec::new();
        for limit in range.list_at("spec.limits") {
            check(object, limit, &mut errors);
        }
        // What is the same of several containers is said once.
        let mut said: Vec<String> = Vec::new();
        for error in errors {
            if !said.contains(&error) {
                said.push(error);
            }
        }
        match said.as_slice() {
            [] => {}
            [one] => return Err(write.forbidden(one)),
            many => return Err(write.forbidden(format!("[{}]", many.join(", ")))),
        }
    }
    Ok(())
}

fn ranges(server: &ApiServer, write: &Write) -> Vec<Value> {
    let known = server.resources.named("", "limitranges");
    let Some(known) = known.filter(|known| !known.cache.objects().is_empty()) else {
        return Vec::new();
    };
    cache::in_namespace(known.cache.objects(), &write.namespace, "")
        .map(|entry| entry.value.clone())
        .collect()
}

fn set_defaults(pod: &mut Value, range: &Value) {
    let mut notes = Vec::new();
    for (list, called) in CONTAINERS {
        for i in 0..pod.list_at(list).len() {
            let container = pod.at_mut(&format!("{list}.{i}"));
            for (which, from) in [("request", "defaultRequest"), ("limit", "default")] {
                let field = format!("{which}s");
                let mut set: Vec<Str> = Vec::new();
                let of_containers = |limit: &&Value| limit.str("type") == "Container";
                for limit in range.list_at("spec.limits").iter().filter(of_containers) {
                    for (name, amount) in limit.map_at(from) {
                        if !container.get("resources").map_at(&field).contains_key(name) {
                            container.set_path(&["resources", &field, name], amount);
                            set.push(name.clone());
                        }
                    }
                }
                if !set.is_empty() {
                    set.sort();
                    let name = container.str("name");
                    notes.push(format!("{} {which} for {called} {name}", set.join(", ")));
                }
            }
        }
    }
    if !notes.is_empty() {
        let note = format!("LimitRanger plugin set: {}", notes.join("; "));
        pod.set_annotation(ANNOTATION, &note);
    }
}

/// What a container or pod asks for and is limited to.
struct Asked {
    /// `Container` or `Pod`.
    of: &'static str,
    requests: Amounts,
    limits: Amounts,
}

fn check_pod(pod: &Value, limit: &Value, errors: &mut Vec<String>) {
    match limit.str("type") {
        "Container" => {
            for (list, _) in CONTAINERS {
                for container in pod.list_at(list) {
                    let asked = Asked {
                        of: "Container",
                        requests: amounts(container.get("resources").map_at("requests")),
                        limits: amounts(container.get("resources").map_at("limits")),
                    };
                    asked.check(limit, errors);
                }
            }
        }
        "Pod" => {
            let mut bare = pod.clone();
            bare.remove("spec.overhead");
            let asked = Asked {
                of: "Pod",
                requests: resources::requests(&bare),
                limits: resources::limits(&bare),
            };
            asked.check(limit, errors);
        }
        _ => {}
    }
}

fn check_claim(claim: &Value, limit: &Value, errors: &mut Vec<String>) {
    let of = "PersistentVolumeClaim";
    if limit.str("type") != of {
        return;
    }
    let asked = amounts(claim.map_at("spec.resources.requests"));
    for (name, least) in amounts(limit.map_at("min")) {
        errors.extend(too_little(of, &name, least, asked.get(&name), None));
    }
    for (name, most) in amounts(limit.map_at("max")) {
        let what = format!("maximum {name} usage per {of} is {most}");
        match asked.get(&name) {
            None => errors.push(format!("{what}.  No request is specified")),
            Some(asked) if *asked > most => errors.push(format!("{what}, but request is {asked}")),
            Some(_) => {}
        }
    }
}

impl Asked {
    fn check(&self, limit: &Value, errors: &mut Vec<String>) {
        let of = |name: &Str| (self.requests.get(name), self.limits.get(name));
        for (name, least) in amounts(limit.map_at("min")) {
            let (request, limit) = of(&name);
            errors.extend(too_little(self.of, &name, least, request, limit));
        }
        for (name, most) in amounts(limit.map_at("max")) {
            let (request, limit) = of(&name);
            errors.extend(too_much(self.of, &name, most, request, limit));
        }
        for (name, most) in amounts(limit.map_at("maxLimitRequestRatio")) {
            let (request, limit) = of(&name);
            errors.extend(too_far_apart(self.of, &name, most, request, limit));
        }
    }
}

type Amount<'a> = Option<&'a Quantity>;

fn too_little(
    of: &str,
    name: &str,
    least: Quantity,
    request: Amount<'_>,
    limit: Amount<'_>,
) -> Option<String> {
    let what = format!("minimum {name} usage per {of} is {least}");
    match (request, limit) {
        (None, _) => Some(format!("{what}.  No request is specified")),
        (Some(request), _) if *request < least => Some(format!("{what}, but request is {request}")),
        (_, Some(limit)) if *limit < least => Some(format!("{what}, but limit is {limit}")),
        _ => None,
    }
}

fn too_much(
    of: &str,
    name: &str,
    most: Quantity,
    request: Amount<'_>,
    limit: Amount<'_>,
) -> Option<String> {
    let what = format!("maximum {name} usage per {of} is {most}");
    match (request, limit) {
        (_, None) => Some(format!("{what}.  No limit is specified")),
        (_, Some(limit)) if *limit > most => Some(format!("{what}, but limit is {limit}")),
        (Some(request), _) if *request > most => Some(format!("{what}, but request is {request}")),
        _ => None,
    }
}

fn too_far_apart(
    of: &str,
    name: &str,
    most: Quantity,
    request: Amount<'_>,
    limit: Amount<'_>,
) -> Option<String> {
    let what = format!("{name} max limit to request ratio per {of} is {most}");
    let there = |amount: &&Quantity| !amount.is_zero();
    let Some(request) = request.filter(there) else {
        return Some(format!(
            "{what}, but no request is specified or request is 0"
        ));
    };
    let Some(limit) = limit.filter(there) else {
        return Some(format!("{what}, but no limit is specified or limit is 0"));
    };
    let ratio = limit.as_f64() / request.as_f64();
    (ratio > most.as_f64()).then(|| format!("{what}, but provided ratio is {ratio:.6}"))
}
