//! Looks whether checks hold, and says what was seen when they do not.
//! Objects are looked at again only when the cluster has changed; commands and probes run in a
//! branch of the world, which is thrown away, so looking changes nothing.

use api::Value;
use api::cel::{Bindings, Program, Val};
use sim::{Duration, Instant};

use crate::check::{Check, ObjectTest, Test, Want, Which};
use crate::duration;
use crate::probe::{command, probe};
use crate::stage::Stage;

/// Time between two looks at something that takes a branch to see.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Steps one evaluation of an expression may take.
const MAX_STEPS: u64 = 200_000;
/// Characters shown of what was seen.
const MAX_SAW: usize = 600;

/// How a check stands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// It holds.
    pub met: bool,
    /// It should hold by now.
    pub overdue: bool,
    /// What was seen; empty if there is nothing to say.
    pub saw: String,
    /// When it may be otherwise although nothing changes.
    pub again: Option<Instant>,
}

/// Where one looks from.
pub(crate) struct Scene<'a, S> {
    /// The world as it is.
    pub(crate) stage: &'a S,
    /// The world as it was when the step began.
    pub(crate) before: &'a S,
    /// When something was last done to it from outside.
    pub(crate) acted_at: Instant,
}

/// What was seen of a check before, in the shape of the check.
#[derive(Clone, Debug, Default)]
pub(crate) struct Memory {
    parts: Vec<Memory>,
    /// Since when it holds without a break.
    since: Option<Instant>,
    last: Option<(Moment, Seen)>,
}

/// When something was seen, as far as it matters for seeing it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    Revision(i64),
    Time(Instant),
}

/// Looks at a check.
pub(crate) fn look<S: Stage>(check: &Check, memory: &mut Memory, scene: &Scene<'_, S>) -> Seen {
    match &check.test {
        Test::Object(test) => {
            let now = Moment::Revision(scene.stage.revision());
            remembered(memory, |moment| moment == now, now, || object(test, scene))
        }
        Test::Probe(test) => in_branch(memory, scene, |stage| probe(test, stage)),
        Test::Command(test) => in_branch(memory, scene, |stage| command(test, stage)),
        Test::All(checks) => {
            let seen = parts(checks, memory, scene);
            let met = seen.iter().all(|seen| seen.met);
            join(checks, seen, met)
        }
        Test::Any(checks) => {
            let seen = parts(checks, memory, scene);
            let met = seen.iter().any(|seen| seen.met);
            join(checks, seen, met)
        }
        Test::Not(check) => {
            let seen = look(check, part(memory), scene);
            let saw = if seen.met {
                format!("it does hold: {}", check.label)
            } else {
                String::new()
            };
            Seen {
                met: !seen.met,
                overdue: false,
                saw,
                again: seen.again,
            }
        }
        Test::Eventually { within, check } => {
            let mut seen = look(check, part(memory), scene);
            let due = scene.acted_at + *within;
            seen.overdue = !seen.met && scene.stage.now() >= due;
            if !seen.met && !seen.overdue {
                seen.again = Some(seen.again.map_or(due, |again| again.min(due)));
            }
            seen
        }
        Test::Stays { duration, check } => stays(*duration, check, memory, scene),
    }
}

fn stays<S: Stage>(
    span: Duration,
    check: &Check,
    memory: &mut Memory,
    scene: &Scene<'_, S>,
) -> Seen {
    let mut seen = look(check, part(memory), scene);
    if !seen.met {
        memory.since = None;
        return seen;
    }
    let now = scene.stage.now();
    let since = *memory.since.get_or_insert(now);
    if now.since(since) < span {
        let (holds, wanted) = (duration::show(now.since(since)), duration::show(span));
        seen.met = false;
        seen.saw = format!("it holds for {holds} of {wanted}");
        seen.again = Some(
            seen.again
                .map_or(since + span, |again| again.min(since + span)),
        );
    }
    seen
}

fn part(memory: &mut Memory) -> &mut Memory {
    if memory.parts.is_empty() {
        memory.parts.push(Memory::default());
    }
    &mut memory.parts[0]
}

fn parts<S: Stage>(checks: &[Check], memory: &mut Memory, scene: &Scene<'_, S>) -> Vec<Seen> {
    memory.parts.resize_with(checks.len(), Memory::default);
    let pairs = checks.iter().zip(&mut memory.parts);
    pairs
        .map(|(check, memory)| look(check, memory, scene))
        .collect()
}

fn join(checks: &[Check], seen: Vec<Seen>, met: bool) -> Seen {
    let unmet = || seen.iter().filter(|seen| !seen.met);
    let told = checks
        .iter()
        .zip(&seen)
        .filter(|(_, seen)| !seen.met && !seen.saw.is_empty());
    let saw: Vec<String> = told.map(|(_, seen)| seen.saw.clone()).collect();
    Seen {
        met,
        overdue: !met && unmet().any(|seen| seen.overdue),
        saw: if met { String::new() } else { saw.join("; ") },
        again: seen.iter().filter_map(|seen| seen.again).min(),
    }
}

/// What was seen at a moment that still counts, or what is seen now.
fn remembered(
    memory: &mut Memory,
    counts: impl FnOnce(Moment) -> bool,
    now: Moment,
    look: impl FnOnce() -> Seen,
) -> Seen {
    if let Some((moment, seen)) = &memory.last
        && counts(*moment)
    {
        return seen.clone();
    }
    let seen = look();
    memory.last = Some((now, seen.clone()));
    seen
}

fn in_branch<S: Stage>(
    memory: &mut Memory,
    scene: &Scene<'_, S>,
    look: impl FnOnce(S) -> Seen,
) -> Seen {
    let now = scene.stage.now();
    let counts = |moment| match moment {
        Moment::Time(at) => at == now || (at >= scene.acted_at && now.since(at) < LOOK_EVERY),
        Moment::Revision(_) => false,
    };
    let mut seen = remembered(memory, counts, Moment::Time(now), || {
        look(scene.stage.clone())
    });
    if let Some((Moment::Time(at), _)) = &memory.last {
        seen.again = Some(*at + LOOK_EVERY);
    }
    seen
}

fn object<S: Stage>(test: &ObjectTest, scene: &Scene<'_, S>) -> Seen {
    match &test.which {
        Which::Named(name) => {
            let namespace = test.namespace.as_deref().unwrap_or("");
            let find = |stage: &S| stage.get(test.resource, namespace, name);
            let found = find(scene.stage);
            match (&test.want, found) {
                (Want::Absent, None) | (Want::There, Some(_)) => met(),
                (Want::Absent, Some(object)) => unmet(there_still(test, &object)),
                (_, None) => unmet(format!("there is no {}", test.name())),
                (Want::True(program), Some(object)) => {
                    let before = uses_before(program).then(|| find(scene.before)).flatten();
                    let before = before.unwrap_or_default();
                    let bindings = Bindings::new()
                        .with("self", &object)
                        .with("before", &before);
                    judge(program, &bindings)
                }
            }
        }
        Which::Matching(..) => {
            let items = select(scene.stage, test);
            match &test.want {
                Want::Absent if items.is_empty() => met(),
                Want::There if !items.is_empty() => met(),
                Want::Absent => {
                    let names: Vec<&str> = items.iter().map(|item| item.name()).collect();
                    unmet(format!("there is {}", names.join(", ")))
                }
                Want::There => unmet(format!("there is not {}", test.name())),
                Want::True(program) => {
                    let before = uses_before(program).then(|| select(scene.before, test));
                    let before = Value::list_of(before.unwrap_or_default());
                    let items = Value::list_of(items);
                    let bindings = Bindings::new()
                        .with("items", &items)
                        .with("before", &before);
                    judge(program, &bindings)
                }
            }
        }
    }
}

/// Whether it is worth looking up what was there when the step began.
fn uses_before(program: &Program) -> bool {
    program.source().contains("before")
}

fn there_still(test: &ObjectTest, object: &Value) -> String {
    let going = if object.is_terminating() {
        ", and being deleted"
    } else {
        ""
    };
    format!("{} is still there{going}", test.name())
}

fn select<S: Stage>(stage: &S, test: &ObjectTest) -> Vec<Value> {
    let mut items = stage.list(test.resource);
    items.retain(|item| {
        let namespace = test.namespace.as_deref();
        let here = namespace.is_none_or(|namespace| item.namespace() == namespace);
        let labelled = match &test.which {
            Which::Named(name) => item.name() == &**name,
            Which::Matching(selector, _) => selector.matches(item.labels()),
        };
        here && labelled
    });
    items
}

pub(crate) fn judge(program: &Program, bindings: &Bindings) -> Seen {
    match program.eval_within(bindings, MAX_STEPS) {
        Ok(Val::Bool(true)) => met(),
        Ok(Val::Bool(false)) => {
            let parts: Vec<String> = program
                .explain(bindings)
                .iter()
                .map(ToString::to_string)
                .collect();
            unmet(parts.join("; "))
        }
        Ok(other) => unmet(format!(
            "expected true or false, the expression gave {other}"
        )),
        Err(error) => unmet(format!("{}: {error}", program.source())),
    }
}

fn met() -> Seen {
    Seen {
        met: true,
        ..Seen::default()
    }
}

pub(crate) fn unmet(saw: String) -> Seen {
    let mut saw = saw;
    if let Some((cut, _)) = saw.char_indices().nth(MAX_SAW) {
        saw.truncate(cut);
        saw.push('…');
    }
    Seen {
        saw,
        ..Seen::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Play, check_of};
    use api::object;

    fn scene<'a>(stage: &'a Play, before: &'a Play) -> Scene<'a, Play> {
        Scene {
            stage,
            before,
            acted_at: stage.acted_at,
        }
    }

    #[track_caller]
    fn check(yaml: &str, stage: &Play, expected: Result<(), &str>) {
        let check = check_of(yaml);
        let seen = look(&check, &mut Memory::default(), &scene(stage, &Play::new()));
        let found = if seen.met { Ok(()) } else { Err(&*seen.saw) };
        assert_eq!(found, expected, "{yaml}");
    }

    fn pods(n: i64) -> Play {
        let mut play = Play::new();
        for i in 0..n {
            let phase = if i == 0 { "Pending" } else { "Running" };
            play.put("pods", object! {
                "kind": "Pod",
                "metadata": {
                    "name": (format!("web-{i}")), "namespace": "default", "labels": {"app": "web"}
                },
                "status": {"phase": (phase)}
            });
        }
        play
    }

    #[test]
    fn objects_are_there_or_not_and_are_explained() {
        let none = Play::new();
        let two = pods(2);
        check("object: {kind: Pod, name: web-0}", &two, Ok(()));
        check(
            "object: {kind: Pod, name: web-0}",
            &none,
            Err("there is no Pod default/web-0"),
        );
        check(
            "object: {kind: Pod, name: web-0, absent: true}",
            &two,
            Err("Pod default/web-0 is still there"),
        );
        check("object: {kind: Pod, selector: app=web}", &two, Ok(()));
        check(
            "object: {kind: Pod, selector: app=db}",
            &two,
            Err("there is not a Pod with app=db in default"),
        );
        check(
            "object: {kind: Pod, namespace: '*', selector: app=web}",
            &two,
            Ok(()),
        );
        check(
            "object: {kind: Pod, selector: app=web, absent: true}",
            &two,
            Err("there is web-0, web-1"),
        );
        check(
            "object: {kind: Pod, name: web-0, expression: self.status.phase == 'Running'}",
            &two,
            Err("self.status.phase was \"Pending\""),
        );
        check(
            "object: {kind: Pod, expression: items.size() == 2 && before.size() == 0}",
            &two,
            Ok(()),
        );
    }

    #[test]
    fn checks_combine() {
        let two = pods(2);
        let there = "{object: {kind: Pod, name: web-0}}";
        let lacking = "{object: {kind: Pod, name: db}}";
        check(&format!("all: [{there}, {there}]"), &two, Ok(()));
        check(
            &format!("all: [{there}, {lacking}]"),
            &two,
            Err("there is no Pod default/db"),
        );
        check(&format!("any: [{lacking}, {there}]"), &two, Ok(()));
        check(&format!("not: {lacking}"), &two, Ok(()));
        check(
            &format!("not: {there}"),
            &two,
            Err("it does hold: Pod default/web-0 is there"),
        );
    }

    #[test]
    fn time_counts_from_the_last_deed_and_without_a_break() {
        let secs = Duration::from_secs;
        let mut play = Play::new();
        let soon = check_of("eventually: {within: 10s, object: {kind: Pod, name: web-0}}");
        let mut memory = Memory::default();
        let seen = look(&soon, &mut memory, &scene(&play, &play));
        assert_eq!((seen.met, seen.overdue), (false, false));
        assert_eq!(seen.again, Some(play.now() + secs(10)));
        play.advance(play.now() + secs(10), 0);
        assert!(look(&soon, &mut memory, &scene(&play, &play)).overdue);
        play.acted_at = play.now();
        assert!(!look(&soon, &mut memory, &scene(&play, &play)).overdue);

        let long = check_of("stays: {for: 5s, object: {kind: Pod, name: web-0}}");
        let mut memory = Memory::default();
        play.put("pods", pods(1).list("pods").remove(0));
        let seen = look(&long, &mut memory, &scene(&play, &play));
        assert_eq!((seen.met, &*seen.saw), (false, "it holds for 0s of 5s"));
        play.advance(play.now() + secs(4), 0);
        assert!(!look(&long, &mut memory, &scene(&play, &play)).met);
        play.remove("pods", "web-0");
        assert!(!look(&long, &mut memory, &scene(&play, &play)).met);
        play.put("pods", pods(1).list("pods").remove(0));
        play.advance(play.now() + secs(4), 0);
        assert!(
            !look(&long, &mut memory, &scene(&play, &play)).met,
            "it was gone in between"
        );
        play.advance(play.now() + secs(5), 0);
        assert!(look(&long, &mut memory, &scene(&play, &play)).met);
    }

    #[test]
    fn commands_run_in_a_branch() {
        let mut play = Play::new();
        play.answer("echo hi", 0, "hi\n");
        play.answer("false", 1, "");
        check("command: {run: echo hi}", &play, Ok(()));
        check(
            "command: {run: echo hi, expression: stdout == ''}",
            &play,
            Err("echo hi ended with 0 and printed: hi"),
        );
        check(
            "command: {run: echo hi, expression: \"stdout == 'hi\\\\n'\"}",
            &play,
            Ok(()),
        );
        check(
            "command: {run: 'false'}",
            &play,
            Err("false ended with 1 and printed: "),
        );
        check(
            "command: {run: forever}",
            &play,
            Err("forever did not end within 30s"),
        );
        check(
            "command: {run: ls, machine: node02}",
            &play.clone().without("node02"),
            Err("there is no machine \"node02\""),
        );
    }

    #[test]
    fn probes_see_status_and_body() {
        let mut play = pods(2);
        let ask = |url: &str| format!("curl -sS -i -m 5 '{url}'");
        play.answer(
            &ask("http://web/"),
            0,
            "HTTP/1.1 200 OK\r\nServer: nginx\r\n\r\n<h1>hi</h1>",
        );
        play.answer(
            &ask("http://web/x"),
            0,
            "HTTP/1.1 404 Not Found\r\n\r\nnone",
        );
        play.fail(&ask("http://db/"), 7, "curl: (7) Failed to connect");
        check("probe: {url: 'http://web/'}", &play, Ok(()));
        check(
            "probe: {url: 'http://web/', expression: \"body.contains('hi')\"}",
            &play,
            Ok(()),
        );
        check(
            "probe: {url: 'http://web/x'}",
            &play,
            Err("http://web/x answered 404: status was 404"),
        );
        check(
            "probe: {url: 'http://db/', expression: status == 0}",
            &play,
            Ok(()),
        );
        check(
            "probe: {url: 'http://db/'}",
            &play,
            Err("http://db/: curl: (7) Failed to connect"),
        );
        check(
            "probe: {url: 'http://web/', pod: {selector: app=web}}",
            &play,
            Ok(()),
        );
        check(
            "probe: {url: 'http://web/', pod: {name: web-0}}",
            &play,
            Err("no running pod of default to ask from"),
        );
    }

    #[test]
    fn what_did_not_change_is_not_looked_at_again() {
        let mut play = pods(1);
        play.answer("echo", 0, "");
        let looked = |play: &Play| play.looked.get();
        let object = check_of("object: {kind: Pod, name: web-0}");
        let mut memory = Memory::default();
        for _ in 0..5 {
            look(&object, &mut memory, &scene(&play, &play));
        }
        assert_eq!(looked(&play), 1);
        play.put(
            "pods",
            object! {"metadata": {"name": "other", "namespace": "default"}},
        );
        look(&object, &mut memory, &scene(&play, &play));
        assert_eq!(looked(&play), 2);

        let command = check_of("command: {run: echo}");
        let mut memory = Memory::default();
        for _ in 0..5 {
            look(&command, &mut memory, &scene(&play, &play));
            play.advance(play.now() + Duration::from_millis(500), 0);
        }
        assert_eq!(play.ran.get(), 2, "every two seconds");
    }
}
