//! `groupadd`: makes a group. Models shadow-utils src/groupadd.c.

use machine::Io;

use crate::accounts;
use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "groupadd",
    "Create a new group",
    "groupadd [-g GID] [-r] GROUP",
    main,
    [
        ("groupadd dev; tail -1 /etc/group", "dev:x:1000:\n"),
        (
            "groupadd -g 2000 dev; groupadd dev; echo $?",
            "groupadd: group 'dev' already exists\n9\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[value('g', "gid"), flag('f', "force"), flag('r', "system")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let [name] = &args.operands[..] else {
        io.eprint("Usage: groupadd [options] GROUP\n").await;
        return 2;
    };
    let (group, gid) = (
        name.clone(),
        args.value('g').and_then(|gid| gid.parse().ok()),
    );
    let system = args.has('r');
    let done = io
        .sys(move |sys| {
            if accounts::group(sys, &group).is_some() {
                return Ok(false);
            }
            let gid = gid.unwrap_or_else(|| accounts::free(sys, system));
            accounts::add_group(sys, &group, gid).map(|()| true)
        })
        .await;
    match done {
        Ok(true) => 0,
        Ok(false) if args.has('f') => 0,
        Ok(false) => {
            complain(&io, &format!("group '{name}' already exists")).await;
            9
        }
        Err(errno) => {
            complain(&io, &format!("{}.", errno.message())).await;
            10
        }
    }
}
