//! Evaluates a tree, counting what it costs.

use std::collections::BTreeMap;
use std::rc::Rc;

use regex_lite::Regex;

use super::ast::{BinaryOp, Comprehension, Element, Entry, Expr, ExprKind, Fold, Member};
use super::val::Key;
use super::{Bindings, EvalError, Val, ops};

/// Bytes a compiled regular expression may take.
const REGEX_BYTES: usize = 64 * 1024;
/// Compiled expressions kept during one evaluation.
const REGEX_KEPT: usize = 16;

/// Counts what an evaluation may still cost.
pub(super) struct Meter {
    left: u64,
    regexes: Vec<(String, Regex)>,
}

impl Meter {
    /// Takes `steps` from what is left.
    pub(super) fn charge(&mut self, steps: usize) -> Result<(), EvalError> {
        match self.left.checked_sub(steps as u64) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(EvalError::too_costly())
            }
        }
    }

    /// Charges for going through a text once.
    pub(super) fn charge_text(&mut self, text: &str) -> Result<(), EvalError> {
        self.charge(text.len() / 10)
    }

    /// The compiled `pattern`, with its use on `text` paid for.
    pub(super) fn regex(&mut self, pattern: &str, text: &str) -> Result<&Regex, EvalError> {
        // The matcher is linear in the product of both.
        self.charge(pattern.len().saturating_mul(text.len()) / 10)?;
        let kept = self.regexes.iter().position(|(p, _)| p == pattern);
        let at = match kept {
            Some(at) => at,
            None => {
                self.charge(pattern.len() * 4)?;
                let builder = regex_lite::RegexBuilder::new(pattern)
                    .size_limit(REGEX_BYTES)
                    .build();
                let regex = builder.map_err(|error| {
                    EvalError::new(format!("error parsing regexp: {error}: `{pattern}`"))
                })?;
                if self.regexes.len() == REGEX_KEPT {
                    self.regexes.remove(0);
                }
                self.regexes.push((pattern.to_owned(), regex));
                self.regexes.len() - 1
            }
        };
        Ok(&self.regexes[at].1)
    }
}

/// One evaluation under way.
pub(super) struct Evaluator<'a> {
    bindings: &'a Bindings,
    pub(super) locals: Vec<(Rc<str>, Val)>,
    pub(super) meter: Meter,
}

type Done = Result<Val, EvalError>;

/// The type a name stands for where it is no variable.
pub(super) fn type_named(name: &str) -> Option<&'static str> {
    let types = [
        "bool",
        "bytes",
        "double",
        "int",
        "list",
        "map",
        "null_type",
        "string",
        "type",
        "uint",
        "optional_type",
    ];
    types.into_iter().find(|t| *t == name)
}

fn no_overload<T>() -> Result<T, EvalError> {
    Err(EvalError::new("no such overload"))
}

fn no_such_key(key: &Val) -> EvalError {
    let shown = match key {
        Val::Str(text) => text.to_string(),
        other => other.to_string(),
    };
    EvalError::new(format!("no such key: {shown}"))
}

impl<'a> Evaluator<'a> {
    pub(super) fn new(bindings: &'a Bindings, steps: u64) -> Self {
        let meter = Meter {
            left: steps,
            regexes: Vec::new(),
        };
        Self {
            bindings,
            locals: Vec::new(),
            meter,
        }
    }

    /// Evaluates `body` with one more variable.
    pub(super) fn within<T>(
        &mut self,
        name: &Rc<str>,
        val: Val,
        body: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.locals.push((name.clone(), val));
        let out = body(self);
        self.locals.pop();
        out
    }

    pub(super) fn eval(&mut self, expr: &Expr) -> Done {
        self.meter.charge(1)?;
        match &expr.kind {
            ExprKind::Literal(val) => Ok(val.clone()),
            ExprKind::Ident(name) => self.ident(name),
            ExprKind::Select {
                of,
                field,
                optional,
            } => self.select(of, field, *optional),
            ExprKind::Has { of, field } => self.has(of, field),
            ExprKind::Index { of, key, optional } => self.index(of, key, *optional),
            ExprKind::Call { function, args, .. } => {
                let args: Result<Vec<Val>, _> = args.iter().map(|arg| self.eval(arg)).collect();
                match function {
                    Some(function) => (function.run)(&mut self.meter, &args?),
                    None => no_overload(),
                }
            }
            ExprKind::Struct { fields, .. } => self.message(fields),
            ExprKind::List(items) => self.list(items),
            ExprKind::Map(entries) => self.map(entries),
            ExprKind::Not(of) => match self.eval(of)? {
                Val::Bool(b) => Ok(Val::Bool(!b)),
                _ => no_overload(),
            },
            ExprKind::Negate(of) => ops::negate(&self.eval(of)?),
            ExprKind::Binary { op, left, right } => self.binary(*op, left, right),
            ExprKind::And(all) => self.logic(all.iter(), false, Self::eval),
            ExprKind::Or(all) => self.logic(all.iter(), true, Self::eval),
            ExprKind::Ternary(parts) => match self.eval(&parts[0])? {
                Val::Bool(true) => self.eval(&parts[1]),
                Val::Bool(false) => self.eval(&parts[2]),
                _ => no_overload(),
            },
            ExprKind::Comprehension(c) => self.comprehension(c),
            ExprKind::Bind { name, value, body } => {
                let val = self.eval(value)?;
                self.within(name, val, |e| e.eval(body))
            }
            ExprKind::OptMap {
                of,
                name,
                body,
                flat,
            } => match self.eval(of)? {
                Val::Optional(None) => Ok(Val::Optional(None)),
                Val::Optional(Some(val)) => {
                    let out = self.within(name, (*val).clone(), |e| e.eval(body))?;
                    Ok(if *flat { out } else { Val::some(out) })
                }
                _ => no_overload(),
            },
        }
    }

    fn ident(&self, name: &str) -> Done {
        let local = self
            .locals
            .iter()
            .rev()
            .find(|(n, _)| &**n == name)
            .map(|(_, val)| val);
        if let Some(val) = local.or_else(|| self.bindings.get(name)) {
            return Ok(val.clone());
        }
        match type_named(name) {
            Some(name) => Ok(Val::Type(name)),
            None => Err(EvalError::new(format!("no such attribute(s): {name}"))),
        }
    }

    fn select(&mut self, of: &Expr, field: &str, optional: bool) -> Done {
        // A variable may have a dot in its name.
        if let ExprKind::Ident(name) = &of.kind
            && let Some(val) = self.bindings.get(&format!("{name}.{field}"))
        {
            return Ok(val.clone());
        }
        let of = self.eval(of)?;
        let inner = match &of {
            Val::Optional(None) => return Ok(of),
            Val::Optional(Some(inner)) => inner,
            plain => plain,
        };
        let Some(found) = inner.field(field) else {
            return no_overload();
        };
        let maybe = optional || matches!(of, Val::Optional(_));
        match found {
            Some(Val::Failed(why)) => Err(EvalError::new(&*why)),
            found if maybe => Ok(Val::Optional(found.map(Rc::new))),
            Some(val) => Ok(val),
            None => Err(no_such_key(&Val::from(field))),
        }
    }

    fn has(&mut self, of: &Expr, field: &str) -> Done {
        let of = self.eval(of)?;
        let found = match &of {
            Val::Optional(None) => Some(None),
            Val::Optional(Some(inner)) => inner.field(field),
            plain => plain.field(field),
        };
        match found {
            Some(found) => Ok(Val::Bool(found.is_some())),
            None => no_overload(),
        }
    }

    fn index(&mut self, of: &Expr, key: &Expr, optional: bool) -> Done {
        let (of, key) = (self.eval(of)?, self.eval(key)?);
        let inner = match &of {
            Val::Optional(None) => return Ok(of),
            Val::Optional(Some(inner)) => inner,
            plain => plain,
        };
        let found = at(inner, &key);
        if !optional && !matches!(of, Val::Optional(_)) {
            return found;
        }
        match found {
            Ok(val) => Ok(Val::some(val)),
            Err(_) if inner.list_len().is_some() || inner.map_len().is_some() => {
                Ok(Val::Optional(None))
            }
            Err(error) => Err(error),
        }
    }

    fn list(&mut self, items: &[Element]) -> Done {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match (item.optional, self.eval(&item.value)?) {
                (false, val) => out.push(val),
                (true, Val::Optional(of)) => out.extend(of.map(|val| (*val).clone())),
                (true, _) => return no_overload(),
            }
        }
        Ok(Val::list(out))
    }

    fn map(&mut self, entries: &[Entry]) -> Done {
        let mut out = BTreeMap::new();
        for entry in entries {
            let key = self.eval(&entry.key)?;
            let value = match (entry.optional, self.eval(&entry.value)?) {
                (false, val) => val,
                (true, Val::Optional(Some(val))) => (*val).clone(),
                (true, Val::Optional(None)) => continue,
                (true, _) => return no_overload(),
            };
            insert(&mut out, &key, value)?;
        }
        Ok(Val::Map(Rc::new(out)))
    }

    fn message(&mut self, fields: &[Member]) -> Done {
        let mut out = BTreeMap::new();
        for field in fields {
            let value = match (field.optional, self.eval(&field.value)?) {
                (false, val) => val,
                (true, Val::Optional(Some(val))) => (*val).clone(),
                (true, Val::Optional(None)) => continue,
                (true, _) => return no_overload(),
            };
            out.insert(Key::Str((&*field.name).into()), value);
        }
        Ok(Val::Map(Rc::new(out)))
    }

    fn binary(&mut self, op: BinaryOp, left: &Expr, right: &Expr) -> Done {
        let (left, right) = (self.eval(left)?, self.eval(right)?);
        ops::binary(&mut self.meter, op, &left, &right)
    }

    /// `&&` (decided by false) or `||` (decided by true): one deciding operand makes up for errors
    /// of the others, wherever they stand.
    fn logic<T>(
        &mut self,
        operands: impl Iterator<Item = T>,
        decided_by: bool,
        mut eval: impl FnMut(&mut Self, T) -> Done,
    ) -> Done {
        let mut failed = None;
        for operand in operands {
            match eval(self, operand) {
                Ok(Val::Bool(b)) if b == decided_by => return Ok(Val::Bool(b)),
                Ok(Val::Bool(_)) => {}
                Err(error) if error.fatal => return Err(error),
                Ok(_) => failed = failed.or_else(|| no_overload::<Val>().err()),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        match failed {
            Some(error) => Err(error),
            None => Ok(Val::Bool(!decided_by)),
        }
    }

    /// What the variables of a comprehension are bound to in turn.
    pub(super) fn turns(&mut self, c: &Comprehension) -> Result<Vec<Vec<Val>>, EvalError> {
        let range = self.eval(&c.range)?;
        self.meter
            .charge(range.list_len().or_else(|| range.map_len()).unwrap_or(0))?;
        let pairs = c.vars.len() == 2;
        if let Some(entries) = range.entries() {
            let turn = |(k, v): (Val, Val)| if pairs { vec![k, v] } else { vec![k] };
            return Ok(entries.into_iter().map(turn).collect());
        }
        let Some(elements) = range.elements() else {
            return no_overload();
        };
        let index = |i: usize| Val::Int(i64::try_from(i).unwrap_or(i64::MAX));
        let turn = |(i, v): (usize, Val)| if pairs { vec![index(i), v] } else { vec![v] };
        Ok(elements.enumerate().map(turn).collect())
    }

    /// Evaluates `body` in one turn of a comprehension.
    pub(super) fn in_turn(&mut self, c: &Comprehension, turn: &[Val], body: &Expr) -> Done {
        let outer = self.locals.len();
        let bound = c.vars.iter().cloned().zip(turn.iter().cloned());
        self.locals.extend(bound);
        let out = self.eval(body);
        self.locals.truncate(outer);
        out
    }

    /// Whether the condition of a comprehension holds in this turn; it does where there is none.
    fn admits(&mut self, c: &Comprehension, turn: &[Val]) -> Result<bool, EvalError> {
        let Some(condition) = &c.condition else {
            return Ok(true);
        };
        match self.in_turn(c, turn, condition)? {
            Val::Bool(b) => Ok(b),
            _ => no_overload(),
        }
    }

    fn comprehension(&mut self, c: &Comprehension) -> Done {
        let turns = self.turns(c)?;
        match (c.fold, &c.condition, &c.result) {
            (Fold::All, Some(condition), _) => {
                self.logic(turns.iter(), false, |e, turn| e.in_turn(c, turn, condition))
            }
            (Fold::Exists, Some(condition), _) => {
                self.logic(turns.iter(), true, |e, turn| e.in_turn(c, turn, condition))
            }
            (Fold::ExistsOne, _, _) => {
                let mut count = 0;
                for turn in &turns {
                    count += u32::from(self.admits(c, turn)?);
                }
                Ok(Val::Bool(count == 1))
            }
            (Fold::Entries, _, Some(result)) => {
                let mut out = BTreeMap::new();
                for turn in &turns {
                    if !self.admits(c, turn)? {
                        continue;
                    }
                    let val = self.in_turn(c, turn, result)?;
                    for (key, val) in val.entries().map_or_else(no_overload, Ok)? {
                        insert(&mut out, &key, val)?;
                    }
                }
                Ok(Val::Map(Rc::new(out)))
            }
            (Fold::Map, _, Some(result)) => {
                let mut out = BTreeMap::new();
                for turn in &turns {
                    if self.admits(c, turn)? {
                        let val = self.in_turn(c, turn, result)?;
                        insert(&mut out, &turn[0], val)?;
                    }
                }
                Ok(Val::Map(Rc::new(out)))
            }
            (_, _, result) => {
                let mut out = Vec::new();
                for turn in turns {
                    if self.admits(c, &turn)? {
                        out.push(match result {
                            Some(result) => self.in_turn(c, &turn, result)?,
                            None => turn[0].clone(),
                        });
                    }
                }
                Ok(Val::list(out))
            }
        }
    }
}

fn insert(out: &mut BTreeMap<Key, Val>, key: &Val, value: Val) -> Result<(), EvalError> {
    let shown = key.type_name();
    let key =
        Key::of(key).ok_or_else(|| EvalError::new(format!("unsupported key type: {shown}")))?;
    match out.insert(key.clone(), value) {
        None => Ok(()),
        Some(_) => Err(EvalError::new(format!(
            "Failed with repeated key: {}",
            key.val()
        ))),
    }
}

/// `of[key]`.
fn at(of: &Val, key: &Val) -> Done {
    if let Some(found) = of.lookup(key) {
        return found.ok_or_else(|| no_such_key(key));
    }
    let Some(len) = of.list_len() else {
        return no_overload();
    };
    let index = match key {
        Val::Int(n) => Some(*n),
        Val::Uint(n) => i64::try_from(*n).ok(),
        Val::Double(n) => super::val::whole(*n),
        other => {
            let kind = other.type_name();
            return Err(EvalError::new(format!(
                "unsupported index type '{kind}' in list"
            )));
        }
    };
    let found = index
        .and_then(|i| usize::try_from(i).ok())
        .filter(|i| *i < len);
    match found.and_then(|i| of.element(i)) {
        Some(val) => Ok(val),
        None => Err(EvalError::new(format!("index out of bounds: {key}"))),
    }
}
