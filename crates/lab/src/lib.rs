//! The boundary of the simulation: a world is made from a description, inputs go in, outputs and
//! views come out.
//!
//! **Invariant:** whoever runs a lab (a browser tab, a test, CI) knows nothing of the crates below.

mod cluster;
mod files;
mod gateway;
mod input;
mod lab;
mod objects;
mod programs;
mod ready;
pub mod scenario;
mod spec;
pub mod views;
mod wire;

pub use api::base64;
pub use client::certificate::Certificate;
pub use cluster::NIC;
pub use input::{Input, Logged, Output, TerminalId};
pub use lab::{Lab, Run, RunCommand, Terminal};
pub use net::gzip;
pub use objects::Objects;
pub use spec::{MAX_NODES, NodeSpec, PRESETS, Role, VERSIONS, WorldSpec, node_ip, pod_network};
pub use wire::{FromWire, ToWire, WireId, WireRequest};
