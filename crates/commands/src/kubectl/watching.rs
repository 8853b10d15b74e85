//! `kubectl get --watch`: what there is, and then what becomes of it.
//!
//! Models kubectl/pkg/cmd/get/get.go (watch).

use api::{Value, body_value, yaml};
use net::http::percent_encode;
use sim::Instant;

use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::get::{accepted, fetch, in_table, path};
use super::print::{self, Format, TableOptions, TableWriter, custom_columns};
use super::session::{Call, Session};
use super::target::Target;

/// Prints what the targets mean, then every change of it.
pub(super) async fn watch(
    session: &Session,
    line: &Line,
    targets: &[Target],
    format: &Format,
) -> Outcome {
    let target = &targets[0];
    if targets
        .iter()
        .any(|other| other.resource != target.resource)
    {
        return Err(Failure::message(
            "you may only specify a single resource type",
        ));
    }
    if line.has("sort-by") {
        let text = "warning: --watch requested, --sort-by will be ignored for watch events \
                    received\n";
        session.io.eprint(text).await;
    }
    let accept = accepted(line, matches!(format, Format::Table { .. }));
    let mut shown = Shown::new(line, target, format);
    let mut version = String::new();
    for target in targets {
        let first = fetch(session, &path(session, line, target), accept).await?;
        let now = session.io.now().await;
        version = first.str_at("metadata.resourceVersion").to_owned();
        if line.on("watch-only") {
            continue;
        }
        let text = shown.first(now, &first)?;
        session.io.print(&text).await;
    }
    if targets.len() > 1 {
        return Err(Failure::message(
            "you may only watch a single resource or type of resource at a time",
        ));
    }
    let call = Call {
        accept,
        ..Call::get(stream_path(session, line, target, &version)?)
    };
    let (response, stream) = session.stream(call).await?;
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
                    let now = session.io.now().await;
                    let text = shown.event(now, kind, object)?;
                    session.io.print(&text).await;
                }
            }
        }
        next = session.next_part(stream).await?;
    }
    Ok(())
}

/// An item of a list, which says itself what it is.
fn of_list(list: &Value, item: &Value) -> Value {
    let mut item = item.clone();
    if item.kind().is_empty() {
        item.set("apiVersion", list.api_version());
        item.set("kind", list.kind().strip_suffix("List").unwrap_or_default());
    }
    item
}

/// Where the changes since a version are told.
fn stream_path(session: &Session, line: &Line, target: &Target, version: &str) -> Outcome<String> {
    let namespace = Some(session.namespace.as_str()).filter(|_| !line.on("all-namespaces"));
    let mut query = format!("watch=true&resourceVersion={version}");
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
    let collection = target.resource.collection(namespace);
    Ok(format!("{collection}?{query}"))
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

/// What was shown so far: headings come once, and columns stay as wide as they were.
struct Shown<'a> {
    line: &'a Line,
    format: &'a Format,
    options: TableOptions,
    writer: TableWriter,
    count: usize,
}

impl<'a> Shown<'a> {
    fn new(line: &'a Line, target: &Target, format: &'a Format) -> Shown<'a> {
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
        Shown {
            line,
            format,
            options,
            writer: TableWriter::default(),
            count: 0,
        }
    }

    /// The text of what is there: of a table, an object, or the items of a list.
    fn first(&mut self, now: Instant, first: &Value) -> Outcome<String> {
        let table = matches!(self.format, Format::Table { .. });
        if table || !first.get("items").is_list() {
            return self.event(now, "ADDED", first);
        }
        let items = first.list_at("items").iter();
        let texts = items.map(|item| self.event(now, "ADDED", &of_list(first, item)));
        Ok(texts.collect::<Outcome<Vec<String>>>()?.concat())
    }

    /// The text of an object, or of a table of them, that `kind` happened to.
    fn event(&mut self, now: Instant, kind: &str, object: &Value) -> Outcome<String> {
        let with_event = self.line.on("output-watch-events");
        if let Format::Table { .. } = self.format {
            let table = in_table(object.clone(), now);
            // A table's heading comes with its first row.
            if table.list_at("rows").is_empty() {
                return Ok(String::new());
            }
            let table = match with_event {
                true => marked(table, kind),
                false => table,
            };
            return Ok(self.writer.write(&table, &self.options));
        }
        self.count += 1;
        let object = match with_event && *self.format != Format::Name {
            true => api::object!({ "object": object.clone(), "type": kind }),
            false => print::trimmed(object, self.line.on("show-managed-fields")),
        };
        let objects = std::slice::from_ref(&object);
        match self.format {
            Format::Json if with_event => {
                let inner = object.get("object").to_json();
                Ok(format!("{{\"type\":{kind:?},\"object\":{inner}}}\n"))
            }
            Format::Yaml => {
                let lead = if self.count > 1 { "---\n" } else { "" };
                Ok(format!("{lead}{}", yaml::to_string(&object)))
            }
            Format::CustomColumns(spec) => {
                let heads = self.count == 1 && !self.line.on("no-headers");
                custom_columns(spec, objects, heads)
            }
            format => print::objects(format, objects, true),
        }
    }
}

/// An event's kind as the first column, where `--output-watch-events` asks for it.
fn marked(mut table: Value, event: &str) -> Value {
    let column = api::object!({ "name": "Event", "priority": 0, "type": "string" });
    table.list_mut("columnDefinitions").insert(0, column);
    for row in table.list_mut("rows") {
        // As wide as any that is shown.
        row.list_mut("cells")
            .insert(0, format!("{event:<8}").into());
    }
    table
}
