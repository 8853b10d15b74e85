//! The world in a room: a bare lab, or a lab in which a lesson goes on.

use std::rc::Rc;

use lab::{Input, Lab, Logged, TerminalId, WorldSpec};
use lesson::{Lesson, Phase, Save, Session, StepProgress};
use sim::{Duration, Instant};

use super::keep::{Kept, KeptInput, KeptStep};
use crate::protocol::Place;

/// The seed of the sandbox.
const SANDBOX_SEED: u64 = 1;
/// A cluster is ready within this virtual time, or never.
const READY_WITHIN: Duration = Duration::from_secs(600);

/// A world.
pub enum World {
    /// The sandbox.
    Plain(Box<Lab>),
    /// A lesson.
    Lesson(Box<Session>),
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World")
            .field("now", &self.lab().now())
            .finish_non_exhaustive()
    }
}

/// How far a world is from being used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// What is going on.
    Not(String),
    /// It can be used.
    Ready,
    /// It never will be; why.
    Never(String),
}

impl World {
    /// A new world, or the one that was saved.
    ///
    /// # Errors
    /// Why the save does not fit.
    pub fn new(lesson: Option<Rc<Lesson>>, kept: Option<Kept>) -> Result<World, String> {
        match (lesson, kept) {
            (None, None) => Ok(World::Plain(Box::new(Lab::new(sandbox(SANDBOX_SEED))?))),
            (None, Some(kept)) => {
                // Not `Lab::replay`, which drops what terminals showed meanwhile.
                let mut lab = Lab::new(sandbox(kept.seed))?;
                for Logged { at, input } in kept.log.into_iter().map(Logged::from) {
                    lab.advance(at, u64::MAX);
                    lab.apply(input)?;
                }
                lab.advance(Instant::from_nanos(kept.at), u64::MAX);
                Ok(World::Plain(Box::new(lab)))
            }
            (Some(lesson), None) => {
                let lab = Lab::new(lesson.world.clone())?;
                Ok(World::Lesson(Box::new(Session::new(lesson, lab))))
            }
            (Some(lesson), Some(kept)) => {
                let save = Save {
                    lesson: format!("{}/{}", lesson.track, lesson.name),
                    seed: kept.seed,
                    now: Instant::from_nanos(kept.at),
                    log: kept.log.into_iter().map(Logged::from).collect(),
                    steps: kept.steps.iter().map(progress).collect(),
                };
                Ok(World::Lesson(Box::new(Session::restore(lesson, &save)?)))
            }
        }
    }

    /// The lab, to look at.
    pub fn lab(&self) -> &Lab {
        match self {
            World::Plain(lab) => lab,
            World::Lesson(session) => session.stage(),
        }
    }

    /// The lab, for what is no deed of a person.
    pub fn lab_mut(&mut self) -> &mut Lab {
        match self {
            World::Plain(lab) => lab,
            World::Lesson(session) => session.stage_mut(),
        }
    }

    /// The lesson, if there is one.
    pub fn session(&self) -> Option<&Session> {
        match self {
            World::Plain(_) => None,
            World::Lesson(session) => Some(session),
        }
    }

    /// The lesson, to go on with.
    pub fn session_mut(&mut self) -> Option<&mut Session> {
        match self {
            World::Plain(_) => None,
            World::Lesson(session) => Some(session),
        }
    }

    /// Lets time pass until `until`, or until `budget` events have happened; returns how many did.
    pub fn advance(&mut self, until: Instant, budget: u64) -> u64 {
        match self {
            World::Plain(lab) => lab.advance(until, budget),
            World::Lesson(session) => session.advance(until, budget),
        }
    }

    /// Gives the world what a person did; gives the terminal's number where that makes one.
    ///
    /// # Errors
    /// What it names does not exist.
    pub fn apply(&mut self, input: Input) -> Result<Option<TerminalId>, String> {
        match self {
            World::Plain(lab) => lab.apply(input),
            World::Lesson(session) => session.apply(input),
        }
    }

    /// Whether it can be used.
    pub fn readiness(&self) -> Readiness {
        match self {
            World::Plain(lab) => match lab.missing() {
                None => Readiness::Ready,
                Some(missing) if lab.now() > Instant::ZERO + READY_WITHIN => {
                    Readiness::Never(format!("the cluster does not get ready: {missing}"))
                }
                Some(_) => Readiness::Not("Starting the cluster".to_owned()),
            },
            World::Lesson(session) => match session.phase() {
                Phase::Booting { .. } => Readiness::Not("Starting the cluster".to_owned()),
                Phase::Setup { .. } => Readiness::Not("Preparing the lesson".to_owned()),
                Phase::Failed { why } => Readiness::Never(why.clone()),
                Phase::Learning | Phase::Finished => Readiness::Ready,
            },
        }
    }

    /// All there is to save.
    pub fn keep(&self, place: Place) -> Kept {
        let lab = self.lab();
        let steps = self
            .session()
            .map(|session| session.save().steps)
            .unwrap_or_default();
        Kept {
            place,
            seed: lab.spec().seed,
            at: lab.now().as_nanos(),
            log: lab.log().iter().map(KeptInput::from).collect(),
            steps: steps.iter().map(kept_step).collect(),
        }
    }
}

fn sandbox(seed: u64) -> WorldSpec {
    WorldSpec::with_workers(2, seed)
}

fn progress(step: &KeptStep) -> StepProgress {
    StepProgress {
        done: step.done,
        hints: step.hints as usize,
        predicted: step.answer.map(|answer| answer as usize),
        began_nanos: step.began,
        inputs: step.inputs as usize,
    }
}

fn kept_step(step: &StepProgress) -> KeptStep {
    KeptStep {
        done: step.done,
        hints: step.hints as u32,
        answer: step.predicted.map(|answer| answer as u32),
        began: step.began_nanos,
        inputs: step.inputs as u32,
    }
}
