//! `kubectl rollout`: status, history, undo, pause, resume, restart of Deployments, DaemonSets and
//! StatefulSets.
//!
//! Models kubectl/pkg/cmd/rollout and polymorphichelpers.

mod history;
mod status;

use api::{Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, STRATEGIC, done, dry_run, find};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::Session;

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::MANAGER,
    value("revision"),
    value("timeout"),
    value("to-revision"),
    switch("watch").short('w'),
    switch("recursive").short('R'),
];

const fn verb(name: &'static str, summary: &'static str, run: Run) -> Verb {
    let usage = "kubectl rollout SUBCOMMAND (TYPE NAME | TYPE/NAME) [flags] [options]";
    Verb {
        name,
        summary,
        usage,
        flags: FLAGS,
        interspersed: true,
        run,
    }
}

type Run = for<'a> fn(&'a Session, &'a Line) -> super::Running<'a>;

/// `kubectl rollout …`, in the order of the help text.
pub(super) const VERBS: [&Verb; 6] = [
    &verb("rollout history", "View rollout history", |s, l| {
        Box::pin(history::history(s, l))
    }),
    &verb(
        "rollout pause",
        "Mark the provided resource as paused",
        |s, l| Box::pin(pause(s, l, true)),
    ),
    &verb("rollout restart", "Restart a resource", |s, l| {
        Box::pin(restart(s, l))
    }),
    &verb("rollout resume", "Resume a paused resource", |s, l| {
        Box::pin(pause(s, l, false))
    }),
    &verb(
        "rollout status",
        "Show the status of the rollout",
        |s, l| Box::pin(status::status(s, l)),
    ),
    &verb("rollout undo", "Undo a previous rollout", |s, l| {
        Box::pin(history::undo(s, l))
    }),
];

/// The objects meant; a type alone means all of it here.
async fn rollouts(session: &Session, line: &Line) -> Outcome<Vec<Found>> {
    let files = line.has("filename") || line.has("kustomize");
    if line.args.is_empty() && !files && !line.has("selector") {
        return Err(Failure::message("required resource not specified"));
    }
    let found = match line.args.as_slice() {
        [word] if !word.contains('/') && !files => {
            let discovery = session.discovery().await?;
            act::list(session, line, discovery.resolve(word)?).await?
        }
        args => find(session, line, args).await?,
    };
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
    Failure::message(format!("{what} {name:?} {why}"))
}

/// Does something to each, and tells of all that failed.
async fn each(
    session: &Session,
    line: &Line,
    what: &str,
    patch: impl AsyncFn(&Found) -> Outcome<Value>,
) -> Outcome {
    let dry = dry_run(line)?;
    let mut failures = Vec::new();
    for found in rollouts(session, line).await? {
        let done = async {
            let body = patch(&found).await?;
            if dry == DryRun::Client {
                return done(session, line, dry, &found.value, what).await;
            }
            let manager = "kubectl-rollout";
            let changed = act::patch(session, line, &found, STRATEGIC, body, manager).await?;
            done(session, line, dry, &changed, what).await
        };
        failures.extend(done.await.err());
    }
    let last = failures.pop();
    for failure in failures {
        session.io.eprint(&failure.text()).await;
    }
    last.map_or(Ok(()), Err)
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
