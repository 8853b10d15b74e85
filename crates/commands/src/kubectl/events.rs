//! `kubectl events`.
//!
//! Models kubectl/pkg/cmd/events/events.go and event_printer.go.

use std::convert::Infallible;

use api::{Value, body_value, object};
use net::http::percent_encode;
use sim::Instant;

use super::Verb;
use super::act;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value, values};
use super::print::{self, Format, align, go_sort};
use super::session::{Call, Session};
use super::target::targets;

const FLAGS: &[Flag] = &[
    act::OUTPUT,
    act::ALL_NAMESPACES,
    value("for"),
    values("types"),
    value("chunk-size"),
    switch("no-headers"),
    switch("show-managed-fields"),
    switch("watch").short('w'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "events",
    summary: "List events",
    usage: "kubectl events [(-o|--output=)json|yaml|name|jsonpath=...] [--for TYPE/NAME] [--watch] \
            [--types=Normal,Warning] [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(events(session, line)),
};

/// What is asked for, and how it is shown.
struct Wanted {
    format: Format,
    /// In lower case; empty for all.
    types: Vec<String>,
    namespaces: bool,
}

async fn events(session: &Session, line: &Line) -> Outcome {
    let wanted = Wanted {
        format: print::format(line)?,
        types: types(line)?,
        namespaces: line.on("all-namespaces"),
    };
    let discovery = session.discovery().await?;
    let namespace = Some(session.namespace.as_str()).filter(|_| !wanted.namespaces);
    let mut target = discovery.resolve("events")?.collection(namespace);
    target.push_str("?limit=500");
    if let Some(about) = line.get("for") {
        let fields = about_fields(session, about).await?;
        target.push_str(&format!("&fieldSelector={}", percent_encode(&fields)));
    }
    if line.on("watch") {
        target.push_str("&watch=true");
        return watch(session, &wanted, target, !line.on("no-headers")).await;
    }
    let list = session.call(Call::get(target.as_str())).await?;
    let mut found: Vec<Value> = list.list_at("items").to_vec();
    found.retain(|event| wanted.shows(event));
    // What cannot fail is compared.
    go_sort(&mut found, |a, b| {
        Ok::<_, Infallible>(last_seen(a) < last_seen(b))
    })
    .ok();
    if found.is_empty() {
        let text = match wanted.namespaces {
            true => "No events found.\n".to_owned(),
            false => format!("No events found in {} namespace.\n", session.namespace),
        };
        session.io.eprint(&text).await;
        return Ok(());
    }
    let mut widths = Vec::new();
    let headed = !line.on("no-headers");
    wanted.print(session, &found, headed, &mut widths).await
}

fn types(line: &Line) -> Outcome<Vec<String>> {
    let types = line.list("types");
    for name in &types {
        if !["normal", "warning"].contains(&&*name.to_lowercase()) {
            return Err(Failure::message(
                "valid --types are Normal or Warning".to_owned(),
            ));
        }
    }
    Ok(types.iter().map(|name| name.to_lowercase()).collect())
}

/// The fields of events about `TYPE/NAME`.
async fn about_fields(session: &Session, about: &str) -> Outcome<String> {
    if !about.contains('/') {
        return Err(Failure::message("--for must be in resource/name form"));
    }
    let discovery = session.discovery().await?;
    // Only the name of the type is looked up here, which says so in its own way.
    let kind = about.split('/').next().unwrap_or_default();
    if discovery.find(kind).is_none() {
        return Err(Failure::Plain(format!(
            "the server doesn't have a resource type {kind:?}"
        )));
    }
    let found = targets(&discovery, &[about.to_owned()])?.remove(0);
    Ok(format!(
        "involvedObject.kind={},involvedObject.name={}",
        found.resource.kind,
        found.name.unwrap_or_default()
    ))
}

impl Wanted {
    /// Events as a list; by their names none are shown.
    fn formatted(&self, events: &[Value]) -> Outcome<String> {
        if self.format == Format::Name {
            return Ok(String::new());
        }
        let list = object!({
            "apiVersion": "v1",
            "items": (Value::from(events.to_vec())),
            "kind": "EventList",
            "metadata": {},
        });
        print::typed_object(&self.format, list)
    }

    fn shows(&self, event: &Value) -> bool {
        let name = event.str_at("type").to_lowercase();
        self.types.is_empty() || self.types.contains(&name)
    }

    async fn print(
        &self,
        session: &Session,
        events: &[Value],
        headed: bool,
        widths: &mut Vec<usize>,
    ) -> Outcome {
        let Format::Table { .. } = self.format else {
            session.io.print(&self.formatted(events)?).await;
            return Ok(());
        };
        let mut lines = Vec::new();
        if headed {
            let head = ["LAST SEEN", "TYPE", "REASON", "OBJECT", "MESSAGE"];
            lines.push(head.map(str::to_owned).to_vec());
        }
        let now = session.io.now().await;
        lines.extend(events.iter().map(|event| row(event, now)));
        if self.namespaces {
            let names = events.iter().map(|event| event.namespace());
            let head = headed.then_some("NAMESPACE");
            for (line, name) in lines.iter_mut().zip(head.into_iter().chain(names)) {
                line.insert(0, name.to_owned());
            }
        }
        session.io.print(&align(&lines, widths)).await;
        Ok(())
    }
}

fn row(event: &Value, now: Instant) -> Vec<String> {
    let about = event.get("involvedObject");
    vec![
        interval(event, now),
        event.str_at("type").to_owned(),
        event.str_at("reason").to_owned(),
        format!("{}/{}", about.str_at("kind"), about.str_at("name")),
        event.str_at("message").trim().to_owned(),
    ]
}

/// `51s`, or `51s (x2 over 1m)` of what was seen more than once.
fn interval(event: &Value, now: Instant) -> String {
    let age = |path: &str| api::time::age(now, event.str_at(path));
    let first = match event.str_at("eventTime") {
        "" => age("firstTimestamp"),
        _ => age("eventTime"),
    };
    let count = event.i64_at("count").unwrap_or(0);
    match event.i64_at("series.count") {
        Some(count) => format!("{} (x{count} over {first})", age("series.lastObservedTime")),
        None if count > 1 => format!("{} (x{count} over {first})", age("lastTimestamp")),
        None => first,
    }
}

fn last_seen(event: &Value) -> &str {
    let times = ["series.lastObservedTime", "lastTimestamp", "eventTime"];
    let mut seen = times.iter().map(|path| event.str_at(path));
    seen.find(|text| !text.is_empty()).unwrap_or_default()
}

async fn watch(session: &Session, wanted: &Wanted, target: String, mut headed: bool) -> Outcome {
    let mut widths = Vec::new();
    let (response, stream) = session.stream(Call::get(target)).await?;
    let mut next = Some(response.body.clone());
    while let Some(body) = next {
        let event = body_value(&body).unwrap_or_default();
        let object = event.get("object");
        match event.str_at("type") {
            "ERROR" => return Err(Failure::Status(object.clone())),
            "ADDED" | "MODIFIED" if wanted.shows(object) => {
                if let Format::Table { .. } = wanted.format {
                    let one = std::slice::from_ref(object);
                    wanted.print(session, one, headed, &mut widths).await?;
                    headed = false;
                } else {
                    let text = print::typed_object(&wanted.format, object.clone())?;
                    session.io.print(&text).await;
                }
            }
            _ => {}
        }
        next = session.next_part(stream).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(event: &Value, expect: &str) {
        let now = Instant::ZERO + sim::Duration::from_secs(60);
        assert_eq!(interval(event, now), expect);
    }

    #[test]
    fn when_events_were_seen() {
        let (first, last) = ("2026-01-05T09:00:10Z", "2026-01-05T09:00:40Z");
        check(
            &object!({ "firstTimestamp": (first), "lastTimestamp": (first), "count": 1 }),
            "50s",
        );
        check(
            &object!({ "firstTimestamp": (first), "lastTimestamp": (last), "count": 3 }),
            "20s (x3 over 50s)",
        );
        check(
            &object!({
                "eventTime": "2026-01-05T09:00:10.000000Z",
                "series": { "count": 2, "lastObservedTime": "2026-01-05T09:00:40.000000Z" },
            }),
            "20s (x2 over 50s)",
        );
    }
}
