//! `less`: shows text. Without a terminal to turn pages on it writes all of it, as the real one does;
//! on a terminal, too, since that scrolls.

use machine::Io;

use crate::help::tool;
use crate::io::slurp;

tool!(
    "less",
    "Show text page by page",
    "less [FILE]...",
    main,
    [
        ("echo hi | less", "hi\n"),
        (
            "less nosuch; echo $?",
            "nosuch: No such file or directory\n1\n"
        )
    ]
);

/// Writes the files, or the standard input, as `more` does as well.
pub(crate) async fn main(io: Io) -> i32 {
    let words = io.args().iter().skip(1);
    let plain = |word: &&std::rc::Rc<str>| !word.starts_with(['-', '+']);
    let mut paths: Vec<_> = words.filter(plain).cloned().collect();
    if paths.is_empty() {
        paths.push("-".into());
    }
    let mut status = 0;
    for path in paths {
        match slurp(&io, &path).await {
            Ok(bytes) => io.write_all(machine::Fd::STDOUT, &bytes).await,
            Err(errno) => {
                io.eprint(&format!("{path}: {}\n", errno.message())).await;
                status = 1;
            }
        }
    }
    status
}
