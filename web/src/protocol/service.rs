//! Services and their EndpointSlices.

use serde::{Deserialize, Serialize};

/// A Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Service {
    /// `metadata.uid`.
    pub uid: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `spec.type`.
    pub kind: String,
    /// `spec.clusterIP`.
    pub cluster_ip: String,
    /// `spec.selector` as kubectl prints it.
    pub selector: String,
    /// Its ports.
    pub ports: Vec<Port>,
    /// Its EndpointSlices.
    pub slices: Vec<Slice>,
}

/// A port of a Service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// `port`.
    pub port: u32,
    /// `nodePort`, 0 if it has none.
    pub node_port: u32,
    /// `protocol`.
    pub protocol: String,
}

/// An EndpointSlice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Slice {
    /// `metadata.name`.
    pub name: String,
    /// Its endpoints.
    pub endpoints: Vec<Endpoint>,
}

/// An endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Endpoint {
    /// Address and ports.
    pub address: String,
    /// It takes requests.
    pub ready: bool,
    /// The pod's name, empty if it is none.
    pub pod: String,
    /// The machine's name, empty if it is not known.
    pub node: String,
}

impl Service {
    /// The PORT(S) column of `kubectl get services`.
    pub fn port_words(&self) -> String {
        let word = |port: &Port| match port.node_port {
            0 => format!("{}/{}", port.port, port.protocol),
            node => format!("{}:{node}/{}", port.port, port.protocol),
        };
        self.ports.iter().map(word).collect::<Vec<_>>().join(",")
    }

    /// How many endpoints take requests, and how many there are.
    pub fn ready(&self) -> (usize, usize) {
        let all = || self.slices.iter().flat_map(|slice| &slice.endpoints);
        (
            all().filter(|endpoint| endpoint.ready).count(),
            all().count(),
        )
    }
}
