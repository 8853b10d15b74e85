//! The tree of an awk program.

use std::rc::Rc;

/// A program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) begin: Vec<Vec<Stmt>>,
    pub(super) rules: Vec<(Pattern, Option<Vec<Stmt>>)>,
    pub(super) end: Vec<Vec<Stmt>>,
    pub(super) functions: Vec<Function>,
}

/// Which records a rule is for.
#[derive(Debug)]
pub(super) enum Pattern {
    Always,
    If(Expr),
    Range(Expr, Expr),
}

/// `function name(params) { body }`
#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: Rc<str>,
    pub(super) params: Vec<Rc<str>>,
    pub(super) body: Vec<Stmt>,
}

/// A statement.
#[derive(Debug)]
pub(super) enum Stmt {
    Expr(Expr),
    Print(Vec<Expr>, Option<(Redirect, Expr)>),
    Printf(Vec<Expr>, Option<(Redirect, Expr)>),
    If(Expr, Box<Stmt>, Option<Box<Stmt>>),
    While(Expr, Box<Stmt>),
    DoWhile(Box<Stmt>, Expr),
    For(
        Option<Box<Stmt>>,
        Option<Expr>,
        Option<Box<Stmt>>,
        Box<Stmt>,
    ),
    ForIn(Rc<str>, Rc<str>, Box<Stmt>),
    Block(Vec<Stmt>),
    Next,
    Exit(Option<Expr>),
    Return(Option<Expr>),
    Break,
    Continue,
    Delete(Rc<str>, Option<Vec<Expr>>),
}

/// Where output goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirect {
    File,
    Append,
    Pipe,
}

/// An expression.
#[derive(Debug, Clone)]
pub(super) enum Expr {
    Number(f64),
    Text(Rc<str>),
    Regex(Rc<str>),
    Variable(Rc<str>),
    Field(Box<Expr>),
    Element(Rc<str>, Vec<Expr>),
    Assign(Box<Expr>, Option<char>, Box<Expr>),
    /// Operand, +1 or -1, and whether the old value counts.
    Step(Box<Expr>, f64, bool),
    Unary(char, Box<Expr>),
    /// `+ - * / % ^ < l(<=) e(==) n(!=) g(>=) >` and ` ` for concatenation.
    Binary(char, Box<Expr>, Box<Expr>),
    Match(Box<Expr>, Box<Expr>, bool),
    In(Vec<Expr>, Rc<str>),
    And(Box<Expr>, Box<Expr>),
    Or(Box<Expr>, Box<Expr>),
    Cond(Box<Expr>, Box<Expr>, Box<Expr>),
    Call(Rc<str>, Vec<Expr>),
    Builtin(Rc<str>, Vec<Expr>),
    Getline(Source, Option<Box<Expr>>),
    Group(Box<Expr>),
}

/// What `getline` reads.
#[derive(Debug, Clone)]
pub(super) enum Source {
    Input,
    File(Box<Expr>),
    Command(Box<Expr>),
}
