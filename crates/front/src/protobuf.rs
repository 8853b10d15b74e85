//! Bodies in Kubernetes' protobuf, which clients written in Go send for built-in kinds, as the JSON
//! that means the same, and answers for clients that accept nothing else. Most accept JSON as well
//! and are given that.
//!
//! Models apimachinery/pkg/runtime/serializer/protobuf and the generated.proto files of the API.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::{Map, Value};

use lab::base64;

mod encode;
mod special;

pub(crate) use encode::frames;
pub use encode::from_json;

/// Made by `cargo xtask protobuf`, which says how to read it.
const TABLE: &str = include_str!("protobuf/messages.txt");
/// What a body begins with.
const MAGIC: &[u8] = b"k8s\0";
/// Messages inside of messages, at most.
const DEPTH: usize = 64;

/// A field of a message.
#[derive(Clone, Copy, Debug)]
struct Field {
    name: &'static str,
    kind: &'static str,
    shape: Shape,
    /// Kept when zero.
    pointer: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Map,
    /// Its fields are its parent's.
    Inline,
}

type Messages = HashMap<&'static str, HashMap<u32, Field>>;

fn messages() -> &'static Messages {
    static MESSAGES: OnceLock<Messages> = OnceLock::new();
    MESSAGES.get_or_init(|| {
        let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
        lines.filter_map(message).collect()
    })
}

fn message(line: &'static str) -> Option<(&'static str, HashMap<u32, Field>)> {
    let mut words = line.split(' ');
    let name = words.next()?;
    let fields = words.filter_map(|word| {
        let (name, kind) = word.split_once(':')?;
        let digits = name.find(|c: char| !c.is_ascii_digit())?;
        let (number, name) = name.split_at(digits);
        let pointer = kind.starts_with('?');
        let kind = kind.trim_start_matches('?');
        let shape = match kind.chars().next()? {
            '*' => Shape::List,
            '%' => Shape::Map,
            '^' => Shape::Inline,
            _ => Shape::One,
        };
        let field = Field {
            name,
            kind: kind.trim_start_matches(['*', '%', '^']),
            shape,
            pointer,
        };
        Some((number.parse().ok()?, field))
    });
    Some((name, fields.collect()))
}

/// A body as JSON; `None` if it is not protobuf, damaged, or of a kind that is not known.
#[must_use]
pub fn to_json(body: &[u8]) -> Option<Vec<u8>> {
    serde_json::to_vec(&object(body, 0)?).ok()
}

/// The object in an envelope.
fn object(body: &[u8], depth: usize) -> Option<Value> {
    let mut wire = Wire(body.strip_prefix(MAGIC)?);
    let (mut meta, mut raw, mut content_type) = (&b""[..], &b""[..], &b""[..]);
    while let Some((number, part)) = wire.next()? {
        match (number, part) {
            (1, Part::Bytes(bytes)) => meta = bytes,
            (2, Part::Bytes(bytes)) => raw = bytes,
            (4, Part::Bytes(bytes)) => content_type = bytes,
            _ => {}
        }
    }
    if content_type.starts_with(b"application/json") {
        return serde_json::from_slice(raw).ok();
    }
    let (mut api_version, mut kind) = (String::new(), String::new());
    let mut wire = Wire(meta);
    while let Some((number, part)) = wire.next()? {
        match (number, part) {
            (1, Part::Bytes(bytes)) => api_version = text(bytes),
            (2, Part::Bytes(bytes)) => kind = text(bytes),
            _ => {}
        }
    }
    let mut fields = fields(message_of(&api_version, &kind)?, raw, depth + 1)?;
    fields.insert("apiVersion".to_owned(), api_version.into());
    fields.insert("kind".to_owned(), kind.into());
    Some(Value::Object(fields))
}

/// The message of a kind. Options are the same in every group.
fn message_of(api_version: &str, kind: &str) -> Option<&'static str> {
    let (group, version) = api_version.split_once('/').unwrap_or(("", api_version));
    let package = match group {
        "" => "core",
        "internal.apiserver.k8s.io" => "apiserverinternal",
        group => group.split('.').next().unwrap_or(group),
    };
    let names = [
        format!("{package}.{version}.{kind}"),
        format!("meta.v1.{kind}"),
    ];
    let mut found = names
        .iter()
        .filter_map(|name| messages().get_key_value(name.as_str()));
    found.next().map(|(name, _)| *name)
}

/// The fields of a message.
fn fields(message: &str, bytes: &[u8], depth: usize) -> Option<Map<String, Value>> {
    if depth > DEPTH {
        return None;
    }
    let known = messages().get(message)?;
    let mut object = Map::new();
    let mut wire = Wire(bytes);
    while let Some((number, part)) = wire.next()? {
        // What is not known is of a later release, and is left out as that of an unknown name is.
        let Some(field) = known.get(&number) else {
            continue;
        };
        take(&mut object, field, part, depth)?;
    }
    Some(object)
}

/// Adds a field to an object.
fn take(
    object: &mut Map<String, Value>,
    field: &Field,
    part: Part<'_>,
    depth: usize,
) -> Option<()> {
    let name = || field.name.to_owned();
    match (field.shape, part) {
        (Shape::Inline, Part::Bytes(bytes)) => {
            object.extend(fields(field.kind, bytes, depth + 1)?);
        }
        (Shape::List, Part::Bytes(bytes)) if matches!(field.kind, "i" | "b") => {
            // Packed: numbers one after the other.
            let mut wire = Wire(bytes);
            let list = list(object, name())?;
            while !wire.0.is_empty() {
                let number = Part::Number(wire.varint()?);
                list.push(value(field.kind, number, depth)?);
            }
        }
        (Shape::List, part) => {
            let value = value(field.kind, part, depth)?;
            list(object, name())?.push(value);
        }
        (Shape::Map, Part::Bytes(bytes)) => {
            let (mut key, mut entry) = (String::new(), None);
            let mut wire = Wire(bytes);
            while let Some((number, part)) = wire.next()? {
                match (number, part) {
                    (1, Part::Bytes(bytes)) => key = text(bytes),
                    (2, part) => entry = Some(value(field.kind, part, depth)?),
                    _ => {}
                }
            }
            let entry = match entry {
                Some(entry) => entry,
                None => value(field.kind, Part::Bytes(b""), depth)?,
            };
            let map = object.entry(name()).or_insert_with(|| Map::new().into());
            map.as_object_mut()?.insert(key, entry);
        }
        (_, part) => {
            let value = value(field.kind, part, depth)?;
            let zero = match &value {
                Value::Null => true,
                Value::Bool(on) => !on,
                Value::Number(number) => number.as_f64() == Some(0.0),
                Value::String(text) => text.is_empty() && field.kind == "s",
                _ => false,
            };
            let is_told = field.pointer && !value.is_null();
            if !zero || is_told || is_special(field.kind, &value) {
                object.insert(name(), value);
            }
        }
    }
    Some(())
}

/// Whether a zero is one that a message stands for, such as a port that is a number or a name.
fn is_special(kind: &str, value: &Value) -> bool {
    kind.contains('.') && !value.is_null()
}

fn list(object: &mut Map<String, Value>, name: String) -> Option<&mut Vec<Value>> {
    let list = object
        .entry(name)
        .or_insert_with(|| Value::Array(Vec::new()));
    list.as_array_mut()
}

/// A value of a type of the table.
fn value(kind: &str, part: Part<'_>, depth: usize) -> Option<Value> {
    Some(match (kind, part) {
        ("s", Part::Bytes(bytes)) => text(bytes).into(),
        ("y", Part::Bytes(bytes)) => base64::encode(bytes).into(),
        ("b", Part::Number(number)) => (number != 0).into(),
        ("i", Part::Number(number)) => number.cast_signed().into(),
        ("d", Part::Double(number)) => number.into(),
        (message, Part::Bytes(bytes)) if message.contains('.') => {
            match special::value(message, bytes, depth + 1) {
                Some(value) => value?,
                None => fields(message, bytes, depth + 1)?.into(),
            }
        }
        _ => return None,
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a field holds on the wire.
#[derive(Clone, Copy, Debug)]
enum Part<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

/// What is still to be read.
#[derive(Clone, Copy, Debug)]
struct Wire<'a>(&'a [u8]);

impl<'a> Wire<'a> {
    /// The next field; `Some(None)` at the end, `None` if it is damaged.
    fn next(&mut self) -> Option<Option<(u32, Part<'a>)>> {
        if self.0.is_empty() {
            return Some(None);
        }
        let tag = self.varint()?;
        let part = match tag & 7 {
            0 => Part::Number(self.varint()?),
            1 => Part::Double(f64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let len = usize::try_from(self.varint()?).ok()?;
                Part::Bytes(self.take(len)?)
            }
            5 => Part::Bytes(self.take(4)?),
            _ => return None,
        };
        Some(Some((u32::try_from(tag >> 3).ok()?, part)))
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }

    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests;
