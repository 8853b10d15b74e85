//! `declare`, `typeset`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome, export};
use crate::eval::Shell;
use crate::vars::{self, Value};

const USAGE: &str =
    "declare [-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]";

pub(super) const DECLARE: Builtin = Builtin {
    name: "declare",
    usage: USAGE,
    posix: false,
    run: |shell, sys, args| declare_as(shell, sys, args, &DECLARE),
};
pub(super) const TYPESET: Builtin = Builtin {
    name: "typeset",
    usage: USAGE,
    posix: false,
    run: |shell, sys, args| declare_as(shell, sys, args, &TYPESET),
};

pub(super) fn declare_as(
    shell: &mut Shell,
    sys: &mut Sys<'_>,
    args: &[Rc<str>],
    builtin: &Builtin,
) -> Outcome {
    let mut letters = Vec::new();
    let mut operands = &args[1..];
    while let Some(first) = operands
        .first()
        .filter(|arg| arg.starts_with(['-', '+']) && arg.len() > 1)
    {
        operands = &operands[1..];
        if &**first == "--" {
            break;
        }
        let on = first.starts_with('-');
        for letter in first.chars().skip(1) {
            if !"aAfFgiIlnprtux".contains(letter) {
                return shell.bad_option(builtin, letter);
            }
            letters.push((letter, on));
        }
    }
    let has = |letter| letters.contains(&(letter, true));
    if has('n') {
        shell.complain(&format!("{}: -n: not modelled", builtin.name));
        return Outcome::Status(1);
    }
    if has('f') || has('F') {
        return functions(shell, operands, has('F'));
    }
    if has('p') || operands.is_empty() {
        return show(shell, operands, &letters, builtin);
    }
    let mut status = 0;
    for operand in operands {
        let end = operand.find(['=', '[', '+']).unwrap_or(operand.len());
        let name = &operand[..end];
        if !shell.state.calls.is_empty() && !has('g') && super::is_name(name) {
            shell.state.vars.make_local(name);
        }
        if super::is_name(name) {
            attributes(shell, name, &letters, false);
        }
        if export::assign(shell, sys, operand, builtin.name).is_none() {
            status = 1;
            continue;
        }
        attributes(shell, name, &letters, true);
    }
    Outcome::Status(status)
}

/// Sets attributes: those that change what an assignment does before it, `readonly` after it.
fn attributes(shell: &mut Shell, name: &str, letters: &[(char, bool)], after: bool) {
    let variable = shell.state.vars.entry(name);
    for (letter, on) in letters {
        match letter {
            'r' if after => variable.readonly = *on,
            'x' => variable.exported = *on,
            'i' => variable.integer = *on,
            'l' | 'u' => variable.case = on.then_some(*letter == 'u'),
            'a' if matches!(variable.value, Value::Unset) => {
                variable.value = Value::Indexed(Rc::default());
            }
            'A' if matches!(variable.value, Value::Unset) => {
                variable.value = Value::Keyed(Rc::default());
            }
            _ => {}
        }
    }
}

fn show(
    shell: &mut Shell,
    names: &[Rc<str>],
    letters: &[(char, bool)],
    builtin: &Builtin,
) -> Outcome {
    let mut status = 0;
    let mut text = String::new();
    if names.is_empty() {
        for (name, variable) in shell.state.vars.iter() {
            let wanted = letters.iter().all(|(letter, _)| {
                *letter == 'p' || *letter == 'g' || variable.letters().contains(*letter)
            });
            if wanted {
                text.push_str(&vars::declaration(name, variable));
                text.push('\n');
            }
        }
    }
    for name in names {
        match shell.state.vars.get(name) {
            Some(variable) => {
                text.push_str(&vars::declaration(name, variable));
                text.push('\n');
            }
            None => {
                shell.complain(&format!("{}: {name}: not found", builtin.name));
                status = 1;
            }
        }
    }
    shell.print(&text);
    Outcome::Status(status)
}

fn functions(shell: &mut Shell, names: &[Rc<str>], only_names: bool) -> Outcome {
    let functions = shell.state.functions.clone();
    if names.is_empty() {
        for (name, body) in functions.iter() {
            shell.print(&if only_names {
                format!("declare -f {name}\n")
            } else {
                format!("{name} () \n{}\n", body.text)
            });
        }
        return Outcome::Status(0);
    }
    let mut status = 0;
    for name in names {
        match functions.get(name) {
            Some(_) if only_names => shell.print(&format!("{name}\n")),
            Some(body) => shell.print(&format!("{name} () \n{}\n", body.text)),
            None => status = 1,
        }
    }
    Outcome::Status(status)
}
