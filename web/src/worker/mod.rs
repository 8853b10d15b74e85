//! The worker: owns the world, its clock and its log, and speaks `protocol`.

pub mod catalog;
pub mod convert;
pub mod guide;
pub mod keep;
pub mod pace;
pub mod requests;
pub mod room;
pub mod screens;
pub mod shell;
pub mod wire;
pub mod world;

/// Runs the worker.
pub fn run() {
    wire::start(shell::LabShell::default());
}
