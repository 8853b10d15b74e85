//! Domain names. Models RFC 1035, section 3.1, and the text form of section 5.1.

use std::fmt;
use std::rc::Rc;
use std::str::FromStr;

/// A domain name, absolute; its letters are kept as they were written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(Rc<str>);

/// Why a text is no domain name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotAName {
    /// Two dots in a row, or one at the beginning.
    EmptyLabel,
    /// A label is longer than 63 bytes.
    LongLabel,
    /// The name is longer than 255 bytes.
    LongName,
    /// A backslash that nothing follows it can stand for.
    BadEscape,
}

impl fmt::Display for NotAName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            NotAName::EmptyLabel => "empty label",
            NotAName::LongLabel => "label too long",
            NotAName::LongName => "name too long",
            NotAName::BadEscape => "bad escape",
        })
    }
}

impl Name {
    /// The root: `.`
    #[must_use]
    pub fn root() -> Name {
        Name(".".into())
    }

    /// The name as it is written, with the dot at its end: `web.shop.svc.cluster.local.`
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name in small letters, without the dot at its end: what names are compared by.
    #[must_use]
    pub fn folded(&self) -> String {
        self.0.trim_end_matches('.').to_ascii_lowercase()
    }

    /// Whether the two are one: names do not differ by the case of letters.
    #[must_use]
    pub fn same(&self, other: &Name) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }

    /// A name of these labels, from the leftmost.
    ///
    /// # Errors
    /// If a label or the whole is too long.
    pub(super) fn of_labels(labels: &[Vec<u8>]) -> Result<Name, NotAName> {
        let length: usize = labels.iter().map(|label| label.len() + 1).sum();
        if length + 1 > 255 {
            return Err(NotAName::LongName);
        }
        if labels.is_empty() {
            return Ok(Name::root());
        }
        let mut text = String::new();
        for label in labels {
            match label.len() {
                0 => return Err(NotAName::EmptyLabel),
                1..=63 => {}
                _ => return Err(NotAName::LongLabel),
            }
            for byte in label {
                match byte {
                    b'.' | b'\\' | b'"' | b'(' | b')' | b';' | b'@' | b'$' => {
                        text.push('\\');
                        text.push(char::from(*byte));
                    }
                    0x21..=0x7e => text.push(char::from(*byte)),
                    _ => text.push_str(&format!("\\{byte:03}")),
                }
            }
            text.push('.');
        }
        Ok(Name(text.into()))
    }

    /// Its labels, from the leftmost.
    #[must_use]
    pub fn labels(&self) -> Vec<Vec<u8>> {
        // It was checked when it was made.
        split(&self.0).unwrap_or_default()
    }
}

impl FromStr for Name {
    type Err = NotAName;

    /// Reads a name; the dot at its end may be left out.
    fn from_str(text: &str) -> Result<Name, NotAName> {
        Name::of_labels(&split(text)?)
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

fn split(text: &str) -> Result<Vec<Vec<u8>>, NotAName> {
    let mut labels = Vec::new();
    let mut label = Vec::new();
    if text == "." || text.is_empty() {
        return Ok(labels);
    }
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'.' if label.is_empty() => return Err(NotAName::EmptyLabel),
            b'.' => labels.push(std::mem::take(&mut label)),
            b'\\' => label.push(escaped(&mut bytes)?),
            byte => label.push(byte),
        }
    }
    if !label.is_empty() {
        labels.push(label);
    }
    Ok(labels)
}

/// What stands behind a backslash: a byte as it is, or three digits.
fn escaped(bytes: &mut std::str::Bytes<'_>) -> Result<u8, NotAName> {
    let first = bytes.next().ok_or(NotAName::BadEscape)?;
    if !first.is_ascii_digit() {
        return Ok(first);
    }
    let mut number = u16::from(first - b'0');
    for _ in 0..2 {
        let digit = bytes.next().filter(u8::is_ascii_digit);
        number = number * 10 + u16::from(digit.ok_or(NotAName::BadEscape)? - b'0');
    }
    u8::try_from(number).map_err(|_| NotAName::BadEscape)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Result<&str, NotAName>) {
        let name = text.parse::<Name>();
        assert_eq!(name.as_ref().map(Name::as_str), expect.as_ref().copied());
    }

    #[test]
    fn names_end_in_a_dot() {
        check("web.shop", Ok("web.shop."));
        check("web.shop.", Ok("web.shop."));
        check("", Ok("."));
        check(".", Ok("."));
        check(r"a\.b.c", Ok(r"a\.b.c."));
        check(r"a\032b", Ok(r"a\032b."));
        check("a b", Ok(r"a\032b."));
    }

    #[test]
    fn what_is_no_name_is_told() {
        check("a..b", Err(NotAName::EmptyLabel));
        check(".a", Err(NotAName::EmptyLabel));
        check(&"a".repeat(64), Err(NotAName::LongLabel));
        check(&"abc.".repeat(64), Err(NotAName::LongName));
        check(r"a\25", Err(NotAName::BadEscape));
        check(r"a\999", Err(NotAName::BadEscape));
    }

    #[test]
    fn case_does_not_matter() {
        let (a, b): (Name, Name) = ("Web.Shop".parse().unwrap(), "web.shop".parse().unwrap());
        assert!(a.same(&b) && a != b);
        assert_eq!(a.folded(), "web.shop");
    }
}
