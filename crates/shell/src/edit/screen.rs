//! What is on the screen: a prompt and a line that may wrap, redrawn in place.

use crate::width::{char_width, visible_width};

/// The prompt and where the terminal's cursor stands relative to it.
#[derive(Debug, Clone)]
pub(super) struct Screen {
    /// Rows of the prompt above the one the line begins on.
    above: String,
    /// The prompt's last row.
    prompt: String,
    columns: usize,
    /// Row of the cursor, counted from the row of the prompt's last line.
    row: usize,
    column: usize,
}

impl Screen {
    pub(super) fn new(prompt: &str, columns: usize) -> Screen {
        let (above, prompt) = match prompt.rfind('\n') {
            Some(at) => (&prompt[..=at], &prompt[at + 1..]),
            None => ("", prompt),
        };
        let columns = columns.max(10);
        Screen {
            above: above.to_owned(),
            prompt: prompt.to_owned(),
            columns,
            row: 0,
            column: 0,
        }
    }

    pub(super) fn resize(&mut self, columns: usize) {
        self.columns = columns.max(10);
    }

    /// The cursor is on a fresh row now.
    pub(super) fn forget(&mut self) {
        self.row = 0;
        self.column = 0;
    }

    pub(super) fn draw_prompt(&mut self, out: &mut String) {
        out.push_str(&self.above.replace('\n', "\r\n"));
        out.push_str(&self.prompt);
        let mut place = (0, 0);
        advance(&mut place, visible_width(&self.prompt), self.columns);
        (self.row, self.column) = place;
    }

    /// Adds a character at the end of what is shown, if that needs nothing else.
    pub(super) fn append(&mut self, c: char, out: &mut String) -> bool {
        let width = char_width(c);
        if width == 0 || self.column + width >= self.columns {
            return false;
        }
        out.push(c);
        self.column += width;
        true
    }

    /// Redraws prompt and line with the cursor before the character at `cursor`.
    pub(super) fn draw(&mut self, line: &[char], cursor: usize, out: &mut String) {
        let prompt = self.prompt.clone();
        self.draw_as(&prompt, line, cursor, out);
    }

    /// The same with another prompt, as the search has.
    pub(super) fn draw_as(&mut self, prompt: &str, line: &[char], cursor: usize, out: &mut String) {
        if self.row > 0 {
            out.push_str(&format!("\x1b[{}A", self.row));
        }
        out.push('\r');
        out.push_str(prompt);
        let mut place = (0, 0);
        advance(&mut place, visible_width(prompt), self.columns);
        let mut wanted = place;
        for (at, c) in line.iter().enumerate() {
            if at == cursor {
                wanted = place;
            }
            if *c == '\n' {
                out.push_str("\x1b[K\r\n");
                place = (place.0 + 1, 0);
                continue;
            }
            match c {
                '\t' => out.push(' '),
                c => out.push(*c),
            }
            advance(
                &mut place,
                char_width(*c).max(usize::from(*c == '\t')),
                self.columns,
            );
        }
        if cursor >= line.len() {
            wanted = place;
        }
        // A full row leaves the terminal's cursor at its end: push it over.
        if place.1 == 0 && place.0 > 0 && line.last() != Some(&'\n') {
            out.push_str("\r\n");
        }
        out.push_str("\x1b[J");
        if place.0 > wanted.0 {
            out.push_str(&format!("\x1b[{}A", place.0 - wanted.0));
        }
        if place != wanted {
            out.push('\r');
            if wanted.1 > 0 {
                out.push_str(&format!("\x1b[{}C", wanted.1));
            }
        }
        (self.row, self.column) = wanted;
    }
}

/// Moves a place by one character (or a whole prompt) of this width, wrapping at the margin.
fn advance(place: &mut (usize, usize), width: usize, columns: usize) {
    if width <= 2 && place.1 + width > columns {
        *place = (place.0 + 1, 0);
    }
    place.1 += width;
    place.0 += place.1 / columns;
    place.1 %= columns;
}
