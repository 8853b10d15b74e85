//! `disown`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::Shell;

pub(super) const DISOWN: Builtin = Builtin {
    name: "disown",
    usage: "disown [-h] [-ar] [jobspec ...]",
    posix: false,
    run: disown,
};

fn disown(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, operands) = match super::options(args, "har") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&DISOWN, letter),
    };
    if letters.contains(&'a') {
        let all: Vec<u32> = shell.jobs.iter().map(|job| job.id).collect();
        all.into_iter().for_each(|id| shell.jobs.remove(id));
        return Outcome::Status(0);
    }
    let specs = if operands.is_empty() {
        vec!["".into()]
    } else {
        operands.to_vec()
    };
    let mut status = 0;
    for spec in specs {
        match shell.jobs.named(&spec) {
            Some(id) => shell.jobs.remove(id),
            None => {
                let spec = if spec.is_empty() { "current" } else { &spec };
                shell.complain(&format!("disown: {spec}: no such job"));
                status = 1;
            }
        }
    }
    Outcome::Status(status)
}
