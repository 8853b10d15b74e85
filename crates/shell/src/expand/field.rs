//! Fields: what a word has become so far, and which of its characters were quoted.

use std::rc::Rc;

/// A string whose characters know whether they were quoted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Field {
    /// Stretches of text, quoted or not.
    pieces: Vec<(String, bool)>,
}

impl Field {
    fn push(&mut self, text: &str, quoted: bool) {
        match self.pieces.last_mut() {
            Some((last, own)) if *own == quoted => last.push_str(text),
            _ => self.pieces.push((text.to_owned(), quoted)),
        }
    }

    /// The string itself.
    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|(text, _)| text.as_str()).collect()
    }

    /// Whether an unquoted character makes it a pattern of file names.
    pub(super) fn is_pattern(&self) -> bool {
        let special = |text: &str| {
            text.contains(['*', '?', '['])
                || text.contains("@(")
                || text.contains("+(")
                || text.contains("!(")
        };
        self.pieces
            .iter()
            .any(|(text, quoted)| !quoted && special(text))
    }

    /// As a pattern: quoted characters lose their meaning.
    pub(super) fn pattern(&self) -> String {
        self.escaped(|c| {
            matches!(
                c,
                '*' | '?' | '[' | ']' | '\\' | '(' | ')' | '|' | '!' | '@' | '+' | '-' | '^'
            )
        })
    }

    /// As a regular expression: quoted characters lose their meaning.
    pub(super) fn regex(&self) -> String {
        self.escaped(|c| c.is_ascii_punctuation())
    }

    fn escaped(&self, special: impl Fn(char) -> bool) -> String {
        let mut out = String::new();
        for (text, quoted) in &self.pieces {
            for c in text.chars() {
                if *quoted && special(c) {
                    out.push('\\');
                }
                out.push(c);
            }
        }
        out
    }
}

/// Makes fields of what a word's parts give.
pub(super) struct Builder {
    ifs: Rc<str>,
    /// Whether unquoted values are split.
    split: bool,
    done: Vec<Field>,
    current: Option<Field>,
    /// A separator was met that ends the current field as soon as something follows.
    ended: bool,
}

impl Builder {
    pub(super) fn new(ifs: Rc<str>, split: bool) -> Builder {
        Builder {
            ifs,
            split,
            done: Vec::new(),
            current: None,
            ended: false,
        }
    }

    pub(super) fn ifs(&self) -> &str {
        &self.ifs
    }

    pub(super) fn splits(&self) -> bool {
        self.split
    }

    fn add(&mut self, text: &str, quoted: bool) {
        if std::mem::take(&mut self.ended) {
            self.done.extend(self.current.take());
        }
        self.current.get_or_insert_default().push(text, quoted);
    }

    /// There is a word here, even if it stays empty.
    pub(super) fn touch(&mut self) {
        self.add("", true);
    }

    /// Text of the word itself.
    pub(super) fn literal(&mut self, text: &str) {
        if !text.is_empty() {
            self.add(text, false);
        }
    }

    /// Text from quotes.
    pub(super) fn quoted(&mut self, text: &str) {
        self.add(text, true);
    }

    /// An unquoted value: split where the word is.
    pub(super) fn expanded(&mut self, text: &str) {
        self.split_by(text, |c, ifs| ifs.contains(c));
    }

    /// Unquoted text of an operand: its blanks divide it as a value's would.
    pub(super) fn expanded_literal(&mut self, text: &str) {
        self.split_by(text, |c, ifs| ifs.contains(c) && c.is_whitespace());
    }

    fn split_by(&mut self, text: &str, separates: impl Fn(char, &str) -> bool) {
        if !self.split {
            if !text.is_empty() {
                self.add(text, false);
            }
            return;
        }
        let ifs = self.ifs.clone();
        let white = |c: char| matches!(c, ' ' | '\t' | '\n') && separates(c, &ifs);
        let hard = |c: char| !matches!(c, ' ' | '\t' | '\n') && separates(c, &ifs);
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            if white(c) {
                self.ended |= self.current.is_some();
                rest = &rest[c.len_utf8()..];
            } else if hard(c) {
                // A delimiter that is no blank ends a field even if that is empty.
                if self.ended || self.current.is_some() {
                    self.done.extend(self.current.take());
                } else {
                    self.done.push(Field::default());
                }
                self.ended = false;
                rest = rest[c.len_utf8()..].trim_start_matches(white);
            } else {
                let end = rest.find(|c| separates(c, &ifs)).unwrap_or(rest.len());
                let (word, after) = rest.split_at(end);
                self.add(word, false);
                rest = after;
                // Blanks before a hard delimiter belong to it.
                let trimmed = rest.trim_start_matches(white);
                if trimmed.starts_with(hard) {
                    rest = trimmed;
                }
            }
        }
    }

    /// Ends the field: the next parameter of `$@` begins one of its own.
    pub(super) fn next_field(&mut self) {
        if self.split {
            self.done.extend(self.current.take());
            self.ended = false;
        } else {
            self.add(" ", true);
        }
    }

    pub(super) fn finish(mut self) -> Vec<Field> {
        self.done.extend(self.current.take());
        self.done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ifs: &str, text: &str, expected: &[&str]) {
        let mut builder = Builder::new(ifs.into(), true);
        builder.expanded(text);
        let texts: Vec<String> = builder.finish().iter().map(Field::text).collect();
        assert_eq!(texts, expected, "{text:?} by {ifs:?}");
    }

    #[test]
    fn values_split_at_separators() {
        check(" \t\n", "  a  b\n", &["a", "b"]);
        check(":", "a:b::c:", &["a", "b", "", "c"]);
        check(":", ":a", &["", "a"]);
        check(" :", "a : b:: c", &["a", "b", "", "c"]);
        check("", "a b", &["a b"]);
        check(" ", "", &[]);
    }
}
