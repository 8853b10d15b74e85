//! `kubectl certificate approve` and `deny`.
//!
//! Models kubectl/pkg/cmd/certificates/certificates.go.

use api::{Value, object};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, done};
use super::discovery::Resource;
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, switch};
use super::session::{Call, Session};
use super::target::manifests;

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    switch("force"),
    switch("recursive").short('R'),
];

/// What is decided, and what must not have been decided before.
struct Decision {
    kind: &'static str,
    not: &'static str,
    reason: &'static str,
    message: &'static str,
    done: &'static str,
}

/// `kubectl certificate approve`.
const APPROVE: Verb = Verb {
    name: "certificate approve",
    summary: "Approve a certificate signing request",
    usage: "kubectl certificate approve (-f FILENAME | NAME) [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| {
        let decision = Decision {
            kind: "Approved",
            not: "Denied",
            reason: "KubectlApprove",
            message: "This CSR was approved by kubectl certificate approve.",
            done: "approved",
        };
        Box::pin(decide(session, line, decision))
    },
};

/// `kubectl certificate deny`.
const DENY: Verb = Verb {
    name: "certificate deny",
    summary: "Deny a certificate signing request",
    usage: "kubectl certificate deny (-f FILENAME | NAME) [options]",
    run: |session, line| {
        let decision = Decision {
            kind: "Denied",
            not: "Approved",
            reason: "KubectlDeny",
            message: "This CSR was denied by kubectl certificate deny.",
            done: "denied",
        };
        Box::pin(decide(session, line, decision))
    },
    ..APPROVE
};

/// The verbs of the group.
pub(super) const VERBS: [&Verb; 2] = [&APPROVE, &DENY];

async fn decide(session: &Session, line: &Line, decision: Decision) -> Outcome {
    let mut names = line.args.clone();
    for manifest in manifests_of(session, line).await? {
        names.push(manifest.name().to_owned());
    }
    if names.is_empty() {
        return Err(Failure::message(
            "one or more CSRs must be specified as <name> or -f <filename>",
        ));
    }
    let discovery = session.discovery().await?;
    let resource = discovery.resolve("certificatesigningrequests")?;
    let mut failures = Vec::new();
    for name in names {
        let name = name.rsplit('/').next().unwrap_or_default();
        failures.extend(one(session, line, resource, name, &decision).await.err());
    }
    report(session, failures).await
}

async fn one(
    session: &Session,
    line: &Line,
    resource: &Resource,
    name: &str,
    decision: &Decision,
) -> Outcome {
    let path = resource.path("", name);
    let request = session.call(Call::get(&*path)).await?;
    if let Some(changed) = decided(session, line, &request, decision).await? {
        let target = format!("{path}/approval");
        session
            .call(Call::send(Method::Put, target, changed))
            .await?;
    }
    done(session, line, DryRun::None, &request, decision.done).await
}

async fn manifests_of(session: &Session, line: &Line) -> Outcome<Vec<Value>> {
    if !line.has("filename") {
        return Ok(Vec::new());
    }
    let manifests = manifests(&session.io, line).await?;
    Ok(manifests
        .into_iter()
        .map(|manifest| manifest.value)
        .collect())
}

/// The request as it is to be; none if that was decided before.
async fn decided(
    session: &Session,
    line: &Line,
    request: &Value,
    decision: &Decision,
) -> Outcome<Option<Value>> {
    let conditions = request.list_at("status.conditions");
    let has = |kind: &str| conditions.iter().any(|one| one.str("type") == kind);
    if has(decision.not) {
        return Err(Failure::message(format!(
            "certificate signing request {:?} is already {}",
            request.name(),
            decision.not
        )));
    }
    if has(decision.kind) {
        return Ok(line.on("force").then(|| request.clone()));
    }
    let now = session.io.now().await.rfc3339();
    let mut changed = request.clone();
    changed.list_mut("status.conditions").push(object! {
        "type": (decision.kind),
        "status": "True",
        "reason": (decision.reason),
        "message": (decision.message),
        "lastUpdateTime": (now.as_str()),
        "lastTransitionTime": null,
    });
    Ok(Some(changed))
}
