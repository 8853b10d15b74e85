//! `kubectl apply`: each object of the files is created, or changed to what they say; as a client
//! does it, or through the server.
//!
//! Models kubectl/pkg/cmd/apply/apply.go.

mod client;
pub(super) mod prune;
mod server;
mod set;
mod view;

use std::collections::BTreeSet;

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, dry_run};
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::print::{self, Format};
use super::session::Session;
use super::target::{read_all, resource_of};

pub(super) use client::{LAST_APPLIED, three_way, with_last_applied};
pub(super) use server::explained;

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::MANAGER,
    act::ALL,
    values("kustomize").short('k'),
    values("prune-allowlist"),
    value("openapi-patch"),
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

/// The verbs below it.
pub(super) const VERBS: &[&Verb] = &[&set::VERB, &view::VERB];

/// What became of an object.
struct Applied {
    object: Value,
    what: &'static str,
}

impl Applied {
    fn new(object: Value, what: &'static str) -> Applied {
        Applied { object, what }
    }
}

/// What was applied so far, for what looks back on it.
#[derive(Default)]
struct Done {
    uids: BTreeSet<String>,
    namespaces: BTreeSet<String>,
    objects: Vec<Value>,
}

async fn apply(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        let args = line.args.join(" ");
        return Err(Failure::message(format!(
            "Unexpected args: [{args}]\nSee 'kubectl apply -h' for help and examples"
        )));
    }
    check(line)?;
    let dry = dry_run(line)?;
    let allowed = prune::allowed(line)?;
    let (read, mut failures) = read_all(&session.io, line).await?;
    if read.is_empty() && failures.is_empty() {
        return Err(Failure::message("no objects passed to apply"));
    }
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    for manifest in &read {
        match resource_of(&discovery, manifest) {
            Ok(resource) => found.push((resource, manifest)),
            Err(failure) => failures.push(failure),
        }
    }
    let format = print::format(line)?;
    let printed = !matches!(format, Format::Table { .. } | Format::Name);
    let mut done = Done::default();
    for (resource, manifest) in found {
        let applied = match line.on("server-side") {
            true => server::one(session, line, resource, manifest).await,
            false => client::one(session, line, resource, manifest).await,
        };
        match applied {
            Ok(Applied { object, what }) => {
                done.uids.insert(object.uid().to_owned());
                done.namespaces.insert(object.namespace().to_owned());
                warn_if_deleted(session, &object).await;
                if !printed {
                    act::done(session, line, dry, &object, what).await?;
                }
                done.objects.push(object);
            }
            Err(failure) => failures.push(failure),
        }
    }
    if printed && !done.objects.is_empty() {
        let keep = line.on("show-managed-fields");
        let trimmed = done.objects.iter().map(|one| print::trimmed(one, keep));
        let shown = match trimmed.collect::<Vec<_>>() {
            mut one if one.len() == 1 => one.swap_remove(0),
            many => object! {
                "apiVersion": "v1", "items": many, "kind": "List", "metadata": {},
            },
        };
        session
            .io
            .print(&print::objects(&format, &[shown], true)?)
            .await;
    }
    if failures.is_empty() && line.on("prune") {
        prune::prune(session, line, &discovery, &allowed, &done).await?;
    }
    report(session, failures).await
}

/// Refuses flags that do not go together.
fn check(line: &Line) -> Outcome {
    let refuse = |why: &str| Err(Failure::message(why));
    let dry = dry_run(line)?;
    super::delete::cascade(line)?;
    let server = line.on("server-side");
    let force = line.on("force") || line.number("grace-period")? == Some(0);
    if !line.has("filename") && !line.has("kustomize") {
        return refuse("must specify one of -f and -k");
    }
    act::validation(line)?;
    if line.on("force-conflicts") && !server {
        return refuse("--force-conflicts only works with --server-side");
    }
    if dry == DryRun::Client && server {
        return refuse(
            "--dry-run=client doesn't work with --server-side (did you mean --dry-run=server \
             instead?)",
        );
    }
    if server && line.on("force") {
        return refuse("--force cannot be used with --server-side");
    }
    if dry == DryRun::Server && force {
        return refuse("--dry-run=server cannot be used with --force");
    }
    let selects = !line.text("selector").is_empty();
    if line.on("all") && selects {
        return refuse("cannot set --all and --selector at the same time");
    }
    if !line.on("prune") {
        return Ok(());
    }
    if force {
        return refuse("--force cannot be used with --prune");
    }
    if !line.on("all") && !selects {
        return refuse(
            "all resources selected for prune without explicitly passing --all. To prune all \
             resources, pass the --all flag. If you did not mean to prune all resources, specify a \
             label selector",
        );
    }
    if server {
        return refuse(
            "--prune is in alpha and doesn't currently work on objects created by server-side apply",
        );
    }
    Ok(())
}

/// Whoever applies to an object that is on its way out should know.
async fn warn_if_deleted(session: &Session, object: &Value) {
    if !object.is_terminating() {
        return;
    }
    let warning = format!(
        "Warning: Detected changes to resource {} which is currently being deleted.\n",
        object.name()
    );
    session.io.eprint(&warning).await;
}
