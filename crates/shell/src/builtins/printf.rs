//! `printf`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;
use crate::printf;

pub(super) const PRINTF: Builtin = Builtin {
    name: "printf",
    usage: "printf [-v var] format [arguments]",
    posix: true,
    run,
};

fn run(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut rest = &args[1..];
    let mut variable = None;
    if let [option, name, ..] = rest
        && &**option == "-v"
    {
        variable = Some(name.clone());
        rest = &rest[2..];
    }
    if rest.first().is_some_and(|arg| &**arg == "--") {
        rest = &rest[1..];
    }
    let Some(format) = rest.first() else {
        shell.print_error(&format!("printf: usage: {}\n", PRINTF.usage));
        return Outcome::Status(2);
    };
    let printed = printf::format(format, &rest[1..], sys.now());
    for message in &printed.errors {
        shell.complain(&format!("printf: {message}"));
    }
    let status = i32::from(!printed.errors.is_empty());
    match variable {
        Some(name) => {
            if super::export::assign(shell, sys, &format!("{name}={}", printed.text), "printf")
                .is_none()
            {
                return Outcome::Status(1);
            }
        }
        None => shell.print(&printed.text),
    }
    Outcome::Status(status)
}
