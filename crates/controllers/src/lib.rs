//! The controllers of kube-controller-manager, one file each: caches in, writes out. `manager` hosts
//! them; it is the component without its process.

mod controller;
mod deployment;
mod endpointslice;
pub mod hash;
mod manager;
mod node_ipam;
mod node_lifecycle;
mod pods;
mod replicaset;
mod root_ca;
mod service_account;
mod services;
#[cfg(test)]
mod testing;

pub use controller::{Agenda, Controller, Cx, Outcome, Saying, Write};
pub use deployment::DeploymentController;
pub use endpointslice::EndpointSliceController;
pub use manager::{ACTED, ControllerManager, Options};
pub use node_ipam::NodeIpamController;
pub use node_lifecycle::NodeLifecycleController;
pub use replicaset::ReplicaSetController;
pub use root_ca::RootCaController;
pub use service_account::ServiceAccountController;
