//! What the tests of the whole share: where the checkout is, and files that hold what is expected.
#![allow(
    clippy::disallowed_methods,
    reason = "tests read the sources and their expectations"
)]

use std::path::{Path, PathBuf};

/// The checkout.
#[must_use]
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Whether expectations are to be rewritten: `UPDATE_EXPECT=1`.
#[must_use]
pub fn update() -> bool {
    std::env::var_os("UPDATE_EXPECT").is_some_and(|value| value != "0")
}

/// Compares `found` with the text of a file (relative to the checkout), or rewrites the file.
///
/// # Errors
/// The first line that differs.
pub fn expect_file(path: &str, found: &str) -> Result<(), String> {
    let file = root().join(path);
    let expected = std::fs::read_to_string(&file).unwrap_or_default();
    if expected == found {
        return Ok(());
    }
    if update() {
        return std::fs::write(&file, found).map_err(|why| format!("{path}: {why}"));
    }
    Err(format!(
        "{path}{}\n(UPDATE_EXPECT=1 rewrites it)",
        first_difference(&expected, found)
    ))
}

/// `:12: expected "a", found "b"` of the first line that differs.
#[must_use]
pub fn first_difference(expected: &str, found: &str) -> String {
    let (mut left, mut right) = (expected.lines(), found.lines());
    let mut number = 0;
    loop {
        number += 1;
        match (left.next(), right.next()) {
            (None, None) => return ": only the ends of lines differ".to_owned(),
            (a, b) if a == b => {}
            (a, b) => {
                let show = |line: Option<&str>| match line {
                    Some(line) => format!("{line:?}"),
                    None => "the end".to_owned(),
                };
                return format!(":{number}: expected {}, found {}", show(a), show(b));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_difference_is_named() {
        let cases = [
            ("a\nb\n", "a\nc\n", ":2: expected \"b\", found \"c\""),
            ("a\n", "a\nb\n", ":2: expected the end, found \"b\""),
            ("a\n", "a", ": only the ends of lines differ"),
        ];
        for (expected, found, message) in cases {
            assert_eq!(first_difference(expected, found), message);
        }
    }
}
