//! `kubarium journal`: the reference scenario's journal, for comparing builds with one another.

use std::process::ExitCode;

use anyhow::{Context, Result, bail};

/// Writes the journal and prints its hash.
pub(crate) fn journal(args: &[String]) -> Result<ExitCode> {
    let path = match args {
        [path] if !path.starts_with('-') => path,
        _ => bail!("usage: kubarium journal FILE"),
    };
    let lines = lab::scenario::journal();
    std::fs::write(path, lines.join("\n")).with_context(|| path.clone())?;
    println!("{} entries in {path}", lines.len());
    Ok(ExitCode::SUCCESS)
}
