//! `break`, `continue`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{Shell, Unwind};

pub(super) const BREAK: Builtin = Builtin {
    name: "break",
    usage: "break [n]",
    posix: true,
    run: leave,
};
pub(super) const CONTINUE: Builtin = Builtin {
    name: "continue",
    usage: "continue [n]",
    posix: true,
    run: leave,
};

fn leave(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let name = &args[0];
    let levels = match args.get(1).map(|arg| arg.parse::<i64>()) {
        None => 1,
        Some(Ok(levels)) if levels > 0 => u32::try_from(levels).unwrap_or(u32::MAX),
        Some(Ok(_)) => {
            shell.complain(&format!("{name}: {}: loop count out of range", args[1]));
            return Outcome::Status(1);
        }
        Some(Err(_)) => {
            shell.complain(&format!("{name}: {}: numeric argument required", args[1]));
            return Outcome::Status(128);
        }
    };
    let loops = shell.loops();
    if loops == 0 {
        let what = "only meaningful in a `for', `while', or `until' loop";
        shell.complain(&format!("{name}: {what}"));
        return Outcome::Status(0);
    }
    let levels = levels.min(loops);
    let unwind = if &**name == "break" {
        Unwind::Break(levels)
    } else {
        Unwind::Continue(levels)
    };
    shell.leave(unwind);
    Outcome::Status(0)
}
