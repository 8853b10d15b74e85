//! `usermod`: changes a user. Models shadow-utils src/usermod.c.

use machine::Io;

use crate::accounts;
use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "usermod",
    "Modify a user account",
    "usermod [options] LOGIN",
    main,
    [
        (
            "useradd jane; groupadd ops; usermod -aG ops -s /bin/bash jane; id jane; tail -1 /etc/passwd",
            "uid=1000(jane) gid=1000(jane) groups=1000(jane),1001(ops)\n\
             jane:x:1000:1000::/home/jane:/bin/bash\n"
        ),
        (
            "usermod -L jane; echo $?",
            "usermod: user 'jane' does not exist\n6\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "append"),
    value('c', "comment"),
    value('d', "home"),
    value('e', "expiredate"),
    value('g', "gid"),
    value('G', "groups"),
    value('l', "login"),
    flag('L', "lock"),
    flag('m', "move-home"),
    value('s', "shell"),
    value('u', "uid"),
    flag('U', "unlock"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let [name] = &args.operands[..] else {
        io.eprint("Usage: usermod [options] LOGIN\n").await;
        return 2;
    };
    let name = name.clone();
    let done: Result<(), (String, i32)> = io
        .sys(move |sys| {
            let missing = || (format!("user '{name}' does not exist"), 6);
            let mut account = accounts::find(sys, &name).ok_or_else(missing)?;
            let no_group = |group: &str| (format!("group '{group}' does not exist"), 6);
            for (letter, value) in &args.options {
                let text = value.to_string();
                match letter {
                    'c' => account.comment = text,
                    'd' => account.home = text,
                    's' => account.shell = text,
                    'l' => account.name = text,
                    'u' => account.uid = text.parse().unwrap_or(account.uid),
                    'g' => {
                        let gid = accounts::group(sys, &text);
                        account.gid = gid.ok_or_else(|| no_group(&text))?;
                    }
                    'G' => {
                        let joined = accounts::join(sys, &name, &text, args.has('a'));
                        let joined = joined.map_err(|group| no_group(&group))?;
                        joined.map_err(|errno| (errno.message().to_owned(), 1))?;
                    }
                    _ => {}
                }
            }
            let done = accounts::set(sys, &account, &name);
            done.map_err(|errno| (format!("{}.", errno.message()), 1))
        })
        .await;
    match done {
        Ok(()) => 0,
        Err((why, code)) => {
            complain(&io, &why).await;
            code
        }
    }
}
