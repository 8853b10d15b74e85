//! A learner's way through a lesson: the world comes up, steps are taken, checks looked at as the
//! world changes. A step may be begun again, since the world as it was then is kept.
//! Knows no panel and no pacing; whoever shows it decides how fast time passes.

use std::rc::Rc;

use lab::{Input, Lab, TerminalId};
use sim::{Duration, Instant};

use crate::lesson::{Choice, Lesson, Step};
use crate::look::{Memory, Scene, Seen, look};
use crate::stage::{RunId, Stage, judge};

/// Time between two looks at whether the world is ready.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// How long a world may take to come up.
const BOOT_LIMIT: Duration = Duration::from_secs(600);

/// A lesson under way.
#[derive(Clone, Debug)]
pub struct Session<S = Lab> {
    lesson: Rc<Lesson>,
    pub(crate) stage: S,
    pub(crate) phase: Phase,
    pub(crate) steps: Vec<StepState<S>>,
    /// The step being taken.
    pub(crate) current: usize,
    acted_at: Instant,
    /// What was last looked at: revision and time of the last deed.
    looked: Option<(i64, Instant)>,
    /// When to look although nothing changed.
    again: Option<Instant>,
}

/// How far a session is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Phase {
    /// The machines start.
    Booting {
        /// What is still missing; empty at first.
        missing: String,
    },
    /// The lesson's setup is done.
    Setup {
        /// Its action under way, from 0.
        index: usize,
        /// The command of that action.
        run: RunId,
        /// When it began.
        since: Instant,
    },
    /// The learner's turn.
    Learning,
    /// Every step is done.
    Finished,
    /// The world did not come up, or the setup failed.
    Failed {
        /// Why.
        why: String,
    },
}

/// How a step stands.
#[derive(Clone, Debug)]
pub struct StepState<S = Lab> {
    /// All its checks held at once.
    pub done: bool,
    /// How its checks stood at the last look.
    pub seen: Vec<Seen>,
    /// Hints that were asked for.
    pub hints: usize,
    /// The answer chosen to its question.
    pub predicted: Option<usize>,
    /// Whether each of its mistakes was made.
    pub mistakes: Vec<bool>,
    memories: Vec<Memory>,
    mistake_memories: Vec<Memory>,
    /// The world when the step began.
    pub(crate) before: Option<S>,
    /// Inputs until then; a stage that keeps no log has none.
    pub(crate) inputs: usize,
}

/// A hint to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Its text, Markdown.
    pub text: Rc<str>,
    /// How many are left.
    pub left: usize,
}

/// Something that a look found out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Happening {
    /// A step's checks hold.
    StepDone(usize),
    /// A mistake was made.
    Mistake {
        /// The step it belongs to.
        step: usize,
        /// Which of its mistakes.
        mistake: usize,
    },
    /// It was the last step.
    Finished,
}

impl<S: Stage> Session<S> {
    /// Begins a lesson in a world that was just made.
    pub fn new(lesson: Rc<Lesson>, stage: S) -> Session<S> {
        let steps = lesson.steps.iter().map(StepState::new).collect();
        let acted_at = stage.now();
        let phase = Phase::Booting {
            missing: String::new(),
        };
        Session {
            lesson,
            stage,
            phase,
            steps,
            current: 0,
            acted_at,
            looked: None,
            again: None,
        }
    }

    /// The lesson.
    pub fn lesson(&self) -> &Rc<Lesson> {
        &self.lesson
    }

    /// The world, to look at.
    pub fn stage(&self) -> &S {
        &self.stage
    }

    /// The world, for what is no deed of the learner: taking outputs, drawing pictures.
    pub fn stage_mut(&mut self) -> &mut S {
        &mut self.stage
    }

    /// How far it is.
    pub fn phase(&self) -> &Phase {
        &self.phase
    }

    /// Whether the world is being made ready; until then time may pass as fast as it can.
    pub fn is_preparing(&self) -> bool {
        matches!(self.phase, Phase::Booting { .. } | Phase::Setup { .. })
    }

    /// The step being taken, from 0.
    pub fn current(&self) -> usize {
        self.current
    }

    /// How each step stands.
    pub fn steps(&self) -> &[StepState<S>] {
        &self.steps
    }

    /// Says that something was done to the world from outside.
    pub fn acted(&mut self) {
        self.acted_at = self.stage.now();
    }

    /// Lets time pass until `until`, or until `budget` events have happened; returns how many did.
    /// While the world is being made ready, that goes on as its time comes.
    pub fn advance(&mut self, until: Instant, budget: u64) -> u64 {
        let mut ran = 0;
        while self.stage.now() < until && ran < budget {
            if !self.is_preparing() {
                return ran + self.stage.advance(until, budget - ran);
            }
            let next = until.min(self.stage.now() + LOOK_EVERY);
            ran += self.stage.advance(next, budget - ran);
            self.prepare();
        }
        ran
    }

    /// Looks at the checks of the step being taken, if anything may be otherwise than at the last
    /// look; tells what is new.
    pub fn look(&mut self) -> Vec<Happening> {
        let moment = (self.stage.revision(), self.acted_at);
        let due = self.again.is_some_and(|again| self.stage.now() >= again);
        let step = &mut self.steps[self.current];
        let unchanged = self.looked == Some(moment) && !due;
        if self.phase != Phase::Learning || step.done || unchanged {
            return Vec::new();
        }
        self.looked = Some(moment);
        let lesson = &self.lesson.steps[self.current];
        let before = step.before.as_ref().unwrap_or(&self.stage);
        let scene = Scene {
            stage: &self.stage,
            before,
            acted_at: self.acted_at,
        };
        let checks = lesson.checks.iter().zip(&mut step.memories);
        step.seen = checks
            .map(|(check, memory)| look(check, memory, &scene))
            .collect();
        self.again = step.seen.iter().filter_map(|seen| seen.again).min();
        let mut news = Vec::new();
        for (n, mistake) in lesson.mistakes.iter().enumerate() {
            if step.mistakes[n] {
                continue;
            }
            let seen = look(&mistake.when, &mut step.mistake_memories[n], &scene);
            self.again = self.again.into_iter().chain(seen.again).min();
            if seen.met {
                step.mistakes[n] = true;
                news.push(Happening::Mistake {
                    step: self.current,
                    mistake: n,
                });
            }
        }
        if step.seen.iter().all(|seen| seen.met) {
            step.done = true;
            news.push(Happening::StepDone(self.current));
            if self.current + 1 == self.steps.len() {
                self.phase = Phase::Finished;
                news.push(Happening::Finished);
            }
        }
        news
    }

    /// Turns to the next step; false if the current one is not done, or is the last.
    pub fn next_step(&mut self) -> bool {
        let done = self.steps[self.current].done;
        if !done || self.current + 1 >= self.steps.len() {
            return false;
        }
        self.current += 1;
        self.begin();
        true
    }

    /// Makes the world what it was when a step began, and begins that step again. False if it has
    /// not begun yet. Later steps are open again; hints stay as they are.
    pub fn restart_step(&mut self, index: usize) -> bool {
        let Some(before) = self.steps.get(index).and_then(|step| step.before.clone()) else {
            return false;
        };
        self.stage = before;
        self.current = index;
        for (n, step) in self.steps.iter_mut().enumerate().skip(index) {
            let hints = step.hints;
            let lesson = &self.lesson.steps[n];
            let (before, inputs) = (step.before.take(), step.inputs);
            *step = StepState {
                hints,
                ..StepState::new(lesson)
            };
            if n == index {
                (step.before, step.inputs) = (before, inputs);
            }
        }
        self.phase = Phase::Learning;
        self.forget();
        true
    }

    /// Shows the next hint of the step being taken, if there is one.
    pub fn hint(&mut self) -> Option<Hint> {
        let hints = &self.lesson.steps[self.current].hints;
        let step = &mut self.steps[self.current];
        let text = hints.get(step.hints)?.clone();
        step.hints += 1;
        Some(Hint {
            text,
            left: hints.len() - step.hints,
        })
    }

    /// Takes an answer to the question of the step being taken; `None` if there is no such answer.
    pub fn predict(&mut self, choice: usize) -> Option<&Choice> {
        let chosen = self.lesson.steps[self.current]
            .predict
            .as_ref()?
            .choices
            .get(choice)?;
        self.steps[self.current].predicted = Some(choice);
        Some(chosen)
    }

    /// Goes on with making the world ready.
    fn prepare(&mut self) {
        let now = self.stage.now();
        match self.phase {
            Phase::Booting { .. } => match self.stage.missing() {
                None => self.setup(0),
                Some(missing) if now >= Instant::ZERO + BOOT_LIMIT => {
                    self.failed(format!("the world does not come up: {missing}"));
                }
                Some(missing) => self.phase = Phase::Booting { missing },
            },
            Phase::Setup { index, run, since } => {
                let lesson = self.lesson.clone();
                let action = &lesson.setup[index];
                let outcome = self.stage.outcome(run);
                let late = now >= since + action.timeout;
                if outcome.exit_code.is_none() && !late {
                    return;
                }
                self.stage.stop(run);
                match judge(action, &outcome) {
                    Ok(()) => self.setup(index + 1),
                    Err(why) => {
                        self.failed(format!("the setup fails at {:?}: {why}", action.what));
                    }
                }
            }
            Phase::Learning | Phase::Finished | Phase::Failed { .. } => {}
        }
    }

    /// Begins an action of the setup, or the first step if there are no more.
    fn setup(&mut self, index: usize) {
        let lesson = self.lesson.clone();
        let Some(action) = lesson.setup.get(index) else {
            self.phase = Phase::Learning;
            return self.begin();
        };
        match self.stage.run(&action.machine, &action.command) {
            Ok(run) => {
                let since = self.stage.now();
                self.phase = Phase::Setup { index, run, since };
            }
            Err(why) => self.failed(format!("the setup fails at {:?}: {why}", action.what)),
        }
    }

    fn failed(&mut self, why: String) {
        self.phase = Phase::Failed { why };
    }

    /// Begins the current step in the world as it is.
    pub(crate) fn begin(&mut self) {
        let step = &mut self.steps[self.current];
        step.before = Some(self.stage.clone());
        step.inputs = self.stage.inputs();
        self.forget();
    }

    /// Makes the next look a first one.
    pub(crate) fn forget(&mut self) {
        self.acted_at = self.stage.now();
        (self.looked, self.again) = (None, None);
    }
}

impl Session<Lab> {
    /// Gives the world an input of the learner's.
    ///
    /// # Errors
    /// What it names does not exist.
    pub fn apply(&mut self, input: Input) -> Result<Option<TerminalId>, String> {
        let made = self.stage.apply(input);
        self.acted();
        made
    }
}

impl<S> StepState<S> {
    fn new(step: &Step) -> StepState<S> {
        StepState {
            done: false,
            seen: vec![Seen::default(); step.checks.len()],
            hints: 0,
            predicted: None,
            mistakes: vec![false; step.mistakes.len()],
            memories: vec![Memory::default(); step.checks.len()],
            mistake_memories: vec![Memory::default(); step.mistakes.len()],
            before: None,
            inputs: 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Play;
    use api::object;

    const LESSON: &str = "
apiVersion: kubarium.dev/v1
kind: Lesson
metadata: {name: test, title: Test, track: tests, summary: A test.}
spec:
  setup: [{run: prepare}]
  steps:
  - title: Make
    text: Make a pod.
    predict: {question: Why?, choices: [{text: a}, {text: b, correct: true}]}
    checks:
    - label: A pod called web
      eventually: {within: 5s, object: {kind: Pod, name: web}}
    hints: [Think., Run make.]
    mistakes: [{when: {object: {kind: Pod, name: wbe}}, say: Look., example: [{run: spoil}]}]
    solution: [{run: make}]
  - title: Remove
    text: Remove it.
    checks: [{object: {kind: Pod, name: web, absent: true}}]
    solution: [{run: remove}]
";

    fn session() -> Session<Play> {
        let pod = |name: &str| object! {"metadata": {"name": (name), "namespace": "default"}};
        let mut play = Play::new();
        play.answer("prepare", 0, "");
        play.makes("make", Duration::from_secs(1), "pods", pod("web"));
        play.makes("spoil", Duration::ZERO, "pods", pod("wbe"));
        play.removes("remove", "pods", "web");
        let lesson = crate::parse("lesson.yaml", LESSON).unwrap_or_else(|p| panic!("{}", p[0]));
        Session::new(Rc::new(lesson), play)
    }

    fn pass(session: &mut Session<Play>, seconds: u64) -> Vec<Happening> {
        let end = session.stage().now() + Duration::from_secs(seconds);
        let mut news = Vec::new();
        while session.stage().now() < end {
            session.advance(end.min(session.stage().now() + LOOK_EVERY), u64::MAX);
            news.extend(session.look());
        }
        news
    }

    fn run(session: &mut Session<Play>, command: &str) {
        session
            .stage_mut()
            .run(&"node01".into(), &command.into())
            .expect("a machine");
        session.acted();
    }

    #[test]
    fn a_learner_goes_through_a_lesson() {
        let mut session = session();
        assert!(session.is_preparing());
        pass(&mut session, 2);
        assert_eq!(session.phase(), &Phase::Learning);
        let seen = session.steps()[0].seen[0].clone();
        assert_eq!(
            (seen.met, &*seen.saw),
            (false, "there is no Pod default/web")
        );
        assert!(!session.next_step(), "not done yet");

        run(&mut session, "spoil");
        assert_eq!(
            pass(&mut session, 2),
            [Happening::Mistake {
                step: 0,
                mistake: 0
            }]
        );
        assert_eq!(
            session
                .hint()
                .map(|hint| (&*hint.text == "Think.", hint.left)),
            Some((true, 1))
        );
        assert!(session.predict(1).expect("an answer").correct);
        assert!(session.predict(9).is_none());
        pass(&mut session, 10);
        assert!(session.steps()[0].seen[0].overdue);

        run(&mut session, "make");
        assert_eq!(pass(&mut session, 2), [Happening::StepDone(0)]);
        assert!(session.next_step());
        assert_eq!(pass(&mut session, 2), []);
        run(&mut session, "remove");
        assert_eq!(
            pass(&mut session, 2),
            [Happening::StepDone(1), Happening::Finished]
        );
        assert_eq!(session.phase(), &Phase::Finished);
    }

    #[test]
    fn a_step_begins_again_in_the_world_of_its_beginning() {
        let mut session = session();
        pass(&mut session, 2);
        assert!(!session.restart_step(1), "it has not begun");
        run(&mut session, "make");
        pass(&mut session, 2);
        session.next_step();
        run(&mut session, "remove");
        pass(&mut session, 2);
        assert!(session.restart_step(1));
        assert_eq!((session.current(), session.phase()), (1, &Phase::Learning));
        assert!(session.stage().get("pods", "default", "web").is_some());
        assert_eq!(pass(&mut session, 2), []);
        assert!(session.restart_step(0));
        assert!(session.stage().get("pods", "default", "web").is_none());
        assert!(!session.steps()[0].done && session.steps()[1].before.is_none());
        run(&mut session, "make");
        assert_eq!(pass(&mut session, 2), [Happening::StepDone(0)]);
    }

    #[test]
    fn looking_costs_nothing_while_nothing_changes() {
        let mut session = session();
        pass(&mut session, 2);
        let looked = session.stage().looked.get();
        pass(&mut session, 3600);
        assert!(session.stage().looked.get() - looked <= 2);
    }

    #[test]
    fn a_setup_that_fails_is_told() {
        let mut session = session();
        session.stage_mut().fail("prepare", 1, "no such file");
        pass(&mut session, 2);
        let why = "the setup fails at \"prepare\": it ended with 1: no such file".to_owned();
        assert_eq!(session.phase(), &Phase::Failed { why });
    }
}
