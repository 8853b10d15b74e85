//! Expressions of bc: read and worked out in one go.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::number::{MAX_SCALE, Number};

/// What came of a line.
#[derive(Default)]
pub(super) struct Done {
    /// What is printed.
    pub(super) shown: String,
    /// What is complained about.
    pub(super) error: Option<String>,
    /// Whether it said `quit`.
    pub(super) quits: bool,
}

/// What is remembered between lines.
pub(super) struct Calculator {
    scale: u32,
    ibase: u32,
    obase: u32,
    variables: BTreeMap<String, Number>,
    line: usize,
    /// Whether a comment began on an earlier line.
    in_comment: bool,
}

/// Why a line has no value.
enum Wrong {
    Syntax,
    Runtime(&'static str),
    Unmodelled(String),
}

type Worked<T> = Result<T, Wrong>;

/// Depth of brackets before a line is refused.
const MAX_DEPTH: usize = 200;

struct Reader<'t, 'c> {
    text: &'t str,
    depth: usize,
    calculator: &'c mut Calculator,
    /// Whether the last expression was an assignment, which prints nothing.
    silent: bool,
}

impl Calculator {
    pub(super) fn new(scale: u32) -> Calculator {
        Calculator {
            scale,
            ibase: 10,
            obase: 10,
            variables: BTreeMap::new(),
            line: 0,
            in_comment: false,
        }
    }

    /// Works on one line.
    pub(super) fn line(&mut self, line: &str) -> Done {
        self.line += 1;
        let mut done = Done::default();
        let line = self.without_comments(line);
        let mut rest = line.trim();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix(';') {
                rest = after.trim_start();
                continue;
            }
            let mut reader = Reader {
                text: rest,
                depth: 0,
                calculator: self,
                silent: false,
            };
            let result = reader.statement(&mut done);
            rest = reader.text.trim_start();
            match result {
                Ok(()) if done.quits => return done,
                Ok(()) if rest.is_empty() || rest.starts_with(';') => {}
                Ok(()) | Err(Wrong::Syntax) => {
                    done.error = Some(format!("(standard_in) {}: syntax error", self.line));
                    return done;
                }
                Err(Wrong::Runtime(what)) => {
                    done.error = Some(format!("Runtime error (func=(main), adr=3): {what}"));
                    return done;
                }
                Err(Wrong::Unmodelled(what)) => {
                    done.error = Some(format!("bc: {what}"));
                    return done;
                }
            }
        }
        done
    }

    fn without_comments(&mut self, line: &str) -> String {
        let mut out = String::new();
        let mut rest = line;
        loop {
            if self.in_comment {
                let Some((_, after)) = rest.split_once("*/") else {
                    return out;
                };
                self.in_comment = false;
                rest = after;
            }
            let plain = rest.split('#').next().unwrap_or_default();
            match plain.split_once("/*") {
                Some((before, _)) => {
                    out.push_str(before);
                    rest = &rest[before.len() + 2..];
                    self.in_comment = true;
                }
                None => {
                    out.push_str(plain);
                    return out;
                }
            }
        }
    }
}

fn fits<T>(value: Option<T>) -> Worked<T> {
    let what = || sim::unmodelled!("numbers of more than 38 digits in bc").to_string();
    value.ok_or_else(|| Wrong::Unmodelled(what()))
}

fn truth(held: bool) -> Number {
    Number::whole(i128::from(held))
}

impl Reader<'_, '_> {
    fn statement(&mut self, done: &mut Done) -> Worked<()> {
        if let Some(rest) = self.text.strip_prefix('"') {
            let (text, rest) = rest.split_once('"').ok_or(Wrong::Syntax)?;
            done.shown.push_str(text);
            self.text = rest;
            return Ok(());
        }
        let word: String = self
            .text
            .chars()
            .take_while(char::is_ascii_lowercase)
            .collect();
        match &*word {
            "quit" | "halt" => {
                done.quits = true;
                return Ok(());
            }
            "print" => {
                self.text = &self.text[word.len()..];
                return self.print(done);
            }
            "if" | "while" | "for" | "define" | "return" | "auto" | "break" => {
                let what = sim::unmodelled!("statements of bc");
                return Err(Wrong::Unmodelled(format!("{what}: {word}")));
            }
            _ => {}
        }
        self.silent = false;
        let value = self.expression()?;
        if !self.silent {
            let shown = fits(value.shown(self.calculator.obase))?;
            done.shown.push_str(&format!("{}\n", shown.trim_start()));
        }
        Ok(())
    }

    fn print(&mut self, done: &mut Done) -> Worked<()> {
        loop {
            self.text = self.text.trim_start();
            if let Some(rest) = self.text.strip_prefix('"') {
                let (text, rest) = rest.split_once('"').ok_or(Wrong::Syntax)?;
                done.shown
                    .push_str(&text.replace("\\n", "\n").replace("\\t", "\t"));
                self.text = rest;
            } else {
                let value = self.expression()?;
                done.shown
                    .push_str(&fits(value.shown(self.calculator.obase))?);
            }
            if !self.eat(",") {
                return Ok(());
            }
        }
    }

    fn eat(&mut self, what: &str) -> bool {
        let rest = self.text.trim_start();
        match rest.strip_prefix(what) {
            Some(rest) => {
                self.text = rest;
                true
            }
            None => false,
        }
    }

    fn expression(&mut self) -> Worked<Number> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Wrong::Syntax);
        }
        let value = self.either();
        self.depth -= 1;
        value
    }

    fn either(&mut self) -> Worked<Number> {
        let mut value = self.both()?;
        while self.eat("||") {
            let other = self.both()?;
            value = truth(value.digits != 0 || other.digits != 0);
            self.silent = false;
        }
        Ok(value)
    }

    fn both(&mut self) -> Worked<Number> {
        let mut value = self.not()?;
        while self.eat("&&") {
            let other = self.not()?;
            value = truth(value.digits != 0 && other.digits != 0);
            self.silent = false;
        }
        Ok(value)
    }

    fn not(&mut self) -> Worked<Number> {
        let rest = self.text.trim_start();
        if rest.starts_with('!') && !rest.starts_with("!=") {
            self.eat("!");
            let value = self.not()?;
            self.silent = false;
            return Ok(truth(value.digits == 0));
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Worked<Number> {
        let mut value = self.sum()?;
        loop {
            const WORDS: [&str; 6] = ["==", "!=", "<=", ">=", "<", ">"];
            let Some(word) = WORDS.into_iter().find(|word| self.eat(word)) else {
                return Ok(value);
            };
            let order = fits(value.order(self.sum()?))?;
            self.silent = false;
            value = truth(match word {
                "==" => order == Ordering::Equal,
                "!=" => order != Ordering::Equal,
                "<=" => order != Ordering::Greater,
                ">=" => order != Ordering::Less,
                "<" => order == Ordering::Less,
                _ => order == Ordering::Greater,
            });
        }
    }

    fn sum(&mut self) -> Worked<Number> {
        let mut value = self.product()?;
        loop {
            let minus = match () {
                () if self.eat("+") => false,
                () if self.eat("-") => true,
                () => return Ok(value),
            };
            let other = self.product()?;
            let other = if minus { other.negative() } else { other };
            value = fits(value.plus(other))?;
            self.silent = false;
        }
    }

    fn product(&mut self) -> Worked<Number> {
        let mut value = self.power()?;
        loop {
            let word = match () {
                () if self.eat("*") => '*',
                () if self.eat("/") => '/',
                () if self.eat("%") => '%',
                () => return Ok(value),
            };
            let other = self.power()?;
            self.silent = false;
            value = self.apply(word, value, other)?;
        }
    }

    fn apply(&self, word: char, value: Number, other: Number) -> Worked<Number> {
        let scale = self.calculator.scale;
        match word {
            '+' => fits(value.plus(other)),
            '-' => fits(value.plus(other.negative())),
            '*' => fits(value.times(other, scale)),
            '^' => match other.digits < 0 && value.digits == 0 {
                true => Err(Wrong::Runtime("Divide by zero")),
                false => fits(value.raised(other, scale)),
            },
            '/' if other.digits == 0 => Err(Wrong::Runtime("Divide by zero")),
            '/' => fits(value.over(other, scale)),
            _ if other.digits == 0 => Err(Wrong::Runtime("Modulo by zero")),
            _ => fits(value.modulo(other, scale)),
        }
    }

    fn power(&mut self) -> Worked<Number> {
        if self.text.trim_start().starts_with('-') && !self.text.trim_start().starts_with("--") {
            self.eat("-");
            let value = self.power()?;
            self.silent = false;
            return Ok(value.negative());
        }
        let value = self.factor()?;
        if self.eat("^") {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(Wrong::Syntax);
            }
            let to = self.power()?;
            self.depth -= 1;
            self.silent = false;
            return self.apply('^', value, to);
        }
        Ok(value)
    }

    fn factor(&mut self) -> Worked<Number> {
        if self.eat("(") {
            let value = self.expression()?;
            self.silent = false;
            return match self.eat(")") {
                true => Ok(value),
                false => Err(Wrong::Syntax),
            };
        }
        for (word, step) in [("++", 1), ("--", -1)] {
            if self.eat(word) {
                let name = self.name().ok_or(Wrong::Syntax)?;
                let value = fits(self.get(&name).plus(Number::whole(step)))?;
                self.set(&name, value)?;
                self.silent = false;
                return Ok(value);
            }
        }
        self.text = self.text.trim_start();
        let digit = |c: char| c.is_ascii_digit() || ('A'..='F').contains(&c) || c == '.';
        let end = self.text.find(|c| !digit(c)).unwrap_or(self.text.len());
        if end > 0 {
            let (text, rest) = self.text.split_at(end);
            if text.matches('.').count() > 1 {
                return Err(Wrong::Syntax);
            }
            self.text = rest;
            return fits(Number::read(text, self.calculator.ibase));
        }
        let name = self.name().ok_or(Wrong::Syntax)?;
        if self.eat("(") {
            let value = self.expression()?;
            if !self.eat(")") {
                return Err(Wrong::Syntax);
            }
            self.silent = false;
            return self.call(&name, value);
        }
        self.variable(&name)
    }

    fn variable(&mut self, name: &str) -> Worked<Number> {
        let rest = self.text.trim_start();
        for (word, step) in [("++", 1), ("--", -1)] {
            if rest.starts_with(word) {
                self.eat(word);
                let value = self.get(name);
                self.set(name, fits(value.plus(Number::whole(step)))?)?;
                return Ok(value);
            }
        }
        let mut letters = rest.chars();
        match (letters.next(), letters.next()) {
            (Some('='), next) if next != Some('=') => {
                self.eat("=");
                let value = self.expression()?;
                self.set(name, value)?;
                self.silent = true;
                Ok(self.get(name))
            }
            (Some(word @ ('+' | '-' | '*' | '/' | '%' | '^')), Some('=')) => {
                self.text = &rest[2..];
                let other = self.expression()?;
                let value = self.apply(word, self.get(name), other)?;
                self.set(name, value)?;
                self.silent = true;
                Ok(value)
            }
            _ => Ok(self.get(name)),
        }
    }

    fn call(&mut self, name: &str, value: Number) -> Worked<Number> {
        match name {
            "sqrt" if value.digits < 0 => Err(Wrong::Runtime("Square root of a negative number")),
            "sqrt" => fits(value.root(self.calculator.scale)),
            "length" => {
                let digits = value.digits.unsigned_abs().to_string().len();
                let scale = usize::try_from(value.scale).unwrap_or(0);
                Ok(Number::whole(digits.max(scale) as i128))
            }
            "scale" => Ok(Number::whole(i128::from(value.scale))),
            _ => {
                let what = sim::unmodelled!("functions of bc");
                Err(Wrong::Unmodelled(format!("{what}: {name}")))
            }
        }
    }

    fn name(&mut self) -> Option<String> {
        self.text = self.text.trim_start();
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let end = self.text.find(|c| !fits(c)).unwrap_or(self.text.len());
        let (name, rest) = self.text.split_at(end);
        if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
            return None;
        }
        self.text = rest;
        Some(name.to_owned())
    }

    fn get(&self, name: &str) -> Number {
        let Calculator {
            scale,
            ibase,
            obase,
            variables,
            ..
        } = &*self.calculator;
        match name {
            "scale" => Number::whole(i128::from(*scale)),
            "ibase" => Number::whole(i128::from(*ibase)),
            "obase" => Number::whole(i128::from(*obase)),
            _ => variables.get(name).copied().unwrap_or(Number::whole(0)),
        }
    }

    fn set(&mut self, name: &str, value: Number) -> Worked<()> {
        let whole = || {
            value
                .at(0)
                .and_then(|number| u32::try_from(number.digits).ok())
        };
        match name {
            "scale" => {
                let scale = whole().ok_or(Wrong::Runtime("Negative scale, set to 0"))?;
                if scale > MAX_SCALE {
                    return fits(None);
                }
                self.calculator.scale = scale;
            }
            "ibase" => self.calculator.ibase = whole().unwrap_or(2).clamp(2, 16),
            "obase" => self.calculator.obase = whole().unwrap_or(2).clamp(2, 999),
            _ => {
                self.calculator.variables.insert(name.to_owned(), value);
            }
        }
        Ok(())
    }
}
