//! What every component that talks to the API server needs: requests, caches kept by list and
//! watch, work queues, leader election, events. Everything is a state machine: the process around
//! it sends what `Client` holds ready, hands back what comes in, and calls again at the deadline.
//!
//! Deliberately absent: sockets, processes, and any knowledge of what objects mean.

mod answer;
mod cache;
mod candidacy;
pub mod certificate;
mod client;
mod component;
mod elector;
mod env;
mod events;
mod informer;
mod informers;
pub mod kubeconfig;
mod ledger;
mod queue;
pub mod request;
mod resource;

pub use answer::{Error, answer};
pub use cache::{Cache, Delta, Index};
pub use candidacy::Candidacy;
pub use client::{CallId, Client, Identity, Incoming, Outgoing};
pub use component::Component;
pub use elector::{Election, LeaderElector, Leadership};
pub use env::{Env, Notes, Severity, Silent, klog_line};
pub use events::{EventRecorder, EventType, Involved, Occurrence, Style};
pub use informer::Informer;
pub use informers::Informers;
pub use ledger::{Ledger, Sight};
pub use queue::WorkQueue;
pub use request::{DeleteOptions, ListOptions, Patch, Propagation};
pub use resource::{
    CERTIFICATE_REQUESTS, CONFIG_MAPS, CONTROLLER_REVISIONS, CRON_JOBS, CSI_NODES,
    CUSTOM_RESOURCE_DEFINITIONS, DAEMON_SETS, DEPLOYMENTS, ENDPOINT_SLICES, ENDPOINTS, EVENTS,
    JOBS, Key, LEASES, NAMESPACES, NODES, PERSISTENT_VOLUME_CLAIMS, PERSISTENT_VOLUMES,
    POD_AUTOSCALERS, POD_DISRUPTION_BUDGETS, PODS, REPLICA_SETS, REPLICATION_CONTROLLERS,
    RESOURCE_QUOTAS, Resource, SECRETS, SERVICE_ACCOUNTS, SERVICES, STATEFUL_SETS, STORAGE_CLASSES,
};
