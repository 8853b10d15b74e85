//! The images of the control plane: thin adaptors between processes and the crates with the logic.

mod component;
mod etcd;
mod flags;
mod health;
mod kube_apiserver;
mod kube_controller_manager;
mod kube_scheduler;

pub(crate) use etcd::IMAGE as ETCD;
pub(crate) use kube_apiserver::IMAGE as KUBE_APISERVER;
pub(crate) use kube_controller_manager::IMAGE as KUBE_CONTROLLER_MANAGER;
pub(crate) use kube_scheduler::IMAGE as KUBE_SCHEDULER;

use crate::definition::{Tags, Versions};

/// The releases of Kubernetes there are images of.
const RELEASES: Tags = Tags {
    words: &[],
    versions: &[Versions::of(1, 34..=36)],
    suffixes: &[],
};
