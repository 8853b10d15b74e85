//! The files of the checkout that people write.

use std::path::Path;

use kubarium_tests::root;

/// A file of text.
pub(crate) struct Source {
    /// Relative to the checkout, with slashes: `crates/sim/src/lib.rs`.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Source {
    /// The crate's folder below `crates/`, or the first folder: `sim`, `web`.
    pub(crate) fn part(&self) -> &str {
        let path = self.path.strip_prefix("crates/").unwrap_or(&self.path);
        path.split('/').next().unwrap_or(path)
    }

    pub(crate) fn is_rust(&self) -> bool {
        has_extension(&self.path, "rs")
    }

    /// `path:line: what`, the line counted from 0.
    pub(crate) fn at(&self, line: usize, what: &str) -> String {
        format!("{}:{}: {what}", self.path, line + 1)
    }

    /// `node_name` of `plugins/node_name.rs`.
    pub(crate) fn stem(&self) -> &str {
        let name = self.path.rsplit('/').next().unwrap_or(&self.path);
        name.split('.').next().unwrap_or(name)
    }
}

pub(crate) fn has_extension(path: &str, extension: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|found| found == extension)
}

/// Build products, and what a package manager put there.
const NOT_OURS: [&str; 6] = [".git", "dist", "node_modules", "out", "pkg", "target"];
/// Written by a package manager.
const LOCK_FILES: [&str; 2] = ["Cargo.lock", "package-lock.json"];

/// All files of text in the checkout, by path.
pub(crate) fn all() -> Vec<Source> {
    let mut found = Vec::new();
    walk(&root(), "", &mut found);
    found.sort_by(|a, b| a.path.cmp(&b.path));
    found
}

/// The Rust files.
pub(crate) fn rust() -> Vec<Source> {
    let mut found = all();
    found.retain(Source::is_rust);
    found
}

fn walk(dir: &Path, prefix: &str, found: &mut Vec<Source>) {
    let entries = std::fs::read_dir(dir).expect("the checkout can be read");
    for entry in entries {
        let entry = entry.expect("the checkout can be read");
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() {
            name.clone()
        } else {
            format!("{prefix}/{name}")
        };
        let kind = entry.file_type().expect("a file of some type");
        // In a second worktree `.git` is a file.
        if NOT_OURS.contains(&&*name) {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), &path, found);
        } else if kind.is_file()
            && !LOCK_FILES.contains(&&*name)
            && let Ok(text) = std::fs::read_to_string(entry.path())
        {
            found.push(Source { path, text });
        }
    }
}
