//! The wall's clock, for pacing: how far a world may run, never what happens in it.

use std::cell::Cell;

use wasm_bindgen::JsCast;
use web_sys::WorkerGlobalScope;

/// Milliseconds that only go forward.
pub trait Clock {
    /// Milliseconds since some moment.
    fn now_ms(&self) -> f64;
}

/// The clock of the worker this runs in.
#[derive(Clone, Copy, Debug)]
pub struct WorkerClock;

impl Clock for WorkerClock {
    fn now_ms(&self) -> f64 {
        let scope: WorkerGlobalScope = js_sys::global().unchecked_into();
        scope.performance().map_or(0.0, |clock| clock.now())
    }
}

/// A clock that a test moves.
#[derive(Debug, Default)]
pub struct HandClock {
    now: Cell<f64>,
}

impl HandClock {
    /// Lets milliseconds pass.
    pub fn pass(&self, ms: f64) {
        self.now.set(self.now.get() + ms);
    }
}

impl Clock for HandClock {
    fn now_ms(&self) -> f64 {
        self.now.get()
    }
}
