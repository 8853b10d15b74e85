//! Requests from outside: inside of the world alone, and through the front over real HTTP.

use std::rc::Rc;
use std::time::{Duration, Instant};

use front::{Front, Options, Pace};
use lab::{FromWire, Input, Lab, Output, ToWire, WireId, WireRequest, WorldSpec};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use crate::row;

const REQUESTS: u32 = 1_000;
const LISTS: u32 = 50;
const PODS: u32 = 1_000;
const WATCHERS: u32 = 1_000;
const PODS_PATH: &str = "/api/v1/namespaces/default/pods";
const ADMIN: &str = "O=kubeadm:cluster-admins,CN=kubernetes-admin";

fn pod(name: &str) -> String {
    format!(
        "{{\"apiVersion\":\"v1\",\"kind\":\"Pod\",\"metadata\":{{\"name\":\"{name}\"}},\"spec\":\
         {{\"schedulerName\":\"nobody\",\"containers\":[{{\"name\":\"c\",\"image\":\"nginx\"}}]}}}}"
    )
}

/// Tells how many times a second something can be done.
fn tell(name: &str, times: u32, began: Instant) {
    let secs = began.elapsed().as_secs_f64();
    row(name, &format!("{:>9.0} /s", f64::from(times) / secs));
}

/// Both ways.
pub(crate) fn served() {
    inside();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    runtime
        .expect("threads to serve with")
        .block_on(over_http());
}

struct Inside {
    lab: Lab,
    stream: u32,
}

impl Inside {
    fn new() -> Inside {
        let mut lab = Lab::new(WorldSpec::with_workers(0, 1)).expect("a sound world");
        lab.boot().expect("it comes up");
        let mut inside = Inside { lab, stream: 1 };
        inside.apply(1, ToWire::Dial);
        inside
    }

    fn apply(&mut self, wire: u64, message: ToWire) {
        let wire = WireId(wire);
        self.lab
            .apply(Input::Wire { wire, message })
            .expect("it fits");
        self.lab.take_log();
    }

    fn begin(&mut self, wire: u64, method: &str, target: &str, body: &str) {
        let request = Rc::new(WireRequest {
            method: method.into(),
            target: target.into(),
            headers: vec![("Content-Type".into(), "application/json".into())],
            body: body.as_bytes().into(),
            peer: Some(ADMIN.into()),
            ..WireRequest::default()
        });
        let stream = self.stream;
        self.stream += 2;
        self.apply(wire, ToWire::Request { stream, request });
    }

    /// Lets time pass until so many messages of a kind have come.
    fn wait(&mut self, count: u32, wanted: fn(&FromWire) -> bool) {
        let mut come = 0;
        while come < count {
            let next = self.lab.now() + Duration::from_millis(1);
            self.lab.advance(next, u64::MAX);
            for output in self.lab.take_outputs() {
                come +=
                    u32::from(matches!(&output, Output::Wire { message, .. } if wanted(message)));
            }
        }
    }

    fn ask(&mut self, method: &str, target: &str, body: &str) {
        self.begin(1, method, target, body);
        self.wait(1, |message| matches!(message, FromWire::Response { .. }));
    }
}

fn inside() {
    let mut inside = Inside::new();
    let began = Instant::now();
    for n in 0..PODS {
        inside.ask("POST", PODS_PATH, &pod(&format!("p{n}")));
    }
    tell("create a pod, inside", PODS, began);
    let began = Instant::now();
    for _ in 0..REQUESTS {
        inside.ask("GET", &format!("{PODS_PATH}/p7"), "");
    }
    tell("get a pod, inside", REQUESTS, began);
    let began = Instant::now();
    for _ in 0..LISTS {
        inside.ask("GET", PODS_PATH, "");
    }
    tell("list 1,000 pods, inside", LISTS, began);
    for n in 0..WATCHERS {
        let wire = 2 + u64::from(n);
        inside.apply(wire, ToWire::Dial);
        inside.begin(
            wire,
            "GET",
            "/api/v1/configmaps?watch=1&resourceVersion=0",
            "",
        );
        inside.wait(1, |message| matches!(message, FromWire::Response { .. }));
    }
    let began = Instant::now();
    let map = "{\"metadata\":{\"name\":\"seen\"}}";
    inside.begin(1, "POST", "/api/v1/namespaces/default/configmaps", map);
    inside.wait(
        WATCHERS,
        |message| matches!(message, FromWire::Data { bytes, .. } if holds(bytes, b"\"seen\"")),
    );
    tell("tell 1,000 watchers, inside", WATCHERS, began);
}

fn holds(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// A connection that is kept.
struct Http(BufReader<TcpStream>);

impl Http {
    async fn connect(front: &Front) -> Http {
        let stream = TcpStream::connect(front.addr()).await.expect("it listens");
        stream.set_nodelay(true).expect("a socket");
        Http(BufReader::new(stream))
    }

    async fn send(&mut self, method: &str, target: &str, body: &str) {
        let request = format!(
            "{method} {target} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0
            .write_all(request.as_bytes())
            .await
            .expect("it reads");
    }

    /// Reads the head of an answer; its length, if it tells.
    async fn head(&mut self) -> usize {
        let (mut line, mut len) = (String::new(), 0);
        loop {
            line.clear();
            self.0.read_line(&mut line).await.expect("an answer");
            let lower = line.to_ascii_lowercase();
            if let Some(value) = lower.strip_prefix("content-length:") {
                len = value.trim().parse().expect("a number");
            }
            if line.trim().is_empty() {
                return len;
            }
        }
    }

    async fn ask(&mut self, method: &str, target: &str, body: &str) {
        self.send(method, target, body).await;
        let len = self.head().await;
        let mut answer = vec![0; len];
        self.0.read_exact(&mut answer).await.expect("all of it");
    }

    async fn until(&mut self, part: &str) {
        let mut line = String::new();
        while !line.contains(part) {
            line.clear();
            let read = self.0.read_line(&mut line).await.expect("more");
            assert!(read > 0, "the watch goes on");
        }
    }
}

async fn over_http() {
    let options = Options {
        listen: ([127, 0, 0, 1], 0).into(),
        http: true,
        pace: Pace::Max,
        from: None,
    };
    let spec = || Ok(WorldSpec::with_workers(0, 1));
    let front = Front::start(spec, options).await.expect("it comes up");
    let mut http = Http::connect(&front).await;
    let began = Instant::now();
    for n in 0..PODS {
        http.ask("POST", PODS_PATH, &pod(&format!("p{n}"))).await;
    }
    tell("create a pod, over HTTP", PODS, began);
    let began = Instant::now();
    for _ in 0..REQUESTS {
        http.ask("GET", &format!("{PODS_PATH}/p7"), "").await;
    }
    tell("get a pod, over HTTP", REQUESTS, began);
    let began = Instant::now();
    for _ in 0..LISTS {
        http.ask("GET", PODS_PATH, "").await;
    }
    tell("list 1,000 pods, over HTTP", LISTS, began);
    let mut watchers = Vec::new();
    for _ in 0..WATCHERS {
        let mut watcher = Http::connect(&front).await;
        let target = "/api/v1/configmaps?watch=1&resourceVersion=0";
        watcher.send("GET", target, "").await;
        watcher.head().await;
        watchers.push(watcher);
    }
    let began = Instant::now();
    let map = "{\"metadata\":{\"name\":\"seen\"}}";
    http.ask("POST", "/api/v1/namespaces/default/configmaps", map)
        .await;
    for watcher in &mut watchers {
        watcher.until("\"name\":\"seen\"").await;
    }
    tell("tell 1,000 watchers, over HTTP", WATCHERS, began);
    drop(watchers);
    front.stop().await;
}
