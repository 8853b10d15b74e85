//! `kubectl get`.
//!
//! Models kubectl/pkg/cmd/get/get.go.

use api::{Value, body_value};
use net::http::percent_encode;

use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::print::{self, Format, TableOptions, TableWriter};
use super::session::{Call, JSON, Session, TABLE};
use super::target::{Manifest, Target, manifests, namespace_of, resource_of, targets};
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
    let targets = if line.has("filename") || line.has("kustomize") {
        let found = from_files(session, line).await?;
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
    if targets.is_empty() {
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
        Format::Table { wide } => tables(session, line, &targets, wide).await,
        format => objects(session, line, &targets, &format).await,
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
    if !line.has("filename") && !line.has("kustomize") {
        act::refuse_selected_names(line, &line.args)?;
        act::refuse_names_everywhere(line, targets)?;
    }
    let bulk = targets.iter().any(|target| target.name.is_none());
    match line.has("subresource") && bulk {
        true => Err(Failure::message(
            "subresource cannot be used when bulk resources are specified",
        )),
        false => Ok(()),
    }
}

async fn from_files(session: &Session, line: &Line) -> Outcome<Vec<Target>> {
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    for manifest in manifests(&session.io, line).await? {
        let resource = resource_of(&discovery, &manifest)?.clone();
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
fn path(session: &Session, line: &Line, target: &Target) -> String {
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
async fn fetch(session: &Session, path: &str, accept: &'static str) -> Outcome<Value> {
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

async fn tables(session: &Session, line: &Line, targets: &[Target], wide: bool) -> Outcome {
    let io = &session.io;
    let kinds: std::collections::BTreeSet<&str> = targets
        .iter()
        .map(|target| target.resource.kind.as_str())
        .collect();
    let mixed = kinds.len() > 1 || line.on("show-kind");
    let mut writer = TableWriter::default();
    let mut failures: Vec<Failure> = Vec::new();
    let mut printed: Option<&Resource> = None;
    let mut text = String::new();
    for target in targets {
        let table = match fetch(session, &path(session, line, target), TABLE).await {
            Ok(table) => match sorted(session, line, table).await? {
                Some(table) => table,
                None => continue,
            },
            Err(failure) if failure.is_not_found() && line.on("ignore-not-found") => continue,
            Err(failure) => {
                failures.push(explain_list(line, target, failure));
                continue;
            }
        };
        if table.list_at("rows").is_empty() {
            continue;
        }
        let resource = &target.resource;
        if printed.is_some_and(|before| before != resource) {
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
        text.push_str(&writer.write(&table, &options));
    }
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

/// A list that is refused for its selectors says so with the whole query.
fn explain_list(line: &Line, target: &Target, failure: Failure) -> Failure {
    if target.name.is_some() || failure.reason() != "BadRequest" {
        return failure;
    }
    let Resource {
        group,
        version,
        plural,
        ..
    } = &target.resource;
    let group = if group.is_empty() {
        String::new()
    } else {
        group.clone()
    };
    failure.context(&format!(
        "Unable to find \"{group}/{version}, Resource={plural}\" that match label selector {:?}, \
         field selector {:?}",
        line.text("selector"),
        line.text("field-selector"),
    ))
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

async fn objects(session: &Session, line: &Line, targets: &[Target], format: &Format) -> Outcome {
    let single = matches!(targets, [Target { name: Some(_), .. }]);
    // Only what is printed whole leaves out who manages what.
    let whole = matches!(format, Format::Json | Format::Yaml | Format::Kyaml);
    let keep = !whole || line.on("show-managed-fields");
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for target in targets {
        match fetch(session, &path(session, line, target), JSON).await {
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
    if let Some(by) = line.get("sort-by") {
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
    let path = print::jsonpath(&print::relaxed_path(by))?;
    let value = |row: &Value| print::found(&path, row.get("object")).into_iter().next();
    let rows = table.list_mut("rows");
    if rows.len() > 1 && rows.iter().all(|row| value(row).is_none()) {
        return Ok(None);
    }
    refuse_unsortable(session, by, rows.iter().filter_map(value)).await?;
    arrange(rows, value);
    Ok(Some(table))
}

async fn sort(session: &Session, by: &str, objects: &mut [Value]) -> Outcome {
    let template = print::relaxed_path(by);
    let path = print::jsonpath(&template)?;
    let value = |object: &Value| print::found(&path, object).into_iter().next();
    if objects.len() > 1 && objects.iter().all(|object| value(object).is_none()) {
        return Err(Failure::message(format!(
            "couldn't find any field with path {template:?} in the list of objects"
        )));
    }
    refuse_unsortable(session, by, objects.iter().filter_map(value)).await?;
    arrange(objects, value);
    Ok(())
}

/// Ends where two values have no order: maps and lists.
async fn refuse_unsortable(
    session: &Session,
    by: &str,
    values: impl Iterator<Item = Value>,
) -> Outcome {
    let values: Vec<Value> = values.take(2).collect();
    let kind = match values.as_slice() {
        [Value::Map(_), _] => "map[string]interface {}",
        [Value::List(_), _] => "[]interface {}",
        _ => return Ok(()),
    };
    let text = format!(
        "Field {} in [][][]reflect.Value is an unsortable type: interface, err: unsortable type: \
         {kind}",
        print::relaxed_path(by)
    );
    session.klog_fatal("sorter.go:387", &text).await;
    Err(Failure::Exit(String::new(), 1))
}

/// Those without a value come first, the last of them in front, as kubectl's comparison makes it.
fn arrange(items: &mut [Value], value: impl Fn(&Value) -> Option<Value>) {
    let (mut without, mut with): (Vec<Value>, Vec<Value>) = items
        .iter()
        .cloned()
        .partition(|item| value(item).is_none());
    without.reverse();
    with.sort_by(|a, b| compare(value(a).as_ref(), value(b).as_ref()));
    for (place, item) in items.iter_mut().zip(without.into_iter().chain(with)) {
        *place = item;
    }
}

/// Numbers by value, quantities by amount, the rest as text; what is missing comes first.
fn compare(a: Option<&Value>, b: Option<&Value>) -> std::cmp::Ordering {
    match (a, b) {
        (Some(Value::Str(a)), Some(Value::Str(b))) => {
            match (api::Quantity::parse(a), api::Quantity::parse(b)) {
                (Ok(a), Ok(b)) => a.cmp(&b),
                _ => a.cmp(b),
            }
        }
        (a, b) => a.cmp(&b),
    }
}

async fn watch(session: &Session, line: &Line, targets: &[Target], format: &Format) -> Outcome {
    let [target] = targets else {
        return Err(Failure::message(
            "you may only specify a single resource type",
        ));
    };
    if line.has("sort-by") {
        let text = "warning: --watch requested, --sort-by will be ignored for watch events \
                    received\n";
        session.io.eprint(text).await;
    }
    let table = matches!(format, Format::Table { .. });
    let accept = if table { TABLE } else { JSON };
    let mut writer = TableWriter::default();
    let options = TableOptions {
        wide: *format == Format::Table { wide: true },
        no_headers: line.on("no-headers"),
        with_namespace: line.on("all-namespaces") && target.resource.namespaced,
        show_labels: line.on("show-labels"),
        label_columns: line.list("label-columns"),
        kind_prefix: line
            .on("show-kind")
            .then(|| target.resource.qualified_singular()),
    };
    let first = fetch(session, &path(session, line, target), accept).await?;
    // A table's heading comes with its first row.
    let empty = ["rows", "items"]
        .iter()
        .any(|list| first.get(list).is_list() && first.list_at(list).is_empty());
    if !line.on("watch-only") && !empty {
        let text = show(
            &marked(&first, "ADDED", line),
            format,
            &options,
            &mut writer,
        )?;
        session.io.print(&text).await;
    }
    let namespace = Some(session.namespace.as_str()).filter(|_| !line.on("all-namespaces"));
    let mut query = format!("watch=true&resourceVersion={}", version_of(&first));
    if let Some(limit) = request_timeout(line)? {
        // The server ends the watch, to the second.
        query.push_str(&format!("&timeoutSeconds={limit}"));
    }
    let field = match &target.name {
        Some(name) => format!("metadata.name={name}"),
        None => line.text("field-selector").to_owned(),
    };
    for (key, text) in [
        ("labelSelector", line.text("selector")),
        ("fieldSelector", &field),
    ] {
        if !text.is_empty() {
            query.push_str(&format!("&{key}={}", percent_encode(text)));
        }
    }
    let target = format!("{}?{query}", target.resource.collection(namespace));
    let (response, stream) = session
        .stream(Call {
            accept,
            ..Call::get(target)
        })
        .await?;
    let mut next = Some(response.body.clone());
    while let Some(body) = next {
        if let Ok(event) = body_value(&body)
            && !event.is_null()
        {
            let object = event.get("object");
            match event.str_at("type") {
                "BOOKMARK" => {}
                "ERROR" => return Err(Failure::Status(object.clone())),
                kind => {
                    let object = &marked(object, kind, line);
                    let text = show(object, format, &options, &mut writer)?;
                    session.io.print(&text).await;
                }
            }
        }
        next = session.next_part(stream).await?;
    }
    Ok(())
}

/// `--request-timeout` in whole seconds; none for zero.
fn request_timeout(line: &Line) -> Outcome<Option<u64>> {
    let text = line.text("request-timeout");
    let millis = match (text.parse::<u64>(), api::time::parse_go_duration(text)) {
        _ if text.is_empty() => 0,
        (Ok(seconds), _) => seconds * 1000,
        (_, Some(span)) => u64::try_from(span.as_millis()).unwrap_or(u64::MAX),
        (Err(_), None) => {
            return Err(Failure::message(
                "Invalid timeout value. Timeout must be a single integer in seconds, or an integer \
                 followed by a corresponding time unit (e.g. 1s | 2m | 3h)",
            ));
        }
    };
    Ok((millis > 0).then(|| millis.div_ceil(1000)))
}

/// An event's kind as the first column, where `--output-watch-events` asks for it.
fn marked(table: &Value, event: &str, line: &Line) -> Value {
    let mut table = table.clone();
    if !line.on("output-watch-events") || table.kind() != "Table" {
        return table;
    }
    let column = api::object!({ "name": "Event", "priority": 0, "type": "string" });
    table.list_mut("columnDefinitions").insert(0, column);
    for row in table.list_mut("rows") {
        row.list_mut("cells").insert(0, event.into());
    }
    table
}

fn show(
    value: &Value,
    format: &Format,
    options: &TableOptions,
    writer: &mut TableWriter,
) -> Outcome<String> {
    match format {
        Format::Table { .. } => Ok(writer.write(value, options)),
        format if value.get("items").is_list() => {
            let mut text = String::new();
            for item in value.list_at("items") {
                text.push_str(&print::objects(format, std::slice::from_ref(item), true)?);
            }
            Ok(text)
        }
        format => {
            let trimmed = print::trimmed(value, false);
            let text = print::objects(format, &[trimmed], true)?;
            Ok(if *format == Format::Yaml {
                format!("---\n{text}")
            } else {
                text
            })
        }
    }
}

fn version_of(value: &Value) -> &str {
    value.str_at("metadata.resourceVersion")
}
