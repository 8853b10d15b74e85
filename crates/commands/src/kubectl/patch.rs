//! `kubectl patch`.
//!
//! Models kubectl/pkg/cmd/patch/patch.go.

use api::{Value, yaml};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, Found, MERGE, STRATEGIC, done, dry_run, find_in_order};
use super::failure::{Failure, Outcome, report};
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
    refuse(line)?;
    let media_type = match &*line.text("type").to_lowercase() {
        "" | "strategic" => STRATEGIC,
        "merge" => MERGE,
        "json" => "application/json-patch+json",
        _ => {
            let other = line.text("type");
            return Err(Failure::message(format!(
                "--type must be one of [json merge strategic], not {other:?}"
            )));
        }
    };
    let text = match line.text("patch-file") {
        "" => line.text("patch").to_owned(),
        path => session.io.read_to_string(path).await.map_err(|errno| {
            Failure::message(format!(
                "unable to read patch file: open {path}: {}",
                errno.message().to_lowercase()
            ))
        })?,
    };
    let body = match Value::from_json(text.as_bytes()) {
        // What looks like JSON is sent as it is; the server says what is wrong with it.
        Err(_) if text.trim_start().starts_with('{') => Value::from(text.as_str()),
        _ => of_yaml(&text)?,
    };
    let all = find_in_order(session, line, &line.args).await?;
    let mut failures = Vec::new();
    if all.is_empty() {
        return Err(Failure::message("no objects passed to patch"));
    }
    for found in all {
        let done = match found {
            Ok(found) => one(session, line, &found, (media_type, &body)).await,
            Err(failure) => Err(failure),
        };
        failures.extend(done.err());
    }
    report(session, failures).await
}

/// Options that do not go together.
fn refuse(line: &Line) -> Outcome {
    let given = |flag: &str| !line.text(flag).is_empty();
    let why = if given("patch") && given("patch-file") {
        "cannot specify --patch and --patch-file together"
    } else if !given("patch") && !given("patch-file") {
        "must specify --patch or --patch-file containing the contents of the patch"
    } else if line.on("local") && !line.args.is_empty() {
        "cannot specify --local and server resources"
    } else if line.on("local") && dry_run(line)? == DryRun::Server {
        "cannot specify --local and --dry-run=server - did you mean --dry-run=client?"
    } else {
        return Ok(());
    };
    Err(Failure::message(why))
}

async fn one(
    session: &Session,
    line: &Line,
    found: &Found,
    (media_type, body): (&'static str, &Value),
) -> Outcome {
    let dry = dry_run(line)?;
    if dry == DryRun::Client || line.on("local") {
        if body.is_str() {
            return Err(Failure::message("invalid JSON document"));
        }
        let object = &found.value;
        let known = api::Schemas::load().by_kind(object.api_version(), object.kind());
        if media_type == STRATEGIC && known.is_none() {
            let (group, version) = match object.api_version().split_once('/') {
                Some((group, version)) => (group, version),
                None => ("", object.api_version()),
            };
            return Err(Failure::message(format!(
                "strategic merge patch is not supported for {group}/{version}, Kind={} locally, \
                 try --type merge",
                object.kind()
            )));
        }
        let patched = act::patched_here(object, media_type, body)?;
        let what = sentence(&patched, object);
        return done(session, line, SILENT, &patched, what).await;
    }
    let mut path = found.path();
    let mut before = found.value.clone();
    if let Some(subresource) = line.get("subresource") {
        path.push_str(&format!("/{subresource}"));
        // What is compared is what the subresource shows of the object.
        before = session.call(Call::get(&*path)).await?;
    }
    let target = format!("{path}{}", act::query(line, dry, "kubectl-patch", false));
    let call = Call {
        method: Method::Patch,
        target,
        accept: JSON,
        body: Some((media_type, body.clone())),
    };
    let patched: Value = session.call(call).await.map_err(|failure| {
        let Failure::Status(status) = &failure else {
            return failure;
        };
        if status.str("reason") != "UnsupportedMediaType" {
            return failure;
        }
        let (group, version, kind) = (
            &found.resource.group,
            &found.resource.version,
            &found.resource.kind,
        );
        Failure::message(format!(
            "{media_type} is not supported by {group}/{version}, Kind={kind}: {}",
            status.str("message")
        ))
    })?;
    let what = sentence(&patched, &before);
    done(session, line, SILENT, &patched, what).await
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
