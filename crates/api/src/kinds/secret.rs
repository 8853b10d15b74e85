//! Secret.
//!
//! Models pkg/registry/core/secret and pkg/apis/core/validation/validation.go.

use super::table::{self, Column};
use super::{Kind, configmap};
use crate::field::FieldError;
use crate::{Value, base64};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "secrets",
    singular: "secret",
    schema: "io.k8s.api.core.v1.Secret",
    storage: "secrets",
    fields: &["type"],
    defaults,
    validate,
    validate_update,
    columns: &[
        Column::NAME,
        Column::text("Type"),
        Column::text("Data"),
        Column::AGE,
    ],
    row: |object, now| {
        let count = object.map_at("data").len();
        let kind = object.get("type").clone();
        vec![
            table::name(object),
            kind,
            count.into(),
            table::age(object, now),
        ]
    },
    sample: SAMPLE,
    ..Kind::plain("", "v1", "Secret")
};

const SAMPLE: &str = "
apiVersion: v1
kind: Secret
metadata:
  name: login
stringData:
  password: hunter2
";

/// `stringData` is for writing only: it ends up in `data`.
fn defaults(object: &mut Value) {
    if let Some(plain) = object.remove("stringData") {
        for (key, value) in plain.entries() {
            let encoded = base64::encode(value.as_str().as_bytes());
            object.set_path(&["data", key], encoded);
        }
    }
    if object.str("type").is_empty() {
        object.set("type", "Opaque");
    }
}

fn validate(object: &Value, out: &mut Vec<FieldError>) {
    let data = object.map_at("data");
    let mut size = 0;
    for (key, value) in data {
        configmap::bad_key("data", key, out);
        size += value.as_str().len() / 4 * 3;
    }
    if size > configmap::MAX_SIZE {
        out.push(FieldError::too_long("data", configmap::MAX_SIZE));
    }
    let needed: &[&str] = match object.str("type") {
        "kubernetes.io/service-account-token" => {
            let key = "kubernetes.io/service-account.name";
            if object.annotation(key).is_empty() {
                out.push(FieldError::required(
                    format!("metadata.annotations[{key}]"),
                    "",
                ));
            }
            &[]
        }
        "kubernetes.io/dockercfg" => &[".dockercfg"],
        "kubernetes.io/dockerconfigjson" => &[".dockerconfigjson"],
        "kubernetes.io/ssh-auth" => &["ssh-privatekey"],
        "kubernetes.io/tls" => &["tls.crt", "tls.key"],
        "kubernetes.io/basic-auth" => {
            if !data.contains_key("username") && !data.contains_key("password") {
                out.push(FieldError::required("data[username]", ""));
                out.push(FieldError::required("data[password]", ""));
            }
            &[]
        }
        _ => &[],
    };
    for key in needed {
        let path = format!("data[{key}]");
        match data.get(key) {
            None => out.push(FieldError::required(path, "")),
            Some(value) if key.starts_with(".docker") => {
                let bytes = base64::decode(value.as_str()).unwrap_or_default();
                if let Err(error) = Value::from_json(&bytes) {
                    let text = "<secret contents redacted>";
                    out.push(FieldError::invalid(path, text, error.to_string()));
                }
            }
            Some(_) => {}
        }
    }
}

fn validate_update(new: &Value, old: &Value, _: &str, out: &mut Vec<FieldError>) {
    if new.str("type") != old.str("type") {
        out.push(FieldError::invalid(
            "type",
            new.str("type"),
            "field is immutable",
        ));
    }
    configmap::frozen(new, old, &["data"], out);
}
