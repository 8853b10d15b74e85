//! Programs: code that runs as a process.

use std::fmt::Debug;

use sim::{Duration, Pid, typed_id};

use crate::process::{ExitStatus, Fd, Signal, TimerId};
use crate::sys::Sys;

typed_id!(
    /// A watch on a path, set by a process.
    WatchId(u32)
);

/// Why a program is polled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wake {
    /// It begins.
    Start,
    /// A timer it armed has run out.
    Timer(TimerId),
    /// A signal it handles arrived.
    Signal(Signal),
    /// A child ended.
    Child {
        /// Which.
        pid: Pid,
        /// How.
        status: ExitStatus,
    },
    /// A descriptor that answered `EAGAIN` is worth another try.
    Ready(Fd),
    /// Something at or below a watched path changed.
    Changed(WatchId),
    /// The world outside answered a request.
    Reply(u64),
    /// The world outside handed something in: [`Sys::take_parcel`].
    Handed,
    /// It goes on after [`Poll::Again`], or after having been copied.
    Resume,
}

/// What a poll came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Poll {
    /// Nothing to do until the next wake.
    Pending,
    /// It computed for this long and wants to go on ([`Wake::Resume`]).
    Again(Duration),
    /// It ended with this code.
    Exit(i32),
}

/// A program as plain data: everything it knows is in `self`, so a copy goes on by itself.
pub trait Program: Debug {
    /// Runs until there is nothing to do.
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll;

    /// A copy, for a copy of the world.
    fn boxed_clone(&self) -> Box<dyn Program>;

    /// How long the kernel, the loader and the program's own initialisation take before its first
    /// instruction of interest, when it is started from an executable.
    fn start_up(&self) -> Duration {
        Duration::from_millis(1)
    }

    /// Whether it wants to see `signal` as a wake; otherwise the default action is taken. `Kill`
    /// and `Stop` are never asked for.
    fn handles(&self, signal: Signal) -> bool {
        let _ = signal;
        false
    }
}

impl Clone for Box<dyn Program> {
    fn clone(&self) -> Self {
        (**self).boxed_clone()
    }
}

/// Makes a program for an executable; its arguments are in [`Sys::args`].
pub type Constructor = fn() -> Box<dyn Program>;
/// The world's table of executables: the name in a [`crate::fs::Content::Binary`] to its program.
pub type Programs = fn(&str) -> Option<Constructor>;
