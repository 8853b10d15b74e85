//! Lesson files: sound ones are read, broken ones refused at the place and with the words that
//! their own first lines expect: `# expect: line:column: message`.
#![allow(clippy::disallowed_methods, reason = "the files are this test's data")]

use std::path::{Path, PathBuf};

fn files(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/data")
        .join(folder);
    let entries = std::fs::read_dir(&folder).expect("the folder is there");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("readable").path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty(), "{} is empty", folder.display());
    paths
}

fn expected(text: &str) -> Vec<String> {
    text.lines()
        .map_while(|line| line.strip_prefix("# expect: "))
        .map(str::to_owned)
        .collect()
}

fn found(problems: &[kubarium_lesson::Problem]) -> Vec<String> {
    let prefix = |problem: &kubarium_lesson::Problem| problem.to_string().split_off(2);
    problems.iter().map(prefix).collect()
}

#[test]
fn sound_lessons_are_read() {
    for path in files("sound") {
        let text = std::fs::read_to_string(&path).expect("text");
        if let Err(problems) = kubarium_lesson::parse(&path.display().to_string(), &text) {
            panic!("{}", problems[0]);
        }
    }
}

#[test]
fn broken_lessons_are_refused_with_place_and_reason() {
    let mut wrong = String::new();
    for path in files("broken") {
        let text = std::fs::read_to_string(&path).expect("text");
        let problems = match kubarium_lesson::parse("f", &text) {
            Ok(_) => Vec::new(),
            Err(problems) => found(&problems),
        };
        if problems != expected(&text) {
            wrong.push_str(&format!("{}\n", path.display()));
            for problem in problems {
                wrong.push_str(&format!("# expect: {problem}\n"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "expectations that do not fit, and what was found:\n{wrong}"
    );
}

#[test]
fn a_lesson_lies_where_it_says() {
    let text = "apiVersion: kubarium.dev/v1\nkind: Lesson\nmetadata:\n  name: first\n  \
                title: First\n  track: basics\n  summary: The first.\nspec:\n  steps:\n  \
                - title: A\n    text: Do it.\n    checks: [{object: {kind: Pod, name: a}}]\n    \
                solution: [{run: make}]\n";
    let check = |file: &str, expected: &[&str]| {
        let problems = kubarium_lesson::parse(file, text).err().unwrap_or_default();
        let found: Vec<String> = problems
            .iter()
            .map(|problem| problem.message.clone())
            .collect();
        assert_eq!(found, expected, "{file}");
    };
    check("lessons/basics/01-first/lesson.yaml", &[]);
    check("first.yaml", &[]);
    check(
        "lessons/basics/02-second/lesson.yaml",
        &["expected \"second\", as the folder \"02-second\" is called"],
    );
    check(
        "lessons/network/01-first/lesson.yaml",
        &["expected \"network\", as the folder above is called"],
    );
}

#[test]
fn names_are_unique() {
    let text = std::fs::read_to_string(&files("sound")[0]).expect("text");
    let lesson = |file: &str| kubarium_lesson::parse(file, &text).expect("sound");
    let problems = kubarium_lesson::duplicates(&[lesson("a.yaml"), lesson("b.yaml")]);
    assert_eq!(
        problems[0].to_string(),
        "b.yaml:1:1: the lesson tests/everything is in a.yaml already"
    );
}
