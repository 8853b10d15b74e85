//! From a lesson file to a lesson: everything is looked up, compiled and held to its bounds, and
//! whatever is wrong is told with its place. A lesson is a stranger's: nothing in it may cost much.

use std::rc::Rc;

use api::Quantity;
use api::yaml::Positions;
use lab::{NodeSpec, Role, VERSIONS, WorldSpec};
use sim::Duration;

use crate::duration;
use crate::file::{
    ActionFile, ApiVersion, LessonFile, LessonKind, MistakeFile, NodeFile, PredictFile, RoleFile,
    StepFile, WorldFile,
};
use crate::lesson::{Action, Choice, Lesson, Mistake, Predict, Step};
use crate::problem::{Place, Problem, closest, one_of};
use crate::tree;

mod checks;

/// Bytes a lesson file may have.
pub const MAX_FILE: usize = 512 * 1024;
const MAX_NODES: usize = 50;
const MAX_STEPS: usize = 50;
const MAX_ACTIONS: usize = 50;
const MAX_HINTS: usize = 10;
const MAX_TITLE: usize = 100;
const MAX_SUMMARY: usize = 300;
const MAX_TEXT: usize = 32 * 1024;
const MAX_COMMAND: usize = 64 * 1024;
/// The longest any span of time in a lesson may be.
const MAX_SPAN: Duration = Duration::from_secs(3600);
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);

/// Reads a lesson. `file` is what problems call it; if it ends like
/// `basics/01-first-workload/lesson.yaml`, the lesson has to have the name and track it says.
///
/// # Errors
/// What is wrong, in the order of the file; at least one problem.
pub fn parse(file: &str, text: &str) -> Result<Lesson, Vec<Problem>> {
    let problem = |line: usize, column: usize, message: String| {
        vec![Problem {
            file: file.to_owned(),
            place: Place { line, column },
            message,
        }]
    };
    if text.len() > MAX_FILE {
        let size = format!("the file has {} bytes, {MAX_FILE} are allowed", text.len());
        return Err(problem(1, 1, size));
    }
    let documents = api::yaml::parse_all_with_positions(text).map_err(|error| {
        problem(
            error.line,
            error.column,
            format!("no YAML: {}", error.message),
        )
    })?;
    let document = match &documents[..] {
        [] => {
            return Err(problem(
                1,
                1,
                "expected a lesson, the file is empty".to_owned(),
            ));
        }
        [document] => document,
        [_, second, ..] => {
            let message = "expected one lesson, here begins a second document".to_owned();
            return Err(problem(second.line, 1, message));
        }
    };
    let read: LessonFile = tree::read(&document.value).map_err(|misfit| {
        let (line, column) = document.positions.find(&misfit.path);
        problem(line, column, misfit.message)
    })?;
    let mut checker = Checker {
        file,
        positions: &document.positions,
        problems: Vec::new(),
        machines: Vec::new(),
        checks: 0,
        depth: 0,
    };
    let lesson = checker.lesson(&read);
    let mut problems = checker.problems;
    if problems.is_empty() {
        return Ok(lesson);
    }
    problems.sort_by_key(|problem| problem.place);
    Err(problems)
}

/// Lessons that have a track and name in common with an earlier one.
pub fn duplicates(lessons: &[Lesson]) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (index, lesson) in lessons.iter().enumerate() {
        let same = |other: &&Lesson| other.name == lesson.name && other.track == lesson.track;
        if let Some(other) = lessons[..index].iter().find(same) {
            problems.push(Problem {
                file: lesson.file.clone(),
                place: Place { line: 1, column: 1 },
                message: format!(
                    "the lesson {}/{} is in {} already",
                    lesson.track, lesson.name, other.file
                ),
            });
        }
    }
    problems
}

struct Checker<'a> {
    file: &'a str,
    positions: &'a Positions,
    problems: Vec<Problem>,
    machines: Vec<Rc<str>>,
    /// Checks seen in the step at hand, those inside others counted too.
    checks: usize,
    /// Checks around the one at hand.
    depth: usize,
}

impl Checker<'_> {
    fn place(&self, path: &str) -> Place {
        let (line, column) = self.positions.find(path);
        Place { line, column }
    }

    fn problem(&mut self, path: &str, message: impl Into<String>) {
        let (file, place) = (self.file.to_owned(), self.place(path));
        self.problems.push(Problem {
            file,
            place,
            message: message.into(),
        });
    }

    fn lesson(&mut self, read: &LessonFile) -> Lesson {
        // There is one version and one kind: a file that was read has them.
        let LessonFile {
            api_version: ApiVersion::V1,
            kind: LessonKind::Lesson,
            metadata,
            spec,
        } = read;
        let name = self.label("metadata.name", &metadata.name);
        let track = self.label("metadata.track", &metadata.track);
        self.folder(&name, &track);
        let title = self.text("metadata.title", &metadata.title, MAX_TITLE);
        let summary = self.text("metadata.summary", &metadata.summary, MAX_SUMMARY);
        if metadata.minutes > 600 {
            self.problem("metadata.minutes", "expected at most 600 minutes");
        }
        let world = self.world(&spec.world);
        self.machines = world.nodes.iter().map(|node| node.name.clone()).collect();
        let setup = self.actions("spec.setup", &spec.setup, 0);
        self.count("spec.steps", spec.steps.len(), 1, MAX_STEPS);
        let steps = spec.steps.iter().take(MAX_STEPS).enumerate();
        let steps: Vec<Step> = steps
            .map(|(n, step)| self.step(&format!("spec.steps[{n}]"), step))
            .collect();
        for (n, step) in steps.iter().enumerate() {
            if steps[..n].iter().any(|other| other.title == step.title) {
                let message = format!("two steps are called {:?}", step.title);
                self.problem(&format!("spec.steps[{n}].title"), message);
            }
        }
        let debrief = self.optional("spec.debrief", &spec.debrief, MAX_TEXT);
        let minutes = metadata.minutes;
        let file = self.file.to_owned();
        Lesson {
            file,
            name,
            title,
            track,
            summary,
            minutes,
            world,
            setup,
            steps,
            debrief,
        }
    }

    /// Checks that the file lies where its name and track say, if it lies in folders.
    fn folder(&mut self, name: &str, track: &str) {
        let mut parts = self.file.rsplit('/');
        let is_lesson = parts.next() == Some("lesson.yaml");
        let (Some(folder), Some(parent), true) = (parts.next(), parts.next(), is_lesson) else {
            return;
        };
        let unnumbered = folder.trim_start_matches(|c: char| c.is_ascii_digit());
        let Some(unnumbered) = unnumbered
            .strip_prefix('-')
            .filter(|_| folder != unnumbered)
        else {
            return;
        };
        if unnumbered != name {
            let message = format!("expected {unnumbered:?}, as the folder {folder:?} is called");
            self.problem("metadata.name", message);
        }
        if parent != track {
            let message = format!("expected {parent:?}, as the folder above is called");
            self.problem("metadata.track", message);
        }
    }

    fn world(&mut self, read: &WorldFile) -> WorldSpec {
        let seed = read.seed.unwrap_or(1);
        let mut world = WorldSpec::with_workers(2, seed);
        if let Some(version) = &read.version {
            if !VERSIONS.contains(&&**version) {
                let message = format!("expected {}, found {version:?}", one_of(&VERSIONS));
                self.problem("spec.world.version", message);
                return world;
            }
            world.version = version.as_str().into();
        }
        if let Some(nodes) = &read.nodes {
            self.count("spec.world.nodes", nodes.len(), 1, MAX_NODES);
            let nodes = nodes.iter().take(MAX_NODES).enumerate();
            world.nodes = nodes.map(|(n, node)| self.node(n, node)).collect();
        }
        if let Some(problem) = world.problem() {
            self.problem("spec.world.nodes", problem);
            return WorldSpec::with_workers(2, seed);
        }
        world
    }

    fn node(&mut self, index: usize, read: &NodeFile) -> NodeSpec {
        let role = match read.role {
            RoleFile::ControlPlane => Role::ControlPlane,
            RoleFile::Worker => Role::Worker,
            RoleFile::Plain => Role::Plain,
        };
        let mut node = NodeSpec::new(read.name.as_str(), role);
        if let Some(cpus) = read.cpus {
            node.cpus = cpus;
        }
        if let Some(memory) = &read.memory {
            let bytes = Quantity::parse(memory).map(|quantity| quantity.value());
            match bytes.map(u64::try_from) {
                Ok(Ok(bytes)) => node.memory_mib = bytes >> 20,
                _ => {
                    let message = format!("expected a quantity such as 8Gi, found {memory:?}");
                    self.problem(&format!("spec.world.nodes[{index}].memory"), message);
                }
            }
        }
        node
    }

    fn step(&mut self, path: &str, read: &StepFile) -> Step {
        self.checks = 0;
        let title = self.text(&format!("{path}.title"), &read.title, MAX_TITLE);
        let text = self.text(&format!("{path}.text"), &read.text, MAX_TEXT);
        let predict = read
            .predict
            .as_ref()
            .map(|read| self.predict(&format!("{path}.predict"), read));
        let checks = self.check_list(&format!("{path}.checks"), &read.checks);
        self.count(&format!("{path}.hints"), read.hints.len(), 0, MAX_HINTS);
        let hints = read.hints.iter().take(MAX_HINTS).enumerate();
        let hints = hints
            .map(|(n, hint)| self.text(&format!("{path}.hints[{n}]"), hint, MAX_TEXT))
            .collect();
        self.count(
            &format!("{path}.mistakes"),
            read.mistakes.len(),
            0,
            MAX_HINTS,
        );
        let mistakes = read.mistakes.iter().take(MAX_HINTS).enumerate();
        let mistakes = mistakes
            .map(|(n, mistake)| self.mistake(&format!("{path}.mistakes[{n}]"), mistake))
            .collect();
        let solution = self.actions(&format!("{path}.solution"), &read.solution, 1);
        let place = self.place(path);
        Step {
            title,
            text,
            predict,
            checks,
            hints,
            mistakes,
            solution,
            place,
        }
    }

    fn predict(&mut self, path: &str, read: &PredictFile) -> Predict {
        let question = self.text(&format!("{path}.question"), &read.question, MAX_TEXT);
        let at = format!("{path}.choices");
        self.count(&at, read.choices.len(), 2, 8);
        if !read.choices.iter().any(|choice| choice.correct) {
            self.problem(&at, "no choice is correct");
        }
        let choices = read.choices.iter().take(8).enumerate();
        let choices = choices.map(|(n, choice)| Choice {
            text: self.text(&format!("{at}[{n}].text"), &choice.text, MAX_SUMMARY),
            correct: choice.correct,
            feedback: self.optional(&format!("{at}[{n}].feedback"), &choice.feedback, MAX_TEXT),
        });
        Predict {
            question,
            choices: choices.collect(),
        }
    }

    fn mistake(&mut self, path: &str, read: &MistakeFile) -> Mistake {
        Mistake {
            when: self.check(&format!("{path}.when"), &read.when),
            say: self.text(&format!("{path}.say"), &read.say, MAX_TEXT),
            example: self.actions(&format!("{path}.example"), &read.example, 1),
            place: self.place(path),
        }
    }

    fn actions(&mut self, path: &str, read: &[ActionFile], least: usize) -> Vec<Action> {
        self.count(path, read.len(), least, MAX_ACTIONS);
        let actions = read.iter().take(MAX_ACTIONS).enumerate();
        actions
            .map(|(n, action)| self.action(&format!("{path}[{n}]"), action))
            .collect()
    }

    fn action(&mut self, path: &str, read: &ActionFile) -> Action {
        let (command, what): (String, String) = match (&read.apply, &read.run, &read.edit) {
            (Some(manifest), None, None) => {
                self.manifest(&format!("{path}.apply"), manifest);
                (
                    here_document("kubectl apply -f -", manifest),
                    "apply".to_owned(),
                )
            }
            (None, Some(run), None) => {
                if run.trim().is_empty() {
                    self.problem(&format!("{path}.run"), "expected a shell command");
                }
                let first = run.trim().lines().next().unwrap_or("");
                (run.clone(), first.to_owned())
            }
            (None, None, Some(edit)) => {
                if edit.file.trim().is_empty() {
                    self.problem(&format!("{path}.edit.file"), "expected the path of a file");
                }
                let target = format!("cat > {}", quote(&edit.file));
                (
                    here_document(&target, &edit.text),
                    format!("edit {}", edit.file),
                )
            }
            _ => {
                self.problem(
                    path,
                    "expected exactly one of \"apply\", \"run\" or \"edit\"",
                );
                (String::new(), String::new())
            }
        };
        if command.len() > MAX_COMMAND {
            self.problem(path, format!("expected at most {MAX_COMMAND} bytes"));
        }
        Action {
            command: command.into(),
            machine: self.machine(&format!("{path}.machine"), read.machine.as_deref()),
            timeout: self.span(
                &format!("{path}.timeout"),
                read.timeout.as_deref(),
                COMMAND_TIMEOUT,
            ),
            fails: read.fails,
            what: what.into(),
            place: self.place(path),
        }
    }

    fn manifest(&mut self, path: &str, manifest: &str) {
        match api::yaml::parse_all(manifest) {
            Ok(documents) if documents.is_empty() => {
                self.problem(path, "expected manifests, there are none");
            }
            Ok(documents) => {
                for document in documents {
                    if document.value.kind().is_empty() || document.value.api_version().is_empty() {
                        let at = document.line;
                        let message =
                            format!("line {at} of it: no object with apiVersion and kind");
                        self.problem(path, message);
                    }
                }
            }
            Err(error) => {
                let message = format!("line {} of it is no YAML: {}", error.line, error.message);
                self.problem(path, message);
            }
        }
    }

    /// A machine that is named, or else the first.
    fn machine(&mut self, path: &str, name: Option<&str>) -> Rc<str> {
        let first = self.machines.first().cloned().unwrap_or_else(|| "".into());
        let Some(name) = name else { return first };
        if let Some(machine) = self.machines.iter().find(|machine| &***machine == name) {
            return machine.clone();
        }
        let known = self.machines.clone();
        let known: Vec<&str> = known.iter().map(|name| &**name).collect();
        let hint = match closest(name, &known) {
            Some(near) => format!(", did you mean {near:?}?"),
            None => format!(", there are {}", known.join(", ")),
        };
        self.problem(path, format!("there is no machine {name:?}{hint}"));
        first
    }

    fn span(&mut self, path: &str, text: Option<&str>, default: Duration) -> Duration {
        let Some(text) = text else { return default };
        match duration::parse(text) {
            None => {
                self.problem(
                    path,
                    format!("expected a span of time such as 30s, found {text:?}"),
                );
                default
            }
            Some(span) if span > MAX_SPAN || span.is_zero() => {
                self.problem(
                    path,
                    format!("expected more than 0s and at most 1h, found {text}"),
                );
                default
            }
            Some(span) => span,
        }
    }

    fn label(&mut self, path: &str, text: &str) -> Rc<str> {
        if !api::names::dns1123_label(text).is_empty() {
            let message =
                format!("expected lower-case letters, digits and '-' in between, found {text:?}");
            self.problem(path, message);
        }
        text.into()
    }

    fn text(&mut self, path: &str, text: &str, most: usize) -> Rc<str> {
        if text.trim().is_empty() {
            self.problem(path, "expected some text");
        }
        self.optional(path, text, most)
    }

    fn optional(&mut self, path: &str, text: &str, most: usize) -> Rc<str> {
        if text.len() > most {
            self.problem(
                path,
                format!("expected at most {most} bytes, found {}", text.len()),
            );
        }
        text.into()
    }

    fn count(&mut self, path: &str, found: usize, least: usize, most: usize) {
        if found < least {
            self.problem(path, format!("expected at least {least}, found {found}"));
        } else if found > most {
            self.problem(path, format!("expected at most {most}, found {found}"));
        }
    }
}

/// A command that gets `text` as its input.
fn here_document(command: &str, text: &str) -> String {
    let mut mark = "EOF".to_owned();
    while text.lines().any(|line| line == mark) {
        mark.push('_');
    }
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    format!("{command} <<'{mark}'\n{text}{end}{mark}\n")
}

/// A word the shell takes as it is.
fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}
