//! `envsubst`: puts the environment's values where a text names them.
//! Models gettext's src/envsubst.c.

use machine::{Fd, Io};

use crate::help::tool;
use crate::io::text;

tool!(
    "envsubst",
    "Substitute the values of environment variables",
    "envsubst [SHELL-FORMAT]",
    main,
    [
        ("export A=hi; echo '$A ${A}! $B.' | envsubst", "hi hi! .\n"),
        ("export A=1 B=2; echo '$A $B' | envsubst '$B'", "$A 2\n"),
        ("echo '$ ${} $1 ${A' | envsubst", "$ ${} $1 ${A\n"),
    ]
);

async fn main(io: Io) -> i32 {
    let format = io.args().get(1).map(|arg| arg.to_string());
    if format.as_deref() == Some("-v") || format.as_deref() == Some("--variables") {
        let format = io.args().get(2).map(|arg| arg.to_string());
        for piece in pieces(&format.unwrap_or_default()) {
            if let Piece::Variable(name, _) = piece {
                io.print(&format!("{name}\n")).await;
            }
        }
        return 0;
    }
    let only: Option<Vec<String>> = format.map(|format| {
        let names = pieces(&format).into_iter().filter_map(|piece| match piece {
            Piece::Variable(name, _) => Some(name.to_owned()),
            Piece::Text(_) => None,
        });
        names.collect()
    });
    let input = io.read_all(Fd::STDIN).await.unwrap_or_default();
    let input = text(&input);
    let mut out = String::new();
    for piece in pieces(&input) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Variable(name, written) => {
                let wanted = only
                    .as_ref()
                    .is_none_or(|only| only.iter().any(|n| n == name));
                match wanted {
                    true => out.push_str(&io.env(name).unwrap_or_default()),
                    false => out.push_str(written),
                }
            }
        }
    }
    io.print(&out).await;
    0
}

enum Piece<'a> {
    Text(&'a str),
    /// A variable's name, and how it was written.
    Variable(&'a str, &'a str),
}

/// A text cut where it names variables: `$NAME` or `${NAME}`.
fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut found = Vec::new();
    let (mut from, mut at) = (0, 0);
    while let Some(dollar) = text[at..].find('$').map(|offset| at + offset) {
        let rest = &text[dollar + 1..];
        let inner = rest.strip_prefix('{').unwrap_or(rest);
        let braces = inner.len() < rest.len();
        let end = inner
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(inner.len());
        let name = &inner[..end];
        let closed = !braces || inner[end..].starts_with('}');
        let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !(closed && starts) {
            at = dollar + 1;
            continue;
        }
        let length = 1 + end + if braces { 2 } else { 0 };
        found.push(Piece::Text(&text[from..dollar]));
        found.push(Piece::Variable(name, &text[dollar..dollar + length]));
        from = dollar + length;
        at = from;
    }
    found.push(Piece::Text(&text[from..]));
    found
}
