//! Reads the compact table: a line per definition, below it an indented line per field. Written by
//! this crate's test of schemas, which explains the marks.

use sim::LookupMap;

use crate::Str;
use crate::schema::{DefId, Definition, Field, ListType, Schemas, Special, Type};

const TABLE: &str = include_str!("../../data/schemas.txt");

pub(super) fn load() -> Schemas {
    let mut by_name = LookupMap::new();
    let names = TABLE.lines().filter(|line| !line.starts_with(' '));
    for (i, line) in names.enumerate() {
        by_name.insert(word(line).0, DefId(i as u16));
    }
    let mut definitions: Vec<Definition> = Vec::with_capacity(by_name.len());
    let mut by_kind = LookupMap::new();
    for line in TABLE.lines() {
        if let Some(line) = line.strip_prefix(' ') {
            if let Some(last) = definitions.last_mut() {
                last.fields.push(field(line, &by_name));
            }
            continue;
        }
        let definition = definition(line);
        if let Some(kind) = definition.kind {
            by_kind.insert(kind, DefId(definitions.len() as u16));
        }
        definitions.push(definition);
    }
    Schemas {
        definitions,
        by_name,
        by_kind,
    }
}

/// The first word of a line and the rest.
fn word(line: &'static str) -> (&'static str, &'static str) {
    line.split_once(' ').unwrap_or((line, ""))
}

fn definition(line: &'static str) -> Definition {
    let (name, marks) = word(line);
    let special = match name {
        "resource.Quantity" => Special::Quantity,
        "meta.v1.Time" => Special::Time,
        "meta.v1.MicroTime" => Special::MicroTime,
        "intstr.IntOrString" => Special::IntOrString,
        "meta.v1.FieldsV1"
        | "meta.v1.Patch"
        | "runtime.RawExtension"
        | "apiextensions.v1.JSON"
        | "apiextensions.v1.JSONSchemaPropsOrArray"
        | "apiextensions.v1.JSONSchemaPropsOrBool"
        | "apiextensions.v1.JSONSchemaPropsOrStringArray" => Special::Raw,
        _ => Special::Struct,
    };
    let mut out = Definition {
        name,
        kind: None,
        atomic: false,
        special,
        fields: Vec::new(),
    };
    for mark in marks.split(' ') {
        match mark.strip_prefix("g:") {
            Some(kind) => out.kind = Some(kind),
            None => out.atomic |= mark == "a",
        }
    }
    out
}

fn ty(text: &'static str, by_name: &LookupMap<&'static str, DefId>) -> Type {
    match text.split_at(1) {
        ("s", _) => Type::String,
        ("b", _) => Type::Bool,
        ("i", _) => Type::Int32,
        ("I", _) => Type::Int64,
        ("f", _) => Type::Double,
        ("y", _) => Type::Bytes,
        ("[", item) => Type::List(Box::new(ty(item, by_name))),
        ("{", item) => Type::Map(Box::new(ty(item, by_name))),
        ("@", name) => by_name.get(name).map_or(Type::Any, |id| Type::Ref(*id)),
        _ => Type::Any,
    }
}

fn field(line: &'static str, by_name: &LookupMap<&'static str, DefId>) -> Field {
    let (name, rest) = word(line);
    let (type_text, marks) = word(rest);
    let mut out = Field {
        name,
        element: Str::from(format!("f:{name}")),
        ty: ty(type_text, by_name),
        required: false,
        always: false,
        pointer: false,
        null: false,
        default: None,
        enumeration: Vec::new(),
        list_type: ListType::Atomic,
        list_map_keys: Vec::new(),
        atomic: false,
        merge: false,
        merge_key: None,
        retain_keys: false,
        replace: false,
        go_type: None,
    };
    for mark in marks.split(' ').filter(|mark| !mark.is_empty()) {
        set_mark(&mut out, mark);
    }
    out
}

fn set_mark(field: &mut Field, mark: &'static str) {
    let (kind, rest) = mark.split_at(1);
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    match kind {
        "!" => field.always = true,
        "=" => field.default = Some(rest),
        "r" => field.required = true,
        "*" => field.pointer = true,
        "n" => field.null = true,
        "e" => field.enumeration = rest.split('|').map(|v| v.replace('+', " ")).collect(),
        "l" => {
            let (list_type, keys) = rest.split_once(':').unwrap_or((rest, ""));
            field.list_type = match list_type {
                "map" => ListType::Map,
                "set" => ListType::Set,
                _ => ListType::Unset,
            };
            field.list_map_keys = keys.split(',').filter(|key| !key.is_empty()).collect();
        }
        "a" => field.atomic = true,
        "m" => {
            field.merge = true;
            field.merge_key = (!rest.is_empty()).then_some(rest);
        }
        "k" => field.retain_keys = true,
        "p" => field.replace = rest == "replace",
        "t" => field.go_type = Some(rest),
        _ => debug_assert!(false, "unknown mark {mark}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reference_resolves_and_fields_are_sorted() {
        let schemas = load();
        assert!(schemas.definitions.len() > 500);
        let refs = TABLE.matches('@').count();
        fn count(ty: &Type) -> usize {
            match ty {
                Type::Ref(_) => 1,
                Type::List(item) | Type::Map(item) => count(item),
                _ => 0,
            }
        }
        let fields = || schemas.definitions.iter().flat_map(|d| &d.fields);
        assert_eq!(fields().map(|f| count(&f.ty)).sum::<usize>(), refs);
        for definition in &schemas.definitions {
            assert!(
                definition.fields.is_sorted_by_key(|f| f.name),
                "{}",
                definition.name
            );
        }
    }
}
