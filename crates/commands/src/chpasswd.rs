//! `chpasswd`: sets passwords, a `name:password` on each line. Models shadow-utils src/chpasswd.c;
//! nothing here asks for a password, so what is kept is a mark that there is one.

use machine::Io;

use crate::accounts;
use crate::args::{self, flag, value};
use crate::help::tool;
use crate::io::{complain, slurp_text, usage_error};

tool!(
    "chpasswd",
    "Update passwords in batch mode",
    "chpasswd [-e]",
    main,
    [
        (
            "useradd jane; echo jane:pw | chpasswd; grep -c '^jane:[$]y[$]' /etc/shadow",
            "1\n"
        ),
        (
            "echo jane:pw | chpasswd; echo $?",
            "chpasswd: (user jane) pam_chauthtok() failed, error:\nAuthentication token manipulation error\n\
             chpasswd: (line 1, user jane) password not changed\n1\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[flag('e', "encrypted"), value('c', "crypt-method")];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    let text = slurp_text(&io, "-").await.unwrap_or_default();
    let mut status = 0;
    for (number, line) in (1..).zip(text.lines()) {
        let Some((name, secret)) = line.split_once(':') else {
            complain(&io, &format!("line {number}: missing new password")).await;
            status = 1;
            continue;
        };
        let secret = match args.has('e') {
            true => secret.to_owned(),
            false => hashed(name, secret),
        };
        let login = name.to_owned();
        let done = io
            .sys(move |sys| {
                let there = accounts::find(sys, &login).is_some();
                there && accounts::set_password(sys, &login, &secret).is_ok()
            })
            .await;
        if !done {
            io.eprint(&format!(
                "chpasswd: (user {name}) pam_chauthtok() failed, error:\nAuthentication token \
                 manipulation error\nchpasswd: (line {number}, user {name}) password not changed\n"
            ))
            .await;
            status = 1;
        }
    }
    status
}

/// What stands for a password in `/etc/shadow`: of the form of yescrypt's.
fn hashed(name: &str, secret: &str) -> String {
    let digest = sim::sha256::hex(format!("{name}:{secret}").as_bytes());
    format!("$y$j9T${}${}", &digest[..22], &digest[21..])
}
