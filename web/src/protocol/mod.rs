//! The wire between the app and the worker. Plain data; nothing here decides anything.
//!
//! The types are the page's own: what `lab` and `lesson` call things may change without the page,
//! and the other way round. `worker::convert` maps between the two.

mod lesson;
mod picture;
mod request;
mod service;

pub use lesson::{Check, CheckState, Choice, Hint, LessonCard, LessonView, Question, Step, Track};
pub use picture::{Component, Etcd, Event, Machine, Owner, Picture, PictureChange, Pod, PodState};
pub use request::{Asker, Fate, Met, Request, Station, Way, Writer};
pub use service::{Endpoint, Port, Service, Slice};

use serde::{Deserialize, Serialize};

/// What is open: a lesson, by its id (`track/nn-name`), or the sandbox.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Place {
    /// A guided lesson.
    Lesson(String),
    /// A cluster with nothing to do in it but what one likes.
    Sandbox,
}

impl Place {
    /// The name this place is saved under.
    pub fn key(&self) -> String {
        match self {
            Place::Lesson(id) => format!("lesson/{id}"),
            Place::Sandbox => "sandbox".to_owned(),
        }
    }
}

/// How fast virtual time runs against the wall's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Speed {
    /// The world stands still.
    Paused,
    /// This many virtual seconds in a second.
    Times(u32),
    /// As fast as this computer can.
    Max,
}

/// Which panels are open: the worker sends views for these only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Watched {
    /// The lesson text, its checks and hints.
    pub lesson: bool,
    /// Machines and pods.
    pub picture: bool,
}

/// From the app to the worker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum ToWorker {
    /// Make the world of this place, or make it again from what was saved.
    Open {
        /// What to open.
        place: Place,
        /// A blob of an earlier [`FromWorker::Save`].
        saved: Option<Vec<u8>>,
        /// The speed to begin with.
        speed: Speed,
    },
    /// Something a person did, numbered so that a save can say which it holds.
    Input {
        /// Counts up from 1 within one page load.
        number: u64,
        /// What was done.
        input: Input,
    },
    /// Run at this speed from now on.
    SetSpeed(Speed),
    /// Run until something worth seeing happens, then pause.
    Step,
    /// Send views for these panels.
    Watch(Watched),
    /// Make a request in a copy of the world, and tell its way.
    Ask {
        /// Who makes it.
        from: Asker,
        /// Address and port.
        to: String,
        /// With UDP instead of TCP.
        udp: bool,
    },
}

/// What a person did to the world. These are what a save is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Input {
    /// Open a terminal on a machine.
    OpenTerminal {
        /// The machine's name.
        machine: String,
        /// Size in characters.
        cols: u16,
        /// Size in characters.
        rows: u16,
    },
    /// Hang up.
    CloseTerminal(u32),
    /// Bytes typed.
    Keys {
        /// Which terminal.
        terminal: u32,
        /// As a terminal sends them.
        bytes: Vec<u8>,
    },
    /// The terminal has a new size.
    Resize {
        /// Which terminal.
        terminal: u32,
        /// Size in characters.
        cols: u16,
        /// Size in characters.
        rows: u16,
    },
    /// The editor the world asked for was closed.
    EditorClosed {
        /// The number of [`FromWorker::OpenEditor`].
        request: u64,
        /// The text to keep, none when it was closed without saving.
        text: Option<String>,
    },
    /// Put the world back to where the current step began.
    RestartStep,
    /// Show the next hint of the current step.
    RevealHint,
    /// Choose this answer to the current step's question.
    Answer(u32),
    /// Turn to a step that is open.
    GoToStep(u32),
}

/// From the worker to the app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FromWorker {
    /// The worker runs and knows these lessons.
    Hello {
        /// The tracks in reading order.
        tracks: Vec<Track>,
    },
    /// The world is being made.
    Progress {
        /// What is going on, a short phrase.
        doing: String,
        /// Virtual nanoseconds since the world began.
        at: u64,
    },
    /// The world is ready and runs.
    Opened {
        /// The place of [`ToWorker::Open`].
        place: Place,
        /// The machines a terminal can be opened on.
        machines: Vec<String>,
    },
    /// A terminal exists from now on.
    TerminalOpened {
        /// Its number.
        terminal: u32,
        /// The machine it is on.
        machine: String,
    },
    /// Bytes to show.
    TerminalData {
        /// Which terminal.
        terminal: u32,
        /// As a terminal receives them.
        bytes: Vec<u8>,
    },
    /// The terminal's shell ended.
    TerminalClosed(u32),
    /// A program wants a file edited.
    OpenEditor {
        /// To be named in the answer.
        request: u64,
        /// The file's path.
        path: String,
        /// Its text now.
        text: String,
    },
    /// The editor is no longer wanted: its program was interrupted.
    CloseEditor(u64),
    /// The lesson panel as it is now.
    Lesson(Box<LessonView>),
    /// What changed in the picture.
    Picture(Box<PictureChange>),
    /// Requests that are new, or different from before.
    Requests {
        /// Forget those before.
        reset: bool,
        /// In the order in which they were made.
        requests: Vec<Request>,
    },
    /// What became of a request that was asked for, or why it cannot be made.
    Asked(Result<Box<Request>, String>),
    /// Time, when it moved or the speed changed.
    Clock {
        /// Virtual nanoseconds since the world began.
        at: u64,
        /// The wall clock of the machines, seconds since 1970.
        unix_secs: i64,
        /// The speed now.
        speed: Speed,
    },
    /// Everything needed to make this world again.
    Save {
        /// Opaque to the app.
        blob: Vec<u8>,
        /// The last [`ToWorker::Input`] it holds.
        through: u64,
    },
    /// The save could not be read; nothing was opened.
    SaveRefused {
        /// Why, in a sentence.
        why: String,
    },
    /// The place cannot be opened, and not because of a save.
    CannotOpen {
        /// Why, a sentence or several lines.
        why: String,
    },
    /// Something to tell the person, in a sentence.
    Notice(String),
    /// The worker met a fault of its own and stops.
    Failed {
        /// What it said.
        message: String,
    },
}
