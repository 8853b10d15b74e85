//! `pwd`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const PWD: Builtin = Builtin {
    name: "pwd",
    usage: "pwd [-LP]",
    posix: true,
    run: pwd,
};

fn pwd(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if let Err(letter) = super::options(args, "LP") {
        return shell.bad_option(&PWD, letter);
    }
    let cwd = sys.cwd();
    shell.print(&format!("{cwd}\n"));
    Outcome::Status(0)
}
