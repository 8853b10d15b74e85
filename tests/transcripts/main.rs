//! Transcripts: stories of a cluster, told by commands and what they print. Every `*.txt` beside
//! this file is one; see `story.rs` for its form. `UPDATE_EXPECT=1` writes what was printed.
#![allow(clippy::disallowed_methods, reason = "the stories are files")]

mod normal;
mod stage;
mod story;

use std::path::PathBuf;

use kubarium_tests::{first_difference, root, update};

use crate::stage::Stage;
use crate::story::Story;

fn files() -> Vec<PathBuf> {
    let folder = root().join("tests/transcripts");
    let entries = std::fs::read_dir(folder).expect("it is there");
    let paths = entries.map(|entry| entry.expect("readable").path());
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|found| found == "txt"))
        .collect();
    files.sort();
    files
}

/// Tells a story again; its text with what was printed this time.
fn tell(text: &str) -> Result<String, String> {
    let mut story = Story::parse(text)?;
    let mut stage = Stage::new(&story)?;
    for part in &mut story.parts {
        stage.play(part)?;
    }
    Ok(story.to_string())
}

#[test]
fn stories_go_as_told() {
    // `KUBARIUM_STORY=rollout` tells only those with that in their names.
    let only = std::env::var("KUBARIUM_STORY").unwrap_or_default();
    let mut wrong = Vec::new();
    let mut told = 0;
    for file in files() {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !name.contains(&only) {
            continue;
        }
        told += 1;
        let text = std::fs::read_to_string(&file).expect("text");
        match tell(&text) {
            Ok(found) if found == text => {}
            Ok(found) if update() => std::fs::write(&file, found).expect("it can be written"),
            Ok(found) => wrong.push(format!("{name}{}", first_difference(&text, &found))),
            Err(why) => wrong.push(format!("{name}: {why}")),
        }
    }
    assert!(told > 0, "there are no stories");
    assert!(
        wrong.is_empty(),
        "{}\n(UPDATE_EXPECT=1 rewrites them)",
        wrong.join("\n")
    );
}
