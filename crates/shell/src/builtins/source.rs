//! `source`, `.`

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{Frame, Shell, Source};

pub(super) const SOURCE: Builtin = Builtin {
    name: "source",
    usage: "source filename [arguments]",
    posix: false,
    run: source,
};
pub(super) const DOT: Builtin = Builtin {
    name: ".",
    usage: ". filename [arguments]",
    posix: true,
    run: source,
};

fn source(shell: &mut Shell, sys: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let name = &args[0];
    let Some(file) = args.get(1) else {
        shell.complain(&format!("{name}: filename argument required"));
        shell.print_error(&format!("{name}: usage: {name} filename [arguments]\n"));
        return Outcome::Status(2);
    };
    let mut path = file.to_string();
    if !file.contains('/') {
        let dirs = shell.state.text_or("PATH", "");
        let found = dirs.split(':').map(|dir| format!("{dir}/{file}"));
        if let Some(found) = found.into_iter().find(|path| sys.stat(path).is_ok()) {
            path = found;
        }
    }
    let text = match sys.stat(&path) {
        Ok(stat) if stat.is_dir() => {
            shell.complain(&format!("{name}: {file}: is a directory"));
            return Outcome::Status(1);
        }
        _ => match sys.read_to_string(&path) {
            Ok(text) => text,
            Err(errno) => {
                shell.complain(&format!("{file}: {}", errno.message()));
                return Outcome::Status(1);
            }
        },
    };
    let params =
        (args.len() > 2).then(|| std::mem::replace(&mut shell.state.params, args[2..].into()));
    shell.state.status = 0;
    shell.push(Frame::Sourced(params));
    shell.push(Frame::Source(Source::text(&text, 1)));
    Outcome::Frames
}
