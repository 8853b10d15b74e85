//! The specs, a file for each subject.

use std::future::Future;
use std::pin::Pin;

use anyhow::Result;

use crate::cluster::Cluster;

mod certificates;
mod chunking;
mod config_map;
mod controller_revision;
mod namespaces;
mod policies;
mod resource_quota;
mod server;
mod service_accounts;
mod watchers;

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
    config_map::SPECS,
    controller_revision::SPECS,
    namespaces::SPECS,
    policies::SPECS,
    resource_quota::SPECS,
    server::SPECS,
    service_accounts::SPECS,
    watchers::SPECS,
];

/// Every spec there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Spec> {
    FILES.iter().flat_map(|file| file.iter())
}
