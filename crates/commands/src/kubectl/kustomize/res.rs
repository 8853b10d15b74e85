//! An object on its way: what it is, what it was called before, and who it is then.
//!
//! Models kustomize/api/resource and kyaml/resid.

use std::fmt;

use api::{Value, kinds};

/// Who an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Id {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: String,
}

impl Id {
    pub(super) fn of(value: &Value) -> Id {
        let (group, version) = match value.api_version().split_once('/') {
            Some((group, version)) => (group, version),
            None => ("", value.api_version()),
        };
        Id {
            group: group.to_owned(),
            version: version.to_owned(),
            kind: value.kind().to_owned(),
            name: value.name().to_owned(),
            namespace: value.namespace().to_owned(),
        }
    }

    /// Whether objects of this kind live in no namespace.
    pub(super) fn is_cluster_scoped(&self) -> bool {
        if self.kind == "CustomResourceDefinition" {
            return true;
        }
        let of = |kind: &&&'static kinds::Kind| kind.kind == self.kind && kind.group == self.group;
        kinds::all()
            .iter()
            .find(of)
            .is_some_and(|kind| !kind.namespaced)
    }

    /// The namespace as it counts: none is that named default.
    pub(super) fn effective_namespace(&self) -> &str {
        match self.namespace.as_str() {
            _ if self.is_cluster_scoped() => "",
            "" => "default",
            namespace => namespace,
        }
    }

    /// Whether both are the same object.
    pub(super) fn same(&self, other: &Id) -> bool {
        self.same_kind(other)
            && self.name == other.name
            && self.effective_namespace() == other.effective_namespace()
    }

    pub(super) fn same_kind(&self, other: &Id) -> bool {
        (&self.group, &self.version, &self.kind) == (&other.group, &other.version, &other.kind)
    }
}

impl fmt::Display for Id {
    /// `Deployment.v1.apps/web.default`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let or = |text: &str, other: &'static str| match text {
            "" => other.to_owned(),
            text => text.to_owned(),
        };
        write!(
            f,
            "{}.{}.{}/{}.{}",
            or(&self.kind, "[noKind]"),
            or(&self.version, "[noVer]"),
            or(&self.group, "[noGrp]"),
            or(&self.name, "[noName]"),
            or(&self.namespace, "[noNs]"),
        )
    }
}

/// An object.
#[derive(Clone, Debug)]
pub(super) struct Res {
    pub(super) value: Value,
    /// Who it was, the oldest first.
    pub(super) before: Vec<Id>,
    /// Its name gets a hash of its contents.
    pub(super) hashed: bool,
    /// What was put in front of its name and behind it, in order.
    pub(super) prefixes: Vec<String>,
    pub(super) suffixes: Vec<String>,
}

impl Res {
    pub(super) fn new(value: Value) -> Res {
        Res {
            value,
            before: Vec::new(),
            hashed: false,
            prefixes: Vec::new(),
            suffixes: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> Id {
        Id::of(&self.value)
    }

    /// Who it is and was.
    pub(super) fn ids(&self) -> Vec<Id> {
        let mut ids = self.before.clone();
        ids.push(self.id());
        ids
    }

    pub(super) fn is(&self, id: &Id) -> bool {
        self.ids().iter().any(|one| one.same(id))
    }

    /// Calls it otherwise.
    pub(super) fn rename(&mut self, name: &str) {
        self.before.push(self.id());
        self.value.set("metadata.name", name);
    }

    /// Puts it into another namespace.
    pub(super) fn relocate(&mut self, namespace: &str) {
        self.before.push(self.id());
        self.value.set("metadata.namespace", namespace);
    }
}
