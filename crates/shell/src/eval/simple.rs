//! Simple commands: expand, redirect, then a function, a builtin or a program.

use std::rc::Rc;

use machine::Sys;

use super::launch::{Found, Launch};
use super::redirect::Ready;
use super::{Entry, Frame, Shell, Unwind};
use crate::builtins::{self, Outcome};
use crate::eval::subst;
use crate::expand::{Elements, Expander, Failure, Outputs, Reach, Stop};
use crate::quote;
use crate::syntax::ir::{self, Arg, CommandKind, Simple, Value};

/// A simple command after expansion.
struct Prepared {
    args: Vec<Rc<str>>,
    redirects: Vec<Ready>,
    /// Arrays that a declaring builtin assigns once it has run.
    arrays: Vec<(Rc<str>, bool, Elements)>,
    /// Variables were hidden for this command: a scope is open.
    scoped: bool,
    /// What `set -x` shows of the assignments.
    traced: Vec<String>,
    /// An assignment that was refused.
    refused: Option<String>,
}

impl Shell {
    pub(super) fn step_simple(
        &mut self,
        sys: &mut Sys<'_>,
        command: Rc<ir::Command>,
        quiet: bool,
        outputs: Outputs,
    ) {
        let CommandKind::Simple(simple) = &command.kind else {
            return;
        };
        let frame = Frame::Command(command.clone());
        if outputs.is_empty() {
            self.state.substituted = None;
        }
        let prepared = self.expanding(sys, frame, quiet, outputs, |expander| {
            prepare(expander, simple, &command.redirects)
        });
        let Some(prepared) = prepared else { return };
        self.trace_command(sys, &prepared);
        if let Some(message) = &prepared.refused {
            self.complain(message);
        }
        let saved = match self.redirect(sys, &prepared.redirects) {
            Ok(saved) => saved,
            Err(message) => {
                if prepared.scoped {
                    self.state.vars.pop_scope();
                }
                self.complain(&message);
                return self.ended(1, quiet);
            }
        };
        if prepared.args.is_empty() {
            self.restore(sys, saved);
            let status = self.state.substituted.unwrap_or(0);
            return self.ended(status, quiet);
        }
        if prepared.scoped {
            self.push_quiet(Frame::Scope, quiet);
        }
        if let Some(last) = prepared.args.last() {
            self.state.last_argument = last.clone();
        }
        self.dispatch(sys, prepared, saved, &command, quiet);
    }

    /// Finds what the first word names and runs it.
    fn dispatch(
        &mut self,
        sys: &mut Sys<'_>,
        prepared: Prepared,
        saved: Vec<super::redirect::Saved>,
        command: &Rc<ir::Command>,
        quiet: bool,
    ) {
        let Prepared {
            mut args, arrays, ..
        } = prepared;
        let mut functions = true;
        let mut programs = true;
        // `command name` and `builtin name` look past functions.
        while let [first, second, ..] = &args[..]
            && matches!(&**first, "command" | "builtin")
            && (!second.starts_with('-') || &**second == "--" || &**second == "-p")
        {
            programs = &**first == "command";
            functions = false;
            args.remove(0);
            if matches!(&*args[0], "--" | "-p") && args.len() > 1 {
                args.remove(0);
            }
        }
        let name = args[0].clone();
        if let Some(body) = self
            .state
            .functions
            .get(&name)
            .cloned()
            .filter(|_| functions)
        {
            self.push_quiet(Frame::Restore(saved), quiet);
            return self.call(&name, body, &args[1..], quiet);
        }
        if let Some(builtin) = builtins::find(&name, self.state.flavor) {
            if &*name == "exec" && args.len() == 1 {
                // The redirections stay.
                self.forget(sys, saved);
                return self.ended(0, quiet);
            }
            self.push_quiet(Frame::Restore(saved), quiet);
            let depth = self.stack.len();
            let outcome = (builtin.run)(self, sys, &args);
            for (name, append, elements) in arrays {
                let mut expander = Expander::new(&mut self.state, sys, &[]);
                if let Err(Stop::Fail(failure)) = expander.assign_elements(&name, append, elements)
                {
                    self.complain(&failure.message);
                }
            }
            // What the builtin began is tested as it would be itself.
            for entry in self.stack.iter_mut().skip(depth) {
                entry.quiet |= quiet;
            }
            if let Outcome::Status(status) = outcome {
                self.ended(status, quiet);
            }
            return;
        }
        if !programs {
            self.push_quiet(Frame::Restore(saved), quiet);
            self.complain(&format!("builtin: {name}: not a shell builtin"));
            return self.ended(1, quiet);
        }
        let found = self.find_program(sys, &name);
        let Found::Program(path) = found else {
            self.push_quiet(Frame::Restore(saved), quiet);
            let (message, status) = self.not_found(&name, &found);
            self.complain(&message);
            return self.ended(status, quiet);
        };
        let launch = Launch {
            path,
            args,
            text: command.text.clone(),
        };
        self.launch(sys, launch, saved, quiet);
    }

    /// Runs one expansion. If it has to wait for a command, the frame goes back on the stack, the
    /// command is begun, and the state is what it was.
    pub(crate) fn expanding<T>(
        &mut self,
        sys: &mut Sys<'_>,
        frame: Frame,
        quiet: bool,
        outputs: Outputs,
        expand: impl FnOnce(&mut Expander<'_, '_>) -> Result<T, Stop>,
    ) -> Option<T> {
        let before = self.state.clone();
        let stop = match expand(&mut Expander::new(&mut self.state, sys, &outputs)) {
            Ok(value) => return Some(value),
            Err(stop) => stop,
        };
        match stop {
            Stop::Command(list) => {
                self.state = before;
                self.stack.push(Entry {
                    frame,
                    quiet,
                    outputs,
                });
                self.start_subst(sys, &list, subst::Into::Text);
            }
            Stop::Process(true, list) => {
                self.state = before;
                let remove = self.removal(quiet);
                self.stack.push(Entry {
                    frame,
                    quiet,
                    outputs,
                });
                self.start_subst(sys, &list, subst::Into::File(remove));
            }
            Stop::Process(false, _) => {
                self.complain("process substitution >(…) as an argument: not modelled");
                self.ended(1, quiet);
            }
            Stop::Fail(failure) => {
                self.fail(failure);
                if self.unwind.is_none() {
                    self.ended(self.state.status, quiet);
                }
            }
        }
        None
    }

    /// An expansion failed: the line is given up, or the script.
    pub(crate) fn fail(&mut self, failure: Failure) {
        let Failure {
            message,
            status,
            reach,
        } = failure;
        self.complain(&message);
        self.unwind = match reach {
            Reach::Command => {
                self.state.status = status;
                return;
            }
            Reach::Shell if self.interactive.is_none() => Some(Unwind::Exit(status)),
            _ => Some(Unwind::Abort(1)),
        };
    }

    /// The value of an arithmetic expression outside of an expansion.
    pub(crate) fn evaluate(&mut self, sys: &mut Sys<'_>, text: &str) -> Result<i64, String> {
        match Expander::new(&mut self.state, sys, &[]).evaluate(text) {
            Ok(value) => Ok(value),
            Err(Stop::Fail(failure)) => Err(failure.message),
            Err(_) => Err(text.to_owned()),
        }
    }

    fn trace_command(&mut self, sys: &mut Sys<'_>, prepared: &Prepared) {
        if !self.state.options.xtrace {
            return;
        }
        for line in &prepared.traced {
            self.trace(sys, line);
        }
        if !prepared.args.is_empty() {
            let words: Vec<String> = prepared
                .args
                .iter()
                .map(|word| quote::traced(word))
                .collect();
            self.trace(sys, &words.join(" "));
        }
    }

    /// Shows a command about to run, if `set -x` asks for it.
    pub(super) fn trace(&mut self, sys: &mut Sys<'_>, text: &str) {
        if self.state.options.xtrace {
            let prompt = self.state.text_or("PS4", "+ ");
            let prompt = crate::prompt::expand(&prompt, &self.state, sys);
            self.print_error(&format!("{prompt}{text}\n"));
        }
    }

    /// Where the files of process substitutions of the next frame are listed for removal.
    fn removal(&mut self, quiet: bool) -> usize {
        if !matches!(
            self.stack.last().map(|entry| &entry.frame),
            Some(Frame::Remove(_))
        ) {
            self.push_quiet(Frame::Remove(Vec::new()), quiet);
        }
        self.stack.len() - 1
    }
}

fn prepare(
    expander: &mut Expander<'_, '_>,
    simple: &Simple,
    redirects: &[ir::Redirect],
) -> Result<Prepared, Stop> {
    let mut prepared = Prepared {
        args: Vec::new(),
        redirects: Vec::new(),
        arrays: Vec::new(),
        scoped: false,
        traced: Vec::new(),
        refused: None,
    };
    for arg in &simple.words {
        match arg {
            Arg::Word(word) => expander.arguments(word, &mut prepared.args)?,
            Arg::Assignment(assignment) => match &assignment.value {
                Value::Array(words) => {
                    let elements = expander.elements(words)?;
                    let name = assignment.name.clone();
                    prepared.args.push(name.clone());
                    prepared.arrays.push((name, assignment.append, elements));
                }
                Value::Scalar(word) => {
                    let text = expander.assigned(word)?;
                    let index = match &assignment.index {
                        Some(index) => format!("[{}]", expander.single(index)?),
                        None => String::new(),
                    };
                    let plus = if assignment.append { "+" } else { "" };
                    let arg = format!("{}{index}{plus}={text}", assignment.name);
                    prepared.args.push(arg.into());
                }
            },
        }
    }
    prepared.redirects = expander.redirects(redirects)?;
    if !simple.assignments.is_empty() {
        prepared.scoped = !prepared.args.is_empty();
        if prepared.scoped {
            expander.state.vars.push_scope();
        }
        for assignment in &simple.assignments {
            match expander.assign(assignment, prepared.scoped) {
                Err(Stop::Fail(failure)) if prepared.scoped => {
                    prepared.refused = Some(failure.message);
                }
                result => result?,
            }
            if expander.state.options.xtrace {
                let text = expander
                    .state
                    .vars
                    .text(&assignment.name)
                    .unwrap_or_default();
                prepared
                    .traced
                    .push(format!("{}={}", assignment.name, quote::traced(&text)));
            }
        }
    }
    Ok(prepared)
}
