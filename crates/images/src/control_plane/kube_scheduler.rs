//! kube-scheduler.

use machine::fs::Node;
use scheduler::{KubeScheduler, Options};

use super::RELEASES;
use super::component::{Hosted, holder};
use crate::definition::Definition;
use crate::userland::put;

/// `registry.k8s.io/kube-scheduler`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/kube-scheduler",
    tags: RELEASES,
    layers: &[
        ("kube base", 3_100_000),
        ("kube-scheduler {tag}", 14_300_000),
    ],
    files: |tree, tag| {
        put(
            tree,
            "/usr/local/bin/kube-scheduler",
            Node::release("kube-scheduler", tag),
        )
    },
    env: &[(
        "PATH",
        "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    )],
    programs: &[("kube-scheduler", || {
        Hosted::boxed("kube-scheduler", 10259, |sys, flags, identity| {
            let hostname = (&*sys.hostname()).into();
            Ok(KubeScheduler::new(Options {
                identity,
                hostname,
                holder: holder(sys, flags),
            }))
        })
    })],
    ..Definition::PLAIN
};
