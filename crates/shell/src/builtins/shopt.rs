//! `shopt`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;
use crate::state;

pub(super) const SHOPT: Builtin = Builtin {
    name: "shopt",
    usage: "shopt [-pqsu] [-o] [optname ...]",
    posix: false,
    run: shopt,
};

fn shopt(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, names) = match super::options(args, "pqsuo") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&SHOPT, letter),
    };
    let has = |letter| letters.contains(&letter);
    let change = if has('s') {
        Some(true)
    } else {
        has('u').then_some(false)
    };
    if has('o') {
        for name in names {
            if let Some(on) = change
                && !shell.state.options.set(name, on)
            {
                shell.complain(&format!("shopt: {name}: invalid option name"));
                return Outcome::Status(1);
            }
        }
        return Outcome::Status(0);
    }
    let mut status = 0;
    if names.is_empty() {
        let shown = state::SHOPT.iter().filter(|(name, _)| {
            change.is_none_or(|wanted| shell.state.options.shopt(name) == wanted)
        });
        let lines: Vec<String> = shown.map(|(name, _)| line(shell, name)).collect();
        shell.print(&lines.concat());
        return Outcome::Status(0);
    }
    for name in names {
        let Some((own, _)) = state::SHOPT.iter().find(|(own, _)| *own == &**name) else {
            shell.complain(&format!("shopt: {name}: invalid shell option name"));
            status = 1;
            continue;
        };
        match change {
            Some(on) => {
                Rc::make_mut(&mut shell.state.options.shopt).insert(own, on);
            }
            None => {
                status |= i32::from(!shell.state.options.shopt(own));
                if !has('q') {
                    let text = line(shell, own);
                    shell.print(&text);
                }
            }
        }
    }
    Outcome::Status(status)
}

fn line(shell: &Shell, name: &str) -> String {
    let on = if shell.state.options.shopt(name) {
        "on"
    } else {
        "off"
    };
    format!("{name:<15}\t{on}\n")
}
