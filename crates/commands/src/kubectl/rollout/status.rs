//! `kubectl rollout status`: how far a rollout has come, until it is over.
//!
//! Models kubectl/pkg/cmd/rollout/rollout_status.go and polymorphichelpers/rollout_status.go.

use api::Value;
use sim::Duration;

use super::some_rollouts;
use crate::kubectl::act::Found;
use crate::kubectl::failure::{Failure, Outcome, report};
use crate::kubectl::flags::Line;
use crate::kubectl::session::Session;
use crate::kubectl::wait::{Seen, Watch};

/// The sentence about a state, and whether the rollout is over; for a revision unless that is 0.
type Viewer = fn(&Value, i64) -> Outcome<(String, bool)>;

pub(super) async fn status(session: &Session, line: &Line) -> Outcome {
    let limit = line.duration("timeout")?.filter(|limit| !limit.is_zero());
    let revision = line.number("revision")?.unwrap_or(0);
    if revision < 0 {
        return Err(Failure::message(format!(
            "revision must be a positive integer: {revision}"
        )));
    }
    let mut failures = Vec::new();
    for found in some_rollouts(session, line).await? {
        let done = match found {
            Ok(found) => one(session, line, &found, (revision, limit)).await,
            Err(failure) => Err(failure),
        };
        failures.extend(done.err());
    }
    report(session, failures).await
}

async fn one(
    session: &Session,
    line: &Line,
    found: &Found,
    (revision, limit): (i64, Option<Duration>),
) -> Outcome {
    let viewer = viewer(found)?;
    let (text, over) = viewer(&found.value, revision)?;
    session.io.print(&text).await;
    if over || !line.on_unless_off("watch") {
        return Ok(());
    }
    let deadline = match limit {
        Some(limit) => session.io.deadline(limit).await,
        None => session.io.now().await + Duration::from_secs(86_400),
    };
    follow(session, found, viewer, revision, deadline).await
}

fn viewer(found: &Found) -> Outcome<Viewer> {
    match (found.resource.group.as_str(), found.resource.kind.as_str()) {
        ("apps", "Deployment") => Ok(deployment),
        ("apps", "DaemonSet") => Ok(daemon_set),
        ("apps", "StatefulSet") => Ok(stateful_set),
        _ => {
            let kind = super::group_kind(found);
            let text = format!("no status viewer has been implemented for {kind}");
            Err(Failure::message(text))
        }
    }
}

/// Prints how far a rollout has come, until it is over. One watch tells of every state, so the
/// cost grows with the changes, not with their square.
async fn follow(
    session: &Session,
    found: &Found,
    viewer: Viewer,
    revision: i64,
    deadline: sim::Instant,
) -> Outcome {
    let late = || Failure::message("timed out waiting for the condition");
    let watch = Watch::begin(session, &found.resource, &found.value, deadline).await?;
    let mut watch = watch.ok_or_else(late)?;
    loop {
        let (text, over) = match watch.next().await? {
            Seen::Object(object) => viewer(&object, revision)?,
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

fn waiting(text: impl Into<String>) -> Outcome<(String, bool)> {
    Ok((text.into(), false))
}

fn deployment(deployment: &Value, revision: i64) -> Outcome<(String, bool)> {
    let name = deployment.name();
    let number = |path: &str| deployment.i64_at(path).unwrap_or(0);
    let running = deployment.annotation(super::history::REVISION);
    if revision > 0 && running.parse() != Ok(revision) {
        return Err(Failure::message(format!(
            "desired revision ({revision}) is different from the running revision ({running})"
        )));
    }
    if deployment.generation() > number("status.observedGeneration") {
        return waiting("Waiting for deployment spec update to be observed...\n");
    }
    let late = deployment
        .list_at("status.conditions")
        .iter()
        .any(|condition| {
            condition.str("type") == "Progressing"
                && condition.str("reason") == "ProgressDeadlineExceeded"
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
    let start = format!("Waiting for deployment {name:?} rollout to finish: ");
    if updated < wanted {
        return waiting(format!(
            "{start}{updated} out of {wanted} new replicas have been updated...\n"
        ));
    }
    if total > updated {
        let old = total - updated;
        return waiting(format!(
            "{start}{old} old replicas are pending termination...\n"
        ));
    }
    if available < updated {
        return waiting(format!(
            "{start}{available} of {updated} updated replicas are available...\n"
        ));
    }
    Ok((
        format!("deployment {name:?} successfully rolled out\n"),
        true,
    ))
}

fn daemon_set(set: &Value, _: i64) -> Outcome<(String, bool)> {
    only_rolling(set)?;
    let name = set.name();
    let number = |key: &str| set.get("status").i64_at(key).unwrap_or(0);
    if set.generation() > number("observedGeneration") {
        return waiting("Waiting for daemon set spec update to be observed...\n");
    }
    let (desired, updated, available) = (
        number("desiredNumberScheduled"),
        number("updatedNumberScheduled"),
        number("numberAvailable"),
    );
    let start = format!("Waiting for daemon set {name:?} rollout to finish: ");
    if updated < desired {
        return waiting(format!(
            "{start}{updated} out of {desired} new pods have been updated...\n"
        ));
    }
    if available < desired {
        return waiting(format!(
            "{start}{available} of {desired} updated pods are available...\n"
        ));
    }
    Ok((
        format!("daemon set {name:?} successfully rolled out\n"),
        true,
    ))
}

fn stateful_set(set: &Value, _: i64) -> Outcome<(String, bool)> {
    only_rolling(set)?;
    let status = set.get("status");
    let number = |key: &str| status.i64_at(key).unwrap_or(0);
    let observed = number("observedGeneration");
    if observed == 0 || set.generation() > observed {
        return waiting("Waiting for statefulset spec update to be observed...\n");
    }
    let wanted = set.i64_at("spec.replicas").unwrap_or(1);
    let (ready, updated) = (number("readyReplicas"), number("updatedReplicas"));
    if ready < wanted {
        let lacking = wanted - ready;
        return waiting(format!("Waiting for {lacking} pods to be ready...\n"));
    }
    let rolling = set.at("spec.updateStrategy.rollingUpdate");
    if !rolling.is_null() {
        let due = wanted - rolling.i64_at("partition").unwrap_or(0);
        if updated < due {
            return waiting(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {due} new pods have \
                 been updated...\n"
            ));
        }
        let text =
            format!("partitioned roll out complete: {updated} new pods have been updated...\n");
        return Ok((text, true));
    }
    let revision = status.str("updateRevision");
    if revision != status.str("currentRevision") {
        return waiting(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision \
             {revision}...\n"
        ));
    }
    let current = number("currentReplicas");
    let text =
        format!("statefulset rolling update complete {current} pods at revision {revision}...\n");
    Ok((text, true))
}

fn only_rolling(set: &Value) -> Outcome {
    match set.str_at("spec.updateStrategy.type") {
        "RollingUpdate" => Ok(()),
        _ => Err(Failure::message(
            "rollout status is only available for RollingUpdate strategy type",
        )),
    }
}
