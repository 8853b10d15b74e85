//! Field selectors: `status.phase=Running,spec.nodeName!=node01`. Which fields a kind offers is the
//! kind's business. Models k8s.io/apimachinery/pkg/fields.

use std::fmt;

/// One comparison of one field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldTerm {
    /// The field: `spec.nodeName`.
    pub field: String,
    /// The text to compare with.
    pub value: String,
    /// Whether the field must differ instead.
    pub negated: bool,
}

/// Comparisons that must all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldSelector {
    /// The comparisons as they were written.
    pub terms: Vec<FieldTerm>,
}

impl FieldSelector {
    /// Reads the string form. The error is upstream's sentence.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Vec::new();
        for part in split_terms(text)
            .into_iter()
            .filter(|part| !part.is_empty())
        {
            let Some((field, negated, value)) = split_term(part) else {
                return Err(format!(
                    "invalid selector: '{text}'; can't understand '{part}'"
                ));
            };
            let value = unescape(value)?;
            terms.push(FieldTerm {
                field: field.to_owned(),
                value,
                negated,
            });
        }
        Ok(FieldSelector { terms })
    }

    /// Whether the fields, as `lookup` tells them, meet every comparison.
    pub fn matches<'a>(&self, mut lookup: impl FnMut(&str) -> &'a str) -> bool {
        self.terms
            .iter()
            .all(|term| (lookup(&term.field) == term.value) != term.negated)
    }

    /// The value a field must have, where the selector says so: lets a store go by an index.
    pub fn exact(&self, field: &str) -> Option<&str> {
        let term = self
            .terms
            .iter()
            .find(|term| term.field == field && !term.negated)?;
        Some(&term.value)
    }

    /// Whether every object is picked.
    pub fn is_everything(&self) -> bool {
        self.terms.is_empty()
    }
}

impl fmt::Display for FieldSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, term) in self.terms.iter().enumerate() {
            let comma = if i > 0 { "," } else { "" };
            let operator = if term.negated { "!=" } else { "=" };
            let value = term
                .value
                .replace('\\', "\\\\")
                .replace(',', "\\,")
                .replace('=', "\\=");
            write!(f, "{comma}{}{operator}{value}", term.field)?;
        }
        Ok(())
    }
}

/// The parts between commas that no backslash precedes.
fn split_terms(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (i, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b',' => {
                out.push(&text[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    out.push(&text[start..]);
    out
}

fn split_term(term: &str) -> Option<(&str, bool, &str)> {
    (0..term.len())
        .filter(|i| term.is_char_boundary(*i))
        .find_map(|i| {
            let rest = &term[i..];
            let cut = |operator: &str, negated| {
                rest.strip_prefix(operator)
                    .map(|value| (&term[..i], negated, value))
            };
            cut("!=", true)
                .or_else(|| cut("==", false))
                .or_else(|| cut("=", false))
        })
}

fn unescape(text: &str) -> Result<String, String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(c @ ('\\' | ',' | '=')) => out.push(c),
                other => {
                    let sequence: String = ['\\'].into_iter().chain(other).collect();
                    return Err(format!(
                        "invalid field selector: invalid escape sequence: {sequence}"
                    ));
                }
            },
            ',' | '=' => {
                let code = c as u32;
                return Err(format!(
                    "invalid field selector: unescaped character in value: {code}"
                ));
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parsing() {
        #[track_caller]
        fn check(text: &str, want: Result<&str, &str>) {
            let got = FieldSelector::parse(text).map(|s| s.to_string());
            assert_eq!(got.as_deref().map_err(String::as_str), want);
        }
        check("", Ok(""));
        check("a.b=c,,d!=e,f==g", Ok("a.b=c,d!=e,f=g"));
        check("a=b\\,c\\=", Ok("a=b\\,c\\="));
        check("a", Err("invalid selector: 'a'; can't understand 'a'"));
        check(
            "a=b\\x",
            Err("invalid field selector: invalid escape sequence: \\x"),
        );
        check(
            "a=b=c",
            Err("invalid field selector: unescaped character in value: 61"),
        );
    }

    #[test]
    fn matching() {
        let selector = FieldSelector::parse("phase=Running,node!=n1").expect("valid");
        let lookup =
            |node: &'static str| move |field: &str| if field == "phase" { "Running" } else { node };
        assert!(selector.matches(lookup("n2")));
        assert!(!selector.matches(lookup("n1")));
        assert_eq!(selector.exact("phase"), Some("Running"));
        assert_eq!(selector.exact("node"), None);
    }
}
