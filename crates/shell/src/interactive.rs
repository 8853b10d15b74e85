//! A shell that talks to a person: prompts, the line editor, the history.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::rc::Rc;

use machine::{Errno, Fd, Sys};

use crate::complete::{self, Candidate, Spec};
use crate::edit::{Editor, Event};
use crate::eval::{Frame, Shell, Source, Step, Unwind};
use crate::prompt;
use crate::syntax;

/// What only an interactive shell has.
#[derive(Debug, Clone)]
pub(crate) struct Interactive {
    pub(crate) editor: Editor,
    /// Lines typed, oldest first.
    pub(crate) history: Rc<Vec<Rc<str>>>,
    /// How many of them the history file holds.
    pub(crate) saved: usize,
    /// A login shell says `logout`.
    pub(crate) login: bool,
    /// It has warned of stopped jobs; the next `exit` leaves.
    pub(crate) warned: bool,
    /// `complete` specifications by command.
    pub(crate) completions: Rc<BTreeMap<Rc<str>, Spec>>,
    /// Commands whose completion script has been looked for.
    pub(crate) tried: BTreeSet<Rc<str>>,
    /// Lines of an unfinished command.
    pub(crate) partial: String,
    /// The last key was Tab, and it could not decide.
    pub(crate) tabbed: bool,
    /// Complete again as soon as a script has been read.
    pub(crate) again: bool,
    /// Candidates to list if the person agrees.
    pub(crate) asking: Option<Rc<Vec<Candidate>>>,
    /// Columns of the terminal.
    pub(crate) columns: usize,
    /// A prompt is shown and a line is being typed.
    prompting: bool,
    /// `PROMPT_COMMAND` has run for this prompt.
    prepared: bool,
}

/// Lines of history kept.
const HISTORY: usize = 1000;
/// Where it is kept.
const HISTORY_FILE: &str = ".bash_history";

impl Interactive {
    pub(crate) fn new(login: bool) -> Interactive {
        Interactive {
            editor: Editor::new(),
            history: Rc::default(),
            saved: 0,
            login,
            warned: false,
            completions: Rc::default(),
            tried: BTreeSet::new(),
            partial: String::new(),
            tabbed: false,
            again: false,
            asking: None,
            columns: 80,
            prompting: false,
            prepared: false,
        }
    }
}

impl Shell {
    /// Reads keys until a line is finished, and puts its commands on the stack.
    pub(crate) fn step_person(&mut self, sys: &mut Sys<'_>, source: Source) -> Step {
        let Some(person) = &mut self.interactive else {
            return Step::Go;
        };
        if std::mem::take(&mut person.again) {
            self.push(Frame::Source(source));
            self.complete(sys);
            return Step::Go;
        }
        if !person.prompting {
            if !std::mem::replace(&mut person.prepared, true) && person.partial.is_empty() {
                self.tell_jobs();
                if let Some(command) = self.state.vars.text("PROMPT_COMMAND") {
                    let status = self.state.status;
                    self.push(Frame::Source(source));
                    self.push(Frame::Trapped(status));
                    self.push(Frame::Source(Source::text(&command, 1)));
                    return Step::Go;
                }
                self.push(Frame::Source(source));
                return Step::Go;
            }
            let Some(prompt) = self.prompt(sys, &source) else {
                return Step::Go;
            };
            self.begin_line(sys, &prompt);
            // The prompt must be out before the first key is waited for.
            self.push(Frame::Source(source));
            return Step::Go;
        }
        let fd = Fd::STDIN;
        match sys.read(fd, 1) {
            Err(Errno::EAGAIN) => {
                self.push(Frame::Source(source));
                return Step::Wait;
            }
            Ok(bytes) if !bytes.is_empty() => {
                if let Some(source) = self.key(sys, bytes[0], source) {
                    self.push(Frame::Source(source));
                }
            }
            _ => self.leave(Unwind::Exit(self.state.status)),
        }
        Step::Go
    }

    /// The prompt with everything in it expanded; `None` while a command in it runs.
    fn prompt(&mut self, sys: &mut Sys<'_>, source: &Source) -> Option<String> {
        let partial = self
            .interactive
            .as_ref()
            .is_some_and(|person| !person.partial.is_empty());
        let (name, default) = if partial {
            ("PS2", "> ")
        } else {
            ("PS1", "\\s-\\v\\$ ")
        };
        let text = self.state.text_or(name, default);
        let text = prompt::expand(&text, &self.state, sys);
        if !text.contains(['$', '`']) {
            return Some(text);
        }
        let Ok(word) = syntax::parse_quoted(&text) else {
            return Some(text);
        };
        let frame = Frame::Source(source.clone());
        let outputs = self.take_outputs();
        self.expanding(sys, frame, false, outputs, |expander| {
            expander.single(&word)
        })
        .map(|text| text.to_string())
    }

    fn begin_line(&mut self, sys: &mut Sys<'_>, prompt: &str) {
        if let Some(tty) = self.tty(sys) {
            let _ = sys.tty_raw(tty, true);
        }
        let columns = self.tty(sys).and_then(|tty| sys.tty_size(tty).ok());
        let Some(person) = &mut self.interactive else {
            return;
        };
        person.columns = columns.map_or(80, |(columns, _)| usize::from(columns));
        person.prompting = true;
        person.tabbed = false;
        let out = person
            .editor
            .begin(prompt, person.columns, person.history.len());
        self.print(&out);
    }

    /// Takes one byte from the keyboard. Gives the source back while the line goes on.
    fn key(&mut self, sys: &mut Sys<'_>, byte: u8, source: Source) -> Option<Source> {
        let person = self.interactive.as_mut()?;
        let mut out = String::new();
        if let Some(found) = person.asking.take() {
            if matches!(byte, b'y' | b'Y' | b' ') {
                out.push_str("\r\n");
                complete::list_only(&found, person.columns, &mut out);
            } else {
                out.push_str("\r\n");
            }
            person.editor.draw_again(&mut out);
            self.print(&out);
            return Some(source);
        }
        let history = person.history.clone();
        let event = person.editor.feed(byte, &history, &mut out);
        if event != Some(Event::Complete) {
            person.tabbed = false;
        }
        self.print(&out);
        let person = self.interactive.as_mut()?;
        match event {
            None => Some(source),
            Some(Event::Complete) => {
                self.push(Frame::Source(source));
                self.complete(sys);
                None
            }
            Some(Event::Interrupt) => {
                person.partial.clear();
                person.prompting = false;
                person.prepared = false;
                self.state.status = 130;
                self.cook(sys);
                Some(source)
            }
            Some(Event::End) => {
                self.cook(sys);
                self.end_of_input(source)
            }
            Some(Event::Line(line)) => {
                self.cook(sys);
                self.line(sys, source, &line)
            }
        }
    }

    fn cook(&mut self, sys: &mut Sys<'_>) {
        if let Some(tty) = self.tty(sys) {
            let _ = sys.tty_raw(tty, false);
        }
    }

    /// Ctrl-D on an empty line.
    fn end_of_input(&mut self, source: Source) -> Option<Source> {
        let person = self.interactive.as_mut()?;
        person.prompting = false;
        person.prepared = false;
        if !person.partial.is_empty() {
            person.partial.clear();
            self.state.status = 2;
            self.complain("syntax error: unexpected end of file");
            return Some(source);
        }
        let text = if person.login { "logout" } else { "exit" };
        if self.state.options.is_on("ignoreeof") {
            self.print_error(&format!("Use \"{text}\" to leave the shell.\n"));
            return Some(source);
        }
        self.push(Frame::Source(source));
        self.push(Frame::Source(Source::text("exit", 1)));
        None
    }

    /// A line was finished: history, then its commands.
    fn line(&mut self, sys: &mut Sys<'_>, source: Source, line: &str) -> Option<Source> {
        let person = self.interactive.as_mut()?;
        person.prompting = false;
        let mut line = line.to_owned();
        if person.partial.is_empty() {
            match expand_history(&line, &person.history) {
                Ok(None) => {}
                Ok(Some(expanded)) => {
                    line = expanded;
                    self.print(&format!("{line}\n"));
                }
                Err(message) => {
                    person.prepared = false;
                    self.complain(&message);
                    return Some(source);
                }
            }
        }
        let person = self.interactive.as_mut()?;
        let text = format!("{}{line}\n", person.partial);
        match self.typed(sys, source, &text) {
            Some(source) => {
                // Not finished: the next line belongs to it.
                if let Some(person) = &mut self.interactive {
                    person.partial = text;
                }
                Some(source)
            }
            None => {
                if let Some(person) = &mut self.interactive {
                    person.partial.clear();
                    person.prepared = false;
                    if !text.trim_start().starts_with("exit") && !text.trim().is_empty() {
                        person.warned = false;
                    }
                }
                self.remember(text.trim_end_matches('\n'));
                None
            }
        }
    }

    /// Adds a command to the history.
    fn remember(&mut self, text: &str) {
        let control = self.state.text_or("HISTCONTROL", "");
        let Some(person) = &mut self.interactive else {
            return;
        };
        let spaces = control.contains("ignorespace") || control.contains("ignoreboth");
        let twins = control.contains("ignoredups") || control.contains("ignoreboth");
        let repeated = person.history.last().is_some_and(|last| &**last == text);
        if text.trim().is_empty() || (spaces && text.starts_with(' ')) || (twins && repeated) {
            return;
        }
        let history = Rc::make_mut(&mut person.history);
        history.push(text.into());
        if history.len() > HISTORY {
            history.remove(0);
            person.saved = person.saved.saturating_sub(1);
        }
    }

    /// Reads the history file.
    pub(crate) fn load_history(&mut self, sys: &mut Sys<'_>) {
        let path = self.history_file(sys);
        let Ok(text) = sys.read_to_string(&path) else {
            return;
        };
        let Some(person) = &mut self.interactive else {
            return;
        };
        let lines: Vec<Rc<str>> = text.lines().map(Rc::from).collect();
        let skip = lines.len().saturating_sub(HISTORY);
        person.history = Rc::new(lines[skip..].to_vec());
        person.saved = person.history.len();
    }

    /// Adds what was typed since to the history file.
    pub(crate) fn save_history(&mut self, sys: &mut Sys<'_>) {
        let path = self.history_file(sys);
        let Some(person) = &mut self.interactive else {
            return;
        };
        let new: String = person.history[person.saved..]
            .iter()
            .map(|line| format!("{line}\n"))
            .collect();
        if !new.is_empty() && sys.append_file(&path, new.as_bytes()).is_ok() {
            person.saved = person.history.len();
        }
    }

    fn history_file(&self, sys: &Sys<'_>) -> Rc<str> {
        let default = format!("{}/{HISTORY_FILE}", self.state.home(sys));
        self.state.text_or("HISTFILE", &default)
    }

    /// The terminal has another size.
    pub(crate) fn resized(&mut self, sys: &mut Sys<'_>) {
        let size = self.tty(sys).and_then(|tty| sys.tty_size(tty).ok());
        if let (Some(person), Some((columns, _))) = (&mut self.interactive, size) {
            person.columns = usize::from(columns);
            person.editor.resize(person.columns);
        }
    }

    /// A line was given up (Ctrl-C): the next prompt begins afresh.
    pub(crate) fn forget_line(&mut self) {
        if let Some(person) = &mut self.interactive {
            person.partial.clear();
            person.prompting = false;
            person.prepared = false;
        }
    }
}

/// `!!`, `!$`, `!n`, `!-n`, `!text` outside of single quotes; `None` if there are none.
fn expand_history(line: &str, history: &[Rc<str>]) -> Result<Option<String>, String> {
    let mut out = String::new();
    let mut changed = false;
    let mut quoted = false;
    let chars: Vec<char> = line.chars().collect();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        at += 1;
        if c == '\'' {
            quoted = !quoted;
        }
        if c == '\\' && at < chars.len() {
            out.extend([c, chars[at]]);
            at += 1;
            continue;
        }
        let next = chars.get(at).copied().unwrap_or(' ');
        if c != '!' || quoted || matches!(next, ' ' | '\t' | '\n' | '=' | '(' | '"' | ')' | '}') {
            out.push(c);
            continue;
        }
        let rest: String = chars[at..]
            .iter()
            .take_while(|c| !c.is_whitespace() && !";&|\"".contains(**c))
            .collect();
        let (entry, length, last_word) = match next {
            '!' => (history.last(), 1, false),
            '$' => (history.last(), 1, true),
            '-' | '0'..='9' => {
                let digits: String = rest
                    .chars()
                    .enumerate()
                    .take_while(|(i, c)| c.is_ascii_digit() || (*i == 0 && *c == '-'))
                    .map(|(_, c)| c)
                    .collect();
                let number: i64 = digits.parse().unwrap_or(0);
                let index = if number < 0 {
                    history.len() as i64 + number
                } else {
                    number - 1
                };
                let entry = usize::try_from(index)
                    .ok()
                    .and_then(|index| history.get(index));
                (entry, digits.len(), false)
            }
            _ => (
                history.iter().rev().find(|entry| entry.starts_with(&rest)),
                rest.chars().count(),
                false,
            ),
        };
        let Some(entry) = entry else {
            let event: String = chars[at..at + length.max(1).min(chars.len() - at)]
                .iter()
                .collect();
            return Err(format!("!{event}: event not found"));
        };
        out.push_str(if last_word {
            entry.split_whitespace().next_back().unwrap_or("")
        } else {
            entry
        });
        at += length;
        changed = true;
    }
    Ok(changed.then_some(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: Result<Option<&str>, &str>) {
        let history: Vec<Rc<str>> = ["ls -l", "cat a b"].map(Rc::from).to_vec();
        let expanded = expand_history(line, &history);
        let expected = expected
            .map(|text| text.map(str::to_owned))
            .map_err(str::to_owned);
        assert_eq!(expanded, expected);
    }

    #[test]
    fn events_of_the_history() {
        check("sudo !!", Ok(Some("sudo cat a b")));
        check("echo !$", Ok(Some("echo b")));
        check("!1; !-1", Ok(Some("ls -l; cat a b")));
        check("!ls -a", Ok(Some("ls -l -a")));
        check("[ ! -f x ] && echo '!x' a\\!b != !", Ok(None));
        check("!zz", Err("!zz: event not found"));
    }
}
