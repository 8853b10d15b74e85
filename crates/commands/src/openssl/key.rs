//! `openssl rsa` and `openssl pkey`, and what a public key is here: the form of a real one (RFC 5280's
//! SubjectPublicKeyInfo, RSA of 2048 bits) around a modulus that only stands for its private key.

use std::rc::Rc;

use client::certificate::pem;
use machine::{Errno, Fd, Io};

use super::{Options, Outcome, cannot_open, paper, write};

/// Everything of a public key in DER that is in front of its modulus.
const HEAD: [u8; 33] = [
    0x30, 0x82, 0x01, 0x22, 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01,
    0x01, 0x05, 0x00, 0x03, 0x82, 0x01, 0x0f, 0x00, 0x30, 0x82, 0x01, 0x0a, 0x02, 0x82, 0x01, 0x01,
    0x00,
];
/// What is behind it: the exponent 65537.
const TAIL: [u8; 5] = [0x02, 0x03, 0x01, 0x00, 0x01];

/// The hash that `kubeadm join` takes to know an authority by.
pub(crate) fn pin(certificate: &str, subject: &str) -> String {
    sim::sha256::hex(&of_paper(certificate, "CERTIFICATE", subject))
}

/// A public key in DER. `seed` is what it shares with its private key.
pub(super) fn public(seed: &str) -> Vec<u8> {
    let mut der = HEAD.to_vec();
    for part in 0..8 {
        let hex = sim::sha256::hex(format!("{part} {seed}").as_bytes());
        let pairs = hex
            .as_bytes()
            .chunks(2)
            .map(|pair| String::from_utf8_lossy(pair).into_owned());
        der.extend(pairs.filter_map(|pair| u8::from_str_radix(&pair, 16).ok()));
    }
    // A modulus of this many bits is odd and has the highest one set.
    der[HEAD.len()] |= 0x80;
    if let Some(last) = der.last_mut() {
        *last |= 1;
    }
    der.extend(TAIL);
    der
}

/// What a private key shares with its public one; `None` if the text holds none.
pub(super) fn seed(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("PRIVATE KEY-----")?;
    let (body, _) = rest.split_once("-----END")?;
    let body: String = body.split_whitespace().collect();
    let bytes = api::base64::decode(&body).ok()?;
    Some(sim::sha256::hex(&bytes))
}

/// The public key of a certificate or a request: that of the private key it was made with, or where it
/// does not say (kubeadm's), that of the key that names its subject.
pub(super) fn of_paper(text: &str, kind: &str, subject: &str) -> Vec<u8> {
    match paper::key(text, kind) {
        Some(seed) => public(&seed),
        None => public(&sim::sha256::hex(subject.as_bytes())),
    }
}

/// `Modulus=AB…`
pub(super) fn modulus(der: &[u8]) -> String {
    let bytes = der.get(HEAD.len()..HEAD.len() + 256).unwrap_or_default();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02X}")).collect();
    format!("Modulus={hex}\n")
}

/// The numbers of a public key, as `-text` has them; behind a margin.
pub(super) fn numbers(der: &[u8], margin: &str, title: &str) -> String {
    let bytes = der
        .get(HEAD.len() - 1..HEAD.len() + 256)
        .unwrap_or_default();
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let lines: Vec<String> = pairs
        .chunks(15)
        .map(|line| format!("{margin}    {}", line.join(":")))
        .collect();
    let exponent = if title == "modulus" {
        "publicExponent"
    } else {
        "Exponent"
    };
    format!(
        "{margin}{title}:\n{}\n{margin}{exponent}: 65537 (0x10001)\n",
        lines.join(":\n")
    )
}

/// A key that was read.
enum Key {
    Public(Vec<u8>),
    /// With its text.
    Private(Vec<u8>, String),
}

pub(super) async fn main(io: &Io, command: &str, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    let (key, der) = match load(io, &options).await? {
        Key::Public(der) => (None, der),
        Key::Private(der, text) => (Some(text), der),
    };
    let mut head = String::new();
    if options.has("check") {
        let name = if command == "rsa" {
            "RSA key ok\n"
        } else {
            "Key is valid\n"
        };
        head.push_str(name);
    }
    if options.has("text") {
        head.push_str(&match key {
            Some(_) => format!(
                "Private-Key: (2048 bit, 2 primes)\n{}",
                numbers(&der, "", "modulus")
            ),
            None => format!("Public-Key: (2048 bit)\n{}", numbers(&der, "", "Modulus")),
        });
    }
    if options.has("modulus") {
        head.push_str(&modulus(&der));
    }
    if options.has("noout") {
        return write(io, options.value("out"), &head).await;
    }
    if command == "rsa" {
        io.eprint("writing RSA key\n").await;
    }
    let as_der = options
        .value("outform")
        .is_some_and(|form| form.eq_ignore_ascii_case("der"));
    match key.filter(|_| !options.has("pubout")) {
        Some(text) => write(io, options.value("out"), &(head + &text)).await,
        None if as_der => write_bytes(io, options.value("out"), &der).await,
        None => write(io, options.value("out"), &(head + &pem("PUBLIC KEY", &der))).await,
    }
}

async fn load(io: &Io, options: &Options<'_>) -> Outcome<Key> {
    let path = options.value("in");
    let bytes = read_bytes(io, path).await?;
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let from = path.unwrap_or("<stdin>");
    if options.has("pubin") {
        if bytes.starts_with(&HEAD) {
            return Ok(Key::Public(bytes));
        }
        let body = text.split_once("-----BEGIN PUBLIC KEY-----");
        let body = body.and_then(|(_, rest)| rest.split_once("-----END PUBLIC KEY-----"));
        let der = body.and_then(|(body, _)| {
            let body: String = body.split_whitespace().collect();
            api::base64::decode(&body).ok()
        });
        let der = der.ok_or_else(|| format!("Could not read public key from {from}\n"))?;
        // The public half of a pair that kubeadm made says what the private one does.
        return Ok(Key::Public(match der.starts_with(&HEAD) {
            true => der,
            false => public(&sim::sha256::hex(&der)),
        }));
    }
    let seed = seed(&text).ok_or_else(|| format!("Could not read private key from {from}\n"))?;
    Ok(Key::Private(public(&seed), text))
}

/// The bytes of the file of an option, or of standard input.
pub(super) async fn read_bytes(io: &Io, path: Option<&str>) -> Outcome<Vec<u8>> {
    match path {
        None => Ok(io.read_all(Fd::STDIN).await.unwrap_or_default()),
        Some(path) => {
            let bytes = io.read_file(path).await;
            let bytes = bytes.map_err(|errno: Errno| cannot_open(path, errno))?;
            Ok(bytes.to_vec())
        }
    }
}

/// Writes bytes to the file of `-out`, or prints them.
pub(super) async fn write_bytes(io: &Io, path: Option<&str>, bytes: &[u8]) -> Outcome {
    match path {
        Some(path) => {
            let written = io.write_file(path, bytes).await;
            written.map_err(|errno| cannot_open(path, errno))
        }
        None => {
            io.write_all(Fd::STDOUT, bytes).await;
            Ok(())
        }
    }
}
