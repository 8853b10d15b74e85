//! POSIX regular expressions, basic and extended, on top of `regex-lite`.
//!
//! The syntax is translated; what differs is told here: alternatives prefer the first that
//! matches, not the longest. What that crate leaves out (back-references, Perl's look-around) is
//! matched by `backtrack`.

use crate::backtrack::Backtrack;

/// A regular expression.
#[derive(Debug, Clone)]
pub struct Regex {
    inner: Inner,
}

#[derive(Debug, Clone)]
enum Inner {
    Lite(regex_lite::Regex),
    Backtrack(Backtrack),
}

/// Where a group matched, if it did: byte offsets.
pub type Span = Option<(usize, usize)>;

impl Regex {
    /// An extended expression, as in `grep -E` and `[[ =~ ]]`.
    pub fn extended(text: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::build(&translate(text, true)?, ignore_case)
    }

    /// A basic expression, as in `grep` and `sed`.
    pub fn basic(text: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::build(&translate(text, false)?, ignore_case)
    }

    /// Text that stands for itself.
    pub fn fixed(text: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::build(&regex_lite::escape(text), ignore_case)
    }

    /// An expression in the syntax of `regex-lite` itself, for what is close enough to Perl's.
    pub fn perl(text: &str, ignore_case: bool) -> Result<Regex, String> {
        Regex::build(text, ignore_case)
    }

    fn build(pattern: &str, ignore_case: bool) -> Result<Regex, String> {
        if Backtrack::is_needed(pattern) {
            let inner = Inner::Backtrack(Backtrack::new(pattern, ignore_case)?);
            return Ok(Regex { inner });
        }
        let built = regex_lite::RegexBuilder::new(pattern)
            .case_insensitive(ignore_case)
            .build();
        let inner = built.map(Inner::Lite).map_err(|error| error.to_string());
        Ok(Regex { inner: inner? })
    }

    /// Whether it matches anywhere.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.inner {
            Inner::Lite(inner) => inner.is_match(text),
            Inner::Backtrack(inner) => inner.captures(text, 0).is_some(),
        }
    }

    /// The first match at or after a byte offset.
    pub fn find(&self, text: &str, from: usize) -> Option<(usize, usize)> {
        match &self.inner {
            Inner::Lite(inner) => inner
                .find_at(text, from)
                .map(|found| (found.start(), found.end())),
            Inner::Backtrack(inner) => *inner.captures(text, from)?.first()?,
        }
    }

    /// The groups of the first match at or after a byte offset; the first is the whole.
    pub fn captures(&self, text: &str, from: usize) -> Option<Vec<Span>> {
        let inner = match &self.inner {
            Inner::Lite(inner) => inner,
            Inner::Backtrack(inner) => return inner.captures(text, from),
        };
        let mut places = inner.capture_locations();
        inner.captures_read_at(&mut places, text, from)?;
        Some((0..places.len()).map(|group| places.get(group)).collect())
    }
}

/// Rewrites a POSIX expression in the syntax of `regex-lite`.
fn translate(text: &str, extended: bool) -> Result<String, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out = String::new();
    let mut at = 0;
    // Whether a repetition here would have nothing to repeat, so that `*` is a plain character.
    let mut start = true;
    let mut open = 0u32;
    while at < chars.len() {
        let c = chars[at];
        at += 1;
        let begins = std::mem::replace(&mut start, false);
        match c {
            '[' => at = bracket(&chars, at, &mut out)?,
            '\\' => {
                let Some(&next) = chars.get(at) else {
                    return Err("Trailing backslash".into());
                };
                at += 1;
                match next {
                    '{' if !extended => at = interval(&chars, at, "\\}", &mut out)?,
                    '(' | ')' | '|' | '+' | '?' if !extended => {
                        if next == ')' {
                            open = open.checked_sub(1).ok_or("Unmatched ) or \\)")?;
                        }
                        open += u32::from(next == '(');
                        start = next == '(' || next == '|';
                        out.push(next);
                    }
                    '<' => out.push_str("\\b"),
                    '>' => out.push_str("\\b"),
                    'b' | 'B' | 'w' | 'W' | 's' | 'S' => out.extend(['\\', next]),
                    'n' => out.push('\n'),
                    't' => out.push('\t'),
                    '1'..='9' => out.extend(['\\', next]),
                    _ => push_escaped(next, &mut out),
                }
            }
            '*' if begins => out.push_str("\\*"),
            '^' => {
                // In a basic expression only at the beginning is it an anchor.
                if begins || extended {
                    out.push('^');
                    start = true;
                } else {
                    out.push_str("\\^");
                }
            }
            '$' => {
                let rest: String = chars[at..].iter().take(2).collect();
                if extended || rest.is_empty() || rest == "\\)" || rest == "\\|" {
                    out.push('$');
                } else {
                    out.push_str("\\$");
                }
            }
            '(' | ')' | '|' if extended => {
                if c == ')' {
                    match open.checked_sub(1) {
                        Some(left) => open = left,
                        None => {
                            out.push_str("\\)");
                            continue;
                        }
                    }
                }
                open += u32::from(c == '(');
                start = c != ')';
                out.push(c);
            }
            '+' | '?' if extended && begins => push_escaped(c, &mut out),
            // An interval only if it looks like one.
            '{' if extended && !begins => match interval(&chars, at, "}", &mut out) {
                Ok(after) => at = after,
                Err(_) => out.push_str("\\{"),
            },
            '*' | '.' => out.push(c),
            '+' | '?' if extended => out.push(c),
            _ => push_escaped(c, &mut out),
        }
    }
    if open > 0 {
        return Err("Unmatched ( or \\(".to_owned());
    }
    Ok(out)
}

fn push_escaped(c: char, out: &mut String) {
    // With a backslash, these two would be the ends of a word.
    if c.is_ascii_punctuation() && !matches!(c, '<' | '>') {
        out.push('\\');
    }
    out.push(c);
}

/// A repetition like `{2,3}` behind its brace, up to `close`; returns the place after it.
fn interval(chars: &[char], at: usize, close: &str, out: &mut String) -> Result<usize, String> {
    let digits = chars[at..]
        .iter()
        .take_while(|c| c.is_ascii_digit() || **c == ',')
        .count();
    let after = at + digits;
    let found: String = chars[after..].iter().take(close.len()).collect();
    let inner: String = chars[at..after].iter().collect();
    if found != close || inner.starts_with(',') && inner.len() == 1 || inner.is_empty() {
        return Err("Invalid preceding regular expression".to_owned());
    }
    // Nothing before the comma means none at least.
    let inner = if inner.starts_with(',') {
        format!("0{inner}")
    } else {
        inner
    };
    out.push_str(&format!("{{{inner}}}"));
    Ok(after + close.len())
}

/// A bracket expression behind its `[`; returns the place after it.
fn bracket(chars: &[char], mut at: usize, out: &mut String) -> Result<usize, String> {
    out.push('[');
    if chars.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    loop {
        let Some(&c) = chars.get(at) else {
            return Err("Unmatched [, [^, [:, [., or [=".to_owned());
        };
        if c == ']' && at > first {
            out.push(']');
            return Ok(at + 1);
        }
        if c == '[' && matches!(chars.get(at + 1), Some(':')) {
            let rest: String = chars[at..].iter().collect();
            if let Some(end) = rest.find(":]") {
                out.push_str(&rest[..end + 2]);
                at += rest[..end + 2].chars().count();
                continue;
            }
        }
        // A backslash is an ordinary character here, but `\n`, `\t` and `\]` are in wide use.
        if c == '\\' && matches!(chars.get(at + 1), Some('n' | 't' | ']' | '\\')) {
            at += 1;
            match chars[at] {
                'n' => out.push('\n'),
                't' => out.push('\t'),
                other => out.extend(['\\', other]),
            }
            at += 1;
            continue;
        }
        if matches!(c, '[' | ']' | '\\' | '&' | '~' | '^') {
            out.push('\\');
        }
        out.push(c);
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(regex: Result<Regex, String>, text: &str, expected: Option<&str>) {
        let regex = regex.expect("compiles");
        assert_eq!(
            regex.find(text, 0).map(|(from, to)| &text[from..to]),
            expected
        );
    }

    #[test]
    fn basic_expressions() {
        check(Regex::basic("a\\(b*\\)c", false), "xabbc", Some("abbc"));
        check(Regex::basic("a+b?", false), "a+b?", Some("a+b?"));
        check(Regex::basic("*a", false), "*a", Some("*a"));
        check(Regex::basic("^a$", false), "a", Some("a"));
        check(Regex::basic("a^b$c", false), "a^b$c", Some("a^b$c"));
        check(Regex::basic("[0-9]\\{2,3\\}", false), "x1234", Some("123"));
        check(Regex::basic("\\(a\\|b\\)\\+", false), "xabba", Some("abba"));
        check(Regex::basic("[^[:space:]]*", false), "ab c", Some("ab"));
        check(Regex::basic("\\bfoo\\b", false), "a foo", Some("foo"));
        check(Regex::basic("[]a]*", false), "]a]b", Some("]a]"));
        check(Regex::basic("{a}", false), "{a}", Some("{a}"));
        check(Regex::basic("<a> ->", false), "x <a> -> b", Some("<a> ->"));
    }

    #[test]
    fn extended_expressions() {
        check(Regex::extended("^(a|b)+$", false), "abba", Some("abba"));
        check(Regex::extended("x{2}", false), "axxx", Some("xx"));
        check(Regex::extended("a{b", false), "a{b", Some("a{b"));
        check(Regex::extended("Foo", true), "xfoo", Some("foo"));
        check(Regex::extended("a\\.b", false), "axb a.b", Some("a.b"));
        assert!(Regex::extended("a(b", false).is_err());
        assert!(Regex::extended("[a", false).is_err());
    }

    #[test]
    fn what_was_found_can_be_asked_for_again() {
        check(Regex::basic("\\(.\\)\\1", false), "abccd", Some("cc"));
        check(Regex::extended("^(a+)-\\1$", false), "aa-aa", Some("aa-aa"));
        check(Regex::extended("^(a+)-\\1$", false), "aa-a", None);
    }
}
