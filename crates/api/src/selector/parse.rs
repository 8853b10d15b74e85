//! The string form of label selectors. Models k8s.io/apimachinery/pkg/labels/selector.go, whose
//! error sentences these are.

use crate::field::FieldError;
use crate::selector::{Operator, Requirement};
use crate::{Str, names};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Identifier,
    Open,
    Close,
    Comma,
    Not,
    NotEquals,
    Equals,
    DoubleEquals,
    Greater,
    Less,
    In,
    NotIn,
    End,
}

struct Parser<'a> {
    tokens: Vec<(Token, &'a str)>,
    at: usize,
}

pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut parser = Parser {
        tokens: scan(text),
        at: 0,
    };
    let mut out = Vec::new();
    loop {
        match parser.peek() {
            (Token::Identifier | Token::Not, _) => {
                let one = parser
                    .requirement()
                    .map_err(|e| format!("unable to parse requirement: {e}"))?;
                out.push(one);
                match parser.next() {
                    (Token::End, _) => return Ok(out),
                    (Token::Comma, _) => match parser.peek() {
                        (Token::Identifier | Token::Not, _) => {}
                        (_, found) => {
                            return Err(format!("found '{found}', expected: identifier after ','"));
                        }
                    },
                    (_, found) => {
                        return Err(format!("found '{found}', expected: ',' or 'end of string'"));
                    }
                }
            }
            (Token::End, _) => return Ok(out),
            (_, found) => {
                return Err(format!(
                    "found '{found}', expected: !, identifier, or 'end of string'"
                ));
            }
        }
    }
}

fn scan(text: &str) -> Vec<(Token, &str)> {
    let symbol = |c: char| "=!(),<>".contains(c);
    let mut out = Vec::new();
    let mut rest = text.trim_start_matches([' ', '\t', '\r', '\n']);
    while let Some(first) = rest.chars().next() {
        let len = if symbol(first) {
            symbol_len(rest)
        } else {
            rest.find(|c| symbol(c) || " \t\r\n".contains(c))
                .unwrap_or(rest.len())
        };
        let (literal, after) = rest.split_at(len);
        out.push((token(literal), literal));
        rest = after.trim_start_matches([' ', '\t', '\r', '\n']);
    }
    out.push((Token::End, ""));
    out
}

/// The longest symbol at the start: two characters for `!=` and `==`.
fn symbol_len(text: &str) -> usize {
    if text.starts_with("!=") || text.starts_with("==") {
        2
    } else {
        1
    }
}

fn token(literal: &str) -> Token {
    match literal {
        "(" => Token::Open,
        ")" => Token::Close,
        "," => Token::Comma,
        "!" => Token::Not,
        "!=" => Token::NotEquals,
        "=" => Token::Equals,
        "==" => Token::DoubleEquals,
        ">" => Token::Greater,
        "<" => Token::Less,
        "in" => Token::In,
        "notin" => Token::NotIn,
        _ => Token::Identifier,
    }
}

/// `in` and `notin` are words like any other where no operator can stand.
fn as_value((token, literal): (Token, &str)) -> (Token, &str) {
    match token {
        Token::In | Token::NotIn => (Token::Identifier, literal),
        _ => (token, literal),
    }
}

impl<'a> Parser<'a> {
    fn raw(&self) -> (Token, &'a str) {
        self.tokens
            .get(self.at)
            .copied()
            .unwrap_or((Token::End, ""))
    }

    fn peek(&self) -> (Token, &'a str) {
        as_value(self.raw())
    }

    fn next(&mut self) -> (Token, &'a str) {
        let found = self.peek();
        self.at += 1;
        found
    }

    fn next_operator(&mut self) -> (Token, &'a str) {
        let found = self.raw();
        self.at += 1;
        found
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut absent = false;
        let (mut token, mut key) = self.next();
        if token == Token::Not {
            absent = true;
            (token, key) = self.next();
        }
        if token != Token::Identifier {
            return Err(format!("found '{key}', expected: identifier"));
        }
        key_error(key, "<nil>").map_or(Ok(()), Err)?;
        if absent {
            return Ok(requirement(key, Operator::DoesNotExist, Vec::new()));
        }
        if let (Token::End | Token::Comma, _) = self.peek() {
            return Ok(requirement(key, Operator::Exists, Vec::new()));
        }
        let operator = self.operator()?;
        let values = match operator {
            Operator::In | Operator::NotIn => self.values()?,
            _ => vec![self.exact_value()?],
        };
        let out = requirement(key, operator, values);
        value_errors(&out).map_or(Ok(out), Err)
    }

    fn operator(&mut self) -> Result<Operator, String> {
        Ok(match self.next_operator() {
            (Token::In, _) => Operator::In,
            (Token::NotIn, _) => Operator::NotIn,
            (Token::Equals, _) => Operator::Equals,
            (Token::DoubleEquals, _) => Operator::DoubleEquals,
            (Token::NotEquals, _) => Operator::NotEquals,
            (Token::Greater, _) => Operator::GreaterThan,
            (Token::Less, _) => Operator::LessThan,
            (_, found) => {
                return Err(format!(
                    "found '{found}', expected: in, notin, =, ==, !=, gt, lt"
                ));
            }
        })
    }

    fn exact_value(&mut self) -> Result<&'a str, String> {
        if let (Token::End | Token::Comma, _) = self.peek() {
            return Ok("");
        }
        match self.next() {
            (Token::Identifier, value) => Ok(value),
            (_, found) => Err(format!("found '{found}', expected: identifier")),
        }
    }

    fn values(&mut self) -> Result<Vec<&'a str>, String> {
        match self.next() {
            (Token::Open, _) => {}
            (_, found) => return Err(format!("found '{found}' expected: '('")),
        }
        match self.peek() {
            (Token::Identifier | Token::Comma, _) => {
                let values = self.identifiers()?;
                self.at += 1;
                Ok(values)
            }
            (Token::Close, _) => {
                self.at += 1;
                Ok(vec![""])
            }
            (_, found) => Err(format!("found '{found}', expected: ',', ')' or identifier")),
        }
    }

    /// The values up to a closing parenthesis, which is left; two commas hold an empty one.
    fn identifiers(&mut self) -> Result<Vec<&'a str>, String> {
        let mut out = Vec::new();
        loop {
            match self.next() {
                (Token::Identifier, value) => {
                    out.push(value);
                    match self.peek() {
                        (Token::Comma, _) => {}
                        (Token::Close, _) => return Ok(out),
                        (_, found) => {
                            return Err(format!("found '{found}', expected: ',' or ')'"));
                        }
                    }
                }
                (Token::Comma, _) => {
                    if out.is_empty() {
                        out.push("");
                    }
                    match self.peek() {
                        (Token::Close, _) => {
                            out.push("");
                            return Ok(out);
                        }
                        (Token::Comma, _) => {
                            self.at += 1;
                            out.push("");
                        }
                        _ => {}
                    }
                }
                (_, found) => {
                    return Err(format!("found '{found}', expected: ',', or identifier"));
                }
            }
        }
    }
}

fn requirement(key: &str, operator: Operator, mut values: Vec<&str>) -> Requirement {
    values.sort_unstable();
    values.dedup();
    let values = values.into_iter().map(Str::from).collect();
    Requirement {
        key: Str::from(key),
        operator,
        values,
    }
}

fn key_error(key: &str, path: &str) -> Option<String> {
    let messages = names::qualified_name(key);
    (!messages.is_empty()).then(|| FieldError::invalid(path, key, messages.join("; ")).to_string())
}

fn value_errors(requirement: &Requirement) -> Option<String> {
    let Requirement {
        key,
        operator,
        values,
    } = requirement;
    let mut errors = Vec::new();
    if let Operator::GreaterThan | Operator::LessThan = operator {
        for (i, value) in values.iter().enumerate() {
            if value.parse::<i64>().is_err() {
                let says = "for 'Gt', 'Lt' operators, the value must be an integer";
                errors.push(FieldError::invalid(format!("values[{i}]"), value, says));
            }
        }
    }
    for (i, value) in values.iter().enumerate() {
        let messages = names::label_value(value);
        if !messages.is_empty() {
            let path = format!("values[{i}][{key}]");
            errors.push(FieldError::invalid(path, value, messages.join("; ")));
        }
    }
    let texts: Vec<String> = errors.iter().map(ToString::to_string).collect();
    match texts.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        more => Some(format!("[{}]", more.join(", "))),
    }
}

#[cfg(test)]
mod tests {
    use crate::selector::LabelSelector;

    #[test]
    fn canonical_form() {
        #[track_caller]
        fn check(text: &str, want: &str) {
            assert_eq!(LabelSelector::parse(text).expect(text).to_string(), want);
        }
        check("", "");
        check(" x = y , a in ( c,b,c ) ", "a in (b,c),x=y");
        check("x==1,!y,z", "x==1,!y,z");
        check("a notin (),b!=", "a notin (),b!=");
        check("in in (in,notin)", "in in (in,notin)");
        check("a in (,b)", "a in (,b)");
        check("a>1,b<2", "a>1,b<2");
        check("k8s.io/x=y", "k8s.io/x=y");
    }

    #[test]
    fn errors() {
        #[track_caller]
        fn check(text: &str, want: &str) {
            let error = LabelSelector::parse(text).expect_err(text);
            assert!(error.starts_with(want), "{error}");
        }
        check(
            "a in b",
            "unable to parse requirement: found 'b' expected: '('",
        );
        check(
            "a b",
            "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt",
        );
        check("a=b c", "found 'c', expected: ',' or 'end of string'");
        check("a,", "found '', expected: identifier after ','");
        check(
            "=",
            "found '=', expected: !, identifier, or 'end of string'",
        );
        check(
            "!",
            "unable to parse requirement: found '', expected: identifier",
        );
        check(
            "a in (b c)",
            "unable to parse requirement: found 'c', expected: ',' or ')'",
        );
        check(
            "a=(",
            "unable to parse requirement: found '(', expected: identifier",
        );
        check(
            "a in (=)",
            "unable to parse requirement: found '=', expected: ',', ')' or identifier",
        );
        check(
            "a/b/c=d",
            "unable to parse requirement: <nil>: Invalid value: \"a/b/c\": a qualified name",
        );
        check(
            "a=b@c",
            "unable to parse requirement: values[0][a]: Invalid value: \"b@c\": a valid label must",
        );
        check(
            "a>x",
            "unable to parse requirement: values[0]: Invalid value: \"x\": for 'Gt', 'Lt' operators",
        );
    }
}
