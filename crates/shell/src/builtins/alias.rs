//! `alias`, `unalias`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;
use crate::quote;
use crate::state::Flavor;

pub(super) const ALIAS: Builtin = Builtin {
    name: "alias",
    usage: "alias [-p] [name[=value] ... ]",
    posix: true,
    run: alias,
};
pub(super) const UNALIAS: Builtin = Builtin {
    name: "unalias",
    usage: "unalias [-a] name [name ...]",
    posix: true,
    run: unalias,
};

fn line(shell: &Shell, name: &str, value: &str) -> String {
    let word = if shell.state.flavor == Flavor::Bash {
        "alias "
    } else {
        ""
    };
    format!("{word}{name}={}\n", quote::shell(value))
}

fn alias(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut status = 0;
    let operands: Vec<&Rc<str>> = args[1..].iter().filter(|arg| &***arg != "-p").collect();
    if operands.is_empty() {
        let lines: Vec<String> = shell
            .state
            .aliases
            .iter()
            .map(|(name, value)| line(shell, name, value))
            .collect();
        shell.print(&lines.concat());
    }
    for operand in operands {
        match operand.split_once('=') {
            Some((name, value)) if !name.is_empty() => {
                Rc::make_mut(&mut shell.state.aliases).insert(name.into(), value.into());
            }
            _ => match shell.state.aliases.get(&**operand).cloned() {
                Some(value) => {
                    let text = line(shell, operand, &value);
                    shell.print(&text);
                }
                None => {
                    shell.complain(&format!("alias: {operand}: not found"));
                    status = 1;
                }
            },
        }
    }
    Outcome::Status(status)
}

fn unalias(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut status = 0;
    for name in &args[1..] {
        if &**name == "-a" {
            shell.state.aliases = Rc::default();
        } else if Rc::make_mut(&mut shell.state.aliases)
            .remove(name)
            .is_none()
        {
            shell.complain(&format!("unalias: {name}: not found"));
            status = 1;
        }
    }
    Outcome::Status(status)
}
