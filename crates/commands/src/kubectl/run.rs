//! `kubectl run`.
//!
//! Models kubectl/pkg/cmd/run/run.go.

use api::{Value, object};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, done, dry_run};
use super::attaching::{attach_or_logs, exit_code};
use super::failure::{Failure, Outcome, atoi};
use super::flags::{Flag, Line, switch, value, values};
use super::overrides::{OVERRIDE_TYPE, OVERRIDES, overridden};
use super::pods::{GET_POD_TIMEOUT, timeout};
use super::session::{Call, Session};
use super::wait::until_pod_is;

const FLAGS: &[Flag] = &[
    act::OUTPUT,
    act::DRY_RUN,
    act::MANAGER,
    value("image"),
    value("image-pull-policy"),
    value("labels").short('l'),
    value("port"),
    value("restart"),
    OVERRIDES,
    OVERRIDE_TYPE,
    value("pod-running-timeout"),
    value("grace-period"),
    values("annotations"),
    values("env"),
    switch("attach"),
    switch("command"),
    switch("expose"),
    switch("force"),
    switch("privileged"),
    switch("quiet").short('q'),
    switch("rm"),
    switch("save-config"),
    switch("stdin").short('i'),
    switch("tty").short('t'),
    switch("leave-stdin-open"),
    switch("wait"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "run",
    summary: "Run a particular image on the cluster",
    usage: "kubectl run NAME --image=image [--env=\"key=value\"] [--port=port] \
            [--dry-run=server|client] [--overrides=inline-json] [--command] -- [COMMAND] [args...] \
            [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(run(session, line)),
};

async fn run(session: &Session, line: &Line) -> Outcome {
    let Some((name, words)) = line.args.split_first().filter(|_| line.dash != Some(0)) else {
        return Err(Failure::hint(line, "NAME is required for run"));
    };
    let dry = check(line)?;
    let attaches = attaches(line);
    let pod = pod(line, name, words)?;
    let discovery = session.discovery().await?;
    let resource = discovery.resolve("pods")?;
    let namespace = &session.namespace;
    let mut wanted = pod;
    if session.namespace_given || dry != DryRun::Client {
        wanted.set("metadata.namespace", namespace.as_str());
    }
    let made = act::create(session, line, resource, namespace, &wanted, "kubectl-run").await?;
    if line.on("expose") {
        let port = port(line)?.unwrap_or(0);
        let service = service(name, port, Value::from(wanted.labels()));
        let services = discovery.resolve("services")?;
        let manager = "kubectl-expose";
        let made = act::create(session, line, services, namespace, &service, manager);
        done(session, line, dry, &made.await?, "created").await?;
        if line.text("output") == "yaml" {
            session.io.print("---\n").await;
        }
    }
    if !attaches {
        return done(session, line, dry, &made, "created").await;
    }
    let outcome = joined(session, line, &made).await;
    if line.on("rm") {
        let path = resource.path(namespace, made.name());
        let mut options = Value::empty_map();
        if let Some(grace) = line.number("grace-period")?.filter(|grace| *grace >= 0) {
            options.set("gracePeriodSeconds", grace);
        }
        session
            .call(Call::send(Method::Delete, path, options))
            .await?;
        if !line.on("quiet") {
            let name = made.name();
            let text = format!("pod {name:?} deleted from {namespace} namespace\n");
            session.io.print(&text).await;
        }
    }
    outcome
}

/// The port of the container, a number.
fn port(line: &Line) -> Outcome<Option<i64>> {
    let Some(text) = line.get("port").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let number = text.parse().map_err(|_| Failure::message(atoi(text)))?;
    Ok(Some(number))
}

/// Whether the command is to be joined with its terminal.
fn attaches(line: &Line) -> bool {
    match line.has("attach") {
        true => line.on("attach"),
        false => line.on("stdin"),
    }
}

/// Checks the flags against each other.
fn check(line: &Line) -> Outcome<DryRun> {
    let image = line.text("image");
    if image.is_empty() {
        return Err(match line.has("image") {
            true => Failure::message("--image is required"),
            false => Failure::message("required flag(s) \"image\" not set"),
        });
    }
    if !is_image(image) {
        let why = format!("Invalid image name {image:?}: invalid reference format");
        return Err(Failure::message(why));
    }
    let dry = dry_run(line)?;
    let hint = |text: &str| Err(Failure::hint(line, text));
    if line.on("tty") && !line.on("stdin") {
        return hint("-i/--stdin is required for containers with -t/--tty=true");
    }
    if line.on("expose") && line.text("port").is_empty() {
        return hint("--port must be set when exposing a service");
    }
    let restart = line.get("restart").unwrap_or("Always");
    if !["Always", "OnFailure", "Never"].contains(&restart) {
        return hint(&format!("invalid restart policy: {restart}"));
    }
    if line.on("rm") && !attaches(line) {
        return hint("--rm should only be used for attached containers");
    }
    if attaches(line) && dry != DryRun::None {
        return hint(
            "--dry-run=[server|client] can't be used with attached containers options (--attach, \
             --stdin, or --tty)",
        );
    }
    let policy = line.text("image-pull-policy");
    if !["", "Always", "IfNotPresent", "Never"].contains(&policy) {
        return hint(&format!("invalid image pull policy: {policy}"));
    }
    Ok(dry)
}

/// Whether a text can name an image: lower-case parts, then perhaps a tag and a digest.
pub(super) fn is_image(text: &str) -> bool {
    let (name, digest) = text.split_once('@').unwrap_or((text, ""));
    let slash = name.rfind('/').map_or(0, |at| at + 1);
    let (path, tag) = match name[slash..].split_once(':') {
        Some((_, tag)) => (&name[..name.len() - tag.len() - 1], tag),
        None => (name, ""),
    };
    let parts: Vec<&str> = path.split('/').collect();
    let is_part = |part: &str| {
        let ends =
            |c: Option<char>| c.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        ends(part.chars().next())
            && ends(part.chars().last())
            && part
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c))
    };
    let is_host = |part: &str| {
        part.chars()
            .all(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(c))
    };
    let in_tag = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    let has_host = parts.len() > 1 && parts[0].contains(['.', ':']) && is_host(parts[0]);
    let rest = if has_host { &parts[1..] } else { &parts[..] };
    let tagged = name.len() > path.len();
    rest.iter().all(|part| is_part(part))
        && (!tagged || (!tag.is_empty() && tag.len() <= 128 && tag.chars().all(in_tag)))
        && (!text.contains('@') || digest.contains(':'))
}

/// Waits for the pod, joins it, and gives how its command ended.
async fn joined(session: &Session, line: &Line, pod: &Value) -> Outcome {
    let limit = timeout(line, GET_POD_TIMEOUT)?;
    let at = (pod.namespace(), pod.name());
    let ended = |pod: &Value| matches!(pod.str_at("status.phase"), "Succeeded" | "Failed");
    let gone = || Failure::message(format!("pod {}/{} was deleted", at.0, at.1));
    let running = |pod: &Value| ended(pod) || pod.str_at("status.phase") == "Running";
    let now = until_pod_is(session, at, limit, running).await?;
    let now = now.ok_or_else(gone)?;
    let container = now.str_at("spec.containers.0.name").to_owned();
    attach_or_logs(session, line, &now, &container, ended(&now)).await?;
    let done: fn(&Value) -> bool = match line.get("restart").unwrap_or("Always") {
        _ if line.on("leave-stdin-open") => return Ok(()),
        "Never" => ended,
        "OnFailure" => |pod| pod.str_at("status.phase") == "Succeeded",
        _ => return Ok(()),
    };
    let last = until_pod_is(session, at, limit, done).await?;
    exit_code(&last.ok_or_else(gone)?)
}

fn pod(line: &Line, name: &str, words: &[String]) -> Outcome<Value> {
    let mut container = object!({
        "image": (line.text("image")),
        "name": (name),
        "resources": {},
    });
    let strings = |words: &[String]| -> Value {
        Value::from(
            words
                .iter()
                .map(|word| Value::from(word.as_str()))
                .collect::<Vec<_>>(),
        )
    };
    if !words.is_empty() {
        container.set(
            if line.on("command") {
                "command"
            } else {
                "args"
            },
            strings(words),
        );
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
    if let Some(port) = port(line)? {
        container.set(
            "ports",
            Value::from(vec![object!({ "containerPort": (port) })]),
        );
    }
    if let Some(policy) = line.get("image-pull-policy") {
        container.set("imagePullPolicy", policy);
    }
    if line.on("privileged") {
        container.set("securityContext.privileged", true);
    }
    if line.on("stdin") {
        container.set("stdin", true);
        if !line.on("leave-stdin-open") {
            container.set("stdinOnce", true);
        }
    }
    if line.on("tty") {
        container.set("tty", true);
    }
    let mut labels = Value::empty_map();
    for text in line.list("labels") {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| Failure::message(format!("unexpected label spec: {text}")))?;
        labels.set_path(&[key], value);
    }
    if !line.has("labels") {
        labels.set_path(&["run"], name);
    }
    let mut pod = object!({
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": { "labels": (labels), "name": (name) },
        "spec": {
            "containers": (Value::from(vec![container])),
            "dnsPolicy": "ClusterFirst",
            "restartPolicy": (line.get("restart").unwrap_or("Always")),
        },
        "status": {},
    });
    for text in line.list("annotations") {
        let Some((key, value)) = text.split_once('=') else {
            return Err(Failure::message(format!(
                "invalid annotations format: {text}"
            )));
        };
        pod.set_path(&["metadata", "annotations", key], value);
    }
    overridden(line, pod)
}

fn service(name: &str, port: i64, selector: Value) -> Value {
    object!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": (name) },
        "spec": {
            "ports": [{ "port": (port), "protocol": "TCP", "targetPort": (port) }],
            "selector": (selector),
        },
        "status": { "loadBalancer": {} },
    })
}
