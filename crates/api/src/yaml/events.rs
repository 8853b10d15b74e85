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
    Scalar { text: String, plain: bool, tag: String, anchor: Option<Rc<str>> },
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
    Mark { line: marker.line(), column: marker.col() + 1 }
}

fn tag_name(tag: &Tag) -> String {
    match tag.is_yaml_core_schema() {
        true => tag.suffix.clone(),
        false => "!".to_owned(),
    }
}

/// go-yaml's sentence for an error. What its scanner finds is told by the line, what its parser
/// finds by the line before.
fn translate(text: &str, error: &ScanError) -> Error {
    let mark = mark(*error.marker());
    let info = error.info();
    let (says, scanner) = sentence(info);
    let message = match says {
        "unknown anchor" => {
            let line = text.lines().nth(mark.line - 1).unwrap_or("");
            let rest: String = line.chars().skip(mark.column - 1).collect();
            let name: String = rest
                .trim_start_matches('*')
                .chars()
                .take_while(|c| c.is_alphanumeric() || "-_".contains(*c))
                .collect();
            format!("unknown anchor '{name}' referenced")
        }
        says => match mark.line - usize::from(!scanner) {
            0 => says.to_owned(),
            line => format!("line {line}: {says}"),
        },
    };
    Error { line: mark.line, column: mark.column, message }
}

/// The sentence, and whether it is the scanner's.
fn sentence(info: &str) -> (&str, bool) {
    let what = info.split_once(", ").map_or(info, |(_, what)| what);
    match what {
        "did not find expected key"
        | "did not find expected '-' indicator"
        | "did not find expected node content"
        | "did not find expected <document start>" => (what, false),
        "did not find expected ',' or '}'" => (what, false),
        "expected ',' or ']'" => ("did not find expected ',' or ']'", false),
        "found unknown anchor" => ("unknown anchor", false),
        "simple key expect ':'" | "simple key expected" => ("could not find expected ':'", true),
        "did not find expected hexadecimal number" => {
            ("did not find expected hexdecimal number", true)
        }
        _ if what.starts_with("unexpected character") || what.starts_with("tab") => {
            ("found character that cannot start any token", true)
        }
        _ => (what, true),
    }
}
