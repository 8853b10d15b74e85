//! `openssl dgst` and the commands named after functions, and `openssl enc` as far as it is base64.
//! Signatures and ciphers are not modelled.

use std::rc::Rc;

use machine::Io;

use super::key::{read_bytes, write_bytes};
use super::{Options, Outcome, write};

/// Its name on the command line, as it is shown, and the function.
type Digest = (&'static str, &'static str, fn(&[u8]) -> String);

const DIGESTS: [Digest; 4] = [
    ("md5", "MD5", crate::md5sum::digest),
    ("sha1", "SHA1", crate::sha1sum::hex),
    ("sha256", "SHA2-256", sim::sha256::hex),
    ("sha512", "SHA2-512", crate::sha512sum::hex),
];

/// The digest of this name.
pub(super) fn find(name: &str) -> Option<&'static Digest> {
    DIGESTS.iter().find(|(own, ..)| *own == name)
}

pub(super) async fn main(io: &Io, command: &str, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    for unmodelled in ["sign", "verify", "prverify", "hmac", "signature"] {
        if options.has(unmodelled) {
            let why = sim::unmodelled!("signatures of openssl dgst");
            return Err(format!("dgst: {why}\n"));
        }
    }
    let asked = words.iter().find_map(|word| find(word.strip_prefix('-')?));
    let digest = asked.or_else(|| find(command)).unwrap_or(&DIGESTS[2]);
    let (_, shown, function) = digest;
    let out = options.value("out");
    let files: Vec<&Rc<str>> = words
        .iter()
        .filter(|word| !word.starts_with('-') && Some(&***word) != out)
        .collect();
    let mut inputs: Vec<(&str, Vec<u8>)> = Vec::new();
    for file in &files {
        inputs.push((file, read_bytes(io, Some(file)).await?));
    }
    if files.is_empty() {
        inputs.push(("stdin", read_bytes(io, None).await?));
    }
    if options.has("binary") {
        let bytes: Vec<u8> = inputs
            .iter()
            .flat_map(|(_, bytes)| raw(&function(bytes)))
            .collect();
        return write_bytes(io, out, &bytes).await;
    }
    let line = |(name, bytes): &(&str, Vec<u8>)| {
        let hex = function(bytes);
        let hex = match options.has("c") {
            true => raw(&hex)
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect::<Vec<_>>()
                .join(":"),
            false => hex,
        };
        match options.has("r") {
            true => format!("{hex} *{name}\n"),
            false => format!("{shown}({name})= {hex}\n"),
        }
    };
    let text: String = inputs.iter().map(line).collect();
    write(io, out, &text).await
}

/// The bytes that hexadecimal digits tell.
pub(super) fn raw(hex: &str) -> Vec<u8> {
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).ok();
    pairs.filter_map(byte).collect()
}

pub(super) async fn enc(io: &Io, command: &str, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    if command != "base64" && !options.has("base64") && !options.has("a") {
        let why = sim::unmodelled!("ciphers of openssl");
        return Err(format!("enc: {why}\n"));
    }
    let bytes = read_bytes(io, options.value("in")).await?;
    if options.has("d") {
        let text: String = String::from_utf8_lossy(&bytes).split_whitespace().collect();
        let bytes =
            api::base64::decode(&text).map_err(|_| "error reading input file\n".to_owned())?;
        return write_bytes(io, options.value("out"), &bytes).await;
    }
    let encoded = api::base64::encode(&bytes);
    let text = match options.has("A") {
        true => encoded,
        false => encoded
            .as_bytes()
            .chunks(64)
            .map(|line| format!("{}\n", String::from_utf8_lossy(line)))
            .collect(),
    };
    write(io, options.value("out"), &text).await
}
