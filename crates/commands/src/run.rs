//! Running other programs, as `env`, `xargs`, `timeout` and `watch` do.

use std::rc::Rc;

use machine::{Errno, FileKind, Io, Sys};

use crate::io::complain;

/// Where a program may be, in the order it is looked for: as given if it has a slash, else in the
/// directories of a `PATH`.
pub(crate) fn places(path: &str, name: &str) -> Vec<Rc<str>> {
    match name.contains('/') {
        true => vec![name.into()],
        false => {
            let dirs = path.split(':');
            dirs.map(|dir| format!("{dir}/{name}").into()).collect()
        }
    }
}

/// Whether a path names a file that can be run.
pub(crate) fn is_executable(sys: &mut Sys<'_>, path: &str) -> bool {
    let stat = sys.stat(path);
    stat.is_ok_and(|stat| stat.kind == FileKind::File && stat.mode & 0o111 != 0)
}

/// The path of a program: as given if it has a slash, else from `PATH`.
pub(crate) async fn find(io: &Io, name: &str) -> Option<Rc<str>> {
    if name.contains('/') {
        return Some(name.into());
    }
    let path = io.env("PATH").unwrap_or_else(|| "/usr/bin:/bin".into());
    let mut places = places(&path, name).into_iter();
    io.sys(move |sys| places.find(|path| is_executable(sys, path)))
        .await
}

/// Turns the tool into another program (`env name`, `nohup name`). Comes back with a status only
/// if that fails: 127 if there is none, 126 if it cannot run.
pub(crate) async fn become_program(io: &Io, words: Vec<Rc<str>>) -> i32 {
    let name = words.first().cloned().unwrap_or_default();
    let Some(path) = find(io, &name).await else {
        complain(io, &format!("‘{name}’: No such file or directory")).await;
        return 127;
    };
    let replaced: Result<(), Errno> = io
        .until(move |sys| match sys.exec(&path, words.clone()) {
            // The process goes on as the other program; this future is never polled again.
            Ok(()) => None,
            Err(errno) => Some(Err(errno)),
        })
        .await;
    let errno = replaced.err().unwrap_or(Errno::ENOEXEC);
    complain(io, &format!("‘{name}’: {}", errno.message())).await;
    if errno == Errno::ENOENT { 127 } else { 126 }
}
