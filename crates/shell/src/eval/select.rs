//! `select`: a menu of words, asked until the loop is left. Models bash's execute_select_command and
//! print_select_list.

use std::rc::Rc;

use super::{Frame, Shell};
use crate::builtins::Reading;
use crate::syntax::ir::{self, CommandKind};
use crate::width;

/// What a `select` does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Turn {
    /// Show the menu and ask.
    Show,
    /// Ask, once the body has run.
    Ask,
    /// Look at what was answered.
    Answer,
}

impl Shell {
    pub(super) fn step_select(
        &mut self,
        command: Rc<ir::Command>,
        words: Rc<[Rc<str>]>,
        turn: Turn,
        quiet: bool,
    ) {
        let CommandKind::For(node) = &command.kind else {
            return;
        };
        if words.is_empty() {
            return;
        }
        let reply = self.state.text_or("REPLY", "");
        match turn {
            Turn::Show | Turn::Ask => {
                // An answer of nothing asks for the menu again.
                if turn == Turn::Show || reply.is_empty() {
                    self.print_error(&menu(&words));
                }
                let prompt = self.state.text_or("PS3", "#? ");
                self.print_error(&prompt);
                self.push_quiet(Frame::Select(command, words, Turn::Answer), quiet);
                self.push_quiet(Frame::Read(Box::new(Reading::line())), true);
            }
            Turn::Answer if self.state.status != 0 => {
                self.print("\n");
                self.ended(1, quiet);
            }
            Turn::Answer if reply.is_empty() => {
                self.push_quiet(Frame::Select(command, words, Turn::Show), quiet);
            }
            Turn::Answer => {
                let number: Option<usize> = reply.trim().parse().ok();
                let chosen = number.and_then(|number| words.get(number.checked_sub(1)?));
                let chosen = chosen.cloned().unwrap_or_default();
                if let Err(message) = self.state.vars.set(&node.name, chosen) {
                    self.complain(&message);
                    return self.ended(1, quiet);
                }
                let body = node.body.clone();
                self.state.status = 0;
                self.push_quiet(Frame::Select(command, words, Turn::Ask), quiet);
                self.push_quiet(Frame::List(body, 0), quiet);
            }
        }
    }
}

/// Columns of a terminal.
const COLUMNS: usize = 80;

/// The words with their numbers: in columns, or below each other where a row could hold all.
fn menu(words: &[Rc<str>]) -> String {
    let digits = |number: usize| number.to_string().len();
    let numbers = digits(words.len());
    let longest = words.iter().map(|word| width::text_width(word)).max();
    let column = longest.unwrap_or(0) + numbers + 4;
    let columns = (COLUMNS / column).max(1);
    let rows = match words.len().div_ceil(columns) {
        1 => words.len(),
        rows => rows,
    };
    let mut out = String::new();
    for row in 0..rows {
        let mut at = 0;
        for (place, index) in (row..words.len()).step_by(rows).enumerate() {
            let wide = if place == 0 { digits(rows) } else { numbers };
            let cell = format!("{:>wide$}) {}", index + 1, words[index]);
            out.push_str(&cell);
            if index + rows < words.len() {
                indent(&mut out, at + width::text_width(&cell), at + column);
                at += column;
            }
        }
        out.push('\n');
    }
    out
}

/// Goes from one column to another with tabs as far as they reach.
fn indent(out: &mut String, mut from: usize, to: usize) {
    const TAB: usize = 8;
    while from < to {
        if to / TAB > from / TAB {
            out.push('\t');
            from += TAB - from % TAB;
        } else {
            out.push(' ');
            from += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn menus() {
        let words = |count: usize| -> Vec<Rc<str>> {
            (1..=count)
                .map(|number| format!("word-number-{number}").into())
                .collect()
        };
        assert_eq!(menu(&words(2)), "1) word-number-1\n2) word-number-2\n");
        let text = menu(&words(8));
        assert_eq!(
            text,
            "1) word-number-1  3) word-number-3  5) word-number-5  7) word-number-7\n\
             2) word-number-2  4) word-number-4  6) word-number-6  8) word-number-8\n"
        );
    }
}
