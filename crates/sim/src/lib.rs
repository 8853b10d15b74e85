//! The ground everything stands on: virtual time, a totally ordered event queue, seeded random
//! streams, typed ids, the journal of causes and the register of what is not modelled.
//!
//! Deliberately absent: wall clocks, I/O, threads, floats. Nothing here knows what a machine is.

mod ids;
mod journal;
mod lookup;
mod queue;
mod random;
pub mod sha256;
mod time;
mod unmodelled;

pub use core::time::Duration;
pub use ids::{EntryId, MachineId, Pid};
pub use journal::{Arg, Entry, Journal, Kind};
pub use lookup::LookupMap;
pub use queue::EventQueue;
pub use random::Stream;
pub use time::{Civil, EPOCH_UNIX_SECS, Instant, parse_unix};
pub use unmodelled::Unmodelled;
