//! CEL, the Common Expression Language: what lesson checks and admission policies are written in.
//! An expression is compiled once, with its types checked as far as they are known (`Env`), and
//! evaluated against objects without copying them. Evaluation is bounded: an expression of a stranger
//! can neither run for long nor build anything large.
//!
//! Models github.com/google/cel-go with the libraries of k8s.io/apiserver/pkg/cel.

use std::fmt;
use std::rc::Rc;

use crate::Value;

mod ast;
mod check;
mod env;
mod eval;
mod explain;
mod functions;
mod lexer;
mod macros;
mod opaque;
mod ops;
mod parser;
mod reserved;
mod signatures;
mod time;
mod types;
mod val;

pub use env::Env;
pub use explain::Seen;
pub use opaque::{Access, Ask, Authorize, Opaque};
pub use time::Timestamp;
pub use types::{Fields, ObjectType, Type};
pub use val::{Key, Val};

use ast::Expr;
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

/// All that is wrong with a source, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CelErrors(pub Vec<CelError>);

impl fmt::Display for CelErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.0.iter().map(CelError::to_string).collect();
        f.write_str(&texts.join("\n"))
    }
}

/// A compiled expression.
#[derive(Clone, Debug)]
pub struct Program {
    source: Rc<str>,
    root: Rc<Expr>,
    ty: Type,
}

impl Program {
    /// Compiles an expression whose variables become known when it is evaluated, and of whose types
    /// nothing is said.
    pub fn compile(source: &str) -> Result<Program, CelError> {
        first_error(Program::compile_in(source, &Env::open()))
    }

    /// Compiles an expression that may use just these variables, of whatever type.
    pub fn compile_for(source: &str, variables: &[&str]) -> Result<Program, CelError> {
        first_error(Program::compile_in(source, &Env::untyped(variables)))
    }

    /// Compiles an expression that is to work with these variables and types.
    ///
    /// # Errors
    /// It is no expression, or cannot work: all that is wrong, as cel-go words it.
    pub fn compile_in(source: &str, env: &Env) -> Result<Program, CelErrors> {
        let root = parser::parse(source).map_err(|error| CelErrors(vec![error]))?;
        let (ty, mistakes) = check::check(&root, env);
        if mistakes.is_empty() {
            return Ok(Program {
                source: source.into(),
                root: Rc::new(root),
                ty,
            });
        }
        let mut errors: Vec<CelError> = Vec::new();
        let mut mistakes = mistakes;
        mistakes.sort_by_key(|(at, _)| *at);
        for (at, text) in mistakes {
            let error = CelError::new(source, at, text);
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        Err(CelErrors(errors))
    }

    /// The type of the result, as far as it is known.
    pub fn result_type(&self) -> &Type {
        &self.ty
    }

    /// Whether the expression uses a variable of this name.
    pub fn uses(&self, name: &str) -> bool {
        fn found(expr: &Expr, name: &str) -> bool {
            let own = matches!(&expr.kind, ast::ExprKind::Ident(n) if &**n == name);
            let mut any = own;
            expr.children(&mut |child| any = any || found(child, name));
            any
        }
        found(&self.root, name)
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

fn first_error(compiled: Result<Program, CelErrors>) -> Result<Program, CelError> {
    compiled.map_err(|CelErrors(mut errors)| errors.swap_remove(0))
}

#[cfg(test)]
mod tests;
