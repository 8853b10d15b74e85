//! The roles and bindings of every cluster, read from a table: a role or binding a line, what it
//! holds indented below. `+` marks a label, `<` a label whose bearers a role is made of; a rule is
//! its verbs, groups, resources and names, or its verbs and paths.
//!
//! Models plugin/pkg/auth/authorizer/rbac/bootstrappolicy.

use api::{Value, object};

use super::rbac::GROUP;
use super::rule::Rule;

const TABLE: &str = include_str!("../../data/policy.txt");

/// The role whose rules the node authorizer grants.
const NODE: &str = "ClusterRole system:node";

/// Every role and binding, roles first.
pub(crate) fn objects() -> Vec<Value> {
    let mut all: Vec<Value> = Vec::new();
    for line in TABLE.lines() {
        match (line.strip_prefix("  "), all.last_mut()) {
            (Some(part), Some(last)) if last.has("roleRef") => {
                last.list_mut("subjects").push(subject(part));
            }
            (Some(part), Some(last)) => last.list_mut("rules").push(rule(part)),
            _ => all.push(head(line)),
        }
    }
    all
}

/// What the node authorizer grants.
pub(crate) fn node_rules() -> Vec<Rule> {
    let lines = TABLE.lines().skip_while(|line| *line != NODE).skip(1);
    let lines = lines.map_while(|line| line.strip_prefix("  "));
    lines.map(|line| Rule::of(&rule(line))).collect()
}

fn head(line: &str) -> Value {
    let mut words = line.split(' ');
    let kind = words.next().unwrap_or_default();
    let key = words.next().unwrap_or_default();
    let mut object = object! {
        "apiVersion": format!("{GROUP}/v1"),
        "kind": kind,
        "metadata": {
            "annotations": { "rbac.authorization.kubernetes.io/autoupdate": "true" },
            "labels": { "kubernetes.io/bootstrapping": "rbac-defaults" },
        },
    };
    match key.split_once('/') {
        Some((namespace, name)) => {
            object.set("metadata.namespace", namespace);
            object.set("metadata.name", name);
        }
        None => object.set("metadata.name", key),
    }
    while let Some(word) = words.next() {
        if let Some((label, value)) = word.strip_prefix('+').and_then(|w| w.split_once('=')) {
            object.set_label(label, value);
        } else if let Some((label, value)) = word.strip_prefix('<').and_then(|w| w.split_once('='))
        {
            let mut selector = Value::empty_map();
            selector.set_path(&["matchLabels", label], value);
            object
                .list_mut("aggregationRule.clusterRoleSelectors")
                .push(selector);
        } else if word == "=" {
            let kind = words.next().unwrap_or_default();
            let name = words.next().unwrap_or_default();
            object.set(
                "roleRef",
                object! { "apiGroup": GROUP, "kind": kind, "name": name },
            );
        }
    }
    object
}

fn subject(line: &str) -> Value {
    let (kind, name) = line.split_once(' ').unwrap_or((line, ""));
    match (kind, name.split_once('/')) {
        ("ServiceAccount", Some((namespace, name))) => {
            object! { "kind": kind, "name": name, "namespace": namespace }
        }
        _ => object! { "apiGroup": GROUP, "kind": kind, "name": name },
    }
}

fn rule(line: &str) -> Value {
    let mut fields = line.split(" : ").map(|field| {
        let words = field.split(',').map(|word| word.trim_matches('"'));
        words.collect::<Vec<_>>()
    });
    let mut rule = object! { "verbs": fields.next().unwrap_or_default() };
    let rest: Vec<Vec<&str>> = fields.collect();
    let keys: &[&str] = match rest.len() {
        1 => &["nonResourceURLs"],
        _ => &["apiGroups", "resources", "resourceNames"],
    };
    for (key, words) in keys.iter().zip(rest) {
        rule.set(key, words);
    }
    rule
}
