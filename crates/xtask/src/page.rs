//! The page: built by trunk, and only if something it is made of changed.

use std::path::PathBuf;

use anyhow::Result;

use crate::files::{fingerprint, root};
use crate::run::run;
use crate::tools::{Tools, page_tools};

const SOURCES: [&str; 7] = [
    "Cargo.toml",
    "Cargo.lock",
    "trunk.toml",
    "rust-toolchain.toml",
    "crates",
    "lessons",
    "web",
];

/// Builds the page if needed; the folder it is in.
pub(crate) fn build() -> Result<PathBuf> {
    build_with(&page_tools()?)
}

/// Builds the page with tools that are installed already.
pub(crate) fn build_with(tools: &Tools) -> Result<PathBuf> {
    let dist = root().join("web/dist");
    let stamp = root().join("target/page-fingerprint");
    let wanted = fingerprint(&SOURCES)?;
    if dist.join("index.html").is_file()
        && std::fs::read_to_string(&stamp).is_ok_and(|built| built == wanted)
    {
        println!("the page is up to date");
        return Ok(dist);
    }
    // trunk works offline; whatever Cargo.lock names has to be here before.
    run(tools.command("cargo").args(["fetch", "--locked"]))?;
    run(tools.command("trunk").args(["build", "--release"]))?;
    std::fs::create_dir_all(root().join("target"))?;
    std::fs::write(stamp, wanted)?;
    Ok(dist)
}
