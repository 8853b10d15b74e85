use api::{Value, object};

use super::{Batch, Proxier, Settings};

const CIDR: &str = "10.244.0.0/16";

fn proxier() -> Proxier {
    Proxier::new(Settings::new(
        "node01",
        [172, 30, 2, 2].into(),
        CIDR.parse().ok(),
    ))
}

fn service(name: &str, spec: Value) -> Value {
    let mut service = object! {
        "kind": "Service",
        "metadata": { "namespace": "demo", "name": (name) },
        "spec": {
            "type": "ClusterIP",
            "clusterIP": "10.96.100.1",
            "ports": [{ "port": 80, "protocol": "TCP" }]
        }
    };
    for (key, value) in spec.entries().iter() {
        match &**key {
            "status" => service.set("status", value.clone()),
            key => service.set_path(&["spec", key], value.clone()),
        }
    }
    service
}

/// A slice of `service` with an endpoint for each `ip node`.
fn slice(service: &str, endpoints: &[&str]) -> Value {
    let endpoints = endpoints.iter().map(|endpoint| {
        let mut words = endpoint.split(' ');
        let mut word = || words.next().unwrap_or("");
        let mut value = object! { "addresses": [(word())], "nodeName": (word()) };
        match word() {
            "" => {}
            "leaving" => value.set(
                "conditions",
                object! { "ready": false, "serving": true, "terminating": true },
            ),
            zone => value.set("hints", object! { "forZones": [{ "name": (zone) }] }),
        }
        value
    });
    object! {
        "kind": "EndpointSlice",
        "addressType": "IPv4",
        "metadata": {
            "namespace": "demo",
            "name": (format!("{service}-1")),
            "labels": { "kubernetes.io/service-name": (service) }
        },
        "endpoints": (Value::list_of(endpoints.collect())),
        "ports": [{ "name": "", "port": 8080, "protocol": "TCP" }]
    }
}

fn chains(batch: &Batch) -> Vec<&str> {
    let chains = batch.filter.iter().chain(&batch.nat);
    chains.map(|chain| &*chain.name).collect()
}

/// The rules a service with some endpoints adds, without those that stand for every Service.
#[track_caller]
fn check(spec: Value, endpoints: &[&str], expected: &[&str]) {
    let mut proxier = proxier();
    let mut all: Vec<String> = Vec::new();
    let empty = lines(&proxier.sync());
    proxier.set_zone("a");
    proxier.set_service(&service("web", spec));
    proxier.set_slice(&slice("web", endpoints));
    all.extend(lines(&proxier.sync()));
    all.retain(|line| !empty.contains(line));
    assert_eq!(all, expected);
}

fn lines(batch: &Batch) -> Vec<String> {
    let chains = batch.filter.iter().chain(&batch.nat);
    let rules = chains.flat_map(|chain| chain.rules.iter());
    rules.map(|rule| rule.to_string()).collect()
}

#[test]
fn a_load_balancer_lets_in_whom_it_is_told_to() {
    let spec = object! {
        "type": "LoadBalancer",
        "loadBalancerSourceRanges": ["203.0.113.7/24", " 172.30.0.0/16"],
        "status": { "loadBalancer": { "ingress": [{ "ip": "192.0.2.1" }] } }
    };
    check(
        spec,
        &["10.244.2.10 node02"],
        &[
            r#"-A KUBE-PROXY-FIREWALL -d 192.0.2.1/32 -p tcp -m comment --comment "demo/web traffic not accepted by KUBE-FW-YTGZ2JEENUBCE3T3" -m tcp --dport 80 -j DROP"#,
            r#"-A KUBE-EXT-YTGZ2JEENUBCE3T3 -m comment --comment "masquerade traffic for demo/web external destinations" -j KUBE-MARK-MASQ"#,
            r#"-A KUBE-EXT-YTGZ2JEENUBCE3T3 -j KUBE-SVC-YTGZ2JEENUBCE3T3"#,
            r#"-A KUBE-FW-YTGZ2JEENUBCE3T3 -s 203.0.113.0/24 -m comment --comment "demo/web loadbalancer IP" -j KUBE-EXT-YTGZ2JEENUBCE3T3"#,
            r#"-A KUBE-FW-YTGZ2JEENUBCE3T3 -s 172.30.0.0/16 -m comment --comment "demo/web loadbalancer IP" -j KUBE-EXT-YTGZ2JEENUBCE3T3"#,
            r#"-A KUBE-FW-YTGZ2JEENUBCE3T3 -s 192.0.2.1/32 -m comment --comment "demo/web loadbalancer IP" -j KUBE-EXT-YTGZ2JEENUBCE3T3"#,
            r#"-A KUBE-FW-YTGZ2JEENUBCE3T3 -m comment --comment "other traffic to demo/web will be dropped by KUBE-PROXY-FIREWALL""#,
            r#"-A KUBE-SVC-YTGZ2JEENUBCE3T3 ! -s 10.244.0.0/16 -d 10.96.100.1/32 -p tcp -m comment --comment "demo/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ"#,
            r#"-A KUBE-SVC-YTGZ2JEENUBCE3T3 -m comment --comment "demo/web -> 10.244.2.10:8080" -j KUBE-SEP-ICF4YZ6CCGQNIQBH"#,
            r#"-A KUBE-SEP-ICF4YZ6CCGQNIQBH -s 10.244.2.10/32 -m comment --comment "demo/web" -j KUBE-MARK-MASQ"#,
            r#"-A KUBE-SEP-ICF4YZ6CCGQNIQBH -p tcp -m comment --comment "demo/web" -m tcp -j DNAT --to-destination 10.244.2.10:8080"#,
            r#"-A KUBE-SERVICES -d 10.96.100.1/32 -p tcp -m comment --comment "demo/web cluster IP" -m tcp --dport 80 -j KUBE-SVC-YTGZ2JEENUBCE3T3"#,
            r#"-A KUBE-SERVICES -d 192.0.2.1/32 -p tcp -m comment --comment "demo/web loadbalancer IP" -m tcp --dport 80 -j KUBE-FW-YTGZ2JEENUBCE3T3"#,
        ],
    );
}

#[test]
fn internal_traffic_that_must_stay_here_is_dropped_where_nobody_serves() {
    check(
        object! { "internalTrafficPolicy": "Local" },
        &["10.244.2.10 node02"],
        &[
            r#"-A KUBE-SERVICES -d 10.96.100.1/32 -p tcp -m comment --comment "demo/web has no local endpoints" -m tcp --dport 80 -j DROP"#,
        ],
    );
}

/// The endpoints a service is spread over.
#[track_caller]
fn check_used(endpoints: &[&str], expected: &[&str]) {
    let mut proxier = proxier();
    proxier.set_zone("a");
    proxier.set_service(&service("web", Value::Null));
    proxier.set_slice(&slice("web", endpoints));
    let all = lines(&proxier.sync());
    let used: Vec<&str> = all
        .iter()
        .filter_map(|line| Some(line.split_once(" --to-destination ")?.1))
        .collect();
    assert_eq!(used, expected);
}

#[test]
fn hints_count_where_all_endpoints_have_them() {
    check_used(
        &["10.0.0.1 node01 a", "10.0.0.2 node02 b"],
        &["10.0.0.1:8080"],
    );
    check_used(
        &["10.0.0.1 node01 a", "10.0.0.2 node02"],
        &["10.0.0.1:8080", "10.0.0.2:8080"],
    );
    check_used(
        &["10.0.0.1 node01 b", "10.0.0.2 node02 b"],
        &["10.0.0.1:8080", "10.0.0.2:8080"],
    );
}

#[test]
fn endpoints_on_their_way_out_serve_when_nobody_else_does() {
    check_used(
        &["10.0.0.1 node01 leaving", "10.0.0.2 node02"],
        &["10.0.0.2:8080"],
    );
    check_used(&["10.0.0.1 node01 leaving"], &["10.0.0.1:8080"]);
}

#[test]
fn a_sync_writes_what_changed() {
    let mut proxier = proxier();
    for (name, ip) in [("web", "10.96.100.1"), ("api", "10.96.100.2")] {
        proxier.set_service(&service(name, object! { "clusterIP": (ip) }));
        proxier.set_slice(&slice(name, &["10.244.1.10 node01"]));
    }
    let first = proxier.sync();
    assert!(first.full);
    assert_eq!(first.nat.len(), 2 + 2 + 4, "{:?}", chains(&first));

    assert!(!proxier.set_slice(&slice("web", &["10.244.1.10 node01"])));
    assert!(proxier.sync().is_empty());

    // One more endpoint: the chain that chooses, and its own. The common chains stay.
    assert!(proxier.set_slice(&slice("web", &["10.244.1.10 node01", "10.244.2.10 node02"])));
    let more = proxier.sync();
    assert_eq!(
        chains(&more),
        ["KUBE-SVC-YTGZ2JEENUBCE3T3", "KUBE-SEP-ICF4YZ6CCGQNIQBH"]
    );
    assert_eq!((more.full, more.stale.len()), (false, 0));

    // None left: refused instead, and the chains go.
    assert!(proxier.remove_slice(&slice("web", &[])));
    let none = proxier.sync();
    assert_eq!(chains(&none), ["KUBE-SERVICES", "KUBE-SERVICES"]);
    assert_eq!(none.stale.len(), 3);
    assert!(!proxier.has_chain("KUBE-SVC-YTGZ2JEENUBCE3T3"));

    assert!(proxier.remove_service("demo", "web"));
    assert!(!proxier.remove_service("demo", "web"));
    assert_eq!(chains(&proxier.sync()), ["KUBE-SERVICES"]);
}

#[test]
fn a_resync_writes_everything_again() {
    let mut proxier = proxier();
    proxier.set_service(&service("web", Value::Null));
    proxier.set_slice(&slice("web", &["10.244.1.10 node01"]));
    let first = proxier.sync();
    assert!(proxier.sync().is_empty());
    proxier.resync();
    let again = proxier.sync();
    let sorted = |batch: &Batch| {
        let mut lines = lines(batch);
        lines.sort();
        lines
    };
    assert_eq!(sorted(&first), sorted(&again));
}

#[test]
fn comments_are_left_out_where_there_are_very_many_endpoints() {
    let mut proxier = proxier();
    let all: Vec<String> = (0..1001)
        .map(|n| format!("10.244.{}.{} node02", n / 250, n % 250))
        .collect();
    let all: Vec<&str> = all.iter().map(String::as_str).collect();
    proxier.set_service(&service("web", Value::Null));
    proxier.set_slice(&slice("web", &all[..1000]));
    let commented = |batch: &Batch| {
        let lines = lines(batch);
        let to = lines
            .iter()
            .filter(|line| line.contains("--to-destination"));
        to.filter(|line| line.contains("--comment")).count()
    };
    assert_eq!(commented(&proxier.sync()), 1000);
    proxier.set_slice(&slice("web", &all));
    assert_eq!(commented(&proxier.sync()), 0);
}

#[test]
fn health_follows_the_endpoints_of_this_machine() {
    let mut proxier = proxier();
    let spec = object! {
        "type": "LoadBalancer",
        "externalTrafficPolicy": "Local",
        "healthCheckNodePort": 31000
    };
    proxier.set_service(&service("web", spec));
    proxier.set_slice(&slice("web", &["10.244.1.10 node01", "10.244.2.10 node02"]));
    proxier.sync();
    let told = |proxier: &Proxier| -> Vec<(u16, usize, u16)> {
        let health = proxier.health();
        health
            .map(|health| {
                (
                    health.port,
                    health.local_endpoints,
                    health.response().status,
                )
            })
            .collect()
    };
    assert_eq!(told(&proxier), [(31000, 1, 200)]);
    proxier.set_slice(&slice("web", &["10.244.2.10 node02"]));
    proxier.sync();
    assert_eq!(told(&proxier), [(31000, 0, 503)]);
    proxier.remove_service("demo", "web");
    proxier.sync();
    assert_eq!(told(&proxier), []);
}
