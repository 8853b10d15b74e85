//! CEL, the Common Expression Language: what lesson checks and admission policies are written in.
//! An expression is compiled once and evaluated against objects without copying them. Values are
//! checked when they are used; there is no static type check. Evaluation is bounded: an expression
//! of a stranger can neither run for long nor build anything large.
//!
//! Models github.com/google/cel-go with the libraries of k8s.io/apiserver/pkg/cel.

use std::fmt;
use std::rc::Rc;

use crate::Value;

mod ast;
mod eval;
mod explain;
mod functions;
mod lexer;
mod macros;
mod ops;
mod parser;
mod reserved;
mod time;
mod val;

pub use explain::Seen;
pub use time::Timestamp;
pub use val::{Key, Val};

use ast::{Expr, ExprKind};
use eval::Evaluator;

/// Steps one evaluation may take; about a tenth of a second.
pub const MAX_STEPS: u64 = 1_000_000;

/// Why a source is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CelError {
    /// Line of the source, from 1.
    pub line: u32,
    /// Column in characters, from 1.
    pub column: u32,
    /// What is wrong.
    pub message: String,
    /// The text of that line.
    pub source_line: String,
}

impl CelError {
    fn new(source: &str, at: usize, message: String) -> Self {
        let before = source.get(..at).unwrap_or(source);
        let line_start = before.rfind('\n').map_or(0, |i| i + 1);
        let count = |n: usize| u32::try_from(n + 1).unwrap_or(u32::MAX);
        Self {
            line: count(before.matches('\n').count()),
            column: count(before[line_start..].chars().count()),
            message,
            source_line: source[line_start..].lines().next().unwrap_or("").to_owned(),
        }
    }
}

impl fmt::Display for CelError {
    /// As cel-go prints it: place, message, the line and a mark under the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            line,
            column,
            message,
            source_line,
        } = self;
        let dots = ".".repeat(*column as usize - 1);
        write!(
            f,
            "ERROR: <input>:{line}:{column}: {message}\n | {source_line}\n | {dots}^"
        )
    }
}

/// Why an evaluation has no value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvalError {
    /// What went wrong, in cel-go's words.
    pub message: String,
    /// Whether the evaluation was stopped; such an error is not made up for by `||` or `&&`.
    pub fatal: bool,
}

impl EvalError {
    fn new(message: impl Into<String>) -> Self {
        let message = message.into();
        Self {
            message,
            fatal: false,
        }
    }

    fn too_costly() -> Self {
        let message = "operation cancelled: actual cost limit exceeded".into();
        Self {
            message,
            fatal: true,
        }
    }
}

impl fmt::Display for EvalError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

/// The variables of an evaluation.
#[derive(Clone, Debug, Default)]
pub struct Bindings {
    vars: Vec<(Rc<str>, Val)>,
}

impl Bindings {
    /// No variables.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a variable that is an object, or part of one.
    #[must_use]
    pub fn with(self, name: &str, value: &Value) -> Self {
        self.with_val(name, Val::from(value))
    }

    /// Adds a variable of any type.
    #[must_use]
    pub fn with_val(mut self, name: &str, val: Val) -> Self {
        self.vars.push((Rc::from(name), val));
        self
    }

    fn get(&self, name: &str) -> Option<&Val> {
        self.vars
            .iter()
            .rev()
            .find(|(n, _)| &**n == name)
            .map(|(_, val)| val)
    }
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Program {
    source: Rc<str>,
    root: Rc<Expr>,
}

impl Program {
    /// Compiles an expression whose variables become known when it is evaluated.
    pub fn compile(source: &str) -> Result<Program, CelError> {
        let root = Rc::new(parser::parse(source)?);
        Ok(Program {
            source: source.into(),
            root,
        })
    }

    /// Compiles an expression that may use just these variables.
    pub fn compile_for(source: &str, variables: &[&str]) -> Result<Program, CelError> {
        let program = Program::compile(source)?;
        let mut scope: Vec<&str> = variables.to_vec();
        declared(&program.root, &mut scope).map_err(|(at, name)| {
            let text = format!("undeclared reference to '{name}' (in container '')");
            CelError::new(source, at, text)
        })?;
        Ok(program)
    }

    /// What was compiled.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// The value of the expression, within `MAX_STEPS`.
    pub fn eval(&self, bindings: &Bindings) -> Result<Val, EvalError> {
        self.eval_within(bindings, MAX_STEPS)
    }

    /// The value of the expression, within so many steps.
    pub fn eval_within(&self, bindings: &Bindings, steps: u64) -> Result<Val, EvalError> {
        Evaluator::new(bindings, steps).eval(&self.root)
    }

    /// What the parts of a condition were that decided it: of `self.status.readyReplicas >= 3 &&
    /// has(self.spec.paused)` that did not hold, the replicas there were, or the field that was
    /// missing. Parts that hold are left out.
    pub fn explain(&self, bindings: &Bindings) -> Vec<Seen> {
        explain::explain(&self.source, &self.root, bindings)
    }
}

/// Checks that every name is a variable in scope or a type; else gives the first that is not, and
/// where it stands.
fn declared<'e>(expr: &'e Expr, scope: &mut Vec<&'e str>) -> Result<(), (usize, String)> {
    let outer = scope.len();
    match &expr.kind {
        ExprKind::Ident(name) => {
            if !scope.contains(&&**name) && eval::type_named(name).is_none() {
                return Err((expr.span.start, name.to_string()));
            }
        }
        ExprKind::Comprehension(c) => {
            declared(&c.range, scope)?;
            scope.extend(c.vars.iter().map(|v| &**v));
            for inner in c.condition.iter().chain(&c.result) {
                declared(inner, scope)?;
            }
        }
        ExprKind::Bind { name, value, body }
        | ExprKind::OptMap {
            name,
            of: value,
            body,
            ..
        } => {
            declared(value, scope)?;
            scope.push(name);
            declared(body, scope)?;
        }
        _ => {
            let mut result = Ok(());
            expr.children(&mut |child| {
                if result.is_ok() {
                    result = declared(child, scope);
                }
            });
            result?;
        }
    }
    scope.truncate(outer);
    Ok(())
}

#[cfg(test)]
mod tests;
