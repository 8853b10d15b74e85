//! Checks of a lesson file, compiled: kinds and selectors are looked up, expressions parsed.

use std::rc::Rc;

use api::cel::Program;
use api::kinds;
use api::selector::LabelSelector;
use sim::Duration;

use super::Checker;
use crate::check::{Check, CommandTest, From, ObjectTest, ProbeTest, Test, Want, Which};
use crate::duration;
use crate::file::{CheckFile, CommandFile, ObjectFile, PodFile, ProbeFile, TestFile};
use crate::problem::closest;

/// Checks of one step, those inside others counted too.
const MAX_CHECKS: usize = 60;
/// Checks in one list.
const MAX_LIST: usize = 20;
/// Checks inside checks.
const MAX_DEPTH: usize = 8;
const MAX_LABEL: usize = 200;
/// Characters of an expression.
const MAX_EXPRESSION: usize = 2000;
const PROBE_TIMEOUT: Duration = Duration::from_secs(5);
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

impl Checker<'_> {
    pub(super) fn check_list(&mut self, path: &str, read: &[CheckFile]) -> Vec<Check> {
        self.count(path, read.len(), 1, MAX_LIST);
        let checks = read.iter().take(MAX_LIST).enumerate();
        checks
            .map(|(n, check)| self.check(&format!("{path}[{n}]"), check))
            .collect()
    }

    pub(super) fn check(&mut self, path: &str, read: &CheckFile) -> Check {
        let label = read.label.as_deref();
        if let Some(label) = label {
            self.text(&format!("{path}.label"), label, MAX_LABEL);
        }
        self.any_check(path, label, &read.test())
    }

    fn any_check(&mut self, path: &str, label: Option<&str>, read: &TestFile<'_>) -> Check {
        let place = self.place(path);
        self.checks += 1;
        self.depth += 1;
        let test = if self.checks == MAX_CHECKS + 1 {
            self.problem(
                path,
                format!("expected at most {MAX_CHECKS} checks in a step"),
            );
            None
        } else if self.depth > MAX_DEPTH {
            self.problem(
                path,
                format!("expected checks at most {MAX_DEPTH} deep in each other"),
            );
            None
        } else if self.checks > MAX_CHECKS {
            None
        } else {
            self.test(path, read)
        };
        self.depth -= 1;
        let test = test.unwrap_or(Test::All(Vec::new()));
        let label: Rc<str> = label.map_or_else(|| describe(&test).into(), Into::into);
        Check { label, test, place }
    }

    fn test(&mut self, path: &str, read: &TestFile<'_>) -> Option<Test> {
        let TestFile {
            object,
            probe,
            command,
            all,
            any,
            not,
            eventually,
            stays,
        } = *read;
        let given = [
            object.is_some(),
            probe.is_some(),
            command.is_some(),
            all.is_some(),
            any.is_some(),
            not.is_some(),
            eventually.is_some(),
            stays.is_some(),
        ];
        if given.iter().filter(|given| **given).count() != 1 {
            let message = "expected exactly one of \"object\", \"probe\", \"command\", \"all\", \
                           \"any\", \"not\", \"eventually\" or \"stays\"";
            self.problem(path, message);
            return None;
        }
        if let Some(read) = object {
            return self
                .object(&format!("{path}.object"), read)
                .map(Test::Object);
        }
        if let Some(read) = probe {
            return Some(Test::Probe(self.probe(&format!("{path}.probe"), read)));
        }
        if let Some(read) = command {
            return Some(Test::Command(
                self.command(&format!("{path}.command"), read),
            ));
        }
        if let Some(read) = all {
            return Some(Test::All(self.check_list(&format!("{path}.all"), read)));
        }
        if let Some(read) = any {
            return Some(Test::Any(self.check_list(&format!("{path}.any"), read)));
        }
        if let Some(read) = not {
            return Some(Test::Not(Box::new(
                self.check(&format!("{path}.not"), read),
            )));
        }
        if let Some(read) = eventually {
            let path = format!("{path}.eventually");
            let within = Some(read.within.as_str());
            let within = self.span(&format!("{path}.within"), within, Duration::ZERO);
            let check = Box::new(self.any_check(&path, None, &read.test()));
            return Some(Test::Eventually { within, check });
        }
        let read = stays?;
        let path = format!("{path}.stays");
        let duration = self.span(&format!("{path}.for"), Some(&read.r#for), Duration::ZERO);
        let check = Box::new(self.any_check(&path, None, &read.test()));
        Some(Test::Stays { duration, check })
    }

    fn object(&mut self, path: &str, read: &ObjectFile) -> Option<ObjectTest> {
        let kind = self.kind(path, read)?;
        let namespace = match read.namespace.as_deref() {
            Some(_) if !kind.namespaced => {
                let message = format!("a {} is in no namespace", kind.kind);
                self.problem(&format!("{path}.namespace"), message);
                None
            }
            Some("*") => None,
            Some(name) => Some(name.into()),
            None => kind.namespaced.then(|| "default".into()),
        };
        if read.namespace.as_deref() == Some("*") && read.name.is_some() {
            let message = "one object is in one namespace, not in all of them";
            self.problem(&format!("{path}.namespace"), message);
        }
        let which = self.which(path, read.name.as_deref(), read.selector.as_deref());
        let at = format!("{path}.expression");
        let variables = match which {
            Which::Named(_) => ["self", "before"],
            Which::Matching(..) => ["items", "before"],
        };
        let want = match (&read.expression, read.absent) {
            (Some(_), true) => {
                self.problem(
                    &at,
                    "what is absent cannot be looked at: expected no expression",
                );
                Want::Absent
            }
            (None, true) => Want::Absent,
            (None, false) => Want::There,
            (Some(text), false) => Want::True(self.expression(&at, text, &variables)),
        };
        Some(ObjectTest {
            kind: kind.kind,
            resource: kind.plural,
            namespace,
            which,
            want,
        })
    }

    fn kind(&mut self, path: &str, read: &ObjectFile) -> Option<&'static kinds::Kind> {
        let found = match &read.api_version {
            Some(version) => kinds::by_kind(version, &read.kind),
            None => kinds::all()
                .iter()
                .copied()
                .find(|kind| kind.kind == read.kind),
        };
        if found.is_none() {
            let known: Vec<&str> = kinds::all().iter().map(|kind| kind.kind).collect();
            let near = closest(&read.kind, &known);
            let resolved = kinds::resolve(&read.kind).map(|kind| kind.kind);
            let hint = match resolved.or(near).filter(|near| *near != read.kind) {
                Some(near) => format!(", did you mean {near:?}?"),
                None => String::new(),
            };
            let version = read
                .api_version
                .as_deref()
                .map(|version| format!(" in {version}"));
            let version = version.unwrap_or_default();
            self.problem(
                &format!("{path}.kind"),
                format!("there is no kind {:?}{version}{hint}", read.kind),
            );
        }
        found
    }

    fn which(&mut self, path: &str, name: Option<&str>, selector: Option<&str>) -> Which {
        if let Some(name) = name {
            if selector.is_some() {
                let message = "expected a name or a selector, found both";
                self.problem(&format!("{path}.selector"), message);
            }
            return Which::Named(name.into());
        }
        let text = selector.unwrap_or("");
        let parsed = LabelSelector::parse(text).unwrap_or_else(|error| {
            self.problem(&format!("{path}.selector"), error);
            LabelSelector::everything()
        });
        Which::Matching(parsed, text.into())
    }

    fn probe(&mut self, path: &str, read: &ProbeFile) -> ProbeTest {
        if !read.url.starts_with("http://") && !read.url.starts_with("https://") {
            let message = format!("expected http:// or https://, found {:?}", read.url);
            self.problem(&format!("{path}.url"), message);
        }
        if read.pod.is_some() && read.machine.is_some() {
            let message = "expected a machine or a pod that asks, found both";
            self.problem(&format!("{path}.machine"), message);
        }
        let from = match &read.pod {
            Some(pod) => self.pod(&format!("{path}.pod"), pod),
            None => {
                let at = format!("{path}.machine");
                From::Machine(self.machine(&at, read.machine.as_deref()))
            }
        };
        let timeout = format!("{path}.timeout");
        let text = read.expression.as_deref().unwrap_or("status == 200");
        let variables = ["status", "body", "error"];
        ProbeTest {
            url: read.url.as_str().into(),
            from,
            timeout: self.span(&timeout, read.timeout.as_deref(), PROBE_TIMEOUT),
            want: self.expression(&format!("{path}.expression"), text, &variables),
        }
    }

    fn pod(&mut self, path: &str, read: &PodFile) -> From {
        if read.name.is_none() && read.selector.is_none() {
            self.problem(path, "expected a name or a selector");
        }
        let which = self.which(path, read.name.as_deref(), read.selector.as_deref());
        From::Pod(read.namespace.as_deref().unwrap_or("default").into(), which)
    }

    fn command(&mut self, path: &str, read: &CommandFile) -> CommandTest {
        if read.run.trim().is_empty() {
            self.problem(&format!("{path}.run"), "expected a shell command");
        }
        let text = read.expression.as_deref().unwrap_or("exitCode == 0");
        let variables = ["stdout", "stderr", "exitCode"];
        let timeout = format!("{path}.timeout");
        CommandTest {
            run: read.run.as_str().into(),
            machine: self.machine(&format!("{path}.machine"), read.machine.as_deref()),
            timeout: self.span(&timeout, read.timeout.as_deref(), COMMAND_TIMEOUT),
            want: self.expression(&format!("{path}.expression"), text, &variables),
        }
    }

    fn expression(&mut self, path: &str, text: &str, variables: &[&str]) -> Program {
        if text.len() > MAX_EXPRESSION {
            self.problem(path, format!("expected at most {MAX_EXPRESSION} bytes"));
        }
        Program::compile_for(text, variables).unwrap_or_else(|error| {
            let place = format!(
                "line {}, column {} of the expression",
                error.line, error.column
            );
            let message = format!(
                "{place}: {}; known are {}",
                error.message,
                variables.join(", ")
            );
            self.problem(path, message);
            Program::compile("false").expect("a literal compiles")
        })
    }
}

/// A phrase for a check that has no label.
fn describe(test: &Test) -> String {
    match test {
        Test::Object(test) => {
            let name = test.name();
            match &test.want {
                Want::There => format!("{name} is there"),
                Want::Absent => format!("{name} is not there"),
                Want::True(program) => format!("{name}: {}", program.source()),
            }
        }
        Test::Probe(test) => format!("{}: {}", test.url, test.want.source()),
        Test::Command(test) => format!("{}: {}", test.run.trim(), test.want.source()),
        Test::All(checks) => join(checks, " and "),
        Test::Any(checks) => join(checks, " or "),
        Test::Not(check) => format!("not: {}", check.label),
        Test::Eventually { within, check } => {
            format!("{} within {}", check.label, duration::show(*within))
        }
        Test::Stays {
            duration: span,
            check,
        } => {
            format!("{} for {}", check.label, duration::show(*span))
        }
    }
}

fn join(checks: &[Check], word: &str) -> String {
    let labels: Vec<&str> = checks.iter().map(|check| &*check.label).collect();
    labels.join(word)
}
