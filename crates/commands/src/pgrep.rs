//! `pgrep`: processes by name; `pkill` sends them a signal. Models procps-ng's src/pgrep.c.

use std::rc::Rc;

use machine::{Io, Signal};
use shell::regex::Regex;

use crate::args::{self, Args, flag, value};
use crate::help::tool;
use crate::io::{complain, own_name, usage_error};
use crate::kill::{self, Sends};
use crate::process::{self, Row};

tool!(
    "pgrep",
    "Look up processes based on name",
    "pgrep [options] <pattern>",
    main,
    [
        (
            "sleep 9 & [ $(pgrep -x sleep) = $! ] && echo same",
            "same\n"
        ),
        ("pgrep nosuch; echo $?", "1\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('a', "list-full"),
    flag('c', "count"),
    value('d', "delimiter"),
    flag('e', "echo"),
    flag('f', "full"),
    flag('i', "ignore-case"),
    flag('l', "list-name"),
    flag('n', "newest"),
    flag('o', "oldest"),
    value('P', "parent"),
    value('s', "signal"),
    value('t', "terminal"),
    value('u', "euid"),
    value('U', "uid"),
    flag('v', "inverse"),
    flag('x', "exact"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    let found = match find(&io, &args).await {
        Ok(found) => found,
        Err(message) => {
            complain(&io, &message).await;
            return 2;
        }
    };
    if args.has('c') {
        io.print(&format!("{}\n", found.len())).await;
        return i32::from(found.is_empty());
    }
    let rows: Vec<String> = found
        .iter()
        .map(|entry| match () {
            () if args.has('a') => format!("{} {}", entry.pid, entry.command()),
            () if args.has('l') => format!("{} {}", entry.pid, entry.comm()),
            () => entry.pid.to_string(),
        })
        .collect();
    if !rows.is_empty() {
        let delimiter = args.value('d').map_or("\n", |text| text);
        io.print(&format!("{}\n", rows.join(delimiter))).await;
    }
    i32::from(rows.is_empty())
}

/// Processes that fit, by id; never the caller.
async fn find(io: &Io, args: &Args) -> Result<Vec<Row>, String> {
    let picks = ['P', 'u', 'U', 't'].iter().any(|letter| args.has(*letter));
    let pattern = match &args.operands[..] {
        [] if picks => None,
        [] => {
            return Err(format!(
                "no matching criteria specified\nTry `{} --help' for more information.",
                own_name(io)
            ));
        }
        [pattern] => Some(pattern),
        _ => {
            return Err(format!(
                "only one pattern can be provided\nTry `{} --help' for more information.",
                own_name(io)
            ));
        }
    };
    let pattern = match pattern {
        Some(pattern) if args.has('x') => Some(format!("^({pattern})$")),
        pattern => pattern.map(|pattern| pattern.to_string()),
    };
    let regex = match pattern {
        Some(pattern) => Some(Regex::extended(&pattern, args.has('i'))?),
        None => None,
    };
    let passwd = io.read_to_string("/etc/passwd").await.unwrap_or_default();
    let (entries, own) = process::all(io).await;
    let list = |letter: char| -> Vec<Rc<str>> {
        args.values(letter)
            .flat_map(|text| text.split(','))
            .map(Rc::from)
            .collect()
    };
    let users: Vec<u32> = list('u')
        .iter()
        .chain(&list('U'))
        .map(|user| uid(&passwd, user))
        .collect();
    let (parents, terminals) = (list('P'), list('t'));
    let fits = |entry: &Row| {
        let text = if args.has('f') {
            entry.command()
        } else {
            entry.comm()
        };
        let listed =
            |list: &[Rc<str>], text: &str| list.is_empty() || list.iter().any(|t| &**t == text);
        let fits = regex.as_ref().is_none_or(|regex| regex.is_match(&text))
            && (users.is_empty() || users.contains(&entry.uid))
            && listed(&parents, &entry.ppid.to_string())
            && listed(&terminals, &entry.tty);
        fits != args.has('v')
    };
    let mut found: Vec<Row> = entries
        .into_iter()
        .filter(|entry| entry.pid != own && fits(entry))
        .collect();
    if args.has('n') {
        found = found
            .into_iter()
            .max_by_key(|entry| (entry.started, entry.pid))
            .into_iter()
            .collect();
    } else if args.has('o') {
        found = found
            .into_iter()
            .min_by_key(|entry| (entry.started, entry.pid))
            .into_iter()
            .collect();
    }
    Ok(found)
}

fn uid(passwd: &str, user: &str) -> u32 {
    let line = passwd
        .lines()
        .find(|line| line.split(':').next() == Some(user));
    let text = line.and_then(|line| line.split(':').nth(2)).unwrap_or(user);
    text.parse().unwrap_or(u32::MAX)
}

/// `pkill`: the same choice; a signal may stand first, as `-9` or `-HUP`.
pub(crate) async fn pkill(io: Io) -> i32 {
    let mut words: Vec<Rc<str>> = io.args().to_vec();
    let mut what = Sends::Signal(Signal::Term);
    if let Some(found) = words
        .get(1)
        .and_then(|word| kill::signal(word.strip_prefix('-')?))
    {
        what = found;
        words.remove(1);
    }
    let args = match args::parse(FLAGS, &words) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    if let Some(name) = args.value('s') {
        match kill::signal(name) {
            Some(found) => what = found,
            None => {
                complain(&io, &format!("unknown signal name {name}")).await;
                return 2;
            }
        }
    }
    let found = match find(&io, &args).await {
        Ok(found) => found,
        Err(message) => {
            complain(&io, &message).await;
            return 2;
        }
    };
    for entry in &found {
        let number = i64::from(entry.pid);
        if let Err(errno) = io.sys(move |sys| kill::send(sys, number, what)).await {
            complain(
                &io,
                &format!("killing pid {number} failed: {}", errno.message()),
            )
            .await;
        } else if args.has('e') {
            io.print(&format!("{} killed (pid {number})\n", entry.comm()))
                .await;
        }
    }
    if args.has('c') {
        io.print(&format!("{}\n", found.len())).await;
    }
    i32::from(found.is_empty())
}
