//! Compound commands.

use std::rc::Rc;

use machine::Sys;

use super::launch::Fork;
use super::select::Turn;
use super::{Frame, MAX_CALLS, Shell, Unwind};
use crate::expand::Outputs;
use crate::pattern::Pattern;
use crate::syntax::ir::{self, ArmEnd, CommandKind};

impl Shell {
    /// A command: a simple one handles its redirections itself, a compound one runs inside its own.
    pub(super) fn step_command(
        &mut self,
        sys: &mut Sys<'_>,
        command: Rc<ir::Command>,
        quiet: bool,
        outputs: Outputs,
    ) {
        // Inside a function bash counts from the file's first line as well.
        self.state.line = command.line;
        if matches!(command.kind, CommandKind::Simple(_)) {
            return self.step_simple(sys, command, quiet, outputs);
        }
        if command.redirects.is_empty() || matches!(command.kind, CommandKind::Function(..)) {
            self.push_quiet(Frame::Bare(command), quiet);
            return;
        }
        let frame = Frame::Command(command.clone());
        let expanded = self.expanding(sys, frame, quiet, outputs, |expander| {
            expander.redirects(&command.redirects)
        });
        let Some(ready) = expanded else { return };
        match self.redirect(sys, &ready) {
            Ok(saved) => {
                self.push_quiet(Frame::Restore(saved), quiet);
                self.push_quiet(Frame::Bare(command), quiet);
            }
            Err(message) => {
                self.complain(&message);
                self.ended(1, quiet);
            }
        }
    }

    pub(super) fn step_bare(
        &mut self,
        sys: &mut Sys<'_>,
        command: Rc<ir::Command>,
        quiet: bool,
        outputs: Outputs,
    ) {
        let frame = Frame::Bare(command.clone());
        match &command.kind {
            CommandKind::Simple(_) => {}
            CommandKind::Group(list) => self.push_quiet(Frame::List(list.clone(), 0), quiet),
            CommandKind::Subshell(list) => {
                let job = self.jobs.add(command.text.clone(), false);
                let mut fork = Fork::new(vec![Frame::List(list.clone(), 0)]);
                fork.job = Some(job);
                fork.quiet = quiet;
                self.fork(sys, fork);
                self.wait_for_job(sys, job, quiet);
            }
            CommandKind::If(..) => self.push_quiet(Frame::If(command, 0, false), quiet),
            CommandKind::While(_) => {
                self.state.status = 0;
                self.push_quiet(Frame::While(command, false), quiet);
            }
            CommandKind::For(node) => {
                if crate::syntax::name_length(&node.name) != node.name.len() {
                    self.complain(&format!("`{}': not a valid identifier", node.name));
                    return self.ended(1, quiet);
                }
                let words = match &node.words {
                    None => Some(self.state.params.to_vec()),
                    Some(words) => self.expanding(sys, frame, quiet, outputs, |expander| {
                        let mut all = Vec::new();
                        for word in words {
                            expander.arguments(word, &mut all)?;
                        }
                        Ok(all)
                    }),
                };
                let Some(words) = words else { return };
                self.state.status = 0;
                let frame = match node.select {
                    true => Frame::Select(command.clone(), words.into(), Turn::Show),
                    false => Frame::For(command.clone(), words.into(), 0),
                };
                self.push_quiet(frame, quiet);
            }
            CommandKind::ArithFor(node) => {
                let done = self.expanding(sys, frame, quiet, outputs, |expander| {
                    expander.arithmetic(&node.init)
                });
                if done.is_some() {
                    self.state.status = 0;
                    self.push_quiet(Frame::ArithFor(command.clone(), false), quiet);
                }
            }
            CommandKind::Case(node) => {
                let word = self.expanding(sys, frame, quiet, outputs, |expander| {
                    expander.single(&node.word)
                });
                let Some(word) = word else { return };
                self.state.status = 0;
                self.push_quiet(Frame::Case(command.clone(), word, 0, false), quiet);
            }
            CommandKind::Arith(word) => {
                let text =
                    self.expanding(sys, frame, quiet, outputs, |expander| expander.single(word));
                let Some(text) = text else { return };
                self.trace(sys, &format!("(( {text} ))"));
                let status = match self.evaluate(sys, &text) {
                    Ok(value) => i32::from(value == 0),
                    Err(message) => {
                        self.complain(&format!("((: {message}"));
                        1
                    }
                };
                self.ended(status, quiet);
            }
            CommandKind::Cond(cond) => {
                let held = self.expanding(sys, frame, quiet, outputs, |expander| {
                    expander.condition(cond)
                });
                for line in std::mem::take(&mut self.state.traced) {
                    self.trace(sys, &line);
                }
                match held {
                    Some(Ok(held)) => self.ended(i32::from(!held), quiet),
                    Some(Err(message)) => {
                        self.complain(&message);
                        self.ended(2, quiet);
                    }
                    None => {}
                }
            }
            CommandKind::Function(name, body) => {
                Rc::make_mut(&mut self.state.functions).insert(name.clone(), body.clone());
                self.state.status = 0;
            }
        }
    }

    pub(super) fn step_if(
        &mut self,
        command: Rc<ir::Command>,
        at: usize,
        tested: bool,
        quiet: bool,
    ) {
        let CommandKind::If(branches, otherwise) = &command.kind else {
            return;
        };
        let mut at = at;
        if tested {
            if self.state.status == 0 {
                self.push_quiet(Frame::List(branches[at].1.clone(), 0), quiet);
                return;
            }
            at += 1;
        }
        match (branches.get(at), otherwise) {
            (Some((condition, _)), _) => {
                let condition = condition.clone();
                self.push_quiet(Frame::If(command, at, true), quiet);
                self.push_quiet(Frame::List(condition, 0), true);
            }
            (None, Some(list)) => self.push_quiet(Frame::List(list.clone(), 0), quiet),
            (None, None) => self.state.status = 0,
        }
    }

    pub(super) fn step_while(&mut self, command: Rc<ir::Command>, tested: bool, quiet: bool) {
        let CommandKind::While(node) = &command.kind else {
            return;
        };
        let (condition, body) = (node.condition.clone(), node.body.clone());
        if !tested {
            // The status of the loop is that of its last body, which the condition hides.
            self.push_quiet(Frame::Trapped(self.state.status), quiet);
            self.push_quiet(Frame::While(command, true), quiet);
            self.push_quiet(Frame::List(condition, 0), true);
        } else if (self.state.status == 0) != node.until {
            // That status is not needed: the body gives a new one.
            self.stack.pop();
            self.state.status = 0;
            self.push_quiet(Frame::While(command, false), quiet);
            self.push_quiet(Frame::List(body, 0), quiet);
        }
    }

    pub(super) fn step_for(
        &mut self,
        sys: &mut Sys<'_>,
        command: Rc<ir::Command>,
        words: Rc<[Rc<str>]>,
        at: usize,
        quiet: bool,
    ) {
        let CommandKind::For(node) = &command.kind else {
            return;
        };
        let Some(word) = words.get(at).cloned() else {
            return;
        };
        if self.state.options.xtrace {
            let list: Vec<String> = words
                .iter()
                .map(|word| crate::quote::traced(word))
                .collect();
            self.trace(sys, &format!("for {} in {}", node.name, list.join(" ")));
        }
        if let Err(message) = self.state.vars.set(&node.name, word) {
            self.complain(&message);
            return self.ended(1, quiet);
        }
        let body = node.body.clone();
        self.push_quiet(Frame::For(command, words, at + 1), quiet);
        self.push_quiet(Frame::List(body, 0), quiet);
    }

    pub(super) fn step_arith_for(
        &mut self,
        sys: &mut Sys<'_>,
        command: Rc<ir::Command>,
        due: bool,
        quiet: bool,
        outputs: Outputs,
    ) {
        let CommandKind::ArithFor(node) = &command.kind else {
            return;
        };
        let frame = Frame::ArithFor(command.clone(), due);
        let going = self.expanding(sys, frame, quiet, outputs, |expander| {
            if due {
                expander.arithmetic(&node.step)?;
            }
            let condition = expander.single(&node.condition)?;
            Ok(condition.trim().is_empty() || expander.evaluate(&condition)? != 0)
        });
        if going == Some(true) {
            self.push_quiet(Frame::ArithFor(command.clone(), true), quiet);
            self.push_quiet(Frame::List(node.body.clone(), 0), quiet);
        }
    }

    pub(super) fn step_case(
        &mut self,
        sys: &mut Sys<'_>,
        command: Rc<ir::Command>,
        word: Rc<str>,
        (at, through): (usize, bool),
        quiet: bool,
        outputs: Outputs,
    ) {
        let CommandKind::Case(node) = &command.kind else {
            return;
        };
        let Some(arm) = node.arms.get(at) else { return };
        let frame = Frame::Case(command.clone(), word.clone(), at, through);
        let matched = through
            || match self.expanding(sys, frame, quiet, outputs, |expander| {
                for pattern in &arm.patterns {
                    if Pattern::new(&expander.pattern(pattern)?).matches(&word) {
                        return Ok(true);
                    }
                }
                Ok(false)
            }) {
                Some(matched) => matched,
                None => return,
            };
        let next = |through| Frame::Case(command.clone(), word.clone(), at + 1, through);
        if !matched {
            return self.push_quiet(next(false), quiet);
        }
        match arm.then {
            ArmEnd::Break => {}
            ArmEnd::FallThrough => self.push_quiet(next(true), quiet),
            ArmEnd::Continue => self.push_quiet(next(false), quiet),
        }
        self.push_quiet(Frame::List(arm.body.clone(), 0), quiet);
    }

    /// Runs a function's body with these parameters.
    pub(super) fn call(
        &mut self,
        name: &Rc<str>,
        body: Rc<ir::Command>,
        args: &[Rc<str>],
        quiet: bool,
    ) {
        if self.state.calls.len() >= MAX_CALLS {
            let message = format!("{name}: maximum function nesting level exceeded ({MAX_CALLS})");
            self.complain(&message);
            self.unwind = Some(Unwind::Abort(1));
            return;
        }
        let params = std::mem::replace(&mut self.state.params, args.into());
        self.state.calls.push((name.clone(), self.state.line));
        self.state.vars.push_scope();
        self.push_quiet(Frame::Function(params), quiet);
        self.push_quiet(Frame::Command(body), quiet);
    }
}
