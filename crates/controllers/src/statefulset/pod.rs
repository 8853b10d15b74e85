//! The pods of a StatefulSet, and the claims for their volumes.
//! Models pkg/controller/statefulset/stateful_set_utils.go.

use api::{Value, object};
use client::STATEFUL_SETS;

use crate::history::REVISION_HASH;
use crate::pods;

const POD_NAME: &str = "statefulset.kubernetes.io/pod-name";
const POD_INDEX: &str = "apps.kubernetes.io/pod-index";

/// The number in a pod's name.
pub(super) fn ordinal(set: &Value, pod: &Value) -> Option<i64> {
    let rest = pod.name().strip_prefix(set.name())?;
    rest.strip_prefix('-')?.parse().ok()
}

fn claim_name(set: &Value, template: &Value, ordinal: i64) -> String {
    format!("{}-{}-{ordinal}", template.name(), set.name())
}

/// The pod of this number, as a revision's template says.
pub(super) fn at(set: &Value, revision: &Value, ordinal: i64) -> Value {
    let template = revision.at("data.spec.template");
    let name = format!("{}-{ordinal}", set.name());
    let mut metadata = object! {
        "name": &name,
        "generateName": (format!("{}-", set.name())),
        "namespace": (set.namespace()),
        "ownerReferences": [(pods::owner_reference(&STATEFUL_SETS, set))],
    };
    for field in ["labels", "annotations", "finalizers"] {
        metadata.set_or_remove(field, template.metadata().get(field));
    }
    let mut spec = template.get("spec").clone();
    spec.set("hostname", name.as_str());
    spec.set_or_remove("subdomain", set.str_at("spec.serviceName"));
    let mut volumes = spec.list_at("volumes").to_vec();
    for claim in set.list_at("spec.volumeClaimTemplates") {
        let source = object! { "claimName": (claim_name(set, claim, ordinal)) };
        volumes.retain(|volume| volume.str("name") != claim.name());
        volumes.push(object! { "name": (claim.name()), "persistentVolumeClaim": source });
    }
    spec.set_or_remove("volumes", Value::list_of(volumes));
    let mut pod = object! { "apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec };
    pod.set_label(POD_NAME, &name);
    pod.set_label(POD_INDEX, &ordinal.to_string());
    pod.set_label(REVISION_HASH, revision.name());
    pod
}

/// The claims of the pod of this number.
pub(super) fn claims(set: &Value, ordinal: i64) -> Vec<Value> {
    let templates = set.list_at("spec.volumeClaimTemplates").iter();
    let named = templates.map(|template| {
        let mut claim = template.clone();
        claim.remove("status");
        claim.set("metadata.name", claim_name(set, template, ordinal));
        claim.set("metadata.namespace", set.namespace());
        for (key, value) in set.map_at("spec.selector.matchLabels").iter() {
            claim.set_label(key, value.as_str());
        }
        claim
    });
    named.collect()
}
