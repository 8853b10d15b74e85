//! Plugins: programs on the path whose names begin with `kubectl-`, and `kubectl plugin list`.
//!
//! Models kubectl/pkg/cmd/plugin/plugin.go.

use machine::{Exec, Io, Spawn};

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch};
use super::session::Session;

const FLAGS: &[Flag] = &[switch("name-only")];
const PREFIX: &str = "kubectl-";

/// The verbs of the group.
pub(super) const VERBS: [&Verb; 1] = [&LIST];

const LIST: Verb = Verb {
    name: "plugin list",
    summary: "List all visible plugin executables on a user's PATH",
    usage: "kubectl plugin list [flags] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(list(session, line)),
};

async fn list(session: &Session, line: &Line) -> Outcome {
    let found = plugins(&session.io).await;
    if found.is_empty() {
        return Err(Failure::message(
            "unable to find any kubectl plugins in your PATH",
        ));
    }
    let mut text = String::from("The following compatible plugins are available:\n\n");
    for path in found {
        let name = path.rsplit('/').next().unwrap_or_default();
        let shown = if line.on("name-only") { name } else { &path };
        text.push_str(&format!("{shown}\n"));
    }
    session.io.print(&text).await;
    Ok(())
}

/// Paths of all plugins, in the order of the path.
async fn plugins(io: &Io) -> Vec<String> {
    let path = io.env("PATH").unwrap_or_default();
    io.sys(move |sys| {
        let mut found = Vec::new();
        for dir in path.split(':').filter(|dir| !dir.is_empty()) {
            for entry in sys.read_dir(dir).unwrap_or_default() {
                let can_run = !entry.stat.is_dir() && entry.stat.mode & 0o111 != 0;
                if can_run && entry.name.starts_with(PREFIX) {
                    found.push(format!("{dir}/{}", entry.name));
                }
            }
        }
        found
    })
    .await
}

/// Runs the plugin that the words name, with the words behind its name: the one with the longest
/// name wins, which is of this many words at least. `None`: there is none.
pub(super) async fn run(io: &Io, words: &[String], least: usize) -> Option<Outcome> {
    let count = words
        .iter()
        .position(|word| word.starts_with('-'))
        .unwrap_or(words.len());
    let all = plugins(io).await;
    let (path, used) = (least..=count).rev().find_map(|used| {
        let words: Vec<String> = words[..used]
            .iter()
            .map(|word| word.replace('-', "_"))
            .collect();
        let end = format!("/{PREFIX}{}", words.join("-"));
        let path = all.iter().find(|path| path.ends_with(&end))?;
        Some((path.clone(), used))
    })?;
    let mut args = vec![path.as_str().into()];
    args.extend(words[used..].iter().map(|word| word.as_str().into()));
    let spawn = Spawn::new(Exec::Path(path.as_str().into()), args).with_stdio();
    let pid = match io.spawn(spawn).await {
        Ok(pid) => pid,
        Err(errno) => return Some(Err(Failure::message(errno.message()))),
    };
    Some(match io.wait(pid).await.shell_code() {
        0 => Ok(()),
        code => Err(Failure::Exit(String::new(), code)),
    })
}
