//! Which requests a policy or binding is for.
//!
//! Models apiserver/pkg/admission/plugin/policy/matching and plugin/webhook/predicates.

use api::selector::LabelSelector;
use api::{Map, Value};

use super::Subject;

/// Whether a request is one of these.
pub(in crate::admission) fn matches(subject: &Subject<'_>, of: &Value) -> bool {
    let exact = of.str("matchPolicy") == "Exact";
    let any = |list: &str| {
        let mut rules = of.list_at(list).iter();
        rules.any(|rule| rule_matches(subject, rule, exact))
    };
    let rules = of.list_at("resourceRules").is_empty() || any("resourceRules");
    rules
        && !any("excludeResourceRules")
        && namespace_matches(subject, of.get("namespaceSelector"))
        && object_matches(subject, of.get("objectSelector"))
}

fn selects(selector: &Value, labels: &Map) -> bool {
    LabelSelector::from_object(selector).is_ok_and(|selector| selector.matches(labels))
}

fn is_everything(selector: &Value) -> bool {
    selector.entries().is_empty()
}

fn namespace_matches(subject: &Subject<'_>, selector: &Value) -> bool {
    if is_everything(selector) {
        return true;
    }
    match &subject.namespace {
        Some(namespace) => selects(selector, namespace.labels()),
        // What lies in no namespace is not kept out by its labels.
        None => true,
    }
}

fn object_matches(subject: &Subject<'_>, selector: &Value) -> bool {
    let own = |object: &Value| object.is_map() && selects(selector, object.labels());
    is_everything(selector) || own(&subject.object) || own(&subject.old)
}

fn rule_matches(subject: &Subject<'_>, rule: &Value, exact: bool) -> bool {
    let has = |list: &str, word: &str| {
        let mut words = rule.list_at(list).iter().map(Value::as_str);
        words.any(|one| one == word || one == "*")
    };
    let kind = subject.write.kind;
    let scope = match rule.str("scope") {
        "Namespaced" => kind.namespaced,
        "Cluster" => !kind.namespaced,
        _ => true,
    };
    // A rule for another version means the same objects.
    let other_version = || {
        let mut versions = rule.list_at("apiVersions").iter();
        versions.any(|version| subject.versions.contains(&version.as_str()))
    };
    let version = has("apiVersions", kind.version) || (!exact && other_version());
    let names = rule.list_at("resourceNames");
    let name = subject.write.name.as_str();
    scope
        && version
        && has("operations", subject.operation)
        && has("apiGroups", kind.group)
        && rule
            .list_at("resources")
            .iter()
            .any(|one| resource_matches(subject, one.as_str()))
        && (names.is_empty() || names.iter().any(|one| one.as_str() == name))
}

fn resource_matches(subject: &Subject<'_>, pattern: &str) -> bool {
    let (resource, sub) = pattern.split_once('/').unwrap_or((pattern, ""));
    let resource = resource == "*" || resource == subject.write.kind.plural;
    resource && (sub == "*" || sub == subject.write.subresource)
}
