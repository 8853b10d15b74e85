//! The rules of roles as kubectl shows them: taken apart, put together by resource, sorted.
//!
//! Models component-helpers/auth/rbac/validation and pkg/describe's role describers.

use api::Value;

/// A rule.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) verbs: Vec<String>,
    pub(super) groups: Vec<String>,
    pub(super) resources: Vec<String>,
    pub(super) names: Vec<String>,
    pub(super) urls: Vec<String>,
}

impl Rule {
    /// Reads a rule of a role or of a review.
    pub(super) fn of(rule: &Value) -> Rule {
        let list = |key: &str| -> Vec<String> {
            let items = rule.list_at(key).iter();
            items.map(|item| item.as_str().to_owned()).collect()
        };
        Rule {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            urls: list("nonResourceURLs"),
        }
    }

    /// The rule as an object holds it.
    pub(super) fn to_value(&self) -> Value {
        let mut value = Value::empty_map();
        for (key, list) in [
            ("verbs", &self.verbs),
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.urls),
        ] {
            if !list.is_empty() {
                let items = list.iter().map(|item| item.as_str().into()).collect();
                value.set(key, Value::list_of(items));
            }
        }
        value
    }

    /// `{Verbs:[get] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}`
    pub(super) fn as_in_go(&self) -> String {
        self.written(" ")
    }

    fn written(&self, between: &str) -> String {
        let parts = [
            ("Verbs", &self.verbs),
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("ResourceNames", &self.names),
            ("NonResourceURLs", &self.urls),
        ];
        let parts = parts.map(|(name, list)| format!("{name}:[{}]", list.join(" ")));
        format!("{{{}}}", parts.join(between))
    }

    /// The smallest rules that say the same together.
    fn broken_down(&self) -> Vec<Rule> {
        let mut all = Vec::new();
        let none = [String::new()];
        let names: &[String] = match self.names.is_empty() {
            true => &none,
            false => &self.names,
        };
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    all.extend(names.iter().map(|name| {
                        Rule {
                            verbs: vec![verb.clone()],
                            groups: vec![group.clone()],
                            resources: vec![resource.clone()],
                            names: Some(name.clone())
                                .filter(|name| !name.is_empty())
                                .into_iter()
                                .collect(),
                            urls: Vec::new(),
                        }
                    }));
                }
            }
        }
        for url in &self.urls {
            for verb in &self.verbs {
                all.push(Rule {
                    verbs: vec![verb.clone()],
                    urls: vec![url.clone()],
                    ..Rule::default()
                });
            }
        }
        all
    }

    /// Whether it allows all that a smallest rule allows.
    fn covers(&self, small: &Rule) -> bool {
        let within = |mine: &[String], theirs: &[String]| {
            mine.iter().any(|item| item == "*") || theirs.iter().all(|item| mine.contains(item))
        };
        let resource = small.resources.first().map_or("", String::as_str);
        let any_of = resource.split_once('/').map(|(_, sub)| format!("*/{sub}"));
        let resources = within(&self.resources, &small.resources)
            || any_of.is_some_and(|any| self.resources.contains(&any));
        let url = small.urls.first().map_or("", String::as_str);
        let urls = small.urls.is_empty()
            || self.urls.iter().any(|held| match held.strip_suffix('*') {
                Some(prefix) => url.starts_with(prefix),
                None => held == url,
            });
        let names =
            self.names.is_empty() || (!small.names.is_empty() && within(&self.names, &small.names));
        within(&self.verbs, &small.verbs)
            && within(&self.groups, &small.groups)
            && resources
            && names
            && urls
    }

    /// `deployments.apps/scale`
    fn resource(&self) -> String {
        let Some(resource) = self.resources.first() else {
            return String::new();
        };
        let group = self.groups.first().map_or("", String::as_str);
        let (name, sub) = resource.split_once('/').unwrap_or((resource, ""));
        let mut text = name.to_owned();
        if !group.is_empty() {
            text.push('.');
            text.push_str(group);
        }
        if !sub.is_empty() {
            text.push('/');
            text.push_str(sub);
        }
        text
    }

    /// Resource, paths, names and verbs, as tables show them.
    pub(super) fn cells(&self) -> [String; 4] {
        let list = |items: &[String]| format!("[{}]", items.join(" "));
        [
            self.resource(),
            list(&self.urls),
            list(&self.names),
            list(&self.verbs),
        ]
    }
}

/// Rules about one resource put together.
pub(super) fn compacted(small: impl IntoIterator<Item = Rule>) -> Vec<Rule> {
    let mut all: Vec<Rule> = Vec::new();
    for rule in small {
        let same = |other: &&mut Rule| {
            rule.urls.is_empty()
                && other.groups == rule.groups
                && other.resources == rule.resources
                && other.names == rule.names
        };
        match all.iter_mut().find(same) {
            Some(known) => {
                for verb in rule.verbs {
                    if !known.verbs.contains(&verb) {
                        known.verbs.push(verb);
                    }
                }
            }
            None => all.push(rule),
        }
    }
    all
}

/// Rules as tables list them.
pub(super) fn listed(rules: &[Rule]) -> Vec<Rule> {
    let mut all = compacted(rules.iter().flat_map(Rule::broken_down));
    all.sort_by_key(|rule| rule.written(","));
    all
}

/// What of `wanted` the rules held do not allow.
pub(super) fn missing(held: &[Rule], wanted: &[Rule]) -> Vec<Rule> {
    let small = wanted.iter().flat_map(Rule::broken_down);
    compacted(small.filter(|rule| !held.iter().any(|held| held.covers(rule))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use api::object;

    #[test]
    fn rules_are_taken_apart_and_put_together() {
        let rule = Rule::of(&object!({
            "apiGroups": ["", "apps"],
            "resources": ["deployments/scale", "pods"],
            "verbs": ["get", "list"],
        }));
        let shown: Vec<String> = listed(std::slice::from_ref(&rule))
            .iter()
            .map(|rule| rule.cells().join(" "))
            .collect();
        assert_eq!(
            shown,
            [
                "deployments/scale [] [] [get list]",
                "pods [] [] [get list]",
                "deployments.apps/scale [] [] [get list]",
                "pods.apps [] [] [get list]",
            ]
        );
        let more = Rule {
            verbs: vec!["get".into(), "delete".into()],
            resources: vec!["pods".into()],
            groups: vec![String::new()],
            ..Rule::default()
        };
        let lacking: Vec<String> = missing(&[rule], &[more])
            .iter()
            .map(Rule::as_in_go)
            .collect();
        assert_eq!(
            lacking,
            ["{Verbs:[delete] APIGroups:[] Resources:[pods] ResourceNames:[] NonResourceURLs:[]}"]
        );
    }
}
