//! `kubectl logs`.
//!
//! Models kubectl/pkg/cmd/logs/logs.go and polymorphichelpers/logsforobject.go.

use std::collections::BTreeMap;

use api::Value;
use machine::Fd;
use net::http::{Body, Frame, Message, percent_encode};
use sim::Instant;

use super::Verb;
use super::act;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::pods::{For, container_of, pods, select, timeout};
use super::session::{Call, Session};

const FLAGS: &[Flag] = &[
    act::SELECTOR,
    value("container").short('c'),
    value("limit-bytes"),
    value("max-log-requests"),
    value("pod-running-timeout"),
    value("since"),
    value("since-time"),
    value("tail"),
    switch("all-containers"),
    switch("all-pods"),
    switch("follow").short('f'),
    switch("ignore-errors"),
    switch("insecure-skip-tls-verify-backend"),
    switch("prefix"),
    switch("previous").short('p'),
    switch("timestamps"),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "logs",
    summary: "Print the logs for a container in a pod",
    usage: "kubectl logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(logs(session, line)),
};

const USAGE: &str = "expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or TYPE/NAME \
                     is a required argument for the logs command";
/// How long to wait for a pod of a workload.
const POD_TIMEOUT: u64 = 20;
/// Lines of each container where pods are selected by labels.
const SELECTED_TAIL: i64 = 10;
/// Logs followed at once, unless told otherwise.
const MOST_FOLLOWED: i64 = 5;

/// A container whose log is asked for.
#[derive(Clone)]
pub(super) struct Source {
    pub(super) pod: Value,
    pub(super) container: String,
}

async fn logs(session: &Session, line: &Line) -> Outcome {
    let options = check(line)?;
    let sources = sources(session, line).await?;
    if sources.is_empty() {
        let text = format!("No resources found in {} namespace.\n", session.namespace);
        session.io.eprint(&text).await;
        return Ok(());
    }
    if line.on("follow") && sources.len() > 1 {
        let most = line.number("max-log-requests")?.unwrap_or(MOST_FOLLOWED);
        let count = sources.len();
        if i64::try_from(count).unwrap_or(i64::MAX) > most {
            return Err(Failure::message(format!(
                "you are attempting to follow {count} log streams, but maximum allowed \
                 concurrency is {most}, use --max-log-requests to increase the limit"
            )));
        }
        return follow(session, line, &options, &sources).await;
    }
    for source in &sources {
        match print_log(session, &options, source, prefix(line, source)).await {
            Err(failure) if line.on("ignore-errors") => {
                session.io.print(&complaint(&failure)).await;
            }
            other => other?,
        }
    }
    Ok(())
}

/// A failure as it is told between logs.
fn complaint(failure: &Failure) -> String {
    let text = match failure {
        Failure::Status(status) => format!("{}\n", status.str_at("message")),
        other => other.text(),
    };
    format!("error: {}", text.strip_prefix("error: ").unwrap_or(&text))
}

/// Checks the flags; gives the query they make, without the container.
fn check(line: &Line) -> Outcome<String> {
    let count = |flag: &'static str| {
        let read = line.number(flag);
        read.map_err(|why| Failure::Usage(why, line.command.clone()))
    };
    let (tail, limit) = (count("tail")?, count("limit-bytes")?);
    count("max-log-requests")?;
    if line.text("since").starts_with('-') {
        return Err(Failure::message("--since must be greater than 0"));
    }
    let since = line
        .duration("since")
        .map_err(|why| Failure::Usage(why, line.command.clone()))?;
    match line.args.len() {
        0 if !line.has("selector") => return Err(Failure::hint(line, USAGE)),
        1 if line.has("selector") => {
            let why = "only a selector (-l) or a POD name is allowed";
            return Err(Failure::hint(line, why));
        }
        0..=2 => {}
        _ => return Err(Failure::hint(line, USAGE)),
    }
    let container = line.get("container").unwrap_or_default();
    let message = |text: &str| Err(Failure::message(text));
    if line.has("since-time") && since.is_some_and(|since| !since.is_zero()) {
        return message("at most one of `sinceTime` or `sinceSeconds` may be specified");
    }
    if line.on("all-containers") && !container.is_empty() {
        return Err(Failure::message(format!(
            "--all-containers=true should not be specified with container name {container}"
        )));
    }
    if !container.is_empty() && line.args.len() == 2 {
        return message("only one of -c or an inline [CONTAINER] arg is allowed");
    }
    if limit.is_some_and(|limit| limit < 0) {
        return message("--limit-bytes must be greater than 0");
    }
    if line.text("since").starts_with('-') {
        return message("--since must be greater than 0");
    }
    if tail.is_some_and(|tail| tail < -1) {
        return message("--tail must be greater than or equal to -1");
    }
    let mut query = String::new();
    for flag in ["follow", "previous", "timestamps"] {
        if line.on(flag) {
            query.push_str(&format!("&{flag}=true"));
        }
    }
    let selected = line.has("selector").then_some(SELECTED_TAIL);
    if let Some(tail) = tail.or(selected).filter(|tail| *tail >= 0) {
        query.push_str(&format!("&tailLines={tail}"));
    }
    if let Some(limit) = limit.filter(|limit| *limit != 0) {
        query.push_str(&format!("&limitBytes={limit}"));
    }
    if let Some(since) = since.filter(|since| !since.is_zero()) {
        let half = sim::Duration::from_millis(500);
        query.push_str(&format!("&sinceSeconds={}", (since + half).as_secs()));
    }
    if let Some(time) = line.get("since-time") {
        if let Some((rest, part)) = unread_time(time) {
            return Err(Failure::message(format!(
                "parsing time {time:?} as \"2006-01-02T15:04:05Z07:00\": cannot parse {rest:?} as \
                 {part:?}"
            )));
        }
        // What is before all that can have been written leaves nothing out.
        if Instant::parse_rfc3339(time).is_none() {
            return Ok(query);
        }
        query.push_str(&format!("&sinceTime={}", percent_encode(time)));
    }
    Ok(query)
}

/// What of a text is no time, and which part of one it should be.
fn unread_time(text: &str) -> Option<(&str, &'static str)> {
    let parts = [
        "2006", "-", "01", "-", "02", "T", "15", ":", "04", ":", "05",
    ];
    let mut rest = text;
    for part in parts {
        let is_number = part.starts_with(|c: char| c.is_ascii_digit());
        let read = match is_number {
            true => rest
                .get(..part.len())
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_digit())),
            false => rest.starts_with(part),
        };
        if !read {
            return Some((rest, part));
        }
        rest = &rest[part.len()..];
    }
    let fraction = rest.strip_prefix('.').unwrap_or(rest);
    let zone = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    let zone = if fraction.len() == rest.len() {
        rest
    } else {
        zone
    };
    let offset = |zone: &str| {
        let zone = zone.strip_prefix(['+', '-'])?;
        let (hours, minutes) = zone.split_once(':')?;
        (hours.len() == 2 && minutes.len() == 2).then_some(())
    };
    match zone == "Z" || offset(zone).is_some() {
        true => None,
        false => Some((zone, "Z07:00")),
    }
}

async fn sources(session: &Session, line: &Line) -> Outcome<Vec<Source>> {
    let mut found = Vec::new();
    for pod in chosen(session, line).await? {
        if line.on("all-containers") {
            for field in ["initContainers", "containers", "ephemeralContainers"] {
                found.extend(pod.get("spec").list_at(field).iter().map(|c| Source {
                    pod: pod.clone(),
                    container: c.str_at("name").to_owned(),
                }));
            }
            continue;
        }
        let named = line
            .get("container")
            .or(line.args.get(1).map(String::as_str));
        let container = container_of(session, &pod, named, false).await?;
        found.push(Source { pod, container });
    }
    Ok(found)
}

/// The pods whose logs are wanted.
async fn chosen(session: &Session, line: &Line) -> Outcome<Vec<Value>> {
    if let Some(selector) = line.get("selector") {
        let found = select(session, selector).await;
        let discovery = session.discovery().await?;
        let resource = discovery.resolve("pods")?;
        return found.map_err(|failure| act::unlistable(line, resource, failure));
    }
    let Some(word) = line.args.first() else {
        return Ok(Vec::new());
    };
    let limit = timeout(line, POD_TIMEOUT)?;
    let found = pods(session, word, For::Logs, limit).await;
    let mut found = found.map_err(not_found(session))?;
    if found.object.is_some() && !line.on("all-pods") {
        let count = found.pods.len();
        if count > 1 {
            let first = found.pods[0].name();
            let text = format!("Found {count} pods, using pod/{first}\n");
            session.io.eprint(&text).await;
        }
        found.pods.truncate(1);
    }
    Ok(found.pods)
}

fn not_found(session: &Session) -> impl Fn(Failure) -> Failure {
    let namespace = session.namespace.clone();
    move |failure| match failure {
        Failure::Status(status) if status.str_at("reason") == "NotFound" => {
            Failure::message(format!(
                "error from server (NotFound): {} in namespace {namespace:?}",
                status.str_at("message")
            ))
        }
        other => other,
    }
}

fn prefix(line: &Line, source: &Source) -> String {
    match line.on("prefix") || line.on("all-pods") {
        true => format!("[pod/{}/{}] ", source.pod.name(), source.container),
        false => String::new(),
    }
}

fn call(source: &Source, options: &str) -> Call {
    let Source { pod, container } = source;
    let (namespace, name) = (pod.namespace(), pod.name());
    Call::get(format!(
        "/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}{options}"
    ))
}

/// Prints one log to its end.
pub(super) async fn print_log(
    session: &Session,
    options: &str,
    source: &Source,
    prefix: String,
) -> Outcome {
    let (response, stream) = session.stream(call(source, options)).await?;
    let mut printer = Printer {
        prefix,
        at_start: true,
    };
    printer.print(session, &response.body).await;
    if response.more {
        while let Some(part) = session.next_part(stream).await? {
            printer.print(session, &part).await;
        }
    }
    Ok(())
}

/// The whole log of a container.
pub(super) async fn read_log(session: &Session, source: &Source) -> Outcome<Vec<u8>> {
    session.text(&call(source, "").target).await
}

/// Follows several logs at once, printing what comes as it comes.
async fn follow(session: &Session, line: &Line, options: &str, sources: &[Source]) -> Outcome {
    let mut open = BTreeMap::new();
    let mut conn = None;
    for source in sources {
        let request = session.request(&call(source, options));
        let (fd, stream) = session.send(request).await?;
        let printer = Printer {
            prefix: prefix(line, source),
            at_start: true,
        };
        open.insert(stream, printer);
        conn = Some(fd);
    }
    let Some(conn) = conn else {
        return Ok(());
    };
    while !open.is_empty() {
        let next = session.io.recv(conn).await;
        let Ok(Some(payload)) = next else {
            return Err(Failure::message("unexpected EOF"));
        };
        let Some(message) = payload.downcast::<Message>() else {
            continue;
        };
        let Some(printer) = open.get_mut(&message.stream) else {
            continue;
        };
        match &message.frame {
            Frame::Response(response) if response.status >= 400 => {
                let status = api::body_value(&response.body).unwrap_or_default();
                open.remove(&message.stream);
                let failure = Failure::Status(status);
                if !line.on("ignore-errors") {
                    return Err(failure);
                }
                session.io.print(&complaint(&failure)).await;
            }
            Frame::Response(response) => {
                printer.print(session, &response.body).await;
                if !response.more {
                    open.remove(&message.stream);
                }
            }
            Frame::Data(body) => printer.print(session, body).await,
            Frame::End | Frame::Reset => drop(open.remove(&message.stream)),
            Frame::Request(_) => {}
        }
    }
    Ok(())
}

/// Prints parts of a log, each line with its prefix.
struct Printer {
    prefix: String,
    at_start: bool,
}

impl Printer {
    async fn print(&mut self, session: &Session, body: &Body) {
        let bytes = body.bytes();
        if self.prefix.is_empty() {
            session.io.write_all(Fd::STDOUT, &bytes).await;
            return;
        }
        let mut out = Vec::new();
        for line in bytes.split_inclusive(|byte| *byte == b'\n') {
            if self.at_start {
                out.extend_from_slice(self.prefix.as_bytes());
            }
            out.extend_from_slice(line);
            self.at_start = line.ends_with(b"\n");
        }
        session.io.write_all(Fd::STDOUT, &out).await;
    }
}
