//! Lessons: their files, what is checked in the world, how a learner goes through them, and the
//! proof that they can be passed. Text is handed on as it is: whoever shows it renders it.
//!
//! **Invariant:** a lesson does and sees only what a learner could type and see.

mod check;
mod duration;
pub mod file;
mod lesson;
mod look;
mod probe;
mod problem;
mod proof;
mod save;
mod schema;
mod session;
mod stage;
#[cfg(test)]
mod testing;
mod tree;
mod validate;

pub use check::{Check, CommandTest, From, ObjectTest, ProbeTest, Test, Want, Which};
pub use lesson::{Action, Choice, Lesson, Mistake, Predict, Step};
pub use look::Seen;
pub use problem::{Place, Problem};
pub use proof::{Proof, SEEDS, prove, seeds};
pub use save::{Save, StepProgress};
pub use schema::schema;
pub use session::{Happening, Hint, Phase, Session, StepState};
pub use stage::{Outcome, RunId, Stage};
pub use validate::{MAX_FILE, duplicates, parse};
