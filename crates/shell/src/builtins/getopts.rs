//! `getopts`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const GETOPTS: Builtin = Builtin {
    name: "getopts",
    usage: "getopts optstring name [arg ...]",
    posix: true,
    run: getopts,
};

fn getopts(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let [_, known, name, operands @ ..] = args else {
        shell.print_error("getopts: usage: getopts optstring name [arg ...]\n");
        return Outcome::Status(2);
    };
    let own = shell.state.params.clone();
    let operands = if operands.is_empty() {
        &own[..]
    } else {
        operands
    };
    // Where in a group of letters it stands is kept behind the index, as `2.1`.
    let index: usize = shell
        .state
        .text_or("OPTIND", "1")
        .parse()
        .unwrap_or(1)
        .max(1);
    let (kept, offset) = match shell.state.vars.text("_OPTPOS").as_deref().and_then(split) {
        Some((kept, offset)) if kept == index => (kept, offset),
        _ => (index, 1),
    };
    let set = |shell: &mut Shell, variable: &str, value: &str| {
        let _ = shell.state.vars.set(variable, value);
    };
    let done = |shell: &mut Shell, index: usize| {
        set(shell, "OPTIND", &index.to_string());
        set(shell, name, "?");
        let _ = shell.state.vars.unset("_OPTPOS", None);
        Outcome::Status(1)
    };
    let Some(word) = operands.get(kept - 1) else {
        return done(shell, kept);
    };
    if &**word == "--" {
        return done(shell, kept + 1);
    }
    let letters: Vec<char> = word.chars().collect();
    if letters.first() != Some(&'-') || letters.len() < 2 {
        return done(shell, kept);
    }
    let letter = letters[offset];
    let silent = known.starts_with(':');
    let place = known.find(letter).filter(|_| letter != ':');
    let wants = place.is_some_and(|at| known[at + letter.len_utf8()..].starts_with(':'));
    let mut next = (kept, offset + 1);
    if next.1 >= letters.len() {
        next = (kept + 1, 1);
    }
    let mut found = letter;
    let _ = shell.state.vars.unset("OPTARG", None);
    if place.is_none() {
        found = '?';
        if silent {
            set(shell, "OPTARG", &letter.to_string());
        } else {
            let arg0 = shell.state.arg0.clone();
            shell.print_error(&format!("{arg0}: illegal option -- {letter}\n"));
        }
    } else if wants {
        let rest: String = letters[offset + 1..].iter().collect();
        let value = if rest.is_empty() {
            operands.get(kept).map(|arg| arg.to_string())
        } else {
            Some(rest.clone())
        };
        next = (if rest.is_empty() { kept + 2 } else { kept + 1 }, 1);
        match value {
            Some(value) => set(shell, "OPTARG", &value),
            None if silent => {
                found = ':';
                set(shell, "OPTARG", &letter.to_string());
            }
            None => {
                found = '?';
                let arg0 = shell.state.arg0.clone();
                shell.print_error(&format!(
                    "{arg0}: option requires an argument -- {letter}\n"
                ));
            }
        }
    }
    set(shell, name, &found.to_string());
    set(shell, "OPTIND", &next.0.to_string());
    set(shell, "_OPTPOS", &format!("{}.{}", next.0, next.1));
    Outcome::Status(0)
}

fn split(text: &str) -> Option<(usize, usize)> {
    let (index, offset) = text.split_once('.')?;
    Some((index.parse().ok()?, offset.parse().ok()?))
}
