//! The conformance specs of Kubernetes that need the API alone, or pods that reach a state, written
//! anew as clients of `kubarium serve`: each does what the upstream spec does and expects what it
//! expects.
//!
//! Models kubernetes/test/e2e. `specs.tsv` names them all.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "clients have sockets and a clock"
)]

mod cluster;
mod definitions;
mod report;
mod specs;
mod webhook;

pub use cluster::Cluster;
pub use report::{Outcome, run};

use front::{Front, Options, Pace};
use lab::WorldSpec;

/// A cluster with two workers behind HTTPS, whose time hurries, and its administrator.
pub async fn serve() -> anyhow::Result<(Front, Cluster)> {
    let options = Options {
        listen: ([127, 0, 0, 1], 0).into(),
        http: false,
        pace: Pace::Max,
        from: None,
    };
    let front = Front::start(|| Ok(WorldSpec::with_workers(2, 1)), options).await?;
    let config = kube::config::Kubeconfig::from_yaml(front.kubeconfig())?;
    let options = kube::config::KubeConfigOptions::default();
    let mut config = kube::Config::from_custom_kubeconfig(config, &options).await?;
    // Refusals are what specs look at.
    config.default_retry = false;
    Ok((front, Cluster::new(kube::Client::try_from(config)?)))
}
