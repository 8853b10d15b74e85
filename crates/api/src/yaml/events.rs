//! The events of one document, and errors in go-yaml's words and lines.

use std::rc::Rc;

use saphyr_parser::{Event as Raw, Marker, Parser, ScalarStyle, ScanError, Tag};

use crate::yaml::Error;

/// A place in the text, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mark {
    pub(super) line: usize,
    pub(super) column: usize,
}

/// What a document is made of, in order.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Event {
    /// A scalar; `tag` is the name of a tag of YAML itself (`int`), `!` for any other, or empty.
    Scalar {
        text: String,
        plain: bool,
        tag: String,
        anchor: Option<Rc<str>>,
    },
    /// Items follow until `End`.
    ListStart { anchor: Option<Rc<str>> },
    /// Keys and values in turn follow until `End`.
    MapStart { anchor: Option<Rc<str>> },
    /// A collection ends.
    End,
    /// The node of an anchor again.
    Alias(Rc<str>),
}

/// The events of the first document of a text; none if there is none.
pub(super) fn first_document(text: &str) -> Result<Vec<(Event, Mark)>, Error> {
    let mut out = Vec::new();
    let mut parser = Parser::new_from_str(text);
    let anchor = |id: usize| (id > 0).then(|| Rc::from(id.to_string()));
    while let Some(next) = parser.next_event() {
        let (event, span) = next.map_err(|error| translate(text, &error))?;
        let mark = mark(span.start);
        out.push((
            match event {
                Raw::Nothing | Raw::StreamStart | Raw::DocumentStart(_) => continue,
                Raw::StreamEnd | Raw::DocumentEnd => break,
                Raw::Alias(id) => Event::Alias(Rc::from(id.to_string())),
                Raw::Scalar(text, style, id, tag) => Event::Scalar {
                    text: text.into_owned(),
                    plain: style == ScalarStyle::Plain,
                    tag: tag.map_or_else(String::new, |tag| tag_name(&tag)),
                    anchor: anchor(id),
                },
                Raw::SequenceStart(id, _) => Event::ListStart { anchor: anchor(id) },
                Raw::MappingStart(id, _) => Event::MapStart { anchor: anchor(id) },
                Raw::SequenceEnd | Raw::MappingEnd => Event::End,
            },
            mark,
        ));
    }
    Ok(out)
}

fn mark(marker: Marker) -> Mark {
    Mark {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

fn tag_name(tag: &Tag) -> String {
    match tag.is_yaml_core_schema() {
        true => tag.suffix.clone(),
        false => "!".to_owned(),
    }
}

/// go-yaml's sentence for an error. Both of its layers count lines from 0 and leave 0 out; what the
/// scanner finds is told by one more.
fn translate(text: &str, error: &ScanError) -> Error {
    let mark = mark(*error.marker());
    let says = sentence(text, error.info(), mark);
    let line = match says {
        // The end of the text is where the quote was not found.
        (END_OF_STREAM, _) => text.matches('\n').count() + 1,
        (_, Layer::Scanner) if mark.line == 1 => 0,
        (_, Layer::Scanner) => mark.line,
        (_, Layer::Parser) => mark.line - 1,
    };
    let message = match (says.0, line) {
        (UNKNOWN_ANCHOR, _) => format!("unknown anchor '{}' referenced", alias_at(text, mark)),
        (says, 0) => says.to_owned(),
        (says, line) => format!("line {line}: {says}"),
    };
    Error {
        line: mark.line,
        column: mark.column,
        message,
    }
}

const END_OF_STREAM: &str = "found unexpected end of stream";
const NO_KEY: &str = "did not find expected key";
const NO_CONTENT: &str = "did not find expected node content";
const UNKNOWN_ANCHOR: &str = "found unknown anchor";

/// Which layer of go-yaml finds an error.
#[derive(Clone, Copy, PartialEq)]
enum Layer {
    Scanner,
    Parser,
}

/// go-yaml's sentence for what this parser says.
fn sentence<'a>(text: &str, info: &'a str, mark: Mark) -> (&'a str, Layer) {
    let what = info.split_once(", ").map_or(info, |(_, what)| what);
    match what {
        NO_KEY
        | NO_CONTENT
        | UNKNOWN_ANCHOR
        | "did not find expected '-' indicator"
        | "did not find expected <document start>"
        | "did not find expected ',' or '}'" => (what, Layer::Parser),
        "expected ',' or ']'" | "illegal placement of ':' indicator" => {
            ("did not find expected ',' or ']'", Layer::Parser)
        }
        "misplaced bracket" => (stray_bracket(text, mark), Layer::Parser),
        "\"-\" is only valid inside a block" => (NO_CONTENT, Layer::Parser),
        "invalid trailing content after double-quoted scalar" => (NO_KEY, Layer::Parser),
        "invalid indentation" | "invalid indentation in flow construct" => {
            ("did not find expected ',' or '}'", Layer::Parser)
        }
        "invalid indentation in quoted scalar" => (END_OF_STREAM, Layer::Scanner),
        "simple key expect ':'"
        | "simple key expected"
        | "comment intercepting the multiline text" => {
            ("could not find expected ':'", Layer::Scanner)
        }
        // The letter is missing upstream too.
        "did not find expected hexadecimal number" => {
            ("did not find expected hexdecimal number", Layer::Scanner)
        }
        "found a tab" => (
            "found a tab character that violates indentation",
            Layer::Scanner,
        ),
        _ if what.starts_with("unexpected character") || what.starts_with("tab") => (
            "found character that cannot start any token",
            Layer::Scanner,
        ),
        _ => (what, Layer::Scanner),
    }
}

/// A closing bracket without an opening one: content is missing if it stands where the value of the
/// line before would, else a key.
fn stray_bracket(text: &str, mark: Mark) -> &'static str {
    let line = text.lines().nth(mark.line - 1).unwrap_or("");
    let before: String = line.chars().take(mark.column - 1).collect();
    if !before.trim().is_empty() {
        return if before.trim_end().ends_with([':', '-']) {
            NO_CONTENT
        } else {
            NO_KEY
        };
    }
    let above = text
        .lines()
        .take(mark.line - 1)
        .filter(|line| !line.trim().is_empty())
        .last();
    let above = above.unwrap_or("-");
    let column = above.chars().take_while(|c| *c == ' ' || *c == '-').count();
    let open = above.trim_end().ends_with([':', '-']);
    if open && column < mark.column {
        NO_CONTENT
    } else {
        NO_KEY
    }
}

/// The name of the alias at a place.
fn alias_at(text: &str, mark: Mark) -> String {
    let line = text.lines().nth(mark.line - 1).unwrap_or("");
    let rest = line.chars().skip(mark.column - 1).skip_while(|c| *c == '*');
    rest.take_while(|c| c.is_alphanumeric() || "-_".contains(*c))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_in_go_yamls_words() {
        #[track_caller]
        fn check(text: &str, want: &str) {
            let error = first_document(text).expect_err(text);
            assert_eq!(error.to_string(), format!("yaml: {want}"), "{text}");
        }
        let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n";
        check(
            &format!("{pod}  - name: c\n   image: nginx\n"),
            "line 6: did not find expected key",
        );
        check(
            &format!("{pod}  - name: \"c\n    image: nginx\n"),
            "line 8: found unexpected end of stream",
        );
        check(
            &format!("{pod}    - name: c\n   - name: d\n"),
            "line 6: did not find expected key",
        );
        check(
            &format!("{pod}  - name: c\n    image nginx\n    tty: true\n"),
            "line 8: could not find expected ':'",
        );
        check(
            "a: 1\nb:\n\tc: 1\n",
            "line 3: found character that cannot start any token",
        );
        check(
            "a: b: c\n",
            "mapping values are not allowed in this context",
        );
        check(
            "x: 1\na: b: c\n",
            "line 2: mapping values are not allowed in this context",
        );
        check(
            "a: 1\nb: {name: x\n",
            "line 2: did not find expected ',' or '}'",
        );
        check("a: [1, 2\n", "line 1: did not find expected ',' or ']'");
        check(
            "metadata:\n}  name: x\n",
            "line 1: did not find expected node content",
        );
        check("a: 1\n}\n", "line 1: did not find expected key");
        check("a: \"\\q\"\n", "found unknown escape character");
        check("a: @x\n", "found character that cannot start any token");
        check("a: *x\n", "unknown anchor 'x' referenced");
    }
}
