//! Gives each node a range of pod addresses, in the order in which nodes register.
//! Models pkg/controller/nodeipam/ipam/range_allocator.go for one IPv4 range.

use std::net::Ipv4Addr;

use api::object;
use client::{Delta, Index, Key, NODES, Patch, Resource};

use crate::controller::{Agenda, Controller, Cx};

/// The controller.
#[derive(Clone, Debug)]
pub struct NodeIpamController {
    /// `--cluster-cidr`: the first address of all ranges, and its prefix length.
    pub cluster: (Ipv4Addr, u8),
    /// `--node-cidr-mask-size`.
    pub mask: u8,
}

impl Default for NodeIpamController {
    fn default() -> Self {
        NodeIpamController {
            cluster: (Ipv4Addr::new(10, 244, 0, 0), 16),
            mask: 24,
        }
    }
}

impl Controller for NodeIpamController {
    fn name(&self) -> &'static str {
        "node-ipam-controller"
    }

    fn watches(&self) -> Vec<(Resource, &'static [Index])> {
        vec![(NODES, &[])]
    }

    fn on_delta(&mut self, agenda: &mut Agenda<'_>, _resource: &Resource, delta: &Delta) {
        if delta
            .new
            .as_ref()
            .is_some_and(|node| node.str_at("spec.podCIDR").is_empty())
        {
            // One key for all: ranges are given out one after the other.
            agenda.add(Key::new("", "ranges"));
        }
    }

    fn sync(&mut self, cx: &mut Cx<'_>, _key: &Key) {
        let nodes = cx.cache(&NODES);
        let mut waiting: Vec<(&str, &Key)> = nodes
            .iter()
            .filter(|(_, node)| node.str_at("spec.podCIDR").is_empty())
            .map(|(key, node)| (node.creation_timestamp(), key))
            .collect();
        waiting.sort();
        let taken: Vec<&str> = nodes
            .iter()
            .map(|(_, node)| node.str_at("spec.podCIDR"))
            .collect();
        let mut free = self
            .ranges()
            .filter(|range| !taken.contains(&range.as_str()));
        for (_, key) in waiting {
            let Some(range) = free.next() else { return };
            let patch = object!({ "spec": { "podCIDR": (range.as_str()), "podCIDRs": [(range)] } });
            cx.patch(&NODES, key, "", Patch::Merge, patch);
        }
    }

    fn boxed_clone(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }
}

impl NodeIpamController {
    fn ranges(&self) -> impl Iterator<Item = String> + use<> {
        let (first, prefix) = (u32::from(self.cluster.0), self.cluster.1);
        let mask = self.mask;
        let count = 1_u32 << mask.saturating_sub(prefix).min(16);
        (0..count).map(move |n| {
            let base = first + (n << (32 - u32::from(mask)));
            format!("{}/{mask}", Ipv4Addr::from(base))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Bench;

    #[test]
    fn nodes_get_ranges_in_their_order_and_freed_ones_are_used_again() {
        let mut bench = Bench::new(vec![Box::new(NodeIpamController::default())]);
        let node = |name: &str| object!({ "apiVersion": "v1", "kind": "Node", "metadata": { "name": (name) }, "spec": {} });
        for name in ["b", "a", "c"] {
            bench.put(&NODES, node(name));
        }
        let range = |bench: &Bench, name: &str| {
            bench
                .get(&NODES, "", name)
                .str_at("spec.podCIDR")
                .to_owned()
        };
        assert_eq!(range(&bench, "b"), "10.244.0.0/24");
        assert_eq!(range(&bench, "a"), "10.244.1.0/24");
        assert_eq!(range(&bench, "c"), "10.244.2.0/24");
        bench.vanish(&NODES, "", "a");
        bench.put(&NODES, node("d"));
        assert_eq!(range(&bench, "d"), "10.244.1.0/24");
    }
}
