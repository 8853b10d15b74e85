//! What the API server serves, and what a word on the command line means.
//!
//! Models client-go's aggregated discovery, restmapper and shortcut expansion.

use std::cell::RefCell;

use api::{Value, object};

use super::failure::{Failure, Outcome};
use super::session::{Call, Session};

const AGGREGATED: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// A resource the server serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) kind: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    pub(crate) verbs: Vec<String>,
    /// `status`, `scale`, ….
    pub(crate) subresources: Vec<String>,
}

/// Everything served, in the server's order of preference.
#[derive(Clone, Debug, Default)]
pub(crate) struct Discovery {
    pub(crate) resources: Vec<Resource>,
    /// What is to be said of the words that were looked up; none is said twice.
    warnings: RefCell<Vec<String>>,
}

impl Resource {
    /// `v1`, `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        match self.group.as_str() {
            "" => self.version.clone(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `pods`, `deployments.apps`: how a resource is named in sentences.
    pub(crate) fn qualified(&self) -> String {
        match self.group.as_str() {
            "" => self.plural.clone(),
            group => format!("{}.{group}", self.plural),
        }
    }

    /// `pod`, `deployment.apps`: how an object is named in output.
    pub(crate) fn qualified_singular(&self) -> String {
        match self.group.as_str() {
            "" => self.singular.clone(),
            group => format!("{}.{group}", self.singular),
        }
    }

    /// The path of its collection, in a namespace where it has one.
    pub(crate) fn collection(&self, namespace: Option<&str>) -> String {
        let root = match self.group.as_str() {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match namespace.filter(|_| self.namespaced) {
            Some(namespace) => format!("{root}/namespaces/{namespace}/{}", self.plural),
            None => format!("{root}/{}", self.plural),
        }
    }

    /// The path of an object.
    pub(crate) fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(Some(namespace)))
    }
}

impl Discovery {
    /// What a word means: a plural, singular, short name or kind, with or without version and
    /// group (`deploy`, `deployments.apps`, `deployments.v1.apps`).
    pub(crate) fn find(&self, word: &str) -> Option<&Resource> {
        let lower = word.to_lowercase();
        let names = |r: &Resource, name: &str| {
            r.plural == name || r.singular == name || r.kind.to_lowercase() == name
        };
        if let Some(found) = self.resources.iter().find(|r| names(r, &lower)) {
            return Some(found);
        }
        let mut short = self
            .resources
            .iter()
            .filter(|r| r.short_names.contains(&lower));
        if let Some(found) = short.next() {
            let same =
                |other: &&Resource| (&other.group, &other.plural) != (&found.group, &found.plural);
            if let Some(other) = short.find(same) {
                self.ambiguous(&lower, other);
            }
            return Some(found);
        }
        let (name, rest) = lower.split_once('.')?;
        let named =
            |r: &&Resource| names(r, name) || r.short_names.iter().any(|short| short == name);
        if let Some(found) = self
            .resources
            .iter()
            .filter(named)
            .find(|r| r.group == rest)
        {
            return Some(found);
        }
        // A group may be named by its first labels alone.
        let prefix = format!("{rest}.");
        if let Some(found) = self
            .resources
            .iter()
            .filter(named)
            .find(|r| r.group.starts_with(&prefix))
        {
            return Some(found);
        }
        let (version, group) = rest.split_once('.').unwrap_or((rest, ""));
        let mut all = self.resources.iter().filter(named);
        // A short name stands for the resource, whatever its version.
        let is_short = |r: &&Resource| r.group == group && r.short_names.iter().any(|s| s == name);
        let exact = all.find(|r| r.version == version && r.group == group && names(r, name));
        exact.or_else(|| {
            self.resources
                .iter()
                .find(is_short)
                .filter(|_| !group.is_empty())
        })
    }

    fn ambiguous(&self, word: &str, other: &Resource) {
        let warning = format!(
            "short name {word:?} could also match lower priority resource {}",
            other.qualified()
        );
        let mut warnings = self.warnings.borrow_mut();
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    /// The `n`-th thing to say of the words that were looked up.
    pub(super) fn warning(&self, n: usize) -> Option<String> {
        self.warnings.borrow().get(n).cloned()
    }

    /// The groups and their versions, as an `APIGroupList`.
    pub(crate) fn groups(&self) -> Value {
        let mut groups: Vec<(&str, Vec<Value>)> = Vec::new();
        for resource in &self.resources {
            let (group, version) = (resource.group.as_str(), resource.version.as_str());
            let known = groups.iter().position(|(name, _)| *name == group);
            let at = known.unwrap_or_else(|| {
                groups.push((group, Vec::new()));
                groups.len() - 1
            });
            let version =
                object!({ "groupVersion": (resource.api_version()), "version": (version) });
            if !groups[at].1.contains(&version) {
                groups[at].1.push(version);
            }
        }
        let groups: Vec<Value> = groups
            .into_iter()
            .map(
                |(name, versions)| object!({ "name": (name), "versions": (Value::from(versions)) }),
            )
            .collect();
        object!({ "apiVersion": "v1", "groups": (Value::from(groups)), "kind": "APIGroupList" })
    }

    /// As [`Discovery::find`], with kubectl's sentence if there is none.
    pub(crate) fn resolve(&self, word: &str) -> Outcome<&Resource> {
        self.find(word).ok_or_else(|| {
            // What follows a dot is a group, and no part of the name.
            let word = word.split('.').next().unwrap_or(word);
            Failure::message(format!("the server doesn't have a resource type {word:?}"))
        })
    }

    /// The resource of an object's `apiVersion` and `kind`.
    pub(crate) fn of(&self, api_version: &str, kind: &str) -> Option<&Resource> {
        self.resources
            .iter()
            .find(|r| r.kind == kind && r.api_version() == api_version)
    }

    /// The resources of a category such as `all`, each in the version the server prefers.
    pub(crate) fn category(&self, name: &str) -> Vec<&Resource> {
        let mut found: Vec<&Resource> = Vec::new();
        for resource in &self.resources {
            let same = |known: &&Resource| {
                known.group == resource.group && known.plural == resource.plural
            };
            let meant = resource.categories.iter().any(|known| known == name);
            if meant && !found.iter().any(same) {
                found.push(resource);
            }
        }
        found
    }
}

/// Asks the server what it serves.
pub(super) async fn discover(session: &Session) -> Outcome<Discovery> {
    let mut resources = Vec::new();
    for root in ["/api", "/apis"] {
        let call = Call {
            accept: AGGREGATED,
            ..Call::get(root)
        };
        let list = session.call(call).await?;
        for group in list.list_at("items") {
            read_group(group, &mut resources);
        }
    }
    Ok(Discovery {
        resources,
        ..Discovery::default()
    })
}

fn read_group(group: &Value, resources: &mut Vec<Resource>) {
    let strings = |value: &Value, key: &str| -> Vec<String> {
        value
            .list_at(key)
            .iter()
            .map(|v| v.as_str().to_owned())
            .collect()
    };
    for version in group.list_at("versions") {
        for resource in version.list_at("resources") {
            let text = |path: &str| resource.str_at(path).to_owned();
            resources.push(Resource {
                group: group.name().to_owned(),
                version: version.str_at("version").to_owned(),
                plural: text("resource"),
                singular: text("singularResource"),
                kind: text("responseKind.kind"),
                short_names: strings(resource, "shortNames"),
                categories: strings(resource, "categories"),
                namespaced: resource.str_at("scope") == "Namespaced",
                verbs: strings(resource, "verbs"),
                subresources: resource
                    .list_at("subresources")
                    .iter()
                    .map(|sub| sub.str_at("subresource").to_owned())
                    .collect(),
            });
        }
    }
}
