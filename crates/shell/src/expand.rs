//! Expansion: words become the strings a command gets.
//!
//! One pass over a word, in bash's order: tilde, parameters, commands and arithmetic from left to
//! right, then splitting, then file names; braces before all of it. Nothing here blocks: where a
//! command must run first the pass stops with [`Stop::Command`], and is begun again, with the
//! state it began with, once the output is known.

pub mod arith;
mod assign;
pub mod brace;
mod field;
mod glob;
mod param;

use std::rc::Rc;

use machine::Sys;

use crate::state::State;
use crate::syntax::ir::{List, Part, Word};
use crate::syntax::name_length;
use crate::vars::Value;
pub use assign::Elements;
use field::{Builder, Field};

/// Why an expansion has no result yet.
#[derive(Debug)]
pub enum Stop {
    /// The output of this list is needed.
    Command(Rc<List>),
    /// A file name for the output of this list is needed (`<(…)`; false for `>(…)`).
    Process(bool, Rc<List>),
    /// It cannot be done.
    Fail(Failure),
}

/// What is said on the standard error, behind the shell's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Without the shell's name in front.
    pub message: String,
    /// The status of the command it happened in.
    pub status: i32,
    /// How much is given up.
    pub reach: Reach,
}

/// How much a failure gives up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The command.
    Command,
    /// The line it stands on, with all that is running.
    Line,
    /// The shell, unless a person is at it.
    Shell,
}

impl Failure {
    /// A failure that gives up the line.
    pub fn new(message: String) -> Failure {
        Failure {
            message,
            status: 1,
            reach: Reach::Line,
        }
    }

    /// A failure of one command.
    pub fn of_command(message: String) -> Failure {
        Failure {
            message,
            status: 1,
            reach: Reach::Command,
        }
    }
}

impl From<String> for Stop {
    fn from(message: String) -> Stop {
        Stop::Fail(Failure::new(message))
    }
}

/// The output of the commands an expansion asked for, in the order it asked.
pub type Outputs = Vec<Rc<str>>;

/// One pass.
pub struct Expander<'a, 's> {
    /// Variables are read and, by `${x:=…}` and arithmetic, written.
    pub state: &'a mut State,
    /// Files are listed.
    pub sys: &'a mut Sys<'s>,
    outputs: &'a [Rc<str>],
    next: usize,
}

impl<'a, 's> Expander<'a, 's> {
    /// A pass with the outputs known so far.
    pub fn new(state: &'a mut State, sys: &'a mut Sys<'s>, outputs: &'a [Rc<str>]) -> Self {
        Expander {
            state,
            sys,
            outputs,
            next: 0,
        }
    }

    /// A word as arguments: split and globbed, none, one or several.
    pub fn arguments(&mut self, word: &Word, out: &mut Vec<Rc<str>>) -> Result<(), Stop> {
        for word in brace::expand(word) {
            let mut fields = Builder::new(self.state.text_or("IFS", " \t\n"), true);
            self.parts(&word.parts, &mut fields, Place::Argument)?;
            for field in fields.finish() {
                self.glob(&field, out)?;
            }
        }
        Ok(())
    }

    /// A word as one string, as in an assignment: not split, not globbed.
    pub fn single(&mut self, word: &Word) -> Result<Rc<str>, Stop> {
        Ok(self.field(word, Place::Single)?.text().into())
    }

    /// The right side of an assignment: a tilde behind a colon counts too.
    pub fn assigned(&mut self, word: &Word) -> Result<Rc<str>, Stop> {
        Ok(self.field(word, Place::Assignment)?.text().into())
    }

    /// A word as a pattern: what was quoted is escaped.
    pub fn pattern(&mut self, word: &Word) -> Result<String, Stop> {
        Ok(self.field(word, Place::Single)?.pattern())
    }

    /// A word as a regular expression: what was quoted is escaped.
    pub fn regex(&mut self, word: &Word) -> Result<String, Stop> {
        Ok(self.field(word, Place::Single)?.regex())
    }

    /// An arithmetic expression's value.
    pub fn arithmetic(&mut self, word: &Word) -> Result<i64, Stop> {
        let text = self.single(word)?;
        self.evaluate(&text)
    }

    /// The value of an expression's text.
    pub fn evaluate(&mut self, text: &str) -> Result<i64, Stop> {
        let mut variables = Bound {
            state: self.state,
            sys: self.sys,
        };
        arith::evaluate(text, &mut variables).map_err(|message| Stop::Fail(Failure::new(message)))
    }

    fn field(&mut self, word: &Word, place: Place) -> Result<Field, Stop> {
        let mut fields = Builder::new(self.state.text_or("IFS", " \t\n"), false);
        self.parts(&word.parts, &mut fields, place)?;
        Ok(fields.finish().pop().unwrap_or_default())
    }

    fn parts(&mut self, parts: &[Part], out: &mut Builder, place: Place) -> Result<(), Stop> {
        for (at, part) in parts.iter().enumerate() {
            match part {
                Part::Literal(text) => {
                    let alone = at + 1 == parts.len();
                    self.literal(text, at == 0, alone, out, place);
                }
                Part::Quoted(text) => out.quoted(text),
                Part::DoubleQuoted(inner) => self.double_quoted(inner, out)?,
                Part::Param(param) => self.parameter(param, false, out, place)?,
                Part::Command(list) => {
                    let output = self.output(list)?;
                    out.expanded(&output);
                }
                Part::Arith(word) => {
                    let value = self.arithmetic(word)?;
                    out.expanded(&value.to_string());
                }
                Part::Process(input, list) => {
                    let path = self.take_output(|| Stop::Process(*input, list.clone()))?;
                    out.quoted(&path);
                }
            }
        }
        Ok(())
    }

    fn double_quoted(&mut self, parts: &[Part], out: &mut Builder) -> Result<(), Stop> {
        // `"$@"` without parameters is no word at all; any other quotes make one.
        let only_at = match parts {
            [Part::Param(param)] => param::is_at(param),
            _ => false,
        };
        if !only_at {
            out.touch();
        }
        for part in parts {
            match part {
                Part::Literal(text) | Part::Quoted(text) => out.quoted(text),
                Part::DoubleQuoted(inner) => self.double_quoted(inner, out)?,
                Part::Param(param) => self.parameter(param, true, out, Place::Single)?,
                Part::Command(list) => {
                    let output = self.output(list)?;
                    out.quoted(&output);
                }
                Part::Arith(word) => {
                    let value = self.arithmetic(word)?;
                    out.quoted(&value.to_string());
                }
                Part::Process(..) => {}
            }
        }
        Ok(())
    }

    fn literal(&mut self, text: &str, first: bool, alone: bool, out: &mut Builder, place: Place) {
        let mut rest = text;
        if first && let Some((home, after)) = self.tilde(text, alone, place) {
            out.quoted(&home);
            rest = after;
        }
        // `name=~` is taken for an assignment wherever it stands.
        let named = first && place == Place::Argument && {
            let length = name_length(text);
            length > 0 && text[length..].starts_with("=~")
        };
        if named && let Some(equals) = rest.find('=') {
            out.literal(&rest[..=equals]);
            rest = &rest[equals + 1..];
            if let Some((home, after)) = self.tilde(rest, alone, Place::Assignment) {
                out.quoted(&home);
                rest = after;
            }
        }
        if place == Place::Assignment {
            while let Some(colon) = rest.find(":~") {
                out.literal(&rest[..=colon]);
                rest = &rest[colon + 1..];
                match self.tilde(rest, alone, place) {
                    Some((home, after)) => {
                        out.quoted(&home);
                        rest = after;
                    }
                    None => {
                        out.literal("~");
                        rest = &rest[1..];
                    }
                }
            }
        }
        match place {
            Place::Operand => out.expanded_literal(rest),
            _ => out.literal(rest),
        }
    }

    /// The directory a leading `~name` stands for, and the rest.
    fn tilde<'t>(
        &mut self,
        text: &'t str,
        alone: bool,
        place: Place,
    ) -> Option<(Rc<str>, &'t str)> {
        let after = text.strip_prefix('~')?;
        let ends: &[char] = if place == Place::Assignment {
            &['/', ':']
        } else {
            &['/']
        };
        let end = after.find(ends).unwrap_or(after.len());
        // What follows in quotes belongs to the name, which is then none.
        if end == after.len() && !alone {
            return None;
        }
        let (name, rest) = after.split_at(end);
        let home = match name {
            "" => self.state.home(self.sys),
            "+" => self.state.vars.text("PWD")?,
            "-" => self.state.vars.text("OLDPWD")?,
            _ => {
                self.sys
                    .host()
                    .users()
                    .into_iter()
                    .find(|user| &*user.name == name)?
                    .home
            }
        };
        Some((home, rest))
    }

    fn output(&mut self, list: &Rc<List>) -> Result<Rc<str>, Stop> {
        self.take_output(|| Stop::Command(list.clone()))
    }

    fn take_output(&mut self, missing: impl FnOnce() -> Stop) -> Result<Rc<str>, Stop> {
        let Some(output) = self.outputs.get(self.next) else {
            return Err(missing());
        };
        self.next += 1;
        Ok(output.clone())
    }
}

/// Where a word stands, which decides about tildes and splitting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Argument,
    Single,
    Assignment,
    /// Inside `${x:-…}`: its unquoted text is split like a value.
    Operand,
}

/// Variables as arithmetic sees them.
pub struct Bound<'a, 's> {
    /// Where they are.
    pub state: &'a mut State,
    /// For those made up when asked.
    pub sys: &'a mut Sys<'s>,
}

impl arith::Variables for Bound<'_, '_> {
    fn get(&mut self, name: &str, index: Option<&str>) -> Result<String, String> {
        if let Some(value) = self.state.dynamic(name, self.sys) {
            let found = crate::vars::element(&value, index.unwrap_or("0"));
            return Ok(found.map(|text| text.to_string()).unwrap_or_default());
        }
        let Some(variable) = self.state.vars.get(name) else {
            if self.state.options.nounset {
                return Err(format!("{name}: unbound variable"));
            }
            return Ok(String::new());
        };
        let text = match index {
            Some(index) => crate::vars::element(&variable.value, index),
            None => variable.text(),
        };
        Ok(text.map(|text| text.to_string()).unwrap_or_default())
    }

    fn set(&mut self, name: &str, index: Option<&str>, value: i64) -> Result<(), String> {
        if name == "RANDOM" {
            self.state.random = Some(value as u32 % 0x7fff_ffff);
        }
        self.state
            .vars
            .set_element(name, index, value.to_string().into(), false)
    }

    fn has_text_keys(&self, name: &str) -> bool {
        matches!(
            self.state.vars.get(name).map(|v| &v.value),
            Some(Value::Keyed(_))
        )
    }
}
