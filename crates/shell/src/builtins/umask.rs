//! `umask`: shown and remembered; files are made with the usual one.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const UMASK: Builtin = Builtin {
    name: "umask",
    usage: "umask [-p] [-S] [mode]",
    posix: true,
    run: umask,
};

fn umask(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let operand = args[1..].iter().find(|arg| !arg.starts_with('-'));
    let Some(operand) = operand else {
        let mask = shell.state.umask;
        shell.print(&if args.iter().any(|arg| &**arg == "-S") {
            let class = |shift: u32| {
                let bits = !mask >> shift & 7;
                let letters = [(4, 'r'), (2, 'w'), (1, 'x')];
                let set = letters.iter().filter(|(bit, _)| bits & bit != 0);
                set.map(|(_, letter)| *letter).collect::<String>()
            };
            format!("u={},g={},o={}\n", class(6), class(3), class(0))
        } else {
            format!("{mask:04o}\n")
        });
        return Outcome::Status(0);
    };
    match u32::from_str_radix(operand, 8) {
        Ok(mask) if mask <= 0o777 => {
            shell.state.umask = mask;
            Outcome::Status(0)
        }
        _ => {
            shell.complain(&format!("umask: {operand}: octal number out of range"));
            Outcome::Status(1)
        }
    }
}
