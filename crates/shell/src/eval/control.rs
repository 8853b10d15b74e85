//! Leaving things: loops, functions, lines, the shell; signals and traps.

use std::rc::Rc;

use machine::{Signal, Sys};

use super::{Entry, Frame, Shell, Unwind};
use crate::eval::source::Source;

impl Shell {
    /// Asks for frames to be left before the next step.
    pub(crate) fn leave(&mut self, unwind: Unwind) {
        self.unwind = Some(unwind);
    }

    /// How many loops surround what runs now, up to the function it is in.
    pub(crate) fn loops(&self) -> u32 {
        let inside = self
            .stack
            .iter()
            .rev()
            .take_while(|entry| !matches!(entry.frame, Frame::Function(_) | Frame::Sourced(_)));
        inside.filter(|entry| is_loop(&entry.frame)).count() as u32
    }

    /// Whether there is a function or sourced file to return from.
    pub(crate) fn can_return(&self) -> bool {
        self.stack
            .iter()
            .any(|entry| matches!(entry.frame, Frame::Function(_) | Frame::Sourced(_)))
    }

    pub(super) fn unwind(&mut self, sys: &mut Sys<'_>, unwind: Unwind) {
        match unwind {
            Unwind::Exit(status) => {
                self.state.status = status;
                self.exiting = Some(status);
                self.unwind_while(sys, |_| true);
            }
            Unwind::Abort(status) => {
                let keep = self
                    .stack
                    .iter()
                    .position(|entry| matches!(entry.frame, Frame::Source(_)))
                    .map_or(0, |at| at + 1);
                while self.stack.len() > keep {
                    self.drop_top(sys);
                }
                self.state.status = status;
                self.state.calls.clear();
            }
            Unwind::Return => {
                self.unwind_while(sys, |frame| {
                    !matches!(frame, Frame::Function(_) | Frame::Sourced(_))
                });
            }
            Unwind::Break(levels) => {
                for _ in 0..levels {
                    self.unwind_while(sys, |frame| !is_loop(frame));
                    self.drop_top(sys);
                }
            }
            Unwind::Continue(levels) => {
                for _ in 1..levels {
                    self.unwind_while(sys, |frame| !is_loop(frame));
                    self.drop_top(sys);
                }
                self.unwind_while(sys, |frame| !is_loop(frame));
                // A condition that continues begins the round anew.
                if let Some(Entry {
                    frame: Frame::While(_, tested),
                    ..
                }) = self.stack.last_mut()
                    && *tested
                {
                    *tested = false;
                }
            }
        }
    }

    fn unwind_while(&mut self, sys: &mut Sys<'_>, leaves: impl Fn(&Frame) -> bool) {
        while self.stack.last().is_some_and(|entry| leaves(&entry.frame)) {
            self.drop_top(sys);
        }
    }

    /// Leaves the top frame, undoing what it stands for.
    fn drop_top(&mut self, sys: &mut Sys<'_>) {
        let Some(entry) = self.stack.pop() else {
            return;
        };
        match entry.frame {
            Frame::Restore(_)
            | Frame::Scope
            | Frame::Function(_)
            | Frame::Sourced(_)
            | Frame::Remove(_) => {
                self.step(sys, entry);
            }
            Frame::Subst(subst) => self.drop_subst(sys, subst),
            Frame::Complete(running) => self.drop_completion(sys, *running),
            _ => {}
        }
    }

    /// Nothing is left to do: the EXIT trap, then the end.
    pub(super) fn finish(&mut self, sys: &mut Sys<'_>) -> Option<i32> {
        let status = *self.exiting.get_or_insert(self.state.status);
        self.save_history(sys);
        let Some(command) = self.traps.get("EXIT").cloned() else {
            return Some(status & 0xff);
        };
        Rc::make_mut(&mut self.traps).remove("EXIT");
        self.state.status = status;
        self.push(Frame::Source(Source::text(&command, 1)));
        None
    }

    /// Runs a trap's command; the status before it comes back afterwards.
    pub(super) fn run_trap(&mut self, command: &str) {
        self.push(Frame::Trapped(self.state.status));
        self.push(Frame::Source(Source::text(command, self.state.line)));
    }

    /// Acts on signals that arrived: their traps, or what a shell does by itself.
    pub(super) fn take_signals(&mut self, sys: &mut Sys<'_>) {
        if self.signals.is_empty() {
            return;
        }
        // A trap waits for the command in the foreground, but not for `wait` and `read`.
        if matches!(
            self.stack.last().map(|entry| &entry.frame),
            Some(Frame::Foreground(_) | Frame::Subst(_))
        ) {
            return;
        }
        for signal in std::mem::take(&mut self.signals) {
            if let Some(command) = self.traps.get(signal.name()).cloned() {
                let waits = matches!(
                    self.stack.last().map(|entry| &entry.frame),
                    Some(Frame::Wait(_) | Frame::Read(_))
                );
                if waits && !command.is_empty() {
                    self.stack.pop();
                    self.state.status = 128 + signal as i32;
                }
                if !command.is_empty() {
                    self.run_trap(&command);
                }
                continue;
            }
            match signal {
                Signal::Int => self.interrupt(),
                Signal::Hup => self.unwind = Some(Unwind::Exit(129)),
                Signal::Winch => self.resized(sys),
                _ => {}
            }
        }
    }

    /// Ctrl-C while the shell itself runs something: back to the prompt.
    fn interrupt(&mut self) {
        if self.interactive.is_none() {
            self.unwind = Some(Unwind::Exit(130));
            return;
        }
        self.print_error("\n");
        self.forget_line();
        self.unwind = Some(Unwind::Abort(130));
    }
}

fn is_loop(frame: &Frame) -> bool {
    matches!(
        frame,
        Frame::While(..) | Frame::For(..) | Frame::Select(..) | Frame::ArithFor(..)
    )
}
