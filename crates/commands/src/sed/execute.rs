//! Running a sed script, a line at a time.

use std::collections::BTreeSet;
use std::rc::Rc;

use shell::regex::Regex;

use super::script::{Action, Address, Piece, Script, Substitute};

/// What the script needs before it goes on.
#[derive(Debug)]
pub(super) enum Next {
    /// The next line.
    Line,
    /// This text written to this file.
    Write(String, String),
    /// This file, to be printed behind the line.
    Read(String),
}

/// Pattern space, hold space, and where the script stands.
pub(super) struct Machine {
    script: Rc<Script>,
    pattern: String,
    hold: String,
    newline: bool,
    line: usize,
    last: bool,
    /// The command to go on with; `None` begins the script with the next line.
    at: Option<usize>,
    /// `N` waits for a line to add.
    joins: bool,
    /// For each command, whether its range is open, and the line it ends on if that is known.
    ranges: Vec<Option<Option<usize>>>,
    substituted: bool,
    /// The last regular expression used, as the command and whether its second address.
    recent: Option<Regex>,
    appended: String,
    output: String,
    /// `q`: the exit code.
    pub(super) quit: Option<i32>,
    /// Files that `w` has begun.
    pub(super) opened: BTreeSet<String>,
}

/// Rounds of a script over one line; more is a script that never ends.
const MAX_STEPS: usize = 1_000_000;

impl Machine {
    pub(super) fn new(script: Rc<Script>) -> Machine {
        let ranges = script.commands.iter().map(|_| None).collect();
        Machine {
            script,
            pattern: String::new(),
            hold: String::new(),
            newline: true,
            line: 0,
            last: false,
            at: None,
            joins: false,
            ranges,
            substituted: false,
            recent: None,
            appended: String::new(),
            output: String::new(),
            quit: None,
            opened: BTreeSet::new(),
        }
    }

    /// Begins another file with line 1.
    pub(super) fn restart(&mut self) {
        self.line = 0;
        self.at = None;
        self.ranges.fill_with(|| None);
    }

    pub(super) fn take_output(&mut self) -> String {
        std::mem::take(&mut self.output)
    }

    /// Text to be printed once the line is done.
    pub(super) fn append(&mut self, text: String) {
        self.appended.push_str(&text);
    }

    /// Takes a line and runs until the next is needed.
    pub(super) fn line(&mut self, line: String, last: bool) -> Next {
        self.line += 1;
        self.last = last;
        self.newline = line.ends_with('\n');
        let line = line.strip_suffix('\n').unwrap_or(&line);
        if std::mem::take(&mut self.joins) {
            self.pattern.push('\n');
            self.pattern.push_str(line);
        } else {
            self.pattern = line.to_owned();
        }
        if self.at.is_none() {
            self.at = Some(0);
            self.substituted = false;
        }
        self.resume()
    }

    /// Goes on where it stands.
    pub(super) fn resume(&mut self) -> Next {
        let script = self.script.clone();
        for _ in 0..MAX_STEPS {
            let Some(at) = self.at else { return Next::Line };
            let Some(command) = script.commands.get(at) else {
                self.finish(true);
                return Next::Line;
            };
            self.at = Some(at + 1);
            if self.selects(at, &script) == command.negated {
                if let Action::Open(end) = command.action {
                    self.at = Some(end + 1);
                }
                continue;
            }
            match &command.action {
                Action::Open(_) | Action::Close | Action::Nothing => {}
                Action::Append(text) => self.appended.push_str(text),
                Action::Insert(text) => self.output.push_str(text),
                Action::Change(text) => {
                    // A range is replaced once, at its end.
                    if command.to.is_none() || command.negated || self.ranges[at].is_none() {
                        self.output.push_str(text);
                    }
                    self.finish(false);
                    return Next::Line;
                }
                Action::Branch(kind, label) => {
                    let taken = match kind {
                        'b' => true,
                        't' => std::mem::take(&mut self.substituted),
                        _ => !std::mem::take(&mut self.substituted),
                    };
                    if taken {
                        self.at = Some(match label.as_str() {
                            "" => script.commands.len(),
                            label => script.labels[label],
                        });
                    }
                }
                Action::Delete => {
                    self.finish(false);
                    return Next::Line;
                }
                Action::DeleteFirst => match self.pattern.split_once('\n') {
                    Some((_, rest)) => {
                        self.pattern = rest.to_owned();
                        self.output.push_str(&std::mem::take(&mut self.appended));
                        self.at = Some(0);
                    }
                    None => {
                        self.finish(false);
                        return Next::Line;
                    }
                },
                Action::Substitute(substitute) => {
                    if self.substitute(substitute) {
                        self.substituted = true;
                        if substitute.print {
                            self.print();
                        }
                        if let Some(file) = &substitute.file {
                            return Next::Write(file.clone(), format!("{}\n", self.pattern));
                        }
                    }
                }
                Action::Translate(map) => {
                    self.pattern = self
                        .pattern
                        .chars()
                        .map(|c| *map.get(&c).unwrap_or(&c))
                        .collect();
                }
                Action::Read(path) => return Next::Read(path.clone()),
                Action::Write(path) => {
                    return Next::Write(path.clone(), format!("{}\n", self.pattern));
                }
                Action::Quit(code, prints) => {
                    self.finish(*prints);
                    self.quit = Some(*code);
                    return Next::Line;
                }
                Action::List => self.list(),
                Action::Plain(letter) => {
                    if self.plain(*letter) {
                        return Next::Line;
                    }
                }
            }
        }
        self.quit = Some(4);
        Next::Line
    }

    /// The commands of one letter; true if another line is needed.
    fn plain(&mut self, letter: char) -> bool {
        match letter {
            'g' => self.pattern = self.hold.clone(),
            'G' => {
                self.pattern.push('\n');
                self.pattern.push_str(&self.hold);
            }
            'h' => self.hold = self.pattern.clone(),
            'H' => {
                self.hold.push('\n');
                self.hold.push_str(&self.pattern);
            }
            'x' => std::mem::swap(&mut self.pattern, &mut self.hold),
            'p' => self.print(),
            'P' => {
                let first = self.pattern.split('\n').next().unwrap_or_default();
                self.output.push_str(&format!("{first}\n"));
            }
            '=' => self.output.push_str(&format!("{}\n", self.line)),
            'z' => self.pattern.clear(),
            'n' | 'N' if self.last => {
                // GNU sed prints what it has when there is no next line.
                self.finish(true);
                return true;
            }
            'n' => {
                if !self.script.quiet {
                    self.print();
                }
                self.output.push_str(&std::mem::take(&mut self.appended));
                return true;
            }
            _ => {
                self.output.push_str(&std::mem::take(&mut self.appended));
                self.joins = true;
                return true;
            }
        }
        false
    }

    fn print(&mut self) {
        self.output.push_str(&self.pattern);
        self.output.push('\n');
    }

    /// Ends the script for this line.
    fn finish(&mut self, prints: bool) {
        if prints && !self.script.quiet {
            self.output.push_str(&self.pattern);
            if self.newline || !self.last || !self.appended.is_empty() {
                self.output.push('\n');
            }
        }
        self.output.push_str(&std::mem::take(&mut self.appended));
        self.at = None;
    }

    fn selects(&mut self, at: usize, script: &Script) -> bool {
        let command = &script.commands[at];
        let Some(from) = &command.from else {
            return true;
        };
        let Some(to) = &command.to else {
            return self.fits(from);
        };
        match self.ranges[at] {
            None => {
                let begins = match from {
                    // `0,/x/` may end on the first line.
                    Address::Line(0) => self.line == 1,
                    from => self.fits(from),
                };
                if !begins {
                    return false;
                }
                let end = match to {
                    Address::Line(line) => Some(*line),
                    Address::More(count) => Some(self.line + count),
                    _ => None,
                };
                let ends_here = match (from, to) {
                    (Address::Line(0), Address::Match(_)) => self.fits(to),
                    (_, Address::Last) => self.last,
                    _ => end.is_some_and(|end| end <= self.line),
                };
                if !ends_here {
                    self.ranges[at] = Some(end);
                }
                true
            }
            Some(Some(end)) => {
                if self.line >= end {
                    self.ranges[at] = None;
                }
                // A range by number that was overtaken has ended.
                self.line <= end
            }
            Some(None) => {
                if self.fits(to) {
                    self.ranges[at] = None;
                }
                true
            }
        }
    }

    fn fits(&mut self, address: &Address) -> bool {
        match address {
            Address::Line(line) => self.line == *line,
            Address::Step(first, 0) => self.line == *first,
            Address::Step(first, step) => {
                self.line >= *first && (self.line - first).is_multiple_of(*step)
            }
            Address::Last => self.last,
            Address::More(_) => false,
            Address::Match(regex) => {
                if let Some(regex) = regex {
                    self.recent = Some(regex.clone());
                }
                self.recent
                    .as_ref()
                    .is_some_and(|regex| regex.is_match(&self.pattern))
            }
        }
    }

    fn substitute(&mut self, substitute: &Substitute) -> bool {
        if let Some(regex) = &substitute.regex {
            self.recent = Some(regex.clone());
        }
        let Some(regex) = self.recent.clone() else {
            return false;
        };
        let text = std::mem::take(&mut self.pattern);
        let mut out = String::new();
        let (mut at, mut copied, mut count) = (0, 0, 0);
        let mut changed = false;
        while at <= text.len() {
            let Some(groups) = regex.captures(&text, at) else {
                break;
            };
            let Some((from, to)) = groups[0] else { break };
            // An empty match right behind the last one does not count.
            let empty_again = to == from && changed && from == copied && count > 0;
            if !empty_again {
                count += 1;
                if count >= substitute.nth {
                    out.push_str(&text[copied..from]);
                    replace(&substitute.with, &text, &groups, &mut out);
                    copied = to;
                    changed = true;
                    if !substitute.all {
                        break;
                    }
                }
            }
            at = if to > from {
                to
            } else {
                to + text[to..].chars().next().map_or(1, char::len_utf8)
            };
        }
        out.push_str(&text[copied..]);
        self.pattern = out;
        changed
    }

    /// `l`: the pattern space with its control characters shown.
    fn list(&mut self) {
        let mut shown = String::new();
        for c in self.pattern.chars() {
            match c {
                '\\' => shown.push_str("\\\\"),
                '\n' => shown.push_str("\\n"),
                '\t' => shown.push_str("\\t"),
                '\r' => shown.push_str("\\r"),
                '\x1b' => shown.push_str("\\033"),
                c if c.is_control() => shown.push_str(&format!("\\{:03o}", u32::from(c))),
                c => shown.push(c),
            }
        }
        self.output.push_str(&format!("{shown}$\n"));
    }
}

fn replace(pieces: &[Piece], text: &str, groups: &[shell::regex::Span], out: &mut String) {
    // The case in force, and one for the next character only.
    let (mut case, mut once) = ('E', 'E');
    for piece in pieces {
        let part = match piece {
            Piece::Case(c @ ('u' | 'l')) => {
                once = *c;
                continue;
            }
            Piece::Case(c) => {
                case = *c;
                continue;
            }
            Piece::Text(part) => part.as_str(),
            Piece::Group(group) => match groups.get(*group).copied().flatten() {
                Some((from, to)) => &text[from..to],
                None => "",
            },
        };
        for c in part.chars() {
            let wanted = if once == 'E' {
                case
            } else {
                std::mem::replace(&mut once, 'E')
            };
            match wanted {
                'U' | 'u' => out.extend(c.to_uppercase()),
                'L' | 'l' => out.extend(c.to_lowercase()),
                _ => out.push(c),
            }
        }
    }
}
