//! Running other programs, and saying what is being done and how long it took.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

/// Runs a command to its end, its output shown.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    println!("$ {shown}");
    let status = command
        .status()
        .with_context(|| format!("cannot run {shown}"))?;
    if !status.success() {
        bail!("{shown} failed ({status})");
    }
    Ok(())
}

/// Runs a command and gives its standard output, trimmed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command
        .stderr(Stdio::piped())
        .output()
        .with_context(|| format!("cannot run {shown}"))?;
    if !output.status.success() {
        bail!(
            "{shown} failed:\n{}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Runs a long command quietly, with a line that counts the seconds; its output is kept in `log`
/// and shown only if it fails.
pub(crate) fn with_progress(
    what: &str,
    log: &std::path::Path,
    command: &mut Command,
) -> Result<()> {
    let file = std::fs::File::create(log).with_context(|| format!("cannot write {log:?}"))?;
    command
        .stdout(file.try_clone()?)
        .stderr(file)
        .stdin(Stdio::null());
    let begun = Instant::now();
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot run {}", show(command)))?;
    let live = std::io::stdout().is_terminal();
    if !live {
        println!("{what} …");
    }
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if live {
            print!("\r{what} … {} s ", begun.elapsed().as_secs());
            std::io::stdout().flush()?;
        }
        std::thread::sleep(Duration::from_millis(200));
    };
    let seconds = begun.elapsed().as_secs();
    if !status.success() {
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(30)..].join("\n");
        bail!(
            "{what} failed after {seconds} s ({status}); the end of {}:\n{tail}",
            log.display()
        );
    }
    println!(
        "{}{what}: done in {seconds} s",
        if live { "\r" } else { "" }
    );
    Ok(())
}

fn show(command: &Command) -> String {
    let mut shown = command.get_program().to_string_lossy().into_owned();
    for arg in command.get_args() {
        shown.push(' ');
        shown.push_str(&arg.to_string_lossy());
    }
    shown
}
