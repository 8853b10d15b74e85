//! `kubectl replace`.
//!
//! Models kubectl/pkg/cmd/replace/replace.go.

use api::Value;
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, done, dry_run};
use super::apply::{LAST_APPLIED, with_last_applied};
use super::create::{raw_body, raw_request};
use super::delete;
use super::discovery::Resource;
use super::failure::{Failure, Outcome, report, together};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::session::{Call, Session};
use super::target::{Manifest, manifests, namespace_of, resource_of};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::MANAGER,
    values("kustomize").short('k'),
    optional("cascade", "background"),
    optional("validate", "strict"),
    switch("force"),
    switch("recursive").short('R'),
    switch("save-config"),
    value("grace-period"),
    value("raw"),
    value("subresource"),
    value("timeout"),
    switch("wait"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "replace",
    summary: "Replace a resource by file name or stdin",
    usage: "kubectl replace -f FILENAME [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(replace(session, line)),
};

const MANAGER: &str = "kubectl-replace";

async fn replace(session: &Session, line: &Line) -> Outcome {
    if !line.has("filename") && !line.has("kustomize") {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if let Some(path) = line.get("raw").filter(|path| !path.is_empty()) {
        if line.list("filename").len() != 1 {
            return Err(Failure::message(
                "--raw can only use a single local file or stdin",
            ));
        }
        let body = raw_body(session, line.text("filename")).await?;
        return raw_request(session, Method::Put, path, Some(body)).await;
    }
    if line.on("force") && dry_run(line)? != DryRun::None {
        return Err(Failure::message(
            "--dry-run can not be used when --force is set",
        ));
    }
    for flag in ["grace-period", "timeout"] {
        if line.has(flag) && !line.on("force") {
            return Err(Failure::message(format!(
                "--{flag} must have --force specified"
            )));
        }
    }
    let discovery = session.discovery().await?;
    let read = manifests(&session.io, line).await?;
    let (mut unread, mut failures) = (Vec::new(), Vec::new());
    if line.on("force") {
        for manifest in &read {
            let Ok(resource) = resource_of(&discovery, manifest) else {
                continue;
            };
            let namespace = namespace_of(session, resource, &manifest.value)?;
            let name = manifest.value.name();
            delete::until_gone(session, line, (resource, &namespace, name)).await?;
        }
    }
    for manifest in &read {
        match resource_of(&discovery, manifest) {
            Ok(resource) => failures.extend(one(session, line, resource, manifest).await.err()),
            Err(failure) => unread.push(failure),
        }
    }
    report(session, together(unread, failures)).await
}

async fn one(session: &Session, line: &Line, resource: &Resource, manifest: &Manifest) -> Outcome {
    let Manifest { source, value, .. } = manifest;
    let namespace = namespace_of(session, resource, value)?;
    let mut wanted = value.clone();
    if !namespace.is_empty() {
        wanted.set("metadata.namespace", namespace.as_str());
    }
    // Who manages the object by `apply` goes on so.
    if line.on("save-config") || wanted.annotations().contains_key(LAST_APPLIED) {
        wanted = with_last_applied(&wanted);
    }
    let dry = dry_run(line)?;
    if dry == DryRun::Client {
        return done(session, line, dry, &wanted, "replaced").await;
    }
    let made = if line.on("force") {
        act::create(session, line, resource, &namespace, &wanted, MANAGER).await
    } else {
        put(session, line, resource, &namespace, wanted).await
    };
    let made =
        made.map_err(|failure| failure.context(&format!("error when replacing {source:?}")))?;
    done(session, line, dry, &made, "replaced").await
}

/// Puts the object in place of the one there is, whatever that one's version, unless it names one.
async fn put(
    session: &Session,
    line: &Line,
    resource: &Resource,
    namespace: &str,
    mut wanted: Value,
) -> Outcome<Value> {
    let path = resource.path(namespace, wanted.name());
    if wanted.resource_version().is_empty()
        && let Ok(current) = session.call(Call::get(path.as_str())).await
    {
        wanted.set("metadata.resourceVersion", current.resource_version());
    }
    let subresource = match line.get("subresource") {
        Some(name) => format!("/{name}"),
        None => String::new(),
    };
    let query = act::query(line, dry_run(line)?, MANAGER, true);
    let target = format!("{path}{subresource}{query}");
    session.call(Call::send(Method::Put, target, wanted)).await
}
