//! Editing a file: a person does it, outside of the world.

use std::rc::Rc;

use machine::{Errno, Fd, Io, Request};

use crate::files;
use crate::io::complain;

/// Opens the page's editor on a file and writes what was saved. Needs a terminal: without one
/// nobody could type.
pub(crate) async fn file(io: &Io, path: Option<&str>) -> i32 {
    let Some(path) = path else {
        complain(io, "not modelled: editing without a file name").await;
        return 1;
    };
    if files::is_dir(io, path).await {
        complain(io, &format!("{path}: Is a directory")).await;
        return 1;
    }
    let text = match io.read_to_string(path).await {
        Ok(text) => text,
        Err(Errno::ENOENT) => String::new(),
        Err(errno) => {
            complain(io, &format!("{path}: {}", errno.message())).await;
            return 1;
        }
    };
    if !io.sys(|sys| sys.is_tty(Fd::STDIN) && sys.is_tty(Fd::STDOUT)).await {
        complain(io, "an editor needs a terminal; write the file with cat, sed or a here-document").await;
        return 1;
    }
    let (name, text): (Rc<str>, Rc<str>) = (path.into(), text.into());
    let id = io.sys(move |sys| sys.ask(Request::Edit { path: name, text })).await;
    let Some(edited) = io.until(move |sys| sys.answer(id)).await else { return 0 };
    match io.write_file(path, edited.as_bytes()).await {
        Ok(()) => 0,
        Err(errno) => {
            complain(io, &format!("{path}: {}", errno.message())).await;
            1
        }
    }
}
