//! What kubectl says when it cannot even ask the server what it serves.
//!
//! Models client-go/discovery/cached/memory/memcache.go and kubectl/pkg/validation: each attempt to
//! list the API groups is logged, and how often a command tries depends on what it looks up.

use api::Value;
use net::Errno;

use super::failure::Failure;
use super::flags::Line;
use super::session::Session;

/// Logs the attempts, and gives the failure as the command tells it.
pub(super) async fn told(session: &Session, line: &Line, failure: Failure) -> Failure {
    let Failure::Connection { host, errno, .. } = &failure else {
        return failure;
    };
    let addr = session.access.addr().map(|addr| addr.to_string());
    let why = reason(addr.as_deref().unwrap_or(host), *errno);
    let server = session.access.server.clone();
    let cached = is_cached(session, line).await;
    let timeout = line.get("request-timeout").filter(|text| *text != "0");
    let timeout = timeout.unwrap_or("32s");
    let verb = line.command.strip_prefix("kubectl ").unwrap_or_default();
    let source = line.list("filename").into_iter().next();
    let source = source.map(|name| {
        if name == "-" {
            "STDIN".to_owned()
        } else {
            name
        }
    });
    let validates = !matches!(line.get("validate"), Some("false" | "ignore"));
    if let Some(source) = &source
        && matches!(verb, "apply" | "create" | "replace")
        && validates
    {
        return Failure::message(format!(
            "error validating {source:?}: error validating data: failed to download openapi: Get \
             \"{server}/openapi/v2?timeout={timeout}\": {why}; if you choose to ignore these errors, \
             turn validation off with --validate=false"
        ));
    }
    if cached {
        return failure;
    }
    let url = format!("{server}/api?timeout={timeout}");
    let err = format!("couldn't get current server API group list: Get \"{url}\": {why}");
    let text = format!("\"Unhandled Error\" err={err:?}");
    let count = match source {
        Some(_) => 1,
        None => attempts(verb, line),
    };
    for _ in 0..count {
        session.klog_error("memcache.go:265", &text).await;
    }
    match source {
        Some(source) => {
            let text = format!("unable to recognize {source:?}: Get \"{url}\": {why}");
            match verb {
                "get" => Failure::Plain(text),
                _ => Failure::Message(text),
            }
        }
        None if verb == "api-versions" => Failure::message(format!(
            "couldn't get available api versions from server: Get \"{url}\": {why}"
        )),
        None => failure,
    }
}

/// The file in which kubectl keeps which groups a server serves.
fn cache(session: &Session, line: &Line) -> Option<String> {
    let server = &session.access.server;
    let host = server.split_once("://").map_or(&**server, |(_, rest)| rest);
    let plain = |c: char| c.is_ascii_alphanumeric() || "_/.".contains(c);
    let host: String = host
        .chars()
        .map(|c| if plain(c) { c } else { '_' })
        .collect();
    let directory = match line.get("cache-dir") {
        Some(directory) => directory.to_owned(),
        None => format!("{}/.kube/cache", session.io.env("HOME")?),
    };
    Some(format!("{directory}/discovery/{host}/servergroups.json"))
}

async fn is_cached(session: &Session, line: &Line) -> bool {
    match cache(session, line) {
        Some(path) => session.io.sys(move |sys| sys.exists(&path)).await,
        None => false,
    }
}

/// Keeps which groups the server serves, as the first command that asks it does. What is kept
/// stands in for the answer only as far as a command fails without having to look it up.
pub(super) async fn remember(session: &Session, line: &Line, groups: impl Fn() -> Value) {
    if is_cached(session, line).await {
        return;
    }
    let Some(path) = cache(session, line) else {
        return;
    };
    let text = groups().to_json();
    let written = move |sys: &mut machine::Sys<'_>| {
        let (directory, _) = path.rsplit_once('/')?;
        sys.mkdir_all(directory).ok()?;
        sys.write_file(&path, text.as_bytes()).ok()
    };
    // Where nothing can be kept, as on a read-only file system, kubectl works all the same.
    let _ = session.io.sys(written).await;
}

/// Why a connection failed, as Go says it.
fn reason(host: &str, errno: Errno) -> String {
    match errno {
        Errno::ECONNRESET => "EOF".to_owned(),
        Errno::ETIMEDOUT => format!("dial tcp {host}: i/o timeout"),
        errno => format!("dial tcp {host}: connect: {}", errno.go_message()),
    }
}

/// How often a command asks for the API groups.
fn attempts(verb: &str, line: &Line) -> usize {
    match verb {
        "api-resources" | "api-versions" | "run" => 1,
        "explain" | "taint" | "auth can-i" | "create role" | "create clusterrole" => 2,
        "events" if line.has("for") => 2,
        "events" | "version" | "top pod" | "top node" | "auth whoami" | "cp" => 0,
        verb if verb.starts_with("create") || verb.starts_with("auth") => 0,
        "cordon" | "uncordon" | "drain" | "logs" | "exec" | "attach" | "port-forward" | "debug" => {
            4
        }
        _ => match line.args.first() {
            Some(word) if word.contains('/') => 4,
            Some(word) => 5 + word.matches(',').count(),
            None => 5,
        },
    }
}
