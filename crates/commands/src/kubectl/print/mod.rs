//! Output formats: the server's table, and what is made of objects.

mod custom_columns;
mod go_template;
mod sort;
mod table;
mod tabs;
pub(crate) mod typed;

pub(crate) use custom_columns::custom_columns;
pub(crate) use sort::{go_sort, is_less};
pub(crate) use table::{TableOptions, TableWriter, align, labels_text};
pub(crate) use tabs::tabulate;

use api::jsonpath::JsonPath;
use api::{Value, yaml};
use machine::Io;

use super::failure::{Failure, Outcome};
use super::flags::Line;
use super::help;

/// What `-o` may be, as the sentence of a wrong one lists it.
pub(crate) const FORMATS: &str = "custom-columns,custom-columns-file,go-template,go-template-file,json,\
jsonpath,jsonpath-as-json,jsonpath-file,kyaml,name,template,templatefile,wide,yaml";

/// How objects are printed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Format {
    /// The server's table.
    Table {
        /// With the columns of priority 1.
        wide: bool,
    },
    /// `kind/name`.
    Name,
    /// JSON, indented.
    Json,
    /// YAML.
    Yaml,
    /// YAML in braces.
    Kyaml,
    /// What a template selects.
    JsonPath(String),
    /// The same as a JSON list.
    JsonPathAsJson(String),
    /// Columns of one's own.
    CustomColumns(String),
    /// What a Go template makes of it; missing keys may be refused.
    GoTemplate {
        /// The template.
        template: String,
        /// Whether a missing key is a failure.
        strict: bool,
    },
}

/// Reads the file that `-o …-file=PATH` names, so that formats know templates alone.
pub(crate) async fn read_template(io: &Io, line: &mut Line) -> Outcome {
    let output = line.text("output").to_owned();
    let (name, path) = match output.split_once('=') {
        Some((name, path)) => (name, path.to_owned()),
        None => (&*output, line.text("template").to_owned()),
    };
    let inline = match name {
        "jsonpath-file" => "jsonpath",
        "custom-columns-file" => "custom-columns",
        "go-template-file" | "templatefile" => "go-template",
        _ => return Ok(()),
    };
    if path.is_empty() {
        return Err(no_template(inline));
    }
    let text = io.read_to_string(&path).await.map_err(|errno| {
        let why = format!("open {path}: {}", errno.message().to_lowercase());
        Failure::message(match inline {
            "custom-columns" => format!("error reading template {path}, {why}"),
            _ => format!("error reading --template {path}, {why}"),
        })
    })?;
    let template = match inline {
        "custom-columns" => custom_columns::of_file(&text)?,
        _ => text,
    };
    line.replace("output", format!("{inline}={template}"));
    Ok(())
}

fn no_template(name: &str) -> Failure {
    Failure::message(match name {
        "custom-columns" => "custom-columns format specified but no custom columns given",
        _ => "template format specified but no template given",
    })
}

/// Reads `-o`.
pub(crate) fn format(line: &Line) -> Outcome<Format> {
    let allowed = help::formats(&line.command).unwrap_or_else(|| FORMATS.to_owned());
    let no_printer = |text: &str| {
        Failure::message(format!(
            "unable to match a printer suitable for the output format {text:?}, allowed formats \
             are: {allowed}"
        ))
    };
    // A template alone is a format.
    let text = match (line.text("output"), line.has("template")) {
        ("", true) => "go-template",
        (text, _) => text,
    };
    let (name, template) = match text.split_once('=') {
        Some((name, template)) => (name, template),
        None => (text, line.text("template")),
    };
    match name {
        name if !name.is_empty() && !allowed.split(',').any(|one| one == name) => {
            Err(no_printer(text))
        }
        "" | "wide" | "name" | "json" | "yaml" | "kyaml" if text.contains('=') => {
            Err(no_printer(text))
        }
        "" => Ok(Format::Table { wide: false }),
        "wide" => Ok(Format::Table { wide: true }),
        "name" => Ok(Format::Name),
        "json" => Ok(Format::Json),
        "yaml" => Ok(Format::Yaml),
        "kyaml" => Ok(Format::Kyaml),
        "jsonpath" | "jsonpath-as-json" | "custom-columns" | "go-template" | "template"
            if template.is_empty() =>
        {
            Err(no_template(name))
        }
        "jsonpath" => Ok(Format::JsonPath(template.to_owned())),
        "jsonpath-as-json" => Ok(Format::JsonPathAsJson(template.to_owned())),
        "custom-columns" => Ok(Format::CustomColumns(template.to_owned())),
        "go-template" | "template" => Ok(Format::GoTemplate {
            template: template.to_owned(),
            strict: !line.on_unless_off("allow-missing-template-keys"),
        }),
        _ => Err(no_printer(text)),
    }
}

/// The same of one object whose type kubectl knows, which shows in JSON.
pub(crate) fn typed_object(format: &Format, object: Value) -> Outcome<String> {
    match format {
        Format::Json => Ok(typed::json(&object)),
        format => objects(format, &[object], true),
    }
}

/// Objects in one of the formats that need no table.
pub(crate) fn objects(format: &Format, objects: &[Value], single: bool) -> Outcome<String> {
    let whole = || match objects {
        [one] if single => one.clone(),
        many => list_of(many),
    };
    match format {
        Format::Table { .. } => Ok(String::new()),
        Format::Name => Ok(objects.iter().map(|o| format!("{}\n", name(o))).collect()),
        Format::Json => Ok(format!("{}\n", whole().to_json_pretty())),
        Format::Yaml => Ok(yaml::to_string(&whole())),
        Format::Kyaml => Ok(yaml::to_kyaml(&whole())),
        Format::GoTemplate { template, strict } => {
            go_template::go_template(template, &whole(), *strict)
        }
        Format::JsonPath(template) => select(template, &whole(), false),
        Format::JsonPathAsJson(template) => select(template, &whole(), true),
        Format::CustomColumns(spec) => custom_columns(spec, objects, true),
    }
}

fn select(template: &str, value: &Value, as_json: bool) -> Outcome<String> {
    let path = jsonpath(template)?;
    let printed = if as_json {
        path.print_json(value)
    } else {
        path.print(value)
    };
    printed.map_err(|why| {
        Failure::message(format!(
            "error executing jsonpath {template:?}: Error executing template: {why}. Printing more \
             information for debugging the template:\n\ttemplate was:\n\t\t{template}\n\tobject \
             given to jsonpath engine was:\n\t\t{}\n\n",
            api::go::syntax(value)
        ))
    })
}

/// Reads a template; the sentence of a template that cannot be read is kubectl's.
pub(crate) fn jsonpath(template: &str) -> Outcome<JsonPath> {
    JsonPath::parse(template)
        .map_err(|why| Failure::message(format!("error parsing jsonpath {template}, {why}")))
}

/// Everything a path finds in an object; nothing where it leads nowhere.
pub(crate) fn found(path: &JsonPath, object: &Value) -> Vec<Value> {
    path.find(object)
        .unwrap_or_default()
        .into_iter()
        .flatten()
        .collect()
}

/// `List` of objects, as kubectl wraps what came from several requests.
pub(crate) fn list_of(objects: &[Value]) -> Value {
    api::object!({
        "apiVersion": "v1",
        "items": (Value::from(objects.to_vec())),
        "kind": "List",
        "metadata": { "resourceVersion": "" },
    })
}

/// `pod/web`, `deployment.apps/web`.
pub(crate) fn name(object: &Value) -> String {
    let kind = object.kind().to_lowercase();
    let name = match object.name() {
        "" => "<unknown>",
        name => name,
    };
    match object.api_version().split_once('/') {
        Some((group, _)) => format!("{kind}.{group}/{name}"),
        None => format!("{kind}/{name}"),
    }
}

/// The object without what people are not shown unless they ask: `metadata.managedFields`.
pub(crate) fn trimmed(object: &Value, keep_managed_fields: bool) -> Value {
    let mut object = object.clone();
    if !keep_managed_fields && !object.at("metadata.managedFields").is_null() {
        object.remove("metadata.managedFields");
    }
    object
}
