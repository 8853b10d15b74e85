//! `kubectl label` and `kubectl annotate`: the same work on two maps.
//!
//! Models kubectl/pkg/cmd/label/label.go and annotate/annotate.go.

use api::{Value, names};

use super::Verb;
use super::act::{self, DryRun, Found, MERGE, done, dry_run, find_in_order, means_one};
use super::failure::{Failure, Outcome, report};
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
    refuse(line, objects, &wanted, map)?;
    let all = find_in_order(session, line, objects).await?;
    let mut failures = Vec::new();
    let alone = means_one(line, objects);
    if !alone && !line.text("resource-version").is_empty() {
        return Err(Failure::message(
            "--resource-version may only be used with a single resource",
        ));
    }
    for found in all {
        let done = match found {
            Ok(found) if line.on("list") => {
                list(session, line, (&found, alone), &wanted, map).await
            }
            Ok(found) => one(session, line, &found, &wanted, map).await,
            Err(failure) => Err(failure),
        };
        failures.extend(done.err());
    }
    report(session, failures).await
}

/// Options that do not go together.
fn refuse(line: &Line, objects: &[String], wanted: &Wanted, map: &str) -> Outcome {
    let files = line.has("filename") || line.has("kustomize");
    let given = |flag: &str| !line.text(flag).is_empty();
    let file = match map {
        "labels" => "pod",
        _ => "rsrc",
    };
    let why = if line.on("list") && given("output") {
        "--list and --output may not be specified together".to_owned()
    } else if line.on("all") && given("selector") {
        "cannot set --all and --selector at the same time".to_owned()
    } else if line.on("all") && given("field-selector") {
        "cannot set --all and --field-selector at the same time".to_owned()
    } else if line.on("local") && dry_run(line)? == DryRun::Server {
        "cannot specify --local and --dry-run=server - did you mean --dry-run=client?".to_owned()
    } else if line.on("local") && !objects.is_empty() {
        format!(
            "can only use local files by -f {file}.yaml or --filename={file}.json when \
             --local=true is set"
        )
    } else if line.on("local") && !files {
        format!("one or more files must be specified as -f {file}.yaml or --filename={file}.json")
    } else if objects.is_empty() && !files {
        "one or more resources must be specified as <resource> <name> or <resource>/<name>"
            .to_owned()
    } else if wanted.set.is_empty() && wanted.remove.is_empty() && !line.on("list") {
        format!("at least one {} update is required", noun(map))
    } else {
        return Ok(());
    };
    Err(Failure::message(why))
}

/// Shows what an object would have; nothing is sent.
async fn list(
    session: &Session,
    line: &Line,
    (found, alone): (&Found, bool),
    wanted: &Wanted,
    map: &'static str,
) -> Outcome {
    let current = found.value.get("metadata").get(map);
    refuse_overwrite(line, current, wanted, map)?;
    let mut text = String::new();
    let indent = if alone { "" } else { " " };
    if !alone {
        let (kind, group, name) = (
            found.value.kind(),
            found.value.api_group(),
            found.value.name(),
        );
        text = format!("Listing {map} for {kind}.{group}/{name}:\n");
    }
    let mut shown = current.clone();
    if shown.is_null() {
        shown = Value::empty_map();
    }
    for (key, value) in &wanted.set {
        shown.set_path(&[key], value.as_str());
    }
    for key in &wanted.remove {
        shown.remove_path(&[key]);
    }
    for (key, value) in shown.entries().iter() {
        text.push_str(&format!("{indent}{key}={}\n", value.as_str()));
    }
    session.io.print(&text).await;
    Ok(())
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
    let what = sentence(&changes, map);
    let dry = dry_run(line)?;
    let mut body = Value::empty_map();
    if let Some(version) = line.get("resource-version").filter(|text| !text.is_empty()) {
        body.set("metadata.resourceVersion", version);
    }
    if !changes.entries().is_empty() {
        body.set_path(&["metadata", map], changes);
    }
    let here = act::patched_here(&found.value, MERGE, &body)?;
    if dry == DryRun::Client || line.on("local") {
        return done(session, line, dry, &here, what).await;
    }
    let manager = if map == "labels" {
        "kubectl-label"
    } else {
        "kubectl-annotate"
    };
    let patched = act::patch(session, line, found, MERGE, body, manager).await?;
    // What `label` prints is what it made of the object, and not what the server made of it.
    let shown = if map == "labels" { here } else { patched };
    done(session, line, dry, &shown, what).await
}

fn sentence(changes: &Value, map: &str) -> &'static str {
    let removes = |(_, value): (_, &Value)| value.is_null();
    let removed = changes
        .entries()
        .iter()
        .filter(|one| removes((one.0, one.1)))
        .count();
    match (map, removed, changes.entries().len() - removed) {
        ("labels", 0, 0) => "not labeled",
        ("labels", _, 0) => "unlabeled",
        ("labels", 0, _) => "labeled",
        ("labels", ..) => "modified",
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
            // What changed an object last may always be written anew.
            let free = map == "annotations" && key == act::CAUSE[2];
            let is = |old: &&str| !free && old != value && current.get(key).is_str();
            let old = Some(current.str(key)).filter(is)?;
            Some(format!("'{key}' already has a value ({old})"))
        })
        .collect();
    match (taken.as_slice(), map) {
        ([], _) => Ok(()),
        ([first], "labels") => Err(Failure::message(format!(
            "{first}, and --overwrite is false"
        ))),
        (all, "labels") => {
            let each = |one: &String| format!("{one}, and --overwrite is false");
            let all: Vec<String> = all.iter().map(each).collect();
            Err(Failure::Plain(all.join("\n")))
        }
        (all, _) => Err(Failure::message(format!(
            "--overwrite is false but found the following declared annotation(s): {}",
            all.join("; ")
        ))),
    }
}
