//! The paths of a kind, with what can be done there.
//!
//! Models apiserver/pkg/endpoints/installer.go.

use api::kinds::Kind;
use api::{Map, Str, Value, object};

use super::Style;

/// An operation: the method and what it is called.
type Operation = (&'static str, &'static str);

const ON_MANY: [(&str, Operation); 3] = [
    ("list", ("get", "list")),
    ("create", ("post", "post")),
    ("deletecollection", ("delete", "deletecollection")),
];
const ON_ONE: [(&str, Operation); 4] = [
    ("get", ("get", "get")),
    ("update", ("put", "put")),
    ("patch", ("patch", "patch")),
    ("delete", ("delete", "delete")),
];

/// What a query may say, and its type. Clients look here for what the server understands: kubectl
/// leaves the validation of fields to a server that lists `fieldValidation`.
type Parameter = (&'static str, &'static str);

const OF_WRITES: [Parameter; 3] = [
    ("dryRun", "string"),
    ("fieldManager", "string"),
    ("fieldValidation", "string"),
];
const OF_DELETIONS: [Parameter; 5] = [
    ("dryRun", "string"),
    ("gracePeriodSeconds", "integer"),
    (
        "ignoreStoreReadErrorWithClusterBreakingPotential",
        "boolean",
    ),
    ("orphanDependents", "boolean"),
    ("propagationPolicy", "string"),
];
const OF_LISTS: [Parameter; 10] = [
    ("allowWatchBookmarks", "boolean"),
    ("continue", "string"),
    ("fieldSelector", "string"),
    ("labelSelector", "string"),
    ("limit", "integer"),
    ("resourceVersion", "string"),
    ("resourceVersionMatch", "string"),
    ("sendInitialEvents", "boolean"),
    ("timeoutSeconds", "integer"),
    ("watch", "boolean"),
];

/// What may be said with an action.
fn parameters(action: &str) -> Vec<Parameter> {
    match action {
        "list" => OF_LISTS.to_vec(),
        "post" | "put" => OF_WRITES.to_vec(),
        "patch" => [&OF_WRITES[..], &[("force", "boolean")]].concat(),
        "delete" => OF_DELETIONS.to_vec(),
        "deletecollection" => {
            let mut all = [&OF_DELETIONS[..], &OF_LISTS[..]].concat();
            all.retain(|(name, _)| !["allowWatchBookmarks", "watch"].contains(name));
            all.sort_unstable();
            all
        }
        _ => Vec::new(),
    }
}

/// A parameter as the document's version writes it.
fn parameter((name, kind): Parameter, style: Style) -> Value {
    let mut parameter = object! { "in": "query", "name": name };
    match style {
        Style::V2 => {
            parameter.set("type", kind);
            parameter.set("uniqueItems", true);
        }
        Style::V3 => parameter.set("schema", object! { "type": kind, "uniqueItems": true }),
    }
    parameter
}

/// Adds the paths of a kind.
pub(super) fn add(kind: &Kind, style: Style, paths: &mut Vec<(Str, Value)>) {
    let root = match kind.group {
        "" => format!("/api/{}", kind.version),
        group => format!("/apis/{group}/{}", kind.version),
    };
    let plural = kind.plural;
    let collection = match kind.namespaced {
        true => format!("{root}/namespaces/{{namespace}}/{plural}"),
        false => format!("{root}/{plural}"),
    };
    let of = (kind.group, kind.version, kind.kind);
    let mut put = |path: String, operations: &[(&str, Operation)], verbs: &[&str], of| {
        let possible = operations.iter().filter(|(verb, _)| verbs.contains(verb));
        let entries: Vec<(Str, Value)> = possible
            .map(|(_, (method, action))| (Str::from(*method), operation(action, style, of)))
            .collect();
        if !entries.is_empty() {
            paths.push((Str::from(path), Value::Map(Map::from_entries(entries))));
        }
    };
    if kind.namespaced {
        put(format!("{root}/{plural}"), &ON_MANY[..1], kind.verbs, of);
    }
    put(collection.clone(), &ON_MANY, kind.verbs, of);
    put(format!("{collection}/{{name}}"), &ON_ONE, kind.verbs, of);
    for sub in kind.subresources {
        let (group, version) = match sub.group_version.rsplit_once('/') {
            Some(both) => both,
            None => (kind.group, kind.version),
        };
        let path = format!("{collection}/{{name}}/{}", sub.name);
        let create = [ON_MANY[1]];
        let operations = [&ON_ONE[..], &create[..]].concat();
        put(path, &operations, sub.verbs, (group, version, sub.kind));
    }
}

fn operation(action: &str, style: Style, (group, version, kind): (&str, &str, &str)) -> Value {
    let responses = object! { "200": { "description": "OK" } };
    let mut operation = object! { "responses": responses };
    let known: Vec<Value> = parameters(action)
        .into_iter()
        .map(|known| parameter(known, style))
        .collect();
    operation.set_or_remove("parameters", known);
    let map = operation.map_mut();
    map.insert("x-kubernetes-action", action);
    map.insert(
        "x-kubernetes-group-version-kind",
        object! { "group": group, "kind": kind, "version": version },
    );
    operation
}
