//! `sudo`: who asks is root already, so it runs the command, as another user where one is named.

use std::rc::Rc;

use machine::{Exec, Io, Spawn};

use crate::accounts;
use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};
use crate::run;

tool!(
    "sudo",
    "Execute a command as another user",
    "sudo [-Eins] [-u user] command [args]",
    main,
    [
        ("sudo echo hi", "hi\n"),
        ("useradd jane; sudo -u jane id -un", "jane\n"),
        ("sudo WHO=me sh -c 'echo $WHO'", "me\n"),
        (
            "sudo nosuch; echo $?",
            "sudo: nosuch: command not found\n1\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('E', ""),
    flag('i', ""),
    flag('n', ""),
    flag('s', ""),
    flag('k', ""),
    value('u', "user"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let mut words = args.operands.clone();
    if let Some(user) = args.value('u').filter(|user| &***user != "root") {
        return other(&io, user.clone(), words).await;
    }
    // Assignments in front of the command are for its environment, which `env` does.
    if words.first().is_some_and(|word| is_assignment(word)) {
        words.insert(0, "env".into());
    }
    if words.is_empty() && (args.has('i') || args.has('s')) {
        words.push("bash".into());
    }
    let Some(name) = words.first().cloned() else {
        return usage_error(&io, "a command is required", 1).await;
    };
    if run::find(&io, &name).await.is_none() {
        complain(&io, &format!("{name}: command not found")).await;
        return 1;
    }
    run::become_program(&io, words).await
}

/// Runs a command as another user than root.
async fn other(io: &Io, user: Rc<str>, mut words: Vec<Rc<str>>) -> i32 {
    let asked = user.clone();
    let Some(account) = io.sys(move |sys| accounts::find(sys, &asked)).await else {
        complain(io, &format!("unknown user {user}")).await;
        return 1;
    };
    if words.is_empty() {
        words.push(account.shell.as_str().into());
    }
    let Some(path) = run::find(io, &words[0]).await else {
        complain(io, &format!("{}: command not found", words[0])).await;
        return 1;
    };
    let mut env = io.environment().clone();
    let set = Rc::make_mut(&mut env);
    for name in ["USER", "LOGNAME"] {
        set.insert(name.into(), user.clone());
    }
    set.insert("HOME".into(), account.home.as_str().into());
    let mut spawn = Spawn::new(Exec::Path(path), words.clone()).with_stdio();
    spawn.user = Some((account.uid, account.gid));
    spawn.env = Some(env);
    match io.spawn(spawn).await {
        Ok(child) => io.wait(child).await.shell_code(),
        Err(errno) => {
            let why = format!("unable to execute {}: {}", words[0], errno.message());
            complain(io, &why).await;
            1
        }
    }
}

fn is_assignment(word: &str) -> bool {
    word.split_once('=').is_some_and(|(name, _)| {
        let mut letters = name.chars();
        let fits = |letter: char| letter == '_' || letter.is_ascii_alphanumeric();
        letters
            .next()
            .is_some_and(|first| fits(first) && !first.is_ascii_digit())
            && letters.all(fits)
    })
}
