//! Reading a sed script.

use std::collections::BTreeMap;

use shell::regex::Regex;

/// A script.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    pub(super) labels: BTreeMap<String, usize>,
    /// `#n` on the first line, or `-n`.
    pub(super) quiet: bool,
}

/// A command with its addresses.
#[derive(Debug)]
pub(super) struct Command {
    pub(super) from: Option<Address>,
    pub(super) to: Option<Address>,
    pub(super) negated: bool,
    pub(super) action: Action,
}

/// Which lines a command is for.
#[derive(Debug)]
pub(super) enum Address {
    Line(usize),
    /// `first~step`
    Step(usize, usize),
    Last,
    /// `None` stands for the last regular expression used.
    Match(Option<Regex>),
    /// `+n`, as a second address.
    More(usize),
}

/// What a command does.
#[derive(Debug)]
pub(super) enum Action {
    /// `{`: where its `}` is.
    Open(usize),
    Close,
    Append(String),
    Insert(String),
    Change(String),
    Branch(char, String),
    Delete,
    DeleteFirst,
    Substitute(Substitute),
    Translate(BTreeMap<char, char>),
    Read(String),
    Write(String),
    Quit(i32, bool),
    List,
    /// `g G h H n N p P x = z`, by their letters.
    Plain(char),
    Nothing,
}

/// `s`
#[derive(Debug)]
pub(super) struct Substitute {
    pub(super) regex: Option<Regex>,
    pub(super) with: Vec<Piece>,
    pub(super) all: bool,
    pub(super) nth: usize,
    pub(super) print: bool,
    pub(super) file: Option<String>,
}

/// A piece of a replacement.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Piece {
    Text(String),
    Group(usize),
    /// `\U`, `\L`, `\u`, `\l`, `\E`
    Case(char),
}

struct Parser<'a> {
    chars: Vec<char>,
    at: usize,
    extended: bool,
    script: &'a mut Script,
    open: Vec<usize>,
}

/// Reads a script given in parts; the error is what sed says of it.
pub(super) fn parse(sources: &[String], extended: bool) -> Result<Script, String> {
    let mut script = Script {
        commands: Vec::new(),
        labels: BTreeMap::new(),
        quiet: false,
    };
    if sources[0] == "#n" || sources[0].starts_with("#n\n") {
        script.quiet = true;
    }
    // Parts join as lines: `-e 'a\' -e text` is one command.
    let joined = sources.join("\n");
    let mut parser = Parser {
        chars: joined.chars().collect(),
        at: 0,
        extended,
        script: &mut script,
        open: Vec::new(),
    };
    parser.all().map_err(|message| {
        // Positions count within the expression the mistake is in.
        let mut at = parser.at;
        let mut number = 1;
        for source in sources {
            let length = source.chars().count();
            if at <= length {
                break;
            }
            at -= length + 1;
            number += 1;
        }
        format!("-e expression #{number}, char {at}: {message}")
    })?;
    for command in &script.commands {
        if let Action::Branch(_, label) = &command.action
            && !label.is_empty()
            && !script.labels.contains_key(label)
        {
            return Err(format!(
                "-e expression #1, char {}: can't find label for jump to `{label}'",
                joined.chars().count()
            ));
        }
    }
    Ok(script)
}

impl Parser<'_> {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += 1;
        Some(c)
    }

    fn all(&mut self) -> Result<(), String> {
        loop {
            while self.peek().is_some_and(|c| c.is_whitespace() || c == ';') {
                self.at += 1;
            }
            if self.peek().is_none() {
                break;
            }
            self.command()?;
        }
        match self.open.is_empty() {
            true => Ok(()),
            false => {
                self.at = 0;
                Err("unmatched `{'".to_owned())
            }
        }
    }

    fn command(&mut self) -> Result<(), String> {
        let from = self.address()?;
        let mut to = None;
        self.spaces();
        if from.is_some() && self.peek() == Some(',') {
            self.at += 1;
            self.spaces();
            to = self.address()?;
            if to.is_none() {
                return Err("unexpected `,'".to_owned());
            }
        }
        self.spaces();
        let mut negated = false;
        while self.peek() == Some('!') {
            negated = true;
            self.at += 1;
            self.spaces();
        }
        let Some(letter) = self.next() else {
            return Err("missing command".to_owned());
        };
        let action = self.action(letter, from.is_some())?;
        self.script.commands.push(Command {
            from,
            to,
            negated,
            action,
        });
        Ok(())
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(' ' | '\t')) {
            self.at += 1;
        }
    }

    fn number(&mut self) -> Option<usize> {
        let start = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit()) {
            self.at += 1;
        }
        let text: String = self.chars[start..self.at].iter().collect();
        text.parse().ok()
    }

    fn address(&mut self) -> Result<Option<Address>, String> {
        Ok(Some(match self.peek() {
            Some('$') => {
                self.at += 1;
                Address::Last
            }
            Some(c) if c.is_ascii_digit() => {
                let first = self.number().unwrap_or(0);
                if self.peek() == Some('~') {
                    self.at += 1;
                    return Ok(Some(Address::Step(first, self.number().unwrap_or(0))));
                }
                Address::Line(first)
            }
            Some('+') => {
                self.at += 1;
                Address::More(self.number().unwrap_or(0))
            }
            Some('/' | '\\') => {
                let mut end = '/';
                if self.next() == Some('\\') {
                    end = self.next().ok_or("unterminated address regex")?;
                }
                let text = self.until(end).ok_or("unterminated address regex")?;
                let fold = self.peek() == Some('I');
                self.at += usize::from(fold);
                Address::Match(self.regex(&text, fold)?)
            }
            _ => return Ok(None),
        }))
    }

    fn regex(&self, text: &str, fold: bool) -> Result<Option<Regex>, String> {
        if text.is_empty() {
            return Ok(None);
        }
        let regex = if self.extended {
            Regex::extended(text, fold)
        } else {
            Regex::basic(text, fold)
        };
        regex.map(Some)
    }

    /// Text up to a delimiter, which is taken; an escaped delimiter is the character itself.
    fn until(&mut self, end: char) -> Option<String> {
        let mut text = String::new();
        let mut bracket = false;
        loop {
            let c = self.next()?;
            match c {
                '\\' => {
                    let next = self.next()?;
                    if next == end {
                        // A delimiter that is special in expressions stays special.
                        text.push(next);
                    } else {
                        text.extend(['\\', next]);
                    }
                    continue;
                }
                '[' if !bracket => {
                    bracket = true;
                    text.push(c);
                    // A bracket that closes at once is a member.
                    if self.peek() == Some('^') {
                        text.extend(self.next());
                    }
                    if self.peek() == Some(']') {
                        text.extend(self.next());
                    }
                    continue;
                }
                ']' => bracket = false,
                _ => {}
            }
            if c == end && !bracket {
                return Some(text);
            }
            if c == '\n' && end != '\n' && !bracket {
                return None;
            }
            text.push(c);
        }
    }

    fn action(&mut self, letter: char, addressed: bool) -> Result<Action, String> {
        Ok(match letter {
            '{' => {
                self.open.push(self.script.commands.len());
                Action::Open(0)
            }
            '}' => {
                if addressed {
                    return Err("} doesn't want any addresses".to_owned());
                }
                let Some(open) = self.open.pop() else {
                    return Err("unexpected `}'".to_owned());
                };
                let here = self.script.commands.len();
                self.script.commands[open].action = Action::Open(here);
                self.end()?;
                Action::Close
            }
            '#' => {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
                Action::Nothing
            }
            ':' => {
                if addressed {
                    return Err(": doesn't want any addresses".to_owned());
                }
                self.spaces();
                let label = self.word();
                if label.is_empty() {
                    return Err("\":\" lacks a label".to_owned());
                }
                self.script.labels.insert(label, self.script.commands.len());
                Action::Nothing
            }
            'a' | 'i' | 'c' => {
                let text = self.text()?;
                match letter {
                    'a' => Action::Append(text),
                    'i' => Action::Insert(text),
                    _ => Action::Change(text),
                }
            }
            'b' | 't' | 'T' => {
                self.spaces();
                Action::Branch(letter, self.word())
            }
            'r' | 'w' => {
                self.spaces();
                let name = self.line();
                if name.is_empty() {
                    return Err("missing filename in r/R/w/W commands".to_owned());
                }
                if letter == 'r' {
                    Action::Read(name)
                } else {
                    Action::Write(name)
                }
            }
            'q' | 'Q' => {
                self.spaces();
                let code = self.number().unwrap_or(0);
                self.end()?;
                Action::Quit(i32::try_from(code).unwrap_or(0), letter == 'q')
            }
            's' => self.substitute()?,
            'y' => self.translate()?,
            'd' => self.plain(Action::Delete)?,
            'D' => self.plain(Action::DeleteFirst)?,
            'l' => self.plain(Action::List)?,
            'g' | 'G' | 'h' | 'H' | 'n' | 'N' | 'p' | 'P' | 'x' | '=' | 'z' => {
                self.plain(Action::Plain(letter))?
            }
            other => return Err(format!("unknown command: `{other}'")),
        })
    }

    fn plain(&mut self, action: Action) -> Result<Action, String> {
        self.end()?;
        Ok(action)
    }

    /// Nothing but the end of the command may follow.
    fn end(&mut self) -> Result<(), String> {
        self.spaces();
        match self.peek() {
            None | Some('\n' | ';' | '}' | '#') => Ok(()),
            Some(_) => {
                self.at += 1;
                Err("extra characters after command".to_owned())
            }
        }
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| !matches!(c, '\n' | ';' | '}')) {
            word.push(c);
            self.at += 1;
        }
        word.trim_end().to_owned()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        while let Some(c) = self.peek().filter(|c| *c != '\n') {
            line.push(c);
            self.at += 1;
        }
        line
    }

    /// The text of `a`, `i` and `c`: on the next lines, or on this one.
    fn text(&mut self) -> Result<String, String> {
        self.spaces();
        if self.peek() == Some('\\') {
            self.at += 1;
            self.spaces();
            if self.peek() == Some('\n') {
                self.at += 1;
            }
        } else if self.peek().is_none() {
            return Err("expected \\ after `a', `c' or `i'".to_owned());
        }
        let mut text = String::new();
        while let Some(c) = self.next() {
            match c {
                '\\' => text.extend(self.next()),
                '\n' => break,
                c => text.push(c),
            }
        }
        text.push('\n');
        Ok(text)
    }

    fn substitute(&mut self) -> Result<Action, String> {
        let unterminated = "unterminated `s' command";
        let end = self.next().ok_or(unterminated)?;
        let pattern = self.until(end).ok_or(unterminated)?;
        let with = self.replacement(end).ok_or(unterminated)?;
        let mut found = Substitute {
            regex: None,
            with,
            all: false,
            nth: 1,
            print: false,
            file: None,
        };
        let mut fold = false;
        while let Some(c) = self.peek() {
            match c {
                'g' => found.all = true,
                'p' => found.print = true,
                'i' | 'I' => fold = true,
                'm' | 'M' | 'e' => {}
                'w' => {
                    self.at += 1;
                    self.spaces();
                    found.file = Some(self.line());
                    break;
                }
                '0'..='9' => {
                    found.nth = self.number().unwrap_or(1);
                    if found.nth == 0 {
                        return Err("number option to `s' command may not be zero".to_owned());
                    }
                    continue;
                }
                '\n' | ';' | '}' | '#' | ' ' | '\t' => break,
                _ => {
                    self.at += 1;
                    return Err("unknown option to `s'".to_owned());
                }
            }
            self.at += 1;
        }
        self.end()?;
        found.regex = self.regex(&pattern, fold)?;
        let groups = pattern
            .matches(if self.extended { "(" } else { "\\(" })
            .count();
        let highest = found.with.iter().filter_map(|piece| match piece {
            Piece::Group(group) => Some(*group),
            _ => None,
        });
        if let Some(group) = highest.max().filter(|group| *group > groups) {
            return Err(format!("invalid reference \\{group} on `s' command's RHS"));
        }
        Ok(Action::Substitute(found))
    }

    fn replacement(&mut self, end: char) -> Option<Vec<Piece>> {
        let mut pieces = Vec::new();
        let mut text = String::new();
        let mut close = |text: &mut String, piece: Piece| {
            if !text.is_empty() {
                pieces.push(Piece::Text(std::mem::take(text)));
            }
            pieces.push(piece);
        };
        loop {
            let c = self.next()?;
            match c {
                c if c == end => break,
                '&' => close(&mut text, Piece::Group(0)),
                '\\' => match self.next()? {
                    c if c == end => text.push(c),
                    c @ '0'..='9' => close(&mut text, Piece::Group(c as usize - '0' as usize)),
                    c @ ('U' | 'L' | 'u' | 'l' | 'E') => close(&mut text, Piece::Case(c)),
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    c => text.push(c),
                },
                c => text.push(c),
            }
        }
        if !text.is_empty() {
            pieces.push(Piece::Text(text));
        }
        Some(pieces)
    }

    fn translate(&mut self) -> Result<Action, String> {
        let unterminated = "unterminated `y' command";
        let end = self.next().ok_or(unterminated)?;
        let mut sets: Vec<Vec<char>> = Vec::new();
        for _ in 0..2 {
            let mut set = Vec::new();
            loop {
                match self.next().ok_or(unterminated)? {
                    c if c == end => break,
                    '\\' => set.push(match self.next().ok_or(unterminated)? {
                        'n' => '\n',
                        't' => '\t',
                        c => c,
                    }),
                    c => set.push(c),
                }
            }
            sets.push(set);
        }
        if sets[0].len() != sets[1].len() {
            return Err("strings for `y' command are different lengths".to_owned());
        }
        self.end()?;
        Ok(Action::Translate(
            sets[0]
                .iter()
                .copied()
                .zip(sets[1].iter().copied())
                .collect(),
        ))
    }
}
