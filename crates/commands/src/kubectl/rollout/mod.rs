//! `kubectl rollout`: status, history, undo, pause, resume, restart of a Deployment.
//!
//! Models kubectl/pkg/cmd/rollout and polymorphichelpers.

use api::{Value, object};
use net::http::Method;

use super::Verb;
use super::act::{self, Found, STRATEGIC, done, dry_run, find};
use super::describe::template_text;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::{Call, JSON, Session};
use super::target::or;
use super::wait::{Seen, Watch};

const REVISION: &str = "deployment.kubernetes.io/revision";
const CHANGE_CAUSE: &str = "kubernetes.io/change-cause";

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
        Box::pin(history(s, l))
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
        |s, l| Box::pin(status(s, l)),
    ),
    &verb("rollout undo", "Undo a previous rollout", |s, l| {
        Box::pin(undo(s, l))
    }),
];

/// The objects meant; a type alone means all of it here.
async fn rollouts(session: &Session, line: &Line) -> Outcome<Vec<Found>> {
    if line.args.is_empty() && !line.has("filename") && !line.has("selector") {
        return Err(Failure::message("required resource not specified"));
    }
    let found = match line.args.as_slice() {
        [word] if !word.contains('/') && !line.has("filename") => {
            let discovery = session.discovery().await?;
            act::list(session, line, discovery.resolve(word)?).await?
        }
        args => find(session, line, args).await?,
    };
    Ok(found)
}

fn only_deployments(found: &Found, what: &str) -> Outcome {
    let kind = found.resource.kind.as_str();
    match kind {
        "Deployment" => Ok(()),
        "DaemonSet" | "StatefulSet" => Err(Failure::message(
            sim::unmodelled!("rollouts of DaemonSets and StatefulSets").to_string(),
        )),
        _ => Err(Failure::message(format!(
            "no {what} has been implemented for {kind:?}"
        ))),
    }
}

async fn status(session: &Session, line: &Line) -> Outcome {
    let limit = line.duration("timeout")?.filter(|limit| !limit.is_zero());
    for found in rollouts(session, line).await? {
        only_deployments(&found, "status viewer")?;
        let (text, over) = deployment_status(&found.value)?;
        session.io.print(&text).await;
        if !over && line.get("watch") != Some("false") {
            let deadline = match limit {
                Some(limit) => session.io.deadline(limit).await,
                None => session.io.now().await + sim::Duration::from_secs(86_400),
            };
            follow(session, &found, deadline).await?;
        }
    }
    Ok(())
}

/// Prints how far a rollout has come, until it is over. One watch tells of every state, so the
/// cost grows with the changes, not with their square.
async fn follow(session: &Session, found: &Found, deadline: sim::Instant) -> Outcome {
    let late = || Failure::message("timed out waiting for the condition");
    let watch = Watch::begin(session, &found.resource, &found.value, deadline).await?;
    let mut watch = watch.ok_or_else(late)?;
    loop {
        let (text, over) = match watch.next().await? {
            Seen::Object(object) => deployment_status(&object)?,
            Seen::Gone => return Err(Failure::message("object has been deleted")),
            Seen::Over => return Err(late()),
        };
        session.io.print(&text).await;
        if over {
            watch.cancel().await;
            return Ok(());
        }
    }
}

/// The sentence about a Deployment's rollout, and whether it is over.
fn deployment_status(deployment: &Value) -> Outcome<(String, bool)> {
    let name = deployment.name();
    let number = |path: &str| deployment.i64_at(path).unwrap_or(0);
    if deployment.generation() > number("status.observedGeneration") {
        return Ok((
            "Waiting for deployment spec update to be observed...\n".to_owned(),
            false,
        ));
    }
    let late = deployment
        .list_at("status.conditions")
        .iter()
        .any(|condition| {
            condition.str_at("type") == "Progressing"
                && condition.str_at("reason") == "ProgressDeadlineExceeded"
        });
    if late {
        return Err(Failure::message(format!(
            "deployment {name:?} exceeded its progress deadline"
        )));
    }
    let wanted = deployment.i64_at("spec.replicas").unwrap_or(1);
    let (total, updated, available) = (
        number("status.replicas"),
        number("status.updatedReplicas"),
        number("status.availableReplicas"),
    );
    let waiting = format!("Waiting for deployment {name:?} rollout to finish: ");
    if updated < wanted {
        let text =
            format!("{waiting}{updated} out of {wanted} new replicas have been updated...\n");
        return Ok((text, false));
    }
    if total > updated {
        let old = total - updated;
        return Ok((
            format!("{waiting}{old} old replicas are pending termination...\n"),
            false,
        ));
    }
    if available < updated {
        let text = format!("{waiting}{available} of {updated} updated replicas are available...\n");
        return Ok((text, false));
    }
    Ok((
        format!("deployment {name:?} successfully rolled out\n"),
        true,
    ))
}

/// The ReplicaSets of a Deployment by revision.
async fn revisions(session: &Session, deployment: &Value) -> Outcome<Vec<(i64, Value)>> {
    let discovery = session.discovery().await?;
    let path = discovery
        .resolve("replicasets")?
        .collection(Some(deployment.namespace()));
    let list = session.call(Call::get(path)).await?;
    let mut found: Vec<(i64, Value)> = list
        .list_at("items")
        .iter()
        .filter(|set| {
            set.controller()
                .is_some_and(|owner| owner.str_at("uid") == deployment.uid())
        })
        .filter_map(|set| {
            let revision = set.annotation(REVISION).parse().ok()?;
            Some((revision, set.clone()))
        })
        .collect();
    found.sort_by_key(|(revision, _)| *revision);
    Ok(found)
}

async fn history(session: &Session, line: &Line) -> Outcome {
    for found in rollouts(session, line).await? {
        only_deployments(&found, "history viewer")?;
        let all = revisions(session, &found.value).await?;
        let name = super::print::name(&found.value);
        let text = match line.number("revision")?.filter(|revision| *revision > 0) {
            Some(revision) => {
                let (_, set) = all
                    .iter()
                    .find(|(number, _)| *number == revision)
                    .ok_or_else(|| Failure::message("unable to find the specified revision"))?;
                let mut template = set.at("spec.template").clone();
                let cause = set.annotation(CHANGE_CAUSE);
                if !cause.is_empty() {
                    template.set_path(&["metadata", "annotations", CHANGE_CAUSE], cause);
                }
                format!(
                    "{name} with revision #{revision}\n{}\n",
                    template_text(&template)
                )
            }
            None => {
                let mut text = format!("{name} \nREVISION  CHANGE-CAUSE\n");
                for (revision, set) in &all {
                    let cause = or(set.annotation(CHANGE_CAUSE), "<none>");
                    text.push_str(&format!("{revision:<8}  {cause}\n"));
                }
                text.push('\n');
                text
            }
        };
        session.io.print(&text).await;
    }
    Ok(())
}

async fn undo(session: &Session, line: &Line) -> Outcome {
    let to = line.number("to-revision")?.unwrap_or(0);
    for found in rollouts(session, line).await? {
        only_deployments(&found, "rollbacker")?;
        if found.value.bool_at("spec.paused") {
            return Err(Failure::message(
                "you cannot rollback a paused deployment; resume it first with 'kubectl rollout \
                 resume' and try again",
            ));
        }
        let all = revisions(session, &found.value).await?;
        let set = match to {
            0 => {
                let (_, set) = all
                    .len()
                    .checked_sub(2)
                    .and_then(|at| all.get(at))
                    .ok_or_else(|| {
                        let name = found.value.name();
                        Failure::message(format!(
                            "no rollout history found for deployment {name:?}"
                        ))
                    })?;
                set
            }
            wanted => {
                let found = all.iter().find(|(revision, _)| *revision == wanted);
                let (_, set) = found.ok_or_else(|| {
                    Failure::message(format!(
                        "unable to find specified revision {wanted} in history"
                    ))
                })?;
                set
            }
        };
        let mut template = set.at("spec.template").clone();
        template.remove_path(&["metadata", "labels", "pod-template-hash"]);
        if template.same(found.value.at("spec.template")) {
            let text = format!(
                "{} skipped rollback (current template already matches revision {to})\n",
                super::print::name(&found.value)
            );
            session.io.print(&text).await;
            continue;
        }
        let mut operations = vec![object!({
            "op": "replace",
            "path": "/spec/template",
            "value": (template),
        })];
        let mut annotations = Value::from(found.value.annotations());
        for (key, value) in set.annotations().iter() {
            if !key.starts_with("deployment.kubernetes.io/") {
                annotations.set_path(&[key], value.clone());
            }
        }
        operations.push(object!({
            "op": "replace",
            "path": "/metadata/annotations",
            "value": (annotations),
        }));
        let body = Some(("application/json-patch+json", Value::from(operations)));
        let dry = dry_run(line)?;
        let target = format!(
            "{}{}",
            found.path(),
            act::query(line, dry, "kubectl-rollout", false)
        );
        session
            .call(Call {
                method: Method::Patch,
                target,
                accept: JSON,
                body,
            })
            .await?;
        done(session, line, dry, &found.value, "rolled back").await?;
    }
    Ok(())
}

async fn pause(session: &Session, line: &Line, pause: bool) -> Outcome {
    for found in rollouts(session, line).await? {
        only_deployments(&found, if pause { "pauser" } else { "resumer" })?;
        if found.value.bool_at("spec.paused") == pause {
            let state = if pause {
                "already paused"
            } else {
                "not paused"
            };
            return Err(Failure::message(format!(
                "{} {:?} is {state}",
                found.resource.qualified(),
                found.value.name()
            )));
        }
        let value = if pause {
            Value::Bool(true)
        } else {
            Value::Null
        };
        let body = object!({ "spec": { "paused": (value) } });
        let dry = dry_run(line)?;
        act::patch(session, line, &found, STRATEGIC, body, "kubectl-rollout").await?;
        done(
            session,
            line,
            dry,
            &found.value,
            if pause { "paused" } else { "resumed" },
        )
        .await?;
    }
    Ok(())
}

async fn restart(session: &Session, line: &Line) -> Outcome {
    for found in rollouts(session, line).await? {
        only_deployments(&found, "restarter")?;
        if found.value.bool_at("spec.paused") {
            return Err(Failure::message(
                "can't restart paused deployment (run rollout resume first)",
            ));
        }
        let mut body = Value::empty_map();
        let now = session.io.now().await.rfc3339();
        let path = [
            "spec",
            "template",
            "metadata",
            "annotations",
            "kubectl.kubernetes.io/restartedAt",
        ];
        body.set_path(&path, now);
        let dry = dry_run(line)?;
        act::patch(session, line, &found, STRATEGIC, body, "kubectl-rollout").await?;
        done(session, line, dry, &found.value, "restarted").await?;
    }
    Ok(())
}
