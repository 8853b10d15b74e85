//! CSIDriver: what a storage driver can do.
//!
//! Models pkg/registry/storage/csidriver, pkg/apis/storage/v1/defaults.go and `printCSIDriver`.

use sim::Instant;

use super::Kind;
use super::check::Errors;
use super::table::{self, Cell, Column};
use crate::Value;
use crate::field::{FieldError, Path};

const fn truth(name: &'static str) -> Column {
    Column {
        kind: "boolean",
        ..Column::text(name)
    }
}

/// The descriptor.
pub static KIND: Kind = Kind {
    plural: "csidrivers",
    singular: "csidriver",
    namespaced: false,
    schema: "io.k8s.api.storage.v1.CSIDriver",
    storage: "csidrivers",
    defaults: |driver| {
        for (key, value) in [
            ("attachRequired", Value::from(true)),
            ("podInfoOnMount", false.into()),
            ("storageCapacity", false.into()),
            ("requiresRepublish", false.into()),
            ("seLinuxMount", false.into()),
            ("fsGroupPolicy", "ReadWriteOnceWithFSType".into()),
            ("volumeLifecycleModes", vec!["Persistent"].into()),
        ] {
            if driver.get("spec").get(key).is_null() {
                driver.set_path(&["spec", key], value);
            }
        }
    },
    validate,
    columns: &[
        Column::NAME,
        truth("AttachRequired"),
        truth("PodInfoOnMount"),
        truth("StorageCapacity"),
        Column::text("TokenRequests"),
        truth("RequiresRepublish"),
        Column::text("Modes"),
        Column::AGE,
    ],
    row,
    sample: SAMPLE,
    ..Kind::plain("storage.k8s.io", "v1", "CSIDriver")
};

const SAMPLE: &str = "
apiVersion: storage.k8s.io/v1
kind: CSIDriver
metadata:
  name: disks.example.com
spec: {}
";

fn row(driver: &Value, now: Instant) -> Vec<Cell> {
    let spec = driver.get("spec");
    let joined = |list: &[Value], key: &str| -> String {
        let text = |item: &Value| match key {
            "" => item.as_str().to_owned(),
            key => item.str(key).to_owned(),
        };
        list.iter().map(text).collect::<Vec<_>>().join(",")
    };
    let tokens = match spec.get("tokenRequests") {
        tokens @ Value::List(_) => joined(tokens.list(), "audience"),
        _ => "<unset>".to_owned(),
    };
    let modes = joined(spec.list_at("volumeLifecycleModes"), "");
    vec![
        table::name(driver),
        spec.get("attachRequired").as_bool().unwrap_or(true).into(),
        spec.bool_at("podInfoOnMount").into(),
        spec.bool_at("storageCapacity").into(),
        tokens.into(),
        spec.bool_at("requiresRepublish").into(),
        table::or_none(&modes),
        table::age(driver, now),
    ]
}

fn validate(driver: &Value, out: &mut Errors) {
    let path = Path::new("spec");
    let modes = path.child("volumeLifecycleModes");
    for (i, mode) in driver
        .list_at("spec.volumeLifecycleModes")
        .iter()
        .enumerate()
    {
        let known = ["Persistent", "Ephemeral"];
        if !known.contains(&mode.as_str()) {
            out.push(FieldError::not_supported(modes.index(i), mode, &known));
        }
    }
    let policy = driver.str_at("spec.fsGroupPolicy");
    let known = ["ReadWriteOnceWithFSType", "File", "None"];
    if !policy.is_empty() && !known.contains(&policy) {
        let field = path.child("fsGroupPolicy");
        out.push(FieldError::not_supported(field, policy, &known));
    }
}
