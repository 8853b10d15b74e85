//! StorageClass.
//!
//! Models pkg/registry/storage/storageclass, pkg/apis/storage/{v1/defaults,validation} and
//! `printStorageClass`.

use sim::Instant;

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Cell, Column};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// Says that claims without a class get this one.
pub const IS_DEFAULT: &str = "storageclass.kubernetes.io/is-default-class";

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "storageclasses",
    singular: "storageclass",
    short_names: &["sc"],
    namespaced: false,
    schema: "io.k8s.api.storage.v1.StorageClass",
    storage: "storageclasses",
    defaults: |class| {
        for (key, text) in [
            ("reclaimPolicy", "Delete"),
            ("volumeBindingMode", "Immediate"),
        ] {
            if !class.has(key) {
                class.set(key, text);
            }
        }
    },
    validate,
    validate_update,
    columns: COLUMNS,
    row,
    sample: SAMPLE,
    ..Kind::plain("storage.k8s.io", "v1", "StorageClass")
};

const COLUMNS: &[Column] = &[
    Column::NAME,
    Column::text("Provisioner"),
    Column::text("ReclaimPolicy"),
    Column::text("VolumeBindingMode"),
    Column::text("AllowVolumeExpansion"),
    Column::AGE,
];

const SAMPLE: &str = "
apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: manual
provisioner: kubernetes.io/no-provisioner
volumeBindingMode: WaitForFirstConsumer
";

/// Whether claims without a class get this one.
pub fn is_default(class: &Value) -> bool {
    class.annotation(IS_DEFAULT) == "true"
        || class.annotation("storageclass.beta.kubernetes.io/is-default-class") == "true"
}

fn row(class: &Value, now: Instant) -> Vec<Cell> {
    let mark = if is_default(class) { " (default)" } else { "" };
    vec![
        format!("{}{mark}", class.name()).into(),
        class.str("provisioner").into(),
        class.str("reclaimPolicy").into(),
        class.str("volumeBindingMode").into(),
        class.bool_at("allowVolumeExpansion").to_string().into(),
        table::age(class, now),
    ]
}

fn validate(class: &Value, out: &mut Errors) {
    let path = Path::new("provisioner");
    match class.str("provisioner") {
        "" => out.push(FieldError::required(path, class.str("provisioner"))),
        name => check::invalid(names::qualified_name(&name.to_lowercase()), path, name, out),
    }
    let root = |key: &'static str, known: &[&str], out: &mut Errors| {
        let word = class.str(key);
        if !known.contains(&word) {
            out.push(FieldError::not_supported(key, word, known));
        }
    };
    parameters(class, out);
    root("reclaimPolicy", &["Delete", "Retain"], out);
    root(
        "volumeBindingMode",
        &["Immediate", "WaitForFirstConsumer"],
        out,
    );
    topologies(class, out);
}

fn parameters(class: &Value, out: &mut Errors) {
    const MOST: usize = 512;
    const LARGEST: usize = 256 * 1024;
    let (parameters, path) = (class.map_at("parameters"), Path::new("parameters"));
    if parameters.len() > MOST {
        out.push(FieldError::too_long(path, MOST));
        return;
    }
    if parameters.get("").is_some() {
        let text = "field can not be empty.";
        out.push(FieldError::invalid(path, "", text));
    }
    let size: usize = parameters
        .iter()
        .map(|(key, value)| key.len() + value.as_str().len())
        .sum();
    if size > LARGEST {
        out.push(FieldError::too_long(path, LARGEST));
    }
}

fn topologies(class: &Value, out: &mut Errors) {
    let terms = class.list_at("allowedTopologies");
    let root = Path::new("allowedTopologies");
    for (i, term) in terms.iter().enumerate() {
        let path = root.index(i);
        if terms[..i].contains(term) {
            out.push(FieldError::duplicate(
                path.child("matchLabelExpressions"),
                "",
            ));
        }
        let list_path = path.child("matchLabelExpressions");
        let list = term.list_at("matchLabelExpressions");
        for (j, expression) in list.iter().enumerate() {
            let path = list_path.index(j);
            let values = expression.list_at("values");
            let values_path = path.child("values");
            if values.is_empty() {
                out.push(FieldError::required(values_path, ""));
            }
            for (k, value) in values.iter().enumerate() {
                if values[..k].contains(value) {
                    out.push(FieldError::duplicate(values_path.index(k), value));
                }
            }
            let key = expression.str("key");
            check::invalid(names::qualified_name(key), path.child("key"), key, out);
            if list[..j].iter().any(|other| other.str("key") == key) {
                out.push(FieldError::duplicate(path.child("key"), key));
            }
        }
    }
}

fn validate_update(new: &Value, old: &Value, _: &str, out: &mut Errors) {
    for key in ["parameters", "provisioner", "reclaimPolicy"] {
        if !check::same(new.get(key), old.get(key)) {
            out.push(FieldError::forbidden(
                key,
                format!("updates to {key} are forbidden."),
            ));
        }
    }
    let key = "volumeBindingMode";
    check::immutable(new.get(key), old.get(key), key, out);
}
