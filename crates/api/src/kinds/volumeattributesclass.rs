//! VolumeAttributesClass: what of a volume can be changed while it is in use.
//!
//! Models pkg/registry/storage/volumeattributesclass, pkg/apis/storage/validation and
//! `printVolumeAttributesClass`.

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Column};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// No more bytes than this in all parameters.
const MOST_PARAMETERS: usize = 256 * 1024;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "volumeattributesclasses",
    singular: "volumeattributesclass",
    short_names: &["vac"],
    namespaced: false,
    schema: "io.k8s.api.storage.v1.VolumeAttributesClass",
    storage: "volumeattributesclasses",
    validate,
    validate_update: |new, old, _, out| {
        for key in ["driverName", "parameters"] {
            if !check::same(new.get(key), old.get(key)) {
                let text = format!("updates to {key} are forbidden.");
                out.push(FieldError::forbidden(key, text));
            }
        }
    },
    columns: &[Column::NAME, Column::text("DriverName"), Column::AGE],
    row: |class, now| {
        vec![
            table::name(class),
            class.str("driverName").into(),
            table::age(class, now),
        ]
    },
    sample: "
apiVersion: storage.k8s.io/v1
kind: VolumeAttributesClass
metadata:
  name: fast
driverName: disks.example.com
parameters:
  iops: \"4000\"
",
    ..Kind::plain("storage.k8s.io", "v1", "VolumeAttributesClass")
};

fn validate(class: &Value, out: &mut Errors) {
    let path = Path::new("driverName");
    match class.str("driverName") {
        "" => out.push(FieldError::required(path, class.str("driverName"))),
        name => {
            let name = name.to_lowercase();
            check::invalid(names::dns1123_subdomain(&name), path, &*name, out);
        }
    }
    let parameters = class.get("parameters").entries();
    let path = Path::new("parameters");
    if parameters.is_empty() {
        let text = "must contain at least one key/value pair";
        out.push(FieldError::required(path, text));
    }
    let size = |(key, value): (&crate::Str, &Value)| key.len() + value.as_str().len();
    if parameters.iter().map(size).sum::<usize>() > MOST_PARAMETERS {
        out.push(FieldError::too_long(path, MOST_PARAMETERS));
    }
    if parameters.contains_key("") {
        out.push(FieldError::invalid(path, "", "field must not be empty."));
    }
}
