//! `unset`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome, is_name};
use crate::eval::Shell;

pub(super) const UNSET: Builtin = Builtin {
    name: "unset",
    usage: "unset [-f] [-v] [-n] [name ...]",
    posix: true,
    run: unset,
};

fn unset(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, names) = match super::options(args, "fvn") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&UNSET, letter),
    };
    let mut status = 0;
    for name in names {
        let (base, index) = match name.split_once('[') {
            Some((base, index)) => (base, index.strip_suffix(']')),
            None => (&**name, None),
        };
        if letters.contains(&'f') || shell.state.vars.get(base).is_none() && !letters.contains(&'v')
        {
            Rc::make_mut(&mut shell.state.functions).remove(base);
            continue;
        }
        if !is_name(base) {
            shell.complain(&format!("unset: `{name}': not a valid identifier"));
            status = 1;
            continue;
        }
        let keyed = matches!(
            shell.state.vars.get(base).map(|v| &v.value),
            Some(crate::vars::Value::Keyed(_))
        );
        let index = match index {
            Some("@" | "*") => None,
            Some(index) if !keyed => match shell.evaluate(sys, index) {
                Ok(value) => Some(value.to_string()),
                Err(message) => {
                    shell.complain(&format!("unset: {message}"));
                    status = 1;
                    continue;
                }
            },
            other => other.map(str::to_owned),
        };
        if let Err(message) = shell.state.vars.unset(base, index.as_deref()) {
            shell.complain(&format!("unset: {message}"));
            status = 1;
        }
    }
    Outcome::Status(status)
}
