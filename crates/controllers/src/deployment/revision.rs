//! Revisions: which number a template has, and the ReplicaSet that is made for it.
//! Models pkg/controller/deployment/sync.go (`getNewReplicaSet`) and util (annotations).

use api::{Str, object};
use client::{DEPLOYMENTS, REPLICA_SETS};

use super::replica_set::{DESIRED, HASH, HISTORY, MAX, REVISION, scaled};
use super::rollout::Rollout;
use crate::controller::Cx;
use crate::{hash, pods};

/// Annotations of a Deployment that its ReplicaSets do not take over.
const OWN: [&str; 6] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    REVISION,
    HISTORY,
    DESIRED,
    MAX,
    "deprecated.deployment.rollback.to",
];

impl Rollout {
    /// Gives the new ReplicaSet its revision and the Deployment's annotations, and the Deployment
    /// the revision.
    pub(super) fn sync_revision(&mut self) {
        let revision = self.next_revision();
        let annotations = self.deployment.annotations().clone();
        let min_ready = self.deployment.at("spec.minReadySeconds").clone();
        let Some(new) = self.new else { return };
        let rs = &mut self.sets[new].wanted;
        for (name, value) in annotations
            .iter()
            .filter(|(name, _)| !OWN.contains(&name.as_str()))
        {
            rs.set_annotation(name, value.as_str());
        }
        rs.set_or_remove("spec.minReadySeconds", &min_ready);
        let known = rs.annotation(REVISION).to_owned();
        if known.parse::<i64>().unwrap_or(0) < revision {
            rs.set_annotation(REVISION, &revision.to_string());
            if !known.is_empty() {
                let history = match rs.annotation(HISTORY) {
                    "" => known,
                    before => format!("{before},{known}"),
                };
                rs.set_annotation(HISTORY, &history);
            }
        }
        let revision = self.sets[new].wanted.annotation(REVISION).to_owned();
        self.wanted.set_annotation(REVISION, &revision);
    }

    /// One more than that of any other template.
    fn next_revision(&self) -> i64 {
        let old = self.old_sets();
        old.into_iter()
            .map(|at| self.sets[at].revision())
            .max()
            .unwrap_or(0)
            + 1
    }

    /// Another ReplicaSet has the name already: the next hash will differ.
    pub(super) fn count_collision(&mut self) {
        let count = self.deployment.i64_at("status.collisionCount").unwrap_or(0);
        self.wanted.set("status.collisionCount", count + 1);
    }
}

/// Creates the ReplicaSet of the Deployment's template, with as many replicas as it may have at
/// once. Returns its name.
pub(super) fn create(cx: &mut Cx<'_>, rollout: &Rollout) -> Str {
    let Rollout {
        deployment,
        replicas,
        ..
    } = rollout;
    let collisions = rollout.wanted.i64_at("status.collisionCount");
    let hash = hash::of_template(deployment.at("spec.template"), collisions);
    let name = format!("{}-{hash}", deployment.name());
    let mut template = deployment.at("spec.template").clone();
    template.set_path(&["metadata", "labels", HASH], hash.as_str());
    let mut selector = deployment.at("spec.selector").clone();
    selector.set_path(&["matchLabels", HASH], hash.as_str());
    let count = rollout.new_replicas(0);
    let mut rs = object! {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": &name,
            "namespace": (deployment.namespace()),
            "labels": (template.at("metadata.labels")),
            "ownerReferences": [(pods::owner_reference(&DEPLOYMENTS, deployment))],
        },
        "spec": { "replicas": count, "selector": selector, "template": template },
    };
    rs.set_or_remove(
        "spec.minReadySeconds",
        deployment.at("spec.minReadySeconds"),
    );
    let inherited = deployment
        .annotations()
        .iter()
        .filter(|(name, _)| !OWN.contains(&name.as_str()));
    for (name, value) in inherited {
        rs.set_annotation(name, value.as_str());
    }
    rs.set_annotation(REVISION, &rollout.next_revision().to_string());
    rs.set_annotation(DESIRED, &replicas.to_string());
    rs.set_annotation(MAX, &rollout.most().to_string());
    let write = cx.create(&REPLICA_SETS, rs);
    if count > 0 {
        write.says(scaled(&rollout.involved, &name, 0, count));
    }
    Str::from(name)
}
