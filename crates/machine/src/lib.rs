//! Linux hosts: processes, files, users, terminals, units, and the world they form together with
//! the network and the clock.
//!
//! **Invariant:** nothing here knows Kubernetes. A program meets the rest of the world only through
//! [`Sys`], in one thread, one event at a time.

mod alarm;
pub mod fs;
mod host;
pub mod http;
mod mount;
mod outside;
mod pipe;
mod power;
mod process;
mod procfs;
mod program;
mod sys;
mod sysctl;
pub mod testing;
mod tool;
mod tty;
mod unit;
mod world;

pub use alarm::Alarm;
pub use host::{Host, HostSpec, LogLine, User};
pub use mount::{FsId, Mount, MountNs, MountNsId, Place};
pub use net::{Errno, NetnsId, Payload, SocketId};
pub use outside::{Outside, Request};
pub use power::{Boot, Step};
pub use process::{Env, ExitStatus, Fd, Handle, PidNsId, Process, Signal, TimerId};
pub use procfs::{Proc, put_proc};
pub use program::{Constructor, Poll, Program, Programs, Wake, WatchId};
pub use sys::{DirEntry, Exec, FileKind, LARGEST_FILE, OpenMode, ProcessInfo, Spawn, Stat, Sys};
pub use sysctl::{Sysctl, put_proc_sys};
pub use tool::{Caught, Io, ToolFuture, ToolMain, tool, tool_catching, tool_starting_in};
pub use tty::{Screen, Tty, TtyId};
pub use unit::{Restart, Unit, UnitState};
pub use world::{Event, World};
