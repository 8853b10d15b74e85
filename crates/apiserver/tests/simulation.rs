//! Random writes, outages of etcd and watches: at the end every watcher knows exactly what is there.

mod bench;

use std::collections::BTreeMap;

use api::{Value, object};
use bench::{Bench, parse};
use net::http::{Method, Request};
use sim::{Duration, Stream};

const CMS: &str = "/api/v1/namespaces/default/configmaps";

/// What a client that follows a watch knows, by name: the version.
#[derive(Default)]
struct Follower {
    query: String,
    stream: u32,
    known: BTreeMap<String, String>,
}

impl Follower {
    fn begin(bench: &mut Bench, query: &str) -> Follower {
        let list = bench.get(&format!("{CMS}?{query}"));
        let version = list.str_at("metadata.resourceVersion").to_owned();
        let known = list.list_at("items").iter().map(entry).collect();
        let stream = bench.watch(&format!("{CMS}?watch=1&resourceVersion={version}&{query}"));
        Follower {
            query: query.to_owned(),
            stream,
            known,
        }
    }

    /// Takes in what was told. The order must be that of the versions.
    fn follow(&mut self, bench: &mut Bench) {
        let answer = bench.answers.entry(self.stream).or_default();
        let mut last = 0;
        for body in std::mem::take(&mut answer.data) {
            let event = api::body_value(&body).expect("an event");
            let (name, version) = entry(event.get("object"));
            let number: u64 = version.parse().expect("a version");
            assert!(number >= last, "{number} after {last}");
            last = number;
            let before = match event.str("type") {
                "ADDED" => (self.known.insert(name, version), false),
                "MODIFIED" => (self.known.insert(name, version), true),
                "DELETED" => (self.known.remove(&name), true),
                other => panic!("{other}"),
            };
            assert_eq!(before.0.is_some(), before.1, "{event}");
        }
    }

    fn check(&mut self, bench: &mut Bench) {
        self.follow(bench);
        let list = bench.get(&format!("{CMS}?{}", self.query));
        let there: BTreeMap<String, String> = list.list_at("items").iter().map(entry).collect();
        assert_eq!(self.known, there, "{}", self.query);
    }
}

fn entry(object: &Value) -> (String, String) {
    (
        object.name().to_owned(),
        object.resource_version().to_owned(),
    )
}

/// One random write, not waited for.
fn write(bench: &mut Bench, random: &mut Stream) {
    let name = format!("cm{}", random.below(12));
    let app = ["web", "db"][random.below(2) as usize];
    let one = format!("{CMS}/{name}");
    let request = match random.below(4) {
        0 => Request::new(Method::Delete, one),
        1 => {
            let yaml = format!(
                "{{apiVersion: v1, kind: ConfigMap, metadata: {{name: {name}, labels: {{app: {app}}}}}}}"
            );
            Request::new(Method::Post, CMS).with_body(api::body(parse(&yaml)))
        }
        _ => {
            let value = random.below(3).to_string();
            let patch =
                object! { "data": { "k": value }, "metadata": { "labels": { "app": app } } };
            Request::new(Method::Patch, one)
                .with_header("Content-Type", "application/merge-patch+json")
                .with_body(api::body(patch))
        }
    };
    bench.send(request);
}

fn simulate(seed: u64) {
    let mut bench = Bench::new();
    let mut random = Stream::new(seed, "simulation");
    let queries = [
        "",
        "labelSelector=app%3Dweb",
        "fieldSelector=metadata.name%3Dcm3",
    ];
    let mut followers: Vec<Follower> = Vec::new();
    for query in queries {
        followers.push(Follower::begin(&mut bench, query));
    }
    for round in 0..300 {
        write(&mut bench, &mut random);
        if random.below(4) == 0 {
            bench.sleep(Duration::from_millis(random.below(5)));
        }
        if random.below(100) == 0 {
            bench.stop_etcd();
            bench.sleep(Duration::from_millis(random.below(3000)));
            let disk = bench.disk.clone();
            bench.start_etcd(&disk);
        }
        if round % 50 == 0 {
            followers
                .iter_mut()
                .for_each(|follower| follower.follow(&mut bench));
        }
    }
    bench.sleep(Duration::from_secs(30));
    assert!(bench.api.is_ready());
    for follower in &mut followers {
        follower.check(&mut bench);
    }
    let unanswered = bench
        .answers
        .iter()
        .filter(|(stream, _)| followers.iter().all(|f| f.stream != **stream))
        .filter(|(_, answer)| answer.response.is_none())
        .count();
    assert_eq!(unanswered, 0, "every request is answered");
}

#[test]
fn followers_know_what_is_there() {
    for seed in 1..=20 {
        simulate(seed);
    }
}
