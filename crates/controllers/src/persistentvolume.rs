//! Binds claims to volumes, and says in which phase each is. What becomes of a volume whose claim is
//! gone is in `reclaim`, the steps of a binding are in `bind`. Provisions nothing: that is for
//! provisioners outside, which are told.
//! Models pkg/controller/volume/persistentvolume.

use api::kinds::support::volumes::{
    BIND_COMPLETED, BOUND_BY_CONTROLLER, SELECTED_NODE, best_match, class, is_for, satisfies,
};
use api::{Value, object};
use client::{
    Delta, Index, Involved, Key, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES, PODS, Resource,
    STORAGE_CLASSES,
};
use sim::Duration;

use crate::controller::{Agenda, Controller, Cx, Saying};

mod bind;
mod expand;
mod reclaim;
#[cfg(test)]
mod tests;

/// `--pvclaimbinder-sync-period`: all is looked at again so often.
const RESYNC: Duration = Duration::from_secs(15);
/// Provisioners that are part of Kubernetes would be named so.
const IN_TREE: &str = "kubernetes.io/";
const PROVISIONER: [&str; 2] = [
    "volume.beta.kubernetes.io/storage-provisioner",
    "volume.kubernetes.io/storage-provisioner",
];

/// The controller. Keys are claims, volumes (without a namespace), and one without a name for the
/// moment at which all are looked at again.
#[derive(Clone, Debug, Default)]
pub struct PersistentVolumeController;

impl Controller for PersistentVolumeController {
    fn name(&self) -> &'static str {
        "persistentvolume-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![
            (PERSISTENT_VOLUMES, &[]),
            (PERSISTENT_VOLUME_CLAIMS, &[]),
            (STORAGE_CLASSES, &[]),
            (PODS, &[]),
        ]
    }

    fn start(&mut self, agenda: &mut Agenda<'_>) {
        agenda.add_after(Key::default(), RESYNC);
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, resource: &Resource, delta: &Delta) {
        let object = delta.object();
        if *resource == PERSISTENT_VOLUMES {
            agenda.add(delta.key.clone());
            // A claim waits for the steps of its own binding, and hears if its volume is lost.
            let reference = object.at("spec.claimRef");
            if !reference.is_null() {
                agenda.add(Key::new(reference.str("namespace"), reference.str("name")));
            }
        } else if *resource == PERSISTENT_VOLUME_CLAIMS {
            if delta.new.is_some() {
                agenda.add(delta.key.clone());
            } else if !object.str_at("spec.volumeName").is_empty() {
                agenda.add(Key::new("", object.str_at("spec.volumeName")));
            }
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, key: &Key) {
        if key.name.is_empty() {
            let volumes = cx.cache(&PERSISTENT_VOLUMES).iter();
            let all = volumes.chain(cx.cache(&PERSISTENT_VOLUME_CLAIMS).iter());
            let keys: Vec<Key> = all.map(|(key, _)| key.clone()).collect();
            keys.into_iter().for_each(|key| cx.add(key));
            cx.requeue_after(RESYNC);
        } else if key.namespace.is_empty() {
            if let Some(volume) = cx.cache(&PERSISTENT_VOLUMES).get(key) {
                sync_volume(cx, volume);
            }
        } else if let Some(claim) = cx.cache(&PERSISTENT_VOLUME_CLAIMS).get(key) {
            if claim.annotations().get(BIND_COMPLETED).is_some() {
                sync_bound(cx, claim);
            } else {
                sync_unbound(cx, claim);
            }
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

fn about(claim: &Value) -> Involved {
    Involved::of(&PERSISTENT_VOLUME_CLAIMS, claim)
}

/// A claim that has no volume yet.
fn sync_unbound(cx: &mut Cx<'_>, claim: &Value) {
    match claim.str_at("spec.volumeName") {
        "" => find_volume(cx, claim),
        name => ask_for_volume(cx, claim, name),
    }
}

/// Nobody cares which volume it is.
fn find_volume(cx: &mut Cx<'_>, claim: &Value) {
    let storage_class = cx.cache(&STORAGE_CLASSES).named("", class(claim));
    let mode = storage_class.map_or("", |class| class.str("volumeBindingMode"));
    let waits = mode == "WaitForFirstConsumer";
    let volumes = cx.cache(&PERSISTENT_VOLUMES).iter().map(|(_, one)| one);
    if let Some(volume) = best_match(claim, volumes, |_| !waits) {
        return bind::step(cx, volume, claim);
    }
    if waits && claim.annotation(SELECTED_NODE).is_empty() {
        let (reason, text) = waiting_for(cx, claim);
        cx.event(Saying::normal(&about(claim), reason, text));
    } else if !class(claim).is_empty() {
        return provision(cx, claim, storage_class);
    } else {
        let text = "no persistent volumes available for this claim and no storage class is set";
        cx.event(Saying::normal(&about(claim), "FailedBinding", text));
    }
    bind::set_phase(cx, claim, "Pending", None);
}

/// What a claim waits for that is bound when a pod needs it.
fn waiting_for(cx: &Cx<'_>, claim: &Value) -> (&'static str, String) {
    let waiting = waiting_pods(cx, claim);
    match waiting.len() {
        0 => {
            let text = "waiting for first consumer to be created before binding";
            ("WaitForFirstConsumer", text.to_owned())
        }
        1 => {
            let text = format!("waiting for pod {} to be scheduled", waiting[0]);
            ("WaitForPodScheduled", text)
        }
        _ => {
            let names = waiting.join(",");
            let text = format!("waiting for pods {names} to be scheduled");
            ("WaitForPodScheduled", text)
        }
    }
}

/// The pods that use a claim and have no node yet.
fn waiting_pods(cx: &Cx<'_>, claim: &Value) -> Vec<String> {
    let mut names = Vec::new();
    for (_, pod) in cx.cache(&PODS).in_namespace(claim.namespace()) {
        let waits = pod.str_at("spec.nodeName").is_empty() && crate::pods::is_active(pod);
        if waits && crate::volume_protection::uses(pod, claim.name()) {
            names.push(pod.name().to_owned());
        }
    }
    names
}

/// A volume would have to be made: who is to make it?
fn provision(cx: &mut Cx<'_>, claim: &Value, storage_class: Option<&Value>) {
    let involved = about(claim);
    let Some(storage_class) = storage_class else {
        let text = format!("storageclass.storage.k8s.io {:?} not found", class(claim));
        cx.event(Saying::warning(&involved, "ProvisioningFailed", text));
        return;
    };
    let provisioner = storage_class.str("provisioner");
    if provisioner.starts_with(IN_TREE) {
        let text = format!("no volume plugin matched name: {provisioner}");
        cx.event(Saying::warning(&involved, "ProvisioningFailed", text));
        return;
    }
    if PROVISIONER
        .iter()
        .any(|key| claim.annotation(key) != provisioner)
    {
        let mut told = claim.clone();
        for key in PROVISIONER {
            told.set_annotation(key, provisioner);
        }
        cx.update(&PERSISTENT_VOLUME_CLAIMS, told);
        return;
    }
    let text = format!(
        "Waiting for a volume to be created either by the external provisioner '{provisioner}' or \
         manually by the system administrator. If volume creation is delayed, please verify that \
         the provisioner is running and correctly registered."
    );
    cx.event(Saying::normal(&involved, "ExternalProvisioning", text));
}

/// The claim names a volume.
fn ask_for_volume(cx: &mut Cx<'_>, claim: &Value, name: &str) {
    let Some(volume) = cx.cache(&PERSISTENT_VOLUMES).named("", name) else {
        return bind::set_phase(cx, claim, "Pending", None);
    };
    if !volume.has("spec.claimRef") {
        if let Err(why) = satisfies(volume, claim) {
            let text = format!("Cannot bind to requested volume {name:?}: {why}");
            cx.event(Saying::warning(&about(claim), "VolumeMismatch", text));
            return bind::set_phase(cx, claim, "Pending", None);
        }
        return bind::step(cx, volume, claim);
    }
    if is_for(volume, claim) {
        return bind::step(cx, volume, claim);
    }
    if claim.annotations().get(BOUND_BY_CONTROLLER).is_none() {
        let text = format!("volume {name:?} already bound to a different claim.");
        cx.event(Saying::warning(&about(claim), "FailedBinding", text));
        bind::set_phase(cx, claim, "Pending", None);
    }
}

/// A claim that had a volume before.
fn sync_bound(cx: &mut Cx<'_>, claim: &Value) {
    let lost = |cx: &mut Cx<'_>, reason: &'static str, text: &str| {
        if claim.str_at("status.phase") != "Lost" {
            bind::set_phase(cx, claim, "Lost", None);
            cx.event(Saying::warning(&about(claim), reason, text));
        }
    };
    let name = claim.str_at("spec.volumeName");
    if name.is_empty() {
        let text =
            "Bound claim has lost reference to PersistentVolume. Data on the volume is lost!";
        return lost(cx, "ClaimLost", text);
    }
    let Some(volume) = cx.cache(&PERSISTENT_VOLUMES).named("", name) else {
        let text = "Bound claim has lost its PersistentVolume. Data on the volume is lost!";
        return lost(cx, "ClaimLost", text);
    };
    let uid = volume.str_at("spec.claimRef.uid");
    if !volume.has("spec.claimRef") || uid == claim.uid() || is_for(volume, claim) {
        bind::step(cx, volume, claim);
        expand::tell(cx, claim);
    } else {
        let text = "Two claims are bound to the same volume, this one is bound incorrectly";
        lost(cx, "ClaimMisbound", text);
    }
}

fn sync_volume(cx: &mut Cx<'_>, volume: &Value) {
    let reference = volume.at("spec.claimRef");
    if reference.str("uid").is_empty() {
        return bind::set_volume_phase(cx, volume, "Available", "");
    }
    let claims = cx.cache(&PERSISTENT_VOLUME_CLAIMS);
    let key = Key::new(reference.str("namespace"), reference.str("name"));
    let claim = claims
        .get(&key)
        .filter(|claim| claim.uid() == reference.str("uid"));
    let Some(claim) = claim else {
        return reclaim::released(cx, volume);
    };
    let bound_to = claim.str_at("spec.volumeName");
    if bound_to.is_empty() {
        cx.add(key);
    } else if bound_to == volume.name() {
        bind::set_volume_phase(cx, volume, "Bound", "");
    } else if reclaim::was_provisioned(volume)
        && volume.str_at("spec.persistentVolumeReclaimPolicy") == "Delete"
    {
        reclaim::released(cx, volume);
    } else {
        bind::undo(cx, volume);
    }
}

/// The reference by which a volume names a claim.
fn reference(claim: &Value) -> Value {
    object! {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "name": claim.name(),
        "namespace": claim.namespace(),
        "resourceVersion": claim.resource_version(),
        "uid": claim.uid(),
    }
}
