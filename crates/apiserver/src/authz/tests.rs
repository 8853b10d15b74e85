use super::*;
use crate::request::Query;
use api::Measured;
use net::http::Request;

fn user(name: &str, groups: &[&str]) -> User {
    User {
        name: name.into(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
        uid: "".into(),
        extra: Vec::new(),
    }
}

/// An authorizer of a fresh cluster.
fn fresh() -> Authorizer {
    let mut authorizer = Authorizer::new(&["Node".into(), "RBAC".into()]);
    let mut resources = Resources::new();
    for object in policy::objects() {
        let kind = api::kinds::by_kind(object.api_version(), object.kind()).expect("a kind");
        let key = match object.namespace() {
            "" => object.name().to_owned(),
            namespace => format!("{namespace}/{}", object.name()),
        };
        let key = format!("{}{}/{key}", crate::backend::PREFIX, kind.storage);
        resources.fill_one(&key, &Measured::new(object), 1);
    }
    authorizer.fill(&resources);
    authorizer
}

#[track_caller]
fn check(who: &User, target: &str, expected: Result<(), &str>) {
    let info = RequestInfo::of(&Request::get(target), &Query::default());
    let said = fresh().allow(who, &info).map_err(|status| status.message);
    assert_eq!(said, expected.map_err(str::to_owned));
}

#[test]
fn a_fresh_cluster_knows_its_own_parts() {
    let stranger = user("system:anonymous", &["system:unauthenticated"]);
    let alice = user("alice", &["system:authenticated"]);
    let master = user("root", &[MASTERS]);
    let node = user("system:node:node01", &[NODES, "system:authenticated"]);
    let manager = user("system:kube-controller-manager", &["system:authenticated"]);
    check(&stranger, "/livez", Ok(()));
    check(&stranger, "/version", Ok(()));
    check(
        &stranger,
        "/apis",
        Err("forbidden: User \"system:anonymous\" cannot get path \"/apis\""),
    );
    check(&alice, "/apis", Ok(()));
    check(
        &alice,
        "/api/v1/namespaces/kube-system/pods/x/log",
        Err(
            "pods \"x\" is forbidden: User \"alice\" cannot get resource \"pods/log\" in API group \
             \"\" in the namespace \"kube-system\"",
        ),
    );
    check(&master, "/api/v1/secrets", Ok(()));
    check(&node, "/api/v1/pods", Ok(()));
    check(&manager, "/apis/apps/v1/deployments", Ok(()));
}

#[test]
fn kubelets_read_what_their_pods_refer_to() {
    let node = user("system:node:node01", &[NODES, "system:authenticated"]);
    let mut authorizer = fresh();
    let mut resources = Resources::new();
    let text = r#"{"metadata": {"namespace": "shop", "name": "web"}, "spec": {
        "nodeName": "node01", "serviceAccountName": "till",
        "containers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "key"}}}]}],
        "volumes": [{"configMap": {"name": "site"}},
                    {"persistentVolumeClaim": {"claimName": "data"}}]}}"#;
    let volume = r#"{"metadata": {"name": "pv"},
        "spec": {"claimRef": {"namespace": "shop", "name": "data"}}}"#;
    for (key, text) in [("pods/shop/web", text), ("persistentvolumes/pv", volume)] {
        let object = api::Value::from_json(text.as_bytes()).expect("JSON");
        let key = format!("{}{key}", crate::backend::PREFIX);
        resources.fill_one(&key, &Measured::new(object), 1);
    }
    authorizer.graph = super::node::Graph::of(&resources);
    let mut check = |method: net::http::Method, target: &str, allowed: bool| {
        let request = Request::new(method, target);
        let info = RequestInfo::of(&request, &Query::of(&request));
        let said = authorizer
            .allow(&node, &info)
            .map_err(|status| status.message);
        match &said {
            Ok(()) => assert!(allowed, "{target}"),
            Err(why) => assert!(!allowed && why.contains("node 'node01'"), "{target}: {why}"),
        }
    };
    use net::http::Method::{Get, Post};
    let shop = "/api/v1/namespaces/shop";
    for (path, allowed) in [
        ("secrets/key", true),
        ("secrets?watch=1&fieldSelector=metadata.name%3Dkey", true),
        ("secrets/other", false),
        ("configmaps/site", true),
        ("configmaps/key", false),
        ("persistentvolumeclaims/data", true),
        ("pods/web", true),
        ("pods/other", false),
    ] {
        check(Get, &format!("{shop}/{path}"), allowed);
    }
    check(Get, "/api/v1/persistentvolumes/pv", true);
    check(Get, "/api/v1/nodes/node01", true);
    check(Get, "/api/v1/nodes/node02", false);
    check(Get, "/api/v1/nodes", false);
    check(Get, "/api/v1/namespaces/other/secrets/key", false);
    check(Post, &format!("{shop}/serviceaccounts/till/token"), true);
    check(Post, &format!("{shop}/serviceaccounts/other/token"), false);
}

#[test]
fn rules_cover_rules() {
    let rule = |verbs: &[&str], resources: &[&str]| {
        let list = |of: &[&str]| of.iter().map(|text| (*text).into()).collect();
        Rule {
            verbs: list(verbs),
            groups: list(&[""]),
            resources: list(resources),
            ..Rule::default()
        }
    };
    let held = [rule(&["get", "list"], &["pods"])];
    let wanted = [rule(&["get", "watch", "list"], &["pods", "pods/log"])];
    let lacking: Vec<String> = rule::missing(&held, &wanted)
        .iter()
        .map(Rule::compact_string)
        .collect();
    assert_eq!(
        lacking,
        [
            "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"watch\"]}",
            "{APIGroups:[\"\"], Resources:[\"pods/log\"], Verbs:[\"get\" \"watch\" \"list\"]}",
        ]
    );
}
