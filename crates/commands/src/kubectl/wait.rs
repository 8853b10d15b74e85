//! `kubectl wait`, and waiting for a pod's phase.
//!
//! Models kubectl/pkg/cmd/wait.

use std::cell::RefCell;

use api::jsonpath::JsonPath;
use api::jsonpath::relaxed;
use api::{Value, body_value};
use net::http::{Body, percent_encode};

use super::Verb;
use super::act::{self, DryRun, Found, done, find_each};
use super::discovery::Resource;
use super::failure::{Failure, Outcome, report};
use super::flags::{Flag, Line, switch, value, values};
use super::print::{self, found, jsonpath};
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
    let untils = read(line)?;
    print::format(line)?;
    let limit = match line.text("timeout") {
        // Less than no time is as long as a week.
        text if text.starts_with('-') => sim::Duration::from_secs(7 * 24 * 3600),
        _ => line
            .duration("timeout")?
            .unwrap_or(sim::Duration::from_secs(30)),
    };
    let deadline = session.io.deadline(limit).await;
    let (all, mut failures) = find_all(session, line, &untils, deadline).await?;
    if all.is_empty() && failures.is_empty() {
        return match untils.iter().any(|until| matches!(until, Until::Gone)) {
            true => Ok(()),
            false => Err(Failure::message("no matching resources found")),
        };
    }
    for found in all {
        for until in &untils {
            match one(session, &found, until, (limit, deadline)).await {
                Ok(object) => {
                    done(session, line, DryRun::None, &object, "condition met").await?;
                }
                Err(failure) => {
                    failures.push(failure);
                    break;
                }
            }
        }
    }
    report(session, failures).await
}

/// The objects there are; what is not there is no failure where it shall not be.
async fn find_all(
    session: &Session,
    line: &Line,
    untils: &[Until],
    deadline: sim::Instant,
) -> Outcome<(Vec<Found>, Vec<Failure>)> {
    let comes = untils.iter().any(|until| matches!(until, Until::Exists));
    let goes = untils.iter().any(|until| matches!(until, Until::Gone));
    loop {
        let (found, mut failures) = find_each(session, line, &line.args).await?;
        let missing = failures.iter().all(Failure::is_not_found);
        if !comes || !missing || failures.is_empty() && !found.is_empty() {
            if goes {
                failures.retain(|failure| !failure.is_not_found());
            }
            return Ok((found, failures));
        }
        // There is nothing to watch yet; upstream asks twice a second too.
        if session.io.now().await >= deadline {
            return Err(Failure::message("timed out waiting for the condition"));
        }
        session.io.sleep(sim::Duration::from_millis(500)).await;
    }
}

/// Waits for one object, and gives it as it is then. All of them share the time there is.
async fn one(
    session: &Session,
    Found { resource, value }: &Found,
    until: &Until,
    (limit, deadline): (sim::Duration, sim::Instant),
) -> Outcome<Value> {
    let (plural, name) = (&resource.plural, value.name());
    let late = |what: &str| Failure::message(format!("{what} {plural}/{name}"));
    if limit.is_zero() {
        return match holds(until, Some(value))? {
            true => Ok(value.clone()),
            false => Err(late("condition not met for")),
        };
    }
    let timed_out = "timed out waiting for the condition on";
    if session.io.now().await >= deadline {
        return Err(late(timed_out));
    }
    let (wrong, last) = (RefCell::new(None), RefCell::new(value.clone()));
    let met = watch(session, resource, value, deadline, |object| {
        if let Some(object) = object {
            last.replace(object.clone());
        }
        match holds(until, object) {
            Ok(held) => held,
            Err(failure) => {
                wrong.replace(Some(failure));
                true
            }
        }
    });
    let met = met.await?;
    match (wrong.take(), met) {
        (Some(failure), _) => Err(failure),
        (None, true) => Ok(last.take()),
        (None, false) => Err(late(timed_out)),
    }
}

/// What is compared has to be one thing, and plain if it is compared.
fn plain<'v>(found: &'v [Value], value: &Option<String>) -> Outcome<Option<&'v Value>> {
    match (found, value) {
        ([], _) => Ok(None),
        ([_, _, ..], _) => Err(Failure::message(
            "given jsonpath expression matches more than one value",
        )),
        ([Value::List(_) | Value::Map(_)], Some(_)) => Err(Failure::message(
            "jsonpath leads to a nested object or list which is not supported",
        )),
        ([one], _) => Ok(Some(one)),
    }
}

/// Reads every `--for`.
fn read(line: &Line) -> Outcome<Vec<Until>> {
    let all = line.all("for");
    match all.is_empty() {
        true => Err(Failure::message("unrecognized condition: []")),
        false => all.iter().map(|text| read_one(text)).collect(),
    }
}

fn read_one(text: &str) -> Outcome<Until> {
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
        Some(("jsonpath", wanted)) => path_and_value(wanted),
        _ => Err(Failure::message(format!(
            "unrecognized condition: {text:?}"
        ))),
    }
}

/// Reads `{.status.phase}=Running`. Two signs of equality are a part of the path.
fn path_and_value(text: &str) -> Outcome<Until> {
    const MARK: &str = "\u{0}";
    let marked = text.replace("==", MARK);
    let parts: Vec<String> = marked
        .split('=')
        .map(|part| part.replace(MARK, "=="))
        .collect();
    let (path, value) = match parts.as_slice() {
        [path] => (path, None),
        [path, value] => (path, Some(value.trim_matches(['\'', '"']).to_owned())),
        _ => {
            return Err(Failure::message(
                "jsonpath wait format must be --for=jsonpath='{.status.readyReplicas}'=3 or \
                 --for=jsonpath='{.status.readyReplicas}'",
            ));
        }
    };
    let template = relaxed(path).map_err(Failure::message)?;
    if value.as_ref().is_some_and(String::is_empty) {
        return Err(Failure::message(
            "jsonpath wait has to have a value after equal sign, like \
             --for=jsonpath='{.status.readyReplicas}'=3",
        ));
    }
    if template.is_empty() {
        return Err(Failure::message("jsonpath expression cannot be empty"));
    }
    let path = jsonpath(&template)?;
    Ok(Until::Path { path, value })
}

fn holds(until: &Until, object: Option<&Value>) -> Outcome<bool> {
    let held = match (until, object) {
        (Until::Gone, object) => object.is_none(),
        (_, None) => false,
        (Until::Exists, Some(_)) => true,
        (Until::Condition { name, status }, Some(object)) => {
            let conditions = object.list_at("status.conditions").iter();
            let is = |one: &&Value| one.str_at("type").eq_ignore_ascii_case(name);
            conditions.filter(is).take(1).any(|condition| {
                is_newest(object, condition)
                    && condition.str_at("status").eq_ignore_ascii_case(status)
            })
        }
        (Until::Path { path, value }, Some(object)) => {
            let found = found(path, object);
            match (plain(&found, value)?, value) {
                (None, _) => false,
                (Some(_), None) => true,
                (Some(Value::Str(text)), Some(value)) => text.trim() == value.trim(),
                (Some(one), Some(value)) => one.to_json() == value.trim(),
            }
        }
    };
    Ok(held)
}

/// Whether a condition speaks of the object as it is now, as far as it says.
fn is_newest(object: &Value, condition: &Value) -> bool {
    let seen = condition
        .i64_at("observedGeneration")
        .or_else(|| object.i64_at("status.observedGeneration"));
    seen.is_none_or(|seen| seen >= object.generation())
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
    let last = RefCell::new(None);
    let met = |pod: Option<&Value>| {
        *last.borrow_mut() = pod.cloned();
        pod.is_none_or(&is)
    };
    if watch(session, resource, &object, deadline, met).await? {
        return Ok(last.take());
    }
    Err(Failure::message("timed out waiting for the condition"))
}
