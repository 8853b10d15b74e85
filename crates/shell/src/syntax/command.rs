//! Lists, pipelines and simple commands.

use std::cell::OnceCell;
use std::rc::Rc;

use super::Parsed;
use super::dollar::name_length;
use super::error::{SyntaxError, SyntaxErrorKind};
use super::ir::{
    AndOr, Arg, Assignment, Command, CommandKind, Item, Join, List, Pipeline, Redirect,
    RedirectKind, Simple, Value, Word,
};
use super::lex::{HereDoc, Parser, Tok, Token};
use super::token::source_text;

/// Words that cannot begin a command because they end or divide one.
const CLOSERS: &[&str] = &["then", "else", "elif", "fi", "do", "done", "esac", "}"];

/// Builtins whose `name=value` arguments are assignments.
const DECLARERS: &[&str] = &["export", "readonly", "declare", "typeset", "local"];

impl Parser<'_> {
    pub(super) fn complete_command(&mut self) -> Result<Parsed, SyntaxError> {
        self.skip_newlines()?;
        let start = self.peek()?.start;
        let list = if self.peek()?.kind == Tok::Eof {
            None
        } else {
            Some(Rc::new(self.items(&|_| false, false)?))
        };
        let end = match self.peeked.as_ref() {
            Some(token) => token.start,
            None => self.pos,
        };
        let token = self.next()?;
        if !matches!(token.kind, Tok::Newline | Tok::Eof) {
            return self.unexpected(&token);
        }
        let source = self.text[start..end].trim_end().into();
        Ok(Parsed {
            list,
            text: self.text.clone(),
            pos: self.pos,
            line: self.line,
            source,
            warnings: std::mem::take(&mut self.warnings),
        })
    }

    /// The whole text as one list, as in backquotes.
    pub(super) fn whole_text(&mut self) -> Result<List, SyntaxError> {
        self.skip_newlines()?;
        if self.peek()?.kind == Tok::Eof {
            return Ok(List::default());
        }
        let list = self.items(&|_| false, true)?;
        let token = self.next()?;
        if token.kind == Tok::Eof {
            Ok(list)
        } else {
            self.unexpected(&token)
        }
    }

    /// Commands up to one of `ends` (a reserved word or an operator), which is left unread.
    pub(super) fn compound_list(&mut self, ends: &[&str]) -> Result<List, SyntaxError> {
        self.enter()?;
        self.skip_newlines()?;
        let list = self.items(&|text| ends.contains(&text), true)?;
        self.leave();
        Ok(list)
    }

    fn items(
        &mut self,
        is_end: &dyn Fn(&str) -> bool,
        newlines: bool,
    ) -> Result<List, SyntaxError> {
        let mut items = Vec::new();
        loop {
            let and_or = Rc::new(self.and_or()?);
            let background = self.eat_op("&")?;
            items.push(Item { and_or, background });
            let separated = background || self.eat_op(";")?;
            let mut broken = false;
            if newlines {
                broken = self.peek()?.kind == Tok::Newline;
                self.skip_newlines()?;
            }
            let token = self.peek()?.clone();
            let ended = match &token.kind {
                Tok::Eof => true,
                Tok::Newline => true,
                Tok::Op(op) => is_end(op) || !(*op == "(" || is_redirect(op)),
                Tok::Word(word) => word.as_literal().is_some_and(is_end),
                Tok::Number(_) => false,
            };
            if ended || !(separated || broken) {
                return Ok(List { items });
            }
        }
    }

    fn and_or(&mut self) -> Result<AndOr, SyntaxError> {
        let start = self.peek()?.start;
        let mut parts = vec![(Join::And, Rc::new(self.pipeline()?))];
        loop {
            let join = match self.peek_op()? {
                "&&" => Join::And,
                "||" => Join::Or,
                _ => break,
            };
            self.next()?;
            self.skip_newlines()?;
            parts.push((join, Rc::new(self.pipeline()?)));
        }
        let text = source_text(self, start);
        Ok(AndOr { parts, text })
    }

    fn pipeline(&mut self) -> Result<Pipeline, SyntaxError> {
        let mut pipeline = Pipeline {
            negated: false,
            timed: None,
            commands: Vec::new(),
        };
        loop {
            match self.peek_literal()? {
                "!" => pipeline.negated = !pipeline.negated,
                "time" if pipeline.timed.is_none() => {
                    pipeline.timed = Some(false);
                    self.next()?;
                    if self.peek_literal()? == "-p" {
                        pipeline.timed = Some(true);
                    } else {
                        continue;
                    }
                }
                _ => break,
            }
            self.next()?;
        }
        let alone = pipeline.negated || pipeline.timed.is_some();
        let ended = matches!(
            &self.peek()?.kind,
            Tok::Eof | Tok::Newline | Tok::Op(";" | "&")
        );
        if alone && ended {
            return Ok(pipeline);
        }
        loop {
            let mut command = self.command()?;
            let both = self.peek_op()? == "|&";
            if both {
                let from = Word::literal("1");
                let kind = RedirectKind::Duplicate { from, input: false };
                command.redirects.push(Redirect { fd: Some(2), kind });
            }
            pipeline.commands.push(Rc::new(command));
            if !both && self.peek_op()? != "|" {
                return Ok(pipeline);
            }
            self.next()?;
            self.skip_newlines()?;
        }
    }

    fn command(&mut self) -> Result<Command, SyntaxError> {
        self.expand_aliases()?;
        let token = self.peek()?.clone();
        let (start, line) = (token.start, token.line);
        self.enter()?;
        let kind = match &token.kind {
            Tok::Op("(") => Some(self.parenthesis()?),
            Tok::Op(_) | Tok::Newline | Tok::Eof => match self.peek_op()? {
                op if is_redirect(op) => None,
                _ => return self.unexpected(&token),
            },
            Tok::Number(_) => None,
            Tok::Word(word) => match word.as_literal() {
                Some(text) if CLOSERS.contains(&text) => return self.unexpected(&token),
                Some(text) => {
                    let text = text.to_owned();
                    self.reserved(&text)?
                }
                None => None,
            },
        };
        let mut redirects = Vec::new();
        let kind = match kind {
            Some(CommandKind::Function(name, body)) => CommandKind::Function(name, body),
            Some(kind) => {
                while let Some(redirect) = self.redirect()? {
                    redirects.push(redirect);
                }
                let token = self.peek()?.clone();
                if matches!(token.kind, Tok::Word(_) | Tok::Op("("))
                    && !matches!(self.peek_literal()?, text if CLOSERS.contains(&text))
                {
                    return self.unexpected(&token);
                }
                kind
            }
            None => self.simple(&mut redirects)?,
        };
        self.leave();
        let text = source_text(self, start);
        Ok(Command {
            line,
            text,
            kind,
            redirects,
        })
    }

    /// Replaces the word at a command's place while it is an alias.
    fn expand_aliases(&mut self) -> Result<(), SyntaxError> {
        if self.aliases.is_empty() {
            return Ok(());
        }
        loop {
            let token = self.peek()?.clone();
            let Tok::Word(word) = &token.kind else {
                return Ok(());
            };
            let Some(text) = word.as_literal() else {
                return Ok(());
            };
            let Some((name, value)) = self.alias_for(text, token.start) else {
                return Ok(());
            };
            self.substitute(token.start, token.end, name, &value);
        }
    }

    fn simple(&mut self, redirects: &mut Vec<Redirect>) -> Result<CommandKind, SyntaxError> {
        let mut simple = Simple::default();
        let mut declares = false;
        loop {
            if let Some(redirect) = self.redirect()? {
                redirects.push(redirect);
                continue;
            }
            // The word behind an alias that ends in a blank is looked up as well.
            if self
                .alias_at
                .is_some_and(|at| self.peek().is_ok_and(|t| t.start >= at))
            {
                self.alias_at = None;
                self.expand_aliases()?;
            }
            let token = self.peek()?.clone();
            let Tok::Word(word) = &token.kind else {
                if self.peek_op()? == "(" {
                    return self.function(simple, token);
                }
                return Ok(CommandKind::Simple(simple));
            };
            if (simple.words.is_empty() || declares)
                && let Some(assignment) = self.assignment()?
            {
                if declares {
                    simple.words.push(Arg::Assignment(assignment));
                } else {
                    simple.assignments.push(assignment);
                }
                continue;
            }
            if simple.words.is_empty() {
                declares = word
                    .as_literal()
                    .is_some_and(|text| DECLARERS.contains(&text));
            }
            simple.words.push(Arg::Word(word.clone()));
            self.next()?;
        }
    }

    /// `name ()` and its body; anything else before the parenthesis is a mistake.
    fn function(&mut self, simple: Simple, open: Token) -> Result<CommandKind, SyntaxError> {
        let [Arg::Word(word)] = &simple.words[..] else {
            return self.unexpected(&open);
        };
        let (Some(name), true) = (word.as_literal(), simple.assignments.is_empty()) else {
            return self.unexpected(&open);
        };
        let name = name.into();
        self.next()?;
        let close = self.next()?;
        self.expect_was(&close, ")")?;
        self.function_body(name)
    }

    pub(super) fn function_body(&mut self, name: Rc<str>) -> Result<CommandKind, SyntaxError> {
        self.skip_newlines()?;
        let token = self.peek()?.clone();
        let body = self.command()?;
        if matches!(
            body.kind,
            CommandKind::Simple(_) | CommandKind::Function(..)
        ) {
            return self.unexpected(&token);
        }
        Ok(CommandKind::Function(name, Rc::new(body)))
    }

    /// `name=…`, `name[…]=…`, `name+=…` at the peeked word.
    fn assignment(&mut self) -> Result<Option<Assignment>, SyntaxError> {
        let start = self.peek()?.start;
        let rest = &self.text[start..];
        let length = name_length(rest);
        if length == 0 || !rest[length..].starts_with(['=', '+', '[']) {
            return Ok(None);
        }
        let name: Rc<str> = rest[..length].into();
        let after = &rest[length..];
        if !after.starts_with('[') && !after.starts_with('=') && !after.starts_with("+=") {
            return Ok(None);
        }
        let saved = self.peeked.clone();
        let (end, end_line) = (self.pos, self.line);
        self.unread();
        self.pos = start + length;
        let mut index = None;
        if self.eat("[") {
            index = self.arith_word(b']', 0).ok();
            if index.is_none() || !self.eat("]") {
                (self.pos, self.line, self.peeked) = (end, end_line, saved);
                return Ok(None);
            }
        }
        let append = self.eat("+=");
        if !append && !self.eat("=") {
            (self.pos, self.line, self.peeked) = (end, end_line, saved);
            return Ok(None);
        }
        let value = if self.byte(0) == b'(' && index.is_none() {
            Value::Array(self.array()?)
        } else {
            Value::Scalar(self.word()?)
        };
        Ok(Some(Assignment {
            name,
            index,
            append,
            value,
        }))
    }

    fn array(&mut self) -> Result<Vec<(Option<Word>, Word)>, SyntaxError> {
        let opened = self.line;
        self.pos += 1;
        let mut elements = Vec::new();
        loop {
            self.skip_newlines()?;
            let token = self.peek()?.clone();
            match &token.kind {
                Tok::Op(")") => {
                    self.next()?;
                    return Ok(elements);
                }
                Tok::Eof => return self.error(opened, SyntaxErrorKind::Unmatched(')')),
                Tok::Word(word) => {
                    if self.text[token.start..].starts_with('[') {
                        let (end, end_line) = (self.pos, self.line);
                        self.unread();
                        self.pos += 1;
                        let index = self.arith_word(b']', 0)?;
                        if self.eat("]=") {
                            let value = self.word()?;
                            elements.push((Some(index), value));
                            continue;
                        }
                        (self.pos, self.line) = (end, end_line);
                    }
                    self.peeked = None;
                    elements.push((None, word.clone()));
                }
                _ => return self.unexpected(&token),
            }
        }
    }

    /// A redirection, if one stands here.
    pub(super) fn redirect(&mut self) -> Result<Option<Redirect>, SyntaxError> {
        let fd = match self.peek()?.kind {
            Tok::Number(fd) => {
                self.next()?;
                Some(fd)
            }
            _ => None,
        };
        let op = self.peek_op()?;
        if !is_redirect(op) {
            return Ok(None);
        }
        self.next()?;
        let line = self.line;
        let token = self.next()?;
        let Tok::Word(word) = token.kind.clone() else {
            return self.unexpected(&token.or_newline());
        };
        let kind = match op {
            "<" => RedirectKind::Read(word),
            ">" => RedirectKind::Write(word, false),
            ">|" => RedirectKind::Write(word, true),
            ">>" => RedirectKind::Append(word),
            "<>" => RedirectKind::ReadWrite(word),
            "<&" => RedirectKind::Duplicate {
                from: word,
                input: true,
            },
            ">&" => match word.as_literal() {
                Some(text)
                    if fd.is_none() && !text.bytes().all(|b| b.is_ascii_digit() || b == b'-') =>
                {
                    RedirectKind::Both {
                        word,
                        append: false,
                    }
                }
                _ => RedirectKind::Duplicate {
                    from: word,
                    input: false,
                },
            },
            "&>" => RedirectKind::Both {
                word,
                append: false,
            },
            "&>>" => RedirectKind::Both { word, append: true },
            "<<<" => RedirectKind::HereString(word),
            _ => {
                let raw = &self.text[token.start..token.end];
                let body = Rc::new(OnceCell::new());
                self.here_docs.push(HereDoc {
                    end: unquote(raw),
                    quoted: raw.contains(['\'', '"', '\\']),
                    strip_tabs: op == "<<-",
                    line,
                    body: body.clone(),
                });
                RedirectKind::HereDoc(body)
            }
        };
        Ok(Some(Redirect { fd, kind }))
    }

    pub(super) fn skip_newlines(&mut self) -> Result<(), SyntaxError> {
        while self.peek()?.kind == Tok::Newline {
            self.peeked = None;
        }
        Ok(())
    }

    pub(super) fn unexpected<T>(&mut self, token: &Token) -> Result<T, SyntaxError> {
        if token.kind == Tok::Eof {
            // bash counts the end as a line of its own.
            let line = token.line + u32::from(!self.text.ends_with('\n'));
            return self.error(line, SyntaxErrorKind::EndOfFile);
        }
        let text = match &token.kind {
            Tok::Newline => "newline".to_owned(),
            _ => self.text[token.start..token.end].to_owned(),
        };
        self.pos = token.start;
        self.error(token.line, SyntaxErrorKind::Unexpected(text))
    }

    /// Fails unless `token` is this operator or reserved word.
    pub(super) fn expect_was(&mut self, token: &Token, text: &str) -> Result<(), SyntaxError> {
        let found = match &token.kind {
            Tok::Op(op) => *op == text,
            Tok::Word(word) => word.as_literal() == Some(text),
            _ => false,
        };
        if found {
            Ok(())
        } else {
            self.unexpected(token)
        }
    }
}

fn is_redirect(op: &str) -> bool {
    op.starts_with(['<', '>']) || op == "&>" || op == "&>>"
}

/// The end word of a here-document without its quotes.
fn unquote(raw: &str) -> String {
    let mut out = String::new();
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        match c {
            '\'' | '"' => {}
            '\\' => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}
