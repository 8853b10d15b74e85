//! An API server and an etcd member joined by a loopback, with a clock that runs as far as it must.
#![allow(dead_code, missing_docs, unreachable_pub)] // Each test binary uses a part of it.

use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use api::Value;
use api::schema::Schemas;
use kubarium_apiserver::{Action, ApiServer, CallId, Config, Cx, Effect, Forget, Peer, StreamId};
use net::Errno;
use net::http::{Body, Method, Request, Response};
use sim::{Duration, EntryId, Instant, Stream};

pub struct Bench {
    pub now: Instant,
    pub api: ApiServer,
    pub etcd: Option<etcd::Server>,
    /// What lies on etcd's disk.
    pub disk: etcd::Snapshot,
    random: Stream,
    next_stream: u32,
    pub answers: BTreeMap<u32, Answer>,
    /// Calls to kubelets: number, address and target.
    pub kubelet: Vec<(CallId, String, String)>,
    /// The bodies of these calls.
    pub bodies: Vec<Value>,
    pub exited: Option<String>,
    /// Lines of the audit log.
    pub audit: Vec<String>,
    journal: Forget,
}

#[derive(Debug, Default)]
pub struct Answer {
    pub response: Option<Response>,
    pub data: Vec<Body>,
    pub ended: bool,
}

pub const ADMIN: &str = "O=system:masters,CN=kubernetes-admin";

impl Bench {
    /// A server that is ready.
    pub fn new() -> Bench {
        Bench::with(Config::default())
    }

    /// A server of this configuration that is ready.
    pub fn with(config: Config) -> Bench {
        let config = Config {
            service_cidr: ([10, 96, 0, 0].into(), 12),
            ..config
        };
        let mut bench = Bench::unstarted(config);
        bench.run_until(|bench| bench.api.is_ready());
        bench
    }

    pub fn unstarted(config: Config) -> Bench {
        let now = Instant::ZERO;
        let random = Stream::new(7, "etcd");
        let server = etcd::Server::open(etcd::Config::default(), None, now);
        Bench {
            now,
            api: ApiServer::new(config, Schemas::load(), Stream::new(7, "api"), now),
            disk: server.snapshot(),
            etcd: Some(server),
            random,
            next_stream: 1,
            answers: BTreeMap::new(),
            kubelet: Vec::new(),
            bodies: Vec::new(),
            exited: None,
            audit: Vec::new(),
            journal: Forget,
        }
    }

    /// Lets the API server handle something, and everything that follows at once.
    pub fn api(&mut self, handle: impl FnOnce(&mut ApiServer, &mut Cx<'_>)) {
        let mut cx = Cx::new(self.now, EntryId::NONE, &mut self.journal);
        handle(&mut self.api, &mut cx);
        self.api.see_off(&mut cx);
        let mut queue: VecDeque<Effect> = cx.effects.into();
        while let Some(effect) = queue.pop_front() {
            let mut cx = Cx::new(self.now, effect.cause, &mut self.journal);
            match effect.action {
                Action::Respond(to, response) => {
                    self.answers.entry(to.stream).or_default().response = Some(response);
                }
                Action::Data(to, body) => {
                    self.answers.entry(to.stream).or_default().data.push(body)
                }
                Action::End(to) => self.answers.entry(to.stream).or_default().ended = true,
                Action::Audit(line) => self.audit.push(line),
                Action::Exit(why) => self.exited = Some(why),
                Action::Call(call, Peer::Kubelet(addr), request) => {
                    let body = api::body_value(&request.body).unwrap_or_default();
                    self.bodies.push(body);
                    self.kubelet
                        .push((call, addr.to_string(), request.target.to_string()));
                }
                Action::Call(call, Peer::Etcd, request) => match &mut self.etcd {
                    None => self.api.on_call_failed(&mut cx, call, Errno::ECONNREFUSED),
                    Some(etcd) => {
                        let mut out = Vec::new();
                        let from = etcd::StreamId {
                            conn: 1,
                            stream: call.0 as u32,
                        };
                        let cause = effect.cause;
                        let random = &mut self.random;
                        etcd.on_request(self.now, cause, random, from, &request, &mut out);
                        deliver(&mut self.api, &mut cx, out);
                    }
                },
                Action::CallData(..) | Action::CallEnd(_) => {}
                Action::CallReset(call) => {
                    if let Some(etcd) = &mut self.etcd {
                        etcd.on_end(etcd::StreamId {
                            conn: 1,
                            stream: call.0 as u32,
                        });
                    }
                }
            }
            self.api.see_off(&mut cx);
            queue.extend(cx.effects);
        }
    }

    /// Goes on to the next deadline; false where there is none.
    pub fn step(&mut self) -> bool {
        let api = self.api.deadline();
        let etcd = self.etcd.as_ref().and_then(etcd::Server::deadline);
        let Some(next) = api
            .into_iter()
            .chain(etcd)
            .min()
            .filter(|next| *next < Instant::FAR)
        else {
            return false;
        };
        self.now = self.now.max(next);
        if etcd.is_some_and(|etcd| etcd <= self.now)
            && let Some(server) = &mut self.etcd
        {
            let mut out = Vec::new();
            if server.on_timer(self.now, &mut out) {
                self.disk = server.snapshot();
            }
            let out = out.into_iter().map(|(_, output)| output).collect();
            self.api(|api, cx| deliver(api, cx, out));
        }
        if self.api.deadline().is_some_and(|api| api <= self.now) {
            self.api(|api, cx| api.on_timer(cx));
        }
        true
    }

    #[track_caller]
    pub fn run_until(&mut self, mut done: impl FnMut(&mut Bench) -> bool) {
        let limit = self.now + Duration::from_secs(7200);
        while !done(self) {
            assert!(self.step() && self.now < limit, "it never happens");
        }
    }

    /// Lets time pass.
    pub fn sleep(&mut self, time: Duration) {
        let until = self.now + time;
        loop {
            let api = self.api.deadline();
            let etcd = self.etcd.as_ref().and_then(etcd::Server::deadline);
            match api.into_iter().chain(etcd).min() {
                Some(next) if next <= until => drop(self.step()),
                _ => break,
            }
        }
        self.now = until;
    }

    /// etcd's process ends; calls that wait for it fail.
    pub fn stop_etcd(&mut self) {
        self.etcd = None;
        // The watch is the call that is always open.
        for call in 1..200_000 {
            self.api(|api, cx| api.on_call_failed(cx, CallId(call), Errno::ECONNRESET));
        }
    }

    /// etcd starts again on its disk, or on another one's contents.
    pub fn start_etcd(&mut self, data: &etcd::Snapshot) {
        let config = etcd::Config::default();
        self.etcd = Some(etcd::Server::open(config, Some(data), self.now));
    }

    /// Sends a request and does not wait.
    pub fn send(&mut self, mut request: Request) -> u32 {
        let stream = self.next_stream;
        self.next_stream += 2;
        if request.peer.is_none() && request.headers.get("Authorization").is_none() {
            request.peer = Some(ADMIN.into());
        }
        self.send_as_is(stream, request);
        stream
    }

    pub fn send_as_is(&mut self, stream: u32, request: Request) {
        let request = Rc::new(request);
        self.api(|api, cx| api.on_request(cx, StreamId { conn: 1, stream }, &request));
    }

    /// Sends a request and waits for the response.
    #[track_caller]
    pub fn ask(&mut self, request: Request) -> Response {
        let stream = self.send(request);
        let answered = |b: &mut Bench| b.answers.get(&stream).is_some_and(|a| a.response.is_some());
        self.run_until(answered);
        self.answers[&stream]
            .response
            .clone()
            .expect("it was answered")
    }

    /// Sends a request with an object and gives code and object of the answer.
    #[track_caller]
    pub fn call(&mut self, method: Method, target: &str, body: Value) -> (u16, Value) {
        let mut request = Request::new(method, target);
        if !body.is_null() {
            request.body = api::body(body);
        }
        let response = self.ask(request);
        (
            response.status,
            api::body_value(&response.body).expect("an object"),
        )
    }

    #[track_caller]
    pub fn get(&mut self, target: &str) -> Value {
        self.call(Method::Get, target, Value::Null).1
    }

    /// Creates what a YAML text says, and expects that it works.
    #[track_caller]
    pub fn create(&mut self, target: &str, yaml: &str) -> Value {
        let (code, object) = self.call(Method::Post, target, parse(yaml));
        assert_eq!(code, 201, "{object}");
        object
    }

    /// Patches, and gives code and object.
    #[track_caller]
    pub fn patch(&mut self, target: &str, form: &str, body: Value) -> (u16, Value) {
        let request = Request::new(Method::Patch, target)
            .with_header("Content-Type", format!("application/{form}+json"))
            .with_body(api::body(body));
        let response = self.ask(request);
        (
            response.status,
            api::body_value(&response.body).expect("an object"),
        )
    }

    /// Begins a watch.
    pub fn watch(&mut self, target: &str) -> u32 {
        self.send(Request::get(target))
    }

    /// What a watch said since this was last asked: `ADDED name`.
    pub fn heard(&mut self, stream: u32) -> Vec<String> {
        let data = std::mem::take(&mut self.answers.entry(stream).or_default().data);
        data.iter()
            .map(|body| {
                let event = api::body_value(body).expect("an event");
                let object = event.get("object");
                let name = match event.str("type") {
                    "ERROR" => object.str("message"),
                    "BOOKMARK" => object.annotation("k8s.io/initial-events-end"),
                    _ => object.name(),
                };
                assert_eq!(
                    body.size(),
                    event.to_json().len() as u64 + 1,
                    "measured wrongly"
                );
                format!("{} {name}", event.str("type"))
                    .trim_end()
                    .to_owned()
            })
            .collect()
    }

    /// Creates a namespace with its default service account.
    pub fn namespace(&mut self, name: &str) {
        let yaml = format!("{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}");
        self.create("/api/v1/namespaces", &yaml);
        self.service_account(name);
    }

    pub fn service_account(&mut self, namespace: &str) {
        self.create(
            &format!("/api/v1/namespaces/{namespace}/serviceaccounts"),
            "{apiVersion: v1, kind: ServiceAccount, metadata: {name: default}}",
        );
    }
}

fn deliver(api: &mut ApiServer, cx: &mut Cx<'_>, out: Vec<etcd::Output>) {
    for output in out {
        let call = |stream: etcd::StreamId| CallId(u64::from(stream.stream));
        match output {
            etcd::Output::Respond(to, response) => api.on_response(cx, call(to), &response),
            etcd::Output::Data(to, body) => api.on_call_data(cx, call(to), body),
            etcd::Output::End(to) => api.on_call_end(cx, call(to)),
            etcd::Output::Close(_) => {}
        }
    }
}

pub fn parse(yaml: &str) -> Value {
    api::yaml::parse_all(yaml)
        .expect("YAML")
        .swap_remove(0)
        .value
}

/// A pod of one container.
pub fn pod(name: &str) -> Value {
    parse(&format!(
        "{{apiVersion: v1, kind: Pod, metadata: {{name: {name}, labels: {{app: web}}}}, \
         spec: {{containers: [{{name: c, image: nginx}}]}}}}"
    ))
}

pub const PODS: &str = "/api/v1/namespaces/default/pods";
