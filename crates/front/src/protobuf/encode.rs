//! JSON of built-in kinds as Kubernetes' protobuf.
//!
//! Models apimachinery/pkg/runtime/serializer/protobuf/protobuf.go and the Marshal functions that
//! upstream generates.

use lab::base64;
use serde_json::{Map, Value};

use super::{DEPTH, Field, MAGIC, Shape, message_of, messages};

/// An object in its envelope; `None` if its kind has no message, as custom ones have none.
#[must_use]
pub fn from_json(object: &Value) -> Option<Vec<u8>> {
    let mut out = MAGIC.to_vec();
    out.extend(envelope(object)?);
    Some(out)
}

/// Lines of a watch as frames.
pub(crate) fn frames(lines: &[u8]) -> Option<Vec<u8>> {
    let events = serde_json::Deserializer::from_slice(lines).into_iter::<Value>();
    events
        .map(|event| frame(&event.ok()?))
        .collect::<Option<Vec<_>>>()
        .map(|all| all.concat())
}

/// An event of a watch, in its frame: the length before it, as four bytes.
fn frame(event: &Value) -> Option<Vec<u8>> {
    let mut object = Vec::new();
    bytes(&mut object, 1, &from_json(event.get("object")?)?);
    let mut out = Vec::new();
    bytes(&mut out, 1, event.get("type")?.as_str()?.as_bytes());
    bytes(&mut out, 2, &object);
    let len = u32::try_from(out.len()).ok()?.to_be_bytes();
    Some([&len[..], &out].concat())
}

fn envelope(object: &Value) -> Option<Vec<u8>> {
    let (version, kind) = (object["apiVersion"].as_str()?, object["kind"].as_str()?);
    let raw = message(message_of(version, kind)?, object, 0)?;
    let mut meta = Vec::new();
    bytes(&mut meta, 1, version.as_bytes());
    bytes(&mut meta, 2, kind.as_bytes());
    let mut out = Vec::new();
    bytes(&mut out, 1, &meta);
    bytes(&mut out, 2, &raw);
    // No encoding and no type of the contents: they are what they are.
    bytes(&mut out, 3, b"");
    bytes(&mut out, 4, b"");
    Some(out)
}

/// The fields of a message.
fn message(name: &str, value: &Value, depth: usize) -> Option<Vec<u8>> {
    if depth > DEPTH {
        return None;
    }
    if let Some(special) = special(name, value, depth) {
        return special;
    }
    let object = value.as_object()?;
    let mut known: Vec<(&u32, &Field)> = messages().get(name)?.iter().collect();
    known.sort_by_key(|(number, _)| **number);
    let mut out = Vec::new();
    for (number, field) in known {
        field_of(&mut out, *number, field, object, depth)?;
    }
    Some(out)
}

fn field_of(
    out: &mut Vec<u8>,
    number: u32,
    field: &Field,
    object: &Map<String, Value>,
    depth: usize,
) -> Option<()> {
    if field.shape == Shape::Inline {
        let raw = message(field.kind, &Value::Object(object.clone()), depth + 1)?;
        if !raw.is_empty() {
            bytes(out, number, &raw);
        }
        return Some(());
    }
    let Some(value) = object.get(field.name) else {
        return Some(());
    };
    match (field.shape, value) {
        // A time that is none is a message of its own all the same.
        (Shape::One, Value::Null) if field.kind.ends_with("Time") => bytes(out, number, b""),
        (_, Value::Null) => {}
        (Shape::List, value) => {
            for item in value.as_array()? {
                put(out, number, field.kind, item, depth)?;
            }
        }
        (Shape::Map, value) => {
            for (key, value) in value.as_object()? {
                let mut entry = Vec::new();
                bytes(&mut entry, 1, key.as_bytes());
                put(&mut entry, 2, field.kind, value, depth)?;
                bytes(out, number, &entry);
            }
        }
        (_, value) => put(out, number, field.kind, value, depth)?,
    }
    Some(())
}

/// A value of a type of the table, with its tag.
fn put(out: &mut Vec<u8>, number: u32, kind: &str, value: &Value, depth: usize) -> Option<()> {
    match kind {
        "s" => bytes(out, number, value.as_str()?.as_bytes()),
        "y" => bytes(out, number, &base64::decode(value.as_str()?).ok()?),
        "b" => varint_of(out, number, u64::from(value.as_bool()?)),
        "i" => varint_of(out, number, value.as_i64()?.cast_unsigned()),
        "d" => {
            varint(out, u64::from(number) << 3 | 1);
            out.extend(value.as_f64()?.to_le_bytes());
        }
        name => bytes(out, number, &message(name, value, depth + 1)?),
    }
    Some(())
}

/// The contents of a message that is no object in JSON; `None` for one that is.
fn special(name: &str, value: &Value, depth: usize) -> Option<Option<Vec<u8>>> {
    let (_, short) = name.rsplit_once('.')?;
    Some(match short {
        "Time" | "MicroTime" => time(value),
        "Duration" => nanos(value).map(|nanos| tagged(1, nanos.cast_unsigned())),
        "Quantity" => Some(texts(&[&plain(value)])),
        "IntOrString" => int_or_string(value),
        "RawExtension" | "FieldsV1" | "JSON" => {
            let raw = serde_json::to_vec(value).ok();
            raw.map(|raw| {
                let mut out = Vec::new();
                bytes(&mut out, 1, &raw);
                out
            })
        }
        "ExtraValue" | "Verbs" => strings(value),
        "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray" => {
            either(name, value, depth)
        }
        _ => return None,
    })
}

fn time(value: &Value) -> Option<Vec<u8>> {
    let (secs, nanos) = sim::parse_unix(value.as_str()?)?;
    let mut out = tagged(1, secs.cast_unsigned());
    out.extend(tagged(2, u64::from(nanos)));
    Some(out)
}

/// Nanoseconds of `1h2m3.5s`.
fn nanos(value: &Value) -> Option<i64> {
    let text = value.as_str()?;
    let (sign, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let mut sum = 0;
    while !rest.is_empty() && rest != "0" {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, unit) = rest.split_at(digits);
        let end = unit
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(unit.len());
        let size = match &unit[..end] {
            "h" => 3_600_000_000_000,
            "m" => 60_000_000_000,
            "s" => 1_000_000_000,
            "ms" => 1_000_000,
            "µs" | "us" => 1_000,
            "ns" => 1,
            _ => return None,
        };
        let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
        sum += whole.parse::<i64>().ok()? * size;
        let mut part = size;
        for digit in decimals.chars() {
            part /= 10;
            sum += i64::from(digit.to_digit(10)?) * part;
        }
        rest = &unit[end..];
    }
    Some(sign * sum)
}

fn int_or_string(value: &Value) -> Option<Vec<u8>> {
    if let Some(number) = value.as_i64() {
        let mut out = tagged(1, 0);
        out.extend(tagged(2, number.cast_unsigned()));
        return Some(out);
    }
    let mut out = tagged(1, 1);
    bytes(&mut out, 3, value.as_str()?.as_bytes());
    Some(out)
}

fn strings(value: &Value) -> Option<Vec<u8>> {
    let all: Option<Vec<&str>> = value.as_array()?.iter().map(Value::as_str).collect();
    Some(texts(&all?))
}

/// A schema, or what may stand in its place.
fn either(name: &str, value: &Value, depth: usize) -> Option<Vec<u8>> {
    let (schema, _) = name.rsplit_once("Or")?;
    let mut out = Vec::new();
    match value {
        Value::Bool(on) => out = tagged(1, u64::from(*on)),
        Value::Array(items) => {
            for item in items {
                put(
                    &mut out,
                    2,
                    if item.is_string() { "s" } else { schema },
                    item,
                    depth,
                )?;
            }
        }
        schema_itself => {
            let number = if name.ends_with("OrBool") { 2 } else { 1 };
            if number == 2 {
                out = tagged(1, 1);
            }
            put(&mut out, number, schema, schema_itself, depth)?;
        }
    }
    Some(out)
}

/// A number or a text as text.
fn plain(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

fn texts(all: &[&str]) -> Vec<u8> {
    let mut out = Vec::new();
    for text in all {
        bytes(&mut out, 1, text.as_bytes());
    }
    out
}

fn tagged(number: u32, value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    varint_of(&mut out, number, value);
    out
}

fn bytes(out: &mut Vec<u8>, number: u32, contents: &[u8]) {
    varint(out, u64::from(number) << 3 | 2);
    varint(out, contents.len() as u64);
    out.extend(contents);
}

fn varint_of(out: &mut Vec<u8>, number: u32, value: u64) {
    varint(out, u64::from(number) << 3);
    varint(out, value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value.to_le_bytes()[0] & 0x7f | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}
