//! `dirs`, `pushd`, `popd`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome, cd};
use crate::eval::Shell;

pub(super) const DIRS: Builtin = Builtin {
    name: "dirs",
    usage: "dirs [-clpv]",
    posix: false,
    run: dirs,
};
pub(super) const PUSHD: Builtin = Builtin {
    name: "pushd",
    usage: "pushd [dir]",
    posix: false,
    run: pushd,
};
pub(super) const POPD: Builtin = Builtin {
    name: "popd",
    usage: "popd",
    posix: false,
    run: popd,
};

fn show(shell: &mut Shell, sys: &Sys<'_>) {
    let home = shell.state.home(sys);
    let mut all = vec![sys.cwd()];
    all.extend(shell.state.dirs.iter().rev().cloned());
    let short = all.iter().map(|dir| match dir.strip_prefix(&*home) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => format!("~{rest}"),
        _ => dir.to_string(),
    });
    let text: Vec<String> = short.collect();
    shell.print(&format!("{}\n", text.join(" ")));
}

fn dirs(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    if args.iter().any(|arg| &**arg == "-c") {
        shell.state.dirs.clear();
    } else {
        show(shell, sys);
    }
    Outcome::Status(0)
}

fn pushd(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let here = sys.cwd();
    let to = match args.get(1) {
        Some(to) => to.clone(),
        None => match shell.state.dirs.pop() {
            Some(to) => to,
            None => {
                shell.complain("pushd: no other directory");
                return Outcome::Status(1);
            }
        },
    };
    if let Err(errno) = cd::change(shell, sys, &to) {
        shell.complain(&format!("pushd: {to}: {}", errno.message()));
        return Outcome::Status(1);
    }
    shell.state.dirs.push(here);
    show(shell, sys);
    Outcome::Status(0)
}

fn popd(shell: &mut Shell, sys: &mut Sys<'_>, _: &[Rc<str>]) -> Outcome {
    let Some(to) = shell.state.dirs.pop() else {
        shell.complain("popd: directory stack empty");
        return Outcome::Status(1);
    };
    if let Err(errno) = cd::change(shell, sys, &to) {
        shell.complain(&format!("popd: {to}: {}", errno.message()));
        return Outcome::Status(1);
    }
    show(shell, sys);
    Outcome::Status(0)
}
