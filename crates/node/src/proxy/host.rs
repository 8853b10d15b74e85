//! A kube-proxy on its machine: writes the rules when they are due, looks after the canaries, and
//! answers on its ports.
//! Models the sync loop of pkg/proxy/iptables/proxier.go and Monitor of pkg/util/iptables.

use client::{Severity, klog_line};
use machine::{Fd, Sys};
use sim::Instant;

use crate::iptables::canaries;

use super::batch::Batch;
use super::component::{KubeProxy, SYNCED};
use super::kernel::Kernel;
use super::names::CANARY;
use super::ports::Ports;

/// What a kube-proxy holds of its machine.
#[derive(Clone, Debug, Default)]
pub struct Host {
    kernel: Kernel,
    ports: Ports,
    open: bool,
}

impl Host {
    /// Does what is due.
    pub fn act(&mut self, sys: &mut Sys<'_>, proxy: &mut KubeProxy) {
        if !self.open {
            self.open = true;
            let address = proxy.healthz();
            if let Err(errno) = self.ports.open(sys, address) {
                let why = errno.message();
                let text = format!(
                    "\"Failed to start proxier healthz, restart kube-proxy\" \
                     err=\"listen tcp {address}: {why}\""
                );
                log(sys, Severity::Error, "server.go:600", &text);
            }
        }
        let now = sys.now();
        if proxy.listens(now) {
            let (first, any) = canaries(sys.net().netfilter(sys.netns()), CANARY);
            proxy.canaries(now, first, any);
        }
        while let Some(batch) = proxy.take_batch(now) {
            let succeeded = self.write(sys, &batch, now);
            proxy.synced(now, &batch, succeeded);
            for (port, errno) in self.ports.update(sys, proxy.proxier().health()) {
                let why = errno.message();
                let text = format!(
                    "\"Failed to start healthcheck\" err=\"listen tcp :{port}: {why}\" port={port}"
                );
                log(sys, Severity::Error, "service_health.go:145", &text);
            }
        }
    }

    fn write(&mut self, sys: &mut Sys<'_>, batch: &Batch, now: Instant) -> bool {
        let (chains, stale) = (batch.filter.len() + batch.nat.len(), batch.stale.len());
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        sys.note(&SYNCED, &[count(chains).into(), count(stale).into()]);
        let (ns, kernel) = (sys.netns(), &mut self.kernel);
        let written = sys.with_net(|net, _| match net.netfilter_mut(ns) {
            Some(netfilter) => kernel.write(netfilter, batch, now),
            None => Ok(()),
        });
        if let Err(error) = &written {
            let text = format!(
                "\"Failed to execute iptables-restore\" err=\"exit status {}: {}\"",
                error.style.status(),
                error.message
            );
            log(sys, Severity::Error, "proxier.go:1517", &text);
        }
        written.is_ok()
    }

    /// Answers what came in; `false` if the descriptor is none of its own.
    pub fn on_ready(&mut self, sys: &mut Sys<'_>, fd: Fd, proxy: &KubeProxy) -> bool {
        self.ports.on_ready(sys, fd, proxy)
    }
}

fn log(sys: &mut Sys<'_>, severity: Severity, place: &str, text: &str) {
    let line = klog_line(sys.now(), severity, 1, place, text);
    // Nobody may be reading; it goes on without its log.
    let _ = sys.write(Fd::STDERR, format!("{line}\n").as_bytes());
}
