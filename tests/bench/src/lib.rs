//! What `cargo xtask bench` measures, without a clock: whoever runs a case times it. The native
//! table is `main.rs`; in the browser `tests/page/bench.mjs` calls the same cases.

mod cluster;
mod kernel;
mod rules;
#[cfg(target_arch = "wasm32")]
mod wasm;

pub use cluster::{Cluster, REQUESTS, SIZES};
pub use kernel::Kernel;
pub use rules::{Rules, SERVICES};
