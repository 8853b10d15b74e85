//! Reading a jq program.

use std::rc::Rc;

use super::ast::{Filter, Function, Part, Pattern};
use super::json::Json;

type Parsed<T> = Result<T, String>;

/// Nesting that is refused, so that no program overflows the stack.
const MAX_DEPTH: u32 = 120;

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: u32,
}

/// Reads a program; the error is worded as jq's compile errors are.
pub(super) fn parse(text: &str) -> Parsed<Filter> {
    let mut parser = Parser {
        chars: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    parser.blanks();
    if parser.at == parser.chars.len() {
        return Ok(Filter::Identity);
    }
    let filter = parser.pipe()?;
    parser.blanks();
    if parser.at < parser.chars.len() {
        return parser.unexpected();
    }
    Ok(filter)
}

/// Definitions alone, as in a library.
pub(super) fn parse_definitions(text: &str) -> Parsed<Vec<Rc<Function>>> {
    let mut parser = Parser {
        chars: text.chars().collect(),
        at: 0,
        depth: 0,
    };
    let mut all = Vec::new();
    loop {
        parser.blanks();
        if parser.at == parser.chars.len() {
            return Ok(all);
        }
        all.push(Rc::new(parser.definition()?));
    }
}

fn boxed(filter: Filter) -> Box<Filter> {
    Box::new(filter)
}

impl Parser {
    fn peek(&self) -> char {
        self.chars.get(self.at).copied().unwrap_or('\0')
    }

    fn ahead(&self, by: usize) -> char {
        self.chars.get(self.at + by).copied().unwrap_or('\0')
    }

    fn blanks(&mut self) {
        loop {
            while self.peek().is_whitespace() {
                self.at += 1;
            }
            if self.peek() != '#' {
                return;
            }
            while self.at < self.chars.len() && self.peek() != '\n' {
                self.at += 1;
            }
        }
    }

    fn starts(&self, text: &str) -> bool {
        text.chars().enumerate().all(|(at, c)| self.ahead(at) == c)
    }

    /// Takes an operator.
    fn eat(&mut self, text: &str) -> bool {
        self.blanks();
        let found = self.starts(text);
        if found {
            self.at += text.chars().count();
        }
        found
    }

    /// Takes a word that is not part of a longer one.
    fn eat_word(&mut self, word: &str) -> bool {
        self.blanks();
        let after = self.ahead(word.chars().count());
        let found = self.starts(word) && !(after.is_alphanumeric() || after == '_');
        if found {
            self.at += word.chars().count();
        }
        found
    }

    fn want(&mut self, text: &str) -> Parsed<()> {
        if self.eat(text) {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    fn want_word(&mut self, word: &str) -> Parsed<()> {
        if self.eat_word(word) {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    fn unexpected<T>(&mut self) -> Parsed<T> {
        self.blanks();
        let what = match self.peek() {
            '\0' => "unexpected end of file".to_owned(),
            c if c.is_alphabetic() => {
                let word: String = self.chars[self.at..]
                    .iter()
                    .take_while(|c| c.is_alphanumeric() || **c == '_')
                    .collect();
                match word.as_str() {
                    "then" | "elif" | "else" | "end" | "as" | "catch" | "def" | "if" | "and"
                    | "or" | "reduce" | "foreach" | "try" | "label" | "import" | "include" => {
                        format!("unexpected {word}")
                    }
                    _ => "unexpected IDENT".to_owned(),
                }
            }
            '"' => "unexpected QQSTRING_START".to_owned(),
            c if c.is_ascii_digit() => "unexpected LITERAL".to_owned(),
            c if "{}[]().,:;|=<>+-*/%?$@!".contains(c) => format!("unexpected '{c}'"),
            _ => "unexpected INVALID_CHARACTER".to_owned(),
        };
        Err(format!("syntax error, {what} (Unix shell quoting issues?)"))
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!(
                "syntax error: nested deeper than {MAX_DEPTH} levels"
            ));
        }
        Ok(())
    }

    fn name(&mut self) -> Option<Rc<str>> {
        self.blanks();
        let c = self.peek();
        if !(c.is_ascii_alphabetic() || c == '_') {
            return None;
        }
        let mut name = String::new();
        loop {
            let c = self.peek();
            let namespace = c == ':' && self.ahead(1) == ':' && self.ahead(2).is_ascii_alphabetic();
            if namespace {
                name.push_str("::");
                self.at += 2;
                continue;
            }
            if !(c.is_ascii_alphanumeric() || c == '_') {
                return Some(name.into());
            }
            name.push(c);
            self.at += 1;
        }
    }

    fn variable(&mut self) -> Parsed<Rc<str>> {
        self.want("$")?;
        match self.name() {
            Some(name) => Ok(name),
            None => self.unexpected(),
        }
    }

    fn pipe(&mut self) -> Parsed<Filter> {
        self.deeper()?;
        let filter = self.pipe_inner();
        self.depth -= 1;
        filter
    }

    fn pipe_inner(&mut self) -> Parsed<Filter> {
        if self.eat_word("def") {
            self.at -= 3;
            let function = Rc::new(self.definition()?);
            return Ok(Filter::Define(function, boxed(self.pipe()?)));
        }
        if self.eat_word("label") {
            let name = self.variable()?;
            self.want("|")?;
            return Ok(Filter::Label(name, boxed(self.pipe()?)));
        }
        let left = self.comma()?;
        if self.eat_word("as") {
            let mut patterns = vec![self.pattern()?];
            while self.eat("?//") {
                patterns.push(self.pattern()?);
            }
            self.want("|")?;
            return Ok(Filter::As(boxed(left), patterns, boxed(self.pipe()?)));
        }
        self.blanks();
        if self.peek() == '|' && self.ahead(1) != '=' {
            self.at += 1;
            return Ok(Filter::Pipe(boxed(left), boxed(self.pipe()?)));
        }
        Ok(left)
    }

    fn definition(&mut self) -> Parsed<Function> {
        self.want_word("def")?;
        let Some(name) = self.name() else {
            return self.unexpected();
        };
        let mut params: Vec<Rc<str>> = Vec::new();
        if self.eat("(") {
            loop {
                self.blanks();
                if self.peek() == '$' {
                    let name = self.variable()?;
                    params.push(format!("${name}").into());
                } else {
                    match self.name() {
                        Some(name) => params.push(name),
                        None => return self.unexpected(),
                    }
                }
                if !self.eat(";") {
                    break;
                }
            }
            self.want(")")?;
        }
        self.want(":")?;
        let body = self.pipe()?;
        self.want(";")?;
        Ok(Function { name, params, body })
    }

    fn comma(&mut self) -> Parsed<Filter> {
        let mut left = self.binary(0)?;
        while self.eat(",") {
            let right = self.binary(0)?;
            left = Filter::Comma(boxed(left), boxed(right));
        }
        Ok(left)
    }

    /// Levels: 0 `//` (to the right), 1 assignments, 2 `or`, 3 `and`, 4 comparisons, 5 `+ -`,
    /// 6 `* / %`.
    fn binary(&mut self, level: u32) -> Parsed<Filter> {
        if level > 6 {
            return self.postfix();
        }
        let mut left = self.binary(level + 1)?;
        loop {
            let Some(op) = self.operator(level) else {
                return Ok(left);
            };
            left = match (level, op) {
                (0, _) => {
                    let right = self.binary(0)?;
                    return Ok(Filter::Alternative(boxed(left), boxed(right)));
                }
                (1, "//=") => {
                    let right = self.binary(0)?;
                    return Ok(Filter::AssignAlternative(boxed(left), boxed(right)));
                }
                (1, op) => {
                    let right = self.binary(0)?;
                    let kind = op.chars().next().unwrap_or('=');
                    return Ok(Filter::Assign(kind, boxed(left), boxed(right)));
                }
                (2, _) => Filter::Or(boxed(left), boxed(self.binary(3)?)),
                (3, _) => Filter::And(boxed(left), boxed(self.binary(4)?)),
                (4, op) => {
                    let kind = match op {
                        "==" => '=',
                        "!=" => '!',
                        "<=" => 'l',
                        ">=" => 'g',
                        "<" => '<',
                        _ => '>',
                    };
                    let right = self.binary(5)?;
                    return Ok(Filter::Binary(kind, boxed(left), boxed(right)));
                }
                (level, op) => {
                    let right = self.binary(level + 1)?;
                    let kind = op.chars().next().unwrap_or('+');
                    Filter::Binary(kind, boxed(left), boxed(right))
                }
            };
        }
    }

    /// Takes an operator of a level.
    fn operator(&mut self, level: u32) -> Option<&'static str> {
        self.blanks();
        let candidates: &[&'static str] = match level {
            0 => &["//"],
            1 => &["//=", "|=", "+=", "-=", "*=", "/=", "%=", "="],
            2 => return self.eat_word("or").then_some("or"),
            3 => return self.eat_word("and").then_some("and"),
            4 => &["==", "!=", "<=", ">=", "<", ">"],
            5 => &["+", "-"],
            _ => &["*", "/", "%"],
        };
        let found = candidates.iter().find(|op| self.starts(op))?;
        let after = self.ahead(found.len());
        // The beginning of a longer operator is none.
        let longer = match *found {
            "//" | "+" | "-" | "*" | "%" => after == '=',
            "/" => after == '=' || after == '/',
            "=" => after == '=',
            _ => false,
        };
        if longer {
            return None;
        }
        self.at += found.len();
        Some(found)
    }

    fn postfix(&mut self) -> Parsed<Filter> {
        self.deeper()?;
        let mut term = self.term()?;
        loop {
            // A suffix follows at once or behind blanks, but `. as` and `. |` are none.
            self.blanks();
            term = match self.peek() {
                '?' if !self.starts("?//") => {
                    self.at += 1;
                    Filter::Try(boxed(term), None)
                }
                '.' if self.ahead(1) == '[' => {
                    self.at += 1;
                    continue;
                }
                '.' if self.ahead(1) == '"' => {
                    self.at += 1;
                    let key = self.string(None)?;
                    Filter::Index(boxed(term), boxed(key))
                }
                '.' if self.ahead(1).is_ascii_alphabetic() || self.ahead(1) == '_' => {
                    self.at += 1;
                    let key = self.field();
                    Filter::Index(boxed(term), boxed(Filter::Literal(Json::Text(key))))
                }
                '[' => self.bracket(term)?,
                _ => break,
            };
        }
        if self.eat_word("as") {
            // Binds tighter than the operators around it.
            let mut patterns = vec![self.pattern()?];
            while self.eat("?//") {
                patterns.push(self.pattern()?);
            }
            self.want("|")?;
            let body = self.pipe()?;
            term = Filter::As(boxed(term), patterns, boxed(body));
        }
        self.depth -= 1;
        Ok(term)
    }

    fn field(&mut self) -> Rc<str> {
        let mut name = String::new();
        while self.peek().is_ascii_alphanumeric() || self.peek() == '_' {
            name.push(self.peek());
            self.at += 1;
        }
        name.into()
    }

    fn bracket(&mut self, term: Filter) -> Parsed<Filter> {
        self.at += 1;
        if self.eat("]") {
            return Ok(Filter::Iterate(boxed(term)));
        }
        if self.eat(":") {
            let to = self.pipe()?;
            self.want("]")?;
            return Ok(Filter::Slice(boxed(term), None, Some(boxed(to))));
        }
        let first = self.pipe()?;
        if self.eat(":") {
            self.blanks();
            let to = if self.peek() == ']' {
                None
            } else {
                Some(boxed(self.pipe()?))
            };
            self.want("]")?;
            return Ok(Filter::Slice(boxed(term), Some(boxed(first)), to));
        }
        self.want("]")?;
        Ok(Filter::Index(boxed(term), boxed(first)))
    }

    fn term(&mut self) -> Parsed<Filter> {
        self.blanks();
        match self.peek() {
            '.' => self.dot(),
            '"' => self.string(None),
            '@' => {
                self.at += 1;
                let name: Rc<str> = format!("@{}", self.field()).into();
                self.blanks();
                if self.peek() == '"' {
                    self.string(Some(name))
                } else {
                    Ok(Filter::Format(name))
                }
            }
            '$' => {
                let name = self.variable()?;
                Ok(Filter::Variable(name))
            }
            '(' => {
                self.at += 1;
                let inner = self.pipe()?;
                self.want(")")?;
                Ok(inner)
            }
            '[' => {
                self.at += 1;
                if self.eat("]") {
                    return Ok(Filter::Array(None));
                }
                let inner = self.pipe()?;
                self.want("]")?;
                Ok(Filter::Array(Some(boxed(inner))))
            }
            '{' => self.object(),
            '-' => {
                self.at += 1;
                Ok(Filter::Negate(boxed(self.postfix()?)))
            }
            c if c.is_ascii_digit() => self.number(),
            c if c.is_ascii_alphabetic() || c == '_' => self.word(),
            _ => self.unexpected(),
        }
    }

    fn dot(&mut self) -> Parsed<Filter> {
        self.at += 1;
        match self.peek() {
            '.' => {
                self.at += 1;
                Ok(Filter::RecurseDefault)
            }
            '"' => {
                let key = self.string(None)?;
                Ok(Filter::Index(boxed(Filter::Identity), boxed(key)))
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let key = Filter::Literal(Json::Text(self.field()));
                Ok(Filter::Index(boxed(Filter::Identity), boxed(key)))
            }
            c if c.is_ascii_digit() => {
                self.at -= 1;
                self.number()
            }
            _ => Ok(Filter::Identity),
        }
    }

    fn number(&mut self) -> Parsed<Filter> {
        let start = self.at;
        while self.peek().is_ascii_digit() || self.peek() == '.' {
            self.at += 1;
        }
        if matches!(self.peek(), 'e' | 'E')
            && (self.ahead(1).is_ascii_digit()
                || matches!(self.ahead(1), '+' | '-') && self.ahead(2).is_ascii_digit())
        {
            self.at += 2;
            while self.peek().is_ascii_digit() {
                self.at += 1;
            }
        }
        let text: String = self.chars[start..self.at].iter().collect();
        match text.parse() {
            Ok(number) => Ok(Filter::Literal(Json::Number(number))),
            Err(_) => self.unexpected(),
        }
    }

    fn string(&mut self, format: Option<Rc<str>>) -> Parsed<Filter> {
        self.at += 1;
        let mut parts = Vec::new();
        let mut text = String::new();
        loop {
            let c = self.peek();
            if self.at >= self.chars.len() {
                return Err("syntax error, unexpected QQSTRING_TEXT, expecting QQSTRING_INTERP_START or QQSTRING_END (Unix shell quoting issues?)".to_owned());
            }
            self.at += 1;
            match c {
                '"' => break,
                '\\' => {
                    let escape = self.peek();
                    self.at += 1;
                    match escape {
                        '(' => {
                            if !text.is_empty() {
                                parts.push(Part::Text(std::mem::take(&mut text).into()));
                            }
                            parts.push(Part::Value(self.pipe()?));
                            self.want(")")?;
                        }
                        'n' => text.push('\n'),
                        't' => text.push('\t'),
                        'r' => text.push('\r'),
                        'b' => text.push('\x08'),
                        'f' => text.push('\x0c'),
                        '/' | '\\' | '"' => text.push(escape),
                        'u' => {
                            let mut units = vec![self.unit()?];
                            if (0xd800..0xdc00).contains(&units[0]) && self.starts("\\u") {
                                self.at += 2;
                                units.push(self.unit()?);
                            }
                            text.push_str(&String::from_utf16_lossy(&units));
                        }
                        _ => return Err("syntax error, unexpected INVALID_CHARACTER (Unix shell quoting issues?)".to_owned()),
                    }
                }
                c => text.push(c),
            }
        }
        if parts.is_empty() {
            return Ok(Filter::Literal(Json::text(text)));
        }
        if !text.is_empty() {
            parts.push(Part::Text(text.into()));
        }
        Ok(Filter::Text(format, parts))
    }

    fn unit(&mut self) -> Parsed<u16> {
        let digits: String = self.chars[self.at..].iter().take(4).collect();
        self.at += 4;
        u16::from_str_radix(&digits, 16).map_err(|_| "invalid \\uXXXX escape".to_owned())
    }

    fn object(&mut self) -> Parsed<Filter> {
        self.at += 1;
        let mut fields = Vec::new();
        if self.eat("}") {
            return Ok(Filter::Object(fields));
        }
        loop {
            self.blanks();
            let (key, default) = match self.peek() {
                '$' => {
                    let name = self.variable()?;
                    (
                        Filter::Literal(Json::Text(name.clone())),
                        Some(Filter::Variable(name)),
                    )
                }
                '"' => {
                    let key = self.string(None)?;
                    let value = Filter::Index(boxed(Filter::Identity), boxed(key.clone()));
                    (key, Some(value))
                }
                '@' => {
                    let key = self.term()?;
                    let value = Filter::Index(boxed(Filter::Identity), boxed(key.clone()));
                    (key, Some(value))
                }
                '(' => {
                    self.at += 1;
                    let key = self.pipe()?;
                    self.want(")")?;
                    (key, None)
                }
                c if c.is_ascii_digit() => (self.number()?, None),
                _ => {
                    let Some(name) = self.name() else {
                        return self.unexpected();
                    };
                    let key = Filter::Literal(Json::Text(name));
                    let value = Filter::Index(boxed(Filter::Identity), boxed(key.clone()));
                    (key, Some(value))
                }
            };
            let value = if self.eat(":") {
                self.object_value()?
            } else {
                match default {
                    Some(value) => value,
                    None => return self.unexpected(),
                }
            };
            fields.push((key, value));
            if !self.eat(",") {
                self.want("}")?;
                return Ok(Filter::Object(fields));
            }
            if self.eat("}") {
                return Ok(Filter::Object(fields));
            }
        }
    }

    /// A value of an object: everything but a comma.
    fn object_value(&mut self) -> Parsed<Filter> {
        let left = self.binary(0)?;
        self.blanks();
        if self.peek() == '|' && self.ahead(1) != '=' {
            self.at += 1;
            return Ok(Filter::Pipe(boxed(left), boxed(self.object_value()?)));
        }
        Ok(left)
    }

    fn word(&mut self) -> Parsed<Filter> {
        let start = self.at;
        let Some(name) = self.name() else {
            return self.unexpected();
        };
        Ok(match &*name {
            "null" => Filter::Literal(Json::Null),
            "true" => Filter::Literal(Json::Bool(true)),
            "false" => Filter::Literal(Json::Bool(false)),
            "if" => return self.conditional(),
            "try" => {
                let body = self.postfix()?;
                let catch = if self.eat_word("catch") {
                    Some(boxed(self.postfix()?))
                } else {
                    None
                };
                Filter::Try(boxed(body), catch)
            }
            "reduce" | "foreach" => {
                let source = self.reduced_term()?;
                self.want_word("as")?;
                let pattern = self.pattern()?;
                self.want("(")?;
                let init = self.pipe()?;
                self.want(";")?;
                let update = self.pipe()?;
                let extract = if self.eat(";") {
                    Some(boxed(self.pipe()?))
                } else {
                    None
                };
                self.want(")")?;
                match &*name {
                    "reduce" => Filter::Reduce(boxed(source), pattern, boxed(init), boxed(update)),
                    _ => {
                        Filter::Foreach(boxed(source), pattern, boxed(init), boxed(update), extract)
                    }
                }
            }
            "break" => Filter::Break(self.variable()?),
            "def" | "label" => {
                self.at = start;
                return self.pipe();
            }
            "then" | "elif" | "else" | "end" | "as" | "catch" | "and" | "or" | "import"
            | "include" => {
                self.at = start;
                return self.unexpected();
            }
            _ => {
                let mut args = Vec::new();
                if self.eat("(") {
                    loop {
                        args.push(self.pipe()?);
                        if !self.eat(";") {
                            break;
                        }
                    }
                    self.want(")")?;
                }
                Filter::Call(name, args)
            }
        })
    }

    /// The term of `reduce` and `foreach`, which stops before its `as`.
    fn reduced_term(&mut self) -> Parsed<Filter> {
        let mut term = self.term()?;
        loop {
            self.blanks();
            term = match self.peek() {
                '?' => {
                    self.at += 1;
                    Filter::Try(boxed(term), None)
                }
                '.' if self.ahead(1) == '[' => {
                    self.at += 1;
                    continue;
                }
                '.' if self.ahead(1).is_ascii_alphabetic() || self.ahead(1) == '_' => {
                    self.at += 1;
                    let key = self.field();
                    Filter::Index(boxed(term), boxed(Filter::Literal(Json::Text(key))))
                }
                '[' => self.bracket(term)?,
                _ => return Ok(term),
            };
        }
    }

    fn conditional(&mut self) -> Parsed<Filter> {
        let mut branches = Vec::new();
        loop {
            let condition = self.pipe()?;
            self.want_word("then")?;
            branches.push((condition, self.pipe()?));
            if self.eat_word("elif") {
                continue;
            }
            let mut otherwise = None;
            if self.eat_word("else") {
                otherwise = Some(boxed(self.pipe()?));
            }
            self.want_word("end")?;
            return Ok(Filter::If(branches, otherwise));
        }
    }

    fn pattern(&mut self) -> Parsed<Pattern> {
        self.deeper()?;
        self.blanks();
        let pattern = match self.peek() {
            '$' => Pattern::Variable(self.variable()?),
            '[' => {
                self.at += 1;
                let mut items = Vec::new();
                loop {
                    items.push(self.pattern()?);
                    if !self.eat(",") {
                        break;
                    }
                }
                self.want("]")?;
                Pattern::Array(items)
            }
            '{' => {
                self.at += 1;
                let mut fields = Vec::new();
                loop {
                    self.blanks();
                    let (key, bound) = match self.peek() {
                        '$' => {
                            let name = self.variable()?;
                            (Filter::Literal(Json::Text(name.clone())), Some(name))
                        }
                        '"' => (self.string(None)?, None),
                        '(' => {
                            self.at += 1;
                            let key = self.pipe()?;
                            self.want(")")?;
                            (key, None)
                        }
                        _ => match self.name() {
                            Some(name) => (Filter::Literal(Json::Text(name)), None),
                            None => return self.unexpected(),
                        },
                    };
                    let inner = if self.eat(":") {
                        Some(self.pattern()?)
                    } else {
                        None
                    };
                    if inner.is_none() && bound.is_none() {
                        return self.unexpected();
                    }
                    fields.push((key, bound, inner));
                    if !self.eat(",") {
                        break;
                    }
                }
                self.want("}")?;
                Pattern::Object(fields)
            }
            _ => return self.unexpected(),
        };
        self.depth -= 1;
        Ok(pattern)
    }
}
