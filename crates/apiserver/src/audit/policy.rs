//! Which requests are told of in the audit log, and how much: the first rule that a request matches
//! says it.
//!
//! Models apiserver/pkg/audit/policy/{reader,checker}.go and apiserver/pkg/apis/audit/validation.

use api::{FieldError, Value, names};

use crate::authn::User;
use crate::request::RequestInfo;

/// How much is told of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    #[default]
    None,
    Metadata,
    Request,
    RequestResponse,
}

impl Level {
    const ALL: [Level; 4] = [
        Level::None,
        Level::Metadata,
        Level::Request,
        Level::RequestResponse,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Level::None => "None",
            Level::Metadata => "Metadata",
            Level::Request => "Request",
            Level::RequestResponse => "RequestResponse",
        }
    }
}

/// When something is told of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    RequestReceived,
    /// Of requests that may go on for long.
    ResponseStarted,
    ResponseComplete,
    /// The server failed; ours does not.
    Panic,
}

impl Stage {
    const ALL: [Stage; 4] = [
        Stage::RequestReceived,
        Stage::ResponseStarted,
        Stage::ResponseComplete,
        Stage::Panic,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Stage::RequestReceived => "RequestReceived",
            Stage::ResponseStarted => "ResponseStarted",
            Stage::ResponseComplete => "ResponseComplete",
            Stage::Panic => "Panic",
        }
    }
}

/// What a rule says of the requests it matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) level: Level,
    /// The stages that are left out.
    pub(crate) omits: Vec<Stage>,
    /// Objects are told without `managedFields`.
    pub(crate) omits_managed: bool,
}

/// A policy file, read and found right.
#[derive(Clone, Debug)]
pub struct Policy {
    rules: Vec<(Value, Verdict)>,
}

impl Policy {
    /// Reads the text of a policy file.
    ///
    /// # Errors
    /// What upstream says of a wrong one.
    pub fn read(text: &str) -> Result<Policy, String> {
        let documents =
            api::yaml::parse_all(text).map_err(|error| format!("failed decoding: {error}"))?;
        let file = documents.into_iter().next().map(|document| document.value);
        let file = file.unwrap_or_default();
        check_kind(&file, text)?;
        let rules = file.list_at("rules");
        if !rules.iter().all(Value::is_map)
            || !(file.get("rules").is_null() || file.get("rules").is_list())
        {
            return Err(format!(
                "failed decoding: json: cannot unmarshal {} into Go struct field Policy.rules of \
                 type []v1.PolicyRule",
                file.get("rules").type_name()
            ));
        }
        let mut errors = Vec::new();
        for (i, rule) in rules.iter().enumerate() {
            check_rule(rule, &format!("rules[{i}]"), &mut errors);
        }
        match errors.as_slice() {
            [] => {}
            [one] => return Err(one.to_string()),
            several => {
                let several: Vec<String> = several.iter().map(FieldError::to_string).collect();
                return Err(format!("[{}]", several.join(", ")));
            }
        }
        if rules.is_empty() {
            return Err("loaded illegal policy with 0 rules".to_owned());
        }
        let rules = rules
            .iter()
            .map(|rule| (rule.clone(), verdict(&file, rule)));
        Ok(Policy {
            rules: rules.collect(),
        })
    }

    /// What the first rule says that a request matches.
    pub(crate) fn rule_for(&self, user: Option<&User>, info: &RequestInfo) -> Verdict {
        let mut rules = self.rules.iter();
        let found = rules.find(|(rule, _)| matches(rule, user, info));
        found.map_or_else(Verdict::default, |(_, verdict)| verdict.clone())
    }
}

/// Refuses what is no policy.
fn check_kind(file: &Value, text: &str) -> Result<(), String> {
    let (version, kind) = (file.api_version(), file.kind());
    if kind.is_empty() {
        return Err(format!(
            "failed decoding: Object 'Kind' is missing in '{text}'"
        ));
    }
    if version.is_empty() {
        return Err(format!(
            "failed decoding: Object 'apiVersion' is missing in '{text}'"
        ));
    }
    if (version, kind) != ("audit.k8s.io/v1", "Policy") {
        return Err(format!(
            "failed decoding: no kind {kind:?} is registered for version {version:?} in scheme \
             \"pkg/audit/scheme.go:31\""
        ));
    }
    Ok(())
}

fn verdict(file: &Value, rule: &Value) -> Verdict {
    let named = |name: &str| Level::ALL.into_iter().find(|level| level.name() == name);
    let stages = file.list_at("omitStages").iter();
    let stages = stages.chain(rule.list_at("omitStages"));
    let omits = stages.filter_map(|omitted| {
        let mut all = Stage::ALL.into_iter();
        all.find(|stage| stage.name() == omitted.as_str())
    });
    let own = rule.get("omitManagedFields").as_bool();
    let of_all = file.get("omitManagedFields").as_bool();
    Verdict {
        level: named(rule.str("level")).unwrap_or_default(),
        omits: omits.collect(),
        omits_managed: own.or(of_all).unwrap_or(false),
    }
}

/// What is wrong with a rule.
fn check_rule(rule: &Value, path: &str, out: &mut Vec<FieldError>) {
    let levels = Level::ALL.map(Level::name);
    match rule.str("level") {
        "" => out.push(FieldError::required(format!("{path}.level"), "")),
        level if levels.contains(&level) => {}
        level => out.push(FieldError::not_supported(
            format!("{path}.level"),
            level,
            &levels,
        )),
    }
    let urls = rule.list_at("nonResourceURLs");
    for (i, url) in urls.iter().map(Value::as_str).enumerate() {
        let path = format!("{path}.nonResourceURLs[{i}]");
        if url != "*" && !url.starts_with('/') {
            let why = "non-resource URL rules must begin with a '/' character";
            out.push(FieldError::invalid(&path, url, why));
        }
        if url.find('*').is_some_and(|at| at + 1 < url.len()) {
            let why = "non-resource URL wildcards '*' must be the final character of the rule";
            out.push(FieldError::invalid(&path, url, why));
        }
    }
    for group in rule.list_at("resources") {
        let name = group.str("group");
        let wrong = names::dns1123_subdomain(name);
        if !name.is_empty() && !wrong.is_empty() {
            let path = format!("{path}.resources.group");
            out.push(FieldError::invalid(path, name, wrong.join(",")));
        }
        let chosen = group.get("resourceNames").clone();
        if !chosen.list().is_empty() && group.list_at("resources").is_empty() {
            let why = "using resourceNames requires at least one resource";
            let path = format!("{path}.resources.resourceNames");
            out.push(FieldError::invalid(path, chosen, why));
        }
    }
    let stages = Stage::ALL.map(Stage::name);
    for (i, stage) in rule.list_at("omitStages").iter().enumerate() {
        if !stages.contains(&stage.as_str()) {
            let why = format!("allowed stages are {}", stages.join(","));
            let path = format!("{path}.omitStages[{i}]");
            out.push(FieldError::invalid(path, stage.as_str(), why));
        }
    }
    let of_resources =
        !rule.list_at("resources").is_empty() || !rule.list_at("namespaces").is_empty();
    if of_resources && !urls.is_empty() {
        let why = "rules cannot apply to both regular resources and non-resource URLs";
        let path = format!("{path}.nonResourceURLs");
        out.push(FieldError::invalid(
            path,
            rule.get("nonResourceURLs").clone(),
            why,
        ));
    }
}

/// Whether a list names something; one that is empty names everything.
fn names_it(list: &[Value], wanted: &str) -> bool {
    list.is_empty() || list.iter().any(|name| name.as_str() == wanted)
}

fn matches(rule: &Value, user: Option<&User>, info: &RequestInfo) -> bool {
    let name = user.map_or("", |user| &user.name);
    let groups = rule.list_at("userGroups");
    let of_user = user.map_or(&[][..], |user| &user.groups);
    let in_group = groups.is_empty() || of_user.iter().any(|group| names_it(groups, group));
    if !names_it(rule.list_at("users"), name)
        || !in_group
        || !names_it(rule.list_at("verbs"), info.verb)
    {
        return false;
    }
    let (namespaces, resources) = (rule.list_at("namespaces"), rule.list_at("resources"));
    if !namespaces.is_empty() || !resources.is_empty() {
        let matched =
            |group: &Value| group.str("group") == info.group && names_resource(group, info);
        return info.is_resource
            && names_it(namespaces, &info.namespace)
            && (resources.is_empty() || resources.iter().any(matched));
    }
    let urls = rule.list_at("nonResourceURLs");
    urls.is_empty()
        || (!info.is_resource
            && urls
                .iter()
                .any(|url| path_matches(url.as_str(), &info.path)))
}

/// Whether a rule's resources of a group name that of a request.
fn names_resource(group: &Value, info: &RequestInfo) -> bool {
    let resources = group.list_at("resources");
    if resources.is_empty() {
        return true;
    }
    if !names_it(group.list_at("resourceNames"), &info.name) {
        return false;
    }
    let sub = info.subresource.as_str();
    resources
        .iter()
        .map(Value::as_str)
        .any(|named| match named.split_once('/') {
            _ if named == "*" => true,
            None => sub.is_empty() && named == info.resource,
            Some(("*", of)) => !sub.is_empty() && of == sub,
            Some((of, "*")) => of == info.resource,
            Some((resource, of)) => resource == info.resource && of == sub && !sub.is_empty(),
        })
}

fn path_matches(url: &str, path: &str) -> bool {
    match url.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix),
        None => url == path,
    }
}
