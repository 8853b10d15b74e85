//! Many writes and many watchers: what is counted here is work, not time.

mod bench;

use api::{Value, object};
use bench::{Bench, PODS, pod};
use net::http::{Method, Request};
use sim::Duration;

/// Pods created, each then changed so often.
const PODS_MADE: usize = 500;
const CHANGES: usize = 4;

#[test]
fn every_watcher_hears_every_change_once() {
    let mut bench = Bench::new();
    bench.service_account("default");
    let all: Vec<u32> = (0..16)
        .map(|_| bench.watch("/api/v1/pods?watch=1"))
        .collect();
    let nodes: Vec<u32> = (0..4)
        .map(|n| {
            let field = format!("fieldSelector=spec.nodeName%3Dnode{n}");
            bench.watch(&format!("/api/v1/pods?watch=1&{field}"))
        })
        .collect();
    for n in 0..PODS_MADE {
        let request = Request::new(Method::Post, PODS).with_body(api::body(pod(&format!("p{n}"))));
        bench.send(request);
    }
    bench.sleep(Duration::from_secs(1));
    for change in 0..CHANGES {
        for n in 0..PODS_MADE {
            let patch = object! { "status": { "message": format!("change {change}") } };
            let request = Request::new(Method::Patch, format!("{PODS}/p{n}/status"))
                .with_header("Content-Type", "application/merge-patch+json")
                .with_body(api::body(patch));
            bench.send(request);
        }
        bench.sleep(Duration::from_secs(1));
    }
    let count = |bench: &Bench, stream: u32| bench.answers[&stream].data.len();
    for stream in all {
        assert_eq!(count(&bench, stream), PODS_MADE * (1 + CHANGES));
    }
    for stream in nodes {
        assert_eq!(count(&bench, stream), 0);
    }
    let list = bench.call(Method::Get, PODS, Value::Null).1;
    assert_eq!(list.list_at("items").len(), PODS_MADE);
    assert!(
        list.list_at("items")
            .iter()
            .all(|pod| pod.str_at("status.message") == "change 3")
    );
}
