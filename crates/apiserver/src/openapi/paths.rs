//! The paths of a kind, with what can be done there.
//!
//! Models apiserver/pkg/endpoints/installer.go.

use api::kinds::Kind;
use api::{Map, Str, Value, object};

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

/// Adds the paths of a kind.
pub(super) fn add(kind: &Kind, paths: &mut Vec<(Str, Value)>) {
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
            .map(|(_, (method, action))| (Str::from(*method), operation(action, of)))
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

fn operation(action: &str, (group, version, kind): (&str, &str, &str)) -> Value {
    let responses = object! { "200": { "description": "OK" } };
    let mut operation = object! { "responses": responses };
    let map = operation.map_mut();
    map.insert("x-kubernetes-action", action);
    map.insert(
        "x-kubernetes-group-version-kind",
        object! { "group": group, "kind": kind, "version": version },
    );
    operation
}
