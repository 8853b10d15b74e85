//! Addresses and node ports of Services.

mod bench;

use api::{Value, object};
use bench::{Bench, parse};
use net::http::Method;

const SERVICES: &str = "/api/v1/namespaces/default/services";

fn service(name: &str, spec: &str) -> Value {
    parse(&format!(
        "{{apiVersion: v1, kind: Service, metadata: {{name: {name}}}, spec: {{{spec}}}}}"
    ))
}

#[track_caller]
fn make(bench: &mut Bench, name: &str, spec: &str) -> Value {
    let (code, made) = bench.call(Method::Post, SERVICES, service(name, spec));
    assert_eq!(code, 201, "{made}");
    made
}

#[track_caller]
fn check_refused(bench: &mut Bench, spec: &str, message: &str) {
    let (code, status) = bench.call(Method::Post, SERVICES, service("refused", spec));
    let expected = format!("Service \"refused\" is invalid: {message}");
    assert_eq!((code, status.str("message")), (422, expected.as_str()));
}

#[test]
fn every_service_gets_an_address_of_its_own() {
    let mut bench = Bench::new();
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..50 {
        let made = make(&mut bench, &format!("s{n}"), "ports: [{port: 80}]");
        let ip = made.str_at("spec.clusterIP").to_owned();
        assert_eq!(made.str_at("spec.clusterIPs.0"), ip);
        assert!(ip.starts_with("10.") && seen.insert(ip));
    }
    let fixed = make(
        &mut bench,
        "fixed",
        "clusterIP: 10.96.0.10, ports: [{port: 53}]",
    );
    assert_eq!(fixed.str_at("spec.clusterIPs.0"), "10.96.0.10");
    check_refused(
        &mut bench,
        "clusterIP: 10.96.0.10, ports: [{port: 53}]",
        "spec.clusterIPs: Invalid value: [\"10.96.0.10\"]: failed to allocate IP 10.96.0.10: \
         provided IP is already allocated",
    );
    check_refused(
        &mut bench,
        "clusterIP: 10.1.2.3, ports: [{port: 53}]",
        "spec.clusterIPs: Invalid value: [\"10.1.2.3\"]: failed to allocate IP 10.1.2.3: the \
         provided network does not match the current range",
    );
    let headless = make(
        &mut bench,
        "headless",
        "clusterIP: None, ports: [{port: 80}]",
    );
    assert_eq!(headless.str_at("spec.clusterIPs.0"), "None");
    let name = make(
        &mut bench,
        "name",
        "type: ExternalName, externalName: example.org",
    );
    assert!(!name.has("spec.clusterIP"));
}

#[test]
fn an_address_is_free_again_when_its_service_is_gone() {
    let mut bench = Bench::new();
    let spec = "clusterIP: 10.96.0.10, ports: [{port: 53}]";
    make(&mut bench, "a", spec);
    bench.call(Method::Delete, &format!("{SERVICES}/a"), Value::Null);
    make(&mut bench, "b", spec);
}

#[test]
fn node_ports_come_and_go_with_the_type() {
    let mut bench = Bench::new();
    let made = make(
        &mut bench,
        "a",
        "type: NodePort, ports: [{port: 80, name: a}, {port: 81, name: b}]",
    );
    let ports: Vec<i64> = (0..2)
        .map(|i| {
            made.i64_at(&format!("spec.ports.{i}.nodePort"))
                .expect("a node port")
        })
        .collect();
    assert!(ports.iter().all(|port| (30000..=32767).contains(port)) && ports[0] != ports[1]);
    let taken = ports[0];
    check_refused(
        &mut bench,
        &format!("type: NodePort, ports: [{{port: 80, nodePort: {taken}}}]"),
        &format!(
            "spec.ports[0].nodePort: Invalid value: {taken}: provided port is already allocated"
        ),
    );
    check_refused(
        &mut bench,
        "type: NodePort, ports: [{port: 80, nodePort: 80}]",
        "spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The \
         range of valid ports is 30000-32767",
    );
    let patch = object! { "spec": { "type": "ClusterIP" } };
    let (code, plain) = bench.patch(&format!("{SERVICES}/a"), "merge-patch", patch);
    assert_eq!(code, 200, "{plain}");
    assert!(!plain.has("spec.ports.0.nodePort"));
    make(
        &mut bench,
        "b",
        &format!("type: NodePort, ports: [{{port: 80, nodePort: {taken}}}]"),
    );
}

#[test]
fn what_is_allocated_is_known_after_a_restart() {
    let mut bench = Bench::new();
    let made = make(&mut bench, "a", "type: NodePort, ports: [{port: 80}]");
    let port = made.i64_at("spec.ports.0.nodePort").expect("a node port");
    let disk = bench.disk.clone();
    let mut again = Bench::unstarted(bench.api.config().clone());
    again.start_etcd(&disk);
    again.run_until(|bench| bench.api.is_ready());
    assert_eq!(again.get(&format!("{SERVICES}/a")), made);
    check_refused(
        &mut again,
        &format!("type: NodePort, ports: [{{port: 80, nodePort: {port}}}]"),
        &format!(
            "spec.ports[0].nodePort: Invalid value: {port}: provided port is already allocated"
        ),
    );
}
