//! Makes the claims of volumes that come and go with their pod.
//! Models pkg/controller/volume/ephemeral.

use api::kinds::support::volumes::claim_of;
use api::{Value, object};
use client::{Delta, Index, Involved, Key, PERSISTENT_VOLUME_CLAIMS, PODS, Resource};

use crate::controller::{Agenda, Controller, Cx, Saying};
use crate::pods::owner_reference;

/// The controller. Keys are pods.
#[derive(Clone, Debug, Default)]
pub struct EphemeralVolumeController;

impl Controller for EphemeralVolumeController {
    fn name(&self) -> &'static str {
        "ephemeral_volume"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(PODS, &[]), (PERSISTENT_VOLUME_CLAIMS, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        if *resource == PODS && delta.new.is_some() {
            let volumes = delta.object().list_at("spec.volumes");
            if volumes.iter().any(|volume| volume.has("ephemeral")) {
                agenda.add(delta.key.clone());
            }
        } else if *resource == PERSISTENT_VOLUME_CLAIMS && delta.new.is_none() {
            let owner = delta.object().controller();
            if let Some(owner) = owner.filter(|owner| owner.str("kind") == "Pod") {
                agenda.add(Key::new(&delta.key.namespace, owner.str("name")));
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        let Some(pod) = cx.cache(&PODS).get(key).filter(|pod| !pod.is_terminating()) else {
            return;
        };
        for volume in pod.list_at("spec.volumes") {
            if volume.has("ephemeral") {
                provide(cx, pod, volume);
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

fn provide(cx: &mut Cx<'_>, pod: &Value, volume: &Value) {
    let name = claim_of(pod.name(), volume).unwrap_or_default();
    let claims = cx.cache(&PERSISTENT_VOLUME_CLAIMS);
    if let Some(claim) = claims.named(pod.namespace(), &name) {
        if !claim.is_controlled_by(pod.uid()) {
            let (namespace, pod_name) = (pod.namespace(), pod.name());
            let text = format!(
                "PVC {namespace}/{name} was not created for pod {namespace}/{pod_name} (pod is \
                 not owner)"
            );
            let involved = Involved::of(&PODS, pod);
            cx.event(Saying::warning(&involved, "FailedBinding", text));
        }
        return;
    }
    let template = volume.at("ephemeral.volumeClaimTemplate");
    let mut claim = object! {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": (name.as_str()),
            "namespace": (pod.namespace()),
            "ownerReferences": [(owner_reference(&PODS, pod))],
        },
        "spec": (template.get("spec")),
    };
    for field in ["metadata.labels", "metadata.annotations"] {
        claim.set_or_remove(field, template.at(field));
    }
    cx.create(&PERSISTENT_VOLUME_CLAIMS, claim);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Bench, check};

    #[test]
    fn a_pod_gets_a_claim_of_its_own() {
        let mut bench = Bench::new(vec![Box::new(EphemeralVolumeController)]);
        let spec = object! { "accessModes": ["ReadWriteOnce"] };
        let template = object! { "metadata": { "labels": { "a": "b" } }, "spec": spec };
        let volume =
            object! { "name": "scratch", "ephemeral": { "volumeClaimTemplate": template } };
        let pod = |name: &str| {
            object! {
                "metadata": { "name": name, "namespace": "default" },
                "spec": { "volumes": [volume.clone()] },
            }
        };
        bench.put(&PODS, pod("web"));
        let claim = bench.get(&PERSISTENT_VOLUME_CLAIMS, "default", "web-scratch");
        assert_eq!(claim.label("a"), "b");
        assert_eq!(
            claim.controller().map_or("", |owner| owner.str("name")),
            "web"
        );
        let other = object! { "metadata": { "name": "x-scratch", "namespace": "default" } };
        bench.put(&PERSISTENT_VOLUME_CLAIMS, other);
        bench.put(&PODS, pod("x"));
        let text = "Warning FailedBinding PVC default/x-scratch was not created for pod default/x \
                    (pod is not owner)";
        check(&bench.events(), text);
    }
}
