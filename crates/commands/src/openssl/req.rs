//! `openssl req`: requests, and certificates that sign themselves.

use std::rc::Rc;

use client::certificate::Certificate;
use machine::Io;

use super::key::{modulus, of_paper, seed};
use super::{Options, Outcome, new_key, paper, read, write};

const DAYS: i64 = 30;

pub(super) async fn main(io: &Io, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    if !(options.has("new") || options.has("newkey") || options.has("x509")) {
        return show(io, &options).await;
    }
    let key = match options.value("key") {
        Some(path) => {
            let key = read(io, Some(path)).await.map_err(|_| {
                format!("Could not open file or uri for loading private key from {path}\n")
            })?;
            if !key.contains("PRIVATE KEY-----") {
                return Err(format!("Could not read private key from {path}\n"));
            }
            key
        }
        None => {
            let path = options.value("keyout").unwrap_or("privkey.pem");
            if !(options.has("nodes") || options.has("noenc")) {
                let why = sim::unmodelled!("pass phrases of keys");
                return Err(format!("req: {why}: use -nodes\n"));
            }
            let key = new_key(io).await;
            write(io, Some(path), &key).await?;
            key
        }
    };
    let key = seed(&key).unwrap_or_default();
    let config = match options.value("config") {
        Some(path) => read(io, Some(path)).await?,
        None => String::new(),
    };
    let names = match options.value("addext").and_then(alternatives) {
        Some(names) => names,
        None => configured_names(&config),
    };
    let subject = match options.value("subj") {
        Some(text) => paper::subject(text)?,
        None if !config.is_empty() => configured(&config),
        None => {
            let why = sim::unmodelled!("questions of openssl req");
            return Err(format!("req: {why}: use -subj\n"));
        }
    };
    if !options.has("x509") {
        return write(
            io,
            options.value("out"),
            &paper::request(&subject, &names, &key),
        )
        .await;
    }
    let days = options.value("days").and_then(|days| days.parse().ok());
    let now = io.now().await;
    let text = paper::certificate(
        (&subject, &names, &key),
        &subject,
        now,
        days.unwrap_or(DAYS),
    );
    write(io, options.value("out"), &text).await
}

/// `subjectAltName = DNS:foo, IP:10.0.0.1`: the names.
fn alternatives(extension: &str) -> Option<String> {
    let (key, value) = pair(extension)?;
    (key == "subjectAltName").then(|| paper::names(&value))
}

fn pair(line: &str) -> Option<(String, String)> {
    let (key, value) = line.split_once('=')?;
    Some((key.trim().to_owned(), value.trim().to_owned()))
}

/// The pairs of a section of a configuration.
fn section(text: &str, name: &str) -> Vec<(String, String)> {
    let is_head = |line: &&str| {
        line.strip_prefix('[')
            .and_then(|line| line.strip_suffix(']'))
            .is_some_and(|head| head.trim() == name)
    };
    let mut lines = text.lines().map(str::trim);
    let found = lines.by_ref().find(is_head).is_some();
    let of_it = lines.take_while(|line| !line.starts_with('['));
    of_it.filter(|_| found).filter_map(pair).collect()
}

/// What a configuration says first under a key, in whatever section.
fn told(text: &str, wanted: &str) -> Option<String> {
    let pairs = text.lines().map(str::trim).filter_map(pair);
    let mut found = pairs.filter(|(key, _)| key == wanted);
    found.next().map(|(_, value)| value)
}

/// The subject of a configuration: the section that `distinguished_name` names.
fn configured(text: &str) -> String {
    let name = told(text, "distinguished_name");
    let name = name.unwrap_or_else(|| "req_distinguished_name".to_owned());
    let parts = section(text, &name)
        .into_iter()
        .filter(|(key, _)| !key.contains('_'))
        .map(|(key, value)| format!("{key}={value}"));
    parts.collect::<Vec<_>>().join(",")
}

/// The alternative names of a configuration: listed, or in a section of their own (`@alt_names`,
/// with `DNS.1 = foo`).
pub(super) fn configured_names(text: &str) -> String {
    let Some(names) = told(text, "subjectAltName") else {
        return String::new();
    };
    let Some(name) = names.strip_prefix('@') else {
        return paper::names(&names);
    };
    let names = section(text, name).into_iter().map(|(key, value)| {
        let kind = key.split('.').next().unwrap_or_default();
        format!("{kind}:{value}")
    });
    paper::names(&names.collect::<Vec<_>>().join(","))
}

async fn show(io: &Io, options: &Options<'_>) -> Outcome {
    let text = read(io, options.value("in")).await?;
    let Some((subject, names)) = paper::requested(&text) else {
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
        let asked = match names.as_str() {
            "" => "            (none)\n            Requested Extensions:\n".to_owned(),
            names => format!(
                "            Requested Extensions:\n                X509v3 Subject Alternative Name: \n\
                 {:20}{names}\n",
                ""
            ),
        };
        out.push_str(&format!(
            "Certificate Request:\n    Data:\n        Version: 1 (0x0)\n        Subject: {named}\n        \
             Subject Public Key Info:\n            Public Key Algorithm: rsaEncryption\n                \
             Public-Key: (2048 bit)\n        Attributes:\n{asked}    \
             Signature Algorithm: sha256WithRSAEncryption\n"
        ));
    }
    if options.has("subject") {
        out.push_str(&format!("subject={named}\n"));
    }
    let public = of_paper(&text, paper::REQUEST, &subject);
    if options.has("modulus") {
        out.push_str(&modulus(&public));
    }
    if options.has("pubkey") {
        out.push_str(&client::certificate::pem("PUBLIC KEY", &public));
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
        assert_eq!(configured_names(text), "");
        let listed =
            "[ v3 ]\nsubjectAltName = @names\n[names]\nDNS.1 = a\nIP.1 = 10.0.0.1\n[x]\nDNS.2 = b";
        assert_eq!(configured_names(listed), "DNS:a, IP Address:10.0.0.1");
        let named = alternatives("subjectAltName = DNS:a");
        assert_eq!(named.as_deref(), Some("DNS:a"));
    }
}
