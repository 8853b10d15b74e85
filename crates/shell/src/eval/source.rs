//! Sources of commands: a text, the standard input, a person.

use std::rc::Rc;

use machine::{Errno, Fd, Sys};

use super::{Frame, Shell, Step};
use crate::state::Flavor;
use crate::syntax::{self, Aliases, Parsed, SyntaxError, SyntaxErrorKind};

/// Where commands come from.
#[derive(Debug, Clone)]
pub(crate) struct Source {
    input: Input,
    /// The line the next command begins on.
    line: u32,
    /// What stands behind the shell's name in syntax errors: `-c: `, `eval: `.
    context: &'static str,
    /// Its commands are told to the outside, as top-level commands of a script.
    told: bool,
    /// The command being run and told of.
    running: Option<Rc<str>>,
}

#[derive(Debug, Clone)]
enum Input {
    Text { text: Rc<str>, pos: usize },
    Stdin { text: String, ended: bool },
    Person,
}

impl Source {
    /// Commands of a text that begins on this line.
    pub(crate) fn text(text: &str, line: u32) -> Source {
        Source::of(
            Input::Text {
                text: text.into(),
                pos: 0,
            },
            line,
        )
    }

    /// Commands read from the standard input as they are needed.
    pub(crate) fn stdin() -> Source {
        Source::of(
            Input::Stdin {
                text: String::new(),
                ended: false,
            },
            1,
        )
    }

    /// Commands typed at a prompt.
    pub(crate) fn person() -> Source {
        Source::of(Input::Person, 1)
    }

    /// The same, named in syntax errors.
    pub(crate) fn called(mut self, context: &'static str) -> Source {
        self.context = context;
        self
    }

    /// The same, with each command told to the outside ([`machine::Outside::Command`]).
    pub(crate) fn told(mut self) -> Source {
        self.told = true;
        self
    }

    fn of(input: Input, line: u32) -> Source {
        Source {
            input,
            line,
            context: "",
            told: false,
            running: None,
        }
    }

    /// Whether nothing follows what was read last.
    pub(super) fn is_at_end(&self) -> bool {
        match &self.input {
            Input::Text { text, pos } => text[*pos..].trim().is_empty() && !self.told,
            Input::Stdin { .. } | Input::Person => false,
        }
    }
}

impl Shell {
    pub(super) fn step_source(&mut self, sys: &mut Sys<'_>, mut source: Source) -> Step {
        if let Some(text) = source.running.take() {
            sys.tell_command(&text, Some(self.state.status));
        }
        match &mut source.input {
            Input::Text { text, pos } => {
                let (text, pos) = (text.clone(), *pos);
                let parsed = self.parse(&text, pos, source.line, false);
                self.begin(sys, source, parsed);
                Step::Go
            }
            Input::Stdin { .. } => self.step_stdin(sys, source),
            Input::Person => self.step_person(sys, source),
        }
    }

    fn parse(
        &self,
        text: &Rc<str>,
        pos: usize,
        line: u32,
        more: bool,
    ) -> Result<Parsed, SyntaxError> {
        let none = Aliases::new();
        let expands = self.state.flavor != Flavor::Bash
            || self.state.options.interactive
            || self.state.options.shopt("expand_aliases");
        let aliases = if expands { &*self.state.aliases } else { &none };
        syntax::parse_command(text, pos, line, aliases, more)
    }

    /// Puts a command just read on the stack, its source below it.
    fn begin(
        &mut self,
        sys: &mut Sys<'_>,
        mut source: Source,
        parsed: Result<Parsed, SyntaxError>,
    ) {
        let parsed = match parsed {
            Ok(parsed) => parsed,
            Err(error) => return self.syntax_error(&error, source.context),
        };
        for warning in &parsed.warnings {
            self.state.line = parsed.line;
            self.complain(warning);
        }
        let Some(list) = parsed.list else { return };
        if self.state.options.verbose {
            self.print_error(&format!("{}\n", parsed.source));
        }
        if source.told {
            sys.tell_command(&parsed.source, None);
            source.running = Some(parsed.source);
        }
        source.line = parsed.line;
        if let Input::Text { text, pos } = &mut source.input {
            *text = parsed.text;
            *pos = parsed.pos;
        }
        self.push(Frame::Source(source));
        if !self.state.options.noexec {
            self.push(Frame::List(list, 0));
        }
    }

    fn syntax_error(&mut self, error: &SyntaxError, context: &str) {
        self.state.status = 2;
        let name = &self.state.name;
        let line = error.line;
        let message = match (self.state.flavor, self.state.names_line) {
            (Flavor::Bash, false) => format!("{name}: {error}\n"),
            (Flavor::Bash, true) => {
                let mut text = format!("{name}: {context}line {line}: {error}\n");
                if error.shows_line() {
                    let source = &error.source_line;
                    text.push_str(&format!("{name}: {context}line {line}: `{source}'\n"));
                }
                text
            }
            (Flavor::Dash, _) => format!("{name}: {line}: {}\n", dash_error(error)),
            (Flavor::Ash, _) => {
                let line = error.line;
                format!("{name}: line {line}: {}\n", ash_error(error))
            }
        };
        self.print_error(&message);
        if self.interactive.is_none() && self.state.flavor != Flavor::Bash {
            self.leave(super::Unwind::Exit(2));
        }
    }

    /// Reads the standard input a line at a time, so that commands find what follows theirs.
    fn step_stdin(&mut self, sys: &mut Sys<'_>, mut source: Source) -> Step {
        let Input::Stdin { text, ended } = &mut source.input else {
            return Step::Go;
        };
        loop {
            if *ended || text.ends_with('\n') {
                let shared: Rc<str> = text.as_str().into();
                let parsed = self.parse(&shared, 0, source.line, !*ended);
                let blank = matches!(&parsed, Ok(parsed) if parsed.list.is_none());
                match &parsed {
                    Err(error) if error.incomplete() && !*ended => {}
                    Ok(_) if blank && !*ended => {
                        source.line += text.matches('\n').count() as u32;
                        text.clear();
                    }
                    _ => {
                        text.clear();
                        self.begin(sys, source, parsed);
                        return Step::Go;
                    }
                }
            }
            let mut line = Vec::new();
            loop {
                match sys.read(Fd::STDIN, 1) {
                    Ok(bytes) if bytes.is_empty() => {
                        *ended = true;
                        break;
                    }
                    Ok(bytes) => {
                        line.extend_from_slice(&bytes);
                        if bytes[0] == b'\n' {
                            break;
                        }
                    }
                    Err(Errno::EAGAIN) => {
                        text.push_str(&String::from_utf8_lossy(&line));
                        self.push(Frame::Source(source));
                        return Step::Wait;
                    }
                    Err(_) => {
                        *ended = true;
                        break;
                    }
                }
            }
            text.push_str(&String::from_utf8_lossy(&line));
        }
    }

    /// Takes a line a person has finished: its commands, or what is missing.
    ///
    /// True if more has to be typed.
    pub(crate) fn typed(
        &mut self,
        sys: &mut Sys<'_>,
        source: Source,
        text: &str,
    ) -> Option<Source> {
        let shared: Rc<str> = text.into();
        match self.parse(&shared, 0, source.line, true) {
            Err(error) if error.incomplete() => Some(source),
            Err(error) => {
                self.push(Frame::Source(source));
                self.syntax_error(&error, "");
                None
            }
            Ok(parsed) => {
                self.push(Frame::Source(source));
                // The text may hold several commands: a pasted or recalled one does.
                if parsed.list.is_some() {
                    self.push(Frame::Source(Source::text(&shared, 1)));
                }
                let _ = sys;
                None
            }
        }
    }
}

fn dash_error(error: &SyntaxError) -> String {
    match &error.kind {
        SyntaxErrorKind::Unexpected(token) => {
            let token = if token == "newline" {
                "newline".to_owned()
            } else {
                format!("\"{token}\"")
            };
            format!("Syntax error: {token} unexpected")
        }
        SyntaxErrorKind::EndOfFile => "Syntax error: end of file unexpected".to_owned(),
        SyntaxErrorKind::Unmatched('}') => "Syntax error: Missing '}'".to_owned(),
        SyntaxErrorKind::Unmatched(')') => {
            "Syntax error: end of file unexpected (expecting \")\")".to_owned()
        }
        SyntaxErrorKind::Unmatched(_) => "Syntax error: Unterminated quoted string".to_owned(),
        SyntaxErrorKind::HereDoc(_) | SyntaxErrorKind::Other(_) => format!("Syntax error: {error}"),
    }
}

fn ash_error(error: &SyntaxError) -> String {
    match &error.kind {
        SyntaxErrorKind::Unexpected(token) => format!("syntax error: unexpected \"{token}\""),
        SyntaxErrorKind::EndOfFile => "syntax error: unexpected end of file".to_owned(),
        SyntaxErrorKind::Unmatched('}') => "syntax error: missing '}'".to_owned(),
        SyntaxErrorKind::Unmatched(')') => {
            "syntax error: unexpected end of file (expecting \")\")".to_owned()
        }
        SyntaxErrorKind::Unmatched(_) => "syntax error: unterminated quoted string".to_owned(),
        SyntaxErrorKind::HereDoc(_) | SyntaxErrorKind::Other(_) => format!("syntax error: {error}"),
    }
}
