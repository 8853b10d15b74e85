//! What there is: groups, versions, resources, in the old form of a document for each and in the
//! aggregated one.
//!
//! Models apiserver/pkg/endpoints/discovery.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use api::kinds::{Kind, Subresource};
use api::{Value, object};

use crate::config::Config;
use crate::resources::Resources;

/// The groups in the order in which they are served.
const GROUPS: [&str; 20] = [
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
    "resource.k8s.io",
];

/// What discovery tells: the kinds that are served.
pub(crate) struct Discovery<'a> {
    pub(crate) resources: &'a Resources,
    pub(crate) config: &'a Config,
}

impl Discovery<'_> {
    /// The page at `/api/…` or `/apis/…`; `None` where there is none.
    pub(crate) fn page(&self, first: &str, rest: &[&str], form: Form) -> Option<Value> {
        match (first, rest) {
            ("api", []) if form != Form::Plain => Some(self.aggregate(&[""], form)),
            ("apis", []) if form != Form::Plain => Some(self.aggregate(&self.groups(), form)),
            ("api", []) => Some(versions(self.config)),
            ("apis", []) => Some(self.group_list()),
            ("api", [version]) => self.resource_list("", version),
            ("apis", [group]) => self.group_page(group),
            ("apis", [group, version]) => self.resource_list(group, version),
            _ => None,
        }
    }

    /// The groups that have kinds: those that are built in in their own order, then the others in
    /// that of their names.
    pub(crate) fn groups(&self) -> Vec<&'static str> {
        let there: BTreeSet<&'static str> = self.resources.kinds().map(|kind| kind.group).collect();
        let built_in = GROUPS.into_iter().filter(|group| there.contains(group));
        let others = there.iter().copied();
        let others = others.filter(|group| !group.is_empty() && !GROUPS.contains(group));
        built_in.chain(others).collect()
    }

    /// The paths of all groups and their versions.
    pub(crate) fn group_paths(&self) -> Vec<String> {
        let mut paths = Vec::new();
        for group in self.groups() {
            paths.push(format!("/apis/{group}"));
            let versions = self.versions_of(group);
            paths.extend(
                versions
                    .iter()
                    .map(|version| format!("/apis/{group}/{version}")),
            );
        }
        paths
    }

    /// A group's versions, the preferred one first.
    pub(crate) fn versions_of(&self, group: &str) -> Vec<&'static str> {
        let kinds = self.resources.kinds().filter(|kind| kind.group == group);
        let mut versions: Vec<&str> = Vec::new();
        for kind in kinds {
            if !versions.contains(&kind.version) {
                versions.push(kind.version);
            }
        }
        versions.sort_by(|a, b| by_stability(a, b));
        versions
    }

    fn group(&self, name: &str) -> Value {
        let version = |version: &&str| {
            object! { "groupVersion": format!("{name}/{version}"), "version": *version }
        };
        let versions: Vec<Value> = self.versions_of(name).iter().map(version).collect();
        let preferred = versions.first().cloned().unwrap_or_default();
        object! { "name": name, "versions": versions, "preferredVersion": preferred }
    }

    fn group_list(&self) -> Value {
        let groups = self.groups().into_iter();
        let groups: Vec<Value> = groups.map(|group| self.group(group)).collect();
        object! { "kind": "APIGroupList", "apiVersion": "v1", "groups": groups }
    }

    fn group_page(&self, name: &str) -> Option<Value> {
        if !self.groups().contains(&name) {
            return None;
        }
        let mut page = self.group(name);
        page.set("kind", "APIGroup");
        page.set("apiVersion", "v1");
        Some(page)
    }

    /// The kinds of a version, in the order of their plurals.
    pub(crate) fn kinds_of(&self, group: &str, version: &str) -> Vec<&'static Kind> {
        let of = |kind: &&'static Kind| kind.group == group && kind.version == version;
        let mut kinds: Vec<&Kind> = self.resources.kinds().filter(of).collect();
        kinds.sort_by_key(|kind| kind.plural);
        kinds
    }

    fn resource_list(&self, group: &str, version: &str) -> Option<Value> {
        let kinds = self.kinds_of(group, version);
        let first = kinds.first()?;
        let resources: Vec<Value> = kinds.iter().flat_map(|kind| listed(kind)).collect();
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

    /// Everything about some groups in one document.
    fn aggregate(&self, groups: &[&str], form: Form) -> Value {
        let version = |group: &str, version: &'static str| {
            let kinds = self.kinds_of(group, version).into_iter();
            let resources: Vec<Value> = kinds.map(aggregate_resource).collect();
            object! { "version": version, "resources": resources, "freshness": "Current" }
        };
        let item = |group: &&str| {
            let versions = self.versions_of(group).into_iter();
            let versions: Vec<Value> = versions.map(|v| version(group, v)).collect();
            let mut item = object! { "metadata": {}, "versions": versions };
            if !group.is_empty() {
                item.set("metadata.name", *group);
            }
            item.set("metadata.creationTimestamp", Value::Null);
            item
        };
        let items: Vec<Value> = groups.iter().map(item).collect();
        let version = if form == Form::Beta { "v2beta1" } else { "v2" };
        object! {
            "kind": "APIGroupDiscoveryList",
            "apiVersion": format!("apidiscovery.k8s.io/{version}"),
            "metadata": {},
            "items": items,
        }
    }
}

/// In which form discovery is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A document for each group and version.
    Plain,
    /// One document, `apidiscovery.k8s.io/v2`.
    Aggregated,
    /// The same as `v2beta1`.
    Beta,
}

/// Stable versions before betas before alphas, higher before lower; others after them by name.
fn by_stability(a: &str, b: &str) -> Ordering {
    match (stability(a), stability(b)) {
        (Some(a), Some(b)) => b.cmp(&a),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => a.cmp(b),
    }
}

/// `v2beta1` is (beta, 2, 1).
fn stability(version: &str) -> Option<(u8, u64, u64)> {
    let rest = version.strip_prefix('v')?;
    let end = rest.find(|c: char| !c.is_ascii_digit());
    let (major, rest) = rest.split_at(end.unwrap_or(rest.len()));
    let major = major.parse().ok()?;
    let minor = |text: &str| text.parse().ok();
    match rest {
        "" => Some((2, major, 0)),
        rest => match (rest.strip_prefix("beta"), rest.strip_prefix("alpha")) {
            (Some(rest), _) => Some((1, major, minor(rest)?)),
            (None, Some(rest)) => Some((0, major, minor(rest)?)),
            (None, None) => None,
        },
    }
}

fn versions(config: &Config) -> Value {
    let server = format!("{}:{}", config.advertise_address, config.secure_port);
    object! {
        "kind": "APIVersions",
        "versions": ["v1"],
        "serverAddressByClientCIDRs": [{ "clientCIDR": "0.0.0.0/0", "serverAddress": server }],
    }
}

/// A kind and its subresources, as lists show them.
fn listed(kind: &'static Kind) -> Vec<Value> {
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
    let mut subs: Vec<_> = kind.subresources.iter().collect();
    subs.sort_by_key(|sub| sub.name);
    let sub = |sub: &&Subresource| {
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
        resource
    };
    std::iter::once(resource)
        .chain(subs.iter().map(sub))
        .collect()
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
fn storage_hash(kind: &'static Kind) -> String {
    let stored = kind.stored();
    let name = format!("{}/{}/{}", stored.group, stored.version, stored.kind);
    let hash = sim::sha256::digest(name.as_bytes());
    api::base64::encode(&hash[..8])
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
