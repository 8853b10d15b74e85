//! `openssl x509` and `openssl verify`: certificates shown, signed and checked.

use std::rc::Rc;

use client::certificate::Certificate;
use machine::Io;

use super::dgst;
use super::key::{modulus, numbers, of_paper};
use super::req::{certificate, configured_names};
use super::{Options, Outcome, paper, read, write};

const DAYS: i64 = 30;

pub(super) async fn main(io: &Io, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    let text = read(io, options.value("in")).await?;
    if options.has("req") {
        return sign(io, &options, &text).await;
    }
    let found = certificate(&text, options.value("in"))?;
    let out = shown(words, &text, &found);
    write(io, options.value("out"), &out).await?;
    let Some(secs) = options
        .value("checkend")
        .and_then(|secs| secs.parse::<i64>().ok())
    else {
        return Ok(());
    };
    let end = sim::parse_unix(&found.not_after).map_or(0, |(end, _)| end);
    if end < io.now().await.unix_secs() + secs {
        io.print("Certificate will expire\n").await;
        return Err(String::new());
    }
    io.print("Certificate will not expire\n").await;
    Ok(())
}

/// Signs a request.
async fn sign(io: &Io, options: &Options<'_>, text: &str) -> Outcome {
    let from = options.value("in").unwrap_or("<stdin>");
    let wrong = || format!("Unable to load X509 request from {from}\n");
    let (subject, _) = paper::requested(text).ok_or_else(wrong)?;
    // Extensions a request asks for are not taken over: those of a file are.
    let names = match options.value("extfile") {
        Some(path) => configured_names(&read(io, Some(path)).await?),
        None => String::new(),
    };
    let issuer: String = match options.value("CA") {
        Some(path) => {
            let key = options.value("CAkey").unwrap_or(path);
            if !read(io, Some(key)).await?.contains("PRIVATE KEY-----") {
                return Err(format!("Could not read CA private key from {key}\n"));
            }
            let ca = read(io, Some(path)).await?;
            certificate(&ca, Some(path))?.subject.to_string()
        }
        None => subject.clone(),
    };
    io.eprint("Certificate request self-signature ok\n").await;
    io.eprint(&format!("subject={}\n", paper::shown(&subject)))
        .await;
    let days = options.value("days").and_then(|days| days.parse().ok());
    let now = io.now().await;
    let key = paper::key(text, paper::REQUEST).unwrap_or_default();
    let made = paper::certificate((&subject, &names, &key), &issuer, now, days.unwrap_or(DAYS));
    write(io, options.value("out"), &made).await
}

/// What the options ask to be shown, in their order.
fn shown(words: &[Rc<str>], text: &str, found: &Certificate) -> String {
    let Certificate {
        subject,
        issuer,
        not_after,
        names,
    } = found;
    let extensions = extensions(found);
    let public = of_paper(text, "CERTIFICATE", subject);
    let (subject, issuer) = (paper::shown(subject), paper::shown(issuer));
    let (start, end) = (paper::not_before(text, found), paper::date(not_after));
    let start = paper::date(&start);
    let mut out = String::new();
    for word in words {
        out.push_str(&match &**word {
            "-subject" => format!("subject={subject}\n"),
            "-issuer" => format!("issuer={issuer}\n"),
            "-startdate" => format!("notBefore={start}\n"),
            "-enddate" => format!("notAfter={end}\n"),
            "-dates" => format!("notBefore={start}\nnotAfter={end}\n"),
            "-modulus" => modulus(&public),
            "-pubkey" => client::certificate::pem("PUBLIC KEY", &public),
            "-fingerprint" => fingerprint(words, text),
            "-serial" => format!("serial={:016X}\n", serial(text)),
            "-ext" if !names.is_empty() => {
                format!("X509v3 Subject Alternative Name: \n    {names}\n")
            }
            "-text" => format!(
                "Certificate:\n    Data:\n        Version: 3 (0x2)\n        Serial Number: {serial} \
                 ({serial:#x})\n        Signature Algorithm: \
                 sha256WithRSAEncryption\n        Issuer: {issuer}\n        Validity\n            \
                 Not Before: {start}\n            Not After : {end}\n        Subject: {subject}\n        \
                 Subject Public Key Info:\n            Public Key Algorithm: rsaEncryption\n                \
                 Public-Key: (2048 bit)\n{numbers}{extensions}    \
                 Signature Algorithm: sha256WithRSAEncryption\n",
                serial = serial(text),
                numbers = numbers(&public, "                ", "Modulus"),
            ),
            _ => String::new(),
        });
    }
    if !words.iter().any(|word| &**word == "-noout") {
        out.push_str(text);
    }
    out
}

/// `sha256 Fingerprint=AB:…`
fn fingerprint(words: &[Rc<str>], text: &str) -> String {
    let asked = words
        .iter()
        .find_map(|word| dgst::find(word.strip_prefix('-')?));
    let Some((name, _, function)) = asked.or_else(|| dgst::find("sha1")) else {
        return String::new();
    };
    let body = paper::block(text, "CERTIFICATE").unwrap_or_default();
    let bytes = dgst::raw(&function(body.as_bytes()));
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("{name} Fingerprint={}\n", pairs.join(":"))
}

/// A serial number that belongs to this certificate alone.
fn serial(text: &str) -> u64 {
    let digest = sim::sha256::hex(text.as_bytes());
    u64::from_str_radix(&digest[..16], 16).unwrap_or(1) >> 1
}

/// The extensions as kubeadm and openssl give them: an authority's, a server's, a client's.
fn extensions(found: &Certificate) -> String {
    let is_authority = found.subject == found.issuer;
    let is_server = !found.names.is_empty() && !is_authority;
    let mut list = Vec::new();
    let usage = match is_authority {
        true => "Digital Signature, Key Encipherment, Certificate Sign",
        false => "Digital Signature, Key Encipherment",
    };
    list.push(("Key Usage: critical", usage));
    // The members of etcd are each other's clients.
    match (is_server, &*found.issuer == "CN=etcd-ca") {
        (true, true) => list.push((
            "Extended Key Usage: ",
            "TLS Web Server Authentication, TLS Web Client Authentication",
        )),
        (true, false) => list.push(("Extended Key Usage: ", "TLS Web Server Authentication")),
        (false, _) if !is_authority => {
            list.push(("Extended Key Usage: ", "TLS Web Client Authentication"));
        }
        _ => {}
    }
    let constraint = if is_authority { "CA:TRUE" } else { "CA:FALSE" };
    list.push(("Basic Constraints: critical", constraint));
    if !found.names.is_empty() {
        list.push(("Subject Alternative Name: ", &found.names));
    }
    let lines = list
        .iter()
        .map(|(name, value)| format!("            X509v3 {name}\n                {value}\n"));
    format!("        X509v3 extensions:\n{}", lines.collect::<String>())
}

/// Checks who signed certificates, and that they still count.
pub(super) async fn verify(io: &Io, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    let ca = options.value("CAfile");
    let issuer = match ca {
        Some(path) => {
            let text = read(io, Some(path)).await?;
            Some(certificate(&text, ca)?.subject)
        }
        None => None,
    };
    let files = words
        .iter()
        .filter(|word| !word.starts_with('-') && Some(&***word) != ca);
    for file in files {
        let text = read(io, Some(file)).await?;
        let found = certificate(&text, Some(file))?;
        let end = sim::parse_unix(&found.not_after).map_or(0, |(end, _)| end);
        let why = if issuer.as_ref() != Some(&found.issuer) {
            Some((20, "unable to get local issuer certificate"))
        } else if end < io.now().await.unix_secs() {
            Some((10, "certificate has expired"))
        } else {
            None
        };
        if let Some((number, why)) = why {
            return Err(format!(
                "{}\nerror {number} at 0 depth lookup: {why}\nerror {file}: verification failed\n",
                paper::shown(&found.subject)
            ));
        }
        io.print(&format!("{file}: OK\n")).await;
    }
    Ok(())
}
