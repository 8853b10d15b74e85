//! `chown`. Models coreutils src/chown.c.

use machine::{Errno, Io};

use crate::args::{self, flag};
use crate::files;
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "chown",
    "Change file owner and group",
    "chown [OPTION]... [OWNER][:[GROUP]] FILE...",
    main,
    [
        ("touch a; chown 1000:1000 a; stat -c %u:%g a", "1000:1000\n"),
        ("touch a; chown nosuch a", "chown: invalid user: 'nosuch'\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "changes"),
    flag('f', "silent"),
    flag('h', ""),
    flag('R', "recursive"),
    flag('v', "verbose"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let [owner, paths @ ..] = &args.operands[..] else {
        return usage_error(&io, "missing operand", 1).await;
    };
    if paths.is_empty() {
        return usage_error(&io, &format!("missing operand after '{owner}'"), 1).await;
    }
    let (user, group) = match owner.split_once([':', '.']) {
        Some((user, group)) => (user.to_owned(), Some(group.to_owned())),
        None => (owner.to_string(), None),
    };
    let found = io
        .sys(move |sys| {
            let users = sys.host().users();
            let named = users.iter().find(|own| *own.name == user);
            let uid = match (user.is_empty(), named, user.parse::<u32>()) {
                (true, _, _) => None,
                (_, Some(own), _) => Some(own.uid),
                (_, None, Ok(uid)) => Some(uid),
                _ => return Err(format!("invalid user: '{user}'")),
            };
            let gid = match group.as_deref() {
                None => None,
                Some("") => named.map(|own| own.gid),
                Some(group) => {
                    let named = files::groups(sys)
                        .into_iter()
                        .find(|(name, _)| name == group);
                    match named.map(|(_, gid)| gid).or_else(|| group.parse().ok()) {
                        Some(gid) => Some(gid),
                        None => return Err(format!("invalid group: ':{group}'")),
                    }
                }
            };
            Ok((uid, gid))
        })
        .await;
    let (uid, gid) = match found {
        Ok(found) => found,
        Err(message) => {
            complain(&io, &message).await;
            return 1;
        }
    };
    let mut status = 0;
    let mut todo: Vec<String> = paths.iter().rev().map(ToString::to_string).collect();
    while let Some(path) = todo.pop() {
        let name = path.clone();
        let changed = io
            .sys(move |sys| {
                let stat = sys.stat(&name)?;
                let (uid, gid) = (uid.unwrap_or(stat.uid), gid.unwrap_or(stat.gid));
                sys.chown(&name, uid, gid).map(|()| stat.is_dir())
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
            Err(errno) => {
                let why = errno.message();
                let what = match errno {
                    Errno::EPERM => format!("changing ownership of '{path}': {why}"),
                    _ => format!("cannot access '{path}': {why}"),
                };
                complain(&io, &what).await;
                status = 1;
            }
        }
    }
    status
}
