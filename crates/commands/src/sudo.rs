//! `sudo`: everyone here is root already, so it runs the command.

use machine::Io;

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
    if args.value('u').is_some_and(|user| &**user != "root") {
        complain(&io, "not modelled: other users").await;
        return 1;
    }
    let mut words = args.operands.clone();
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
