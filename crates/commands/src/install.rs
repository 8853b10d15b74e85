//! `install`: copies files and sets their modes. Models coreutils src/install.c.

use machine::Io;

use crate::args::{self, flag, value};
use crate::files::{change_mode, copy_file, is_dir};
use crate::help::tool;
use crate::io::{complain, join, split_path, usage_error};

tool!(
    "install",
    "Copy files and set attributes",
    "install [OPTION]... SOURCE... DEST",
    main,
    [
        (
            "echo hi > a; install -m 640 a b; stat -c %a b; cat b",
            "640\nhi\n"
        ),
        ("install -d x/y; ls x", "y\n"),
        ("echo hi > a; install -D a p/q/b; cat p/q/b", "hi\n"),
        (
            "install nope b",
            "install: cannot stat 'nope': No such file or directory\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('b', ""),
    flag('c', ""),
    flag('d', "directory"),
    flag('D', ""),
    value('g', "group"),
    value('m', "mode"),
    value('o', "owner"),
    flag('p', "preserve-timestamps"),
    value('t', "target-directory"),
    flag('T', "no-target-directory"),
    flag('v', "verbose"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let told = args.value('m').map_or("755", |mode| mode);
    let Some(mode) = change_mode(told, 0, false) else {
        complain(&io, &format!("invalid mode '{told}'")).await;
        return 1;
    };
    let mut operands = args.operands.clone();
    if args.has('d') {
        for path in operands {
            let made = path.clone();
            let done = io.sys(move |sys| {
                sys.mkdir_all(&made)?;
                sys.chmod(&made, mode)
            });
            if let Err(errno) = done.await {
                let why = errno.message();
                complain(&io, &format!("cannot create directory '{path}': {why}")).await;
                return 1;
            }
        }
        return 0;
    }
    let target = match args.value('t') {
        Some(target) => target.clone(),
        None if operands.len() > 1 => operands.pop().unwrap_or_default(),
        None => match operands.first() {
            None => return usage_error(&io, "missing file operand", 1).await,
            Some(only) => {
                let why = format!("missing destination file operand after '{only}'");
                return usage_error(&io, &why, 1).await;
            }
        },
    };
    let into = args.value('t').is_some() || !args.has('T') && is_dir(&io, &target).await;
    for source in operands {
        let to = match into {
            true => join(&target, split_path(&source).1),
            false => target.to_string(),
        };
        let (from, parents) = (source.clone(), args.has('D'));
        let done = io.sys(move |sys| {
            if let Err(errno) = sys.stat(&from) {
                return Err((format!("cannot stat '{from}'"), errno));
            }
            let parent = split_path(&to).0.to_owned();
            let made = match parents {
                true => sys.mkdir_all(&parent),
                false => Ok(()),
            };
            // A file that is there is replaced, as a program that runs from it expects.
            let done = made.and_then(|()| {
                if sys.exists(&to) {
                    sys.remove(&to)?;
                }
                copy_file(sys, &from, &to)?;
                sys.chmod(&to, mode)
            });
            done.map_err(|errno| (format!("cannot create regular file '{to}'"), errno))
        });
        if let Err((what, errno)) = done.await {
            complain(&io, &format!("{what}: {}", errno.message())).await;
            return 1;
        }
    }
    0
}
