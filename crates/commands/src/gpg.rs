//! `gpg`: takes the armour off a key, as the instructions of repositories have it. Models GnuPG 2.4's
//! g10/dearmor.c; nothing is signed or checked here.

use machine::{Fd, Io};

use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, slurp_text, usage_error};

tool!(
    "gpg",
    "Take the armour off OpenPGP keys",
    "gpg --dearmor [-o FILE] [FILE]",
    main,
    [
        (
            "printf -- '-----BEGIN PGP PUBLIC KEY BLOCK-----\\n\\naGVsbG8K\\n=abcd\\n-----END PGP PUBLIC KEY BLOCK-----\\n' | gpg --dearmor",
            "hello\n"
        ),
        (
            "gpg --dearmor < /dev/null; echo $?",
            "gpg: no valid OpenPGP data found.\n2\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('\u{1}', "dearmor"),
    flag('\u{2}', "yes"),
    flag('\u{3}', "batch"),
    flag('\u{4}', "no-tty"),
    flag('\u{5}', "version"),
    value('o', "output"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 2).await,
    };
    if args.has('\u{5}') {
        io.print("gpg (GnuPG) 2.4.4\nlibgcrypt 1.10.3\n").await;
        return 0;
    }
    if !args.has('\u{1}') {
        let what = sim::unmodelled!("what gpg does beside --dearmor");
        complain(&io, &what.to_string()).await;
        return 2;
    }
    let path = args.operands.first().map_or("-", |path| path);
    let text = match slurp_text(&io, path).await {
        Ok(text) => text,
        Err(errno) => {
            complain(&io, &format!("can't open '{path}': {}", errno.message())).await;
            return 2;
        }
    };
    // Headers end in an empty line; a checksum begins with an equals sign.
    let body = text
        .lines()
        .skip_while(|line| !line.starts_with("-----BEGIN PGP "));
    let body = body.skip_while(|line| !line.trim().is_empty());
    let body: String = body
        .take_while(|line| !line.starts_with("-----END") && !line.starts_with('='))
        .map(str::trim)
        .collect();
    let bytes = api::base64::decode(&body).unwrap_or_default();
    if bytes.is_empty() {
        complain(&io, "no valid OpenPGP data found.").await;
        return 2;
    }
    let Some(out) = args.value('o') else {
        io.write_all(Fd::STDOUT, &bytes).await;
        return 0;
    };
    if let Err(errno) = io.write_file(out, &bytes).await {
        complain(&io, &format!("can't create '{out}': {}", errno.message())).await;
        return 2;
    }
    0
}
