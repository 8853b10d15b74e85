//! A pod goes where its volumes can be had. Claims that are bound as soon as they exist must be bound;
//! of those that wait for their first pod, a volume must be free that the node reaches, or a
//! provisioner be there to make one.
//! Models plugins/volumebinding.

use std::collections::BTreeSet;

use api::kinds::support::volumes::{BIND_COMPLETED, SELECTED_NODE, best_match, class, reaches};
use api::{Str, Value};
use client::Key;

use crate::framework::{ClusterEvent, EventKind, Plugin, PreFilter, Rejection, State};
use crate::{Cluster, NodeInfo, PodInfo};

const CONFLICT: &str = "node(s) had volume node affinity conflict";
const NONE_FREE: &str = "node(s) didn't find available persistent volumes to bind";
const NO_VOLUME: &str = "node(s) unavailable due to one or more pvc(s) bound to non-existent pv(s)";
const UNBOUND: &str = "pod has unbound immediate PersistentVolumeClaims";
const NO_PROVISIONER: &str = "kubernetes.io/no-provisioner";

/// The plugin.
pub(super) struct VolumeBinding;

/// A pod's claims.
struct Claims {
    /// Volumes of those that are bound; none where the volume is gone.
    bound: Vec<Option<Value>>,
    waiting: Vec<Waiting>,
    /// Volumes that could be bound.
    free: Vec<Value>,
}

/// A claim that waits for its first pod.
struct Waiting {
    claim: Value,
    /// Somebody could make a volume for it.
    provisioned: bool,
}

/// What is to be done for a claim when its pod goes to a node.
#[derive(Clone, Debug)]
pub(crate) enum Bind {
    /// This volume is to be bound to this claim.
    Volume(Value, Value),
    /// A volume is to be made for this claim.
    Provision(Value),
}

impl Plugin for VolumeBinding {
    fn name(&self) -> &'static str {
        "VolumeBinding"
    }

    fn events(&self) -> &'static [EventKind] {
        &[
            EventKind::NodeAdded,
            EventKind::NodeLabels,
            EventKind::Claim,
            EventKind::Volume,
            EventKind::StorageClass,
        ]
    }

    fn could_help(&self, pod: &PodInfo, event: &ClusterEvent<'_>) -> bool {
        event.claim.is_none_or(|claim| {
            claim.namespace == pod.key.namespace
                && pod.claims.iter().any(|(name, _)| *name == claim.name)
        })
    }

    fn pre_filter(&self, pod: &PodInfo, cluster: &Cluster) -> PreFilter {
        if pod.claims.is_empty() {
            return PreFilter::Skip;
        }
        match claims_of(pod, cluster) {
            Ok(claims) => PreFilter::Proceed(State::of(claims)),
            Err(why) => PreFilter::Reject(Rejection::unresolvable(why)),
        }
    }

    fn filter(&self, state: &State, _: &PodInfo, node: &NodeInfo) -> Result<(), Rejection> {
        let Some(claims) = state.get::<Claims>() else {
            return Ok(());
        };
        let mut reasons = Vec::new();
        let reached = |volume: &Value| reaches(volume, &node.labels, &node.name);
        if !claims.bound.iter().flatten().all(reached) {
            reasons.push(CONFLICT.into());
        }
        if claims.bound.iter().any(Option::is_none) {
            reasons.push(NO_VOLUME.into());
        }
        if plan(claims, node).is_none() {
            reasons.push(NONE_FREE.into());
        }
        if reasons.is_empty() {
            return Ok(());
        }
        Err(Rejection {
            reasons,
            resolvable: false,
        })
    }
}

/// What is to be done for a pod's claims when it goes to a node.
pub(crate) fn bindings(pod: &PodInfo, cluster: &Cluster, node: &NodeInfo) -> Vec<Bind> {
    let claims = claims_of(pod, cluster).ok();
    let plan = claims.and_then(|claims| plan(&claims, node));
    plan.unwrap_or_default()
}

/// Whether a claim is bound for good. Upstream does not wait for the phase: there a kubelet is too slow
/// to meet a claim whose phase is still to be written.
pub(crate) fn is_bound(claim: &Value) -> bool {
    !claim.str_at("spec.volumeName").is_empty()
        && claim.annotations().get(BIND_COMPLETED).is_some()
        && claim.str_at("status.phase") == "Bound"
}

fn plan(claims: &Claims, node: &NodeInfo) -> Option<Vec<Bind>> {
    let mut taken = BTreeSet::new();
    let mut plan = Vec::new();
    for Waiting { claim, provisioned } in &claims.waiting {
        let chosen = claim.annotation(SELECTED_NODE);
        if !chosen.is_empty() && chosen != &*node.name {
            return None;
        }
        let free = claims.free.iter();
        let free = free.filter(|volume| !taken.contains(volume.name()));
        let reached = |volume: &Value| reaches(volume, &node.labels, &node.name);
        match best_match(claim, free, reached) {
            Some(volume) if chosen.is_empty() => {
                taken.insert(volume.name().to_owned());
                plan.push(Bind::Volume(volume.clone(), claim.clone()));
            }
            _ if *provisioned => plan.push(Bind::Provision(claim.clone())),
            _ => return None,
        }
    }
    Some(plan)
}

/// The pod's claims, or why it cannot run with them anywhere.
fn claims_of(pod: &PodInfo, cluster: &Cluster) -> Result<Claims, String> {
    let mut found = Vec::new();
    for (name, own) in &pod.claims {
        let key = Key::new(&pod.key.namespace, name);
        let Some(claim) = cluster.claim(&key) else {
            return Err(match own {
                true => format!(
                    "waiting for ephemeral volume controller to create the persistentvolumeclaim \
                     {name:?}"
                ),
                false => format!("persistentvolumeclaim {name:?} not found"),
            });
        };
        if claim.str_at("status.phase") == "Lost" {
            let volume = claim.str_at("spec.volumeName");
            return Err(format!(
                "persistentvolumeclaim {name:?} bound to non-existent persistentvolume {volume:?}"
            ));
        }
        if claim.is_terminating() {
            return Err(format!("persistentvolumeclaim {name:?} is being deleted"));
        }
        found.push(claim);
    }
    let mut claims = Claims {
        bound: Vec::new(),
        waiting: Vec::new(),
        free: Vec::new(),
    };
    for claim in found {
        let volume = claim.str_at("spec.volumeName");
        if is_bound(claim) {
            claims.bound.push(cluster.volume(volume).cloned());
            continue;
        }
        let storage_class = cluster.storage_class(class(claim));
        let waits = |class: &&Value| class.str("volumeBindingMode") == "WaitForFirstConsumer";
        let Some(storage_class) = storage_class.filter(waits).filter(|_| volume.is_empty()) else {
            return Err(UNBOUND.to_owned());
        };
        let provisioner = storage_class.str("provisioner");
        claims.waiting.push(Waiting {
            claim: claim.clone(),
            provisioned: !provisioner.is_empty() && provisioner != NO_PROVISIONER,
        });
    }
    if !claims.waiting.is_empty() {
        let owner = |volume: &Value| cluster.assumed_claim(volume.name()).cloned();
        let is_free = |volume: &&Value| {
            owner(volume).is_none_or(|key: Key| {
                let mut waiting = claims.waiting.iter();
                waiting.any(|one| Key::of(&one.claim) == key)
            })
        };
        claims.free = cluster.volumes().filter(is_free).cloned().collect();
    }
    Ok(claims)
}

/// The names of the claims that a pod's volumes stand for, and whether they are the pod's own.
pub(crate) fn claims_named(pod: &Value) -> Vec<(Str, bool)> {
    let volumes = pod.list_at("spec.volumes").iter();
    let named = volumes.filter_map(|volume| {
        let name = api::kinds::support::volumes::claim_of(pod.name(), volume)?;
        Some((Str::from(name), volume.has("ephemeral")))
    });
    named.collect()
}
