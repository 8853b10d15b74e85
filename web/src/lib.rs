//! The page and the worker of Kubarium: two programs that talk in [`protocol`] messages.
//!
//! The worker owns the world and its clock; the app draws what it is told and sends what a person
//! does. Neither knows how a cluster works: that is `lab` and `lesson`.

pub mod app;
pub mod codec;
pub mod markdown;
pub mod panels;
pub mod protocol;
pub mod save;
pub mod services;
pub mod worker;
