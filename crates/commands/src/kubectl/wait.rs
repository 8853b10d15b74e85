//! `kubectl wait`, and waiting for a pod's phase.
//!
//! Models kubectl/pkg/cmd/wait.

use api::jsonpath::JsonPath;
use api::jsonpath::relaxed;
use api::{Value, body_value};
use net::http::{Body, percent_encode};

use super::Verb;
use super::act::{self, Found, find};
use super::discovery::Resource;
use super::failure::{Failure, Outcome};
use super::flags::{Flag, Line, switch, value, values};
use super::print::{found, jsonpath};
use super::session::{Call, Session};

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::SELECTOR,
    act::ALL,
    act::ALL_NAMESPACES,
    value("field-selector"),
    value("timeout"),
    values("for"),
    switch("local"),
    switch("recursive").short('R'),
];

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "wait",
    summary: "Wait for a specific condition on one or many resources",
    usage: "kubectl wait ([-f FILENAME] | resource.group/resource.name | resource.group [(-l label \
            | --all)]) \
            [--for=create|--for=delete|--for condition=available|--for=jsonpath='{}'[=value]] \
            [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(wait(session, line)),
};

/// What is waited for.
#[derive(Clone, Debug)]
enum Until {
    Gone,
    Exists,
    Condition {
        name: String,
        status: String,
    },
    Path {
        path: JsonPath,
        value: Option<String>,
    },
}

async fn wait(session: &Session, line: &Line) -> Outcome {
    let until = read(line)?;
    let limit = match line.text("timeout") {
        // Less than no time is as long as a week.
        text if text.starts_with('-') => sim::Duration::from_secs(7 * 24 * 3600),
        _ => line
            .duration("timeout")?
            .unwrap_or(sim::Duration::from_secs(30)),
    };
    let deadline = session.io.deadline(limit).await;
    let found = loop {
        match find(session, line, &line.args).await {
            Ok(found) => break found,
            Err(failure) if failure.is_not_found() => match until {
                Until::Gone => return Ok(()),
                // There is nothing to watch yet; upstream asks twice a second too.
                Until::Exists if session.io.now().await < deadline => {
                    session.io.sleep(sim::Duration::from_millis(500)).await;
                }
                Until::Exists => {
                    return Err(Failure::message("timed out waiting for the condition"));
                }
                _ => return Err(failure),
            },
            Err(failure) => return Err(failure),
        }
    };
    if found.is_empty() {
        return match until {
            Until::Gone => Ok(()),
            _ => Err(Failure::message("no matching resources found")),
        };
    }
    let mut late = Vec::new();
    for Found { resource, value } in found {
        refuse_nested(&until, &value)?;
        let met = watch(session, &resource, &value, deadline, |object| {
            holds(&until, object)
        })
        .await?;
        let name = value.name();
        if !met {
            let what = match limit.is_zero() {
                true => "condition not met for",
                false => "timed out waiting for the condition on",
            };
            late.push(format!("{what} {}/{name}", resource.plural));
            continue;
        }
        let kind = resource.qualified_singular();
        let met = match line.text("output") {
            "name" => format!("{kind}/{name}\n"),
            _ => format!("{kind}/{name} condition met\n"),
        };
        session.io.print(&met).await;
    }
    match late.as_slice() {
        [] => Ok(()),
        [one] => Err(Failure::message(one.as_str())),
        many => Err(Failure::Plain(many.join("\n"))),
    }
}

/// What is compared has to be plain.
fn refuse_nested(until: &Until, object: &Value) -> Outcome {
    let Until::Path {
        path,
        value: Some(_),
    } = until
    else {
        return Ok(());
    };
    match found(path, object).first() {
        Some(Value::List(_) | Value::Map(_)) => Err(Failure::message(
            "jsonpath leads to a nested object or list which is not supported",
        )),
        _ => Ok(()),
    }
}

fn read(line: &Line) -> Outcome<Until> {
    let text = line.text("for");
    match text.split_once('=') {
        None if text.eq_ignore_ascii_case("delete") => Ok(Until::Gone),
        None if text.eq_ignore_ascii_case("create") => Ok(Until::Exists),
        Some(("condition", wanted)) => {
            let (name, status) = wanted.split_once('=').unwrap_or((wanted, "True"));
            Ok(Until::Condition {
                name: name.to_owned(),
                status: status.to_owned(),
            })
        }
        Some(("jsonpath", wanted)) => {
            let wanted = wanted.trim_matches('\'');
            let end = wanted.find('}').map(|at| at + 1);
            let end = end.or_else(|| wanted.find('=')).unwrap_or(wanted.len());
            let (path, rest) = wanted.split_at(end);
            let inner = path
                .strip_prefix('{')
                .and_then(|path| path.strip_suffix('}'));
            if inner.unwrap_or(path).contains(['{', '}'])
                || !rest.is_empty() && !rest.starts_with('=')
            {
                return Err(Failure::message(
                    "unexpected path string, expected a 'name1.name2' or '.name1.name2' or \
                     '{name1.name2}' or '{.name1.name2}'",
                ));
            }
            let template = relaxed(path).map_err(Failure::message)?;
            let path = jsonpath(&template)?;
            let value = rest
                .strip_prefix('=')
                .map(|value| value.trim_matches('"').to_owned());
            Ok(Until::Path { path, value })
        }
        _ => Err(Failure::message(format!(
            "unrecognized condition: {text:?}"
        ))),
    }
}

fn holds(until: &Until, object: Option<&Value>) -> bool {
    match (until, object) {
        (Until::Gone, object) => object.is_none(),
        (_, None) => false,
        (Until::Exists, Some(_)) => true,
        (Until::Condition { name, status }, Some(object)) => {
            object.list_at("status.conditions").iter().any(|condition| {
                condition.str_at("type").eq_ignore_ascii_case(name)
                    && condition.str_at("status").eq_ignore_ascii_case(status)
            })
        }
        (Until::Path { path, value }, Some(object)) => {
            let found = found(path, object);
            match (found.as_slice(), value) {
                ([], _) => false,
                (_, None) => true,
                ([Value::Str(text), ..], Some(value)) => text.as_ref() as &str == value.as_str(),
                ([one, ..], Some(value)) => one.to_json() == *value,
            }
        }
    }
}

/// Waits until `met` says so of the object's newest state; `false` at the deadline.
pub(super) async fn watch(
    session: &Session,
    resource: &Resource,
    object: &Value,
    deadline: sim::Instant,
    met: impl Fn(Option<&Value>) -> bool,
) -> Outcome<bool> {
    if met(Some(object)) {
        return Ok(true);
    }
    let Some(mut watch) = Watch::begin(session, resource, object, deadline).await? else {
        return Ok(false);
    };
    loop {
        let done = match watch.next().await? {
            Seen::Object(object) => met(Some(&object)),
            Seen::Gone => met(None),
            Seen::Over => return Ok(false),
        };
        if done {
            watch.cancel().await;
            return Ok(true);
        }
    }
}

/// A watch on one object. Who needs it no more cancels it: a watch left open is told of every
/// change until the command ends.
pub(super) struct Watch<'a> {
    session: &'a Session,
    stream: u32,
    /// What came with the head of the answer.
    first: Option<Body>,
}

/// What a watch tells of its object.
pub(super) enum Seen {
    /// Its newest state.
    Object(Value),
    /// It is deleted.
    Gone,
    /// Nothing more: the deadline has come.
    Over,
}

impl<'a> Watch<'a> {
    /// Watches from the state `object` on; `None` if the deadline has come already.
    pub(super) async fn begin(
        session: &'a Session,
        resource: &Resource,
        object: &Value,
        deadline: sim::Instant,
    ) -> Outcome<Option<Watch<'a>>> {
        let left = deadline.since(session.io.now().await);
        if left.is_zero() {
            return Ok(None);
        }
        let namespace = Some(object.namespace()).filter(|namespace| !namespace.is_empty());
        // The server ends the watch at the deadline, to the second.
        let seconds = left.as_millis().div_ceil(1000).max(1);
        let target = format!(
            "{}?watch=true&fieldSelector={}&resourceVersion={}&timeoutSeconds={seconds}",
            resource.collection(namespace),
            percent_encode(&format!("metadata.name={}", object.name())),
            object.resource_version(),
        );
        let (response, stream) = session.stream(Call::get(target)).await?;
        Ok(Some(Watch {
            session,
            stream,
            first: Some(response.body.clone()),
        }))
    }

    /// What comes next.
    pub(super) async fn next(&mut self) -> Outcome<Seen> {
        loop {
            let part = match self.first.take() {
                Some(first) => Some(first),
                None => self.session.next_part(self.stream).await?,
            };
            let Some(part) = part else {
                return Ok(Seen::Over);
            };
            let event = body_value(&part).unwrap_or_default();
            match event.str_at("type") {
                "DELETED" => return Ok(Seen::Gone),
                "ADDED" | "MODIFIED" => return Ok(Seen::Object(event.get("object").clone())),
                "ERROR" => return Err(Failure::Status(event.get("object").clone())),
                _ => {}
            }
        }
    }

    /// Ends it.
    pub(super) async fn cancel(self) {
        self.session.cancel(self.stream).await;
    }
}

/// Waits until a pod is so, and gives it as it is then; `None` if it went away.
pub(super) async fn until_pod_is(
    session: &Session,
    (namespace, name): (&str, &str),
    limit: sim::Duration,
    is: impl Fn(&Value) -> bool,
) -> Outcome<Option<Value>> {
    let discovery = session.discovery().await?;
    let resource = discovery.resolve("pods")?;
    let object = session
        .call(Call::get(resource.path(namespace, name)))
        .await?;
    let deadline = session.io.deadline(limit).await;
    let last = std::cell::RefCell::new(None);
    let met = |pod: Option<&Value>| {
        *last.borrow_mut() = pod.cloned();
        pod.is_none_or(&is)
    };
    if watch(session, resource, &object, deadline, met).await? {
        return Ok(last.take());
    }
    Err(Failure::message("timed out waiting for the condition"))
}
