//! Streams of documents: cut at `---` lines first, as kubectl does, then each read on its own.
//! Models k8s.io/apimachinery/pkg/util/yaml/decoder.go.

use crate::Value;
use crate::yaml::build::{self, Built, Reading};
use crate::yaml::{Document, Error};

/// Reads all documents of a stream; empty ones are left out. The first error ends it.
pub fn parse_all(text: &str) -> Result<Vec<Document>, Error> {
    read(text, Reading::default())
}

/// The same as go.yaml.in/yaml/v3 reads it, which kustomize uses: only `true` and `false` are
/// booleans.
pub fn parse_all_v3(text: &str) -> Result<Vec<Document>, Error> {
    let few_words = true;
    read(
        text,
        Reading {
            few_words,
            ..Reading::default()
        },
    )
}

/// The same, and each document knows where its nodes stand.
pub fn parse_all_with_positions(text: &str) -> Result<Vec<Document>, Error> {
    let positions = true;
    read(
        text,
        Reading {
            positions,
            ..Reading::default()
        },
    )
}

fn read(text: &str, reading: Reading) -> Result<Vec<Document>, Error> {
    let mut out = Vec::new();
    for chunk in chunks(text)? {
        let built = build::first_document(chunk.text, reading).map_err(|error| Error {
            line: error.line + chunk.line - 1,
            ..error
        })?;
        out.extend(document(built, chunk.line));
    }
    Ok(out)
}

fn document(built: Built, first_line: usize) -> Option<Document> {
    let Built {
        value,
        line,
        mut positions,
        repeated,
    } = built;
    for place in positions.0.values_mut() {
        place.0 += first_line - 1;
    }
    (!value.is_null()).then(|| Document {
        value,
        line: line + first_line - 1,
        positions,
        repeated,
    })
}

struct Chunk<'a> {
    text: &'a str,
    /// The line of the stream the chunk begins at.
    line: usize,
}

/// The parts between separators. A separator before any content belongs to the part after it, so
/// that lines in errors count from it; any other belongs to none.
fn chunks(text: &str) -> Result<Vec<Chunk<'_>>, Error> {
    let mut out = Vec::new();
    let (mut start, mut start_line, mut at) = (0, 1, 0);
    for (i, line) in text.split_inclusive('\n').enumerate() {
        if let Some(after) = line.strip_prefix("---") {
            let after = after.trim();
            if !after.is_empty() && !after.starts_with('#') {
                let message = format!("invalid Yaml document separator: {after}");
                return Err(Error {
                    line: i + 1,
                    column: 4,
                    message,
                });
            }
            if at > start {
                out.push(Chunk {
                    text: &text[start..at],
                    line: start_line,
                });
                start = at + line.len();
                start_line = i + 2;
            }
        }
        at += line.len();
    }
    if at > start {
        out.push(Chunk {
            text: &text[start..at],
            line: start_line,
        });
    }
    Ok(out)
}

/// Reads what `kubectl -f` takes: JSON documents if the text begins with `{`, else YAML. The error
/// is what kubectl says after `error parsing STDIN: `.
pub fn decode_stream(text: &str) -> Result<Vec<Document>, String> {
    let yaml = || {
        parse_all(text).map_err(|error| {
            match error.message.starts_with("invalid Yaml document separator") {
                true => error.message,
                false => format!("error converting YAML to JSON: {error}"),
            }
        })
    };
    if !text.trim_start().starts_with('{') {
        return yaml();
    }
    // Flow style YAML begins with a brace too; the answer about it, if it is neither, is JSON's.
    json_documents(text).or_else(|error| yaml().map_err(|_| error))
}

fn json_documents(text: &str) -> Result<Vec<Document>, String> {
    let mut out = Vec::new();
    let mut at = 0;
    while !text[at..].trim_start().is_empty() {
        let line = text[..at].matches('\n').count() + 1;
        let (value, end) = Value::from_json_prefix(&text.as_bytes()[at..]).map_err(|error| {
            match error.message.as_str() {
                "unexpected end of JSON input" => "unexpected EOF".to_owned(),
                message => format!("json: offset {}: {message}", at + error.offset + 1),
            }
        })?;
        at += end;
        if !value.is_null() {
            out.push(Document {
                value,
                line,
                positions: Default::default(),
                repeated: Vec::new(),
            });
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_their_lines() {
        #[track_caller]
        fn check(text: &str, want: &[(&str, usize)]) {
            let got = parse_all(text).expect("valid");
            let got: Vec<_> = got.iter().map(|d| (d.value.to_json(), d.line)).collect();
            let want: Vec<_> = want
                .iter()
                .map(|(json, line)| ((*json).to_owned(), *line))
                .collect();
            assert_eq!(got, want);
        }
        check("", &[]);
        check("# only a comment\n", &[]);
        check("a: 1\n", &[(r#"{"a":1}"#, 1)]);
        check(
            "---\na: 1\n---\n# x\nb: 2\n---\n",
            &[(r#"{"a":1}"#, 2), (r#"{"b":2}"#, 5)],
        );
        check(
            "a: 1\n--- # second\nb: 2\n---\n---\nc: 3",
            &[(r#"{"a":1}"#, 1), (r#"{"b":2}"#, 3), (r#"{"c":3}"#, 6)],
        );
        check("just text\n", &[(r#""just text""#, 1)]);
    }

    #[test]
    fn errors_count_lines_from_their_document() {
        let error = parse_all("a: 1\n---\nb: 2\nc: {x\n").expect_err("broken");
        assert_eq!(error.line, 5);
        assert_eq!(
            error.to_string(),
            "yaml: line 2: did not find expected ',' or '}'"
        );
        let error = decode_stream("a: 1\n--- b\n").expect_err("broken");
        assert_eq!(error, "invalid Yaml document separator: b");
    }

    #[test]
    fn json_streams() {
        assert_eq!(
            decode_stream("{\"a\":1}\n{\"b\":2}").map(|d| d.len()),
            Ok(2)
        );
        assert_eq!(decode_stream("{a: 1}").map(|d| d.len()), Ok(1));
        assert_eq!(
            decode_stream("{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\n"),
            Err("unexpected EOF".to_owned())
        );
    }

    #[test]
    fn positions() {
        let text = "---\nspec:\n  steps:\n  - name: a\n    checks: []\n";
        let documents = parse_all_with_positions(text).expect("valid");
        let positions = &documents[0].positions;
        assert_eq!(positions.find("spec.steps[0].checks"), (5, 5));
        assert_eq!(positions.find("spec.steps[0].nothing.here"), (4, 5));
        assert_eq!(positions.find("spec"), (2, 1));
        assert_eq!(positions.find("nothing"), (2, 1));
    }
}
