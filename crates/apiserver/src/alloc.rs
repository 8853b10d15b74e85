//! Addresses and node ports of Services: which are taken, and giving out free ones.
//!
//! Models pkg/registry/core/service/{ipallocator,portallocator}. What is taken is known from the
//! Services themselves; objects of kind IPAddress are not kept.

use std::net::Ipv4Addr;

use api::kinds::service::{is_headless, needs_cluster_ip, needs_node_port};
use api::{FieldError, Status, Str, Value, status};
use imbl::GenericOrdMap;
use imbl::shared_ptr::RcK;
use sim::Stream;

use crate::cache::Change;
use crate::config::Config;
use crate::resources::{Resource, ResourceId};
use crate::server::ApiServer;
use crate::write::Write;

/// What is taken, and by which Service (`namespace/name`).
#[derive(Clone, Debug)]
pub(crate) struct Allocators {
    ips: Pool,
    ports: Pool,
}

/// Numbers of a range. Those asked for by number may be any; those that are chosen come from the
/// upper part while it has any, so that the lower part stays free for the former.
#[derive(Clone, Debug)]
struct Pool {
    first: u32,
    last: u32,
    /// Where the upper part begins.
    upper: u32,
    taken: GenericOrdMap<u32, Str, RcK>,
}

impl Pool {
    fn new(first: u32, last: u32, reserve: u32) -> Pool {
        let upper = first.saturating_add(reserve).min(last);
        Pool {
            first,
            last,
            upper,
            taken: GenericOrdMap::new(),
        }
    }

    fn contains(&self, number: u32) -> bool {
        (self.first..=self.last).contains(&number)
    }

    /// Whether the number is free for this owner.
    fn is_free_for(&self, number: u32, owner: &str) -> bool {
        self.taken
            .get(&number)
            .is_none_or(|by| by.as_str() == owner)
    }

    fn take(&mut self, number: u32, owner: &Str) {
        self.taken.insert(number, owner.clone());
    }

    fn free(&mut self, number: u32, owner: &str) {
        if self
            .taken
            .get(&number)
            .is_some_and(|by| by.as_str() == owner)
        {
            self.taken.remove(&number);
        }
    }

    /// A free number: the first free one from a random place on.
    fn choose(&self, random: &mut Stream) -> Option<u32> {
        let free = |number: &u32| !self.taken.contains_key(number);
        let place = self.upper + random.below(u64::from(self.last - self.upper) + 1) as u32;
        let mut upper = (place..=self.last).chain(self.upper..place);
        upper
            .find(free)
            .or_else(|| (self.first..self.upper).find(free))
    }
}

impl Allocators {
    pub(crate) fn new(config: &Config) -> Allocators {
        let (network, len) = config.service_cidr;
        let size = 1_u64 << (32 - u32::from(len));
        let base = u32::from(network);
        // Network and broadcast address are not given out.
        let last = base + (size.saturating_sub(2)).max(1) as u32;
        let reserve = (size / 16).clamp(16, 256) as u32;
        let (low, high) = (
            u32::from(config.node_ports.0),
            u32::from(config.node_ports.1),
        );
        let port_reserve = ((high - low + 1) / 32).clamp(16, 128);
        Allocators {
            ips: Pool::new(base + 1, last, reserve - 1),
            ports: Pool::new(low, high, port_reserve),
        }
    }

    /// A Service changed: what it held and holds no more is free, what it holds is taken.
    pub(crate) fn observe(&mut self, resource: &Resource, change: &Change) {
        if resource.kind.kind != "Service" {
            return;
        }
        let owner = &change.entry.key;
        if let Some(before) = &change.before {
            self.give_back(&before.value, owner);
        }
        if change.deleted {
            self.give_back(&change.entry.value, owner);
        } else {
            self.hold(&change.entry.value, owner);
        }
    }

    fn hold(&mut self, service: &Value, owner: &Str) {
        ips_of(service).for_each(|ip| self.ips.take(ip, owner));
        ports_of(service).for_each(|port| self.ports.take(port, owner));
    }

    fn give_back(&mut self, service: &Value, owner: &str) {
        ips_of(service).for_each(|ip| self.ips.free(ip, owner));
        ports_of(service).for_each(|port| self.ports.free(port, owner));
    }
}

fn ips_of(service: &Value) -> impl Iterator<Item = u32> + '_ {
    let ips = service.list_at("spec.clusterIPs").iter();
    ips.filter_map(|ip| ip.as_str().parse::<Ipv4Addr>().ok())
        .map(u32::from)
}

fn ports_of(service: &Value) -> impl Iterator<Item = u32> + '_ {
    let ports = service
        .list_at("spec.ports")
        .iter()
        .map(|port| port.get("nodePort"));
    let health = std::iter::once(service.at("spec.healthCheckNodePort"));
    ports
        .chain(health)
        .filter_map(Value::as_i64)
        .filter(|port| *port > 0)
        .map(|port| port as u32)
}

impl ApiServer {
    /// Gives a Service the addresses and ports it needs and does not have. Other kinds need none.
    pub(crate) fn allocate(
        &mut self,
        write: &Write,
        object: &mut Value,
        old: Option<&Value>,
    ) -> Result<(), Status> {
        if write.stored_kind().kind != "Service" || !write.subresource.is_empty() {
            return Ok(());
        }
        let owner = write.key();
        let mut errors = Vec::new();
        if needs_cluster_ip(object) && !is_headless(object) {
            errors.extend(self.allocate_ip(object, &owner));
        }
        if needs_node_port(object) {
            self.allocate_ports(object, &owner, &mut errors);
        }
        let local = object.str_at("spec.externalTrafficPolicy") == "Local";
        let balanced = object.str_at("spec.type") == "LoadBalancer" && local;
        if balanced
            && object.at("spec.healthCheckNodePort").is_zero()
            && let Some(port) = self.allocators.ports.choose(&mut self.random)
        {
            object.set("spec.healthCheckNodePort", i64::from(port));
        }
        if !errors.is_empty() {
            return Err(status::invalid("", "Service", object.name(), &errors));
        }
        let unchanged = old.is_some_and(|old| {
            ips_of(old).eq(ips_of(object)) && ports_of(old).eq(ports_of(object))
        });
        if !write.dry_run && !unchanged {
            self.allocators.hold(object, &owner);
        }
        Ok(())
    }

    fn allocate_ip(&mut self, object: &mut Value, owner: &str) -> Option<FieldError> {
        let given = object.str_at("spec.clusterIPs.0").to_owned();
        if given.is_empty() {
            let Some(ip) = self.allocators.ips.choose(&mut self.random) else {
                let none = "failed to allocate a serviceIP: range is full";
                return Some(FieldError::internal("spec.clusterIPs", none));
            };
            let ip = Ipv4Addr::from(ip).to_string();
            object.set("spec.clusterIP", ip.as_str());
            object.set("spec.clusterIPs", vec![ip]);
            return None;
        }
        let ip: Ipv4Addr = given.parse().ok()?;
        let Allocators { ips, .. } = &self.allocators;
        let number = u32::from(ip);
        let why = if !ips.contains(number) {
            "the provided network does not match the current range".to_owned()
        } else if !ips.is_free_for(number, owner) {
            "provided IP is already allocated".to_owned()
        } else {
            return None;
        };
        let why = format!("failed to allocate IP {ip}: {why}");
        Some(FieldError::invalid(
            "spec.clusterIPs",
            object.at("spec.clusterIPs"),
            why,
        ))
    }

    fn allocate_ports(&mut self, object: &mut Value, owner: &str, errors: &mut Vec<FieldError>) {
        let count = object.list_at("spec.ports").len();
        for i in 0..count {
            let path = format!("spec.ports.{i}.nodePort");
            let field = format!("spec.ports[{i}].nodePort");
            let given = object.at(&path).as_i64().unwrap_or(0);
            let pool = &self.allocators.ports;
            if given == 0 {
                // Ports of this Service that were chosen a moment ago are not held yet.
                let mine: Vec<u32> = ports_of(object).collect();
                let mut chosen = pool.clone();
                mine.iter()
                    .for_each(|port| chosen.take(*port, &Str::from(owner)));
                match chosen.choose(&mut self.random) {
                    Some(port) => object.set(&path, i64::from(port)),
                    None => errors.push(FieldError::internal(
                        field,
                        "failed to allocate a nodePort: range is full",
                    )),
                }
                continue;
            }
            let number = u32::try_from(given).unwrap_or(0);
            if !pool.contains(number) {
                let why = format!(
                    "provided port is not in the valid range. The range of valid ports is {}-{}",
                    pool.first, pool.last
                );
                errors.push(FieldError::invalid(field, given, why));
            } else if !pool.is_free_for(number, owner) {
                errors.push(FieldError::invalid(
                    field,
                    given,
                    "provided port is already allocated",
                ));
            }
        }
    }

    /// A write came to nothing: what was held for it is free, but for what its Service holds.
    pub(crate) fn release(&mut self, write: &Write) {
        if write.stored_kind().kind != "Service" {
            return;
        }
        let owner = write.key();
        let held = self
            .resources
            .get(write.resource)
            .cache
            .get(&owner)
            .cloned();
        let mine = |pool: &Pool| -> Vec<u32> {
            let mine = pool
                .taken
                .iter()
                .filter(|(_, by)| by.as_str() == owner.as_str());
            mine.map(|(number, _)| *number).collect()
        };
        for number in mine(&self.allocators.ips) {
            self.allocators.ips.free(number, &owner);
        }
        for number in mine(&self.allocators.ports) {
            self.allocators.ports.free(number, &owner);
        }
        if let Some(entry) = held {
            self.allocators.hold(&entry.value, &owner);
        }
    }

    /// Learns what the Services that were there already hold.
    pub(crate) fn learn_allocations(&mut self, services: ResourceId) {
        let entries: Vec<_> = self
            .resources
            .get(services)
            .cache
            .objects()
            .values()
            .cloned()
            .collect();
        self.allocators = Allocators::new(&self.config);
        for entry in entries {
            self.allocators.hold(&entry.value, &entry.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_from_the_upper_part_first() {
        let mut random = Stream::new(1, "alloc");
        let mut pool = Pool::new(10, 29, 16);
        let owner = Str::from("n/s");
        let mut chosen = Vec::new();
        while let Some(number) = pool.choose(&mut random) {
            pool.take(number, &owner);
            chosen.push(number);
        }
        assert_eq!(chosen.len(), 20);
        assert!(chosen[..4].iter().all(|number| *number >= 26), "{chosen:?}");
        assert!(!pool.is_free_for(10, "n/t") && pool.is_free_for(10, "n/s"));
        pool.free(10, "n/t");
        assert_eq!(pool.choose(&mut random), None);
        pool.free(10, "n/s");
        assert_eq!(pool.choose(&mut random), Some(10));
    }
}
