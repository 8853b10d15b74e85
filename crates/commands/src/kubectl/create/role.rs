//! `kubectl create role` and `clusterrole`.

use std::collections::BTreeMap;

use api::{Value, object};

use super::{exactly_one_name, generated, generator_flags};
use crate::kubectl::Verb;
use crate::kubectl::failure::{Failure, Outcome};
use crate::kubectl::flags::{Line, value, values};
use crate::kubectl::rules::Rule;
use crate::kubectl::session::Session;

/// The generator of roles.
pub(super) const ROLE: Verb = Verb {
    name: "create role",
    summary: "Create a role with single rule",
    usage: "kubectl create role NAME --verb=verb --resource=resource.group/subresource \
            [--resource-name=resourcename] [--dry-run=server|client|none] [options]",
    flags: generator_flags!(values("verb"), values("resource"), values("resource-name"),),
    interspersed: true,
    run: |session, line| Box::pin(role(session, line)),
};

/// The generator of cluster roles.
pub(super) const CLUSTER_ROLE: Verb = Verb {
    name: "create clusterrole",
    summary: "Create a cluster role",
    usage: "kubectl create clusterrole NAME --verb=verb --resource=resource.group \
            [--resource-name=resourcename] [--dry-run=server|client|none] [options]",
    flags: generator_flags!(
        values("verb"),
        values("resource"),
        values("resource-name"),
        values("non-resource-url"),
        value("aggregation-rule"),
    ),
    interspersed: true,
    run: |session, line| Box::pin(cluster_role(session, line)),
};

const STANDARD: [&str; 16] = [
    "*",
    "get",
    "delete",
    "list",
    "create",
    "update",
    "patch",
    "watch",
    "proxy",
    "deletecollection",
    "use",
    "bind",
    "approve",
    "sign",
    "escalate",
    "impersonate",
];

const ROLES: &str = "rbac.authorization.k8s.io/v1";

async fn role(session: &Session, line: &Line) -> Outcome {
    let name = exactly_one_name(line)?;
    let verbs = verbs(line)?;
    let resources = resources(line);
    if resources.is_empty() {
        return Err(Failure::message("at least one resource must be specified"));
    }
    let rules = resource_rules(session, line, &verbs, &resources).await?;
    let role = object!({
        "apiVersion": ROLES,
        "kind": "Role",
        "metadata": { "name": (name) },
        "rules": (rules),
    });
    generated(session, line, role).await
}

async fn cluster_role(session: &Session, line: &Line) -> Outcome {
    let name = exactly_one_name(line)?;
    let mut role = object!({
        "apiVersion": ROLES,
        "kind": "ClusterRole",
        "metadata": { "name": (name) },
    });
    let (resources, urls) = (resources(line), line.list("non-resource-url"));
    if let Some(labels) = line.get("aggregation-rule").filter(|text| !text.is_empty()) {
        if line.has("verb") || !resources.is_empty() || !urls.is_empty() {
            return Err(Failure::message(
                "aggregation rule must be specified without nonResourceURLs, verbs, resources or \
                 resourceNames",
            ));
        }
        let mut selector = Value::empty_map();
        for pair in labels.split(',') {
            let Some((key, value)) = pair.split_once('=') else {
                let why = format!(
                    "invalid argument {labels:?} for \"--aggregation-rule\" flag: malformed pair, \
                     expect string=string"
                );
                return Err(Failure::Usage(why, line.command.clone()));
            };
            selector.set_path(&["matchLabels", key], value);
        }
        role.set(
            "aggregationRule",
            object!({ "clusterRoleSelectors": [(selector)] }),
        );
        role.set("rules", Value::Null);
        return generated(session, line, role).await;
    }
    let verbs = verbs(line)?;
    if resources.is_empty() && urls.is_empty() {
        return Err(Failure::message(
            "one of resource or nonResourceURL must be specified",
        ));
    }
    let mut rules = resource_rules(session, line, &verbs, &resources).await?;
    refuse_urls(&verbs, &resources, &urls)?;
    if !urls.is_empty() {
        let rule = Rule {
            verbs,
            urls,
            ..Rule::default()
        };
        rules.push(rule.to_value());
    }
    role.set("rules", rules);
    generated(session, line, role).await
}

/// The verbs, each once; all of them where one is `*`.
fn verbs(line: &Line) -> Outcome<Vec<String>> {
    let mut verbs: Vec<String> = Vec::new();
    for verb in line
        .list("verb")
        .into_iter()
        .filter(|verb| !verb.is_empty())
    {
        if verb == "*" {
            return Ok(vec![verb]);
        }
        if !verbs.contains(&verb) {
            verbs.push(verb);
        }
    }
    match verbs.is_empty() {
        true => Err(Failure::message("at least one verb must be specified")),
        false => Ok(verbs),
    }
}

/// URLs that are no paths, and verbs that URLs do not have.
fn refuse_urls(verbs: &[String], resources: &[String], urls: &[String]) -> Outcome {
    const VERBS: [&str; 9] = [
        "get", "put", "post", "head", "options", "delete", "patch", "proxy", "*",
    ];
    let strange = |verb: &&String| !VERBS.contains(&verb.as_str());
    if let Some(verb) = verbs.iter().find(strange)
        && resources.is_empty()
    {
        return Err(Failure::message(format!(
            "invalid verb: '{verb}' for nonResourceURL"
        )));
    }
    match urls.iter().find(|url| !url.starts_with('/') && *url != "*") {
        None => Ok(()),
        Some(_) => Err(Failure::message("nonResourceURL should start with /")),
    }
}

/// What verbs may be given for that are no verbs of requests, with the group it is in.
const SPECIAL: &[(&str, &str, &str)] = &[
    ("use", "podsecuritypolicies", "policy"),
    ("bind", "roles", "rbac.authorization.k8s.io"),
    ("bind", "clusterroles", "rbac.authorization.k8s.io"),
    ("escalate", "roles", "rbac.authorization.k8s.io"),
    ("escalate", "clusterroles", "rbac.authorization.k8s.io"),
    ("impersonate", "users", ""),
    ("impersonate", "serviceaccounts", ""),
    ("impersonate", "groups", ""),
    ("impersonate", "userextras", "authentication.k8s.io"),
];

/// The group and name of something that only a special verb knows.
fn special(verbs: &[String], word: &str) -> Option<(String, String)> {
    let (name, group) = word.split_once('.').unwrap_or((word, ""));
    let known = |(verb, resource, of): &&(&str, &str, &str)| {
        verbs.iter().any(|one| one == verb) && *resource == name && *of == group
    };
    let (_, name, group) = SPECIAL.iter().find(known)?;
    Some(((*group).to_owned(), (*name).to_owned()))
}

/// Special verbs are for special resources.
fn refuse_verbs(verbs: &[String], resources: &[String]) -> Outcome {
    let own = |verb: &String| SPECIAL.iter().any(|(special, ..)| special == verb);
    for verb in verbs.iter().filter(|verb| own(verb)) {
        for word in resources {
            let (name, group) = word.split_once('.').unwrap_or((word, ""));
            let fits = SPECIAL
                .iter()
                .any(|(special, resource, _)| special == verb && *resource == name);
            if !fits {
                return Err(Failure::message(format!(
                    "can not perform '{verb}' on '{name}' in group '{group}'"
                )));
            }
        }
    }
    Ok(())
}

fn no_resource(word: &str) -> String {
    match word.split_once('.') {
        Some((name, group)) => {
            format!("the server doesn't have a resource type {name:?} in group {group:?}")
        }
        None => format!("the server doesn't have a resource type {word:?}"),
    }
}

fn resources(line: &Line) -> Vec<String> {
    let mut all = line.list("resource");
    all.retain(|resource| !resource.is_empty());
    all
}

/// A rule for each API group of the resources.
async fn resource_rules(
    session: &Session,
    line: &Line,
    verbs: &[String],
    resources: &[String],
) -> Outcome<Vec<Value>> {
    if resources.is_empty() {
        return Ok(Vec::new());
    }
    for verb in verbs
        .iter()
        .filter(|verb| !STANDARD.contains(&verb.as_str()))
    {
        let text = format!("Warning: '{verb}' is not a standard resource verb\n");
        session.io.eprint(&text).await;
    }
    refuse_verbs(verbs, resources)?;
    let discovery = session.discovery().await?;
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for word in resources {
        let (word, sub) = word.split_once('/').unwrap_or((word, ""));
        let (group, mut name) = match word {
            "*" => (String::new(), word.to_owned()),
            word => {
                let known = discovery.find(word);
                let known = known.map(|found| (found.group.clone(), found.plural.clone()));
                known
                    .or_else(|| special(verbs, word))
                    .ok_or_else(|| Failure::Plain(no_resource(word)))?
            }
        };
        if !sub.is_empty() {
            name = format!("{name}/{sub}");
        }
        let known = groups.entry(group).or_default();
        if !known.contains(&name) {
            known.push(name);
        }
    }
    let rules = groups.into_iter().map(|(group, resources)| {
        let rule = Rule {
            verbs: verbs.to_vec(),
            groups: vec![group],
            resources,
            names: line.all("resource-name").to_vec(),
            urls: Vec::new(),
        };
        rule.to_value()
    });
    Ok(rules.collect())
}
