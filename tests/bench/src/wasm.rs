//! The cases for the browser, where the page has the clock.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::{Cluster, Kernel};

/// The bare kernel.
#[wasm_bindgen]
pub struct KernelCase(Kernel);

#[wasm_bindgen]
impl KernelCase {
    /// 50 machines.
    #[wasm_bindgen(constructor)]
    #[must_use]
    #[allow(clippy::new_without_default, reason = "it is called from JavaScript")]
    pub fn new() -> KernelCase {
        KernelCase(Kernel::new(50))
    }

    /// Lets this many events happen.
    pub fn run(&mut self, events: u32) -> f64 {
        self.0.run(u64::from(events)) as f64
    }
}

/// A cluster of twelve workers.
#[wasm_bindgen]
pub struct ClusterCase(Cluster);

#[wasm_bindgen]
impl ClusterCase {
    /// A cluster that is switched on.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(preset: &str) -> ClusterCase {
        ClusterCase(Cluster::new(preset))
    }

    /// Lets it come up; virtual seconds.
    pub fn boot(&mut self) -> f64 {
        self.0.boot().as_secs_f64()
    }

    /// A copy.
    #[must_use]
    pub fn copy(&self) -> ClusterCase {
        ClusterCase(self.0.clone())
    }

    /// Deploys web servers behind a node port.
    pub fn serve(&mut self) {
        self.0.serve();
    }

    /// Asks that node port.
    pub fn ask(&mut self, requests: u32) {
        self.0.ask(requests);
    }

    /// Deploys; events.
    pub fn deploy(&mut self, replicas: u32) -> f64 {
        self.0.deploy(replicas).0 as f64
    }
}
