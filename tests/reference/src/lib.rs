//! Compares Kubarium with what the real system answered, case by case. A case is data: its folder
//! holds what went in and what came out.
#![allow(
    clippy::disallowed_methods,
    reason = "a shell: it reads the files of the cases"
)]

pub mod iptables;
mod lines;
pub mod transcripts;

pub(crate) use lines::lines_difference;
