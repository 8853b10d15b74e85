//! `userdel`: takes a user away. Models shadow-utils src/userdel.c.

use machine::Io;

use crate::accounts;
use crate::args::{self, flag};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "userdel",
    "Delete a user account",
    "userdel [-fr] LOGIN",
    main,
    [
        (
            "useradd -m jane; userdel -r jane; id jane; ls -d /home/jane",
            "userdel: jane mail spool (/var/mail/jane) not found\nid: ‘jane’: no such user\n\
          ls: cannot access '/home/jane': No such file or directory\n"
        ),
        (
            "userdel jane; echo $?",
            "userdel: user 'jane' does not exist\n6\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[flag('f', "force"), flag('r', "remove")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let [name] = &args.operands[..] else {
        io.eprint("Usage: userdel [options] LOGIN\n").await;
        return 2;
    };
    let (login, with_home) = (name.clone(), args.has('r'));
    let done = io
        .sys(move |sys| {
            let account = accounts::find(sys, &login)?;
            let mut done = accounts::remove(sys, &login);
            if with_home {
                done = done.and_then(|()| sys.remove_all(&account.home));
            }
            Some(done)
        })
        .await;
    let (why, code) = match done {
        None => (format!("user '{name}' does not exist"), 6),
        Some(Err(errno)) => (format!("{}.", errno.message()), 1),
        Some(Ok(())) if with_home => (format!("{name} mail spool (/var/mail/{name}) not found"), 0),
        Some(Ok(())) => return 0,
    };
    complain(&io, &why).await;
    code
}
