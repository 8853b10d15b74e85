//! `groupdel`: takes a group away. Models shadow-utils src/groupdel.c.

use machine::Io;

use crate::accounts;
use crate::help::tool;
use crate::io::complain;

tool!(
    "groupdel",
    "Delete a group",
    "groupdel GROUP",
    main,
    [(
        "groupdel dev; echo $?",
        "groupdel: group 'dev' does not exist\n6\n"
    )]
);

async fn main(io: Io) -> i32 {
    let [_, name] = io.args() else {
        io.eprint("Usage: groupdel [options] GROUP\n").await;
        return 2;
    };
    let group = name.clone();
    let done = io
        .sys(move |sys| {
            let gid = accounts::group(sys, &group)?;
            let primary = sys.host().users().into_iter().find(|user| user.gid == gid);
            Some(match primary {
                Some(user) => Err(format!(
                    "cannot remove the primary group of user '{}'",
                    user.name
                )),
                None => accounts::remove(sys, &group).map_err(|errno| errno.message().to_owned()),
            })
        })
        .await;
    let (why, code) = match done {
        None => (format!("group '{name}' does not exist"), 6),
        Some(Err(why)) => (why, 8),
        Some(Ok(())) => return 0,
    };
    complain(&io, &why).await;
    code
}
