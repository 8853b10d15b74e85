//! `kubectl edit`: the object as YAML in the page's editor, then sent back as a patch.
//!
//! Models kubectl/pkg/cmd/util/editor.

use api::{Value, yaml};
use machine::{Exec, Spawn};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, Found, done, find};
use super::apply::three_way;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::session::{Call, JSON, Session};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::MANAGER,
    value("subresource"),
    switch("output-patch"),
    switch("save-config"),
    switch("show-managed-fields"),
    switch("windows-line-endings"),
    switch("recursive").short('R'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "edit",
    summary: "Edit a resource on the server",
    usage: "kubectl edit (RESOURCE/NAME | -f FILENAME) [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(edit(session, line)),
};

const NOTE: &str = "# Please edit the object below. Lines beginning with a '#' will be ignored,
# and an empty file will abort the edit. If an error occurs while saving this file will be
# reopened with the relevant failures.
#
";

async fn edit(session: &Session, line: &Line) -> Outcome {
    for found in find(session, line, &line.args).await? {
        one(session, line, &found).await?;
    }
    Ok(())
}

async fn one(session: &Session, line: &Line, found: &Found) -> Outcome {
    let original = super::print::trimmed(&found.value, false);
    let first = yaml::to_string(&original);
    let mut shown = first.clone();
    let mut problem = String::new();
    let path = format!(
        "/tmp/kubectl-edit-{}.yaml",
        session.io.sys(|sys| sys.random().hex(10)).await
    );
    loop {
        let notes: String = problem.lines().map(|line| format!("# {line}\n")).collect();
        let text = format!("{NOTE}{notes}{shown}");
        session.io.write_file(&path, text.as_bytes()).await.ok();
        open_editor(session, &path).await?;
        let edited = session.io.read_to_string(&path).await.unwrap_or_default();
        let body: String = edited
            .lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| format!("{line}\n"))
            .collect();
        if body.trim().is_empty() || body == first {
            session
                .io
                .eprint("Edit cancelled, no changes made.\n")
                .await;
            return Ok(());
        }
        if body == shown && !problem.is_empty() {
            let text = format!("A copy of your changes has been stored to {path:?}\n");
            session.io.eprint(&text).await;
            return Err(Failure::message(
                "Edit cancelled, no valid changes were saved.",
            ));
        }
        match send(session, line, found, &original, &body).await {
            Ok(patched) => {
                let dir = path.clone();
                session.io.sys(move |sys| sys.remove(&dir)).await.ok();
                return done(session, line, DryRun::None, &patched, "edited").await;
            }
            Err(failure) => {
                problem = failure.text();
                shown = body;
            }
        }
    }
}

async fn send(
    session: &Session,
    line: &Line,
    found: &Found,
    original: &Value,
    text: &str,
) -> Outcome<Value> {
    let edited = yaml::parse_all(text)
        .map_err(|why| Failure::message(format!("error parsing edited-file: {why}")))?
        .into_iter()
        .next()
        .map(|document| document.value)
        .unwrap_or_default();
    let (media_type, body) = three_way(original, &edited, original)?;
    let query = act::query(line, DryRun::None, "kubectl-edit", true);
    let target = format!("{}{query}", found.path());
    let body = Some((media_type, body));
    session
        .call(Call {
            method: Method::Patch,
            target,
            accept: JSON,
            body,
        })
        .await
}

/// Runs the editor of `KUBE_EDITOR` or `EDITOR`, vi unless set, on a file.
async fn open_editor(session: &Session, path: &str) -> Outcome {
    let editor = session
        .io
        .env("KUBE_EDITOR")
        .or_else(|| session.io.env("EDITOR"));
    let editor = editor.unwrap_or_else(|| "vi".into());
    let command = format!("{editor} {path}");
    let args = vec!["sh".into(), "-c".into(), command.into()];
    let spawn = Spawn::new(Exec::Path("/bin/sh".into()), args).with_stdio();
    let failed = |why: &str| {
        Failure::message(format!(
            "there was a problem with the editor {editor:?}: {why}"
        ))
    };
    let pid = session
        .io
        .spawn(spawn)
        .await
        .map_err(|errno| failed(errno.message()))?;
    let status = session.io.wait(pid).await;
    if status.success() {
        Ok(())
    } else {
        Err(failed("it ended with an error"))
    }
}
