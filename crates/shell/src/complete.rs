//! Completion: what the Tab key proposes. Files, commands, variables, and what a tool itself
//! proposes when it is run as `tool __complete words…`, the protocol of cobra that kubectl, helm
//! and others speak: a candidate a line, with a description behind a tab, then `:directive`.

use std::rc::Rc;

use machine::{Errno, Exec, Fd, FileKind, OpenMode, Spawn, Sys};
use sim::Pid;

use crate::builtins;
use crate::edit::Editor;
use crate::eval::{Frame, Shell, Source, Step, find_executable};
use crate::syntax;
use crate::width;

/// How a command's arguments are completed (`complete -F … name`).
#[derive(Debug, Clone, Default)]
pub struct Spec {
    /// A function; one called `__start_tool` that nobody defined asks the tool itself.
    pub function: Option<Rc<str>>,
    /// A list of words.
    pub words: Option<Rc<str>>,
    /// File names if nothing else fits.
    pub default: bool,
    /// No blank behind a candidate.
    pub no_space: bool,
}

/// A tool that was asked for candidates.
#[derive(Debug, Clone)]
pub(crate) struct Running {
    fd: Fd,
    pid: Pid,
    bytes: Vec<u8>,
    word: Word,
}

/// The word to complete.
#[derive(Debug, Clone)]
struct Word {
    /// With quotes removed.
    text: String,
    /// Where it begins in the line being edited, in bytes.
    start: usize,
}

impl Word {
    /// What a tool completes of `--flag=value`: the value.
    fn value_of_flag(&self) -> Word {
        match self.text.split_once('=') {
            Some((flag, value)) if flag.starts_with('-') => Word {
                text: value.to_owned(),
                start: self.start + flag.len() + 1,
            },
            _ => self.clone(),
        }
    }
}

/// Something the word may become.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Candidate {
    /// The whole word.
    pub(crate) text: String,
    /// What a listing shows.
    pub(crate) shown: String,
    /// Behind it in a listing.
    pub(crate) description: String,
    /// Whether a blank follows.
    pub(crate) ends: bool,
}

impl Candidate {
    fn word(text: impl Into<String>) -> Candidate {
        let text = text.into();
        Candidate {
            shown: text.clone(),
            text,
            description: String::new(),
            ends: true,
        }
    }
}

/// Bits of cobra's directive.
const ERROR: u32 = 1;
const NO_SPACE: u32 = 2;
const NO_FILES: u32 = 4;
/// The candidates are endings of file names.
const FILE_ENDINGS: u32 = 8;
/// Only directories fit.
const DIRECTORIES: u32 = 16;

/// A directory of scripts that are read when their command is first completed.
const SCRIPTS: &str = "/usr/share/bash-completion/completions";

/// More candidates than this are listed only when asked.
const MANY: usize = 100;

impl Shell {
    /// Tab was pressed: proposes at once, or asks a tool first. The source of commands is on the
    /// stack already.
    pub(crate) fn complete(&mut self, sys: &mut Sys<'_>) {
        let Some(person) = &self.interactive else {
            return;
        };
        let line = person.editor.text();
        let cursor = person.editor.cursor_byte();
        let before = format!("{}{}", person.partial, &line[..cursor]);
        let (mut words, start) = syntax::words_before(&before, before.len());
        let start = start.saturating_sub(person.partial.len());
        let text = words.pop().unwrap_or_default();
        let word = Word { text, start };
        if let Some(prefix) = word
            .text
            .strip_prefix('$')
            .filter(|rest| !rest.contains('/'))
        {
            let names = self.state.vars.iter().map(|(name, _)| name.to_string());
            let found = names.filter(|name| name.starts_with(prefix));
            let found = found
                .map(|name| Candidate::word(format!("${name}")))
                .collect();
            return self.propose(&word, found);
        }
        while words.first().is_some_and(|word| is_prefix(word)) {
            words.remove(0);
        }
        let Some(command) = words.first().cloned() else {
            let found = if word.text.contains('/') {
                self.files(sys, &word.text, false)
            } else {
                let names = self.command_names(sys).into_iter();
                let fits = names.filter(|name| name.starts_with(&word.text));
                fits.map(Candidate::word).collect()
            };
            return self.propose(&word, found);
        };
        self.complete_argument(sys, &command, words, word);
    }

    fn complete_argument(
        &mut self,
        sys: &mut Sys<'_>,
        command: &str,
        mut words: Vec<String>,
        word: Word,
    ) {
        let Some(person) = &mut self.interactive else {
            return;
        };
        let mut command = command.to_owned();
        let mut spec = person.completions.get(&*command).cloned();
        if spec.is_none()
            && let Some(value) = self.state.aliases.get(&*command)
        {
            // An alias is completed as what it stands for.
            let expanded: Vec<String> = value.split_whitespace().map(str::to_owned).collect();
            words.splice(0..1, expanded);
            command = words.first().cloned().unwrap_or_default();
            spec = person.completions.get(&*command).cloned();
        }
        let script = format!("{SCRIPTS}/{command}");
        if spec.is_none()
            && !command.is_empty()
            && !command.contains('/')
            && person.tried.insert(command.as_str().into())
            && let Ok(text) = sys.read_to_string(&script)
        {
            // It says how; afterwards the same key is pressed again.
            person.again = true;
            self.push(Frame::Source(Source::text(&text, 1)));
            return;
        }
        let spec = spec.unwrap_or(Spec {
            default: true,
            ..Spec::default()
        });
        if let Some(list) = &spec.words {
            let fits = list
                .split_whitespace()
                .filter(|own| own.starts_with(&word.text));
            let found = fits.map(Candidate::word).collect();
            return self.propose(&word, found);
        }
        let tool = spec
            .function
            .as_deref()
            .filter(|function| !self.state.functions.contains_key(*function))
            .and_then(|function| function.strip_prefix("__start_"))
            .map(str::to_owned);
        if let Some(tool) = tool
            && self.ask_tool(sys, &tool, &words, &word)
        {
            return;
        }
        let found = self.files(sys, &word.text, command == "cd" || command == "rmdir");
        self.propose(&word, found);
    }

    /// Runs `tool __complete words…`.
    fn ask_tool(&mut self, sys: &mut Sys<'_>, tool: &str, words: &[String], word: &Word) -> bool {
        let path = self.state.text_or("PATH", "");
        let Some(path) = find_executable(sys, &path, tool) else {
            return false;
        };
        let Ok((reader, writer)) = sys.pipe() else {
            return false;
        };
        let null = sys.open("/dev/null", OpenMode::ReadWrite);
        let mut args: Vec<Rc<str>> = vec![tool.into(), "__complete".into()];
        args.extend(words.iter().skip(1).map(|word| Rc::from(word.as_str())));
        args.push(word.text.as_str().into());
        let mut spawn = Spawn::new(Exec::Path(path.into()), args);
        spawn.env = Some(self.state.vars.env());
        spawn.fds = vec![(Fd::STDOUT, writer)];
        if let Ok(null) = null {
            spawn.fds.extend([(Fd::STDIN, null), (Fd::STDERR, null)]);
        }
        let pid = sys.spawn(spawn);
        sys.close(writer);
        if let Ok(null) = null {
            sys.close(null);
        }
        let Ok(pid) = pid else {
            sys.close(reader);
            return false;
        };
        let running = Running {
            fd: reader,
            pid,
            bytes: Vec::new(),
            word: word.value_of_flag(),
        };
        self.push(Frame::Complete(Box::new(running)));
        true
    }

    pub(crate) fn step_complete(&mut self, sys: &mut Sys<'_>, mut running: Box<Running>) -> Step {
        loop {
            match sys.read(running.fd, 65_536) {
                Ok(bytes) if !bytes.is_empty() => running.bytes.extend_from_slice(&bytes),
                Err(Errno::EAGAIN) => {
                    self.push(Frame::Complete(running));
                    return Step::Wait;
                }
                _ => break,
            }
        }
        if sys.try_wait(running.pid).is_none() {
            self.push(Frame::Complete(running));
            return Step::Wait;
        }
        sys.close(running.fd);
        let text = String::from_utf8_lossy(&running.bytes).into_owned();
        let prefix = &*running.word.text;
        let (mut found, directive) = parse_candidates(&text, prefix);
        if directive & (FILE_ENDINGS | DIRECTORIES) != 0 {
            let (endings, _) = parse_candidates(&text, "");
            found = self.files(sys, prefix, directive & DIRECTORIES != 0);
            found.retain(|file| !file.ends || has_ending(&file.text, &endings));
        } else if found.is_empty() && directive & (NO_FILES | ERROR) == 0 {
            found = self.files(sys, prefix, false);
        }
        found.sort_by(|a, b| a.text.cmp(&b.text));
        self.propose(&running.word, found);
        Step::Go
    }

    pub(crate) fn drop_completion(&mut self, sys: &mut Sys<'_>, running: Running) {
        sys.close(running.fd);
        let _ = sys.kill(running.pid, machine::Signal::Term);
    }

    /// Names that can begin a command.
    pub(crate) fn command_names(&self, sys: &mut Sys<'_>) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        names.extend(builtins::KEYWORDS.iter().map(ToString::to_string));
        let known = |builtin: &&builtins::Builtin| {
            builtins::find(builtin.name, self.state.flavor).is_some()
        };
        names.extend(
            builtins::ALL
                .iter()
                .filter(known)
                .map(|builtin| builtin.name.to_owned()),
        );
        names.extend(self.state.functions.keys().map(ToString::to_string));
        names.extend(self.state.aliases.keys().map(ToString::to_string));
        for dir in self.state.text_or("PATH", "").split(':') {
            let entries = sys.read_dir(dir).unwrap_or_default();
            let programs = entries.into_iter().filter(|entry| {
                entry.stat.kind == FileKind::Symlink
                    || entry.stat.kind == FileKind::File && entry.stat.mode & 0o111 != 0
            });
            names.extend(programs.map(|entry| entry.name.to_string()));
        }
        names.sort();
        names.dedup();
        names
    }

    /// Paths that begin with a prefix.
    pub(crate) fn file_names(&self, sys: &mut Sys<'_>, prefix: &str, dirs: bool) -> Vec<String> {
        let found = self.files(sys, prefix, dirs);
        found
            .into_iter()
            .map(|found| found.text.trim_end_matches('/').to_owned())
            .collect()
    }

    fn files(&self, sys: &mut Sys<'_>, prefix: &str, only_dirs: bool) -> Vec<Candidate> {
        let (dir, name) = match prefix.rfind('/') {
            Some(at) => prefix.split_at(at + 1),
            None => ("", prefix),
        };
        let looked = match dir.strip_prefix("~/") {
            Some(rest) => format!("{}/{rest}", self.state.home(sys)),
            None if dir.is_empty() => ".".to_owned(),
            None => dir.to_owned(),
        };
        let Ok(entries) = sys.read_dir(&looked) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for entry in entries {
            if !entry.name.starts_with(name) || (entry.name.starts_with('.') && name.is_empty()) {
                continue;
            }
            let is_dir = entry.stat.is_dir()
                || entry.stat.kind == FileKind::Symlink
                    && sys
                        .stat(&format!("{looked}/{}", entry.name))
                        .is_ok_and(|s| s.is_dir());
            if only_dirs && !is_dir {
                continue;
            }
            let slash = if is_dir { "/" } else { "" };
            found.push(Candidate {
                text: format!("{dir}{}{slash}", escape(&entry.name)),
                shown: format!("{}{slash}", entry.name),
                description: String::new(),
                ends: !is_dir,
            });
        }
        found
    }

    /// Puts in what all candidates agree on; lists them if that is nothing and Tab came twice.
    fn propose(&mut self, word: &Word, mut found: Vec<Candidate>) {
        found.dedup_by(|a, b| a.text == b.text);
        let Some(person) = &mut self.interactive else {
            return;
        };
        let mut out = String::new();
        let line = person.editor.text();
        let typed = line[word.start..person.editor.cursor_byte()].to_owned();
        match &found[..] {
            [] => out.push('\x07'),
            [only] => {
                let end = if only.ends { " " } else { "" };
                let text = format!("{}{end}", kept_quote(&typed, &only.text));
                person.editor.replace_from(word.start, &text, &mut out);
            }
            _ => {
                let common = common_prefix(&found);
                if common.len() > word.text.len() && common.starts_with(&word.text) {
                    let text = kept_quote(&typed, common);
                    person.editor.replace_from(word.start, &text, &mut out);
                } else if !person.tabbed {
                    person.tabbed = true;
                    out.push('\x07');
                } else if found.len() > MANY {
                    person.editor.step_below(&mut out);
                    out.push_str(&format!(
                        "Display all {} possibilities? (y or n)",
                        found.len()
                    ));
                    person.asking = Some(Rc::new(found));
                } else {
                    list(&found, &mut person.editor, person.columns, &mut out);
                }
            }
        }
        self.print(&out);
    }
}

/// Lists candidates below the line and shows the line again.
pub(crate) fn list(found: &[Candidate], editor: &mut Editor, columns: usize, out: &mut String) {
    editor.step_below(out);
    list_only(found, columns, out);
    editor.draw_again(out);
}

/// The listing itself.
pub(crate) fn list_only(found: &[Candidate], columns: usize, out: &mut String) {
    if found
        .iter()
        .any(|candidate| !candidate.description.is_empty())
    {
        let longest = found
            .iter()
            .map(|c| width::text_width(&c.shown))
            .max()
            .unwrap_or(0);
        for candidate in found {
            let pad = longest - width::text_width(&candidate.shown);
            let mut line = candidate.shown.clone();
            if !candidate.description.is_empty() {
                let room = columns.saturating_sub(longest + 5);
                let mut description: String = candidate.description.chars().take(room).collect();
                if description.len() < candidate.description.len() && room > 1 {
                    description.pop();
                    description.push('…');
                }
                line.push_str(&format!("{}  ({description})", " ".repeat(pad)));
            }
            out.push_str(&format!("{line}\r\n"));
        }
        return;
    }
    let names: Vec<String> = found
        .iter()
        .map(|candidate| candidate.shown.clone())
        .collect();
    out.push_str(&width::columns(&names, columns).replace('\n', "\r\n"));
}

fn common_prefix(found: &[Candidate]) -> &str {
    let first = &found[0].text;
    let mut length = first.len();
    for candidate in &found[1..] {
        let same = first
            .bytes()
            .zip(candidate.text.bytes())
            .take_while(|(a, b)| a == b)
            .count();
        length = length.min(same);
    }
    while !first.is_char_boundary(length) {
        length -= 1;
    }
    &first[..length]
}

/// A completed word that began with a quote keeps it.
fn kept_quote(typed: &str, text: &str) -> String {
    match typed.chars().next() {
        Some(quote @ ('"' | '\'')) => format!("{quote}{}", text.replace('\\', "")),
        _ => text.to_owned(),
    }
}

/// A file name with a backslash before what the shell would take apart.
fn escape(name: &str) -> String {
    let mut out = String::new();
    for c in name.chars() {
        if " \t\n\\'\"`$&|;<>()*?[]!#".contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Words after which another command begins.
fn is_prefix(word: &str) -> bool {
    matches!(
        word,
        "sudo"
            | "time"
            | "exec"
            | "command"
            | "watch"
            | "nohup"
            | "!"
            | "then"
            | "do"
            | "else"
            | "if"
            | "while"
            | "until"
            | "{"
    ) || word
        .split_once('=')
        .is_some_and(|(name, _)| builtins::is_name(name))
}

/// Reads what a tool printed.
fn parse_candidates(text: &str, prefix: &str) -> (Vec<Candidate>, u32) {
    let mut lines: Vec<&str> = text.lines().collect();
    let directive = match lines.last().and_then(|last| last.strip_prefix(':')) {
        Some(number) => {
            lines.pop();
            number.trim().parse().unwrap_or(0)
        }
        None => 0,
    };
    if directive & ERROR != 0 {
        return (Vec::new(), directive);
    }
    let fits = |line: &&str| line.starts_with(prefix) && !line.starts_with("_activeHelp_");
    let found = lines.into_iter().filter(fits).map(|line| {
        let (text, description) = line.split_once('\t').unwrap_or((line, ""));
        Candidate {
            text: text.to_owned(),
            shown: text.to_owned(),
            description: description.to_owned(),
            ends: directive & NO_SPACE == 0,
        }
    });
    (found.collect(), directive)
}

/// Whether a file name ends as one of the candidates says; no candidates: any does.
fn has_ending(name: &str, endings: &[Candidate]) -> bool {
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    endings.is_empty() || endings.iter().any(|candidate| candidate.text == ending)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn candidates_are_read() {
        let (found, directive) = parse_candidates("get\tDisplay\ngoto\nset\n:4\n", "g");
        let texts: Vec<&str> = found
            .iter()
            .map(|candidate| candidate.text.as_str())
            .collect();
        assert_eq!((texts, directive), (vec!["get", "goto"], 4));
        assert_eq!(found[0].description, "Display");
        assert!(parse_candidates("x\n:1\n", "").0.is_empty());
    }

    #[test]
    fn what_candidates_agree_on() {
        let found: Vec<Candidate> = ["pods", "podé"].map(Candidate::word).to_vec();
        assert_eq!(common_prefix(&found), "pod");
    }
}
