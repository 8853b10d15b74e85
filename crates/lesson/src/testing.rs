//! A stage for tests of this crate: objects and answers to commands that a test puts there.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use api::Value;
use sim::{Duration, Instant};

use crate::check::Check;
use crate::stage::{Outcome, RunId, Stage};

/// How long every command takes.
const TAKES: Duration = Duration::from_millis(100);

/// What a command does: what it prints, and what it puts into the cluster.
#[derive(Clone, Default)]
struct Deed {
    outcome: Outcome,
    puts: Vec<(String, Value)>,
    removes: Vec<(String, String)>,
    /// How long after its end what it puts appears.
    delay: Duration,
}

#[derive(Clone, Default)]
pub(crate) struct Play {
    pub(crate) acted_at: Instant,
    now: Instant,
    revision: i64,
    objects: BTreeMap<(String, String, String), Value>,
    deeds: BTreeMap<String, Deed>,
    runs: Vec<(Instant, Option<Deed>)>,
    pending: Vec<(Instant, Deed)>,
    machines: Vec<String>,
    /// Objects looked up, in all branches.
    pub(crate) looked: Rc<Cell<u32>>,
    /// Commands run, in all branches.
    pub(crate) ran: Rc<Cell<u32>>,
}

impl Play {
    pub(crate) fn new() -> Play {
        let machines = ["controlplane", "node01", "node02"]
            .map(str::to_owned)
            .to_vec();
        Play {
            machines,
            ..Play::default()
        }
    }

    pub(crate) fn without(mut self, machine: &str) -> Play {
        self.machines.retain(|name| name != machine);
        self
    }

    pub(crate) fn put(&mut self, resource: &str, object: Value) {
        self.revision += 1;
        let key = (
            resource.to_owned(),
            object.namespace().to_owned(),
            object.name().to_owned(),
        );
        self.objects.insert(key, object);
    }

    pub(crate) fn remove(&mut self, resource: &str, name: &str) {
        self.revision += 1;
        self.objects
            .retain(|(r, _, n), _| r != resource || n != name);
    }

    pub(crate) fn answer(&mut self, command: &str, exit_code: i32, stdout: &str) {
        let stdout = stdout.to_owned();
        let outcome = Outcome {
            stdout,
            stderr: String::new(),
            exit_code: Some(exit_code),
        };
        self.deeds.entry(command.to_owned()).or_default().outcome = outcome;
    }

    pub(crate) fn fail(&mut self, command: &str, exit_code: i32, stderr: &str) {
        self.answer(command, exit_code, "");
        self.deeds
            .entry(command.to_owned())
            .or_default()
            .outcome
            .stderr = stderr.to_owned();
    }

    /// Makes `command` put an object there some time after it has ended.
    pub(crate) fn makes(&mut self, command: &str, delay: Duration, resource: &str, object: Value) {
        self.answer(command, 0, "");
        let deed = self.deeds.entry(command.to_owned()).or_default();
        deed.delay = delay;
        deed.puts.push((resource.to_owned(), object));
    }

    /// Makes `command` remove an object.
    pub(crate) fn removes(&mut self, command: &str, resource: &str, name: &str) {
        self.answer(command, 0, "");
        let deed = self.deeds.entry(command.to_owned()).or_default();
        deed.removes.push((resource.to_owned(), name.to_owned()));
    }

    fn happen(&mut self) {
        let now = self.now;
        let due: Vec<(Instant, Deed)> = self.pending.extract_if(.., |(at, _)| *at <= now).collect();
        for (_, deed) in due {
            for (resource, object) in deed.puts {
                self.put(&resource, object);
            }
            for (resource, name) in deed.removes {
                self.remove(&resource, &name);
            }
        }
    }
}

impl Stage for Play {
    fn now(&self) -> Instant {
        self.now
    }

    /// Moves time as far as the next thing that happens, or to `until`.
    fn advance(&mut self, until: Instant, _budget: u64) -> u64 {
        let now = self.now;
        let ends = self.runs.iter().map(|(end, _)| *end);
        let next = ends
            .chain(self.pending.iter().map(|(at, _)| *at))
            .filter(|at| *at > now)
            .min();
        self.now = next.unwrap_or(until).min(until).max(now);
        self.happen();
        0
    }

    fn missing(&self) -> Option<String> {
        None
    }

    fn run(&mut self, machine: &Rc<str>, command: &Rc<str>) -> Result<RunId, String> {
        if !self.machines.iter().any(|name| **name == **machine) {
            return Err(format!("there is no machine {machine:?}"));
        }
        self.ran.set(self.ran.get() + 1);
        let deed = self.deeds.get(command.trim()).cloned();
        let end = if deed.is_some() {
            self.now + TAKES
        } else {
            Instant::FAR
        };
        if let Some(deed) = &deed {
            self.pending.push((end + deed.delay, deed.clone()));
        }
        self.runs.push((end, deed));
        Ok(RunId(u32::try_from(self.runs.len() - 1).expect("few runs")))
    }

    fn run_in_pod(
        &mut self,
        namespace: &str,
        pod: &str,
        command: &Rc<str>,
    ) -> Result<RunId, String> {
        self.get("pods", namespace, pod)
            .ok_or_else(|| format!("there is no pod {pod}"))?;
        self.run(&"controlplane".into(), command)
    }

    fn outcome(&self, run: RunId) -> Outcome {
        match &self.runs[run.0 as usize] {
            (end, Some(deed)) if *end <= self.now => deed.outcome.clone(),
            _ => Outcome::default(),
        }
    }

    fn stop(&mut self, _run: RunId) {}

    fn revision(&self) -> i64 {
        self.revision
    }

    fn list(&self, resource: &str) -> Vec<Value> {
        self.looked.set(self.looked.get() + 1);
        let of_kind = self.objects.iter().filter(|((r, _, _), _)| r == resource);
        of_kind.map(|(_, object)| object.clone()).collect()
    }

    fn get(&self, resource: &str, namespace: &str, name: &str) -> Option<Value> {
        self.looked.set(self.looked.get() + 1);
        let key = (resource.to_owned(), namespace.to_owned(), name.to_owned());
        self.objects.get(&key).cloned()
    }
}

/// A lesson file with one step, around these checks.
pub(crate) fn lesson_with(checks: &str) -> String {
    format!(
        "apiVersion: kubarium.dev/v1\nkind: Lesson\n\
         metadata: {{name: test, title: Test, track: tests, summary: A test.}}\n\
         spec:\n  steps:\n  - title: Step\n    text: Do it.\n    checks:\n{checks}\n    \
         solution:\n    - run: solve\n"
    )
}

/// The check that this YAML says.
#[track_caller]
pub(crate) fn check_of(yaml: &str) -> Check {
    let text = lesson_with(&format!("    - {yaml}"));
    match crate::parse("lesson.yaml", &text) {
        Ok(mut lesson) => lesson.steps.remove(0).checks.remove(0),
        Err(problems) => panic!("{yaml}: {}", problems[0]),
    }
}
