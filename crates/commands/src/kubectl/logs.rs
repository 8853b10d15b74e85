//! `kubectl logs`.
//!
//! Models kubectl/pkg/cmd/logs/logs.go.

use api::Value;
use machine::Fd;

use super::Verb;
use super::act;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value};
use super::pods::{container, pods, select};
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

/// A container whose log is asked for.
struct Source {
    pod: Value,
    container: String,
}

async fn logs(session: &Session, line: &Line) -> Outcome {
    for flag in ["tail", "limit-bytes", "max-log-requests"] {
        line.number(flag)
            .map_err(|why| Failure::Usage(why, "kubectl logs".to_owned()))?;
    }
    let sources = sources(session, line).await?;
    if sources.is_empty() {
        let text = format!("No resources found in {} namespace.\n", session.namespace);
        session.io.eprint(&text).await;
        return Ok(());
    }
    if line.on("follow") && sources.len() > 1 {
        return Err(Failure::message(
            sim::unmodelled!("following the logs of several containers at once").to_string(),
        ));
    }
    for source in &sources {
        print_log(session, line, source).await?;
    }
    Ok(())
}

async fn sources(session: &Session, line: &Line) -> Outcome<Vec<Source>> {
    let selected = match (line.get("selector"), line.args.as_slice()) {
        (Some(selector), []) => select(session, selector).await?,
        (None, [word, rest @ ..]) if rest.len() <= 1 => {
            let (object, mut found) = pods(session, word).await.map_err(not_found(session))?;
            if object.is_some() && found.len() > 1 {
                let first = found[0].name().to_owned();
                if !line.on("all-pods") {
                    let count = found.len();
                    let text = format!("Found {count} pods, using pod/{first}\n");
                    session.io.eprint(&text).await;
                    found.truncate(1);
                }
            }
            found
        }
        (Some(_), _) => {
            return Err(Failure::message(
                "only a selector (-l) or a POD name is allowed",
            ));
        }
        _ => {
            return Err(Failure::Plain(
                "error: expected 'logs [-f] [-p] (POD | TYPE/NAME) [-c CONTAINER]'.\nPOD or \
                 TYPE/NAME is a required argument for the logs command\nSee 'kubectl logs -h' for \
                 help and examples"
                    .to_owned(),
            ));
        }
    };
    let mut found = Vec::new();
    for pod in selected {
        if line.on("all-containers") {
            for field in ["initContainers", "containers", "ephemeralContainers"] {
                for c in pod.get("spec").list_at(field) {
                    let container = c.str_at("name").to_owned();
                    found.push(Source {
                        pod: pod.clone(),
                        container,
                    });
                }
            }
        } else {
            let named = match line.args.get(1) {
                Some(name) => name.clone(),
                None => container(session, line, &pod).await?,
            };
            found.push(Source {
                pod,
                container: named,
            });
        }
    }
    Ok(found)
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

async fn print_log(session: &Session, line: &Line, source: &Source) -> Outcome {
    let Source { pod, container } = source;
    let mut query = vec![format!("container={container}")];
    for (flag, key) in [
        ("follow", "follow"),
        ("previous", "previous"),
        ("timestamps", "timestamps"),
    ] {
        if line.on(flag) {
            query.push(format!("{key}=true"));
        }
    }
    let default_tail = if line.has("selector") { Some(10) } else { None };
    if let Some(tail) = line
        .number("tail")?
        .or(default_tail)
        .filter(|tail| *tail >= 0)
    {
        query.push(format!("tailLines={tail}"));
    }
    if let Some(limit) = line.number("limit-bytes")? {
        query.push(format!("limitBytes={limit}"));
    }
    if let Some(since) = line.duration("since")? {
        query.push(format!("sinceSeconds={}", since.as_secs().max(1)));
    }
    if let Some(time) = line.get("since-time") {
        query.push(format!("sinceTime={}", net::http::percent_encode(time)));
    }
    let (namespace, name) = (pod.namespace(), pod.name());
    let target = format!(
        "/api/v1/namespaces/{namespace}/pods/{name}/log?{}",
        query.join("&")
    );
    let prefix = if line.on("prefix") {
        format!("[pod/{name}/{container}] ")
    } else {
        String::new()
    };
    let (response, stream) = session.stream(Call::get(target)).await?;
    let mut printer = Printer {
        prefix,
        at_start: true,
    };
    printer.print(session, &response.body.bytes()).await;
    if response.more {
        while let Some(part) = session.next_part(stream).await? {
            printer.print(session, &part.bytes()).await;
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
    async fn print(&mut self, session: &Session, bytes: &[u8]) {
        if self.prefix.is_empty() {
            session.io.write_all(Fd::STDOUT, bytes).await;
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
