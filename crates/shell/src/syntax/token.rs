//! Looks at text as tokens without reading commands: slices for messages, words for completion.

use std::rc::Rc;

use super::Aliases;
use super::ir::{Part, Word};
use super::lex::{Parser, Tok};

/// The source from `start` to where the parser has read, without what it only peeked at.
pub(super) fn source_text(parser: &Parser<'_>, start: usize) -> Rc<str> {
    let end = parser
        .peeked
        .as_ref()
        .map_or(parser.pos, |token| token.start)
        .max(start);
    parser.text[start..end].trim_end().into()
}

/// See [`super::words_before`].
pub(super) fn words_before(text: &str, cursor: usize) -> (Vec<String>, usize) {
    let before: Rc<str> = text[..cursor].into();
    let aliases = Aliases::new();
    let mut parser = Parser::new(before.clone(), 0, 1, &aliases);
    let mut words: Vec<String> = Vec::new();
    let mut last = cursor;
    let mut redirected = false;
    loop {
        parser.skip_blanks();
        let start = parser.pos;
        match parser.next() {
            Ok(token) => match token.kind {
                Tok::Word(word) if token.end >= cursor => {
                    words.push(plain_text(&word));
                    return (words, token.start);
                }
                // What a redirection names is no argument.
                Tok::Word(_) if redirected => redirected = false,
                Tok::Word(word) => words.push(plain_text(&word)),
                Tok::Op(op) if op.starts_with(['<', '>']) || op.starts_with("&>") => {
                    redirected = true;
                }
                Tok::Number(_) => {}
                Tok::Op(_) | Tok::Newline => {
                    words.clear();
                    redirected = false;
                }
                Tok::Eof => break,
            },
            // An open quote: the word being typed.
            Err(_) => {
                let raw = &before[start..];
                words.push(raw.replace(['\'', '"', '\\'], ""));
                last = start;
                return (words, last);
            }
        }
    }
    words.push(String::new());
    (words, last)
}

/// A word with its quotes removed and its expansions left out.
fn plain_text(word: &Word) -> String {
    fn add(parts: &[Part], out: &mut String) {
        for part in parts {
            match part {
                Part::Literal(text) | Part::Quoted(text) => out.push_str(text),
                Part::DoubleQuoted(parts) => add(parts, out),
                Part::Param(param) => {
                    out.push('$');
                    out.push_str(&param.name);
                }
                Part::Command(_) | Part::Arith(_) | Part::Process(..) => {}
            }
        }
    }
    let mut out = String::new();
    add(&word.parts, &mut out);
    out
}
