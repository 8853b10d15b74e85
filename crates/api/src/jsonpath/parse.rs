//! Reads a template into nodes. Models client-go/util/jsonpath/parser.go.

use crate::jsonpath::{Node, Param};

struct Parser {
    input: Vec<char>,
    at: usize,
}

type Step<T> = Result<T, String>;

/// The nodes of a template: texts, and a list of nodes for each pair of braces.
pub(super) fn template(text: &str) -> Step<Vec<Node>> {
    let mut parser = Parser {
        input: text.chars().collect(),
        at: 0,
    };
    let mut out = Vec::new();
    loop {
        let rest = &parser.input[parser.at..];
        let plain: String = rest.iter().take_while(|c| **c != '{').collect();
        parser.at += plain.chars().count();
        if !plain.is_empty() {
            out.push(Node::Text(plain));
        }
        if parser.next().is_none() {
            return Ok(out);
        }
        let mut nodes = Vec::new();
        parser.action(&mut nodes)?;
        out.push(Node::List(nodes));
    }
}

/// The nodes of the inside of an action.
fn inside(text: &str) -> Step<Vec<Node>> {
    let mut parser = Parser {
        input: format!("{text}}}").chars().collect(),
        at: 0,
    };
    let mut nodes = Vec::new();
    parser.action(&mut nodes)?;
    Ok(nodes)
}

fn is_terminator(c: Option<char>) -> bool {
    c.is_none_or(|c| " \t\r\n.,[]$@{}".contains(c))
}

fn is_alphanumeric(c: Option<char>) -> bool {
    c.is_some_and(|c| c == '_' || c.is_alphanumeric())
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.input.get(self.at).copied()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek();
        self.at += usize::from(c.is_some());
        c
    }

    fn begins(&self, prefix: &str) -> bool {
        prefix
            .chars()
            .enumerate()
            .all(|(i, c)| self.input.get(self.at + i) == Some(&c))
    }

    fn text(&self, from: usize) -> String {
        self.input[from..self.at].iter().collect()
    }

    /// Reads nodes up to the closing brace.
    fn action(&mut self, out: &mut Vec<Node>) -> Step<()> {
        loop {
            if self.begins("}") {
                self.at += 1;
                return Ok(());
            }
            if self.begins("[?(") {
                self.at += 3;
                out.push(self.filter()?);
                continue;
            }
            if self.begins("..") {
                if out.last() == Some(&Node::Recursive) {
                    return Err("invalid multiple recursive descent".into());
                }
                self.at += 2;
                out.push(Node::Recursive);
                if is_alphanumeric(self.peek()) {
                    out.push(self.field());
                }
                continue;
            }
            match self.next() {
                None | Some('\r' | '\n') => return Err("unclosed action".into()),
                Some(' ' | '@' | '$') => {}
                Some('[') => self.array(out)?,
                Some(quote @ ('"' | '\'')) => out.push(self.quoted(quote)?),
                Some('.') => out.push(self.field()),
                Some(c) if c == '+' || c == '-' || c.is_ascii_digit() => {
                    self.at -= 1;
                    out.push(self.number()?);
                }
                Some(c) if is_alphanumeric(Some(c)) => {
                    self.at -= 1;
                    out.push(self.identifier());
                }
                Some(c) => {
                    let code = c as u32;
                    let says = "unrecognized character in action";
                    return Err(format!("{says}: U+{code:04X} '{c}'"));
                }
            }
        }
    }

    fn identifier(&mut self) -> Node {
        let from = self.at;
        while !is_terminator(self.peek()) {
            self.at += 1;
        }
        match self.text(from).as_str() {
            "true" => Node::Bool(true),
            "false" => Node::Bool(false),
            name => Node::Identifier(name.to_owned()),
        }
    }

    fn field(&mut self) -> Node {
        let from = self.at;
        while !is_terminator(self.peek()) {
            // A backslash takes the next character's meaning away.
            if self.next() == Some('\\') {
                self.next();
            }
        }
        match self.text(from).as_str() {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        }
    }

    fn number(&mut self) -> Step<Node> {
        let from = self.at;
        if let Some('+' | '-') = self.peek() {
            self.at += 1;
        }
        while self.peek().is_some_and(|c| c == '.' || c.is_ascii_digit()) {
            self.at += 1;
        }
        let text = self.text(from);
        if let Ok(n) = text.parse() {
            return Ok(Node::Int(n));
        }
        text.parse()
            .map(Node::Float)
            .map_err(|_| format!("cannot parse number {text}"))
    }

    fn quoted(&mut self, quote: char) -> Step<Node> {
        let from = self.at;
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated quoted string".into()),
                Some(c) if c == quote && self.input[self.at - 2] != '\\' => break,
                Some(_) => {}
            }
        }
        let text: String = self.input[from..self.at - 1].iter().collect();
        unquote(&text)
            .map(Node::Text)
            .ok_or_else(|| format!("unquote string {quote}{text}{quote} error invalid syntax"))
    }

    fn filter(&mut self) -> Step<Node> {
        let from = self.at;
        let mut quote = None;
        let mut closed = false;
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated filter".into()),
                Some(c @ ('"' | '\'')) => match quote {
                    None => quote = Some(c),
                    Some(open) if open == c && self.input[self.at - 2] != '\\' => closed = true,
                    Some(_) => {}
                },
                Some(')') if quote.is_some() == closed => break,
                Some(_) => {}
            }
        }
        let text: String = self.input[from..self.at - 1].iter().collect();
        if self.next() != Some(']') {
            return Err("unclosed array expect ]".into());
        }
        let comparison = |c: char| "!<>=".contains(c);
        let split = text.find(comparison).filter(|at| *at > 0).and_then(|at| {
            let rest = &text[at..];
            let len = rest.find(|c| !comparison(c)).unwrap_or(rest.len());
            (len < rest.len()).then(|| (&text[..at], &rest[..len], &rest[len..]))
        });
        Ok(match split {
            None => Node::Filter {
                left: inside(&text)?,
                operator: "exists".into(),
                right: Vec::new(),
            },
            Some((left, operator, right)) => Node::Filter {
                left: inside(left)?,
                operator: operator.into(),
                right: inside(right)?,
            },
        })
    }

    fn array(&mut self, out: &mut Vec<Node>) -> Step<()> {
        let from = self.at;
        loop {
            match self.next() {
                None | Some('\n') => return Err("unterminated array".into()),
                Some(']') => break,
                Some(_) => {}
            }
        }
        let text: String = self.input[from..self.at - 1].iter().collect();
        let text = if text == "*" { ":".to_owned() } else { text };
        if text.contains(',') {
            let parts = text
                .split(',')
                .map(|part| inside(&format!("[{}]", part.trim_matches(' '))));
            out.push(Node::Union(parts.collect::<Step<_>>()?));
            return Ok(());
        }
        let key = text
            .strip_prefix('\'')
            .and_then(|rest| rest.strip_suffix('\''));
        if let Some(key) = key.filter(|key| !key.contains('\'')) {
            out.extend(inside(&format!(".{key}"))?);
            return Ok(());
        }
        out.push(Node::Array(slice(&text)?));
        Ok(())
    }
}

/// `[from:to:step]`; a number alone is the item of that index.
fn slice(text: &str) -> Step<[Param; 3]> {
    let bad = || format!("invalid array index {text}");
    let parts: Vec<&str> = text.split(':').collect();
    if parts.len() > 3 {
        return Err(bad());
    }
    let mut out = [Param::default(); 3];
    for (param, part) in out.iter_mut().zip(&parts) {
        let digits = part.strip_prefix('-').unwrap_or(part);
        if !digits.bytes().all(|b| b.is_ascii_digit()) {
            return Err(bad());
        }
        if !part.is_empty() {
            let value = part
                .parse()
                .map_err(|_| format!("array index {part} is not a number"))?;
            *param = Param {
                value,
                known: true,
                derived: false,
            };
        }
    }
    if parts.len() == 1 {
        out[1] = Param {
            value: out[0].value + 1,
            known: true,
            derived: true,
        };
    }
    Ok(out)
}

/// The text with its escapes carried out; `None` if one is unknown.
fn unquote(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let hex = |chars: &mut std::str::Chars<'_>, len: usize| {
            let digits: String = chars.by_ref().take(len).collect();
            u32::from_str_radix(&digits, 16)
                .ok()
                .and_then(char::from_u32)
        };
        out.push(match chars.next()? {
            'n' => '\n',
            't' => '\t',
            'r' => '\r',
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'v' => '\u{b}',
            'x' => hex(&mut chars, 2)?,
            'u' => hex(&mut chars, 4)?,
            'U' => hex(&mut chars, 8)?,
            c @ ('\\' | '\'' | '"') => c,
            _ => return None,
        });
    }
    Some(out)
}
