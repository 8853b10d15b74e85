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
            let mut numbers = Vec::new();
            let (uid, gid) = match &named {
                Some(name) => {
                    let users = sys.host().users();
                    let user = users.iter().find(|user| user.name == *name)?;
                    (user.uid, user.gid)
                }
                None => {
                    let process = sys.host().process(sys.pid());
                    numbers = process.map_or_else(Vec::new, |process| process.groups.to_vec());
                    (sys.uid(), process.map_or(0, |process| process.gid))
                }
            };
            let user = files::user_name(sys, uid);
            let listed = accounts::groups_of(sys, &user);
            numbers.extend(listed.into_iter().map(|(_, number)| number));
            numbers.sort_unstable();
            numbers.dedup();
            numbers.retain(|number| *number != gid);
            numbers.insert(0, gid);
            let groups: Vec<(u32, String)> = numbers
                .into_iter()
                .map(|group| (group, files::group_name(sys, group)))
                .collect();
            Some((groups, uid, user))
        })
        .await;
    let Some((groups, uid, user)) = found else {
        complain(
            &io,
            &format!("‘{}’: no such user", wanted.unwrap_or_default()),
        )
        .await;
        return 1;
    };
    let (gid, group) = groups[0].clone();
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
            let shown = groups.iter().map(|(number, name)| match args.has('n') {
                true => name.clone(),
                false => number.to_string(),
            });
            shown.collect::<Vec<_>>().join(" ")
        }
        Some(_) if args.has('n') => group,
        Some(_) => gid.to_string(),
        None => {
            let group = named(gid, &group);
            let all = groups.iter().map(|(number, name)| named(*number, name));
            let all = all.collect::<Vec<_>>().join(",");
            format!("uid={} gid={group} groups={all}", named(uid, &user))
        }
    };
    io.print(&format!("{text}\n")).await;
    0
}
