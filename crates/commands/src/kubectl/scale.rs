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
    let (found, mut failures) = find_each(session, line, &line.args).await?;
    if found.is_empty() && failures.is_empty() {
        return Err(Failure::message("no objects passed to scale"));
    }
    for found in found {
        failures.extend(one(session, line, &found, replicas).await.err());
    }
    report(session, failures).await
}

async fn one(session: &Session, line: &Line, found: &Found, replicas: i64) -> Outcome {
    let path = format!("{}/scale", found.path());
    let current = session.call(Call::get(&*path)).await?;
    let has = current.i64_at("spec.replicas").unwrap_or(0);
    if let Some(expected) = line
        .number("current-replicas")?
        .filter(|expected| *expected != -1)
        && expected != has
    {
        return Err(Failure::message(format!(
            "Expected replicas to be {expected}, was {has}"
        )));
    }
    let version = current.str_at("metadata.resourceVersion");
    if let Some(expected) = line.get("resource-version").filter(|text| !text.is_empty())
        && expected != version
    {
        return Err(Failure::message(format!(
            "Expected resource version to be {expected}, was {version}"
        )));
    }
    let dry = dry_run(line)?;
    if dry != DryRun::Client {
        let body = object!({ "spec": { "replicas": (replicas) } });
        let target = format!("{path}{}", act::query(line, dry, "kubectl", false));
        let call = Call {
            method: Method::Patch,
            target,
            accept: JSON,
            body: Some((MERGE, body)),
        };
        session.call(call).await?;
        if line.cause.is_some() {
            let body = object!({});
            act::patch(session, line, found, MERGE, body, "kubectl-scale").await?;
        }
    }
    done(session, line, dry, &found.value, "scaled").await
}
