//! One rule of a role: what it allows, whether others allow all of it, and how it is written.
//!
//! Models pkg/apis/rbac/v1/evaluation_helpers.go, helpers.go and
//! component-helpers/auth/rbac/validation.

use api::{Str, Value, go};

use super::Attributes;

/// A rule, read once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rule {
    pub(crate) verbs: Vec<Str>,
    pub(crate) groups: Vec<Str>,
    pub(crate) resources: Vec<Str>,
    pub(crate) names: Vec<Str>,
    pub(crate) urls: Vec<Str>,
}

fn has(list: &[Str], word: &str) -> bool {
    list.iter().any(|item| item == "*" || item == word)
}

impl Rule {
    /// Reads a rule of a role.
    pub(crate) fn of(rule: &Value) -> Rule {
        let list = |key: &str| -> Vec<Str> {
            let items = rule.list_at(key).iter();
            items.filter_map(Value::as_shared_str).cloned().collect()
        };
        Rule {
            verbs: list("verbs"),
            groups: list("apiGroups"),
            resources: list("resources"),
            names: list("resourceNames"),
            urls: list("nonResourceURLs"),
        }
    }

    /// Two rules that allow everything: all resources, all pages.
    pub(crate) fn everything() -> [Rule; 2] {
        let all = || vec!["*".into()];
        [
            Rule {
                verbs: all(),
                groups: all(),
                resources: all(),
                ..Rule::default()
            },
            Rule {
                verbs: all(),
                urls: all(),
                ..Rule::default()
            },
        ]
    }

    /// The rules of a role.
    pub(crate) fn all(role: &Value) -> Vec<Rule> {
        role.list_at("rules").iter().map(Rule::of).collect()
    }

    /// The rule as objects hold it.
    pub(crate) fn to_value(&self) -> Value {
        let mut value = Value::empty_map();
        for (key, list) in self.fields() {
            if !list.is_empty() {
                let items = list.iter().cloned().map(Value::from).collect();
                value.set(key, Value::list_of(items));
            }
        }
        value
    }

    fn fields(&self) -> [(&'static str, &[Str]); 5] {
        [
            ("verbs", &self.verbs),
            ("apiGroups", &self.groups),
            ("resources", &self.resources),
            ("resourceNames", &self.names),
            ("nonResourceURLs", &self.urls),
        ]
    }

    /// Whether it allows this.
    pub(crate) fn allows(&self, asked: &Attributes<'_>) -> bool {
        if !has(&self.verbs, asked.verb) {
            return false;
        }
        match asked.path {
            Some(path) => self.covers_url(path),
            None => {
                has(&self.groups, asked.group)
                    && self.has_resource(asked.resource, asked.subresource)
                    && (self.names.is_empty() || self.names.iter().any(|name| name == asked.name))
            }
        }
    }

    fn has_resource(&self, resource: &str, subresource: &str) -> bool {
        self.resources
            .iter()
            .any(|held| match held.split_once('/') {
                None => held == "*" || (subresource.is_empty() && held == resource),
                Some((of, sub)) => {
                    !subresource.is_empty() && sub == subresource && (of == "*" || of == resource)
                }
            })
    }

    fn covers_url(&self, path: &str) -> bool {
        self.urls.iter().any(|url| match url.strip_suffix('*') {
            Some(prefix) => path.starts_with(prefix),
            None => url == path,
        })
    }

    /// The smallest rules that say the same together.
    pub(crate) fn broken_down(&self) -> Vec<Rule> {
        let mut all = Vec::new();
        let one = |text: &Str| vec![text.clone()];
        for group in &self.groups {
            for resource in &self.resources {
                for verb in &self.verbs {
                    let rule = Rule {
                        verbs: one(verb),
                        groups: one(group),
                        resources: one(resource),
                        ..Rule::default()
                    };
                    match self.names.as_slice() {
                        [] => all.push(rule),
                        names => all.extend(names.iter().map(|name| Rule {
                            names: one(name),
                            ..rule.clone()
                        })),
                    }
                }
            }
        }
        for url in &self.urls {
            for verb in &self.verbs {
                all.push(Rule {
                    verbs: one(verb),
                    urls: one(url),
                    ..Rule::default()
                });
            }
        }
        all
    }

    /// Whether this rule allows all that a smallest rule allows.
    fn covers(&self, small: &Rule) -> bool {
        let first = |list: &[Str]| list.first().map_or("", Str::as_str).to_owned();
        let (verb, group, resource) = (
            first(&small.verbs),
            first(&small.groups),
            first(&small.resources),
        );
        let (resource, subresource) = resource.split_once('/').unwrap_or((&resource, ""));
        let url = first(&small.urls);
        has(&self.verbs, &verb)
            && match small.urls.is_empty() {
                false => self.covers_url(&url),
                true => {
                    let named = small.names.first();
                    has(&self.groups, &group)
                        && self.has_resource(resource, subresource)
                        && (self.names.is_empty()
                            || named.is_some_and(|name| self.names.contains(name)))
                }
            }
    }

    /// `{APIGroups:[""], Resources:["nodes"], Verbs:["get"]}`
    pub(crate) fn compact_string(&self) -> String {
        let parts = [
            ("APIGroups", &self.groups),
            ("Resources", &self.resources),
            ("NonResourceURLs", &self.urls),
            ("ResourceNames", &self.names),
            ("Verbs", &self.verbs),
        ];
        let written = parts.into_iter().filter(|(_, list)| !list.is_empty());
        let written = written.map(|(name, list)| {
            let quoted: Vec<String> = list.iter().map(|item| go::quote(item)).collect();
            format!("{name}:[{}]", quoted.join(" "))
        });
        format!("{{{}}}", written.collect::<Vec<_>>().join(", "))
    }
}

/// What of these rules the held ones do not allow, rules about one resource put together.
pub(crate) fn missing(held: &[Rule], wanted: &[Rule]) -> Vec<Rule> {
    let mut missing: Vec<Rule> = Vec::new();
    for small in wanted.iter().flat_map(Rule::broken_down) {
        if held.iter().any(|rule| rule.covers(&small)) {
            continue;
        }
        let same = |rule: &&mut Rule| {
            small.urls.is_empty()
                && rule.groups == small.groups
                && rule.resources == small.resources
                && rule.names == small.names
        };
        match missing.iter_mut().find(same) {
            Some(rule) => {
                let new = small
                    .verbs
                    .into_iter()
                    .filter(|verb| !rule.verbs.contains(verb));
                let new: Vec<Str> = new.collect();
                rule.verbs.extend(new);
            }
            None => missing.push(small),
        }
    }
    missing
}
