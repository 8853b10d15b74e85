use api::{Value, object};

use super::*;

fn config() -> Kubernetes {
    Kubernetes {
        zones: ["cluster.local", "in-addr.arpa"].map(Into::into).into(),
        pods: Pods::Insecure,
        ttl: 30,
        fallthrough: vec!["in-addr.arpa".into()],
        ..Kubernetes::default()
    }
}

fn cache(objects: impl IntoIterator<Item = Value>, indexes: &[Index]) -> Cache {
    let mut cache = Cache::new(indexes);
    objects.into_iter().for_each(|object| {
        cache.insert(object);
    });
    cache
}

fn service(name: &str, ip: &str) -> Value {
    object! {
        "metadata": { "namespace": "shop", "name": (name) },
        "spec": { "clusterIP": (ip), "ports": [
            { "name": "http", "port": 80, "protocol": "TCP" },
            { "name": "metrics", "port": 9090 },
        ] },
    }
}

/// `db` is headless; of its three pods one has a host name and one is not ready.
fn slice() -> Value {
    object! {
        "metadata": {
            "namespace": "shop", "name": "db-x", "labels": { "kubernetes.io/service-name": "db" },
        },
        "ports": [{ "name": "sql", "port": 5432, "protocol": "TCP" }],
        "endpoints": [
            { "addresses": ["10.244.1.5"], "hostname": "db-0" },
            { "addresses": ["10.244.2.5"], "conditions": { "ready": true } },
            { "addresses": ["10.244.2.6"], "conditions": { "ready": false } },
        ],
    }
}

#[track_caller]
fn check(name: &str, qtype: RecordType, expect: &str) {
    let external = object! {
        "metadata": { "namespace": "shop", "name": "out" },
        "spec": { "type": "ExternalName", "externalName": "example.org" },
    };
    let services = [
        service("web", "10.96.0.20"),
        service("db", "None"),
        service("void", "None"),
        external,
    ];
    let namespace = object! { "metadata": { "name": "shop" } };
    let services = cache(services, &[]);
    let slices = cache([slice()], &[Index::Label(SERVICE_NAME)]);
    let (namespaces, pods) = (cache([namespace], &[]), Cache::default());
    let known = Known {
        services: &services,
        slices: &slices,
        namespaces: &namespaces,
        pods: &pods,
        serial: 1,
        synced: true,
    };
    let name: Name = name.parse().expect("a name");
    let text = match answer(&config(), known, &name, qtype) {
        Found::Next => "next".to_owned(),
        Found::Elsewhere(_, target) => format!("-> {target}"),
        Found::Answer {
            rcode,
            answers,
            authority,
            ..
        } => {
            let data: Vec<String> = answers.iter().map(|one| one.data.to_string()).collect();
            let soa = if authority.is_empty() { "" } else { " SOA" };
            format!("{rcode}{soa} {}", data.join(", "))
        }
    };
    assert_eq!(text.trim_end(), expect);
}

#[test]
fn services_have_names() {
    let a = RecordType::A;
    check("web.shop.svc.cluster.local", a, "NOERROR 10.96.0.20");
    check("WEB.shop.svc.cluster.local", a, "NOERROR 10.96.0.20");
    check(
        "web.shop.svc.cluster.local",
        RecordType::AAAA,
        "NOERROR SOA",
    );
    check("web.svc.cluster.local", a, "NXDOMAIN SOA");
    check("web.default.svc.cluster.local", a, "NXDOMAIN SOA");
    check("nobody.shop.svc.cluster.local", a, "NXDOMAIN SOA");
    check("shop.svc.cluster.local", a, "NOERROR SOA");
    check("svc.cluster.local", a, "NOERROR SOA");
    check("web.cluster.local", a, "NXDOMAIN SOA");
    check("a.b.c.web.shop.svc.cluster.local", a, "NXDOMAIN SOA");
    check("web.shop.example.org", a, "next");
    check("out.shop.svc.cluster.local", a, "-> example.org.");
}

#[test]
fn headless_services_have_those_of_their_endpoints() {
    let a = RecordType::A;
    let both = "NOERROR 10.244.1.5, 10.244.2.5";
    check("db.shop.svc.cluster.local", a, both);
    check("db-0.db.shop.svc.cluster.local", a, "NOERROR 10.244.1.5");
    check(
        "10-244-2-5.db.shop.svc.cluster.local",
        a,
        "NOERROR 10.244.2.5",
    );
    check("10-244-2-6.db.shop.svc.cluster.local", a, "NXDOMAIN SOA");
    check("void.shop.svc.cluster.local", a, "NXDOMAIN SOA");
}

#[test]
fn ports_have_names() {
    let srv = RecordType::SRV;
    let web = "NOERROR 0 100 80 web.shop.svc.cluster.local.";
    check("_http._tcp.web.shop.svc.cluster.local", srv, web);
    check("_http._udp.web.shop.svc.cluster.local", srv, "NXDOMAIN SOA");
    check("_ftp._tcp.web.shop.svc.cluster.local", srv, "NXDOMAIN SOA");
    check(
        "_sql._tcp.db.shop.svc.cluster.local",
        srv,
        "NOERROR 0 50 5432 db-0.db.shop.svc.cluster.local., \
         0 50 5432 10-244-2-5.db.shop.svc.cluster.local.",
    );
}

#[test]
fn pods_and_addresses_have_names() {
    let (a, ptr) = (RecordType::A, RecordType::PTR);
    check("10-244-9-9.shop.pod.cluster.local", a, "NOERROR 10.244.9.9");
    check("10-244-9-9.none.pod.cluster.local", a, "NXDOMAIN SOA");
    check("web.shop.pod.cluster.local", a, "NXDOMAIN SOA");
    check(
        "20.0.96.10.in-addr.arpa",
        ptr,
        "NOERROR web.shop.svc.cluster.local.",
    );
    check(
        "5.1.244.10.in-addr.arpa",
        ptr,
        "NOERROR db-0.db.shop.svc.cluster.local.",
    );
    check("8.8.8.8.in-addr.arpa", ptr, "next");
}

#[test]
fn the_zone_speaks_of_itself() {
    let soa = "NOERROR ns.dns.cluster.local. hostmaster.cluster.local. 1 7200 1800 86400 30";
    check("cluster.local", RecordType::SOA, soa);
    check(
        "cluster.local",
        RecordType::NS,
        "NOERROR ns.dns.cluster.local.",
    );
    check(
        "dns-version.cluster.local",
        RecordType::TXT,
        "NOERROR \"1.1.0\"",
    );
}
