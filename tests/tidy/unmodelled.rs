//! The coverage page: everything the sources say is not modelled, in `tests/coverage/unmodelled.md`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use kubarium_tests::expect_file;
use regex_lite::Regex;

use crate::sources::{self, Source};

const PAGE: &str = "tests/coverage/unmodelled.md";
const HEAD: &str = "\
# What is not modelled

Kubarium answers with a clear message where one of these would be used. The list is made of the
`unmodelled!` of the sources; `UPDATE_EXPECT=1 cargo test -p kubarium-tests --test tidy` writes it.
";

/// What a file registers, in its order.
fn registered(source: &Source, pattern: &Regex) -> Vec<String> {
    let found = pattern.captures_iter(&source.text);
    found
        .filter_map(|found| Some(found.get(1)?.as_str().replace("\\\"", "\"")))
        .collect()
}

#[test]
fn the_coverage_page_is_complete() {
    let pattern = Regex::new(r#"unmodelled!\(\s*"((?:[^"\\]|\\.)*)",?\s*\)"#).expect("a pattern");
    // By crate, then by what it is; with the files that say so.
    let mut page: BTreeMap<&str, BTreeMap<String, BTreeSet<&str>>> = BTreeMap::new();
    let sources = sources::rust();
    // `sim` has the macro and its test.
    for source in sources
        .iter()
        .filter(|source| !["sim", "tests"].contains(&source.part()))
    {
        let registered = registered(source, &pattern);
        let uses = source.text.matches("unmodelled!(").count();
        assert_eq!(
            registered.len(),
            uses,
            "{}: an unmodelled! cannot be read",
            source.path
        );
        for what in registered {
            page.entry(source.part())
                .or_default()
                .entry(what)
                .or_default()
                .insert(&source.path);
        }
    }
    let mut text = HEAD.to_owned();
    for (part, entries) in page {
        write!(text, "\n## {part}\n\n").expect("a string takes all");
        for (what, files) in entries {
            let files: Vec<String> = files.iter().map(|file| format!("`{file}`")).collect();
            writeln!(text, "- {what} ({})", files.join(", ")).expect("a string takes all");
        }
    }
    if let Err(difference) = expect_file(PAGE, &text) {
        panic!("{difference}");
    }
}
