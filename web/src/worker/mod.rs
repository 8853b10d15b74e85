//! The worker: owns the world, its clock and its log, and speaks `protocol`.

pub mod fixture;
pub mod pace;
pub mod wire;

/// Runs the worker.
pub fn run() {
    wire::start(fixture::Fixture::default());
}
