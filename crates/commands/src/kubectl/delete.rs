//! `kubectl delete`.
//!
//! Models kubectl/pkg/cmd/delete/delete.go.

use api::{Value, body_value, object};
use machine::Fd;
use net::http::{Method, percent_encode};

use super::Verb;
use super::act::{self, DryRun, Found, dry_run, list};
use super::create::{raw_body, raw_request};
use super::discovery::Resource;
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::session::{Call, Session};
use super::target::{Target, manifests, namespace_of, resource_of, targets};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::ALL,
    act::ALL_NAMESPACES,
    value("field-selector"),
    value("grace-period"),
    value("timeout"),
    value("raw"),
    values("kustomize").short('k'),
    optional("cascade", "background"),
    switch("force"),
    switch("ignore-not-found"),
    switch("interactive").short('i'),
    switch("now"),
    switch("recursive").short('R'),
    switch("wait"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "delete",
    summary: "Delete resources by file names, stdin, resources and names, or by resources and \
              label selector",
    usage: "kubectl delete ([-f FILENAME] | [-k DIRECTORY] | TYPE [(NAME | -l label | --all)]) \
            [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(delete(session, line)),
};

/// An object to be deleted; it need not exist.
struct Doomed {
    resource: Resource,
    namespace: String,
    name: String,
    source: Option<String>,
}

async fn delete(session: &Session, line: &Line) -> Outcome {
    if let Some(path) = line.get("raw").filter(|path| !path.is_empty()) {
        return raw(session, line, path).await;
    }
    let grace = checked(session, line).await?;
    let mut failures = Vec::new();
    let doomed = doomed(session, line, &mut failures).await?;
    if doomed.is_empty() && failures.is_empty() {
        session.io.print("No resources found\n").await;
        return Ok(());
    }
    let dry = dry_run(line)?;
    if line.on("interactive") && !is_wanted(session, &doomed).await {
        session.io.print("deletion is cancelled\n").await;
        return Ok(());
    }
    // What was found by looking may be gone by now; what was named should be there.
    let looked = ["all", "selector", "field-selector"].map(|flag| line.has(flag));
    let ignores = match line.has("ignore-not-found") {
        true => line.on("ignore-not-found"),
        false => looked.contains(&true),
    };
    let mut gone = Vec::new();
    for object in doomed {
        match one(session, line, &object, grace, dry).await {
            Ok(Some(uid)) => gone.push((object, uid)),
            Ok(None) => {}
            Err(failure) if failure.is_not_found() && ignores => {}
            Err(failure) => failures.push(match &object.source {
                Some(source) if failure.is_not_found() => {
                    failure.context(&format!("error when deleting {source:?}"))
                }
                _ => failure,
            }),
        }
    }
    if line.on_unless_off("wait") && dry == DryRun::None && grace != Some(0) {
        let limit = line.duration("timeout")?;
        for (object, uid) in gone {
            wait_gone(session, &object, &uid, limit).await?;
        }
    }
    report(session, failures).await
}

/// Asks whether what is about to be deleted is meant.
async fn is_wanted(session: &Session, doomed: &[Doomed]) -> bool {
    let count = doomed.len();
    let mut text = format!("You are about to delete the following {count} resource(s):\n");
    for Doomed { resource, name, .. } in doomed {
        text.push_str(&format!("{}/{name}\n", resource.qualified_singular()));
    }
    text.push_str("Do you want to continue? (y/N): ");
    session.io.print(&text).await;
    let mut answer = Vec::new();
    while let Ok(bytes) = session.io.read(Fd::STDIN).await {
        answer.extend_from_slice(&bytes);
        if bytes.is_empty() || answer.contains(&b'\n') {
            break;
        }
    }
    answer.trim_ascii().eq_ignore_ascii_case(b"y")
}

/// Sends a deletion to a path as it stands, with a file for its body.
async fn raw(session: &Session, line: &Line, path: &str) -> Outcome {
    let files = line.list("filename");
    let refused = [
        (
            files.len() > 1,
            "--raw can only use a single local file or stdin",
        ),
        (
            files.first().is_some_and(|file| file.contains("://")),
            "--raw cannot read from a url",
        ),
        (
            line.on("recursive"),
            "--raw and --recursive are mutually exclusive",
        ),
        (
            line.has("output"),
            "--raw and --output are mutually exclusive",
        ),
    ];
    if let Some((_, why)) = refused.into_iter().find(|(is, _)| *is) {
        return Err(Failure::message(why));
    }
    let body = match files.first() {
        None => None,
        Some(file) => Some(raw_body(session, file).await?),
    };
    raw_request(session, Method::Delete, path, body).await
}

/// Checks how the deletion is to be; gives the grace period in seconds.
async fn checked(session: &Session, line: &Line) -> Outcome<Option<i64>> {
    let refuse = |why: String| Err(Failure::message(why));
    let (given, force) = (line.number("grace-period")?, line.on("force"));
    let given = given.filter(|seconds| *seconds >= 0);
    cascade(line)?;
    if line.on("now") && given.is_some() {
        return refuse("--now and --grace-period cannot be specified together".to_owned());
    }
    let selector = line.has("selector") && !line.text("selector").is_empty();
    if line.on("all") && selector {
        return refuse("setting 'all' parameter but found a non empty selector. ".to_owned());
    }
    act::refuse_selected_names(line, &line.args, true)?;
    let selects = selector || line.on("all") || line.has("field-selector");
    if selects && line.args.is_empty() && !line.has("filename") && !line.has("kustomize") {
        return refuse("at least one resource must be specified to use a selector".to_owned());
    }
    if let Some(given @ ("true" | "false")) = line.get("cascade") {
        let instead = match given {
            "true" => "background",
            _ => "orphan",
        };
        let warning = format!(
            "warning: --cascade={given} is deprecated (boolean value) and can be replaced with \
             --cascade={instead}.\n"
        );
        session.io.eprint(&warning).await;
    }
    if line.on("all") && line.has("field-selector") {
        return refuse("cannot set --all and --field-selector at the same time".to_owned());
    }
    if let Some(output) = line
        .get("output")
        .filter(|output| !["", "name"].contains(output))
    {
        return refuse(format!(
            "unexpected -o output mode: {output}. We only support '-o name'"
        ));
    }
    let grace = match given {
        _ if line.on("now") => Some(1),
        None if force => Some(0),
        // Without --force the shortest grace is a second: the kubelet confirms.
        Some(0) if !force => Some(1),
        given => given,
    };
    match grace {
        Some(0) => {
            let warning = "Warning: Immediate deletion does not wait for confirmation that the \
                           running resource has been terminated. The resource may continue to run \
                           on the cluster indefinitely.\n";
            session.io.eprint(warning).await;
        }
        Some(_) if force => {
            let why = "--force and --grace-period greater than 0 cannot be specified together";
            return refuse(why.to_owned());
        }
        _ => {}
    }
    Ok(grace)
}

/// The policy that `--cascade` asks for.
pub(super) fn cascade(line: &Line) -> Outcome<&'static str> {
    match line.get("cascade") {
        None | Some("background" | "true") => Ok("Background"),
        Some("orphan" | "false") => Ok("Orphan"),
        Some("foreground") => Ok("Foreground"),
        Some(other) => Err(Failure::message(format!(
            "invalid cascade value ({other}). Must be \"background\", \"foreground\", or \"orphan\""
        ))),
    }
}

/// What is to be deleted; what of files cannot be is added to the failures.
async fn doomed(
    session: &Session,
    line: &Line,
    failures: &mut Vec<Failure>,
) -> Outcome<Vec<Doomed>> {
    let discovery = session.discovery().await?;
    let mut found = Vec::new();
    if line.has("filename") || line.has("kustomize") {
        for manifest in manifests(&session.io, line).await? {
            let resource = match resource_of(&discovery, &manifest) {
                Ok(resource) => resource.clone(),
                Err(failure) => {
                    failures.push(failure);
                    continue;
                }
            };
            let namespace = namespace_of(session, &resource, &manifest.value)?;
            let name = manifest.value.name().to_owned();
            found.push(Doomed {
                resource,
                namespace,
                name,
                source: Some(manifest.source),
            });
        }
        return Ok(found);
    }
    let selected = line.has("selector") || line.on("all") || line.has("field-selector");
    let named = targets(&discovery, &line.args)?;
    act::refuse_names_of_all(line, &named)?;
    for Target { resource, name } in named {
        match name {
            Some(name) => {
                let namespace = session.namespace.clone();
                found.push(Doomed {
                    resource,
                    namespace,
                    name,
                    source: None,
                });
            }
            None if selected => {
                for Found { resource, value } in list(session, line, &resource).await? {
                    let (namespace, name) = (value.namespace().to_owned(), value.name().to_owned());
                    found.push(Doomed {
                        resource,
                        namespace,
                        name,
                        source: None,
                    });
                }
            }
            None => {
                return Err(Failure::message(
                    "resource(s) were provided, but no name was specified",
                ));
            }
        }
    }
    if line.args.is_empty() {
        return Err(Failure::message(
            "You must provide one or more resources by argument or filename.\nExample resource \
             specifications include:\n   '-f rsrc.yaml'\n   '--filename=rsrc.json'\n   '<resource> \
             <name>'\n   '<resource>'",
        ));
    }
    Ok(found)
}

/// Deletes an object and says nothing, as `apply --force` does it; gives back when it is gone.
pub(super) async fn silently(
    session: &Session,
    line: &Line,
    (resource, namespace, name): (&Resource, &str, &str),
) -> Outcome {
    let object = Doomed {
        resource: resource.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        source: None,
    };
    let grace = line.number("grace-period")?.filter(|seconds| *seconds >= 0);
    let uid = send(session, line, &object, grace, DryRun::None).await?;
    let uid = uid.unwrap_or_default();
    wait_gone(session, &object, &uid, line.duration("timeout")?).await
}

/// Deletes; gives the uid to wait for, none if the object is gone already.
async fn one(
    session: &Session,
    line: &Line,
    object: &Doomed,
    grace: Option<i64>,
    dry: DryRun,
) -> Outcome<Option<String>> {
    let uid = send(session, line, object, grace, dry).await?;
    say(session, line, object, grace, dry).await;
    Ok(uid)
}

async fn send(
    session: &Session,
    line: &Line,
    object: &Doomed,
    grace: Option<i64>,
    dry: DryRun,
) -> Outcome<Option<String>> {
    let path = object.resource.path(&object.namespace, &object.name);
    let mut options = object!({ "apiVersion": "v1", "kind": "DeleteOptions" });
    options.set("propagationPolicy", cascade(line)?);
    if let Some(seconds) = grace {
        options.set("gracePeriodSeconds", seconds);
    }
    match dry {
        DryRun::Client => Ok(None),
        DryRun::Server | DryRun::None => {
            if dry == DryRun::Server {
                options.set("dryRun", Value::from(vec![Value::from("All")]));
            }
            let answer = session
                .call(Call::send(Method::Delete, path, options))
                .await?;
            let uid = match answer.kind() {
                "Status" => answer.str_at("details.uid").to_owned(),
                _ => answer.uid().to_owned(),
            };
            Ok(Some(uid))
        }
    }
}

async fn say(session: &Session, line: &Line, object: &Doomed, grace: Option<i64>, dry: DryRun) {
    let Doomed {
        resource,
        namespace,
        name,
        ..
    } = object;
    let what = if grace == Some(0) {
        "force deleted"
    } else {
        "deleted"
    };
    let suffix = match dry {
        DryRun::None => "",
        DryRun::Client => " (dry run)",
        DryRun::Server => " (server dry run)",
    };
    let kind = resource.qualified_singular();
    let text = match (line.get("output"), resource.namespaced) {
        (Some("name"), _) => format!("{kind}/{name}\n"),
        (_, true) => format!("{kind} {name:?} {what} from {namespace} namespace{suffix}\n"),
        (_, false) => format!("{kind} {name:?} {what}{suffix}\n"),
    };
    session.io.print(&text).await;
}

/// Deletes an object as `replace --force` does: it may be gone already, and is afterwards.
pub(super) async fn until_gone(
    session: &Session,
    line: &Line,
    (resource, namespace, name): (&Resource, &str, &str),
) -> Outcome {
    let object = Doomed {
        resource: resource.clone(),
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        source: None,
    };
    let grace = line
        .number("grace-period")?
        .filter(|seconds| *seconds >= 0)
        .map(|seconds| seconds.max(1));
    match one(session, line, &object, grace, dry_run(line)?).await {
        Ok(Some(uid)) => wait_gone(session, &object, &uid, line.duration("timeout")?).await,
        Ok(None) => Ok(()),
        Err(failure) if failure.is_not_found() => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Waits until the object is gone, or another one has its name.
async fn wait_gone(
    session: &Session,
    object: &Doomed,
    uid: &str,
    limit: Option<sim::Duration>,
) -> Outcome {
    let Doomed {
        resource,
        namespace,
        name,
        ..
    } = object;
    let current = match session
        .call(Call::get(resource.path(namespace, name)))
        .await
    {
        Ok(current) => current,
        Err(failure) if failure.is_not_found() => return Ok(()),
        Err(failure) => return Err(failure),
    };
    if !uid.is_empty() && current.uid() != uid {
        return Ok(());
    }
    let namespace = Some(namespace.as_str()).filter(|namespace| !namespace.is_empty());
    let mut target = format!(
        "{}?watch=true&fieldSelector={}&resourceVersion={}",
        resource.collection(namespace),
        percent_encode(&format!("metadata.name={name}")),
        current.resource_version(),
    );
    if let Some(limit) = limit.filter(|limit| !limit.is_zero()) {
        target.push_str(&format!("&timeoutSeconds={}", limit.as_secs().max(1)));
    }
    let (response, stream) = session.stream(Call::get(target)).await?;
    let mut next = Some(response.body.clone());
    while let Some(body) = next {
        let event = body_value(&body).unwrap_or_default();
        if event.str_at("type") == "DELETED" {
            session.cancel(stream).await;
            return Ok(());
        }
        next = session.next_part(stream).await?;
    }
    Err(Failure::message(format!(
        "timed out waiting for the condition on {}/{name}",
        resource.plural
    )))
}
