//! The shell's own tree: what a script means once it is read. Plain data behind `Rc`, so a running
//! shell points into it and clones in a step. Knows nothing of how it is evaluated.
//!
//! Models the command structures of bash 5.2 (command.h).

use std::cell::OnceCell;
use std::rc::Rc;

/// Commands one after the other, as between `do` and `done`, or one line of a script.
#[derive(Debug, Default, PartialEq)]
pub struct List {
    /// In the order written.
    pub items: Vec<Item>,
}

/// An and-or list and how it was ended.
#[derive(Debug, PartialEq)]
pub struct Item {
    /// What runs.
    pub and_or: Rc<AndOr>,
    /// Ended by `&`.
    pub background: bool,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug, PartialEq)]
pub struct AndOr {
    /// The first pipeline, then each with the operator before it; the first one's operator is `And`.
    pub parts: Vec<(Join, Rc<Pipeline>)>,
    /// The source text, for `jobs`.
    pub text: Rc<str>,
}

/// What joins two pipelines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// `&&`
    And,
    /// `||`
    Or,
}

/// Commands joined by `|`.
#[derive(Debug, PartialEq)]
pub struct Pipeline {
    /// Preceded by `!`.
    pub negated: bool,
    /// Preceded by `time`; `Some(true)` for `time -p`.
    pub timed: Option<bool>,
    /// At least one, except for a lone `!` or `time`.
    pub commands: Vec<Rc<Command>>,
}

/// One command with the redirections that apply to the whole of it.
#[derive(Debug, PartialEq)]
pub struct Command {
    /// 1-based line in its source.
    pub line: u32,
    /// The source text, for `jobs` and `type`.
    pub text: Rc<str>,
    /// What it is.
    pub kind: CommandKind,
    /// In the order written.
    pub redirects: Vec<Redirect>,
}

/// The kinds of command.
#[derive(Debug, PartialEq)]
pub enum CommandKind {
    /// `A=1 name arguments`
    Simple(Simple),
    /// `{ list; }`
    Group(Rc<List>),
    /// `( list )`
    Subshell(Rc<List>),
    /// `if … then … elif … else … fi`: conditions with their bodies, then the else body.
    If(Vec<(Rc<List>, Rc<List>)>, Option<Rc<List>>),
    /// `while` and `until`.
    While(While),
    /// `for name in words; do list; done`
    For(For),
    /// `for ((a; b; c)); do list; done`
    ArithFor(ArithFor),
    /// `case word in … esac`
    Case(Case),
    /// `(( expression ))`
    Arith(Word),
    /// `[[ expression ]]`
    Cond(Cond),
    /// `name() command`
    Function(Rc<str>, Rc<Command>),
}

/// A simple command: assignments, then words.
#[derive(Debug, Default, PartialEq)]
pub struct Simple {
    /// Before the command's name.
    pub assignments: Vec<Assignment>,
    /// The name and its arguments; an assignment argument of a declaring builtin (`export A=1`)
    /// stays an assignment so that its value is neither split nor globbed.
    pub words: Vec<Arg>,
}

/// An argument of a simple command.
#[derive(Debug, PartialEq)]
pub enum Arg {
    /// An ordinary word.
    Word(Word),
    /// `name=value` behind `export`, `local`, `declare`, `readonly`.
    Assignment(Assignment),
}

/// `name=value`, `name[index]=value`, `name=(…)`, each also with `+=`.
#[derive(Debug, PartialEq)]
pub struct Assignment {
    /// The variable.
    pub name: Rc<str>,
    /// The text between `[` and `]`.
    pub index: Option<Word>,
    /// `+=`
    pub append: bool,
    /// The right-hand side.
    pub value: Value,
}

/// What is assigned.
#[derive(Debug, PartialEq)]
pub enum Value {
    /// One word.
    Scalar(Word),
    /// Elements with their explicit indexes.
    Array(Vec<(Option<Word>, Word)>),
}

/// `while condition; do body; done`
#[derive(Debug, PartialEq)]
pub struct While {
    /// `until` instead of `while`.
    pub until: bool,
    /// Run before each round.
    pub condition: Rc<List>,
    /// Run each round.
    pub body: Rc<List>,
}

/// `for name in words; do body; done`
#[derive(Debug, PartialEq)]
pub struct For {
    /// The loop variable.
    pub name: Rc<str>,
    /// `None` loops over the positional parameters.
    pub words: Option<Vec<Word>>,
    /// Run each round.
    pub body: Rc<List>,
    /// `select` instead of `for`.
    pub select: bool,
}

/// `for ((init; condition; step)); do body; done`
#[derive(Debug, PartialEq)]
pub struct ArithFor {
    /// Evaluated once.
    pub init: Word,
    /// Evaluated before each round; empty is true.
    pub condition: Word,
    /// Evaluated after each round.
    pub step: Word,
    /// Run each round.
    pub body: Rc<List>,
}

/// `case word in (pattern|pattern) list;; esac`
#[derive(Debug, PartialEq)]
pub struct Case {
    /// What is matched.
    pub word: Word,
    /// In the order written.
    pub arms: Vec<Arm>,
}

/// One arm of a `case`.
#[derive(Debug, PartialEq)]
pub struct Arm {
    /// Alternatives.
    pub patterns: Vec<Word>,
    /// What runs.
    pub body: Rc<List>,
    /// How it ended.
    pub then: ArmEnd,
}

/// `;;`, `;&`, `;;&`
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArmEnd {
    /// Leave the case.
    Break,
    /// Run the next arm's body too.
    FallThrough,
    /// Go on matching.
    Continue,
}

/// The expression of `[[ ]]`.
#[derive(Debug, PartialEq)]
pub enum Cond {
    /// `word`
    Word(Word),
    /// `-f word`; the operator without its dash.
    Unary(char, Word),
    /// `a op b`
    Binary(Rc<str>, Word, Word),
    /// `! e`
    Not(Box<Cond>),
    /// `a && b`
    And(Box<Cond>, Box<Cond>),
    /// `a || b`
    Or(Box<Cond>, Box<Cond>),
}

/// One redirection.
#[derive(Debug, PartialEq)]
pub struct Redirect {
    /// The descriptor written before the operator.
    pub fd: Option<u32>,
    /// What it does.
    pub kind: RedirectKind,
}

/// The kinds of redirection.
#[derive(Debug, PartialEq)]
pub enum RedirectKind {
    /// `< word`
    Read(Word),
    /// `> word`; true for `>|`, which overwrites whatever `set -C` says.
    Write(Word, bool),
    /// `>> word`
    Append(Word),
    /// `<> word`
    ReadWrite(Word),
    /// `<& word`, `>& word`: a number, `-`, or a number with `-`.
    Duplicate {
        /// The descriptor to copy, or `-`.
        from: Word,
        /// Written with `<&`.
        input: bool,
    },
    /// `&> word` (or `>& word`), `&>> word`
    Both {
        /// The file.
        word: Word,
        /// `&>>`
        append: bool,
    },
    /// `<< end`: the body, known once its line has been read.
    HereDoc(Rc<OnceCell<Word>>),
    /// `<<< word`
    HereString(Word),
}

/// A word before expansion.
#[derive(Debug, Default, Clone, PartialEq)]
pub struct Word {
    /// Joined without blanks.
    pub parts: Rc<[Part]>,
}

/// A piece of a word.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// Unquoted text: `*`, `?`, `[`, `~` and braces are live in it.
    Literal(Rc<str>),
    /// Text from quotes or a backslash: nothing in it is live.
    Quoted(Rc<str>),
    /// `"…"`
    DoubleQuoted(Rc<[Part]>),
    /// `$name`, `${…}`
    Param(Rc<Param>),
    /// `$(…)` and backquotes.
    Command(Rc<List>),
    /// `$((…))`
    Arith(Word),
    /// `<(…)` (true) and `>(…)` (false).
    Process(bool, Rc<List>),
}

/// A parameter expansion.
#[derive(Debug, PartialEq)]
pub struct Param {
    /// A variable's name, a position's digits, or one of `@ * # ? - $ ! 0`.
    pub name: Rc<str>,
    /// `[…]`
    pub index: Option<Index>,
    /// `${!name}`
    pub indirect: bool,
    /// What is done with the value.
    pub op: ParamOp,
}

/// An array index.
#[derive(Debug, PartialEq)]
pub enum Index {
    /// `[@]`
    At,
    /// `[*]`
    Star,
    /// An arithmetic expression, or a key of an associative array.
    Expr(Word),
}

/// The operators of `${…}`.
#[derive(Debug, PartialEq)]
pub enum ParamOp {
    /// The value itself.
    Value,
    /// `${#name}`
    Length,
    /// `-`, `=`, `?`, `+`, with `true` when a colon precedes them (null counts as unset).
    Test(char, bool, Word),
    /// `#` and `##` (second true).
    TrimPrefix(bool, Word),
    /// `%` and `%%` (second true).
    TrimSuffix(bool, Word),
    /// `:offset` and `:offset:length`
    Substring(Word, Option<Word>),
    /// `/pattern/with`
    Replace {
        /// Where it may match.
        at: ReplaceAt,
        /// What to find.
        pattern: Word,
        /// What to put there.
        with: Word,
    },
    /// `^`, `^^`, `,`, `,,`: upper or lower, all or the first.
    Case {
        /// `^`
        upper: bool,
        /// Doubled.
        all: bool,
        /// Which characters; empty means any.
        pattern: Word,
    },
    /// `@Q`, `@U`, …
    Transform(char),
    /// `${!prefix*}`, `${!prefix@}`
    Names,
    /// `${!name[@]}`, `${!name[*]}`
    Keys,
    /// Not a parameter expansion at all: the whole text is in the name, and using it fails.
    Bad,
}

/// Where `${name/pattern/with}` may match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplaceAt {
    /// `/`
    First,
    /// `//`
    All,
    /// `/#`
    Start,
    /// `/%`
    End,
}

impl Word {
    /// A word of these parts.
    pub fn new(parts: Vec<Part>) -> Word {
        Word {
            parts: parts.into(),
        }
    }

    /// A word that is just this text, unquoted.
    pub fn literal(text: &str) -> Word {
        Word::new(if text.is_empty() {
            vec![]
        } else {
            vec![Part::Literal(text.into())]
        })
    }

    /// The text of a word without quotes or expansions, as reserved words and aliases must be.
    pub fn as_literal(&self) -> Option<&str> {
        match &*self.parts {
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }

    /// The word about as it was written, for messages.
    pub fn source(&self) -> String {
        self.parts.iter().map(Part::source).collect()
    }

    /// Whether expanding this word may have to run a command first.
    pub fn runs_commands(&self) -> bool {
        self.parts.iter().any(Part::runs_commands)
    }
}

impl Part {
    fn source(&self) -> String {
        match self {
            Part::Literal(text) | Part::Quoted(text) => text.to_string(),
            Part::DoubleQuoted(parts) => {
                format!("\"{}\"", parts.iter().map(Part::source).collect::<String>())
            }
            Part::Param(param) => format!("${}", param.name),
            Part::Command(_) => "$(...)".to_owned(),
            Part::Arith(word) => format!("$(({}))", word.source()),
            Part::Process(..) => "<(...)".to_owned(),
        }
    }

    fn runs_commands(&self) -> bool {
        match self {
            Part::Literal(_) | Part::Quoted(_) => false,
            Part::DoubleQuoted(parts) => parts.iter().any(Part::runs_commands),
            Part::Param(param) => param.runs_commands(),
            Part::Arith(word) => word.runs_commands(),
            Part::Command(_) | Part::Process(..) => true,
        }
    }
}

impl Param {
    fn runs_commands(&self) -> bool {
        let in_index = matches!(&self.index, Some(Index::Expr(word)) if word.runs_commands());
        in_index
            || match &self.op {
                ParamOp::Value
                | ParamOp::Length
                | ParamOp::Transform(_)
                | ParamOp::Names
                | ParamOp::Keys
                | ParamOp::Bad => false,
                ParamOp::Test(_, _, word)
                | ParamOp::TrimPrefix(_, word)
                | ParamOp::TrimSuffix(_, word) => word.runs_commands(),
                ParamOp::Substring(offset, length) => {
                    offset.runs_commands() || length.as_ref().is_some_and(Word::runs_commands)
                }
                ParamOp::Replace { pattern, with, .. } => {
                    pattern.runs_commands() || with.runs_commands()
                }
                ParamOp::Case { pattern, .. } => pattern.runs_commands(),
            }
    }
}
