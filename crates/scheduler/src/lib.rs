//! Which node a pod goes to, and why. The framework and one file per plugin; a decision is returned
//! with the reasons of every node, and only `component` turns it into writes.
//!
//! `Scheduler` is the pure part: objects in, decisions out. `Component` is kube-scheduler without
//! its process: caches, leader election, bindings, events.

mod cluster;
pub mod component;
mod cycle;
mod decision;
pub mod framework;
mod node;
mod plugins;
mod pod;
mod preemption;
mod profile;
mod queue;
mod resources;
mod scheduler;

pub use cluster::Cluster;
pub use component::{KubeScheduler, Options};
pub use decision::{Decision, Outcome, Score, Verdict};
pub use framework::{EventKind, Rejection};
pub use node::{LabelGroup, NodeInfo};
pub use pod::{HostPort, PodInfo, Taint, Toleration};
pub use preemption::Preemption;
pub use profile::{Enabled, Profile};
pub use queue::{Place, SchedulingQueue, Waiting};
pub use resources::{Requests, Resources};
pub use scheduler::Scheduler;
