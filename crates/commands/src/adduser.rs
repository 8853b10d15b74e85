//! `adduser`: makes a user the way Debian's administrators do. Models Debian's adduser 3.137; it asks
//! no questions here.

use machine::Io;

use crate::accounts::{self, Account};
use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::usage_error;
use crate::useradd::make_home;

tool!(
    "adduser",
    "Add a user to the system",
    "adduser [--disabled-password] [--gecos GECOS] USER [GROUP]",
    main,
    [(
        "adduser --disabled-password --gecos '' bob | tail -2; id bob",
        "info: Creating home directory `/home/bob' ...\ninfo: Copying files from `/etc/skel' ...\n\
         uid=1000(bob) gid=1000(bob) groups=1000(bob)\n"
    )]
);

const FLAGS: &[args::Flag] = &[
    flag('\u{1}', "disabled-password"),
    flag('\u{2}', "disabled-login"),
    flag('\u{3}', "system"),
    flag('\u{4}', "no-create-home"),
    flag('q', "quiet"),
    value('\u{5}', "gecos"),
    value('\u{6}', "home"),
    value('\u{7}', "shell"),
    value('\u{8}', "uid"),
    value('D', ""),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let (name, group) = match &args.operands[..] {
        [name] => (name.to_string(), None),
        [name, group] => (name.to_string(), Some(group.to_string())),
        _ => {
            io.eprint("fatal: Only one or two names allowed.\n").await;
            return 1;
        }
    };
    let text = |letter| args.value(letter).map(|text| text.to_string());
    let (home, shell, gecos) = (text('\u{6}'), text('\u{7}'), text('\u{5}'));
    let keeps_home = args.has('\u{4}');
    let told = name.clone();
    let made: Result<Option<Account>, String> = io
        .sys(move |sys| {
            let there = accounts::find(sys, &name);
            if let Some(group) = group {
                if there.is_none() {
                    return Err(format!("The user `{name}' does not exist."));
                }
                let joined = accounts::join(sys, &name, &group, true);
                return match joined {
                    Err(group) => Err(format!("The group `{group}' does not exist.")),
                    Ok(_) => Ok(None),
                };
            }
            if there.is_some() {
                return Err(format!("The user `{name}' already exists."));
            }
            let id = accounts::free(sys, false);
            let account = Account {
                uid: id,
                gid: id,
                comment: gecos.unwrap_or_default(),
                home: home.unwrap_or_else(|| format!("/home/{name}")),
                shell: shell.unwrap_or_else(|| "/bin/bash".to_owned()),
                name,
            };
            let mut done = accounts::add_group(sys, &account.name, id)
                .and_then(|()| accounts::set(sys, &account, &account.name));
            if !keeps_home {
                done = done.and_then(|()| make_home(sys, &account));
            }
            match done {
                Ok(()) => Ok(Some(account)),
                Err(_) => Err("Only root may add a user or group to the system.".to_owned()),
            }
        })
        .await;
    match made {
        Err(why) => {
            io.eprint(&format!("fatal: {why}\n")).await;
            1
        }
        Ok(None) => {
            let group = &args.operands[1];
            let text = format!("info: Adding user `{told}' to group `{group}' ...\n");
            io.print(&text).await;
            0
        }
        Ok(Some(account)) => {
            let Account {
                name,
                uid,
                gid,
                home,
                ..
            } = account;
            io.print(&format!(
                "info: Adding user `{name}' ...\ninfo: Selecting UID/GID from range 1000 to 59999 \
                 ...\ninfo: Adding new group `{name}' ({gid}) ...\ninfo: Adding new user `{name}' \
                 ({uid}) with group `{name} ({gid})' ...\ninfo: Creating home directory `{home}' \
                 ...\ninfo: Copying files from `/etc/skel' ...\n"
            ))
            .await;
            0
        }
    }
}
