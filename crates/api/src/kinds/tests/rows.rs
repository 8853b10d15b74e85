//! Rows of tables, as a real cluster prints them.

use std::time::Duration;

use super::super::*;
use super::created_from;
use crate::object;

/// The row of an object created 12 s ago.
#[track_caller]
fn check_row(object: &str, change: impl FnOnce(&mut Value), expect: &str) {
    let (kind, mut object) = created_from(object);
    object.set("metadata.creationTimestamp", "2026-01-05T09:00:00Z");
    change(&mut object);
    let now = Instant::ZERO + Duration::from_secs(12);
    let cells = (kind.row)(&object, now);
    let texts: Vec<String> = cells
        .iter()
        .map(|cell| match cell {
            Value::Str(text) => text.to_string(),
            other => other.to_string(),
        })
        .collect();
    assert_eq!(texts.join(" | "), expect);
}

#[test]
fn rows_read_as_the_real_ones() {
    check_row(
        deployment::KIND.sample,
        |d| {
            d.set(
                "status",
                object! { "readyReplicas": 2, "updatedReplicas": 3, "availableReplicas": 2 },
            );
        },
        "web | 2/3 | 3 | 2 | 12s | nginx | nginx:1.27 | app=web",
    );
    check_row(
        replicaset::KIND.sample,
        |r| r.set("status", object! { "replicas": 2, "readyReplicas": 1 }),
        "lone | 2 | 2 | 1 | 12s | c | nginx | app=lone",
    );
    check_row(
        poddisruptionbudget::KIND.sample,
        |budget| budget.set("status.disruptionsAllowed", 1),
        "web | 2 | N/A | 1 | 12s",
    );
    check_row(
        resourcequota::KIND.sample,
        |quota| {
            quota.set("status.hard", quota.at("spec.hard").clone());
            quota.set(
                "status.used",
                object! { "pods": "3", "requests.cpu": "1500m" },
            );
        },
        "budget | pods: 3/10, requests.cpu: 1500m/4 | limits.memory: 0/8Gi | 12s",
    );
    check_row(
        limitrange::KIND.sample,
        |_| {},
        "sizes | 2026-01-05T09:00:00Z",
    );
    check_row(namespace::KIND.sample, |_| {}, "team-a | Active | 12s");
    check_row(configmap::KIND.sample, |_| {}, "settings | 1 | 12s");
    check_row(secret::KIND.sample, |_| {}, "login | Opaque | 1 | 12s");
    check_row(serviceaccount::KIND.sample, |_| {}, "robot | 12s");
    check_row(lease::KIND.sample, |_| {}, "leader | me | 12s");
    check_row(
        endpoints::KIND.sample,
        |_| {},
        "outside | 10.9.9.9:80 | 12s",
    );
    check_row(
        endpointslice::KIND.sample,
        |_| {},
        "web-abc12 | IPv4 | 80 | 10.244.1.3 | 12s",
    );
    let slice = "{apiVersion: discovery.k8s.io/v1, kind: EndpointSlice, metadata: {name: s}, addressType: IPv4}";
    check_row(slice, |_| {}, "s | IPv4 | <unset> | <unset> | 12s");
    let many = "{apiVersion: v1, kind: Endpoints, metadata: {name: web-np}, subsets: [{addresses: \
                [{ip: 10.244.1.3}, {ip: 10.244.2.3}], ports: [{name: a, port: 80}, {name: b, port: 81}]}]}";
    check_row(
        many,
        |_| {},
        "web-np | 10.244.1.3:80,10.244.2.3:80,10.244.1.3:81 + 1 more... | 12s",
    );
    check_row(
        event::KIND.sample,
        |_| {},
        "12s | Normal | Scheduled | pod/web |  | default-scheduler | Successfully assigned \
         default/web to node01 | 12s | 1 | web.17a",
    );
    check_row(
        event_v1::KIND.sample,
        |_| {},
        "12s | Warning | FailedScheduling | pod/web |  | default-scheduler, \
         default-scheduler-controlplane | 0/3 nodes are available | 12s | 1 | web.17b",
    );
}

#[test]
fn rows_of_services() {
    let check = |spec: &str, status: Value, expect: &str| {
        let object =
            format!("{{apiVersion: v1, kind: Service, metadata: {{name: s}}, spec: {spec}}}");
        check_row(&object, |s| s.set("status", status), expect);
    };
    let none = || object! {};
    check(
        "{clusterIP: 10.106.37.97, selector: {app: web}, ports: [{port: 80}]}",
        none(),
        "s | ClusterIP | 10.106.37.97 | <none> | 80/TCP | 12s | app=web",
    );
    check(
        "{type: NodePort, clusterIP: 10.98.22.156, ports: [{port: 80, nodePort: 30080}, {port: 8080, nodePort: 31309, protocol: UDP}]}",
        none(),
        "s | NodePort | 10.98.22.156 | <none> | 80:30080/TCP,8080:31309/UDP | 12s | <none>",
    );
    let balanced =
        "{type: LoadBalancer, clusterIP: 10.108.45.202, ports: [{port: 80, nodePort: 32118}]}";
    check(
        balanced,
        none(),
        "s | LoadBalancer | 10.108.45.202 | <pending> | 80:32118/TCP | 12s | <none>",
    );
    let ingress = object! { "loadBalancer": { "ingress": [{ "ip": "1.2.3.4" }] } };
    check(
        balanced,
        ingress,
        "s | LoadBalancer | 10.108.45.202 | 1.2.3.4 | 80:32118/TCP | 12s | <none>",
    );
    check(
        "{clusterIP: None, ports: [{port: 80}]}",
        none(),
        "s | ClusterIP | None | <none> | 80/TCP | 12s | <none>",
    );
    check(
        "{type: ExternalName, externalName: example.com}",
        none(),
        "s | ExternalName | <none> | example.com | <none> | 12s | <none>",
    );
}

#[test]
fn rows_of_nodes() {
    let real = |n: &mut Value| {
        n.set(
            "status",
            object! {
                "conditions": [{ "type": "Ready", "status": "True" }],
                "addresses": [{ "type": "InternalIP", "address": "172.30.1.2" }],
                "nodeInfo": {
                    "kubeletVersion": "v1.36.2", "osImage": "Ubuntu 24.04.4 LTS",
                    "kernelVersion": "6.8.0-111-generic", "architecture": "amd64",
                    "containerRuntimeVersion": "containerd://2.2.1",
                },
            },
        );
        n.set_label("node-role.kubernetes.io/control-plane", "");
    };
    let node = "{apiVersion: v1, kind: Node, metadata: {name: one}}";
    let rest =
        "172.30.1.2 | <none> | Ubuntu 24.04.4 LTS | 6.8.0-111-generic (amd64) | containerd://2.2.1";
    check_row(
        node,
        real,
        &format!("one | Ready | control-plane | 12s | v1.36.2 | {rest}"),
    );
    let cordoned =
        "{apiVersion: v1, kind: Node, metadata: {name: one}, spec: {unschedulable: true}}";
    let text = "one | Unknown,SchedulingDisabled | <none> | 12s |  | <none> | <none> | <unknown> | \
                <unknown> | <unknown>";
    check_row(cordoned, |_| {}, text);
}
