//! Applying as a client does it: the last applied configuration is kept in an annotation, and what
//! changed since is sent as a three-way patch.
//!
//! Models kubectl/pkg/cmd/apply/{apply,patcher}.go.

use api::{Value, patch};
use net::http::Method;

use super::super::act::{self, DryRun, Found, MERGE, STRATEGIC, dry_run};
use super::super::delete;
use super::super::discovery::Resource;
use super::super::failure::{Failure, Outcome};
use super::super::flags::Line;
use super::super::session::{Call, JSON, Session};
use super::super::target::{Manifest, namespace_of};
use super::Applied;

/// Where the last applied configuration is kept.
pub(in crate::kubectl) const LAST_APPLIED: &str =
    "kubectl.kubernetes.io/last-applied-configuration";

/// How often a patch that meets a conflict is made anew.
const MOST_RETRIES: u32 = 5;

/// Applies one object of a file.
pub(super) async fn one(
    session: &Session,
    line: &Line,
    resource: &Resource,
    manifest: &Manifest,
) -> Outcome<Applied> {
    let Manifest { source, value, .. } = manifest;
    let namespace = namespace_of(session, resource, value)?;
    let dry = dry_run(line)?;
    if value.name().is_empty() {
        if !value.str_at("metadata.generateName").is_empty() {
            return Err(Failure::message(format!(
                "from {}-: cannot use generate name with apply",
                value.str_at("metadata.generateName").trim_end_matches('-')
            )));
        }
        let failure = Failure::message("resource name may not be empty");
        return Err(retrieving(failure, resource, "", &namespace, source));
    }
    let mut wanted = value.clone();
    if !namespace.is_empty() {
        wanted.set("metadata.namespace", namespace.as_str());
    }
    act::record(line, &mut wanted);
    let annotated = with_last_applied(&wanted);
    let path = resource.path(&namespace, value.name());
    let current = match session.call(Call::get(path)).await {
        Ok(current) => current,
        Err(failure) if failure.is_not_found() => {
            let made = act::create(session, line, resource, &namespace, &annotated, MANAGER)
                .await
                .map_err(|failure| failure.context(&format!("error when creating {source:?}")))?;
            return Ok(Applied::new(made, "created"));
        }
        Err(failure) => {
            return Err(retrieving(
                failure,
                resource,
                value.name(),
                &namespace,
                source,
            ));
        }
    };
    let found = Found {
        resource: resource.clone(),
        value: current,
    };
    update(session, line, found, &annotated, source, dry).await
}

/// Who a client's apply is in `managedFields`.
const MANAGER: &str = "kubectl-client-side-apply";

/// What was applied last, null if nothing was.
fn last_applied(current: &Value) -> Value {
    match current.annotation(LAST_APPLIED) {
        "" => Value::Null,
        text => Value::from_json(text.as_bytes()).unwrap_or_default(),
    }
}

async fn update(
    session: &Session,
    line: &Line,
    mut found: Found,
    wanted: &Value,
    source: &str,
    dry: DryRun,
) -> Outcome<Applied> {
    if found.value.annotation(LAST_APPLIED).is_empty() {
        session.io.eprint(&missing_annotation(&found)).await;
    }
    let mut tries = 0;
    loop {
        let current = found.value.clone();
        let (media_type, body) = three_way(&last_applied(&current), wanted, &current)?;
        if body.entries().is_empty() {
            return Ok(Applied::new(current, "unchanged"));
        }
        if dry == DryRun::Client {
            let patched = act::patched_here(&current, media_type, &body)?;
            return Ok(Applied::new(patched, "configured"));
        }
        let query = act::query(line, dry, MANAGER, true);
        let call = Call {
            method: Method::Patch,
            target: format!("{}{query}", found.path()),
            accept: JSON,
            body: Some((media_type, body.clone())),
        };
        let failure = match session.call(call).await {
            Ok(patched) => {
                return Ok(Applied::new(patched, "configured"));
            }
            Err(failure) => failure,
        };
        let conflict = failure.reason() == "Conflict";
        if conflict && tries < MOST_RETRIES {
            tries += 1;
            found.value = session.call(Call::get(found.path())).await?;
            continue;
        }
        if line.on("force") && (conflict || failure.reason() == "Invalid") {
            return again(session, line, &found, wanted).await;
        }
        return Err(failure.context(&format!(
            "error when applying patch:\n{}\nto:\n{}\nfor: {source:?}: error when patching \
             {source:?}",
            body.to_json(),
            describe(&found.resource, current.name(), current.namespace()),
        )));
    }
}

/// Deletes the object and creates it anew, where it cannot be changed.
async fn again(session: &Session, line: &Line, found: &Found, wanted: &Value) -> Outcome<Applied> {
    let (namespace, name) = (found.value.namespace(), found.value.name());
    delete::silently(session, line, (&found.resource, namespace, name)).await?;
    let made = act::create(session, line, &found.resource, namespace, wanted, MANAGER).await?;
    Ok(Applied::new(made, "configured"))
}

/// The patch from `current` to `wanted`, with what left `original` removed: strategic for built-in
/// kinds, a merge patch for others. Gives its media type and the patch.
pub(in crate::kubectl) fn three_way(
    original: &Value,
    wanted: &Value,
    current: &Value,
) -> Outcome<(&'static str, Value)> {
    let schemas = api::Schemas::load();
    match schemas.by_kind(current.api_version(), current.kind()) {
        Some(id) => patch::three_way_strategic_patch(&schemas, id, original, wanted, current)
            .map(|body| (STRATEGIC, body))
            .map_err(|why| Failure::message(why.to_string())),
        None => Ok((
            MERGE,
            patch::three_way_merge_patch(original, wanted, current),
        )),
    }
}

/// The object with its own configuration as annotation.
pub(in crate::kubectl) fn with_last_applied(value: &Value) -> Value {
    let mut plain = value.clone();
    if plain.annotations().contains_key(LAST_APPLIED) {
        plain.remove_path(&["metadata", "annotations", LAST_APPLIED]);
    }
    // The annotation is there, empty, in what is recorded: as upstream's encoder leaves it.
    if plain.at("metadata.annotations").is_null() {
        plain.set("metadata.annotations", Value::empty_map());
    }
    let text = format!("{}\n", plain.to_json());
    let mut annotated = plain;
    annotated.set_path(&["metadata", "annotations", LAST_APPLIED], text);
    annotated
}

fn missing_annotation(found: &Found) -> String {
    format!(
        "Warning: resource {}/{} is missing the {LAST_APPLIED} annotation which is required by \
         kubectl apply. kubectl apply should only be used on resources created declaratively by \
         either kubectl create --save-config or kubectl apply. The missing annotation will be \
         patched automatically.\n",
        found.resource.plural,
        found.value.name(),
    )
}

fn describe(resource: &Resource, name: &str, namespace: &str) -> String {
    let Resource {
        group,
        version,
        plural,
        kind,
        ..
    } = resource;
    format!(
        "Resource: \"{group}/{version}, Resource={plural}\", GroupVersionKind: \
         \"{group}/{version}, Kind={kind}\"\nName: {name:?}, Namespace: {namespace:?}"
    )
}

fn retrieving(
    failure: Failure,
    resource: &Resource,
    name: &str,
    namespace: &str,
    source: &str,
) -> Failure {
    failure.context(&format!(
        "error when retrieving current configuration of:\n{}\nfrom server for: {source:?}",
        describe(resource, name, namespace)
    ))
}
