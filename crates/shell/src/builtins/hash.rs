//! `hash`: this shell looks commands up each time, so there is nothing to remember.

use super::{Builtin, Outcome};

pub(super) const HASH: Builtin = Builtin {
    name: "hash",
    usage: "hash [-lr] [-p pathname] [-dt] [name ...]",
    posix: true,
    run: |shell, _, args| {
        if args.len() == 1 {
            shell.print("hash: hash table empty\n");
        }
        Outcome::Status(0)
    },
};
