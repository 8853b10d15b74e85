//! `ssh-keygen`: makes keys. Models OpenSSH's ssh-keygen.c; keys stand for themselves here, nothing is
//! computed with them.

use machine::Io;

use crate::args::{self, flag, value};
use crate::files;
use crate::help::tool;
use crate::io::{complain, split_path, usage_error};

tool!(
    "ssh-keygen",
    "Make keys for OpenSSH",
    "ssh-keygen [-q] [-t TYPE] [-b BITS] [-f FILE] [-N PASSPHRASE] [-C COMMENT]",
    main,
    [
        (
            "ssh-keygen -q -t rsa -f k -N '' -C me; cut -d' ' -f1,3 k.pub; head -1 k",
            "ssh-rsa me\n-----BEGIN OPENSSH PRIVATE KEY-----\n"
        ),
        ("ssh-keygen -t nope -f k", "unknown key type nope\n"),
    ]
);

const FLAGS: &[args::Flag] = &[
    value('b', ""),
    value('C', ""),
    value('f', ""),
    value('N', ""),
    value('t', ""),
    value('m', ""),
    value('R', ""),
    flag('q', ""),
    flag('y', ""),
    flag('l', ""),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.has('y') || args.has('l') || args.has('R') {
        let what = sim::unmodelled!("what ssh-keygen does beside making keys");
        complain(&io, &what.to_string()).await;
        return 1;
    }
    let kind = args.value('t').map_or("ed25519", |kind| kind);
    let (name, bits) = match kind {
        "rsa" => ("ssh-rsa", args.value('b').map_or("3072", |bits| bits)),
        "ed25519" => ("ssh-ed25519", "256"),
        "ecdsa" => (
            "ecdsa-sha2-nistp256",
            args.value('b').map_or("256", |bits| bits),
        ),
        _ => {
            io.eprint(&format!("unknown key type {kind}\n")).await;
            return 255;
        }
    };
    let home = io.env("HOME").unwrap_or_else(|| "/root".into());
    let path = match args.value('f') {
        Some(path) => path.to_string(),
        None => format!("{home}/.ssh/id_{kind}"),
    };
    let told = !args.has('q');
    if told {
        io.print(&format!("Generating public/private {kind} key pair.\n"))
            .await;
    }
    if files::stat(&io, &path).await.is_ok() {
        let question = format!("{path} already exists.\nOverwrite (y/n)? ");
        let answer = crate::io::answer(&io, &question).await;
        if !answer.is_some_and(|answer| answer.starts_with('y')) {
            return 1;
        }
    }
    let dir = split_path(&path).0.to_owned();
    let made = io.sys(move |sys| {
        if !sys.exists(&dir) {
            sys.mkdir_all(&dir)?;
            sys.chmod(&dir, 0o700)?;
        }
        Ok::<_, machine::Errno>((sys.random().hex(512), sys.hostname()))
    });
    let Ok((secret, host)) = made.await else {
        io.eprint(&format!(
            "Saving key \"{path}\" failed: No such file or directory\n"
        ))
        .await;
        return 1;
    };
    let user = io.env("USER").unwrap_or_else(|| "root".into());
    let comment = match args.value('C') {
        Some(comment) => comment.to_string(),
        None => format!("{user}@{host}"),
    };
    let length = if kind == "rsa" { 279 } else { 51 };
    let public = crate::base64::encode(&secret.as_bytes()[..length]);
    let body = crate::base64::encode(secret.as_bytes());
    let lines: Vec<&str> = (0..body.len())
        .step_by(70)
        .map(|at| &body[at..body.len().min(at + 70)])
        .collect();
    let private = format!(
        "-----BEGIN OPENSSH PRIVATE KEY-----\n{}\n-----END OPENSSH PRIVATE KEY-----\n",
        lines.join("\n")
    );
    let line = format!("{name} AAAA{public} {comment}\n");
    for (file, text) in [(path.clone(), private), (format!("{path}.pub"), line)] {
        if let Err(errno) = io.write_file(&file, text.as_bytes()).await {
            io.eprint(&format!(
                "Saving key \"{file}\" failed: {}\n",
                errno.message()
            ))
            .await;
            return 1;
        }
    }
    let file = path.clone();
    let _ = io.sys(move |sys| sys.chmod(&file, 0o600)).await;
    if told {
        let digest = sim::sha256::hex(public.as_bytes());
        let print = crate::base64::encode(&digest.as_bytes()[..32]);
        io.print(&format!(
            "Your identification has been saved in {path}\nYour public key has been saved in \
             {path}.pub\nThe key fingerprint is:\nSHA256:{} {comment}\nThe key's randomart image \
             is:\n+--[{} {bits}]--+\n",
            print.trim_end_matches('='),
            kind.to_uppercase()
        ))
        .await;
    }
    0
}
