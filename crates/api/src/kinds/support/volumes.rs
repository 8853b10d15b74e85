//! What PersistentVolumes and claims for them have in common.
//!
//! Models pkg/apis/core/v1/helper (`GetAccessModesAsString`), pkg/volume/util and
//! k8s.io/component-helpers/storage/volume.

use super::node_affinity::Term;
use crate::quantity::Quantity;
use crate::selector::LabelSelector;
use crate::{Map, Value};

/// What a claim holds once it is bound for good.
pub const BIND_COMPLETED: &str = "pv.kubernetes.io/bind-completed";
/// What a claim or volume holds whose counterpart the controller chose.
pub const BOUND_BY_CONTROLLER: &str = "pv.kubernetes.io/bound-by-controller";
/// The node a claim's volume is to be made for.
pub const SELECTED_NODE: &str = "volume.kubernetes.io/selected-node";

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

/// Whether a volume names a claim as the one it is for; by its uid, if it names that.
pub fn is_for(volume: &Value, claim: &Value) -> bool {
    let reference = volume.at("spec.claimRef");
    reference.str("name") == claim.name()
        && reference.str("namespace") == claim.namespace()
        && (reference.str("uid").is_empty() || reference.str("uid") == claim.uid())
}

/// Why a volume is not one that a claim could be bound to, leaving aside whether it is taken.
///
/// # Errors
/// In upstream's words.
pub fn satisfies(volume: &Value, claim: &Value) -> Result<(), String> {
    let size = |value: &Value| Quantity::of(value).map_or(0, |size| size.milli());
    let mode = |object: &Value| match object.str_at("spec.volumeMode") {
        "" => "Filesystem".to_owned(),
        mode => mode.to_owned(),
    };
    if volume.is_terminating() {
        return Err(format!(
            "the volume is marked for deletion {:?}",
            volume.name()
        ));
    }
    if size(volume.at("spec.capacity.storage")) < size(claim.at("spec.resources.requests.storage"))
    {
        return Err("requested PV is too small".to_owned());
    }
    if class(volume) != class(claim) {
        return Err("storageClassName does not match".to_owned());
    }
    let attributes = |object: &Value| object.str_at("spec.volumeAttributesClassName").to_owned();
    if attributes(volume) != attributes(claim) {
        return Err("volumeAttributesClassName does not match".to_owned());
    }
    if mode(volume) != mode(claim) {
        return Err("incompatible volumeMode".to_owned());
    }
    let offered = volume.list_at("spec.accessModes");
    let wanted = claim.list_at("spec.accessModes");
    if !wanted.iter().all(|mode| offered.contains(mode)) {
        return Err("incompatible accessMode".to_owned());
    }
    Ok(())
}

/// Whether a volume can be had on a node.
pub fn reaches(volume: &Value, labels: &Map, node: &str) -> bool {
    let required = volume.at("spec.nodeAffinity.required");
    let mut terms = required.list_at("nodeSelectorTerms").iter();
    required.is_null() || terms.any(|term| Term::of(term).matches(labels, node))
}

/// The volume that fits a claim best: one that was made for it, else the smallest of those that are
/// free, with the fewest access modes. `fits` says which may be chosen at all.
pub fn best_match<'a>(
    claim: &Value,
    volumes: impl Iterator<Item = &'a Value>,
    fits: impl Fn(&Value) -> bool,
) -> Option<&'a Value> {
    let selector = match claim.at("spec.selector") {
        Value::Null => LabelSelector::everything(),
        selector => {
            LabelSelector::from_object(selector).unwrap_or_else(|_| LabelSelector::nothing())
        }
    };
    let mut best: Option<((bool, usize, i64), &Value)> = None;
    for volume in volumes {
        let made_for = is_for(volume, claim);
        let taken = volume.has("spec.claimRef") && !made_for;
        let may = made_for
            || (volume.str_at("status.phase") == "Available"
                && selector.matches(volume.labels())
                && fits(volume));
        if taken || !may || satisfies(volume, claim).is_err() {
            continue;
        }
        let modes = volume.list_at("spec.accessModes").len();
        let size = Quantity::of(volume.at("spec.capacity.storage")).map_or(0, |size| size.milli());
        let rank = (!made_for, modes, size);
        if best.as_ref().is_none_or(|(known, _)| rank < *known) {
            best = Some((rank, volume));
        }
    }
    best.map(|(_, volume)| volume)
}

/// The claim that a volume of a pod stands for, by name.
pub fn claim_of(pod: &str, volume: &Value) -> Option<String> {
    if volume.has("persistentVolumeClaim") {
        return Some(volume.str_at("persistentVolumeClaim.claimName").to_owned());
    }
    let own = volume.has("ephemeral");
    own.then(|| format!("{pod}-{}", volume.str("name")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object;

    fn volume(name: &str, size: &str, modes: &[&str]) -> Value {
        let modes: Vec<Value> = modes.iter().map(|mode| Value::from(*mode)).collect();
        object! {
            "metadata": { "name": name },
            "spec": { "capacity": { "storage": size }, "accessModes": modes },
            "status": { "phase": "Available" },
        }
    }

    #[track_caller]
    fn check(volumes: &[Value], expect: &str) {
        let claim = object! {
            "metadata": { "name": "c", "namespace": "ns", "uid": "u" },
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": { "requests": { "storage": "2Gi" } },
            },
        };
        let found = best_match(&claim, volumes.iter(), |_| true);
        assert_eq!(found.map_or("", Value::name), expect);
    }

    #[test]
    fn the_smallest_that_fits_is_taken() {
        let small = volume("small", "1Gi", &["ReadWriteOnce"]);
        let fits = volume("fits", "3Gi", &["ReadWriteOnce"]);
        let large = volume("large", "9Gi", &["ReadWriteOnce"]);
        let many = volume("many", "2Gi", &["ReadWriteOnce", "ReadWriteMany"]);
        check(std::slice::from_ref(&small), "");
        check(&[small, large.clone(), many, fits.clone()], "fits");
        let mut made_for = large;
        made_for.set("spec.claimRef", object! { "name": "c", "namespace": "ns" });
        check(&[fits.clone(), made_for], "large");
        let mut taken = fits;
        taken.set("spec.claimRef", object! { "name": "d", "namespace": "ns" });
        check(&[taken], "");
    }
}
