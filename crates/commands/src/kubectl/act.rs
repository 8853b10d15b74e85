//! What the verbs that change something share: dry runs, the sentence at the end, the loop over
//! named objects.

use api::Value;
use net::http::{Method, percent_encode};

use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::print::{self, Format};
use super::session::{Call, JSON, Session};
use super::target::{Manifest, Target, manifests, namespace_of, resource_of, targets};

/// Flags of every verb that changes something.
pub(super) const OUTPUT: Flag = value("output").short('o');
pub(super) const DRY_RUN: Flag = optional("dry-run", "unchanged");
pub(super) const FILENAME: Flag = values("filename").short('f');
pub(super) const SELECTOR: Flag = value("selector").short('l');
pub(super) const ALL: Flag = switch("all");
pub(super) const ALL_NAMESPACES: Flag = switch("all-namespaces").short('A');
pub(super) const RECORD: Flag = switch("record");
pub(super) const MANAGER: Flag = value("field-manager");

/// The verbs that know [`RECORD`], which their help does not tell of.
pub(super) const RECORDING: [&str; 14] = [
    "annotate",
    "apply",
    "autoscale",
    "create",
    "edit",
    "expose",
    "label",
    "patch",
    "run",
    "scale",
    "set image",
    "set resources",
    "set selector",
    "set serviceaccount",
];

/// Where an object, or a patch of one, says which command changed it last.
pub(super) const CAUSE: [&str; 3] = ["metadata", "annotations", "kubernetes.io/change-cause"];

/// Writes down what changes an object, if that is asked for.
pub(super) fn record(line: &Line, object: &mut Value) {
    if let Some(cause) = &line.cause {
        object.set_path(&CAUSE, cause.as_str());
    }
}

/// How far a change goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum DryRun {
    /// It happens.
    None,
    /// Nothing is sent.
    Client,
    /// The server goes through it without keeping it.
    Server,
}

/// Gives `--dry-run` without a value, and one that says yes or no, the value it has now.
pub(super) async fn settle_dry_run(session: &Session, line: &mut Line) {
    let Some(given) = line.get("dry-run").map(str::to_owned) else {
        return;
    };
    let meant = match (&*given, super::flags::parse_bool(&given)) {
        ("unchanged", _) => "client",
        (_, Some(true)) => "client",
        (_, Some(false)) => "none",
        (_, None) => return,
    };
    if meant == "client" {
        let (place, said) = match &*given {
            "unchanged" => ("helpers.go:719", "--dry-run is deprecated".to_owned()),
            given => {
                let said = format!("--dry-run={given} is deprecated (boolean value)");
                ("helpers.go:733", said)
            }
        };
        let text = format!("{said} and can be replaced with --dry-run=client.");
        session.klog_warning(place, &text).await;
    }
    line.replace("dry-run", meant.to_owned());
}

/// Reads `--dry-run`.
pub(super) fn dry_run(line: &Line) -> Outcome<DryRun> {
    match line.get("dry-run") {
        None | Some("none") => Ok(DryRun::None),
        Some("client") => Ok(DryRun::Client),
        Some("server") => Ok(DryRun::Server),
        Some(other) => Err(Failure::message(format!(
            "Invalid dry-run value ({other}). Must be \"none\", \"server\", or \"client\"."
        ))),
    }
}

/// The query of a change: dry run, field manager, strictness of decoding.
pub(super) fn query(line: &Line, dry: DryRun, manager: &str, validates: bool) -> String {
    let manager = line.get("field-manager").unwrap_or(manager);
    query_as(line, dry, manager, validates)
}

/// The same for a manager that the line does not change.
pub(super) fn query_as(line: &Line, dry: DryRun, manager: &str, validates: bool) -> String {
    let mut parts = Vec::new();
    if dry == DryRun::Server {
        parts.push("dryRun=All".to_owned());
    }
    parts.push(format!("fieldManager={}", percent_encode(manager)));
    if validates {
        let validation = validation(line).unwrap_or("Strict");
        parts.push(format!("fieldValidation={validation}"));
    }
    format!("?{}", parts.join("&"))
}

/// Reads `--validate`.
pub(super) fn validation(line: &Line) -> Outcome<&'static str> {
    match line.get("validate") {
        None | Some("true" | "strict") => Ok("Strict"),
        Some("warn") => Ok("Warn"),
        Some("false" | "ignore") => Ok("Ignore"),
        Some(other) => Err(Failure::message(format!(
            "invalid - validate option {other:?}; must be one of: strict (or true), warn, ignore \
             (or false)"
        ))),
    }
}

/// Verbs that know the types of what they print, by the start of their names.
const TYPED: [&str; 7] = [
    "kubectl auth reconcile",
    "kubectl autoscale",
    "kubectl create ",
    "kubectl expose",
    "kubectl rollout ",
    "kubectl run",
    "kubectl set ",
];

/// Prints an object as `-o` asks, or `pod/web created` with the suffix of a dry run.
pub(super) async fn done(
    session: &Session,
    line: &Line,
    dry: DryRun,
    object: &Value,
    what: &str,
) -> Outcome {
    let text = match print::format(line)? {
        Format::Table { .. } => {
            let suffix = match dry {
                DryRun::None => "",
                DryRun::Client => " (dry run)",
                DryRun::Server => " (server dry run)",
            };
            format!("{} {what}{suffix}\n", print::name(object))
        }
        format => {
            let shown = print::trimmed(object, line.on("show-managed-fields"));
            // Every document but the first says that it is another.
            let another = session.printed.replace(true) && format == Format::Yaml;
            if another {
                session.io.print("---\n").await;
            }
            let typed = TYPED.iter().any(|verb| line.command.starts_with(verb));
            match typed {
                true => print::typed_object(&format, shown)?,
                false => print::objects(&format, &[shown], true)?,
            }
        }
    };
    session.io.print(&text).await;
    Ok(())
}

/// Sends a new object to its collection.
pub(super) async fn create(
    session: &Session,
    line: &Line,
    resource: &Resource,
    namespace: &str,
    object: &Value,
    manager: &str,
) -> Outcome<Value> {
    let dry = dry_run(line)?;
    let mut object = object.clone();
    record(line, &mut object);
    if dry == DryRun::Client {
        return Ok(object);
    }
    let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
    let path = resource.collection(namespace);
    let path = format!("{path}{}", query(line, dry, manager, true));
    session.call(Call::send(Method::Post, path, object)).await
}

/// Sends a patch.
pub(super) async fn patch(
    session: &Session,
    line: &Line,
    found: &Found,
    media_type: &'static str,
    body: Value,
    manager: &str,
) -> Outcome<Value> {
    let dry = dry_run(line)?;
    let mut body = body;
    if body.is_map() {
        record(line, &mut body);
    }
    let path = format!("{}{}", found.path(), query(line, dry, manager, false));
    let body = Some((media_type, body));
    session
        .call(Call {
            method: Method::Patch,
            target: path,
            accept: JSON,
            body,
        })
        .await
}

/// The object with a patch, made here and not by the server.
pub(super) fn patched_here(current: &Value, media_type: &str, body: &Value) -> Outcome<Value> {
    let schemas = api::Schemas::load();
    let id = schemas.by_kind(current.api_version(), current.kind());
    let patched = match (media_type, id) {
        (STRATEGIC, Some(id)) => api::patch::apply_strategic_patch(&schemas, id, current, body),
        (STRATEGIC | MERGE, _) => api::patch::apply_merge_patch(current, body),
        _ => api::patch::apply_json_patch(current, body),
    };
    patched.map_err(|why| Failure::message(why.to_string()))
}

/// Media type of a strategic merge patch.
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";
/// Media type of a merge patch.
pub(super) const MERGE: &str = "application/merge-patch+json";

/// An object that was found.
#[derive(Clone, Debug)]
pub(super) struct Found {
    pub(super) resource: Resource,
    pub(super) value: Value,
}

impl Found {
    /// The path of the object.
    pub(super) fn path(&self) -> String {
        self.resource
            .path(self.value.namespace(), self.value.name())
    }
}

/// The objects a command line means, read from the server: by name, by selector, all of them, or
/// those of files. What cannot be read is told once the others were given to the caller.
pub(super) async fn find(session: &Session, line: &Line, args: &[String]) -> Outcome<Vec<Found>> {
    let (found, failures) = find_each(session, line, args).await?;
    match failures.into_iter().next() {
        Some(failure) => Err(failure),
        None => Ok(found),
    }
}

/// The same, with the failures of those that cannot be read beside the others.
pub(super) async fn find_each(
    session: &Session,
    line: &Line,
    args: &[String],
) -> Outcome<(Vec<Found>, Vec<Failure>)> {
    let (mut found, mut failures) = (Vec::new(), Vec::new());
    for one in find_in_order(session, line, args).await? {
        match one {
            Ok(one) => found.push(one),
            Err(failure) => failures.push(failure),
        }
    }
    Ok((found, failures))
}

/// The same, each failure where its object would stand.
pub(super) async fn find_in_order(
    session: &Session,
    line: &Line,
    args: &[String],
) -> Outcome<Vec<Outcome<Found>>> {
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    if line.has("filename") || line.has("kustomize") {
        for manifest in manifests(&session.io, line).await? {
            let resource = match resource_of(&discovery, &manifest) {
                Ok(resource) => resource.clone(),
                Err(failure) => {
                    found.push(Err(failure));
                    continue;
                }
            };
            let namespace = namespace_of(session, &resource, &manifest.value)?;
            let Manifest { value, .. } = manifest;
            if line.on("local") {
                found.push(Ok(Found { resource, value }));
                continue;
            }
            let read = read(session, &resource, &namespace, value.name()).await;
            found.push(read.map(|value| Found { resource, value }));
        }
        refuse_args_of_files(args)?;
        return Ok(found);
    }
    let mut named = targets(&discovery, args)?;
    if named.is_empty() {
        return Err(Failure::message(NOTHING));
    }
    refuse_selected_names(line, args, false)?;
    let selected = line.has("selector") || line.on("all") || line.has("field-selector");
    if !selected && named.iter().any(|target| target.name.is_none()) {
        return Err(Failure::message(
            "resource(s) were provided, but no name was specified",
        ));
    }
    refuse_names_of_all(line, &named)?;
    for Target { resource, name } in named.drain(..) {
        match name {
            Some(name) => {
                let read = read(session, &resource, &session.namespace, &name).await;
                found.push(read.map(|value| Found { resource, value }));
            }
            None => match list(session, line, &resource).await {
                Ok(all) => found.extend(all.into_iter().map(Ok)),
                Err(failure) => found.push(Err(failure)),
            },
        }
    }
    Ok(found)
}

/// Reads an object.
pub(super) async fn read(
    session: &Session,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Outcome<Value> {
    match session
        .call(Call::get(resource.path(namespace, name)))
        .await
    {
        Ok(value) => Ok(value),
        Err(failure) if resource.namespaced => Err(no_object(session, namespace, failure).await),
        Err(failure) => Err(failure),
    }
}

/// Why an object is not there: where its namespace is not either, that is said instead.
pub(super) async fn no_object(session: &Session, namespace: &str, failure: Failure) -> Failure {
    if !failure.is_not_found() || ["", "default"].contains(&namespace) {
        return failure;
    }
    let path = format!("/api/v1/namespaces/{namespace}");
    match session.call(Call::get(path)).await {
        Err(missing) if missing.is_not_found() => missing,
        _ => failure,
    }
}

/// Files name their objects themselves.
fn refuse_args_of_files(args: &[String]) -> Outcome {
    let why = match args {
        [] => return Ok(()),
        [first, ..] if first.contains('/') => {
            "resource/name arguments cannot be provided when a path is specified"
        }
        _ => {
            "when paths, URLs, or stdin is provided as input, you may not specify resource \
             arguments as well"
        }
    };
    Err(Failure::message(why))
}

/// Whether the line means one object by its name or its file, and not a selection of them.
pub(super) fn means_one(line: &Line, args: &[String]) -> bool {
    if line.has("filename") || line.has("kustomize") {
        return matches!(line.list("filename").as_slice(), [one] if one != "-");
    }
    match args {
        [one] => one.contains('/'),
        [first, _] => !first.contains('/'),
        _ => false,
    }
}

/// What is said where nothing was named.
pub(super) const NOTHING: &str = "You must provide one or more resources by argument or filename.\nExample resource \
     specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> \
     <name>'\n   '<resource>'";

/// A name means an object of one namespace.
pub(super) fn refuse_names_of_all(line: &Line, targets: &[Target]) -> Outcome {
    let of_any = |target: &Target| target.name.is_some() && target.resource.namespaced;
    match line.on("all-namespaces") && targets.iter().any(of_any) {
        true => Err(Failure::message(
            "a resource cannot be retrieved by name across all namespaces",
        )),
        false => Ok(()),
    }
}

/// Objects are named or selected, not both. To some `--all` is a selection, others pass it over.
pub(super) fn refuse_selected_names(line: &Line, args: &[String], all: bool) -> Outcome {
    let given = |flag: &str| !line.text(flag).is_empty();
    // There it is the selector of the new Service.
    if line.command == "kubectl expose" {
        return Ok(());
    }
    let selected = given("selector") || given("field-selector") || all && line.on("all");
    if !selected {
        return Ok(());
    }
    if args.iter().any(|arg| arg.contains('/')) {
        return Err(Failure::message(
            "selectors and the all flag cannot be used when passing resource/name arguments",
        ));
    }
    match args.len() > 1 {
        true => Err(Failure::message(
            "name cannot be provided when a selector is specified",
        )),
        false => Ok(()),
    }
}

/// A list that is refused for its selectors says so with the whole query.
pub(super) fn unlistable(line: &Line, resource: &Resource, failure: Failure) -> Failure {
    if failure.reason() != "BadRequest" {
        return failure;
    }
    let Resource {
        group,
        version,
        plural,
        ..
    } = resource;
    failure.context(&format!(
        "Unable to find \"{group}/{version}, Resource={plural}\" that match label selector {:?}, \
         field selector {:?}",
        line.text("selector"),
        line.text("field-selector"),
    ))
}

/// The objects of a resource that the selectors of the line match.
pub(super) async fn list(
    session: &Session,
    line: &Line,
    resource: &Resource,
) -> Outcome<Vec<Found>> {
    let namespace = Some(session.namespace.as_str()).filter(|_| !line.on("all-namespaces"));
    let mut query = Vec::new();
    for (flag, key) in [
        ("selector", "labelSelector"),
        ("field-selector", "fieldSelector"),
    ] {
        if let Some(text) = line.get(flag).filter(|text| !text.is_empty()) {
            query.push(format!("{key}={}", percent_encode(text)));
        }
    }
    let path = resource.collection(namespace);
    let path = if query.is_empty() {
        path
    } else {
        format!("{path}?{}", query.join("&"))
    };
    let list = session.call(Call::get(path)).await;
    let list = list.map_err(|failure| unlistable(line, resource, failure))?;
    let complete = |item: &Value| {
        let mut value = item.clone();
        value.set("apiVersion", resource.api_version());
        value.set("kind", resource.kind.as_str());
        Found {
            resource: resource.clone(),
            value,
        }
    };
    Ok(list.list_at("items").iter().map(complete).collect())
}
