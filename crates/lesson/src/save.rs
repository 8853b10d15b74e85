//! Saves: what makes a session again, as plain data. How it is written down is the shells' business.

use std::rc::Rc;

use lab::{Lab, Logged};
use sim::Instant;

use crate::lesson::Lesson;
use crate::session::{Phase, Session, StepState};

/// All there is to save of a session: with the lesson it makes the same session again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Save {
    /// `track/name` of the lesson.
    pub lesson: String,
    /// The seed of the world.
    pub seed: u64,
    /// The time it was.
    pub now: Instant,
    /// Everything that went into the world.
    pub log: Vec<Logged>,
    /// How far the learner is: the steps that have begun; the last is being taken.
    pub steps: Vec<StepProgress>,
}

/// What is known of one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StepProgress {
    /// Its checks held.
    pub done: bool,
    /// Hints that were asked for.
    pub hints: usize,
    /// The answer chosen to its question.
    pub predicted: Option<usize>,
    /// When it began, in nanoseconds of virtual time.
    pub began_nanos: u64,
    /// How many inputs had come until then.
    pub inputs: usize,
}

impl Session<Lab> {
    /// All there is to save.
    pub fn save(&self) -> Save {
        let begun = self.steps.iter().filter_map(|step| {
            let began_nanos = Lab::now(step.before.as_ref()?).as_nanos();
            let StepState {
                done,
                hints,
                predicted,
                inputs,
                ..
            } = *step;
            Some(StepProgress {
                done,
                hints,
                predicted,
                began_nanos,
                inputs,
            })
        });
        let lesson = self.lesson();
        Save {
            lesson: format!("{}/{}", lesson.track, lesson.name),
            seed: self.stage.spec().seed,
            now: Lab::now(&self.stage),
            log: self.stage.log().to_vec(),
            steps: begun.collect(),
        }
    }

    /// Makes the session again that was saved. What was saved before the first step began starts
    /// anew. What terminals showed until then is among the outputs, also of the steps' checkpoints.
    ///
    /// # Errors
    /// Why the save does not fit the lesson.
    pub fn restore(lesson: Rc<Lesson>, save: &Save) -> Result<Session<Lab>, String> {
        let id = format!("{}/{}", lesson.track, lesson.name);
        if save.lesson != id {
            return Err(format!(
                "this is a save of the lesson {}, not of {id}",
                save.lesson
            ));
        }
        if save.steps.len() > lesson.steps.len() {
            return Err("the save has more steps than the lesson".to_owned());
        }
        let mut spec = lesson.world.clone();
        spec.seed = save.seed;
        let mut session = Session::new(lesson, Lab::new(spec)?);
        if save.steps.is_empty() {
            return Ok(session);
        }
        let moments = save.log.iter().map(|logged| logged.at).chain([save.now]);
        for (n, at) in moments.enumerate() {
            for (index, step) in save
                .steps
                .iter()
                .enumerate()
                .filter(|(_, step)| step.inputs == n)
            {
                session.replay_to(Instant::from_nanos(step.began_nanos).min(at))?;
                session.current = index;
                session.begin();
            }
            session.replay_to(at)?;
            if let Some(logged) = save.log.get(n) {
                let input = logged.input.clone();
                session
                    .stage
                    .apply(input)
                    .map_err(|why| format!("input {}: {why}", n + 1))?;
            }
        }
        for (step, saved) in session.steps.iter_mut().zip(&save.steps) {
            let StepProgress {
                done,
                hints,
                predicted,
                began_nanos: _,
                inputs: _,
            } = *saved;
            (step.done, step.hints, step.predicted) = (done, hints, predicted);
        }
        session.current = save.steps.len() - 1;
        let all_done = session.steps.iter().all(|step| step.done);
        session.phase = if all_done {
            Phase::Finished
        } else {
            Phase::Learning
        };
        session.forget();
        Ok(session)
    }

    fn replay_to(&mut self, at: Instant) -> Result<(), String> {
        if at < Lab::now(&self.stage) {
            return Err("the save goes back in time".to_owned());
        }
        Lab::advance(&mut self.stage, at, u64::MAX);
        Ok(())
    }
}
