//! A lesson that has been checked: everything in it exists, compiles and is within bounds.
//! What its file looks like is in `file.rs`; how one becomes the other, in `validate.rs`.

use std::rc::Rc;

use lab::WorldSpec;
use sim::Duration;

use crate::check::Check;
use crate::problem::Place;

/// A lesson.
#[derive(Clone, Debug)]
pub struct Lesson {
    /// The file it was read from, as the caller named it.
    pub file: String,
    /// Its name: `first-workload`.
    pub name: Rc<str>,
    /// Its name for people.
    pub title: Rc<str>,
    /// The track it belongs to: `basics`.
    pub track: Rc<str>,
    /// What one learns, a sentence.
    pub summary: Rc<str>,
    /// How long it takes, in minutes; 0 if the file does not say.
    pub minutes: u32,
    /// The world it happens in.
    pub world: WorldSpec,
    /// What is done to the world before the first step.
    pub setup: Vec<Action>,
    /// The steps; at least one.
    pub steps: Vec<Step>,
    /// What to say at the end, Markdown; empty if there is nothing.
    pub debrief: Rc<str>,
}

/// A step.
#[derive(Clone, Debug)]
pub struct Step {
    /// Its heading.
    pub title: Rc<str>,
    /// What to read, Markdown from a file nobody vouches for.
    pub text: Rc<str>,
    /// A question to think about first.
    pub predict: Option<Predict>,
    /// What the world must be like at its end; at least one.
    pub checks: Vec<Check>,
    /// Hints, Markdown.
    pub hints: Vec<Rc<str>>,
    /// Common mistakes.
    pub mistakes: Vec<Mistake>,
    /// What passes it.
    pub solution: Vec<Action>,
    /// Where it stands in the file.
    pub place: Place,
}

/// A question with answers to choose from.
#[derive(Clone, Debug)]
pub struct Predict {
    /// The question, Markdown.
    pub question: Rc<str>,
    /// The answers.
    pub choices: Vec<Choice>,
}

/// An answer to choose.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The answer.
    pub text: Rc<str>,
    /// Whether it is right.
    pub correct: bool,
    /// What to say to those who choose it, Markdown; may be empty.
    pub feedback: Rc<str>,
}

/// A common mistake.
#[derive(Clone, Debug)]
pub struct Mistake {
    /// How the world shows it.
    pub when: Check,
    /// What to say about it, Markdown.
    pub say: Rc<str>,
    /// What someone does who makes it.
    pub example: Vec<Action>,
    /// Where it stands in the file.
    pub place: Place,
}

/// Something done to the world.
#[derive(Clone, Debug)]
pub struct Action {
    /// The shell command that does it.
    pub command: Rc<str>,
    /// The machine it happens on.
    pub machine: Rc<str>,
    /// How long it may take.
    pub timeout: Duration,
    /// It is meant to fail.
    pub fails: bool,
    /// What it is called in messages: the command's first line, or what it applies or edits.
    pub what: Rc<str>,
    /// Where it stands in the file.
    pub place: Place,
}

impl Lesson {
    /// The machine that things happen on unless another is named: the first.
    pub fn home(&self) -> Rc<str> {
        self.world
            .nodes
            .first()
            .map_or_else(|| "".into(), |node| node.name.clone())
    }
}
