//! Tidiness: what every file of the checkout owes to the rest, checked as ordinary tests.
//!
//! Each rule gives a list of offences, `path:line: what is wrong`; a rule holds if it is empty.
#![allow(clippy::disallowed_methods, reason = "it reads the sources")]

mod layers;
mod leftovers;
mod licences;
mod lists;
mod modules;
mod sources;
mod unmodelled;
mod words;

/// Fails with all offences at once.
#[track_caller]
fn holds(rule: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{rule}:\n  {}", offences.join("\n  "));
}
