//! HTTP for programs that run as event handlers: a server and a pooled client, both plain data.

mod client;
mod plain;
mod server;

pub use client::{CallId, Client, ClientEvent, Outcome, Target};
pub use server::{Server, ServerEvent, StreamRef};
