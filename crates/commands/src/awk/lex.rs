//! Tokens of an awk program.

use std::rc::Rc;

/// A token.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tok {
    Number(f64),
    Text(Rc<str>),
    Regex(Rc<str>),
    Name(Rc<str>),
    /// A name with a parenthesis right behind it.
    Func(Rc<str>),
    Builtin(Rc<str>),
    Keyword(&'static str),
    Op(&'static str),
    Newline,
    End,
}

const KEYWORDS: &[&str] = &[
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue",
    "next", "nextfile", "exit", "return", "delete", "in", "getline", "print", "printf",
];

/// Builtin functions.
pub(super) const BUILTINS: &[&str] = &[
    "length", "substr", "index", "split", "sub", "gsub", "match", "sprintf", "tolower", "toupper",
    "int", "sqrt", "rand", "srand", "system", "close", "fflush", "sin", "cos", "atan2", "exp",
    "log", "strftime", "systime", "gensub",
];

/// Longest first.
const OPERATORS: &[&str] = &[
    "**=", "&&", "||", "==", "!=", "<=", ">=", ">>", "++", "--", "+=", "-=", "*=", "/=", "%=",
    "^=", "!~", "**", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%", "^", "!",
    "<", ">", "?", ":", "~", "$", "=", "|",
];

/// Takes a program apart; the error names what cannot be read and its line.
pub(super) fn tokens(text: &str) -> Result<Vec<(Tok, u32)>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<(Tok, u32)> = Vec::new();
    let (mut at, mut line) = (0, 1);
    while let Some(&c) = chars.get(at) {
        let start_line = line;
        let token = match c {
            '\n' => {
                line += 1;
                at += 1;
                Tok::Newline
            }
            '#' => {
                while chars.get(at).is_some_and(|c| *c != '\n') {
                    at += 1;
                }
                continue;
            }
            '\\' if chars.get(at + 1) == Some(&'\n') => {
                line += 1;
                at += 2;
                continue;
            }
            c if c.is_whitespace() => {
                at += 1;
                continue;
            }
            '"' => {
                let (text, after) = string(&chars, at + 1, '"', line)?;
                at = after;
                Tok::Text(unescape(&text).into())
            }
            '/' if !ends_operand(out.last().map(|(token, _)| token)) => {
                let (text, after) = string(&chars, at + 1, '/', line)?;
                at = after;
                Tok::Regex(text.replace("\\/", "/").into())
            }
            c if c.is_ascii_digit()
                || c == '.' && chars.get(at + 1).is_some_and(char::is_ascii_digit) =>
            {
                let length = number_length(&chars[at..]);
                let text: String = chars[at..at + length].iter().collect();
                at += length;
                Tok::Number(match text.strip_prefix("0x") {
                    Some(hex) => u64::from_str_radix(hex, 16).unwrap_or(0) as f64,
                    None => text.parse().unwrap_or(0.0),
                })
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let start = at;
                while chars
                    .get(at)
                    .is_some_and(|c| c.is_ascii_alphanumeric() || *c == '_')
                {
                    at += 1;
                }
                let name: String = chars[start..at].iter().collect();
                match KEYWORDS.iter().find(|own| **own == name) {
                    Some(keyword) => Tok::Keyword(if *keyword == "func" {
                        "function"
                    } else {
                        keyword
                    }),
                    None if BUILTINS.contains(&name.as_str()) => Tok::Builtin(name.into()),
                    None if chars.get(at) == Some(&'(') => Tok::Func(name.into()),
                    None => Tok::Name(name.into()),
                }
            }
            _ => {
                let rest: String = chars[at..].iter().take(3).collect();
                let Some(op) = OPERATORS.iter().find(|op| rest.starts_with(**op)) else {
                    return Err(format!("line {line}: syntax error at or near {c}"));
                };
                at += op.len();
                Tok::Op(match *op {
                    "**" => "^",
                    "**=" => "^=",
                    op => op,
                })
            }
        };
        out.push((token, start_line));
    }
    out.push((Tok::End, line));
    Ok(out)
}

/// Whether a slash behind this token divides.
fn ends_operand(token: Option<&Tok>) -> bool {
    match token {
        Some(Tok::Number(_) | Tok::Text(_) | Tok::Regex(_) | Tok::Name(_) | Tok::Builtin(_)) => {
            true
        }
        Some(Tok::Op(op)) => matches!(*op, ")" | "]" | "$" | "++" | "--"),
        _ => false,
    }
}

fn string(chars: &[char], mut at: usize, end: char, line: u32) -> Result<(String, usize), String> {
    let mut text = String::new();
    let mut bracket = false;
    loop {
        let unterminated = || {
            let what = if end == '"' {
                "string"
            } else {
                "regular expression"
            };
            format!("line {line}: unterminated {what}")
        };
        let c = *chars.get(at).ok_or_else(unterminated)?;
        at += 1;
        match c {
            '\n' => return Err(unterminated()),
            '\\' => {
                text.push(c);
                text.extend(chars.get(at));
                at += 1;
            }
            '[' if end == '/' => {
                bracket = true;
                text.push(c);
            }
            ']' if end == '/' => {
                bracket = false;
                text.push(c);
            }
            c if c == end && !bracket => return Ok((text, at)),
            c => text.push(c),
        }
    }
}

/// Escapes of a string; those it does not know stay for the regular expression they may become.
pub(super) fn unescape(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\x07'),
            Some('b') => out.push('\x08'),
            Some('f') => out.push('\x0c'),
            Some('v') => out.push('\x0b'),
            Some('\n') => {}
            Some(c @ ('"' | '\\' | '/')) => out.push(c),
            Some(c @ '0'..='7') => {
                let mut value = c.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    value = value * 8 + digit;
                    chars.next();
                }
                out.extend(char::from_u32(value));
            }
            Some(c) => out.extend(['\\', c]),
            None => out.push('\\'),
        }
    }
    out
}

/// The length of the number a text begins with.
fn number_length(chars: &[char]) -> usize {
    let digits = |from: usize| {
        chars[from..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .count()
    };
    if chars.first() == Some(&'0') && chars.get(1) == Some(&'x') {
        return 2 + chars[2..]
            .iter()
            .take_while(|c| c.is_ascii_hexdigit())
            .count();
    }
    let mut at = digits(0);
    if chars.get(at) == Some(&'.') {
        at += 1 + digits(at + 1);
    }
    if matches!(chars.get(at), Some('e' | 'E')) {
        let sign = usize::from(matches!(chars.get(at + 1), Some('+' | '-')));
        let count = chars
            .get(at + 1 + sign..)
            .map_or(0, |_| digits(at + 1 + sign));
        if count > 0 {
            at += 1 + sign + count;
        }
    }
    at
}
