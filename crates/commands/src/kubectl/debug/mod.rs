//! `kubectl debug`: a container beside those of a pod, a changed copy of a pod, or a pod on a node.
//!
//! Models kubectl/pkg/cmd/debug/debug.go.

mod copy;
mod node;
mod profile;

use api::{Value, object};
use net::http::Method;

use super::Verb;
use super::act::{self, STRATEGIC};
use super::attaching::attach_or_logs;
use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value, values};
use super::pods::has_container;
use super::run::is_image;
use super::session::{Call, JSON, Session};
use super::target::{manifests, namespace_of, resource_of, targets};
use super::wait::until_pod_is;

use profile::{Profile, Style};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    value("container").short('c'),
    value("copy-to"),
    value("custom"),
    values("env"),
    value("image"),
    value("image-pull-policy"),
    value("profile"),
    values("set-image"),
    value("target"),
    switch("arguments-only"),
    switch("attach"),
    switch("keep-annotations"),
    switch("keep-init-containers"),
    switch("keep-labels"),
    switch("keep-liveness"),
    switch("keep-readiness"),
    switch("keep-startup"),
    switch("quiet").short('q'),
    switch("replace"),
    switch("same-node"),
    switch("share-processes"),
    switch("stdin").short('i'),
    switch("tty").short('t'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "debug",
    summary: "Create debugging sessions for troubleshooting workloads and nodes",
    usage: "kubectl debug (POD | TYPE[[.VERSION].GROUP]/NAME) [ -- COMMAND [args...] ] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(debug(session, line)),
};

/// How long a container may take until it runs: an image may have to be pulled.
const RUN_TIMEOUT: sim::Duration = sim::Duration::from_secs(24 * 3600);
/// Letters of generated names.
const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";

/// What is asked for, read from the command line.
struct Wish<'a> {
    line: &'a Line,
    /// The command to run, behind `--`.
    command: &'a [String],
    profile: Profile,
    /// What `--custom` adds to the container.
    custom: Value,
}

async fn debug(session: &Session, line: &Line) -> Outcome {
    let before = line.dash.unwrap_or(line.args.len());
    let (words, command) = line.args.split_at(before);
    pairs(line)?;
    check(session, line, words, command).await?;
    let wish = Wish {
        line,
        command,
        profile: Profile::read(line.get("profile").unwrap_or("general"))?,
        custom: custom(session, line).await?,
    };
    if wish.profile == Profile::Legacy && !line.on("quiet") {
        let note = "--profile=legacy is deprecated and planned to be removed in v1.39. It is \
                    recommended to specify other profile, for example \"--profile=general\".\n";
        session.io.eprint(note).await;
    }
    for (resource, object) in objects(session, line, words).await? {
        let (pod, container) = match resource.kind.as_str() {
            "Node" => node::debug(session, &wish, &object).await?,
            "Pod" if line.has("copy-to") => copy::debug(session, &wish, &object).await?,
            "Pod" => ephemeral(session, &wish, &object).await?,
            kind => {
                let group = resource.api_version();
                return Err(Failure::message(format!(
                    "\"{group}, Kind={kind}\" not supported by debug"
                )));
            }
        };
        let attaches = match line.has("attach") {
            true => line.on("attach"),
            false => line.on("stdin"),
        };
        if attaches && !container.is_empty() {
            join(session, line, &pod, &container).await?;
        }
    }
    Ok(())
}

/// Values that are pairs.
fn pairs(line: &Line) -> Outcome {
    for flag in ["env", "set-image"] {
        if let Some(wrong) = line.list(flag).iter().find(|pair| !pair.contains('=')) {
            let why = format!(
                "invalid argument {:?} for \"--{flag}\" flag: {wrong} must be formatted as key=value",
                line.text(flag)
            );
            return Err(Failure::Usage(why, line.command.clone()));
        }
    }
    Ok(())
}

/// Checks the flags against each other.
async fn check(session: &Session, line: &Line, words: &[String], command: &[String]) -> Outcome {
    let (image, copies) = (line.text("image"), !line.text("copy-to").is_empty());
    let message = |text: &str| Err(Failure::message(text));
    if copies {
        if image.is_empty() && !line.has("set-image") && command.is_empty() {
            return message("you must specify --image, --set-image or command arguments.");
        }
        if !command.is_empty() && line.text("container").is_empty() && image.is_empty() {
            return message(
                "you must specify an existing container or a new image when specifying args.",
            );
        }
    } else {
        for flag in ["replace", "same-node", "set-image"] {
            if line.has(flag) && (flag == "set-image" || line.on(flag)) {
                let why = format!("--{flag} may only be used with --copy-to.");
                return Err(Failure::message(why));
            }
        }
        if image.is_empty() {
            return message("you must specify --image when not using --copy-to.");
        }
    }
    let wrong = |image: &str| {
        let why = format!("invalid image name {image:?}: invalid reference format");
        Err(Failure::message(why))
    };
    if !image.is_empty() && !is_image(image) {
        return wrong(image);
    }
    if words.is_empty() && !line.has("filename") {
        return message("NAME or filename is required for debug");
    }
    let policy = line.text("image-pull-policy");
    if !["", "Always", "IfNotPresent", "Never"].contains(&policy) {
        return Err(Failure::message(format!(
            "invalid image pull policy: {policy}"
        )));
    }
    for pair in line.list("set-image") {
        match pair.split_once('=') {
            Some((name, image)) if !name.is_empty() && !is_image(image) => return wrong(image),
            Some((name, _)) if !name.is_empty() => {}
            _ => return message("all --set-image arguments must be in the form CONTAINER=IMAGE"),
        }
    }
    let target = line.text("target");
    if !target.is_empty() {
        if copies {
            return message(
                "--target is incompatible with --copy-to. Use --share-processes instead.",
            );
        }
        if !line.on("quiet") {
            let note = format!(
                "Targeting container {target:?}. If you don't see processes from this container it \
                 may be because the container runtime doesn't support this feature.\n"
            );
            session.io.print(&note).await;
        }
    }
    if line.on("tty") && !line.on("stdin") {
        return message("-i/--stdin is required for containers with -t/--tty=true");
    }
    Ok(())
}

/// The container of `--custom`, a file of JSON or YAML.
async fn custom(session: &Session, line: &Line) -> Outcome<Value> {
    let Some(path) = line.get("custom").filter(|path| !path.is_empty()) else {
        return Ok(Value::empty_map());
    };
    let text = session.io.read_to_string(path).await.map_err(|errno| {
        let why = errno.go_message();
        Failure::message(format!(
            "must pass a container spec json file for custom profile: open {path}: {why}"
        ))
    })?;
    let read = api::yaml::decode_stream(&text)
        .map_err(|why| Failure::message(format!("{path}: {why}")))?;
    let custom = read.into_iter().next().map(|document| document.value);
    let custom = custom.unwrap_or_else(Value::empty_map);
    let fixed = ["name", "image", "command", "lifecycle", "volumeDevices"];
    if fixed.iter().any(|field| custom.has(field)) {
        return Err(Failure::message(
            "name, command, image, lifecycle and volume devices are not modifiable via custom profile",
        ));
    }
    Ok(custom)
}

/// The objects named, or those of `-f`.
async fn objects(
    session: &Session,
    line: &Line,
    words: &[String],
) -> Outcome<Vec<(Resource, Value)>> {
    let discovery = session.discovery().await?;
    let mut named = Vec::new();
    for word in words {
        let word = match word.contains('/') {
            true => word.clone(),
            false => format!("pods/{word}"),
        };
        for target in targets(&discovery, &[word])? {
            let namespace = session.namespace.clone();
            named.push((target.resource, namespace, target.name.unwrap_or_default()));
        }
    }
    if line.has("filename") {
        for manifest in manifests(&session.io, line).await? {
            let resource = resource_of(&discovery, &manifest)?.clone();
            let namespace = namespace_of(session, &resource, &manifest.value)?;
            named.push((resource, namespace, manifest.value.name().to_owned()));
        }
    }
    let mut found = Vec::new();
    for (resource, namespace, name) in named {
        let object = session
            .call(Call::get(resource.path(&namespace, &name)))
            .await?;
        found.push((resource, object));
    }
    Ok(found)
}

/// A name for the container that the pod does not have yet; says which.
async fn container_name(session: &Session, wish: &Wish<'_>, pod: &Value) -> String {
    let given = wish.line.text("container");
    if !given.is_empty() {
        return given.to_owned();
    }
    let name = loop {
        let name = format!("debugger-{}", suffix(session).await);
        if !has_container(pod, &name) {
            break name;
        }
    };
    if !wish.line.on("quiet") {
        let note = format!("Defaulting debug container name to {name}.\n");
        session.io.print(&note).await;
    }
    name
}

/// Five letters at random.
pub(super) async fn suffix(session: &Session) -> String {
    session
        .io
        .sys(|sys| {
            let letter = |_| {
                let at = sys.random().below(LETTERS.len() as u64);
                char::from(LETTERS[usize::try_from(at).unwrap_or(0)])
            };
            (0..5).map(letter).collect::<String>()
        })
        .await
}

/// Sets what the flags say of a container.
fn equip(container: &mut Value, wish: &Wish<'_>) -> Outcome {
    let line = wish.line;
    let words = Value::from(
        wish.command
            .iter()
            .map(|word| Value::from(word.as_str()))
            .collect::<Vec<_>>(),
    );
    if !wish.command.is_empty() {
        if line.on("arguments-only") {
            container.set("args", words);
        } else {
            container.set("command", words);
            container.remove("args");
        }
    }
    let mut env = Vec::new();
    for text in line.all("env") {
        let (key, value) = text
            .split_once('=')
            .filter(|(key, _)| !key.is_empty())
            .ok_or_else(|| Failure::message(format!("invalid env: {text}")))?;
        env.push(object!({ "name": (key), "value": (value) }));
    }
    if !env.is_empty() {
        container.set("env", Value::from(env));
    }
    for (flag, field) in [("image", "image"), ("image-pull-policy", "imagePullPolicy")] {
        if let Some(text) = line.get(flag).filter(|text| !text.is_empty()) {
            container.set(field, text);
        }
    }
    for flag in ["stdin", "tty"] {
        match line.on(flag) {
            true => container.set(flag, true),
            false => drop(container.remove(flag)),
        }
    }
    Ok(())
}

/// Adds what `--custom` says.
fn customize(container: &mut Value, wish: &Wish<'_>) -> Outcome {
    if wish.custom.entries().is_empty() {
        return Ok(());
    }
    let merged = api::patch::apply_merge_patch(container, &wish.custom);
    *container = merged.map_err(|error| Failure::message(error.to_string()))?;
    Ok(())
}

/// Adds a container to the running pod.
async fn ephemeral(session: &Session, wish: &Wish<'_>, pod: &Value) -> Outcome<(Value, String)> {
    let name = container_name(session, wish, pod).await;
    let mut container = object!({
        "name": (name.as_str()),
        "resources": {},
        "terminationMessagePolicy": "File",
    });
    equip(&mut container, wish)?;
    if let Some(target) = wish.line.get("target").filter(|target| !target.is_empty()) {
        container.set("targetContainerName", target);
    }
    let mut changed = pod.clone();
    wish.profile
        .apply(&mut changed, &mut container, Style::Ephemeral, wish.line);
    customize(&mut container, wish)?;
    let held = pod.list_at("spec.ephemeralContainers");
    let order = held.iter().map(|one| one.str("name"));
    let order = order
        .chain([name.as_str()])
        .map(|name| object!({ "name": name }));
    let order: Vec<Value> = order.collect();
    // One of the same name would have to become this one, which the server does not allow.
    if let Some(same) = held.iter().find(|one| one.str("name") == name) {
        for (field, _) in same.entries().iter() {
            if !container.has(field) {
                container.set(field, Value::Null);
            }
        }
    }
    let mut body = object!({ "spec": { "ephemeralContainers": [(container)] } });
    let path = ["spec", "$setElementOrder/ephemeralContainers"];
    body.set_path(&path, Value::from(order));
    let (namespace, own) = (pod.namespace(), pod.name());
    let path = format!("/api/v1/namespaces/{namespace}/pods/{own}/ephemeralcontainers");
    let patched = session
        .call(Call {
            method: Method::Patch,
            target: path,
            accept: JSON,
            body: Some((STRATEGIC, body)),
        })
        .await?;
    Ok((patched, name))
}

/// Waits until the container runs and joins it.
async fn join(session: &Session, line: &Line, pod: &Value, container: &str) -> Outcome {
    let state = |pod: &Value| {
        let status = pod.get("status");
        [
            "containerStatuses",
            "initContainerStatuses",
            "ephemeralContainerStatuses",
        ]
        .iter()
        .flat_map(|list| status.list_at(list))
        .find(|status| status.str("name") == container)
        .map(|status| status.get("state").clone())
        .unwrap_or_default()
    };
    let stands = |pod: &Value| state(pod).has("running") || state(pod).has("terminated");
    let at = (pod.namespace(), pod.name());
    let now = until_pod_is(session, at, RUN_TIMEOUT, stands).await?;
    let now = now.ok_or_else(|| Failure::message(format!("pods {:?} not found", at.1)))?;
    let ended = state(&now).has("terminated");
    attach_or_logs(session, line, &now, container, ended).await
}
