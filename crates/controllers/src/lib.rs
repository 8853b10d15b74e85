//! The controllers of kube-controller-manager, one file each: caches in, writes out. `manager` hosts
//! them; it is the component without its process.

mod claim;
mod clusterrole_aggregation;
mod controller;
mod customs;
mod daemonset;
mod deployment;
mod disruption;
mod endpoints;
mod endpointslice;
mod garbage_collector;
pub mod hash;
mod history;
mod job;
mod list;
mod manager;
mod namespace;
mod node_ipam;
mod node_lifecycle;
mod nodes;
mod pod_gc;
mod pods;
mod replicaset;
mod resource_quota;
mod root_ca;
mod service_account;
mod services;
mod statefulset;
mod taint_eviction;
#[cfg(test)]
mod testing;
mod ttl;
mod ttl_after_finished;

pub use clusterrole_aggregation::ClusterRoleAggregationController;
pub use controller::{Agenda, Controller, Cx, Outcome, Saying, Write};
pub use daemonset::DaemonSetController;
pub use deployment::DeploymentController;
pub use disruption::DisruptionController;
pub use endpoints::EndpointsController;
pub use endpointslice::EndpointSliceController;
pub use garbage_collector::GarbageCollector;
pub use job::JobController;
pub use list::{Settings, all};
pub use manager::{ACTED, ControllerManager, Options};
pub use namespace::NamespaceController;
pub use node_ipam::NodeIpamController;
pub use node_lifecycle::NodeLifecycleController;
pub use pod_gc::PodGcController;
pub use replicaset::ReplicaSetController;
pub use resource_quota::ResourceQuotaController;
pub use root_ca::RootCaController;
pub use service_account::ServiceAccountController;
pub use statefulset::StatefulSetController;
pub use taint_eviction::TaintEvictionController;
pub use ttl::TtlController;
pub use ttl_after_finished::TtlAfterFinishedController;
