//! `local`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome, declare};
use crate::eval::Shell;

pub(super) const LOCAL: Builtin = Builtin {
    name: "local",
    usage: "local [option] name[=value] ...",
    posix: true,
    run: local,
};

fn local(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if shell.state.calls.is_empty() {
        shell.complain("local: can only be used in a function");
        return Outcome::Status(1);
    }
    declare::declare_as(shell, sys, args, &LOCAL)
}
