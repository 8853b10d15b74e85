//! ConfigMap.
//!
//! Models pkg/registry/core/configmap and pkg/apis/core/validation/validation.go.

use super::table::{self, Column};
use super::{Kind, check};
use crate::field::{FieldError, Path};
use crate::{Value, base64, names};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "configmaps",
    singular: "configmap",
    short_names: &["cm"],
    schema: "io.k8s.api.core.v1.ConfigMap",
    storage: "configmaps",
    validate,
    validate_update: |new, old, _, out| frozen(new, old, &["data", "binaryData"], out),
    columns: &[Column::NAME, Column::text("Data"), Column::AGE],
    row: |object, now| {
        let count = object.map_at("data").len() + object.map_at("binaryData").len();
        vec![table::name(object), count.into(), table::age(object, now)]
    },
    sample: SAMPLE,
    ..Kind::plain("", "v1", "ConfigMap")
};

/// Bytes all values of a ConfigMap or Secret may have together.
pub(super) const MAX_SIZE: usize = 1024 * 1024;

const SAMPLE: &str = "
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  colour: blue
";

fn validate(object: &Value, out: &mut Vec<FieldError>) {
    let mut size = 0;
    let (plain, binary) = (object.map_at("data"), object.map_at("binaryData"));
    for (key, value) in plain {
        bad_key("data", key, out);
        if binary.contains_key(key) {
            let text = "duplicate of key present in binaryData";
            out.push(FieldError::invalid(format!("data[{key}]"), key, text));
        }
        size += value.as_str().len();
    }
    for (key, value) in binary {
        bad_key("binaryData", key, out);
        size += base64::decode(value.as_str()).map_or(0, |bytes| bytes.len());
    }
    if size > MAX_SIZE {
        out.push(FieldError::too_long("[]", MAX_SIZE));
    }
}

/// What is wrong with a key of `field`.
pub(super) fn bad_key(field: &str, key: &str, out: &mut Vec<FieldError>) {
    check::invalid(names::config_key(key), Path::new(field).key(key), key, out);
}

/// Once `immutable` is set, neither it nor `fields` may change.
pub(super) fn frozen(new: &Value, old: &Value, fields: &[&str], out: &mut Vec<FieldError>) {
    if !old.bool_at("immutable") {
        return;
    }
    let text = "field is immutable when `immutable` is set";
    if !new.bool_at("immutable") {
        out.push(FieldError::forbidden("immutable", text));
    }
    for field in fields {
        if !check::same(new.get(field), old.get(field)) {
            out.push(FieldError::forbidden(field, text));
        }
    }
}
