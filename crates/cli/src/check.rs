//! `kubarium check`: finds lessons, reads them and has them proven.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use lesson::{Lesson, Problem, Proof};

/// The name of a lesson's file.
const FILE: &str = "lesson.yaml";
/// Folders that hold no lessons.
const SKIPPED: [&str; 3] = [".git", "node_modules", "target"];

#[derive(Debug, PartialEq, Eq)]
struct Options {
    paths: Vec<PathBuf>,
    seeds: usize,
}

/// Proves the lessons below the given paths; fails if one does not hold.
pub(crate) fn check(args: &[String]) -> Result<ExitCode> {
    let options = read(args)?;
    let mut files = Vec::new();
    for path in &options.paths {
        find(path, &mut files)?;
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        let paths: Vec<String> = options.paths.iter().map(|path| shown(path)).collect();
        bail!("there is no {FILE} in {}", paths.join(", "));
    }
    let (mut lessons, mut failed) = (Vec::new(), 0);
    for file in &files {
        let name = shown(file);
        let text = std::fs::read_to_string(file).with_context(|| name.clone())?;
        match lesson::parse(&name, &text) {
            Ok(lesson) => lessons.push(lesson),
            Err(problems) => {
                tell(&name, &problems);
                failed += 1;
            }
        }
    }
    let duplicates = lesson::duplicates(&lessons);
    if !duplicates.is_empty() {
        tell("lessons of the same name", &duplicates);
        failed += duplicates.len();
    }
    let mut passed = 0;
    for lesson in &lessons {
        let begun = Instant::now();
        match lesson::prove(lesson, &lesson::seeds(lesson, options.seeds)) {
            Ok(proof) => {
                praise(lesson, &proof, begun);
                passed += 1;
            }
            Err(problems) => {
                tell(&name(lesson), &problems);
                failed += 1;
            }
        }
    }
    println!("lessons: {passed} passed, {failed} failed");
    Ok(if failed == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn read(args: &[String]) -> Result<Options> {
    use lexopt::prelude::*;
    let mut options = Options {
        paths: Vec::new(),
        seeds: lesson::SEEDS,
    };
    let mut parser = lexopt::Parser::from_args(args);
    while let Some(arg) = parser.next()? {
        match arg {
            Long("seeds") => {
                options.seeds = parser.value()?.parse()?;
                if !(1..=1000).contains(&options.seeds) {
                    bail!("--seeds {}: expected 1 to 1000", options.seeds);
                }
            }
            Value(path) => options.paths.push(path.into()),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.paths.is_empty() {
        bail!("usage: kubarium check PATH... [--seeds N]");
    }
    Ok(options)
}

/// A file as it is named, whatever its name; in a folder everything called `lesson.yaml`.
fn find(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    if path.is_file() {
        found.push(path.to_path_buf());
        return Ok(());
    }
    let entries = std::fs::read_dir(path).with_context(|| shown(path))?;
    for entry in entries {
        let path = entry.with_context(|| shown(path))?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() {
            if !SKIPPED.contains(&&*name) {
                find(&path, found)?;
            }
        } else if name == FILE {
            found.push(path);
        }
    }
    Ok(())
}

fn name(lesson: &Lesson) -> String {
    format!("{}/{}", lesson.track, lesson.name)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

fn praise(lesson: &Lesson, proof: &Proof, begun: Instant) {
    let Proof { seeds, steps, took } = proof;
    let worlds = if seeds.len() == 1 {
        "1 seed".to_owned()
    } else {
        format!("{} seeds", seeds.len())
    };
    println!(
        "ok    {} ({steps} steps, {worlds}, {:.0} virtual seconds, {:.1} s)",
        name(lesson),
        took.as_secs_f64(),
        begun.elapsed().as_secs_f64(),
    );
}

fn tell(what: &str, problems: &[Problem]) {
    println!("FAIL  {what}");
    for problem in problems {
        println!("{problem}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strings(args: &[&str]) -> Vec<String> {
        args.iter().map(|arg| (*arg).to_owned()).collect()
    }

    #[test]
    fn arguments_are_read_and_mistakes_told() {
        let options = read(&strings(&["lessons", "--seeds", "3", "x/lesson.yaml"])).expect("sound");
        assert_eq!(
            options,
            Options {
                paths: vec!["lessons".into(), "x/lesson.yaml".into()],
                seeds: 3
            }
        );
        let cases: [(&[&str], &str); 4] = [
            (&[], "usage: kubarium check"),
            (&["--seeds", "0", "x"], "expected 1 to 1000"),
            (&["--seeds", "many", "x"], "many"),
            (&["--fast", "x"], "--fast"),
        ];
        for (args, expected) in cases {
            let error = read(&strings(args)).expect_err("refused").to_string();
            assert!(error.contains(expected), "{args:?}: {error}");
        }
    }

    #[test]
    fn lessons_are_found_in_folders_and_by_name() {
        let lessons = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../lessons");
        let mut found = Vec::new();
        find(&lessons, &mut found).expect("it can be read");
        assert!(found.len() >= 2, "{found:?}");
        assert!(found.iter().all(|path| path.ends_with(FILE)), "{found:?}");
        let mut one = Vec::new();
        find(&found[0], &mut one).expect("it can be read");
        assert_eq!(one, found[..1]);
        assert!(find(&lessons.join("nowhere"), &mut one).is_err());
    }
}
