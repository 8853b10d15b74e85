//! Messages that are no objects in JSON: times, quantities, JSON itself.
//!
//! Models apimachinery/pkg/apis/meta/v1/{time,micro_time,duration}.go, api/resource/quantity.go,
//! util/intstr and apiextensions/v1/marshal.go.

use serde_json::Value;
use sim::Civil;

use super::{Part, Wire, fields, object, text};

/// The value of a special message; `Some(None)` if it is damaged, `None` if it is none of them.
pub(super) fn value(message: &str, bytes: &[u8], depth: usize) -> Option<Option<Value>> {
    let (_, name) = message.rsplit_once('.')?;
    Some(match name {
        "Time" => time(bytes, 0),
        "MicroTime" => time(bytes, 6),
        "Duration" => number(bytes, 1).map(|nanos| duration(nanos).into()),
        "Quantity" => first(bytes).map(|bytes| text(bytes.unwrap_or_default()).into()),
        "IntOrString" => int_or_string(bytes),
        "RawExtension" | "FieldsV1" | "JSON" => raw(bytes, depth),
        "ExtraValue" => items(bytes),
        "JSONSchemaPropsOrArray" | "JSONSchemaPropsOrBool" | "JSONSchemaPropsOrStringArray" => {
            either(message, bytes, depth)
        }
        _ => return None,
    })
}

/// The number of a field; zero if it is not there.
fn number(bytes: &[u8], wanted: u32) -> Option<i64> {
    let mut wire = Wire(bytes);
    let mut found = 0;
    while let Some((number, part)) = wire.next()? {
        if let (true, Part::Number(value)) = (number == wanted, part) {
            found = value.cast_signed();
        }
    }
    Some(found)
}

/// The bytes of the first field.
fn first(bytes: &[u8]) -> Option<Option<&[u8]>> {
    let mut wire = Wire(bytes);
    while let Some((number, part)) = wire.next()? {
        if let (1, Part::Bytes(bytes)) = (number, part) {
            return Some(Some(bytes));
        }
    }
    Some(None)
}

/// A date with so many decimals; null for none.
fn time(bytes: &[u8], decimals: usize) -> Option<Value> {
    if bytes.is_empty() {
        return Some(Value::Null);
    }
    let (secs, nanos) = (number(bytes, 1)?, number(bytes, 2)?);
    let mut text = Civil::from_unix(secs).rfc3339();
    if decimals > 0 {
        text.pop();
        let decimals = format!("{nanos:09}")[..decimals].to_owned();
        text = format!("{text}.{decimals}Z");
    }
    Some(text.into())
}

/// As Go prints durations: `1h2m3.5s`, `250ms`.
fn duration(nanos: i64) -> String {
    let sign = if nanos < 0 { "-" } else { "" };
    let nanos = nanos.unsigned_abs();
    let decimals = |whole: u64, rest: u64, width: usize| {
        let rest = format!("{rest:0width$}");
        let rest = rest.trim_end_matches('0');
        let point = if rest.is_empty() { "" } else { "." };
        format!("{whole}{point}{rest}")
    };
    if nanos == 0 {
        return "0s".to_owned();
    }
    if nanos < 1_000_000_000 {
        let (unit, size, width) = match nanos {
            0..1_000 => ("ns", 1, 0),
            1_000..1_000_000 => ("µs", 1_000, 3),
            _ => ("ms", 1_000_000, 6),
        };
        let rest = if width == 0 { 0 } else { nanos % size };
        return format!("{sign}{}{unit}", decimals(nanos / size, rest, width));
    }
    let secs = nanos / 1_000_000_000;
    let (hours, minutes) = (secs / 3600, secs / 60 % 60);
    let mut text = sign.to_owned();
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if hours > 0 || minutes > 0 {
        text += &format!("{minutes}m");
    }
    text + &decimals(secs % 60, nanos % 1_000_000_000, 9) + "s"
}

fn int_or_string(bytes: &[u8]) -> Option<Value> {
    if number(bytes, 1)? == 0 {
        return Some(number(bytes, 2)?.into());
    }
    let mut wire = Wire(bytes);
    while let Some((number, part)) = wire.next()? {
        if let (3, Part::Bytes(bytes)) = (number, part) {
            return Some(text(bytes).into());
        }
    }
    Some("".into())
}

/// An object inside of another: JSON, or protobuf once more.
fn raw(bytes: &[u8], depth: usize) -> Option<Value> {
    let Some(raw) = first(bytes)?.filter(|raw| !raw.is_empty()) else {
        return Some(Value::Null);
    };
    object(raw, depth).or_else(|| serde_json::from_slice(raw).ok())
}

fn items(bytes: &[u8]) -> Option<Value> {
    let mut items = Vec::new();
    let mut wire = Wire(bytes);
    while let Some((number, part)) = wire.next()? {
        if let (1, Part::Bytes(bytes)) = (number, part) {
            items.push(text(bytes).into());
        }
    }
    Some(Value::Array(items))
}

/// A schema, or what may stand in its place.
fn either(message: &str, bytes: &[u8], depth: usize) -> Option<Value> {
    let schema = message.rsplit_once("Or").map_or("", |(schema, _)| schema);
    let (mut items, mut allows) = (Vec::new(), Value::Bool(false));
    let mut wire = Wire(bytes);
    let is_bool = message.ends_with("OrBool");
    let is_text = message.ends_with("OrStringArray");
    while let Some((number, part)) = wire.next()? {
        match (number, part) {
            (1, Part::Number(on)) => allows = (on != 0).into(),
            (1 | 2, Part::Bytes(bytes)) if !(is_text && number == 2) => {
                let schema = Value::Object(fields(schema, bytes, depth + 1)?);
                if is_bool || number == 1 {
                    return Some(schema);
                }
                items.push(schema);
            }
            (2, Part::Bytes(bytes)) => items.push(text(bytes).into()),
            _ => {}
        }
    }
    Some(if is_bool { allows } else { items.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_written_as_go_does() {
        #[track_caller]
        fn check(nanos: i64, expected: &str) {
            assert_eq!(duration(nanos), expected);
        }
        check(0, "0s");
        check(1, "1ns");
        check(250_000_000, "250ms");
        check(1_500_000, "1.5ms");
        check(-90_000_000_000, "-1m30s");
        check(3_600_000_000_000, "1h0m0s");
        check(3_723_500_000_000, "1h2m3.5s");
    }
}
