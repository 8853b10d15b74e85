//! The line editor: bytes from a raw terminal in, edits and what to show out. A pure state
//! machine; it knows neither the shell nor the system.
//!
//! Models readline's emacs mode.

mod keys;
mod screen;
mod search;
#[cfg(test)]
mod tests;

use std::rc::Rc;

pub use keys::Key;
use screen::Screen;
use search::Search;

/// What a byte led to that the editor cannot see to itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Enter: the line is finished.
    Line(String),
    /// Ctrl-C.
    Interrupt,
    /// Ctrl-D on an empty line.
    End,
    /// Tab: complete the word before the cursor.
    Complete,
}

/// A line being edited.
#[derive(Debug, Clone)]
pub struct Editor {
    line: Vec<char>,
    cursor: usize,
    screen: Screen,
    keys: keys::Decoder,
    /// What Ctrl-Y brings back.
    killed: Vec<char>,
    /// The last key killed text, so that the next kill adds to it.
    killing: bool,
    /// Where in the history the line comes from; its length is the line being typed.
    place: usize,
    /// What was being typed before the history was looked at.
    typed: Vec<char>,
    search: Option<Search>,
    /// Within a bracketed paste.
    pasting: bool,
    /// Lines before the last change, for Ctrl-_.
    undo: Vec<(Vec<char>, usize)>,
    /// How often Alt-. was pressed in a row, and how much it inserted last.
    yanked: Option<(usize, usize)>,
}

/// States kept for undoing.
const MAX_UNDO: usize = 100;

impl Editor {
    /// An editor with nothing typed.
    pub fn new() -> Editor {
        Editor {
            line: Vec::new(),
            cursor: 0,
            screen: Screen::new("", 80),
            keys: keys::Decoder::default(),
            killed: Vec::new(),
            killing: false,
            place: 0,
            typed: Vec::new(),
            search: None,
            pasting: false,
            undo: Vec::new(),
            yanked: None,
        }
    }

    /// Begins a line: shows the prompt. Returns what to write to the terminal.
    pub fn begin(&mut self, prompt: &str, columns: usize, history: usize) -> String {
        self.line.clear();
        self.cursor = 0;
        self.place = history;
        self.typed.clear();
        self.undo.clear();
        self.search = None;
        self.yanked = None;
        let mut out = String::from("\x1b[?2004h");
        self.screen = Screen::new(prompt, columns);
        self.screen.draw_prompt(&mut out);
        out
    }

    /// The text so far.
    pub fn text(&self) -> String {
        self.line.iter().collect()
    }

    /// The byte offset of the cursor in the text.
    pub fn cursor_byte(&self) -> usize {
        self.line[..self.cursor].iter().map(|c| c.len_utf8()).sum()
    }

    /// Inserts text at the cursor, as completion does.
    pub fn insert(&mut self, text: &str, out: &mut String) {
        self.remember();
        for c in text.chars() {
            self.line.insert(self.cursor, c);
            self.cursor += 1;
        }
        self.draw(out);
    }

    /// Replaces the text between a byte offset and the cursor.
    pub fn replace_from(&mut self, byte: usize, text: &str, out: &mut String) {
        self.remember();
        let before: String = self.line[..self.cursor].iter().collect();
        let start = before[..byte.min(before.len())].chars().count();
        self.line.splice(start..self.cursor, text.chars());
        self.cursor = start + text.chars().count();
        self.draw(out);
    }

    /// Shows the prompt and the line again below what was written meanwhile.
    pub fn draw_again(&mut self, out: &mut String) {
        self.screen.forget();
        self.screen.draw_prompt(out);
        self.draw(out);
    }

    /// Leaves the line for a listing: the cursor goes to its end and on to a new row.
    pub fn step_below(&mut self, out: &mut String) {
        self.show_end(out);
        out.push_str("\r\n");
    }

    /// The terminal has another width.
    pub fn resize(&mut self, columns: usize) {
        self.screen.resize(columns);
    }

    /// Takes one byte; `out` gets what is to be written to the terminal.
    pub fn feed(&mut self, byte: u8, history: &[Rc<str>], out: &mut String) -> Option<Event> {
        let key = self.keys.feed(byte)?;
        if self.pasting {
            return self.paste(key, out);
        }
        if self.search.is_some() {
            return self.search_key(key, history, out);
        }
        let killing = std::mem::take(&mut self.killing);
        if key != Key::YankLast {
            self.yanked = None;
        }
        match key {
            Key::Char(c) => self.type_char(c, out),
            Key::Enter => return Some(self.finish(out)),
            Key::Interrupt => {
                self.show_end(out);
                out.push_str("^C\r\n\x1b[?2004l");
                return Some(Event::Interrupt);
            }
            Key::DeleteOrEnd if self.line.is_empty() => {
                out.push_str("\x1b[?2004l");
                return Some(Event::End);
            }
            Key::Tab => return Some(Event::Complete),
            Key::PasteBegin => {
                self.remember();
                self.pasting = true;
            }
            Key::Search => {
                self.search = Some(Search::new(&self.line, self.cursor, self.place));
                self.draw_search(out);
            }
            Key::Up => self.recall(self.place.checked_sub(1), history, out),
            Key::Down => self.recall(Some(self.place + 1), history, out),
            Key::First => self.recall(Some(0), history, out),
            Key::Last => self.recall(Some(history.len()), history, out),
            Key::Clear => {
                out.push_str("\x1b[H\x1b[2J");
                self.draw_again(out);
            }
            Key::Undo => {
                if let Some((line, cursor)) = self.undo.pop() {
                    (self.line, self.cursor) = (line, cursor);
                    self.draw(out);
                }
            }
            Key::YankLast => self.yank_last(history, out),
            _ => self.edit(key, killing, out),
        }
        None
    }

    fn type_char(&mut self, c: char, out: &mut String) {
        if self
            .undo
            .last()
            .is_none_or(|(line, _)| self.line.len() < line.len() || c == ' ')
        {
            self.remember();
        }
        self.line.insert(self.cursor, c);
        self.cursor += 1;
        if self.cursor == self.line.len() && self.screen.append(c, out) {
            return;
        }
        self.draw(out);
    }

    fn finish(&mut self, out: &mut String) -> Event {
        self.show_end(out);
        out.push_str("\r\n\x1b[?2004l");
        Event::Line(self.text())
    }

    fn paste(&mut self, key: Key, out: &mut String) -> Option<Event> {
        match key {
            Key::PasteEnd => {
                self.pasting = false;
                self.draw(out);
            }
            Key::Char(c) => {
                self.line.insert(self.cursor, c);
                self.cursor += 1;
            }
            Key::Enter | Key::Tab => {
                self.line
                    .insert(self.cursor, if key == Key::Enter { '\n' } else { '\t' });
                self.cursor += 1;
            }
            _ => {}
        }
        None
    }

    /// Moves within the line, and changes it.
    fn edit(&mut self, key: Key, killing: bool, out: &mut String) {
        let end = self.line.len();
        match key {
            Key::Left => self.cursor = self.cursor.saturating_sub(1),
            Key::Right => self.cursor = (self.cursor + 1).min(end),
            Key::Home => self.cursor = 0,
            Key::End => self.cursor = end,
            Key::WordLeft => self.cursor = self.word_left(|c| !c.is_alphanumeric()),
            Key::WordRight => self.cursor = self.word_right(),
            Key::Backspace if self.cursor > 0 => {
                self.remember();
                self.cursor -= 1;
                self.line.remove(self.cursor);
            }
            Key::Delete | Key::DeleteOrEnd if self.cursor < end => {
                self.remember();
                self.line.remove(self.cursor);
            }
            Key::KillEnd => self.kill(self.cursor, end, killing),
            Key::KillStart => self.kill(0, self.cursor, killing),
            Key::KillWord => self.kill(self.word_left(char::is_whitespace), self.cursor, killing),
            Key::KillWordLeft => {
                self.kill(
                    self.word_left(|c| !c.is_alphanumeric()),
                    self.cursor,
                    killing,
                );
            }
            Key::KillWordRight => self.kill(self.cursor, self.word_right(), killing),
            Key::Yank => {
                self.remember();
                let killed = self.killed.clone();
                self.line
                    .splice(self.cursor..self.cursor, killed.iter().copied());
                self.cursor += killed.len();
            }
            Key::Transpose if self.cursor > 0 && end > 1 => {
                self.remember();
                let at = if self.cursor == end {
                    end - 1
                } else {
                    self.cursor
                };
                self.line.swap(at - 1, at);
                self.cursor = at + 1;
            }
            Key::UpperWord | Key::LowerWord | Key::CapitalWord => {
                self.remember();
                let to = self.word_right();
                let mut first = true;
                for at in self.cursor..to {
                    let c = self.line[at];
                    let upper = key == Key::UpperWord || (key == Key::CapitalWord && first);
                    first &= !c.is_alphanumeric();
                    let changed = if upper {
                        c.to_ascii_uppercase()
                    } else {
                        c.to_ascii_lowercase()
                    };
                    self.line[at] = changed;
                }
                self.cursor = to;
            }
            _ => {
                out.push('\x07');
                return;
            }
        }
        self.draw(out);
    }

    fn kill(&mut self, from: usize, to: usize, adds: bool) {
        self.remember();
        let text: Vec<char> = self.line.drain(from..to).collect();
        if !adds {
            self.killed.clear();
        }
        // Text killed to the left stands before what was killed already.
        let at = if from < self.cursor {
            0
        } else {
            self.killed.len()
        };
        self.killed.splice(at..at, text);
        self.cursor = from;
        self.killing = true;
    }

    fn word_left(&self, separates: impl Fn(char) -> bool) -> usize {
        let mut at = self.cursor;
        while at > 0 && separates(self.line[at - 1]) {
            at -= 1;
        }
        while at > 0 && !separates(self.line[at - 1]) {
            at -= 1;
        }
        at
    }

    fn word_right(&self) -> usize {
        let mut at = self.cursor;
        while at < self.line.len() && !self.line[at].is_alphanumeric() {
            at += 1;
        }
        while at < self.line.len() && self.line[at].is_alphanumeric() {
            at += 1;
        }
        at
    }

    /// Shows an entry of the history, or what was typed before.
    fn recall(&mut self, place: Option<usize>, history: &[Rc<str>], out: &mut String) {
        let Some(place) = place.filter(|place| *place <= history.len()) else {
            out.push('\x07');
            return;
        };
        if self.place == history.len() {
            self.typed = self.line.clone();
        }
        self.line = match history.get(place) {
            Some(entry) => entry.chars().collect(),
            None => self.typed.clone(),
        };
        self.place = place;
        self.cursor = self.line.len();
        self.draw(out);
    }

    /// Alt-.: the last word of an earlier line.
    fn yank_last(&mut self, history: &[Rc<str>], out: &mut String) {
        let (back, length) = self.yanked.unwrap_or((0, 0));
        let entry = history
            .len()
            .checked_sub(back + 1)
            .and_then(|at| history.get(at));
        let Some(word) = entry.and_then(|entry| entry.split_whitespace().next_back()) else {
            out.push('\x07');
            return;
        };
        self.remember();
        self.line.drain(self.cursor - length..self.cursor);
        self.cursor -= length;
        let word: Vec<char> = word.chars().collect();
        self.line
            .splice(self.cursor..self.cursor, word.iter().copied());
        self.cursor += word.len();
        self.yanked = Some((back + 1, word.len()));
        self.draw(out);
    }

    fn remember(&mut self) {
        if self.undo.len() == MAX_UNDO {
            self.undo.remove(0);
        }
        self.undo.push((self.line.clone(), self.cursor));
    }

    /// Moves the terminal's cursor behind the line.
    fn show_end(&mut self, out: &mut String) {
        if self.cursor < self.line.len() {
            self.screen.draw(&self.line, self.line.len(), out);
        }
    }

    fn draw(&mut self, out: &mut String) {
        self.screen.draw(&self.line, self.cursor, out);
    }
}

impl Default for Editor {
    fn default() -> Self {
        Editor::new()
    }
}
