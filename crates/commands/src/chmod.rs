//! `chmod`. Models coreutils src/chmod.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::files;
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "chmod",
    "Change file modes",
    "chmod [OPTION]... MODE[,MODE]... FILE...",
    main,
    [
        ("touch a; chmod +x a; stat -c %A a", "-rwxr-xr-x\n"),
        ("touch a; chmod u=rw,go= a; stat -c %a a", "600\n"),
        (
            "chmod 9 a",
            "chmod: invalid mode: '9'\nTry 'chmod --help' for more information.\n"
        ),
        (
            "chmod 644 nope",
            "chmod: cannot access 'nope': No such file or directory\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "changes"),
    flag('f', "silent"),
    flag('R', "recursive"),
    flag('v', "verbose"),
    value('\u{1}', "reference"),
];

async fn main(io: Io) -> i32 {
    // `-x` is a mode, not an option.
    let mut words = io.args().to_vec();
    let is_mode = |word: &str| {
        word.len() > 1 && word.starts_with('-') && word[1..].chars().all(|c| "rwxXst".contains(c))
    };
    if let Some(at) = words.iter().position(|word| is_mode(word)) {
        words.insert(at, "--".into());
    }
    let args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let [mode, paths @ ..] = &args.operands[..] else {
        return usage_error(&io, "missing operand", 1).await;
    };
    if files::change_mode(mode, 0, false).is_none() {
        return usage_error(&io, &format!("invalid mode: '{mode}'"), 1).await;
    }
    if paths.is_empty() {
        return usage_error(&io, &format!("missing operand after '{mode}'"), 1).await;
    }
    let mut status = 0;
    let mut todo: Vec<String> = paths.iter().rev().map(ToString::to_string).collect();
    while let Some(path) = todo.pop() {
        let (name, mode) = (path.clone(), mode.clone());
        let changed = io
            .sys(move |sys| {
                let stat = sys.stat(&name)?;
                let new = files::change_mode(&mode, stat.mode, stat.is_dir()).unwrap_or(stat.mode);
                sys.chmod(&name, new).map(|()| stat.is_dir())
            })
            .await;
        match changed {
            Ok(is_dir) if is_dir && args.has('R') => {
                let entries = files::read_dir(&io, &path).await.unwrap_or_default();
                todo.extend(
                    entries
                        .iter()
                        .rev()
                        .map(|entry| format!("{path}/{}", entry.name)),
                );
            }
            Ok(_) => {}
            Err(machine::Errno::EPERM) => {
                let what = format!("changing permissions of '{path}': Operation not permitted");
                complain(&io, &what).await;
                status = 1;
            }
            Err(errno) => {
                complain(&io, &format!("cannot access '{path}': {}", errno.message())).await;
                status = 1;
            }
        }
    }
    status
}
