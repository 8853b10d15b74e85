//! The compact schema table of this crate is made from the published schemas of Kubernetes v1.36
//! and a list of what they do not say. This test makes it again and compares; with
//! `UPDATE_SCHEMAS=1` in the environment it writes it.

use std::collections::BTreeMap;

use kubarium_api::Value;

const SOURCE: &str = include_str!("data/schemas.json");
const GO_TYPES: &str = include_str!("../data/go-types.txt");
const TABLE: &str = include_str!("../data/schemas.txt");
const PLACE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/data/schemas.txt");

/// `core.v1.Pod` for `io.k8s.api.core.v1.Pod`.
fn short(name: &str) -> String {
    let prefixes = [
        "io.k8s.apiextensions-apiserver.pkg.apis.",
        "io.k8s.apimachinery.pkg.apis.",
        "io.k8s.apimachinery.pkg.api.",
        "io.k8s.apimachinery.pkg.util.",
        "io.k8s.apimachinery.pkg.",
        "io.k8s.kube-aggregator.pkg.apis.",
        "io.k8s.api.",
    ];
    prefixes
        .iter()
        .find_map(|p| name.strip_prefix(p))
        .unwrap_or(name)
        .to_owned()
}

fn type_text(field: &Value) -> String {
    if field.has("ref") {
        return format!("@{}", short(field.str("ref")));
    }
    match (field.str("type"), field.str("format")) {
        ("string", "byte") => "y".into(),
        ("string", _) => "s".into(),
        ("boolean", _) => "b".into(),
        ("integer", "int32") => "i".into(),
        ("integer", _) => "I".into(),
        ("number", _) => "f".into(),
        ("array", _) => format!("[{}", type_text(field.get("items"))),
        ("object", _) if field.has("map") => format!("{{{}", type_text(field.get("map"))),
        ("object", _) => "{*".into(),
        _ => "*".into(),
    }
}

fn words(value: &Value, separator: &str) -> String {
    let words: Vec<&str> = value.list().iter().map(Value::as_str).collect();
    words.join(separator)
}

fn attributes(field: &Value, required: bool, extra: &str) -> Vec<String> {
    let mut out = Vec::new();
    let (go, flags) = extra.split_once('/').unwrap_or((extra, ""));
    let default = field.get("default");
    if !default.is_null() && (flags.is_empty() || !default.is_zero()) {
        out.push(if default.is_zero() {
            "!".into()
        } else {
            format!("={default}")
        });
    }
    if required {
        out.push("r".into());
    }
    let scalar = matches!(field.str("type"), "boolean" | "integer" | "number");
    if flags == "p" || (scalar && flags != "v" && default.is_null()) {
        out.push("*".into());
    }
    if flags == "n" {
        out.push("n".into());
    }
    let enumeration = [field, field.get("items"), field.get("map")]
        .map(|f| f.get("enum"))
        .into_iter();
    if let Some(values) = enumeration.into_iter().find(|e| !e.is_null()) {
        out.push(format!("e:{}", words(values, "|").replace(' ', "+")));
    }
    if field.has("listType") && field.str("listType") != "atomic" {
        let keys = words(field.get("listMapKeys"), ",");
        out.push(
            format!("l:{}:{keys}", field.str("listType"))
                .trim_end_matches(':')
                .into(),
        );
    } else if field.str("type") == "array" && !field.has("listType") {
        out.push("l".into());
    }
    if field.str("mapType") == "atomic" {
        out.push("a".into());
    }
    for strategy in field
        .str("patchStrategy")
        .split(',')
        .filter(|s| !s.is_empty())
    {
        out.push(match strategy {
            "merge" => format!("m:{}", field.str("patchMergeKey"))
                .trim_end_matches(':')
                .into(),
            "retainKeys" => "k".into(),
            other => format!("p:{other}"),
        });
    }
    if let Some(go) = go.strip_prefix('=') {
        out.push(format!("t:{go}"));
    }
    out
}

fn go_types() -> BTreeMap<(String, String), &'static str> {
    let mut out = BTreeMap::new();
    for line in GO_TYPES.lines().filter(|line| !line.starts_with('#')) {
        let (definition, fields) = line.split_once(' ').expect("a definition and fields");
        for field in fields.split(' ') {
            let cut = field.find(['=', '/']).expect("a type or a flag");
            out.insert(
                (definition.to_owned(), field[..cut].to_owned()),
                &field[cut..],
            );
        }
    }
    out
}

fn make() -> String {
    let source = Value::from_json(SOURCE.as_bytes()).expect("the published schemas");
    let mut extra = go_types();
    let mut out = String::new();
    for (name, definition) in source.entries() {
        let name = short(name);
        out.push_str(&name);
        let gvks = definition.get("gvk").list();
        // What belongs to every group is no kind of its own.
        if gvks.len() == 1 {
            out.push_str(&format!(" g:{}", gvks[0].as_str().trim_start_matches('/')));
        }
        if definition.str("mapType") == "atomic" {
            out.push_str(" a");
        }
        out.push('\n');
        let required: Vec<&str> = definition
            .get("required")
            .list()
            .iter()
            .map(Value::as_str)
            .collect();
        for (field_name, field) in definition.get("properties").entries() {
            let more = extra
                .remove(&(name.clone(), field_name.to_string()))
                .unwrap_or("");
            let mut words = vec![field_name.to_string(), type_text(field)];
            words.extend(attributes(
                field,
                required.contains(&field_name.as_str()),
                more,
            ));
            out.push_str(&format!(" {}\n", words.join(" ")));
        }
    }
    assert!(
        extra.is_empty(),
        "go-types.txt names fields that do not exist: {extra:?}"
    );
    out
}

#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "on request this test is the generator of the table"
)]
fn the_table_is_what_its_sources_make() {
    let made = make();
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        std::fs::write(PLACE, &made).expect("the table is written");
        return;
    }
    let differs = made.lines().zip(TABLE.lines()).find(|(a, b)| a != b);
    assert!(
        made == TABLE,
        "differs at {differs:?}; run with UPDATE_SCHEMAS=1 to write it again"
    );
}
