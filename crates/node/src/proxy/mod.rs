//! kube-proxy in mode iptables. Services and EndpointSlices go in, chains of netfilter rules come
//! out; what packets meet is the network's business.
//!
//! The rules of a service port are built when it, or one of its endpoints, has changed, and kept as
//! text. A sync hands over the chains that differ from those of the last one.
//! Models pkg/proxy and pkg/proxy/iptables.

mod batch;
mod endpoint;
mod fixed;
mod health;
mod names;
mod probability;
mod proxier;
mod rules;
mod service;
mod settings;
#[cfg(test)]
mod tests;
mod topology;

pub use batch::{Batch, Chain, Table};
pub use endpoint::SERVICE_NAME;
pub use fixed::{CANARY_TABLES, JUMPS, Jump};
pub use health::Health;
pub use names::{CANARY, is_service_chain};
pub use proxier::Proxier;
pub use settings::Settings;
