//! `vi`: opens the editor of the page on a file. `vim`, `nano` and `editor` do the same.
//!
//! The editor itself is outside the world: what is typed in it, and how long that takes, the
//! machine only learns from its answer.

use std::rc::Rc;

use machine::{Errno, Fd, FileKind, Io, Request};

use crate::help::tool;
use crate::io::own_name;

tool!(
    "vi",
    "Edit text files",
    "vi [FILE]...",
    edit,
    [(
        "vi notes; echo $?",
        "vi: standard input is no terminal: there is nobody to edit 'notes'\n1\n"
    ),]
);

/// Lets the person edit each file in turn.
pub(crate) async fn edit(io: Io) -> i32 {
    let name = own_name(&io);
    // `+12`, `-n` and the like say where and how to begin, which the page decides.
    let paths: Vec<Rc<str>> = io.args()[1..]
        .iter()
        .filter(|arg| !arg.starts_with(['+', '-']))
        .cloned()
        .collect();
    if !io.sys(|sys| sys.is_tty(Fd::STDIN)).await {
        let what = paths
            .first()
            .map_or(String::new(), |path| format!(" '{path}'"));
        let text =
            format!("{name}: standard input is no terminal: there is nobody to edit{what}\n");
        io.eprint(&text).await;
        return 1;
    }
    if paths.is_empty() {
        io.eprint(&format!("{name}: no file to edit\n")).await;
        return 1;
    }
    let mut status = 0;
    for path in paths {
        if let Err(message) = one(&io, &path).await {
            io.eprint(&format!("{name}: {message}\n")).await;
            status = 1;
        }
    }
    status
}

async fn one(io: &Io, path: &Rc<str>) -> Result<(), String> {
    let name = path.to_string();
    let found = io.sys(move |sys| sys.stat(&name)).await;
    if found.as_ref().is_ok_and(|stat| stat.kind == FileKind::Dir) {
        return Err(format!("\"{path}\" is a directory"));
    }
    let text: Rc<str> = match io.read_to_string(path).await {
        Ok(text) => text.into(),
        Err(Errno::ENOENT) => "".into(),
        Err(errno) => return Err(format!("\"{path}\": {}", errno.message())),
    };
    let shown = path.clone();
    let id = io
        .sys(move |sys| sys.ask(Request::Edit { path: shown, text }))
        .await;
    let answer = io.until(move |sys| sys.answer(id)).await;
    // Left without saving: the file stays as it is, and is not made.
    let Some(text) = answer else { return Ok(()) };
    // A line that is saved ends.
    let mut text = text.to_string();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    match io.write_file(path, text.as_bytes()).await {
        Ok(()) => Ok(()),
        Err(Errno::EROFS | Errno::EACCES | Errno::EPERM) => {
            Err(format!("\"{path}\" E212: Can't open file for writing"))
        }
        Err(errno) => Err(format!(
            "\"{path}\" E212: Can't open file for writing: {}",
            errno.message()
        )),
    }
}

#[cfg(test)]
mod tests {
    use machine::testing::TestBox;
    use machine::{Constructor, Outside, Request};
    use sim::Duration;

    fn programs(name: &str) -> Option<Constructor> {
        crate::program(name)
    }

    /// Opens the editor, answers, and gives what was to be edited and the file afterwards.
    #[track_caller]
    fn check(before: Option<&str>, answer: Option<&str>, after: Option<&str>) {
        let mut test = TestBox::new(programs, &["vi", "cat"]);
        let disk = test.world.host_mut(test.machine).disk_mut();
        if let Some(text) = before {
            disk.put_all("/root/f", machine::fs::Node::file(text, 0o644))
                .unwrap();
        }
        let pid = test.start(&["vi", "f"]);
        test.pass(Duration::from_secs(5));
        let asked = std::mem::take(&mut test.world.outside)
            .into_iter()
            .find_map(|said| match said {
                Outside::Asked {
                    id,
                    request: Request::Edit { path, text },
                    ..
                } => Some((id, path, text)),
                _ => None,
            });
        let (id, path, text) = asked.expect("it asks");
        assert_eq!((&*path, &*text), ("f", before.unwrap_or_default()));
        test.world
            .reply(test.machine, pid, id, answer.map(Into::into));
        let (_, status) = test.finish(pid, Duration::from_secs(5));
        assert!(status.is_some_and(|status| status.success()));
        let (shown, code) = test.run(&["cat", "f"]);
        assert_eq!((code == 0).then_some(shown).as_deref(), after);
    }

    #[test]
    fn a_file_is_written_if_the_editor_says_so() {
        check(Some("a\n"), Some("b\n"), Some("b\n"));
        check(Some("a\n"), None, Some("a\n"));
        check(None, Some("new\n"), Some("new\n"));
        check(None, Some("a\nb"), Some("a\nb\n"));
        check(None, Some(""), Some(""));
        check(None, None, None);
    }
}
