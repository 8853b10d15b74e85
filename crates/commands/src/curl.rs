//! `curl` for HTTP, HTTPS and bare TCP connections (`telnet://`). Models curl 8.5's src/tool_operate.c.
//!
//! Encryption is not modelled: an `https` transfer differs in whom it trusts and in what it tells of
//! itself. Uploads of forms, cookies, proxies and other protocols are not modelled.

mod options;
mod output;
mod report;
mod transfer;

use std::rc::Rc;

use machine::Io;
use sim::Duration;

use crate::help::tool;
use options::{Given, Misuse};
use output::Output;
use transfer::{Failure, Session};

tool!(
    "curl",
    "Transfer a URL",
    "curl [options...] <url>",
    main,
    [
        (
            "curl -sS nosuch",
            "curl: (6) Could not resolve host: nosuch\n"
        ),
        ("curl -s nosuch; echo $?", "6\n"),
        (
            "curl -sS http://:80/",
            "curl: (3) URL rejected: No host part in the URL\n"
        ),
        (
            "curl -sS http://127.0.0.1:9/",
            "curl: (7) Failed to connect to 127.0.0.1 port 9 after 0 ms: Couldn't connect to server\n"
        ),
        ("curl -V | head -c 10", "curl 8.5.0"),
    ]
);

const VERSION: &str = "curl 8.5.0 (x86_64-pc-linux-gnu) libcurl/8.5.0 OpenSSL/3.0.13 nghttp2/1.59.0
Release-Date: 2023-12-06
Protocols: http https telnet
Features: AsynchDNS HTTP2 HTTPS-proxy IPv6 Largefile SSL
";

async fn main(io: Io) -> i32 {
    let given = match options::read(io.args()) {
        Ok(given) => given,
        Err(Misuse {
            message,
            try_manual,
        }) => {
            let manual = if try_manual {
                " or 'curl --manual'"
            } else {
                ""
            };
            let hint = format!("curl: try 'curl --help'{manual} for more information\n");
            io.eprint(&format!("{message}{hint}")).await;
            return 2;
        }
    };
    if given.on("version") {
        io.print(VERSION).await;
        return 0;
    }
    if given.on("help") {
        return crate::help::show(&io, TOOL.usage, TOOL.summary, EXAMPLES).await;
    }
    let mut session = Session::new(io.clone(), given);
    if let Err(failure) = session.prepare().await {
        return say(&io, &session.given, &failure).await;
    }
    let mut status = 0;
    for (at, url) in session.given.urls.clone().iter().enumerate() {
        status = one(&io, &mut session, at, url).await;
        if status != 0 && session.given.on("fail-early") {
            break;
        }
    }
    session.close().await;
    status
}

/// One URL with its retries, up to what `-w` says of it.
async fn one(io: &Io, session: &mut Session, at: usize, url: &Rc<str>) -> i32 {
    let given = session.given.clone();
    let begun = io.now().await;
    let mut left: u32 = given.number("retry").unwrap_or(0);
    let mut pause = 1;
    loop {
        let mut output = match Output::of(&given, at, url) {
            Ok(output) => output,
            Err(failure) => return say(io, &given, &failure).await,
        };
        let result = session.run(url, &mut output).await;
        let why = result.as_ref().map_or_else(
            |failure| transient(&given, failure),
            |report| transient_status(&given, report.code),
        );
        let limit = given.seconds("retry-max-time");
        let spent = io.now().await.since(begun);
        if let Some(why) = why.filter(|_| left > 0 && limit.is_none_or(|limit| spent < limit)) {
            let wait = given
                .number("retry-delay")
                .filter(|delay| *delay > 0)
                .unwrap_or(pause);
            warn_of_retry(io, &given, why, wait, left).await;
            io.sleep(Duration::from_secs(u64::from(wait))).await;
            left -= 1;
            pause = (pause * 2).min(600);
            continue;
        }
        let (report, failure) = match result {
            Ok(report) => (report, None),
            Err(failure) => ((*failure.report).clone(), Some(failure)),
        };
        let code = failure.as_ref().map_or(0, |failure| failure.code);
        if let Some(failure) = &failure {
            say(io, &given, failure).await;
        }
        if let Some(format) = given.value("write-out") {
            let text = match format.strip_prefix('@') {
                Some("-") => crate::io::slurp_text(io, "-").await.unwrap_or_default(),
                Some(path) => io.read_to_string(path).await.unwrap_or_default(),
                None => format.to_string(),
            };
            let message = failure.map_or(String::new(), |failure| failure.message);
            report::write_out(io, &text, &report, code, &message).await;
        }
        return code;
    }
}

/// Why a failure may be gone the next time.
fn transient(given: &Given, failure: &Failure) -> Option<&'static str> {
    match failure.code {
        28 => Some("timeout"),
        6 => Some("timeout").filter(|_| given.on("retry-all-errors")),
        7 if given.on("retry-connrefused") && failure.refused => Some("connection refused"),
        22 => transient_status(given, failure.report.code),
        _ => given
            .on("retry-all-errors")
            .then_some("(retrying all errors)"),
    }
}

fn transient_status(given: &Given, code: u16) -> Option<&'static str> {
    match code {
        408 | 429 | 500 | 502 | 503 | 504 => Some("HTTP error"),
        400.. if given.on("fail") => given
            .on("retry-all-errors")
            .then_some("(retrying all errors)"),
        _ => None,
    }
}

async fn warn_of_retry(io: &Io, given: &Given, why: &str, wait: u32, left: u32) {
    if given.on("silent") {
        return;
    }
    let seconds = if wait == 1 { "second" } else { "seconds" };
    let retries = if left == 1 { "retry" } else { "retries" };
    let line = format!("Problem: {why}. Will retry in {wait} {seconds}. {left} {retries} left.");
    io.eprint(&format!("Warning: {line}\n")).await;
}

/// Says what went wrong unless told to be silent; gives the exit code.
async fn say(io: &Io, given: &Given, failure: &Failure) -> i32 {
    if !given.on("silent") || given.on("show-error") {
        io.eprint(&format!("curl: ({}) {}\n", failure.code, failure.message))
            .await;
    }
    failure.code
}
