//! The determinism test: one scenario must leave the same journal on every run, natively and in
//! wasm32. `tests/native.rs` runs it twice, `tests/browser.rs` a third time in a browser.

/// The journal of the native run, a line per entry; empty if none was given to the build.
pub const NATIVE: &str = include_str!(concat!(env!("OUT_DIR"), "/journal.txt"));

/// Where two journals part: the entries around it, in words. `None` if they are the same.
#[must_use]
pub fn parting(left: &[String], right: &[String]) -> Option<String> {
    let at = (0..left.len().max(right.len())).find(|at| left.get(*at) != right.get(*at))?;
    let before = at
        .checked_sub(1)
        .and_then(|at| left.get(at))
        .map_or("the beginning", |l| &**l);
    let show = |journal: &[String]| match journal.get(at) {
        Some(line) => line.clone(),
        None => "(it ends)".to_owned(),
    };
    Some(format!(
        "the journals part at line {} of {} and {}\n  after  {before}\n  one    {}\n  other  {}",
        at + 1,
        left.len(),
        right.len(),
        show(left),
        show(right),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_entry_that_differs_is_told() {
        let journal = |text: &str| -> Vec<String> { text.split(' ').map(str::to_owned).collect() };
        assert_eq!(parting(&journal("a b c"), &journal("a b c")), None);
        let told = parting(&journal("a b c d"), &journal("a b x d")).expect("they part");
        assert_eq!(
            told,
            "the journals part at line 3 of 4 and 4\n  after  b\n  one    c\n  other  x"
        );
        let told = parting(&journal("a"), &journal("a b")).expect("they part");
        assert!(told.ends_with("one    (it ends)\n  other  b"), "{told}");
    }
}
