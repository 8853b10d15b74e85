//! `shift`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const SHIFT: Builtin = Builtin {
    name: "shift",
    usage: "shift [n]",
    posix: true,
    run: shift,
};

fn shift(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let count = match args.get(1).map(|arg| arg.parse::<usize>()) {
        None => 1,
        Some(Ok(count)) => count,
        Some(Err(_)) => {
            shell.complain(&format!("shift: {}: numeric argument required", args[1]));
            return Outcome::Status(1);
        }
    };
    let Some(rest) = shell.state.params.get(count..) else {
        return Outcome::Status(1);
    };
    shell.state.params = rest.into();
    Outcome::Status(0)
}
