//! What is wrong with a field of an object, worded as upstream words it, and the paths that name
//! fields. Models k8s.io/apimachinery/pkg/util/validation/field.

use std::fmt;

use crate::{Value, go, value};

/// The kind of a field error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErrorKind {
    /// A reference to something that does not exist.
    NotFound,
    /// A value that must be there and is not.
    Required,
    /// A value that must be unique and is not.
    Duplicate,
    /// A malformed value.
    Invalid,
    /// A value outside the known set.
    NotSupported,
    /// A value that is valid but not allowed here.
    Forbidden,
    /// A value that is too long.
    TooLong,
    /// A list with too many items.
    TooMany,
    /// A failure that is not the user's.
    Internal,
    /// A value of the wrong type.
    TypeInvalid,
}

impl ErrorKind {
    /// What stands in messages: `Required value`.
    pub fn says(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "Not found",
            ErrorKind::Required => "Required value",
            ErrorKind::Duplicate => "Duplicate value",
            ErrorKind::Invalid | ErrorKind::TypeInvalid => "Invalid value",
            ErrorKind::NotSupported => "Unsupported value",
            ErrorKind::Forbidden => "Forbidden",
            ErrorKind::TooLong => "Too long",
            ErrorKind::TooMany => "Too many",
            ErrorKind::Internal => "Internal error",
        }
    }

    /// What stands in `details.causes[].reason`: `FieldValueRequired`.
    pub fn reason(self) -> &'static str {
        match self {
            ErrorKind::NotFound => "FieldValueNotFound",
            ErrorKind::Required => "FieldValueRequired",
            ErrorKind::Duplicate => "FieldValueDuplicate",
            ErrorKind::Invalid => "FieldValueInvalid",
            ErrorKind::NotSupported => "FieldValueNotSupported",
            ErrorKind::Forbidden => "FieldValueForbidden",
            ErrorKind::TooLong => "FieldValueTooLong",
            ErrorKind::TooMany => "FieldValueTooMany",
            ErrorKind::Internal => "InternalError",
            ErrorKind::TypeInvalid => "FieldValueTypeInvalid",
        }
    }
}

/// One thing wrong with one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// The path: `spec.containers[0].image`.
    pub field: String,
    /// What kind of error.
    pub kind: ErrorKind,
    /// The value in question; `None` where the message leaves it out.
    pub value: Option<Value>,
    /// How the value is written, where it is not as our JSON: a Go struct has its own order.
    pub shown: Option<String>,
    /// What more there is to say; may be empty.
    pub detail: String,
}

impl FieldError {
    fn new(
        field: impl fmt::Display,
        kind: ErrorKind,
        value: Option<Value>,
        detail: String,
    ) -> Self {
        FieldError {
            field: field.to_string(),
            kind,
            value,
            shown: None,
            detail,
        }
    }

    /// The same with the value written in this way.
    pub fn shown_as(self, text: String) -> Self {
        FieldError {
            shown: Some(text),
            ..self
        }
    }

    /// `Required value: <detail>`
    pub fn required(field: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self::new(field, ErrorKind::Required, None, detail.into())
    }

    /// `Invalid value: <value>: <detail>`
    pub fn invalid(
        field: impl fmt::Display,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(field, ErrorKind::Invalid, Some(value.into()), detail.into())
    }

    /// `Invalid value: <value>: <detail>`, for a value of the wrong type.
    pub fn type_invalid(
        field: impl fmt::Display,
        value: impl Into<Value>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(
            field,
            ErrorKind::TypeInvalid,
            Some(value.into()),
            detail.into(),
        )
    }

    /// `Unsupported value: <value>: supported values: "a", "b"`
    pub fn not_supported(
        field: impl fmt::Display,
        value: impl Into<Value>,
        supported: &[&str],
    ) -> Self {
        let quoted: Vec<String> = supported.iter().map(|text| go::quote(text)).collect();
        let detail = match quoted.is_empty() {
            true => String::new(),
            false => format!("supported values: {}", quoted.join(", ")),
        };
        Self::new(field, ErrorKind::NotSupported, Some(value.into()), detail)
    }

    /// `Forbidden: <detail>`
    pub fn forbidden(field: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self::new(field, ErrorKind::Forbidden, None, detail.into())
    }

    /// `Duplicate value: <value>`
    pub fn duplicate(field: impl fmt::Display, value: impl Into<Value>) -> Self {
        Self::new(
            field,
            ErrorKind::Duplicate,
            Some(value.into()),
            String::new(),
        )
    }

    /// `Not found: <value>`
    pub fn not_found(field: impl fmt::Display, value: impl Into<Value>) -> Self {
        Self::new(
            field,
            ErrorKind::NotFound,
            Some(value.into()),
            String::new(),
        )
    }

    /// `Too long: may not be more than <max> bytes`
    pub fn too_long(field: impl fmt::Display, max: usize) -> Self {
        let detail = format!("may not be more than {max} bytes");
        Self::new(field, ErrorKind::TooLong, None, detail)
    }

    /// `Too many: <actual>: must have at most <max> items`
    pub fn too_many(field: impl fmt::Display, actual: usize, max: usize) -> Self {
        let items = if max == 1 { "item" } else { "items" };
        let detail = format!("must have at most {max} {items}");
        Self::new(field, ErrorKind::TooMany, Some(value!(actual)), detail)
    }

    /// `Internal error: <detail>`
    pub fn internal(field: impl fmt::Display, detail: impl Into<String>) -> Self {
        Self::new(field, ErrorKind::Internal, None, detail.into())
    }

    /// The message without the field, as `details.causes[].message` has it.
    pub fn body(&self) -> String {
        let mut out = self.kind.says().to_owned();
        if let Some(value) = &self.value {
            out.push_str(": ");
            match (&self.shown, value) {
                (Some(shown), _) => out.push_str(shown),
                (None, Value::Str(text)) => out.push_str(&go::quote(text)),
                (None, other) => out.push_str(&other.to_json()),
            }
        }
        if !self.detail.is_empty() {
            out.push_str(": ");
            out.push_str(&self.detail);
        }
        out
    }
}

impl fmt::Display for FieldError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.body())
    }
}

/// The path of a field: a chain on the stack, which becomes text only in an error.
#[derive(Clone, Copy, Debug)]
pub struct Path<'a> {
    parent: Option<&'a Path<'a>>,
    step: Step<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Step<'a> {
    Name(&'a str),
    Index(usize),
    Key(&'a str),
}

impl<'a> Path<'a> {
    /// A path of one name, or of several joined by dots.
    pub const fn new(name: &'a str) -> Self {
        Path {
            parent: None,
            step: Step::Name(name),
        }
    }

    /// `path.name`; `name` may hold dots.
    pub const fn child(&'a self, name: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Name(name),
        }
    }

    /// `path[i]`
    pub const fn index(&'a self, i: usize) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Index(i),
        }
    }

    /// `path[key]`
    pub const fn key(&'a self, key: &'a str) -> Path<'a> {
        Path {
            parent: Some(self),
            step: Step::Key(key),
        }
    }
}

impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent {
            parent.fmt(f)?;
        }
        match self.step {
            Step::Name(name) if self.parent.is_some() => write!(f, ".{name}"),
            Step::Name(name) => f.write_str(name),
            Step::Index(i) => write!(f, "[{i}]"),
            Step::Key(key) => write!(f, "[{key}]"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    #[track_caller]
    fn check(error: FieldError, want: &str) {
        assert_eq!(error.to_string(), want);
    }

    #[test]
    fn messages() {
        let spec = Path::new("spec");
        let containers = spec.child("containers");
        let first = containers.index(0);
        check(
            FieldError::required(containers, ""),
            "spec.containers: Required value",
        );
        check(
            FieldError::required(first.child("livenessProbe"), "must specify a handler type"),
            "spec.containers[0].livenessProbe: Required value: must specify a handler type",
        );
        check(
            FieldError::invalid(
                first.child("resources.requests").key("cpu"),
                "-1",
                "too low",
            ),
            "spec.containers[0].resources.requests[cpu]: Invalid value: \"-1\": too low",
        );
        check(
            FieldError::invalid("spec.replicas", -2, "must be greater than or equal to 0"),
            "spec.replicas: Invalid value: -2: must be greater than or equal to 0",
        );
        check(
            FieldError::invalid("metadata.labels", object! { "app": "b" }, "no match"),
            "metadata.labels: Invalid value: {\"app\":\"b\"}: no match",
        );
        check(
            FieldError::not_supported("spec.type", "Nodeport", &["ClusterIP", "NodePort"]),
            "spec.type: Unsupported value: \"Nodeport\": supported values: \"ClusterIP\", \"NodePort\"",
        );
        check(
            FieldError::duplicate("a[1].name", "v"),
            "a[1].name: Duplicate value: \"v\"",
        );
        check(
            FieldError::not_found("a.name", "v"),
            "a.name: Not found: \"v\"",
        );
        check(FieldError::forbidden("spec", "no"), "spec: Forbidden: no");
        check(
            FieldError::too_long("n", 63),
            "n: Too long: may not be more than 63 bytes",
        );
        check(
            FieldError::too_many("n", 5, 3),
            "n: Too many: 5: must have at most 3 items",
        );
        check(
            FieldError::invalid("<nil>", Value::Null, "x"),
            "<nil>: Invalid value: null: x",
        );
    }
}
