//! What objects are charged for.

use super::*;
use crate::kinds;
use crate::yaml;

fn parse(text: &str) -> Value {
    let documents = yaml::parse_all(text).expect("YAML");
    documents.first().expect("a document").value.clone()
}

#[track_caller]
fn check(object: &str, expect: &str) {
    let object = parse(object);
    let kind = kinds::by_kind(object.api_version(), object.kind()).expect("a known kind");
    let used = usage(kind, &object, Instant::ZERO);
    let used: Vec<String> = used
        .iter()
        .map(|(name, amount)| format!("{name}={amount}"))
        .collect();
    assert_eq!(used.join(" "), expect);
}

#[test]
fn what_is_used() {
    check(
        "{apiVersion: v1, kind: Pod, spec: {containers: [
           {name: a, resources: {requests: {cpu: 100m, example.com/gpu: 1}, limits: {memory: 1Gi}}},
           {name: b, resources: {requests: {cpu: 1}}}]}}",
        "count/pods=1 cpu=1100m limits.memory=1Gi pods=1 requests.cpu=1100m \
         requests.example.com/gpu=1",
    );
    check(
        "{apiVersion: v1, kind: Pod, status: {phase: Failed}, spec: {containers: [
           {name: a, resources: {requests: {cpu: 1}}}]}}",
        "count/pods=1",
    );
    check(
        "{apiVersion: v1, kind: Service, spec: {type: NodePort, ports: [{port: 1}, {port: 2}]}}",
        "count/services=1 services=1 services.loadbalancers=0 services.nodeports=2",
    );
    check(
        "{apiVersion: v1, kind: ConfigMap}",
        "configmaps=1 count/configmaps=1",
    );
    check(
        "{apiVersion: apps/v1, kind: Deployment}",
        "count/deployments.apps=1",
    );
}

#[track_caller]
fn check_scope(quota: &str, pod: &str, expect: bool) {
    let (mut quota, pod) = (parse(quota), parse(pod));
    quota.set("status.hard", quota.at("spec.hard").clone());
    let hard = quota.map_at("status.hard");
    assert_eq!(applies(&kinds::pod::KIND, &quota, hard, &pod), expect);
}

#[test]
fn scopes_narrow_a_quota() {
    let plain = "{spec: {containers: [{name: a}]}}";
    let asking = "{spec: {priorityClassName: high, containers: [{name: a, resources: {requests: {cpu: 1}}}]}}";
    check_scope("{spec: {hard: {pods: 1}}}", plain, true);
    check_scope("{spec: {hard: {services: 1}}}", plain, false);
    check_scope(
        "{spec: {hard: {pods: 1}, scopes: [BestEffort]}}",
        plain,
        true,
    );
    check_scope(
        "{spec: {hard: {pods: 1}, scopes: [BestEffort]}}",
        asking,
        false,
    );
    check_scope(
        "{spec: {hard: {pods: 1}, scopes: [NotBestEffort, NotTerminating]}}",
        asking,
        true,
    );
    check_scope(
        "{spec: {hard: {pods: 1}, scopes: [Terminating]}}",
        asking,
        false,
    );
    let high = "{spec: {hard: {pods: 1}, scopeSelector: {matchExpressions: [
        {scopeName: PriorityClass, operator: In, values: [high]}]}}}";
    check_scope(high, asking, true);
    check_scope(high, plain, false);
}

#[test]
fn what_must_be_said() {
    let pod = parse(
        "{spec: {containers: [{name: b}, {name: a}, {name: c, resources: {requests: {cpu: 1}}}]}}",
    );
    let hard = parse("{pods: 1, requests.cpu: 1, limits.memory: 1Gi, limits.ephemeral-storage: 1}");
    assert_eq!(
        constraints(&kinds::pod::KIND, hard.entries(), &pod),
        Err("must specify limits.memory for: a,b,c; requests.cpu for: a,b".to_owned())
    );
    let hard = parse("{pods: 1}");
    assert_eq!(constraints(&kinds::pod::KIND, hard.entries(), &pod), Ok(()));
}
