//! `let`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const LET: Builtin = Builtin {
    name: "let",
    usage: "let arg [arg ...]",
    posix: false,
    run: evaluate,
};

fn evaluate(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if args.len() < 2 {
        shell.complain("let: expression expected");
        return Outcome::Status(1);
    }
    let mut value = 0;
    for text in &args[1..] {
        match shell.evaluate(sys, text) {
            Ok(result) => value = result,
            Err(message) => {
                shell.complain(&format!("let: {message}"));
                return Outcome::Status(1);
            }
        }
    }
    Outcome::Status(i32::from(value == 0))
}
