//! `kubectl set image` and `kubectl set env`.
//!
//! Models kubectl/pkg/cmd/set.

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
    act::ALL,
    act::MANAGER,
    value("containers").short('c'),
    switch("list"),
    switch("local"),
    switch("overwrite"),
    switch("recursive").short('R'),
];

/// `kubectl set image`.
pub(super) const IMAGE: Verb = Verb {
    name: "set image",
    summary: "Update the image of a pod template",
    usage: "kubectl set image (-f FILENAME | TYPE NAME) \
            CONTAINER_NAME_1=CONTAINER_IMAGE_1 ... CONTAINER_NAME_N=CONTAINER_IMAGE_N [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(image(session, line)),
};

/// `kubectl set env`.
pub(super) const ENV: Verb = Verb {
    name: "set env",
    summary: "Update environment variables on a pod template",
    usage: "kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(env(session, line)),
};

fn split(args: &[String]) -> (&[String], &[String]) {
    let change = |arg: &String| arg.contains('=') || arg.ends_with('-');
    args.split_at(args.iter().position(change).unwrap_or(args.len()))
}

/// Where the pod spec of an object is, by the names on the way.
fn spec_path(found: &Found) -> &'static [&'static str] {
    if found.resource.kind == "Pod" {
        &["spec"]
    } else {
        &["spec", "template", "spec"]
    }
}

fn pod_spec(found: &Found) -> &Value {
    spec_path(found)
        .iter()
        .fold(&found.value, |value, name| value.get(name))
}

async fn image(session: &Session, line: &Line) -> Outcome {
    let (objects, changes) = split(&line.args);
    if changes.is_empty() {
        return Err(Failure::message("at least one image update is required"));
    }
    for found in find(session, line, objects).await? {
        let mut updates: Vec<(&str, Vec<Value>)> = Vec::new();
        let mut changed = false;
        for field in ["containers", "initContainers"] {
            let mut list = Vec::new();
            for container in pod_spec(&found).list_at(field) {
                let name = container.str_at("name");
                let wanted = changes.iter().filter_map(|change| change.split_once('='));
                for (_, image) in wanted.filter(|(key, _)| *key == name || *key == "*") {
                    changed |= container.str_at("image") != image;
                    list.push(object!({ "image": (image), "name": (name) }));
                }
            }
            if !list.is_empty() {
                updates.push((field, list));
            }
        }
        for (name, _) in changes.iter().filter_map(|change| change.split_once('=')) {
            let known = updates.iter().any(|(_, list)| {
                list.iter()
                    .any(|container| container.str_at("name") == name)
            });
            if !known && name != "*" {
                return Err(Failure::message(format!(
                    "unable to find container named {name:?}"
                )));
            }
        }
        if changed {
            finish(session, line, &found, updates, "image updated").await?;
        }
    }
    Ok(())
}

async fn env(session: &Session, line: &Line) -> Outcome {
    let (objects, changes) = split(&line.args);
    if line.on("list") {
        for found in find(session, line, objects).await? {
            for container in pod_spec(&found).list_at("containers") {
                let mut text = format!(
                    "# {} {}, container {}\n",
                    found.resource.kind,
                    found.value.name(),
                    container.str_at("name")
                );
                for variable in container.list_at("env") {
                    text.push_str(&format!(
                        "{}={}\n",
                        variable.str_at("name"),
                        variable.str_at("value")
                    ));
                }
                session.io.print(&text).await;
            }
        }
        return Ok(());
    }
    if changes.is_empty() {
        return Err(Failure::message(
            "at least one environment variable must be provided",
        ));
    }
    let only = line.get("containers").unwrap_or("*");
    for found in find(session, line, objects).await? {
        let mut list = Vec::new();
        for container in pod_spec(&found).list_at("containers") {
            let name = container.str_at("name");
            if only != "*" && only != name {
                continue;
            }
            let variables: Vec<Value> = changes
                .iter()
                .map(|change| match change.split_once('=') {
                    Some((key, value)) => object!({ "name": (key), "value": (value) }),
                    None => object!({ "$patch": "delete", "name": (change.trim_end_matches('-')) }),
                })
                .collect();
            list.push(object!({ "env": (Value::from(variables)), "name": (name) }));
        }
        finish(
            session,
            line,
            &found,
            vec![("containers", list)],
            "env updated",
        )
        .await?;
    }
    Ok(())
}

async fn finish(
    session: &Session,
    line: &Line,
    found: &Found,
    updates: Vec<(&str, Vec<Value>)>,
    what: &str,
) -> Outcome {
    let dry = dry_run(line)?;
    let mut body = Value::empty_map();
    for (field, list) in updates {
        let path: Vec<&str> = spec_path(found).iter().copied().chain([field]).collect();
        body.set_path(&path, Value::from(list));
    }
    if dry == DryRun::Client {
        return done(session, line, dry, &found.value, what).await;
    }
    let patched = act::patch(session, line, found, STRATEGIC, body, "kubectl-set").await?;
    done(session, line, dry, &patched, what).await
}
