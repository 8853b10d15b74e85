//! The evaluator: runs the tree with a stack of its own, so that a shell is plain data and a copy
//! of it goes on in the middle of a loop.
//!
//! [`Shell::step`] looks at the top frame only. A frame that needs something done first leaves
//! itself on the stack and pushes what it needs; it finds the outcome in `state.status`. Nothing
//! here blocks: a step that has to wait says so and is repeated after the next wake.

mod compound;
mod cond;
mod control;
mod job;
mod launch;
mod list;
mod output;
mod redirect;
mod select;
mod simple;
mod source;
mod subst;

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::{ExitStatus, Fd, Poll, Program, Signal, Sys, Wake};
use sim::Duration;

use crate::builtins::{Reading, Waiting};
use crate::expand::Outputs;
use crate::interactive::Interactive;
use crate::state::State;
use crate::syntax::ir;

pub(crate) use cond::{binary_test, unary_test};
pub(crate) use job::{JobState, Jobs};
pub(crate) use launch::find_executable;
pub(crate) use source::Source;

/// Steps a shell takes before it lets time pass.
const STEPS: u32 = 500;
/// The time those steps take.
const STEPS_TIME: Duration = Duration::from_millis(1);
/// Functions that may be running inside each other; bash would run out of memory.
const MAX_CALLS: usize = 1000;

/// A shell: what it knows, and what it is in the middle of doing.
#[derive(Debug, Clone)]
pub(crate) struct Shell {
    /// Variables and everything else a command can ask for.
    pub state: State,
    /// Children.
    pub jobs: Jobs,
    /// `trap` commands by condition: `EXIT`, `INT`, …; an empty one ignores.
    pub traps: Rc<BTreeMap<Rc<str>, Rc<str>>>,
    /// The person it talks to, if it does.
    pub(crate) interactive: Option<Box<Interactive>>,
    /// Descriptors that children get.
    pub(crate) fds: Vec<Fd>,
    stack: Vec<Entry>,
    output: Vec<(Fd, Vec<u8>)>,
    signals: Vec<Signal>,
    /// Not the first shell of its process tree, but a copy.
    subshell: bool,
    /// Set once it is ending: the status it will have.
    exiting: Option<i32>,
    /// Frames are to be left before the next step.
    unwind: Option<Unwind>,
    /// Whether a last command may take the place of the shell (`bash -c`, subshells).
    may_exec: bool,
    /// Another program has taken its place.
    replaced: bool,
    /// What substituted commands printed for a source's prompt.
    current_outputs: Outputs,
    /// Unique within this shell.
    counter: u32,
}

/// A frame and what the evaluator keeps beside it.
#[derive(Debug, Clone)]
struct Entry {
    frame: Frame,
    /// Failures are being tested here, so `set -e` lets them pass.
    quiet: bool,
    /// What commands substituted into the frame's words have printed so far.
    outputs: Outputs,
}

/// What is being done.
#[derive(Debug, Clone)]
pub(crate) enum Frame {
    /// Read commands and run them.
    Source(Source),
    /// Run the items from here on.
    List(Rc<ir::List>, usize),
    /// Run the pipelines from here on.
    AndOr(Rc<ir::AndOr>, usize),
    /// Run a pipeline.
    Pipeline(Rc<ir::Pipeline>),
    /// A pipeline of one command has run in this shell: negate, tell the time.
    PipelineEnd(Rc<ir::Pipeline>, sim::Instant),
    /// Run a command with its redirections.
    Command(Rc<ir::Command>),
    /// Run a command whose redirections have been made.
    Bare(Rc<ir::Command>),
    /// The conditions of an `if`, from this branch on; true once its condition has run.
    If(Rc<ir::Command>, usize, bool),
    /// A `while`; true once the condition has run.
    While(Rc<ir::Command>, bool),
    /// A `for` with the words still to come.
    For(Rc<ir::Command>, Rc<[Rc<str>]>, usize),
    /// A `select` with its words.
    Select(Rc<ir::Command>, Rc<[Rc<str>]>, select::Turn),
    /// A `for ((…))` that has begun; true if the step is due.
    ArithFor(Rc<ir::Command>, bool),
    /// A `case`: its word, the arm, and whether to run it without matching.
    Case(Rc<ir::Command>, Rc<str>, usize, bool),
    /// Undo redirections.
    Restore(Vec<redirect::Saved>),
    /// Leave the scope of a function or of `A=1 command`.
    Scope,
    /// Leave a function: its parameters before the call.
    Function(Rc<[Rc<str>]>),
    /// Leave a sourced file: the parameters to restore.
    Sourced(Option<Rc<[Rc<str>]>>),
    /// After a trap: the status before it.
    Trapped(i32),
    /// Collect the output of a substituted command.
    Subst(subst::Subst),
    /// Remove the files of process substitutions.
    Remove(Vec<Rc<str>>),
    /// Wait for the foreground job with this number.
    Foreground(u32),
    /// `read`
    Read(Box<Reading>),
    /// `wait`
    Wait(Waiting),
    /// Programmable completion is waiting for its tool.
    Complete(Box<crate::complete::Running>),
}

/// How far to leave what is being done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unwind {
    /// The line being run, as after an error in an expansion; with this status.
    Abort(i32),
    /// The shell.
    Exit(i32),
    /// The function or sourced file.
    Return,
    /// So many loops.
    Break(u32),
    /// So many loops, going on with the last.
    Continue(u32),
}

/// What a step came to.
pub(crate) enum Step {
    /// Go on with the top frame.
    Go,
    /// Nothing to do until the next wake; the frame is back on the stack.
    Wait,
}

impl Shell {
    /// A shell around a state, with nothing to do.
    pub(crate) fn new(state: State) -> Shell {
        Shell {
            state,
            jobs: Jobs::default(),
            traps: Rc::default(),
            interactive: None,
            fds: vec![Fd::STDIN, Fd::STDOUT, Fd::STDERR],
            stack: Vec::new(),
            output: Vec::new(),
            signals: Vec::new(),
            subshell: false,
            exiting: None,
            unwind: None,
            may_exec: false,
            replaced: false,
            current_outputs: Outputs::new(),
            counter: 0,
        }
    }

    /// Lets the last command take the shell's place, as `bash -c` does.
    pub(crate) fn allow_exec(&mut self) {
        self.may_exec = true;
    }

    pub(crate) fn push(&mut self, frame: Frame) {
        let quiet = self.stack.last().is_some_and(|entry| entry.quiet);
        self.push_quiet(frame, quiet);
    }

    fn push_quiet(&mut self, frame: Frame, quiet: bool) {
        self.stack.push(Entry {
            frame,
            quiet,
            outputs: Outputs::new(),
        });
    }

    /// Runs until there is something to wait for.
    pub(crate) fn run(&mut self, sys: &mut Sys<'_>) -> Poll {
        for _ in 0..STEPS {
            match self.flush(sys) {
                output::Flush::Done => {}
                output::Flush::Blocked => return Poll::Pending,
                output::Flush::Broken => {
                    return Poll::Exit(ExitStatus::Signal(Signal::Pipe).shell_code());
                }
            }
            self.jobs.reap(sys);
            self.take_signals(sys);
            if let Some(unwind) = self.unwind.take() {
                self.unwind(sys, unwind);
                continue;
            }
            let Some(entry) = self.stack.pop() else {
                match self.finish(sys) {
                    Some(code) => return Poll::Exit(code),
                    None => continue,
                }
            };
            match self.step(sys, entry) {
                Step::Go => {}
                Step::Wait => {
                    // A message may have come with it.
                    return match self.flush(sys) {
                        output::Flush::Broken => {
                            Poll::Exit(ExitStatus::Signal(Signal::Pipe).shell_code())
                        }
                        _ => Poll::Pending,
                    };
                }
            }
            // It became another program, or killed itself.
            if self.replaced || sys.host().process(sys.pid()).is_none() {
                return Poll::Pending;
            }
        }
        Poll::Again(STEPS_TIME)
    }

    fn step(&mut self, sys: &mut Sys<'_>, entry: Entry) -> Step {
        let Entry {
            frame,
            quiet,
            outputs,
        } = entry;
        match frame {
            Frame::Source(source) => {
                self.current_outputs = outputs;
                return self.step_source(sys, source);
            }
            Frame::List(list, at) => self.step_list(sys, list, at, quiet),
            Frame::AndOr(node, at) => self.step_and_or(node, at, quiet),
            Frame::Pipeline(pipeline) => self.step_pipeline(sys, pipeline, quiet),
            Frame::PipelineEnd(pipeline, begun) => self.step_pipeline_end(sys, &pipeline, begun),
            Frame::Command(command) => self.step_command(sys, command, quiet, outputs),
            Frame::Bare(command) => self.step_bare(sys, command, quiet, outputs),
            Frame::If(command, at, tested) => self.step_if(command, at, tested, quiet),
            Frame::While(command, tested) => self.step_while(command, tested, quiet),
            Frame::For(command, words, at) => self.step_for(sys, command, words, at, quiet),
            Frame::Select(command, words, turn) => self.step_select(command, words, turn, quiet),
            Frame::ArithFor(command, due) => {
                self.step_arith_for(sys, command, due, quiet, outputs);
            }
            Frame::Case(command, word, at, through) => {
                self.step_case(sys, command, word, (at, through), quiet, outputs);
            }
            Frame::Restore(saved) => self.restore(sys, saved),
            Frame::Scope => self.state.vars.pop_scope(),
            Frame::Function(params) => {
                self.state.params = params;
                self.state.vars.pop_scope();
                if let Some((_, line)) = self.state.calls.pop() {
                    self.state.line = line;
                }
            }
            Frame::Sourced(params) => {
                if let Some(params) = params {
                    self.state.params = params;
                }
            }
            Frame::Trapped(status) => self.state.status = status,
            Frame::Subst(subst) => return self.step_subst(sys, subst, quiet),
            Frame::Remove(paths) => {
                for path in paths {
                    let _ = sys.remove(&path);
                }
            }
            Frame::Foreground(job) => return self.step_foreground(sys, job, quiet),
            Frame::Read(reading) => return self.step_read(sys, reading),
            Frame::Wait(waiting) => return self.step_wait(sys, waiting),
            Frame::Complete(running) => return self.step_complete(sys, running),
        }
        Step::Go
    }

    /// Whether a signal has a trap, or a person who sends it.
    pub(crate) fn takes(&self, signal: Signal) -> bool {
        self.handles(signal)
    }

    /// A signal to the shell from itself.
    pub(crate) fn raise(&mut self, signal: Signal) {
        self.signals.push(signal);
    }

    /// What substituted commands printed for the frame being run.
    pub(crate) fn take_outputs(&mut self) -> Outputs {
        std::mem::take(&mut self.current_outputs)
    }

    /// A command has ended with this status: `set -e` looks at it.
    fn ended(&mut self, status: i32, quiet: bool) {
        self.state.status = status;
        self.state.pipe_status = vec![status];
        self.check_errexit(quiet);
    }

    fn check_errexit(&mut self, quiet: bool) {
        let status = self.state.status;
        if status == 0 || quiet {
            return;
        }
        if let Some(command) = self.traps.get("ERR").cloned() {
            self.run_trap(&command);
        }
        if self.state.options.errexit {
            self.unwind = Some(Unwind::Exit(status));
        }
    }
}

impl Program for Shell {
    fn poll(&mut self, sys: &mut Sys<'_>, why: Wake) -> Poll {
        if let Wake::Signal(signal) = why
            && signal != Signal::Chld
        {
            self.signals.push(signal);
        }
        self.run(sys)
    }

    fn boxed_clone(&self) -> Box<dyn Program> {
        Box::new(self.clone())
    }

    fn handles(&self, signal: Signal) -> bool {
        if self.traps.contains_key(signal.name()) {
            return true;
        }
        self.interactive.is_some()
            && matches!(
                signal,
                Signal::Int
                    | Signal::Quit
                    | Signal::Term
                    | Signal::Tstp
                    | Signal::Winch
                    | Signal::Hup
                    | Signal::Pipe
            )
    }
}
