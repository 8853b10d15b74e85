//! The images of a version, and pulling them.
//!
//! Models cmd/kubeadm/app/images and preflight.ImagePullCheck.

use machine::{Errno, Io};
use node::cri::{Reply, Request, SOCKET};

use super::health::judge;
use super::{Done, Options, Stop, fail_phase, stop};
use crate::releases::{self, Release};
use crate::runtime::Runtime;

/// The images a control plane of a version needs.
pub(crate) fn names(version: &str) -> Vec<String> {
    let newest = || releases::find(releases::VERSIONS[0]).expect("the newest release is one");
    let Release {
        etcd,
        coredns,
        pause,
        ..
    } = releases::find(version).unwrap_or_else(newest);
    let own = |name: &str| format!("registry.k8s.io/{name}:{version}");
    vec![
        own("kube-apiserver"),
        own("kube-controller-manager"),
        own("kube-scheduler"),
        own("kube-proxy"),
        format!("registry.k8s.io/coredns/coredns:{coredns}"),
        format!("registry.k8s.io/pause:{pause}"),
        format!("registry.k8s.io/etcd:{etcd}"),
    ]
}

/// `kubeadm config images pull`.
pub(crate) async fn pull(io: &Io, version: &str) -> Done {
    for image in names(version) {
        if let Err(why) = pull_one(io, &image).await {
            return stop(format!("failed to pull image {image:?}: {why}"));
        }
        io.print(&format!("[config/images] Pulled {image}\n")).await;
    }
    Ok(())
}

/// What is said instead of pulling.
pub(crate) const WOULD_PULL: &str =
    "[upgrade/preflight] Would pull the required images (like 'kubeadm config images pull')\n";

/// Has the runtime pull the images it does not have, before an upgrade.
pub(crate) async fn prepull(io: &Io, version: &str, options: &Options) -> Done {
    io.print(
        "[upgrade/preflight] Pulling images required for setting up a Kubernetes cluster\n\
         [upgrade/preflight] This might take a minute or two, depending on the speed of your \
         internet connection\n\
         [upgrade/preflight] You can also perform this action beforehand using 'kubeadm config \
         images pull'\n",
    )
    .await;
    let mut errors = Vec::new();
    for image in names(version) {
        if let Err(why) = pull_one(io, &image).await {
            errors.push((
                "ImagePull".into(),
                format!("failed to pull image {image}: {why}"),
            ));
        }
    }
    let judged = judge(io, errors, options).await;
    judged.or_else(|Stop(why)| fail_phase("preflight", why))
}

async fn pull_one(io: &Io, image: &str) -> Result<(), String> {
    let lost = |errno: Errno| {
        let why = errno.message().to_lowercase();
        format!("failed to connect to the container runtime: dial unix {SOCKET}: connect: {why}")
    };
    let mut runtime = Runtime::connect(io).await.map_err(lost)?;
    let status = Request::ImageStatus(image.into());
    let pull = Request::PullImage(image.into());
    let mut result = Ok(());
    for request in [status, pull] {
        match runtime.call(io, request).await.map_err(lost)? {
            Ok(Reply::Image(Some(_))) => break,
            Ok(_) => {}
            Err(why) => result = Err(why.desc.to_string()),
        }
    }
    runtime.close(io).await;
    result
}
