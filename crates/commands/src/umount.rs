//! `umount`: takes mounts away. Models util-linux sys-utils/umount.c.

use machine::{Errno, Io};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "umount",
    "Unmount file systems",
    "umount [-fl] DIRECTORY...",
    main,
    [
        ("umount /nope", "umount: /nope: no mount point specified.\n"),
        ("mkdir d; umount d", "umount: d: not mounted.\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('f', "force"),
    flag('l', "lazy"),
    flag('R', "recursive"),
    flag('v', "verbose"),
    flag('q', "quiet"),
    flag('a', "all"),
    value('t', "types"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return usage_error(&io, "bad usage", 1).await;
    }
    let mut status = 0;
    for at in &args.operands {
        let path = at.clone();
        let done = io
            .sys(move |sys| {
                sys.stat(&path)?;
                sys.unmount(&path)
            })
            .await;
        let why = match done {
            Ok(()) => continue,
            Err(Errno::ENOENT) => "no mount point specified.",
            Err(Errno::EPERM) => "must be superuser to unmount.",
            Err(_) => "not mounted.",
        };
        complain(&io, &format!("{at}: {why}")).await;
        status = 32;
    }
    status
}
