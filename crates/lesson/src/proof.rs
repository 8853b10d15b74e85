//! The proof of a lesson, without anybody watching: a step that nobody has taken is not passed, its
//! solution passes it, its mistakes are recognised. It shows that the checks check.

use lab::{Lab, WorldSpec};
use sim::{Duration, Instant};

use crate::check::Check;
use crate::duration;
use crate::lesson::{Action, Lesson, Mistake, Step};
use crate::look::{Memory, Scene, Seen, look};
use crate::problem::{Place, Problem};
use crate::stage::{Stage, perform};

/// Seeds a proof tries, each in a world of its own.
pub const SEEDS: usize = 20;
/// How long an untouched step is watched beyond what its checks wait for.
const WATCH: Duration = Duration::from_secs(3);
/// Time between two looks while waiting.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Events of one wait at most.
const MAX_EVENTS: u64 = 20_000_000;

/// What was proven.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The seeds, each in a world of its own.
    pub seeds: Vec<u64>,
    /// Steps that were passed in each.
    pub steps: usize,
    /// Virtual time the solutions took in the first world, from the end of the setup on.
    pub took: Duration,
}

/// As many seeds as asked for: the lesson's own first, then 1, 2, 3 …
#[must_use]
pub fn seeds(lesson: &Lesson, count: usize) -> Vec<u64> {
    let own = lesson.world.seed;
    let others = (1..).filter(|seed| *seed != own);
    std::iter::once(own).chain(others).take(count).collect()
}

/// Proves a lesson in labs, one for each seed.
///
/// # Errors
/// What does not hold, with its place in the lesson's file.
pub fn prove(lesson: &Lesson, seeds: &[u64]) -> Result<Proof, Vec<Problem>> {
    prove_on(lesson, seeds, |spec| {
        let mut lab = Lab::new(spec)?;
        lab.boot()?;
        Ok(lab)
    })
}

/// Proves a lesson on stages that `make` makes, ready for use, one for each seed.
pub(crate) fn prove_on<S: Stage>(
    lesson: &Lesson,
    seeds: &[u64],
    mut make: impl FnMut(WorldSpec) -> Result<S, String>,
) -> Result<Proof, Vec<Problem>> {
    let mut took = None;
    for seed in seeds {
        let refuse = |refusal: Refusal| {
            let (file, place) = (lesson.file.clone(), refusal.place);
            let message = match *seed == lesson.world.seed {
                true => refusal.message,
                false => format!("with seed {seed}: {}", refusal.message),
            };
            vec![Problem {
                file,
                place,
                message,
            }]
        };
        let mut spec = lesson.world.clone();
        spec.seed = *seed;
        let stage = make(spec).map_err(|why| {
            let place = Place { line: 1, column: 1 };
            refuse(Refusal {
                place,
                message: format!("the world does not come up: {why}"),
            })
        })?;
        let span = prove_seed(lesson, stage).map_err(refuse)?;
        took.get_or_insert(span);
    }
    Ok(Proof {
        seeds: seeds.to_vec(),
        steps: lesson.steps.len(),
        took: took.unwrap_or_default(),
    })
}

/// Why a lesson is refused.
struct Refusal {
    place: Place,
    message: String,
}

fn prove_seed<S: Stage>(lesson: &Lesson, mut stage: S) -> Result<Duration, Refusal> {
    do_all(&mut stage, &lesson.setup, "the setup")?;
    let start = stage.now();
    for (n, step) in lesson.steps.iter().enumerate() {
        let name = format!("step {} ({})", n + 1, step.title);
        untouched(stage.clone(), step, &name)?;
        for mistake in &step.mistakes {
            recognised(stage.clone(), step, mistake, &name)?;
        }
        let before = stage.clone();
        do_all(
            &mut stage,
            &step.solution,
            &format!("the solution of {name}"),
        )?;
        let acted_at = stage.now();
        let patience = longest(&step.checks);
        if let Err(unmet) = wait(&mut stage, &before, &step.checks, acted_at, patience)? {
            let Some((check, seen)) = unmet.first() else {
                continue;
            };
            let waited = match patience.is_zero() {
                true => String::new(),
                false => format!(" after {}", duration::show(patience)),
            };
            let label = &check.label;
            let message = format!(
                "{name}: its solution does not pass it{waited}: {label:?} does not hold: {}",
                seen.saw
            );
            return Err(Refusal {
                place: check.place,
                message,
            });
        }
    }
    Ok(stage.now().since(start))
}

fn untouched<S: Stage>(mut stage: S, step: &Step, name: &str) -> Result<(), Refusal> {
    let before = stage.clone();
    let now = stage.now();
    match wait(
        &mut stage,
        &before,
        &step.checks,
        now,
        longest(&step.checks) + WATCH,
    )? {
        Err(_) => Ok(()),
        Ok(()) => {
            let after = stage.now().since(now);
            let after = match after.is_zero() {
                true => String::new(),
                false => format!(" after {}", duration::show(after)),
            };
            let message = format!("{name} passes{after} although nothing was done for it");
            Err(Refusal {
                place: step.place,
                message,
            })
        }
    }
}

fn recognised<S: Stage>(
    mut stage: S,
    step: &Step,
    mistake: &Mistake,
    name: &str,
) -> Result<(), Refusal> {
    let before = stage.clone();
    do_all(
        &mut stage,
        &mistake.example,
        &format!("the example of a mistake in {name}"),
    )?;
    let acted_at = stage.now();
    let when = std::slice::from_ref(&mistake.when);
    if let Err(unmet) = wait(&mut stage, &before, when, acted_at, longest(when))? {
        let saw = unmet.first().map_or("", |(_, seen)| &seen.saw);
        let message = format!("{name}: the mistake is not recognised by its example: {saw}");
        return Err(Refusal {
            place: mistake.place,
            message,
        });
    }
    let mut memories = vec![Memory::default(); step.checks.len()];
    let scene = Scene {
        stage: &stage,
        before: &before,
        acted_at,
    };
    let met = step
        .checks
        .iter()
        .zip(&mut memories)
        .all(|(c, m)| look(c, m, &scene).met);
    if met {
        let message = format!("{name}: the example of a mistake passes the step");
        return Err(Refusal {
            place: mistake.place,
            message,
        });
    }
    Ok(())
}

fn do_all<S: Stage>(stage: &mut S, actions: &[Action], what: &str) -> Result<(), Refusal> {
    for action in actions {
        perform(stage, action).map_err(|why| {
            let message = format!("{what} fails at {:?}: {why}", action.what);
            Refusal {
                place: action.place,
                message,
            }
        })?;
    }
    Ok(())
}

fn longest(checks: &[Check]) -> Duration {
    checks.iter().map(Check::patience).max().unwrap_or_default()
}

type Unmet<'a> = Vec<(&'a Check, Seen)>;

/// Lets time pass until all checks hold at once, at most for `patience`; gives those that do not.
fn wait<'a, S: Stage>(
    stage: &mut S,
    before: &S,
    checks: &'a [Check],
    acted_at: Instant,
    patience: Duration,
) -> Result<Result<(), Unmet<'a>>, Refusal> {
    let end = stage.now() + patience;
    let mut memories = vec![Memory::default(); checks.len()];
    let mut events = 0;
    loop {
        let scene = Scene {
            stage,
            before,
            acted_at,
        };
        let looked = checks.iter().zip(&mut memories);
        let seen: Unmet<'_> = looked
            .map(|(check, memory)| (check, look(check, memory, &scene)))
            .collect();
        let unmet: Unmet<'_> = seen.into_iter().filter(|(_, seen)| !seen.met).collect();
        if unmet.is_empty() {
            return Ok(Ok(()));
        }
        if stage.now() >= end {
            return Ok(Err(unmet));
        }
        let next = (stage.now() + LOOK_EVERY).min(end);
        while stage.now() < next && events <= MAX_EVENTS {
            events += stage.advance(next, MAX_EVENTS);
        }
        if events > MAX_EVENTS {
            let place = checks[0].place;
            let message = format!("more than {MAX_EVENTS} events while waiting for the checks");
            return Err(Refusal { place, message });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Play;
    use api::{Value, object};

    fn pod(name: &str) -> Value {
        object! {"kind": "Pod", "metadata": {"name": (name), "namespace": "default"}}
    }

    /// A world in which `make` makes a pod after two seconds, `spoil` another.
    fn world() -> Play {
        let mut play = Play::new();
        play.makes("make", Duration::from_secs(2), "pods", pod("web"));
        play.makes("spoil", Duration::ZERO, "pods", pod("wbe"));
        play.fail("broken", 3, "it is broken");
        play
    }

    fn lesson(step: &str) -> String {
        format!(
            "apiVersion: kubarium.dev/v1\nkind: Lesson\n\
             metadata: {{name: test, title: Test, track: tests, summary: A test.}}\n\
             spec:\n  steps:\n  - title: Step\n    text: Do it.\n{step}"
        )
    }

    #[track_caller]
    fn check(step: &str, expected: Result<(), &str>) {
        let text = lesson(step);
        let lesson = crate::parse("lesson.yaml", &text).unwrap_or_else(|p| panic!("{}", p[0]));
        let proof = prove_on(&lesson, &[1, 2], |_| Ok(world()));
        let found = proof
            .map(|_| ())
            .map_err(|problems| problems[0].to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_sound_lesson_is_proven() {
        check(
            "    checks:\n    - eventually: {within: 5s, object: {kind: Pod, name: web}}\n    \
             mistakes:\n    - when: {object: {kind: Pod, name: wbe}}\n      say: Look.\n      \
             example: [{run: spoil}]\n    solution: [{run: make}]\n",
            Ok(()),
        );
        check(
            "    checks:\n    - stays: {for: 3s, object: {kind: Pod, name: wbe}}\n    \
             solution: [{run: spoil}]\n",
            Ok(()),
        );
        check(
            "    checks:\n    - object: {kind: Pod, name: wbe}\n    \
             solution: [{run: broken, fails: true}, {run: spoil}]\n",
            Ok(()),
        );
    }

    #[test]
    fn lessons_whose_checks_do_not_check_are_refused() {
        check(
            "    checks:\n    - object: {kind: Pod, name: web, absent: true}\n    \
             solution: [{run: make}]\n",
            Err("lesson.yaml:6:5: step 1 (Step) passes although nothing was done for it"),
        );
        check(
            "    checks:\n    - object: {kind: Pod, name: web}\n    solution: [{run: make}]\n",
            Err(
                "lesson.yaml:9:7: step 1 (Step): its solution does not pass it: \
                 \"Pod default/web is there\" does not hold: there is no Pod default/web",
            ),
        );
        check(
            "    checks:\n    - eventually: {within: 1s, object: {kind: Pod, name: web}}\n    \
             solution: [{run: make}]\n",
            Err(
                "lesson.yaml:9:7: step 1 (Step): its solution does not pass it after 1s: \
                 \"Pod default/web is there within 1s\" does not hold: there is no Pod default/web",
            ),
        );
        check(
            "    checks:\n    - object: {kind: Pod, name: web}\n    solution: [{run: broken}]\n",
            Err(
                "lesson.yaml:10:16: the solution of step 1 (Step) fails at \"broken\": \
                 it ended with 3: it is broken",
            ),
        );
    }

    #[test]
    fn mistakes_have_to_be_recognised_and_to_be_mistakes() {
        let step = |when: &str, example: &str| {
            format!(
                "    checks:\n    - eventually: {{within: 5s, object: {{kind: Pod, name: web}}}}\n    \
                 mistakes:\n    - when: {{object: {{kind: Pod, name: {when}}}}}\n      say: Look.\n      \
                 example: [{{run: {example}}}]\n    solution: [{{run: make}}]\n"
            )
        };
        check(
            &step("other", "spoil"),
            Err(
                "lesson.yaml:11:7: step 1 (Step): the mistake is not recognised by its example: \
                 there is no Pod default/other",
            ),
        );
        let both = step("wbe", "spoil")
            .replace("name: web", "name: wbe")
            .replace("make", "spoil");
        check(
            &both,
            Err("lesson.yaml:11:7: step 1 (Step): the example of a mistake passes the step"),
        );
    }

    #[test]
    fn every_seed_counts() {
        let text = lesson(
            "    checks:\n    - object: {kind: Pod, name: wbe}\n    solution: [{run: spoil}]\n",
        );
        let lesson = crate::parse("lesson.yaml", &text).expect("sound");
        let proof = prove_on(&lesson, &[1, 2], |spec| match spec.seed {
            1 => Ok(world()),
            _ => Err("node01 is not ready".to_owned()),
        });
        let problems = proof.expect_err("seed 2 fails");
        assert_eq!(
            problems[0].to_string(),
            "lesson.yaml:1:1: with seed 2: the world does not come up: node01 is not ready"
        );
    }
}
