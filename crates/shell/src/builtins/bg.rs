//! `bg`

use std::rc::Rc;

use machine::{Signal, Sys};

use super::{Builtin, Outcome};
use crate::eval::{JobState, Shell};

pub(super) const BG: Builtin = Builtin {
    name: "bg",
    usage: "bg [job_spec ...]",
    posix: true,
    run: bg,
};

fn bg(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if !shell.state.options.monitor {
        shell.complain("bg: no job control");
        return Outcome::Status(1);
    }
    let spec = args.get(1).map_or("", |arg| arg);
    let Some(id) = shell.jobs.named(spec) else {
        if !shell.state.options.monitor {
            shell.complain("bg: no job control");
            return Outcome::Status(1);
        }
        let spec = if spec.is_empty() { "current" } else { spec };
        shell.complain(&format!("bg: {spec}: no such job"));
        return Outcome::Status(1);
    };
    let Some(job) = shell.jobs.get_mut(id) else {
        return Outcome::Status(1);
    };
    if job.state == JobState::Running {
        shell.complain(&format!("bg: job {id} already in background"));
        return Outcome::Status(0);
    }
    job.background = true;
    job.state = JobState::Running;
    let text = format!("[{id}]+ {} &\n", job.text);
    for (pid, _) in job.processes.clone() {
        let _ = sys.kill(pid, Signal::Cont);
    }
    shell.print(&text);
    Outcome::Status(0)
}
