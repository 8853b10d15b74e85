//! The old document of OpenAPI in protobuf, as discovery clients written in Go ask for it.
//!
//! Models gnostic's openapiv2/OpenAPIv2.proto and kube-openapi/pkg/handler.

use serde_json::{Map, Value};

/// What clients call the form, in the older way and in the one that is a valid media type.
const NAMES: [&str; 2] = [
    "application/com.github.proto-openapi.spec.v2@v1.0+protobuf",
    "application/com.github.proto-openapi.spec.v2.v1.0+protobuf",
];

/// The type that an answer in protobuf has, if a request wants it so before all others.
pub(crate) fn wanted(target: &str, accept: &str) -> Option<&'static str> {
    let path = target.split('?').next().unwrap_or_default();
    let first = accept.split(',').next().unwrap_or_default();
    let first = first.split(';').next().unwrap_or_default().trim();
    (path == "/openapi/v2" && NAMES.contains(&first)).then_some(NAMES[1])
}

/// A document in JSON as protobuf; `None` if it is none.
pub(crate) fn to_protobuf(document: &[u8]) -> Option<Vec<u8>> {
    let document: Value = serde_json::from_slice(document).ok()?;
    let mut out = Message::default();
    out.text(1, &document["swagger"]);
    out.message(2, |info| {
        info.text(1, &document["info"]["title"]);
        info.text(2, &document["info"]["version"]);
    });
    out.message(8, |paths| {
        for (path, item) in entries(&document["paths"]) {
            paths.named(2, path, |out| path_item(out, item));
        }
    });
    out.message(9, |definitions| {
        for (name, definition) in entries(&document["definitions"]) {
            definitions.named(1, name, |out| schema(out, definition));
        }
    });
    Some(out.0)
}

fn entries(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn items(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn path_item(out: &mut Message, item: &Value) {
    let methods = ["get", "put", "post", "delete", "options", "head", "patch"];
    for (number, method) in (2..).zip(methods) {
        if let Some(operation) = item.get(method) {
            out.message(number, |out| self::operation(out, operation));
        }
    }
    for known in items(&item["parameters"]) {
        out.message(9, |out| parameter(out, known));
    }
    extensions(out, 10, item);
}

fn operation(out: &mut Message, operation: &Value) {
    out.texts(1, &operation["tags"]);
    out.text(3, &operation["description"]);
    out.text(5, &operation["operationId"]);
    out.texts(6, &operation["produces"]);
    out.texts(7, &operation["consumes"]);
    for known in items(&operation["parameters"]) {
        out.message(8, |out| parameter(out, known));
    }
    out.message(9, |responses| {
        for (code, response) in entries(&operation["responses"]) {
            responses.named(1, code, |out| {
                out.message(1, |out| {
                    out.text(1, &response["description"]);
                    if let Some(body) = response.get("schema") {
                        out.message(2, |out| out.message(1, |out| schema(out, body)));
                    }
                });
            });
        }
    });
    out.texts(10, &operation["schemes"]);
    extensions(out, 13, operation);
}

/// A parameter: of the body, of the path or of the query.
fn parameter(out: &mut Message, parameter: &Value) {
    if let Some(reference) = parameter.get("$ref") {
        return out.message(2, |out| out.text(1, reference));
    }
    out.message(1, |out| {
        if parameter["in"] == "body" {
            return out.message(1, |out| {
                out.text(1, &parameter["description"]);
                out.text(2, &parameter["name"]);
                out.text(3, &parameter["in"]);
                out.flag(4, &parameter["required"]);
                out.message(5, |out| schema(out, &parameter["schema"]));
            });
        }
        let in_query = parameter["in"] == "query";
        let (kind, shift) = if in_query { (3, 1) } else { (4, 0) };
        out.message(2, |out| {
            out.message(kind, |out| {
                out.flag(1, &parameter["required"]);
                out.text(2, &parameter["in"]);
                out.text(3, &parameter["description"]);
                out.text(4, &parameter["name"]);
                out.text(5 + shift, &parameter["type"]);
                out.text(6 + shift, &parameter["format"]);
                out.flag(19 + shift, &parameter["uniqueItems"]);
            });
        });
    });
}

fn schema(out: &mut Message, of: &Value) {
    for (number, key) in [(1, "$ref"), (2, "format"), (3, "title"), (4, "description")] {
        out.text(number, &of[key]);
    }
    if let Some(default) = of.get("default") {
        out.message(5, |out| out.text(2, &Value::String(default.to_string())));
    }
    for (number, key) in [(6, "multipleOf"), (7, "maximum"), (9, "minimum")] {
        out.double(number, &of[key]);
    }
    out.flag(8, &of["exclusiveMaximum"]);
    out.flag(10, &of["exclusiveMinimum"]);
    out.text(13, &of["pattern"]);
    out.flag(16, &of["uniqueItems"]);
    for (number, key) in [
        (11, "maxLength"),
        (12, "minLength"),
        (14, "maxItems"),
        (15, "minItems"),
        (17, "maxProperties"),
        (18, "minProperties"),
    ] {
        out.integer(number, &of[key]);
    }
    out.texts(19, &of["required"]);
    for value in items(&of["enum"]) {
        out.message(20, |out| out.text(2, &Value::String(value.to_string())));
    }
    match &of["additionalProperties"] {
        Value::Bool(allowed) => out.message(21, |out| out.number(2, u64::from(*allowed))),
        Value::Object(_) => out.message(21, |out| {
            out.message(1, |out| schema(out, &of["additionalProperties"]));
        }),
        _ => {}
    }
    if let Some(name) = of.get("type") {
        out.message(22, |out| out.text(1, name));
    }
    if let Some(item) = of.get("items") {
        out.message(23, |out| out.message(1, |out| schema(out, item)));
    }
    for part in items(&of["allOf"]) {
        out.message(24, |out| schema(out, part));
    }
    if let Some(properties) = of.get("properties") {
        out.message(25, |out| {
            for (name, property) in entries(properties) {
                out.named(1, name, |out| schema(out, property));
            }
        });
    }
    extensions(out, 31, of);
}

/// What begins with `x-`: values in YAML, which JSON is as well.
fn extensions(out: &mut Message, number: u32, of: &Value) {
    let own = of.as_object().into_iter().flat_map(Map::iter);
    for (name, value) in own.filter(|(name, _)| name.starts_with("x-")) {
        out.named(number, name, |out| {
            out.text(2, &Value::String(format!("{value}\n")));
        });
    }
}

/// A message as it is written.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn key(&mut self, number: u32, wire: u64) {
        self.varint(u64::from(number) << 3 | wire);
    }

    fn bytes(&mut self, number: u32, bytes: &[u8]) {
        self.key(number, 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn number(&mut self, number: u32, value: u64) {
        self.key(number, 0);
        self.varint(value);
    }

    /// A text that is there and not empty.
    fn text(&mut self, number: u32, value: &Value) {
        if let Some(text) = value.as_str().filter(|text| !text.is_empty()) {
            self.bytes(number, text.as_bytes());
        }
    }

    fn texts(&mut self, number: u32, list: &Value) {
        for text in items(list).filter_map(Value::as_str) {
            self.bytes(number, text.as_bytes());
        }
    }

    fn flag(&mut self, number: u32, value: &Value) {
        if value.as_bool() == Some(true) {
            self.number(number, 1);
        }
    }

    fn integer(&mut self, number: u32, value: &Value) {
        if let Some(value) = value.as_i64().filter(|value| *value != 0) {
            self.number(number, value as u64);
        }
    }

    fn double(&mut self, number: u32, value: &Value) {
        if let Some(value) = value.as_f64().filter(|value| *value != 0.0) {
            self.key(number, 1);
            self.0.extend_from_slice(&value.to_le_bytes());
        }
    }

    fn message(&mut self, number: u32, write: impl FnOnce(&mut Message)) {
        let mut inner = Message::default();
        write(&mut inner);
        self.bytes(number, &inner.0);
    }

    /// An entry of a map: a name, and a message.
    fn named(&mut self, number: u32, name: &str, write: impl FnOnce(&mut Message)) {
        self.message(number, |entry| {
            entry.bytes(1, name.as_bytes());
            entry.message(2, write);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::{to_protobuf, wanted};

    #[test]
    fn the_form_is_recognised() {
        let [old, new] = super::NAMES;
        assert_eq!(wanted("/openapi/v2?timeout=32s", old), Some(new));
        assert_eq!(wanted("/openapi/v2", &format!("{new};q=1, */*")), Some(new));
        assert_eq!(wanted("/openapi/v2", "application/json"), None);
        assert_eq!(wanted("/openapi/v3", old), None);
    }

    #[test]
    fn a_document_is_written() {
        let document = r#"{"swagger":"2.0","definitions":{"A":{"type":"object","x-b":[1]}}}"#;
        let expected = [
            b"\x0a\x032.0\x12\x00\x42\x00\x4a\x22".as_slice(),
            b"\x0a\x20\x0a\x01A\x12\x1b",
            b"\xb2\x01\x08\x0a\x06object",
            b"\xfa\x01\x0d\x0a\x03x-b\x12\x06\x12\x04[1]\n",
        ];
        let written = to_protobuf(document.as_bytes()).expect("a document");
        assert_eq!(written, expected.concat());
    }
}
