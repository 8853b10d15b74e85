//! `su`: a shell or a command as another user. Models util-linux login-utils/su.c; root needs no
//! password, and who is not root is not let through, since there is nobody to ask.

use std::rc::Rc;

use machine::{Env, Exec, Io, Spawn};

use crate::accounts;
use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};

tool!(
    "su",
    "Run a command with substitute user and group ID",
    "su [options] [-] [USER [ARG]...]",
    main,
    [
        ("useradd jane; su jane -s /bin/sh -c 'id -un'", "jane\n"),
        (
            "useradd -m jane; su - jane -c 'echo $HOME $USER; pwd'",
            "/home/jane jane\n/home/jane\n"
        ),
        (
            "su nobody-here; echo $?",
            "su: user nobody-here does not exist or the user entry does not contain all the required fields\n1\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('c', "command"),
    flag('l', "login"),
    flag('f', "fast"),
    flag('m', "preserve-environment"),
    flag('p', ""),
    flag('P', "pty"),
    value('s', "shell"),
    value('g', "group"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut operands = args.operands.clone();
    let dash = operands.first().is_some_and(|word| &**word == "-");
    if dash {
        operands.remove(0);
    }
    let name = match operands.is_empty() {
        true => Rc::from("root"),
        false => operands.remove(0),
    };
    let login = dash || args.has('l');
    let asked = name.clone();
    let found = io
        .sys(move |sys| (sys.uid(), accounts::find(sys, &asked)))
        .await;
    let (own, Some(account)) = found else {
        let why = format!(
            "user {name} does not exist or the user entry does not contain all the required fields"
        );
        complain(&io, &why).await;
        return 1;
    };
    if own != 0 {
        complain(&io, "Authentication failure").await;
        return 1;
    }
    let shell: Rc<str> = match args.value('s') {
        Some(shell) => shell.clone(),
        None => account.shell.as_str().into(),
    };
    let base = shell.rsplit('/').next().unwrap_or_default();
    let mut words: Vec<Rc<str>> = vec![if login {
        format!("-{base}").into()
    } else {
        base.into()
    }];
    if let Some(command) = args.value('c') {
        words.extend([Rc::from("-c"), command.clone()]);
    }
    words.extend(operands);
    let mut env: Env = match login {
        true => Env::default(),
        false => io.environment().clone(),
    };
    let set = Rc::make_mut(&mut env);
    if login {
        let term = io.env("TERM").unwrap_or_else(|| "xterm-256color".into());
        set.insert("TERM".into(), term);
        let path = match account.uid {
            0 => "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            _ => "/usr/local/bin:/usr/bin:/bin:/usr/local/games:/usr/games",
        };
        set.insert("PATH".into(), path.into());
    }
    if !(args.has('m') || args.has('p')) || login {
        set.insert("HOME".into(), account.home.as_str().into());
        set.insert("SHELL".into(), shell.clone());
        if login || account.uid != 0 {
            set.insert("USER".into(), account.name.as_str().into());
            set.insert("LOGNAME".into(), account.name.as_str().into());
        }
    }
    let mut spawn = Spawn::new(Exec::Path(shell.clone()), words).with_stdio();
    spawn.user = Some((account.uid, account.gid));
    spawn.env = Some(env);
    if login {
        let home = account.home.clone();
        let there = io.sys(move |sys| sys.stat(&home).is_ok()).await;
        if there {
            spawn.cwd = Some(account.home.as_str().into());
        } else {
            let why = format!(
                "warning: cannot change directory to {}: No such file or directory",
                account.home
            );
            complain(&io, &why).await;
        }
    }
    match io.spawn(spawn).await {
        Ok(child) => io.wait(child).await.shell_code(),
        Err(errno) => {
            complain(
                &io,
                &format!("failed to execute {shell}: {}", errno.message()),
            )
            .await;
            127
        }
    }
}
