//! Clients that are no part of the simulation: kube-rs, an unmodified kubectl and helm where there
//! are such, and others that behave badly.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "clients have sockets and a clock"
)]

mod certificate;
mod decode;
mod helm;
mod kubectl;
mod program;
mod typed;
mod unruly;

use kubarium_front::{Front, Options, Pace};
use lab::WorldSpec;

/// A cluster that is served, without TLS or with it, as fast as its clients wait.
async fn serve(workers: usize, http: bool) -> Front {
    let options = Options {
        listen: ([127, 0, 0, 1], 0).into(),
        http,
        pace: Pace::Max,
        from: None,
    };
    let spec = move || Ok(WorldSpec::with_workers(workers, 1));
    Front::start(spec, options)
        .await
        .expect("the cluster comes up")
}

/// A client of its administrator.
async fn client(front: &Front) -> kube::Client {
    let config = kube::config::Kubeconfig::from_yaml(front.kubeconfig()).expect("a kubeconfig");
    let options = kube::config::KubeConfigOptions::default();
    let config = kube::Config::from_custom_kubeconfig(config, &options)
        .await
        .expect("it names everything");
    kube::Client::try_from(config).expect("a client")
}
