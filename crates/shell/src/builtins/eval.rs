//! `eval`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{Frame, Shell, Source};

pub(super) const EVAL: Builtin = Builtin {
    name: "eval",
    usage: "eval [arg ...]",
    posix: true,
    run: eval,
};

fn eval(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let text = args[1..].join(" ");
    shell.state.status = 0;
    let line = shell.state.line;
    shell.push(Frame::Source(
        Source::text(&text, line.max(1)).called("eval: "),
    ));
    Outcome::Frames
}
