//! `help`

use std::rc::Rc;

use machine::Sys;

use super::{ALL, Builtin, Outcome};
use crate::eval::Shell;

pub(super) const HELP: Builtin = Builtin {
    name: "help",
    usage: "help [-dms] [pattern ...]",
    posix: false,
    run: help,
};

fn help(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let names: Vec<&Rc<str>> = args[1..]
        .iter()
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    if names.is_empty() {
        let lines: Vec<String> = ALL
            .iter()
            .map(|builtin| format!(" {}\n", builtin.usage))
            .collect();
        shell.print("These shell commands are defined internally:\n\n");
        shell.print(&lines.concat());
        return Outcome::Status(0);
    }
    let mut status = 0;
    for name in names {
        match ALL.iter().find(|builtin| builtin.name == &**name) {
            Some(builtin) => shell.print(&format!("{}: {}\n", builtin.name, builtin.usage)),
            None => {
                let manual = format!("`man -k {name}' or `info {name}'");
                let topics = format!("no help topics match `{name}'");
                shell.complain(&format!("help: {topics}.  Try `help help' or {manual}."));
                status = 1;
            }
        }
    }
    Outcome::Status(status)
}
