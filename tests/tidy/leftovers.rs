//! Nothing unfinished, nothing switched off, nothing printed from below the shells.

use crate::holds;
use crate::sources::{self, Source};

/// What must not stand in a file, and where: put together here so that this file may name it.
const LEFTOVERS: [(&str, Scope); 13] = [
    (concat!("to", "do!"), Scope::Rust),
    (concat!("unimplemented", "!"), Scope::Rust),
    (concat!("db", "g!"), Scope::Rust),
    (concat!("#[", "ignore"), Scope::Rust),
    (concat!("FIX", "ME"), Scope::Everywhere),
    (concat!("TO", "DO"), Scope::Everywhere),
    (concat!("X", "XX"), Scope::Everywhere),
    (concat!("<<<<", "<<<"), Scope::Everywhere),
    (concat!(".on", "ly("), Scope::Script),
    (concat!(".ski", "p("), Scope::Script),
    (concat!("debug", "ger;"), Scope::Script),
    ("print!(", Scope::BelowTheShells),
    ("println!(", Scope::BelowTheShells),
];

/// Crates of this repository that people start, and this package: they may print.
const SHELLS: [&str; 5] = ["cli", "front", "tests", "web", "xtask"];

#[derive(Clone, Copy)]
enum Scope {
    Everywhere,
    Rust,
    Script,
    BelowTheShells,
}

impl Scope {
    fn covers(self, source: &Source) -> bool {
        match self {
            Scope::Everywhere => true,
            Scope::Rust => source.is_rust(),
            Scope::Script => source.path.ends_with(".mjs") || source.path.ends_with(".js"),
            // A build script talks to cargo by printing.
            Scope::BelowTheShells => {
                source.is_rust()
                    && !source.path.ends_with("/build.rs")
                    && !SHELLS.contains(&source.part())
            }
        }
    }
}

fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether `word` stands in a line, not as a part of a longer word.
fn stands_in(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = line.as_bytes().split_at(at);
        let after = after.get(word.len()).copied();
        let ends_open = !is_word(word.bytes().last());
        let begins_open = !is_word(word.bytes().next());
        (begins_open || !is_word(before.last().copied())) && (ends_open || !is_word(after))
    })
}

#[test]
fn nothing_is_left_over() {
    let mut offences = Vec::new();
    for source in sources::all() {
        for (word, _) in LEFTOVERS.iter().filter(|(_, scope)| scope.covers(&source)) {
            let lines = source.text.lines().enumerate();
            offences.extend(
                lines
                    .filter(|(_, line)| stands_in(line, word))
                    .map(|(number, _)| source.at(number, &format!("{word} is left over"))),
            );
        }
    }
    holds("leftovers", &offences);
}

#[test]
fn only_whole_words_count() {
    let cases = [
        ("// FIXIT", "FIXIT", true),
        ("mktemp /tmp/ABABAB", "ABA", false),
        ("eprintln!(x)", "println!(", false),
        ("    println!(x)", "println!(", true),
        ("test.only(", ".only(", true),
    ];
    for (line, word, expected) in cases {
        assert_eq!(stands_in(line, word), expected, "{word} in {line}");
    }
}
