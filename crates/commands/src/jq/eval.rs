//! Running a jq filter: each result is handed to a callback, so that what is not asked for is not
//! computed. A filter carries the path of its input along where a path is wanted.

use std::rc::Rc;

use super::ast::{Filter, Function, Part, Pattern};
use super::builtins::{self, arithmetic, shown};
use super::format;
use super::json::Json;
use super::paths;

/// Why there are no more results.
#[derive(Debug, Clone)]
pub(super) enum Stop {
    /// An error with its value, usually a message.
    Error(Json),
    /// `break`, to the label with this number.
    Break(u64),
}

pub(super) type Flow = Result<(), Stop>;

/// A value, and the path that led to it if one is being followed.
#[derive(Debug, Clone)]
pub(super) struct Item {
    pub(super) value: Json,
    pub(super) path: Option<Path>,
}

/// A path from the last key to the first.
#[derive(Debug, Clone, Default)]
pub(super) struct Path(Option<Rc<(Json, Path)>>);

/// Takes each result; it may run further filters.
pub(super) type Sink<'a> = &'a mut dyn FnMut(&mut Run, Item) -> Flow;

/// Names in force, innermost first.
#[derive(Clone)]
pub(super) struct Env(Option<Rc<Scope>>);

enum Scope {
    Value(Rc<str>, Json, Env),
    Function(Rc<Function>, Env),
    /// A filter given as an argument, with the names it may use.
    Closure(Rc<str>, Filter, Env, Env),
    Label(Rc<str>, u64, Env),
}

/// Filters running inside each other; more would overflow the stack.
const MAX_DEPTH: u32 = 600;

/// A run of a program.
pub(super) struct Run {
    depth: u32,
    labels: u64,
    /// Inputs still to come, last first.
    pub(super) inputs: Vec<Json>,
    pub(super) env_vars: Json,
    pub(super) now: f64,
    /// What `debug` and `stderr` said.
    pub(super) said: String,
}

pub(super) fn error(message: impl Into<String>) -> Stop {
    Stop::Error(Json::text(message.into()))
}

impl Path {
    /// One key further.
    pub(super) fn push(&self, key: Json) -> Path {
        Path(Some(Rc::new((key, self.clone()))))
    }

    /// The keys from the first.
    pub(super) fn keys(&self) -> Vec<Json> {
        let mut keys = Vec::new();
        let mut at = self;
        while let Some(step) = &at.0 {
            keys.push(step.0.clone());
            at = &step.1;
        }
        keys.reverse();
        keys
    }
}

impl Item {
    /// A value of which no path is followed.
    pub(super) fn plain(value: Json) -> Item {
        Item { value, path: None }
    }

    /// What a key leads to.
    pub(super) fn step(&self, key: Json, value: Json) -> Item {
        Item {
            value,
            path: self.path.as_ref().map(|path| path.push(key)),
        }
    }

    /// A value that no path leads to, which is an error where one is followed.
    pub(super) fn made(&self, value: Json) -> Result<Item, Stop> {
        match &self.path {
            None => Ok(Item::plain(value)),
            // `null` and `empty` paths are harmless, everything else cannot be assigned to.
            Some(_) => Err(error(format!(
                "Invalid path expression with result {}",
                shown(&value)
            ))),
        }
    }
}

impl Env {
    pub(super) fn new() -> Env {
        Env(None)
    }

    pub(super) fn with_value(&self, name: &Rc<str>, value: Json) -> Env {
        Env(Some(Rc::new(Scope::Value(
            name.clone(),
            value,
            self.clone(),
        ))))
    }

    pub(super) fn with_function(&self, function: &Rc<Function>) -> Env {
        Env(Some(Rc::new(Scope::Function(
            function.clone(),
            self.clone(),
        ))))
    }

    fn with_closure(&self, name: &Rc<str>, filter: &Filter, env: &Env) -> Env {
        Env(Some(Rc::new(Scope::Closure(
            name.clone(),
            filter.clone(),
            env.clone(),
            self.clone(),
        ))))
    }

    fn scopes(&self) -> impl Iterator<Item = &Scope> {
        let mut at = self;
        std::iter::from_fn(move || {
            let scope = at.0.as_deref()?;
            at = match scope {
                Scope::Value(.., next)
                | Scope::Function(_, next)
                | Scope::Closure(.., next)
                | Scope::Label(.., next) => next,
            };
            Some(scope)
        })
    }

    fn value(&self, name: &str) -> Option<Json> {
        self.scopes().find_map(|scope| match scope {
            Scope::Value(own, value, _) if &**own == name => Some(value.clone()),
            _ => None,
        })
    }

    fn label(&self, name: &str) -> Option<u64> {
        self.scopes().find_map(|scope| match scope {
            Scope::Label(own, id, _) if &**own == name => Some(*id),
            _ => None,
        })
    }

    /// What a call means: a closure, or a function with the names in force where it was defined.
    fn callee(&self, name: &str, count: usize) -> Option<Callee> {
        let mut at = self;
        while let Some(scope) = at.0.as_deref() {
            match scope {
                Scope::Closure(own, filter, env, _) if &**own == name && count == 0 => {
                    return Some(Callee::Closure(filter.clone(), env.clone()));
                }
                Scope::Function(function, _)
                    if &*function.name == name && function.params.len() == count =>
                {
                    return Some(Callee::Function(function.clone(), at.clone()));
                }
                _ => {}
            }
            at = match scope {
                Scope::Value(.., next)
                | Scope::Function(_, next)
                | Scope::Closure(.., next)
                | Scope::Label(.., next) => next,
            };
        }
        None
    }
}

enum Callee {
    Closure(Filter, Env),
    Function(Rc<Function>, Env),
}

impl Run {
    pub(super) fn new(env_vars: Json, now: f64) -> Run {
        Run {
            depth: 0,
            labels: 0,
            inputs: Vec::new(),
            env_vars,
            now,
            said: String::new(),
        }
    }

    /// All results of a filter.
    pub(super) fn all(
        &mut self,
        filter: &Filter,
        input: &Json,
        env: &Env,
    ) -> Result<Vec<Json>, Stop> {
        let mut out = Vec::new();
        self.eval(filter, Item::plain(input.clone()), env, &mut |_, item| {
            out.push(item.value);
            Ok(())
        })?;
        Ok(out)
    }

    /// Runs a filter on the value of an item, whatever its path.
    pub(super) fn values(
        &mut self,
        filter: &Filter,
        input: &Item,
        env: &Env,
        sink: &mut dyn FnMut(&mut Run, Json) -> Flow,
    ) -> Flow {
        let from = Item::plain(input.value.clone());
        self.eval(filter, from, env, &mut |run, item| sink(run, item.value))
    }

    /// Runs a filter, handing on each result, with its path if the input has one.
    pub(super) fn eval(&mut self, filter: &Filter, input: Item, env: &Env, sink: Sink<'_>) -> Flow {
        self.depth += 1;
        let flow = if self.depth > MAX_DEPTH {
            Err(error("filters nest too deep"))
        } else {
            self.basic(filter, input, env, sink)
        };
        self.depth -= 1;
        flow
    }

    fn basic(&mut self, filter: &Filter, input: Item, env: &Env, sink: Sink<'_>) -> Flow {
        match filter {
            Filter::Identity => sink(self, input),
            Filter::RecurseDefault => self.recurse(input, sink),
            Filter::Literal(Json::Null) => sink(
                self,
                Item {
                    value: Json::Null,
                    path: input.path,
                },
            ),
            Filter::Literal(value) => sink(self, input.made(value.clone())?),
            Filter::Text(name, parts) => self.text(name.as_deref(), parts, "", &input, env, sink),
            Filter::Format(name) => {
                let text = format::apply(name, &input.value).map_err(error)?;
                sink(self, input.made(Json::text(text))?)
            }
            Filter::Variable(name) => {
                let value = match &**name {
                    "ENV" => Some(self.env_vars.clone()),
                    name => env.value(name),
                };
                let value = value.ok_or_else(|| error(format!("${name} is not defined")))?;
                sink(self, input.made(value)?)
            }
            Filter::Pipe(left, right) => self.eval(left, input, env, &mut |run, item| {
                run.eval(right, item, env, sink)
            }),
            Filter::Comma(left, right) => {
                self.eval(left, input.clone(), env, sink)?;
                self.eval(right, input, env, sink)
            }
            Filter::Index(..) | Filter::Slice(..) | Filter::Iterate(_) => {
                self.access(filter, input, env, sink)
            }
            Filter::Array(inner) => {
                let items = match inner {
                    Some(inner) => self.all(inner, &input.value, env)?,
                    None => Vec::new(),
                };
                sink(self, input.made(Json::array(items))?)
            }
            Filter::Object(fields) => {
                self.object(fields, Json::Object(Rc::default()), &input, env, sink)
            }
            Filter::Negate(inner) => {
                self.values(inner, &input, env, &mut |run, value| match value {
                    Json::Number(number) => sink(run, input.made(Json::Number(-number))?),
                    other => Err(error(format!(
                        "{} ({}) cannot be negated",
                        other.kind(),
                        shown(&other)
                    ))),
                })
            }
            Filter::Binary(op, left, right) => {
                // The right side varies slowest.
                self.values(right, &input, env, &mut |run, b| {
                    run.values(left, &input, env, &mut |run, a| {
                        sink(run, input.made(arithmetic(*op, &a, &b).map_err(error)?)?)
                    })
                })
            }
            _ => self.control(filter, input, env, sink),
        }
    }

    fn control(&mut self, filter: &Filter, input: Item, env: &Env, sink: Sink<'_>) -> Flow {
        match filter {
            Filter::And(left, right) | Filter::Or(left, right) => {
                let decided_by = matches!(filter, Filter::Or(..));
                self.values(left, &input, env, &mut |run, a| {
                    if a.is_true() == decided_by {
                        return sink(run, input.made(Json::Bool(decided_by))?);
                    }
                    run.values(right, &input, env, &mut |run, b| {
                        sink(run, input.made(Json::Bool(b.is_true()))?)
                    })
                })
            }
            Filter::Alternative(left, right) => {
                let mut found = false;
                let flow = self.eval(left, input.clone(), env, &mut |run, item| {
                    if !item.value.is_true() {
                        return Ok(());
                    }
                    found = true;
                    sink(run, item)
                });
                match flow {
                    // An error of the left side only ends it.
                    Ok(()) | Err(Stop::Error(_)) if !found => self.eval(right, input, env, sink),
                    Err(Stop::Error(_)) => Ok(()),
                    flow => flow,
                }
            }
            Filter::If(branches, otherwise) => {
                self.branch(branches, otherwise.as_deref(), input, env, sink)
            }
            Filter::Try(body, catch) => self.attempt(body, catch.as_deref(), input, env, sink),
            Filter::Reduce(source, pattern, init, update) => {
                self.values(init, &input, env, &mut |run, start| {
                    let mut state = start;
                    run.values(source, &input, env, &mut |run, value| {
                        run.bind(pattern, &value, env, &mut |run, env| {
                            let from = std::mem::replace(&mut state, Json::Null);
                            let mut last = None;
                            run.values(update, &Item::plain(from), env, &mut |_, new| {
                                last = Some(new);
                                Ok(())
                            })?;
                            // An update without result leaves null.
                            state = last.unwrap_or(Json::Null);
                            Ok(())
                        })
                    })?;
                    sink(run, input.made(state)?)
                })
            }
            Filter::Foreach(source, pattern, init, update, extract) => {
                self.values(init, &input, env, &mut |run, start| {
                    let mut state = start;
                    run.values(source, &input, env, &mut |run, value| {
                        run.bind(pattern, &value, env, &mut |run, env| {
                            let from = Item::plain(state.clone());
                            run.values(update, &from, env, &mut |run, new| {
                                state = new.clone();
                                match extract {
                                    None => sink(run, input.made(new)?),
                                    Some(extract) => run.values(
                                        extract,
                                        &Item::plain(new),
                                        env,
                                        &mut |run, shown| sink(run, input.made(shown)?),
                                    ),
                                }
                            })
                        })
                    })
                })
            }
            Filter::As(source, patterns, body) => {
                self.values(source, &input, env, &mut |run, value| {
                    let mut flow = Ok(());
                    for (at, pattern) in patterns.iter().enumerate() {
                        // Variables of the other alternatives are null.
                        let env = patterns
                            .iter()
                            .fold(env.clone(), |env, other| nulls(other, &env));
                        flow = run.bind(pattern, &value, &env, &mut |run, env| {
                            run.eval(body, input.clone(), env, sink)
                        });
                        match &flow {
                            Err(Stop::Error(_)) if at + 1 < patterns.len() => {}
                            _ => break,
                        }
                    }
                    flow
                })
            }
            Filter::Define(function, body) => {
                let env = env.with_function(function);
                self.eval(body, input, &env, sink)
            }
            Filter::Call(name, args) => self.call(name, args, input, env, sink),
            Filter::Label(name, body) => {
                self.labels += 1;
                let id = self.labels;
                let env = Env(Some(Rc::new(Scope::Label(name.clone(), id, env.clone()))));
                match self.eval(body, input, &env, sink) {
                    Err(Stop::Break(own)) if own == id => Ok(()),
                    flow => flow,
                }
            }
            Filter::Break(name) => match env.label(name) {
                Some(id) => Err(Stop::Break(id)),
                None => Err(error(format!("$*label-{name} is not defined"))),
            },
            Filter::Assign(..) | Filter::AssignAlternative(..) => {
                paths::assign(self, filter, input, env, sink)
            }
            _ => Ok(()),
        }
    }

    fn branch(
        &mut self,
        branches: &[(Filter, Filter)],
        otherwise: Option<&Filter>,
        input: Item,
        env: &Env,
        sink: Sink<'_>,
    ) -> Flow {
        let Some(((condition, then), rest)) = branches.split_first() else {
            return match otherwise {
                Some(otherwise) => self.eval(otherwise, input, env, sink),
                None => sink(self, input),
            };
        };
        self.values(
            condition,
            &input,
            env,
            &mut |run, held| match held.is_true() {
                true => run.eval(then, input.clone(), env, sink),
                false => run.branch(rest, otherwise, input.clone(), env, sink),
            },
        )
    }

    fn attempt(
        &mut self,
        body: &Filter,
        catch: Option<&Filter>,
        input: Item,
        env: &Env,
        sink: Sink<'_>,
    ) -> Flow {
        // Errors of what takes the results are none of ours: they are told apart by this.
        let mut outside = None;
        let flow = self.eval(body, input, env, &mut |run, item| {
            sink(run, item).inspect_err(|stop| outside = Some(stop.clone()))
        });
        if let Some(stop) = outside {
            return Err(stop);
        }
        match (flow, catch) {
            (Err(Stop::Error(value)), Some(catch)) => {
                if value.get("__jq").is_some() {
                    return Err(Stop::Error(value));
                }
                self.eval(catch, Item::plain(value), env, sink)
            }
            (Err(Stop::Error(_)), None) => Ok(()),
            (flow, _) => flow,
        }
    }

    pub(super) fn recurse(&mut self, input: Item, sink: Sink<'_>) -> Flow {
        let mut todo = vec![input];
        while let Some(item) = todo.pop() {
            let mut below = Vec::new();
            match &item.value {
                Json::Array(items) => {
                    let keyed = items.iter().enumerate();
                    below
                        .extend(keyed.map(|(at, v)| item.step(Json::Number(at as f64), v.clone())));
                }
                Json::Object(fields) => {
                    below.extend(
                        fields
                            .iter()
                            .map(|(k, v)| item.step(Json::Text(k.clone()), v.clone())),
                    );
                }
                _ => {}
            }
            sink(self, item)?;
            todo.extend(below.into_iter().rev());
        }
        Ok(())
    }

    fn access(&mut self, filter: &Filter, input: Item, env: &Env, sink: Sink<'_>) -> Flow {
        match filter {
            Filter::Index(term, index) => self.eval(term, input.clone(), env, &mut |run, from| {
                run.values(index, &input, env, &mut |run, key| {
                    let value = paths::get(&from.value, &key).map_err(error)?;
                    sink(run, from.step(key, value))
                })
            }),
            Filter::Slice(term, from, to) => self.eval(term, input.clone(), env, &mut |run, of| {
                let null = Filter::Literal(Json::Null);
                let (from, to) = (
                    from.as_deref().unwrap_or(&null),
                    to.as_deref().unwrap_or(&null),
                );
                run.values(to, &input, env, &mut |run, to| {
                    run.values(from, &input, env, &mut |run, from| {
                        let fields = vec![("start".into(), from), ("end".into(), to.clone())];
                        let key = Json::Object(Rc::new(fields));
                        let value = paths::get(&of.value, &key).map_err(error)?;
                        sink(run, of.step(key, value))
                    })
                })
            }),
            Filter::Iterate(term) => self.eval(term, input, env, &mut |run, of| match &of.value {
                Json::Array(items) => {
                    for (at, value) in items.iter().enumerate() {
                        sink(run, of.step(Json::Number(at as f64), value.clone()))?;
                    }
                    Ok(())
                }
                Json::Object(fields) => {
                    for (key, value) in fields.iter() {
                        sink(run, of.step(Json::Text(key.clone()), value.clone()))?;
                    }
                    Ok(())
                }
                Json::Null if of.path.is_some() => Ok(()),
                Json::Null => Err(error("Cannot iterate over null")),
                other => Err(error(format!(
                    "Cannot iterate over {} ({})",
                    other.kind(),
                    shown(other)
                ))),
            }),
            _ => Ok(()),
        }
    }

    fn text(
        &mut self,
        name: Option<&str>,
        parts: &[Part],
        before: &str,
        input: &Item,
        env: &Env,
        sink: Sink<'_>,
    ) -> Flow {
        let Some((part, rest)) = parts.split_first() else {
            return sink(self, input.made(Json::text(before))?);
        };
        match part {
            Part::Text(text) => self.text(name, rest, &format!("{before}{text}"), input, env, sink),
            Part::Value(filter) => self.values(filter, input, env, &mut |run, value| {
                let text = format::apply(name.unwrap_or("@text"), &value).map_err(error)?;
                run.text(name, rest, &format!("{before}{text}"), input, env, sink)
            }),
        }
    }

    fn object(
        &mut self,
        fields: &[(Filter, Filter)],
        before: Json,
        input: &Item,
        env: &Env,
        sink: Sink<'_>,
    ) -> Flow {
        let Some(((key, value), rest)) = fields.split_first() else {
            return sink(self, input.made(before)?);
        };
        self.values(key, input, env, &mut |run, key| {
            let Json::Text(key) = key else {
                let what = format!(
                    "Object keys must be strings, not {} ({})",
                    key.kind(),
                    shown(&key)
                );
                return Err(error(what));
            };
            run.values(value, input, env, &mut |run, value| {
                run.object(rest, before.with(key.clone(), value), input, env, sink)
            })
        })
    }

    /// Binds the variables of a pattern to the parts of a value.
    fn bind(
        &mut self,
        pattern: &Pattern,
        value: &Json,
        env: &Env,
        then: &mut dyn FnMut(&mut Run, &Env) -> Flow,
    ) -> Flow {
        match pattern {
            Pattern::Variable(name) => then(self, &env.with_value(name, value.clone())),
            Pattern::Array(items) => self.bind_items(items, 0, value, env, then),
            Pattern::Object(fields) => self.bind_fields(fields, value, env, then),
        }
    }

    fn bind_items(
        &mut self,
        items: &[Pattern],
        at: usize,
        value: &Json,
        env: &Env,
        then: &mut dyn FnMut(&mut Run, &Env) -> Flow,
    ) -> Flow {
        let Some((first, rest)) = items.split_first() else {
            return then(self, env);
        };
        let part = paths::get(value, &Json::Number(at as f64)).map_err(error)?;
        self.bind(first, &part, env, &mut |run, env| {
            run.bind_items(rest, at + 1, value, env, then)
        })
    }

    #[expect(
        clippy::type_complexity,
        reason = "the parts of a pattern, as the parser gives them"
    )]
    fn bind_fields(
        &mut self,
        fields: &[(Filter, Option<Rc<str>>, Option<Pattern>)],
        value: &Json,
        env: &Env,
        then: &mut dyn FnMut(&mut Run, &Env) -> Flow,
    ) -> Flow {
        let Some(((key, bound, inner), rest)) = fields.split_first() else {
            return then(self, env);
        };
        self.values(key, &Item::plain(value.clone()), env, &mut |run, key| {
            if !matches!(key, Json::Text(_)) {
                let what = format!("Cannot index {} with {}", value.kind(), key.kind());
                return Err(error(what));
            }
            let part = paths::get(value, &key).map_err(error)?;
            let env = match bound {
                Some(name) => env.with_value(name, part.clone()),
                None => env.clone(),
            };
            match inner {
                Some(inner) => run.bind(inner, &part, &env, &mut |run, env| {
                    run.bind_fields(rest, value, env, then)
                }),
                None => run.bind_fields(rest, value, &env, then),
            }
        })
    }

    fn call(
        &mut self,
        name: &Rc<str>,
        args: &[Filter],
        input: Item,
        env: &Env,
        sink: Sink<'_>,
    ) -> Flow {
        match env.callee(name, args.len()) {
            Some(Callee::Closure(filter, env)) => self.eval(&filter, input, &env, sink),
            Some(Callee::Function(function, home)) => {
                self.enter(&function, 0, args, env, home, input, sink)
            }
            None => builtins::call(self, name, args, input, env, sink),
        }
    }

    /// Binds the parameters from one on, then runs the body; values come before the rest.
    #[expect(
        clippy::too_many_arguments,
        reason = "a call's parts, passed along one by one"
    )]
    fn enter(
        &mut self,
        function: &Rc<Function>,
        at: usize,
        args: &[Filter],
        env: &Env,
        inner: Env,
        input: Item,
        sink: Sink<'_>,
    ) -> Flow {
        let Some(param) = function.params.get(at) else {
            return self.eval(&function.body, input, &inner, sink);
        };
        match param.strip_prefix('$') {
            None => {
                let inner = inner.with_closure(param, &args[at], env);
                self.enter(function, at + 1, args, env, inner, input, sink)
            }
            Some(name) => {
                let name: Rc<str> = name.into();
                self.values(&args[at], &input, env, &mut |run, value| {
                    // `$x` is both a value and a filter called `x`.
                    let inner = inner.with_value(&name, value.clone());
                    let inner = inner.with_closure(&name, &Filter::Literal(value), env);
                    run.enter(function, at + 1, args, env, inner, input.clone(), sink)
                })
            }
        }
    }
}

/// The names of a pattern bound to null.
fn nulls(pattern: &Pattern, env: &Env) -> Env {
    match pattern {
        Pattern::Variable(name) => env.with_value(name, Json::Null),
        Pattern::Array(items) => items
            .iter()
            .fold(env.clone(), |env, item| nulls(item, &env)),
        Pattern::Object(fields) => fields.iter().fold(env.clone(), |env, (_, bound, inner)| {
            let env = bound
                .as_ref()
                .map_or(env.clone(), |name| env.with_value(name, Json::Null));
            inner
                .as_ref()
                .map_or(env.clone(), |inner| nulls(inner, &env))
        }),
    }
}
