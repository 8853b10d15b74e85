//! How a string is written: plain, quoted with one or two marks, or as a literal block.
//! Models `yaml_emitter_analyze_scalar` and the writers of emitterc.go.

use super::Writer;
use crate::yaml::resolve::{Resolved, resolve};

/// Lines are folded at the first blank beyond this column.
const WIDTH: usize = 80;

/// Where a string stands.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Context {
    /// A key, which must stay on one line.
    Key,
    /// Anything else.
    Value,
}

/// Which styles a text allows.
struct Allowed {
    plain: bool,
    single: bool,
    block: bool,
}

/// Whether a text can stand before a colon without a question mark.
pub(super) fn is_simple_key(key: &str) -> bool {
    key.len() <= 128 && !key.contains(is_break)
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

fn is_line_separator(c: char) -> bool {
    matches!(c, '\u{2028}' | '\u{2029}')
}

fn is_printable(c: char) -> bool {
    !is_line_separator(c)
        && matches!(
            c,
            '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
        )
}

fn analyze(text: &str) -> Allowed {
    let mut plain = !(text.starts_with("---") || text.starts_with("..."));
    let (mut single, mut block) = (true, true);
    let (mut previous_space, mut previous_break) = (false, false);
    let mut preceded_by_blank = true;
    let mut chars = text.char_indices().peekable();
    while let Some((i, c)) = chars.next() {
        let followed_by_blank = chars.peek().is_none_or(|(_, next)| " \t".contains(*next));
        plain &= match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%'
            | '@' | '`'
                if i == 0 =>
            {
                false
            }
            '?' | '-' if i == 0 => !followed_by_blank,
            ':' => !followed_by_blank,
            '#' => !preceded_by_blank,
            _ => true,
        };
        let last = chars.peek().is_none();
        if c == ' ' {
            plain &= i > 0 && !last && !previous_break;
            single &= !previous_break;
            block &= !last;
        } else if is_break(c) {
            plain = false;
            // A blank at the end of a line would be lost.
            single &= !previous_space;
            block &= !previous_space;
        }
        if !is_printable(c) {
            (plain, single, block) = (false, false, false);
        }
        previous_space = c == ' ';
        previous_break = is_break(c);
        preceded_by_blank = c == ' ' || c == '\t' || is_break(c);
    }
    Allowed {
        plain,
        single,
        block,
    }
}

/// `1:30`, which YAML 1.1 takes for ninety: `[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?`
fn is_base60(text: &str) -> bool {
    let rest = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut parts = rest.split(':');
    let first = parts.next().unwrap_or("");
    let digit = |c: char| c.is_ascii_digit();
    let leading = first.starts_with(digit) && first.chars().all(|c| digit(c) || c == '_');
    let rest: Vec<&str> = parts.collect();
    let Some((last, middle)) = rest.split_last() else {
        return false;
    };
    let sixty = |part: &str| matches!(part.as_bytes(), [b'0'..=b'9'] | [b'0'..=b'5', b'0'..=b'9']);
    let (last, fraction) = last.split_once('.').unwrap_or((last, ""));
    leading
        && middle.iter().all(|part| sixty(part))
        && sixty(last)
        && fraction.chars().all(|c| digit(c) || c == '_')
}

impl Writer {
    /// Writes a string; lines after the first stand at `indent`.
    pub(super) fn string(&mut self, text: &str, indent: usize, context: Context) {
        let allowed = analyze(text);
        let fold = context == Context::Value;
        let multi_line = text.contains('\n');
        if multi_line && allowed.block && fold {
            return self.literal(text, indent);
        }
        let is_string = resolve(text) == Resolved::Str && !is_base60(text);
        if multi_line || !is_string {
            return self.double_quoted(text, indent, fold);
        }
        if allowed.plain {
            self.plain(text, indent, fold);
        } else if allowed.single {
            self.single_quoted(text, indent, fold);
        } else {
            self.double_quoted(text, indent, fold);
        }
    }

    fn plain(&mut self, text: &str, indent: usize, fold: bool) {
        let mut chars = text.chars().peekable();
        let mut previous_space = false;
        while let Some(c) = chars.next() {
            let next_space = chars.peek() == Some(&' ');
            if c == ' ' && fold && !previous_space && self.column > WIDTH && !next_space {
                self.line(indent);
            } else {
                self.put_char(c);
            }
            previous_space = c == ' ';
        }
    }

    fn single_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.put_char('\'');
        let mut chars = text.char_indices().peekable();
        let mut previous_space = false;
        while let Some((i, c)) = chars.next() {
            let inside = i > 0 && chars.peek().is_some_and(|(_, next)| *next != ' ');
            if c == ' ' && fold && !previous_space && self.column > WIDTH && inside {
                self.line(indent);
            } else if c == '\'' {
                self.put("''");
            } else {
                self.put_char(c);
            }
            previous_space = c == ' ';
        }
        self.put_char('\'');
    }

    fn double_quoted(&mut self, text: &str, indent: usize, fold: bool) {
        self.put_char('"');
        let mut chars = text.char_indices().peekable();
        let mut previous_space = false;
        while let Some((i, c)) = chars.next() {
            if c == ' ' {
                let next = chars.peek().map(|(_, next)| *next);
                let inside = i > 0 && next.is_some();
                if fold && !previous_space && self.column > WIDTH && inside {
                    self.line(indent);
                    if next == Some(' ') {
                        self.put_char('\\');
                    }
                } else {
                    self.put_char(' ');
                }
            } else {
                self.escaped(c);
            }
            previous_space = c == ' ';
        }
        self.put_char('"');
    }

    fn escaped(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' | '\\' => c,
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            c if is_printable(c) => return self.put_char(c),
            c => {
                let code = c as u32;
                return match code {
                    ..=0xff => self.put(&format!("\\x{code:02X}")),
                    0x100..=0xffff => self.put(&format!("\\u{code:04X}")),
                    _ => self.put(&format!("\\U{code:08X}")),
                };
            }
        };
        self.put_char('\\');
        self.put_char(short);
    }

    /// `|`, a digit if the text begins with a blank, `-` or `+` unless it ends in one line break.
    fn literal(&mut self, text: &str, indent: usize) {
        self.put_char('|');
        if text.starts_with([' ', '\n']) {
            self.put_char('2');
        }
        if !text.ends_with('\n') {
            self.put_char('-');
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put_char('+');
        }
        self.put_char('\n');
        for line in text.split_inclusive('\n') {
            if line != "\n" {
                self.line(indent);
                self.put(line.trim_end_matches('\n'));
            }
            if line.ends_with('\n') {
                self.put_char('\n');
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::{Value, yaml};

    #[test]
    fn quoting() {
        #[track_caller]
        fn check(text: &str, want: &str) {
            let out = yaml::to_string(&Value::from(text));
            assert_eq!(out, format!("{want}\n"));
            assert_eq!(
                yaml::parse_all(&out)
                    .expect(want)
                    .first()
                    .map(|d| d.value.as_str()),
                Some(text)
            );
        }
        for plain in [
            "a b",
            "nginx:1.27",
            "1Gi",
            "10.0.0.1",
            "a#b",
            "-x",
            ":x",
            "a'b",
            "a\"b",
            "a, b",
            "[",
            "x{}",
            "é",
            "1.2.3",
            "a-",
            "?x",
            "<none>",
            "=",
            "ÿ",
        ] {
            if plain != "[" {
                check(plain, plain);
            }
        }
        for double in [
            "",
            "yes",
            "y",
            "1",
            "0777",
            "08",
            "1e3",
            "null",
            "~",
            "true",
            "2026-01-05",
            ".5",
            "0x1F",
            "1_000",
            "12:30:00",
            "<<",
            ".nan",
        ] {
            check(double, &format!("\"{double}\""));
        }
        for single in [
            "a: b", "# x", "a #b", "- x", "-", "[a]", "{a}", "*x", "&x", "!x", "%x", "@x", "`x",
            "'x", "\"x\"", " x", "x ", "---", "...", "a:", ",x", "|", ">",
        ] {
            check(single, &format!("'{}'", single.replace('\'', "''")));
        }
        check("a\tb", "\"a\\tb\"");
        check("\u{1f600}", "\"\\U0001F600\"");
        check("\u{7}\u{1}", "\"\\a\\x01\"");
        check("a\u{2028}b", "\"a\\Lb\"");
    }
}
