//! What a world says to whoever runs it: terminal output, and requests only a person can answer.

use std::rc::Rc;

use net::Payload;
use sim::{Instant, MachineId, Pid};

use crate::process::ExitStatus;
use crate::tty::TtyId;

/// A request of a process to the world outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Let the person edit a file; answered with the new text, or nothing if it was left as it was.
    Edit {
        /// The name to show.
        path: Rc<str>,
        /// The text to start from.
        text: Rc<str>,
    },
}

/// Something said to the outside.
#[derive(Clone, Debug)]
pub enum Outside {
    /// A terminal shows these bytes.
    Output {
        /// Its machine.
        machine: MachineId,
        /// The terminal.
        tty: TtyId,
        /// What is written to the screen.
        bytes: Vec<u8>,
    },
    /// The process a terminal was opened for has ended.
    Closed {
        /// Its machine.
        machine: MachineId,
        /// The terminal.
        tty: TtyId,
        /// How the process ended.
        status: ExitStatus,
    },
    /// A command that is collected from outside printed something.
    Printed {
        /// The collector.
        sink: u32,
        /// Whether to standard error.
        stderr: bool,
        /// What.
        bytes: Vec<u8>,
    },
    /// A command that is collected from outside has ended.
    Ended {
        /// The collector.
        sink: u32,
        /// How.
        status: ExitStatus,
    },
    /// A script that was started to tell of its commands begins or has ended one.
    Command {
        /// Its machine.
        machine: MachineId,
        /// The process.
        pid: Pid,
        /// When.
        at: Instant,
        /// The command's source.
        text: Rc<str>,
        /// Its exit code once it has ended.
        code: Option<i32>,
    },
    /// A process asks for something.
    Asked {
        /// Its machine.
        machine: MachineId,
        /// The process.
        pid: Pid,
        /// To be named in the answer.
        id: u64,
        /// What it asks.
        request: Request,
    },
    /// A process hands something out.
    Handed {
        /// Its machine.
        machine: MachineId,
        /// The process.
        pid: Pid,
        /// What.
        parcel: Payload,
    },
}
