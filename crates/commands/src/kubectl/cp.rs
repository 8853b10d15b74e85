//! `kubectl cp`: files to and from a container, by the `tar` that is in it.
//!
//! Models kubectl/pkg/cmd/cp.

use machine::{Fd, FileKind};

use super::Verb;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::pods::{container_of, defaulted};
use super::session::{Call, Session};
use super::streams::{At, Captured, capture};
use crate::files;
use crate::io::{join, split_path};
use crate::tar::archive::{self, Content};
use crate::tar::tree;

const FLAGS: &[Flag] = &[
    value("container").short('c'),
    value("retries"),
    switch("no-preserve"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "cp",
    summary: "Copy files and directories to and from containers",
    usage: "kubectl cp <file-spec-src> <file-spec-dest> [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(cp(session, line)),
};

/// One side of a copy.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Spec {
    namespace: Option<String>,
    /// Empty: here.
    pod: String,
    path: String,
}

impl Spec {
    /// Reads `[[namespace/]pod:]path`.
    fn read(text: &str) -> Outcome<Spec> {
        let Some((pod, path)) = text.split_once(':') else {
            return Ok(Spec {
                namespace: None,
                pod: String::new(),
                path: text.to_owned(),
            });
        };
        let parts: Vec<&str> = pod.split('/').collect();
        let (namespace, pod) = match parts.as_slice() {
            [pod] if !pod.is_empty() => (None, *pod),
            [namespace, pod] => (Some((*namespace).to_owned()), *pod),
            _ => {
                return Err(Failure::message(
                    "filespec must match the canonical format: [[namespace/]pod:]file/path",
                ));
            }
        };
        Ok(Spec {
            namespace,
            pod: pod.to_owned(),
            path: path.to_owned(),
        })
    }
}

async fn cp(session: &Session, line: &Line) -> Outcome {
    let [from, to] = line.args.as_slice() else {
        return Err(Failure::message("source and destination are required"));
    };
    let (from, to) = (Spec::read(from)?, Spec::read(to)?);
    if !from.pod.is_empty() && !to.pod.is_empty() {
        return Err(Failure::message(
            "one of src or dest must be a local file specification",
        ));
    }
    if from.path.is_empty() || to.path.is_empty() {
        return Err(Failure::message("filepath can not be empty"));
    }
    match (from.pod.is_empty(), to.pod.is_empty()) {
        (false, _) => download(session, line, &from, &to.path).await,
        (_, false) => upload(session, line, &from.path, &to).await,
        _ => Err(Failure::message(
            "one of src or dest must be a remote file specification",
        )),
    }
}

/// Where it is said which container was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Note {
    Nowhere,
    Stdout,
    Stderr,
}

/// Runs a command in the container of the remote side, chosen anew each time, as upstream does.
async fn run(
    session: &Session,
    line: &Line,
    spec: &Spec,
    command: &[&str],
    (input, note): (Option<&[u8]>, Note),
) -> Outcome<Captured> {
    let discovery = session.discovery().await?;
    let namespace = spec.namespace.as_ref().unwrap_or(&session.namespace);
    let path = discovery.resolve("pods")?.path(namespace, &spec.pod);
    let pod = session.call(Call::get(path)).await?;
    let phase = pod.str_at("status.phase");
    if matches!(phase, "Succeeded" | "Failed") {
        return Err(Failure::message(format!(
            "cannot exec into a container in a completed pod; current phase is {phase}"
        )));
    }
    let named = line.get("container");
    let quiet = note != Note::Stderr;
    let container = container_of(session, &pod, named, quiet).await?;
    if note == Note::Stdout
        && named.is_none()
        && let Some(text) = defaulted(&pod, &container)
    {
        session.io.print(&text).await;
    }
    let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
    let at = At {
        namespace,
        pod: &spec.pod,
        container: &container,
    };
    capture(session, &at, &command, input).await
}

async fn upload(session: &Session, line: &Line, from: &str, to: &Spec) -> Outcome {
    let io = &session.io;
    if files::stat(io, from).await.is_err() {
        return Err(Failure::message(format!(
            "{from} doesn't exist in local filesystem"
        )));
    }
    let mut target = clean(&to.path);
    let is_dir = run(
        session,
        line,
        to,
        &["test", "-d", &target],
        (None, Note::Nowhere),
    )
    .await;
    if is_dir.is_ok_and(|ended| ended.outcome.is_ok()) {
        target = join(&target, split_path(&clean(from)).1);
    }
    let (dir, name) = split_path(&target);
    let mut entries = Vec::new();
    tree::gather(io, from, name, &mut entries)
        .await
        .map_err(|errno| {
            let why = errno.go_message();
            Failure::message(format!("open {from}: {why}"))
        })?;
    let bytes = archive::write(&entries);
    let mut command = vec!["tar", "-xmf", "-"];
    if line.on("no-preserve") {
        command.splice(1..1, ["--no-same-permissions", "--no-same-owner"]);
    }
    command.extend(["-C", dir]);
    let ended = run(session, line, to, &command, (Some(&bytes), Note::Stderr)).await?;
    io.write_all(Fd::STDOUT, &ended.stdout).await;
    io.write_all(Fd::STDERR, &ended.stderr).await;
    ended.outcome
}

async fn download(session: &Session, line: &Line, from: &Spec, to: &str) -> Outcome {
    let io = &session.io;
    let path = clean(&from.path);
    let ended = run(
        session,
        line,
        from,
        &["tar", "cf", "-", &path],
        (None, Note::Stdout),
    )
    .await?;
    // What tar complains of comes where the copy says how it goes.
    io.write_all(Fd::STDOUT, &ended.stderr).await;
    let entries = match archive::read(&ended.stdout) {
        Some(entries) if !ended.stdout.is_empty() => entries,
        _ => {
            io.print("Dropping out copy after 0 retries\n").await;
            // How the other side ended is not asked.
            return match ended.stdout.is_empty() {
                true => Ok(()),
                false => Err(Failure::message("unexpected EOF")),
            };
        }
    };
    let prefix = path.trim_matches('/').trim_start_matches("../").to_owned();
    for mut entry in entries {
        let Some(below) = entry.name.strip_prefix(&prefix) else {
            return Err(Failure::message("tar contents corrupted"));
        };
        let below = below.trim_start_matches('/');
        let target = match below {
            "" => to.to_owned(),
            below => join(to, below),
        };
        if below.split('/').any(|part| part == "..") {
            let note =
                format!("warning: file {target:?} is outside target destination, skipping\n");
            io.eprint(&note).await;
            continue;
        }
        if let Content::Symlink(link) = &entry.content {
            let note = format!("warning: skipping symlink: {target:?} -> {link:?}\n");
            io.eprint(&note).await;
            continue;
        }
        let there = files::stat(io, &target).await;
        if matches!(entry.content, Content::File(_))
            && there.is_ok_and(|stat| stat.kind == FileKind::Dir)
        {
            let why = format!("open {target}: is a directory");
            return Err(Failure::message(why));
        }
        // What arrives is new here, and belongs to whoever copies.
        entry.mode = match entry.content {
            Content::Dir => 0o755,
            _ => 0o644,
        };
        tree::put(io, &target, &entry, false)
            .await
            .map_err(|errno| Failure::message(format!("open {target}: {}", errno.go_message())))?;
    }
    Ok(())
}

/// A path without what means nothing: `a//b/./c/` is `a/b/c`.
fn clean(path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            ".." if path.starts_with('/') => {}
            part => parts.push(part),
        }
    }
    let joined = parts.join("/");
    match (path.starts_with('/'), joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".to_owned(),
        (false, false) => joined,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sides_of_a_copy() {
        let read = |text: &str| {
            Spec::read(text)
                .map(|s| (s.namespace.unwrap_or_default(), s.pod, s.path))
                .map_err(|failure| failure.text())
        };
        let side = |n: &str, p: &str, f: &str| Ok((n.to_owned(), p.to_owned(), f.to_owned()));
        assert_eq!(read("x.txt"), side("", "", "x.txt"));
        assert_eq!(read("web:/tmp/"), side("", "web", "/tmp/"));
        assert_eq!(read("ns/web:a"), side("ns", "web", "a"));
        let wrong =
            "error: filespec must match the canonical format: [[namespace/]pod:]file/path\n";
        assert_eq!(read(":a"), Err(wrong.to_owned()));
        assert_eq!(read("a/b/c:d"), Err(wrong.to_owned()));
    }

    #[test]
    fn paths_are_cleaned() {
        let cleaned = ["/tmp/", "a//b/./c", "./", "/../x", "a/../../b"].map(clean);
        assert_eq!(cleaned, ["/tmp", "a/b/c", ".", "/x", "../b"]);
    }
}
