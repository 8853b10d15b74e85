//! Running a jq filter: each result is handed to a callback, so that what is not asked for is not
//! computed. Every filter runs with the path of its input where a path is wanted.

use std::rc::Rc;

use super::ast::{Filter, Function, Part, Pattern};
use super::builtins;
use super::format;
use super::json::Json;

/// Why there are no more results.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// An error with its value, usually a message.
    Error(Json),
    /// `break`, to the label with this number.
    Break(u64),
    /// Enough was seen (`first`, `limit`).
    Enough,
}

pub(super) type Flow = Result<(), Stop>;
/// A value and the path that led to it, if one is being followed.
pub(super) type Item = (Json, Option<Path>);
/// Keys and indexes, the last first.
pub(super) type Path = Rc<Step>;
pub(super) type Sink<'a> = &'a mut dyn FnMut(Item) -> Flow;

/// A path: its last key and what is before it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) key: Option<Json>,
    pub(super) before: Option<Path>,
}

/// Names in force.
#[derive(Clone)]
pub(super) struct Env(Option<Rc<Scope>>);

enum Scope {
    Value(Rc<str>, Json, Env),
    Function(Rc<Function>, Env),
    /// A filter given as an argument, with the names it may use.
    Closure(Rc<str>, Rc<Filter>, Env, Env),
    Label(Rc<str>, u64, Env),
}

/// Filters running inside each other; more would overflow the stack.
const MAX_DEPTH: u32 = 1500;

/// The machine's part of a run.
pub(super) struct Run {
    depth: u32,
    labels: u64,
    /// Inputs still to come, last first.
    pub(super) inputs: Vec<Json>,
    pub(super) env_vars: Json,
    pub(super) now: f64,
    pub(super) debug: Vec<String>,
}

pub(super) fn error(message: impl Into<String>) -> Stop {
    Stop::Error(Json::text(message.into()))
}

impl Env {
    pub(super) fn new() -> Env {
        Env(None)
    }

    pub(super) fn with_value(&self, name: &Rc<str>, value: Json) -> Env {
        Env(Some(Rc::new(Scope::Value(name.clone(), value, self.clone()))))
    }

    pub(super) fn with_function(&self, function: &Rc<Function>) -> Env {
        Env(Some(Rc::new(Scope::Function(function.clone(), self.clone()))))
    }

    fn value(&self, name: &str) -> Option<Json> {
        let mut at = self;
        while let Some(scope) = &at.0 {
            at = match &**scope {
                Scope::Value(own, value, _) if &**own == name => return Some(value.clone()),
                Scope::Value(.., next) | Scope::Function(_, next) => next,
                Scope::Closure(.., next) | Scope::Label(.., next) => next,
            };
        }
        None
    }

    fn label(&self, name: &str) -> Option<u64> {
        let mut at = self;
        while let Some(scope) = &at.0 {
            at = match &**scope {
                Scope::Label(own, id, _) if &**own == name => return Some(*id),
                Scope::Value(.., next) | Scope::Function(_, next) => next,
                Scope::Closure(.., next) | Scope::Label(.., next) => next,
            };
        }
        None
    }
}

impl Run {
    pub(super) fn new(inputs: Vec<Json>, env_vars: Json, now: f64) -> Run {
        Run { depth: 0, labels: 0, inputs, env_vars, now, debug: Vec::new() }
    }

    /// All results of a filter.
    pub(super) fn all(&mut self, filter: &Filter, input: &Json, env: &Env) -> Result<Vec<Json>, Stop> {
        let mut out = Vec::new();
        self.eval(filter, (input.clone(), None), env, &mut |(value, _)| {
            out.push(value);
            Ok(())
        })?;
        Ok(out)
    }

    /// Runs a filter, handing on each result with its path if the input has one.
    pub(super) fn eval(&mut self, filter: &Filter, input: Item, env: &Env, sink: Sink<'_>) -> Flow {
        self.depth += 1;
        let flow = if self.depth > MAX_DEPTH {
            Err(error("filters nest too deep"))
        } else {
            self.eval_inner(filter, input, env, sink)
        };
        self.depth -= 1;
        flow
    }

    fn eval_inner(&mut self, filter: &Filter, input: Item, env: &Env, sink: Sink<'_>) -> Flow {
        match filter {
            Filter::Identity => sink(input),
            Filter::RecurseDefault => recurse(input, sink),
            Filter::Literal(value) => sink(plain(&input, value.clone())?),
            Filter::Text(name, parts) => {
                self.text(name.as_deref(), parts, String::new(), &input, env, sink)
            }
            Filter::Format(name) => {
                let text = format::apply(name, &input.0).map_err(error)?;
                sink(plain(&input, Json::text(text))?)
            }
            Filter::Variable(name) => {
                let value = match &**name {
                    "ENV" => self.env_vars.clone(),
                    "__loc__" => Json::Null,
                    _ => env.value(name).ok_or_else(|| error(format!("${name} is not defined")))?,
                };
                sink(plain(&input, value)?)
            }
            Filter::Index(term, index) => {
                let keys = (input.0.clone(), None);
                self.eval(term, input, env, &mut |from| Ok(sink_index(&from, sink, index, &keys, env)?.0))
                    .map(|()| ())?;
                Ok(())
            }
            Filter::Slice(..) | Filter::Iterate(_) => self.access(filter, input, env, sink),
            Filter::Try(body, catch) => self.attempt(body, catch.as_deref(), input, env, sink),
            Filter::Array(inner) => {
                let items = match inner {
                    Some(inner) => self.all(inner, &input.0, env)?,
                    None => Vec::new(),
                };
                sink(plain(&input, Json::array(items))?)
            }
            Filter::Object(fields) => self.object(fields, Json::Object(Rc::default()), &input, env, sink),
            Filter::Negate(inner) => {
                let from = (input.0.clone(), None);
                self.eval(inner, from, env, &mut |(value, _)| match value {
                    Json::Number(number) => sink(plain(&input, Json::Number(-number))?),
                    other => Err(error(format!("{} ({}) cannot be negated", other.kind(), builtins::shown(&other)))),
                })
            }
            Filter::Pipe(left, right) => {
                // The callback needs the machine while it runs the left side: gather first.
                for item in self.items(left, input, env)? {
                    self.eval(right, item, env, sink)?;
                }
                Ok(())
            }
            _ => self.eval_more(filter, input, env, sink),
        }
    }
}
