//! `mktemp`. Models coreutils src/mktemp.c.

use machine::Io;

use crate::args::{self, flag, maybe};
use crate::help::tool;
use crate::io::{complain, join, usage_error};

tool!(
    "mktemp",
    "Create a temporary file or directory and print its name",
    "mktemp [OPTION]... [TEMPLATE]",
    main,
    [
        ("f=$(mktemp); test -f $f && echo ${f%.*}", "/tmp/tmp\n"),
        ("d=$(mktemp -d); test -d $d && echo yes", "yes\n"),
        ("mktemp abc", "mktemp: too few X's in template ‘abc’\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('d', "directory"),
    flag('q', "quiet"),
    flag('t', ""),
    flag('u', "dry-run"),
    maybe('p', "tmpdir"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let template = args
        .operands
        .first()
        .map_or("tmp.XXXXXXXXXX", |template| template)
        .to_owned();
    let places = template.len() - template.trim_end_matches('X').len();
    if places < 3 {
        complain(&io, &format!("too few X's in template ‘{template}’")).await;
        return 1;
    }
    let tmp = io.env("TMPDIR").unwrap_or_else(|| "/tmp".into());
    let dir = match args.value('p') {
        Some(dir) if !dir.is_empty() => Some(dir.to_string()),
        Some(_) => Some(tmp.to_string()),
        None if args.operands.is_empty() || args.has('t') => Some(tmp.to_string()),
        None => None,
    };
    let (is_dir, dry) = (args.has('d'), args.has('u'));
    let made = io
        .sys(move |sys| {
            let letters = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
            let mut name = template[..template.len() - places].to_owned();
            for _ in 0..places {
                let at = usize::try_from(sys.random().below(letters.len() as u64)).unwrap_or(0);
                name.push(char::from(letters[at]));
            }
            let path = dir.map_or(name.clone(), |dir| join(&dir, &name));
            if dry {
                return Ok(path);
            }
            let made = if is_dir {
                sys.mkdir(&path, 0o700)
            } else {
                sys.write_file(&path, b"")
                    .and_then(|()| sys.chmod(&path, 0o600))
            };
            made.map(|()| path.clone()).map_err(|errno| (path, errno))
        })
        .await;
    match made {
        Ok(path) => {
            io.print(&format!("{path}\n")).await;
            0
        }
        Err((path, errno)) => {
            let what = if is_dir { "directory" } else { "file" };
            let why = errno.message();
            complain(
                &io,
                &format!("failed to create {what} via template ‘{path}’: {why}"),
            )
            .await;
            1
        }
    }
}
