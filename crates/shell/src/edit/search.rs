//! Ctrl-R: the history searched as one types.

use std::rc::Rc;

use super::{Editor, Event, Key};

/// A search under way.
#[derive(Debug, Clone)]
pub(super) struct Search {
    text: String,
    /// The line before the search, with cursor and place.
    before: (Vec<char>, usize, usize),
    failed: bool,
}

impl Search {
    pub(super) fn new(line: &[char], cursor: usize, place: usize) -> Search {
        Search {
            text: String::new(),
            before: (line.to_vec(), cursor, place),
            failed: false,
        }
    }
}

impl Editor {
    pub(super) fn search_key(
        &mut self,
        key: Key,
        history: &[Rc<str>],
        out: &mut String,
    ) -> Option<Event> {
        let mut search = self.search.take()?;
        let mut from = self.place.saturating_add(1);
        match key {
            Key::Char(c) => search.text.push(c),
            Key::Backspace => {
                search.text.pop();
                from = history.len();
            }
            Key::Search => from = self.place,
            Key::Abort | Key::Interrupt => {
                (self.line, self.cursor, self.place) = search.before;
                if key == Key::Interrupt {
                    out.push_str("^C\r\n\x1b[?2004l");
                    return Some(Event::Interrupt);
                }
                self.draw(out);
                return None;
            }
            other => {
                // Any other key takes the line as it was found, and acts on it.
                self.draw(out);
                if matches!(other, Key::Escape | Key::Unknown) {
                    return None;
                }
                return match other {
                    Key::Enter => Some(self.finish(out)),
                    Key::Tab => Some(Event::Complete),
                    other => {
                        self.edit(other, false, out);
                        None
                    }
                };
            }
        }
        let found = history
            .iter()
            .enumerate()
            .take(from)
            .rev()
            .find_map(|(at, entry)| entry.rfind(&search.text).map(|byte| (at, byte)));
        match found.filter(|_| !search.text.is_empty()) {
            Some((at, byte)) => {
                self.place = at;
                self.cursor = history[at][..byte].chars().count();
                self.line = history[at].chars().collect();
                search.failed = false;
            }
            None => search.failed = !search.text.is_empty(),
        }
        self.search = Some(search);
        self.draw_search(out);
        None
    }

    pub(super) fn draw_search(&mut self, out: &mut String) {
        let Some(search) = &self.search else { return };
        let failed = if search.failed { "failed " } else { "" };
        let prompt = format!("({failed}reverse-i-search)`{}': ", search.text);
        self.screen.draw_as(&prompt, &self.line, self.cursor, out);
    }
}
