//! `kubectl apply`.
//!
//! Models kubectl/pkg/cmd/apply: the last applied configuration is kept in an annotation, and what
//! changed since is sent as a three-way patch.

use api::{Value, patch};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, Found, MERGE, STRATEGIC, done, dry_run};
use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::session::{Call, JSON, Session};
use super::target::{Manifest, manifests, namespace_of, resource_of};

/// Where the last applied configuration is kept.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::MANAGER,
    act::ALL,
    values("kustomize").short('k'),
    switch("recursive").short('R'),
    switch("server-side"),
    switch("force-conflicts"),
    switch("force"),
    switch("overwrite"),
    switch("prune"),
    switch("wait"),
    value("timeout"),
    value("grace-period"),
    optional("cascade", "background"),
    optional("validate", "strict"),
    switch("show-managed-fields"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "apply",
    summary: "Apply a configuration to a resource by file name or stdin",
    usage: "kubectl apply (-f FILENAME | -k DIRECTORY) [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(apply(session, line)),
};

async fn apply(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        let args = line.args.join(" ");
        return Err(Failure::Usage(
            format!("Unexpected args: [{args}]"),
            "kubectl apply".to_owned(),
        ));
    }
    if line.has("kustomize") {
        return Err(Failure::message(sim::unmodelled!("kustomize").to_string()));
    }
    if line.on("server-side") {
        return Err(Failure::message(
            sim::unmodelled!("server-side apply").to_string(),
        ));
    }
    if !line.has("filename") {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    let read = manifests(&session.io, line).await?;
    if read.is_empty() {
        return Err(Failure::message("no objects passed to apply"));
    }
    let discovery = session.discovery().await?;
    let mut failures = Vec::new();
    for manifest in &read {
        let applied = match resource_of(&discovery, manifest) {
            Ok(resource) => one(session, line, resource, manifest).await,
            Err(failure) => Err(failure),
        };
        failures.extend(applied.err());
    }
    let Some(last) = failures.pop() else {
        return Ok(());
    };
    for failure in failures {
        session.io.eprint(&failure.text()).await;
    }
    Err(last)
}

async fn one(session: &Session, line: &Line, resource: &Resource, manifest: &Manifest) -> Outcome {
    let Manifest { source, value } = manifest;
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
    let annotated = with_last_applied(&wanted);
    let path = resource.path(&namespace, value.name());
    let current = match session.call(Call::get(path)).await {
        Ok(current) => current,
        Err(failure) if failure.is_not_found() => {
            let manager = "kubectl-client-side-apply";
            let made = act::create(session, line, resource, &namespace, &annotated, manager)
                .await
                .map_err(|failure| failure.context(&format!("error when creating {source:?}")))?;
            return done(session, line, dry, &made, "created").await;
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

async fn update(
    session: &Session,
    line: &Line,
    found: Found,
    wanted: &Value,
    source: &str,
    dry: DryRun,
) -> Outcome {
    let current = &found.value;
    let original = match current.annotation(LAST_APPLIED) {
        "" => {
            session.io.eprint(&missing_annotation(&found)).await;
            Value::Null
        }
        text => Value::from_json(text.as_bytes()).unwrap_or_default(),
    };
    let (media_type, body) = three_way(&original, wanted, current)?;
    if body.entries().iter().next().is_none() {
        return done(session, line, dry, current, "unchanged").await;
    }
    if dry == DryRun::Client {
        return done(session, line, dry, current, "configured").await;
    }
    let query = act::query(line, dry, "kubectl-client-side-apply", true);
    let call = Call {
        method: Method::Patch,
        target: format!("{}{query}", found.path()),
        accept: JSON,
        body: Some((media_type, body.clone())),
    };
    let patched = session.call(call).await.map_err(|failure| {
        failure.context(&format!(
            "error when applying patch:\n{}\nto:\n{}\nfor: {source:?}: error when patching \
             {source:?}",
            body.to_json(),
            describe(&found.resource, current.name(), current.namespace()),
        ))
    })?;
    let same = patched.resource_version() == current.resource_version();
    done(
        session,
        line,
        dry,
        &patched,
        if same { "unchanged" } else { "configured" },
    )
    .await
}

/// The patch from `current` to `wanted`, with what left `original` removed: strategic for built-in
/// kinds, a merge patch for others. Gives its media type and the patch.
pub(super) fn three_way(
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
pub(super) fn with_last_applied(value: &Value) -> Value {
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
