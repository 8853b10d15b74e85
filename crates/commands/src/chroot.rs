//! `chroot`: runs a command with another directory as its root.
//! Models coreutils src/chroot.c.

use std::rc::Rc;

use machine::{Errno, Exec, Io, Spawn};

use crate::help::tool;
use crate::io::{complain, missing_operand};
use crate::run;

tool!(
    "chroot",
    "Run a command with a different root directory",
    "chroot NEWROOT [COMMAND [ARG]...]",
    main,
    [
        (
            "chroot nope ls",
            "chroot: cannot change root directory to 'nope': No such file or directory\n"
        ),
        ("chroot / echo hi", "hi\n"),
        (
            "chroot / nope",
            "chroot: failed to run command ‘nope’: No such file or directory\n"
        ),
    ]
);

async fn main(io: Io) -> i32 {
    let words: Vec<Rc<str>> = io.args().iter().skip(1).cloned().collect();
    let Some((root, command)) = words.split_first() else {
        return missing_operand(&io, 125).await;
    };
    let mut command = command.to_vec();
    if command.is_empty() {
        command = vec!["/bin/sh".into(), "-i".into()];
    }
    let found = {
        let root = root.clone();
        io.sys(move |sys| {
            let place = sys.place_of(&root)?;
            if sys.uid() != 0 {
                return Err(Errno::EPERM);
            }
            Ok((place.path == "/").then(|| sys.new_mount_ns(place.fs, Vec::new())))
        })
        .await
    };
    let mounts = match found {
        Ok(Some(mounts)) => mounts,
        Ok(None) => {
            let why = sim::unmodelled!("chroot into a part of a file system");
            complain(&io, &why.to_string()).await;
            return 125;
        }
        Err(errno) => {
            let why = errno.message();
            let text = format!("cannot change root directory to '{root}': {why}");
            complain(&io, &text).await;
            return 125;
        }
    };
    let path = io.env("PATH").unwrap_or_default();
    let mut failed = Errno::ENOENT;
    let mut status = None;
    for place in run::places(&path, &command[0]) {
        let mut spawn = Spawn::new(Exec::Path(place), command.clone()).with_stdio();
        spawn.mounts = Some(mounts);
        spawn.cwd = Some("/".into());
        match io.spawn(spawn).await {
            Ok(child) => {
                status = Some(io.wait(child).await.shell_code());
                break;
            }
            Err(Errno::ENOENT) => {}
            Err(errno) => failed = errno,
        }
    }
    io.sys(move |sys| sys.remove_mount_ns(mounts)).await;
    match status {
        Some(code) => code,
        None => {
            let why = failed.message();
            let text = format!("failed to run command ‘{}’: {why}", command[0]);
            complain(&io, &text).await;
            if failed == Errno::ENOENT { 127 } else { 126 }
        }
    }
}
