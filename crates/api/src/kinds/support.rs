//! What many components ask about objects, one concept per file.

pub mod conditions;
pub mod containers;
pub mod cron;
pub mod diff;
pub mod node_affinity;
pub mod owners;
pub mod pods;
pub mod policy;
pub mod qos;
pub mod quota;
pub mod resources;
pub mod scaled;
pub mod taints;
pub mod time_zone;
pub mod volumes;
