//! What CoreDNS knows of the cluster, kept by watching it.
//! Models coredns/plugin/kubernetes/controller.go.

use std::rc::Rc;

use client::{
    CallId, Client, Component, ENDPOINT_SLICES, Env, Identity, Incoming, Index, Informers,
    NAMESPACES, Outgoing, PODS, SERVICES,
};
use sim::Instant;

use super::config::{Config, Pods};
use super::kubernetes::{Known, SERVICE_NAME};

/// A server without its sockets.
#[derive(Clone, Debug)]
pub(crate) struct CoreDns {
    config: Rc<Config>,
    client: Client<usize>,
    informers: Informers,
    /// When anything changed last, in seconds since 1970.
    changed: u32,
}

impl CoreDns {
    pub(super) fn new(config: Config, mut identity: Identity) -> CoreDns {
        identity.user_agent = "coredns/v0.0.0 (linux/amd64) kubernetes/$Format".into();
        let mut found = CoreDns {
            config: Rc::new(Config::default()),
            client: Client::new(identity),
            informers: Informers::new(),
            changed: 0,
        };
        found.set_config(config);
        found
    }

    pub(super) fn config(&self) -> &Rc<Config> {
        &self.config
    }

    /// Watches what the configuration needs; what is watched already goes on.
    pub(super) fn set_config(&mut self, config: Config) {
        let plugins = config
            .servers
            .iter()
            .filter_map(|server| server.kubernetes.as_ref());
        for plugin in plugins {
            let of_service = &[Index::Label(SERVICE_NAME)];
            self.informers.watch(&SERVICES, &[]);
            self.informers.watch(&ENDPOINT_SLICES, of_service);
            self.informers.watch(&NAMESPACES, &[]);
            if plugin.pods == Pods::Verified {
                self.informers.watch(&PODS, &[]);
            }
        }
        self.config = Rc::new(config);
    }

    pub(super) fn has_synced(&self) -> bool {
        self.informers.have_synced()
    }

    pub(super) fn known(&self) -> Known<'_> {
        Known {
            services: self.informers.cache(&SERVICES),
            slices: self.informers.cache(&ENDPOINT_SLICES),
            namespaces: self.informers.cache(&NAMESPACES),
            pods: self.informers.cache(&PODS),
            serial: self.changed,
            synced: self.has_synced(),
        }
    }
}

impl Component for CoreDns {
    fn start(&mut self, env: &mut Env<'_>) {
        self.informers.start(env, &mut self.client, |number| number);
    }

    fn on_incoming(&mut self, env: &mut Env<'_>, call: CallId, incoming: &Incoming) {
        let Some(number) = self.client.tag(call, incoming) else {
            return;
        };
        let part = (number, incoming);
        let deltas = self
            .informers
            .on_incoming(env, &mut self.client, number, part);
        if !deltas.is_empty() {
            self.changed = u32::try_from(env.now.unix_secs()).unwrap_or(u32::MAX);
        }
    }

    fn on_time(&mut self, env: &mut Env<'_>) {
        // One that a new configuration wants is idle yet.
        self.informers.start(env, &mut self.client, |number| number);
        self.informers
            .on_time(env, &mut self.client, |number| number);
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.informers.next_deadline()
    }

    fn next_outgoing(&mut self) -> Option<Outgoing> {
        self.client.next_outgoing()
    }

    fn stop(&mut self, _: &mut Env<'_>) {}

    fn must_exit(&self) -> bool {
        false
    }
}
