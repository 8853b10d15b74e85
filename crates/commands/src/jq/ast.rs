//! The tree of a jq filter.

use std::rc::Rc;

use super::json::Json;

/// A filter.
#[derive(Debug, Clone)]
pub(super) enum Filter {
    Identity,
    RecurseDefault,
    Literal(Json),
    /// Parts of a string, with the format (`@csv`) their values go through.
    Text(Option<Rc<str>>, Vec<Part>),
    Format(Rc<str>),
    Variable(Rc<str>),
    /// `t.key`, `t[e]`
    Index(Box<Filter>, Box<Filter>),
    /// `t[from:to]`
    Slice(Box<Filter>, Option<Box<Filter>>, Option<Box<Filter>>),
    /// `t[]`
    Iterate(Box<Filter>),
    /// `t?`, `try t`, `try t catch u`
    Try(Box<Filter>, Option<Box<Filter>>),
    Array(Option<Box<Filter>>),
    Object(Vec<(Filter, Filter)>),
    Negate(Box<Filter>),
    Pipe(Box<Filter>, Box<Filter>),
    Comma(Box<Filter>, Box<Filter>),
    /// `+ - * / % = (==) ! (!=) < l (<=) > g (>=)`
    Binary(char, Box<Filter>, Box<Filter>),
    And(Box<Filter>, Box<Filter>),
    Or(Box<Filter>, Box<Filter>),
    Alternative(Box<Filter>, Box<Filter>),
    /// `=`, `|=`, `+=` and their like: the operator before the `=`, `=` itself, or `|`.
    Assign(char, Box<Filter>, Box<Filter>),
    /// `a // = b`
    AssignAlternative(Box<Filter>, Box<Filter>),
    If(Vec<(Filter, Filter)>, Option<Box<Filter>>),
    Reduce(Box<Filter>, Pattern, Box<Filter>, Box<Filter>),
    Foreach(
        Box<Filter>,
        Pattern,
        Box<Filter>,
        Box<Filter>,
        Option<Box<Filter>>,
    ),
    /// `t as p ?// q | body`
    As(Box<Filter>, Vec<Pattern>, Box<Filter>),
    Define(Rc<Function>, Box<Filter>),
    Call(Rc<str>, Vec<Filter>),
    Label(Rc<str>, Box<Filter>),
    Break(Rc<str>),
}

/// A part of a string.
#[derive(Debug, Clone)]
pub(super) enum Part {
    Text(Rc<str>),
    Value(Filter),
}

/// What `as` takes apart.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    Variable(Rc<str>),
    Array(Vec<Pattern>),
    Object(Vec<(Filter, Option<Rc<str>>, Option<Pattern>)>),
}

/// `def name(params): body;`
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: Rc<str>,
    /// Filters, or values where the name begins with `$`.
    pub(super) params: Vec<Rc<str>>,
    pub(super) body: Filter,
}
