//! The specs, a file for each subject.

use std::future::Future;
use std::pin::Pin;

use anyhow::Result;

use crate::cluster::Cluster;

mod config_map;
mod custom_resource_definition;
mod discovery;
mod field_validation;
mod flow_control;
mod publish_openapi;

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
    custom_resource_definition::SPECS,
    discovery::SPECS,
    field_validation::SPECS,
    flow_control::SPECS,
    publish_openapi::SPECS,
];

/// Every spec there is.
pub(crate) fn all() -> impl Iterator<Item = &'static Spec> {
    FILES.iter().flat_map(|file| file.iter())
}
