//! What comes into a lab from outside, and what goes out. Inputs are the only thing a world does
//! not know by itself: with the seed they are all there is to save.

use std::rc::Rc;

use machine::ExitStatus;
use sim::Instant;

use crate::wire::{FromWire, ToWire, WireId};

sim::typed_id!(
    /// A terminal of the lab, counted from 1 in the order of opening.
    TerminalId(u32)
);

/// Something a person does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Opens a terminal with a login shell on a machine.
    OpenTerminal {
        /// The machine's name.
        machine: Rc<str>,
        /// Width in characters.
        columns: u16,
        /// Height in lines.
        rows: u16,
    },
    /// Types.
    Keys {
        /// Where.
        terminal: TerminalId,
        /// What the keys send.
        bytes: Rc<[u8]>,
    },
    /// Changes a terminal's size.
    Resize {
        /// Which.
        terminal: TerminalId,
        /// Width in characters.
        columns: u16,
        /// Height in lines.
        rows: u16,
    },
    /// Closes a terminal: what runs there is hung up.
    CloseTerminal {
        /// Which.
        terminal: TerminalId,
    },
    /// Closes an editor that a command asked for.
    Edited {
        /// The request it answers.
        request: u64,
        /// The new text; `None` leaves the file as it is.
        text: Option<Rc<str>>,
    },
    /// Switches a machine on or off.
    Power {
        /// The machine's name.
        machine: Rc<str>,
        /// On or off.
        on: bool,
    },
    /// Runs commands as root on a machine, without a terminal: scripts, and checks of a lesson.
    Run {
        /// The machine's name.
        machine: Rc<str>,
        /// A script for bash.
        command: Rc<str>,
    },
    /// Somebody outside the world speaks to the API server.
    Wire {
        /// The connection.
        wire: WireId,
        /// What is done with it.
        message: ToWire,
    },
}

/// An input and when it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logged {
    /// Virtual time.
    pub at: Instant,
    /// What came.
    pub input: Input,
}

/// Something a lab says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Output {
    /// A terminal shows these bytes.
    Terminal {
        /// Which.
        terminal: TerminalId,
        /// What is written to the screen.
        bytes: Vec<u8>,
    },
    /// The shell of a terminal has ended.
    TerminalClosed {
        /// Which.
        terminal: TerminalId,
        /// How.
        status: ExitStatus,
    },
    /// A command wants a file edited.
    Edit {
        /// To be named in [`Input::Edited`].
        request: u64,
        /// The file's name.
        path: Rc<str>,
        /// Its text.
        text: Rc<str>,
    },
    /// The API server speaks to somebody outside the world.
    Wire {
        /// The connection.
        wire: WireId,
        /// What comes.
        message: FromWire,
    },
}
