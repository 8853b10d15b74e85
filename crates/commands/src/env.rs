//! `env`. Models coreutils src/env.c.

use std::collections::BTreeMap;
use std::rc::Rc;

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, usage_error};
use crate::run;

tool!(
    "env",
    "Run a program in a modified environment",
    "env [OPTION]... [NAME=VALUE]... [COMMAND [ARG]...]",
    main,
    [
        ("env -i A=1", "A=1\n"),
        ("A=1 env -u A B=2 sh -c 'echo [$A] $B'", "[] 2\n"),
        ("env nosuch", "env: ‘nosuch’: No such file or directory\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('i', "ignore-environment"),
    flag('0', "null"),
    value('u', "unset"),
    value('C', "chdir"),
    value('S', "split-string"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse_leading(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 125).await,
    };
    let mut env: BTreeMap<Rc<str>, Rc<str>> = if args.has('i') {
        BTreeMap::new()
    } else {
        (**io.environment()).clone()
    };
    for name in args.values('u') {
        env.remove(name);
    }
    let mut words: Vec<Rc<str>> = Vec::new();
    for text in args.values('S') {
        words.extend(text.split_whitespace().map(Rc::from));
    }
    words.extend(args.operands.iter().cloned());
    let mut rest = &words[..];
    if rest.first().is_some_and(|word| &**word == "-") {
        env.clear();
        rest = &rest[1..];
    }
    while let Some((name, value)) = rest.first().and_then(|word| word.split_once('=')) {
        env.insert(name.into(), value.into());
        rest = &rest[1..];
    }
    if rest.is_empty() {
        let end = if args.has('0') { '\0' } else { '\n' };
        let text: String = env
            .iter()
            .map(|(name, value)| format!("{name}={value}{end}"))
            .collect();
        io.print(&text).await;
        return 0;
    }
    if let Some(dir) = args.value('C').cloned() {
        let name = dir.clone();
        if let Err(errno) = io.sys(move |sys| sys.chdir(&name)).await {
            complain(
                &io,
                &format!("cannot change directory to '{dir}': {}", errno.message()),
            )
            .await;
            return 125;
        }
    }
    let env = Rc::new(env);
    io.sys(move |sys| sys.set_env(env)).await;
    run::become_program(&io, rest.to_vec()).await
}
