//! From a request's body to an object of the kind: parsed, its kind checked, its fields checked
//! against the schema, completed with defaults.
//!
//! Models apiserver/pkg/endpoints/handlers/create.go and the strict decoders it uses.

use api::json::{JsonError, parse_strict};
use api::kinds::Kind;
use api::schema::Schemas;
use api::{FieldError, Status, Value, body_value, status};
use net::http::{Body, Request};

use crate::request::Query;

/// What becomes of fields that the kind does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Validation {
    /// They are dropped.
    Ignore,
    /// They are dropped, and named in warnings.
    Warn,
    /// They are refused.
    Strict,
}

impl Validation {
    /// Reads the parameter `fieldValidation`.
    pub(crate) fn of(query: &Query) -> Result<Validation, Status> {
        match query.field_validation.as_str() {
            "" | "Warn" => Ok(Validation::Warn),
            "Ignore" => Ok(Validation::Ignore),
            "Strict" => Ok(Validation::Strict),
            other => {
                let known = ["Ignore", "Strict", "Warn"];
                let error = FieldError::not_supported("fieldValidation", other, &known);
                Err(status::invalid(
                    "meta.k8s.io",
                    "CreateOptions",
                    "",
                    &[error],
                ))
            }
        }
    }

    /// Judges the errors that strict decoding found, those in the text of YAML and those in fields:
    /// refused, or turned into warnings.
    fn judge(
        self,
        kind: &Kind,
        lines: Vec<String>,
        fields: Vec<String>,
    ) -> Result<Vec<String>, Status> {
        match self {
            _ if lines.is_empty() && fields.is_empty() => Ok(Vec::new()),
            Validation::Ignore => Ok(Vec::new()),
            Validation::Warn => Ok([lines, fields].concat()),
            Validation::Strict => {
                let text = (!lines.is_empty()).then(|| repeated(&lines));
                let errors: Vec<String> = text.into_iter().chain(fields).collect();
                let why = format!("strict decoding error: {}", errors.join(", "));
                Err(refusal(kind, &why))
            }
        }
    }
}

/// What go-yaml says of keys that stand twice.
pub(crate) fn repeated(lines: &[String]) -> String {
    format!("yaml: unmarshal errors:\n  {}", lines.join("\n  "))
}

/// A decoded object.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) object: Value,
    pub(crate) warnings: Vec<String>,
}

/// The media types of bodies.
const ACCEPTED: [&str; 3] = [
    "application/json",
    "application/yaml",
    "application/vnd.kubernetes.protobuf",
];

/// Reads a request's body as an object of the kind.
pub(crate) fn decode(
    schemas: &Schemas,
    kind: &'static Kind,
    request: &Request,
    validation: Validation,
) -> Result<Decoded, Status> {
    let (mut object, found) = parse(kind, request)?;
    check_kind(kind, &mut object)?;
    let decoded = kind.decode(schemas, &object);
    if let Some(error) = decoded.error {
        return Err(refusal(kind, &error));
    }
    let mut strict = decoded.strict;
    let said = |path| format!("duplicate field {path:?}");
    strict.extend(found.duplicates.iter().map(said));
    let warnings = validation.judge(kind, found.lines, strict)?;
    object = decoded.value;
    kind.default(&mut object);
    let object = kind.store(object);
    Ok(Decoded { object, warnings })
}

/// `Pod in version "v1" cannot be handled as a Pod: …`
fn refusal(kind: &Kind, why: &str) -> Status {
    let (name, version) = (kind.kind, kind.version);
    status::bad_request(format!(
        "{name} in version {version:?} cannot be handled as a {name}: {why}"
    ))
}

/// Keys that occur twice in a body: their paths in JSON, what is said of their lines in YAML.
#[derive(Debug, Default)]
struct Found {
    duplicates: Vec<String>,
    lines: Vec<String>,
}

/// The tree of a body, and what stands in it twice.
fn parse(kind: &Kind, request: &Request) -> Result<(Value, Found), Status> {
    let mut found = Found::default();
    let content_type = request
        .headers
        .get("Content-Type")
        .unwrap_or("application/json");
    let object = match content_type.split(';').next().unwrap_or("").trim() {
        "" | "application/json" => tree(&request.body, &mut found.duplicates).map_err(|error| {
            status::bad_request(format!(
                "the object provided is unrecognized (must be of type {}): couldn't get \
                 version/kind; json parse error: {} ({})",
                kind.kind,
                error.message,
                start_of(&request.body)
            ))
        })?,
        "application/yaml" => {
            let mut documents = api::yaml::parse_all(&request.body.text())
                .map_err(|error| status::bad_request(error.to_string()))?;
            if documents.is_empty() {
                Value::Null
            } else {
                let first = documents.swap_remove(0);
                found.lines = first.repeated;
                first.value
            }
        }
        _ => return Err(status::unsupported_media_type(&ACCEPTED)),
    };
    if !object.is_map() {
        return Err(status::bad_request(format!(
            "the object provided is unrecognized (must be of type {}): couldn't get version/kind; \
             json parse error: unexpected end of JSON input ({})",
            kind.kind,
            start_of(&request.body)
        )));
    }
    Ok((object, found))
}

fn tree(body: &Body, duplicates: &mut Vec<String>) -> Result<Value, JsonError> {
    let Body::Bytes(bytes) = body else {
        return body_value(body);
    };
    let parsed = parse_strict(bytes)?;
    *duplicates = parsed.duplicates;
    Ok(parsed.value)
}

/// The first bytes of a body, as decoders quote it: as they are where they look like JSON.
fn start_of(body: &Body) -> String {
    const MAX: usize = 30;
    let bytes = body.bytes();
    let start = &bytes[..bytes.len().min(MAX)];
    let shown = match start.first() {
        None => return "<empty>".to_owned(),
        Some(b'{') => String::from_utf8_lossy(start).into_owned(),
        Some(_) => start.iter().map(|byte| format!("{byte:02x}")).collect(),
    };
    match bytes.len() > MAX {
        true => format!("{shown} ..."),
        false => shown,
    }
}

/// The object says that it is of another kind; one that says nothing is of the expected one.
fn check_kind(kind: &Kind, object: &mut Value) -> Result<(), Status> {
    let expected = kind.api_version();
    if object.kind().is_empty() {
        object.set("kind", kind.kind);
    }
    if object.api_version().is_empty() {
        object.set("apiVersion", expected.as_str());
    }
    if object.api_version() != expected {
        return Err(status::bad_request(format!(
            "the API version in the data ({}) does not match the expected API version ({expected})",
            object.api_version()
        )));
    }
    if object.kind() != kind.kind {
        let (given, version) = (object.kind(), kind.version);
        if kind.custom.is_none() && api::kinds::by_kind(&expected, given).is_none() {
            let why = format!(
                "no kind {given:?} is registered for version {expected:?} in scheme \
                 \"pkg/api/legacyscheme/scheme.go:30\""
            );
            return Err(status::bad_request(format!(
                "{given} in version {version:?} cannot be handled as a {}: {why}",
                kind.kind
            )));
        }
        return Err(status::bad_request(format!(
            "{given} in version {version:?} cannot be handled as a {}: converting \
             ({version}.{given}) to ({}.{}): unknown conversion",
            kind.kind,
            if kind.group.is_empty() {
                "core"
            } else {
                kind.group
            },
            kind.kind
        )));
    }
    Ok(())
}
