//! The specs, a file for each subject.

use std::future::Future;
use std::pin::Pin;

use anyhow::Result;

use crate::cluster::Cluster;

mod certificates;
mod chunking;
mod classes;
mod config_map;
mod contents;
mod controller_revision;
mod custom_resource_definition;
mod daemons;
mod discovery;
mod disruption;
mod dra;
mod endpoint_slices;
mod endpoints;
mod events;
mod field_validation;
mod flow_control;
mod garbage;
mod ingress;
mod jobs;
mod limit_range;
mod namespaces;
mod operations;
mod pods;
mod policies;
mod publish_openapi;
mod replication;
mod resource_quota;
mod rollouts;
mod scheduling;
mod server;
mod service_accounts;
mod services;
mod small;
mod stateful;
mod storage;
mod taints;
mod volumes;
mod watchers;
mod webhook_configurations;
mod webhooks;
mod workloads;

type Running = Pin<Box<dyn Future<Output = Result<()>> + Send>>;

/// A spec of the upstream suite.
pub(crate) struct Spec {
    /// As `specs.tsv` has it.
    pub(crate) name: &'static str,
    pub(crate) run: fn(Cluster) -> Running,
}

/// `specs! { "name" => function, … }`: the specs of a file, whose functions take a [`Cluster`].
macro_rules! specs {
    ($($name:literal => $run:path),* $(,)?) => {
        /// The specs of this file.
        pub(super) const SPECS: &[super::Spec] = &[
            $(super::Spec { name: $name, run: |cluster| Box::pin($run(cluster)) },)*
        ];
    };
}
use specs;

/// A line for each file.
const FILES: &[&[Spec]] = &[
    certificates::SPECS,
    chunking::SPECS,
    classes::SPECS,
    config_map::SPECS,
    contents::SPECS,
    controller_revision::SPECS,
    custom_resource_definition::SPECS,
    daemons::SPECS,
    discovery::SPECS,
    disruption::SPECS,
    dra::SPECS,
    endpoint_slices::SPECS,
    endpoints::SPECS,
    events::SPECS,
    field_validation::SPECS,
    flow_control::SPECS,
    garbage::SPECS,
    ingress::SPECS,
    jobs::SPECS,
    limit_range::SPECS,
    namespaces::SPECS,
    pods::SPECS,
    policies::SPECS,
    publish_openapi::SPECS,
    replication::SPECS,
    resource_quota::SPECS,
    rollouts::SPECS,
    scheduling::SPECS,
    server::SPECS,
    service_accounts::SPECS,
    services::SPECS,
    small::SPECS,
    stateful::SPECS,
    storage::SPECS,
    taints::SPECS,
    volumes::SPECS,
    watchers::SPECS,
    webhook_configurations::SPECS,
    webhooks::SPECS,
    workloads::SPECS,
];

/// Every spec there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Spec> {
    FILES.iter().flat_map(|file| file.iter())
}
