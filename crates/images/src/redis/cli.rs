//! `redis-cli`: one command, or one a line.
//!
//! Models src/redis-cli.c.

use std::net::SocketAddrV4;
use std::rc::Rc;

use machine::{Fd, Io, Payload};

use super::resp::{Reply, request};

/// The tool.
pub(super) async fn main(io: Io) -> i32 {
    let args = io.args().to_vec();
    let (mut host, mut port, mut at) = (Rc::from("127.0.0.1"), Rc::from("6379"), 1);
    while let Some(flag) = args.get(at).filter(|arg| arg.starts_with('-')) {
        match (&**flag, args.get(at + 1)) {
            ("-h", Some(value)) => host = value.clone(),
            ("-p", Some(value)) => port = value.clone(),
            ("-n", Some(_)) => {}
            ("--raw" | "--no-raw", _) => at -= 1,
            ("-v" | "--version", _) => {
                io.print("redis-cli 8.4.0\n").await;
                return 0;
            }
            (other, _) => {
                let text = format!("Unrecognized option or bad number of args for: '{other}'\n");
                io.eprint(&text).await;
                return 1;
            }
        }
        at += 2;
    }
    let fd = match connect(&io, &host, &port).await {
        Ok(fd) => fd,
        Err(why) => {
            let text = format!("Could not connect to Redis at {host}:{port}: {why}\n");
            io.eprint(&text).await;
            return 1;
        }
    };
    let pretty = io.sys(|sys| sys.is_tty(Fd::STDOUT)).await;
    let words: Vec<Vec<u8>> = args[at.min(args.len())..]
        .iter()
        .map(|word| word.as_bytes().to_vec())
        .collect();
    if !words.is_empty() {
        return ask(&io, fd, &words, pretty).await;
    }
    lines(&io, fd, &format!("{host}:{port}> "), pretty).await
}

async fn connect(io: &Io, host: &str, port: &str) -> Result<Fd, String> {
    let Some(ip) = commands::address(io, host).await else {
        return Err("Name or service not known".to_owned());
    };
    let port = port.parse().unwrap_or(6379);
    let connected = io.connect(SocketAddrV4::new(ip, port), None).await;
    connected.map_err(|errno| errno.message().to_owned())
}

/// Commands from standard input, one a line.
async fn lines(io: &Io, fd: Fd, prompt: &str, pretty: bool) -> i32 {
    let mut rest = Vec::new();
    loop {
        if pretty {
            io.print(prompt).await;
        }
        let line = loop {
            if let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                break Some(line);
            }
            match io.read(Fd::STDIN).await {
                Ok(more) if !more.is_empty() => rest.extend_from_slice(&more),
                _ => break None,
            }
        };
        let Some(line) = line else {
            return 0;
        };
        let words = split(&String::from_utf8_lossy(&line));
        match words.first().map(Vec::as_slice) {
            None => {}
            Some(b"exit" | b"quit") => return 0,
            Some(_) => {
                ask(io, fd, &words, pretty).await;
            }
        }
    }
}

/// Words of a line, with quotation marks around those that have blanks.
fn split(line: &str) -> Vec<Vec<u8>> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    for c in line.trim().chars() {
        match (quote, c) {
            (Some(mark), c) if c == mark => quote = None,
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '"' | '\'') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, ' ') => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words.into_iter().map(String::into_bytes).collect()
}

async fn ask(io: &Io, fd: Fd, words: &[Vec<u8>], pretty: bool) -> i32 {
    if io.send(fd, Payload::from(request(words))).await.is_err() {
        return lost(io).await;
    }
    let mut bytes = Vec::new();
    let reply = loop {
        if let Some((reply, _)) = Reply::decode(&bytes) {
            break reply;
        }
        match io.recv(fd).await {
            Ok(Some(payload)) => bytes.extend(payload.bytes().iter()),
            _ if words[0].eq_ignore_ascii_case(b"shutdown") => return 0,
            _ => return lost(io).await,
        }
    };
    let mut text = if pretty {
        shown(&reply, 0)
    } else {
        raw(&reply)
    };
    text.push(b'\n');
    io.write_all(Fd::STDOUT, &text).await;
    // An error is an answer like any other.
    0
}

async fn lost(io: &Io) -> i32 {
    io.eprint("Error: Server closed the connection\n").await;
    1
}

/// As it is, for pipes.
fn raw(reply: &Reply) -> Vec<u8> {
    match reply {
        Reply::Status(word) => word.as_bytes().to_vec(),
        Reply::Error(why) => format!("{why}\n").into_bytes(),
        Reply::Integer(number) => number.to_string().into_bytes(),
        Reply::Bulk(value) => value.as_deref().unwrap_or_default().to_vec(),
        Reply::List(items) => items.iter().map(raw).collect::<Vec<_>>().join(&b'\n'),
    }
}

/// For people.
fn shown(reply: &Reply, indent: usize) -> Vec<u8> {
    match reply {
        Reply::Status(word) => word.as_bytes().to_vec(),
        Reply::Error(why) => format!("(error) {why}").into_bytes(),
        Reply::Integer(number) => format!("(integer) {number}").into_bytes(),
        Reply::Bulk(None) => b"(nil)".to_vec(),
        Reply::Bulk(Some(value)) => {
            let text = String::from_utf8_lossy(value);
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!("\"{}\"", text.replace('\n', "\\n")).into_bytes()
        }
        Reply::List(items) if items.is_empty() => b"(empty array)".to_vec(),
        Reply::List(items) => {
            let width = items.len().to_string().len();
            let lines = items.iter().enumerate().map(|(index, item)| {
                let blanks = if index == 0 { 0 } else { indent };
                let mut line = format!("{:blanks$}{:>width$}) ", "", index + 1).into_bytes();
                line.extend(shown(item, indent + width + 2));
                line
            });
            lines.collect::<Vec<_>>().join(&b'\n')
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn replies_are_shown_to_people_and_to_pipes() {
        let list = Reply::List(vec![Reply::text("a\"b"), Reply::Bulk(None)]);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(text(shown(&list, 0)), "1) \"a\\\"b\"\n2) (nil)");
        assert_eq!(text(raw(&list)), "a\"b\n");
        assert_eq!(text(shown(&Reply::Integer(3), 0)), "(integer) 3");
        assert_eq!(split("set  a 'b c'\n").len(), 3);
    }
}
