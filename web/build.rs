//! Lists the lessons of `lessons/` for the worker: `LESSONS: &[(id, path, text)]` in reading order.
#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a build script works with files"
)]

use std::fs;
use std::path::{Path, PathBuf};

fn main() {
    let lessons = Path::new(env!("CARGO_MANIFEST_DIR")).join("../lessons");
    println!("cargo::rerun-if-changed={}", lessons.display());
    let mut list = String::from("&[\n");
    for track in folders(&lessons) {
        println!("cargo::rerun-if-changed={}", track.display());
        for lesson in folders(&track) {
            let file = lesson.join("lesson.yaml");
            println!("cargo::rerun-if-changed={}", file.display());
            let Ok(file) = file.canonicalize() else {
                continue;
            };
            let id = format!("{}/{}", name(&track), name(&lesson));
            let path = format!("lessons/{id}/lesson.yaml");
            list.push_str(&format!(
                "    ({id:?}, {path:?}, include_str!({file:?})),\n"
            ));
        }
    }
    list.push(']');
    let out = PathBuf::from(std::env::var_os("OUT_DIR").expect("cargo names a folder"));
    fs::write(out.join("lessons.rs"), list).expect("cargo's folder can be written to");
}

/// The folders in a folder, by name.
fn folders(of: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(of).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries
        .map(|entry| entry.path())
        .filter(|path| path.is_dir())
        .collect();
    found.sort();
    found
}

fn name(folder: &Path) -> String {
    folder
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
