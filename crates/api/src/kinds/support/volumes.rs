//! What PersistentVolumes and claims for them have in common.
//!
//! Models pkg/apis/core/v1/helper (`GetAccessModesAsString`) and pkg/volume/util.

use crate::Value;

/// Access modes by their names and short names, in the order in which they are shown.
pub const ACCESS_MODES: [(&str, &str); 4] = [
    ("ReadWriteOnce", "RWO"),
    ("ReadOnlyMany", "ROX"),
    ("ReadWriteMany", "RWX"),
    ("ReadWriteOncePod", "RWOP"),
];

/// `RWO,ROX`
pub fn access_modes(modes: &Value) -> String {
    let has = |name: &str| modes.list().iter().any(|mode| mode.as_str() == name);
    let shown: Vec<&str> = ACCESS_MODES
        .iter()
        .filter(|(name, _)| has(name))
        .map(|(_, short)| *short)
        .collect();
    shown.join(",")
}

/// The class of a volume or claim: the field, or the annotation that was there before it.
pub fn class(object: &Value) -> &str {
    match object.annotation("volume.beta.kubernetes.io/storage-class") {
        "" => object.str_at("spec.storageClassName"),
        class => class,
    }
}
