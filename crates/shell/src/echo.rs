//! What `echo` prints: shared by the builtin and `/bin/echo`.

use std::rc::Rc;

use crate::syntax::unescape_ansi;

/// The text of `echo` for these operands; `escapes` is how it takes backslashes without `-e`.
pub fn text(args: &[Rc<str>], mut escapes: bool) -> String {
    let mut newline = true;
    let mut rest = args;
    while let Some(letters) = rest.first().and_then(|arg| arg.strip_prefix('-')) {
        if letters.is_empty() || !letters.chars().all(|c| matches!(c, 'n' | 'e' | 'E')) {
            break;
        }
        for letter in letters.chars() {
            match letter {
                'n' => newline = false,
                'e' => escapes = true,
                _ => escapes = false,
            }
        }
        rest = &rest[1..];
    }
    let mut text = rest.join(" ");
    if escapes {
        // `\c` ends the output.
        if let Some(end) = cut(&text) {
            text.truncate(end);
            newline = false;
        }
        text = unescape_ansi(&octal(&text));
    }
    if newline {
        text.push('\n');
    }
    text
}

/// Where an unescaped `\c` stands.
fn cut(text: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match (escaped, c) {
            (true, 'c') => return Some(at - 1),
            (false, '\\') => escaped = true,
            _ => escaped = false,
        }
    }
    None
}

/// `\0nnn` as `\nnn`: echo and `%b` write octal with a zero in front.
pub(crate) fn octal(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        out.push(c);
        if c != '\\' {
            continue;
        }
        match chars.next() {
            Some('0') if chars.peek().is_some_and(|c| c.is_digit(8)) => {}
            Some(next) => out.push(next),
            None => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(args: &[&str], expected: &str) {
        let args: Vec<Rc<str>> = args.iter().map(|arg| (*arg).into()).collect();
        assert_eq!(text(&args, false), expected);
    }

    #[test]
    fn options_and_escapes() {
        check(&["a", "b"], "a b\n");
        check(&["-n", "a"], "a");
        check(&["-ne", "a\\tb"], "a\tb");
        check(&["-e", "a\\cb"], "a");
        check(&["-e", "\\033[1m\\0101"], "\x1b[1mA\n");
        check(&["-x", "a"], "-x a\n");
        check(&["a\\nb"], "a\\nb\n");
    }
}
