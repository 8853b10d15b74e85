//! What is to be seen in a world, compiled. How it is looked at is in `look.rs`.

use std::rc::Rc;

use api::cel::Program;
use api::selector::LabelSelector;
use sim::Duration;

use crate::problem::Place;

/// Something that is to be seen.
#[derive(Clone, Debug)]
pub struct Check {
    /// What is asked for, a phrase.
    pub label: Rc<str>,
    /// What is looked at.
    pub test: Test,
    /// Where it stands in the file.
    pub place: Place,
}

/// What is looked at.
#[derive(Clone, Debug)]
pub enum Test {
    /// Objects of the cluster.
    Object(ObjectTest),
    /// A request over the network.
    Probe(ProbeTest),
    /// What a command prints.
    Command(CommandTest),
    /// All of these hold.
    All(Vec<Check>),
    /// One of these holds.
    Any(Vec<Check>),
    /// This does not hold.
    Not(Box<Check>),
    /// This begins to hold within some time of the last thing that was done.
    Eventually {
        /// The time.
        within: Duration,
        /// What begins to hold.
        check: Box<Check>,
    },
    /// This holds for some time without a break.
    Stays {
        /// The time.
        duration: Duration,
        /// What holds.
        check: Box<Check>,
    },
}

/// Objects of the cluster.
#[derive(Clone, Debug)]
pub struct ObjectTest {
    /// The kind's name: `Deployment`.
    pub kind: &'static str,
    /// The name in paths: `deployments`.
    pub resource: &'static str,
    /// The namespace; `None` for all of them and for kinds without namespaces.
    pub namespace: Option<Rc<str>>,
    /// One object, or all that the selector matches.
    pub which: Which,
    /// What has to be true of them.
    pub want: Want,
}

/// Which objects are meant.
#[derive(Clone, Debug)]
pub enum Which {
    /// The one of this name.
    Named(Rc<str>),
    /// All with these labels; the text as written.
    Matching(LabelSelector, Rc<str>),
}

/// What has to be true of objects.
#[derive(Clone, Debug)]
pub enum Want {
    /// There is one.
    There,
    /// There is none.
    Absent,
    /// This expression is true.
    True(Program),
}

/// A request over the network.
#[derive(Clone, Debug)]
pub struct ProbeTest {
    /// The address.
    pub url: Rc<str>,
    /// Who asks.
    pub from: From,
    /// How long to wait.
    pub timeout: Duration,
    /// What has to be true of `status`, `body` and `error`.
    pub want: Program,
}

/// Where a request begins.
#[derive(Clone, Debug)]
pub enum From {
    /// On a machine.
    Machine(Rc<str>),
    /// In the network of a pod of this namespace: the first running one meant.
    Pod(Rc<str>, Which),
}

/// What a command prints.
#[derive(Clone, Debug)]
pub struct CommandTest {
    /// The shell command.
    pub run: Rc<str>,
    /// The machine it runs on.
    pub machine: Rc<str>,
    /// How long it may take.
    pub timeout: Duration,
    /// What has to be true of `stdout`, `stderr` and `exitCode`.
    pub want: Program,
}

impl ObjectTest {
    /// What it is about, as messages have it: `Deployment default/web`.
    pub(crate) fn name(&self) -> String {
        let (kind, namespace) = (self.kind, self.namespace.as_deref());
        match (&self.which, namespace) {
            (Which::Named(name), Some(namespace)) => format!("{kind} {namespace}/{name}"),
            (Which::Named(name), None) => format!("{kind} {name}"),
            (Which::Matching(_, labels), namespace) => {
                let mut text = format!("a {kind}");
                if !labels.is_empty() {
                    text.push_str(&format!(" with {labels}"));
                }
                if let Some(namespace) = namespace {
                    text.push_str(&format!(" in {namespace}"));
                }
                text
            }
        }
    }
}

impl Check {
    /// How long it may take to hold after everything was done for it.
    pub fn patience(&self) -> Duration {
        match &self.test {
            Test::Object(_) | Test::Probe(_) | Test::Command(_) => Duration::ZERO,
            Test::All(checks) | Test::Any(checks) => {
                checks.iter().map(Check::patience).max().unwrap_or_default()
            }
            Test::Not(check) => check.patience(),
            Test::Eventually {
                within: time,
                check,
            }
            | Test::Stays {
                duration: time,
                check,
            } => *time + check.patience(),
        }
    }
}
