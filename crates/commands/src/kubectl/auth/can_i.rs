//! `kubectl auth can-i`.

use api::{Value, object};
use net::http::Method;

use super::columns;
use crate::kubectl::Verb;
use crate::kubectl::act;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, switch, value};
use crate::kubectl::rules::{Rule, listed};
use crate::kubectl::session::{Call, Session};

/// The verb.
pub(super) const VERB: Verb = Verb {
    name: "auth can-i",
    summary: "Check whether an action is allowed",
    usage: "kubectl auth can-i VERB [TYPE | TYPE/NAME | NONRESOURCEURL] [options]",
    flags: &[
        act::ALL_NAMESPACES,
        switch("list"),
        switch("no-headers"),
        switch("quiet").short('q'),
        value("subresource"),
    ],
    interspersed: true,
    run: |session, line| Box::pin(can_i(session, line)),
};

const REVIEWS: &str = "/apis/authorization.k8s.io/v1";

const RESOURCE_VERBS: [&str; 16] = [
    "get",
    "list",
    "watch",
    "create",
    "update",
    "patch",
    "delete",
    "deletecollection",
    "use",
    "bind",
    "impersonate",
    "*",
    "approve",
    "sign",
    "escalate",
    "attest",
];
const PAGE_VERBS: [&str; 8] = [
    "get", "put", "post", "head", "options", "delete", "patch", "*",
];

async fn can_i(session: &Session, line: &Line) -> Outcome {
    if line.on("list") {
        if !line.args.is_empty() {
            return Err(Failure::message(
                "list option must be specified with no arguments",
            ));
        }
        let others = ["quiet", "all-namespaces"].iter().any(|flag| line.on(flag));
        if others || line.has("subresource") {
            return Err(Failure::message(
                "list option can't be specified with neither quiet, all-namespaces nor \
                 subresource options",
            ));
        }
        return list(session, line).await;
    }
    let (verb, what) = match line.args.as_slice() {
        [verb, what] => (verb, what.as_str()),
        _ => {
            return Err(Failure::message(
                "you must specify two arguments: verb resource or verb resource/resourceName.\nSee \
                 'kubectl auth can-i -h' for help and examples.",
            ));
        }
    };
    let spec = match what.starts_with('/') {
        true => page(session, line, verb, what).await?,
        false => resource(session, line, verb, what).await?,
    };
    if line.on("no-headers") {
        return Err(Failure::message(
            "--no-headers cannot be set without --list specified",
        ));
    }
    let ask = object!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": (spec),
    });
    let path = format!("{REVIEWS}/selfsubjectaccessreviews");
    let answer = session.call(Call::send(Method::Post, path, ask)).await?;
    let status = answer.get("status");
    let allowed = status.bool_at("allowed");
    let mut text = if allowed { "yes" } else { "no" }.to_owned();
    if !allowed {
        for key in ["reason", "evaluationError"] {
            if !status.str(key).is_empty() {
                text.push_str(&format!(" - {}", status.str(key)));
            }
        }
    }
    if !line.on("quiet") {
        session.io.print(&format!("{text}\n")).await;
    }
    match allowed {
        true => Ok(()),
        false => Err(Failure::Exit(String::new(), 1)),
    }
}

async fn warn(session: &Session, text: &str) {
    session.io.eprint(&format!("Warning: {text}\n\n")).await;
}

async fn page(session: &Session, line: &Line, verb: &str, path: &str) -> Outcome<Value> {
    if line.has("subresource") {
        return Err(Failure::message(
            "--subresource can not be used with NonResourceURL",
        ));
    }
    if !PAGE_VERBS.contains(&verb) {
        warn(session, &format!("verb '{verb}' is not a known verb")).await;
    }
    Ok(object!({ "nonResourceAttributes": { "path": (path), "verb": (verb) } }))
}

async fn resource(session: &Session, line: &Line, verb: &str, what: &str) -> Outcome<Value> {
    let (word, name) = what.split_once('/').unwrap_or((what, ""));
    let mut asked = object!({ "verb": (verb) });
    let (mut plural, mut group) = (word.to_owned(), String::new());
    if word != "*" && !word.is_empty() {
        let discovery = session.discovery().await?;
        match discovery.find(word) {
            Some(found) => {
                plural.clone_from(&found.plural);
                group.clone_from(&found.group);
                asked.set("version", found.version.as_str());
                if !found.namespaced && !line.on("all-namespaces") {
                    let within = match group.as_str() {
                        "" => String::new(),
                        group => format!(" in group '{group}'"),
                    };
                    let text = format!("resource '{plural}' is not namespace scoped{within}");
                    warn(session, &text).await;
                }
            }
            None if ["users", "groups"].contains(&word) => {}
            None => {
                let text = match word.split_once('.') {
                    None => format!("the server doesn't have a resource type '{word}'"),
                    Some((name, rest)) => {
                        plural = name.to_owned();
                        group = rest.to_owned();
                        format!(
                            "the server doesn't have a resource type '{name}' in group '{rest}'"
                        )
                    }
                };
                warn(session, &text).await;
            }
        }
    }
    if !RESOURCE_VERBS.contains(&verb) {
        warn(session, &format!("verb '{verb}' is not a known verb")).await;
    }
    let namespace = match line.on("all-namespaces") {
        true => "",
        false => session.namespace.as_str(),
    };
    for (key, text) in [
        ("namespace", namespace),
        ("group", group.as_str()),
        ("resource", plural.as_str()),
        ("subresource", line.text("subresource")),
        ("name", name),
    ] {
        if !text.is_empty() {
            asked.set(key, text);
        }
    }
    Ok(object!({ "resourceAttributes": (asked) }))
}

async fn list(session: &Session, line: &Line) -> Outcome {
    let ask = object!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectRulesReview",
        "spec": { "namespace": (session.namespace.as_str()) },
    });
    let path = format!("{REVIEWS}/selfsubjectrulesreviews");
    let answer = session.call(Call::send(Method::Post, path, ask)).await?;
    let status = answer.get("status");
    if status.bool_at("incomplete") {
        let text = format!(
            "warning: the list may be incomplete: {}\n",
            status.str("evaluationError")
        );
        session.io.eprint(&text).await;
    }
    let mut rules: Vec<Rule> = Vec::new();
    for key in ["resourceRules", "nonResourceRules"] {
        rules.extend(status.list_at(key).iter().map(Rule::of));
    }
    let mut rows: Vec<Vec<String>> = Vec::new();
    if !line.on("no-headers") {
        let titles = ["Resources", "Non-Resource URLs", "Resource Names", "Verbs"];
        rows.push(titles.map(str::to_owned).to_vec());
    }
    rows.extend(listed(&rules).iter().map(|rule| rule.cells().to_vec()));
    session.io.print(&columns(&rows)).await;
    Ok(())
}
