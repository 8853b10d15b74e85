//! CEL's macros: calls whose arguments are not values but names and expressions.
//!
//! Models github.com/google/cel-go parser/macro.go and ext/comprehensions.go.

use std::rc::Rc;

use super::CelError;
use super::ast::{Comprehension, Expr, ExprKind, Fold, Span};
use super::parser::Parser;

/// What became of a method call.
pub(super) enum Expanded {
    Macro(Expr),
    /// No macro; target and arguments are given back.
    Call(Expr, Vec<Expr>),
}

type Parsed<T = Expr> = Result<T, CelError>;

/// `has(a.b)`: whether the field is there.
pub(super) fn has(parser: &Parser<'_>, arg: Expr, span: Span) -> Parsed {
    match arg.kind {
        ExprKind::Select {
            of,
            field,
            optional: false,
        } => parser.node(ExprKind::Has { of, field }, span),
        _ => Err(parser.error_at(arg.span, "invalid argument to has() macro".into())),
    }
}

/// `cel.bind(name, value, body)`.
pub(super) fn bind(parser: &Parser<'_>, args: Vec<Expr>, span: Span) -> Parsed {
    let Ok([name, value, body]) = <[Expr; 3]>::try_from(args) else {
        let text = "found no matching overload for 'cel.bind' applied to '(dyn)'";
        return Err(parser.error_at(span, text.into()));
    };
    let name = variable(
        parser,
        &name,
        "cel.bind() variable names must be simple identifiers",
    )?;
    let (value, body) = (Box::new(value), Box::new(body));
    parser.node(ExprKind::Bind { name, value, body }, span)
}

/// Expands `of.name(args)` if it is a macro with that many arguments.
pub(super) fn expand(
    parser: &Parser<'_>,
    name: &str,
    of: Expr,
    mut args: Vec<Expr>,
    span: Span,
) -> Parsed<Expanded> {
    if matches!(name, "optMap" | "optFlatMap") && args.len() == 2 {
        let text = format!("{name}() variable name must be a simple identifier");
        let flat = name == "optFlatMap";
        let body = Box::new(args.remove(1));
        let name = variable(parser, &args[0], &text)?;
        let of = Box::new(of);
        let kind = ExprKind::OptMap {
            of,
            name,
            body,
            flat,
        };
        return Ok(Expanded::Macro(parser.node(kind, span)?));
    }
    let Some((fold, vars, has_condition)) = shape(name, args.len()) else {
        return Ok(Expanded::Call(of, args));
    };
    let names: Parsed<Vec<Rc<str>>> = args[..vars]
        .iter()
        .map(|arg| variable(parser, arg, "argument must be a simple name"))
        .collect();
    let mut rest = args.into_iter().skip(vars);
    let condition = if has_condition { rest.next() } else { None };
    let comprehension = Comprehension {
        fold,
        range: of,
        vars: names?,
        condition,
        result: rest.next(),
    };
    let kind = ExprKind::Comprehension(Box::new(comprehension));
    Ok(Expanded::Macro(parser.node(kind, span)?))
}

/// How the macro `name` folds, how many variables it names, and whether a condition follows them.
fn shape(name: &str, args: usize) -> Option<(Fold, usize, bool)> {
    let shape = match (name, args) {
        ("all", 2 | 3) => (Fold::All, args - 1, true),
        ("exists", 2 | 3) => (Fold::Exists, args - 1, true),
        ("exists_one" | "existsOne", 2 | 3) => (Fold::ExistsOne, args - 1, true),
        ("filter", 2) => (Fold::Filter, 1, true),
        ("map", 2 | 3) => (Fold::List, 1, args == 3),
        ("transformList", 3 | 4) => (Fold::List, 2, args == 4),
        ("transformMap", 3 | 4) => (Fold::Map, 2, args == 4),
        ("transformMapEntry", 3 | 4) => (Fold::Entries, 2, args == 4),
        _ => return None,
    };
    Some(shape)
}

fn variable(parser: &Parser<'_>, arg: &Expr, message: &str) -> Parsed<Rc<str>> {
    match &arg.kind {
        ExprKind::Ident(name) => Ok(name.clone()),
        _ => Err(parser.error_at(arg.span, message.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Program;

    #[track_caller]
    fn check_error(source: &str, message: &str) {
        let error = Program::compile(source).map(|_| ()).expect_err(source);
        assert_eq!(error.message, message, "{source}");
    }

    #[test]
    fn misused_macros() {
        check_error("has(a)", "invalid argument to has() macro");
        check_error("has(a[0])", "invalid argument to has() macro");
        check_error("[1].all(x.y, true)", "argument must be a simple name");
        check_error("[1].map(1, 2)", "argument must be a simple name");
        let text = "cel.bind() variable names must be simple identifiers";
        check_error("cel.bind(1, 2, 3)", text);
    }

    #[test]
    fn a_macro_name_with_other_arguments_is_a_call() {
        check_error(
            "[1].all(x)",
            "undeclared reference to 'all' (in container '')",
        );
    }
}
