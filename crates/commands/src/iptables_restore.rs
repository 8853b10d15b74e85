//! `iptables-restore`: takes tables over that iptables-save printed, each as a whole. Models
//! iptables/xtables-restore.c.

use machine::Io;
use net::netfilter::{Error, ErrorStyle, Restore, RestoreError};

use crate::args::{self, flag, maybe, value};
use crate::help::tool;
use crate::io::{slurp_text, usage_error};
use crate::xtables;

tool!(
    "iptables-restore",
    "Restore rules from what iptables-save printed",
    "iptables-restore [-c] [-n] [-t] [-v] [-T table] [file]",
    main,
    [
        (
            "printf '*filter\\n:INPUT DROP [0:0]\\n-A INPUT -i lo -j ACCEPT\\nCOMMIT\\n' | iptables-restore; iptables -S INPUT",
            "-P INPUT DROP\n-A INPUT -i lo -j ACCEPT\n"
        ),
        (
            "iptables -N A; printf '*filter\\n:B - [0:0]\\n-A INPUT -j B\\nCOMMIT\\n' | iptables-restore -n; iptables -S | grep -v '^-P'",
            "-N A\n-N B\n-A INPUT -j B\n"
        ),
        (
            "printf '*filter\\n-A INPUT -j NOPE\\nCOMMIT\\n' | iptables-restore",
            "iptables-restore v1.8.10 (nf_tables): Chain 'NOPE' does not exist\nError occurred at line: 2\nTry `iptables-restore -h' or 'iptables-restore --help' for more information.\n"
        ),
        (
            "printf '*filter\\n' | iptables-restore",
            "iptables-restore: COMMIT expected at line 2\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('c', "counters"),
    value('M', "modprobe"),
    flag('n', "noflush"),
    flag('t', "test"),
    value('T', "table"),
    flag('v', "verbose"),
    flag('V', "version"),
    maybe('w', "wait"),
    maybe('W', "wait-interval"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    if args.has('V') {
        return xtables::version(&io).await;
    }
    let options = Restore {
        noflush: args.has('n'),
        counters: args.has('c'),
        test: args.has('t'),
        table: args.value('T').and_then(|name| name.parse().ok()),
    };
    let path = args.operands.first().map_or("-", |path| path);
    let text = match slurp_text(&io, path).await {
        Ok(text) => text,
        Err(errno) => {
            let error = Error {
                message: format!("Can't open {path}: {}", errno.message()),
                style: ErrorStyle::Plain,
            };
            return xtables::complain(&io, &error, None).await;
        }
    };
    let done =
        io.sys(move |sys| xtables::with_tables(sys, |tables| Ok(tables.restore(&text, options))));
    match done.await {
        Ok(Ok(())) => 0,
        Ok(Err(RestoreError { line, error })) if error.message == "COMMIT expected" => {
            crate::io::complain(&io, &format!("COMMIT expected at line {line}")).await;
            1
        }
        Ok(Err(RestoreError { line, error })) => xtables::complain(&io, &error, Some(line)).await,
        Err(error) => xtables::complain(&io, &error, None).await,
    }
}
