//! `openssl req`: requests, and certificates that sign themselves.

use std::rc::Rc;

use client::certificate::Certificate;
use machine::Io;

use super::{Options, Outcome, new_key, paper, read, write};

const DAYS: i64 = 30;

pub(super) async fn main(io: &Io, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    if !(options.has("new") || options.has("newkey") || options.has("x509")) {
        return show(io, &options).await;
    }
    match options.value("key") {
        Some(path) => {
            let key = read(io, Some(path)).await.map_err(|_| {
                format!("Could not open file or uri for loading private key from {path}\n")
            })?;
            if !key.contains("PRIVATE KEY-----") {
                return Err(format!("Could not read private key from {path}\n"));
            }
        }
        None => {
            let path = options.value("keyout").unwrap_or("privkey.pem");
            if !(options.has("nodes") || options.has("noenc")) {
                let why = sim::unmodelled!("pass phrases of keys");
                return Err(format!("req: {why}: use -nodes\n"));
            }
            write(io, Some(path), &new_key(io).await).await?;
        }
    }
    let subject = match (options.value("subj"), options.value("config")) {
        (Some(text), _) => paper::subject(text)?,
        (None, Some(path)) => configured(&read(io, Some(path)).await?),
        (None, None) => {
            let why = sim::unmodelled!("questions of openssl req");
            return Err(format!("req: {why}: use -subj\n"));
        }
    };
    if !options.has("x509") {
        return write(io, options.value("out"), &paper::request(&subject)).await;
    }
    let days = options.value("days").and_then(|days| days.parse().ok());
    let now = io.now().await;
    let text = paper::certificate(&subject, &subject, now, days.unwrap_or(DAYS));
    write(io, options.value("out"), &text).await
}

/// The subject of a configuration: the section that `distinguished_name` names.
fn configured(text: &str) -> String {
    let lines = || text.lines().map(str::trim);
    let pair = |line: &str| {
        let (key, value) = line.split_once('=')?;
        Some((key.trim().to_owned(), value.trim().to_owned()))
    };
    let name = lines()
        .filter_map(pair)
        .find(|(key, _)| key == "distinguished_name")
        .map_or_else(|| "req_distinguished_name".to_owned(), |(_, name)| name);
    let is_head = |line: &str| {
        line.strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
            .is_some_and(|head| head.trim() == name)
    };
    let section = lines().skip_while(|line| !is_head(line)).skip(1);
    let parts = section
        .take_while(|line| !line.starts_with('['))
        .filter_map(pair)
        .filter(|(key, _)| !key.contains('_'))
        .map(|(key, value)| format!("{key}={value}"));
    parts.collect::<Vec<_>>().join(",")
}

async fn show(io: &Io, options: &Options<'_>) -> Outcome {
    let text = read(io, options.value("in")).await?;
    let Some(subject) = paper::requested(&text) else {
        let from = options.value("in").unwrap_or("<stdin>");
        return Err(format!("Unable to load X509 request from {from}\n"));
    };
    let mut out = String::new();
    let named = paper::shown(&subject);
    if options.has("verify") {
        io.eprint("Certificate request self-signature verify OK\n")
            .await;
    }
    if options.has("text") {
        out.push_str(&format!(
            "Certificate Request:\n    Data:\n        Version: 1 (0x0)\n        Subject: {named}\n    \
             Signature Algorithm: sha256WithRSAEncryption\n"
        ));
    }
    if options.has("subject") {
        out.push_str(&format!("subject={named}\n"));
    }
    if !options.has("noout") {
        out.push_str(&text);
    }
    write(io, options.value("out"), &out).await
}

/// Whether a text holds a certificate; for `x509`.
pub(super) fn certificate(text: &str, from: Option<&str>) -> Outcome<Certificate> {
    Certificate::from_pem(text).ok_or_else(|| {
        let from = from.unwrap_or("<stdin>");
        format!("Could not read certificate from {from}\nUnable to load certificate\n")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_of_configurations() {
        let text = "[ req ]\nprompt = no\ndistinguished_name = dn\n[ dn ]\nO = devs\nCN = jane\n[x]\nA = b\n";
        assert_eq!(configured(text), "O=devs,CN=jane");
    }
}
