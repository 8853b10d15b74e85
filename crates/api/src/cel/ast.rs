//! The tree a CEL expression is parsed into, macros already expanded.

use std::rc::Rc;

use super::Val;
use super::functions::Function;

/// The bytes of the source an expression covers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Span {
    pub(super) fn to(self, last: Span) -> Span {
        Span {
            start: self.start,
            end: last.end,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Expr {
    pub(super) kind: ExprKind,
    pub(super) span: Span,
    /// Where messages about it point: at the operator, the bracket or the dot, else where it begins.
    pub(super) at: usize,
    /// Levels of the tree below and including this one.
    pub(super) height: usize,
}

#[derive(Clone, Debug)]
pub(super) enum ExprKind {
    Literal(Val),
    Ident(Rc<str>),
    /// `of.field`, or `of.?field`.
    Select {
        of: Box<Expr>,
        field: Rc<str>,
        optional: bool,
    },
    /// `has(of.field)`.
    Has {
        of: Box<Expr>,
        field: Rc<str>,
    },
    /// `of[key]`, or `of[?key]`.
    Index {
        of: Box<Expr>,
        key: Box<Expr>,
        optional: bool,
    },
    /// The target of a method stands first among the arguments.
    Call {
        name: Rc<str>,
        method: bool,
        /// None where there is no such function, which the check says.
        function: Option<&'static Function>,
        args: Vec<Expr>,
    },
    /// `Object.spec{replicas: 1}`
    Struct {
        name: Rc<str>,
        fields: Vec<Member>,
    },
    List(Vec<Element>),
    Map(Vec<Entry>),
    Not(Box<Expr>),
    Negate(Box<Expr>),
    Binary {
        op: BinaryOp,
        left: Box<Expr>,
        right: Box<Expr>,
    },
    /// All operands of a chain of `&&`.
    And(Vec<Expr>),
    /// All operands of a chain of `||`.
    Or(Vec<Expr>),
    /// Condition, then, else.
    Ternary(Box<[Expr; 3]>),
    Comprehension(Box<Comprehension>),
    /// `cel.bind(name, value, body)`.
    Bind {
        name: Rc<str>,
        value: Box<Expr>,
        body: Box<Expr>,
    },
    /// `of.optMap(name, body)`, or `optFlatMap` whose body is an optional itself.
    OptMap {
        of: Box<Expr>,
        name: Rc<str>,
        body: Box<Expr>,
        flat: bool,
    },
}

/// An element of a list; `[?x]` leaves out an empty optional.
#[derive(Clone, Debug)]
pub(super) struct Element {
    pub(super) value: Expr,
    pub(super) optional: bool,
}

/// An entry of a map; `{?k: v}` leaves out an empty optional.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) key: Expr,
    pub(super) value: Expr,
    pub(super) optional: bool,
}

/// A field of an object that is written out; `{?a: b}` leaves out an empty optional.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) name: Rc<str>,
    pub(super) value: Expr,
    pub(super) optional: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BinaryOp {
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
    In,
}

/// Which macro a comprehension came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fold {
    All,
    Exists,
    ExistsOne,
    Filter,
    /// `map`, `transformList`.
    List,
    /// `transformMap`.
    Map,
    /// `transformMapEntry`, whose results are maps.
    Entries,
}

/// A macro over the elements of a list or the keys of a map.
#[derive(Clone, Debug)]
pub(super) struct Comprehension {
    pub(super) fold: Fold,
    pub(super) range: Expr,
    /// The element (of a map: the key); in the two-variable form index and element, or key and value.
    pub(super) vars: Vec<Rc<str>>,
    /// What a predicate macro asks; of `map(x, p, t)` the `p`.
    pub(super) condition: Option<Expr>,
    /// What a transforming macro makes.
    pub(super) result: Option<Expr>,
}

impl Expr {
    /// Calls `visit` with each direct child.
    pub(super) fn children<'e>(&'e self, visit: &mut dyn FnMut(&'e Expr)) {
        match &self.kind {
            ExprKind::Literal(_) | ExprKind::Ident(_) => {}
            ExprKind::Select { of, .. } | ExprKind::Has { of, .. } => visit(of),
            ExprKind::Not(of) | ExprKind::Negate(of) => visit(of),
            ExprKind::Index { of, key, .. } => {
                visit(of);
                visit(key);
            }
            ExprKind::Call { args: all, .. } | ExprKind::And(all) | ExprKind::Or(all) => {
                all.iter().for_each(visit);
            }
            ExprKind::Struct { fields, .. } => fields.iter().for_each(|f| visit(&f.value)),
            ExprKind::List(all) => all.iter().for_each(|e| visit(&e.value)),
            ExprKind::Map(all) => all.iter().for_each(|e| {
                visit(&e.key);
                visit(&e.value);
            }),
            ExprKind::Binary { left, right, .. } => {
                visit(left);
                visit(right);
            }
            ExprKind::Ternary(all) => all.iter().for_each(visit),
            ExprKind::Comprehension(c) => {
                visit(&c.range);
                c.condition.iter().for_each(&mut *visit);
                c.result.iter().for_each(visit);
            }
            ExprKind::Bind { value, body, .. } => {
                visit(value);
                visit(body);
            }
            ExprKind::OptMap { of, body, .. } => {
                visit(of);
                visit(body);
            }
        }
    }
}
