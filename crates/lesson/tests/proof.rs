//! Proofs in real labs. Lessons that hold are proven; each that does not is refused at the place
//! and for the reason that its first line expects. This is the proof of the proof.
#![allow(clippy::disallowed_methods, reason = "the files are this test's data")]

use std::path::{Path, PathBuf};

use kubarium_lesson::{Lesson, parse, prove, seeds};

fn lessons(folder: &str) -> Vec<(PathBuf, String, Lesson)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    let read = |path: PathBuf| {
        let text = std::fs::read_to_string(&path).expect("text");
        match parse("f", &text) {
            Ok(lesson) => (path, text, lesson),
            Err(problems) => panic!("{}: {}", path.display(), problems[0]),
        }
    };
    paths.into_iter().map(read).collect()
}

#[test]
fn lessons_that_hold_are_proven() {
    for (path, _, lesson) in lessons("proven") {
        match prove(&lesson, &seeds(&lesson, 3)) {
            Ok(proof) => assert_eq!((proof.steps, proof.seeds.len()), (lesson.steps.len(), 3)),
            Err(problems) => panic!("{}: {}", path.display(), problems[0]),
        }
    }
}

#[test]
fn lessons_that_do_not_hold_are_refused() {
    for (path, text, lesson) in lessons("unproven") {
        let expected = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix("# expect: "));
        let problems = prove(&lesson, &seeds(&lesson, 3)).expect_err("it does not hold");
        let found = problems[0].to_string().split_off(2);
        assert_eq!(Some(&*found), expected, "{}", path.display());
    }
}
