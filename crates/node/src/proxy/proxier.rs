//! Keeps Services, slices and the rules made of them, and tells what a sync has to change.
//! Models the Proxier of pkg/proxy/iptables/proxier.go, and pkg/proxy/{servicechangetracker,
//! endpointschangetracker}.go.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use api::{Str, Value};
use imbl::{OrdMap, OrdSet};

use super::batch::{Batch, Chain, Table};
use super::endpoint::{self, Endpoint, SERVICE_NAME};
use super::fixed;
use super::health::Health;
use super::rules::{self, Common, PortRules};
use super::service::{self, ServicePort};
use super::settings::Settings;
use super::topology::Place;

/// Over this many endpoints rules are written without comments.
const LARGE_CLUSTER_ENDPOINTS: usize = 1000;

/// Namespace and name of a Service.
type Key = (Str, Str);
/// The hash of a service port, then its name. Upstream walks its ports in the order of a Go map;
/// by the hash is as good, and always the same.
type PortKey = (Str, Str);

/// The state of one machine's kube-proxy.
#[derive(Clone, Debug)]
pub struct Proxier {
    settings: Rc<Settings>,
    /// The node's `topology.kubernetes.io/zone`.
    zone: Str,
    services: OrdMap<Key, Rc<Vec<ServicePort>>>,
    /// Slices by their Service, then by their name.
    slices: OrdMap<Key, OrdMap<Str, Value>>,
    /// Services to look at in the next sync.
    changed: OrdSet<Key>,
    /// The ports that have rules, by Service.
    served: OrdMap<Key, Vec<PortKey>>,
    rules: OrdMap<PortKey, Rc<PortRules>>,
    health: OrdMap<Key, Rc<Health>>,
    /// Endpoints of all service ports.
    endpoints: usize,
    /// Which of [`Common::ALL`] differ from what was handed over last.
    dirty: [bool; 6],
    /// Whether the next sync is to write everything.
    full: bool,
}

impl Proxier {
    /// One that has seen nothing yet, and whose first sync is a full one.
    #[must_use]
    pub fn new(settings: Settings) -> Proxier {
        Proxier {
            settings: Rc::new(settings),
            zone: Str::default(),
            services: OrdMap::new(),
            slices: OrdMap::new(),
            changed: OrdSet::new(),
            served: OrdMap::new(),
            rules: OrdMap::new(),
            health: OrdMap::new(),
            endpoints: 0,
            dirty: [true; 6],
            full: true,
        }
    }

    /// The settings it was made with.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A Service as it is now. Says whether a sync is due.
    pub fn set_service(&mut self, service: &Value) -> bool {
        let key = (service.namespace().into(), service.name().into());
        let ports = service::ports(service);
        let known = self.services.get(&key).map_or(&[][..], |ports| &ports[..]);
        if known == ports {
            return false;
        }
        match ports.is_empty() {
            true => self.services.remove(&key),
            false => self.services.insert(key.clone(), Rc::new(ports)),
        };
        self.changed.insert(key);
        true
    }

    /// A Service is gone. Says whether a sync is due.
    pub fn remove_service(&mut self, namespace: &str, name: &str) -> bool {
        let key = (namespace.into(), name.into());
        let known = self.services.remove(&key).is_some();
        if known {
            self.changed.insert(key);
        }
        known
    }

    /// An EndpointSlice as it is now. Says whether a sync is due.
    pub fn set_slice(&mut self, slice: &Value) -> bool {
        if !endpoint::is_ours(slice) {
            return self.remove_slice(slice);
        }
        let key = service_of(slice);
        let of_service = self.slices.entry(key.clone()).or_default();
        let same = |known: &Value| {
            ["ports", "endpoints"]
                .iter()
                .all(|part| known.get(part).same(slice.get(part)))
        };
        if of_service.get(slice.name()).is_some_and(same) {
            return false;
        }
        of_service.insert(slice.name().into(), slice.clone());
        self.changed.insert(key);
        true
    }

    /// An EndpointSlice is gone. Says whether a sync is due.
    pub fn remove_slice(&mut self, slice: &Value) -> bool {
        let key = service_of(slice);
        let Some(of_service) = self.slices.get_mut(&key) else {
            return false;
        };
        if of_service.remove(slice.name()).is_none() {
            return false;
        }
        if of_service.is_empty() {
            self.slices.remove(&key);
        }
        self.changed.insert(key);
        true
    }

    /// The zone of this machine's node. Says whether a sync is due.
    pub fn set_zone(&mut self, zone: &str) -> bool {
        if *self.zone == *zone {
            return false;
        }
        self.zone = zone.into();
        self.changed.extend(self.services.keys().cloned());
        self.full = true;
        true
    }

    /// The next sync is to write everything: the kernel may have lost it.
    pub fn resync(&mut self) {
        self.full = true;
    }

    /// What has to change since the last call.
    pub fn sync(&mut self) -> Batch {
        let mut batch = Batch {
            full: std::mem::take(&mut self.full),
            ..Batch::default()
        };
        let changed = std::mem::take(&mut self.changed);
        let gathered: Vec<_> = changed.iter().map(|key| self.gather(key)).collect();
        for (key, ports) in changed.iter().zip(gathered) {
            self.rebuild(key, ports, &mut batch);
        }
        if batch.full {
            self.write_all(&mut batch);
        }
        for common in Common::ALL {
            if std::mem::take(&mut self.dirty[common as usize]) {
                let chain = self.common_chain(common);
                match common.is_nat() {
                    true => batch.nat.push(chain),
                    false => batch.filter.push(chain),
                }
            }
        }
        batch
    }

    /// The chains of all Services: what table nat holds beside the common ones.
    pub fn service_chains(&self) -> impl Iterator<Item = &Chain> {
        self.rules.values().flat_map(|rules| &rules.chains)
    }

    /// Whether a chain of table nat is one of a Service that is served.
    #[must_use]
    pub fn has_chain(&self, name: &str) -> bool {
        self.service_chains().any(|chain| *chain.name == *name)
    }

    /// What is answered on health check node ports, by namespace and name.
    pub fn health(&self) -> impl Iterator<Item = &Health> {
        self.health.values().map(|health| &**health)
    }

    /// The ports of a changed Service with their endpoints; the count of all endpoints follows.
    fn gather(&mut self, key: &Key) -> Vec<(ServicePort, Vec<Endpoint>)> {
        let ports = self.services.get(key).cloned().unwrap_or_default();
        let slices = self.slices.get(key).into_iter().flat_map(OrdMap::values);
        let mut by_port = match ports.is_empty() {
            true => BTreeMap::new(),
            false => endpoint::by_port(slices, &self.settings.node_name),
        };
        self.note_health(key, &ports, &by_port);
        let served = self.served.get(key).into_iter().flatten();
        let before: usize = served.map(|port| self.rules[port].endpoints).sum();
        let gathered: Vec<_> = ports
            .iter()
            .map(|port| {
                let name = (port.port_name.clone(), port.protocol.clone());
                (port.clone(), by_port.remove(&name).unwrap_or_default())
            })
            .collect();
        let now: usize = gathered.iter().map(|(_, endpoints)| endpoints.len()).sum();
        self.endpoints = self.endpoints + now - before;
        gathered
    }

    fn note_health(
        &mut self,
        key: &Key,
        ports: &[ServicePort],
        endpoints: &BTreeMap<(Str, Str), Vec<Endpoint>>,
    ) {
        let port = ports.first().map_or(0, |port| port.health_check_node_port);
        let Some(port) = u16::try_from(port).ok().filter(|port| *port != 0) else {
            self.health.remove(key);
            return;
        };
        let local: BTreeSet<&Str> = endpoints
            .values()
            .flatten()
            .filter(|endpoint| endpoint.local && endpoint.ready)
            .map(|endpoint| &endpoint.ip)
            .collect();
        let health = Health {
            namespace: key.0.to_string(),
            name: key.1.to_string(),
            port,
            local_endpoints: local.len(),
        };
        self.health.insert(key.clone(), Rc::new(health));
    }

    /// Replaces the rules of a Service, and notes what differs.
    fn rebuild(&mut self, key: &Key, ports: Vec<(ServicePort, Vec<Endpoint>)>, batch: &mut Batch) {
        let mut before: BTreeMap<PortKey, Rc<PortRules>> = BTreeMap::new();
        for port in self.served.remove(key).into_iter().flatten() {
            if let Some(rules) = self.rules.remove(&port) {
                before.insert(port, rules);
            }
        }
        let terse = self.is_large();
        let nothing = Rc::new(PortRules::default());
        let mut served = Vec::new();
        for (port, endpoints) in ports {
            let place = Place {
                node_name: &self.settings.node_name,
                zone: &self.zone,
            };
            let built = rules::build(&self.settings, &place, &port, &endpoints, terse);
            let port_key = (port.hash, port.name);
            let old = before.remove(&port_key);
            self.note_difference(old.as_ref().unwrap_or(&nothing), &built, batch);
            self.rules.insert(port_key.clone(), Rc::new(built));
            served.push(port_key);
        }
        for old in before.values() {
            self.note_difference(old, &nothing, batch);
        }
        if !served.is_empty() {
            self.served.insert(key.clone(), served);
        }
    }

    fn note_difference(&mut self, old: &PortRules, new: &PortRules, batch: &mut Batch) {
        for common in Common::ALL {
            let at = common as usize;
            self.dirty[at] |= old.common[at] != new.common[at];
        }
        let before: BTreeMap<&Str, &Chain> = old.chains.iter().map(|c| (&c.name, c)).collect();
        let now: BTreeSet<&Str> = new.chains.iter().map(|c| &c.name).collect();
        let differs = |chain: &&Chain| before.get(&chain.name) != Some(chain);
        batch.nat.extend(new.chains.iter().filter(differs).cloned());
        let gone = before.keys().filter(|name| !now.contains(*name));
        batch.stale.extend(gone.map(|name| (*name).clone()));
    }

    /// Everything, and without or with comments as the size of the cluster now asks.
    fn write_all(&mut self, batch: &mut Batch) {
        let terse = self.is_large();
        let outdated: Vec<Key> = self
            .served
            .iter()
            .filter(|(_, ports)| ports.iter().any(|port| self.rules[port].terse != terse))
            .map(|(key, _)| key.clone())
            .collect();
        for key in outdated {
            let ports = self.gather(&key);
            self.rebuild(&key, ports, batch);
        }
        self.dirty = [true; 6];
        batch.nat = self.service_chains().cloned().collect();
        for (table, chain) in fixed::chains(&self.settings) {
            match table {
                Table::Nat => batch.nat.push(chain),
                _ => batch.filter.push(chain),
            }
        }
    }

    fn is_large(&self) -> bool {
        self.endpoints > LARGE_CLUSTER_ENDPOINTS
    }

    fn common_chain(&self, common: Common) -> Chain {
        let lines = self.rules.values().flat_map(|r| &r.common[common as usize]);
        let mut rules: Vec<Str> = lines.cloned().collect();
        if common == Common::NatServices {
            let last = fixed::to_node_ports(&self.settings);
            rules.extend(Chain::of(common.chain(), last).rules.iter().cloned());
        }
        Chain {
            name: common.chain().into(),
            rules: rules.into(),
        }
    }
}

fn service_of(slice: &Value) -> Key {
    (slice.namespace().into(), slice.label(SERVICE_NAME).into())
}
