//! Reading an awk program, by precedence climbing.

use super::ast::{Expr, Function, Pattern, Program, Redirect, Source, Stmt};
use super::lex::{Tok, tokens};

struct Parser {
    tokens: Vec<(Tok, u32)>,
    at: usize,
    depth: u32,
    /// `in` and `>` end an expression here, as in `for (x in a)` and `print a > "f"`.
    no_in: bool,
    no_greater: bool,
}

type Parsed<T> = Result<T, String>;

/// Nesting that is refused, so that no program overflows the stack.
const MAX_DEPTH: u32 = 150;

/// Reads a program; the error is what awk says of it.
pub(super) fn parse(text: &str) -> Parsed<Program> {
    let mut parser = Parser {
        tokens: tokens(text)?,
        at: 0,
        depth: 0,
        no_in: false,
        no_greater: false,
    };
    parser.program()
}

/// Where `print` writes, if not to standard output.
type Output = (Redirect, Expr);

impl Parser {
    fn peek(&self) -> &Tok {
        &self.tokens[self.at].0
    }

    fn next(&mut self) -> Tok {
        let token = self.tokens[self.at].0.clone();
        if self.at + 1 < self.tokens.len() {
            self.at += 1;
        }
        token
    }

    fn is(&self, op: &str) -> bool {
        matches!(self.peek(), Tok::Op(own) if *own == op)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Tok::Keyword(own) if *own == word)
    }

    fn eat(&mut self, op: &str) -> bool {
        let found = self.is(op);
        if found {
            self.next();
        }
        found
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.next();
        }
        found
    }

    fn want(&mut self, op: &str) -> Parsed<()> {
        if self.eat(op) { Ok(()) } else { self.wrong() }
    }

    fn wrong<T>(&self) -> Parsed<T> {
        let (token, line) = &self.tokens[self.at];
        let near = match token {
            Tok::Number(n) => n.to_string(),
            Tok::Text(text) => format!("\"{text}\""),
            Tok::Regex(text) => format!("/{text}/"),
            Tok::Name(name) | Tok::Func(name) | Tok::Builtin(name) => name.to_string(),
            Tok::Keyword(word) => (*word).to_owned(),
            Tok::Op(op) => (*op).to_owned(),
            Tok::Newline => "end of line".to_owned(),
            Tok::End => "end of file".to_owned(),
        };
        Err(format!("line {line}: syntax error at or near {near}"))
    }

    fn newlines(&mut self) {
        while matches!(self.peek(), Tok::Newline) {
            self.next();
        }
    }

    fn separators(&mut self) {
        while matches!(self.peek(), Tok::Newline) || self.is(";") {
            self.next();
        }
    }

    fn deeper(&mut self) -> Parsed<()> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("program nests deeper than {MAX_DEPTH} levels"));
        }
        Ok(())
    }

    fn program(&mut self) -> Parsed<Program> {
        let mut program = Program::default();
        loop {
            self.separators();
            if *self.peek() == Tok::End {
                return Ok(program);
            }
            if self.eat_word("BEGIN") {
                self.newlines();
                program.begin.push(self.block()?);
            } else if self.eat_word("END") {
                self.newlines();
                program.end.push(self.block()?);
            } else if self.eat_word("function") {
                program.functions.push(self.function()?);
            } else {
                let pattern = if self.is("{") {
                    Pattern::Always
                } else {
                    let first = self.expr()?;
                    if self.eat(",") {
                        self.newlines();
                        Pattern::Range(first, self.expr()?)
                    } else {
                        Pattern::If(first)
                    }
                };
                let body = if self.is("{") {
                    Some(self.block()?)
                } else {
                    None
                };
                program.rules.push((pattern, body));
            }
        }
    }

    fn function(&mut self) -> Parsed<Function> {
        let name = match self.next() {
            Tok::Name(name) | Tok::Func(name) => name,
            _ => return self.wrong(),
        };
        self.want("(")?;
        let mut params = Vec::new();
        while !self.eat(")") {
            self.newlines();
            match self.next() {
                Tok::Name(name) => params.push(name),
                _ => return self.wrong(),
            }
            self.newlines();
            if !self.is(")") {
                self.want(",")?;
            }
        }
        self.newlines();
        Ok(Function {
            name,
            params,
            body: self.block()?,
        })
    }

    fn block(&mut self) -> Parsed<Vec<Stmt>> {
        self.want("{")?;
        let mut all = Vec::new();
        loop {
            self.separators();
            if self.eat("}") {
                return Ok(all);
            }
            all.push(self.statement()?);
        }
    }

    /// A statement with what ends it.
    fn statement(&mut self) -> Parsed<Stmt> {
        self.deeper()?;
        let statement = self.statement_inner();
        self.depth -= 1;
        statement
    }

    fn statement_inner(&mut self) -> Parsed<Stmt> {
        if self.is("{") {
            return Ok(Stmt::Block(self.block()?));
        }
        if self.eat_word("if") {
            self.want("(")?;
            let condition = self.expr()?;
            self.want(")")?;
            let then = self.body()?;
            // An `else` may stand behind newlines and a semicolon.
            let before = self.at;
            self.separators();
            if self.eat_word("else") {
                return Ok(Stmt::If(condition, then, Some(self.body()?)));
            }
            self.at = before;
            return Ok(Stmt::If(condition, then, None));
        }
        if self.eat_word("while") {
            self.want("(")?;
            let condition = self.expr()?;
            self.want(")")?;
            if self.eat(";") {
                return Ok(Stmt::While(condition, Box::new(Stmt::Block(Vec::new()))));
            }
            return Ok(Stmt::While(condition, self.body()?));
        }
        if self.eat_word("do") {
            let body = self.body()?;
            self.separators();
            if !self.eat_word("while") {
                return self.wrong();
            }
            self.want("(")?;
            let condition = self.expr()?;
            self.want(")")?;
            self.end()?;
            return Ok(Stmt::DoWhile(body, condition));
        }
        if self.eat_word("for") {
            return self.for_statement();
        }
        let statement = self.simple()?;
        self.end()?;
        Ok(statement)
    }

    fn body(&mut self) -> Parsed<Box<Stmt>> {
        self.newlines();
        if self.eat(";") {
            return Ok(Box::new(Stmt::Block(Vec::new())));
        }
        Ok(Box::new(self.statement()?))
    }

    fn end(&mut self) -> Parsed<()> {
        match self.peek() {
            Tok::Newline | Tok::Op(";") => {
                self.next();
                Ok(())
            }
            Tok::Op("}") | Tok::End => Ok(()),
            Tok::Keyword("else") => Ok(()),
            _ => self.wrong(),
        }
    }

    fn for_statement(&mut self) -> Parsed<Stmt> {
        self.want("(")?;
        if let (Tok::Name(name), Tok::Keyword("in")) =
            (self.peek().clone(), &self.tokens[self.at + 1].0)
            && let (Tok::Name(array), Tok::Op(")")) = (
                self.tokens[self.at + 2].0.clone(),
                &self.tokens[self.at + 3].0,
            )
        {
            self.at += 4;
            return Ok(Stmt::ForIn(name, array, self.body()?));
        }
        let init = if self.is(";") {
            None
        } else {
            Some(Box::new(self.simple()?))
        };
        self.want(";")?;
        self.newlines();
        let condition = if self.is(";") {
            None
        } else {
            Some(self.expr()?)
        };
        self.want(";")?;
        self.newlines();
        let step = if self.is(")") {
            None
        } else {
            Some(Box::new(self.simple()?))
        };
        self.want(")")?;
        if self.eat(";") {
            return Ok(Stmt::For(
                init,
                condition,
                step,
                Box::new(Stmt::Block(Vec::new())),
            ));
        }
        Ok(Stmt::For(init, condition, step, self.body()?))
    }

    fn at_end(&self) -> bool {
        matches!(self.peek(), Tok::Newline | Tok::End | Tok::Op(";" | "}"))
    }

    fn simple(&mut self) -> Parsed<Stmt> {
        if self.eat_word("print") || self.is_word("printf") {
            let formatted = self.eat_word("printf");
            let (args, redirect) = self.print_arguments()?;
            if formatted && args.is_empty() {
                return self.wrong();
            }
            return Ok(if formatted {
                Stmt::Printf(args, redirect)
            } else {
                Stmt::Print(args, redirect)
            });
        }
        if self.eat_word("next") || self.eat_word("nextfile") {
            return Ok(Stmt::Next);
        }
        if self.eat_word("break") {
            return Ok(Stmt::Break);
        }
        if self.eat_word("continue") {
            return Ok(Stmt::Continue);
        }
        if self.eat_word("exit") {
            return Ok(Stmt::Exit(if self.at_end() {
                None
            } else {
                Some(self.expr()?)
            }));
        }
        if self.eat_word("return") {
            return Ok(Stmt::Return(if self.at_end() {
                None
            } else {
                Some(self.expr()?)
            }));
        }
        if self.eat_word("delete") {
            let Tok::Name(name) = self.next() else {
                return self.wrong();
            };
            let index = if self.eat("[") {
                Some(self.list("]")?)
            } else {
                None
            };
            return Ok(Stmt::Delete(name, index));
        }
        Ok(Stmt::Expr(self.expr()?))
    }

    fn print_arguments(&mut self) -> Parsed<(Vec<Expr>, Option<Output>)> {
        let before = std::mem::replace(&mut self.no_greater, true);
        let mut args = Vec::new();
        if !self.at_end() && !self.is(">") && !self.is(">>") && !self.is("|") {
            let start = self.at;
            // `print (a, b) > "f"`: the parentheses hold the whole list.
            if self.eat("(") {
                let inner = std::mem::replace(&mut self.no_greater, false);
                let list = self.list(")");
                self.no_greater = inner;
                let whole = self.at_end() || self.is(">") || self.is(">>") || self.is("|");
                match list {
                    Ok(list) if whole => args = list,
                    _ => self.at = start,
                }
            }
            if args.is_empty() {
                args.push(self.expr()?);
                while self.eat(",") {
                    self.newlines();
                    args.push(self.expr()?);
                }
            }
        }
        self.no_greater = before;
        let kind = match self.peek() {
            Tok::Op(">") => Redirect::File,
            Tok::Op(">>") => Redirect::Append,
            Tok::Op("|") => Redirect::Pipe,
            _ => return Ok((args, None)),
        };
        self.next();
        let to = self.concatenation_operand()?;
        Ok((args, Some((kind, to))))
    }

    fn concatenation_operand(&mut self) -> Parsed<Expr> {
        let before = std::mem::replace(&mut self.no_greater, true);
        let target = self.binary(7);
        self.no_greater = before;
        target
    }

    fn list(&mut self, close: &str) -> Parsed<Vec<Expr>> {
        let no_in = std::mem::replace(&mut self.no_in, false);
        let mut list = Vec::new();
        self.newlines();
        while !self.eat(close) {
            list.push(self.expr()?);
            self.newlines();
            if !self.is(close) {
                self.want(",")?;
                self.newlines();
            }
        }
        self.no_in = no_in;
        Ok(list)
    }

    fn expr(&mut self) -> Parsed<Expr> {
        self.deeper()?;
        let expr = self.ternary();
        self.depth -= 1;
        expr
    }

    fn ternary(&mut self) -> Parsed<Expr> {
        let left = self.binary(0)?;
        if self.eat("?") {
            self.newlines();
            let yes = self.expr()?;
            self.newlines();
            self.want(":")?;
            self.newlines();
            let no = self.expr()?;
            return Ok(Expr::Cond(Box::new(left), Box::new(yes), Box::new(no)));
        }
        let op = match self.peek() {
            Tok::Op("=") => None,
            Tok::Op(op @ ("+=" | "-=" | "*=" | "/=" | "%=" | "^=")) => op.chars().next(),
            _ => return Ok(left),
        };
        if !matches!(left, Expr::Variable(_) | Expr::Field(_) | Expr::Element(..)) {
            return self.wrong();
        }
        self.next();
        self.newlines();
        let right = self.expr()?;
        Ok(Expr::Assign(Box::new(left), op, Box::new(right)))
    }

    /// Levels: 0 `||`, 1 `&&`, 2 `in`, 3 `~`, 4 comparisons, 5 concatenation, 6 `+ -`, 7 `* / %`.
    fn binary(&mut self, level: u32) -> Parsed<Expr> {
        if level > 7 {
            return self.unary();
        }
        let mut left = self.binary(level + 1)?;
        loop {
            let boxed = |left: &mut Expr| Box::new(std::mem::replace(left, Expr::Number(0.0)));
            let op = match self.peek() {
                Tok::Op(op) => *op,
                Tok::Keyword("in") => "in",
                _ => "",
            };
            left = match (level, op) {
                (0, "||") | (1, "&&") => {
                    self.next();
                    self.newlines();
                    let right = Box::new(self.binary(level + 1)?);
                    match level {
                        0 => Expr::Or(boxed(&mut left), right),
                        _ => Expr::And(boxed(&mut left), right),
                    }
                }
                (2, "in") if !self.no_in => {
                    self.next();
                    let Tok::Name(array) = self.next() else {
                        return self.wrong();
                    };
                    Expr::In(vec![left], array)
                }
                (3, "~" | "!~") => {
                    self.next();
                    let right = Box::new(self.binary(4)?);
                    Expr::Match(boxed(&mut left), right, op == "!~")
                }
                (4, "<" | "<=" | "==" | "!=" | ">=" | ">") => {
                    if op == ">" && self.no_greater {
                        return Ok(left);
                    }
                    self.next();
                    let right = Box::new(self.binary(5)?);
                    let letter = match op {
                        "<=" => 'l',
                        "==" => 'e',
                        "!=" => 'n',
                        ">=" => 'g',
                        other => other.chars().next().unwrap_or('<'),
                    };
                    return Ok(Expr::Binary(letter, boxed(&mut left), right));
                }
                (4, "|")
                    if matches!(
                        self.tokens.get(self.at + 1),
                        Some((Tok::Keyword("getline"), _))
                    ) =>
                {
                    self.at += 2;
                    let target = self.getline_target()?;
                    Expr::Getline(Source::Command(boxed(&mut left)), target)
                }
                (5, _) if self.begins_operand() => {
                    let right = Box::new(self.binary(6)?);
                    Expr::Binary(' ', boxed(&mut left), right)
                }
                (6, "+" | "-") | (7, "*" | "/" | "%") => {
                    self.next();
                    let right = Box::new(self.binary(level + 1)?);
                    Expr::Binary(op.chars().next().unwrap_or('+'), boxed(&mut left), right)
                }
                _ => return Ok(left),
            };
        }
    }

    /// Whether what follows can only be another operand, so that the two are joined.
    fn begins_operand(&self) -> bool {
        match self.peek() {
            Tok::Number(_)
            | Tok::Text(_)
            | Tok::Regex(_)
            | Tok::Name(_)
            | Tok::Func(_)
            | Tok::Builtin(_) => true,
            Tok::Op(op) => matches!(*op, "(" | "$" | "!" | "-" | "+" | "++" | "--"),
            _ => false,
        }
    }

    fn unary(&mut self) -> Parsed<Expr> {
        self.deeper()?;
        let expr = match self.peek() {
            Tok::Op(op @ ("!" | "-" | "+")) => {
                let letter = op.chars().next().unwrap_or('!');
                self.next();
                // `-x^2` is `-(x^2)`.
                Expr::Unary(letter, Box::new(self.unary()?))
            }
            _ => self.power()?,
        };
        self.depth -= 1;
        Ok(expr)
    }

    fn power(&mut self) -> Parsed<Expr> {
        let base = self.postfix()?;
        if self.eat("^") {
            let exponent = self.unary()?;
            return Ok(Expr::Binary('^', Box::new(base), Box::new(exponent)));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Parsed<Expr> {
        for (op, step) in [("++", 1.0), ("--", -1.0)] {
            if self.eat(op) {
                let target = self.primary()?;
                return Ok(Expr::Step(Box::new(target), step, false));
            }
        }
        let operand = self.primary()?;
        if matches!(
            operand,
            Expr::Variable(_) | Expr::Field(_) | Expr::Element(..)
        ) {
            for (op, step) in [("++", 1.0), ("--", -1.0)] {
                if self.eat(op) {
                    return Ok(Expr::Step(Box::new(operand), step, true));
                }
            }
        }
        Ok(operand)
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let before = self.at;
        Ok(match self.next() {
            Tok::Number(number) => Expr::Number(number),
            Tok::Text(text) => Expr::Text(text),
            Tok::Regex(text) => Expr::Regex(text),
            Tok::Op("$") => {
                self.deeper()?;
                let index = if self.is("++") || self.is("--") || self.is("-") {
                    self.unary()?
                } else {
                    self.primary()?
                };
                self.depth -= 1;
                Expr::Field(Box::new(index))
            }
            Tok::Op("(") => {
                let (no_in, no_greater) = (
                    std::mem::take(&mut self.no_in),
                    std::mem::take(&mut self.no_greater),
                );
                let mut list = self.list(")")?;
                (self.no_in, self.no_greater) = (no_in, no_greater);
                if list.len() > 1 {
                    // `(i, j) in a`
                    if self.eat_word("in")
                        && let Tok::Name(array) = self.next()
                    {
                        return Ok(Expr::In(list, array));
                    }
                    return self.wrong();
                }
                match list.pop() {
                    Some(inner) => Expr::Group(Box::new(inner)),
                    None => return self.wrong(),
                }
            }
            Tok::Name(name) => {
                if self.eat("[") {
                    return Ok(Expr::Element(name, self.list("]")?));
                }
                Expr::Variable(name)
            }
            Tok::Func(name) => {
                self.want("(")?;
                Expr::Call(name, self.list(")")?)
            }
            Tok::Builtin(name) => {
                let args = if self.eat("(") {
                    self.list(")")?
                } else {
                    Vec::new()
                };
                if args.is_empty()
                    && !matches!(&*name, "length" | "rand" | "srand" | "fflush" | "systime")
                {
                    self.at = before;
                    return self.wrong();
                }
                Expr::Builtin(name, args)
            }
            Tok::Keyword("getline") => {
                let target = self.getline_target()?;
                let source = if self.eat("<") {
                    Source::File(Box::new(self.primary()?))
                } else {
                    Source::Input
                };
                Expr::Getline(source, target)
            }
            _ => {
                self.at = before;
                return self.wrong();
            }
        })
    }

    fn getline_target(&mut self) -> Parsed<Option<Box<Expr>>> {
        match self.peek() {
            Tok::Name(_) | Tok::Op("$") => Ok(Some(Box::new(self.primary()?))),
            _ => Ok(None),
        }
    }
}
