//! `kubectl label` and `kubectl annotate`: the same work on two maps.
//!
//! Models kubectl/pkg/cmd/label/label.go and annotate/annotate.go.

use api::{Value, names, object};

use super::Verb;
use super::act::{self, DryRun, Found, MERGE, done, dry_run, find};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::Session;

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::ALL,
    act::ALL_NAMESPACES,
    act::MANAGER,
    value("field-selector"),
    value("resource-version"),
    switch("list"),
    switch("local"),
    switch("overwrite"),
    switch("recursive").short('R'),
];

/// `kubectl label`.
pub(super) const LABEL: Verb = Verb {
    name: "label",
    summary: "Update the labels on a resource",
    usage: "kubectl label [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N \
            [--resource-version=version] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(change(session, line, "labels")),
};

/// `kubectl annotate`.
pub(super) const ANNOTATE: Verb = Verb {
    name: "annotate",
    summary: "Update the annotations on a resource",
    usage: "kubectl annotate [--overwrite] (-f FILENAME | TYPE NAME) KEY_1=VAL_1 ... KEY_N=VAL_N \
            [--resource-version=version] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(change(session, line, "annotations")),
};

/// What a command line asks for: pairs to set, keys to remove.
#[derive(Debug, Default)]
struct Wanted {
    set: Vec<(String, String)>,
    remove: Vec<String>,
}

async fn change(session: &Session, line: &Line, map: &'static str) -> Outcome {
    let name = noun(map);
    let is_change = |arg: &&String| {
        (arg.contains('=') && !arg.starts_with('=')) || (arg.ends_with('-') && arg.len() > 1)
    };
    let first = line
        .args
        .iter()
        .position(|arg| is_change(&arg))
        .unwrap_or(line.args.len());
    let (objects, changes) = line.args.split_at(first);
    if let Some(word) = changes.iter().find(|word| !is_change(word)) {
        return Err(Failure::message(format!(
            "all resources must be specified before {name} changes: {word}"
        )));
    }
    let wanted = read(changes, map)?;
    if objects.len() != 1 + usize::from(!objects.iter().any(|arg| arg.contains('/')))
        && !line.text("resource-version").is_empty()
    {
        return Err(Failure::message(
            "--resource-version may only be used with a single resource",
        ));
    }
    if line.on("all") && !line.text("selector").is_empty() {
        return Err(Failure::message(
            "cannot set --all and --selector at the same time",
        ));
    }
    if objects.is_empty() && !line.has("filename") && !line.has("kustomize") {
        return Err(Failure::message(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if wanted.set.is_empty() && wanted.remove.is_empty() && !line.on("list") {
        return Err(Failure::message(format!(
            "at least one {name} update is required"
        )));
    }
    let mut failure = None;
    for found in find(session, line, objects).await? {
        if let Err(why) = one(session, line, &found, &wanted, map).await
            && let Some(earlier) = failure.replace(why)
        {
            session.io.eprint(&earlier.text()).await;
        }
    }
    failure.map_or(Ok(()), Err)
}

fn noun(map: &str) -> &'static str {
    match map {
        "labels" => "label",
        _ => "annotation",
    }
}

fn read(changes: &[String], map: &str) -> Outcome<Wanted> {
    let labels = map == "labels";
    let mut wanted = Wanted::default();
    for change in changes {
        if let Some((key, value)) = change.split_once('=') {
            if labels && value.contains('=') {
                return Err(Failure::message(format!("invalid label spec: {change}")));
            }
            let wrong = names::label_value(value);
            if labels && !wrong.is_empty() {
                let wrong = wrong.join(";");
                return Err(Failure::message(format!(
                    "invalid label value: {change:?}: {wrong}"
                )));
            }
            wanted.set.push((key.to_owned(), value.to_owned()));
        } else if let Some(key) = change.strip_suffix('-') {
            wanted.remove.push(key.to_owned());
        } else {
            return Err(Failure::message(format!("unexpected argument: {change}")));
        }
    }
    let is_set = |key: &&String| wanted.set.iter().any(|(set, _)| set == *key);
    let both: Vec<&str> = wanted
        .remove
        .iter()
        .filter(is_set)
        .map(String::as_str)
        .collect();
    match both.as_slice() {
        [] => Ok(wanted),
        _ if labels => Err(Failure::message(
            "can not both modify and remove a label in the same command",
        )),
        both => Err(Failure::message(format!(
            "can not both modify and remove the following annotation(s) in the same command: {}",
            both.join(",")
        ))),
    }
}

async fn one(
    session: &Session,
    line: &Line,
    found: &Found,
    wanted: &Wanted,
    map: &'static str,
) -> Outcome {
    let current = found.value.get("metadata").get(map).clone();
    if line.on("list") {
        for (key, value) in current.entries().iter() {
            let text = format!("{key}={}\n", value.as_str());
            session.io.print(&text).await;
        }
        if wanted.set.is_empty() && wanted.remove.is_empty() {
            return Ok(());
        }
    }
    refuse_overwrite(line, &current, wanted, map)?;
    let mut changes = Value::empty_map();
    for (key, value) in &wanted.set {
        if current.get(key).is_null() || current.str(key) != value {
            changes.set_path(&[key], value.as_str());
        }
    }
    for key in &wanted.remove {
        if current.get(key).is_null() {
            if map == "labels" {
                session
                    .io
                    .print(&format!("label {key:?} not found.\n"))
                    .await;
            }
        } else {
            changes.set_path(&[key], Value::Null);
        }
    }
    let what = sentence(&changes, wanted, map);
    let dry = dry_run(line)?;
    let mut body = object!({ "metadata": {} });
    if let Some(version) = line.get("resource-version").filter(|text| !text.is_empty()) {
        body.set("metadata.resourceVersion", version);
    }
    body.set_path(&["metadata", map], changes.clone());
    if dry == DryRun::Client || line.on("local") || changes.entries().is_empty() {
        let patched = act::patched_here(&found.value, MERGE, &body)?;
        return done(session, line, dry, &patched, what).await;
    }
    let manager = if map == "labels" {
        "kubectl-label"
    } else {
        "kubectl-annotate"
    };
    let patched = act::patch(session, line, found, MERGE, body, manager).await?;
    done(session, line, dry, &patched, what).await
}

fn sentence(changes: &Value, wanted: &Wanted, map: &str) -> &'static str {
    let changed = changes.entries().iter().next().is_some();
    match (map, changed) {
        ("labels", false) => "not labeled",
        ("labels", true) if wanted.set.is_empty() => "unlabeled",
        ("labels", true) => "labeled",
        _ => "annotated",
    }
}

fn refuse_overwrite(line: &Line, current: &Value, wanted: &Wanted, map: &str) -> Outcome {
    if line.on("overwrite") {
        return Ok(());
    }
    let taken: Vec<String> = wanted
        .set
        .iter()
        .filter_map(|(key, value)| {
            let old =
                Some(current.str(key)).filter(|old| *old != value && current.get(key).is_str())?;
            Some(format!("'{key}' already has a value ({old})"))
        })
        .collect();
    match (taken.as_slice(), map) {
        ([], _) => Ok(()),
        ([first, ..], "labels") => Err(Failure::message(format!(
            "{first}, and --overwrite is false"
        ))),
        (all, _) => Err(Failure::message(format!(
            "--overwrite is false but found the following declared annotation(s): {}",
            all.join("; ")
        ))),
    }
}
