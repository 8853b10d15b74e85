//! Lists, and-or lists and pipelines.

use std::rc::Rc;

use machine::{Fd, Sys};
use sim::Instant;

use super::{Frame, Shell};
use crate::eval::launch::Fork;
use crate::syntax::ir::{self, Join};

impl Shell {
    pub(super) fn step_list(
        &mut self,
        sys: &mut Sys<'_>,
        list: Rc<ir::List>,
        at: usize,
        quiet: bool,
    ) {
        let Some(item) = list.items.get(at) else {
            return;
        };
        let and_or = item.and_or.clone();
        let background = item.background;
        if at + 1 < list.items.len() {
            self.push_quiet(Frame::List(list, at + 1), quiet);
        }
        if background {
            self.start_background(sys, &and_or);
        } else {
            self.push_quiet(Frame::AndOr(and_or, 0), quiet);
        }
    }

    pub(super) fn step_and_or(&mut self, node: Rc<ir::AndOr>, mut at: usize, quiet: bool) {
        while at > 0 {
            let Some((join, _)) = node.parts.get(at) else {
                return;
            };
            if (*join == Join::And) == (self.state.status == 0) {
                break;
            }
            at += 1;
        }
        let Some((_, pipeline)) = node.parts.get(at) else {
            return;
        };
        let pipeline = pipeline.clone();
        let last = at + 1 == node.parts.len();
        if !last {
            self.push_quiet(Frame::AndOr(node, at + 1), quiet);
        }
        self.push_quiet(Frame::Pipeline(pipeline), quiet || !last);
    }

    pub(super) fn step_pipeline(
        &mut self,
        sys: &mut Sys<'_>,
        pipeline: Rc<ir::Pipeline>,
        quiet: bool,
    ) {
        let quiet = quiet || pipeline.negated;
        if pipeline.negated || pipeline.timed.is_some() {
            let begun = sys.now();
            self.push_quiet(Frame::PipelineEnd(pipeline.clone(), begun), quiet);
        }
        match &pipeline.commands[..] {
            [] => self.state.status = 0,
            [command] => self.push_quiet(Frame::Command(command.clone()), quiet),
            commands => self.start_pipeline(sys, commands, quiet),
        }
    }

    pub(super) fn step_pipeline_end(
        &mut self,
        sys: &mut Sys<'_>,
        pipeline: &ir::Pipeline,
        begun: Instant,
    ) {
        if let Some(posix) = pipeline.timed {
            let millis = sys.now().since(begun).as_millis();
            let (minutes, seconds, rest) = (millis / 60_000, millis / 1000 % 60, millis % 1000);
            self.print_error(&if posix {
                format!(
                    "real {}.{:02}\nuser 0.00\nsys 0.00\n",
                    millis / 1000,
                    rest / 10
                )
            } else {
                format!("\nreal\t{minutes}m{seconds}.{rest:03}s\nuser\t0m0.000s\nsys\t0m0.000s\n")
            });
        }
        if pipeline.negated {
            self.state.status = i32::from(self.state.status == 0);
        }
    }

    /// Starts each command of a pipeline in a process of its own and waits for all.
    fn start_pipeline(&mut self, sys: &mut Sys<'_>, commands: &[Rc<ir::Command>], quiet: bool) {
        let texts: Vec<&str> = commands.iter().map(|command| &*command.text).collect();
        let job = self.jobs.add(texts.join(" | ").into(), false);
        let mut before: Option<Fd> = None;
        for (at, command) in commands.iter().enumerate() {
            let last = at + 1 == commands.len();
            let mut next = None;
            let mut fork = Fork::new(vec![Frame::Command(command.clone())]);
            fork.job = Some(job);
            if let Some(input) = before {
                fork.fds.push((Fd::STDIN, input));
            }
            if !last {
                let Ok((reader, writer)) = sys.pipe() else {
                    break;
                };
                fork.fds.push((Fd::STDOUT, writer));
                next = Some((reader, writer));
            }
            self.fork(sys, fork);
            if let Some(input) = before.take() {
                sys.close(input);
            }
            if let Some((reader, writer)) = next {
                sys.close(writer);
                before = Some(reader);
            }
        }
        self.wait_for_job(sys, job, quiet);
    }

    fn start_background(&mut self, sys: &mut Sys<'_>, and_or: &Rc<ir::AndOr>) {
        let job = self.jobs.add(and_or.text.clone(), true);
        // A lone pipeline needs no frame that would wait for more.
        let frame = match &and_or.parts[..] {
            [(_, pipeline)] => Frame::Pipeline(pipeline.clone()),
            _ => Frame::AndOr(and_or.clone(), 0),
        };
        let mut fork = Fork::new(vec![frame]);
        fork.job = Some(job);
        fork.background = true;
        let pid = self.fork(sys, fork);
        self.state.last_background = pid;
        self.state.status = 0;
        if let (true, Some(pid)) = (self.state.options.interactive, pid) {
            self.print_error(&format!("[{job}] {}\n", pid.0));
        }
    }
}
