//! Whose the claims of a StatefulSet's pods are: nobody's, if they are to be kept; the set's or a
//! surplus pod's, if they go with it.
//! Models pkg/controller/statefulset/stateful_set_utils.go (`updateClaimOwnerRefForSetAndPod`).

use api::Value;
use client::{Key, PERSISTENT_VOLUME_CLAIMS, PODS, Resource, STATEFUL_SETS};

use super::pod;
use super::row::Row;
use crate::controller::Cx;
use crate::pods;

/// Writes down whose the claims are. True if some of that was not so yet.
pub(super) fn settle(cx: &mut Cx<'_>, row: &Row) -> bool {
    let retention = row.set.at("spec.persistentVolumeClaimRetentionPolicy");
    let goes = |when: &str| retention.str(when) == "Delete";
    let (deleted, scaled) = (goes("whenDeleted"), goes("whenScaled"));
    let range = row.ordinals();
    let mut wanted = Vec::new();
    for pod in row.pods() {
        let Some(ordinal) = pod::ordinal(&row.set, pod) else {
            continue;
        };
        let surplus = scaled && !range.contains(&ordinal);
        for claim in pod::claims(&row.set, ordinal) {
            let claims = cx.cache(&PERSISTENT_VOLUME_CLAIMS);
            let Some(claim) = claims.get(&Key::of(&claim)) else {
                continue;
            };
            let mut new = claim.clone();
            own(&mut new, &STATEFUL_SETS, &row.set, deleted && !surplus);
            own(&mut new, &PODS, pod, surplus);
            if !new.same(claim) {
                wanted.push(new);
            }
        }
    }
    let busy = !wanted.is_empty();
    for claim in wanted {
        cx.update(&PERSISTENT_VOLUME_CLAIMS, claim);
    }
    busy
}

/// Makes an object an owner of a claim, or makes sure that it is none.
fn own(claim: &mut Value, resource: &Resource, owner: &Value, owns: bool) {
    let known = claim.list_at("metadata.ownerReferences");
    let mut owners = known.to_vec();
    owners.retain(|known| known.str("uid") != owner.uid());
    if owns && owners.len() < known.len() {
        return;
    }
    if owns {
        owners.push(pods::owner_reference(resource, owner));
    }
    claim.set_or_remove("metadata.ownerReferences", Value::list_of(owners));
}

/// Whether a claim of this number belongs to a pod that is gone: it goes, too, and there will be
/// another.
pub(super) fn are_stale(cx: &Cx<'_>, set: &Value, ordinal: i64) -> bool {
    let claims = cx.cache(&PERSISTENT_VOLUME_CLAIMS);
    let known = pod::claims(set, ordinal);
    let mut known = known.iter().filter_map(|claim| claims.get(&Key::of(claim)));
    known.any(|claim| {
        let mut owners = claim.list_at("metadata.ownerReferences").iter();
        owners.any(|owner| owner.str("kind") == "Pod")
    })
}
