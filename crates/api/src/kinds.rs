//! The kinds of the API: a descriptor each, with everything that is particular to it. What follows
//! from a descriptor (paths, discovery, validation of metadata, tables) is derived here or by the
//! API server. To add a kind, write `kinds/<kind>.rs` and one line in `KINDS`.
//!
//! Models the registry of k8s.io/kubernetes: pkg/registry, pkg/apis/*/{v1/defaults,validation} and
//! pkg/printers/internalversion.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;

use sim::Instant;

use crate::Value;
use crate::field::FieldError;
use crate::names::{self, Messages};
use crate::schema::{Decoded, Schemas};

pub mod apiservice;
pub mod binding;
pub mod certificatesigningrequest;
pub mod clusterrole;
pub mod clusterrolebinding;
pub mod componentstatus;
pub mod configmap;
pub mod controllerrevision;
pub mod cronjob;
pub mod csidriver;
pub mod csinode;
pub mod csistoragecapacity;
pub mod customresourcedefinition;
pub mod daemonset;
pub mod deployment;
pub mod deviceclass;
pub mod endpoints;
pub mod endpointslice;
pub mod event;
pub mod event_v1;
pub mod flowschema;
pub mod horizontalpodautoscaler;
pub mod horizontalpodautoscaler_v1;
pub mod ingress;
pub mod ingressclass;
pub mod ipaddress;
pub mod job;
pub mod lease;
pub mod limitrange;
pub mod mutatingadmissionpolicy;
pub mod mutatingwebhookconfiguration;
pub mod namespace;
pub mod networkpolicy;
pub mod node;
pub mod persistentvolume;
pub mod persistentvolumeclaim;
pub mod pod;
pub mod poddisruptionbudget;
pub mod podtemplate;
pub mod priorityclass;
pub mod prioritylevelconfiguration;
pub mod replicaset;
pub mod replicationcontroller;
pub mod resourceclaim;
pub mod resourceclaimtemplate;
pub mod resourcequota;
pub mod resourceslice;
pub mod role;
pub mod rolebinding;
pub mod runtimeclass;
pub mod secret;
pub mod service;
pub mod serviceaccount;
pub mod servicecidr;
pub mod statefulset;
pub mod storageclass;
pub mod subjectaccessreview;
pub mod validatingadmissionpolicy;
pub mod validatingwebhookconfiguration;
pub mod volumeattachment;
pub mod volumeattributesclass;

mod check;
mod cidr;
pub mod custom;
mod meta;
mod resource_name;
mod strategy;
pub mod support;
mod table;
mod volume_source;

pub use custom::Custom;
pub use table::{Cell, Column};

/// Every kind, in the order in which discovery lists them.
const KINDS: &[&Kind] = &[
    &binding::KIND,
    &componentstatus::KIND,
    &configmap::KIND,
    &endpoints::KIND,
    &event::KIND,
    &limitrange::KIND,
    &namespace::KIND,
    &node::KIND,
    &persistentvolumeclaim::KIND,
    &persistentvolume::KIND,
    &pod::KIND,
    &podtemplate::KIND,
    &replicationcontroller::KIND,
    &resourcequota::KIND,
    &secret::KIND,
    &serviceaccount::KIND,
    &service::KIND,
    &apiservice::KIND,
    &controllerrevision::KIND,
    &daemonset::KIND,
    &deployment::KIND,
    &replicaset::KIND,
    &statefulset::KIND,
    &event_v1::KIND,
    &horizontalpodautoscaler::KIND,
    &horizontalpodautoscaler_v1::KIND,
    &cronjob::KIND,
    &job::KIND,
    &subjectaccessreview::WHOAMI,
    &subjectaccessreview::TOKEN,
    &subjectaccessreview::LOCAL,
    &subjectaccessreview::SELF,
    &subjectaccessreview::RULES,
    &subjectaccessreview::KIND,
    &certificatesigningrequest::KIND,
    &ingressclass::KIND,
    &ingress::KIND,
    &ipaddress::KIND,
    &networkpolicy::KIND,
    &servicecidr::KIND,
    &poddisruptionbudget::KIND,
    &clusterrolebinding::KIND,
    &clusterrole::KIND,
    &rolebinding::KIND,
    &role::KIND,
    &csidriver::KIND,
    &csinode::KIND,
    &csistoragecapacity::KIND,
    &storageclass::KIND,
    &volumeattachment::KIND,
    &mutatingadmissionpolicy::KIND,
    &mutatingadmissionpolicy::BINDING,
    &volumeattributesclass::KIND,
    &mutatingwebhookconfiguration::KIND,
    &validatingadmissionpolicy::KIND,
    &validatingadmissionpolicy::BINDING,
    &validatingwebhookconfiguration::KIND,
    &customresourcedefinition::KIND,
    &priorityclass::KIND,
    &lease::KIND,
    &runtimeclass::KIND,
    &endpointslice::KIND,
    &flowschema::KIND,
    &prioritylevelconfiguration::KIND,
    &deviceclass::KIND,
    &resourceclaim::KIND,
    &resourceclaimtemplate::KIND,
    &resourceslice::KIND,
];

/// What most resources can do.
pub const ALL_VERBS: &[&str] = &[
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

/// A part of a resource with a path of its own, `…/pods/{name}/status`.
#[derive(Clone, Copy, Debug)]
pub struct Subresource {
    /// The last segment of the path: `status`.
    pub name: &'static str,
    /// What can be done with it.
    pub verbs: &'static [&'static str],
    /// `group/version` of what is sent and received; empty for that of the resource.
    pub group_version: &'static str,
    /// The kind of what is sent and received.
    pub kind: &'static str,
    /// Whether it changes the object's status, as far as the kind lets it.
    pub writes_status: bool,
}

impl Subresource {
    const fn new(
        name: &'static str,
        verbs: &'static [&'static str],
        group_version: &'static str,
        kind: &'static str,
    ) -> Self {
        Self {
            name,
            verbs,
            group_version,
            kind,
            writes_status: false,
        }
    }

    const fn status(kind: &'static str) -> Self {
        Self::part_of_status("status", kind)
    }

    /// One that changes nothing but the status, or a part of it.
    const fn part_of_status(name: &'static str, kind: &'static str) -> Self {
        Self {
            writes_status: true,
            ..Self::new(name, &["get", "patch", "update"], "", kind)
        }
    }

    const fn scale() -> Self {
        Self::new(
            "scale",
            &["get", "patch", "update"],
            "autoscaling/v1",
            "Scale",
        )
    }
}

/// Shows a kind in another version's shape: both are one object in storage.
#[derive(Clone, Copy, Debug)]
pub struct View {
    /// The kind whose shape is stored.
    pub of: &'static Kind,
    /// From this kind's shape to the stored one.
    pub store: fn(&Value) -> Value,
    /// From the stored shape to this kind's.
    pub load: fn(&Value) -> Value,
}

/// Everything particular to one kind. Objects handed to the functions have passed decoding, which
/// checks types, drops empty fields and adds those that are always there.
#[derive(Clone, Copy)]
pub struct Kind {
    /// `apps`; empty for the core group.
    pub group: &'static str,
    /// `v1`.
    pub version: &'static str,
    /// `Deployment`.
    pub kind: &'static str,
    /// `deployments`, the name in paths.
    pub plural: &'static str,
    /// `deployment`.
    pub singular: &'static str,
    /// `deploy`.
    pub short_names: &'static [&'static str],
    /// Groups of resources this one answers to: `all`.
    pub categories: &'static [&'static str],
    /// Whether objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with the resource.
    pub verbs: &'static [&'static str],
    /// Parts with paths of their own.
    pub subresources: &'static [Subresource],
    /// The definition of the type: `io.k8s.api.apps.v1.Deployment`.
    pub schema: &'static str,
    /// The part of the key in etcd between `/registry/` and the namespace; empty if never stored.
    pub storage: &'static str,
    /// Where the stored object has another kind's shape.
    pub view: Option<View>,
    /// What a name must look like.
    pub name: fn(&str) -> Messages,
    /// Whether `metadata.generation` counts the changes of what is desired.
    pub counts_generation: bool,
    /// Whether PUT on a name that does not exist creates the object.
    pub create_on_update: bool,
    /// Whether a write without resourceVersion overwrites whatever there is.
    pub unconditional_update: bool,
    /// What a deletion that names no propagation policy does with dependents.
    pub propagation: &'static str,
    /// Sent as a warning with every answer; empty for none.
    pub deprecation: &'static str,
    /// Fields a field selector may name, besides `metadata.name` and `metadata.namespace`.
    pub fields: &'static [&'static str],
    /// The text of one of `fields`.
    pub field: for<'a> fn(&'a Value, &str) -> &'a str,
    /// Fills in what was left out.
    pub defaults: fn(&mut Value),
    /// Drops what a client may not set, before the object is created.
    pub prepare_for_create: fn(&mut Value),
    /// Drops what a client may not change. The third argument is the subresource, empty for the
    /// object itself. What holds for all kinds is done already.
    pub prepare_for_update: fn(&mut Value, &Value, &str),
    /// What the beginning of a deletion changes, that of kinds which hold themselves until their
    /// work is done. The second argument is the time, in RFC 3339.
    pub prepare_for_delete: fn(&mut Value, &str),
    /// What is wrong with an object, its metadata aside.
    pub validate: fn(&Value, &mut Vec<FieldError>),
    /// What more is wrong with an object that is to be created.
    pub validate_new: fn(&Value, &mut Vec<FieldError>),
    /// What is wrong with a change of an object, metadata and `validate` aside. Arguments as in
    /// `prepare_for_update`.
    pub validate_update: fn(&Value, &Value, &str, &mut Vec<FieldError>),
    /// What is allowed but hardly meant, to be told to whoever creates the object.
    pub warnings: fn(&Value) -> Vec<String>,
    /// Grace period of a deletion, given the one asked for; `None` if objects go at once.
    pub grace_period: Option<fn(&Value, Option<i64>) -> i64>,
    /// The columns of a table.
    pub columns: &'static [Column],
    /// The cells of an object's row, one per column.
    pub row: fn(&Value, Instant) -> Vec<Cell>,
    /// The order of a table's rows, where it is not that of the list.
    pub order: Option<fn(&Value, &Value) -> Ordering>,
    /// An object as one would write it, for tests and as an example.
    pub sample: &'static str,
    /// What a definition says of a kind that is not built in.
    pub custom: Option<&'static Custom>,
}

impl Kind {
    /// A kind with nothing special about it.
    const fn plain(group: &'static str, version: &'static str, kind: &'static str) -> Kind {
        Kind {
            group,
            version,
            kind,
            plural: "",
            singular: "",
            short_names: &[],
            categories: &[],
            namespaced: true,
            verbs: ALL_VERBS,
            subresources: &[],
            schema: "",
            storage: "",
            view: None,
            name: names::dns1123_subdomain,
            counts_generation: false,
            create_on_update: false,
            unconditional_update: true,
            propagation: "Background",
            deprecation: "",
            fields: &[],
            field: |object, label| object.str_at(label),
            defaults: |_| {},
            prepare_for_create: |_| {},
            prepare_for_update: |_, _, _| {},
            prepare_for_delete: |_, _| {},
            validate: |_, _| {},
            validate_new: |_, _| {},
            validate_update: |_, _, _, _| {},
            warnings: |_| Vec::new(),
            grace_period: None,
            columns: &[],
            row: |_, _| Vec::new(),
            order: None,
            sample: "",
            custom: None,
        }
    }

    /// `apps/v1`, or `v1` for the core group.
    pub fn api_version(&self) -> String {
        match self.group {
            "" => self.version.to_owned(),
            group => format!("{group}/{}", self.version),
        }
    }

    /// `deployments.apps`, or `pods` for the core group.
    pub fn qualified(&self) -> String {
        crate::status::qualified(self.group, self.plural)
    }

    /// `DeploymentList`.
    pub fn list_kind(&self) -> String {
        match self.custom {
            Some(custom) => custom.list_kind.clone(),
            None => format!("{}List", self.kind),
        }
    }

    /// The subresource of this name.
    pub fn subresource(&self, name: &str) -> Option<&'static Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    /// The kind whose shape is stored: this one, unless it is a view of another.
    pub fn stored(&'static self) -> &'static Kind {
        match (self.view, self.custom) {
            (Some(view), _) => view.of,
            (None, Some(custom)) => custom.stored.unwrap_or(self),
            (None, None) => self,
        }
    }

    /// Whether clients see another shape than the stored one.
    pub fn is_view(&self) -> bool {
        self.view.is_some() || self.custom.is_some()
    }

    /// From this kind's shape to the stored one.
    pub fn store(&self, mut object: Value) -> Value {
        if let Some(view) = self.view {
            object = (view.store)(&object);
            view.of.default(&mut object);
        } else if let Some(stored) = self.custom.and_then(|custom| custom.stored) {
            object.set("apiVersion", stored.api_version());
        }
        object
    }

    /// From the stored shape to this kind's.
    pub fn load(&self, stored: &Value) -> Value {
        match (self.view, self.custom) {
            (Some(view), _) => (view.load)(stored),
            (None, Some(custom)) => {
                let mut object = custom.show(stored);
                object.set("apiVersion", self.api_version());
                object
            }
            (None, None) => stored.clone(),
        }
    }

    /// What a server makes of an object that a client sent: types checked, unknown fields told and
    /// dropped.
    pub fn decode(&self, schemas: &Schemas, object: &Value) -> Decoded {
        match self.custom {
            Some(custom) => custom.decode(schemas, object),
            None => schemas.decode(&self.api_version(), self.kind, object),
        }
    }

    /// The text of a field a field selector may name; `None` if the kind has no such field.
    pub fn selectable<'a>(&self, object: &'a Value, label: &str) -> Option<Cow<'a, str>> {
        let custom = |custom: &Custom| custom.selectable.iter().any(|field| field == label);
        match label {
            "metadata.name" => Some(object.name().into()),
            "metadata.namespace" if self.namespaced => Some(object.namespace().into()),
            label if self.fields.contains(&label) => Some((self.field)(object, label).into()),
            label if self.custom.is_some_and(custom) => {
                Some(Custom::selected(object, label).into())
            }
            _ => None,
        }
    }

    /// The cells of an object's row.
    pub fn cells(&self, object: &Value, now: Instant) -> Vec<Cell> {
        let name = object.metadata().get("name").clone();
        match self.custom {
            Some(custom) => {
                let more = custom.columns.iter().map(|column| column.cell(object, now));
                std::iter::once(name).chain(more).collect()
            }
            // Kinds that say nothing of their columns.
            None if self.columns.is_empty() => vec![name, object.creation_timestamp().into()],
            None => (self.row)(object, now),
        }
    }

    /// Whether objects of this kind have a status of their own that only its subresource changes.
    pub fn has_status(&self) -> bool {
        self.subresource("status").is_some()
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        let id = |kind: &Self| (kind.group, kind.version, kind.kind);
        id(self) == id(other)
    }
}

impl Eq for Kind {}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.api_version(), self.kind)
    }
}

/// Every kind, in the order in which discovery lists them.
pub fn all() -> &'static [&'static Kind] {
    KINDS
}

/// The kind behind a path: `find("apps", "v1", "deployments")`.
pub fn find(group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
    let fits = |k: &&&Kind| k.group == group && k.version == version && k.plural == plural;
    KINDS.iter().find(fits).copied()
}

/// The kind of an object: `by_kind("apps/v1", "Deployment")`.
pub fn by_kind(api_version: &str, kind: &str) -> Option<&'static Kind> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let fits = |k: &&&Kind| k.group == group && k.version == version && k.kind == kind;
    KINDS.iter().find(fits).copied()
}

/// The kind a person means: `deploy`, `deployments`, `deployments.apps`, `deployment.v1.apps`,
/// `Deployment`. Of several, the first in discovery's order.
pub fn resolve(name: &str) -> Option<&'static Kind> {
    let name = name.to_ascii_lowercase();
    let named = |kind: &Kind, name: &str| {
        kind.plural == name
            || kind.singular == name
            || kind.short_names.contains(&name)
            || kind.kind.eq_ignore_ascii_case(name)
    };
    let fits = |kind: &&&Kind| {
        if named(kind, &name) {
            return true;
        }
        let Some((first, rest)) = name.split_once('.') else {
            return false;
        };
        let versioned = rest.strip_prefix(kind.version);
        let after_version =
            versioned.and_then(|r| r.strip_prefix('.').or(r.is_empty().then_some("")));
        named(kind, first) && (rest == kind.group || after_version == Some(kind.group))
    };
    KINDS.iter().find(fits).copied()
}

#[cfg(test)]
mod tests;
