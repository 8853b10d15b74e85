//! Applying through the server: the configuration is sent as it is, and what the client applied
//! before becomes the server's to look after.
//!
//! Models kubectl/pkg/cmd/apply/apply.go and client-go's util/csaupgrade.

use api::{Map, Value, object};
use net::http::Method;

use super::super::act;
use super::super::discovery::Resource;
use super::super::failure::{Failure, Outcome};
use super::super::flags::Line;
use super::super::session::{Call, JSON, Session};
use super::super::target::{Manifest, namespace_of};
use super::{Applied, LAST_APPLIED};

/// The manager of what kubectl applies, unless it is told another.
const MANAGER: &str = "kubectl";
/// The manager that keeps the annotation of a client's apply.
const KEEPER: &str = "kubectl-last-applied";
/// The media type of a configuration.
const APPLY: &str = "application/apply-patch+yaml";
/// How often the migration is tried anew after a conflict.
const MOST_TRIES: u32 = 5;

const CONFLICTS: &str = "\
Please review the fields above--they currently have other managers. Here
are the ways you can resolve this warning:
* If you intend to manage all of these fields, please re-run the apply
  command with the `--force-conflicts` flag.
* If you do not intend to manage all of the fields, please edit your
  manifest to remove references to the fields that should keep their
  current managers.
* You may co-own fields by updating your manifest to match the existing
  value; in this case, you'll become the manager if the other manager(s)
  stop managing the field (remove it from their configuration).
See https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts";

/// A conflict with what can be done about it.
pub(in crate::kubectl) fn explained(failure: Failure) -> Failure {
    match &failure {
        Failure::Status(status) if failure.reason() == "Conflict" => {
            Failure::message(format!("{}\n{CONFLICTS}", status.str_at("message")))
        }
        _ => failure,
    }
}

/// Applies one object of a file.
pub(super) async fn one(
    session: &Session,
    line: &Line,
    resource: &Resource,
    manifest: &Manifest,
) -> Outcome<Applied> {
    let namespace = namespace_of(session, resource, &manifest.value)?;
    let mut config = manifest.value.clone();
    if !namespace.is_empty() {
        config.set("metadata.namespace", namespace.as_str());
    }
    if config.name().is_empty() && !config.generate_name().is_empty() {
        return Err(Failure::message(format!(
            "from {}: cannot use generate name with apply",
            config.generate_name()
        )));
    }
    let apply = Apply {
        session,
        line,
        path: resource.path(&namespace, config.name()),
        manager: line.get("field-manager").unwrap_or(MANAGER),
    };
    let mut object = apply
        .send(apply.manager, &config)
        .await
        .map_err(explained)?;
    apply.keep_annotation(&mut object).await?;
    if apply.migrate(&mut object).await? {
        object = apply
            .send(apply.manager, &config)
            .await
            .map_err(explained)?;
    }
    Ok(Applied::new(object, "serverside-applied"))
}

/// The applying of one object.
struct Apply<'a> {
    session: &'a Session,
    line: &'a Line,
    path: String,
    manager: &'a str,
}

impl Apply<'_> {
    async fn patch(&self, manager: &str, media_type: &'static str, body: Value) -> Outcome<Value> {
        let dry = act::dry_run(self.line)?;
        let mut query = act::query_as(self.line, dry, manager, true);
        if media_type == APPLY {
            query.push_str(&format!("&force={}", self.line.on("force-conflicts")));
        }
        let call = Call {
            method: Method::Patch,
            target: format!("{}{query}", self.path),
            accept: JSON,
            body: Some((media_type, body)),
        };
        self.session.call(call).await
    }

    async fn send(&self, manager: &str, config: &Value) -> Outcome<Value> {
        self.patch(manager, APPLY, config.clone()).await
    }

    /// The annotation of a client's apply goes to a manager of its own, so that it stays.
    async fn keep_annotation(&self, object: &mut Value) -> Outcome {
        let text = object.annotation(LAST_APPLIED);
        if self.manager != MANAGER || text.is_empty() || owners(object, "Apply").next().is_some() {
            return Ok(());
        }
        let mut config = object! {
            "apiVersion": object.api_version(),
            "kind": object.kind(),
            "metadata": { "name": object.name() },
        };
        config.set_or_remove("metadata.namespace", object.namespace());
        config.set_annotation(LAST_APPLIED, text);
        *object = self.send(KEEPER, &config).await?;
        Ok(())
    }

    /// What a client applied before is the applying manager's now. Says whether there was any.
    async fn migrate(&self, object: &mut Value) -> Outcome<bool> {
        for _ in 0..MOST_TRIES {
            let Some(entries) = migrated(object, self.manager) else {
                return Ok(false);
            };
            let version = object.resource_version();
            let operation = |path: &str, value: Value| {
                object! { "op": "replace", "path": path, "value": value }
            };
            let patch = Value::list_of(vec![
                operation("/metadata/managedFields", Value::list_of(entries)),
                operation("/metadata/resourceVersion", Value::from(version)),
            ]);
            match self
                .patch(self.manager, "application/json-patch+json", patch)
                .await
            {
                Ok(patched) => {
                    *object = patched;
                    return Ok(true);
                }
                Err(failure) if failure.reason() == "Conflict" => {
                    *object = self.session.call(Call::get(self.path.as_str())).await?;
                }
                Err(failure) => return Err(failure),
            }
        }
        Ok(false)
    }
}

/// The entries of those that manage the annotation by an operation.
fn owners<'a>(object: &'a Value, operation: &'a str) -> impl Iterator<Item = &'a Value> {
    let element = format!("f:{LAST_APPLIED}");
    let entries = object.list_at("metadata.managedFields").iter();
    entries.filter(move |entry| {
        let path = ["fieldsV1", "f:metadata", "f:annotations", &element];
        entry.str("operation") == operation && !entry.at_path(&path).is_null()
    })
}

/// The entries after those of a client's apply became the manager's; `None` if there are none.
fn migrated(object: &Value, manager: &str) -> Option<Vec<Value>> {
    let clients: Vec<&Value> = owners(object, "Update").collect();
    let names: Vec<&str> = clients.iter().map(|entry| entry.str("manager")).collect();
    if names.is_empty() {
        return None;
    }
    let mut own: Option<Value> = None;
    let mut rest = Vec::new();
    for entry in object.list_at("metadata.managedFields") {
        let plain = entry.str("subresource").is_empty();
        let applies = entry.str("operation") == "Apply" && entry.str("manager") == manager;
        let updates = entry.str("operation") == "Update" && names.contains(&entry.str("manager"));
        if !plain || !(applies || updates) {
            rest.push(entry.clone());
            continue;
        }
        own = Some(match own {
            None => entry.clone(),
            Some(mut one) => {
                let mut set = one.get("fieldsV1").entries().clone();
                add(&mut set, entry.get("fieldsV1").entries());
                one.set("fieldsV1", Value::Map(set));
                one
            }
        });
    }
    let mut own = own?;
    own.set("manager", manager);
    own.set("operation", "Apply");
    rest.insert(0, own);
    Some(rest)
}

/// Adds a set of fields to another.
fn add(set: &mut Map, more: &Map) {
    for (key, theirs) in more {
        match set.get_mut(key) {
            Some(ours) if !theirs.is_zero() => {
                let ours = ours.map_mut();
                if ours.is_empty() {
                    ours.insert(".", Value::empty_map());
                }
                add(ours, theirs.entries());
            }
            Some(ours) => {
                if !ours.is_zero() {
                    ours.map_mut().insert(".", Value::empty_map());
                }
            }
            None => {
                set.insert(key, theirs);
            }
        }
    }
}
