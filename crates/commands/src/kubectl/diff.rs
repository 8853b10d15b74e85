//! `kubectl diff`: what `apply` would change, as `diff` shows it.
//!
//! Models kubectl/pkg/cmd/diff/diff.go.

use std::collections::BTreeSet;

use api::{Value, yaml};
use machine::{Exec, ExitStatus, Spawn};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, MANAGER};
use super::apply::{LAST_APPLIED, explained, prune, three_way};
use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value, values};
use super::print::trimmed;
use super::session::{Call, JSON, Session};
use super::target::{manifests, namespace_of, resource_of};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::SELECTOR,
    MANAGER,
    values("kustomize").short('k'),
    values("prune-allowlist"),
    value("concurrency"),
    switch("force-conflicts"),
    switch("prune"),
    switch("recursive").short('R'),
    switch("server-side"),
    switch("show-managed-fields"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "diff",
    summary: "Diff the live version against a would-be applied version",
    usage: "kubectl diff -f FILENAME [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(diff_or_trouble(session, line)),
};

/// One is the code of a difference, so what fails has another.
async fn diff_or_trouble(session: &Session, line: &Line) -> Outcome {
    diff(session, line).await.map_err(|failure| match failure {
        Failure::Exit(..) => failure,
        other => Failure::Exit(other.text().trim_end_matches('\n').to_owned(), 2),
    })
}

async fn diff(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        let args = line.args.join(" ");
        return Err(Failure::message(format!(
            "Unexpected args: [{args}]\nSee 'kubectl diff -h' for help and examples"
        )));
    }
    if !line.has("filename") && !line.has("kustomize") {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if line.on("force-conflicts") && !line.on("server-side") {
        return Err(Failure::message(
            "--force-conflicts only works with --server-side",
        ));
    }
    let discovery = session.discovery().await?;
    let keep = line.on("show-managed-fields");
    let (live_dir, merged_dir) = session
        .io
        .sys(|sys| {
            let mut made = |name: &str| {
                let path = format!("/tmp/{name}-{}", sys.random().below(4_000_000_000));
                sys.mkdir_all(&path).map(|()| path)
            };
            Ok((made("LIVE")?, made("MERGED")?))
        })
        .await
        .map_err(|errno: net::Errno| Failure::message(errno.message()))?;
    let allowed = prune::allowed(line)?;
    let (mut namespaces, mut uids) = (BTreeSet::new(), BTreeSet::new());
    for manifest in manifests(&session.io, line).await? {
        let resource = resource_of(&discovery, &manifest)?;
        let namespace = namespace_of(session, resource, &manifest.value)?;
        let (live, merged) = both(session, line, resource, &namespace, &manifest.value).await?;
        let name = file_name(resource, &namespace, manifest.value.name());
        uids.extend(live.iter().map(|live| live.uid().to_owned()));
        namespaces.insert(namespace);
        for (dir, object) in [(&live_dir, live), (&merged_dir, Some(merged))] {
            let text = object.map(|object| yaml::to_string(&trimmed(&object, keep)));
            let text = text.unwrap_or_default();
            let path = format!("{dir}/{name}");
            session.io.write_file(&path, text.as_bytes()).await.ok();
        }
    }
    if line.on("prune") {
        let kept = (&namespaces, &uids);
        for (resource, live) in prune::candidates(session, line, &discovery, &allowed, kept).await?
        {
            let name = file_name(resource, live.namespace(), live.name());
            let text = yaml::to_string(&trimmed(&live, keep));
            let path = format!("{live_dir}/{name}");
            session.io.write_file(&path, text.as_bytes()).await.ok();
        }
    }
    let status = run(session, &live_dir, &merged_dir).await?;
    for dir in [live_dir, merged_dir] {
        session
            .io
            .sys(move |sys| sys.remove_all(&dir))
            .await
            .map_err(|errno| Failure::message(errno.message()))?;
    }
    match status {
        0 => Ok(()),
        code => Err(Failure::Exit(String::new(), code)),
    }
}

/// `apps.v1.Deployment.default.web`
fn file_name(resource: &Resource, namespace: &str, name: &str) -> String {
    let group = match resource.group.as_str() {
        "" => String::new(),
        group => format!("{group}."),
    };
    let Resource { version, kind, .. } = resource;
    format!("{group}{version}.{kind}.{namespace}.{name}")
}

/// The object as it is, if it is there, and as it would be.
async fn both(
    session: &Session,
    line: &Line,
    resource: &Resource,
    namespace: &str,
    wanted: &Value,
) -> Outcome<(Option<Value>, Value)> {
    let mut wanted = wanted.clone();
    if !namespace.is_empty() {
        wanted.set("metadata.namespace", namespace);
    }
    let path = resource.path(namespace, wanted.name());
    if line.on("server-side") {
        return both_by_server(session, line, &path, &wanted).await;
    }
    let query = act::query(line, DryRun::Server, "kubectl-client-side-apply", true);
    let current = match session.call(Call::get(path.as_str())).await {
        Ok(current) => current,
        Err(failure) if failure.is_not_found() => {
            let namespace = Some(namespace).filter(|namespace| !namespace.is_empty());
            let target = format!("{}{query}", resource.collection(namespace));
            let call = Call::send(Method::Post, target, wanted);
            return Ok((None, session.call(call).await?));
        }
        Err(failure) => return Err(failure),
    };
    let original = match current.annotation(LAST_APPLIED) {
        "" => Value::Null,
        text => Value::from_json(text.as_bytes()).unwrap_or_default(),
    };
    if wanted.at("metadata.annotations").is_null() {
        // Recorded configurations have the map, if only an empty one.
        wanted.set("metadata.annotations", Value::empty_map());
    }
    let (media_type, body) = three_way(&original, &wanted, &current)?;
    let call = Call {
        method: Method::Patch,
        target: format!("{path}{query}"),
        accept: JSON,
        body: Some((media_type, body)),
    };
    let merged = session.call(call).await?;
    Ok((Some(current), merged))
}

/// The same by server-side apply.
async fn both_by_server(
    session: &Session,
    line: &Line,
    path: &str,
    wanted: &Value,
) -> Outcome<(Option<Value>, Value)> {
    let current = match session.call(Call::get(path)).await {
        Ok(current) => Some(current),
        Err(failure) if failure.is_not_found() => None,
        Err(failure) => return Err(failure),
    };
    let query = act::query(line, DryRun::Server, "kubectl", true);
    let force = line.on("force-conflicts");
    let call = Call {
        method: Method::Patch,
        target: format!("{path}{query}&force={force}"),
        accept: JSON,
        body: Some(("application/apply-patch+yaml", wanted.clone())),
    };
    let merged = session.call(call).await.map_err(explained)?;
    Ok((current, merged))
}

/// Runs the program of `KUBECTL_EXTERNAL_DIFF`, diff unless set.
async fn run(session: &Session, live: &str, merged: &str) -> Outcome<i32> {
    let program = session.io.env("KUBECTL_EXTERNAL_DIFF");
    let program = program.filter(|text| !text.is_empty());
    let command = program.unwrap_or_else(|| "diff -u -N".into());
    let mut words = command.split(' ');
    let name = words.next().unwrap_or_default();
    // What could mean more to a shell than itself is left out.
    let plain = |word: &&str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-=".contains(c);
        !word.is_empty() && word.chars().all(plain)
    };
    let words: Vec<&str> = words.filter(plain).collect();
    let failed = |why: &str| Failure::message(format!("failed to run {name:?}: {why}"));
    let Some(file) = crate::run::find(&session.io, name).await else {
        return Err(failed("executable file not found in $PATH"));
    };
    let args = [name].into_iter().chain(words).chain([live, merged]);
    let args = args.map(Into::into).collect();
    let spawn = Spawn::new(Exec::Path(file), args).with_stdio();
    let pid = session.io.spawn(spawn).await;
    let pid = pid.map_err(|errno| failed(errno.message()))?;
    match session.io.wait(pid).await {
        ExitStatus::Code(code @ (0 | 1)) => Ok(code),
        ExitStatus::Code(code) => Err(Failure::Exit(
            failed(&format!("exit status {code}")).text(),
            code,
        )),
        ExitStatus::Signal(_) => Err(failed("it was stopped by a signal")),
    }
}
