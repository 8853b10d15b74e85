//! Who manages the fields of what is written: the requests of clients told in the terms of
//! [`api::managed`].
//!
//! Models apiserver/pkg/endpoints/handlers/fieldmanager and the reset fields of the strategies in
//! pkg/registry.

use api::kinds::{self, Kind};
use api::managed::{self, Node};
use api::{FieldError, Map, Schemas, Status, Str, Value, object, status};

use crate::effect::Cx;
use crate::list::shown;
use crate::patch::{Form, Patch};
use crate::resources::Resources;
use crate::server::{ApiServer, Ask};
use crate::write::{Deed, Write};

/// Longest name of a manager.
const LONGEST: usize = 128;

/// Who writes: as the request says, else as the client names itself.
pub(crate) fn manager_of(ask: &Ask) -> Str {
    match ask.query.field_manager.as_str() {
        "" => {
            let agent = ask.request.headers.get("User-Agent").unwrap_or_default();
            Str::from(managed::manager_of(agent))
        }
        name => Str::from(name),
    }
}

/// Refuses options that do not fit: a manager is asked for by apply, force is for nothing else.
pub(crate) fn check_options(ask: &Ask, options: &str, form: Option<Form>) -> Result<(), Status> {
    let manager = ask.query.field_manager.as_str();
    let mut errors = Vec::new();
    if form == Some(Form::Apply) {
        if manager.is_empty() {
            let why = "is required for apply patch";
            errors.push(FieldError::required("fieldManager", why));
        }
    } else if ask.query.force && form.is_some() {
        let why = "may not be specified for non-apply patch";
        errors.push(FieldError::forbidden("force", why));
    }
    if manager.chars().count() > LONGEST {
        errors.push(FieldError::too_long("fieldManager", LONGEST));
    }
    for (i, _) in manager.char_indices().filter(|(_, c)| c.is_control()) {
        let why =
            format!("should only contain printable characters (invalid character at position {i})");
        errors.push(FieldError::invalid("fieldManager", manager, why));
    }
    let runs = &ask.query.dry_run;
    if runs.iter().any(|run| run != "All") {
        let given: Vec<Value> = runs.iter().map(|run| Value::from(run.as_str())).collect();
        errors.push(FieldError::not_supported("dryRun", given, &["All"]));
    }
    if errors.is_empty() {
        return Ok(());
    }
    Err(status::invalid("meta.k8s.io", options, "", &errors))
}

/// What writes through a subresource leave as it is, and whose they are not.
fn ignored(kind: &Kind, subresource: &str) -> Map {
    let paths = match (subresource, kind.kind) {
        ("", _) if kind.has_status() => object! { "f:status": {} },
        ("status", "Pod") => object! {
            "f:spec": {},
            "f:metadata": { "f:deletionTimestamp": {}, "f:ownerReferences": {} },
        },
        ("status", "Deployment") => object! { "f:spec": {}, "f:metadata": { "f:labels": {} } },
        ("status", _) if kind.custom.is_some() => object! { "f:metadata": {}, "f:spec": {} },
        ("status", _) => object! { "f:spec": {} },
        ("approval", _) => object! { "f:spec": {}, "f:status": { "f:certificate": {} } },
        ("scale", _) => object! { "f:metadata": {}, "f:status": {} },
        ("", _) => Value::Null,
        _ => object! { "f:status": {} },
    };
    paths.entries().clone()
}

/// What an object is in a version; `None` where no type is known.
fn node_of<'s>(schemas: &'s Schemas, resources: &'s Resources, kind: &Kind) -> Option<Node<'s>> {
    if kind.custom.is_some() {
        let schema = resources.customs().schema(kind);
        return Some(schema.map_or(Node::Open, Node::Resource));
    }
    let id = schemas.by_kind(&kind.api_version(), kind.kind)?;
    Some(Node::Definition(id))
}

/// Another version of a kind, if it is served.
fn in_version(resources: &Resources, kind: &Kind, version: &str) -> Option<&'static Kind> {
    if kind.custom.is_none() {
        return kinds::by_kind(version, kind.kind);
    }
    let (group, version) = version.split_once('/')?;
    resources.customs().find(group, version, kind.plural)
}

/// Does something with a write as [`api::managed`] wants it described.
fn described<T>(
    (schemas, resources): (&Schemas, &Resources),
    cx: &Cx<'_>,
    write: &Write,
    act: impl FnOnce(&managed::Write<'_>) -> T,
) -> Option<T> {
    let kind = write.kind;
    let convert = |object: &Value, version: &str| {
        let other = in_version(resources, kind, version)?;
        if other.stored() != kind.stored() {
            return None;
        }
        let stored = match kind.view {
            Some(view) => (view.store)(object),
            None => object.clone(),
        };
        Some((node_of(schemas, resources, other)?, shown(other, &stored)))
    };
    let write = managed::Write {
        schemas,
        node: node_of(schemas, resources, kind)?,
        api_version: &kind.api_version(),
        manager: &write.manager,
        subresource: write.subresource,
        now: &cx.now.rfc3339(),
        ignored: &ignored(kind, write.subresource),
        convert: &convert,
    };
    Some(act(&write))
}

impl ApiServer {
    /// An object with what an admission policy configures of it; both in the shape of the version.
    pub(crate) fn overlaid(
        &self,
        kind: &Kind,
        object: &Value,
        config: &Value,
    ) -> Result<Value, String> {
        let node = node_of(&self.schemas, &self.resources, kind).unwrap_or(Node::Open);
        managed::overlaid(&self.schemas, node, object, config)
    }

    /// Notes in an object who manages what of it now. Both objects have the stored shape; an apply
    /// has noted it already.
    pub(crate) fn track(&self, cx: &Cx<'_>, write: &Write, new: &mut Value, old: Option<&Value>) {
        if is_apply(write) {
            return;
        }
        let kind = write.kind;
        let entries = described(
            (&self.schemas, &self.resources),
            cx,
            write,
            |described| match kind.view {
                None => managed::update(described, old, new),
                Some(_) => {
                    let old = old.map(|old| shown(kind, old));
                    managed::update(described, old.as_ref(), &shown(kind, new))
                }
            },
        );
        match entries {
            Some(Value::Null) => {
                new.remove("metadata.managedFields");
            }
            Some(entries) => new.set("metadata.managedFields", entries),
            None => {}
        }
    }

    /// The object with a configuration applied, in the shape of the request's version and not yet
    /// decoded.
    pub(crate) fn applied(
        &self,
        cx: &Cx<'_>,
        write: &Write,
        patch: &Patch,
        old: Option<&Value>,
    ) -> Result<Value, Status> {
        let kind = write.kind;
        let old = old.map(|old| shown(kind, old));
        let applied = described((&self.schemas, &self.resources), cx, write, |described| {
            managed::apply(described, old.as_ref(), &patch.document, patch.force)
        });
        let unknown = || status::unsupported_media_type(&["application/merge-patch+json"]);
        match applied.ok_or_else(unknown)? {
            Ok(mut object) => {
                object.set("apiVersion", kind.api_version());
                object.set("kind", kind.kind);
                Ok(object)
            }
            Err(status) => Err(*status),
        }
    }
}

/// Whether a write is an apply.
pub(crate) fn is_apply(write: &Write) -> bool {
    matches!(&write.deed, Deed::Patch(patch) if patch.form == Form::Apply)
}
