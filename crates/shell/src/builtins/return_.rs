//! `return`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{Shell, Unwind};

pub(super) const RETURN: Builtin = Builtin {
    name: "return",
    usage: "return [n]",
    posix: true,
    run: leave,
};

fn leave(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if !shell.can_return() {
        let what = "can only `return' from a function or sourced script";
        shell.complain(&format!("return: {what}"));
        return Outcome::Status(2);
    }
    let status = match args.get(1).map(|arg| arg.trim().parse::<i64>()) {
        None => shell.state.status,
        Some(Ok(status)) => (status & 0xff) as i32,
        Some(Err(_)) => {
            shell.complain(&format!("return: {}: numeric argument required", args[1]));
            2
        }
    };
    shell.leave(Unwind::Return);
    Outcome::Status(status)
}
