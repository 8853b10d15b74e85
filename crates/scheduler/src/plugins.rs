//! The plugins, in the order they are asked. To add one, write its file and its line here.
//! Models pkg/scheduler/framework/plugins/registry.go.

mod image_locality;
mod inter_pod_affinity;
mod node_affinity;
mod node_name;
mod node_ports;
mod node_resources_balanced_allocation;
mod node_resources_fit;
mod node_unschedulable;
mod pod_topology_spread;
mod scheduling_gates;
mod taint_toleration;
mod volume_binding;

pub(crate) use node_affinity::matches_required as matches_node_affinity;
pub(crate) use volume_binding::{Bind, bindings, claims_named, is_bound};

use crate::profile::Enabled;

/// Every plugin with its default weight.
#[must_use]
pub(crate) fn default_plugins() -> Vec<Enabled> {
    vec![
        Enabled {
            plugin: &scheduling_gates::SchedulingGates,
            weight: 0,
        },
        Enabled {
            plugin: &node_unschedulable::NodeUnschedulable,
            weight: 0,
        },
        Enabled {
            plugin: &node_name::NodeName,
            weight: 0,
        },
        Enabled {
            plugin: &taint_toleration::TaintToleration,
            weight: 3,
        },
        Enabled {
            plugin: &node_affinity::NodeAffinity,
            weight: 2,
        },
        Enabled {
            plugin: &node_ports::NodePorts,
            weight: 0,
        },
        Enabled {
            plugin: &node_resources_fit::NodeResourcesFit,
            weight: 1,
        },
        Enabled {
            plugin: &volume_binding::VolumeBinding,
            weight: 0,
        },
        Enabled {
            plugin: &pod_topology_spread::PodTopologySpread,
            weight: 2,
        },
        Enabled {
            plugin: &inter_pod_affinity::InterPodAffinity,
            weight: 2,
        },
        Enabled {
            plugin: &node_resources_balanced_allocation::NodeResourcesBalancedAllocation,
            weight: 1,
        },
        Enabled {
            plugin: &image_locality::ImageLocality,
            weight: 1,
        },
    ]
}
