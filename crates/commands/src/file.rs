//! `file`: what kind of thing a file is, by its first bytes. Models file 5.45's src/file.c and the
//! entries of its magic that a cluster's machines have use for.

use machine::{FileKind, Io};

use crate::args::{self, flag, value};
use crate::files;
use crate::help::tool;
use crate::io::{missing_operand, usage_error};

tool!(
    "file",
    "Determine the type of files",
    "file [OPTION...] [FILE]...",
    main,
    [
        ("echo hi > x; file x", "x: ASCII text\n"),
        ("printf '' > x; file -b x", "empty\n"),
        ("mkdir d; file d", "d: directory\n"),
        ("echo '{\"a\": 1}' > x; file x", "x: JSON text data\n"),
        (
            "printf '#!/bin/sh\\necho hi\\n' > x; chmod +x x; file x",
            "x: POSIX shell script, ASCII text executable\n"
        ),
        (
            "echo hi | gzip > x.gz; file x.gz | cut -c1-27",
            "x.gz: gzip compressed data,\n"
        ),
        ("echo hi > x; file --mime-type x", "x: text/plain\n"),
        ("ln -s x l; file l", "l: broken symbolic link to x\n"),
        (
            "file nope",
            "nope: cannot open `nope' (No such file or directory)\n"
        ),
    ]
);

const FLAGS: &[args::Flag] = &[
    flag('b', "brief"),
    flag('i', "mime"),
    flag('\u{1}', "mime-type"),
    flag('L', "dereference"),
    flag('s', "special-files"),
    flag('z', "uncompress"),
    value('F', "separator"),
];

async fn main(io: Io) -> i32 {
    let args = match args::parse(FLAGS, io.args()) {
        Ok(args) => args,
        Err(message) => return usage_error(&io, &message, 1).await,
    };
    if args.operands.is_empty() {
        return missing_operand(&io, 1).await;
    }
    let mime = args.has('i') || args.has('\u{1}');
    let width = args.operands.iter().map(|path| path.len()).max();
    let separator = args.value('F').map_or(":", |text| text);
    for path in &args.operands {
        let (words, kind) = told(&io, path, args.has('L')).await;
        let shown = match (mime, args.has('i')) {
            (false, _) => words,
            (true, false) => kind.to_owned(),
            (true, true) => format!("{kind}; charset={}", charset(&words)),
        };
        let line = match args.has('b') {
            true => format!("{shown}\n"),
            false => {
                let width = width.unwrap_or(0) + separator.len();
                format!("{:<width$} {shown}\n", format!("{path}{separator}"))
            }
        };
        io.print(&line).await;
    }
    0
}

fn charset(words: &str) -> &'static str {
    match () {
        () if words.contains("UTF-8") => "utf-8",
        () if words.contains("ASCII") || words.contains("JSON") || words.contains("PEM") => {
            "us-ascii"
        }
        () => "binary",
    }
}

/// What a path is, and its type on the Internet.
async fn told(io: &Io, path: &str, follow: bool) -> (String, &'static str) {
    let bytes = if path == "-" {
        crate::io::slurp(io, path).await
    } else {
        let stat = match follow {
            true => files::stat(io, path).await,
            false => files::lstat(io, path).await,
        };
        let stat = match stat {
            Ok(stat) => stat,
            Err(errno) => {
                let words = format!("cannot open `{path}' ({})", errno.message());
                return (words, "application/octet-stream");
            }
        };
        let fixed = match stat.kind {
            FileKind::Dir => Some(("directory".to_owned(), "inode/directory")),
            FileKind::Device => Some(("character special".to_owned(), "inode/chardevice")),
            FileKind::Socket => Some(("socket".to_owned(), "inode/socket")),
            FileKind::Symlink => {
                let target = stat.target.clone().unwrap_or_default();
                let broken = files::stat(io, path).await.is_err();
                let broken = if broken { "broken " } else { "" };
                Some((
                    format!("{broken}symbolic link to {target}"),
                    "inode/symlink",
                ))
            }
            FileKind::File => None,
        };
        if let Some(fixed) = fixed {
            return fixed;
        }
        crate::io::slurp(io, path).await
    };
    match bytes {
        Ok(bytes) => contents(&bytes),
        // Executables and databases have no bytes here.
        Err(_) if path.ends_with("db") => ("data".to_owned(), "application/octet-stream"),
        Err(_) => (
            "ELF 64-bit LSB executable, x86-64, version 1 (SYSV), statically linked, stripped"
                .to_owned(),
            "application/x-executable",
        ),
    }
}

/// What bytes begin like.
fn contents(bytes: &[u8]) -> (String, &'static str) {
    const MAGIC: &[(usize, &[u8], &str, &str)] = &[
        (
            0,
            b"\x1f\x8b",
            "gzip compressed data, from Unix",
            "application/gzip",
        ),
        (
            0,
            b"\x7fELF",
            "ELF 64-bit LSB executable, x86-64",
            "application/x-executable",
        ),
        (
            257,
            b"ustar",
            "POSIX tar archive (GNU)",
            "application/x-tar",
        ),
        (0, b"PK\x03\x04", "Zip archive data", "application/zip"),
        (0, b"%PDF-", "PDF document", "application/pdf"),
        (0, b"\x89PNG", "PNG image data", "image/png"),
        (
            0,
            b"-----BEGIN CERTIFICATE-----",
            "PEM certificate",
            "text/plain",
        ),
        (
            0,
            b"-----BEGIN CERTIFICATE REQUEST-----",
            "PEM certificate request",
            "text/plain",
        ),
        (
            0,
            b"-----BEGIN RSA PRIVATE KEY-----",
            "PEM RSA private key",
            "text/plain",
        ),
        (
            0,
            b"-----BEGIN EC PRIVATE KEY-----",
            "PEM EC private key",
            "text/plain",
        ),
        (
            0,
            b"-----BEGIN OPENSSH PRIVATE KEY-----",
            "OpenSSH private key",
            "text/plain",
        ),
        (0, b"ssh-rsa ", "OpenSSH RSA public key", "text/plain"),
    ];
    if bytes.is_empty() {
        return ("empty".to_owned(), "inode/x-empty");
    }
    let found = MAGIC
        .iter()
        .find(|(at, magic, ..)| bytes.len() > *at && bytes[*at..].starts_with(magic));
    if let Some((_, _, words, kind)) = found {
        return ((*words).to_owned(), kind);
    }
    let Ok(text) = std::str::from_utf8(bytes) else {
        return ("data".to_owned(), "application/octet-stream");
    };
    if text.contains('\0') {
        return ("data".to_owned(), "application/octet-stream");
    }
    let coding = if text.is_ascii() {
        "ASCII"
    } else {
        "Unicode text, UTF-8"
    };
    let plain = match coding {
        "ASCII" => "ASCII text".to_owned(),
        other => format!("{other} text"),
    };
    if let Some(line) = text.strip_prefix("#!") {
        let program = line.lines().next().unwrap_or_default().trim();
        let (name, kind) = match program.rsplit(['/', ' ']).next().unwrap_or_default() {
            "bash" => ("Bourne-Again shell script", "text/x-shellscript"),
            "sh" => ("POSIX shell script", "text/x-shellscript"),
            "python3" | "python" => ("Python script", "text/x-script.python"),
            _ => {
                let words = format!("a {program} script, {plain} executable");
                return (words, "text/plain");
            }
        };
        return (format!("{name}, {plain} executable"), kind);
    }
    let begins = text.trim_start().starts_with(['{', '[']);
    if begins && api::Value::from_json(text.as_bytes()).is_ok() {
        return ("JSON text data".to_owned(), "application/json");
    }
    let ends = match (text.contains("\r\n"), text.ends_with('\n')) {
        (true, _) => ", with CRLF line terminators",
        (false, false) if !text.contains('\n') => ", with no line terminators",
        _ => "",
    };
    (format!("{plain}{ends}"), "text/plain")
}
