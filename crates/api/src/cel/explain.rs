//! Says what the parts of a condition were, so that one that does not hold can be understood.

use std::fmt;
use std::rc::Rc;

use super::ast::{Comprehension, Expr, ExprKind, Fold};
use super::eval::Evaluator;
use super::{Bindings, EvalError, MAX_STEPS, Val};

/// More parts than this help nobody.
const MAX_SEEN: usize = 12;
/// Characters of a value that are shown.
const MAX_SHOWN: usize = 160;

/// A part of an expression and what it was.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The part, as it stands in the source.
    pub source: String,
    /// Its value, or why it has none.
    pub value: Result<Val, EvalError>,
}

impl fmt::Display for Seen {
    /// `self.status.readyReplicas was 2`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source, value } = self;
        match value {
            Ok(value) => {
                let shown = value.to_string();
                let short: String = shown.chars().take(MAX_SHOWN).collect();
                let more = if short.len() < shown.len() { "…" } else { "" };
                write!(f, "{source} was {short}{more}")
            }
            Err(error) => write!(f, "{source} could not be told: {error}"),
        }
    }
}

/// The parts that made `root` what it is.
pub(super) fn explain(source: &str, root: &Expr, bindings: &Bindings) -> Vec<Seen> {
    let evaluator = Evaluator::new(bindings, MAX_STEPS);
    let mut explainer = Explainer {
        source,
        evaluator,
        seen: Vec::new(),
    };
    explainer.part(root);
    explainer.seen
}

struct Explainer<'a> {
    source: &'a str,
    evaluator: Evaluator<'a>,
    seen: Vec<Seen>,
}

impl Explainer<'_> {
    fn text(&self, expr: &Expr) -> &str {
        &self.source[expr.span.start..expr.span.end]
    }

    /// Notes the value of `expr`, unless everybody sees it or it is noted already.
    fn note(&mut self, expr: &Expr) {
        if self.seen.len() == MAX_SEEN || is_constant(expr) {
            return;
        }
        let source = self.text(expr).to_owned();
        if self.seen.iter().any(|seen| seen.source == source) {
            return;
        }
        let value = self.evaluator.eval(expr);
        self.seen.push(Seen { source, value });
    }

    /// Explains a condition: down to what was compared.
    fn part(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::And(all) => self.deciding(all, true),
            ExprKind::Or(all) => self.deciding(all, false),
            ExprKind::Not(of) => self.part(of),
            ExprKind::Binary { left, right, .. } => {
                self.side(left);
                self.side(right);
            }
            ExprKind::Ternary(parts) => {
                self.part(&parts[0]);
                match self.evaluator.eval(&parts[0]) {
                    Ok(Val::Bool(true)) => self.part(&parts[1]),
                    Ok(Val::Bool(false)) => self.part(&parts[2]),
                    _ => {}
                }
            }
            ExprKind::Call { args, .. } => {
                for arg in args {
                    self.side(arg);
                }
                if args.is_empty() {
                    self.note(expr);
                }
            }
            ExprKind::Comprehension(c) => self.comprehension(c),
            ExprKind::Bind { name, value, body } => {
                self.side(value);
                if let Ok(val) = self.evaluator.eval(value) {
                    let bound = vec![(name.clone(), val)];
                    self.scoped(bound, |explainer| explainer.part(body));
                }
            }
            _ => self.note(expr),
        }
    }

    /// Explains with more variables in scope.
    fn scoped(&mut self, bound: Vec<(Rc<str>, Val)>, explain: impl FnOnce(&mut Self)) {
        let outer = self.evaluator.locals.len();
        self.evaluator.locals.extend(bound);
        explain(self);
        self.evaluator.locals.truncate(outer);
    }

    /// Of a chain of operands, those that differ from `neutral`; all if none does.
    fn deciding(&mut self, all: &[Expr], neutral: bool) {
        let differs =
            |value: &Result<Val, EvalError>| !matches!(value, Ok(Val::Bool(b)) if *b == neutral);
        let values: Vec<_> = all.iter().map(|expr| self.evaluator.eval(expr)).collect();
        let none = !values.iter().any(differs);
        for (expr, value) in all.iter().zip(&values) {
            if none || differs(value) {
                self.part(expr);
            }
        }
    }

    /// One side of a comparison, or an argument: conditions inside it are explained in turn.
    fn side(&mut self, expr: &Expr) {
        match &expr.kind {
            ExprKind::And(_) | ExprKind::Or(_) | ExprKind::Not(_) => self.part(expr),
            _ => self.note(expr),
        }
    }

    /// What a macro went over, and for `all` the first element that did not fit.
    fn comprehension(&mut self, c: &Comprehension) {
        self.note(&c.range);
        let (Fold::All, Some(condition)) = (c.fold, &c.condition) else {
            return;
        };
        let Ok(turns) = self.evaluator.turns(c) else {
            return;
        };
        for turn in turns {
            let value = self.evaluator.in_turn(c, &turn, condition);
            if matches!(value, Ok(Val::Bool(true))) {
                continue;
            }
            let bound: Vec<(Rc<str>, Val)> = c.vars.iter().cloned().zip(turn).collect();
            self.scoped(bound.clone(), |explainer| {
                for (name, val) in bound {
                    explainer.seen.push(Seen {
                        source: name.to_string(),
                        value: Ok(val),
                    });
                }
                explainer.part(condition);
            });
            return;
        }
    }
}

/// Whether `expr` is made of literals only, so that its value stands in the source.
fn is_constant(expr: &Expr) -> bool {
    if matches!(expr.kind, ExprKind::Ident(_)) {
        return false;
    }
    let mut constant = true;
    expr.children(&mut |child| constant &= is_constant(child));
    constant
}
