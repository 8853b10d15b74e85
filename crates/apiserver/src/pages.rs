//! What is served beside resources: health, version, discovery.
//!
//! Models apiserver/pkg/server/{healthz,routes}.

use std::fmt::Write as _;

use api::{Value, object, status};
use net::http::{Body, Method, Request, Response};

use crate::discovery::{Discovery, Form};
use crate::openapi::{OpenApi, fingerprint};
use crate::ordered;
use crate::reply::{self, Accept, Transform};
use crate::request::{Query, RequestInfo};
use crate::server::ApiServer;

/// The checks behind the health pages, as they are listed.
const CHECKS: [&str; 36] = [
    "ping",
    "log",
    "informer-sync",
    "poststarthook/start-apiserver-admission-initializer",
    "poststarthook/generic-apiserver-start-informers",
    "poststarthook/priority-and-fairness-config-consumer",
    "poststarthook/priority-and-fairness-filter",
    "poststarthook/storage-object-count-tracker-hook",
    "poststarthook/start-apiextensions-informers",
    "poststarthook/start-apiextensions-controllers",
    "poststarthook/crd-informer-synced",
    "poststarthook/start-system-namespaces-controller",
    "poststarthook/peer-endpoint-reconciler-controller",
    "poststarthook/start-cluster-authentication-info-controller",
    "poststarthook/start-kube-apiserver-identity-lease-controller",
    "poststarthook/start-kube-apiserver-identity-lease-garbage-collector",
    "poststarthook/storage-readiness",
    "poststarthook/start-legacy-token-tracking-controller",
    "poststarthook/start-service-ip-repair-controllers",
    "poststarthook/rbac/bootstrap-roles",
    "poststarthook/scheduling/bootstrap-system-priority-classes",
    "poststarthook/priority-and-fairness-config-producer",
    "poststarthook/bootstrap-controller",
    "poststarthook/start-kubernetes-service-cidr-controller",
    "poststarthook/aggregator-reload-proxy-client-cert",
    "poststarthook/start-kube-aggregator-informers",
    "poststarthook/apiservice-status-local-available-controller",
    "poststarthook/apiservice-status-remote-available-controller",
    "poststarthook/apiservice-registration-controller",
    "poststarthook/apiservice-wait-for-first-sync",
    "poststarthook/apiservice-discovery-controller",
    "poststarthook/kube-apiserver-autoregistration",
    "autoregister-completion",
    "poststarthook/apiservice-openapi-controller",
    "poststarthook/apiservice-openapiv3-controller",
    "shutdown",
];

/// Checks that only say whether the server is ready, not whether it lives.
const READY_ONLY: [&str; 2] = ["informer-sync", "shutdown"];

impl ApiServer {
    /// What is told of what is served.
    pub(crate) fn discovery(&self) -> Discovery<'_> {
        Discovery {
            resources: &self.resources,
            config: &self.config,
        }
    }

    /// Serves a page.
    pub(crate) fn page(
        &self,
        request: &Request,
        info: &RequestInfo,
        query: &Query,
        accept: Accept,
    ) -> Response {
        let path = info.path.trim_end_matches('/');
        let mut parts = path.split('/').skip(1);
        let first = parts.next().unwrap_or("");
        if !matches!(request.method, Method::Get | Method::Head) {
            return reply::status(&status::path_not_found(), accept);
        }
        let page = match first {
            "healthz" | "livez" | "readyz" => return self.health(first, path, query),
            "version" => Some(version(&self.config.version)),
            "" => Some(root(self.discovery().group_paths())),
            "api" | "apis" => {
                let rest: Vec<&str> = parts.collect();
                let form = match accept.transform {
                    Transform::Discovery => Form::Aggregated,
                    Transform::BetaDiscovery => Form::Beta,
                    _ => Form::Plain,
                };
                self.discovery().page(first, &rest, form)
            }
            "openapi" => {
                let rest: Vec<&str> = parts.collect();
                return self.openapi(request, &rest, accept);
            }
            "metrics" | "debug" | "logs" | ".well-known" => {
                let what = sim::unmodelled!("metrics and debug pages of the API server");
                return reply::text(501, format!("{what}\n"));
            }
            _ => None,
        };
        match page {
            Some(page) if page.kind() == "APIGroupDiscoveryList" => {
                aggregated(request, &page, accept)
            }
            Some(page) if accept.is_yaml() => reply::object(200, &page, accept),
            Some(page) => {
                // The version is always written for people.
                let is_version = first == "version";
                let mut text = ordered::json(&page, is_version || accept.is_for_people());
                if !is_version && !accept.is_for_people() {
                    text.push('\n');
                }
                Response::new(200, text).with_header("Content-Type", "application/json")
            }
            None => reply::status(&status::path_not_found(), accept),
        }
    }

    /// The API described by itself.
    fn openapi(&self, request: &Request, rest: &[&str], accept: Accept) -> Response {
        let pages = OpenApi {
            discovery: self.discovery(),
            schemas: &self.schemas,
        };
        // The document of everything is large: it is not made for those who have it.
        let tag = format!("{:?}", pages.tag(rest));
        if request.headers.get("If-None-Match") == Some(tag.as_str()) {
            return Response::new(304, Body::Empty).with_header("ETag", tag);
        }
        match pages.page(rest) {
            Some(page) => reply::object(200, &page, accept).with_header("ETag", tag),
            None => reply::status(&status::path_not_found(), accept),
        }
    }

    /// `/readyz`, `/livez/ping`, `/healthz?verbose`, …
    fn health(&self, name: &str, path: &str, query: &Query) -> Response {
        let has = |key: &str| query.pairs.iter().any(|(name, _)| name == key);
        let excluded = |check: &str| {
            query
                .pairs
                .iter()
                .any(|(name, value)| name == "exclude" && value == check)
        };
        if let Some(check) = path.strip_prefix(&format!("/{name}/")) {
            return match self.check(check) {
                Some(true) => reply::text(200, "ok"),
                Some(false) => reply::text(500, "internal server error: reason withheld\n"),
                None => reply::text(404, "404 page not found\n"),
            };
        }
        let mut listing = String::new();
        let mut failed = false;
        let etcd = std::iter::once("etcd").filter(|_| self.check("etcd") == Some(false));
        let checks = CHECKS
            .iter()
            .copied()
            .filter(|c| name == "readyz" || !READY_ONLY.contains(c));
        let (head, tail): (Vec<&str>, Vec<&str>) = checks.partition(|check| *check == "ping");
        for check in head.into_iter().chain(etcd).chain(tail) {
            let _ = if excluded(check) {
                writeln!(listing, "[+]{check} excluded: ok")
            } else if self.check(check) == Some(true) {
                writeln!(listing, "[+]{check} ok")
            } else {
                failed = true;
                writeln!(listing, "[-]{check} failed: reason withheld")
            };
        }
        match (failed, has("verbose")) {
            (true, _) => reply::text(500, format!("{listing}{name} check failed\n")),
            (false, true) => reply::text(200, format!("{listing}{name} check passed\n")),
            (false, false) => reply::text(200, "ok"),
        }
    }

    /// The state of a check; `None` where there is no such check.
    fn check(&self, check: &str) -> Option<bool> {
        match check {
            "etcd" => Some(self.backend.is_ready()),
            "etcd-readiness" | "poststarthook/storage-readiness" => Some(self.backend.is_ready()),
            "informer-sync" | "poststarthook/start-system-namespaces-controller" => {
                Some(self.bootstrap.done)
            }
            known => CHECKS.contains(&known).then_some(true),
        }
    }
}

/// Discovery in one document says of what form it is, and by what it can be recognised.
fn aggregated(request: &Request, page: &Value, accept: Accept) -> Response {
    let version = page.api_version().rsplit('/').next().unwrap_or_default();
    let media_type =
        format!("application/json;g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    let tag = format!("{:?}", fingerprint(&page.to_json()));
    let mut response = tagged(request, reply::object(200, page, accept), tag);
    response.headers.set("Content-Type", media_type);
    response.headers.set("Vary", "Accept");
    response
}

/// An answer with its tag; a client that has it already gets no body.
fn tagged(request: &Request, mut response: Response, tag: String) -> Response {
    if request.headers.get("If-None-Match") == Some(tag.as_str()) {
        response = Response::new(304, Body::Empty);
    }
    response.headers.set("ETag", tag);
    response
}

fn root(groups: Vec<String>) -> Value {
    let mut paths = vec!["/api".to_owned(), "/api/v1".to_owned(), "/apis".to_owned()];
    paths.extend(groups);
    paths.extend(["/healthz", "/livez", "/readyz", "/version"].map(str::to_owned));
    object! { "paths": paths }
}

/// What the server is.
pub(crate) fn version(release: &str) -> Value {
    let minor = release
        .split('.')
        .nth(1)
        .and_then(|minor| minor.parse::<u32>().ok());
    let minor = minor.unwrap_or_default();
    object! {
        "major": "1",
        "minor": minor.to_string(),
        "emulationMajor": "1",
        "emulationMinor": minor.to_string(),
        "minCompatibilityMajor": "1",
        "minCompatibilityMinor": minor.saturating_sub(1).to_string(),
        "gitVersion": release,
        "gitCommit": "98b35193b2ac7a23a673325f5e9b830ecd5ba406",
        "gitTreeState": "clean",
        "buildDate": "2026-06-10T00:00:00Z",
        "goVersion": "go1.26.6",
        "compiler": "gc",
        "platform": "linux/amd64",
    }
}
