//! Where things are, and whether they changed.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The checkout.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here).to_path_buf()
}

/// A hash over the names and contents of everything below `paths` (relative to the checkout), build
/// products and dependencies left out.
pub(crate) fn fingerprint(paths: &[&str]) -> Result<String> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut feed = |bytes: &[u8]| {
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            let mixed =
                (hash.rotate_left(23) ^ u64::from_le_bytes(word)).wrapping_mul(0x0100_0000_01b3);
            hash = mixed ^ (mixed >> 29);
        }
    };
    for path in paths {
        for file in walk(&root().join(path))? {
            feed(file.to_string_lossy().as_bytes());
            feed(&std::fs::read(&file).with_context(|| format!("cannot read {file:?}"))?);
        }
    }
    Ok(format!("{hash:016x}"))
}

/// All files below a path, sorted; the path itself if it is a file.
pub(crate) fn walk(path: &Path) -> Result<Vec<PathBuf>> {
    if path.is_file() {
        return Ok(vec![path.to_path_buf()]);
    }
    let mut found = Vec::new();
    let entries = std::fs::read_dir(path).with_context(|| format!("cannot list {path:?}"))?;
    for entry in entries {
        let path = entry?.path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if !matches!(
            name.as_str(),
            "node_modules" | "dist" | "target" | "out" | ".git"
        ) {
            found.extend(walk(&path)?);
        }
    }
    found.sort();
    Ok(found)
}
