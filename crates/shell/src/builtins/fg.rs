//! `fg`

use std::rc::Rc;

use machine::{Signal, Sys};

use super::{Builtin, Outcome};
use crate::eval::{JobState, Shell};

pub(super) const FG: Builtin = Builtin {
    name: "fg",
    usage: "fg [job_spec]",
    posix: true,
    run: fg,
};

fn fg(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if !shell.state.options.monitor {
        shell.complain("fg: no job control");
        return Outcome::Status(1);
    }
    let spec = args.get(1).map_or("", |arg| arg);
    let Some(id) = shell.jobs.named(spec) else {
        let spec = if spec.is_empty() { "current" } else { spec };
        shell.complain(&format!("fg: {spec}: no such job"));
        return Outcome::Status(1);
    };
    let Some(job) = shell.jobs.get_mut(id) else {
        return Outcome::Status(1);
    };
    job.background = false;
    job.told = true;
    let stopped = job.state == JobState::Stopped;
    let text = format!("{}\n", job.text);
    let processes = job.processes.clone();
    if stopped {
        job.state = JobState::Running;
        for (pid, _) in processes {
            let _ = sys.kill(pid, Signal::Cont);
        }
    }
    shell.print(&text);
    shell.bring_to_front(sys, id);
    Outcome::Frames
}
