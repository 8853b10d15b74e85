//! VolumeAttachment: a volume that a storage driver attaches to a node.
//!
//! Models pkg/registry/storage/volumeattachment, pkg/apis/storage/validation and
//! `printVolumeAttachment`.

use super::check::{self, Errors};
use super::table::{self, Column};
use super::{Kind, Subresource};
use crate::field::{FieldError, Path};
use crate::{Value, names, value};

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "volumeattachments",
    singular: "volumeattachment",
    namespaced: false,
    subresources: &[Subresource::status("VolumeAttachment")],
    schema: "io.k8s.api.storage.v1.VolumeAttachment",
    storage: "volumeattachments",
    prepare_for_create: |attachment| attachment.set("status", value!({ "attached": false })),
    validate,
    validate_update: |new, old, _, out| {
        check::immutable(new.get("spec"), old.get("spec"), "spec", out);
    },
    columns: &[
        Column::NAME,
        Column {
            format: "name",
            ..Column::text("Attacher")
        },
        Column::text("PV"),
        Column::text("Node"),
        Column {
            kind: "boolean",
            ..Column::text("Attached")
        },
        Column::AGE,
    ],
    row: |attachment, now| {
        vec![
            table::name(attachment),
            attachment.at("spec.attacher").clone(),
            attachment.str_at("spec.source.persistentVolumeName").into(),
            attachment.at("spec.nodeName").clone(),
            attachment.bool_at("status.attached").into(),
            table::age(attachment, now),
        ]
    },
    sample: "
apiVersion: storage.k8s.io/v1
kind: VolumeAttachment
metadata:
  name: disk-on-node01
spec:
  attacher: disks.example.com
  nodeName: node01
  source:
    persistentVolumeName: disk
",
    ..Kind::plain("storage.k8s.io", "v1", "VolumeAttachment")
};

fn validate(attachment: &Value, out: &mut Errors) {
    let (spec, path) = (attachment.get("spec"), Path::new("spec"));
    check::named(spec, "attacher", names::dns1123_subdomain, &path, out);
    let (source, field) = (spec.get("source"), path.child("source"));
    let named = !source.str("persistentVolumeName").is_empty();
    match (named, source.get("inlineVolumeSpec").is_null()) {
        (false, true) => {
            let text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
            out.push(FieldError::required(field, text));
        }
        (true, false) => {
            let text = "must specify exactly one of inlineVolumeSpec and persistentVolumeName";
            out.push(FieldError::forbidden(field, text));
        }
        _ => {}
    }
    check::named(spec, "nodeName", names::dns1123_subdomain, &path, out);
}
