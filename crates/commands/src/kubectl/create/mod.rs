//! `kubectl create`: from files, or one of the generators beside this file.
//!
//! Models kubectl/pkg/cmd/create.

mod configmap;
mod cronjob;
mod deployment;
mod ingress;
mod job;
mod namespace;
mod poddisruptionbudget;
mod priorityclass;
mod quota;
mod role;
pub(super) mod rolebinding;
mod secret;
mod service;
mod serviceaccount;
mod token;

use api::Value;
use machine::Fd;
use net::http::Method;

use super::Verb;
use super::act::{self, DryRun, done, dry_run};
use super::apply::with_last_applied;
use super::edit;
use super::failure::{Failure, Outcome, report, together};
use super::flags::{Flag, Line, optional, switch, value, values};
use super::kustomize;
use super::session::{Call, JSON, Session};
use super::target::{manifests, namespace_of, resource_of};

/// The generators, in the order of the help text.
pub(super) const GENERATORS: &[&Verb] = &[
    &role::CLUSTER_ROLE,
    &rolebinding::CLUSTER_ROLE_BINDING,
    &configmap::VERB,
    &configmap::SHORT,
    &cronjob::VERB,
    &cronjob::SHORT,
    &deployment::VERB,
    &deployment::SHORT,
    &ingress::VERB,
    &ingress::SHORT,
    &job::VERB,
    &namespace::VERB,
    &namespace::SHORT,
    &poddisruptionbudget::VERB,
    &poddisruptionbudget::SHORT,
    &priorityclass::VERB,
    &priorityclass::SHORT,
    &quota::VERB,
    &quota::LONG,
    &role::ROLE,
    &rolebinding::ROLE_BINDING,
    &secret::GENERIC,
    &secret::TLS,
    &secret::DOCKER_REGISTRY,
    &service::CLUSTER_IP,
    &service::NODE_PORT,
    &service::EXTERNAL_NAME,
    &service::LOAD_BALANCER,
    &serviceaccount::VERB,
    &serviceaccount::SHORT,
    &token::VERB,
];

/// Flags of every generator; a generator's own come on top.
const COMMON: [Flag; 6] = [
    act::OUTPUT,
    act::DRY_RUN,
    act::MANAGER,
    switch("save-config"),
    switch("show-managed-fields"),
    optional("validate", "strict"),
];

/// A generator's flags: its own and the common ones.
macro_rules! generator_flags {
    ($($flag:expr),* $(,)?) => {{
        const OWN: &[super::Flag] = &[$($flag),*];
        const ALL: [super::Flag; OWN.len() + super::COMMON.len()] =
            super::joined::<{ OWN.len() + super::COMMON.len() }>(OWN);
        &ALL
    }};
}
use generator_flags;

const fn joined<const N: usize>(own: &[Flag]) -> [Flag; N] {
    let mut all = [COMMON[0]; N];
    let mut at = 0;
    while at < N {
        all[at] = if at < own.len() {
            own[at]
        } else {
            COMMON[at - own.len()]
        };
        at += 1;
    }
    all
}

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::MANAGER,
    values("kustomize").short('k'),
    value("raw"),
    switch("edit"),
    switch("recursive").short('R'),
    switch("save-config"),
    switch("windows-line-endings"),
    switch("show-managed-fields"),
    optional("validate", "strict"),
];

/// The verb itself.
pub(super) const VERB: Verb = Verb {
    name: "create",
    summary: "Create a resource from a file or from stdin",
    usage: "kubectl create -f FILENAME [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(create(session, line)),
};

async fn create(session: &Session, line: &Line) -> Outcome {
    if !line.args.is_empty() {
        return Err(Failure::Plain(format!(
            "error: Unexpected args: [{}]\nSee 'kubectl create -h' for help and examples",
            line.args.join(" ")
        )));
    }
    if !line.has("filename") && !line.has("kustomize") {
        return Err(Failure::message("must specify one of -f and -k"));
    }
    if let Some(path) = line.get("raw") {
        return raw(session, line, path).await;
    }
    act::validation(line)?;
    let mut read = manifests(&session.io, line).await?;
    if let Some(text) = line.get("selector").filter(|text| !text.is_empty()) {
        let selector = api::selector::LabelSelector::parse(text).map_err(Failure::message)?;
        read.retain(|manifest| selector.matches(manifest.value.labels()));
    }
    if read.is_empty() {
        return Err(Failure::message("no objects passed to create"));
    }
    let discovery = session.discovery().await?;
    let dry = dry_run(line)?;
    let (mut unread, mut failures) = (Vec::new(), Vec::new());
    for manifest in &read {
        let resource = match resource_of(&discovery, manifest) {
            Ok(resource) => resource,
            Err(failure) => {
                unread.push(failure);
                continue;
            }
        };
        let made = async {
            let namespace = namespace_of(session, resource, &manifest.value)?;
            let mut wanted = manifest.value.clone();
            if !namespace.is_empty() {
                wanted.set("metadata.namespace", namespace.as_str());
            }
            if line.on("edit") {
                let resource = resource.clone();
                let value = wanted;
                let found = act::Found { resource, value };
                return edit::before_create(session, line, &found).await;
            }
            if line.on("save-config") {
                wanted = with_last_applied(&wanted);
            }
            let made = act::create(
                session,
                line,
                resource,
                &namespace,
                &wanted,
                "kubectl-create",
            )
            .await
            .map_err(|failure| {
                failure.context(&format!("error when creating {:?}", manifest.source))
            })?;
            done(session, line, dry, &made, "created").await
        };
        failures.extend(made.await.err());
    }
    report(session, together(unread, failures)).await
}

/// Posts a file to a path as it is.
async fn raw(session: &Session, line: &Line, path: &str) -> Outcome {
    let refused = [
        (line.on("edit"), "--raw and --edit are mutually exclusive"),
        (
            line.list("filename").len() != 1,
            "--raw can only use a single local file or stdin",
        ),
        (
            line.text("filename").contains("://"),
            "--raw cannot read from a url",
        ),
        (
            line.has("kustomize"),
            "--raw and --kustomize are mutually exclusive",
        ),
        (
            line.on("recursive"),
            "--raw and --recursive are mutually exclusive",
        ),
        (
            line.has("selector"),
            "--raw and --selector (-l) are mutually exclusive",
        ),
        (
            line.has("output"),
            "--raw and --output are mutually exclusive",
        ),
    ];
    if let Some((_, why)) = refused.into_iter().find(|(is, _)| *is) {
        return Err(Failure::message(why));
    }
    let body = raw_body(session, line.text("filename")).await?;
    raw_request(session, Method::Post, path, Some(body)).await
}

/// The contents of a file, or of standard input, as they are.
pub(super) async fn raw_body(session: &Session, file: &str) -> Outcome<Value> {
    let bytes = match file {
        "-" => session
            .io
            .read_all(Fd::STDIN)
            .await
            .unwrap_or_default()
            .to_vec(),
        file => {
            let read = session.io.read_file(file).await.map_err(|errno| {
                let why = errno.message().to_lowercase();
                Failure::message(format!("open {file}: {why}"))
            })?;
            read.to_vec()
        }
    };
    Ok(Value::from(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Sends a request to a path of the command line and prints the answer as it is.
pub(super) async fn raw_request(
    session: &Session,
    method: Method,
    path: &str,
    body: Option<Value>,
) -> Outcome {
    if !path.starts_with('/') && !path.contains("://") {
        return Err(Failure::message(format!(
            "--raw must be a valid URL path: parse {path:?}: invalid URI for request"
        )));
    }
    let call = Call {
        method,
        body: body.map(|body| (JSON, body)),
        ..Call::get(path)
    };
    let answer = session.call(call).await?;
    session.io.print(&format!("{}\n", answer.to_json())).await;
    Ok(())
}

/// Creates what a generator made.
async fn generated(session: &Session, line: &Line, object: Value) -> Outcome {
    act::validation(line)?;
    let discovery = session.discovery().await?;
    let resource = discovery
        .of(object.api_version(), object.kind())
        .ok_or_else(|| Failure::message(format!("no matches for kind {:?}", object.kind())))?;
    let dry = dry_run(line)?;
    let mut object = object;
    if line.on("append-hash") {
        let name = format!("{}-{}", object.name(), kustomize::hash(&object));
        object.set("metadata.name", name.as_str());
    }
    if line.on("save-config") {
        object = with_last_applied(&object);
    }
    let mut namespace = String::new();
    if resource.namespaced {
        namespace.clone_from(&session.namespace);
        if session.namespace_given || dry != DryRun::Client {
            object.set("metadata.namespace", namespace.as_str());
        }
    }
    let made = act::create(
        session,
        line,
        resource,
        &namespace,
        &object,
        "kubectl-create",
    )
    .await?;
    done(session, line, dry, &made, "created").await
}

/// As [`generated`], for the generators that say what they failed to create.
async fn generated_as(session: &Session, line: &Line, object: Value, what: &str) -> Outcome {
    generated(session, line, object)
        .await
        .map_err(|failure| match failure {
            Failure::Status(status) => {
                let colon = if what == "secret" { "" } else { ":" };
                Failure::message(format!(
                    "failed to create {what}{colon} {}",
                    status.str_at("message")
                ))
            }
            other => other,
        })
}

/// The one name a generator takes.
fn exactly_one_name(line: &Line) -> Outcome<&str> {
    match line.args.as_slice() {
        [name] => Ok(name),
        other => Err(Failure::message(format!(
            "exactly one NAME is required, got {}\nSee '{} -h' for help and examples",
            other.len(),
            line.command
        ))),
    }
}

/// `key=value` of `--from-literal`.
fn literal(text: &str) -> Outcome<(String, String)> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err(Failure::message(format!(
            "invalid literal source {text}, expected key=value"
        ))),
    }
}

/// The entries of `--from-file`: `path`, `key=path`, or every file of a directory.
async fn from_files(session: &Session, line: &Line) -> Outcome<Vec<(String, Vec<u8>)>> {
    let io = &session.io;
    let mut found = Vec::new();
    if line.has("from-env-file") && (line.has("from-file") || line.has("from-literal")) {
        return Err(Failure::message(
            "from-env-file cannot be combined with from-file or from-literal",
        ));
    }
    for source in line.all("from-file") {
        if let Some(why) = not_a_source(source) {
            return Err(Failure::message(why));
        }
        let (key, path) = match source.split_once('=') {
            Some((key, path)) => (Some(key.to_owned()), path.to_owned()),
            None => (None, source.clone()),
        };
        let asked = path.clone();
        let stat = io.sys(move |sys| sys.stat(&asked)).await;
        let failed = |errno: net::Errno| {
            Failure::message(format!(
                "error reading {path}: {}",
                errno.message().to_lowercase()
            ))
        };
        let stat = stat.map_err(failed)?;
        if stat.is_dir() {
            if key.is_some() {
                return Err(Failure::message(
                    "cannot give a key name for a directory path",
                ));
            }
            let asked = path.clone();
            let entries = io
                .sys(move |sys| sys.read_dir(&asked))
                .await
                .map_err(failed)?;
            for entry in entries.iter().filter(|entry| !entry.stat.is_dir()) {
                let file = format!("{}/{}", path.trim_end_matches('/'), entry.name);
                let bytes = io.read_file(&file).await.map_err(failed)?;
                found.push((entry.name.to_string(), bytes.to_vec()));
            }
        } else {
            let bytes = io.read_file(&path).await.map_err(failed)?;
            let name = path.rsplit('/').next().unwrap_or(&path).to_owned();
            found.push((key.unwrap_or(name), bytes.to_vec()));
        }
    }
    Ok(found)
}

/// Why `--from-file` cannot mean anything.
fn not_a_source(source: &str) -> Option<String> {
    let (key, path) = source.split_once('=')?;
    match (key, path) {
        _ if path.contains('=') => Some("key names or file paths cannot contain '='".to_owned()),
        ("", path) => Some(format!("key name for file path {path} missing")),
        (key, "") => Some(format!("file path for key name {key} missing")),
        _ => None,
    }
}

/// Why a text cannot name a variable of an environment.
pub(super) fn not_a_variable(key: &str) -> Option<String> {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    let fits = key.chars().all(inner) && !key.starts_with(|c: char| c.is_ascii_digit());
    (!fits || key.is_empty()).then(|| {
        format!(
            "{key:?} is not a valid key name: a valid environment variable name must consist of \
             alphabetic characters, digits, '_', '-', or '.', and must not start with a digit \
             (e.g. 'my.env-name', or 'MY_ENV.NAME', or 'MyEnvName1', regex used for validation is \
             '[-._a-zA-Z][-._a-zA-Z0-9]*')"
        )
    })
}

/// Why a text cannot be a key of a ConfigMap.
fn not_a_key(key: &str) -> Option<String> {
    let wrong = api::names::config_key(key);
    let wrong = wrong.join(",");
    (!wrong.is_empty()).then(|| format!("{key:?} is not a valid key name for a ConfigMap: {wrong}"))
}

/// The entries of `--from-env-file`: `KEY=value` lines.
async fn from_env_files(session: &Session, line: &Line) -> Outcome<Vec<(String, String)>> {
    let mut found = Vec::new();
    for path in line.all("from-env-file") {
        let asked = path.clone();
        let stat = session.io.sys(move |sys| sys.stat(&asked)).await;
        let failed = |errno: net::Errno| {
            let why = errno.message().to_lowercase();
            Failure::message(format!("error reading {path}: {why}"))
        };
        if stat.map_err(failed)?.is_dir() {
            return Err(Failure::message("env config file cannot be a directory"));
        }
        let text = session.io.read_to_string(path).await.map_err(failed)?;
        for pair in text.lines().map(str::trim_start) {
            if pair.is_empty() || pair.starts_with('#') {
                continue;
            }
            let (key, value) = match pair.split_once('=') {
                Some((key, value)) => (key, value.to_owned()),
                // A name alone stands for what the environment says.
                None => (pair, session.io.env(pair).unwrap_or_default().to_string()),
            };
            if let Some(why) = not_a_variable(key) {
                return Err(Failure::message(why));
            }
            found.push((key.to_owned(), value));
        }
    }
    Ok(found)
}
