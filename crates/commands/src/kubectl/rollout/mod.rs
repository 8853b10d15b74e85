//! `kubectl rollout`: status, history, undo, pause, resume, restart of Deployments, DaemonSets and
//! StatefulSets.
//!
//! Models kubectl/pkg/cmd/rollout and polymorphichelpers.

mod history;
mod status;

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, STRATEGIC, done, dry_run, find_in_order};
use super::failure::{Failure, Outcome, combined, report};
use super::flags::{Flag, Line, switch, value};
use super::session::Session;
use super::target::targets;

const HISTORY: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::SELECTOR,
    value("revision"),
    RECURSIVE,
];
const CHANGE: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::SELECTOR,
    act::MANAGER,
    RECURSIVE,
];
const STATUS: &[Flag] = &[
    act::FILENAME,
    act::SELECTOR,
    value("revision"),
    value("timeout"),
    switch("watch").short('w'),
    RECURSIVE,
];
const UNDO: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    value("to-revision"),
    RECURSIVE,
];
const RECURSIVE: Flag = switch("recursive").short('R');

const fn verb(name: &'static str, summary: &'static str, flags: &'static [Flag], run: Run) -> Verb {
    let usage = "kubectl rollout SUBCOMMAND (TYPE NAME | TYPE/NAME) [flags] [options]";
    Verb {
        name,
        summary,
        usage,
        flags,
        interspersed: true,
        run,
    }
}

type Run = for<'a> fn(&'a Session, &'a Line) -> super::Running<'a>;

/// `kubectl rollout …`, in the order of the help text.
pub(super) const VERBS: [&Verb; 6] = [
    &verb(
        "rollout history",
        "View rollout history",
        HISTORY,
        |s, l| Box::pin(history::history(s, l)),
    ),
    &verb(
        "rollout pause",
        "Mark the provided resource as paused",
        CHANGE,
        |s, l| Box::pin(pause(s, l, true)),
    ),
    &verb("rollout restart", "Restart a resource", CHANGE, |s, l| {
        Box::pin(restart(s, l))
    }),
    &verb(
        "rollout resume",
        "Resume a paused resource",
        CHANGE,
        |s, l| Box::pin(pause(s, l, false)),
    ),
    &verb(
        "rollout status",
        "Show the status of the rollout",
        STATUS,
        |s, l| Box::pin(status::status(s, l)),
    ),
    &verb("rollout undo", "Undo a previous rollout", UNDO, |s, l| {
        Box::pin(history::undo(s, l))
    }),
];

/// The objects meant; a type alone means all of it here.
async fn rollouts(session: &Session, line: &Line) -> Outcome<Vec<Outcome<Found>>> {
    let files = line.has("filename") || line.has("kustomize");
    if line.args.is_empty() && !files && !line.has("selector") {
        return Err(Failure::message("required resource not specified"));
    }
    match line.args.as_slice() {
        [word] if !word.contains('/') && !files => {
            let discovery = session.discovery().await?;
            let mut all = Vec::new();
            for target in targets(&discovery, std::slice::from_ref(word))? {
                let list = act::list(session, line, &target.resource).await?;
                all.extend(list.into_iter().map(Ok));
            }
            Ok(all)
        }
        args => find_in_order(session, line, args).await,
    }
}

/// The same, for verbs that say so where there is nothing.
async fn some_rollouts(session: &Session, line: &Line) -> Outcome<Vec<Outcome<Found>>> {
    let found = rollouts(session, line).await?;
    if found.is_empty() {
        let namespace = &session.namespace;
        let text = format!("No resources found in {namespace} namespace.\n");
        session.io.eprint(&text).await;
    }
    Ok(found)
}

/// `Deployment.apps`, `Pod`: a kind with its group.
fn group_kind(found: &Found) -> String {
    match (found.resource.group.as_str(), &found.resource.kind) {
        ("", kind) => kind.clone(),
        (group, kind) => format!("{kind}.{group}"),
    }
}

/// `deployments.apps "web" is already paused`, as what cannot be changed is told of.
fn refused(found: &Found, why: &str) -> Failure {
    let (what, name) = (found.resource.qualified(), found.value.name());
    Failure::Plain(format!("error: {what} {name:?} {why}"))
}

/// Does something to each, and tells of all that failed.
async fn each(
    session: &Session,
    line: &Line,
    what: &str,
    patch: impl AsyncFn(&Found) -> Outcome<Value>,
) -> Outcome {
    let dry = dry_run(line)?;
    let (mut all, mut missing) = (Vec::new(), Vec::new());
    for found in some_rollouts(session, line).await? {
        match found {
            Ok(found) => all.push(found),
            Err(failure) => missing.push(failure),
        }
    }
    let mut failures = Vec::new();
    for found in all {
        let done = async {
            let body = patch(&found).await?;
            if dry == DryRun::Client {
                return done(session, line, dry, &found.value, what).await;
            }
            let manager = "kubectl-rollout";
            let changed = act::patch(session, line, &found, STRATEGIC, body, manager).await;
            let changed = changed.map_err(|failure| failed(&failure))?;
            done(session, line, dry, &changed, what).await
        };
        failures.extend(done.await.err());
    }
    if failures.is_empty() {
        return report(session, missing).await;
    }
    let missing = combined(missing).into_iter();
    report(session, missing.chain(failures).collect()).await
}

/// What the server refuses is told of without its name.
fn failed(failure: &Failure) -> Failure {
    match failure {
        Failure::Status(status) => {
            Failure::message(format!("failed to patch: {}", status.str("message")))
        }
        other => other.clone(),
    }
}

async fn pause(session: &Session, line: &Line, pause: bool) -> Outcome {
    let (what, verb) = match pause {
        true => ("paused", "pausing"),
        false => ("resumed", "resuming"),
    };
    each(session, line, what, async |found: &Found| {
        if found.resource.kind != "Deployment" {
            return Err(refused(found, &format!("{verb} is not supported")));
        }
        if found.value.bool_at("spec.paused") == pause {
            let state = match pause {
                true => "is already paused",
                false => "is not paused",
            };
            return Err(refused(found, state));
        }
        let value = match pause {
            true => Value::Bool(true),
            false => Value::Null,
        };
        Ok(object!({ "spec": { "paused": (value) } }))
    })
    .await
}

async fn restart(session: &Session, line: &Line) -> Outcome {
    const PATH: [&str; 5] = [
        "spec",
        "template",
        "metadata",
        "annotations",
        "kubectl.kubernetes.io/restartedAt",
    ];
    each(session, line, "restarted", async |found: &Found| {
        let known = ["Deployment", "DaemonSet", "StatefulSet"];
        if !known.contains(&found.resource.kind.as_str()) {
            return Err(refused(found, "restarting is not supported"));
        }
        if found.value.bool_at("spec.paused") {
            let why = "can't restart paused deployment (run rollout resume first)";
            return Err(refused(found, why));
        }
        let now = session.io.now().await.rfc3339();
        if found.value.at_path(&PATH).as_str() == now {
            let name = found.value.name();
            return Err(Failure::message(format!(
                "failed to create patch for {name}: if restart has already been triggered within \
                 the past second, please wait before attempting to trigger another"
            )));
        }
        let mut body = Value::empty_map();
        body.set_path(&PATH, now);
        Ok(body)
    })
    .await
}
