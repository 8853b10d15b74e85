//! Custom objects as rows of a table.
//!
//! Models apiextensions-apiserver/pkg/registry/customresource/tableconvertor.

use sim::Instant;

use crate::jsonpath::JsonPath;
use crate::{Value, jsonpath, time};

/// A column that a definition asks for.
#[derive(Clone, Debug)]
pub struct CustomColumn {
    /// The heading.
    pub name: String,
    /// `string`, `integer`, `number`, `boolean` or `date`.
    pub kind: String,
    /// `int64`, `date-time`, ….
    pub format: String,
    /// What it is about.
    pub description: String,
    /// 0 for a column that is always shown.
    pub priority: i64,
    /// Where its cells come from: `.spec.size`.
    pub path: String,
}

/// Reads `additionalPrinterColumns`. Who asks for none gets the age.
pub(super) fn columns(of: &[Value]) -> Vec<CustomColumn> {
    if of.is_empty() {
        return vec![CustomColumn {
            name: "Age".to_owned(),
            kind: "date".to_owned(),
            format: String::new(),
            description: String::new(),
            priority: 0,
            path: ".metadata.creationTimestamp".to_owned(),
        }];
    }
    let column = |column: &Value| CustomColumn {
        name: column.str("name").to_owned(),
        kind: column.str("type").to_owned(),
        format: column.str("format").to_owned(),
        description: column.str("description").to_owned(),
        priority: column.i64_at("priority").unwrap_or(0),
        path: column.str("jsonPath").to_owned(),
    };
    of.iter().map(column).collect()
}

impl CustomColumn {
    /// The cell of an object; null where there is nothing to show.
    pub(in crate::kinds) fn cell(&self, object: &Value, now: Instant) -> Value {
        let Ok(path) = JsonPath::parse(&format!("{{{}}}", self.path)) else {
            return Value::Null;
        };
        let found = path.find(object).unwrap_or_default();
        let Some(value) = found.first().and_then(|results| results.first()) else {
            return Value::Null;
        };
        match (self.kind.as_str(), value) {
            (_, Value::Null) => Value::Null,
            ("string", value) => jsonpath::text(value).into(),
            ("integer" | "number", Value::Int(_)) | ("boolean", Value::Bool(_)) => value.clone(),
            ("number", Value::Float(_)) => value.clone(),
            ("integer", Value::Float(number)) => Value::Int(number.get() as i64),
            ("date", Value::Str(text)) if time::unix_nanos(text).is_some() => {
                time::age(now, text).into()
            }
            ("date", Value::Str(_)) => "<invalid>".into(),
            _ => Value::Null,
        }
    }
}
