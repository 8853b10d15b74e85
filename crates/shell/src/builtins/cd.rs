//! `cd`

use std::rc::Rc;

use machine::{Errno, Sys};

use super::{Builtin, Outcome};
use crate::eval::Shell;
use crate::state::Flavor;

pub(super) const CD: Builtin = Builtin {
    name: "cd",
    usage: "cd [-L|[-P [-e]] [-@]] [dir]",
    posix: true,
    run: cd,
};

fn cd(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (_, operands) = match super::options(args, "LPe@") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&CD, letter),
    };
    let mut shows = false;
    let to: Rc<str> = match operands {
        [] => match shell.state.vars.text("HOME") {
            Some(home) => home,
            None => {
                shell.complain("cd: HOME not set");
                return Outcome::Status(1);
            }
        },
        [dash] if &**dash == "-" => match shell.state.vars.text("OLDPWD") {
            Some(old) => {
                shows = true;
                old
            }
            None => {
                shell.complain("cd: OLDPWD not set");
                return Outcome::Status(1);
            }
        },
        [to] => to.clone(),
        _ => {
            shell.complain("cd: too many arguments");
            return Outcome::Status(1);
        }
    };
    if to.is_empty() {
        return Outcome::Status(0);
    }
    let mut tries: Vec<String> = Vec::new();
    if !to.starts_with(['/', '.'])
        && let Some(path) = shell.state.vars.text("CDPATH")
    {
        tries.extend(
            path.split(':')
                .filter(|dir| !dir.is_empty())
                .map(|dir| format!("{dir}/{to}")),
        );
    }
    shows |= !tries.is_empty()
        && tries
            .iter()
            .any(|path| sys.stat(path).is_ok_and(|s| s.is_dir()));
    tries.push(to.to_string());
    let mut errno = Errno::ENOENT;
    for path in &tries {
        match change(shell, sys, path) {
            Ok(()) => {
                if shows {
                    let cwd = sys.cwd();
                    shell.print(&format!("{cwd}\n"));
                }
                return Outcome::Status(0);
            }
            Err(failed) => errno = failed,
        }
    }
    let message = match shell.state.flavor {
        Flavor::Bash => format!("cd: {to}: {}", errno.message()),
        Flavor::Dash => format!("cd: can't cd to {to}"),
        Flavor::Ash => format!("cd: can't cd to {to}: {}", errno.message()),
    };
    shell.complain(&message);
    Outcome::Status(if shell.state.flavor == Flavor::Dash {
        2
    } else {
        1
    })
}

/// Changes the working directory and the variables that name it.
pub(super) fn change(shell: &mut Shell, sys: &mut Sys<'_>, to: &str) -> Result<(), Errno> {
    let old = sys.cwd();
    sys.chdir(to)?;
    let cwd = sys.cwd();
    let vars = &mut shell.state.vars;
    let _ = vars.set("OLDPWD", old);
    let _ = vars.set("PWD", cwd);
    vars.entry("PWD").exported = true;
    vars.entry("OLDPWD").exported = true;
    Ok(())
}
