//! Finds the type of an expression before it runs, and all that cannot work: names that are not
//! declared, fields that do not exist, operands that do not fit.
//!
//! Models github.com/google/cel-go checker.

use std::rc::Rc;

use super::ast::{BinaryOp, Comprehension, Expr, ExprKind, Fold};
use super::parser::qualified;
use super::signatures::{self, Signature};
use super::{Env, Type, Val, eval, functions};

/// What is wrong: where, and what.
pub(super) type Mistakes = Vec<(usize, String)>;

/// The type of an expression, and what is wrong with it.
pub(super) fn check(root: &Expr, env: &Env) -> (Type, Mistakes) {
    let mut checker = Checker {
        env,
        scope: Vec::new(),
        bound: Vec::new(),
        mistakes: Vec::new(),
    };
    let ty = checker.ty(root);
    (checker.resolved(&ty), checker.mistakes)
}

struct Checker<'e> {
    env: &'e Env,
    scope: Vec<(Rc<str>, Type)>,
    /// What the variables of signatures stand for, as far as it is known.
    bound: Vec<Option<Type>>,
    mistakes: Mistakes,
}

impl Checker<'_> {
    fn wrong(&mut self, at: usize, text: String) -> Type {
        self.mistakes.push((at, text));
        Type::Dyn
    }

    fn fresh(&mut self) -> Type {
        self.bound.push(None);
        Type::Param(self.bound.len() - 1)
    }

    fn ty(&mut self, expr: &Expr) -> Type {
        match &expr.kind {
            ExprKind::Literal(val) => of_literal(val),
            ExprKind::Ident(name) => self.ident(expr, name),
            ExprKind::Select {
                of,
                field,
                optional,
            } => self.select(expr, of, field, *optional),
            ExprKind::Has { of, field } => {
                let of_ty = self.ty(of);
                self.member(expr.at, &of_ty, field);
                Type::Bool
            }
            ExprKind::Index { of, key, optional } => {
                let args = [self.ty(of), self.ty(key)];
                let name = if *optional { "_[?_]" } else { "_[_]" };
                self.call(expr.at, name, false, &args)
            }
            ExprKind::Call {
                name, method, args, ..
            } => self.function(expr, name, *method, args),
            ExprKind::Struct { name, fields } => {
                for field in fields {
                    self.ty(&field.value);
                }
                self.message(expr, name)
            }
            ExprKind::List(items) => {
                let items = items.iter().map(|item| (&item.value, item.optional));
                let of = self.joined(items);
                Type::list(of)
            }
            ExprKind::Map(entries) => {
                let key = self.joined(entries.iter().map(|e| (&e.key, false)));
                let value = self.joined(entries.iter().map(|e| (&e.value, e.optional)));
                Type::map(key, value)
            }
            ExprKind::Not(of) => self.operator(expr.at, "!_", &[of]),
            ExprKind::Negate(of) => self.operator(expr.at, "-_", &[of]),
            ExprKind::Binary { op, left, right } => {
                self.operator(expr.at, symbol(*op), &[left, right])
            }
            ExprKind::And(all) => self.logic(expr.at, "_&&_", all),
            ExprKind::Or(all) => self.logic(expr.at, "_||_", all),
            ExprKind::Ternary(all) => self.operator(expr.at, "_?_:_", &[&all[0], &all[1], &all[2]]),
            ExprKind::Comprehension(c) => self.comprehension(expr, c),
            ExprKind::Bind { name, value, body } => {
                let ty = self.ty(value);
                self.within(vec![(name.clone(), ty)], |c| c.ty(body))
            }
            ExprKind::OptMap {
                of,
                name,
                body,
                flat,
            } => {
                let inner = match self.ty(of) {
                    Type::Optional(inner) => (*inner).clone(),
                    _ => Type::Dyn,
                };
                let out = self.within(vec![(name.clone(), inner)], |c| c.ty(body));
                if *flat { out } else { Type::optional(out) }
            }
        }
    }

    fn within<T>(&mut self, vars: Vec<(Rc<str>, Type)>, inner: impl FnOnce(&mut Self) -> T) -> T {
        let outer = self.scope.len();
        self.scope.extend(vars);
        let out = inner(self);
        self.scope.truncate(outer);
        out
    }

    fn ident(&mut self, expr: &Expr, name: &str) -> Type {
        let local = self.scope.iter().rev().find(|(n, _)| &**n == name);
        if let Some((_, ty)) = local {
            return ty.clone();
        }
        if let Some(ty) = self.env.variable(name) {
            return ty;
        }
        if eval::type_named(name).is_some() {
            return Type::Type;
        }
        self.undeclared(expr.at, name)
    }

    fn undeclared(&mut self, at: usize, name: &str) -> Type {
        self.wrong(
            at,
            format!("undeclared reference to '{name}' (in container '')"),
        )
    }

    fn select(&mut self, expr: &Expr, of: &Expr, field: &str, optional: bool) -> Type {
        if let Some(name) = qualified(expr)
            && eval::type_named(&name).is_some()
        {
            return Type::Type;
        }
        // A variable may have a dot in its name.
        if let Some(ty) = qualified(expr).and_then(|name| self.env.dotted(&name)) {
            return ty;
        }
        let of_ty = self.ty(of);
        let ty = self.member(expr.at, &of_ty, field);
        let maybe = optional || matches!(self.resolved(&of_ty), Type::Optional(_));
        match ty {
            Type::Optional(_) => ty,
            ty if maybe => Type::optional(ty),
            ty => ty,
        }
    }

    /// The type of a field.
    fn member(&mut self, at: usize, of: &Type, field: &str) -> Type {
        match self.resolved(of) {
            Type::Dyn | Type::Param(_) => Type::Dyn,
            Type::Map(of) => of.1.clone(),
            Type::Optional(inner) => self.member(at, &inner, field),
            Type::Object(of) => match of.field(field) {
                Some(ty) => ty,
                None => self.wrong(at, format!("undefined field '{field}'")),
            },
            _ if self.env.lenient => Type::Dyn,
            other => self.wrong(
                at,
                format!("type '{other}' does not support field selection"),
            ),
        }
    }

    fn message(&mut self, expr: &Expr, name: &str) -> Type {
        let own = name == "Object" || name.starts_with("Object.");
        if self.env.mutates && (own || name == "JSONPatch") {
            return Type::open_object(name);
        }
        self.undeclared(expr.at, name)
    }

    fn function(&mut self, expr: &Expr, name: &str, method: bool, args: &[Expr]) -> Type {
        if !functions::exists(name) {
            for arg in args {
                self.ty(arg);
            }
            return self.undeclared(expr.at, name);
        }
        let types: Vec<Type> = args.iter().map(|arg| self.ty(arg)).collect();
        let before = self.mistakes.len();
        let ty = self.call(expr.at, name, method, &types);
        if before == self.mistakes.len() && !self.env.lenient {
            self.literal_argument(name, args);
        }
        ty
    }

    /// Patterns, durations and times that are written out are read at once.
    fn literal_argument(&mut self, name: &str, args: &[Expr]) {
        let at = match (name, args.len()) {
            ("matches", 2) => 1,
            ("duration" | "timestamp", 1) => 0,
            _ => return,
        };
        let ExprKind::Literal(Val::Str(text)) = &args[at].kind else {
            return;
        };
        let good = match name {
            "matches" => regex_lite::Regex::new(text).is_ok(),
            "duration" => super::time::parse_duration(text).is_some(),
            _ => super::Timestamp::parse(text).is_some(),
        };
        if !good {
            self.wrong(args[at].at, format!("invalid {name} argument"));
        }
    }

    fn operator(&mut self, at: usize, name: &str, args: &[&Expr]) -> Type {
        let types: Vec<Type> = args.iter().map(|arg| self.ty(arg)).collect();
        self.call(at, name, false, &types)
    }

    fn logic(&mut self, at: usize, name: &str, all: &[Expr]) -> Type {
        let types: Vec<Type> = all.iter().map(|arg| self.ty(arg)).collect();
        for (i, right) in types.iter().enumerate().skip(1) {
            let left = if i == 1 { types[0].clone() } else { Type::Bool };
            self.call(at, name, false, &[left, right.clone()]);
        }
        Type::Bool
    }

    /// The type that the items of a list have in common.
    fn joined<'x>(&mut self, items: impl Iterator<Item = (&'x Expr, bool)>) -> Type {
        let mut all: Option<Type> = None;
        for (item, optional) in items {
            let mut ty = self.ty(item);
            if optional {
                ty = match self.resolved(&ty) {
                    Type::Optional(of) => (*of).clone(),
                    other => other,
                };
            }
            all = Some(match all {
                None => ty,
                Some(before) if self.assign(&before, &ty) => match self.resolved(&ty) {
                    Type::Dyn => ty,
                    _ => before,
                },
                Some(before) if self.env.lenient => {
                    let _ = before;
                    Type::Dyn
                }
                Some(before) => {
                    let (before, ty) = (self.resolved(&before), self.resolved(&ty));
                    self.wrong(
                        item.at,
                        format!("expected type '{before}' but found '{ty}'"),
                    )
                }
            });
        }
        match all {
            Some(ty) => ty,
            None => self.fresh(),
        }
    }

    fn comprehension(&mut self, expr: &Expr, c: &Comprehension) -> Type {
        let range = self.ty(&c.range);
        let (key, value) = match self.resolved(&range) {
            Type::List(of) => (Type::Int, (*of).clone()),
            Type::Map(of) => of.as_ref().clone(),
            Type::Dyn | Type::Param(_) => (Type::Dyn, Type::Dyn),
            _ if self.env.lenient => (Type::Dyn, Type::Dyn),
            other => {
                let why = "(must be list, map, or dynamic)";
                let text = format!(
                    "expression of type '{other}' cannot be range of a comprehension {why}"
                );
                self.wrong(c.range.at, text);
                (Type::Dyn, Type::Dyn)
            }
        };
        let is_map = matches!(self.resolved(&range), Type::Map(_));
        let vars = match c.vars.as_slice() {
            [one] => vec![(one.clone(), if is_map { key.clone() } else { value })],
            both => both.iter().cloned().zip([key.clone(), value]).collect(),
        };
        let element = vars[0].1.clone();
        let (condition, result) = self.within(vars, |checker| {
            let condition = c.condition.as_ref().map(|of| checker.ty(of));
            let result = c.result.as_ref().map(|of| checker.ty(of));
            (condition, result)
        });
        if let Some(condition) = condition {
            self.condition(expr.at, c.fold, condition, &element);
        }
        match c.fold {
            Fold::All | Fold::Exists | Fold::ExistsOne => Type::Bool,
            Fold::Filter => Type::list(element),
            Fold::List => Type::list(result.unwrap_or(Type::Dyn)),
            Fold::Map => Type::map(key, result.unwrap_or(Type::Dyn)),
            Fold::Entries => result.unwrap_or(Type::Dyn),
        }
    }

    /// What a comprehension asks has to be a bool: its macro puts it between operators.
    fn condition(&mut self, at: usize, fold: Fold, condition: Type, element: &Type) {
        match fold {
            Fold::All => self.call(at, "_&&_", false, &[Type::Bool, condition]),
            Fold::Exists => self.call(at, "_||_", false, &[Type::Bool, condition]),
            Fold::ExistsOne => self.call(at, "_?_:_", false, &[condition, Type::Int, Type::Int]),
            Fold::Filter | Fold::List | Fold::Map | Fold::Entries => {
                let list = Type::list(element.clone());
                self.call(at, "_?_:_", false, &[condition, list.clone(), list])
            }
        };
    }

    /// The result of a function for arguments of these types; a mistake if it takes no such.
    fn call(&mut self, at: usize, name: &str, method: bool, args: &[Type]) -> Type {
        let Some(forms) = signatures::of(name) else {
            return Type::Dyn;
        };
        let mut result: Option<Type> = None;
        for form in &forms {
            if form.method != method || form.args.len() != args.len() {
                continue;
            }
            let kept = self.bound.clone();
            let (wanted, gives) = self.instance(form);
            let fits = args
                .iter()
                .zip(&wanted)
                .all(|(arg, want)| self.assign(want, arg));
            if !fits {
                self.bound = kept;
                continue;
            }
            let gives = self.resolved(&gives);
            result = Some(match result {
                None => gives,
                Some(before) if before.same(&gives) => before,
                Some(_) => Type::Dyn,
            });
        }
        let lenient = self.env.lenient
            && (name.starts_with(['_', '!', '-', '@']) || {
                functions::find(name, method, args.len()).is_some()
            });
        match result {
            Some(ty) => ty,
            None if lenient => Type::Dyn,
            None => {
                let args: Vec<String> = args
                    .iter()
                    .map(|ty| self.resolved(ty).to_string())
                    .collect();
                let applied = match method {
                    true => format!("{}.({})", args[0], args[1..].join(", ")),
                    false => format!("({})", args.join(", ")),
                };
                let what = "found no matching overload for";
                self.wrong(at, format!("{what} '{name}' applied to '{applied}'"))
            }
        }
    }

    /// A signature with variables of its own.
    fn instance(&mut self, form: &Signature) -> (Vec<Type>, Type) {
        let own = [self.fresh(), self.fresh()];
        let args = form
            .args
            .iter()
            .map(|ty| with_variables(ty, &own))
            .collect();
        (args, with_variables(&form.result, &own))
    }

    /// What is known of a type.
    fn resolved(&self, ty: &Type) -> Type {
        match ty {
            Type::Param(i) => match &self.bound[*i] {
                Some(ty) => self.resolved(ty),
                None => ty.clone(),
            },
            Type::List(of) => Type::list(self.resolved(of)),
            Type::Optional(of) => Type::optional(self.resolved(of)),
            Type::Map(of) => Type::map(self.resolved(&of.0), self.resolved(&of.1)),
            other => other.clone(),
        }
    }

    /// Whether a value of type `given` may stand where `wanted` is asked for.
    fn assign(&mut self, wanted: &Type, given: &Type) -> bool {
        let (wanted, given) = (self.resolved(wanted), self.resolved(given));
        match (&wanted, &given) {
            (Type::Param(a), Type::Param(b)) if a == b => true,
            (Type::Param(i), other) | (other, Type::Param(i)) => {
                self.bound[*i] = Some(other.clone());
                true
            }
            (Type::Dyn, _) | (_, Type::Dyn) => true,
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => {
                self.assign(a, b)
            }
            (Type::Map(a), Type::Map(b)) => self.assign(&a.0, &b.0) && self.assign(&a.1, &b.1),
            (Type::Null, other) | (other, Type::Null) => matches!(
                other,
                Type::Null | Type::Object(_) | Type::Opaque(_) | Type::Timestamp | Type::Duration
            ),
            (a, b) => a.same(b),
        }
    }
}

fn with_variables(ty: &Type, own: &[Type; 2]) -> Type {
    match ty {
        Type::Param(i) => own[*i].clone(),
        Type::List(of) => Type::list(with_variables(of, own)),
        Type::Optional(of) => Type::optional(with_variables(of, own)),
        Type::Map(of) => Type::map(with_variables(&of.0, own), with_variables(&of.1, own)),
        other => other.clone(),
    }
}

fn of_literal(val: &Val) -> Type {
    match val {
        Val::Null => Type::Null,
        Val::Bool(_) => Type::Bool,
        Val::Int(_) => Type::Int,
        Val::Uint(_) => Type::Uint,
        Val::Double(_) => Type::Double,
        Val::Str(_) => Type::String,
        Val::Bytes(_) => Type::Bytes,
        _ => Type::Dyn,
    }
}

fn symbol(op: BinaryOp) -> &'static str {
    match op {
        BinaryOp::Add => "_+_",
        BinaryOp::Sub => "_-_",
        BinaryOp::Mul => "_*_",
        BinaryOp::Div => "_/_",
        BinaryOp::Rem => "_%_",
        BinaryOp::Eq => "_==_",
        BinaryOp::Ne => "_!=_",
        BinaryOp::Lt => "_<_",
        BinaryOp::Le => "_<=_",
        BinaryOp::Gt => "_>_",
        BinaryOp::Ge => "_>=_",
        BinaryOp::In => "@in",
    }
}
