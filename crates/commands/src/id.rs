//! `id`. Models coreutils src/id.c.

use machine::Io;

use crate::accounts;
use crate::args::{self, flag};
use crate::files;
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "id",
    "Print user and group ids",
    "id [OPTION]... [USER]",
    main,
    [
        ("id", "uid=0(root) gid=0(root) groups=0(root)\n"),
        ("id -u; id -un", "0\nroot\n"),
        ("id nosuch", "id: ‘nosuch’: no such user\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', ""),
    flag('g', "group"),
    flag('G', "groups"),
    flag('n', "name"),
    flag('r', "real"),
    flag('u', "user"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let wanted = args.operands.first().cloned();
    let named = wanted.clone();
    let found = io
        .sys(move |sys| {
            let (uid, gid) = match &named {
                Some(name) => {
                    let users = sys.host().users();
                    let user = users.iter().find(|user| user.name == *name)?;
                    (user.uid, user.gid)
                }
                None => {
                    let gid = sys
                        .host()
                        .process(sys.pid())
                        .map_or(0, |process| process.gid);
                    (sys.uid(), gid)
                }
            };
            let user = files::user_name(sys, uid);
            let more = accounts::groups_of(sys, &user);
            Some((uid, gid, user, files::group_name(sys, gid), more))
        })
        .await;
    let Some((uid, gid, user, group, mut more)) = found else {
        complain(
            &io,
            &format!("‘{}’: no such user", wanted.unwrap_or_default()),
        )
        .await;
        return 1;
    };
    more.retain(|(_, id)| *id != gid);
    let named = |number: u32, name: &str| {
        if name == number.to_string() {
            name.to_owned()
        } else {
            format!("{number}({name})")
        }
    };
    let text = match args.last_of("ugG") {
        Some('u') if args.has('n') => user,
        Some('u') => uid.to_string(),
        Some('G') => {
            let of = |(name, id): &(String, u32)| match args.has('n') {
                true => name.clone(),
                false => id.to_string(),
            };
            let all: Vec<String> = std::iter::once(&(group, gid))
                .chain(&more)
                .map(of)
                .collect();
            all.join(" ")
        }
        Some(_) if args.has('n') => group,
        Some(_) => gid.to_string(),
        None => {
            let group = named(gid, &group);
            let more = more
                .iter()
                .map(|(name, id)| format!(",{}", named(*id, name)));
            let more: String = more.collect();
            format!("uid={} gid={group} groups={group}{more}", named(uid, &user))
        }
    };
    io.print(&format!("{text}\n")).await;
    0
}
