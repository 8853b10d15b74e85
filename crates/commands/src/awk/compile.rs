//! From the tree to code for the stack machine.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::ast::{Expr, Pattern, Program, Redirect, Source, Stmt};

/// Where a variable lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Target {
    Global(usize),
    Local(usize),
}

/// An instruction. Operands are on the stack, the last pushed on top.
#[derive(Debug)]
pub(super) enum Op {
    Number(f64),
    Text(Rc<str>),
    Load(Target),
    /// Leaves the value.
    Store(Target),
    Field,
    SetField,
    Element(Target),
    SetElement(Target),
    /// Joins so many values with SUBSEP.
    Key(usize),
    In(Target),
    Delete(Target),
    Clear(Target),
    Duplicate,
    Swap,
    Pop,
    ToNumber,
    Truth,
    Unary(char),
    Binary(char),
    Match(bool),
    Jump(usize),
    JumpIf(usize, bool),
    /// Whether a range is open (true), or sets it from the stack (false).
    Range(usize, bool),
    Print(usize, Option<Redirect>),
    Printf(usize, Option<Redirect>),
    Call(usize, usize),
    PushArray(Target),
    Return,
    Builtin(Rc<str>, usize),
    Split(Target, usize),
    ArrayLength(Target),
    /// `gsub` if true.
    Substitute(bool),
    LoopBegin(Target),
    LoopNext(Target, usize),
    LoopEnd,
    /// 0 the input, 1 a file, 2 a command. Answered with the line and above it the result.
    GetLine(u8),
    TakeRecord,
    Next,
    Exit(bool),
    End,
}

/// A compiled program.
#[derive(Debug, Default)]
pub(super) struct Code {
    pub(super) ops: Vec<Op>,
    pub(super) globals: Vec<Rc<str>>,
    /// The place of NF, which is made up when asked for.
    pub(super) nf: usize,
    pub(super) functions: Vec<Compiled>,
    pub(super) ranges: usize,
    pub(super) begin: Option<usize>,
    pub(super) main: Option<usize>,
    pub(super) end: Option<usize>,
}

/// A compiled function.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) name: Rc<str>,
    pub(super) at: usize,
    pub(super) params: usize,
    /// Which parameters are arrays.
    pub(super) arrays: Vec<bool>,
}

struct Compiler<'a> {
    code: Code,
    program: &'a Program,
    locals: Vec<Rc<str>>,
    /// For each parameter of each function whether it is an array, by name.
    arrays: BTreeMap<Rc<str>, Vec<bool>>,
    /// For each loop the jumps that leave it and those that go on with it.
    loops: Vec<(Vec<usize>, Vec<usize>)>,
}

/// Variables the machine itself looks at.
const KNOWN: &[&str] = &[
    "NF", "NR", "FNR", "FS", "OFS", "ORS", "RS", "SUBSEP", "CONVFMT", "OFMT", "RSTART", "RLENGTH",
    "FILENAME", "ENVIRON", "ARGC", "ARGV",
];

/// Compiles a program.
pub(super) fn compile(program: &Program) -> Result<Code, String> {
    let mut compiler = Compiler {
        code: Code::default(),
        program,
        locals: Vec::new(),
        arrays: array_parameters(program),
        loops: Vec::new(),
    };
    for name in KNOWN {
        compiler.global(name);
    }
    for function in &program.functions {
        compiler.locals = function.params.clone();
        let at = compiler.code.ops.len();
        let arrays = compiler
            .arrays
            .get(&function.name)
            .cloned()
            .unwrap_or_default();
        let (name, params) = (function.name.clone(), function.params.len());
        compiler.code.functions.push(Compiled {
            name,
            at,
            params,
            arrays,
        });
        compiler.statements(&function.body)?;
        compiler.emit(Op::Text("".into()));
        compiler.emit(Op::Return);
    }
    compiler.locals.clear();
    compiler.code.begin = compiler.section(&program.begin)?;
    compiler.code.main = compiler.rules()?;
    compiler.code.end = compiler.section(&program.end)?;
    Ok(compiler.code)
}

impl Compiler<'_> {
    fn emit(&mut self, op: Op) -> usize {
        self.code.ops.push(op);
        self.code.ops.len() - 1
    }

    fn here(&self) -> usize {
        self.code.ops.len()
    }

    /// Makes a jump lead here.
    fn land(&mut self, at: usize) {
        let here = self.here();
        self.aim(at, here);
    }

    fn aim(&mut self, at: usize, to: usize) {
        match &mut self.code.ops[at] {
            Op::Jump(own) | Op::JumpIf(own, _) | Op::LoopNext(_, own) => *own = to,
            _ => {}
        }
    }

    fn global(&mut self, name: &str) -> usize {
        if let Some(index) = self.code.globals.iter().position(|own| &**own == name) {
            return index;
        }
        self.code.globals.push(name.into());
        self.code.globals.len() - 1
    }

    fn target(&mut self, name: &str) -> Target {
        match self.locals.iter().position(|own| &**own == name) {
            Some(index) => Target::Local(index),
            None => Target::Global(self.global(name)),
        }
    }

    fn section(&mut self, blocks: &[Vec<Stmt>]) -> Result<Option<usize>, String> {
        if blocks.is_empty() {
            return Ok(None);
        }
        let at = self.here();
        for block in blocks {
            self.statements(block)?;
        }
        self.emit(Op::End);
        Ok(Some(at))
    }

    fn rules(&mut self) -> Result<Option<usize>, String> {
        if self.program.rules.is_empty() {
            return Ok(None);
        }
        let at = self.here();
        for (pattern, body) in &self.program.rules {
            let mut skip = None;
            match pattern {
                Pattern::Always => {}
                Pattern::If(condition) => {
                    self.condition(condition)?;
                    skip = Some(self.emit(Op::JumpIf(0, false)));
                }
                Pattern::Range(first, last) => skip = Some(self.range(first, last)?),
            }
            match body {
                Some(body) => self.statements(body)?,
                None => {
                    self.emit(Op::Print(0, None));
                }
            }
            if let Some(skip) = skip {
                self.land(skip);
            }
        }
        self.emit(Op::End);
        Ok(Some(at))
    }

    /// A range: leaves a jump that is taken outside of it.
    fn range(&mut self, first: &Expr, last: &Expr) -> Result<usize, String> {
        let index = self.code.ranges;
        self.code.ranges += 1;
        self.emit(Op::Range(index, true));
        let inside = self.emit(Op::JumpIf(0, true));
        self.condition(first)?;
        let skip = self.emit(Op::JumpIf(0, false));
        self.land(inside);
        self.condition(last)?;
        self.emit(Op::Unary('!'));
        self.emit(Op::Range(index, false));
        Ok(skip)
    }

    fn statements(&mut self, all: &[Stmt]) -> Result<(), String> {
        all.iter()
            .try_for_each(|statement| self.statement(statement))
    }

    fn statement(&mut self, statement: &Stmt) -> Result<(), String> {
        match statement {
            Stmt::Expr(expr) => {
                self.expr(expr)?;
                self.emit(Op::Pop);
            }
            Stmt::Print(args, redirect) | Stmt::Printf(args, redirect) => {
                for arg in args {
                    self.expr(arg)?;
                }
                let mut kind = None;
                if let Some((redirect, to)) = redirect {
                    self.expr(to)?;
                    kind = Some(*redirect);
                }
                self.emit(match statement {
                    Stmt::Print(..) => Op::Print(args.len(), kind),
                    _ => Op::Printf(args.len(), kind),
                });
            }
            Stmt::If(condition, then, otherwise) => {
                self.condition(condition)?;
                let skip = self.emit(Op::JumpIf(0, false));
                self.statement(then)?;
                match otherwise {
                    Some(otherwise) => {
                        let done = self.emit(Op::Jump(0));
                        self.land(skip);
                        self.statement(otherwise)?;
                        self.land(done);
                    }
                    None => self.land(skip),
                }
            }
            Stmt::While(condition, body) => {
                let start = self.here();
                self.condition(condition)?;
                let out = self.emit(Op::JumpIf(0, false));
                self.looping(body, |_| Ok(()), start)?;
                self.land(out);
                self.close_loop(start);
            }
            Stmt::DoWhile(body, condition) => {
                let start = self.here();
                self.loops.push(Default::default());
                self.statement(body)?;
                let again = self.here();
                self.condition(condition)?;
                self.emit(Op::JumpIf(start, true));
                self.close_loop(again);
            }
            Stmt::For(init, condition, step, body) => {
                if let Some(init) = init {
                    self.statement(init)?;
                }
                let start = self.here();
                let mut out = None;
                if let Some(condition) = condition {
                    self.condition(condition)?;
                    out = Some(self.emit(Op::JumpIf(0, false)));
                }
                self.loops.push(Default::default());
                self.statement(body)?;
                let again = self.here();
                if let Some(step) = step {
                    self.statement(step)?;
                }
                self.emit(Op::Jump(start));
                if let Some(out) = out {
                    self.land(out);
                }
                self.close_loop(again);
            }
            Stmt::ForIn(name, array, body) => {
                let array = self.target(array);
                let target = self.target(name);
                self.emit(Op::LoopBegin(array));
                let start = self.emit(Op::LoopNext(target, 0));
                self.loops.push(Default::default());
                self.statement(body)?;
                self.emit(Op::Jump(start));
                self.land(start);
                self.close_loop(start);
                self.emit(Op::LoopEnd);
            }
            Stmt::Block(all) => self.statements(all)?,
            Stmt::Next => {
                self.emit(Op::Next);
            }
            Stmt::Exit(code) => {
                if let Some(code) = code {
                    self.expr(code)?;
                }
                self.emit(Op::Exit(code.is_some()));
            }
            Stmt::Return(value) => {
                match value {
                    Some(value) => self.expr(value)?,
                    None => {
                        self.emit(Op::Text("".into()));
                    }
                }
                self.emit(Op::Return);
            }
            Stmt::Break | Stmt::Continue => {
                let jump = self.emit(Op::Jump(0));
                let Some((breaks, continues)) = self.loops.last_mut() else {
                    return Err("break or continue outside a loop".to_owned());
                };
                if matches!(statement, Stmt::Break) {
                    breaks.push(jump)
                } else {
                    continues.push(jump)
                }
            }
            Stmt::Delete(name, index) => {
                let target = self.target(name);
                match index {
                    Some(index) => {
                        self.key(index)?;
                        self.emit(Op::Delete(target));
                    }
                    None => {
                        self.emit(Op::Clear(target));
                    }
                }
            }
        }
        Ok(())
    }

    fn looping(
        &mut self,
        body: &Stmt,
        step: impl Fn(&mut Self) -> Result<(), String>,
        start: usize,
    ) -> Result<(), String> {
        self.loops.push(Default::default());
        self.statement(body)?;
        step(self)?;
        self.emit(Op::Jump(start));
        Ok(())
    }

    /// Ends a loop: `break` comes here, `continue` goes to `again`.
    fn close_loop(&mut self, again: usize) {
        let (breaks, continues) = self.loops.pop().unwrap_or_default();
        for jump in breaks {
            self.land(jump);
        }
        for jump in continues {
            self.aim(jump, again);
        }
    }

    /// An expression of which only the truth counts; a lone regular expression matches the record.
    fn condition(&mut self, expr: &Expr) -> Result<(), String> {
        self.expr(expr)
    }

    fn key(&mut self, index: &[Expr]) -> Result<(), String> {
        for part in index {
            self.expr(part)?;
        }
        if index.len() > 1 {
            self.emit(Op::Key(index.len()));
        }
        Ok(())
    }

    /// A pattern operand: a regular expression stands for itself here.
    fn pattern(&mut self, expr: &Expr) -> Result<(), String> {
        match expr {
            Expr::Regex(text) => {
                self.emit(Op::Text(text.clone()));
                Ok(())
            }
            other => self.expr(other),
        }
    }

    fn expr(&mut self, expr: &Expr) -> Result<(), String> {
        match expr {
            Expr::Number(number) => {
                self.emit(Op::Number(*number));
            }
            Expr::Text(text) => {
                self.emit(Op::Text(text.clone()));
            }
            Expr::Regex(text) => {
                self.emit(Op::Number(0.0));
                self.emit(Op::Field);
                self.emit(Op::Text(text.clone()));
                self.emit(Op::Match(false));
            }
            Expr::Variable(name) => {
                let target = self.target(name);
                self.emit(Op::Load(target));
            }
            Expr::Group(inner) => self.expr(inner)?,
            Expr::Field(index) => {
                self.expr(index)?;
                self.emit(Op::Field);
            }
            Expr::Element(name, index) => {
                self.key(index)?;
                let target = self.target(name);
                self.emit(Op::Element(target));
            }
            Expr::Assign(left, op, right) => {
                self.place(left)?;
                match op {
                    None => self.expr(right)?,
                    Some(op) => {
                        // The place is on the stack (if it needs to be): read it there first.
                        self.read_place(left);
                        self.expr(right)?;
                        self.emit(Op::Binary(*op));
                    }
                }
                self.write_place(left);
            }
            Expr::Step(operand, step, old) => {
                self.place(operand)?;
                self.read_place(operand);
                self.emit(Op::ToNumber);
                self.emit(Op::Number(*step));
                self.emit(Op::Binary('+'));
                self.write_place(operand);
                if *old {
                    self.emit(Op::Number(-step));
                    self.emit(Op::Binary('+'));
                }
            }
            Expr::Unary(letter, inner) => {
                self.expr(inner)?;
                self.emit(Op::Unary(*letter));
            }
            Expr::Binary(letter, left, right) => {
                self.expr(left)?;
                self.expr(right)?;
                self.emit(Op::Binary(*letter));
            }
            Expr::Match(text, pattern, negated) => {
                self.expr(text)?;
                self.pattern(pattern)?;
                self.emit(Op::Match(*negated));
            }
            Expr::In(index, array) => {
                self.key(index)?;
                let target = self.target(array);
                self.emit(Op::In(target));
            }
            Expr::And(left, right) | Expr::Or(left, right) => {
                let stops_on = matches!(expr, Expr::Or(..));
                self.expr(left)?;
                self.emit(Op::Truth);
                self.emit(Op::Duplicate);
                let done = self.emit(Op::JumpIf(0, stops_on));
                self.emit(Op::Pop);
                self.expr(right)?;
                self.emit(Op::Truth);
                self.land(done);
            }
            Expr::Cond(condition, yes, no) => {
                self.expr(condition)?;
                let skip = self.emit(Op::JumpIf(0, false));
                self.expr(yes)?;
                let done = self.emit(Op::Jump(0));
                self.land(skip);
                self.expr(no)?;
                self.land(done);
            }
            Expr::Call(name, args) => self.call(name, args)?,
            Expr::Builtin(name, args) => self.builtin(name, args)?,
            Expr::Getline(source, target) => self.getline(source, target.as_deref())?,
        }
        Ok(())
    }

    /// What a place needs on the stack before it is read or written: an index, or nothing.
    fn place(&mut self, expr: &Expr) -> Result<(), String> {
        match expr {
            Expr::Field(index) => self.expr(index),
            Expr::Element(_, index) => self.key(index),
            Expr::Variable(_) => Ok(()),
            _ => Err("assignment to something that is no variable".to_owned()),
        }
    }

    fn read_place(&mut self, expr: &Expr) {
        match expr {
            Expr::Field(_) => {
                self.emit(Op::Duplicate);
                self.emit(Op::Field);
            }
            Expr::Element(name, _) => {
                self.emit(Op::Duplicate);
                let target = self.target(name);
                self.emit(Op::Element(target));
            }
            Expr::Variable(name) => {
                let target = self.target(name);
                self.emit(Op::Load(target));
            }
            _ => {}
        }
    }

    fn write_place(&mut self, expr: &Expr) {
        let op = match expr {
            Expr::Field(_) => Op::SetField,
            Expr::Element(name, _) => Op::SetElement(self.target(name)),
            Expr::Variable(name) => Op::Store(self.target(name)),
            _ => return,
        };
        self.emit(op);
    }

    fn call(&mut self, name: &Rc<str>, args: &[Expr]) -> Result<(), String> {
        let found = self
            .program
            .functions
            .iter()
            .position(|function| function.name == *name);
        let Some(index) = found else {
            return Err(format!("function {name} never defined"));
        };
        if args.len() > self.program.functions[index].params.len() {
            return Err(format!("too many arguments in call to {name}"));
        }
        let arrays = self.arrays.get(name).cloned().unwrap_or_default();
        for (at, arg) in args.iter().enumerate() {
            match arg {
                Expr::Variable(own) if arrays.get(at) == Some(&true) => {
                    let target = self.target(own);
                    self.emit(Op::PushArray(target));
                }
                arg => self.expr(arg)?,
            }
        }
        self.emit(Op::Call(index, args.len()));
        Ok(())
    }

    fn builtin(&mut self, name: &Rc<str>, args: &[Expr]) -> Result<(), String> {
        match (&**name, args) {
            ("split", [text, Expr::Variable(array), rest @ ..]) => {
                self.expr(text)?;
                for separator in rest {
                    self.pattern(separator)?;
                }
                let target = self.target(array);
                self.emit(Op::Split(target, args.len()));
            }
            ("length", [Expr::Variable(own)]) if self.is_array(own) => {
                let target = self.target(own);
                self.emit(Op::ArrayLength(target));
            }
            ("sub" | "gsub", [pattern, with, rest @ ..]) => {
                let record = Expr::Field(Box::new(Expr::Number(0.0)));
                let target = rest.first().unwrap_or(&record);
                self.pattern(pattern)?;
                self.expr(with)?;
                self.expr(target)?;
                self.emit(Op::Substitute(&**name == "gsub"));
                // The count is on top of the new text: store the text if anything changed.
                self.emit(Op::Duplicate);
                let skip = self.emit(Op::JumpIf(0, false));
                self.emit(Op::Swap);
                if matches!(target, Expr::Variable(_)) {
                    self.write_place(target);
                } else if self.place(target).is_ok() {
                    self.emit(Op::Swap);
                    self.write_place(target);
                }
                self.emit(Op::Swap);
                self.land(skip);
                // Either way the text is below the count.
                self.emit(Op::Swap);
                self.emit(Op::Pop);
            }
            ("match", [text, pattern]) => {
                self.expr(text)?;
                self.pattern(pattern)?;
                self.emit(Op::Builtin(name.clone(), 2));
            }
            ("gensub", [pattern, rest @ ..]) => {
                self.pattern(pattern)?;
                for arg in rest {
                    self.expr(arg)?;
                }
                self.emit(Op::Builtin(name.clone(), args.len()));
            }
            ("split" | "sub" | "gsub" | "match", _) => {
                return Err(format!("wrong arguments in call to {name}"));
            }
            _ => {
                for arg in args {
                    self.expr(arg)?;
                }
                self.emit(Op::Builtin(name.clone(), args.len()));
            }
        }
        Ok(())
    }

    fn getline(&mut self, source: &Source, target: Option<&Expr>) -> Result<(), String> {
        let kind = match source {
            Source::Input => 0,
            Source::File(path) => {
                self.expr(path)?;
                1
            }
            Source::Command(command) => {
                self.expr(command)?;
                2
            }
        };
        self.emit(Op::GetLine(kind));
        let Some(target) = target else {
            self.emit(Op::TakeRecord);
            return Ok(());
        };
        // The result is on top of the line: assign the line if there is one.
        self.emit(Op::Duplicate);
        self.emit(Op::Number(0.0));
        self.emit(Op::Binary('>'));
        let skip = self.emit(Op::JumpIf(0, false));
        self.emit(Op::Swap);
        if matches!(target, Expr::Variable(_)) {
            self.write_place(target);
        } else {
            self.place(target)?;
            self.emit(Op::Swap);
            self.write_place(target);
        }
        self.emit(Op::Swap);
        self.land(skip);
        self.emit(Op::Swap);
        self.emit(Op::Pop);
        Ok(())
    }

    /// Whether a name is used as an array anywhere.
    fn is_array(&self, name: &Rc<str>) -> bool {
        let mut found = false;
        let mut look = |statement: &Stmt| arrays_of(statement, &mut |own| found |= own == name);
        self.program.begin.iter().flatten().for_each(&mut look);
        self.program.end.iter().flatten().for_each(&mut look);
        let bodies = self
            .program
            .rules
            .iter()
            .filter_map(|(_, body)| body.as_ref());
        bodies.flatten().for_each(&mut look);
        self.program
            .functions
            .iter()
            .flat_map(|function| &function.body)
            .for_each(&mut look);
        found || matches!(&**name, "ENVIRON" | "ARGV")
    }
}

/// Which parameters of each function are arrays: used as such, or given on to one that is.
fn array_parameters(program: &Program) -> BTreeMap<Rc<str>, Vec<bool>> {
    let mut known: BTreeMap<Rc<str>, Vec<bool>> = program
        .functions
        .iter()
        .map(|function| (function.name.clone(), vec![false; function.params.len()]))
        .collect();
    // Each round can only add, so it ends.
    loop {
        let mut changed = false;
        for function in &program.functions {
            let mut used: Vec<Rc<str>> = Vec::new();
            for statement in &function.body {
                arrays_of(statement, &mut |name| used.push(name.clone()));
                calls_of(statement, &mut |name, args| {
                    let arrays = known.get(name).cloned().unwrap_or_default();
                    for (arg, is_array) in args.iter().zip(arrays) {
                        if let (Expr::Variable(own), true) = (arg, is_array) {
                            used.push(own.clone());
                        }
                    }
                });
            }
            for (at, param) in function.params.iter().enumerate() {
                let Some(flags) = known.get_mut(&function.name) else {
                    continue;
                };
                if used.contains(param) && !flags[at] {
                    flags[at] = true;
                    changed = true;
                }
            }
        }
        if !changed {
            return known;
        }
    }
}

/// Names used as arrays in a statement.
fn arrays_of(statement: &Stmt, found: &mut dyn FnMut(&Rc<str>)) {
    match statement {
        Stmt::ForIn(_, array, _) | Stmt::Delete(array, _) => found(array),
        _ => {}
    }
    exprs_of(statement, &mut |expr| match expr {
        Expr::Element(name, _) | Expr::In(_, name) => found(name),
        Expr::Builtin(name, args) if &**name == "split" => {
            if let Some(Expr::Variable(array)) = args.get(1) {
                found(array);
            }
        }
        _ => {}
    });
    children(statement, &mut |child| arrays_of(child, found));
}

fn calls_of(statement: &Stmt, found: &mut dyn FnMut(&Rc<str>, &[Expr])) {
    exprs_of(statement, &mut |expr| {
        if let Expr::Call(name, args) = expr {
            found(name, args);
        }
    });
    children(statement, &mut |child| calls_of(child, found));
}

fn children(statement: &Stmt, visit: &mut dyn FnMut(&Stmt)) {
    match statement {
        Stmt::If(_, then, otherwise) => {
            visit(then);
            otherwise.iter().for_each(|otherwise| visit(otherwise));
        }
        Stmt::While(_, body) | Stmt::DoWhile(body, _) | Stmt::ForIn(_, _, body) => visit(body),
        Stmt::For(init, _, step, body) => {
            init.iter().for_each(|init| visit(init));
            step.iter().for_each(|step| visit(step));
            visit(body);
        }
        Stmt::Block(all) => all.iter().for_each(visit),
        _ => {}
    }
}

/// Every expression of a statement itself, those inside others included.
fn exprs_of(statement: &Stmt, visit: &mut dyn FnMut(&Expr)) {
    match statement {
        Stmt::Expr(expr) | Stmt::While(expr, _) | Stmt::DoWhile(_, expr) | Stmt::If(expr, ..) => {
            walk(expr, visit);
        }
        Stmt::Print(args, redirect) | Stmt::Printf(args, redirect) => {
            args.iter().for_each(|arg| walk(arg, visit));
            redirect.iter().for_each(|(_, to)| walk(to, visit));
        }
        Stmt::For(_, condition, _, _) => condition.iter().for_each(|expr| walk(expr, visit)),
        Stmt::Exit(value) | Stmt::Return(value) => value.iter().for_each(|expr| walk(expr, visit)),
        Stmt::Delete(_, index) => index.iter().flatten().for_each(|expr| walk(expr, visit)),
        _ => {}
    }
}

fn walk(expr: &Expr, visit: &mut dyn FnMut(&Expr)) {
    visit(expr);
    match expr {
        Expr::Field(a) | Expr::Step(a, ..) | Expr::Unary(_, a) | Expr::Group(a) => walk(a, visit),
        Expr::Element(_, all) | Expr::In(all, _) | Expr::Call(_, all) | Expr::Builtin(_, all) => {
            all.iter().for_each(|expr| walk(expr, visit));
        }
        Expr::Assign(a, _, b)
        | Expr::Binary(_, a, b)
        | Expr::Match(a, b, _)
        | Expr::And(a, b)
        | Expr::Or(a, b) => {
            walk(a, visit);
            walk(b, visit);
        }
        Expr::Cond(a, b, c) => [a, b, c].into_iter().for_each(|expr| walk(expr, visit)),
        Expr::Getline(source, target) => {
            if let Source::File(inner) | Source::Command(inner) = source {
                walk(inner, visit);
            }
            target.iter().for_each(|target| walk(target, visit));
        }
        Expr::Number(_) | Expr::Text(_) | Expr::Regex(_) | Expr::Variable(_) => {}
    }
}
