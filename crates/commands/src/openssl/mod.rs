//! `openssl`: keys, requests and certificates as exercises make and read them. Signatures, keys and
//! X.509 encoding are not modelled: a file is PEM around readable text, see `client::certificate`.
//!
//! Models openssl(1) 3.0: genrsa, genpkey, rsa, pkey, req, x509, verify, dgst, enc, rand, version.

mod dgst;
mod key;
mod paper;
mod req;
mod x509;

pub(crate) use key::pin;

use std::rc::Rc;

use machine::{Errno, Fd, Io};

use crate::help::tool;
use client::certificate::pem;

tool!(
    "openssl",
    "Make and read keys, requests and certificates",
    "openssl COMMAND [OPTION]...",
    main,
    [
        (
            "openssl genrsa -out a.key 2048; head -1 a.key",
            "-----BEGIN PRIVATE KEY-----\n"
        ),
        (
            "openssl req -new -newkey rsa:2048 -nodes -keyout a.key -subj /CN=jane/O=dev -out a.csr; \
             openssl req -in a.csr -noout -subject",
            "subject=CN = jane, O = dev\n"
        ),
        (
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout a.key -subj /CN=web -days 30 -out \
             a.crt; openssl x509 -in a.crt -noout -subject -issuer",
            "subject=CN = web\nissuer=CN = web\n"
        ),
        (
            "openssl req -x509 -newkey rsa:2048 -nodes -keyout a.key -subj /CN=web -addext \
             'subjectAltName = DNS:a.example.com, IP:10.0.0.1' -out a.crt; openssl x509 -in a.crt \
             -noout -text | grep -A1 Alternative",
            "            X509v3 Subject Alternative Name: \n                DNS:a.example.com, \
             IP Address:10.0.0.1\n"
        ),
        (
            "openssl genrsa -out a.key; openssl req -x509 -key a.key -subj /CN=web -out a.crt; \
             openssl x509 -in a.crt -noout -modulus > m; openssl rsa -in a.key -noout -modulus | cmp - m; \
             openssl x509 -pubkey -in a.crt | openssl rsa -pubin -outform der 2>/dev/null | wc -c",
            "294\n"
        ),
        (
            "echo -n abc | openssl dgst -sha256 -hex",
            "SHA2-256(stdin)= ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\n"
        ),
        (
            "echo hello | openssl enc -base64; echo hello | openssl base64 | openssl base64 -d",
            "aGVsbG8K\nhello\n"
        ),
        (
            "openssl nope",
            "Invalid command 'nope'; type \"help\" for a list.\n"
        ),
    ]
);

/// What ends a command of openssl: what it prints to standard error.
type Outcome<T = ()> = Result<T, String>;

async fn main(io: Io) -> i32 {
    let words: Vec<Rc<str>> = io.args().iter().skip(1).cloned().collect();
    let Some((command, rest)) = words.split_first() else {
        io.print("help:\n\nStandard commands\ndgst enc genpkey genrsa pkey rand req rsa verify version x509\n")
            .await;
        return 0;
    };
    let done = match &**command {
        "genrsa" | "genpkey" => generate(&io, rest).await,
        "req" => req::main(&io, rest).await,
        "x509" => x509::main(&io, rest).await,
        "verify" => x509::verify(&io, rest).await,
        "rand" => rand(&io, rest).await,
        "version" => {
            let text = "OpenSSL 3.0.13 30 Jan 2024 (Library: OpenSSL 3.0.13 30 Jan 2024)\n";
            io.print(text).await;
            Ok(())
        }
        "rsa" | "pkey" => key::main(&io, command, rest).await,
        "enc" | "base64" => dgst::enc(&io, command, rest).await,
        "dgst" | "md5" | "sha1" | "sha256" | "sha512" => dgst::main(&io, command, rest).await,
        "s_client" | "s_server" | "pkcs12" | "ec" | "ca" | "ecparam" | "passwd" => {
            let why = sim::unmodelled!("this command of openssl");
            Err(format!("openssl {command}: {why}\n"))
        }
        _ => Err(format!(
            "Invalid command '{command}'; type \"help\" for a list.\n"
        )),
    };
    match done {
        Ok(()) => 0,
        Err(why) => {
            io.eprint(&why).await;
            1
        }
    }
}

/// Options with one dash, in order: a value follows those that take one.
struct Options<'a> {
    words: &'a [Rc<str>],
}

impl Options<'_> {
    fn has(&self, name: &str) -> bool {
        self.words
            .iter()
            .any(|word| word.trim_start_matches('-') == name && word.starts_with('-'))
    }

    fn value(&self, name: &str) -> Option<&str> {
        let at = self
            .words
            .iter()
            .rposition(|word| word.strip_prefix('-') == Some(name))?;
        self.words.get(at + 1).map(|word| &**word)
    }
}

/// A new private key. It says nothing of whom it is for: what it is used for does.
async fn new_key(io: &Io) -> String {
    let body = io.sys(|sys| sys.random().hex(64)).await;
    pem("PRIVATE KEY", body.as_bytes())
}

async fn generate(io: &Io, words: &[Rc<str>]) -> Outcome {
    let key = new_key(io).await;
    write(io, Options { words }.value("out"), &key).await
}

async fn rand(io: &Io, words: &[Rc<str>]) -> Outcome {
    let options = Options { words };
    let count: Option<usize> = words.iter().rev().find_map(|word| word.parse().ok());
    let Some(count) = count else {
        return Err("rand: Use -help for summary.\n".to_owned());
    };
    let hex = io.sys(move |sys| sys.random().hex(2 * count)).await;
    if options.has("hex") {
        return write(io, options.value("out"), &format!("{hex}\n")).await;
    }
    let pairs = hex.as_bytes().chunks(2);
    let byte = |pair: &[u8]| u8::from_str_radix(&String::from_utf8_lossy(pair), 16).unwrap_or(0);
    let bytes: Vec<u8> = pairs.map(byte).collect();
    if options.has("base64") {
        let text = crate::base64::encode(&bytes);
        return write(io, options.value("out"), &format!("{text}\n")).await;
    }
    io.write_all(Fd::STDOUT, &bytes).await;
    Ok(())
}

/// Writes to the file of `-out`, or prints.
async fn write(io: &Io, path: Option<&str>, text: &str) -> Outcome {
    let Some(path) = path else {
        io.print(text).await;
        return Ok(());
    };
    let written = io.write_file(path, text.as_bytes()).await;
    written.map_err(|errno| cannot_open(path, errno))
}

/// Reads the file of an option, or standard input.
async fn read(io: &Io, path: Option<&str>) -> Outcome<String> {
    match path {
        None => {
            let bytes = io.read_all(Fd::STDIN).await.unwrap_or_default();
            Ok(String::from_utf8_lossy(&bytes).into_owned())
        }
        Some(path) => {
            let text = io.read_to_string(path).await;
            text.map_err(|errno| cannot_open(path, errno))
        }
    }
}

fn cannot_open(path: &str, errno: Errno) -> String {
    let why = errno.message();
    format!("Can't open \"{path}\" for reading, {why}\n")
}
