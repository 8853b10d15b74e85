//! What a person can do on the page. Every control sends one of these; the app alone acts on them.

use super::route::Route;
use crate::protocol::{Asker, Input, Speed};

/// A part of the workbench.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pane {
    /// The lesson's text.
    Lesson,
    /// Machines and pods.
    Picture,
    /// Terminals.
    Terminals,
}

impl Pane {
    /// All, in the order F6 walks them.
    pub const ALL: [Pane; 3] = [Pane::Lesson, Pane::Picture, Pane::Terminals];

    /// The name in markup and style sheet.
    pub fn name(self) -> &'static str {
        match self {
            Pane::Lesson => "lesson",
            Pane::Picture => "picture",
            Pane::Terminals => "terminals",
        }
    }
}

/// Something a person did.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Go elsewhere.
    Go(Route),
    /// Something for the world.
    World(Input),
    /// Run at this speed.
    SetSpeed(Speed),
    /// Pause, or go on at the speed before.
    TogglePause,
    /// Run until something happens.
    Step,
    /// Make a request in a copy of the world, to see its way.
    Ask {
        /// Who makes it.
        from: Asker,
        /// Address and port.
        to: String,
        /// With UDP instead of TCP.
        udp: bool,
    },
    /// The next theme.
    NextTheme,
    /// Open a terminal on a machine and show it.
    OpenTerminal(String),
    /// Show a terminal.
    ShowTerminal(u32),
    /// Type a text into the terminal that is shown.
    Type(String),
    /// Put a text on the clipboard.
    Copy(String),
    /// Give a pane the whole page, or give it back.
    Maximise(Pane),
    /// Show a pane on a narrow page.
    ShowPane(Pane),
    /// Move the keyboard to the next pane, or the one before.
    NextPane {
        /// The one before.
        backwards: bool,
    },
    /// The lesson has this width in pixels.
    SetLessonWidth(u32),
    /// The terminals have this height in hundredths.
    SetTerminalsHeight(u32),
    /// Show the picture as a table, or as a picture.
    ToggleTable,
    /// Read terminals out, or stop.
    ToggleAloud,
    /// The editor was closed: the text to keep, or none.
    CloseEditor(Option<String>),
    /// Take a notice away.
    Dismiss(u64),
    /// Throw the save of this place away and begin anew.
    StartFresh,
    /// Begin anew, but keep the damaged or failing save as a file.
    DownloadSave,
    /// Start a worker again from the last save.
    TryAgain,
}
