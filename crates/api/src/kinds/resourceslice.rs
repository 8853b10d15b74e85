//! ResourceSlice: devices that a driver offers.
//!
//! Models pkg/registry/resource/resourceslice, pkg/apis/resource/validation and
//! `printResourceSlice`.

use std::collections::BTreeSet;

use super::Kind;
use super::check::{self, Errors};
use super::table::{self, Column};
use crate::field::{FieldError, Path};
use crate::{Value, names};

/// No more devices in a slice than this.
const MOST_DEVICES: usize = 128;

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "resourceslices",
    singular: "resourceslice",
    namespaced: false,
    schema: "io.k8s.api.resource.v1.ResourceSlice",
    storage: "resourceslices",
    counts_generation: true,
    fields: &["spec.driver", "spec.nodeName"],
    validate,
    validate_update: |new, old, _, out| {
        for key in ["spec.driver", "spec.nodeName", "spec.pool.name"] {
            check::immutable(new.at(key), old.at(key), key, out);
        }
    },
    columns: &[
        Column::NAME,
        Column::text("Node"),
        Column::text("Driver"),
        Column::text("Pool"),
        Column::AGE,
    ],
    row: |slice, now| {
        let node = match slice.str_at("spec.nodeName") {
            "" if slice.bool_at("spec.allNodes") => "<all>",
            "" => "<unset>",
            name => name,
        };
        vec![
            table::name(slice),
            node.into(),
            slice.str_at("spec.driver").into(),
            slice.str_at("spec.pool.name").into(),
            table::age(slice, now),
        ]
    },
    sample: "
apiVersion: resource.k8s.io/v1
kind: ResourceSlice
metadata:
  name: node01-gpu
spec:
  driver: gpu.example.com
  nodeName: node01
  pool:
    name: node01
    generation: 1
    resourceSliceCount: 1
  devices:
  - name: gpu-0
",
    ..Kind::plain("resource.k8s.io", "v1", "ResourceSlice")
};

fn validate(slice: &Value, out: &mut Errors) {
    let (spec, path) = (slice.get("spec"), Path::new("spec"));
    check::named(spec, "driver", names::dns1123_subdomain, &path, out);
    let (pool, at) = (spec.get("pool"), path.child("pool"));
    check::named(pool, "name", names::dns1123_subdomain, &at, out);
    if pool.i64_at("resourceSliceCount").unwrap_or(0) <= 0 {
        let count = pool.get("resourceSliceCount");
        let text = "must be greater than zero";
        out.push(FieldError::invalid(
            at.child("resourceSliceCount"),
            count,
            text,
        ));
    }
    check::non_negative(pool, "generation", &at, out);
    let places = [
        "nodeName",
        "nodeSelector",
        "allNodes",
        "perDeviceNodeSelection",
    ];
    let set = places.iter().filter(|key| !spec.get(key).is_zero()).count();
    if set != 1 {
        let text = "exactly one of `nodeName`, `nodeSelector`, `allNodes`, \
                    `perDeviceNodeSelection` is required";
        out.push(FieldError::required(path, text));
    }
    let (devices, path) = (spec.list_at("devices"), path.child("devices"));
    if devices.len() > MOST_DEVICES {
        out.push(FieldError::too_many(path, devices.len(), MOST_DEVICES));
    }
    let mut seen = BTreeSet::new();
    for (i, device) in devices.iter().enumerate() {
        let path = path.index(i);
        check::named(device, "name", names::dns1123_label, &path, out);
        if !seen.insert(device.str("name")) {
            out.push(FieldError::duplicate(
                path.child("name"),
                device.str("name"),
            ));
        }
    }
}
