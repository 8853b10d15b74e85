//! `groups`: the groups a user is in. Models coreutils src/groups.c.

use machine::Io;

use crate::accounts;
use crate::files;
use crate::help::tool;

tool!(
    "groups",
    "Print the groups a user is in",
    "groups [USERNAME]...",
    main,
    [("groups", "root\n"), ("groups root", "root : root\n")]
);

async fn main(io: Io) -> i32 {
    let names = io.args()[1..].to_vec();
    let mut status = 0;
    let alone = names.is_empty();
    let asked = match alone {
        true => vec![None],
        false => names.into_iter().map(Some).collect(),
    };
    for name in asked {
        let wanted = name.clone();
        let found = io
            .sys(move |sys| {
                let name = match wanted {
                    Some(name) => name.to_string(),
                    None => files::user_name(sys, sys.uid()),
                };
                let account = accounts::find(sys, &name)?;
                let mut groups = vec![files::group_name(sys, account.gid)];
                let more = accounts::groups_of(sys, &name).into_iter();
                let own = groups[0].clone();
                groups.extend(more.map(|(name, _)| name).filter(|name| *name != own));
                Some(groups.join(" "))
            })
            .await;
        match (found, name) {
            (Some(groups), None) => io.print(&format!("{groups}\n")).await,
            (Some(groups), Some(name)) => io.print(&format!("{name} : {groups}\n")).await,
            (None, name) => {
                let name = name.unwrap_or_default();
                io.eprint(&format!("groups: ‘{name}’: no such user\n"))
                    .await;
                status = 1;
            }
        }
    }
    status
}
