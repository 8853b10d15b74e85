//! The events at the end of a description.

use std::convert::Infallible;

use api::Value;
use net::http::percent_encode;
use sim::Instant;

use crate::kubectl::failure::Outcome;
use crate::kubectl::print::go_sort;
use crate::kubectl::session::{Call, Session};

/// Events about an object, oldest first.
pub(super) async fn of(session: &Session, object: &Value) -> Outcome<Vec<Value>> {
    let namespace = match object.namespace() {
        "" => "default",
        namespace => namespace,
    };
    let mut fields = vec![
        format!("involvedObject.name={}", object.name()),
        format!("involvedObject.kind={}", object.kind()),
    ];
    if !object.namespace().is_empty() {
        fields.push(format!("involvedObject.namespace={namespace}"));
    }
    // The kubelet names a node by its name in place of its uid.
    if object.kind() != "Node" {
        fields.push(format!("involvedObject.uid={}", object.uid()));
    }
    let selector = percent_encode(&fields.join(","));
    let path = format!("/api/v1/namespaces/{namespace}/events?fieldSelector={selector}&limit=500");
    let list = session.call(Call::get(path)).await?;
    let mut events = list.list_at("items").to_vec();
    // What cannot fail is compared.
    go_sort(&mut events, |a, b| Ok::<_, Infallible>(last(a) < last(b))).ok();
    Ok(events)
}

/// The table of events.
pub(super) fn text(events: &[Value], now: Instant) -> String {
    if events.is_empty() {
        return "Events:\t<none>\n".to_owned();
    }
    let mut text = String::from(
        "Events:\n  Type\tReason\tAge\tFrom\tMessage\n  ----\t------\t----\t----\t-------\n",
    );
    for event in events {
        let age = interval(event, now);
        let from = match event.str_at("source.component") {
            "" => event.str_at("reportingComponent"),
            component => component,
        };
        let field = match event.str_at("involvedObject.fieldPath") {
            "" => String::new(),
            path => format!("{path}: "),
        };
        text.push_str(&format!(
            "  {}\t{}\t{age}\t{from}\t{field}{}\n",
            event.str_at("type"),
            event.str_at("reason"),
            event.str_at("message").trim(),
        ));
    }
    text
}

/// `4s (x3 over 34s)`
fn interval(event: &Value, now: Instant) -> String {
    let age = |text: &str| api::time::age(now, text);
    let first = match event.str("eventTime") {
        "" => age(event.str("firstTimestamp")),
        time => age(time),
    };
    if let Some(count) = event.i64_at("series.count") {
        let last = age(event.str_at("series.lastObservedTime"));
        return format!("{last} (x{count} over {first})");
    }
    match event.i64_at("count").filter(|count| *count > 1) {
        Some(count) => format!("{} (x{count} over {first})", age(last(event))),
        None => first,
    }
}

/// What events are ordered by. Those that are counted in a series have none, and come first.
fn last(event: &Value) -> &str {
    event.str("lastTimestamp")
}
