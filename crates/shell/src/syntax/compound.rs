//! Compound commands: everything that begins with a reserved word or a parenthesis.

use std::rc::Rc;

use super::error::{SyntaxError, SyntaxErrorKind};
use super::ir::{ArithFor, Arm, ArmEnd, Case, CommandKind, Cond, For, List, While, Word};
use super::lex::{Parser, Tok};
use super::word::Mode;

/// Unary operators of `[[ ]]` and `test`.
pub(crate) const UNARY: &str = "abcdefghknoprstuvwxzGLNORS";

/// Binary operators of `[[ ]]` that are words.
const BINARY: &[&str] = &[
    "=", "==", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
];

impl Parser<'_> {
    /// The compound command that begins with this word, if it is a reserved word.
    pub(super) fn reserved(&mut self, word: &str) -> Result<Option<CommandKind>, SyntaxError> {
        Ok(Some(match word {
            "if" => self.if_command()?,
            "while" | "until" => {
                self.next()?;
                let condition = self.compound_list(&["do"])?;
                let body = self.do_group()?;
                let until = word == "until";
                CommandKind::While(While {
                    until,
                    condition: Rc::new(condition),
                    body,
                })
            }
            "for" | "select" => self.for_command(word == "select")?,
            "case" => self.case_command()?,
            "{" => {
                self.next()?;
                let list = self.compound_list(&["}"])?;
                self.expect("}")?;
                CommandKind::Group(Rc::new(list))
            }
            "[[" => {
                self.next()?;
                self.skip_newlines()?;
                let cond = self.cond_or()?;
                let token = self.peek()?.clone();
                if self.peek_literal()? != "]]" {
                    return match token.kind {
                        Tok::Eof => {
                            let message = "unexpected EOF while looking for `]]'".to_owned();
                            self.incomplete(message)
                        }
                        _ => self.unexpected(&token),
                    };
                }
                self.next()?;
                CommandKind::Cond(cond)
            }
            "function" => {
                self.next()?;
                let token = self.next()?.or_newline();
                let name: Rc<str> = match &token.kind {
                    Tok::Word(word) if word.as_literal().is_some() => {
                        word.as_literal().unwrap_or_default().into()
                    }
                    _ => return self.unexpected(&token),
                };
                if self.eat_op("(")? {
                    let close = self.next()?;
                    self.expect_was(&close, ")")?;
                }
                self.function_body(name)?
            }
            "coproc" => {
                let message = "coproc: not modelled".to_owned();
                return self.error(self.line, SyntaxErrorKind::Other(message));
            }
            _ => return Ok(None),
        }))
    }

    /// `(…)` or `((…))`.
    pub(super) fn parenthesis(&mut self) -> Result<CommandKind, SyntaxError> {
        let (pos, line) = (self.peek()?.start, self.peek()?.line);
        if self.text[pos..].starts_with("((") {
            self.unread();
            self.pos += 2;
            let word = self.arith_word(b')', 0)?;
            if self.eat("))") {
                return Ok(CommandKind::Arith(word));
            }
            (self.pos, self.line) = (pos, line);
        }
        self.next()?;
        let list = self.compound_list(&[")"])?;
        self.expect(")")?;
        Ok(CommandKind::Subshell(Rc::new(list)))
    }

    fn expect(&mut self, text: &str) -> Result<(), SyntaxError> {
        let token = self.next()?;
        self.expect_was(&token, text)
    }

    fn incomplete<T>(&self, _message: String) -> Result<T, SyntaxError> {
        self.error(self.line, SyntaxErrorKind::EndOfFile)
    }

    fn if_command(&mut self) -> Result<CommandKind, SyntaxError> {
        let mut branches = Vec::new();
        loop {
            // `if` or `elif`.
            self.next()?;
            let condition = self.compound_list(&["then"])?;
            self.expect("then")?;
            let body = self.compound_list(&["elif", "else", "fi"])?;
            branches.push((Rc::new(condition), Rc::new(body)));
            if self.peek_literal()? != "elif" {
                break;
            }
        }
        let mut otherwise = None;
        if self.peek_literal()? == "else" {
            self.next()?;
            otherwise = Some(Rc::new(self.compound_list(&["fi"])?));
        }
        self.expect("fi")?;
        Ok(CommandKind::If(branches, otherwise))
    }

    fn do_group(&mut self) -> Result<Rc<List>, SyntaxError> {
        self.expect("do")?;
        let body = self.compound_list(&["done"])?;
        self.expect("done")?;
        Ok(Rc::new(body))
    }

    /// `do … done`, or the `{ … }` bash also takes after `for`.
    fn loop_body(&mut self) -> Result<Rc<List>, SyntaxError> {
        self.skip_newlines()?;
        if self.peek_literal()? == "{" {
            self.next()?;
            let body = self.compound_list(&["}"])?;
            self.expect("}")?;
            return Ok(Rc::new(body));
        }
        self.do_group()
    }

    fn for_command(&mut self, select: bool) -> Result<CommandKind, SyntaxError> {
        self.next()?;
        if !select && self.peek_op()? == "(" {
            return self.arith_for();
        }
        let token = self.next()?;
        let token = if select { token.or_newline() } else { token };
        let name: Rc<str> = match &token.kind {
            Tok::Word(_) => self.text[token.start..token.end].into(),
            _ => return self.unexpected(&token),
        };
        let separated = self.eat_op(";")?;
        self.skip_newlines()?;
        let mut words = None;
        if !separated && self.peek_literal()? == "in" {
            self.next()?;
            let mut list = Vec::new();
            while let Tok::Word(word) = &self.peek()?.kind {
                list.push(word.clone());
                self.next()?;
            }
            let token = self.next()?;
            if !matches!(token.kind, Tok::Newline | Tok::Op(";")) {
                return self.unexpected(&token);
            }
            words = Some(list);
        }
        let body = self.loop_body()?;
        Ok(CommandKind::For(For {
            name,
            words,
            body,
            select,
        }))
    }

    fn arith_for(&mut self) -> Result<CommandKind, SyntaxError> {
        let token = self.peek()?.clone();
        if !self.text[token.start..].starts_with("((") {
            return self.unexpected(&token);
        }
        self.unread();
        self.pos += 2;
        let init = self.arith_word(b';', b')')?;
        let mut rest = [Word::default(), Word::default()];
        for (index, word) in rest.iter_mut().enumerate() {
            if !self.eat(";") {
                let token = self.next()?;
                return self.unexpected(&token);
            }
            *word = self.arith_word(if index == 0 { b';' } else { b')' }, b')')?;
        }
        if !self.eat("))") {
            let token = self.next()?;
            return self.unexpected(&token);
        }
        self.eat_op(";")?;
        let body = self.loop_body()?;
        let [condition, step] = rest;
        Ok(CommandKind::ArithFor(ArithFor {
            init,
            condition,
            step,
            body,
        }))
    }

    fn case_command(&mut self) -> Result<CommandKind, SyntaxError> {
        self.next()?;
        let token = self.next()?;
        let Tok::Word(word) = token.kind.clone() else {
            return self.unexpected(&token);
        };
        self.skip_newlines()?;
        self.expect("in")?;
        let mut arms = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.peek_literal()? == "esac" {
                self.next()?;
                return Ok(CommandKind::Case(Case { word, arms }));
            }
            self.eat_op("(")?;
            let mut patterns = Vec::new();
            loop {
                let token = self.next()?;
                let Tok::Word(pattern) = token.kind.clone() else {
                    return self.unexpected(&token);
                };
                patterns.push(pattern);
                if !self.eat_op("|")? {
                    break;
                }
            }
            self.expect(")")?;
            self.skip_newlines()?;
            let ends = [";;", ";&", ";;&", "esac"];
            let empty = ends.contains(&self.peek_op()?) || self.peek_literal()? == "esac";
            let body = if empty {
                List::default()
            } else {
                self.compound_list(&ends)?
            };
            let then = match self.peek_op()? {
                ";;" => ArmEnd::Break,
                ";&" => ArmEnd::FallThrough,
                ";;&" => ArmEnd::Continue,
                _ => {
                    arms.push(Arm {
                        patterns,
                        body: Rc::new(body),
                        then: ArmEnd::Break,
                    });
                    self.expect("esac")?;
                    return Ok(CommandKind::Case(Case { word, arms }));
                }
            };
            self.next()?;
            arms.push(Arm {
                patterns,
                body: Rc::new(body),
                then,
            });
        }
    }

    fn cond_or(&mut self) -> Result<Cond, SyntaxError> {
        let mut left = self.cond_and()?;
        while self.eat_op("||")? {
            self.skip_newlines()?;
            left = Cond::Or(Box::new(left), Box::new(self.cond_and()?));
        }
        Ok(left)
    }

    fn cond_and(&mut self) -> Result<Cond, SyntaxError> {
        let mut left = self.cond_term()?;
        while self.eat_op("&&")? {
            self.skip_newlines()?;
            left = Cond::And(Box::new(left), Box::new(self.cond_term()?));
        }
        Ok(left)
    }

    fn cond_term(&mut self) -> Result<Cond, SyntaxError> {
        self.enter()?;
        let term = self.cond_term_inner()?;
        self.leave();
        self.skip_newlines()?;
        Ok(term)
    }

    fn cond_term_inner(&mut self) -> Result<Cond, SyntaxError> {
        if self.peek_literal()? == "!" {
            self.next()?;
            return Ok(Cond::Not(Box::new(self.cond_term()?)));
        }
        if self.eat_op("(")? {
            self.skip_newlines()?;
            let inner = self.cond_or()?;
            self.expect(")")?;
            return Ok(inner);
        }
        let token = self.next()?;
        let Tok::Word(left) = token.kind.clone() else {
            return self.unexpected(&token);
        };
        let unary = left.as_literal().and_then(|text| match text.as_bytes() {
            [b'-', op] if UNARY.contains(*op as char) => Some(*op as char),
            _ => None,
        });
        if let Some(op) = unary
            && matches!(self.peek()?.kind, Tok::Word(_))
            && !BINARY.contains(&self.peek_literal()?)
            && self.peek_literal()? != "]]"
        {
            let operand = self.next()?;
            let Tok::Word(word) = operand.kind else {
                return self.unexpected(&token);
            };
            return Ok(Cond::Unary(op, word));
        }
        let op: Rc<str> = match self.peek_op()? {
            op @ ("<" | ">") => op.into(),
            _ => match self.peek_literal()? {
                op if BINARY.contains(&op) => op.into(),
                _ => return self.cond_word(left),
            },
        };
        self.next()?;
        let right = if &*op == "=~" {
            self.skip_blanks();
            Word::new(self.parts(Mode::Regex)?)
        } else {
            let token = self.next()?;
            let Tok::Word(right) = token.kind.clone() else {
                return self.unexpected(&token);
            };
            right
        };
        Ok(Cond::Binary(op, left, right))
    }

    /// A word alone; another word behind it is what bash complains about.
    fn cond_word(&mut self, left: Word) -> Result<Cond, SyntaxError> {
        let next = self.peek()?.clone();
        if matches!(next.kind, Tok::Word(_)) && self.peek_literal()? != "]]" {
            let message = "conditional binary operator expected".to_owned();
            return self.error(next.line, SyntaxErrorKind::Other(message));
        }
        Ok(Cond::Word(left))
    }
}
