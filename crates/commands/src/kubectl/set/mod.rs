//! `kubectl set image`, `env`, `resources`, `serviceaccount` and `selector`.
//!
//! Models kubectl/pkg/cmd/set.

mod env;

use api::patch::{apply_merge_patch, apply_strategic_patch};
use api::{Schemas, Value, object};

use super::Verb;
use super::act::{self, DryRun, Found, STRATEGIC, done, dry_run, find};
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::Session;
use super::target::{manifests, resource_of};

pub(super) use env::VERB as ENV;

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

const RESOURCE_FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::ALL,
    act::MANAGER,
    value("containers").short('c'),
    value("limits"),
    value("requests"),
    switch("local"),
    switch("recursive").short('R'),
];

/// `kubectl set resources`.
pub(super) const RESOURCES: Verb = Verb {
    name: "set resources",
    summary: "Update resource requests/limits on objects with pod templates",
    usage: "kubectl set resources (-f FILENAME | TYPE NAME) ([--limits=LIMITS & \
            --requests=REQUESTS] [options]",
    flags: RESOURCE_FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(resources(session, line)),
};

/// `kubectl set serviceaccount`.
pub(super) const SERVICE_ACCOUNT: Verb = Verb {
    name: "set serviceaccount",
    summary: "Update the service account of a resource",
    usage: "kubectl set serviceaccount (-f FILENAME | TYPE NAME) SERVICE_ACCOUNT [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(service_account(session, line)),
};

/// `kubectl set selector`.
pub(super) const SELECTOR: Verb = Verb {
    name: "set selector",
    summary: "Set the selector on a resource",
    usage: "kubectl set selector (-f FILENAME | TYPE NAME) EXPRESSIONS [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(selector(session, line)),
};

fn split(args: &[String]) -> (&[String], &[String]) {
    let change = |arg: &String| {
        (arg.contains('=') && !arg.starts_with('=')) || (arg.ends_with('-') && arg != "-")
    };
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
    let (words, changes) = split(&line.args);
    if words.is_empty() && !line.has("filename") && !line.has("kustomize") {
        return Err(Failure::message(act::NOTHING));
    }
    let all = objects(session, line, words).await?;
    if changes.is_empty() {
        return Err(Failure::message("at least one image update is required"));
    }
    if changes.len() > 1 && changes.iter().any(|change| change.starts_with("*=")) {
        return Err(Failure::message(
            "all containers are already specified by *, but saw more than one \
             container_name=container_image pairs",
        ));
    }
    for found in all {
        refuse_without_template(&found)?;
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
            let updates = updates
                .into_iter()
                .map(|(field, list)| (field, Value::from(list)))
                .collect();
            let body = of_pod_spec(&found, updates);
            apply(session, line, &found, body, "image updated")
                .await
                .map_err(failed_to("failed to patch image update to pod template: "))?;
        }
    }
    Ok(())
}

/// The objects a command line means: read from the server, or with `--local` those of files as they
/// are.
async fn objects(session: &Session, line: &Line, words: &[String]) -> Outcome<Vec<Found>> {
    if words.is_empty() && !line.has("filename") && !line.has("kustomize") {
        return Err(Failure::message(act::NOTHING));
    }
    if !line.on("local") {
        return find(session, line, words).await;
    }
    if !line.has("filename") {
        return Err(Failure::message(
            "you must specify resources by --filename when --local is set.\nExample resource \
             specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'",
        ));
    }
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    for manifest in manifests(&session.io, line).await? {
        let resource = resource_of(&discovery, &manifest)?.clone();
        let value = manifest.value;
        found.push(Found { resource, value });
    }
    Ok(found)
}

/// Says of an object without a pod template that it has none.
fn refuse_without_template(found: &Found) -> Outcome {
    if pod_spec(found).get("containers").is_list() {
        return Ok(());
    }
    let (what, name) = (&found.resource.plural, found.value.name());
    Err(Failure::message(format!(
        "{what}/{name} the object is not a pod or does not have a pod template: *{}.{}",
        found.resource.version, found.resource.kind
    )))
}

/// A refusal by the server with what was being done in front.
fn failed_to(doing: &str) -> impl Fn(Failure) -> Failure + '_ {
    move |failure| match failure {
        Failure::Status(status) => Failure::message(format!("{doing}{}", status.str_at("message"))),
        other => other,
    }
}

/// A patch of the pod spec of an object.
fn of_pod_spec(found: &Found, updates: Vec<(&str, Value)>) -> Value {
    let mut body = Value::empty_map();
    for (field, value) in updates {
        let path: Vec<&str> = spec_path(found).iter().copied().chain([field]).collect();
        body.set_path(&path, value);
    }
    body
}

/// Patches an object, here or at the server, and says so.
async fn apply(session: &Session, line: &Line, found: &Found, body: Value, what: &str) -> Outcome {
    let dry = dry_run(line)?;
    let changed = if dry == DryRun::Client || line.on("local") {
        let schemas = Schemas::load();
        let kind = found.resource.kind.as_str();
        let patched = match schemas.by_kind(&found.resource.api_version(), kind) {
            Some(id) => apply_strategic_patch(&schemas, id, &found.value, &body),
            None => apply_merge_patch(&found.value, &body),
        };
        patched.map_err(|error| Failure::message(error.to_string()))?
    } else {
        act::patch(session, line, found, STRATEGIC, body, "kubectl-set").await?
    };
    done(session, line, dry, &changed, what).await
}

/// `cpu=200m,memory=128Mi` as an object.
fn quantities(text: &str) -> Outcome<Value> {
    let mut found = Value::empty_map();
    for pair in text.split(',') {
        let Some((name, amount)) = pair.split_once('=') else {
            return Err(Failure::message(format!(
                "Invalid argument syntax {pair}, expected <resource>=<value>"
            )));
        };
        if api::Quantity::parse(amount).is_err() {
            return Err(Failure::message(
                "quantities must match the regular expression \
                 '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ));
        }
        found.set_path(&[name], amount);
    }
    Ok(found)
}

async fn resources(session: &Session, line: &Line) -> Outcome {
    let files = line.has("filename") || line.has("kustomize");
    if line.args.is_empty() && !files {
        return Err(Failure::message(act::NOTHING));
    }
    let mut wanted = Value::empty_map();
    for field in ["limits", "requests"] {
        if let Some(text) = line.get(field).filter(|text| !text.is_empty()) {
            wanted.set(field, quantities(text)?);
        }
    }
    if wanted.entries().is_empty() {
        return Err(Failure::message(
            "you must specify an update to requests or limits (in the form of --requests/--limits)",
        ));
    }
    let only = line.get("containers").unwrap_or("*");
    for found in objects(session, line, &line.args).await? {
        refuse_without_template(&found)?;
        let mut changed = false;
        let mut list = Vec::new();
        for container in pod_spec(&found).list_at("containers") {
            let name = container.str_at("name");
            if only == "*" || only == name {
                let resources = container.get("resources");
                let has = |field: &str, key: &str, amount: &Value| {
                    resources.get(field).get(key) == amount
                };
                changed |= wanted.entries().iter().any(|(field, amounts)| {
                    let mut amounts = amounts.entries().iter();
                    amounts.any(|(key, amount)| !has(field, key, amount))
                });
                list.push(object!({ "name": (name), "resources": (wanted.clone()) }));
            }
        }
        if list.is_empty() {
            return Err(Failure::message(format!(
                "unable to find container named {only}"
            )));
        }
        if !changed {
            continue;
        }
        let updates = vec![("containers", Value::from(list))];
        let what = "resource requirements updated";
        let body = of_pod_spec(&found, updates);
        apply(session, line, &found, body, what)
            .await
            .map_err(failed_to(
                "failed to patch resources update to pod template ",
            ))?;
    }
    Ok(())
}

async fn service_account(session: &Session, line: &Line) -> Outcome {
    let Some((name, words)) = line.args.split_last() else {
        return Err(Failure::message("serviceaccount is required"));
    };
    for found in objects(session, line, words).await? {
        refuse_without_template(&found)?;
        let updates = ["serviceAccountName", "serviceAccount"]
            .map(|field| (field, Value::from(name.as_str())))
            .to_vec();
        let body = of_pod_spec(&found, updates);
        apply(session, line, &found, body, "serviceaccount updated").await?;
    }
    Ok(())
}

/// What is said of a selector that is more than pairs.
fn not_equality(expressions: &str) -> String {
    let (key, rest) = expressions.split_once(' ').unwrap_or((expressions, ""));
    let (operator, values) = match rest.split_once(' ') {
        Some(("in", values)) => ("In", values),
        Some(("notin", values)) => ("NotIn", values),
        _ if rest.is_empty() && key.starts_with('!') => {
            let key = &key[1..];
            return format!(
                "match expression [{{{key} DoesNotExist []}}] not supported on this object"
            );
        }
        _ if rest.is_empty() => {
            return format!("match expression [{{{key} Exists []}}] not supported on this object");
        }
        _ => return format!("invalid label value: {expressions:?}: only equality is allowed"),
    };
    let values = values.trim_matches(['(', ')']).replace(',', " ");
    format!("match expression [{{{key} {operator} [{values}]}}] not supported on this object")
}

async fn selector(session: &Session, line: &Line) -> Outcome {
    let Some((expressions, words)) = line.args.split_last() else {
        return Err(Failure::message("one selector is required"));
    };
    if words.is_empty() && !line.has("filename") && !line.has("kustomize") {
        return Err(Failure::message(act::NOTHING));
    }
    let mut wanted = Value::empty_map();
    for pair in expressions.split(',') {
        let Some((key, value)) = pair.split_once('=') else {
            return Err(Failure::message(not_equality(expressions)));
        };
        wanted.set_path(&[key], value);
    }
    for found in objects(session, line, words).await? {
        if found.resource.kind != "Service" {
            return Err(Failure::message(
                "setting a selector is only supported for Services",
            ));
        }
        // Labels of the old selector that the new one does not name are taken out.
        let mut selector = wanted.clone();
        for (key, _) in found.value.at("spec.selector").entries().iter() {
            if wanted.get(key).is_null() {
                selector.set_path(&[key], Value::Null);
            }
        }
        let body = object!({ "spec": { "selector": (selector) } });
        apply(session, line, &found, body, "selector updated").await?;
    }
    Ok(())
}
