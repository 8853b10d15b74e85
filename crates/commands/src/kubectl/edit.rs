//! `kubectl edit`: the object as YAML in the page's editor, then sent back as a patch.
//!
//! Models kubectl/pkg/cmd/util/editor.

use std::rc::Rc;

use api::{Value, object, yaml};
use machine::{Exec, Spawn};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, Found, MERGE, done, find, find_in_order};
use super::apply::{LAST_APPLIED, three_way, with_last_applied};
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, switch, value};
use super::print::{self, Format};
use super::session::{Call, JSON, Session};
use super::target::targets;

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

/// How the problem of a file begins that cannot be read, and is opened again.
const SYNTAX: &str = "The edited file had a syntax error";

async fn edit(session: &Session, line: &Line) -> Outcome {
    let files = line.has("filename") || line.has("kustomize");
    let mut all = Vec::new();
    let mut failures = Vec::new();
    let found = match line.args.as_slice() {
        // A type alone means all of it.
        [word] if !word.contains('/') && !files => {
            let discovery = session.discovery().await?;
            for target in targets(&discovery, std::slice::from_ref(word))? {
                all.extend(act::list(session, line, &target.resource).await?);
            }
            Vec::new()
        }
        args => find_in_order(session, line, args).await?,
    };
    for found in found {
        match found {
            Ok(found) => all.push(found),
            Err(failure) => failures.push(failure),
        }
    }
    if !failures.is_empty() {
        return report(session, failures).await;
    }
    if all.is_empty() {
        return Err(Failure::message("edit cancelled, no objects found"));
    }
    if let Some(subresource) = line.get("subresource").filter(|name| !name.is_empty()) {
        for found in &mut all {
            let path = format!("{}/{subresource}", found.path());
            found.value = session.call(Call::get(path)).await?;
        }
    }
    edit_all(session, line, &all, What::Object).await
}

/// Other verbs that edit.
pub(super) const VERBS: &[&Verb] = &[&LAST];

const LAST: Verb = Verb {
    name: "apply edit-last-applied",
    summary: "Edit latest last-applied-configuration annotations of a resource/object",
    usage: "kubectl apply edit-last-applied (RESOURCE/NAME | -f FILENAME) [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(edit_last(session, line)),
};

async fn edit_last(session: &Session, line: &Line) -> Outcome {
    let mut found = find(session, line, &line.args).await?;
    found.retain(|one| !one.value.annotation(LAST_APPLIED).is_empty());
    if found.is_empty() {
        return Err(Failure::message(
            "no last-applied-configuration annotation found on resources, to create the \
             annotation, use command `kubectl apply set-last-applied --create-annotation`",
        ));
    }
    edit_all(session, line, &found, What::LastApplied).await
}

/// What of an object is edited.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    /// The object itself.
    Object,
    /// The configuration that was applied last.
    LastApplied,
    /// The object that is to be created.
    New,
}

/// Has an object edited before it is created.
pub(super) async fn before_create(session: &Session, line: &Line, found: &Found) -> Outcome {
    edit_all(session, line, std::slice::from_ref(found), What::New).await
}

/// What became of an edit that the server or the parser did not take.
struct Problem {
    /// What is said at once; nothing for a file that cannot be read.
    said: Option<String>,
    /// What stands in the file when it is opened again.
    notes: Vec<String>,
    /// Whether the editor is opened again.
    is_retried: bool,
    /// What is said about the file that was kept.
    kept: String,
}

/// How the file is written that is edited.
fn shape(line: &Line) -> Outcome<Format> {
    match line.text("output") {
        "" | "yaml" => Ok(Format::Yaml),
        "json" => Ok(Format::Json),
        "kyaml" => Ok(Format::Kyaml),
        other => Err(Failure::message(format!(
            "unable to match a printer suitable for the output format {other:?}, allowed formats \
             are: json,kyaml,yaml"
        ))),
    }
}

/// What of an object is to be edited.
fn original(found: &Found, what: What) -> Value {
    match what {
        What::Object => print::trimmed(&found.value, false),
        What::LastApplied => {
            let text = found.value.annotation(LAST_APPLIED);
            Value::from_json(text.as_bytes()).unwrap_or_default()
        }
        What::New => found.value.clone(),
    }
}

/// What stands in front of the objects: what to do, and what was wrong the last time.
fn header(format: &Format, notes: &[String]) -> String {
    if *format == Format::Json {
        return String::new();
    }
    let comments: String = notes.iter().map(|line| format!("# {line}\n")).collect();
    let end = if notes.is_empty() { "" } else { "#\n" };
    format!("{NOTE}{comments}{end}")
}

/// Has objects edited, several as the items of a list, until they are taken or given up.
async fn edit_all(session: &Session, line: &Line, all: &[Found], what: What) -> Outcome {
    let io = &session.io;
    let format = shape(line)?;
    let originals: Vec<Value> = all.iter().map(|found| original(found, what)).collect();
    let whole = match originals.as_slice() {
        [one] => one.clone(),
        many => object!({
            "apiVersion": "v1",
            "items": (Value::from(many.to_vec())),
            "kind": "List",
            "metadata": {},
        }),
    };
    let first = print::objects(&format, &[whole], true)?;
    let mut shown = first.clone();
    let mut notes = Vec::new();
    let number = io.sys(|sys| sys.random().below(9_000_000_000)).await;
    let end = if format == Format::Json {
        "json"
    } else {
        "yaml"
    };
    let path = format!("/tmp/kubectl-edit-{}.{end}", number + 1_000_000_000);
    loop {
        let text = format!("{}{shown}", header(&format, &notes));
        io.write_file(&path, text.as_bytes()).await.ok();
        open_editor(session, &path).await?;
        let edited = io.read_to_string(&path).await.unwrap_or_default();
        let body = without_comments(&edited);
        if body == shown && !notes.is_empty() {
            let text = format!("A copy of your changes has been stored to {path:?}\n");
            io.eprint(&text).await;
            return Err(Failure::message(
                "Edit cancelled, no valid changes were saved.",
            ));
        }
        if let Some(why) = unfit(&body) {
            let what = format!("{} {:?}", all[0].resource.qualified(), all[0].value.name());
            io.eprint(&format!("error: {what} is invalid\n")).await;
            notes = vec![
                format!("{what} was not valid:"),
                format!("* <nil>: Invalid value: \"The edited file failed validation\": {why}"),
            ];
            shown = body;
            continue;
        }
        if body == first {
            remove(session, &path).await;
            io.eprint("Edit cancelled, no changes made.\n").await;
            return Ok(());
        }
        let problems = send_all(session, line, (all, &originals, what), &body, &path).await?;
        if problems.is_empty() {
            remove(session, &path).await;
            return Ok(());
        }
        for said in problems.iter().filter_map(|problem| problem.said.as_ref()) {
            io.eprint(&format!("{said}\n")).await;
        }
        if let Some(last) = problems.iter().find(|problem| !problem.is_retried) {
            io.eprint(&format!("{}\n", last.kept)).await;
            return Err(Failure::Exit(String::new(), 1));
        }
        notes = problems.into_iter().flat_map(|one| one.notes).collect();
        shown = body;
    }
}

/// Why a file holds nothing that can be sent.
fn unfit(text: &str) -> Option<String> {
    let documents = match yaml::parse_all(text) {
        Ok(documents) => documents,
        Err(why) => return Some(why.to_string()),
    };
    let object = documents.into_iter().next().map(|one| one.value);
    let object = object.unwrap_or_default();
    let why = match (object.api_version(), object.kind()) {
        _ if !object.is_map() => "invalid object to validate",
        ("", "") => "[apiVersion not set, kind not set]",
        ("", _) => "apiVersion not set",
        (_, "") => "kind not set",
        _ => return None,
    };
    Some(why.to_owned())
}

/// Sends what became of each object, says so, and gives what went wrong.
async fn send_all(
    session: &Session,
    line: &Line,
    (all, originals, what): (&[Found], &[Value], What),
    text: &str,
    path: &str,
) -> Outcome<Vec<Problem>> {
    let read = yaml::parse_all(text);
    let edited = match read {
        Ok(documents) => documents.into_iter().next().map(|one| one.value),
        Err(why) => {
            let failure = Failure::message(format!("{SYNTAX}: {why}"));
            return Ok(vec![problem(&all[0], failure, path)]);
        }
    };
    let edited = edited.unwrap_or_default();
    let items = match all {
        [_] => vec![edited],
        _ => edited.list_at("items").to_vec(),
    };
    let mut problems = Vec::new();
    for item in items {
        let same = |original: &Value| original.uid() == item.uid();
        let at = match all {
            [_] => Some(0),
            _ => originals.iter().position(same),
        };
        let Some(at) = at else {
            let failure = no_original(&item);
            problems.push(problem(&all[0], failure, path));
            break;
        };
        let found = &all[at];
        let said = match what {
            What::New => "created",
            _ => "edited",
        };
        match send(session, line, found, (what, &originals[at]), item).await {
            Ok(Some(patched)) => done(session, line, DryRun::None, &patched, said).await?,
            Ok(None) => done(session, line, DryRun::None, &found.value, "skipped").await?,
            Err(failure) => problems.push(problem(found, failure, path)),
        }
    }
    Ok(problems)
}

fn without_comments(text: &str) -> String {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| format!("{line}\n")).collect()
}

async fn remove(session: &Session, path: &str) {
    let path = path.to_owned();
    // It may be gone: the editor has had it.
    session.io.sys(move |sys| sys.remove(&path)).await.ok();
}

fn problem(found: &Found, failure: Failure, path: &str) -> Problem {
    let what = format!("{} {:?}", found.resource.qualified(), found.value.name());
    let again = |said: Option<String>, notes: Vec<String>| Problem {
        said,
        notes,
        is_retried: true,
        kept: String::new(),
    };
    let Failure::Status(status) = &failure else {
        let why = failure.text();
        let why = why.trim_end().trim_start_matches("error: ").to_owned();
        return match why.starts_with(SYNTAX) {
            true => again(None, vec![why]),
            false => Problem {
                said: Some(format!(
                    "A copy of your changes has been stored to {path:?}"
                )),
                notes: Vec::new(),
                is_retried: false,
                kept: format!("error: {why}"),
            },
        };
    };
    let message = status.str_at("message");
    match status.str_at("reason") {
        "Invalid" => {
            let mut notes = vec![format!("{what} was not valid:")];
            for cause in status.list_at("details.causes") {
                let (field, message) = (cause.str("field"), cause.str("message"));
                notes.push(format!("* {field}: {message}"));
            }
            again(Some(format!("error: {what} is invalid")), notes)
        }
        // What the real kubectl's own schema check finds before anything is sent.
        "BadRequest" => again(
            Some(format!("error: {what} is invalid")),
            vec![format!("{what} was not valid:"), format!("* {message}")],
        ),
        "NotFound" => Problem {
            said: Some(format!("error: {what} could not be found on the server")),
            notes: Vec::new(),
            is_retried: false,
            kept: format!("The edits you made on deleted resources have been saved to {path:?}"),
        },
        _ => Problem {
            said: Some(format!("error: {what} could not be patched: {message}")),
            notes: Vec::new(),
            is_retried: false,
            kept: format!("You can run `kubectl replace -f {path}` to try this update again."),
        },
    }
}

/// Sends what was changed; `None` if nothing was, save in its layout.
async fn send(
    session: &Session,
    line: &Line,
    found: &Found,
    (what, original): (What, &Value),
    mut edited: Value,
) -> Outcome<Option<Value>> {
    if what == What::New {
        let (resource, namespace) = (&found.resource, found.value.namespace());
        let made = act::create(
            session,
            line,
            resource,
            namespace,
            &edited,
            "kubectl-create",
        );
        return made.await.map(Some);
    }
    if edited.same(original) {
        return Ok(None);
    }
    is_same_object(found, original, &edited)?;
    if what == What::Object && line.on("save-config") {
        edited = with_last_applied(&edited);
    }
    act::record(line, &mut edited);
    let (media_type, body) = match what {
        What::Object | What::New => three_way(original, &edited, original)?,
        What::LastApplied => {
            let annotated = with_last_applied(&edited);
            let mut patch = object! { "metadata": { "annotations": {} } };
            patch.set_annotation(LAST_APPLIED, annotated.annotation(LAST_APPLIED));
            (MERGE, patch)
        }
    };
    if line.on("output-patch") {
        let text = format!("Patch: {}\n", body.to_json());
        session.io.print(&text).await;
    }
    let subresource = line.get("subresource").map(|name| format!("/{name}"));
    let query = act::query(line, DryRun::None, "kubectl-edit", true);
    let target = format!("{}{}{query}", found.path(), subresource.unwrap_or_default());
    let call = Call {
        method: Method::Patch,
        target,
        accept: JSON,
        body: Some((media_type, body)),
    };
    session.call(call).await.map(Some)
}

/// An edit that makes another object of it is not an edit.
fn is_same_object(found: &Found, original: &Value, edited: &Value) -> Outcome {
    if edited.uid() != original.uid() {
        let mut edited = edited.clone();
        if found.resource.namespaced && edited.namespace().is_empty() {
            edited.set("metadata.namespace", original.namespace());
        }
        return Err(no_original(&edited));
    }
    let identity = ["apiVersion", "kind", "metadata.name"];
    let differs = |field: &&str| edited.str_at(field) != original.str_at(field);
    match identity.iter().any(differs) {
        true => Err(Failure::message(
            "At least one of apiVersion, kind and name was changed",
        )),
        false => Ok(()),
    }
}

/// What is said of an object that none of those edited became.
fn no_original(edited: &Value) -> Failure {
    Failure::message(format!(
        "no original object found for &unstructured.Unstructured{{Object:{}}}",
        api::go::syntax(edited)
    ))
}

/// What reads an editor's command line that is quoted.
const SHELL: &str = "/bin/bash";

/// Runs the editor of `KUBE_EDITOR` or `EDITOR`, vi unless set, on a file.
async fn open_editor(session: &Session, path: &str) -> Outcome {
    let editor = session
        .io
        .env("KUBE_EDITOR")
        .or_else(|| session.io.env("EDITOR"));
    let editor = editor.unwrap_or_else(|| "vi".into());
    // Only what needs a shell to be read is given to one.
    let mut words: Vec<Rc<str>> = match editor.contains(['"', '\'', '\\']) {
        true => vec![SHELL.into(), "-c".into(), format!("{editor} {path}").into()],
        false => editor.split(' ').map(Rc::from).collect(),
    };
    let Some(program) = crate::run::find(&session.io, &words[0]).await else {
        return Err(Failure::message(format!(
            "unable to launch the editor {:?}",
            &*editor
        )));
    };
    if &*words[0] != SHELL {
        words.push(path.into());
    }
    let failed = || {
        let text = format!("there was a problem with the editor {:?}", &*editor);
        Failure::message(text)
    };
    let spawn = Spawn::new(Exec::Path(program), words).with_stdio();
    let pid = session.io.spawn(spawn).await.map_err(|_| failed())?;
    match session.io.wait(pid).await.success() {
        true => Ok(()),
        false => Err(failed()),
    }
}
