//! The specs, a file for each subject.

use std::future::Future;
use std::pin::Pin;

use anyhow::Result;

use crate::cluster::Cluster;

mod classes;
mod config_map;
mod disruption;
mod dra;
mod endpoints;
mod events;
mod garbage;
mod ingress;
mod jobs;
mod limit_range;
mod operations;
mod pods;
mod replication;
mod rollouts;
mod scheduling;
mod services;
mod small;
mod storage;
mod volumes;
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
    config_map::SPECS,
    rollouts::SPECS,
    scheduling::SPECS,
    replication::SPECS,
    pods::SPECS,
    jobs::SPECS,
    garbage::SPECS,
    disruption::SPECS,
    classes::SPECS,
    dra::SPECS,
    endpoints::SPECS,
    events::SPECS,
    ingress::SPECS,
    limit_range::SPECS,
    services::SPECS,
    small::SPECS,
    storage::SPECS,
    volumes::SPECS,
    workloads::SPECS,
];

/// Every spec there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Spec> {
    FILES.iter().flat_map(|file| file.iter())
}
