//! What is told of which requests.

use net::http::{Method, Request};

use super::*;
use crate::request::Query;

const POLICY: &str = r#"
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: None
  users: ["system:kube-proxy"]
  verbs: ["watch"]
  resources: [{group: "", resources: ["endpoints", "services"]}]
- level: None
  userGroups: ["system:authenticated"]
  nonResourceURLs: ["/api*", "/version"]
- level: Request
  resources: [{group: "", resources: ["configmaps"]}]
  namespaces: ["kube-system"]
- level: Metadata
  resources:
  - {group: "", resources: ["secrets"]}
  - {group: "", resources: ["configmaps"], resourceNames: ["leader"]}
- level: RequestResponse
  omitManagedFields: true
  omitStages: [ResponseComplete]
  resources: [{group: apps}, {group: "", resources: ["pods/*", "*/status"]}]
- level: Metadata
  nonResourceURLs: ["*"]
"#;

fn user(name: &str) -> User {
    User {
        name: name.into(),
        groups: vec!["system:authenticated".into()],
        uid: "".into(),
        extra: Vec::new(),
    }
}

#[track_caller]
fn check(name: &str, method: Method, target: &str, expected: &str) {
    let policy = Policy::read(POLICY).expect("a policy");
    let request = Request::new(method, target);
    let info = RequestInfo::of(&request, &Query::of(&request));
    let rule = policy.rule_for(Some(&user(name)), &info);
    let omits = rule.omits.iter().map(|stage| stage.name());
    let mut said: Vec<&str> = [rule.level.name()].into_iter().chain(omits).collect();
    said.extend(rule.omits_managed.then_some("managedFields"));
    assert_eq!(said.join(" "), expected, "{method:?} {target}");
}

#[test]
fn the_first_rule_that_a_request_matches_counts() {
    use Method::{Get, Post, Put};
    let received = "RequestReceived";
    let metadata = format!("Metadata {received}");
    let all = format!("RequestResponse {received} ResponseComplete managedFields");
    let none = format!("None {received}");
    check("system:kube-proxy", Get, "/api/v1/services?watch=1", &none);
    check("jane", Get, "/api/v1/services?watch=1", "None");
    check("jane", Get, "/apis/apps", &none);
    check("jane", Get, "/healthz", &metadata);
    let configmaps = "/api/v1/namespaces/kube-system/configmaps";
    check("jane", Post, configmaps, &format!("Request {received}"));
    check("jane", Get, "/api/v1/namespaces/a/configmaps", "None");
    check(
        "jane",
        Get,
        "/api/v1/namespaces/a/configmaps/leader",
        &metadata,
    );
    check("jane", Get, "/api/v1/secrets", &metadata);
    check("jane", Get, "/apis/apps/v1/deployments", &all);
    check("jane", Post, "/api/v1/namespaces/a/pods/x/exec", &all);
    check("jane", Post, "/api/v1/namespaces/a/pods", &all);
    check("jane", Put, "/api/v1/nodes/a/status", &all);
    check("jane", Put, "/api/v1/nodes/a", "None");
}

#[test]
fn a_wrong_policy_is_refused_in_upstreams_words() {
    #[track_caller]
    fn check(rules: &str, expected: &str) {
        let text = format!("apiVersion: audit.k8s.io/v1\nkind: Policy\n{rules}");
        let said = Policy::read(&text).map(|_| ()).expect_err("a wrong policy");
        assert_eq!(said, expected);
    }
    check("rules: []", "loaded illegal policy with 0 rules");
    check(
        "rules: [{level: All}]",
        "rules[0].level: Unsupported value: \"All\": supported values: \"None\", \"Metadata\", \
         \"Request\", \"RequestResponse\"",
    );
    check("rules: [{users: [a]}]", "rules[0].level: Required value");
    check(
        "rules: [{level: None, nonResourceURLs: [a], namespaces: [b]}]",
        "[rules[0].nonResourceURLs[0]: Invalid value: \"a\": non-resource URL rules must begin with \
         a '/' character, rules[0].nonResourceURLs: Invalid value: [\"a\"]: rules cannot apply to \
         both regular resources and non-resource URLs]",
    );
    let other = Policy::read("apiVersion: audit.k8s.io/v1beta1\nkind: Policy\n").map(|_| ());
    assert_eq!(
        other,
        Err(
            "failed decoding: no kind \"Policy\" is registered for version \
             \"audit.k8s.io/v1beta1\" in scheme \"pkg/audit/scheme.go:31\""
                .to_owned()
        )
    );
}

#[test]
fn an_entry_is_written_as_go_writes_it() {
    let policy = "apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Request}]";
    let policy = Rc::new(Policy::read(policy).expect("a policy"));
    let mut audit = Audit::new(Some(policy), Stream::new(1, "audit"));
    let request = Request::new(Method::Post, "/api/v1/namespaces/a/pods?dryRun=All")
        .with_header("User-Agent", "kubectl/v1.36.2")
        .with_header(ID, "x")
        .with_body(r#"{"kind":"Pod","metadata":{"name":"p"}}"#);
    let info = RequestInfo::of(&request, &Query::of(&request));
    let mut journal = crate::Forget;
    let mut cx = Cx::new(
        sim::Instant::from_nanos(0),
        sim::EntryId::default(),
        &mut journal,
    );
    cx.source = Some(std::net::Ipv4Addr::new(172, 30, 1, 2));
    let from = StreamId { conn: 3, stream: 1 };
    audit.received(&mut cx, from, &request, &info, Some(&user("jane")));
    let decision = Decision {
        allowed: true,
        reason: "because".to_owned(),
    };
    audit.decided(from, decision);
    let mut response = Response::new(201, "{}");
    audit.answered(&mut cx, from, &mut response);
    assert_eq!(response.headers.get("Audit-Id"), Some("x"));
    let lines: Vec<&str> = cx
        .effects
        .iter()
        .filter_map(|effect| match &effect.action {
            Action::Audit(line) => Some(line.as_str()),
            _ => None,
        })
        .collect();
    let begin = r#"{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Request","auditID":"x","stage":"#;
    let what = r#","requestURI":"/api/v1/namespaces/a/pods?dryRun=All","verb":"create","user":{"username":"jane","groups":["system:authenticated"]},"sourceIPs":["172.30.1.2"],"userAgent":"kubectl/v1.36.2","objectRef":{"resource":"pods","namespace":"a","#;
    let times = r#""requestReceivedTimestamp":"2026-01-05T09:00:00.000000Z","stageTimestamp":"2026-01-05T09:00:00.000000Z""#;
    let received = format!("{begin}\"RequestReceived\"{what}\"apiVersion\":\"v1\"}},{times}}}");
    let complete = format!(
        "{begin}\"ResponseComplete\"{what}{}{times}{}",
        r#""name":"p","apiVersion":"v1"},"responseStatus":{"metadata":{},"code":201},"requestObject":{"kind":"Pod","metadata":{"name":"p"}},"#,
        r#","annotations":{"authorization.k8s.io/decision":"allow","authorization.k8s.io/reason":"because"}}"#
    );
    assert_eq!(lines, [received, complete]);
}
