//! `kubectl patch`.
//!
//! Models kubectl/pkg/cmd/patch/patch.go.

use api::{Value, yaml};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, MERGE, STRATEGIC, done, dry_run, find};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::{Call, JSON, Session};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::MANAGER,
    value("patch").short('p'),
    value("patch-file"),
    value("type"),
    value("subresource"),
    switch("local"),
    switch("recursive").short('R'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "patch",
    summary: "Update fields of a resource",
    usage: "kubectl patch (-f FILENAME | TYPE NAME) [-p PATCH|--patch-file FILE] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(patch(session, line)),
};

async fn patch(session: &Session, line: &Line) -> Outcome {
    if line.has("patch") && line.has("patch-file") {
        return Err(Failure::message(
            "cannot specify --patch and --patch-file together",
        ));
    }
    let media_type = match line.get("type").unwrap_or("strategic") {
        "strategic" => STRATEGIC,
        "merge" => MERGE,
        "json" => "application/json-patch+json",
        other => {
            return Err(Failure::message(format!(
                "--type must be one of [json merge strategic], not {other:?}"
            )));
        }
    };
    let text = match (line.get("patch"), line.get("patch-file")) {
        (Some(text), None) => text.to_owned(),
        (None, Some(path)) => session.io.read_to_string(path).await.map_err(|errno| {
            Failure::message(format!(
                "unable to read patch file: open {path}: {}",
                errno.message().to_lowercase()
            ))
        })?,
        _ => {
            return Err(Failure::message(
                "must specify --patch or --patch-file containing the contents of the patch",
            ));
        }
    };
    let body = match Value::from_json(text.as_bytes()) {
        // What looks like JSON is sent as it is; the server says what is wrong with it.
        Err(_) if text.trim_start().starts_with('{') => Value::from(text.as_str()),
        _ => of_yaml(&text)?,
    };
    let dry = dry_run(line)?;
    for found in find(session, line, &line.args).await? {
        if dry == DryRun::Client || line.on("local") {
            if body.is_str() {
                return Err(Failure::message("invalid JSON document"));
            }
            let patched = act::patched_here(&found.value, media_type, &body)?;
            let what = sentence(&patched, &found.value);
            done(session, line, SILENT, &patched, what).await?;
            continue;
        }
        let mut path = found.path();
        if let Some(subresource) = line.get("subresource") {
            path.push_str(&format!("/{subresource}"));
        }
        let target = format!("{path}{}", act::query(line, dry, "kubectl-patch", false));
        let body = Some((media_type, body.clone()));
        let call = Call {
            method: Method::Patch,
            target,
            accept: JSON,
            body,
        };
        let patched: Value = session.call(call).await?;
        let what = sentence(&patched, &found.value);
        done(session, line, SILENT, &patched, what).await?;
    }
    Ok(())
}

/// What is patched for a trial is said to be patched all the same.
const SILENT: DryRun = DryRun::None;

fn sentence(patched: &Value, before: &Value) -> &'static str {
    if patched.same(before) {
        "patched (no change)"
    } else {
        "patched"
    }
}

fn of_yaml(text: &str) -> Outcome<Value> {
    let documents = yaml::parse_all(text)
        .map_err(|why| Failure::message(format!("unable to parse {text:?}: {why}")))?;
    let first = documents.into_iter().next();
    Ok(first.map_or(Value::Null, |document| document.value))
}
