//! `kubectl get`.
//!
//! Models kubectl/pkg/cmd/get/get.go.

use api::jsonpath::{JsonPath, relaxed};
use api::{Value, object};
use net::http::percent_encode;
use sim::Instant;

use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::print::{self, Format, TableOptions, TableWriter, go_sort, is_less};
use super::session::{Call, JSON, Session, TABLE};
use super::target::{Manifest, Target, manifests, namespace_of, resource_of, targets};
use super::watching::watch;
use super::{Verb, act, print::custom_columns};

const FLAGS: &[Flag] = &[
    value("output").short('o'),
    value("template"),
    value("selector").short('l'),
    value("field-selector"),
    value("sort-by"),
    value("chunk-size"),
    value("raw"),
    value("subresource"),
    values("label-columns").short('L'),
    values("filename").short('f'),
    values("kustomize").short('k'),
    switch("all-namespaces").short('A'),
    switch("allow-missing-template-keys"),
    switch("ignore-not-found"),
    switch("no-headers"),
    switch("output-watch-events"),
    switch("recursive").short('R'),
    switch("server-print"),
    switch("show-kind"),
    switch("show-labels"),
    switch("show-managed-fields"),
    switch("watch").short('w'),
    switch("watch-only"),
    optional("dry-run", "unchanged"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "get",
    summary: "Display one or many resources",
    usage: "kubectl get \
[(-o|--output=)json|yaml|name|wide|custom-columns=...|jsonpath=...] (TYPE[.VERSION][.GROUP] \
[NAME | -l label] | TYPE[.VERSION][.GROUP]/NAME ...) [flags] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(get(session, line)),
};

async fn get(session: &Session, line: &Line) -> Outcome {
    refuse(line)?;
    if let Some(path) = line.get("raw") {
        let text = session.text(path).await?;
        session.io.write_all(machine::Fd::STDOUT, &text).await;
        return Ok(());
    }
    let format = print::format(line)?;
    let discovery = session.discovery().await?;
    let mut unread = Vec::new();
    let targets = if line.has("filename") || line.has("kustomize") {
        let found = from_files(session, line, &mut unread).await?;
        if !line.args.is_empty() {
            return Err(Failure::message(
                "when paths, URLs, or stdin is provided as input, you may not specify resource \
                 arguments as well",
            ));
        }
        found
    } else {
        targets(&discovery, &line.args)?
    };
    if targets.is_empty() && unread.is_empty() {
        return Err(Failure::Plain(
            "You must specify the type of resource to get. Use \"kubectl api-resources\" for a \
             complete list of supported resources.\n\nerror: Required resource not \
             specified.\nUse \"kubectl explain <resource>\" for a detailed description of that \
             resource (e.g. kubectl explain pods).\nSee 'kubectl get -h' for help and examples"
                .to_owned(),
        ));
    }
    refuse_names(line, &targets)?;
    if line.on("watch") || line.on("watch-only") {
        return watch(session, line, &targets, &format).await;
    }
    match format {
        Format::Table { wide } => tables(session, line, (&targets, unread), wide).await,
        format => objects(session, line, (&targets, unread), &format).await,
    }
}

/// Options that do not go together.
fn refuse(line: &Line) -> Outcome {
    let files = line.has("filename") || line.has("kustomize");
    let why = if let Some(path) = line.get("raw") {
        let refused = [
            (
                line.has("output"),
                "--raw and --output are mutually exclusive",
            ),
            (
                !line.args.is_empty() || files,
                "arguments may not be passed when --raw is specified",
            ),
            (
                line.on("watch") || line.on("watch-only") || line.has("selector"),
                "--raw may not be specified with other flags that filter the server request or \
                 alter the output",
            ),
        ];
        if !path.starts_with('/') && !path.contains("://") {
            return Err(Failure::message(format!(
                "--raw must be a valid URL path: parse {path:?}: invalid URI for request"
            )));
        }
        refused.into_iter().find(|(is, _)| *is).map(|(_, why)| why)
    } else if line.on("output-watch-events") && !line.on("watch") && !line.on("watch-only") {
        Some("--output-watch-events option can only be used with --watch or --watch-only")
    } else {
        None
    };
    why.map_or(Ok(()), |why| Err(Failure::message(why)))
}

/// Names and selectors do not go together, nor do subresources and all objects of a resource.
fn refuse_names(line: &Line, targets: &[Target]) -> Outcome {
    act::refuse_names_of_all(line, targets)?;
    if !line.has("filename") && !line.has("kustomize") {
        act::refuse_selected_names(line, &line.args, false)?;
    }
    let bulk = targets.iter().any(|target| target.name.is_none());
    match line.has("subresource") && bulk {
        true => Err(Failure::message(
            "subresource cannot be used when bulk resources are specified",
        )),
        false => Ok(()),
    }
}

/// The objects of files; those of kinds there are not are told of with what else fails.
async fn from_files(
    session: &Session,
    line: &Line,
    unread: &mut Vec<Failure>,
) -> Outcome<Vec<Target>> {
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    let plain = |failure: Failure| match failure {
        Failure::Message(text) => Failure::Plain(text),
        failure => failure,
    };
    let read = manifests(&session.io, line).await;
    let read = read.map_err(
        |failure| match line.has("kustomize") && !line.has("filename") {
            true => plain(failure),
            false => failure,
        },
    );
    for manifest in read? {
        let resource = match resource_of(&discovery, &manifest) {
            Ok(resource) => resource.clone(),
            Err(failure) => {
                unread.push(plain(failure));
                continue;
            }
        };
        namespace_of(session, &resource, &manifest.value)?;
        let Manifest { value, .. } = manifest;
        found.push(Target {
            resource,
            name: Some(value.name().to_owned()),
        });
    }
    Ok(found)
}

/// The path of what a target means, with selectors as its query.
pub(super) fn path(session: &Session, line: &Line, target: &Target) -> String {
    let namespace = Some(session.namespace.as_str()).filter(|_| !line.on("all-namespaces"));
    let Some(name) = &target.name else {
        let mut query = vec!["limit=500".to_owned()];
        for (flag, key) in [
            ("selector", "labelSelector"),
            ("field-selector", "fieldSelector"),
        ] {
            if let Some(text) = line.get(flag).filter(|text| !text.is_empty()) {
                query.push(format!("{key}={}", percent_encode(text)));
            }
        }
        if line.get("chunk-size") == Some("0") {
            query.remove(0);
        }
        // What rows are sorted by has to come with them.
        if line.has("sort-by") {
            query.push("includeObject=Object".to_owned());
        }
        let query = if query.is_empty() {
            String::new()
        } else {
            format!("?{}", query.join("&"))
        };
        return format!("{}{query}", target.resource.collection(namespace));
    };
    let path = target.resource.path(&session.namespace, name);
    match line.get("subresource") {
        Some(subresource) => format!("{path}/{subresource}"),
        None => path,
    }
}

/// All pages of a list as one.
pub(super) async fn fetch(session: &Session, path: &str, accept: &'static str) -> Outcome<Value> {
    let mut whole = session
        .call(Call {
            accept,
            ..Call::get(path)
        })
        .await?;
    loop {
        let token = whole.str_at("metadata.continue").to_owned();
        if token.is_empty() {
            return Ok(whole);
        }
        let next = format!("{path}&continue={}", percent_encode(&token));
        let page = session
            .call(Call {
                accept,
                ..Call::get(next)
            })
            .await?;
        let key = if whole.kind() == "Table" {
            "rows"
        } else {
            "items"
        };
        whole
            .list_mut(key)
            .extend(page.list_at(key).iter().cloned());
        whole.set("metadata", page.get("metadata").clone());
    }
}

async fn tables(
    session: &Session,
    line: &Line,
    (targets, mut failures): (&[Target], Vec<Failure>),
    wide: bool,
) -> Outcome {
    let io = &session.io;
    let kinds: std::collections::BTreeSet<&str> = targets
        .iter()
        .map(|target| target.resource.kind.as_str())
        .collect();
    let mixed = kinds.len() > 1 || line.on("show-kind");
    let mut fetched: Vec<(&Resource, Value)> = Vec::new();
    for target in targets {
        match fetch_table(session, line, target).await {
            Ok(table) => fetched.push((&target.resource, table)),
            Err(failure) if failure.is_not_found() && line.on("ignore-not-found") => {}
            Err(failure) => failures.push(explain_list(line, target, failure)),
        }
    }
    let all: Vec<Value> = fetched.iter().map(|(_, table)| table.clone()).collect();
    refuse_sorted_tables(line, &all)?;
    let mut writer = TableWriter::default();
    let mut printed: Option<&Resource> = None;
    let mut text = String::new();
    for (resource, table) in fetched {
        let Some(table) = sorted(session, line, table).await? else {
            continue;
        };
        if table.list_at("rows").is_empty() {
            continue;
        }
        if printed.is_some_and(|before| before != resource) {
            text.push_str(&writer.flush());
            if !line.on("no-headers") {
                text.push('\n');
            }
            writer = TableWriter::default();
        }
        printed = Some(resource);
        let options = TableOptions {
            wide,
            no_headers: line.on("no-headers"),
            with_namespace: line.on("all-namespaces") && resource.namespaced,
            show_labels: line.on("show-labels"),
            label_columns: line.list("label-columns"),
            kind_prefix: mixed.then(|| resource.qualified_singular()),
        };
        writer.add(&table, &options);
    }
    text.push_str(&writer.flush());
    io.print(&text).await;
    if printed.is_none() && failures.is_empty() && !line.on("ignore-not-found") {
        let all_cluster = targets.iter().any(|target| !target.resource.namespaced);
        let sentence = if line.on("all-namespaces") || all_cluster {
            "No resources found\n".to_owned()
        } else {
            format!("No resources found in {} namespace.\n", session.namespace)
        };
        io.eprint(&sentence).await;
    }
    report(session, failures).await
}

/// What a target means.
async fn fetch_target(
    session: &Session,
    line: &Line,
    target: &Target,
    accept: &'static str,
) -> Outcome<Value> {
    match fetch(session, &path(session, line, target), accept).await {
        Err(failure) if target.name.is_some() && target.resource.namespaced => {
            Err(act::no_object(session, &session.namespace, failure).await)
        }
        fetched => fetched,
    }
}

/// What a target means as a table: the server's, or one with no more than names and ages.
async fn fetch_table(session: &Session, line: &Line, target: &Target) -> Outcome<Value> {
    let accept = accepted(line, true);
    let found = fetch_target(session, line, target, accept).await?;
    Ok(in_table(found, session.io.now().await))
}

/// What is asked for: tables where they are printed and the server is to make them.
pub(super) fn accepted(line: &Line, table: bool) -> &'static str {
    match table && line.on_unless_off("server-print") {
        true => TABLE,
        false => JSON,
    }
}

/// A table as it is; of other objects what kubectl shows by itself.
pub(super) fn in_table(found: Value, now: Instant) -> Value {
    if found.kind() == "Table" {
        return found;
    }
    let rows = match found.get("items").is_list() {
        true => found.list_at("items").to_vec(),
        false => vec![found.clone()],
    };
    let rows: Vec<Value> = rows
        .into_iter()
        .map(|object| {
            let age = match object.creation_timestamp() {
                "" => "<unknown>".into(),
                created => api::time::age(now, created),
            };
            object!({ "cells": [(object.name()), age], "object": object })
        })
        .collect();
    object!({
        "kind": "Table",
        "metadata": found.get("metadata").clone(),
        "columnDefinitions": [
            { "name": "Name", "type": "string", "format": "name", "priority": 0 },
            { "name": "Age", "type": "string", "priority": 0 },
        ],
        "rows": rows,
    })
}

/// A list that is refused for its selectors says so with the whole query.
fn explain_list(line: &Line, target: &Target, failure: Failure) -> Failure {
    match target.name {
        Some(_) => failure,
        None => act::unlistable(line, &target.resource, failure),
    }
}

/// Prints all failures but the last, which ends the command.
async fn report(session: &Session, mut failures: Vec<Failure>) -> Outcome {
    let Some(last) = failures.pop() else {
        return Ok(());
    };
    for failure in failures {
        session.io.eprint(&failure.text()).await;
    }
    Err(last)
}

async fn objects(
    session: &Session,
    line: &Line,
    (targets, mut failures): (&[Target], Vec<Failure>),
    format: &Format,
) -> Outcome {
    let single = matches!(targets, [Target { name: Some(_), .. }]);
    // Only what is printed whole leaves out who manages what.
    let whole = matches!(format, Format::Json | Format::Yaml | Format::Kyaml);
    let keep = !whole || line.on("show-managed-fields");
    let mut found = Vec::new();
    for target in targets {
        match fetch_target(session, line, target, JSON).await {
            Ok(value) if target.name.is_some() => found.push(print::trimmed(&value, keep)),
            Ok(list) => {
                let kind = list
                    .kind()
                    .strip_suffix("List")
                    .unwrap_or_default()
                    .to_owned();
                for item in list.list_at("items") {
                    let mut item = print::trimmed(item, keep);
                    if item.kind().is_empty() {
                        item.set("apiVersion", list.api_version());
                        item.set("kind", kind.as_str());
                    }
                    found.push(item);
                }
            }
            Err(failure) if failure.is_not_found() && line.on("ignore-not-found") => {}
            Err(failure) => failures.push(explain_list(line, target, failure)),
        }
    }
    if let Some(by) = line.get("sort-by").filter(|_| !single && !found.is_empty()) {
        sort(session, by, &mut found).await?;
    }
    let nothing = found.is_empty() && (single || !failures.is_empty() || *format == Format::Name);
    if !nothing {
        let text = match format {
            Format::CustomColumns(spec) => custom_columns(spec, &found, !line.on("no-headers"))?,
            format => print::objects(format, &found, single)?,
        };
        session.io.print(&text).await;
    }
    report(session, failures).await
}

/// The rows in order of `--sort-by`; nothing where no object of several has the field.
async fn sorted(session: &Session, line: &Line, mut table: Value) -> Outcome<Option<Value>> {
    let Some(by) = line.get("sort-by") else {
        return Ok(Some(table));
    };
    let rows = table.list_mut("rows");
    if rows.len() < 2 {
        return Ok(Some(table));
    }
    let template = relaxed(by).unwrap_or_default();
    let Ok(path) = JsonPath::parse(&template) else {
        return Ok(None);
    };
    let value = |row: &Value| print::found(&path, row.get("object")).into_iter().next();
    if rows.iter().all(|row| value(row).is_none()) {
        return Ok(None);
    }
    if let Err(kind) = arrange(rows, value) {
        let place = ("sorter.go:375", "[][][]reflect.Value");
        return Err(unsortable(session, &template, place, kind).await);
    }
    Ok(Some(table))
}

/// What several resources show is not sorted: the field is looked for in their tables.
fn refuse_sorted_tables(line: &Line, tables: &[Value]) -> Outcome {
    match line.get("sort-by") {
        Some(by) if tables.len() > 1 => field_of_any(by, tables).map(|_| ()),
        _ => Ok(()),
    }
}

/// The template of `--sort-by` and its path, which leads somewhere in one of the objects at least.
fn field_of_any(by: &str, objects: &[Value]) -> Outcome<(String, JsonPath)> {
    let template = relaxed(by).map_err(Failure::message)?;
    let path = JsonPath::parse(&template).map_err(Failure::message)?;
    match objects
        .iter()
        .any(|object| !print::found(&path, object).is_empty())
    {
        true => Ok((template, path)),
        false => Err(Failure::message(format!(
            "couldn't find any field with path {template:?} in the list of objects"
        ))),
    }
}

async fn sort(session: &Session, by: &str, objects: &mut [Value]) -> Outcome {
    let (template, path) = field_of_any(by, objects)?;
    let value = |object: &Value| print::found(&path, object).into_iter().next();
    if let Err(kind) = arrange(objects, value) {
        let place = ("sorter.go:329", "*unstructured.Unstructured");
        return Err(unsortable(session, &template, place, kind).await);
    }
    Ok(())
}

/// Sorts by values; what has none is less than anything, itself included.
fn arrange(
    items: &mut [Value],
    value: impl Fn(&Value) -> Option<Value>,
) -> Result<(), &'static str> {
    let keyed = items.iter().map(|item| (value(item), item.clone()));
    let mut keyed: Vec<(Option<Value>, Value)> = keyed.collect();
    go_sort(&mut keyed, |(a, _), (b, _)| match (a, b) {
        (None, _) => Ok(true),
        (_, None) => Ok(false),
        (Some(a), Some(b)) => is_less(a, b),
    })?;
    for (place, (_, item)) in items.iter_mut().zip(keyed) {
        *place = item;
    }
    Ok(())
}

/// A field of a type that has no order ends the command.
async fn unsortable(
    session: &Session,
    template: &str,
    (place, holder): (&str, &str),
    kind: &str,
) -> Failure {
    let text = format!(
        "Field {template} in {holder} is an unsortable type: interface, err: unsortable type: \
         {kind}"
    );
    session.klog_fatal(place, &text).await;
    Failure::Exit(String::new(), 1)
}
