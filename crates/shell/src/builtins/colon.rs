//! `:`, `true`, `false`

use super::{Builtin, Outcome};

pub(super) const COLON: Builtin = Builtin {
    name: ":",
    usage: ":",
    posix: true,
    run: |_, _, _| Outcome::Status(0),
};
pub(super) const TRUE: Builtin = Builtin {
    name: "true",
    usage: "true",
    posix: true,
    run: |_, _, _| Outcome::Status(0),
};
pub(super) const FALSE: Builtin = Builtin {
    name: "false",
    usage: "false",
    posix: true,
    run: |_, _, _| Outcome::Status(1),
};
