//! `export`, `readonly`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome, is_name};
use crate::eval::Shell;
use crate::expand::{Expander, Stop};
use crate::vars;

pub(super) const EXPORT: Builtin = Builtin {
    name: "export",
    usage: "export [-fn] [name[=value] ...] or export -p",
    posix: true,
    run: |shell, sys, args| mark(shell, sys, args, &EXPORT),
};
pub(super) const READONLY: Builtin = Builtin {
    name: "readonly",
    usage: "readonly [-aAf] [name[=value] ...] or readonly -p",
    posix: true,
    run: |shell, sys, args| mark(shell, sys, args, &READONLY),
};

fn mark(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>], builtin: &Builtin) -> Outcome {
    let (letters, operands) = match super::options(args, "fnpaA") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(builtin, letter),
    };
    let exports = builtin.name == "export";
    if operands.is_empty() {
        let all = shell.state.vars.iter();
        let marked = all.filter(|(_, v)| if exports { v.exported } else { v.readonly });
        let text: String = marked
            .map(|(name, v)| format!("{}\n", vars::declaration(name, v)))
            .collect();
        shell.print(&text);
        return Outcome::Status(0);
    }
    if letters.contains(&'f') {
        return Outcome::Status(0);
    }
    let mut status = 0;
    for operand in operands {
        let Some(name) = assign(shell, sys, operand, builtin.name) else {
            status = 1;
            continue;
        };
        let variable = shell.state.vars.entry(&name);
        if exports {
            variable.exported = !letters.contains(&'n');
        } else {
            variable.readonly = true;
        }
    }
    Outcome::Status(status)
}

/// Carries out `name`, `name=value`, `name+=value` or `name[index]=value`; the name, or `None`
/// after saying what is wrong.
pub(super) fn assign(
    shell: &mut Shell,
    sys: &mut Sys<'_>,
    operand: &str,
    builtin: &str,
) -> Option<String> {
    let (left, value) = match operand.split_once('=') {
        Some((left, value)) => (left, Some(value)),
        None => (operand, None),
    };
    let (left, append) = match left.strip_suffix('+') {
        Some(left) if value.is_some() => (left, true),
        _ => (left, false),
    };
    let (name, index) = match left.split_once('[') {
        Some((name, index)) => (name, index.strip_suffix(']')),
        None => (left, None),
    };
    if !is_name(name) {
        shell.complain(&format!("{builtin}: `{operand}': not a valid identifier"));
        return None;
    }
    if let Some(value) = value {
        let mut expander = Expander::new(&mut shell.state, sys, &[]);
        if let Err(Stop::Fail(failure)) = expander.assign_text(name, index, value.into(), append) {
            shell.complain(&failure.message);
            return None;
        }
    }
    Some(name.to_owned())
}
