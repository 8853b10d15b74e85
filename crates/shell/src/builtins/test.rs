//! `test`, `[`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{Shell, binary_test, unary_test};
use crate::state::State;
use crate::syntax::UNARY;

pub(super) const TEST: Builtin = Builtin {
    name: "test",
    usage: "test [expr]",
    posix: true,
    run: test,
};
pub(super) const BRACKET: Builtin = Builtin {
    name: "[",
    usage: "[ arg... ]",
    posix: true,
    run: test,
};

const BINARY: &[&str] = &[
    "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
];

fn test(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut words = &args[1..];
    let name = &args[0];
    if &**name == "[" {
        match words.split_last() {
            Some((last, rest)) if &**last == "]" => words = rest,
            _ => {
                shell.complain("[: missing `]'");
                return Outcome::Status(2);
            }
        }
    }
    let held = evaluate(Some(&shell.state), sys, words);
    match held {
        Ok(held) => Outcome::Status(i32::from(!held)),
        Err(message) => {
            shell.complain(&format!("{name}: {message}"));
            Outcome::Status(2)
        }
    }
}

/// Whether the expression of `test` holds; the error is worded for behind its name.
pub(crate) fn evaluate(
    state: Option<&State>,
    sys: &mut Sys<'_>,
    words: &[Rc<str>],
) -> Result<bool, String> {
    Test {
        state,
        sys,
        words,
        at: 0,
    }
    .run()
}

struct Test<'a, 's> {
    state: Option<&'a State>,
    sys: &'a mut Sys<'s>,
    words: &'a [Rc<str>],
    at: usize,
}

impl Test<'_, '_> {
    /// Up to four words are told apart by their number, as POSIX wants it.
    fn run(&mut self) -> Result<bool, String> {
        let words = self.words;
        match words {
            [] => return Ok(false),
            [word] => return Ok(!word.is_empty()),
            [not, word] if &**not == "!" => return Ok(word.is_empty()),
            [op, word] => match unary(op) {
                Some(op) => return unary_test(self.state, self.sys, op, word),
                None => return Err(format!("{op}: unary operator expected")),
            },
            [left, op, right] if BINARY.contains(&&**op) => {
                return binary_test(self.sys, op, left, right);
            }
            [not, rest @ ..] if &**not == "!" && rest.len() < 4 => {
                return evaluate(self.state, self.sys, rest).map(|held| !held);
            }
            [left, op, _] if !matches!(&**op, "-a" | "-o") && &**left != "(" => {
                return Err(format!("{op}: binary operator expected"));
            }
            _ => {}
        }
        let held = self.or()?;
        match words.get(self.at) {
            Some(_) => Err("too many arguments".to_owned()),
            None => Ok(held),
        }
    }

    fn peek(&self) -> &str {
        self.words.get(self.at).map_or("", |word| word)
    }

    fn or(&mut self) -> Result<bool, String> {
        let mut held = self.and()?;
        while self.peek() == "-o" {
            self.at += 1;
            held |= self.and()?;
        }
        Ok(held)
    }

    fn and(&mut self) -> Result<bool, String> {
        let mut held = self.term()?;
        while self.peek() == "-a" {
            self.at += 1;
            held &= self.term()?;
        }
        Ok(held)
    }

    fn term(&mut self) -> Result<bool, String> {
        let Some(word) = self.words.get(self.at).cloned() else {
            return Err("argument expected".to_owned());
        };
        let next = self.words.get(self.at + 1).cloned();
        if let Some(op) = next.as_ref().filter(|op| BINARY.contains(&&***op)) {
            let Some(right) = self.words.get(self.at + 2) else {
                return Err("argument expected".to_owned());
            };
            self.at += 3;
            return binary_test(self.sys, op, &word, right);
        }
        self.at += 1;
        match &*word {
            "!" => return self.term().map(|held| !held),
            "(" => {
                let held = self.or()?;
                if self.peek() != ")" {
                    return Err("`)' expected".to_owned());
                }
                self.at += 1;
                return Ok(held);
            }
            _ => {}
        }
        if let (Some(op), Some(operand)) = (unary(&word), next) {
            self.at += 1;
            return unary_test(self.state, self.sys, op, &operand);
        }
        Ok(!word.is_empty())
    }
}

fn unary(word: &str) -> Option<char> {
    match word.as_bytes() {
        [b'-', op] if UNARY.contains(*op as char) => Some(*op as char),
        _ => None,
    }
}
