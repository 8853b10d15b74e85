//! `echo`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;
use crate::state::Flavor;

pub(super) const ECHO: Builtin = Builtin {
    name: "echo",
    usage: "echo [-neE] [arg ...]",
    posix: true,
    run: echo,
};

fn echo(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let text = crate::echo::text(&args[1..], shell.state.flavor == Flavor::Dash);
    shell.print(&text);
    Outcome::Status(0)
}
