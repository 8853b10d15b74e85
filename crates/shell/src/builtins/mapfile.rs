//! `mapfile`, `readarray`: lines of the standard input into an array.

use std::rc::Rc;

use machine::Sys;

use super::{Builtin, Outcome};
use crate::eval::{Frame, Shell, Source};

pub(super) const MAPFILE: Builtin = Builtin {
    name: "mapfile",
    usage: "mapfile [-t] [-u fd] [array]",
    posix: false,
    run: mapfile,
};
pub(super) const READARRAY: Builtin = Builtin {
    name: "readarray",
    usage: "readarray [-t] [-u fd] [array]",
    posix: false,
    run: mapfile,
};

fn mapfile(shell: &mut Shell, _: &mut Sys<'_>, args: &[Rc<str>]) -> Outcome {
    let (letters, operands) = match super::options(args, "t") {
        Ok(parsed) => parsed,
        Err(letter) => return shell.bad_option(&MAPFILE, letter),
    };
    let array = operands.first().map_or("MAPFILE", |name| name);
    if !super::is_name(array) {
        shell.complain(&format!("mapfile: `{array}': not a valid identifier"));
        return Outcome::Status(1);
    }
    // Said in the language itself: it reads, and may have to wait.
    let end = if letters.contains(&'t') { "" } else { "$'\\n'" };
    let text = format!(
        "{array}=(); while IFS= read -r REPLY || [ -n \"$REPLY\" ]; do {array}+=(\"$REPLY\"{end}); done"
    );
    shell.push(Frame::Source(Source::text(&text, 1)));
    Outcome::Frames
}
