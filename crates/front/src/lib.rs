//! The front: a simulated cluster's API server for clients that are no part of the simulation. Real
//! HTTP and TLS on one side, inputs and outputs of a [`lab::Lab`] on the other.
//!
//! **Invariant:** nothing is answered here that the cluster can answer: a request travels as packets
//! through the world to its API server, and what comes back is passed on as it is.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this shell has sockets, threads and a clock"
)]

mod answer;
mod body;
mod channels;
mod connection;
mod der;
mod exchange;
mod forward;
mod gzip;
mod identity;
mod issued;
mod kubeconfig;
mod openapi;
mod pace;
pub mod protobuf;
mod room;
mod server;
mod spdy;
mod subject;
mod today;
mod upgrade;

pub use pace::Pace;
pub use server::{Front, Options};
pub use today::{early_enough, wall_clock};
