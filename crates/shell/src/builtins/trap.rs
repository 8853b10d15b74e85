//! `trap`

use std::rc::Rc;

use machine::{Signal, Sys};

use super::{Builtin, Outcome};
use crate::eval::Shell;
use crate::quote;

pub(super) const TRAP: Builtin = Builtin {
    name: "trap",
    usage: "trap [-lp] [[arg] signal_spec ...]",
    posix: true,
    run: trap,
};

fn trap(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut rest = &args[1..];
    match rest.first().map(|arg| &**arg) {
        None | Some("-p") => {
            let wanted: Vec<Rc<str>> = rest.iter().skip(1).filter_map(|n| condition(n)).collect();
            let traps = shell.traps.clone();
            let shown = traps
                .iter()
                .filter(|(name, _)| wanted.is_empty() || wanted.contains(name));
            let text: String = shown
                .map(|(name, command)| {
                    let long = match &**name {
                        "EXIT" | "ERR" | "DEBUG" | "RETURN" => name.to_string(),
                        signal => format!("SIG{signal}"),
                    };
                    format!("trap -- {} {long}\n", quote::shell(command))
                })
                .collect();
            shell.print(&text);
            return Outcome::Status(0);
        }
        Some("-l") => {
            let all: Vec<String> = Signal::ALL
                .iter()
                .map(|s| format!("{:2}) SIG{}", *s as u8, s.name()))
                .collect();
            shell.print(&format!("{}\n", all.join("\t")));
            return Outcome::Status(0);
        }
        Some("--") => rest = &rest[1..],
        Some(_) => {}
    }
    let [command, names @ ..] = rest else {
        return Outcome::Status(0);
    };
    // A lone condition, or a number, takes its trap away.
    let removes = &**command == "-" || names.is_empty();
    let names = if names.is_empty() { rest } else { names };
    let mut status = 0;
    for name in names {
        let Some(condition) = condition(name) else {
            shell.complain(&format!("trap: {name}: invalid signal specification"));
            status = 1;
            continue;
        };
        let traps = Rc::make_mut(&mut shell.traps);
        if removes {
            traps.remove(&condition);
        } else {
            traps.insert(condition, command.clone());
        }
    }
    Outcome::Status(status)
}

/// A condition's name without `SIG`.
fn condition(name: &str) -> Option<Rc<str>> {
    let upper = name.to_ascii_uppercase();
    match upper.as_str() {
        "EXIT" | "0" => return Some("EXIT".into()),
        "ERR" | "DEBUG" | "RETURN" => return Some(upper.into()),
        _ => {}
    }
    let signal = match name.parse::<u8>() {
        Ok(number) => Signal::from_number(number),
        Err(_) => Signal::from_name(name),
    };
    signal.map(|signal| signal.name().into())
}
