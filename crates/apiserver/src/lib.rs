//! The API server: authentication, authorisation, admission, the registry of kinds, the watch cache,
//! discovery, tables. A state machine: it is told of requests and of etcd's answers, and says what is
//! to be done. Knows no sockets.
//!
//! Models k8s.io/apiserver and cmd/kube-apiserver.

mod admission;
mod alloc;
mod audit;
mod authn;
mod authz;
mod backend;
mod bootstrap;
mod cache;
mod collection;
mod config;
mod consult;
mod create;
mod decode;
mod definitions;
mod delete;
mod discovery;
mod dispatch;
mod effect;
mod fields;
mod flow_control;
mod ipaddresses;
mod list;
mod managed;
mod openapi;
mod ordered;
mod pages;
mod patch;
mod reply;
mod request;
mod requester;
mod resources;
mod reviews;
mod server;
mod subresources;
mod table;
mod token;
mod update;
mod watch;
mod watchers;
mod write;

pub use audit::Policy;
pub use authn::User;
pub use config::Config;
pub use effect::{Action, CallId, Cx, Effect, Forget, Notes, Peer, StreamId};
pub use request::{Query, RequestInfo};
pub use server::ApiServer;
