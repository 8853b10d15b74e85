//! CoreDNS: reads its Corefile, watches the cluster, and answers questions over UDP and TCP.
//! Models the image of registry.k8s.io/coredns/coredns.

mod chain;
mod config;
mod corefile;
mod front;
mod kubernetes;
mod pages;
mod server;
mod upstream;

use std::net::SocketAddrV4;

use client::{Identity, Severity};
use machine::fs::Node;
use machine::{Fd, Sys};
use sim::Instant;

use crate::control_plane::component::{Hands, Hosted};
use crate::control_plane::flags::Flags;
use crate::definition::{Definition, Tags, Versions};
use crate::userland::put;
use front::Front;
use server::CoreDns;

/// `registry.k8s.io/coredns/coredns`
pub(crate) static IMAGE: Definition = Definition {
    repository: "registry.k8s.io/coredns/coredns",
    tags: Tags {
        words: &[],
        versions: &[Versions {
            major: 1,
            minors: 10..=14,
        }],
        suffixes: &[],
    },
    layers: &[
        ("distroless static", 700_000),
        ("coredns {tag}", 21_900_000),
    ],
    entrypoint: &["/coredns"],
    user: Some(65532),
    ports: &[53],
    env: &[("COREDNS_TAG", "{tag}")],
    files: |tree, _| put(tree, "/coredns", Node::binary("coredns")),
    programs: &[("coredns", || {
        Hosted::<CoreDns, Front>::with_hands("coredns", 0, |sys, _, identity| {
            Ok(CoreDns::new(front::read_corefile(sys)?, identity))
        })
    })],
    ..Definition::PLAIN
};

const ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

impl Hands<CoreDns> for Front {
    fn access(sys: &mut Sys<'_>, _: &Flags) -> Result<(SocketAddrV4, Identity), String> {
        let env = sys.env();
        let variable = |name: &str| env.get(name).map_or("", |value| value);
        let (host, port) = (
            variable("KUBERNETES_SERVICE_HOST"),
            variable("KUBERNETES_SERVICE_PORT"),
        );
        let addr = format!("{host}:{port}").parse().map_err(|_| {
            "plugin/kubernetes: unable to load in-cluster configuration, KUBERNETES_SERVICE_HOST \
             and KUBERNETES_SERVICE_PORT must be defined"
        })?;
        let token = sys.read_to_string(&format!("{ACCOUNT}/token"));
        let token = token.map_err(|errno| {
            let why = errno.message().to_lowercase();
            format!("plugin/kubernetes: open {ACCOUNT}/token: {why}")
        })?;
        let identity = Identity {
            token: Some(token.trim().into()),
            ..Identity::default()
        };
        Ok((addr, identity))
    }

    fn act(&mut self, sys: &mut Sys<'_>, component: &mut CoreDns) {
        Front::act(self, sys, component);
    }

    fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, component: &CoreDns) -> bool {
        Front::on_ready(self, sys, fd, component)
    }

    fn on_change(&mut self, now: Instant) {
        Front::on_change(self, now);
    }

    fn next_deadline(&self) -> Option<Instant> {
        Front::next_deadline(self)
    }

    fn on_stop(&mut self, sys: &mut Sys<'_>, component: &CoreDns) -> bool {
        Front::on_stop(self, sys, component)
    }

    fn exit_code(&self) -> Option<i32> {
        Front::exit_code(self)
    }

    fn line(_: Instant, severity: Severity, _: &str, text: &str) -> String {
        let level = match severity {
            Severity::Info => "INFO",
            Severity::Warning => "WARNING",
            Severity::Error => "ERROR",
        };
        format!("[{level}] plugin/kubernetes: {text}")
    }

    fn failure(_: Instant, text: &str) -> String {
        text.to_owned()
    }
}
