//! Keys in; the line, the event and what the screen shows out.

use std::rc::Rc;

use super::{Editor, Event};

/// A terminal just good enough for what the editor writes.
struct Terminal {
    rows: Vec<Vec<char>>,
    row: usize,
    column: usize,
    columns: usize,
    pending: bool,
}

impl Terminal {
    fn new(columns: usize) -> Terminal {
        Terminal {
            rows: vec![vec![]],
            row: 0,
            column: 0,
            columns,
            pending: false,
        }
    }

    fn write(&mut self, text: &str) {
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '\x1b' => {
                    let mut number = String::new();
                    for c in chars.by_ref().skip(1) {
                        if c.is_ascii_alphabetic() {
                            self.command(c, number.parse().unwrap_or(0));
                            break;
                        }
                        number.push(c);
                    }
                }
                '\r' => (self.column, self.pending) = (0, false),
                '\n' => self.down(),
                '\x07' => {}
                c => {
                    if self.pending {
                        self.column = 0;
                        self.down();
                    }
                    let row = &mut self.rows[self.row];
                    row.resize(row.len().max(self.column + 1), ' ');
                    row[self.column] = c;
                    let width = crate::width::char_width(c);
                    if width == 2 {
                        row.resize(row.len().max(self.column + 2), ' ');
                        row[self.column + 1] = '\0';
                    }
                    self.column += width;
                    if self.column >= self.columns {
                        self.column = self.columns - 1;
                        self.pending = true;
                    }
                }
            }
        }
    }

    fn down(&mut self) {
        self.pending = false;
        self.row += 1;
        if self.row == self.rows.len() {
            self.rows.push(vec![]);
        }
    }

    fn command(&mut self, letter: char, number: usize) {
        self.pending = false;
        match letter {
            'A' => self.row -= number,
            'C' => self.column += number,
            'J' => {
                let row = &mut self.rows[self.row];
                row.truncate(self.column);
                self.rows.truncate(self.row + 1);
            }
            'K' => self.rows[self.row].truncate(self.column),
            _ => {}
        }
    }

    /// The screen with `|` at the cursor.
    fn shown(&self) -> String {
        let mut lines: Vec<String> = Vec::new();
        for (at, row) in self.rows.iter().enumerate() {
            let mut row = row.clone();
            if at == self.row {
                row.resize(row.len().max(self.column), ' ');
                row.insert(self.column, '|');
            }
            lines.push(row.into_iter().filter(|c| *c != '\0').collect());
        }
        lines.join("\n")
    }
}

fn press(keys: &str, columns: usize, history: &[&str]) -> (Editor, Terminal, Option<Event>) {
    let history: Vec<Rc<str>> = history.iter().map(|line| (*line).into()).collect();
    let mut editor = Editor::new();
    let mut terminal = Terminal::new(columns);
    terminal.write(&editor.begin("$ ", columns, history.len()));
    let mut event = None;
    for byte in keys.bytes() {
        let mut out = String::new();
        event = editor.feed(byte, &history, &mut out).or(event);
        terminal.write(&out);
    }
    (editor, terminal, event)
}

#[track_caller]
fn shows(keys: &str, expected: &str) {
    let (_, terminal, _) = press(keys, 20, &["ls -l", "cat file", "echo hi"]);
    assert_eq!(terminal.shown(), expected);
}

#[track_caller]
fn gives(keys: &str, event: Event) {
    assert_eq!(
        press(keys, 20, &["ls -l", "cat file", "echo hi"]).2,
        Some(event)
    );
}

#[test]
fn lines_are_edited() {
    shows("abc", "$ abc|");
    shows("abc\x02\x02X", "$ aX|bc");
    shows("abc\x7f\x7f", "$ a|");
    shows("abc\x01\x04", "$ |bc");
    shows("one two\x17", "$ one |");
    shows("one two\x17\x17\x19", "$ one two|");
    shows("one two\x1bb\x0b", "$ one |");
    shows("one two\x1bb\x15\x05\x19", "$ twoone |");
    shows("one two\x1b[1;5D\x1b[1;5D\x1bd", "$ | two");
    shows("ab\x14", "$ ba|");
    shows("é漢x\x02\x02", "$ é|漢x");
    shows("abc\x1b[H\x1b[C\x1b[3~", "$ a|c");
    shows("ab cd\x1f", "$ ab|");
}

#[test]
fn long_lines_wrap() {
    shows("abcdefghijklmnopqrstuvw", "$ abcdefghijklmnopqr\nstuvw|");
    shows("abcdefghijklmnopqr", "$ abcdefghijklmnopqr\n|");
    shows("abcdefghijklmnopqrst\x01X", "$ X|abcdefghijklmnopq\nrst");
    shows(
        "abcdefghijklmnopqrst\x01\x05!",
        "$ abcdefghijklmnopqr\nst!|",
    );
    shows("abcdefghijklmnopqrst\x7f\x7f\x7f", "$ abcdefghijklmnopq|");
}

#[test]
fn the_history_is_recalled_and_searched() {
    shows("\x10", "$ echo hi|");
    shows("ab\x10\x10\x0e\x0e", "$ ab|");
    shows("\x1b[A\x1b[A\x1b[A\x1b[A", "$ ls -l|");
    shows("\x12fi", "(reverse-i-search)`f\ni': cat |file");
    shows("\x12zz", "(failed reverse-i-se\narch)`zz': |");
}

#[test]
fn keys_give_events() {
    gives("ls\r", Event::Line("ls".into()));
    gives("ls\x03", Event::Interrupt);
    gives("\x04", Event::End);
    gives("l\t", Event::Complete);
    gives("\x12cat\r", Event::Line("cat file".into()));
    gives("x\x12cat\x07\r", Event::Line("x".into()));
    gives("a\x1b.\r", Event::Line("ahi".into()));
    gives("\x1b[200~a\nb\tc\x1b[201~\r", Event::Line("a\nb\tc".into()));
}
