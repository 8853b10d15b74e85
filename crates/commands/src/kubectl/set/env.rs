//! `kubectl set env`.
//!
//! Models kubectl/pkg/cmd/set/set_env.go and kubectl/pkg/cmd/set/env.

use api::{Value, object};
use machine::Fd;

use super::{apply, failed_to, objects, of_pod_spec, pod_spec, refuse_without_template};
use crate::kubectl::Verb;
use crate::kubectl::act::{self, Found};
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Flag, Line, switch, value, values};
use crate::kubectl::session::{Call, Session};
use crate::kubectl::target::targets;

const FLAGS: &[Flag] = &[
    act::FILENAME,
    act::OUTPUT,
    act::DRY_RUN,
    act::SELECTOR,
    act::ALL,
    act::MANAGER,
    value("containers").short('c'),
    values("env").short('e'),
    value("from"),
    values("keys"),
    value("kustomize").short('k'),
    value("prefix"),
    switch("list"),
    switch("local"),
    switch("overwrite"),
    switch("recursive").short('R'),
    switch("resolve"),
];

/// `kubectl set env`.
pub(crate) const VERB: Verb = Verb {
    name: "set env",
    summary: "Update environment variables on a pod template",
    usage: "kubectl set env RESOURCE/NAME KEY_1=VAL_1 ... KEY_N=VAL_N [options]",
    flags: FLAGS,
    interspersed: true,
    run: |session, line| Box::pin(env(session, line)),
};

/// What becomes of a variable.
#[derive(Clone, Debug, PartialEq)]
enum Change {
    /// It gets this `value` or `valueFrom`.
    Set(String, &'static str, Value),
    /// It goes.
    Unset(String),
}

impl Change {
    fn name(&self) -> &str {
        match self {
            Change::Set(name, ..) | Change::Unset(name) => name,
        }
    }
}

async fn env(session: &Session, line: &Line) -> Outcome {
    let is_change = |arg: &String| arg == "-" || arg.contains('=') || arg.ends_with('-');
    let at = line.args.iter().position(is_change);
    let (words, given) = line.args.split_at(at.unwrap_or(line.args.len()));
    if !given.iter().all(is_change) {
        let all = line.args.join(" ");
        return Err(Failure::message(format!(
            "all resources must be specified before environment changes: {all}"
        )));
    }
    if words.is_empty() && !line.has("filename") {
        return Err(Failure::message(
            "one or more resources must be specified as <resource> <name> or <resource>/<name>",
        ));
    }
    if line.on("list") && line.has("output") {
        return Err(Failure::message(
            "--list and --output may not be specified together",
        ));
    }
    if line.has("keys") && line.text("from").is_empty() {
        return Err(Failure::message(
            "when specifying --keys, a configmap or secret must be provided with --from",
        ));
    }
    let mut changes = changes(session, line, given).await?;
    refuse_names(&changes)?;
    if let Some(from) = line.get("from").filter(|from| !from.is_empty()) {
        changes.extend(references(session, line, from).await?);
    }
    let pattern = line.get("containers").unwrap_or("*");
    for found in objects(session, line, words).await? {
        refuse_without_template(&found)?;
        if line.on("list") {
            list(session, line, &found, pattern, &changes).await?;
        } else if !changes.is_empty() {
            change(session, line, &found, pattern, &changes).await?;
        }
    }
    Ok(())
}

/// Names that are none, and those that are both set and removed.
fn refuse_names(changes: &[Change]) -> Outcome {
    for change in changes {
        let name = change.name();
        if let Some(why) = crate::kubectl::create::not_a_variable(name) {
            return Err(Failure::message(why));
        }
        let removed = |other: &&Change| matches!(other, Change::Unset(gone) if gone == name);
        if matches!(change, Change::Set(..)) && changes.iter().any(|other| removed(&other)) {
            return Err(Failure::message(
                "can not both modify and remove the same environment variable in the same command",
            ));
        }
    }
    Ok(())
}

/// The changes of the command line, and of standard input where `-` stands for it.
async fn changes(session: &Session, line: &Line, given: &[String]) -> Outcome<Vec<Change>> {
    let mut found = Vec::new();
    for word in line.all("env").iter().chain(given) {
        if word == "-" {
            let bytes = session.io.read_all(Fd::STDIN).await.unwrap_or_default();
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let wanted = |line: &&str| !line.trim().is_empty() && !line.starts_with('#');
            for line in text.lines().filter(wanted) {
                if let Some((name, value)) = line.split_once('=') {
                    let value = Value::from(value);
                    found.push(Change::Set(name.to_owned(), "value", value));
                }
            }
            continue;
        }
        found.push(match (word.split_once('='), word.strip_suffix('-')) {
            (Some((name, value)), _) => Change::Set(name.to_owned(), "value", Value::from(value)),
            (None, Some(name)) => Change::Unset(name.to_owned()),
            (None, None) => {
                return Err(Failure::message(format!(
                    "environment variables must be of the form key=value: {word}"
                )));
            }
        });
    }
    let prefix = line.text("prefix");
    for change in &mut found {
        if let Change::Set(name, ..) = change {
            *name = format!("{prefix}{name}");
        }
    }
    Ok(found)
}

/// A variable for each key of a ConfigMap or Secret.
async fn references(session: &Session, line: &Line, from: &str) -> Outcome<Vec<Change>> {
    let discovery = session.discovery().await?;
    let args: Vec<String> = from.split_whitespace().map(str::to_owned).collect();
    let wanted = line.list("keys");
    let prefix = line.text("prefix");
    let mut found = Vec::new();
    for target in targets(&discovery, &args)? {
        let name = target.name.unwrap_or_default();
        let path = target.resource.path(&session.namespace, &name);
        let object = session.call(Call::get(path)).await?;
        let reference = match target.resource.kind.as_str() {
            "ConfigMap" => "configMapKeyRef",
            "Secret" => "secretKeyRef",
            _ => {
                return Err(Failure::message("unsupported resource specified in --from"));
            }
        };
        for (key, _) in object.get("data").entries().iter() {
            if !wanted.is_empty() && !wanted.iter().any(|one| **one == **key) {
                continue;
            }
            let upper: String = key
                .chars()
                .map(|c| {
                    if c.is_ascii_alphanumeric() {
                        c.to_ascii_uppercase()
                    } else {
                        '_'
                    }
                })
                .collect();
            let mut source = Value::empty_map();
            let pointer = object!({ "key": (&**key), "name": (name.as_str()) });
            source.set_path(&[reference], pointer);
            if upper != **key {
                let note = format!("Warning: key {key} transferred to {upper}\n");
                session.io.eprint(&note).await;
            }
            found.push(Change::Set(format!("{prefix}{upper}"), "valueFrom", source));
        }
    }
    Ok(found)
}

/// Prints the variables of each container as they would be; nothing is changed.
async fn list(
    session: &Session,
    line: &Line,
    found: &Found,
    pattern: &str,
    changes: &[Change],
) -> Outcome {
    let kind = &found.resource.kind;
    let mut text = String::new();
    for field in ["containers", "initContainers"] {
        for container in pod_spec(found).list_at(field) {
            let name = container.str("name");
            if !matches(pattern, name) {
                continue;
            }
            text.push_str(&format!(
                "# {kind} {}, container {name}\n",
                found.value.name()
            ));
            for variable in updated(container, changes) {
                let (name, from) = (variable.str("name"), variable.get("valueFrom"));
                let known = match line.on("resolve") {
                    true => resolved(session, found, from).await?,
                    false => None,
                };
                text.push_str(&match (source(from), known) {
                    (Some(_), Some(known)) => format!("{name}={known}\n"),
                    (Some(source), None) => format!("# {name} from {source}\n"),
                    (None, _) => format!("{name}={}\n", variable.str("value")),
                });
            }
        }
    }
    session.io.print(&text).await;
    Ok(())
}

/// The variables of a container after the changes, in the order in which they will stand.
fn updated(container: &Value, changes: &[Change]) -> Vec<Value> {
    let changed = |change: &Change| match change {
        Change::Unset(_) => None,
        Change::Set(name, field, value) => {
            let mut variable = object!({ "name": (name.as_str()) });
            variable.set(field, value.clone());
            Some(variable)
        }
    };
    let old = container.list_at("env");
    let kept = old.iter().filter_map(|variable| {
        let is = |change: &&Change| change.name() == variable.str("name");
        match changes.iter().rev().find(is) {
            Some(change) => changed(change),
            None => Some(variable.clone()),
        }
    });
    let mut all: Vec<Value> = kept.collect();
    for new in changes.iter().filter_map(changed) {
        let known = |variable: &Value| variable.str("name") == new.str("name");
        if !all.iter().any(known) {
            all.push(new);
        }
    }
    all
}

/// What a reference leads to, as far as that can be read from here.
async fn resolved(session: &Session, found: &Found, from: &Value) -> Outcome<Option<String>> {
    let field = from.str_at("fieldRef.fieldPath");
    if field.starts_with("metadata.") {
        return Ok(Some(found.value.str_at(field).to_owned()));
    }
    for (field, plural) in [
        ("configMapKeyRef", "configmaps"),
        ("secretKeyRef", "secrets"),
    ] {
        let reference = from.get(field);
        if reference.is_null() {
            continue;
        }
        let path = format!(
            "/api/v1/namespaces/{}/{plural}/{}",
            found.value.namespace(),
            reference.str("name")
        );
        let object = session.call(Call::get(path)).await?;
        let text = object.get("data").str(reference.str("key"));
        return Ok(Some(match plural {
            "secrets" => {
                let bytes = api::base64::decode(text).unwrap_or_default();
                String::from_utf8_lossy(&bytes).into_owned()
            }
            _ => text.to_owned(),
        }));
    }
    Ok(None)
}

/// Where a variable's value comes from, as it is listed.
fn source(from: &Value) -> Option<String> {
    let keyed = |field: &str, what: &str| {
        let reference = from.get(field);
        let (name, key) = (reference.str("name"), reference.str("key"));
        format!("{what} {name}, key {key}")
    };
    Some(match from {
        _ if from.has("configMapKeyRef") => keyed("configMapKeyRef", "configmap"),
        _ if from.has("secretKeyRef") => keyed("secretKeyRef", "secret"),
        _ if from.has("fieldRef") => format!("field path {}", from.str_at("fieldRef.fieldPath")),
        _ if from.has("resourceFieldRef") => {
            let reference = from.get("resourceFieldRef");
            let container = match reference.str("containerName") {
                "" => String::new(),
                name => format!("{name}/"),
            };
            format!("resource field {container}{}", reference.str("resource"))
        }
        Value::Null => return None,
        _ => "invalid valueFrom".to_owned(),
    })
}

async fn change(
    session: &Session,
    line: &Line,
    found: &Found,
    pattern: &str,
    changes: &[Change],
) -> Outcome {
    let name = found.value.name();
    let mut updates = Vec::new();
    for field in ["containers", "initContainers"] {
        let mut list = Vec::new();
        for container in pod_spec(found).list_at(field) {
            let own = container.str("name");
            if !matches(pattern, own) {
                continue;
            }
            if !line.on_unless_off("overwrite") {
                refuse_overwriting(found, container, changes)?;
            }
            let mut variables: Vec<Value> =
                changes.iter().map(|c| patch_of(c, container)).collect();
            let order = updated(container, changes);
            // A list has to be in the order that is asked for; what goes has no place in it.
            let place = |one: &Value| {
                order
                    .iter()
                    .position(|other| other.str("name") == one.str("name"))
            };
            variables.sort_by_key(|one| place(one).unwrap_or(usize::MAX));
            let order = order
                .iter()
                .map(|one| object!({ "name": (one.str("name")) }));
            let mut element = object!({ "env": (Value::from(variables)), "name": (own) });
            element.set_path(&["$setElementOrder/env"], Value::list_of(order.collect()));
            list.push(element);
        }
        if !list.is_empty() {
            updates.push((field, Value::from(list)));
        }
    }
    if updates.is_empty() {
        let kind = &found.resource.kind;
        let note =
            format!("Warning: {kind}/{name} does not have any containers matching {pattern:?}\n");
        session.io.eprint(&note).await;
        return Ok(());
    }
    let body = of_pod_spec(found, updates);
    apply(session, line, found, body, "env updated")
        .await
        .map_err(failed_to("failed to patch env update to pod template: "))
}

fn refuse_overwriting(found: &Found, container: &Value, changes: &[Change]) -> Outcome {
    for change in changes {
        let is = |variable: &&Value| variable.str("name") == change.name();
        let known = container.list_at("env").iter().find(is);
        if let (Change::Set(name, ..), Some(known)) = (change, known) {
            let old = known.str("value");
            if matches!(change, Change::Set(_, "value", new) if new.as_str() == old) {
                continue;
            }
            let (what, full) = (&found.resource.plural, found.value.name());
            return Err(Failure::message(format!(
                "{what}/{full} '{name}' already has a value ({old}), and --overwrite is false"
            )));
        }
    }
    Ok(())
}

/// An element of the list of variables in a strategic patch.
fn patch_of(change: &Change, container: &Value) -> Value {
    match change {
        Change::Unset(name) => object!({ "$patch": "delete", "name": (name.as_str()) }),
        Change::Set(name, field, value) => {
            let mut element = object!({ "name": (name.as_str()) });
            let other = if *field == "value" {
                "valueFrom"
            } else {
                "value"
            };
            let variables = container.list_at("env");
            let known = variables
                .iter()
                .find(|variable| variable.str("name") == name);
            if known.is_some_and(|variable| variable.has(other)) {
                element.set(other, Value::Null);
            }
            element.set(field, value.clone());
            element
        }
    }
}

/// Whether a pattern with `*` fits a container's name.
fn matches(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else {
        return pattern == name;
    };
    let (middle, end) = rest.rsplit_once('*').unwrap_or(("", rest));
    let inner = name
        .strip_prefix(start)
        .and_then(|name| name.strip_suffix(end));
    let Some(mut inner) = inner else {
        return false;
    };
    middle.split('*').all(|part| match inner.find(part) {
        Some(at) => {
            inner = &inner[at + part.len()..];
            true
        }
        None => false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn containers_are_picked_by_patterns() {
        let fits = [
            ("*", "a"),
            ("a", "a"),
            ("s*", "side"),
            ("*de", "side"),
            ("s*e", "side"),
        ];
        let fails = [("a", "ab"), ("s*", "aside"), ("x*", "side")];
        assert!(fits.iter().all(|(pattern, name)| matches(pattern, name)));
        assert!(!fails.iter().any(|(pattern, name)| matches(pattern, name)));
    }

    #[test]
    fn sources_are_listed_as_upstream_lists_them() {
        let of = |from: Value| source(&from).unwrap_or_default();
        let secret = object!({ "secretKeyRef": { "name": "sec", "key": "k" } });
        assert_eq!(of(secret), "secret sec, key k");
        let field = object!({ "fieldRef": { "fieldPath": "metadata.name" } });
        assert_eq!(of(field), "field path metadata.name");
        let resource = object!({ "resourceFieldRef": { "resource": "limits.cpu" } });
        assert_eq!(of(resource), "resource field limits.cpu");
        assert_eq!(source(&Value::Null), None);
    }
}
