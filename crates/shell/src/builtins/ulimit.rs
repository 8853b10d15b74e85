//! `ulimit`: limits are not modelled; it shows those of an ordinary host.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const ULIMIT: Builtin = Builtin {
    name: "ulimit",
    usage: "ulimit [-SHabcdefiklmnpqrstuvxPRT] [limit]",
    posix: true,
    run: ulimit,
};

fn ulimit(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let text = match args.get(1).map(|arg| &**arg) {
        Some("-n") if args.len() == 2 => "1048576\n",
        Some("-u") if args.len() == 2 => "31517\n",
        _ if args.len() > 2 => "",
        _ => "unlimited\n",
    };
    shell.print(text);
    Outcome::Status(0)
}
