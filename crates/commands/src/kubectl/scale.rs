//! `kubectl scale`.
//!
//! Models kubectl/pkg/cmd/scale/scale.go.

use api::object;
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, Found, MERGE, done, dry_run, find_each};
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, switch, value};
use super::session::{Call, JSON, Session};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::ALL,
    value("current-replicas"),
    value("replicas"),
    value("resource-version"),
    value("timeout"),
    switch("recursive").short('R'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "scale",
    summary: "Set a new size for a deployment, replica set, or replication controller",
    usage: "kubectl scale [--resource-version=version] [--current-replicas=count] \
            --replicas=COUNT (-f FILENAME | TYPE NAME) [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(scale(session, line)),
};

async fn scale(session: &Session, line: &Line) -> Outcome {
    let replicas = line.number("replicas")?.filter(|replicas| *replicas >= 0).ok_or_else(|| {
        Failure::message(
            "The --replicas=COUNT flag is required, and COUNT must be greater than or equal to 0",
        )
    })?;
    let expected = line.number("current-replicas")?.unwrap_or(-1);
    if expected < -1 {
        return Err(Failure::message(
            "The --current-replicas must specify an integer of -1 or greater",
        ));
    }
    let (found, mut failures) = find_each(session, line, &line.args).await?;
    if found.is_empty() && failures.is_empty() {
        return Err(Failure::message("no objects passed to scale"));
    }
    if !line.text("resource-version").is_empty() && found.len() > 1 {
        return Err(Failure::message(
            "cannot use --resource-version with multiple resources",
        ));
    }
    for found in found {
        // The first that cannot be scaled ends it; those that are not there are told of at the end.
        if let Err(failure) = one(session, line, found, (replicas, expected)).await {
            failures = vec![failure];
            break;
        }
    }
    report(session, failures).await
}

async fn one(
    session: &Session,
    line: &Line,
    mut found: Found,
    (replicas, expected): (i64, i64),
) -> Outcome {
    let dry = dry_run(line)?;
    if dry != DryRun::Client {
        let set = send(session, line, &found, (replicas, expected)).await?;
        if line.cause.is_some() {
            let body = object!({});
            act::patch(session, line, &found, MERGE, body, "kubectl-scale").await?;
        }
        show(&mut found, set);
        await_replicas(session, line, &found).await?;
    } else {
        show(&mut found, replicas);
    }
    done(session, line, dry, &found.value, "scaled").await
}

/// Sets the size in what is printed, where it is known in which field it stands.
fn show(found: &mut Found, replicas: i64) {
    if ["", "apps"].contains(&found.resource.group.as_str()) {
        found.value.set("spec.replicas", replicas);
    }
}

/// Sets the size, and gives the one the server tells of.
async fn send(
    session: &Session,
    line: &Line,
    found: &Found,
    (replicas, expected): (i64, i64),
) -> Outcome<i64> {
    let path = format!("{}/scale", found.path());
    let version = line.text("resource-version");
    if expected != -1 || !version.is_empty() {
        let current = session.call(Call::get(&*path)).await?;
        let has = current.i64_at("spec.replicas").unwrap_or(0);
        if expected != -1 && expected != has {
            return Err(Failure::message(format!(
                "Expected replicas to be {expected}, was {has}"
            )));
        }
        let is = current.str_at("metadata.resourceVersion");
        if !version.is_empty() && version != is {
            return Err(Failure::message(format!(
                "Expected resource version to be {version}, was {is}"
            )));
        }
    }
    let query = match dry_run(line)? {
        DryRun::Server => "?dryRun=All",
        _ => "",
    };
    let call = Call {
        method: Method::Patch,
        target: format!("{path}{query}"),
        accept: JSON,
        body: Some((MERGE, object!({ "spec": { "replicas": (replicas) } }))),
    };
    let scale = session.call(call).await?;
    Ok(scale.i64_at("spec.replicas").unwrap_or(0))
}

/// Waits for the replicas, as long as `--timeout` says.
async fn await_replicas(session: &Session, line: &Line, found: &Found) -> Outcome {
    let limit = line.duration("timeout")?.filter(|limit| !limit.is_zero());
    let Some(limit) = limit.filter(|_| !line.has("dry-run") || line.text("dry-run") == "none")
    else {
        return Ok(());
    };
    let deadline = session.io.deadline(limit).await;
    let path = format!("{}/scale", found.path());
    loop {
        let scale = session.call(Call::get(&*path)).await?;
        let number = |path: &str| scale.i64_at(path).unwrap_or(0);
        if number("spec.replicas") == number("status.replicas") {
            return Ok(());
        }
        if session.io.now().await >= deadline {
            return Err(Failure::message(format!(
                "timed out waiting for {:?} to be synced",
                found.value.name()
            )));
        }
        session.io.sleep(sim::Duration::from_secs(1)).await;
    }
}
