//! The API described by itself: OpenAPI documents, one for each version of a group, and the old one
//! of everything. Made from the table of types, from texts that Kubernetes publishes, and from the
//! schemas of custom kinds. Parameters of operations are left out.
//!
//! Models kube-openapi/pkg/{builder3,handler3} and apiextensions-apiserver/pkg/controller/openapi.

mod custom;
mod paths;
mod prose;
mod schema;

use std::collections::BTreeSet;

use api::kinds::Kind;
use api::schema::{DefId, Schemas};
use api::{Map, Str, Value, object};

use crate::discovery::Discovery;

use prose::Prose;
use schema::Style;

/// Makes documents.
pub(crate) struct OpenApi<'a> {
    pub(crate) discovery: Discovery<'a>,
    pub(crate) schemas: &'a Schemas,
}

impl OpenApi<'_> {
    /// The page below `/openapi`; `None` where there is none.
    pub(crate) fn page(&self, rest: &[&str]) -> Option<Value> {
        match rest {
            ["v2"] => Some(self.whole()),
            ["v3"] => Some(self.index()),
            ["v3", "api", version] => self.document("", version),
            ["v3", "apis", group, version] => self.document(group, version),
            _ => None,
        }
    }

    /// Every version of every group.
    fn versions(&self) -> Vec<(&'static str, &'static str)> {
        let groups = std::iter::once("").chain(self.discovery.groups());
        let versions = groups.flat_map(|group| {
            let versions = self.discovery.versions_of(group).into_iter();
            versions.map(move |version| (group, version))
        });
        versions.collect()
    }

    /// Where the documents are. The hash changes when the document does.
    fn index(&self) -> Value {
        let entry = |(group, version): (&str, &str)| {
            let path = match group {
                "" => format!("api/{version}"),
                group => format!("apis/{group}/{version}"),
            };
            let hash = self.hash(group, version);
            let url = format!("/openapi/v3/{path}?hash={hash}");
            (Str::from(path), object! { "serverRelativeURL": url })
        };
        let entries = self.versions().into_iter().map(entry).collect();
        object! { "paths": Value::Map(Map::from_entries(entries)) }
    }

    /// What a page below `/openapi` can be recognised by; it changes when the page does.
    pub(crate) fn tag(&self, rest: &[&str]) -> String {
        match rest {
            ["v3", "api", version] => self.hash("", version),
            ["v3", "apis", group, version] => self.hash(group, version),
            rest => {
                let versions = self.versions().into_iter();
                let all = versions.map(|(group, version)| self.source(group, version));
                fingerprint(&format!("{} {}", rest.join("/"), all.collect::<String>()))
            }
        }
    }

    fn hash(&self, group: &str, version: &str) -> String {
        fingerprint(&self.source(group, version))
    }

    /// All that the document of a version is made from.
    fn source(&self, group: &str, version: &str) -> String {
        let mut text = format!("{} {group}/{version}", self.discovery.config.version);
        for kind in self.discovery.kinds_of(group, version) {
            let scope = if kind.namespaced {
                "Namespaced"
            } else {
                "Cluster"
            };
            text.push_str(&format!(" {} {} {scope}", kind.kind, kind.plural));
            for sub in kind.subresources {
                text.push(' ');
                text.push_str(sub.name);
            }
            if let Some(custom) = kind.custom {
                text.push_str(&format!(" {} {}", custom.list_kind, custom.published));
            }
        }
        text
    }

    /// The document of a version.
    fn document(&self, group: &str, version: &str) -> Option<Value> {
        let kinds = self.discovery.kinds_of(group, version);
        if kinds.is_empty() {
            return None;
        }
        let schemas = self.definitions(&kinds, Style::V3);
        let mut paths = Vec::new();
        for kind in &kinds {
            paths::add(kind, Style::V3, &mut paths);
        }
        Some(object! {
            "openapi": "3.0.0",
            "info": self.info(),
            "paths": Value::Map(Map::from_entries(paths)),
            "components": { "schemas": schemas },
        })
    }

    /// The old document, of everything.
    fn whole(&self) -> Value {
        let versions = self.versions().into_iter();
        let kinds = versions.flat_map(|(group, version)| self.discovery.kinds_of(group, version));
        let kinds: Vec<&Kind> = kinds.collect();
        let mut paths = Vec::new();
        for kind in &kinds {
            paths::add(kind, Style::V2, &mut paths);
        }
        object! {
            "swagger": "2.0",
            "info": self.info(),
            "paths": Value::Map(Map::from_entries(paths)),
            "definitions": self.definitions(&kinds, Style::V2),
        }
    }

    fn info(&self) -> Value {
        object! { "title": "Kubernetes", "version": &*self.discovery.config.version }
    }

    /// The schemas of kinds and of all that they are made of.
    fn definitions(&self, kinds: &[&Kind], style: Style) -> Value {
        let prose = Prose::read(self.schemas);
        let mut wanted: Vec<DefId> = Vec::new();
        let by_kind = |version: &str, kind: &str| self.schemas.by_kind(version, kind);
        for kind in kinds {
            let version = kind.api_version();
            wanted.extend(by_kind(&version, kind.kind));
            wanted.extend(by_kind(&version, &kind.list_kind()));
            for sub in kind.subresources {
                wanted.extend(by_kind(sub.group_version, sub.kind));
            }
        }
        if kinds.iter().any(|kind| kind.custom.is_some()) {
            let metadata = ["meta.v1.ObjectMeta", "meta.v1.ListMeta"];
            wanted.extend(
                metadata
                    .iter()
                    .filter_map(|name| self.schemas.by_name(name)),
            );
        }
        let extra = ["meta.v1.DeleteOptions", "meta.v1.Status"];
        wanted.extend(extra.iter().filter_map(|name| self.schemas.by_name(name)));
        let mut known = BTreeSet::new();
        let mut entries = Vec::new();
        while let Some(id) = wanted.pop() {
            if known.insert(id) {
                let (name, schema) = schema::of(self.schemas, &prose, id, style, &mut wanted);
                entries.push((Str::from(name), schema));
            }
        }
        for kind in kinds {
            if let Some(described) = kind.custom {
                let about = custom::Custom {
                    kind,
                    described,
                    prose: &prose,
                    schemas: self.schemas,
                    style,
                };
                about.add(&mut entries);
            }
        }
        Value::Map(Map::from_entries(entries))
    }
}

/// 64 bytes in capital hexadecimal digits.
pub(crate) fn fingerprint(text: &str) -> String {
    let mut state = 0xcbf2_9ce4_8422_2325_u64;
    let mut out = String::new();
    for round in 0..8_u8 {
        for byte in text.bytes().chain([round]) {
            state = (state ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
        out.push_str(&format!("{state:016X}"));
    }
    out
}
