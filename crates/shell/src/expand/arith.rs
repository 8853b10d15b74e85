//! Arithmetic: `$((…))`, `((…))`, `let`, array indexes. 64-bit, wrapping, as in bash.
//!
//! Evaluates while it reads; a dry flag skips effects in branches not taken.
//!
//! Models expr.c of bash.

/// Where an expression finds and leaves its variables.
pub trait Variables {
    /// The text of a variable, an element of an array if `index` is given; "" if unset.
    fn get(&mut self, name: &str, index: Option<&str>) -> Result<String, String>;
    /// Stores a number.
    fn set(&mut self, name: &str, index: Option<&str>, value: i64) -> Result<(), String>;
    /// Whether a variable is an associative array, whose indexes are text.
    fn has_text_keys(&self, name: &str) -> bool;
}

/// Nesting of parentheses and of variables that hold expressions.
const MAX_DEPTH: u32 = 64;

/// The value of an expression; an empty one is 0. An error is what bash says behind the name of
/// the command: `1 + : syntax error: operand expected (error token is "+ ")`.
pub fn evaluate(text: &str, variables: &mut dyn Variables) -> Result<i64, String> {
    evaluate_at(text, variables, 0)
}

fn evaluate_at(text: &str, variables: &mut dyn Variables, depth: u32) -> Result<i64, String> {
    if depth > MAX_DEPTH {
        return Err(format!(
            "{text}: expression recursion level exceeded (error token is \"{text}\")"
        ));
    }
    let mut parser = Arith {
        text,
        pos: 0,
        last: 0,
        variables,
        depth,
        dry: 0,
    };
    parser.blanks();
    if parser.pos == text.len() {
        return Ok(0);
    }
    let value = parser.comma()?;
    parser.blanks();
    if parser.pos < text.len() {
        return Err(parser.complain("syntax error in expression"));
    }
    Ok(value)
}

struct Arith<'a> {
    text: &'a str,
    pos: usize,
    /// Where the last token began, for messages.
    last: usize,
    variables: &'a mut dyn Variables,
    depth: u32,
    dry: u32,
}

/// A place a value can be stored in.
struct Target {
    name: String,
    index: Option<String>,
}

/// Binary operators, weakest first; longer ones must be tried before their prefixes.
const LEVELS: &[&[&str]] = &[
    &["||"],
    &["&&"],
    &["|"],
    &["^"],
    &["&"],
    &["==", "!="],
    &["<=", ">=", "<", ">"],
    &["<<", ">>"],
    &["+", "-"],
    &["*", "/", "%"],
];

const ASSIGNMENTS: &[&str] = &[
    "<<=", ">>=", "+=", "-=", "*=", "/=", "%=", "&=", "^=", "|=", "=",
];

impl Arith<'_> {
    fn blanks(&mut self) {
        let rest = &self.text[self.pos..];
        self.pos += rest.len() - rest.trim_start().len();
    }

    fn complain(&self, what: &str) -> String {
        let token = &self.text[self.pos.min(self.text.len())..];
        let token = if token.is_empty() {
            &self.text[self.last..]
        } else {
            token
        };
        format!("{}: {what} (error token is \"{token}\")", self.text)
    }

    fn rest(&self) -> &str {
        &self.text[self.pos..]
    }

    /// Takes an operator unless it is only the beginning of a longer one.
    fn eat(&mut self, op: &str) -> bool {
        self.blanks();
        let Some(after) = self.rest().strip_prefix(op) else {
            return false;
        };
        let next = after.chars().next().unwrap_or(' ');
        let longer = match op {
            "|" | "&" => next == op.chars().next().unwrap_or(' ') || next == '=',
            "<" | ">" => next == '=' || next == op.chars().next().unwrap_or(' '),
            "+" | "-" | "*" | "/" | "%" | "^" | "<<" | ">>" => next == '=',
            "=" => next == '=',
            _ => false,
        } || (op == "*" && next == '*');
        if longer {
            return false;
        }
        self.last = self.pos;
        self.pos += op.len();
        true
    }

    fn comma(&mut self) -> Result<i64, String> {
        let mut value = self.assignment()?;
        while self.eat(",") {
            value = self.assignment()?;
        }
        Ok(value)
    }

    fn assignment(&mut self) -> Result<i64, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.complain("expression recursion level exceeded"));
        }
        let start = self.pos;
        self.blanks();
        if let Some(target) = self.target()? {
            for op in ASSIGNMENTS {
                if self.eat(op) {
                    let right = self.assignment()?;
                    let value = match op.strip_suffix('=') {
                        Some("") | None => right,
                        Some(op) => {
                            let left = self.load(&target)?;
                            self.apply(op, left, right)?
                        }
                    };
                    self.store(&target, value)?;
                    self.depth -= 1;
                    return Ok(value);
                }
            }
        }
        self.pos = start;
        let value = self.conditional()?;
        self.blanks();
        if self.rest().starts_with('=') {
            return Err(self.complain("attempted assignment to non-variable"));
        }
        self.depth -= 1;
        Ok(value)
    }

    fn conditional(&mut self) -> Result<i64, String> {
        let condition = self.binary(0)?;
        if !self.eat("?") {
            return Ok(condition);
        }
        self.dry += u32::from(condition == 0);
        let yes = self.comma()?;
        self.dry -= u32::from(condition == 0);
        if !self.eat(":") {
            return Err(self.complain("`:' expected for conditional expression"));
        }
        self.dry += u32::from(condition != 0);
        let no = self.assignment()?;
        self.dry -= u32::from(condition != 0);
        Ok(if condition != 0 { yes } else { no })
    }

    fn binary(&mut self, level: usize) -> Result<i64, String> {
        let Some(operators) = LEVELS.get(level) else {
            return self.power();
        };
        let mut left = self.binary(level + 1)?;
        'more: loop {
            for op in *operators {
                if !self.eat(op) {
                    continue;
                }
                left = match *op {
                    "&&" | "||" => {
                        let skip = (left != 0) == (*op == "||");
                        self.dry += u32::from(skip);
                        let right = self.binary(level + 1)?;
                        self.dry -= u32::from(skip);
                        let both = (left != 0) && (right != 0);
                        i64::from(if *op == "&&" {
                            both
                        } else {
                            left != 0 || right != 0
                        })
                    }
                    _ => {
                        let right = self.binary(level + 1)?;
                        self.apply(op, left, right)?
                    }
                };
                continue 'more;
            }
            return Ok(left);
        }
    }

    fn apply(&mut self, op: &str, left: i64, right: i64) -> Result<i64, String> {
        if matches!(op, "/" | "%") && right == 0 {
            if self.dry > 0 {
                return Ok(0);
            }
            return Err(format!(
                "{}: division by 0 (error token is \"{}\")",
                self.text,
                self.text[self.last..].trim_start_matches(['/', '%', ' '])
            ));
        }
        Ok(match op {
            "|" => left | right,
            "^" => left ^ right,
            "&" => left & right,
            "==" => i64::from(left == right),
            "!=" => i64::from(left != right),
            "<=" => i64::from(left <= right),
            ">=" => i64::from(left >= right),
            "<" => i64::from(left < right),
            ">" => i64::from(left > right),
            "<<" => left.wrapping_shl(right as u32),
            ">>" => left.wrapping_shr(right as u32),
            "+" => left.wrapping_add(right),
            "-" => left.wrapping_sub(right),
            "*" => left.wrapping_mul(right),
            "/" => left.wrapping_div(right),
            _ => left.wrapping_rem(right),
        })
    }

    fn power(&mut self) -> Result<i64, String> {
        let base = self.unary()?;
        if !self.eat("**") {
            return Ok(base);
        }
        let exponent = self.power()?;
        let Ok(exponent) = u32::try_from(exponent) else {
            return Err(self.complain("exponent less than 0"));
        };
        Ok(base.wrapping_pow(exponent))
    }

    fn unary(&mut self) -> Result<i64, String> {
        self.blanks();
        for (op, step) in [("++", 1), ("--", -1)] {
            if self.rest().starts_with(op) {
                let start = self.pos;
                self.pos += 2;
                self.blanks();
                if let Some(target) = self.target()? {
                    let value = self.load(&target)?.wrapping_add(step);
                    self.store(&target, value)?;
                    return Ok(value);
                }
                self.pos = start;
            }
        }
        let Some(op) = self.rest().chars().next().filter(|c| "+-!~".contains(*c)) else {
            return self.primary();
        };
        self.last = self.pos;
        self.pos += 1;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.complain("expression recursion level exceeded"));
        }
        let value = self.unary()?;
        self.depth -= 1;
        Ok(match op {
            '-' => value.wrapping_neg(),
            '!' => i64::from(value == 0),
            '~' => !value,
            _ => value,
        })
    }

    fn primary(&mut self) -> Result<i64, String> {
        self.blanks();
        if self.eat("(") {
            let value = self.comma()?;
            if !self.eat(")") {
                return Err(self.complain("missing `)'"));
            }
            return Ok(value);
        }
        if let Some(target) = self.target()? {
            let value = self.load(&target)?;
            for (op, step) in [("++", 1), ("--", -1)] {
                self.blanks();
                if self.rest().starts_with(op) {
                    self.pos += 2;
                    self.store(&target, value.wrapping_add(step))?;
                    break;
                }
            }
            return Ok(value);
        }
        let length = self
            .rest()
            .bytes()
            .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'#' | b'@' | b'_'))
            .count();
        if length == 0 {
            return Err(self.operand_expected());
        }
        let digits = &self.text[self.pos..self.pos + length];
        let value = number(digits)
            .map_err(|what| format!("{}: {what} (error token is \"{digits}\")", self.text))?;
        self.last = self.pos;
        self.pos += length;
        Ok(value)
    }

    fn operand_expected(&self) -> String {
        let token = if self.rest().is_empty() {
            &self.text[self.last..]
        } else {
            self.rest()
        };
        format!(
            "{}: syntax error: operand expected (error token is \"{token}\")",
            self.text
        )
    }

    /// A variable's name and index, if one stands here.
    fn target(&mut self) -> Result<Option<Target>, String> {
        let rest = self.rest();
        let length = crate::syntax::name_length(rest);
        if length == 0 {
            return Ok(None);
        }
        let name = rest[..length].to_owned();
        self.last = self.pos;
        self.pos += length;
        let mut index = None;
        if self.rest().starts_with('[') {
            let mut depth = 0;
            let mut end = None;
            for (offset, c) in self.rest().char_indices() {
                match c {
                    '[' => depth += 1,
                    ']' => {
                        depth -= 1;
                        if depth == 0 {
                            end = Some(offset);
                            break;
                        }
                    }
                    _ => {}
                }
            }
            let Some(end) = end else {
                return Err(self.complain("bad array subscript"));
            };
            let inner = self.rest()[1..end].to_owned();
            self.pos += end + 1;
            index = Some(if self.variables.has_text_keys(&name) {
                inner
            } else {
                evaluate_at(&inner, self.variables, self.depth + 1)?.to_string()
            });
        }
        Ok(Some(Target { name, index }))
    }

    fn load(&mut self, target: &Target) -> Result<i64, String> {
        if self.dry > 0 {
            return Ok(0);
        }
        let text = self.variables.get(&target.name, target.index.as_deref())?;
        let text = text.trim();
        match text.parse() {
            Ok(value) if !text.starts_with('0') || text == "0" => Ok(value),
            _ => evaluate_at(text, self.variables, self.depth + 1),
        }
    }

    fn store(&mut self, target: &Target, value: i64) -> Result<(), String> {
        if self.dry > 0 {
            return Ok(());
        }
        self.variables
            .set(&target.name, target.index.as_deref(), value)
    }
}

/// `42`, `0x2a`, `052`, `2#101010`.
fn number(text: &str) -> Result<i64, &'static str> {
    let (base, digits) = if let Some((base, digits)) = text.split_once('#') {
        let base: u32 = base.parse().map_err(|_| "invalid arithmetic base")?;
        if !(2..=64).contains(&base) {
            return Err("invalid arithmetic base");
        }
        (base, digits)
    } else if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        (16, digits)
    } else if text.len() > 1 && text.starts_with('0') {
        (8, &text[1..])
    } else {
        (10, text)
    };
    let mut value = 0i64;
    for c in digits.chars() {
        let digit = match c {
            '0'..='9' => c as u32 - '0' as u32,
            'a'..='z' => c as u32 - 'a' as u32 + 10,
            'A'..='Z' if base <= 36 => c as u32 - 'A' as u32 + 10,
            'A'..='Z' => c as u32 - 'A' as u32 + 36,
            '@' => 62,
            _ => 63,
        };
        if digit >= base {
            return Err("value too great for base");
        }
        value = value
            .wrapping_mul(i64::from(base))
            .wrapping_add(i64::from(digit));
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Default)]
    struct Map(BTreeMap<String, String>);

    fn key(name: &str, index: Option<&str>) -> String {
        format!("{name}[{}]", index.unwrap_or("0"))
    }

    impl Variables for Map {
        fn get(&mut self, name: &str, index: Option<&str>) -> Result<String, String> {
            Ok(self.0.get(&key(name, index)).cloned().unwrap_or_default())
        }
        fn set(&mut self, name: &str, index: Option<&str>, value: i64) -> Result<(), String> {
            self.0.insert(key(name, index), value.to_string());
            Ok(())
        }
        fn has_text_keys(&self, name: &str) -> bool {
            name == "map"
        }
    }

    #[track_caller]
    fn check(text: &str, expected: i64) {
        let mut map = Map::default();
        map.set("x", None, 5).expect("stores");
        assert_eq!(evaluate(text, &mut map), Ok(expected), "{text}");
    }

    #[track_caller]
    fn fails(text: &str, expected: &str) {
        assert_eq!(
            evaluate(text, &mut Map::default()),
            Err(expected.to_owned())
        );
    }

    #[test]
    fn expressions_have_values() {
        check("", 0);
        check("1 + 2 * 3", 7);
        check("(1 + 2) * 3 ** 2", 27);
        check("7 / 2 + -7 % 3", 2);
        check("x++ + ++x", 12);
        check("y = x += 2, y * 2", 14);
        check("1 < 2 && 2 <= 2 || 0", 1);
        check("x > 3 ? 10 : 1 / 0", 10);
        check("0 && (x = 9), x", 5);
        check("0x1f + 010 + 2#101", 44);
        check("a[1+1] = 7, a[2]", 7);
        check("map[k] = 7, map[k]", 7);
        check("~0 ^ !0 | 1 << 4", -2);
        check("5 & 6 == 6", 1);
        check("1 <= 1, 3 >= 4", 0);
        check("- - 3", 3);
    }

    #[test]
    fn mistakes_are_worded_as_bash_does() {
        fails(
            "1 + ",
            "1 + : syntax error: operand expected (error token is \"+ \")",
        );
        fails(
            "1 2",
            "1 2: syntax error in expression (error token is \"2\")",
        );
        fails("1 / 0", "1 / 0: division by 0 (error token is \"0\")");
        fails(
            "089",
            "089: value too great for base (error token is \"089\")",
        );
        fails(
            "1 = 2",
            "1 = 2: attempted assignment to non-variable (error token is \"= 2\")",
        );
        fails("(1", "(1: missing `)' (error token is \"1\")");
    }

    #[test]
    fn deep_expressions_are_refused() {
        let text = format!("{}1{}", "(".repeat(5000), ")".repeat(5000));
        assert!(evaluate(&text, &mut Map::default()).is_err());
        assert!(evaluate(&"-".repeat(5000), &mut Map::default()).is_err());
    }
}
