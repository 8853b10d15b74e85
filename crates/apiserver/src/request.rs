//! What a request asks for, read from its method, path and query. Decides nothing.
//!
//! Models apiserver/pkg/endpoints/request/requestinfo.go.

use net::http::{Method, Request, percent_decode};

/// What a request asks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RequestInfo {
    /// The path names a resource; else it is some other page, and only `verb` and `path` are set.
    pub is_resource: bool,
    /// The path without the query.
    pub path: String,
    /// `get`, `list`, `watch`, `create`, `update`, `patch`, `delete`, `deletecollection`; the method
    /// in small letters where the path names no resource.
    pub verb: &'static str,
    /// The API group; empty for the core.
    pub group: String,
    /// The version.
    pub version: String,
    /// The namespace; empty for none or all.
    pub namespace: String,
    /// The resource, by its plural.
    pub resource: String,
    /// The subresource; empty for none.
    pub subresource: String,
    /// The name; empty for none.
    pub name: String,
    /// The one name that a list or watch selects, which counts where it is asked who may do what.
    pub selected: String,
    /// What the path holds after the subresource, as with `proxy`.
    pub rest: Vec<String>,
}

impl RequestInfo {
    /// Reads a request.
    pub fn of(request: &Request, query: &Query) -> RequestInfo {
        let path = request.path().to_owned();
        let parts: Vec<String> = path
            .split('/')
            .filter(|part| !part.is_empty())
            .map(percent_decode)
            .collect();
        let mut info = RequestInfo {
            path,
            verb: plain_verb(request.method),
            ..Self::default()
        };
        let mut rest = match parts.first().map(String::as_str) {
            Some("api") if parts.len() >= 3 => {
                info.version = parts[1].clone();
                &parts[2..]
            }
            Some("apis") if parts.len() >= 4 => {
                info.group = parts[1].clone();
                info.version = parts[2].clone();
                &parts[3..]
            }
            _ => return info,
        };
        info.is_resource = true;
        // The old way to watch: the word stands before the resource.
        let old_watch = rest[0] == "watch" && rest.len() > 1;
        if old_watch {
            rest = &rest[1..];
        }
        if rest[0] == "namespaces"
            && let Some(namespace) = rest.get(1)
        {
            info.namespace = namespace.clone();
            // A namespace's own subresources are not resources in it.
            let own = rest
                .get(2)
                .is_some_and(|word| word == "status" || word == "finalize");
            if rest.len() > 2 && !own {
                rest = &rest[2..];
            }
        }
        let mut words = rest.iter();
        info.resource = words.next().cloned().unwrap_or_default();
        info.name = words.next().cloned().unwrap_or_default();
        info.subresource = words.next().cloned().unwrap_or_default();
        info.rest = words.cloned().collect();
        let watch = old_watch || query.watch;
        info.verb = resource_verb(request.method, &info.name, watch);
        if matches!(info.verb, "list" | "watch" | "deletecollection") {
            info.selected = selected(&query.field_selector).to_owned();
        }
        info
    }
}

/// The name in `metadata.name=…`; empty where there is none.
fn selected(fields: &str) -> &str {
    let names = |term: &str| term.starts_with("metadata.name=");
    let term = fields.split(',').find(|term| names(term)).unwrap_or("");
    let name = term.trim_start_matches("metadata.name");
    name.trim_start_matches('=')
}

fn plain_verb(method: Method) -> &'static str {
    match method {
        Method::Get => "get",
        Method::Head => "head",
        Method::Post => "post",
        Method::Put => "put",
        Method::Patch => "patch",
        Method::Delete => "delete",
        Method::Options => "options",
        Method::Connect => "connect",
    }
}

fn resource_verb(method: Method, name: &str, watch: bool) -> &'static str {
    match method {
        Method::Post => "create",
        Method::Get | Method::Head if !name.is_empty() && !watch => "get",
        Method::Get | Method::Head if watch => "watch",
        Method::Get | Method::Head => "list",
        Method::Put => "update",
        Method::Patch => "patch",
        Method::Delete if name.is_empty() => "deletecollection",
        Method::Delete => "delete",
        Method::Options | Method::Connect => "",
    }
}

/// The query parameters of the API, decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// `labelSelector`.
    pub label_selector: String,
    /// `fieldSelector`.
    pub field_selector: String,
    /// `limit`; 0 for none.
    pub limit: usize,
    /// `continue`.
    pub continue_token: String,
    /// `resourceVersion`.
    pub resource_version: String,
    /// `resourceVersionMatch`.
    pub resource_version_match: String,
    /// `watch`.
    pub watch: bool,
    /// `timeoutSeconds`; 0 for none.
    pub timeout_secs: u64,
    /// `allowWatchBookmarks`.
    pub allow_bookmarks: bool,
    /// `sendInitialEvents`.
    pub send_initial_events: Option<bool>,
    /// `dryRun`, each value.
    pub dry_run: Vec<String>,
    /// `fieldManager`.
    pub field_manager: String,
    /// `fieldValidation`.
    pub field_validation: String,
    /// `force`.
    pub force: bool,
    /// `pretty`.
    pub pretty: Option<bool>,
    /// `gracePeriodSeconds`.
    pub grace_period_secs: Option<i64>,
    /// `propagationPolicy`.
    pub propagation_policy: String,
    /// `orphanDependents`.
    pub orphan_dependents: Option<bool>,
    /// `includeObject`, of tables.
    pub include_object: String,
    /// What is wrong with a number, if one is.
    pub malformed: String,
    /// Everything, in order, for subresources with parameters of their own.
    pub pairs: Vec<(String, String)>,
}

impl Query {
    /// Reads a request's query. Malformed numbers count as absent, and are remembered.
    pub fn of(request: &Request) -> Query {
        let mut query = Query {
            pairs: request.query(),
            ..Query::default()
        };
        for (name, value) in std::mem::take(&mut query.pairs) {
            query.take(&name, &value);
            query.pairs.push((name, value));
        }
        query
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "labelSelector" => value.clone_into(&mut self.label_selector),
            "fieldSelector" => value.clone_into(&mut self.field_selector),
            "limit" => {
                let limit = self.number(value).unwrap_or(0);
                self.limit = usize::try_from(limit).unwrap_or(0);
            }
            "continue" => value.clone_into(&mut self.continue_token),
            "resourceVersion" => value.clone_into(&mut self.resource_version),
            "resourceVersionMatch" => value.clone_into(&mut self.resource_version_match),
            "watch" => self.watch = truth(value),
            "timeoutSeconds" => {
                let secs = self.number(value).unwrap_or(0);
                self.timeout_secs = u64::try_from(secs).unwrap_or(0);
            }
            "allowWatchBookmarks" => self.allow_bookmarks = truth(value),
            "sendInitialEvents" => self.send_initial_events = Some(truth(value)),
            "dryRun" => self.dry_run.push(value.to_owned()),
            "fieldManager" => value.clone_into(&mut self.field_manager),
            "fieldValidation" => value.clone_into(&mut self.field_validation),
            "force" => self.force = truth(value),
            "pretty" => self.pretty = Some(truth(value)),
            "gracePeriodSeconds" => self.grace_period_secs = value.parse().ok(),
            "propagationPolicy" => value.clone_into(&mut self.propagation_policy),
            "orphanDependents" => self.orphan_dependents = Some(truth(value)),
            "includeObject" => value.clone_into(&mut self.include_object),
            _ => {}
        }
    }

    /// A number; an empty value counts as absent.
    fn number(&mut self, value: &str) -> Option<i64> {
        let number = value.parse().ok();
        if number.is_none() && !value.is_empty() {
            let why = match value
                .trim_start_matches('-')
                .bytes()
                .all(|b| b.is_ascii_digit())
            {
                true => "value out of range",
                false => "invalid syntax",
            };
            self.malformed = format!("strconv.ParseInt: parsing {value:?}: {why}");
        }
        number
    }

    /// The first value of a parameter; empty if absent.
    pub fn get(&self, name: &str) -> &str {
        self.pairs
            .iter()
            .find(|(key, _)| key == name)
            .map_or("", |(_, value)| value)
    }
}

/// A flag of the query: present means true, except where it says otherwise.
fn truth(value: &str) -> bool {
    !value.eq_ignore_ascii_case("false") && value != "0"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(method: Method, target: &str, expected: &str) {
        let request = Request::new(method, target);
        let query = Query::of(&request);
        let info = RequestInfo::of(&request, &query);
        let said = if info.is_resource {
            let RequestInfo {
                verb,
                group,
                version,
                namespace,
                resource,
                name,
                ..
            } = &info;
            let mut said = format!("{verb} {group}/{version} {namespace} {resource} {name}");
            for word in [&info.subresource].into_iter().chain(&info.rest) {
                said.push(' ');
                said.push_str(word);
            }
            said.trim_end().to_owned()
        } else {
            format!("{} {}", info.verb, info.path)
        };
        assert_eq!(said, expected);
    }

    #[test]
    fn paths_and_methods_make_verbs() {
        use Method::{Delete, Get, Patch, Post, Put};
        check(Get, "/api/v1/pods", "list /v1  pods");
        check(Get, "/api/v1/pods?watch=1", "watch /v1  pods");
        check(
            Get,
            "/api/v1/namespaces/default/pods/x",
            "get /v1 default pods x",
        );
        check(
            Get,
            "/api/v1/namespaces/default",
            "get /v1 default namespaces default",
        );
        check(
            Put,
            "/api/v1/namespaces/a/finalize",
            "update /v1 a namespaces a finalize",
        );
        check(Get, "/api/v1/namespaces", "list /v1  namespaces");
        check(
            Post,
            "/apis/apps/v1/namespaces/n/deployments",
            "create apps/v1 n deployments",
        );
        check(
            Post,
            "/api/v1/namespaces/n/pods/x/binding",
            "create /v1 n pods x binding",
        );
        check(
            Patch,
            "/apis/apps/v1/namespaces/n/deployments/d/scale",
            "patch apps/v1 n deployments d scale",
        );
        check(
            Delete,
            "/api/v1/namespaces/n/pods",
            "deletecollection /v1 n pods",
        );
        check(Get, "/api/v1/watch/namespaces/n/pods", "watch /v1 n pods");
        check(
            Get,
            "/api/v1/nodes/n1/proxy/logs/syslog",
            "get /v1  nodes n1 proxy logs syslog",
        );
        check(Get, "/healthz", "get /healthz");
        check(Get, "/apis/apps/v1", "get /apis/apps/v1");
        check(Get, "/api/v1", "get /api/v1");
    }
}
