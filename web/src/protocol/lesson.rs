//! What the home page and the lesson panel show.

use serde::{Deserialize, Serialize};

/// A row of lessons that belong together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Track {
    /// Its folder's name.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What it is about, a sentence; empty for one this page does not know.
    pub summary: String,
    /// The lessons in order.
    pub lessons: Vec<LessonCard>,
}

/// A lesson as the home page lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonCard {
    /// `track/nn-name`.
    pub id: String,
    /// Its name for people.
    pub title: String,
    /// What one learns, a sentence.
    pub summary: String,
    /// How long it takes, 0 when the lesson does not say.
    pub minutes: u32,
    /// How many steps it has.
    pub steps: u32,
}

/// The lesson panel.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LessonView {
    /// `track/nn-name`.
    pub id: String,
    /// The lesson's name.
    pub title: String,
    /// The track's name.
    pub track: String,
    /// All steps in order.
    pub steps: Vec<Step>,
    /// Which of them is shown, from 0.
    pub current: u32,
    /// Which of them is being taken, from 0; another one is shown to look back only.
    pub taken: u32,
    /// The step's text, Markdown from a file nobody vouches for.
    pub text: String,
    /// A question to think about first.
    pub question: Option<Question>,
    /// What the step asks for.
    pub checks: Vec<Check>,
    /// What to say about mistakes the world shows, Markdown.
    pub mistakes: Vec<String>,
    /// The hints shown so far, Markdown.
    pub hints: Vec<Hint>,
    /// How many hints there are in all.
    pub hints_total: u32,
    /// All checks of this step were met.
    pub step_done: bool,
    /// All steps are done.
    pub finished: bool,
    /// What to say at the end, Markdown; empty when there is nothing.
    pub debrief: String,
}

/// A question to think about before doing anything.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    /// Markdown.
    pub text: String,
    /// Answers to choose from.
    pub choices: Vec<Choice>,
    /// The answer that was chosen.
    pub chosen: Option<u32>,
}

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// The answer.
    pub text: String,
    /// Whether it is right.
    pub correct: bool,
    /// What to say to who chose it, Markdown.
    pub feedback: String,
}

/// A step in the row of steps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// Its heading.
    pub title: String,
    /// Its checks were met.
    pub done: bool,
    /// One may turn to it.
    pub open: bool,
}

/// A check and what it saw.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// What is asked for, a phrase.
    pub label: String,
    /// How it stands.
    pub state: CheckState,
    /// What was seen instead, empty when there is nothing to say.
    pub saw: String,
}

/// How a check stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CheckState {
    /// Not met yet.
    Waiting,
    /// Met.
    Met,
    /// It says that something is wrong, not merely missing.
    Failed,
}

/// A hint that was shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hint {
    /// Markdown.
    pub text: String,
}
