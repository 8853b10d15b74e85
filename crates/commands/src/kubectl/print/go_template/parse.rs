//! From a template's text to its nodes.
//!
//! Models text/template/parse.

use std::collections::BTreeMap;

use api::Value;

/// A piece of a template.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// Printed as it is.
    Text(String),
    /// `{{pipeline}}`.
    Action(Pipe),
    /// `{{if}}`, `{{with}}` or `{{range}}` with its two branches.
    Branch(Branch, Pipe, Vec<Node>, Vec<Node>),
    /// `{{break}}` and `{{continue}}`.
    Leave(bool),
    /// `{{template "name" pipeline}}`, and where the name stands.
    Call(String, Option<Pipe>, usize),
}

/// The nodes of a template and of those that it defines, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Templates {
    pub(super) nodes: Vec<Node>,
    pub(super) named: BTreeMap<String, Vec<Node>>,
}

/// What a branching node does with its pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Branch {
    If,
    With,
    Range,
}

/// `$x := command | command`.
#[derive(Clone, Debug, Default)]
pub(super) struct Pipe {
    pub(super) variables: Vec<String>,
    /// `=` instead of `:=`.
    pub(super) assigns: bool,
    pub(super) commands: Vec<Vec<Operand>>,
}

/// A word of a command, with where it stands.
#[derive(Clone, Debug)]
pub(super) struct Operand {
    pub(super) at: usize,
    pub(super) text: String,
    pub(super) what: What,
    /// `.a.b` after it.
    pub(super) fields: Vec<String>,
}

/// What an operand starts with.
#[derive(Clone, Debug)]
pub(super) enum What {
    Dot,
    Variable(String),
    Literal(Value),
    Function(String),
    Pipe(Box<Pipe>),
}

/// The functions there are: Go's own and kubectl's two.
const FUNCTIONS: &[&str] = &[
    "and",
    "base64decode",
    "eq",
    "exists",
    "ge",
    "gt",
    "html",
    "index",
    "js",
    "le",
    "len",
    "lt",
    "ne",
    "not",
    "or",
    "print",
    "printf",
    "println",
    "slice",
    "urlquery",
];

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Field(String),
    Dot,
    Variable(String),
    Word(String),
    Literal(Value),
    Mark(char),
    Declare,
}

/// An action's tokens and where it starts.
struct Action {
    tokens: Vec<(Token, usize, bool)>,
    at: usize,
}

enum Part {
    Text(String),
    Action(Action),
}

struct Parser<'a> {
    text: &'a str,
    parts: std::vec::IntoIter<Part>,
    /// Variables in scope.
    variables: Vec<String>,
    named: BTreeMap<String, Vec<Node>>,
}

/// What ended a list of nodes.
enum Stop {
    Eof,
    End,
    Else(Action),
}

/// Reads a template; a failure is told as `template: output:1: unclosed action`.
pub(super) fn parse(text: &str) -> Result<Templates, String> {
    let parts = split(text)?;
    let mut parser = Parser {
        text,
        parts: parts.into_iter(),
        variables: vec!["$".to_owned()],
        named: BTreeMap::new(),
    };
    match parser.list()? {
        (nodes, Stop::Eof) => Ok(Templates {
            nodes,
            named: parser.named,
        }),
        (_, Stop::End) => Err(fail(text, text.len(), "unexpected {{end}}")),
        (_, Stop::Else(action)) => Err(fail(text, action.at, "unexpected {{else}}")),
    }
}

fn fail(text: &str, at: usize, why: &str) -> String {
    let line = 1 + text[..at.min(text.len())].matches('\n').count();
    format!("template: output:{line}: {why}")
}

/// Cuts the text at its actions; `{{-` and `-}}` take the blanks beside them.
fn split(text: &str) -> Result<Vec<Part>, String> {
    let mut parts = Vec::new();
    let mut at = 0;
    let mut trim = false;
    loop {
        let open = text[at..].find("{{").map(|found| at + found);
        let mut plain = &text[at..open.unwrap_or(text.len())];
        if trim {
            plain = plain.trim_start();
        }
        let Some(open) = open else {
            if !plain.is_empty() {
                parts.push(Part::Text(plain.to_owned()));
            }
            return Ok(parts);
        };
        let mut inner = open + 2;
        let rest = &text[inner..];
        if rest.starts_with('-') && rest[1..].starts_with(|c: char| c.is_ascii_whitespace()) {
            plain = plain.trim_end();
            inner += 1;
        }
        if !plain.is_empty() {
            parts.push(Part::Text(plain.to_owned()));
        }
        let body = text[inner..].trim_start();
        if body.starts_with("/*") {
            let Some(close) = body.find("*/") else {
                return Err(fail(text, open, "unclosed comment"));
            };
            let after = text.len() - body.len() + close + 2;
            let tail = text[after..].trim_start();
            trim = tail.starts_with("-}}");
            let tail = tail.strip_prefix('-').unwrap_or(tail);
            if !tail.starts_with("}}") {
                return Err(fail(text, open, "comment ends before closing delimiter"));
            }
            at = text.len() - tail.len() + 2;
            continue;
        }
        let (tokens, end, trims) = tokens(text, inner)?;
        parts.push(Part::Action(Action { tokens, at: open }));
        at = end;
        trim = trims;
    }
}

type Tokens = Vec<(Token, usize, bool)>;

/// The tokens of an action, where it ends, and whether it trims what follows. Each token knows
/// whether a blank stands before it.
fn tokens(text: &str, start: usize) -> Result<(Tokens, usize, bool), String> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = start;
    let mut spaced = true;
    let mut depth = 0;
    loop {
        let rest = &text[at..];
        let Some(c) = rest.chars().next() else {
            return Err(fail(text, at, "unclosed action"));
        };
        if rest.starts_with("}}") {
            if depth > 0 {
                return Err(fail(text, at, "unclosed left paren"));
            }
            return Ok((found, at + 2, false));
        }
        if c == '-' && rest[1..].starts_with("}}") && spaced {
            return Ok((found, at + 3, true));
        }
        if c.is_ascii_whitespace() {
            at += 1;
            spaced = true;
            continue;
        }
        let word = |from: usize| {
            let end = text[from..]
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .map_or(text.len(), |found| from + found);
            (&text[from..end], end)
        };
        let next = bytes.get(at + 1).copied().unwrap_or(b' ');
        let (token, end) = match c {
            '.' if next.is_ascii_alphabetic() || next == b'_' => {
                let (name, end) = word(at + 1);
                (Token::Field(name.to_owned()), end)
            }
            '.' if !next.is_ascii_digit() => (Token::Dot, at + 1),
            '$' => {
                let (name, end) = word(at + 1);
                (Token::Variable(format!("${name}")), end)
            }
            '"' | '`' | '\'' => quoted(text, at)?,
            ':' if next == b'=' => (Token::Declare, at + 2),
            '(' | ')' | '|' | ',' | '=' => {
                depth += i32::from(c == '(') - i32::from(c == ')');
                if depth < 0 {
                    return Err(fail(text, at, "unexpected right paren"));
                }
                (Token::Mark(c), at + 1)
            }
            c if c.is_ascii_digit() || "+-.".contains(c) => number(text, at)?,
            c if c.is_alphabetic() || c == '_' => {
                let (name, end) = word(at);
                let token = match name {
                    "true" => Token::Literal(true.into()),
                    "false" => Token::Literal(false.into()),
                    "nil" => Token::Literal(Value::Null),
                    name => Token::Word(name.to_owned()),
                };
                (token, end)
            }
            c => {
                let why = format!(
                    "unexpected bad character U+{:04X} {c:?} in command",
                    c as u32
                );
                return Err(fail(text, at, &why));
            }
        };
        found.push((token, at, spaced));
        spaced = false;
        at = end;
    }
}

fn number(text: &str, at: usize) -> Result<(Token, usize), String> {
    let end = text[at + 1..]
        .find(|c: char| !(c.is_ascii_alphanumeric() || "._".contains(c)))
        .map_or(text.len(), |found| at + 1 + found);
    let word = &text[at..end];
    let whole = match word.strip_prefix("0x") {
        Some(digits) => i64::from_str_radix(digits, 16).ok(),
        None => word.parse().ok(),
    };
    let value = match (whole, word.parse::<f64>()) {
        (Some(whole), _) => Value::from(whole),
        (_, Ok(float)) => Value::Float(api::Float::new(float)),
        _ => return Err(fail(text, at, &format!("bad number syntax: {word:?}"))),
    };
    Ok((Token::Literal(value), end))
}

fn quoted(text: &str, at: usize) -> Result<(Token, usize), String> {
    let quote = text[at..].chars().next().unwrap_or('"');
    let mut out = String::new();
    let mut chars = text[at + 1..].char_indices();
    while let Some((offset, c)) = chars.next() {
        if c == quote {
            let end = at + 1 + offset + 1;
            let value = match (quote, out.chars().next()) {
                ('\'', Some(only)) => Value::from(i64::from(only as u32)),
                _ => Value::from(out.as_str()),
            };
            return Ok((Token::Literal(value), end));
        }
        if c == '\n' && quote != '`' {
            break;
        }
        if c != '\\' || quote == '`' {
            out.push(c);
            continue;
        }
        out.push(match chars.next().map(|(_, c)| c) {
            Some('n') => '\n',
            Some('t') => '\t',
            Some('r') => '\r',
            Some('a') => '\u{7}',
            Some('b') => '\u{8}',
            Some('f') => '\u{c}',
            Some('v') => '\u{b}',
            Some(c) => c,
            None => break,
        });
    }
    let why = match quote {
        '`' => "unterminated raw quoted string",
        '\'' => "unterminated character constant",
        _ => "unterminated quoted string",
    };
    Err(fail(text, at, why))
}

impl Parser<'_> {
    fn list(&mut self) -> Result<(Vec<Node>, Stop), String> {
        let mut nodes = Vec::new();
        while let Some(part) = self.parts.next() {
            let action = match part {
                Part::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Part::Action(action) => action,
            };
            let word = match action.tokens.first() {
                Some((Token::Word(word), ..)) => word.as_str(),
                _ => "",
            };
            match word {
                "end" => return Ok((nodes, Stop::End)),
                "else" => return Ok((nodes, Stop::Else(action))),
                "if" => nodes.push(self.branch(Branch::If, &action, 1)?),
                "with" => nodes.push(self.branch(Branch::With, &action, 1)?),
                "range" => nodes.push(self.branch(Branch::Range, &action, 1)?),
                "break" => nodes.push(Node::Leave(true)),
                "continue" => nodes.push(Node::Leave(false)),
                "define" => self.define(&action)?,
                "template" => nodes.push(self.call(&action, "template clause")?),
                "block" => {
                    let call = self.call(&action, "block clause")?;
                    self.body(&action)?;
                    nodes.push(call);
                }
                _ => {
                    let pipe = self.pipe(&action, 0, "command")?;
                    nodes.push(Node::Action(pipe));
                }
            }
        }
        Ok((nodes, Stop::Eof))
    }

    /// `{{define "name"}}…{{end}}`
    fn define(&mut self, action: &Action) -> Result<(), String> {
        match action.tokens.get(2) {
            Some((token, at, _)) => {
                let why = format!("unexpected {} in define clause", shown(token));
                Err(fail(self.text, *at, &why))
            }
            None => self.body(action),
        }
    }

    /// What follows a `define` or `block` is a template of its own, with variables of its own.
    fn body(&mut self, action: &Action) -> Result<(), String> {
        let name = self.name(action, "define clause")?;
        let outer = std::mem::replace(&mut self.variables, vec!["$".to_owned()]);
        let (nodes, end) = self.list()?;
        self.variables = outer;
        match end {
            Stop::End => {}
            Stop::Eof => return Err(fail(self.text, self.text.len(), "unexpected EOF")),
            Stop::Else(action) => {
                return Err(fail(
                    self.text,
                    action.at,
                    "unexpected {{else}} in define clause",
                ));
            }
        }
        if self.named.contains_key(&name) {
            let why = format!("template: multiple definition of template {name:?}");
            return Err(fail(self.text, self.text.len(), &why));
        }
        self.named.insert(name, nodes);
        Ok(())
    }

    fn call(&mut self, action: &Action, context: &str) -> Result<Node, String> {
        let name = self.name(action, context)?;
        let at = action.tokens[1].1;
        let pipe = match action.tokens.len() {
            2 => None,
            _ => Some(self.pipe(action, 2, context)?),
        };
        Ok(Node::Call(name, pipe, at))
    }

    fn name(&self, action: &Action, context: &str) -> Result<String, String> {
        match action.tokens.get(1) {
            Some((Token::Literal(Value::Str(name)), ..)) => Ok(name.to_string()),
            Some((token, at, _)) => {
                let why = format!("unexpected {} in {context}", shown(token));
                Err(fail(self.text, *at, &why))
            }
            None => {
                let why = format!("unexpected \"}}}}\" in {context}");
                Err(fail(self.text, action.at, &why))
            }
        }
    }

    fn branch(&mut self, branch: Branch, action: &Action, from: usize) -> Result<Node, String> {
        let scope = self.variables.len();
        let name = match branch {
            Branch::If => "if",
            Branch::With => "with",
            Branch::Range => "range",
        };
        let pipe = self.pipe(action, from, name)?;
        let (body, end) = self.list()?;
        let other = match end {
            Stop::End => Vec::new(),
            Stop::Eof => return Err(fail(self.text, self.text.len(), "unexpected EOF")),
            Stop::Else(action) => match action.tokens.get(1) {
                None => match self.list()? {
                    (nodes, Stop::End) => nodes,
                    (_, Stop::Eof) => {
                        return Err(fail(self.text, self.text.len(), "unexpected EOF"));
                    }
                    (_, Stop::Else(again)) => {
                        let why = "expected end; found {{else}}";
                        return Err(fail(self.text, again.at, why));
                    }
                },
                Some((Token::Word(word), ..)) if word == "if" => {
                    vec![self.branch(Branch::If, &action, 2)?]
                }
                Some((Token::Word(word), ..)) if word == "with" => {
                    vec![self.branch(Branch::With, &action, 2)?]
                }
                Some((_, at, _)) => return Err(fail(self.text, *at, "unexpected <else> action")),
            },
        };
        self.variables.truncate(scope);
        Ok(Node::Branch(branch, pipe, body, other))
    }

    fn pipe(&mut self, action: &Action, from: usize, context: &str) -> Result<Pipe, String> {
        let tokens = &action.tokens[from..];
        let mut at = 0;
        let pipe = self.pipeline(tokens, &mut at, context, action.at)?;
        match tokens.get(at) {
            None => Ok(pipe),
            Some((token, at, _)) => {
                let why = format!("unexpected {} in {context}", shown(token));
                Err(fail(self.text, *at, &why))
            }
        }
    }

    fn pipeline(
        &mut self,
        tokens: &[(Token, usize, bool)],
        at: &mut usize,
        context: &str,
        start: usize,
    ) -> Result<Pipe, String> {
        let mut pipe = Pipe::default();
        self.declarations(tokens, at, &mut pipe);
        loop {
            let mut command = Vec::new();
            while let Some(operand) = self.operand(tokens, at)? {
                command.push(operand);
            }
            if command.is_empty() {
                let why = format!("missing value for {context}");
                return Err(fail(self.text, start, &why));
            }
            pipe.commands.push(command);
            match tokens.get(*at) {
                Some((Token::Mark('|'), ..)) => *at += 1,
                _ => break,
            }
        }
        if !pipe.assigns {
            self.variables.extend(pipe.variables.iter().cloned());
        }
        Ok(pipe)
    }

    /// `$x :=`, `$x =`, `$k, $v :=` in front of a pipeline.
    fn declarations(&self, tokens: &[(Token, usize, bool)], at: &mut usize, pipe: &mut Pipe) {
        let token = |n: usize| tokens.get(*at + n).map(|(token, ..)| token);
        let Some(Token::Variable(first)) = token(0) else {
            return;
        };
        let (names, length) = match (token(1), token(2)) {
            (Some(Token::Mark(',')), Some(Token::Variable(second))) => {
                (vec![first.clone(), second.clone()], 3)
            }
            _ => (vec![first.clone()], 1),
        };
        match token(length) {
            Some(Token::Declare) => {}
            Some(Token::Mark('=')) => pipe.assigns = true,
            _ => return,
        }
        pipe.variables = names;
        *at += length + 1;
    }

    fn operand(
        &mut self,
        tokens: &[(Token, usize, bool)],
        at: &mut usize,
    ) -> Result<Option<Operand>, String> {
        let Some((token, start, _)) = tokens.get(*at) else {
            return Ok(None);
        };
        let mut fields = Vec::new();
        let what = match token {
            Token::Dot => What::Dot,
            Token::Field(name) => {
                fields.push(name.clone());
                What::Dot
            }
            Token::Variable(name) => {
                if !self.variables.contains(name) {
                    let why = format!("undefined variable {name:?}");
                    return Err(fail(self.text, *start, &why));
                }
                What::Variable(name.clone())
            }
            Token::Literal(value) => What::Literal(value.clone()),
            Token::Word(name) => {
                if !FUNCTIONS.contains(&name.as_str()) {
                    let why = format!("function {name:?} not defined");
                    return Err(fail(self.text, *start, &why));
                }
                What::Function(name.clone())
            }
            Token::Mark('(') => {
                *at += 1;
                let pipe = self.pipeline(tokens, at, "parenthesized pipeline", *start)?;
                What::Pipe(Box::new(pipe))
            }
            Token::Mark('|' | ')') => return Ok(None),
            token => {
                let why = format!("unexpected {} in operand", shown(token));
                return Err(fail(self.text, *start, &why));
            }
        };
        *at += 1;
        let mut position = *start;
        while let Some((Token::Field(name), at_field, false)) = tokens.get(*at) {
            if fields.len() == 1 && matches!(what, What::Dot) {
                position = *at_field;
            }
            fields.push(name.clone());
            *at += 1;
        }
        let text = match (&what, fields.is_empty()) {
            (What::Dot, true) => ".".to_owned(),
            (What::Dot, false) => format!(".{}", fields.join(".")),
            (What::Variable(name), _) => {
                let all: Vec<&str> = [name.as_str()]
                    .into_iter()
                    .chain(fields.iter().map(String::as_str))
                    .collect();
                all.join(".")
            }
            (What::Function(name), _) => name.clone(),
            (What::Literal(value), _) => match value {
                Value::Str(text) => api::go::quote(text),
                Value::Null => "nil".to_owned(),
                other => api::go::plain(other),
            },
            (What::Pipe(_), _) => "(…)".to_owned(),
        };
        Ok(Some(Operand {
            at: position,
            text,
            what,
            fields,
        }))
    }
}

fn shown(token: &Token) -> String {
    match token {
        Token::Field(name) => format!("<.{name}>"),
        Token::Dot => "<.>".to_owned(),
        Token::Variable(name) => format!("{name:?}"),
        Token::Word(name) => format!("<{name}>"),
        Token::Literal(value) => format!("{:?}", api::go::plain(value)),
        Token::Mark(mark) => format!("{:?}", mark.to_string()),
        Token::Declare => "\":=\"".to_owned(),
    }
}
