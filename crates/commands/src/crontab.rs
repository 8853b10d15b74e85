//! `crontab`: a user's table of what is to be done when. Models Debian's cron crontab.c. Nothing runs
//! what the table says, and it says so.

use machine::Io;

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, slurp_text, usage_error};

tool!(
    "crontab",
    "Maintain the tables of cron",
    "crontab [-u USER] FILE | crontab [-u USER] { -l | -r | -e }",
    main,
    [
        ("crontab -l; echo $?", "no crontab for root\n1\n"),
        (
            "echo '0 2 * * * /root/b.sh' | crontab - 2>/dev/null; crontab -l; crontab -r; crontab -l",
            "0 2 * * * /root/b.sh\nno crontab for root\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('l', ""),
    flag('r', ""),
    flag('e', ""),
    flag('i', ""),
    value('u', ""),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let user = args.value('u').cloned();
    let user = user
        .or_else(|| io.env("USER"))
        .unwrap_or_else(|| "root".into());
    let table = format!("/var/spool/cron/crontabs/{user}");
    if args.has('e') {
        let what = sim::unmodelled!("editing a table of cron in place");
        complain(&io, &format!("{what}; write a file and name it instead")).await;
        return 1;
    }
    let text = match (args.has('l'), args.has('r'), args.operands.first()) {
        (true, ..) => {
            return match io.read_to_string(&table).await {
                Ok(text) => {
                    io.print(&text).await;
                    0
                }
                Err(_) => {
                    io.eprint(&format!("no crontab for {user}\n")).await;
                    1
                }
            };
        }
        (_, true, _) => {
            let removed = io.sys(move |sys| sys.remove(&table)).await;
            if removed.is_err() {
                io.eprint(&format!("no crontab for {user}\n")).await;
            }
            return i32::from(removed.is_err());
        }
        (.., Some(path)) => match slurp_text(&io, path).await {
            Ok(text) => text,
            Err(errno) => {
                io.eprint(&format!("{path}: {}\n", errno.message())).await;
                return 1;
            }
        },
        (.., None) => slurp_text(&io, "-").await.unwrap_or_default(),
    };
    let fields = |line: &&str| {
        let line = line.trim();
        let assigns = line
            .split_once('=')
            .is_some_and(|(name, _)| !name.contains([' ', '*']));
        let full = line.starts_with('@') || line.split_whitespace().count() >= 6;
        !(line.is_empty() || line.starts_with('#') || assigns || full)
    };
    if let Some((number, _)) = text.lines().enumerate().find(|(_, line)| fields(line)) {
        io.eprint(&format!(
            "\"-\":{number}: bad minute\nerrors in crontab file, can't install.\n"
        ))
        .await;
        return 1;
    }
    let place = table.clone();
    let written = io
        .sys(move |sys| {
            sys.mkdir_all("/var/spool/cron/crontabs")?;
            sys.write_file(&place, text.as_bytes())?;
            sys.chmod(&place, 0o600)
        })
        .await;
    if let Err(errno) = written {
        io.eprint(&format!("{table}: {}\n", errno.message())).await;
        return 1;
    }
    let note = sim::unmodelled!("cron itself");
    complain(
        &io,
        &format!("{note}: the table is kept, nothing runs what it says"),
    )
    .await;
    0
}
