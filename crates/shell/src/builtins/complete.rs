//! `complete`, `compopt`: which command's arguments are completed how.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::complete::Spec;
use crate::eval::Shell;

pub(super) const COMPLETE: Builtin = Builtin {
    name: "complete",
    usage: "complete [-abcdefgjksuv] [-pr] [-DEI] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [name ...]",
    posix: false,
    run: complete,
};
pub(super) const COMPOPT: Builtin = Builtin {
    name: "compopt",
    usage: "compopt [-o|+o option] [-DEI] [name ...]",
    posix: false,
    run: |_, _, _| Outcome::Status(0),
};

fn complete(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let mut spec = Spec::default();
    let mut names = Vec::new();
    let mut remove = false;
    let mut rest = args[1..].iter();
    while let Some(arg) = rest.next() {
        match &**arg {
            "-F" => spec.function = rest.next().cloned(),
            "-W" => spec.words = rest.next().cloned(),
            "-o" => {
                let option = rest.next();
                spec.default |= option.is_some_and(|o| matches!(&**o, "default" | "bashdefault"));
                spec.no_space |= option.is_some_and(|o| &**o == "nospace");
            }
            "-A" | "-G" | "-C" | "-X" | "-P" | "-S" => {
                rest.next();
            }
            "-r" => remove = true,
            option if option.starts_with('-') => {}
            _ => names.push(arg.clone()),
        }
    }
    let Some(person) = &mut shell.interactive else {
        return Outcome::Status(0);
    };
    let specs = Rc::make_mut(&mut person.completions);
    for name in names {
        if remove {
            specs.remove(&name);
        } else {
            specs.insert(name, spec.clone());
        }
    }
    Outcome::Status(0)
}
