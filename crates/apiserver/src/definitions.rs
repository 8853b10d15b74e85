//! CustomResourceDefinitions at work: the kinds they describe, and what is done about each of them.
//! Names are accepted where they are free, objects are served from then on, and when a definition
//! goes its objects go first.
//!
//! Models apiextensions-apiserver/pkg/apiserver/customresource_handler.go,
//! pkg/controller/{status,establish,finalizer} and pkg/controlplane/controller/crdregistration.

use std::collections::BTreeMap;
use std::rc::Rc;

use api::kinds::customresourcedefinition::{self as crd, FINALIZER, conditions};
use api::kinds::{Kind, apiservice, custom};
use api::{Status, Str, Value, object, status};

use crate::authn::User;
use crate::cache::Change;
use crate::create::SERVER;
use crate::delete::DeleteOptions;
use crate::effect::Cx;
use crate::resources::ResourceId;
use crate::server::ApiServer;
use crate::write::{Deed, Origin, Write};

/// What the keys of definitions begin with in etcd.
pub(crate) const PREFIX: &str = "/registry/apiextensions.k8s.io/customresourcedefinitions/";

/// What definitions describe, by their names.
#[derive(Clone, Debug, Default)]
pub(crate) struct Customs {
    by_name: BTreeMap<Str, Described>,
}

/// What one definition describes.
#[derive(Clone, Debug)]
struct Described {
    /// What the kinds were made from: what is wished for and the names that were accepted.
    from: (Value, Value),
    /// The kind that is stored, first.
    kinds: Vec<&'static Kind>,
    /// Whether the first is served, too.
    stored_is_served: bool,
}

impl Described {
    fn served(&self) -> impl Iterator<Item = &'static Kind> + '_ {
        let skip = usize::from(!self.stored_is_served);
        self.kinds.iter().skip(skip).copied()
    }
}

/// Whether the objects of a definition are served.
fn is_served(definition: &Value) -> bool {
    ["NamesAccepted", "Established"]
        .iter()
        .any(|name| conditions::is_true(definition, name))
}

fn source(definition: &Value) -> (Value, Value) {
    let accepted = definition.at("status.acceptedNames");
    (definition.get("spec").clone(), accepted.clone())
}

impl Customs {
    /// Whether nothing new can be learnt from a definition.
    pub(crate) fn knows(&self, definition: &Value) -> bool {
        match self.by_name.get(definition.name()) {
            None => !is_served(definition),
            Some(known) => {
                let (spec, names) = source(definition);
                is_served(definition) && known.from.0.same(&spec) && known.from.1.same(&names)
            }
        }
    }

    /// Learns the kinds of a definition: the one that is stored, or none if none is served.
    pub(crate) fn learn(&mut self, definition: &Value) -> Option<&'static Kind> {
        if !is_served(definition) {
            return None;
        }
        let kinds = custom::of_definition(definition);
        let stored = *kinds.first()?;
        let mut versions = definition.list_at("spec.versions").iter();
        let described = Described {
            from: source(definition),
            kinds,
            stored_is_served: versions.any(|v| v.bool_at("storage") && v.bool_at("served")),
        };
        self.by_name.insert(definition.name().into(), described);
        Some(stored)
    }

    pub(crate) fn has(&self, definition: &str) -> bool {
        self.by_name.contains_key(definition)
    }

    /// Forgets a definition's kinds; gives the one that is stored.
    pub(crate) fn forget(&mut self, definition: &str) -> Option<&'static Kind> {
        let known = self.by_name.remove(definition)?;
        known.kinds.first().copied()
    }

    /// Every kind that is served.
    pub(crate) fn served(&self) -> impl Iterator<Item = &'static Kind> + '_ {
        self.by_name.values().flat_map(Described::served)
    }

    /// Whether anything is served in a version of a group.
    fn has_version(&self, group: &str, version: &str) -> bool {
        self.served()
            .any(|kind| kind.group == group && kind.version == version)
    }

    /// What objects of a kind look like: its structural schema.
    pub(crate) fn schema(&self, kind: &Kind) -> Option<&Value> {
        let (spec, _) = &self.by_name.get(definition_of(kind).as_str())?.from;
        let mut versions = spec.get("versions").list().iter();
        let version = versions.find(|version| version.str("name") == kind.version)?;
        let schema = version.at("schema.openAPIV3Schema");
        schema.is_map().then_some(schema)
    }

    /// The kind behind a path.
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&'static Kind> {
        let fits =
            |k: &&'static Kind| k.group == group && k.version == version && k.plural == plural;
        self.served().find(fits)
    }
}

/// The name of the definition of a custom kind.
fn definition_of(kind: &Kind) -> String {
    kind.qualified()
}

impl ApiServer {
    /// Refuses what cannot be done with a custom kind: to create objects whose definition is on its
    /// way out, and what needs a webhook.
    pub(crate) fn check_custom(&self, kind: &'static Kind, verb: &str) -> Result<(), Status> {
        if kind.custom.is_none() {
            return Ok(());
        }
        let definition = self.definition(&definition_of(kind));
        let converts = definition.str_at("spec.conversion.strategy") == "Webhook";
        if converts && kind.stored() != kind {
            let why = sim::unmodelled!("conversion webhooks");
            return Err(status::internal(why));
        }
        if verb != "create" || !definition.is_terminating() {
            return Ok(());
        }
        let mut refusal = status::method_not_supported(kind.group, kind.plural, "create");
        refusal.message =
            "create not allowed while custom resource definition is terminating".to_owned();
        Err(refusal)
    }

    fn definition(&self, name: &str) -> Value {
        let found = self
            .resources
            .lookup(crd::KIND.group, crd::KIND.plural, name);
        found.map_or(Value::Null, |entry| entry.value.clone())
    }

    /// Looks after every definition, when the server starts.
    pub(crate) fn tend_all_definitions(&mut self, cx: &mut Cx<'_>) {
        let Some(resource) = self.resources.named(crd::KIND.group, crd::KIND.plural) else {
            return;
        };
        let all: Vec<Value> = resource
            .cache
            .objects()
            .values()
            .map(|entry| entry.value.clone())
            .collect();
        for definition in &all {
            self.tend_definition(cx, definition);
        }
    }

    /// Something changed: does what is to be done if it concerns a definition.
    pub(crate) fn tend_definitions(&mut self, cx: &mut Cx<'_>, kind: &Kind, change: &Change) {
        if *kind == crd::KIND {
            let definition = change.entry.value.clone();
            if change.deleted {
                self.definition_gone(cx, &definition);
            } else {
                self.tend_definition(cx, &definition);
            }
        } else if change.deleted && kind.custom.is_some() {
            let definition = self.definition(&definition_of(kind));
            if definition.is_terminating() {
                self.tend_definition(cx, &definition);
            }
        }
    }

    fn tend_definition(&mut self, cx: &mut Cx<'_>, definition: &Value) {
        if self.resources.learn(definition) {
            self.versions_changed(cx, definition);
        }
        if definition.is_terminating() {
            self.empty_definition(cx, definition);
            return;
        }
        let mut wanted = definition.clone();
        self.judge_names(&mut wanted, &cx.now.rfc3339());
        if wanted.get("status").same(definition.get("status"))
            && conditions::is_true(&wanted, "NamesAccepted")
            && !conditions::is_true(&wanted, "Established")
        {
            conditions::set(
                &mut wanted,
                ("Established", true),
                (
                    "InitialNamesAccepted",
                    "the initial names have been accepted",
                ),
                &cx.now.rfc3339(),
            );
        }
        if !wanted.get("status").same(definition.get("status")) {
            self.write_aside(
                cx,
                &crd::KIND,
                Deed::Replace(wanted.clone()),
                (&wanted, "status"),
            );
        }
    }

    /// Accepts the names that are free.
    fn judge_names(&self, definition: &mut Value, now: &str) {
        let wished = definition.at("spec.names").clone();
        let mut accepted = definition.at("status.acceptedNames").clone();
        let group = definition.str_at("spec.group").to_owned();
        let taken = self.taken_names(&group, definition.name());
        let in_use = |name: &str| taken.iter().any(|(_, taken)| taken == name);
        let kind_in_use = |name: &str| taken.iter().any(|(kind, taken)| *kind && taken == name);
        let mut conflict = None;
        let mut fail = |reason: &'static str, name: &str| {
            conflict = Some((reason, format!("{name:?} is already in use")));
        };
        for (key, reason) in [
            ("plural", "PluralConflict"),
            ("singular", "SingularConflict"),
            ("shortNames", "ShortNamesConflict"),
            ("kind", "KindConflict"),
            ("listKind", "ListKindConflict"),
        ] {
            let wish = wished.get(key);
            if wish.same(accepted.get(key)) {
                continue;
            }
            let names: Vec<&str> = match wish {
                Value::List(names) => names.iter().map(Value::as_str).collect(),
                name => vec![name.as_str()],
            };
            let is_kind = reason.contains("Kind");
            let used = |name: &&&str| match is_kind {
                true => kind_in_use(name),
                false => in_use(name),
            };
            match names.iter().find(used) {
                Some(name) => fail(reason, name),
                None => accepted.set_or_remove(key, wish),
            }
        }
        accepted.set_or_remove("categories", wished.get("categories"));
        definition.set("status.acceptedNames", accepted);
        let free = conflict.is_none();
        let (reason, message) = match &conflict {
            Some((reason, message)) => (*reason, message.as_str()),
            None => ("NoConflicts", "no conflicts found"),
        };
        conditions::set(definition, ("NamesAccepted", free), (reason, message), now);
        if conditions::is_true(definition, "Established") {
            return;
        }
        let (reason, message) = match free {
            true => ("Installing", "the initial names have been accepted"),
            false => ("NotAccepted", "not all names are accepted"),
        };
        conditions::set(definition, ("Established", false), (reason, message), now);
    }

    /// The names that other definitions of a group have, and whether each is that of a kind.
    fn taken_names(&self, group: &str, but: &str) -> Vec<(bool, String)> {
        let Some(resource) = self.resources.named(crd::KIND.group, crd::KIND.plural) else {
            return Vec::new();
        };
        let mut taken = Vec::new();
        for entry in resource.cache.objects().values() {
            let definition = &entry.value;
            if definition.str_at("spec.group") != group || definition.name() == but {
                continue;
            }
            let names = definition.at("status.acceptedNames");
            for key in ["plural", "singular"] {
                taken.push((false, names.str(key).to_owned()));
            }
            let short = names.list_at("shortNames").iter();
            taken.extend(short.map(|name| (false, name.as_str().to_owned())));
            for key in ["kind", "listKind"] {
                taken.push((true, names.str(key).to_owned()));
            }
        }
        taken.retain(|(_, name)| !name.is_empty());
        taken
    }

    /// Deletes the objects of a definition; when there are none left, lets it go.
    fn empty_definition(&mut self, cx: &mut Cx<'_>, definition: &Value) {
        if !definition.has_finalizer(FINALIZER) {
            return;
        }
        let (group, plural) = (
            definition.str_at("spec.group"),
            definition.str_at("status.acceptedNames.plural"),
        );
        let resource = self.resources.id(group, plural);
        let left: Vec<Value> = match resource {
            Some(id) => {
                let objects = self.resources.get(id).cache.objects();
                objects.values().map(|entry| entry.value.clone()).collect()
            }
            None => Vec::new(),
        };
        let mut wanted = definition.clone();
        let (holds, says) = match left.is_empty() {
            true => (
                false,
                ("InstanceDeletionCompleted", "removed all instances"),
            ),
            false => (
                true,
                (
                    "InstanceDeletionInProgress",
                    "CustomResource deletion is in progress",
                ),
            ),
        };
        let now = cx.now.rfc3339();
        conditions::set(&mut wanted, ("Terminating", holds), says, &now);
        if !wanted.get("status").same(definition.get("status")) {
            self.write_aside(
                cx,
                &crd::KIND,
                Deed::Replace(wanted.clone()),
                (&wanted, "status"),
            );
            return;
        }
        if left.is_empty() {
            let mut finalizers = definition.finalizers().to_vec();
            finalizers.retain(|finalizer| finalizer.as_str() != FINALIZER);
            wanted.set_or_remove("metadata.finalizers", Value::list_of(finalizers));
            self.write_aside(cx, &crd::KIND, Deed::Replace(wanted.clone()), (&wanted, ""));
            return;
        }
        let Some(kind) = resource.map(|id| self.resources.get(id).kind) else {
            return;
        };
        for object in left.iter().filter(|object| !object.is_terminating()) {
            let deed = Deed::Delete(DeleteOptions::default());
            self.write_aside(cx, kind, deed, (object, ""));
        }
    }

    fn definition_gone(&mut self, cx: &mut Cx<'_>, definition: &Value) {
        let Some(stored) = self.resources.forget(definition.name()) else {
            return;
        };
        if let Some(resource) = self.resources.of_kind(stored) {
            self.watchers.end_resource(cx, resource);
        }
        self.versions_changed(cx, definition);
    }

    /// The versions of a group are other ones than before: there is an APIService for each.
    fn versions_changed(&mut self, cx: &mut Cx<'_>, definition: &Value) {
        if !self.authorizer.has_rbac() {
            return;
        }
        let group = definition.str_at("spec.group");
        for version in definition.list_at("spec.versions") {
            let version = version.str("name");
            let name = format!("{version}.{group}");
            let is_there = self
                .resources
                .lookup(apiservice::KIND.group, apiservice::KIND.plural, &name)
                .is_some();
            let is_wanted = self.resources.customs().has_version(group, version);
            let service = object! {
                "apiVersion": "apiregistration.k8s.io/v1",
                "kind": "APIService",
                "metadata": {
                    "name": name.as_str(),
                    "labels": { "kube-aggregator.kubernetes.io/automanaged": "true" },
                },
                "spec": {
                    "group": group,
                    "groupPriorityMinimum": 1000,
                    "version": version,
                    "versionPriority": 100,
                },
            };
            let deed = match (is_there, is_wanted) {
                (false, true) => Deed::Create(service.clone()),
                (true, false) => Deed::Delete(DeleteOptions::default()),
                _ => continue,
            };
            self.write_aside(cx, &apiservice::KIND, deed, (&service, ""));
        }
    }

    /// Writes something that nobody asked for. If it comes to nothing, the next change that concerns
    /// it is another chance.
    pub(crate) fn write_aside(
        &mut self,
        cx: &mut Cx<'_>,
        kind: &'static Kind,
        deed: Deed,
        what: (&Value, &'static str),
    ) {
        self.write_aside_as(cx, SERVER, kind, deed, what);
    }

    /// The same under another manager's name.
    pub(crate) fn write_aside_as(
        &mut self,
        cx: &mut Cx<'_>,
        manager: &str,
        kind: &'static Kind,
        deed: Deed,
        (object, subresource): (&Value, &'static str),
    ) {
        let Some(resource): Option<ResourceId> = self.resources.of_kind(kind) else {
            return;
        };
        let cause = cx.cause;
        let write = Box::new(Write {
            origin: Origin::Aside,
            cause,
            user: Rc::new(User::server()),
            manager: Str::from(manager),
            kind,
            resource,
            namespace: Str::from(object.namespace()),
            name: Str::from(object.name()),
            subresource,
            deed,
            dry_run: false,
            warnings: Vec::new(),
            notes: Vec::new(),
            charged: Vec::new(),
            consulted: Vec::new(),
            asks: Vec::new(),
            begun: None,
            tries: 0,
            sent: None,
        });
        self.attempt(cx, write);
        cx.cause = cause;
    }
}
