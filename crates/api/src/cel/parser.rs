//! Parses CEL source into its tree and expands the macros.
//!
//! Models the grammar of github.com/google/cel-spec doc/langdef.md; errors read as cel-go's do.

use std::rc::Rc;

use super::ast::{BinaryOp, Element, Entry, Expr, ExprKind, Member, Span};
use super::lexer::{Spanned, Token, tokens};
use super::reserved::{RESERVED, unescape};
use super::{CelError, Val, functions, macros};

/// Levels of nesting an expression may have, as in cel-go.
const MAX_DEPTH: usize = 250;
/// Characters a source may have, as in cel-go.
const MAX_CHARS: usize = 100_000;

const EXPECT_OPERAND: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, \
                              NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}";

/// The tree of `source`.
pub(super) fn parse(source: &str) -> Result<Expr, CelError> {
    if source.len() > MAX_CHARS {
        let text = format!("expression code point size exceeds limit: {MAX_CHARS}");
        return Err(CelError::new(source, 0, text));
    }
    let mut parser = Parser {
        source,
        tokens: tokens(source)?,
        at: 0,
        depth: 0,
    };
    let expr = parser.ternary()?;
    if parser.peek().token != Token::End {
        let text = format!("Syntax error: mismatched input '{}' expecting <EOF>", {
            parser.shown()
        });
        return Err(parser.error_here(text));
    }
    Ok(expr)
}

pub(super) struct Parser<'a> {
    source: &'a str,
    tokens: Vec<Spanned>,
    at: usize,
    depth: usize,
}

type Parsed<T = Expr> = Result<T, CelError>;

impl Parser<'_> {
    fn peek(&self) -> &Spanned {
        &self.tokens[self.at]
    }

    fn span(&self) -> Span {
        let Spanned { start, end, .. } = *self.peek();
        Span { start, end }
    }

    fn shown(&self) -> &str {
        let Span { start, end } = self.span();
        if start == end {
            "<EOF>"
        } else {
            &self.source[start..end]
        }
    }

    fn error_here(&self, message: String) -> CelError {
        self.error_at(self.span(), message)
    }

    /// An error about the expression at `span`.
    pub(super) fn error_at(&self, span: Span, message: String) -> CelError {
        CelError::new(self.source, span.start, message)
    }

    fn take(&mut self, punct: &str) -> bool {
        let found = matches!(self.peek().token, Token::Punct(p) if p == punct);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, punct: &str) -> Parsed<Span> {
        let span = self.span();
        if self.take(punct) {
            return Ok(span);
        }
        let text = format!("Syntax error: missing '{punct}' at '{}'", self.shown());
        Err(self.error_here(text))
    }

    fn take_in(&mut self) -> bool {
        let found = matches!(&self.peek().token, Token::Ident(name) if &**name == "in");
        self.at += usize::from(found);
        found
    }

    /// Puts `kind` over its children, refusing a tree that grows too high.
    pub(super) fn node(&self, kind: ExprKind, span: Span) -> Parsed {
        self.node_at(kind, span, span.start)
    }

    /// The same for an expression about which messages do not point at its beginning.
    pub(super) fn node_at(&self, kind: ExprKind, span: Span, at: usize) -> Parsed {
        let mut expr = Expr {
            kind,
            span,
            at,
            height: 1,
        };
        let mut below = 0;
        expr.children(&mut |child| below = below.max(child.height));
        expr.height = below + 1;
        if expr.height > MAX_DEPTH {
            return Err(self.too_deep(span));
        }
        Ok(expr)
    }

    fn too_deep(&self, span: Span) -> CelError {
        let text = format!("expression recursion limit exceeded: {MAX_DEPTH}");
        self.error_at(span, text)
    }

    fn ternary(&mut self) -> Parsed {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.too_deep(self.span()));
        }
        let condition = self.logic("||")?;
        let at = self.span().start;
        let out = if self.take("?") {
            let yes = self.logic("||")?;
            self.expect(":")?;
            let no = self.ternary()?;
            let span = condition.span.to(no.span);
            self.node_at(ExprKind::Ternary(Box::new([condition, yes, no])), span, at)?
        } else {
            condition
        };
        self.depth -= 1;
        Ok(out)
    }

    /// A chain of `||`, whose operands are chains of `&&`.
    fn logic(&mut self, op: &'static str) -> Parsed {
        let or = op == "||";
        let mut all = Vec::new();
        let mut at = None;
        loop {
            all.push(if or {
                self.logic("&&")?
            } else {
                self.relation()?
            });
            let here = self.span().start;
            if !self.take(op) {
                break;
            }
            at.get_or_insert(here);
        }
        if all.len() == 1 {
            return Ok(all.swap_remove(0));
        }
        let span = all[0].span.to(all[all.len() - 1].span);
        let kind = if or {
            ExprKind::Or(all)
        } else {
            ExprKind::And(all)
        };
        self.node_at(kind, span, at.unwrap_or(span.start))
    }

    fn relation(&mut self) -> Parsed {
        use BinaryOp::{Eq, Ge, Gt, In, Le, Lt, Ne};
        let ops = [
            ("==", Eq),
            ("!=", Ne),
            ("<=", Le),
            (">=", Ge),
            ("<", Lt),
            (">", Gt),
        ];
        let mut left = self.binary(0)?;
        loop {
            let at = self.span().start;
            let op = match ops.iter().find(|(text, _)| self.take(text)) {
                Some((_, op)) => *op,
                None if self.take_in() => In,
                None => return Ok(left),
            };
            let right = self.binary(0)?;
            left = self.joined(op, at, left, right)?;
        }
    }

    /// Sums (level 0) of products (level 1).
    fn binary(&mut self, level: usize) -> Parsed {
        use BinaryOp::{Add, Div, Mul, Rem, Sub};
        let levels: [&[(&str, BinaryOp)]; 2] = [
            &[("+", Add), ("-", Sub)],
            &[("*", Mul), ("/", Div), ("%", Rem)],
        ];
        let operand = |parser: &mut Self| match level {
            0 => parser.binary(1),
            _ => parser.unary(),
        };
        let mut left = operand(self)?;
        loop {
            let at = self.span().start;
            let Some((_, op)) = levels[level].iter().find(|(text, _)| self.take(text)) else {
                return Ok(left);
            };
            let right = operand(self)?;
            left = self.joined(*op, at, left, right)?;
        }
    }

    fn joined(&self, op: BinaryOp, at: usize, left: Expr, right: Expr) -> Parsed {
        let span = left.span.to(right.span);
        let (left, right) = (Box::new(left), Box::new(right));
        self.node_at(ExprKind::Binary { op, left, right }, span, at)
    }

    fn unary(&mut self) -> Parsed {
        let start = self.span();
        let op = ["!", "-"].into_iter().find(|op| self.take(op));
        let Some(op) = op else {
            return self.member();
        };
        let mut times = 1;
        while self.take(op) {
            times += 1;
        }
        if op == "-" {
            // The smallest integer has no positive counterpart, so the sign belongs to the literal.
            if let (Token::Int(magnitude), true) = (&self.peek().token, times == 1) {
                let value = 0_i64.checked_sub_unsigned(*magnitude).unwrap_or(i64::MIN);
                let span = start.to(self.span());
                self.at += 1;
                let literal = self.node(ExprKind::Literal(Val::Int(value)), span)?;
                return self.members(literal);
            }
        }
        let inner = self.member()?;
        if times % 2 == 0 {
            return Ok(inner);
        }
        let span = start.to(inner.span);
        let kind = match op {
            "!" => ExprKind::Not(Box::new(inner)),
            _ => ExprKind::Negate(Box::new(inner)),
        };
        self.node(kind, span)
    }

    fn member(&mut self) -> Parsed {
        let primary = self.primary()?;
        self.members(primary)
    }

    /// Fields, indexes and method calls that follow `of`.
    fn members(&mut self, mut of: Expr) -> Parsed {
        loop {
            let at = self.span().start;
            if self.take(".") {
                let optional = self.take("?");
                of = self.dotted(of, optional, at)?;
            } else if self.take("[") {
                let optional = self.take("?");
                let key = self.ternary()?;
                let span = of.span.to(self.expect("]")?);
                let (inner, key) = (Box::new(of), Box::new(key));
                let kind = ExprKind::Index {
                    of: inner,
                    key,
                    optional,
                };
                of = self.node_at(kind, span, at)?;
            } else if matches!(self.peek().token, Token::Punct("{"))
                && let Some(name) = qualified(&of)
            {
                of = self.message(name, of.span)?;
            } else {
                return Ok(of);
            }
        }
    }

    fn dotted(&mut self, of: Expr, optional: bool, at: usize) -> Parsed {
        let name_span = self.span();
        let name = match &self.peek().token {
            Token::Ident(name) => unescape(name),
            Token::Quoted(name) => name.clone(),
            _ => {
                let text = format!("Syntax error: no viable alternative at input '.{}'", {
                    self.shown()
                });
                return Err(self.error_here(text));
            }
        };
        self.at += 1;
        let open = self.span().start;
        if optional || !self.take("(") {
            let span = of.span.to(name_span);
            let kind = ExprKind::Select {
                of: Box::new(of),
                field: name,
                optional,
            };
            return self.node_at(kind, span, at);
        }
        let (args, end) = self.arguments()?;
        let span = of.span.to(end);
        if let ExprKind::Ident(space) = &of.kind {
            let full = format!("{space}.{name}");
            if full == "cel.bind" {
                return macros::bind(self, args, span);
            }
            if functions::exists(&full) || functions::unmodelled(&full).is_some() {
                return self.call(full.into(), false, args, span, open);
            }
        }
        match macros::expand(self, &name, of, args, span)? {
            macros::Expanded::Macro(expr) => Ok(expr),
            macros::Expanded::Call(of, mut args) => {
                args.insert(0, of);
                self.call(name, true, args, span, open)
            }
        }
    }

    fn call(&self, name: Rc<str>, method: bool, args: Vec<Expr>, span: Span, at: usize) -> Parsed {
        if !functions::exists(&name)
            && let Some(unmodelled) = functions::unmodelled(&name)
        {
            return Err(self.error_at(span, unmodelled.to_string()));
        }
        let kind = ExprKind::Call {
            function: functions::find(&name, method, args.len()),
            name,
            method,
            args,
        };
        self.node_at(kind, span, at)
    }

    /// An object that is written out: its name stands before the bracket.
    fn message(&mut self, name: String, start: Span) -> Parsed {
        let at = self.expect("{")?.start;
        let mut fields = Vec::new();
        loop {
            let end = self.span();
            if self.take("}") {
                let kind = ExprKind::Struct {
                    name: name.into(),
                    fields,
                };
                return self.node_at(kind, start.to(end), at);
            }
            let optional = self.take("?");
            let name = match &self.peek().token {
                Token::Ident(name) => unescape(name),
                Token::Quoted(name) => name.clone(),
                _ => return Err(self.unexpected()),
            };
            self.at += 1;
            self.expect(":")?;
            let value = self.ternary()?;
            fields.push(Member {
                name,
                value,
                optional,
            });
            if !self.take(",") && !matches!(self.peek().token, Token::Punct("}")) {
                self.expect("}")?;
            }
        }
    }

    /// Arguments up to the closing bracket; the opening one is read already.
    fn arguments(&mut self) -> Parsed<(Vec<Expr>, Span)> {
        let mut args = Vec::new();
        loop {
            let end = self.span();
            if args.is_empty() && self.take(")") {
                return Ok((args, end));
            }
            args.push(self.ternary()?);
            let end = self.span();
            if self.take(")") {
                return Ok((args, end));
            }
            if !self.take(",") {
                let text = format!("Syntax error: missing ')' at '{}'", self.shown());
                return Err(self.error_here(text));
            }
        }
    }

    fn primary(&mut self) -> Parsed {
        let span = self.span();
        let literal = match self.peek().token.clone() {
            Token::Int(value) => match i64::try_from(value) {
                Ok(value) => Val::Int(value),
                Err(_) => return Err(self.error_here("invalid int literal".into())),
            },
            Token::Uint(value) => Val::Uint(value),
            Token::Double(value) => Val::Double(value),
            Token::Str(value) => Val::from(&*value),
            Token::Bytes(value) => Val::Bytes(value),
            Token::Punct("(") => {
                self.at += 1;
                let mut inner = self.ternary()?;
                let end = self.expect(")")?;
                inner.span = span.to(end);
                return Ok(inner);
            }
            Token::Punct("[") => return self.list(),
            Token::Punct("{") => return self.map(),
            // A leading dot names the root container, which is where everything is anyway.
            Token::Punct(".") if matches!(self.tokens[self.at + 1].token, Token::Ident(_)) => {
                self.at += 1;
                return self.primary();
            }
            Token::Ident(name) => match &*name {
                "true" => Val::Bool(true),
                "false" => Val::Bool(false),
                "null" => Val::Null,
                "in" => return Err(self.unexpected()),
                _ => return self.named(name),
            },
            Token::Quoted(_) | Token::Punct(_) | Token::End => return Err(self.unexpected()),
        };
        self.at += 1;
        self.node(ExprKind::Literal(literal), span)
    }

    fn unexpected(&self) -> CelError {
        let shown = self.shown();
        let text = format!("Syntax error: mismatched input '{shown}' expecting {EXPECT_OPERAND}");
        self.error_here(text)
    }

    fn named(&mut self, name: Rc<str>) -> Parsed {
        let start = self.span();
        if RESERVED.contains(&&*name) {
            return Err(self.error_here(format!("reserved identifier: {name}")));
        }
        self.at += 1;
        let open = self.span().start;
        if !self.take("(") {
            return self.node(ExprKind::Ident(name), start);
        }
        let (mut args, end) = self.arguments()?;
        let span = start.to(end);
        if &*name == "has" && args.len() == 1 {
            return macros::has(self, args.remove(0), span);
        }
        self.call(name, false, args, span, open)
    }

    fn list(&mut self) -> Parsed {
        let start = self.expect("[")?;
        let mut items = Vec::new();
        loop {
            let end = self.span();
            if self.take("]") {
                return self.node(ExprKind::List(items), start.to(end));
            }
            let optional = self.take("?");
            let value = self.ternary()?;
            items.push(Element { value, optional });
            if !self.take(",") {
                let end = self.expect("]")?;
                return self.node(ExprKind::List(items), start.to(end));
            }
        }
    }

    fn map(&mut self) -> Parsed {
        let start = self.expect("{")?;
        let mut items = Vec::new();
        loop {
            let end = self.span();
            if self.take("}") {
                return self.node(ExprKind::Map(items), start.to(end));
            }
            let optional = self.take("?");
            let key = self.ternary()?;
            self.expect(":")?;
            let value = self.ternary()?;
            items.push(Entry {
                key,
                value,
                optional,
            });
            if !self.take(",") {
                let end = self.expect("}")?;
                return self.node(ExprKind::Map(items), start.to(end));
            }
        }
    }
}

/// `a.b.c`, where an expression is names alone.
pub(super) fn qualified(expr: &Expr) -> Option<String> {
    match &expr.kind {
        ExprKind::Ident(name) => Some(name.to_string()),
        ExprKind::Select {
            of,
            field,
            optional: false,
        } => Some(format!("{}.{field}", qualified(of)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_error(source: &str, column: u32, message: &str) {
        let error = parse(source).map(|_| ()).expect_err(source);
        assert_eq!((error.column, error.message.as_str()), (column, message));
    }

    #[test]
    fn syntax_errors_read_as_cel_gos() {
        let operand = |shown: &str| {
            format!("Syntax error: mismatched input '{shown}' expecting {EXPECT_OPERAND}")
        };
        check_error("self.x ==", 10, &operand("<EOF>"));
        check_error("1 + )", 5, &operand(")"));
        check_error("(1 + 2", 7, "Syntax error: missing ')' at '<EOF>'");
        check_error("size([1, 2)", 11, "Syntax error: missing ']' at ')'");
        check_error(
            "a b",
            3,
            "Syntax error: mismatched input 'b' expecting <EOF>",
        );
        check_error(
            "a.1",
            2,
            "Syntax error: mismatched input '.1' expecting <EOF>",
        );
        check_error(
            "a.'x'",
            3,
            "Syntax error: no viable alternative at input '.'x''",
        );
        check_error("for", 1, "reserved identifier: for");
        check_error("9223372036854775808", 1, "invalid int literal");
    }

    #[test]
    fn what_is_left_out_is_said() {
        let text = "not modelled: CEL's math beyond greatest, least, abs and sign";
        check_error("math.ceil(1.5) > 1.0", 1, text);
    }

    #[test]
    fn nesting_is_limited() {
        let text = "expression recursion limit exceeded: 250";
        let deep = format!("{}1{}", "(".repeat(300), ")".repeat(300));
        check_error(&deep, 251, text);
        check_error(&format!("1{}", " + 1".repeat(300)), 1, text);
        let wide = format!("true{}", " && true".repeat(3000));
        assert!(parse(&wide).is_ok(), "a chain of operands is not depth");
    }
}
