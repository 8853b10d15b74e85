//! `command`, `builtin`: what they run is found where simple commands are; here are the rest.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome, type_};
use crate::eval::Shell;

pub(super) const COMMAND: Builtin = Builtin {
    name: "command",
    usage: "command [-pVv] command [arg ...]",
    posix: true,
    run: command,
};
pub(super) const BUILTIN: Builtin = Builtin {
    name: "builtin",
    usage: "builtin [shell-builtin [arg ...]]",
    posix: false,
    run: |_, _, _| Outcome::Status(0),
};

fn command(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, operands) = match super::options(args, "pvV") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&COMMAND, letter),
    };
    let verbose = letters.contains(&'V');
    let mut found = operands.is_empty();
    for name in operands {
        match type_::describe(shell, sys, name, false).first() {
            Some(what) => {
                found = true;
                let text = if verbose {
                    what.sentence(name)
                } else {
                    what.short(name)
                };
                shell.print(&format!("{text}\n"));
            }
            None if verbose => shell.complain(&format!("command: {name}: not found")),
            None => {}
        }
    }
    Outcome::Status(i32::from(!found))
}
