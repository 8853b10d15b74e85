//! Makes the table by which the front reads protobuf bodies: field numbers and types from the
//! sources of the crate k8s-pb, which come from upstream's generated.proto files; JSON names and
//! which fields are pointers from the API's published schemas and `crates/api/data/go-types.txt`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde_json::Value;

const TABLE: &str = "crates/front/src/protobuf/messages.txt";
const HEAD: &str = "\
# Messages of the API: a message a line, then its fields: number, name in JSON, type. Types: s string,
# b boolean, i integer, d double, y bytes, or a message. `*` repeated, `%` a map from strings, `?` a
# pointer, kept when zero, `^` a message whose fields are its parent's in JSON.
# Made by `cargo xtask protobuf`.
";
/// Fields are pointers here, though nothing published says so.
const POINTERS: [&str; 5] = [
    "meta.v1.DeleteOptions.gracePeriodSeconds",
    "meta.v1.DeleteOptions.orphanDependents",
    "meta.v1.DeleteOptions.propagationPolicy",
    "resource.v1.DeviceAttribute.string",
    "resource.v1.DeviceAttribute.version",
];

#[derive(Clone, Debug)]
struct Field {
    number: u32,
    rust: String,
    kind: String,
}

/// `cargo xtask protobuf K8S_PB SCHEMAS`: the folder of the crate's sources, and schemas.json.
pub(crate) fn protobuf(args: &[String]) -> Result<()> {
    let [sources, schemas] = args else {
        bail!("usage: cargo xtask protobuf PATH/k8s-pb/src PATH/schemas.json");
    };
    let mut messages = BTreeMap::new();
    collect(Path::new(sources), &mut messages)?;
    let schemas = std::fs::read_to_string(schemas).context("the schemas")?;
    let schemas: BTreeMap<String, Value> = serde_json::from_str(&schemas)?;
    let schemas: BTreeMap<String, &Value> = schemas
        .iter()
        .map(|(name, schema)| (last(name, 3), schema))
        .collect();
    rename(&mut messages, &schemas);
    // Names that no schema of their own message tells are those of others.
    let mut names = BTreeMap::new();
    for schema in schemas.values() {
        for name in schema["properties"].as_object().into_iter().flatten() {
            names.insert(plain(name.0), name.0.clone());
        }
    }
    let go_types = std::fs::read_to_string("crates/api/data/go-types.txt")?;
    let mut wanted: Vec<String> = schemas.keys().cloned().collect();
    let mut table = BTreeMap::new();
    while let Some(name) = wanted.pop() {
        let Some(fields) = fields(&messages, &name) else {
            continue;
        };
        if table.contains_key(&name) {
            continue;
        }
        let properties = schemas.get(&name).map(|schema| &schema["properties"]);
        let mut line = name.clone();
        for field in &fields {
            line.push(' ');
            line += &written(&name, field, properties, (&go_types, &names));
            let kind = field.kind.trim_start_matches(['*', '%']);
            wanted.push(kind.to_owned());
        }
        table.insert(name, line);
    }
    let lines: Vec<String> = table.into_values().collect();
    let text = format!("{HEAD}{}\n", lines.join("\n"));
    println!("{} messages, {} bytes", lines.len(), text.len());
    std::fs::create_dir_all(Path::new(TABLE).parent().context("it has a folder")?)?;
    Ok(std::fs::write(TABLE, text)?)
}

/// Gives messages the names that schemas have: `JSONSchemaProps`, not `JsonSchemaProps`.
fn rename(messages: &mut BTreeMap<String, Vec<Field>>, schemas: &BTreeMap<String, &Value>) {
    let names: BTreeMap<String, &String> = schemas
        .keys()
        .map(|name| (name.to_ascii_lowercase(), name))
        .collect();
    let named = |name: &str| {
        let found = names.get(&name.to_ascii_lowercase());
        found.map_or_else(|| name.to_owned(), |name| (*name).clone())
    };
    *messages = std::mem::take(messages)
        .into_iter()
        .map(|(name, mut fields)| {
            for field in &mut fields {
                let kind = field.kind.trim_start_matches(['*', '%']);
                let mark = &field.kind[..field.kind.len() - kind.len()];
                field.kind = format!("{mark}{}", named(kind));
            }
            (named(&name), fields)
        })
        .collect();
}

/// The fields of a message. One that came to be `v1` since the crate was made has those it had
/// before.
fn fields(messages: &BTreeMap<String, Vec<Field>>, name: &str) -> Option<Vec<Field>> {
    if let Some(fields) = messages.get(name) {
        return Some(fields.clone());
    }
    let (group, kind) = name.split_once(".v1.")?;
    let before = format!("{group}.v1beta1.");
    let mut fields = messages.get(&format!("{before}{kind}"))?.clone();
    for field in &mut fields {
        field.kind = field.kind.replace(&before, &format!("{group}.v1."));
    }
    Some(fields)
}

/// A field as the table has it.
fn written(
    message: &str,
    field: &Field,
    properties: Option<&Value>,
    (go_types, names): (&str, &BTreeMap<String, String>),
) -> String {
    let plain = plain(&field.rust);
    let known = properties.and_then(Value::as_object);
    let published = known.and_then(|known| known.keys().find(|key| self::plain(key) == plain));
    let elsewhere = || names.get(&plain).cloned();
    let name = published.cloned().or_else(elsewhere);
    let name = name.unwrap_or_else(|| camel(&field.rust));
    let Field { number, kind, .. } = field;
    // What the schema of a message does not know, and is a message, stands for its fields.
    let inlined = known.is_some() && published.is_none() && kind.contains('.');
    if inlined {
        return format!("{number}{name}:^{kind}");
    }
    let line = go_types
        .lines()
        .find(|line| line.split(' ').next() == Some(message));
    let told = line.and_then(|line| {
        let mut words = line.split(' ').skip(1);
        words.find(|word| word.split(['=', '/']).next() == Some(&name))
    });
    let told = told.map_or("", |word| {
        word.rsplit_once('/').map_or("", |(_, mark)| mark)
    });
    let pointer = match kind.as_str() {
        "s" => told == "p",
        "i" | "b" | "d" => {
            let default = known.and_then(|known| known.get(&name)?.get("default"));
            let zero = default.is_some_and(|default| *default == 0 || *default == false);
            known.is_some() && told != "v" && told != "o" && !zero
        }
        _ => false,
    };
    let pointer = pointer || POINTERS.contains(&format!("{message}.{name}").as_str());
    format!("{number}{name}:{}{kind}", if pointer { "?" } else { "" })
}

/// Reads all messages of a folder of modules.
fn collect(dir: &Path, into: &mut BTreeMap<String, Vec<Field>>) -> Result<()> {
    for entry in std::fs::read_dir(dir).with_context(|| dir.display().to_string())? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, into)?;
        } else if path.ends_with("mod.rs") {
            let module = path.parent().unwrap_or(dir);
            let parts: Vec<String> = module
                .iter()
                .map(|part| part.to_string_lossy().into_owned())
                .collect();
            read(&package(&parts), &std::fs::read_to_string(&path)?, into);
        }
    }
    Ok(())
}

/// `core.v1` of …/api/core/v1, `resource` of …/api/resource.
fn package(parts: &[String]) -> String {
    let version = |part: &String| {
        let mut chars = part.chars();
        chars.next() == Some('v') && chars.next().is_some_and(|c| c.is_ascii_digit())
    };
    match parts {
        [.., group, last] if version(last) => format!("{group}.{last}"),
        [.., last] => last.clone(),
        [] => String::new(),
    }
}

fn read(package: &str, text: &str, into: &mut BTreeMap<String, Vec<Field>>) {
    let text: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.starts_with("///"))
        .collect();
    let text = text.join(" ");
    for part in text.split("pub struct ").skip(1) {
        let Some((name, rest)) = part.split_once([' ', '{']) else {
            continue;
        };
        let body = rest.split(" } ").next().unwrap_or(rest);
        let mut fields = Vec::new();
        for field in body.split("#[prost(").skip(1) {
            let Some((attributes, declared)) = field.split_once(")]") else {
                continue;
            };
            let Some((rust, kind)) = declared.split_once(':') else {
                continue;
            };
            let rust = rust
                .trim()
                .trim_start_matches("pub ")
                .trim_start_matches("r#");
            let quoted: Vec<&str> = attributes.split('"').collect();
            let number = quoted.get(quoted.len().saturating_sub(2));
            fields.push(Field {
                number: number.and_then(|number| number.parse().ok()).unwrap_or(0),
                rust: rust.to_owned(),
                kind: kind_of(package, attributes, kind),
            });
        }
        into.insert(format!("{package}.{name}"), fields);
    }
}

fn kind_of(package: &str, attributes: &str, declared: &str) -> String {
    let inner = declared
        .replace("::prost::alloc::", "")
        .replace([' ', ','], " ");
    let path = inner
        .split(['<', '>', ' '])
        .rfind(|word| !word.is_empty())
        .unwrap_or("");
    let scalar = |word: &str| match word {
        "string" => Some("s"),
        "bool" => Some("b"),
        "int32" | "int64" => Some("i"),
        "double" => Some("d"),
        "bytes" => Some("y"),
        _ => None,
    };
    if let Some(map) = attributes.strip_prefix("btree_map = \"string, ") {
        let value = map.split('"').next().unwrap_or("");
        let value = scalar(value).map_or_else(|| message(package, path), str::to_owned);
        return format!("%{value}");
    }
    let word = attributes.split([' ', ',']).next().unwrap_or("");
    let kind = scalar(word).map_or_else(|| message(package, path), str::to_owned);
    match attributes.contains("repeated") {
        true => format!("*{kind}"),
        false => kind,
    }
}

/// The message that a path in Rust names.
fn message(package: &str, path: &str) -> String {
    let parts: Vec<String> = path.split("::").map(str::to_owned).collect();
    match parts.as_slice() {
        [name] => format!("{package}.{name}"),
        [modules @ .., name] if modules.iter().all(|part| part == "super") => {
            format!("{package}.{name}")
        }
        [modules @ .., name] => {
            // `super::v1::Name` stays in its group.
            let named: Vec<String> = modules
                .iter()
                .filter(|part| *part != "super")
                .cloned()
                .collect();
            match named.as_slice() {
                [version] if package.contains('.') && version.starts_with('v') => {
                    let group = package.split('.').next().unwrap_or("");
                    format!("{group}.{version}.{name}")
                }
                _ => format!("{}.{name}", self::package(&named)),
            }
        }
        [] => String::new(),
    }
}

/// The last parts of a dotted name.
fn last(name: &str, count: usize) -> String {
    let parts: Vec<&str> = name.split('.').collect();
    parts[parts.len().saturating_sub(count)..].join(".")
}

fn plain(name: &str) -> String {
    let letters: BTreeSet<char> = BTreeSet::from(['_', '-', '$']);
    name.chars()
        .filter(|c| !letters.contains(c))
        .map(|c| c.to_ascii_lowercase())
        .collect()
}

fn camel(name: &str) -> String {
    let mut parts = name.split('_');
    let mut camel = parts.next().unwrap_or("").to_owned();
    for part in parts {
        let mut chars = part.chars();
        camel.extend(chars.next().map(|c| c.to_ascii_uppercase()));
        camel.extend(chars);
    }
    camel
}
