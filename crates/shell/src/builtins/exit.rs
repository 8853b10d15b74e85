//! `exit`, `logout`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{JobState, Shell, Unwind};

pub(super) const EXIT: Builtin = Builtin {
    name: "exit",
    usage: "exit [n]",
    posix: true,
    run: exit,
};
pub(super) const LOGOUT: Builtin = Builtin {
    name: "logout",
    usage: "logout [n]",
    posix: false,
    run: exit,
};

fn exit(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let name = &args[0];
    let status = match args.get(1).map(|arg| arg.trim().parse::<i64>()) {
        None => shell.state.status,
        Some(Ok(status)) => (status & 0xff) as i32,
        Some(Err(_)) => {
            shell.complain(&format!("{name}: {}: numeric argument required", args[1]));
            2
        }
    };
    if args.len() > 2 {
        shell.complain(&format!("{name}: too many arguments"));
        return Outcome::Status(1);
    }
    if let Some(person) = &mut shell.interactive {
        let stopped = shell.jobs.iter().any(|job| job.state == JobState::Stopped);
        if stopped && !std::mem::replace(&mut person.warned, true) {
            shell.print_error("There are stopped jobs.\n");
            return Outcome::Status(1);
        }
        let word = if person.login { "logout\n" } else { "exit\n" };
        shell.print_error(word);
    }
    shell.leave(Unwind::Exit(status));
    Outcome::Status(status)
}
