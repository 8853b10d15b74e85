//! kube-proxy without its process: watches Services, EndpointSlices and its own Node, and says when
//! rules are to be written and which. Whoever hosts it writes them, and tells how it went.
//! Models cmd/kube-proxy/app/server.go and pkg/proxy/config.

use std::net::SocketAddrV4;

use client::{
    CallId, Client, Component, Delta, ENDPOINT_SLICES, Env, Identity, Incoming, Informer,
    Informers, NODES, Outgoing, SERVICES, Severity,
};
use sim::{Duration, Instant, Kind};

use super::batch::Batch;
use super::config::Config;
use super::proxier::Proxier;
use super::runner::Runner;

/// Everything is written again after this long, whatever happens.
const FULL_SYNC_PERIOD: Duration = Duration::from_secs(3600);
/// Once one canary is gone, the others are waited for so often and so long: whoever flushes one
/// table flushes the others as well, and is not to be disturbed at it.
const FLUSH_POLL: Duration = Duration::from_millis(200);
const FLUSH_POLLS: u32 = 25;

/// Rules were written.
pub static SYNCED: Kind = Kind {
    name: "kube-proxy.synced",
    says: "kube-proxy wrote the rules of {0} chains, {1} of which nobody needs any more",
};

/// The component.
#[derive(Clone, Debug)]
pub struct KubeProxy {
    proxier: Proxier,
    client: Client<usize>,
    informers: Informers,
    runner: Runner,
    healthz: SocketAddrV4,
    sync_period: Duration,
    last_full: Option<Instant>,
    last_sync: Option<Instant>,
    canary: Canary,
}

/// What is known of the canaries.
#[derive(Clone, Copy, Debug)]
enum Canary {
    /// There are none yet.
    Absent,
    /// They are looked at at this time.
    Sings(Instant),
    /// The first one is gone; the others are looked at at this time, so many times more.
    Silent(Instant, u32),
}

impl KubeProxy {
    /// One that has seen nothing yet.
    #[must_use]
    pub fn new(config: Config, identity: Identity) -> KubeProxy {
        let not_others = "!service.kubernetes.io/service-proxy-name";
        let node = format!("metadata.name={}", config.settings.node_name);
        let mut informers = Informers::new();
        let services = Informer::new(SERVICES, "", &[]).with_labels(not_others);
        informers.add(services.with_fields("spec.clusterIP!=None"));
        let ours = format!("!service.kubernetes.io/headless,{not_others}");
        informers.add(Informer::new(ENDPOINT_SLICES, "", &[]).with_labels(&ours));
        informers.add(Informer::new(NODES, "", &[]).with_fields(&node));
        let (least, retry) = (config.min_sync_period, config.sync_period);
        KubeProxy {
            proxier: Proxier::new(config.settings),
            client: Client::new(identity),
            informers,
            runner: Runner::new(least, retry, FULL_SYNC_PERIOD),
            healthz: config.healthz,
            sync_period: retry,
            last_full: None,
            last_sync: None,
            canary: Canary::Absent,
        }
    }

    /// What it knows.
    #[must_use]
    pub fn proxier(&self) -> &Proxier {
        &self.proxier
    }

    /// Where it says how it is.
    #[must_use]
    pub fn healthz(&self) -> SocketAddrV4 {
        self.healthz
    }

    /// When it last wrote rules.
    #[must_use]
    pub fn last_sync(&self) -> Option<Instant> {
        self.last_sync
    }

    /// What is to be written now, if anything is due. [`KubeProxy::synced`] is to follow.
    pub fn take_batch(&mut self, now: Instant) -> Option<Batch> {
        if !self.informers.have_synced() || !self.runner.is_due(now) {
            return None;
        }
        if self
            .last_full
            .is_none_or(|last| last + FULL_SYNC_PERIOD <= now)
        {
            self.proxier.resync();
        }
        Some(self.proxier.sync())
    }

    /// What was to be written is written, or could not be.
    pub fn synced(&mut self, now: Instant, batch: &Batch, succeeded: bool) {
        self.runner.ran(now, succeeded);
        if !succeeded {
            self.proxier.resync();
            return;
        }
        self.last_sync = Some(now);
        if batch.full {
            self.last_full = Some(now);
        }
        if let Canary::Absent = self.canary {
            self.canary = Canary::Sings(now + self.sync_period);
        }
    }

    /// Whether it is time to look at the canaries. [`KubeProxy::canaries`] is to follow.
    #[must_use]
    pub fn listens(&self, now: Instant) -> bool {
        match self.canary {
            Canary::Absent => false,
            Canary::Sings(at) | Canary::Silent(at, _) => at <= now,
        }
    }

    /// The canaries were looked at: whether the first of them is there, and whether any is.
    pub fn canaries(&mut self, now: Instant, first: bool, any: bool) {
        self.canary = match self.canary {
            Canary::Sings(_) if first => Canary::Sings(now + self.sync_period),
            Canary::Sings(_) if any => Canary::Silent(now + FLUSH_POLL, FLUSH_POLLS),
            Canary::Silent(_, left) if any && left > 0 => {
                Canary::Silent(now + FLUSH_POLL, left - 1)
            }
            _ => {
                self.proxier.resync();
                self.runner.request(now);
                Canary::Absent
            }
        };
    }

    fn on_deltas(&mut self, env: &Env<'_>, number: usize, deltas: &[Delta]) {
        let Some(informer) = self.informers.get(number) else {
            return;
        };
        let plural = &*informer.resource().plural;
        let mut changed = false;
        for delta in deltas {
            let (namespace, name) = (&*delta.key.namespace, &*delta.key.name);
            changed |= match (plural, &delta.new) {
                ("services", Some(service)) => self.proxier.set_service(service),
                ("services", None) => self.proxier.remove_service(namespace, name),
                ("endpointslices", Some(slice)) => self.proxier.set_slice(slice),
                ("endpointslices", None) => self.proxier.remove_slice(delta.object()),
                (_, Some(node)) => self.proxier.set_node(node),
                (_, None) => false,
            };
        }
        // The first sync comes when everything has been seen, be there nothing to see.
        let first = self.last_sync.is_none() && self.informers.have_synced();
        if changed || first {
            self.runner.request(env.now);
        }
    }
}

impl Component for KubeProxy {
    fn start(&mut self, env: &mut Env<'_>) {
        let version = format!(
            "\"Version info\" version=\"{}\"",
            self.client.identity().release()
        );
        for (place, text) in [
            ("server.go:506", version.as_str()),
            ("server_linux.go:132", "\"Using iptables Proxier\""),
            ("config.go:200", "\"Starting service config controller\""),
            (
                "config.go:106",
                "\"Starting endpoint slice config controller\"",
            ),
            ("config.go:329", "\"Starting node config controller\""),
        ] {
            env.log(Severity::Info, place, text);
        }
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
        self.on_deltas(env, number, &deltas);
    }

    fn on_time(&mut self, env: &mut Env<'_>) {
        self.informers
            .on_time(env, &mut self.client, |number| number);
    }

    fn next_deadline(&self) -> Option<Instant> {
        let sync = self.runner.next_deadline();
        let sync = sync.filter(|_| self.informers.have_synced());
        let canary = match self.canary {
            Canary::Absent => None,
            Canary::Sings(at) | Canary::Silent(at, _) => Some(at),
        };
        let times = [self.informers.next_deadline(), sync, canary];
        times.into_iter().flatten().min()
    }

    fn next_outgoing(&mut self) -> Option<Outgoing> {
        self.client.next_outgoing()
    }

    fn stop(&mut self, env: &mut Env<'_>) {
        // The rules stay: nobody loses a connection because kube-proxy is replaced.
        env.log(Severity::Info, "server.go:580", "\"Shutting down\"");
    }

    fn must_exit(&self) -> bool {
        false
    }
}
