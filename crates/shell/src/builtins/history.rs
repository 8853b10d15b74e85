//! `history`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const HISTORY: Builtin = Builtin {
    name: "history",
    usage: "history [-c] [-d offset] [n] or history -anrw [filename]",
    posix: false,
    run: history,
};

fn history(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let Some(person) = &mut shell.interactive else {
        return Outcome::Status(0);
    };
    let all = Rc::make_mut(&mut person.history);
    match args.get(1).map(|arg| &**arg) {
        Some("-c") => {
            all.clear();
            return Outcome::Status(0);
        }
        Some("-d") => {
            let at = args
                .get(2)
                .and_then(|arg| arg.parse::<usize>().ok())
                .unwrap_or(0);
            if at == 0 || at > all.len() {
                let given = args.get(2).cloned().unwrap_or_default();
                shell.complain(&format!("history: {given}: history position out of range"));
                return Outcome::Status(1);
            }
            all.remove(at - 1);
            return Outcome::Status(0);
        }
        Some("-a" | "-w") => {
            shell.save_history(sys);
            return Outcome::Status(0);
        }
        Some("-r" | "-n") => return Outcome::Status(0),
        _ => {}
    }
    let count = match args.get(1).map(|arg| arg.parse::<usize>()) {
        None => all.len(),
        Some(Ok(count)) => count,
        Some(Err(_)) => {
            shell.complain(&format!("history: {}: numeric argument required", args[1]));
            return Outcome::Status(1);
        }
    };
    let skip = all.len().saturating_sub(count);
    let lines = all.iter().enumerate().skip(skip);
    let text: String = lines
        .map(|(at, line)| format!("{:5}  {line}\n", at + 1))
        .collect();
    shell.print(&text);
    Outcome::Status(0)
}
