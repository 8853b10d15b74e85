//! `exec`: without a command, the redirections stay, which simple commands see to.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{Shell, Unwind};

pub(super) const EXEC: Builtin = Builtin {
    name: "exec",
    usage: "exec [-cl] [-a name] [command [argument ...]] [redirection ...]",
    posix: true,
    run: exec,
};

fn exec(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut rest = &args[1..];
    let mut name = None;
    while let Some(option) = rest.first().filter(|arg| arg.starts_with('-')) {
        match &**option {
            "-a" if rest.len() > 1 => {
                name = Some(rest[1].clone());
                rest = &rest[1..];
            }
            "-c" => shell.state.vars = crate::vars::Vars::default(),
            "-l" | "--" => {}
            other => {
                let letter = other.chars().nth(1).unwrap_or('-');
                return shell.bad_option(&EXEC, letter);
            }
        }
        rest = &rest[1..];
    }
    if rest.is_empty() {
        return Outcome::Status(0);
    }
    let mut called = rest.to_vec();
    if let Some(name) = name {
        called[0] = name;
    }
    match shell.replace(sys, rest, called) {
        Ok(()) => Outcome::Frames,
        Err(status) => {
            if shell.interactive.is_none() {
                shell.leave(Unwind::Exit(status));
            }
            Outcome::Status(status)
        }
    }
}
