//! Services: each, and the ports of nodes and the load balancers they take.
//!
//! Models pkg/quota/v1/evaluator/core/services.go.

use super::{Amounts, Evaluator, ONE};
use crate::quantity::Format;
use crate::{Quantity, Value};

const NAMES: [&str; 3] = ["services", "services.nodeports", "services.loadbalancers"];

pub(super) const EVALUATOR: Evaluator = Evaluator {
    plural: "services",
    charges: |name| NAMES.contains(&name),
    usage,
    on_update: true,
    ..Evaluator::PLAIN
};

fn usage(service: &Value, used: &mut Amounts) {
    let ports = service.list_at("spec.ports");
    let (node_ports, balancers) = match service.str_at("spec.type") {
        "NodePort" => (ports.len(), 0),
        "LoadBalancer" => {
            let allocates = service.at("spec.allocateLoadBalancerNodePorts").as_bool();
            let taken = |port: &&Value| port.i64_at("nodePort").unwrap_or(0) != 0;
            let all = allocates != Some(false);
            let count = ports.iter().filter(|port| all || taken(port)).count();
            (count, 1)
        }
        _ => (0, 0),
    };
    let count = |n: usize| Quantity::new(n as i64, Format::DecimalSi);
    used.insert("services".into(), ONE);
    used.insert("services.nodeports".into(), count(node_ports));
    used.insert("services.loadbalancers".into(), count(balancers));
}
