//! Keeps claims that pods use, and volumes that claims use, until they are used no more: their
//! finalizers are taken away then.
//! Models pkg/controller/volume/{pvcprotection,pvprotection}.

use api::Value;
use api::kinds::support::volumes::claim_of;
use client::{Delta, Index, Key, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, Resource};

use crate::controller::{Agenda, Controller, Cx};

const ON_CLAIMS: &str = "kubernetes.io/pvc-protection";
const ON_VOLUMES: &str = "kubernetes.io/pv-protection";

/// The controller. Keys are claims, and volumes, which have no namespace.
#[derive(Clone, Debug, Default)]
pub struct VolumeProtectionController;

/// Whether a pod has a volume that stands for a claim.
pub(crate) fn uses(pod: &Value, claim: &str) -> bool {
    let volumes = pod.list_at("spec.volumes").iter();
    let mut claims = volumes.filter_map(|volume| claim_of(pod.name(), volume));
    claims.any(|name| name == claim)
}

impl Controller for VolumeProtectionController {
    fn name(&self) -> &'static str {
        "pvc-protection-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![
            (PERSISTENT_VOLUME_CLAIMS, &[]),
            (PERSISTENT_VOLUMES, &[]),
            (PODS, &[]),
        ]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource != PODS {
            if delta.new.is_some() {
                agenda.add(delta.key.clone());
            }
        } else if delta.new.is_none() {
            let pod = delta.object();
            for volume in pod.list_at("spec.volumes") {
                if let Some(claim) = claim_of(pod.name(), volume) {
                    agenda.add(Key::new(&delta.key.namespace, claim.as_str()));
                }
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let (resource, finalizer) = match key.namespace.is_empty() {
            true => (PERSISTENT_VOLUMES, ON_VOLUMES),
            false => (PERSISTENT_VOLUME_CLAIMS, ON_CLAIMS),
        };
        let Some(object) = cx.cache(&resource).get(key) else {
            return;
        };
        let has = object.has_finalizer(finalizer);
        let done = object.is_terminating() && has && !is_used(cx, object);
        let lacks = !object.is_terminating() && !has;
        if !done && !lacks {
            return;
        }
        let mut finalizers = object.finalizers().to_vec();
        match has {
            true => finalizers.retain(|one| one.as_str() != finalizer),
            false => finalizers.push(finalizer.into()),
        }
        let mut changed = object.clone();
        changed.set_or_remove("metadata.finalizers", Value::list_of(finalizers));
        cx.update(&resource, changed);
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

/// A claim is used by a pod that has a node, even if it has ended; a volume by the claim it is bound
/// to.
fn is_used(cx: &Cx<'_>, object: &Value) -> bool {
    if object.namespace().is_empty() {
        return object.str_at("status.phase") == "Bound";
    }
    let mut pods = cx.cache(&PODS).in_namespace(object.namespace());
    pods.any(|(_, pod)| !pod.str_at("spec.nodeName").is_empty() && uses(pod, object.name()))
}

#[cfg(test)]
mod tests {
    use api::object;

    use super::*;
    use crate::testing::Bench;

    #[test]
    fn a_claim_goes_when_no_pod_uses_it() {
        let mut bench = Bench::new(vec![Box::new(VolumeProtectionController)]);
        let claim = object! { "metadata": { "name": "data", "namespace": "default" } };
        bench.put(&PERSISTENT_VOLUME_CLAIMS, claim);
        let finalizers = |bench: &Bench| {
            let claim = bench.find(&PERSISTENT_VOLUME_CLAIMS, "default", "data");
            claim.map_or(9, |claim| claim.finalizers().len())
        };
        assert_eq!(finalizers(&bench), 1, "the finalizer is added");
        let volume = object! { "name": "v", "persistentVolumeClaim": { "claimName": "data" } };
        let pod = object! {
            "metadata": { "name": "user", "namespace": "default" },
            "spec": { "nodeName": "node01", "volumes": [volume] },
            "status": { "phase": "Succeeded" },
        };
        bench.put(&PODS, pod);
        bench.delete(&PERSISTENT_VOLUME_CLAIMS, "default", "data");
        assert_eq!(finalizers(&bench), 1, "a pod uses it");
        bench.vanish(&PODS, "default", "user");
        assert_ne!(finalizers(&bench), 1, "nobody uses it");
    }
}
