//! The images of the control plane: thin adaptors between processes and the crates with the logic.

mod audit_log;
pub(crate) mod component;
mod etcd;
pub(crate) mod flags;
mod health;
mod kube_apiserver;
mod kube_controller_manager;
mod kube_proxy;
mod kube_scheduler;

pub(crate) use etcd::IMAGE as ETCD;
pub(crate) use kube_apiserver::IMAGE as KUBE_APISERVER;
pub(crate) use kube_controller_manager::IMAGE as KUBE_CONTROLLER_MANAGER;
pub(crate) use kube_proxy::IMAGE as KUBE_PROXY;
pub(crate) use kube_scheduler::IMAGE as KUBE_SCHEDULER;

use crate::definition::Tags;

/// The releases of Kubernetes there are images of.
const RELEASES: Tags = Tags {
    words: &commands::releases::VERSIONS,
    versions: &[],
    suffixes: &[],
};
