//! `jobs`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{JobState, Shell};

pub(super) const JOBS: Builtin = Builtin {
    name: "jobs",
    usage: "jobs [-lnprs] [jobspec ...]",
    posix: true,
    run: jobs,
};

fn jobs(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, _) = match super::options(args, "lnprs") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&JOBS, letter),
    };
    let mut text = String::new();
    for job in shell.jobs.iter().filter(|job| job.background) {
        let wanted = match job.state {
            JobState::Running => !letters.contains(&'s'),
            JobState::Stopped => !letters.contains(&'r'),
            JobState::Done(_) => !letters.contains(&'r') && !letters.contains(&'s'),
        };
        if !wanted {
            continue;
        }
        let pid = job.processes.first().map_or(0, |(pid, _)| pid.0);
        let line = shell.jobs.line(job);
        if letters.contains(&'p') {
            text.push_str(&format!("{pid}\n"));
        } else if letters.contains(&'l') {
            let (mark, rest) = line.split_at(line.find("  ").unwrap_or(0));
            text.push_str(&format!("{mark} {pid:5} {}", rest.trim_start()));
        } else {
            text.push_str(&line);
        }
    }
    shell.print(&text);
    shell.forget_done(true);
    Outcome::Status(0)
}
