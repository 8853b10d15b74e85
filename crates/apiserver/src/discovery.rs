//! What there is: groups, versions, resources, in the old form of a document for each and in the
//! aggregated one.
//!
//! Models apiserver/pkg/endpoints/discovery.

use api::kinds::{self, Kind};
use api::{Value, object};

use crate::config::Config;

/// The groups in the order in which they are served.
const GROUPS: [&str; 19] = [
    "apiregistration.k8s.io",
    "apps",
    "events.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "autoscaling",
    "batch",
    "certificates.k8s.io",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
    "storage.k8s.io",
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "scheduling.k8s.io",
    "coordination.k8s.io",
    "node.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
];

/// The page at `/api/…` or `/apis/…`; `None` where there is none.
pub(crate) fn page(first: &str, rest: &[&str], aggregated: bool, config: &Config) -> Option<Value> {
    match (first, rest) {
        ("api", []) if aggregated => Some(aggregate(&[""])),
        ("apis", []) if aggregated => Some(aggregate(&groups())),
        ("api", []) => Some(versions(config)),
        ("apis", []) => Some(group_list()),
        ("api", [version]) => resource_list("", version),
        ("apis", [group]) => group_page(group),
        ("apis", [group, version]) => resource_list(group, version),
        _ => None,
    }
}

/// The groups that have kinds.
fn groups() -> Vec<&'static str> {
    GROUPS
        .into_iter()
        .filter(|group| kinds::all().iter().any(|kind| kind.group == *group))
        .collect()
}

/// The paths of all groups and their versions.
pub(crate) fn group_paths() -> Vec<String> {
    let mut paths = Vec::new();
    for group in groups() {
        paths.push(format!("/apis/{group}"));
        paths.extend(
            versions_of(group)
                .iter()
                .map(|version| format!("/apis/{group}/{version}")),
        );
    }
    paths
}

/// A group's versions, the preferred one first.
fn versions_of(group: &str) -> Vec<&'static str> {
    let mut versions: Vec<&str> = Vec::new();
    for kind in kinds::all().iter().filter(|kind| kind.group == group) {
        if !versions.contains(&kind.version) {
            versions.push(kind.version);
        }
    }
    // v2 before v1; there are no betas among the built-in kinds.
    versions.sort_by(|a, b| b.cmp(a));
    versions
}

fn versions(config: &Config) -> Value {
    let server = format!("{}:{}", config.advertise_address, config.secure_port);
    object! {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": server }],
    }
}

fn group(name: &str) -> Value {
    let version = |version: &&str| {
        object! { "groupVersion": format!("{name}/{version}"), "version": *version }
    };
    let versions: Vec<Value> = versions_of(name).iter().map(version).collect();
    let preferred = versions.first().cloned().unwrap_or_default();
    object! { "name": name, "versions": versions, "preferredVersion": preferred }
}

fn group_list() -> Value {
    let groups: Vec<Value> = groups().into_iter().map(group).collect();
    object! { "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }
}

fn group_page(name: &str) -> Option<Value> {
    if !groups().contains(&name) {
        return None;
    }
    let mut page = group(name);
    page.set("kind", "APIGroup");
    page.set("apiVersion", "v1");
    Some(page)
}

fn kinds_of(group: &str, version: &str) -> Vec<&'static Kind> {
    let mut kinds: Vec<&Kind> = kinds::all()
        .iter()
        .filter(|kind| kind.group == group && kind.version == version)
        .copied()
        .collect();
    kinds.sort_by_key(|kind| kind.plural);
    kinds
}

fn resource_list(group: &str, version: &str) -> Option<Value> {
    let kinds = kinds_of(group, version);
    let first = kinds.first()?;
    let mut resources = Vec::new();
    for kind in &kinds {
        let mut resource = object! {
            "name": kind.plural,
            "singularName": kind.singular,
            "namespaced": kind.namespaced,
            "kind": kind.kind,
            "verbs": kind.verbs.to_vec(),
        };
        add_names(&mut resource, kind);
        if !kind.storage.is_empty() {
            resource.set("storageVersionHash", storage_hash(kind));
        }
        resources.push(resource);
        let mut subs: Vec<_> = kind.subresources.iter().collect();
        subs.sort_by_key(|sub| sub.name);
        for sub in subs {
            let mut resource = object! {
                "name": format!("{}/{}", kind.plural, sub.name),
                "singularName": "",
                "namespaced": kind.namespaced,
                "kind": sub.kind,
                "verbs": sub.verbs.to_vec(),
            };
            if let Some((group, version)) = sub.group_version.rsplit_once('/') {
                resource.set("group", group);
                resource.set("version", version);
            }
            resources.push(resource);
        }
    }
    let mut list = object! {
        "kind": "APIResourceList",
        "groupVersion": first.api_version(),
        "resources": resources,
    };
    if !group.is_empty() {
        list.set("apiVersion", "v1");
    }
    Some(list)
}

fn add_names(resource: &mut Value, kind: &Kind) {
    if !kind.short_names.is_empty() {
        resource.set("shortNames", kind.short_names.to_vec());
    }
    if !kind.categories.is_empty() {
        resource.set("categories", kind.categories.to_vec());
    }
}

/// Eight bytes that change when the stored form does, in base 64.
fn storage_hash(kind: &Kind) -> String {
    let text = format!("{}/{}/{}", kind.group, kind.version, kind.kind);
    let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    api::base64::encode(&hash.to_be_bytes())
}

/// Everything about some groups in one document.
fn aggregate(groups: &[&str]) -> Value {
    let items: Vec<Value> = groups
        .iter()
        .map(|group| {
            let versions: Vec<Value> = versions_of(group)
                .into_iter()
                .map(|version| {
                    let resources = kinds_of(group, version);
                    let resources: Vec<Value> =
                        resources.into_iter().map(aggregate_resource).collect();
                    object! {
                        "version": version,
                        "resources": resources,
                        "freshness": "Current",
                    }
                })
                .collect();
            let mut item = object! { "metadata": {}, "versions": versions };
            if !group.is_empty() {
                item.set("metadata.name", *group);
            }
            item
        })
        .collect();
    object! {
        "kind": "APIGroupDiscoveryList",
        "apiVersion": "apidiscovery.k8s.io/v2",
        "metadata": {},
        "items": items,
    }
}

fn aggregate_resource(kind: &'static Kind) -> Value {
    let response = |group_version: &str, name: &str| {
        let (group, version) = match group_version.rsplit_once('/') {
            Some(both) => both,
            None => (kind.group, kind.version),
        };
        object! { "group": group, "version": version, "kind": name }
    };
    let mut resource = object! {
        "resource": kind.plural,
        "responseKind": response("", kind.kind),
        "scope": if kind.namespaced { "Namespaced" } else { "Cluster" },
        "singularResource": kind.singular,
        "verbs": kind.verbs.to_vec(),
    };
    add_names(&mut resource, kind);
    if !kind.subresources.is_empty() {
        let mut subs: Vec<_> = kind.subresources.iter().collect();
        subs.sort_by_key(|sub| sub.name);
        let subs: Vec<Value> = subs
            .into_iter()
            .map(|sub| {
                object! {
                    "subresource": sub.name,
                    "responseKind": response(sub.group_version, sub.kind),
                    "verbs": sub.verbs.to_vec(),
                }
            })
            .collect();
        resource.set("subresources", subs);
    }
    resource
}
