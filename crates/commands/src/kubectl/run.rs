//! `kubectl run`.
//!
//! Models kubectl/pkg/cmd/run/run.go.

use api::{Value, object};
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, done, dry_run};
use super::exec::attach_to;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value, values};
use super::overrides::{OVERRIDE_TYPE, OVERRIDES, overridden};
use super::session::{Call, Session};
use super::wait::until_pod;

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
    let Some((name, words)) = line.args.split_first() else {
        return Err(Failure::Usage(
            "NAME is required for run".to_owned(),
            "kubectl run".to_owned(),
        ));
    };
    if !line.has("image") {
        return Err(Failure::message("required flag(s) \"image\" not set"));
    }
    let interactive = line.on("stdin") || line.on("tty") || line.on("attach");
    if line.on("rm") && !interactive {
        return Err(Failure::message(
            "--rm should only be used for attached containers",
        ));
    }
    if line.on("tty") && !line.on("stdin") {
        return Err(Failure::message(
            "-i/--stdin is required for containers with -t/--tty=true",
        ));
    }
    let dry = dry_run(line)?;
    let pod = pod(line, name, words)?;
    let discovery = session.discovery().await?;
    let resource = discovery.resolve("pods")?;
    if line.on("expose") {
        let port = line
            .number("port")?
            .ok_or_else(|| Failure::message("--port must be set when exposing a service"))?;
        let service = service(name, port, Value::from(pod.labels()));
        let services = discovery.resolve("services")?;
        let namespace = &session.namespace;
        let made = act::create(
            session,
            line,
            services,
            namespace,
            &service,
            "kubectl-expose",
        );
        done(session, line, dry, &made.await?, "created").await?;
    }
    let mut wanted = pod;
    if session.namespace_given || dry != DryRun::Client {
        wanted.set("metadata.namespace", session.namespace.as_str());
    }
    let made = act::create(
        session,
        line,
        resource,
        &session.namespace,
        &wanted,
        "kubectl-run",
    )
    .await?;
    if !interactive || dry != DryRun::None {
        return done(session, line, dry, &made, "created").await;
    }
    until_pod(session, name, |phase| {
        matches!(phase, "Running" | "Succeeded" | "Failed")
    })
    .await?;
    let code = attach_to(session, line, name, name).await;
    if line.on("rm") {
        let path = resource.path(&session.namespace, name);
        session
            .call(Call::send(Method::Delete, path, Value::empty_map()))
            .await?;
        let text = format!(
            "pod {name:?} deleted from {} namespace\n",
            session.namespace
        );
        session.io.print(&text).await;
    }
    code
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
    if let Some(port) = line.number("port")? {
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
        container.set("stdinOnce", true);
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
        if let Some((key, value)) = text.split_once('=') {
            pod.set_path(&["metadata", "annotations", key], value);
        }
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
