//! `set`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;
use crate::quote;
use crate::state::SET_OPTIONS;
use crate::vars::Value;

pub(super) const SET: Builtin = Builtin {
    name: "set",
    usage: "set [-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]",
    posix: true,
    run: set,
};

fn set(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if args.len() == 1 {
        list_variables(shell);
        return Outcome::Status(0);
    }
    let mut rest = &args[1..];
    while let Some(first) = rest.first() {
        let on = first.starts_with('-');
        if !(on || first.starts_with('+')) {
            break;
        }
        rest = &rest[1..];
        match &**first {
            "--" => {
                shell.state.params = rest.into();
                return Outcome::Status(0);
            }
            "-" => {
                shell.state.options.xtrace = false;
                shell.state.options.verbose = false;
                break;
            }
            _ => {}
        }
        for letter in first.chars().skip(1) {
            if letter != 'o' {
                let known = SET_OPTIONS
                    .iter()
                    .find(|(_, own)| *own == letter && letter != ' ');
                let Some((name, _)) = known else {
                    return shell.bad_option(&SET, letter);
                };
                shell.state.options.set(name, on);
                continue;
            }
            let Some(name) = rest.first() else {
                list_options(shell, on);
                return Outcome::Status(0);
            };
            if !shell.state.options.set(name, on) {
                shell.complain(&format!("set: {name}: invalid option name"));
                return Outcome::Status(2);
            }
            rest = &rest[1..];
        }
    }
    if !rest.is_empty() {
        shell.state.params = rest.into();
    }
    Outcome::Status(0)
}

fn list_options(shell: &mut Shell, table: bool) {
    let mut text = String::new();
    for (name, _) in SET_OPTIONS {
        let on = shell.state.options.is_on(name);
        text.push_str(&if table {
            format!("{name:<15}\t{}\n", if on { "on" } else { "off" })
        } else {
            format!("set {}o {name}\n", if on { '-' } else { '+' })
        });
    }
    shell.print(&text);
}

fn list_variables(shell: &mut Shell) {
    let mut text = String::new();
    for (name, variable) in shell.state.vars.iter() {
        let shown = match &variable.value {
            Value::Unset => continue,
            Value::Text(value) => quote::traced(value),
            _ => {
                let declaration = crate::vars::declaration(name, variable);
                let value = declaration.split_once('=').map_or("", |(_, value)| value);
                value.to_owned()
            }
        };
        let shown = if shown == "''" { String::new() } else { shown };
        text.push_str(&format!("{name}={shown}\n"));
    }
    for (name, body) in shell.state.functions.clone().iter() {
        text.push_str(&format!("{name} () \n{}\n", body.text));
    }
    shell.print(&text);
}
