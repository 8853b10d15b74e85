//! kube-proxy alone: rules for a thousand Services, and for one more.

use api::{Value, object};
use node::proxy::{Proxier, Settings};

/// Services of the case.
pub const SERVICES: u32 = 1000;
/// Pods behind each of them, on two machines.
const ENDPOINTS: u32 = 2;

/// A kube-proxy that has been told of Services and has written nothing yet.
pub struct Rules {
    proxier: Proxier,
    told: u32,
}

impl Rules {
    /// One that knows `services` Services with two endpoints each.
    #[must_use]
    pub fn new(services: u32) -> Rules {
        let cidr = "10.244.0.0/16".parse().ok();
        let settings = Settings::new("node01", [172, 30, 2, 2].into(), cidr);
        let mut rules = Rules {
            proxier: Proxier::new(settings),
            told: 0,
        };
        for _ in 0..services {
            rules.tell();
        }
        rules
    }

    /// Tells it of one Service more.
    pub fn tell(&mut self) {
        let n = self.told;
        self.told += 1;
        self.proxier.set_service(&service(n));
        self.proxier.set_slice(&slice(n));
    }

    /// Writes what is to be written; the number of rules.
    pub fn build(&mut self) -> usize {
        self.proxier.sync().rules()
    }
}

fn service(n: u32) -> Value {
    object! {
        "apiVersion": "v1", "kind": "Service",
        "metadata": { "namespace": "default", "name": (name(n)) },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": (address([10, 96], n)),
            "clusterIPs": [(address([10, 96], n))],
            "ports": [{ "protocol": "TCP", "port": 80, "targetPort": 8080 }],
        },
    }
}

fn slice(n: u32) -> Value {
    let endpoints: Vec<Value> = (0..ENDPOINTS)
        .map(|e| {
            let address = address([10, 244], n * ENDPOINTS + e);
            let conditions = object! { "ready": true, "serving": true, "terminating": false };
            object! { "addresses": [(address)], "conditions": conditions, "nodeName": "node02" }
        })
        .collect();
    object! {
        "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice",
        "metadata": {
            "namespace": "default",
            "name": (format!("{}-x", name(n))),
            "labels": { "kubernetes.io/service-name": (name(n)) },
        },
        "addressType": "IPv4",
        "endpoints": endpoints,
        "ports": [{ "name": "", "protocol": "TCP", "port": 8080 }],
    }
}

fn name(n: u32) -> String {
    format!("service-{n:04}")
}

fn address(prefix: [u8; 2], n: u32) -> String {
    let [a, b] = prefix;
    format!("{a}.{b}.{}.{}", 1 + n / 250, 1 + n % 250)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_has_rules_and_one_more_writes_only_its_own() {
        let (fewer, more) = (Rules::new(10).build(), Rules::new(20).build());
        assert!(more > fewer, "{fewer} rules for ten, {more} for twenty");
        let mut rules = Rules::new(20);
        let all = rules.build();
        rules.tell();
        let again = rules.build();
        assert!(again < all, "{all} rules at first, {again} for one more");
    }
}
