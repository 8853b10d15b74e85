//! The controllers of kube-controller-manager, in the order in which they act. To add one, write its
//! file and its line here.
//! Models cmd/kube-controller-manager/app/controllermanager.go (`NewControllerDescriptors`).

use std::net::Ipv4Addr;
use std::rc::Rc;

use api::kinds::support::quota;
use api::kinds::{self, Kind};
use client::Resource;
use sim::Duration;

use crate::{
    CertificatesController, ClusterRoleAggregationController, Controller, CronJobController,
    DaemonSetController, DeploymentController, DisruptionController, EndpointSliceController,
    EndpointSliceMirroringController, EndpointsController, EphemeralVolumeController,
    GarbageCollector, HorizontalController, JobController, NamespaceController, NodeIpamController,
    NodeLifecycleController, PersistentVolumeController, PodGcController, ReplicaSetController,
    ResourceQuotaController, RootCaController, ServiceAccountController, StatefulSetController,
    TaintEvictionController, TokensController, TtlAfterFinishedController, TtlController,
    ValidatingPolicyStatusController, VolumeProtectionController,
};

/// What the command line says.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `--root-ca-file`: the certificate, PEM.
    pub root_ca: Rc<str>,
    /// `--cluster-cidr`, if `--allocate-node-cidrs` is set.
    pub pod_network: Option<(Ipv4Addr, u8)>,
    /// `--node-cidr-mask-size`.
    pub node_mask: u8,
    /// `--node-monitor-grace-period`.
    pub node_grace: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            root_ca: "".into(),
            pod_network: None,
            node_mask: 24,
            node_grace: Duration::from_secs(50),
        }
    }
}

/// Every controller.
#[must_use]
pub fn all(settings: &Settings) -> Vec<Box<dyn Controller>> {
    let Settings {
        root_ca,
        pod_network,
        node_mask,
        node_grace,
    } = settings;
    let mut list: Vec<Box<dyn Controller>> = vec![
        Box::new(ServiceAccountController),
        Box::new(TokensController {
            certificate: root_ca.clone(),
        }),
        Box::new(ClusterRoleAggregationController::default()),
        Box::new(RootCaController {
            certificate: root_ca.clone(),
        }),
        Box::new(NamespaceController::new(namespaced())),
        Box::new(ResourceQuotaController::new(countable())),
        Box::new(GarbageCollector::new(collectable())),
        Box::new(NodeLifecycleController::new(*node_grace)),
        Box::new(TaintEvictionController::default()),
        Box::new(TtlController),
        Box::new(PodGcController::default()),
        Box::new(DaemonSetController::default()),
        Box::new(CronJobController),
        Box::new(JobController::default()),
        Box::new(TtlAfterFinishedController),
        Box::new(DeploymentController::default()),
        Box::new(ReplicaSetController::default()),
        Box::new(ReplicaSetController::of_replication_controllers()),
        Box::new(StatefulSetController::default()),
        Box::new(DisruptionController::new(scalable())),
        Box::new(EndpointSliceController::default()),
        Box::new(EndpointSliceMirroringController),
        Box::new(EndpointsController::default()),
        Box::new(HorizontalController::new(scalable())),
        Box::new(PersistentVolumeController),
        Box::new(EphemeralVolumeController),
        Box::new(CertificatesController {
            authority: root_ca.clone(),
        }),
        Box::new(VolumeProtectionController),
        Box::new(ValidatingPolicyStatusController::default()),
    ];
    if let Some(cluster) = *pod_network {
        list.push(Box::new(NodeIpamController {
            cluster,
            mask: *node_mask,
        }));
    }
    list
}

/// What can be watched and deleted, events apart: they are many, and own nothing.
fn collectable() -> Vec<Resource> {
    let can = |kind: &Kind, verb: &str| kind.verbs.contains(&verb);
    let stored = stored().filter(|kind| kind.kind != "Event");
    stored
        .filter(|kind| can(kind, "watch") && can(kind, "delete"))
        .map(resource)
        .collect()
}

/// What lives in namespaces and can be deleted there.
fn namespaced() -> Vec<Resource> {
    let deletable = |kind: &&&Kind| kind.verbs.contains(&"deletecollection");
    stored()
        .filter(|kind| kind.namespaced)
        .filter(|kind| deletable(kind))
        .map(resource)
        .collect()
}

/// What quotas limit.
fn countable() -> Vec<(Resource, &'static Kind)> {
    stored()
        .filter(|kind| quota::is_countable(kind) && kind.verbs.contains(&"watch"))
        .map(|kind| (resource(kind), *kind))
        .collect()
}

/// What says how many pods it wants.
fn scalable() -> Vec<Resource> {
    let scales = |kind: &&&Kind| kind.subresource("scale").is_some();
    stored().filter(scales).map(resource).collect()
}

fn stored() -> impl Iterator<Item = &'static &'static Kind> {
    kinds::all().iter().filter(|kind| kind.view.is_none())
}

fn resource(kind: &&'static Kind) -> Resource {
    Resource::named(&kind.api_version(), kind.plural, kind.kind, kind.namespaced)
}

#[cfg(test)]
mod tests {
    use super::*;
    use client::{EVENTS, NODES, PODS};

    #[test]
    fn what_is_collected_and_what_namespaces_hold() {
        assert!(collectable().contains(&PODS) && collectable().contains(&NODES));
        assert!(!collectable().contains(&EVENTS));
        assert!(namespaced().contains(&EVENTS) && !namespaced().contains(&NODES));
    }

    #[test]
    fn every_controller_has_a_name_of_its_own() {
        let settings = Settings {
            pod_network: Some((Ipv4Addr::LOCALHOST, 16)),
            ..Settings::default()
        };
        let list = all(&settings);
        let mut names: Vec<&str> = list.iter().map(|controller| controller.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), list.len());
    }
}
