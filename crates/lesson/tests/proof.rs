//! Lessons that cannot be proven, in real labs: each is refused at the place and for the reason
//! that its first line expects. This is the proof of the proof.
#![allow(clippy::disallowed_methods, reason = "the files are this test's data")]

use std::path::Path;

#[test]
fn lessons_that_do_not_hold_are_refused() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/unproven");
    let mut paths: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    for path in paths {
        let text = std::fs::read_to_string(&path).expect("text");
        let expected = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# expect: "));
        let lesson = match kubarium_lesson::parse("f", &text) {
            Ok(lesson) => lesson,
            Err(problems) => panic!("{}: {}", path.display(), problems[0]),
        };
        let problems = kubarium_lesson::prove(&lesson).expect_err("it does not hold");
        let found = problems[0].to_string().split_off(2);
        assert_eq!(Some(&*found), expected, "{}", path.display());
    }
}
